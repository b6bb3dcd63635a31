//! Surveillance of accounts that hold options: a range of marks for each, within which it needs no look.
//!
//! An account is looked at when a mark leaves its range, when its time is up, when what it holds or a market's rates change, or when
//! a volatility has moved beyond what ranges allow for. The ranges lie side by side, so that a quiet step compares and
//! does nothing else. How far a range reaches is the rule's to say ([`OptionMargin::safe`](crate::margin::option::OptionMargin::safe)), which
//! knows the curvature; an account of whom it can't tell is looked at in every step.
//!
//! # Invariants
//!
//! - `nobody_within_its_range_is_short`: in random worlds, against exact equity and requirement.

use super::options::Chain;
use super::world::World;
use crate::account::State;
use crate::margin::Standing;
use crate::unit::AccountId;
use crate::unit::span::YEAR;

impl Chain {
    /// Whether some series' volatility has left what ranges allow for; then all are to be filed anew.
    fn surface_moved(&mut self) -> bool {
        // A range may have been filed anywhere within half the headroom of the epoch.
        let share = 0.45 * self.headroom.volatility;
        let moved =
            self.listed
                .iter()
                .zip(&self.epoch)
                .zip(&self.alive)
                .any(|((listed, epoch), alive)| {
                    *alive && (listed.volatility - epoch).abs() > share * epoch
                });
        if moved {
            for (epoch, listed) in self.epoch.iter_mut().zip(&self.listed) {
                *epoch = listed.volatility;
            }
        }
        moved
    }
}

impl World {
    /// Adds the accounts with options whose ranges the marks have left.
    pub(super) fn leave_ranges(&mut self, visits: &mut Vec<AccountId>) {
        let Some(chain) = &mut self.options else {
            return;
        };
        // Funding that falls due moves an equity at a standing price.
        let funded = chain.funding != self.funding;
        if funded {
            chain.funding.clone_from(&self.funding);
        }
        let stale = chain.surface_moved()
            | std::mem::take(&mut chain.widened)
            | funded
            | self.markets.iter().any(|market| market.moved);
        let markets = self.marks.len();
        let owners = self.ledger.options().owners();
        let mut ranges = chain.safe.chunks_exact(markets);
        for (id, until) in owners.iter().zip(&chain.until) {
            let left = ranges.next().is_some_and(|ranges| {
                ranges.iter().zip(&self.marks).any(|([low, high], mark)| {
                    let mark = mark.as_f64();
                    mark < *low || mark > *high
                })
            });
            if (left || stale || self.step >= *until)
                && !self.ledger.is_house(*id)
                && self.ledger.account(*id).state < State::Liquidating
            {
                visits.push(*id);
            }
        }
    }

    /// Files an account with options: the range of marks in which it stays as sound as it is.
    pub(super) fn watch_options(
        &mut self,
        id: AccountId,
        equity: i128,
        standing: Standing,
        known: bool,
    ) {
        let Some(row) = self.ledger.options().row(id) else {
            return;
        };
        let markets = self.marks.len();
        let ratio = 1.0 / self.thresholds.warn.as_f64();
        let range = if standing > Standing::Sound || !known {
            None
        } else {
            self.option_range(id, equity, ratio)
        };
        let (step, dt) = (self.step, self.dt);
        let Some(chain) = &mut self.options else {
            return;
        };
        let ranges = &mut chain.safe[row * markets..][..markets];
        let Some(range) = range else {
            ranges.fill([f64::INFINITY, f64::NEG_INFINITY]);
            chain.until[row] = step;
            return;
        };
        for (safe, mark) in ranges.iter_mut().zip(&self.marks) {
            let mark = mark.as_f64();
            *safe = [mark * (1.0 + range.down), mark * (1.0 + range.up)];
        }
        let steps = (chain.headroom.years * YEAR / dt).min(f64::from(u32::MAX)) as u32;
        chain.until[row] = step.saturating_add(steps);
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

    /// How many accounts with options surveillance would look at, if nothing but the marks had changed.
    pub fn option_accounts_to_visit(&mut self) -> usize {
        let mut visits = Vec::new();
        self.leave_ranges(&mut visits);
        visits.len()
    }
}
