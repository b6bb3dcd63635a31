//! Explicit orders: a queue per tick, first come first served.
//!
//! Queues are linked both ways, so a cancel takes its order out wherever in the queue it stood and
//! its place in the store is free at once. Bids and asks share the levels: as long as the book isn't
//! crossed, every occupied level up to the best bid is a bid, and every other an ask.
//!
//! What decides the speed of a book is branches that nobody can predict, and on which side an
//! order stands is the first of them. So prices are compared by a key that is better when smaller on
//! both sides, and a queue's ends are updated by selection: slot 0 of the store, nobody's, takes the
//! links of those without a neighbour.
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

/// Slot 0 of the store is nobody's, so that an all-zero level is an empty one. Its links are
/// written and never read.
const NOBODY: u32 = 0;

/// The key of no price at all: worse than every other.
pub(super) const NONE: u32 = u32::MAX;

/// A price as a maker's key: the smaller, the better for the taker. Its own inverse. No price of a
/// ladder has the key [`NONE`], because a ladder ends before 2³² − 1 and zero isn't a price.
#[inline]
pub(super) fn key(maker: Side, tick: u32) -> u32 {
    tick ^ (maker.index() as u32).wrapping_sub(1)
}

/// Two to a cache line, none across two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Resting {
    /// What is left; zero while nobody uses the place.
    quantity: i64,
    owner: AccountId,
    tick: u32,
    /// The order behind, or the next free place.
    next: u32,
    /// The order before.
    prev: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    total: i64,
    head: u32,
    tail: u32,
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

/// The explicit orders of one market.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    orders: Vec<Resting>,
    free: u32,
    levels: Sparse<Level>,
    /// Keys of the best bid and the best ask.
    best: [u32; 2],
}

impl Ladder {
    pub(super) fn new(ceiling: u32) -> Self {
        let nobody = Resting {
            quantity: 0,
            owner: AccountId::BACKGROUND,
            tick: 0,
            next: NOBODY,
            prev: NOBODY,
            generation: 0,
        };
        Self {
            orders: vec![nobody],
            free: NOBODY,
            levels: Sparse::new(ceiling as usize),
            best: [NONE; 2],
        }
    }

    /// Key of the best price of a side's resting orders.
    #[inline]
    pub(super) fn front(&self, maker: Side) -> u32 {
        self.best[maker.index()]
    }

    /// Best price of a side's resting orders.
    #[inline]
    pub(super) fn best(&self, maker: Side) -> Option<u32> {
        let front = self.front(maker);
        (front != NONE).then(|| key(maker, front))
    }

    /// Quantity that rests at a tick.
    #[inline]
    pub(super) fn total(&self, tick: u32) -> i64 {
        self.levels.cell(tick).total
    }

    /// Quantity of a side's resting orders from its best price to `limit`.
    pub(super) fn depth(&self, maker: Side, limit: u32) -> i64 {
        let mut sum = 0;
        let mut at = self.best(maker);
        while let Some(tick) = at {
            if key(maker, tick) > key(maker, limit) {
                break;
            }
            sum += self.total(tick);
            at = self.beyond(maker, tick);
        }
        sum
    }

    /// The next occupied level away from the other side.
    #[inline]
    fn beyond(&self, maker: Side, tick: u32) -> Option<u32> {
        match maker {
            Side::Buy => self.levels.prev(tick - 1),
            Side::Sell => self.levels.next(tick + 1),
        }
    }

    /// Moves a side's best price on from a level that has emptied.
    #[inline]
    fn advance(&mut self, maker: Side, tick: u32) {
        self.best[maker.index()] = match self.beyond(maker, tick) {
            Some(tick) => key(maker, tick),
            None => NONE,
        };
    }

    /// Puts an order at the end of its queue.
    #[inline]
    pub(super) fn rest(
        &mut self,
        owner: AccountId,
        side: Side,
        quantity: i64,
        tick: u32,
    ) -> OrderId {
        if self.free == NOBODY {
            self.grow();
        }
        let slot = self.free;
        let level = self.levels.cell_mut(tick);
        level.total += quantity;
        let before = std::mem::replace(&mut level.tail, slot);
        level.head = select_unpredictable(before == NOBODY, slot, level.head);
        self.orders[before as usize].next = slot;
        let order = &mut self.orders[slot as usize];
        self.free = order.next;
        let generation = order.generation.wrapping_add(1);
        *order = Resting {
            quantity,
            owner,
            tick,
            next: NOBODY,
            prev: before,
            generation,
        };
        // Nothing new where the level is already occupied, but doing it is cheaper than asking.
        self.levels.set(tick, true);
        let best = &mut self.best[side.index()];
        *best = key(side, tick).min(*best);
        OrderId { slot, generation }
    }

    /// Makes room for another order.
    #[cold]
    fn grow(&mut self) {
        self.free = u32::try_from(self.orders.len()).expect("fewer than 2³² resting orders");
        let nobody = self.orders[NOBODY as usize];
        self.orders.push(Resting {
            next: NOBODY,
            // The first use counts as zero.
            generation: u32::MAX,
            ..nobody
        });
    }

