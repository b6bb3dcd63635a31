//! The keepers' books: who has lost everything, how much debt waits, what they hold.

use crate::account::State;
use crate::engine::event::EventKind;
use crate::engine::world::World;
use crate::liquidation::policy::loan::Loan;
use crate::liquidation::waterfall::ClosePrice;
use crate::unit::{AccountId, Cash, Lots, Ticks};

impl World {
    /// In settlement: keepers that have lost everything are out, and so are reserves.
    pub(in crate::engine) fn watch_keepers(&mut self) {
        for place in 0..self.keepers.list.len() {
            let id = self.keepers.list[place].account;
            let equity = self.equity(id);
            if equity < 0 && !self.keepers.list[place].failed {
                self.keepers.list[place].failed = true;
                self.totals.keepers.failed += 1;
                self.emit(
                    EventKind::KeeperFailed,
                    Some(id),
                    None,
                    Lots::ZERO,
                    Ticks::ZERO,
                    Cash::clamped(equity),
                );
            }
            if self.keepers.list[place].failed {
                if equity < 0 && self.liquidation.adl.is_some() && !self.ledger.is_flat(id) {
                    self.deleverage(&[id], ClosePrice::Bankruptcy);
                }
                // A bid that stands may still win it a position.
                let bids = self.keepers.auctions.iter().any(|running| {
                    running
                        .rising
                        .and_then(|rising| rising.best)
                        .is_some_and(|(_, keeper)| keeper == place)
                });
                if !bids {
                    self.conclude_house(id);
                }
            }
        }
        if let Some(reserves) = &self.keepers.reserves {
            self.conclude_house(reserves.account);
        }
    }

    /// Closes the books of one of the venue's own accounts that holds nothing and owes.
    pub(super) fn conclude_house(&mut self, id: AccountId) {
        let account = self.ledger.account(id);
        if account.cash < Cash::ZERO && account.state != State::Closed && self.ledger.is_flat(id) {
            self.conclude(id);
        }
    }

    /// How much debt is in liquidation, and how much of it liquidation would only worsen, before anything is taken.
    pub(super) fn measure_debt(&mut self) {
        let (mut toxic, mut stranded) = (0.0, 0.0);
        for id in &self.liquidating {
            for (market, _) in self.ledger.places(*id) {
                if let Some(case) = self.case(*id, market) {
                    let loan = Loan::of(&case);
                    stranded += loan.debt.max(0.0);
                    let bonus = self.liquidation.policies[market.index()].bonus(&loan);
                    if bonus.is_some_and(|bonus| loan.is_toxic(bonus)) {
                        toxic += loan.debt;
                    }
                }
            }
        }
        let row = &mut self.totals.keepers;
        row.stranded = Cash(stranded as i64);
        row.toxic_peak = row.toxic_peak.max(Cash(toxic as i64));
    }

    /// What keepers have and hold now.
    pub(super) fn measure_keepers(&mut self) {
        let (mut equity, mut used) = (0i128, 0i128);
        for keeper in &self.keepers.list {
            equity += self.equity(keeper.account);
            used += i128::from(keeper.committed.0);
            for (market, slot) in self.ledger.places(keeper.account) {
                let quantity = self.ledger.slot(slot).quantity;
                if !quantity.is_zero() {
                    let m = market.index();
                    used += self.markets[m].contract.wide(quantity, self.marks[m]).abs();
                }
            }
        }
        let reserves = self
            .keepers
            .reserves
            .as_ref()
            .map_or(Cash::ZERO, |reserves| {
                Cash::clamped(self.equity(reserves.account))
            });
        let open = self.keepers.auctions.len() as u32;
        let row = &mut self.totals.keepers;
        row.equity = Cash::clamped(equity);
        row.used = Cash::clamped(used);
        row.used_peak = row.used_peak.max(row.used);
        row.reserves = reserves;
        row.auctions_open = open;
    }
}
