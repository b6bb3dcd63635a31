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
use crate::unit::{AccountId, Lots, Side, Ticks};
use ladder::{Ladder, NONE, Sweep, Taker};

/// The order book of one market.
#[derive(Clone, Debug)]
pub struct Book {
    frame: Frame,
    ladder: Ladder,
    depth: Ambient,
    /// Rungs of the best ambient bid and ask: the depth as it was after it last changed.
    ambient: [u32; 2],
    last: Ticks,
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
        let depth = Ambient::new(settings, frame);
        let mut book = Self {
            frame: *frame,
            ladder: Ladder::new(ceiling),
            last: depth.centre(),
            depth,
            ambient: [NONE; 2],
        };
        for maker in [Side::Buy, Side::Sell] {
            book.look(maker);
        }
        book
    }

    /// Ambient quantity within so many basis points of the anchor on one side of the book, as it
    /// stands now.
    pub fn ambient_within(&self, maker: Side, bps: f64) -> Lots {
        self.depth.within(maker, bps)
    }

    /// Explicit and ambient quantity within so many basis points of the anchor on one side of the
    /// book, as it stands now.
    pub fn depth_within(&self, maker: Side, bps: f64) -> Lots {
        let away = self.depth.anchor() * bps / 10_000.0;
        let limit = match maker {
            Side::Buy => (self.depth.anchor() - away).ceil(),
            Side::Sell => (self.depth.anchor() + away).floor(),
        };
        self.depth(maker.opposite(), Ticks(limit as i64))
    }

    /// Quantity of the traders' own orders that rests at a price.
    pub fn resting_at(&self, price: Ticks) -> Lots {
        if self.frame.holds(price) {
            let at = |maker| {
                let rung = self.ladder.rung(maker, price.0 as u32);
                self.ladder.total(maker, rung)
            };
            Lots(at(Side::Buy) + at(Side::Sell))
        } else {
            Lots::ZERO
        }
    }

    /// The better of the best resting order and the best ambient level.
    #[inline]
    fn best(&self, maker: Side) -> Option<u32> {
        let front = self.front(maker);
        (front != NONE).then(|| self.ladder.rung(maker, front))
    }

    /// Trades away resting orders that the ambient depth of the other side now crosses.
    fn uncross(&mut self, fills: &mut Vec<Fill>) {
        for maker in [Side::Buy, Side::Sell] {
            let taker = Taker {
                owner: AccountId::BACKGROUND,
                side: maker.opposite(),
                contract: self.frame.contract,
            };
            loop {
                let front = self.ladder.front(maker);
                if front == NONE {
                    break;
                }
                let price = self.ladder.rung(maker, front);
                let total = self.ladder.total(maker, front);
                let crossing = self.depth.take(taker.side, total, price, &taker.contract);
                if crossing.quantity == 0 {
                    break;
                }
                self.ladder.sweep(&taker, crossing.quantity, front, fills);
                self.last = Ticks(i64::from(price));
            }
        }
    }

    /// Notes the best ambient level of a side, after the depth has changed there.
    fn look(&mut self, maker: Side) {
        self.ambient[maker.index()] = match self.depth.best(maker) {
            Some(tick) => self.ladder.rung(maker, tick),
            None => NONE,
        };
    }

    /// Rung of the best price of a side, ambient depth included.
    #[inline]
    fn front(&self, maker: Side) -> u32 {
        self.ladder.front(maker).min(self.ambient[maker.index()])
    }

    /// Trades up to and including the rung `end`. Apart from [`Venue::submit`], because most orders
    /// come to rest and needn't pay for it.
    #[inline(never)]
    fn take(
        &mut self,
        owner: AccountId,
        side: Side,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        let taker = Taker {
            owner,
            side,
            contract: self.frame.contract,
        };
        let maker = side.opposite();
        let mut all = Sweep::default();
        loop {
            let explicit = self.ladder.front(maker);
            let ambient = self.ambient[maker.index()];
            let left = wanted - all.quantity;
            if left == 0 || explicit.min(ambient) > end {
                break;
            }
            let sweep = if explicit <= ambient {
                self.ladder.sweep(&taker, left, end.min(ambient), fills)
            } else {
                // Up to, but not including, the next explicit order: that comes first at its price.
                self.sweep_ambient(&taker, left, end.min(explicit - 1), fills)
            };
            all.add(&sweep);
        }
        if all.last != 0 {
            self.last = Ticks(i64::from(all.last));
        }
        all
    }

    /// Trades with the ambient depth up to and including the rung `end`.
    fn sweep_ambient(
        &mut self,
        taker: &Taker,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        let maker = taker.side.opposite();
        let end = self.ladder.rung(maker, end);
        let run = self.depth.take(maker, wanted, end, &taker.contract);
        self.look(maker);
        let value = taker
            .contract
            .run(run.moment)
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

    #[inline]
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
        self.depth.open(conditions);
        self.uncross(fills);
        self.look(Side::Buy);
        self.look(Side::Sell);
    }

    // Into its caller, where that knows the book's type: an order's standing is nearly always a
    // constant there, and the half of the checks that asks for it goes away. What trades is apart.
    #[inline(always)]
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
        let end = self.ladder.rung(maker, limit);
        let mut left = order.quantity.0;
        if self.front(maker) <= end {
            if order.standing == Standing::PostOnly {
                execution.refused = Some(Refusal::WouldTrade);
                return execution;
            }
            let sweep = self.take(order.owner, order.side, left, end, fills);
            left -= sweep.quantity;
            execution.filled = Lots(sweep.quantity);
            execution.value = sweep.value;
            execution.prices = sweep.prices();
        }
        if left > 0 && order.standing != Standing::Immediate {
            let rung = self.ladder.rung(order.side, limit);
            execution.resting = Some(self.ladder.rest(order.owner, order.side, left, rung));
        }
        execution
    }

    #[inline]
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
        let mut lots = [Lots::ZERO];
        self.depths(side, &[limit], &mut lots);
        lots[0]
    }

    fn depths(&self, side: Side, limits: &[Ticks], out: &mut [Lots]) {
        let (maker, top) = (side.opposite(), self.frame.top());
        let tick_of = |limit: &Ticks| limit.0.clamp(1, top) as u32;
        out.fill(Lots::ZERO);
        self.ladder.add_resting(maker, limits, tick_of, out);
        (self.depth).subtract_holes(maker, limits, tick_of, out);
        let mut so_far = Lots::ZERO;
        for (out, limit) in out.iter_mut().zip(limits) {
            so_far += *out;
            *out = match side {
                Side::Buy if limit.0 < 1 => Lots::ZERO,
                Side::Sell if limit.0 > top => Lots::ZERO,
                _ => so_far + Lots(self.depth.curve_to(maker, tick_of(limit))),
            };
        }
    }
}
