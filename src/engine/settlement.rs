//! Phase 8, settlement: the waterfall pays what accounts in liquidation leave unpaid.
//!
//! An account that is closed with a negative balance is paid for by the insurance fund, then out of
//! profits, and what is left stays on it as uncovered. A bankrupt account that still holds a
//! position goes on being closed in the market as long as the fund can stand behind its deficit at
//! the mark; beyond that its position is closed against the deleveraging queue.
//!
//! # Invariants
//!
//! - `every_quantum_of_bad_debt_ends_in_one_place`.

use super::event::EventKind;
use super::world::World;
use crate::account::{State, Valuation};
use crate::liquidation::waterfall::{adl, draw_on_fund, socialise};
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};

impl World {
    /// Phase 8.
    pub(super) fn settle(&mut self) {
        // Deficits at the mark that the fund already stands behind in this pass.
        let mut promised = Cash::ZERO;
        let mut ranked: Option<(MarketId, bool)> = None;
        let mut liquidating = std::mem::take(&mut self.liquidating);
        liquidating.retain(|id| {
            let id = *id;
            if !self.ledger.is_flat(id) && !self.liquidation_waits(id) {
                let deficit = Cash::clamped(-self.equity(id));
                if deficit > Cash::ZERO {
                    let fund = self.ledger.account(AccountId::FUND).cash;
                    if deficit <= fund - promised {
                        promised += deficit;
                    } else if self.liquidation.auto_deleveraging {
                        self.deleverage(id, &mut ranked);
                    }
                }
            }
            let closed = self.ledger.is_flat(id);
            if closed {
                self.conclude(id);
            }
            !closed
        });
        self.liquidating = liquidating;
        self.totals.fund = self.ledger.account(AccountId::FUND).cash;
    }

    /// Closes a bankrupt account's positions against the queue, each at the price that leaves its share of the
    /// deficit to whoever takes it over.
    fn deleverage(&mut self, id: AccountId, ranked: &mut Option<(MarketId, bool)>) {
        let before = self.equity(id);
        for (market, slot) in self.ledger.places(id) {
            if let Some(pause) = &self.safety.guards[market.index()].adl
                && !pause.allows(self.step)
            {
                continue;
            }
            let open_interest = self.ledger.open_interest(market);
            let mut deleveraged = Lots::ZERO;
            let Some(case) = self.case(id, market) else {
                continue;
            };
            let longs_wanted = case.quantity.0 < 0;
            let mut queue = std::mem::take(&mut self.scratch.queue);
            if *ranked != Some((market, longs_wanted)) {
                let at = Valuation {
                    marks: &self.marks,
                    funding: &self.funding,
                };
                adl::rank(
                    &self.ledger,
                    &self.index,
                    market,
                    longs_wanted,
                    at,
                    &mut queue,
                );
                *ranked = Some((market, longs_wanted));
                for winner in &queue {
                    if let Some(slot) = self.ledger.place(winner.account, market) {
                        self.ledger.settle_funding(
                            winner.account,
                            slot,
                            self.funding[market.index()],
                        );
                    }
                }
            }
            self.ledger
                .settle_funding(id, slot, self.funding[market.index()]);
            let value = self.zero_value(id, market);
            let mut fills = std::mem::take(&mut self.scratch.fills);
            fills.clear();
            adl::close(&mut self.ledger, market, id, value, &mut queue, &mut fills);
            for fill in &fills {
                self.touched.push(fill.maker);
                deleveraged += fill.quantity;
                self.totals.deleveraged += fill.value.abs();
                self.emit(
                    EventKind::AutoDeleveraged,
                    Some(fill.maker),
                    Some(market),
                    Lots(-fill.quantity.0 * fill.side.sign()),
                    fill.price,
                    fill.value.abs(),
                );
            }
            self.scratch.fills = fills;
            self.scratch.queue = queue;
            let step = self.step;
            if let Some(pause) = &mut self.safety.guards[market.index()].adl
                && pause.see(step, deleveraged, open_interest)
            {
                self.emit(
                    EventKind::DeleveragingPaused,
                    None,
                    Some(market),
                    deleveraged,
                    self.marks[market.index()],
                    Cash::ZERO,
                );
            }
        }
        let covered = Cash::clamped(self.equity(id).min(0) - before);
        self.totals.deleveraged_deficit += covered;
        self.totals.bad_debt += covered;
        if covered > Cash::ZERO {
            self.note(EventKind::DeficitDeleveraged, id, covered);
        }
    }

