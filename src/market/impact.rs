//! A market without a book: price moves by a closed-form impact law and relaxes.
//!
//! The price of the next lot is anchor + displacement (± half the spread). A trade of u lots moves the
//! displacement x, and pays the integral of the price over its quantity:
//!
//! | law | displacement | a buy of u lots pays on average |
//! |---|---|---|
//! | linear | x += s·u | x + s·u/2 |
//! | square root, one metaorder | x = sign(Q)·c·√\|Q\|, Q the net volume so far | ⅔·c·(\|Q + u\|^1.5 − \|Q\|^1.5) / u |
//! | square root, each order its own | x += c·√u | x + ⅔·c·√u |
//!
//! The displacement (for one metaorder: Q) halves every `resilience`. It stands on top of the anchor, so
//! where impact is to feed into the anchor as well, a short resilience keeps it from counting
//! twice. When liquidity flees, a lot moves the price as 1/depth lots do; at no depth nothing trades.
//!
//! Nothing rests here: what a limit order doesn't fill at once is dropped, a post-only order
//! that wouldn't trade is dropped whole ([`crate::market::Execution::resting`] stays empty), and
//! there is nothing to cancel.
//!
//! # Units
//!
//! Ticks and lots. The anchor is rounded to a tick, so that without impact and spread every trade is
//! at a whole tick; the displacement is a float and enters a fill's value once, rounded to a quantum
//! in favour of the background maker. An inverse contract is valued at the average price of the fill's lots.
//!
//! # Invariants
//!
//! - `linear_fall_is_slope_times_quantity`
//! - `slicing_a_metaorder_ends_at_the_same_price`
//! - `slices_that_are_orders_of_their_own_add_up`
//! - Prices stay on the ladder: an order stops at 1 tick or below the ceiling.
//!
//! # Reference
//!
//! Kyle (1985), "Continuous auctions and insider trading", Econometrica 53, for the linear law; Almgren et al.
//! (2005), "Direct estimation of equity market impact", Risk 18, and Donier and Bonart (2015), "A million metaorder
//! analysis of market impact on the Bitcoin", for the square root of a metaorder's volume.

use super::frame::Frame;
use super::order::{Execution, Fill, Order, OrderId, Refusal, Standing};
use super::venue::{Conditions, Quote, Venue};
use crate::math::ops;
use crate::unit::{AccountId, Cash, Lots, Side, Span, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More than any order: the depth of a market without impact.
pub const DEEP: Lots = Lots(1 << 60);

/// A market whose price moves by a closed-form impact law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpactSettings {
    /// How trading moves the price.
    pub law: Law,
    /// Half-life with which the displacement undoes itself; "never" keeps it.
    pub resilience: Span,
    /// Quoted spread in basis points of the anchor: half of it on each side.
    #[serde(default)]
    pub spread_bps: f64,
}

/// How trading moves the price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Law {
    /// Each lot moves the price by the same amount.
    Linear {
        /// Ticks that one lot moves the price; 0 is an infinitely deep market.
        ticks_per_lot: f64,
    },
    /// The price moves with the square root of volume.
    SquareRoot {
        /// Ticks that one lot moves the price from rest: Y·σ·p/√V of the square-root law, with V
        /// in lots; 0 is an infinitely deep market.
        ticks_per_sqrt_lot: f64,
        /// Whether each order is a metaorder of its own, whose impacts add. If not, all net volume is
        /// one metaorder, and slicing an order changes nothing.
        #[serde(default)]
        per_order: bool,
    },
}

impl ImpactSettings {
    /// What is wrong with these settings, a sentence each; nothing where they can be used.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let (name, coefficient) = match self.law {
            Law::Linear { ticks_per_lot } => ("linear.ticks_per_lot", ticks_per_lot),
            Law::SquareRoot {
                ticks_per_sqrt_lot, ..
            } => ("square_root.ticks_per_sqrt_lot", ticks_per_sqrt_lot),
        };
        if !(coefficient.is_finite() && coefficient >= 0.0) {
            problems.push(format!(
                "law.{name} must be a number of at least 0, found {coefficient}"
            ));
        }
        if !(0.0..10_000.0).contains(&self.spread_bps) {
            problems.push(format!(
                "spread_bps must be at least 0 and less than 10000, found {}",
                self.spread_bps
            ));
        }
        problems
    }
}

