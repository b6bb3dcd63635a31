//! A limit order book: price, then time, on a ladder of ticks, with ambient depth behind the orders.
//!
//! At each price the traders' own orders come first, in order of arrival; behind them stands the
//! ambient depth of the background maker ([`AccountId::BACKGROUND`]). An order takes the best price
//! first, whichever of the two offers it, and pays each maker's own price.
//!
//! - An order that would meet a resting order of its own owner cancels that order and goes on.
//! - A limit outside the ladder is refused ([`Refusal::OffLadder`]); a market order ends at the ladder's
//!   end, and what it can't fill is dropped.
//! - A run of trades against neighbouring ambient levels is one [`Fill`], with the exact sum of the
//!   values; each explicit order is a fill of its own.
//!
//! # Units
//!
//! Ticks and lots; settings in basis points and units of the base.
//!
//! # Invariants
//!
//! Asserted after every operation of random sequences, beside a slow and obvious book.
//!
//! - `never_crossed`: between calls the best bid is below the best ask.
//! - `quantity_is_conserved`: submitted = filled + cancelled + resting + dropped.
//! - `depth_is_what_a_sweep_takes`: [`Venue::depth`] is what a taker without orders of its own would get.
//!
//! # Cost
//!
//! `submit`, `cancel` and `reduce` don't search: a bitmap finds the next price, a handle finds its order.
//! An order that walks n ambient levels costs O(n). `open` is O(1) but for levels at the best quote that
//! are still empty and for resting orders that it has to trade away. `depth` is O(occupied
//! levels + holes) in its range, and never looks at a level that nobody touched.

mod ladder;
pub mod settings;

pub use settings::{BookSettings, Curve, Depth};

use super::ambient::Ambient;
use super::frame::Frame;
use super::order::{Execution, Fill, Order, OrderId, Refusal, Standing};
use super::venue::{Conditions, Quote, Venue};
use crate::unit::{AccountId, Cash, Lots, Side, Ticks};
use ladder::{Ladder, NONE, Sweep, Taker, key};

/// The order book of one market.
#[derive(Clone, Debug)]
pub struct Book {
    frame: Frame,
    ladder: Ladder,
    ambient: Ambient,
    last: Ticks,
}

/// Whether a maker's price is within a taker's limit.
#[inline]
fn within(maker: Side, price: u32, limit: u32) -> bool {
    key(maker, price) <= key(maker, limit)
}

impl Book {
    /// A book with no orders yet, around the frame's starting price.
    ///
    /// # Panics
    ///
    /// Where the ladder has no price, or 2³² of them: a scenario is checked before it gets here
    /// ([`BookSettings::problems`]).
    pub fn new(settings: &BookSettings, frame: &Frame) -> Self {
        let ceiling = match u32::try_from(frame.ceiling.0) {
            Ok(ceiling) if ceiling > 1 => ceiling,
            _ => panic!("a ladder of {:?} can't be built", frame.ceiling),
        };
        let ambient = Ambient::new(settings, frame);
        Self {
            frame: *frame,
            ladder: Ladder::new(ceiling),
            last: ambient.centre(),
            ambient,
        }
    }

    /// Ambient quantity within so many basis points of the anchor on one side of the book, as it
    /// stands now.
    pub fn ambient_within(&self, maker: Side, bps: f64) -> Lots {
        self.ambient.within(maker, bps)
    }

    /// Explicit and ambient quantity within so many basis points of the anchor on one side of the
    /// book, as it stands now.
    pub fn depth_within(&self, maker: Side, bps: f64) -> Lots {
        let away = self.ambient.anchor() * bps / 10_000.0;
        let limit = match maker {
            Side::Buy => (self.ambient.anchor() - away).ceil(),
            Side::Sell => (self.ambient.anchor() + away).floor(),
        };
        self.depth(maker.opposite(), Ticks(limit as i64))
    }

    /// Quantity of the traders' own orders that rests at a price.
    pub fn resting_at(&self, price: Ticks) -> Lots {
        if self.frame.holds(price) {
            Lots(self.ladder.total(price.0 as u32))
        } else {
            Lots::ZERO
        }
    }

    /// The better of the best resting order and the best ambient level.
    #[inline]
    fn best(&self, maker: Side) -> Option<u32> {
        match (self.ladder.best(maker), self.ambient.best(maker)) {
            (Some(explicit), Some(ambient)) => Some(if within(maker, explicit, ambient) {
                explicit
            } else {
                ambient
            }),
            (explicit, ambient) => explicit.or(ambient),
        }
    }

    /// Trades away resting orders that the ambient depth of the other side now crosses.
    fn uncross(&mut self, fills: &mut Vec<Fill>) {
        for maker in [Side::Buy, Side::Sell] {
            let taker = Taker {
                owner: AccountId::BACKGROUND,
                side: maker.opposite(),
                contract: self.frame.contract,
            };
            while let (Some(resting), Some(_)) =
                (self.ladder.best(maker), self.ambient.best(taker.side))
            {
                let total = self.ladder.total(resting);
                let crossing = self.ambient.take(taker.side, total, resting);
                if crossing.quantity == 0 {
                    break;
                }
                let end = key(maker, resting);
                self.ladder.sweep(&taker, crossing.quantity, end, fills);
                self.last = Ticks(i64::from(resting));
            }
        }
    }

