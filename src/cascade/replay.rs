//! A market's price taken apart: how much of where it stands is whose doing, check by check.
//!
//! In logs, the midpoint is the reference price, plus J (what the outside price has taken in of the venue's own trades),
//! plus the book's own displacement D = ln(mid / anchor). Each is kept as a sum over causes:
//!
//! - **D** by what moved it. A move away from the anchor is its author's; a move back toward it undoes what moved it
//!   away, in proportion, whether depth refilled or somebody bought. So an impact counts for what is left of it.
//! - **J** linearly, as the anchor itself: each step takes in κ of every cause's part of D, then all decay alike.
//! - The **index** shows reference and J as of when it was observed; what it shows beside that is the oracle's.
//! - The **mark's average basis** is the same average, taken of each cause's part of the basis.
//!
//! The mark is then whichever of these it was read from. Rounding to ticks belongs to nobody and is left out.
//!
//! # Units
//!
//! Logs of prices over the market's starting price.

use crate::engine::Check;
use crate::engine::{Cause, Impulse, Kernel, Opening};
use crate::market::mark::Source;
use crate::math::ops;
use std::collections::VecDeque;

/// Causes are numbered: the outside world, the oracle, quotes, auctions, the backstop, keepers, cohorts, liquidations.
pub(super) const REFERENCE: u32 = 0;
pub(super) const ORACLE: u32 = 1;
pub(super) const QUOTES: u32 = 2;
pub(super) const AUCTION: u32 = 3;
pub(super) const BACKSTOP: u32 = 4;
pub(super) const KEEPERS: u32 = 5;
pub(super) const COHORTS: u32 = 6;

/// Below this a part is added to the quotes' and forgotten: a thousandth of a basis point.
const NOTHING: f64 = 1e-7;
/// Steps between two clearings.
const SWEEP: u32 = 64;

/// One market's price, taken apart.
pub(super) struct Replay {
    kernel: Kernel,
    start: f64,
    /// Number of the first liquidation.
    liquidations: u32,
    /// Active causes, and where each is; the columns are parallel.
    ids: Vec<u32>,
    place: Vec<u32>,
    /// What each moved: the outside price, midpoint, traded price, index, average basis.
    outside: Vec<f64>,
    mid: Vec<f64>,
    traded: Vec<f64>,
    index: Vec<f64>,
    basis: Vec<f64>,
    /// Sums of the columns `mid` and `traded`.
    sums: [f64; 2],
    /// ln of the outside price.
    anchor: f64,
    idle: bool,
    begun: bool,
    observed: Option<u32>,
    /// Outside prices of earlier steps, where the index lags.
    lag: u32,
    past: VecDeque<(u32, Vec<(u32, f64)>)>,
}

/// A price taken apart: causes and their parts.
pub(super) type Parts = Vec<(u32, f64)>;

impl Replay {
    /// A market that starts at a price; `lag` is the longest that its index is behind, in steps.
    pub(super) fn new(kernel: Kernel, start: f64, cohorts: u32, lag: u32) -> Self {
        let mut replay = Self {
            kernel,
            start,
            liquidations: COHORTS + cohorts,
            ids: Vec::new(),
            place: Vec::new(),
            outside: Vec::new(),
            mid: Vec::new(),
            traded: Vec::new(),
            index: Vec::new(),
            basis: Vec::new(),
            sums: [0.0; 2],
            anchor: 0.0,
            idle: false,
            begun: false,
            observed: None,
            lag,
            past: VecDeque::new(),
        };
        for id in 0..COHORTS {
            replay.at(id);
        }
        replay
    }

    /// The number of a cause.
    fn number(&self, cause: Cause) -> u32 {
        match cause {
            Cause::Quotes => QUOTES,
            Cause::Auction => AUCTION,
            Cause::Backstop => BACKSTOP,
            Cause::Keeper => KEEPERS,
            Cause::Cohort(cohort) => COHORTS + u32::from(cohort.0),
            Cause::Liquidation(number) => self.liquidations.saturating_add(number),
        }
    }

