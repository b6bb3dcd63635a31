//! Scheduled steps: the venue replaces its rates at stated times, with or without notice.
//!
//! A step that holds for existing positions too is the retroactive edit of Binance and OKX; with
//! [`super::new_positions_only`] after it in the list it spares them.
//!
//! # Reference
//!
//! Binance announcement of 2025-09-15 (tiers of HIVE, POWR and others; "existing positions will be affected"); OKX
//! announcement of 2025-03-04 (first tier of long-tail perpetuals from 0.65 % and 2 % to 2 % and 5 %).

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::{Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the scheduled steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledSettings {
    /// The steps, in order of time.
    pub steps: Vec<StepSettings>,
    /// Time between each step's `at`, when it is announced, and the moment it binds.
    #[serde(default)]
    pub notice: Span,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSettings {
    /// When, from the start of the run.
    pub at: Span,
    /// Maintenance rate of the smallest positions from then on.
    pub maintenance: f64,
    /// Initial rate of the smallest positions from then on.
    pub initial: f64,
}

impl ScheduledSettings {
    pub(super) fn problems(&self) -> Problems {
        let mut found = problems([
            (
                !self.steps.is_empty(),
                "steps",
                "at least one step is needed",
            ),
            (
                self.steps.windows(2).all(|pair| pair[0].at < pair[1].at),
                "steps",
                "times must rise from one step to the next",
            ),
        ]);
        for (k, step) in self.steps.iter().enumerate() {
            if !(step.maintenance > 0.0 && step.maintenance <= step.initial && step.initial <= 1.0)
            {
                found.push((
                    format!("steps[{k}].maintenance"),
                    format!(
                        "must be greater than 0, and initial between it and 1, found {} and {}",
                        step.maintenance, step.initial
                    ),
                ));
            }
        }
        found
    }
    pub(super) fn build(&self) -> Scheduled {
        Scheduled {
            steps: self
                .steps
                .iter()
                .map(|step| {
                    let binds = step.at.as_seconds() + self.notice.as_seconds();
                    (
                        binds,
                        Rate::from_f64(step.initial),
                        Rate::from_f64(step.maintenance),
                    )
                })
                .collect(),
        }
    }
}

/// The scheduled steps of one market: when each binds, and its rates.
pub struct Scheduled {
    steps: Vec<(f64, Rate, Rate)>,
}

impl Adjustment for Scheduled {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let now = f64::from(view.step) * view.dt;
        let due = self.steps.partition_point(|step| step.0 <= now + 1e-9);
        let Some((_, initial, maintenance)) = due.checked_sub(1).map(|k| self.steps[k]) else {
            return;
        };
        let (from_initial, from_maintenance) = (schedule.initial_level(), schedule.level());
        let factor = |to: Rate, from: Rate| {
            if from.0 > 0 {
                to.0 as f64 / from.0 as f64
            } else {
                1.0
            }
        };
        schedule.scale(
            factor(initial, from_initial),
            factor(maintenance, from_maintenance),
        );
    }
    fn name(&self) -> &'static str {
        "scheduled"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn okx_s_edit_binds_at_its_time_and_not_before() {
        let step = StepSettings {
            at: Span::seconds(2.0),
            maintenance: 0.02,
            initial: 0.05,
        };
        for (notice, first) in [(0.0, 2), (1.0, 3)] {
            let settings = ScheduledSettings {
                steps: vec![step.clone()],
                notice: Span::seconds(notice),
            };
            let found = levels(&mut settings.build(), &[0.0065; 5]);
            for (k, found) in found.iter().enumerate() {
                let expected = if k < first { 0.0065 } else { 0.02 };
                assert!((found - expected).abs() < 1e-8, "step {k}");
            }
        }
    }
}