    /// What is left of an order.
    #[inline]
    pub(super) fn remaining(&self, id: OrderId) -> i64 {
        match self.orders.get(id.slot as usize) {
            Some(order) if order.generation == id.generation => order.quantity,
            _ => 0,
        }
    }

    /// Withdraws an order.
    #[inline]
    pub(super) fn cancel(&mut self, id: OrderId) -> i64 {
        let quantity = self.remaining(id);
        if quantity != 0 {
            self.withdraw(id.slot);
        }
        quantity
    }

    /// Takes an order out of its queue and frees its place.
    #[inline]
    fn withdraw(&mut self, slot: u32) {
        let order = &mut self.orders[slot as usize];
        let Resting {
            tick, next, prev, ..
        } = *order;
        let quantity = std::mem::take(&mut order.quantity);
        order.next = self.free;
        self.free = slot;
        self.orders[prev as usize].next = next;
        self.orders[next as usize].prev = prev;
        let level = self.levels.cell_mut(tick);
        level.total -= quantity;
        level.head = select_unpredictable(prev == NOBODY, next, level.head);
        level.tail = select_unpredictable(next == NOBODY, prev, level.tail);
        let emptied = level.total == 0;
        self.levels.set(tick, !emptied);
        if emptied {
            for maker in [Side::Buy, Side::Sell] {
                if key(maker, tick) == self.front(maker) {
                    self.advance(maker, tick);
                }
            }
        }
    }

    /// Reduces an order in its place.
    pub(super) fn reduce(&mut self, id: OrderId, quantity: i64) -> bool {
        let now = self.remaining(id);
        if quantity <= 0 || quantity >= now {
            return false;
        }
        let order = &mut self.orders[id.slot as usize];
        order.quantity = quantity;
        self.levels.cell_mut(order.tick).total -= now - quantity;
        true
    }

    /// Trades with a side's queues in order of price, up to the price with the key `end`, which
    /// isn't [`NONE`]. The taker's own orders are cancelled where they stand in the way.
    #[inline]
    pub(super) fn sweep(
        &mut self,
        taker: &Taker,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        // One branch here, so that the loops know their side.
        match taker.side {
            Side::Buy => self.sweep_side(Side::Sell, taker, wanted, end, fills),
            Side::Sell => self.sweep_side(Side::Buy, taker, wanted, end, fills),
        }
    }

    #[inline(always)]
    fn sweep_side(
        &mut self,
        maker: Side,
        taker: &Taker,
        wanted: i64,
        end: u32,
        fills: &mut Vec<Fill>,
    ) -> Sweep {
        let mut sweep = Sweep::default();
        let mut left = wanted;
        while left > 0 && self.front(maker) <= end {
            let tick = key(maker, self.front(maker));
            let price = Ticks(i64::from(tick));
            let level = self.levels.cell_mut(tick);
            let first = level.head;
            let (mut at, mut done) = (first, NOBODY);
            let before = left;
            let mut own = 0;
            while left > 0 && at != NOBODY {
                let order = &mut self.orders[at as usize];
                if order.owner == taker.owner {
                    own += std::mem::take(&mut order.quantity);
                } else {
                    let traded = left.min(order.quantity);
                    let quantity = Lots(traded);
                    let value = taker.contract.value(quantity, price);
                    fills.push(Fill {
                        taker: taker.owner,
                        maker: order.owner,
                        side: maker.opposite(),
                        quantity,
                        value,
                        price,
                    });
                    sweep.value += value;
                    left -= traded;
                    order.quantity -= traded;
                    if order.quantity > 0 {
                        break;
                    }
                }
                done = at;
                at = order.next;
            }
            level.total -= before - left + own;
            if left < before {
                sweep.first = if sweep.first == 0 { tick } else { sweep.first };
                sweep.last = tick;
            }
            if done != NOBODY {
                // What was used up goes back to the free list as one chain.
                level.head = at;
                self.orders[at as usize].prev = NOBODY;
                self.orders[done as usize].next = self.free;
                self.free = first;
            }
            if at == NOBODY {
                level.tail = NOBODY;
                self.levels.set(tick, false);
                self.advance(maker, tick);
            }
        }
        sweep.quantity = wanted - left;
        sweep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: AccountId = AccountId(7);

    fn audit(ladder: &Ladder, ceiling: u32) {
        let mut in_use = 0;
        for tick in 1..ceiling {
            let level = ladder.levels.cell(tick);
            let (mut total, mut before, mut at) = (0, NOBODY, level.head);
            while at != NOBODY {
                let order = ladder.orders[at as usize];
                assert_eq!((order.tick, order.prev), (tick, before));
                assert!(order.quantity > 0);
                total += order.quantity;
                in_use += 1;
                (before, at) = (at, order.next);
            }
            assert_eq!((total, before), (level.total, level.tail));
            assert_eq!(ladder.levels.next(tick) == Some(tick), total > 0);
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
                let best = ladder.best(Side::Buy).unwrap();
                let end = key(Side::Buy, best);
                ladder.sweep(&taker, i64::from(round % 11), end, &mut fills);
            }
            audit(&ladder, 64);
            let highest = (1..64).rev().find(|tick| ladder.total(*tick) > 0);
            assert_eq!(ladder.best(Side::Buy), highest);
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
