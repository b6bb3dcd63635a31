//! What an account may do with what it has: between initial and maintenance requirement it may only reduce.
//!
//! An order that makes a position larger needs initial margin for all that would then be held; money leaves only as
//! far as initial margin stays covered. Where the scenario says so, orders that rest in the book are held to
//! the same: those that would make a position larger are withdrawn once their owner stands below its initial
//! requirement.
//!
//! # Invariants
//!
//! - `nobody_withdraws_into_the_initial_requirement`.
//!
//! # Reference
//!
//! Lighter, "Liquidations": between initial and maintenance margin an account is in pre-liquidation, and may only
//! reduce.

use super::event::EventKind;
use super::world::World;
use crate::account::State;
use crate::margin::Leg;
use crate::market::Order;
use crate::math::Purpose;
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};

impl World {
    /// Exact initial requirement of an account, with a position of its own or one that it would have; nothing where
    /// that is worth more than can be counted, or larger than the market's limit.
    pub(super) fn initial(&self, id: AccountId, changed: Option<(MarketId, Lots)>) -> Option<Cash> {
        let together = self
            .portfolio
            .as_ref()
            .filter(|_| self.ledger.account(id).isolated().is_none());
        let mut legs = Vec::new();
        let mut required = Cash::ZERO;
        for (market, slot) in self.ledger.places(id) {
            let asked = changed.filter(|(other, _)| *other == market);
            let quantity =
                asked.map_or_else(|| self.ledger.slot(slot).quantity, |(_, after)| after);
            let m = &self.markets[market.index()];
            let value = m.contract.checked(quantity, self.marks[market.index()])?;
            let notional = value.abs();
            if asked.is_some() && notional > m.schedule.limit() {
                return None;
            }
            let alone = m.schedule.initial(notional);
            if together.is_some() && !m.spot {
                legs.push(Leg {
                    market,
                    quantity,
                    notional,
                    alone,
                });
            } else {
                required += alone;
            }
        }
        if let Some(portfolio) = together {
            required += portfolio.requirement(&legs);
        }
        Some(required)
    }

    /// Whether an account has what it would give in a market of collateral: the cash to buy, or what it sells, orders that
    /// rest there counted.
    pub(super) fn can_deliver(&self, market: MarketId, order: &Order) -> bool {
        let id = order.owner;
        match order.side {
            Side::Sell => order.quantity <= self.free_to_sell(id, market),
            Side::Buy => {
                let resting = self.at_rest(id, market, Side::Buy);
                let wanted = Lots(order.quantity.0.saturating_add(resting.0));
                let price = order.limit.unwrap_or(self.marks[market.index()]);
                let cost = self.markets[market.index()].contract.checked(wanted, price);
                cost.is_some_and(|cost| cost <= self.spendable(id))
            }
        }
    }

    /// What an account holds in a market and doesn't offer already.
    pub(super) fn free_to_sell(&self, id: AccountId, market: MarketId) -> Lots {
        let held = self.ledger.position(id, market);
        held.map_or(Lots::ZERO, |slot| slot.quantity) - self.at_rest(id, market, Side::Sell)
    }

    /// Quantity of an account's orders at rest on one side of a market.
    fn at_rest(&self, id: AccountId, market: MarketId, side: Side) -> Lots {
        let venue = &self.markets[market.index()].venue;
        let cohort = self.cohorts.get(self.ledger.account(id).cohort.index());
        let orders = cohort.map_or(&[][..], |cohort| &cohort.resting);
        orders
            .iter()
            .filter(|order| order.owner == id && order.market == market && order.side == side)
            .map(|order| venue.remaining(order.order))
            .sum()
    }

    /// Whether an order would leave a position that is no larger, on the same side or flat.
    pub(super) fn reduces(held: Lots, quantity: Lots, side: Side) -> bool {
        let after = Lots(held.0 + quantity.0 * side.sign());
        after.0.abs() <= held.0.abs() && after.signum() * held.signum() >= 0
    }

    /// Members who come for their money in this step take it, or are refused.
    pub(super) fn withdraw_money(&mut self) {
        for c in 0..self.cohorts.len() {
            let cohort = &self.cohorts[c];
            let Some(settings) = cohort.withdrawal else {
                continue;
            };
            let members = &cohort.members;
            let mean = f64::from(members.count) * self.dt / settings.every.as_seconds();
            let mut stream = self
                .draws
                .stream(Purpose::Withdrawal, u32::from(c as u16), self.step);
            let count = u64::from(members.count);
            for _ in 0..stream.poisson(mean) {
                let id = self.cohorts[c].members.get(stream.below(count) as u32);
                self.pay_out(id, settings.share);
            }
        }
    }

    /// The money of an account that its initial requirement leaves free.
    pub(super) fn free(&self, id: AccountId) -> Cash {
        self.initial(id, None).map_or(Cash::ZERO, |required| {
            Cash::clamped(self.equity(id) - i128::from(required.0)).min(self.spendable(id))
        })
    }

    fn pay_out(&mut self, id: AccountId, share: f64) {
        let account = self.ledger.account(id);
        if account.state >= State::Liquidating || self.cut_off(id) {
            return;
        }
        let reserve = account.reserve;
        let equity = self.equity(id);
        let free = self.free(id);
        let amount = Cash((free.as_f64() * share) as i64).min(free);
        let (kind, told) = if amount > Cash::ZERO {
            self.ledger.deposit(id, -amount);
            if let Some(opening) = self.opening.get_mut(id.index()) {
                *opening -= i128::from(amount.0);
            }
            self.ledger.set_reserve(id, reserve + amount);
            self.touched.push(id);
            self.trace_outflow(id, amount);
            (EventKind::Withdrawn, amount)
        } else {
            (EventKind::WithdrawalRefused, Cash::clamped(equity))
        };
        self.emit(kind, Some(id), None, Lots::ZERO, Ticks::ZERO, told);
    }

    /// Withdraws resting orders that would make a position larger, of owners below their initial requirement.
    pub(super) fn hold_to_reducing(&mut self) {
        if !self.reduce_only {
            return;
        }
        let mut below: Option<(AccountId, bool)> = None;
        for c in 0..self.cohorts.len() {
            let mut place = 0;
            while let Some(resting) = self.cohorts[c].resting.get(place).copied() {
                let id = resting.owner;
                let short = match below {
                    Some((known, short)) if known == id => short,
                    _ => self
                        .initial(id, None)
                        .is_none_or(|required| self.equity(id) < i128::from(required.0)),
                };
                below = Some((id, short));
                let market = resting.market;
                let left = self.markets[market.index()].venue.remaining(resting.order);
                let held = self.ledger.position(id, market).map(|slot| slot.quantity);
                if !short
                    || left.is_zero()
                    || Self::reduces(held.unwrap_or_default(), left, resting.side)
                {
                    place += 1;
                    continue;
                }
                self.markets[market.index()].venue.cancel(resting.order);
                self.cohorts[c].resting.remove(place);
                self.emit(
                    EventKind::OrderWithdrawn,
                    Some(id),
                    Some(market),
                    Lots(left.0 * resting.side.sign()),
                    Ticks::ZERO,
                    Cash::ZERO,
                );
            }
        }
    }
}
