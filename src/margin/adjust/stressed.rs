//! Stressed weight: a quarter of the rate is that of a stressed period, whatever the market does now.
//!
//! `(1 − w) · M + w · M_stress`: dearer in calm, and slower to rise.
//!
//! # Reference
//!
//! Commission Delegated Regulation (EU) No 153/2013, Article 28(1)(b): at least 25 % weight to stressed observations.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the stressed weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StressedSettings {
    /// Weight of the stressed rate.
    #[serde(default = "quarter")]
    pub weight: f64,
    /// Maintenance rate of a stressed period.
    pub rate: f64,
}

const fn quarter() -> f64 {
    0.25
}

impl StressedSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                (0.0..=1.0).contains(&self.weight),
                "weight",
                "must lie between 0 and 1",
            ),
            (
                self.rate > 0.0 && self.rate <= 1.0,
                "rate",
                "must be greater than 0 and at most 1",
            ),
        ])
    }
    pub(super) fn build(&self) -> Stressed {
        Stressed(self.clone())
    }
}

/// The stressed weight of one market.
#[derive(Clone)]
pub struct Stressed(StressedSettings);

impl Adjustment for Stressed {
    fn adjust(&mut self, _: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        if asked > 0.0 {
            let mixed = (1.0 - self.0.weight) * asked + self.0.weight * self.0.rate;
            schedule.scale(mixed / asked, mixed / asked);
        }
    }
    fn name(&self) -> &'static str {
        "stressed"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn a_quarter_of_the_rate_does_not_move() {
        let mut stressed = StressedSettings {
            weight: 0.25,
            rate: 0.08,
        }
        .build();
        let mixed = levels(&mut stressed, &[0.02, 0.04, 0.08]);
        for (found, expected) in mixed.iter().zip([0.035, 0.05, 0.08]) {
            assert!((found - expected).abs() < 1e-8);
        }
    }
}