    /// The signed value at which closing a whole position leaves the account nothing owed on its account: for
    /// the last position the whole deficit, else its share by maintenance requirement.
    fn zero_value(&self, id: AccountId, market: MarketId) -> Cash {
        let Some(slot) = self.ledger.position(id, market) else {
            return Cash::ZERO;
        };
        let m = &self.markets[market.index()];
        let value = m.contract.wide(slot.quantity, self.marks[market.index()]);
        let equity = self.equity(id);
        let alone = self
            .ledger
            .places(id)
            .filter(|(_, slot)| !self.ledger.slot(*slot).quantity.is_zero())
            .count()
            == 1;
        let share = if alone {
            equity
        } else {
            let own = m.schedule.maintenance(
                m.contract
                    .notional(slot.quantity, self.marks[market.index()]),
            );
            equity * i128::from(own.0) / i128::from(self.requirements(id).0.max(1))
        };
        Cash::clamped(value - share)
    }

    /// Closes the books of an account that holds nothing any more: pays for its negative balance,
    /// or keeps what is left where the policy says so.
    pub(super) fn conclude(&mut self, id: AccountId) {
        let account = self.ledger.account(id);
        let (cash, liquidated) = (account.cash, account.state == State::Liquidating);
        self.ledger.standing_mut(id).set_state(State::Closed);
        self.unwatch(id);
        self.withdraw_orders(id, None);
        for policy in &mut self.liquidation.policies {
            policy.recovered(id);
        }
        self.note(EventKind::Closed, id, cash);
        if cash < Cash::ZERO {
            self.totals.bad_debt += -cash;
            let paid = draw_on_fund(&mut self.ledger, id);
            if paid > Cash::ZERO {
                self.totals.fund_paid += paid;
                self.note(EventKind::FundPaid, id, paid);
            }
            if self.liquidation.socialise_losses {
                self.socialise(id);
            }
            let left = -self.ledger.account(id).cash;
            if left > Cash::ZERO {
                self.totals.uncovered += left;
                self.note(EventKind::Uncovered, id, left);
            }
        } else if cash > Cash::ZERO && liquidated && self.liquidation.policies[0].forfeits() {
            self.ledger.transfer(id, AccountId::FUND, cash);
            self.note(EventKind::FundReceived, id, cash);
        }
    }

    fn socialise(&mut self, id: AccountId) {
        let markets: Vec<MarketId> = match self.ledger.account(id).isolated() {
            Some(market) => vec![market],
            None => (0..self.markets.len() as u16).map(MarketId).collect(),
        };
        for market in markets {
            let deficit = -self.ledger.account(id).cash;
            if deficit <= Cash::ZERO {
                break;
            }
            let mut shares = std::mem::take(&mut self.scratch.shares);
            let at = Valuation {
                marks: &self.marks,
                funding: &self.funding,
            };
            let taken = socialise::take(
                &mut self.ledger,
                &self.index,
                market,
                id,
                deficit,
                at,
                &mut shares,
            );
            self.touched.extend(shares.iter().map(|(payer, _)| *payer));
            self.scratch.shares = shares;
            if taken > Cash::ZERO {
                self.totals.socialised += taken;
                self.note(EventKind::Socialised, id, taken);
            }
        }
    }

    fn note(&mut self, kind: EventKind, id: AccountId, amount: Cash) {
        let market = self.ledger.account(id).isolated();
        self.emit(kind, Some(id), market, Lots::ZERO, Ticks::ZERO, amount);
    }
}