    /// Key of the best ambient level.
    #[inline]
    fn ambient_front(&self, maker: Side) -> u32 {
        match self.ambient.best(maker) {
            Some(tick) => key(maker, tick),
            None => NONE,
        }
    }

    /// Trades with the ambient depth up to the price with the key `end`.
    fn sweep_ambient(
        &mut self,
        taker: &Taker,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        let maker = taker.side.opposite();
        let run = self.ambient.take(maker, wanted, key(maker, end));
        let value = Cash::from_wide(run.moment * i128::from(taker.contract.quanta()))
            .unwrap_or_else(|| panic!("value of {run:?} overflows"));
        fills.push(Fill {
            taker: taker.owner,
            maker: AccountId::BACKGROUND,
            side: taker.side,
            quantity: Lots(run.quantity),
            value,
            price: Ticks(i64::from(run.last)),
        });
        Sweep {
            quantity: run.quantity,
            value,
            first: run.first,
            last: run.last,
        }
    }

    fn check(&self, order: &Order) -> Result<u32, Refusal> {
        if order.quantity <= Lots::ZERO {
            return Err(Refusal::NoQuantity);
        }
        match (order.limit, order.standing) {
            (None, Standing::UntilCancelled | Standing::PostOnly) => Err(Refusal::NoLimit),
            (None, Standing::Immediate) => Ok(match order.side {
                Side::Buy => self.frame.top() as u32,
                Side::Sell => 1,
            }),
            (Some(limit), _) if self.frame.holds(limit) => Ok(limit.0 as u32),
            (Some(_), _) => Err(Refusal::OffLadder),
        }
    }
}

impl Venue for Book {
    fn open(&mut self, conditions: &Conditions, fills: &mut Vec<Fill>) {
        self.ambient.open(conditions);
        self.uncross(fills);
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
        let maker = order.side.opposite();
        let end = key(maker, limit);
        if order.standing == Standing::PostOnly
            && self.ladder.front(maker).min(self.ambient_front(maker)) <= end
        {
            execution.refused = Some(Refusal::WouldTrade);
            return execution;
        }
        let taker = Taker {
            owner: order.owner,
            side: order.side,
            contract: self.frame.contract,
        };
        let mut left = order.quantity.0;
        let (mut first, mut last) = (0, 0);
        let mut value = Cash::ZERO;
        while left > 0 {
            let explicit = self.ladder.front(maker);
            let ambient = self.ambient_front(maker);
            if explicit.min(ambient) > end {
                break;
            }
            let sweep = if explicit <= ambient {
                self.ladder.sweep(&taker, left, end.min(ambient), fills)
            } else {
                // Up to, but not including, the next explicit order: that comes first at its price.
                self.sweep_ambient(&taker, left, end.min(explicit - 1), fills)
            };
            value += sweep.value;
            left -= sweep.quantity;
            first = if first == 0 { sweep.first } else { first };
            last = if sweep.last == 0 { last } else { sweep.last };
        }
        if last != 0 {
            self.last = Ticks(i64::from(last));
            execution.prices = Some((Ticks(i64::from(first)), self.last));
        }
        execution.filled = Lots(order.quantity.0 - left);
        execution.value = value;
        if left > 0 && order.standing != Standing::Immediate {
            execution.resting = Some(self.ladder.rest(order.owner, order.side, left, limit));
        }
        execution
    }

    fn cancel(&mut self, order: OrderId) -> Lots {
        Lots(self.ladder.cancel(order))
    }

    fn reduce(&mut self, order: OrderId, quantity: Lots) -> bool {
        self.ladder.reduce(order, quantity.0)
    }

    fn remaining(&self, order: OrderId) -> Lots {
        Lots(self.ladder.remaining(order))
    }

    fn quote(&self) -> Quote {
        let price = |tick| Ticks(i64::from(tick));
        Quote {
            bid: self.best(Side::Buy).map(price),
            ask: self.best(Side::Sell).map(price),
        }
    }

    fn mid(&self) -> f64 {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) => f64::midpoint(f64::from(bid), f64::from(ask)),
            (Some(only), None) | (None, Some(only)) => f64::from(only),
            (None, None) => self.last.as_f64(),
        }
    }

    fn last(&self) -> Ticks {
        self.last
    }

    fn print(&mut self, price: Ticks) {
        self.last = price;
    }

    fn depth(&self, side: Side, limit: Ticks) -> Lots {
        let maker = side.opposite();
        let limit = match side {
            Side::Buy if limit.0 < 1 => return Lots::ZERO,
            Side::Sell if limit.0 > self.frame.top() => return Lots::ZERO,
            _ => limit.0.clamp(1, self.frame.top()) as u32,
        };
        Lots(self.ladder.depth(maker, limit) + self.ambient.depth(maker, limit))
    }
}
