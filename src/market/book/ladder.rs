//! Explicit orders: a queue per tick, first come first served.
//!
//! Queues are linked both ways, so a cancel takes its order out wherever in the queue it stood and
//! its place in the store is free at once.
//!
//! What decides the speed of a book is branches that nobody can predict, and on which side an
//! order stands is the first of them. So each side counts its levels in rungs, where the smaller is
//! the better for the taker on both sides: an ask's rung is its price, a bid's is its distance from the
//! ladder's end. Nothing that follows has to ask for the side. For the same reason a queue's ends are
//! updated by selection: slot 0 of the store, nobody's, takes the links of those without a neighbour.
//!
//! # Invariants
//!
//! - `a_level_holds_what_its_queue_holds`: a level's total is the sum over its queue, and a level
//!   is marked exactly while its total is positive.

use crate::market::contract::Contract;
use crate::market::order::{Fill, OrderId};
use crate::market::sparse::Sparse;
use crate::unit::{AccountId, Cash, Lots, Side, Ticks};
use std::hint::select_unpredictable;
use std::num::NonZeroU32;

/// Slot 0 of the store is nobody's, so that an all-zero level is an empty one. Its links are
/// written and never read.
const NOBODY: u32 = 0;

/// The rung of no price at all: worse than every other. A ladder ends before 2³² − 1.
pub(super) const NONE: u32 = u32::MAX;

/// Two to a cache line, none across two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Resting {
    /// What is left; zero while nobody uses the place.
    quantity: i64,
    owner: AccountId,
    rung: u32,
    /// The order behind, or the next free place.
    next: u32,
    /// The order before.
    prev: u32,
    generation: u32,
    side: Side,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    total: i64,
    head: u32,
    tail: u32,
}

/// The orders of one side.
#[derive(Clone, Debug)]
struct Flank {
    /// By rung.
    levels: Sparse<Level>,
    /// The best occupied rung.
    front: u32,
}

/// An incoming order as the queues see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    pub(super) owner: AccountId,
    pub(super) side: Side,
    pub(super) contract: Contract,
}

/// What an incoming order traded; prices are zero where it was nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sweep {
    pub(super) quantity: i64,
    pub(super) value: Cash,
    /// Price of the first trade and of the last.
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Sweep {
    /// Adds what was traded after it.
    #[inline]
    pub(super) fn add(&mut self, next: &Self) {
        self.quantity += next.quantity;
        self.value += next.value;
        if self.first == 0 {
            self.first = next.first;
        }
        if next.last != 0 {
            self.last = next.last;
        }
    }

    /// Price of the first trade and of the last.
    #[inline]
    pub(super) fn prices(&self) -> Option<(Ticks, Ticks)> {
        let price = |tick| Ticks(i64::from(tick));
        (self.last != 0).then(|| (price(self.first), price(self.last)))
    }
}

/// The explicit orders of one market.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    orders: Vec<Resting>,
    free: u32,
    flanks: [Flank; 2],
    ceiling: u32,
}

impl Ladder {
    pub(super) fn new(ceiling: u32) -> Self {
        let nobody = Resting {
            quantity: 0,
            owner: AccountId::BACKGROUND,
            rung: 0,
            next: NOBODY,
            prev: NOBODY,
            generation: 0,
            side: Side::Buy,
        };
        let flank = Flank {
            levels: Sparse::new(ceiling as usize),
            front: NONE,
        };
        Self {
            orders: vec![nobody],
            free: NOBODY,
            flanks: [flank.clone(), flank],
            ceiling,
        }
    }

    /// The rung of a price on the ladder, or the price of a rung.
    #[inline]
    pub(super) fn rung(&self, maker: Side, tick: u32) -> u32 {
        match maker {
            Side::Buy => self.ceiling.wrapping_sub(tick),
            Side::Sell => tick,
        }
    }

    /// Rung of the best of a side's resting orders.
    #[inline]
    pub(super) fn front(&self, maker: Side) -> u32 {
        self.flanks[maker.index()].front
    }

    /// Quantity that rests on a rung.
    #[inline]
    pub(super) fn total(&self, maker: Side, rung: u32) -> i64 {
        self.flanks[maker.index()].levels.cell(rung).total
    }