/// A closed-form market.
#[derive(Clone, Debug)]
pub struct Impact {
    frame: Frame,
    law: Law,
    half_life: f64,
    half_spread: f64,
    step: u32,
    anchor: f64,
    depth: f64,
    /// Displacement in ticks; for one metaorder, its signed net volume in lots.
    state: f64,
    last: Ticks,
}

impl Impact {
    /// A market at rest at the frame's starting price.
    pub fn new(settings: &ImpactSettings, frame: &Frame) -> Self {
        Self {
            frame: *frame,
            law: settings.law,
            half_life: settings.resilience.as_seconds(),
            half_spread: settings.spread_bps / 20_000.0,
            step: 0,
            anchor: frame.start.max(1.0),
            depth: 1.0,
            state: 0.0,
            last: frame.nearest(frame.start),
        }
    }

    /// How far trading has moved the price from the anchor, in ticks.
    pub fn displacement(&self) -> f64 {
        match self.law {
            Law::SquareRoot {
                ticks_per_sqrt_lot,
                per_order: false,
            } => self.state.signum() * ticks_per_sqrt_lot * self.state.abs().sqrt(),
            _ => self.state,
        }
    }

    /// Price, away from the rounded anchor, that the next lot of a taker pays.
    fn start(&self, side: Side) -> f64 {
        self.displacement() + side.sign() as f64 * self.anchor * self.half_spread
    }

    /// Displacement after a taker's signed effective volume, as a change of price.
    fn moved(&self, volume: f64) -> f64 {
        match self.law {
            Law::Linear { ticks_per_lot } => ticks_per_lot * volume,
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: true,
            } => volume.signum() * c * volume.abs().sqrt(),
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: false,
            } => {
                let after = self.state + volume;
                after.signum() * c * after.abs().sqrt() - self.displacement()
            }
        }
    }

    /// Integral of [`Impact::moved`] over the signed volume.
    fn paid(&self, volume: f64) -> f64 {
        let power = |c: f64, v: f64| 2.0 / 3.0 * c * v.abs() * v.abs().sqrt();
        match self.law {
            Law::Linear { ticks_per_lot } => ticks_per_lot * volume * volume / 2.0,
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: true,
            } => power(c, volume),
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: false,
            } => {
                power(c, self.state + volume) - power(c, self.state) - self.displacement() * volume
            }
        }
    }

    /// Signed volume at which the price has moved by `ticks` in the taker's direction.
    fn volume_to(&self, side: Side, ticks: f64) -> f64 {
        let square = |x: f64| x * x.abs();
        let sign = side.sign() as f64;
        match self.law {
            Law::Linear { ticks_per_lot } => ticks / ticks_per_lot,
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: true,
            } => square(ticks / c),
            Law::SquareRoot {
                ticks_per_sqrt_lot: c,
                per_order: false,
            } => square((sign * self.displacement() + ticks) / c) - sign * self.state,
        }
    }

    fn coefficient(&self) -> f64 {
        match self.law {
            Law::Linear { ticks_per_lot } => ticks_per_lot,
            Law::SquareRoot {
                ticks_per_sqrt_lot, ..
            } => ticks_per_sqrt_lot,
        }
    }

    /// Largest quantity whose last lot isn't worse than `limit`.
    fn quantity_to(&self, side: Side, limit: i64) -> i64 {
        let sign = side.sign() as f64;
        let base = self.frame.nearest(self.anchor).as_f64();
        let room = sign * (limit as f64 - base - self.start(side));
        if room < 0.0 || self.depth == 0.0 {
            return 0;
        }
        if self.coefficient() == 0.0 {
            return DEEP.0;
        }
        let fits = |lots: f64| sign * self.moved(sign * lots / self.depth) <= room;
        let mut lots = (self.volume_to(side, room) * self.depth).floor().max(0.0);
        // The inversion rounds: settle the last lot by the law itself.
        if lots > 0.0 && !fits(lots) {
            lots -= 1.0;
        } else if fits(lots + 1.0) {
            lots += 1.0;
        }
        (lots as i64).min(DEEP.0)
    }

    /// A price on the ladder.
    fn on_ladder(&self, away: f64) -> Ticks {
        self.frame
            .nearest(self.frame.nearest(self.anchor).as_f64() + away)
    }

    fn check(&self, order: &Order) -> Result<i64, Refusal> {
        if order.quantity <= Lots::ZERO {
            return Err(Refusal::NoQuantity);
        }
        match (order.limit, order.standing, order.side) {
            (None, Standing::UntilCancelled | Standing::PostOnly, _) => Err(Refusal::NoLimit),
            (None, Standing::Immediate, Side::Buy) => Ok(self.frame.top()),
            (None, Standing::Immediate, Side::Sell) => Ok(1),
            (Some(limit), _, _) if self.frame.holds(limit) => Ok(limit.0),
            (Some(_), _, _) => Err(Refusal::OffLadder),
        }
    }
}

