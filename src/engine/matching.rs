//! Phase 7, matching: this step's orders, in a seeded random order shifted by latency, meet the book.
//!
//! Every order's fills go to the ledger before the next order is matched, so that a forced order
//! never closes more than is held and a trader's order is checked against what it has.

use super::event::EventKind;
use super::trace::Cause;
use super::world::{Origin, Pending, Resting, World};
use crate::account::State;
use crate::liquidation::Terms;
use crate::market::{Execution, Fill, Order};
use crate::trader::Intent;
use crate::unit::{AccountId, Cash, CohortId, Lots, MarketId, Side, Ticks};

impl World {
    /// Phase 7; how many forced orders traded.
    pub(super) fn match_orders(&mut self) -> usize {
        let end = f64::from(self.step) + 1.0;
        self.inbox.sort_unstable_by(|a, b| {
            a.at.total_cmp(&b.at)
                .then(a.origin.cmp(&b.origin))
                .then(a.sequence.cmp(&b.sequence))
        });
        let count = self.inbox.partition_point(|pending| pending.at < end);
        let mut due = std::mem::take(&mut self.scratch.due);
        due.clear();
        due.extend(self.inbox.drain(..count));
        let mut forced = 0;
        for pending in &due {
            let Some(pending) = self.hold(*pending) else {
                continue;
            };
            match (pending.origin, pending.intent) {
                (
                    Origin::Organic(cohort),
                    Intent::Place {
                        market,
                        order,
                        lifetime,
                    },
                ) => self.place(cohort, market, &order, lifetime),
                (Origin::Organic(cohort), Intent::CancelAll { market, owner }) => {
                    self.withdraw_orders(owner, Some(market));
                    self.trace_move(market, Cause::Cohort(cohort));
                }
                (Origin::Forced(terms), Intent::Place { market, order, .. }) => {
                    forced += usize::from(self.force(market, &order, terms));
                }
                (Origin::Forced(_), Intent::CancelAll { .. }) => {}
            }
        }
        self.scratch.due = due;
        forced
    }

    pub(super) fn place(
        &mut self,
        cohort: CohortId,
        market: MarketId,
        order: &Order,
        lifetime: u32,
    ) {
        let id = order.owner;
        if self.ledger.account(id).state >= State::Liquidating || !self.admits(market, order) {
            self.emit(
                EventKind::Refused,
                Some(id),
                Some(market),
                Lots(order.quantity.0 * order.side.sign()),
                Ticks::ZERO,
                Cash::ZERO,
            );
            return;
        }
        let execution = self.execute(market, order);
        self.trace_move(market, Cause::Cohort(cohort));
        if let Some(resting) = execution.resting {
            let expires = self.step.saturating_add(lifetime);
            let cohort = &mut self.cohorts[cohort.index()];
            cohort.next_expiry = cohort.next_expiry.min(expires);
            cohort.resting.push(Resting {
                owner: id,
                market,
                order: resting,
                side: order.side,
                expires,
            });
        }
    }

    /// Whether a trader may place an order: one that makes the position larger needs initial
    /// margin for all that would then be held, and must keep the position within its market's limit.
    pub(super) fn admits(&self, market: MarketId, order: &Order) -> bool {
        let id = order.owner;
        let Some(slot) = self.ledger.place(id, market) else {
            return false;
        };
        let held = self.ledger.slot(slot).quantity;
        if self.markets[market.index()].spot && !self.can_deliver(market, order) {
            return false;
        }
        if Self::reduces(held, order.quantity, order.side) {
            return true;
        }
        if let Some(most) = self.safety.guards[market.index()].most_open_interest
            && self.ledger.open_interest(market) + order.quantity > most
        {
            return false;
        }
        let after = Lots(held.0 + order.quantity.0 * order.side.sign());
        self.initial(id, Some((market, after)))
            .is_some_and(|required| self.equity(id) >= i128::from(required.0))
    }