    /// Adds a side's resting orders to `lots`, each where the first of the limits is that reaches it; they go outward.
    pub(super) fn add_resting<T>(
        &self,
        maker: Side,
        limits: &[T],
        tick_of: impl Fn(&T) -> u32,
        lots: &mut [Lots],
    ) {
        let rung_of = |limit: &T| self.rung(maker, tick_of(limit));
        let Some(farthest) = limits.last().map(rung_of) else {
            return;
        };
        let levels = &self.flanks[maker.index()].levels;
        let mut at = levels.next(0);
        while let Some(rung) = at.filter(|rung| *rung <= farthest) {
            let place = limits.partition_point(|limit| rung_of(limit) < rung);
            lots[place] += Lots(levels.cell(rung).total);
            at = levels.next(rung + 1);
        }
    }

    /// Puts an order at the end of its queue.
    // The most frequent thing that a book does.
    #[inline(always)]
    pub(super) fn rest(
        &mut self,
        owner: AccountId,
        side: Side,
        quantity: i64,
        rung: u32,
    ) -> OrderId {
        let slot = match NonZeroU32::new(self.free) {
            Some(slot) => slot,
            None => self.grow(),
        };
        let place = slot.get();
        let flank = &mut self.flanks[side.index()];
        flank.front = flank.front.min(rung);
        let level = flank.levels.cell_mut(rung);
        level.total += quantity;
        let before = std::mem::replace(&mut level.tail, place);
        level.head = select_unpredictable(before == NOBODY, place, level.head);
        // Nothing new where the level is already occupied, but doing it is cheaper than asking.
        flank.levels.mark(rung);
        self.orders[before as usize].next = place;
        let order = &mut self.orders[place as usize];
        self.free = order.next;
        let generation = order.generation.wrapping_add(1);
        *order = Resting {
            quantity,
            owner,
            rung,
            next: NOBODY,
            prev: before,
            generation,
            side,
        };
        OrderId { slot, generation }
    }

