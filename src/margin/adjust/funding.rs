//! Funding: adds the funding that a position is expected to pay over the close-out to both margins.
//!
//! The schedule knows no side, so the magnitude of the last rate counts for all:
//! `|rate| · close-out / funding period`.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::{Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the funding adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundingMarginSettings {
    /// Close-out over which funding is expected to be paid, e.g. `"1d"`.
    pub horizon: Span,
}

impl FundingMarginSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([(
            self.horizon > Span::ZERO && self.horizon < Span::NEVER,
            "horizon",
            "must be longer than 0 and not forever",
        )])
    }
    pub(super) fn build(&self) -> FundingMargin {
        FundingMargin {
            horizon: self.horizon.as_seconds(),
        }
    }
}

/// The funding adjustment of one market.
#[derive(Clone)]
pub struct FundingMargin {
    horizon: f64,
}

impl Adjustment for FundingMargin {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        if view.funding_rate == 0.0 || view.funding_period <= 0.0 {
            return;
        }
        let more = Rate::from_f64(view.funding_rate.abs() * self.horizon / view.funding_period);
        schedule.raise(more);
    }
    fn name(&self) -> &'static str {
        "funding"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_at_a_tenth_of_a_percent_per_eight_hours_adds_three_tenths() {
        let mut funding = FundingMarginSettings {
            horizon: Span::seconds(86_400.0),
        }
        .build();
        for rate in [0.001, -0.001] {
            let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
            let view = RiskView {
                funding_rate: rate,
                funding_period: 28_800.0,
                ..RiskView::default()
            };
            funding.adjust(&view, &mut schedule);
            assert_eq!(schedule.level(), Rate::from_f64(0.013));
            assert_eq!(schedule.initial_level(), Rate::from_f64(0.023));
        }
    }
}