    /// Trades a forced order as far as its account is still in liquidation and holds so much; whether it
    /// traded.
    pub(super) fn force(&mut self, market: MarketId, order: &Order, terms: Terms) -> bool {
        let Some(order) = self.closing(market, order) else {
            return false;
        };
        let mark = self.marks[market.index()];
        let execution = match terms {
            Terms::Outside => self.absorb(market, &order, order.limit.unwrap_or(mark)),
            _ if self.absorbs(order.owner) => self.absorb(market, &order, mark),
            Terms::Whole if !self.fills_whole(market, &order) => Execution::default(),
            Terms::Book | Terms::Whole => {
                let done = self.execute(market, &order);
                self.trace_forced(market, order.owner);
                done
            }
        };
        if execution.filled.is_zero() {
            return false;
        }
        self.book_forced(market, &order, &execution);
        true
    }

    /// A forced order as far as it closes something that its account in liquidation, the backstop or a keeper holds.
    pub(super) fn closing(&self, market: MarketId, order: &Order) -> Option<Order> {
        let liquidating = self.ledger.account(order.owner).state == State::Liquidating;
        if !liquidating && !self.ledger.is_house(order.owner) {
            return None;
        }
        let held = self.ledger.position(order.owner, market)?.quantity;
        let closing = if held.0 > 0 { Side::Sell } else { Side::Buy };
        (closing == order.side && !held.is_zero()).then(|| Order {
            quantity: order.quantity.min(held.abs()),
            ..*order
        })
    }

    /// Enters a forced trade in the step's row, tells it, and takes its fee.
    pub(super) fn book_forced(&mut self, market: MarketId, order: &Order, execution: &Execution) {
        let (id, side, mark) = (order.owner, order.side, self.marks[market.index()]);
        let row = &mut self.rows[market.index()];
        match side {
            Side::Sell => {
                row.forced_sold += execution.filled;
                row.forced_sold_value += execution.value.abs();
            }
            Side::Buy => {
                row.forced_bought += execution.filled;
                row.forced_bought_value += execution.value.abs();
            }
        }
        let price = execution.prices.map_or(Ticks::ZERO, |(_, last)| last);
        self.emit(
            EventKind::ForcedTrade,
            Some(id),
            Some(market),
            Lots(execution.filled.0 * side.sign()),
            price,
            execution.value.abs(),
        );
        let worse = execution.value
            - self.markets[market.index()]
                .contract
                .value(execution.filled, mark);
        self.totals.forced_cost += match side {
            Side::Sell => -worse,
            Side::Buy => worse,
        };
        if self.ledger.is_house(id) {
            return;
        }
        let fee = self.forced_fee(market, order, execution);
        let left = Cash::clamped(self.equity(id).max(0));
        let fee = fee.min(left);
        if fee > Cash::ZERO {
            self.fund.receive(&mut self.ledger, id, Some(market), fee);
            self.totals.fund_received += fee;
            self.emit(
                EventKind::FundReceived,
                Some(id),
                Some(market),
                Lots::ZERO,
                Ticks::ZERO,
                fee,
            );
        }
    }

    /// What the liquidation of a fill costs the account, as far as it can pay.
    fn forced_fee(&self, market: MarketId, order: &Order, execution: &Execution) -> Cash {
        let value = execution.value.abs();
        let Some(rate) = self.liquidation.policies[market.index()].surplus_fee() else {
            return self.liquidation.fee.mul_up(value);
        };
        let Some(limit) = order.limit else {
            return Cash::ZERO;
        };
        let contract = &self.markets[market.index()].contract;
        let at_limit = contract.value(execution.filled, limit);
        let surplus = Cash((at_limit.0 - execution.value.0) * order.side.sign());
        rate.mul_up(value).min(surplus).max(Cash::ZERO)
    }