    /// Makes room for another order.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> NonZeroU32 {
        let place = u32::try_from(self.orders.len()).ok();
        let slot = place
            .and_then(NonZeroU32::new)
            .expect("fewer than 2³² resting orders");
        let nobody = self.orders[NOBODY as usize];
        self.orders.push(Resting {
            next: NOBODY,
            // The first use counts as zero.
            generation: u32::MAX,
            ..nobody
        });
        slot
    }

    /// What is left of an order.
    #[inline]
    pub(super) fn remaining(&self, id: OrderId) -> i64 {
        match self.orders.get(id.slot.get() as usize) {
            Some(order) => {
                select_unpredictable(order.generation == id.generation, order.quantity, 0)
            }
            None => 0,
        }
    }

    /// Withdraws an order.
    #[inline]
    pub(super) fn cancel(&mut self, id: OrderId) -> i64 {
        let quantity = self.remaining(id);
        if quantity != 0 {
            self.withdraw(id.slot.get());
        }
        quantity
    }

    /// Takes an order out of its queue and frees its place.
    #[inline]
    fn withdraw(&mut self, slot: u32) {
        let order = &mut self.orders[slot as usize];
        let Resting {
            rung,
            next,
            prev,
            side,
            ..
        } = *order;
        let quantity = std::mem::take(&mut order.quantity);
        order.next = self.free;
        self.free = slot;
        self.orders[prev as usize].next = next;
        self.orders[next as usize].prev = prev;
        let flank = &mut self.flanks[side.index()];
        let level = flank.levels.cell_mut(rung);
        level.total -= quantity;
        level.head = select_unpredictable(prev == NOBODY, next, level.head);
        level.tail = select_unpredictable(next == NOBODY, prev, level.tail);
        let emptied = level.total == 0;
        flank.levels.unmark(rung, !emptied);
        // One branch, nearly always the same: many cancels empty a level, few the best one.
        if emptied & (rung == flank.front) {
            flank.front = flank.levels.pass(rung).unwrap_or(NONE);
        }
    }

    /// Reduces an order in its place.
    pub(super) fn reduce(&mut self, id: OrderId, quantity: i64) -> bool {
        let now = self.remaining(id);
        if quantity <= 0 || quantity >= now {
            return false;
        }
        let order = &mut self.orders[id.slot.get() as usize];
        order.quantity = quantity;
        let levels = &mut self.flanks[order.side.index()].levels;
        levels.cell_mut(order.rung).total -= now - quantity;
        true
    }

    /// Trades with a side's queues in order of price, up to the rung `end`, which isn't [`NONE`].
    /// The taker's own orders are cancelled where they stand in the way.
    pub(super) fn sweep(
        &mut self,
        taker: &Taker,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        let maker = taker.side.opposite();
        let start = fills.len();
        let mut value = Cash::ZERO;
        let mut left = wanted;
        let mut rung = self.front(maker);
        while left > 0 && rung <= end {
            let price = Ticks(i64::from(self.rung(maker, rung)));
            let flank = &mut self.flanks[maker.index()];
            let level = flank.levels.cell_mut(rung);
            let first = level.head;
            let mut at = first;
            let before = left;
            loop {
                let order = &mut self.orders[at as usize];
                let there = order.quantity;
                if order.owner == taker.owner {
                    level.total -= there;
                } else {
                    let quantity = Lots(left.min(there));
                    let cost = taker.contract.value(quantity, price);
                    fills.push(Fill {
                        taker: taker.owner,
                        maker: order.owner,
                        side: taker.side,
                        quantity,
                        value: cost,
                        price,
                    });
                    value += cost;
                    if left < there {
                        order.quantity = there - left;
                        left = 0;
                        break;
                    }
                    left -= there;
                }
                order.quantity = 0;
                at = order.next;
                if at == NOBODY || left == 0 {
                    break;
                }
            }
            // What was used up goes back to the free list as one chain.
            if at == NOBODY {
                self.orders[level.tail as usize].next = self.free;
                self.free = first;
                *level = Level::default();
                rung = flank.levels.pass(rung).unwrap_or(NONE);
                flank.front = rung;
                continue;
            }
            level.total -= before - left;
            if at != first {
                level.head = at;
                let done = std::mem::replace(&mut self.orders[at as usize].prev, NOBODY);
                self.orders[done as usize].next = self.free;
                self.free = first;
            }
        }
        let mut sweep = Sweep {
            quantity: wanted - left,
            value,
            ..Sweep::default()
        };
        if let (Some(first), Some(last)) = (fills.get(start), fills.last()) {
            (sweep.first, sweep.last) = (first.price.0 as u32, last.price.0 as u32);
        }
        sweep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: AccountId = AccountId(7);

    fn audit(ladder: &Ladder, ceiling: u32) {
        let mut in_use = 0;
        let rungs = (1..ceiling).flat_map(|rung| [(Side::Buy, rung), (Side::Sell, rung)]);
        for (side, rung) in rungs {
            let levels = &ladder.flanks[side.index()].levels;
            let level = levels.cell(rung);
            let (mut total, mut before, mut at) = (0, NOBODY, level.head);
            while at != NOBODY {
                let order = ladder.orders[at as usize];
                assert_eq!((order.side, order.rung), (side, rung));
                assert_eq!(order.prev, before);
                assert!(order.quantity > 0);
                total += order.quantity;
                in_use += 1;
                (before, at) = (at, order.next);
            }
            assert_eq!((total, before), (level.total, level.tail));
            assert_eq!(levels.next(rung) == Some(rung), total > 0);
        }
        for flank in &ladder.flanks {
            assert_eq!(flank.levels.next(0).unwrap_or(NONE), flank.front);
        }
        let mut at = ladder.free;
        while at != NOBODY {
            assert_eq!(ladder.orders[at as usize].quantity, 0);
            in_use += 1;
            at = ladder.orders[at as usize].next;
        }
        assert_eq!(in_use + 1, ladder.orders.len(), "no order is lost");
    }

    #[test]
    fn a_level_holds_what_its_queue_holds() {
        let mut ladder = Ladder::new(64);
        let taker = Taker {
            owner: ME,
            side: Side::Sell,
            contract: Contract::linear(1),
        };
        let mut fills = Vec::new();
        let mut ids = Vec::new();
        for round in 0..400u32 {
            let owner = if round % 9 == 0 {
                ME
            } else {
                AccountId(10 + round)
            };
            ids.push(ladder.rest(owner, Side::Buy, i64::from(1 + round % 5), 10 + round % 3));
            if round % 2 == 1 {
                ladder.cancel(ids[(round / 2) as usize]);
            }
            if round % 7 == 0 {
                let end = ladder.front(Side::Buy);
                ladder.sweep(&taker, i64::from(round % 11), end, &mut fills);
            }
            audit(&ladder, 64);
        }
        assert!(fills.iter().all(|fill| fill.maker != ME));
    }

    #[test]
    fn the_dead_do_not_pile_up() {
        let mut ladder = Ladder::new(16);
        let stays = ladder.rest(ME, Side::Sell, 3, 5);
        for _ in 0..10_000 {
            let id = ladder.rest(ME, Side::Sell, 1, 5);
            assert_eq!(ladder.cancel(id), 1);
        }
        audit(&ladder, 16);
        assert!(ladder.orders.len() < 40);
        assert_eq!(ladder.remaining(stays), 3);
    }
}