    /// Where a cause is in the columns.
    fn at(&mut self, id: u32) -> usize {
        if self.place.len() <= id as usize {
            self.place.resize(id as usize + 1, u32::MAX);
        }
        if self.place[id as usize] == u32::MAX {
            self.place[id as usize] = self.ids.len() as u32;
            self.ids.push(id);
            for column in [
                &mut self.outside,
                &mut self.mid,
                &mut self.traded,
                &mut self.index,
                &mut self.basis,
            ] {
                column.push(0.0);
            }
        }
        self.place[id as usize] as usize
    }

    fn log(&self, price: f64) -> f64 {
        ops::ln(price / self.start)
    }

    /// A step begins: what the last one left is taken in by the outside price, and quotes move with it.
    pub(super) fn open(&mut self, opening: &Opening) {
        let Kernel { share, decay, .. } = self.kernel;
        if self.begun && share > 0.0 {
            let taken = if self.idle { 0.0 } else { share };
            for (outside, mid) in self.outside.iter_mut().zip(&self.mid) {
                *outside = (*outside + taken * mid) * decay;
            }
        }
        self.begun = true;
        self.idle = opening.idle;
        self.outside[REFERENCE as usize] = self.log(opening.reference);
        // Parts that were forgotten, and rounding.
        let known: f64 = self.outside.iter().sum::<f64>() - self.outside[REFERENCE as usize];
        self.outside[QUOTES as usize] += opening.displacement - known;
        self.anchor = self.outside[REFERENCE as usize] + opening.displacement;
        if self.lag > 0 {
            self.past
                .push_back((opening.step, parts(&self.ids, &self.outside)));
            while self.past.len() > self.lag as usize + 1 {
                self.past.pop_front();
            }
        }
        let stale = if self.kernel.last { REFERENCE } else { QUOTES };
        self.shift(QUOTES, stale, opening.mid, opening.traded);
        if opening.step.is_multiple_of(SWEEP) {
            self.sweep();
        }
    }

    /// A price moved.
    pub(super) fn push(&mut self, impulse: &Impulse) {
        let cause = self.number(impulse.cause);
        self.shift(cause, cause, impulse.mid, impulse.traded);
    }

    fn shift(&mut self, mid_by: u32, traded_by: u32, mid: f64, traded: f64) {
        let (mid, traded) = (self.log(mid) - self.anchor, self.log(traded) - self.anchor);
        let at = self.at(mid_by);
        move_to(&mut self.mid, at, &mut self.sums[0], mid);
        let at = self.at(traded_by);
        move_to(&mut self.traded, at, &mut self.sums[1], traded);
    }

    /// A check of margin: the index may be new, and once a step the average basis moves.
    pub(super) fn check(&mut self, check: &Check) {
        if check.first {
            if self.observed != Some(check.observed) {
                self.observed = Some(check.observed);
                let then = self.past.iter().find(|(step, _)| *step == check.observed);
                match then {
                    Some((_, then)) if check.observed != check.step => {
                        self.index.fill(0.0);
                        for (id, part) in then {
                            let at = self.place[*id as usize];
                            // A part forgotten since is too small to miss.
                            if at != u32::MAX {
                                self.index[at as usize] = *part;
                            }
                        }
                    }
                    _ => self.index.copy_from_slice(&self.outside),
                }
            }
            self.index[ORACLE as usize] = 0.0;
            let shown: f64 = self.index.iter().sum();
            self.index[ORACLE as usize] = self.log(check.index) - shown;
            let kept = self.kernel.kept;
            let fresh = 1.0 - kept;
            let shown = self.outside.iter().zip(&self.mid).zip(&self.index);
            for (basis, ((outside, mid), index)) in self.basis.iter_mut().zip(shown) {
                *basis = kept * *basis + fresh * (outside + mid - index);
            }
        }
    }