impl Venue for Impact {
    fn open(&mut self, conditions: &Conditions, _: &mut Vec<Fill>) {
        let steps = conditions.step.saturating_sub(self.step);
        if steps > 0 {
            self.state *= ops::halved(f64::from(steps) * self.frame.dt, self.half_life);
        }
        self.step = conditions.step;
        self.anchor = conditions.anchor.max(1.0);
        self.depth = conditions.depth.max(0.0);
    }

    fn submit(&mut self, order: &Order, fills: &mut Vec<Fill>) -> Execution {
        let mut execution = Execution::default();
        let limit = match self.check(order) {
            Ok(limit) => limit,
            Err(refusal) => {
                execution.refused = Some(refusal);
                return execution;
            }
        };
        let quantity = order.quantity.0.min(self.quantity_to(order.side, limit));
        if quantity == 0 {
            return execution;
        }
        if order.standing == Standing::PostOnly {
            execution.refused = Some(Refusal::WouldTrade);
            return execution;
        }
        let sign = order.side.sign() as f64;
        let lots = quantity as f64;
        let volume = sign * lots / self.depth;
        let start = self.start(order.side);
        // Signed so that the background maker gains by rounding up.
        let extra = sign * (start * lots) + self.depth * self.paid(volume);
        let contract = self.frame.contract;
        let anchor = self.frame.nearest(self.anchor);
        let base = contract.wide(Lots(quantity), anchor);
        let extra = if contract.is_inverse() {
            // At the average price of its lots.
            let paid = (anchor.as_f64() + sign * extra / lots).max(1.0);
            sign * lots * (contract.level(paid) - contract.level(anchor.as_f64()))
        } else {
            extra * contract.slope()
        };
        let wide = base + i128::from(order.side.sign()) * extra.ceil() as i128;
        let value = Cash::from_wide(wide)
            .unwrap_or_else(|| panic!("value of {quantity} lots ({wide} quanta) overflows"));
        let moved = self.moved(volume);
        let prices = (self.on_ladder(start), self.on_ladder(start + moved));
        match self.law {
            Law::SquareRoot {
                per_order: false, ..
            } => self.state += volume,
            _ => self.state += moved,
        }
        self.last = prices.1;
        fills.push(Fill {
            taker: order.owner,
            maker: AccountId::BACKGROUND,
            side: order.side,
            quantity: Lots(quantity),
            value,
            price: prices.1,
        });
        execution.filled = Lots(quantity);
        execution.value = value;
        execution.prices = Some(prices);
        execution
    }

    fn cancel(&mut self, _: OrderId) -> Lots {
        Lots::ZERO
    }

    fn reduce(&mut self, _: OrderId, _: Lots) -> bool {
        false
    }

    fn remaining(&self, _: OrderId) -> Lots {
        Lots::ZERO
    }

    fn quote(&self) -> Quote {
        if self.depth == 0.0 {
            return Quote::default();
        }
        let base = self.frame.nearest(self.anchor).as_f64();
        let top = self.frame.top();
        let bid = (base + self.start(Side::Sell)).floor() as i64;
        let ask = (base + self.start(Side::Buy)).ceil() as i64;
        Quote {
            bid: (bid >= 1).then(|| Ticks(bid.min(top))),
            ask: (ask <= top).then(|| Ticks(ask.max(1))),
        }
    }

