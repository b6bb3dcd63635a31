//! Who moved the margin: what each part of a market's rule added to the rates of small and of large positions.
//!
//! A part's addition is the rate after it less the rate before it; for the base, the first part, it is the rate itself. The
//! additions of all parts sum to the rate in force.

use crate::margin::Level;

/// One part over all steps so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartTally {
    /// What it added to the maintenance rate.
    pub maintenance: Addition,
    /// What it added to the initial rate.
    pub initial: Addition,
    /// What it added to the maintenance rate of a large position.
    pub large: Addition,
}

/// What a part added to a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Addition {
    /// Over all steps.
    pub sum: f64,
    /// The one of largest size, with its sign.
    pub largest: f64,
}

impl Addition {
    fn see(&mut self, added: f64) {
        self.sum += added;
        if added.abs() > self.largest.abs() {
            self.largest = added;
        }
    }
}

/// One part's rates from a step on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartChange {
    /// The step.
    pub step: u32,
    /// The market.
    pub market: u16,
    /// The part's place in its rule.
    pub part: u16,
    /// The rates after the part.
    pub level: Level,
}

/// Every market's parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    tallies: Vec<Vec<PartTally>>,
    last: Vec<Vec<Level>>,
    changes: Vec<PartChange>,
}

impl Parts {
    /// The parts of a market in order; none where its rule doesn't tell them apart.
    pub fn market(&self, market: usize) -> &[PartTally] {
        self.tallies.get(market).map_or(&[], Vec::as_slice)
    }
    /// Every change of a part's rates, the first included, in order of steps, markets and parts.
    pub fn changes(&self) -> &[PartChange] {
        &self.changes
    }

    /// Sees the end of a step; changes are kept where `keep` says so.
    pub(super) fn see(&mut self, step: u32, markets: &[Vec<Level>], keep: bool) {
        if self.tallies.len() < markets.len() {
            self.tallies.resize_with(markets.len(), Vec::new);
            self.last.resize_with(markets.len(), Vec::new);
        }
        for (market, levels) in markets.iter().enumerate() {
            let tallies = &mut self.tallies[market];
            tallies.resize_with(levels.len(), PartTally::default);
            let mut before = Level::default();
            for (tally, level) in tallies.iter_mut().zip(levels) {
                let added =
                    |to: crate::unit::Rate, from: crate::unit::Rate| to.as_f64() - from.as_f64();
                tally
                    .maintenance
                    .see(added(level.maintenance, before.maintenance));
                tally.initial.see(added(level.initial, before.initial));
                tally.large.see(added(level.large, before.large));
                before = *level;
            }
            if keep {
                let last = &mut self.last[market];
                for (part, level) in levels.iter().enumerate() {
                    if last.get(part) != Some(level) {
                        self.changes.push(PartChange {
                            step,
                            market: market as u16,
                            part: part as u16,
                            level: *level,
                        });
                    }
                }
                last.clone_from(levels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Rate;

    #[test]
    fn additions_sum_to_the_rate_and_only_changes_are_kept() {
        let level = |maintenance: f64| Level {
            initial: Rate::from_f64(2.0 * maintenance),
            maintenance: Rate::from_f64(maintenance),
            large: Rate::from_f64(3.0 * maintenance),
        };
        let mut parts = Parts::default();
        for (step, scaled) in [0.01, 0.03, 0.03, 0.005].into_iter().enumerate() {
            parts.see(step as u32, &[vec![level(0.01), level(scaled)]], true);
        }
        let [base, scaling] = parts.market(0) else {
            panic!("two parts")
        };
        assert!((base.maintenance.sum - 0.04).abs() < 1e-9);
        assert!((base.maintenance.sum + scaling.maintenance.sum - 0.075).abs() < 1e-9);
        assert!((scaling.maintenance.largest - 0.02).abs() < 1e-9);
        assert!((scaling.initial.largest - 0.04).abs() < 1e-9);
        assert!((scaling.large.largest - 0.06).abs() < 1e-9);
        let kept: Vec<(u32, u16)> = parts.changes().iter().map(|c| (c.step, c.part)).collect();
        assert_eq!(kept, [(0, 0), (0, 1), (1, 1), (3, 1)]);
        assert!(parts.market(1).is_empty());
    }
}
