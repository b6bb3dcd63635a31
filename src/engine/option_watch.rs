//! Surveillance of accounts that hold options: a range of marks for each, within which it needs no look.
//!
//! An account is looked at when a mark leaves its range, when its time is up, when what it holds or a market's rates change, or when
//! the surface has moved beyond what ranges allow for. The ranges lie side by side, so that a quiet step compares and
//! does nothing else.
//!
//! The range follows from bounds that hold for every option, whatever its strike: a contract on one unit gains or loses no more than the
//! price moves, no more than `φ(0) F √T` per 1.00 of volatility, and no more than `φ(0) F σ / (2 √T)` a year. So curvature is
//! allowed for: gamma may be anything, delta never exceeds one. A scan's loss is the difference of two worths, one of them at a moved
//! price, and its bound [`REACH`] times as much.
//!
//! # Invariants
//!
//! - `nobody_within_its_range_is_short`: in random worlds, against exact equity and requirement.

use super::options::Chain;
use super::world::World;
use crate::account::State;
use crate::margin::Standing;
use crate::unit::{AccountId, Cash};

/// How much faster a requirement may change than what is held: the two ends of a scan's move, the farther one at up to twice the price.
const REACH: f64 = 3.0;
/// How far volatilities may move before everybody is filed anew.
const VOLATILITY: f64 = 0.02;
/// φ(0).
const DENSITY: f64 = 0.398_942_280_401_432_7;
/// Shares of the slack that are kept for the price, for volatility and for time.
const FOR_PRICE: f64 = 0.7;
const FOR_VOLATILITY: f64 = 0.15;
const FOR_TIME: f64 = 0.15;

impl Chain {
    /// Whether some series' volatility has left what ranges allow for; then all are to be filed anew.
    fn surface_moved(&mut self) -> bool {
        let moved = self
            .listed
            .iter()
            .zip(&self.epoch)
            .zip(&self.alive)
            .any(|((listed, epoch), alive)| {
                *alive && (listed.volatility - epoch).abs() > VOLATILITY
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
        let stale =
            chain.surface_moved() || self.markets.iter().any(|market| market.moved);
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
        requirement: Cash,
        standing: Standing,
    ) {
        let Some(row) = self.ledger.options().row(id) else {
            return;
        };
        let markets = self.marks.len();
        let ratio = self.thresholds.warn.as_f64();
        let slack = equity as f64 - requirement.as_f64() / ratio - 64.0;
        let (mut exposed, mut vegas, mut decay) = (0.0, 0.0, 0.0);
        let mut soonest = f64::INFINITY;
        let Some(chain) = &self.options else { return };
        for held in self.ledger.options().of(id) {
            if held.contracts == 0 {
                continue;
            }
            let listed = &chain.listed[held.series.index()];
            let m = listed.series.market.index();
            let worth = listed
                .series
                .quanta_per_tick(&self.markets[m].contract)
                * held.contracts.unsigned_abs() as f64
                * self.marks[m].as_f64();
            exposed += worth;
            vegas += worth * DENSITY * listed.years.sqrt();
            decay += worth * DENSITY * (listed.volatility + VOLATILITY) / (2.0 * listed.years.sqrt());
            soonest = f64::min(soonest, listed.years);
        }
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            let m = &self.markets[market.index()];
            let value = m.contract.wide(quantity.abs(), self.marks[market.index()]);
            exposed += value.abs() as f64;
        }
        let both = 1.0 + REACH / ratio;
        // From anywhere in the band of volatilities to anywhere else in it, and a scan moves them by as much again.
        let unsure = vegas * 2.0 * VOLATILITY * (1.0 + 2.0 * REACH / ratio);
        let step = self.step;
        let year = crate::unit::span::YEAR;
        let Some(chain) = &mut self.options else { return };
        let ranges = &mut chain.safe[row * markets..][..markets];
        if standing > Standing::Sound || slack <= 0.0 || unsure > FOR_VOLATILITY * slack {
            ranges.fill([f64::INFINITY, f64::NEG_INFINITY]);
            chain.until[row] = step;
            return;
        }
        // A fall of a tenth is as far as the bounds of time and volatility reach, which grow with the price.
        let radius = (FOR_PRICE * slack / (exposed * both)).min(0.1);
        for (range, mark) in ranges.iter_mut().zip(&self.marks) {
            let mark = mark.as_f64();
            *range = [mark * (1.0 - radius), mark * (1.0 + radius)];
        }
        // Within a quarter of the time that is left 1/√T grows by no more than 16 %; prices by a tenth.
        let years = (FOR_TIME * slack / (decay * both * 1.16 * 1.1)).min(0.25 * soonest);
        let steps = (years * year / self.dt).min(f64::from(u32::MAX)) as u32;
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

    /// Whether surveillance would look at an account with options at the present marks, if nothing else changed.
    #[doc(hidden)]
    pub fn option_range_left(&self, id: AccountId) -> bool {
        let (Some(row), Some(chain)) = (self.ledger.options().row(id), &self.options) else {
            return false;
        };
        let markets = self.marks.len();
        let ranges = &chain.safe[row * markets..][..markets];
        self.step >= chain.until[row]
            || ranges.iter().zip(&self.marks).any(|([low, high], mark)| {
                mark.as_f64() < *low || mark.as_f64() > *high
            })
    }
}
