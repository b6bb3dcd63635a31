//! Speed limit: rates rise by at most a factor per period; they fall at once.
//!
//! `M_t = min(asked, M_{t−1} · (1 + rise)^(dt / period))`, so over every window of a length T the rate
//! rises by at most `(1 + rise)^(T / period)`.
//!
//! # Invariants
//!
//! - `the_speed_limit_holds_over_every_window`.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::ops;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the speed limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeedLimitSettings {
    /// Largest rise within a period, as a share of the rate: 0.5 allows half as much again.
    pub rise: f64,
    /// The period, e.g. `"1h"`.
    pub per: Span,
}

impl SpeedLimitSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.rise.is_finite() && self.rise >= 0.0,
                "rise",
                "must not be negative",
            ),
            (
                self.per > Span::ZERO && self.per < Span::NEVER,
                "per",
                "must be longer than 0 and not forever",
            ),
        ])
    }
    pub(super) fn build(&self) -> SpeedLimit {
        SpeedLimit {
            per_second: ops::ln(1.0 + self.rise) / self.per.as_seconds(),
            charged: None,
        }
    }
}

/// The speed limit of one market.
#[derive(Clone)]
pub struct SpeedLimit {
    /// Largest rise of the logarithm.
    per_second: f64,
    charged: Option<f64>,
}

impl Adjustment for SpeedLimit {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        if let Some(before) = self.charged
            && asked > before
            && before > 0.0
        {
            let charged = asked.min(before * ops::exp(self.per_second * view.dt));
            schedule.scale(charged / asked, charged / asked);
            self.charged = Some(charged);
        } else {
            self.charged = Some(asked);
        }
    }
    fn name(&self) -> &'static str {
        "speed_limit"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_speed_limit_holds_over_every_window(asked in prop::collection::vec(0.001f64..0.5, 2..80)) {
            let mut limit = SpeedLimitSettings { rise: 0.5, per: Span::seconds(10.0) }.build();
            let charged = levels(&mut limit, &asked);
            for from in 0..charged.len() {
                prop_assert!(charged[from] <= asked[from] + 2e-9);
                for to in from..charged.len() {
                    let most = charged[from] * ops::pow(1.5, (to - from) as f64 / 10.0);
                    prop_assert!(charged[to] <= most * (1.0 + 1e-5), "{from} to {to}");
                }
            }
        }
    }
}
