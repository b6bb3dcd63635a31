//! Explicit orders: a queue per tick, first come first served.
//!
//! A cancelled order stays in its queue as a dead entry and is reclaimed when it reaches the head,
//! when its level empties (the whole chain goes back to the free list at once), or when the dead
//! outnumber the living too far. So a cancel touches one order and one level, wherever in the queue
//! the order stood. Bids and asks share the levels: as long as the book isn't crossed, every
//! occupied level up to the best bid is a bid, and every other an ask.
//!
//! # Invariants
//!
//! - `a_level_holds_what_its_queue_holds`: a level's total is the sum over its queue, and a level
//!   is marked exactly while its total is positive.

use crate::market::contract::Contract;
use crate::market::order::{Fill, OrderId};
use crate::market::sparse::Sparse;
use crate::unit::{AccountId, Lots, Side, Ticks};

/// Slot 0 of the store is nobody's, so that an all-zero level is an empty one.
const NOBODY: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Resting {
    /// What is left; zero once cancelled.
    quantity: i64,
    owner: AccountId,
    tick: u32,
    next: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    total: i64,
    head: u32,
    tail: u32,
    live: u32,
    dead: u32,
}

/// An incoming order as one level sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    pub(super) owner: AccountId,
    pub(super) side: Side,
    pub(super) contract: Contract,
}

/// The explicit orders of one market.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    orders: Vec<Resting>,
    free: u32,
    levels: Sparse<Level>,
    /// 0 while there is no bid.
    bid: u32,
    /// `ceiling` while there is no ask.
    ask: u32,
    ceiling: u32,
}

impl Ladder {
    pub(super) fn new(ceiling: u32) -> Self {
        let nobody = Resting {
            quantity: 0,
            owner: AccountId::BACKGROUND,
            tick: 0,
            next: NOBODY,
            generation: 0,
        };
        Self {
            orders: vec![nobody],
            free: NOBODY,
            levels: Sparse::new(ceiling as usize),
            bid: 0,
            ask: ceiling,
            ceiling,
        }
    }