    fn mid(&self) -> f64 {
        (self.anchor + self.displacement()).clamp(1.0, self.frame.top() as f64)
    }

    fn last(&self) -> Ticks {
        self.last
    }

    fn print(&mut self, price: Ticks) {
        self.last = price;
    }

    fn depth(&self, side: Side, limit: Ticks) -> Lots {
        let top = self.frame.top();
        match side {
            Side::Buy if limit.0 < 1 => Lots::ZERO,
            Side::Sell if limit.0 > top => Lots::ZERO,
            _ => Lots(self.quantity_to(side, limit.0.clamp(1, top))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Contract;

    fn market(law: Law) -> Impact {
        let frame = Frame {
            contract: Contract::linear(10),
            ceiling: Ticks(100_000),
            lot: 1.0,
            dt: 1.0,
            start: 10_000.0,
        };
        let settings = ImpactSettings {
            law,
            resilience: Span::seconds(10.0),
            spread_bps: 0.0,
        };
        assert_eq!(settings.problems(), Vec::<String>::new());
        Impact::new(&settings, &frame)
    }
    fn trade(market: &mut Impact, side: Side, lots: i64) -> Execution {
        market.submit(
            &Order::market(AccountId(9), side, Lots(lots)),
            &mut Vec::new(),
        )
    }
    fn open(market: &mut Impact, step: u32, depth: f64) {
        let conditions = Conditions {
            step,
            anchor: 10_000.0,
            depth,
        };
        market.open(&conditions, &mut Vec::new());
    }
    const fn root(per_order: bool) -> Law {
        Law::SquareRoot {
            ticks_per_sqrt_lot: 3.0,
            per_order,
        }
    }

    #[test]
    fn linear_fall_is_slope_times_quantity() {
        let mut market = market(Law::Linear { ticks_per_lot: 0.5 });
        let done = trade(&mut market, Side::Sell, 200);
        assert_eq!(market.mid(), 9_900.0);
        assert_eq!(market.last(), Ticks(9_900));
        assert_eq!(done.prices, Some((Ticks(10_000), Ticks(9_900))));
        // The average price is the midpoint.
        assert_eq!(done.value, Cash(200 * 9_950 * 10));
        let back = trade(&mut market, Side::Buy, 200);
        assert_eq!((market.mid(), back.value), (10_000.0, done.value));
    }

    #[test]
    fn slicing_a_metaorder_ends_at_the_same_price() {
        let (mut whole, mut sliced) = (market(root(false)), market(root(false)));
        let at_once = trade(&mut whole, Side::Sell, 400);
        let mut value = 0;
        for _ in 0..100 {
            value += trade(&mut sliced, Side::Sell, 4).value.0;
        }
        assert_eq!(whole.mid(), 10_000.0 - 3.0 * 20.0);
        assert_eq!(sliced.mid(), whole.mid());
        // 400·10 000 − ⅔·3·400^1.5, in quanta of a tenth; each slice rounds by less than a quantum.
        assert_eq!(at_once.value, Cash(10 * (4_000_000 - 16_000)));
        assert!((0..=100).contains(&(at_once.value.0 - value)));
        // Through zero: the law is odd in the net volume.
        trade(&mut whole, Side::Buy, 800);
        assert_eq!(whole.mid(), 10_060.0);
    }

    #[test]
    fn slices_that_are_orders_of_their_own_add_up() {
        let mut market = market(root(true));
        for _ in 0..25 {
            trade(&mut market, Side::Sell, 16);
        }
        assert_eq!(market.mid(), 10_000.0 - 25.0 * 3.0 * 4.0);
    }

    #[test]
    fn no_coefficient_is_an_infinitely_deep_market_at_whole_ticks() {
        let mut market = market(Law::Linear { ticks_per_lot: 0.0 });
        market.open(
            &Conditions {
                step: 1,
                anchor: 10_000.4,
                depth: 1.0,
            },
            &mut Vec::new(),
        );
        for (side, lots) in [(Side::Sell, 1_000_000), (Side::Buy, 7)] {
            let done = trade(&mut market, side, lots);
            assert_eq!(
                done.value,
                market.frame.contract.value(Lots(lots), Ticks(10_000))
            );
        }
        assert_eq!(market.mid(), 10_000.4);
        assert_eq!(market.depth(Side::Buy, Ticks(10_000)), DEEP);
        assert_eq!(market.depth(Side::Buy, Ticks(9_999)), Lots::ZERO);
    }

    #[test]
    fn depth_inverts_the_law_and_limits_hold() {
        for law in [Law::Linear { ticks_per_lot: 0.3 }, root(false), root(true)] {
            for (first, side, limit) in [
                (Side::Sell, Side::Sell, 9_700),
                (Side::Sell, Side::Buy, 10_100),
                (Side::Buy, Side::Sell, 9_990),
                (Side::Buy, Side::Buy, 20_000),
                (Side::Buy, Side::Sell, 1),
            ] {
                let mut market = market(law);
                trade(&mut market, first, 77);
                open(&mut market, 3, 0.25);
                let deep = market.depth(side, Ticks(limit));
                assert!(deep > Lots::ZERO);
                let order = Order::immediate(AccountId(9), side, DEEP, Ticks(limit));
                let done = market.submit(&order, &mut Vec::new());
                assert_eq!(done.filled, deep);
                assert!(side.sign() as f64 * (limit as f64 - market.mid()) >= -1e-6);
                assert_eq!(market.depth(side, Ticks(limit)), Lots::ZERO);
                assert!(market.last() >= Ticks(1));
            }
        }
    }

    #[test]
    fn displacement_halves_and_flight_steepens() {
        let mut market = market(Law::Linear { ticks_per_lot: 1.0 });
        trade(&mut market, Side::Sell, 100);
        open(&mut market, 10, 0.5);
        assert_eq!(market.displacement(), -50.0);
        trade(&mut market, Side::Sell, 10);
        assert_eq!(market.displacement(), -70.0);
        open(&mut market, 10, 0.0);
        assert_eq!(market.quote(), Quote::default());
        assert_eq!(trade(&mut market, Side::Sell, 10).filled, Lots::ZERO);
    }

    #[test]
    fn nothing_rests_and_nothing_falls_below_a_tick() {
        let mut market = market(Law::Linear { ticks_per_lot: 1.0 });
        let order = Order::limit(AccountId(9), Side::Buy, Lots(50), Ticks(10_020));
        let done = market.submit(&order, &mut Vec::new());
        assert_eq!((done.filled, done.resting), (Lots(20), None));
        let post = Order::post(AccountId(9), Side::Sell, Lots(5), Ticks(10_000));
        let refused = market.submit(&post, &mut Vec::new()).refused;
        assert_eq!(refused, Some(Refusal::WouldTrade));
        let off = Order::limit(AccountId(9), Side::Sell, Lots(5), Ticks(0));
        let refused = market.submit(&off, &mut Vec::new()).refused;
        assert_eq!(refused, Some(Refusal::OffLadder));
        assert_eq!(trade(&mut market, Side::Sell, 1 << 40).filled, Lots(10_019));
        assert_eq!(market.last(), Ticks(1));
    }

    #[test]
    fn a_spread_goes_to_the_background_maker() {
        let frame = market(root(true)).frame;
        let settings = ImpactSettings {
            law: Law::Linear { ticks_per_lot: 0.0 },
            resilience: Span::NEVER,
            spread_bps: 10.0,
        };
        let mut market = Impact::new(&settings, &frame);
        assert_eq!(
            market.quote(),
            Quote {
                bid: Some(Ticks(9_995)),
                ask: Some(Ticks(10_005)),
            }
        );
        assert_eq!(
            trade(&mut market, Side::Buy, 3).value,
            Cash(3 * 10_005 * 10)
        );
        assert_eq!(
            trade(&mut market, Side::Sell, 3).value,
            Cash(3 * 9_995 * 10)
        );
    }
}
