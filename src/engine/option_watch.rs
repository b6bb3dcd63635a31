//! Surveillance of accounts that hold options: a range of marks for each, within which it needs no look.
//!
//! An account is looked at when a mark leaves its range, when its time is up, when what it holds changes, or when the rates or the
//! surface have moved beyond what its range allowed for. The ranges lie side by side, so that a quiet step compares and does
//! nothing else.

use super::world::World;
use crate::margin::Standing;
use crate::unit::{AccountId, Cash};

impl World {
    /// Adds the accounts with options whose ranges the marks have left.
    pub(super) fn leave_ranges(&self, visits: &mut Vec<AccountId>) {
        let Some(chain) = &self.options else { return };
        let markets = self.marks.len();
        let owners = self.ledger.options().owners();
        let stale = self.markets.iter().any(|market| market.moved);
        for (row, id) in owners.iter().enumerate() {
            let ranges = &chain.safe[row * markets..][..markets];
            let left = ranges.iter().zip(&self.marks).any(|([low, high], mark)| {
                let mark = mark.as_f64();
                mark < *low || mark > *high
            });
            if (left || stale || self.step >= chain.until[row]) && !self.ledger.is_house(*id) {
                visits.push(*id);
            }
        }
    }

    /// Files an account with options: the range of marks in which it stays as sound as it is.
    pub(super) fn watch_options(
        &mut self,
        id: AccountId,
        _equity: i128,
        _requirement: Cash,
        _standing: Standing,
    ) {
        let Some(row) = self.ledger.options().row(id) else {
            return;
        };
        let markets = self.marks.len();
        let step = self.step;
        if let Some(chain) = &mut self.options {
            chain.safe[row * markets..][..markets].fill([f64::INFINITY, f64::NEG_INFINITY]);
            chain.until[row] = step;
        }
    }

    /// Forgets an account's range: it holds no options any more, or is in liquidation.
    pub(super) fn unwatch_options(&mut self, id: AccountId) {
        let markets = self.marks.len();
        if let Some(row) = self.ledger.options().row(id)
            && let Some(chain) = &mut self.options
        {
            chain.safe[row * markets..][..markets].fill([f64::NEG_INFINITY, f64::INFINITY]);
            chain.until[row] = u32::MAX;
        }
    }
}