    /// Best price of a side's resting orders.
    #[inline]
    pub(super) fn best(&self, maker: Side) -> Option<u32> {
        match maker {
            Side::Buy => (self.bid != 0).then_some(self.bid),
            Side::Sell => (self.ask != self.ceiling).then_some(self.ask),
        }
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
            match maker {
                Side::Buy if tick < limit => break,
                Side::Sell if tick > limit => break,
                _ => {}
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

    /// Puts an order at the end of its queue.
    #[inline]
    pub(super) fn rest(
        &mut self,
        owner: AccountId,
        side: Side,
        quantity: i64,
        tick: u32,
    ) -> OrderId {
        let slot = if self.free == NOBODY {
            let slot = u32::try_from(self.orders.len()).expect("fewer than 2³² resting orders");
            self.orders.push(Resting {
                quantity,
                owner,
                tick,
                next: NOBODY,
                generation: 0,
            });
            slot
        } else {
            let slot = self.free;
            let order = &mut self.orders[slot as usize];
            self.free = order.next;
            *order = Resting {
                quantity,
                owner,
                tick,
                next: NOBODY,
                generation: order.generation.wrapping_add(1),
            };
            slot
        };
        let level = self.levels.cell_mut(tick);
        level.total += quantity;
        level.live += 1;
        let before = std::mem::replace(&mut level.tail, slot);
        if before == NOBODY {
            level.head = slot;
            self.levels.mark(tick);
            match side {
                Side::Buy => self.bid = self.bid.max(tick),
                Side::Sell => self.ask = self.ask.min(tick),
            }
        } else {
            self.orders[before as usize].next = slot;
        }
        OrderId {
            slot,
            generation: self.orders[slot as usize].generation,
        }
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
        let Some(order) = self.orders.get_mut(id.slot as usize) else {
            return 0;
        };
        if order.generation != id.generation || order.quantity == 0 {
            return 0;
        }
        let quantity = std::mem::take(&mut order.quantity);
        let tick = order.tick;
        let level = self.levels.cell_mut(tick);
        level.total -= quantity;
        level.live -= 1;
        level.dead += 1;
        if level.live == 0 {
            self.empty(tick);
        } else if level.dead > 2 * level.live + 16 {
            self.compact(tick);
        }
        quantity
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

    /// Trades with the queue of one level; how much traded. The taker's own orders are cancelled
    /// where they stand in the way.
    #[inline]
    pub(super) fn take(
        &mut self,
        tick: u32,
        wanted: i64,
        taker: &Taker,
        fills: &mut Vec<Fill>,
    ) -> i64 {
        let price = Ticks(i64::from(tick));
        let level = self.levels.cell_mut(tick);
        let first = level.head;
        let mut done = NOBODY;
        let mut left = wanted;
        while left > 0 && level.live > 0 {
            let order = &mut self.orders[level.head as usize];
            if order.quantity == 0 {
                level.dead -= 1;
            } else if order.owner == taker.owner {
                level.total -= std::mem::take(&mut order.quantity);
                level.live -= 1;
            } else {
                let traded = left.min(order.quantity);
                let quantity = Lots(traded);
                fills.push(Fill {
                    taker: taker.owner,
                    maker: order.owner,
                    side: taker.side,
                    quantity,
                    value: taker.contract.value(quantity, price),
                    price,
                });
                left -= traded;
                level.total -= traded;
                order.quantity -= traded;
                if order.quantity > 0 {
                    break;
                }
                level.live -= 1;
            }
            done = level.head;
            level.head = order.next;
        }
        let emptied = level.live == 0;
        if done != NOBODY {
            // What was passed over goes back to the free list as one chain; an emptied level
            // gives back what follows as well.
            let chain_end = if emptied { level.tail } else { done };
            self.orders[chain_end as usize].next = self.free;
            self.free = first;
            if emptied {
                *level = Level::default();
                self.vacate(tick);
            }
        }
        wanted - left
    }

    /// Gives the queue of a level without living orders back to the free list.
    #[inline]
    fn empty(&mut self, tick: u32) {
        let level = std::mem::take(self.levels.cell_mut(tick));
        self.orders[level.tail as usize].next = self.free;
        self.free = level.head;
        self.vacate(tick);
    }

    #[inline]
    fn vacate(&mut self, tick: u32) {
        self.levels.unmark(tick);
        if tick == self.bid {
            self.bid = self.beyond(Side::Buy, tick).unwrap_or(0);
        } else if tick == self.ask {
            self.ask = self.beyond(Side::Sell, tick).unwrap_or(self.ceiling);
        }
    }

    /// Takes the dead entries out of a queue.
    #[cold]
    fn compact(&mut self, tick: u32) {
        let level = self.levels.cell_mut(tick);
        let mut at = std::mem::take(&mut level.head);
        let mut last = NOBODY;
        while at != NOBODY {
            let order = self.orders[at as usize];
            if order.quantity == 0 {
                self.orders[at as usize].next = self.free;
                self.free = at;
            } else {
                if last == NOBODY {
                    level.head = at;
                } else {
                    self.orders[last as usize].next = at;
                }
                last = at;
            }
            at = order.next;
        }
        self.orders[last as usize].next = NOBODY;
        level.tail = last;
        level.dead = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: AccountId = AccountId(7);

    fn audit(ladder: &Ladder) {
        let mut in_use = 0;
        for tick in 1..ladder.ceiling {
            let level = ladder.levels.cell(tick);
            let (mut total, mut live, mut dead, mut at) = (0, 0, 0, level.head);
            while at != NOBODY {
                let order = ladder.orders[at as usize];
                assert_eq!(order.tick, tick);
                total += order.quantity;
                live += u32::from(order.quantity > 0);
                dead += u32::from(order.quantity == 0);
                in_use += 1;
                at = if at == level.tail { NOBODY } else { order.next };
            }
            assert_eq!((total, live, dead), (level.total, level.live, level.dead));
            assert_eq!(ladder.levels.next(tick) == Some(tick), total > 0);
        }
        let mut at = ladder.free;
        while at != NOBODY {
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
                ladder.take(best, i64::from(round % 11), &taker, &mut fills);
            }
            audit(&ladder);
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
        audit(&ladder);
        assert!(ladder.orders.len() < 40);
        assert_eq!(ladder.remaining(stays), 3);
    }
}