    /// The mark of the check just seen, taken apart; causes ascend.
    pub(super) fn mark(&self, check: &Check) -> Parts {
        let of = |add: &[f64], scale: f64, base: &[f64]| -> Parts {
            let mut parts = Parts::with_capacity(self.ids.len());
            let all = (self.ids.iter())
                .zip(base.iter().zip(add))
                .map(|(id, (base, add))| (*id, base + scale * add));
            parts.extend(all.filter(|(_, part)| part.abs() > 1e-12));
            // Nearly in order: causes come in the order of their numbers, but for those that come again.
            parts.sort_unstable_by_key(|part| part.0);
            parts
        };
        match check.source {
            Source::Traded => of(&self.traded, 1.0, &self.outside),
            Source::Index => of(&self.basis, 0.0, &self.index),
            Source::Basis => {
                let basis: f64 = self.basis.iter().sum();
                let shown: f64 = self.index.iter().sum();
                let actual = self.log(check.mark.as_f64()) - shown;
                // A clamp leaves of each part what it leaves of the whole.
                let scale = if basis.abs() > 1e-9 {
                    (actual / basis).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                of(&self.basis, scale, &self.index)
            }
        }
    }

    /// Forgets causes of which nothing is left.
    fn sweep(&mut self) {
        let mut kept = COHORTS as usize;
        for at in COHORTS as usize..self.ids.len() {
            let most = [
                &self.outside,
                &self.mid,
                &self.traded,
                &self.index,
                &self.basis,
            ]
            .iter()
            .fold(0.0f64, |most, column| most.max(column[at].abs()));
            let id = self.ids[at];
            let quotes = QUOTES as usize;
            if most < NOTHING {
                self.place[id as usize] = u32::MAX;
            }
            for column in [
                &mut self.outside,
                &mut self.mid,
                &mut self.traded,
                &mut self.index,
                &mut self.basis,
            ] {
                if most < NOTHING {
                    column[quotes] += column[at];
                } else {
                    column[kept] = column[at];
                }
            }
            if most >= NOTHING {
                self.ids[kept] = id;
                self.place[id as usize] = kept as u32;
                kept += 1;
            }
        }
        self.ids.truncate(kept);
        for column in [
            &mut self.outside,
            &mut self.mid,
            &mut self.traded,
            &mut self.index,
            &mut self.basis,
        ] {
            column.truncate(kept);
        }
    }
}

fn parts(ids: &[u32], column: &[f64]) -> Parts {
    ids.iter()
        .zip(column)
        .filter(|(_, part)| **part != 0.0)
        .map(|(id, part)| (*id, *part))
        .collect()
}

/// Moves a displacement: outward by whoever does it, inward at the cost of all who moved it out.
fn move_to(column: &mut [f64], by: usize, sum: &mut f64, to: f64) {
    let from = std::mem::replace(sum, to);
    if from == to {
        return;
    }
    if from == 0.0 || (from.signum() == to.signum() && to.abs() > from.abs()) {
        column[by] += to - from;
    } else if from.signum() == to.signum() && to != 0.0 {
        let left = to / from;
        for part in column {
            *part *= left;
        }
    } else {
        column.fill(0.0);
        column[by] = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_undoes_what_went_out() {
        let mut column = [0.0; 3];
        let mut sum = 0.0;
        move_to(&mut column, 0, &mut sum, -4.0);
        move_to(&mut column, 1, &mut sum, -8.0);
        assert_eq!(column, [-4.0, -4.0, 0.0]);
        // Back by a half, whoever does it; then across.
        move_to(&mut column, 2, &mut sum, -4.0);
        assert_eq!(column, [-2.0, -2.0, 0.0]);
        move_to(&mut column, 2, &mut sum, 1.0);
        assert_eq!(column, [0.0, 0.0, 1.0]);
        assert_eq!(sum, 1.0);
    }
}
