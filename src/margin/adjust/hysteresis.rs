//! Hysteresis: rates stand still until what is asked leaves a band around them, then go there.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the hysteresis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HysteresisSettings {
    /// Rise beyond which the rate follows, as a share of it.
    pub rise: f64,
    /// Fall beyond which the rate follows, as a share of it.
    pub fall: f64,
}

impl HysteresisSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.rise.is_finite() && self.rise >= 0.0,
                "rise",
                "must not be negative",
            ),
            (
                (0.0..1.0).contains(&self.fall),
                "fall",
                "must be at least 0 and below 1",
            ),
        ])
    }
    pub(super) fn build(&self) -> Hysteresis {
        Hysteresis {
            settings: self.clone(),
            charged: None,
        }
    }
}

/// The hysteresis of one market.
#[derive(Clone)]
pub struct Hysteresis {
    settings: HysteresisSettings,
    charged: Option<f64>,
}

impl Adjustment for Hysteresis {
    fn adjust(&mut self, _: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        let charged = match self.charged {
            Some(before)
                if asked <= before * (1.0 + self.settings.rise)
                    && asked >= before * (1.0 - self.settings.fall) =>
            {
                before
            }
            _ => asked,
        };
        self.charged = Some(charged);
        if asked > 0.0 {
            schedule.scale(charged / asked, charged / asked);
        }
    }
    fn name(&self) -> &'static str {
        "hysteresis"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn small_moves_are_slept_through() {
        let mut hysteresis = HysteresisSettings {
            rise: 0.1,
            fall: 0.3,
        }
        .build();
        let found = levels(
            &mut hysteresis,
            &[0.010, 0.0109, 0.012, 0.009, 0.008, 0.010],
        );
        for (found, expected) in found.iter().zip([0.010, 0.010, 0.012, 0.012, 0.008, 0.010]) {
            assert!((found - expected).abs() < 1e-8);
        }
    }
}