    /// Whether the book could fill all of an order.
    fn fills_whole(&self, market: MarketId, order: &Order) -> bool {
        let order = self.collared(market, order);
        let limit = order.limit.unwrap_or(match order.side {
            Side::Sell => Ticks(1),
            Side::Buy => Ticks::MAX,
        });
        let venue = &self.markets[market.index()].venue;
        venue.depth(order.side, limit) >= order.quantity
    }

    /// Trades an order on the venue and books its fills.
    fn execute(&mut self, market: MarketId, order: &Order) -> Execution {
        let mut fills = std::mem::take(&mut self.scratch.fills);
        fills.clear();
        let allowed = self.collared(market, order);
        let execution = self.markets[market.index()]
            .venue
            .submit(&allowed, &mut fills);
        self.scratch.fills = fills;
        self.book(market);
        self.note_collar(market, order, &execution);
        execution
    }

    /// Trades a forced order with the outside world at one price, where its limit allows.
    fn absorb(&mut self, market: MarketId, order: &Order, price: Ticks) -> Execution {
        let allowed = order.limit.is_none_or(|limit| match order.side {
            Side::Sell => price >= limit,
            Side::Buy => price <= limit,
        });
        if !allowed {
            return Execution::default();
        }
        let value = self.markets[market.index()]
            .contract
            .value(order.quantity, price);
        let fill = Fill {
            taker: order.owner,
            maker: AccountId::OUTSIDE,
            side: order.side,
            quantity: order.quantity,
            value,
            price,
        };
        self.scratch.fills.clear();
        self.scratch.fills.push(fill);
        self.book(market);
        Execution {
            filled: order.quantity,
            value,
            prices: Some((price, price)),
            ..Execution::default()
        }
    }

    /// Enters the fills at hand in the ledger, each side's funding settled first.
    pub(super) fn book(&mut self, market: MarketId) {
        let fills = std::mem::take(&mut self.scratch.fills);
        let m = market.index();
        for fill in &fills {
            for id in [fill.taker, fill.maker] {
                if let Some(slot) = self.ledger.place(id, market) {
                    self.ledger.settle_funding(id, slot, self.funding[m]);
                }
                if !self.ledger.is_house(id) {
                    self.touched.push(id);
                    self.trace_change(id);
                }
            }
            let (taker, maker) = (self.markets[m].taker_fee, self.markets[m].maker_fee);
            self.ledger.settle(market, fill, taker, maker);
            self.rows[m].volume += fill.quantity;
        }
        self.scratch.fills = fills;
    }

    /// Withdraws an account's resting orders, in one market or in all.
    pub(super) fn withdraw_orders(&mut self, id: AccountId, market: Option<MarketId>) {
        let cohort = self.ledger.account(id).cohort;
        let Some(cohort) = self.cohorts.get_mut(cohort.index()) else {
            return;
        };
        let markets = &mut self.markets;
        cohort.resting.retain(|resting| {
            let theirs = resting.owner == id && market.is_none_or(|m| m == resting.market);
            if theirs {
                markets[resting.market.index()].venue.cancel(resting.order);
            }
            !theirs
        });
    }

    /// Withdraws resting orders whose time is over, and forgets those that were filled.
    pub(super) fn cancel_expired(&mut self) {
        let step = self.step;
        for cohort in &mut self.cohorts {
            if cohort.next_expiry > step {
                continue;
            }
            let markets = &mut self.markets;
            let mut next = u32::MAX;
            cohort.resting.retain(|resting| {
                let venue = &mut markets[resting.market.index()].venue;
                if resting.expires <= step {
                    venue.cancel(resting.order);
                    false
                } else if venue.remaining(resting.order).is_zero() {
                    false
                } else {
                    next = next.min(resting.expires);
                    true
                }
            });
            cohort.next_expiry = next;
        }
    }
}

/// Instructions are copied about, so they stay small.
const _: () = assert!(size_of::<Pending>() <= 96);
