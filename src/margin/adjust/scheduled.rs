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
use crate::margin::base::{Tier, TieredSettings};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::{Grid, Rate, Span};
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
    /// Maintenance rate of the smallest positions from then on; all sizes are scaled alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<f64>,
    /// Initial rate of the smallest positions from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<f64>,
    /// A new table of brackets from then on, in place of rates that scale the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brackets: Option<Vec<Tier>>,
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
            match (step.maintenance, step.initial, &step.brackets) {
                (Some(maintenance), Some(initial), None) => {
                    if !(maintenance > 0.0 && maintenance <= initial && initial <= 1.0) {
                        found.push((
                            format!("steps[{k}].maintenance"),
                            format!(
                                "must be greater than 0, and initial between it and 1, found {maintenance} and {initial}"
                            ),
                        ));
                    }
                }
                (None, None, Some(brackets)) => {
                    let tiered = TieredSettings {
                        brackets: brackets.clone(),
                        ..TieredSettings::default()
                    };
                    let wrong = tiered.problems().into_iter();
                    found.extend(wrong.map(|(key, text)| (format!("steps[{k}].{key}"), text)));
                }
                _ => found.push((
                    format!("steps[{k}]"),
                    "needs either maintenance and initial, or brackets".to_owned(),
                )),
            }
        }
        found
    }
    pub(super) fn build(&self, grid: &Grid) -> Scheduled {
        Scheduled {
            steps: self
                .steps
                .iter()
                .map(|step| {
                    let binds = step.at.as_seconds() + self.notice.as_seconds();
                    let rates = match &step.brackets {
                        Some(brackets) => {
                            let tiered = TieredSettings {
                                brackets: brackets.clone(),
                                ..TieredSettings::default()
                            };
                            Rates::Table(tiered.schedule(grid))
                        }
                        None => Rates::Level {
                            initial: Rate::from_f64(step.initial.unwrap_or(1.0)),
                            maintenance: Rate::from_f64(step.maintenance.unwrap_or(1.0)),
                        },
                    };
                    (binds, rates)
                })
                .collect(),
        }
    }
}

/// The scheduled steps of one market: when each binds, and its rates.
#[derive(Clone)]
pub struct Scheduled {
    steps: Vec<(f64, Rates)>,
}

/// What a step puts in force.
#[derive(Clone)]
enum Rates {
    /// Rates of the smallest positions; every size is scaled alike.
    Level { initial: Rate, maintenance: Rate },
    /// A whole table.
    Table(Schedule),
}

impl Adjustment for Scheduled {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let now = f64::from(view.step) * view.dt;
        let due = self.steps.partition_point(|step| step.0 <= now + 1e-9);
        let Some((_, rates)) = due.checked_sub(1).map(|k| &self.steps[k]) else {
            return;
        };
        let (initial, maintenance) = match rates {
            Rates::Level {
                initial,
                maintenance,
            } => (*initial, *maintenance),
            Rates::Table(table) => {
                schedule.copy_from(table);
                return;
            }
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
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let step = StepSettings {
            at: Span::seconds(2.0),
            maintenance: Some(0.02),
            initial: Some(0.05),
            brackets: None,
        };
        for (notice, first) in [(0.0, 2), (1.0, 3)] {
            let settings = ScheduledSettings {
                steps: vec![step.clone()],
                notice: Span::seconds(notice),
            };
            let found = levels(&mut settings.build(&grid), &[0.0065; 5]);
            for (k, found) in found.iter().enumerate() {
                let expected = if k < first { 0.0065 } else { 0.02 };
                assert!((found - expected).abs() < 1e-8, "step {k}");
            }
        }
    }

    #[test]
    fn a_table_takes_the_place_of_a_table() {
        // HIVE on 2025-09-15: the first bracket stays, the second rises from 2 % to 2.5 %.
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let table = |second: &str| -> Vec<Tier> {
            let text = format!(
                "brackets = [{{ cap = 5_000, maintenance = 0.015, initial = 0.02 }}, {{ maintenance = {second}, initial = 0.05 }}]"
            );
            toml::from_str::<TieredSettings>(&text).unwrap().brackets
        };
        let settings = ScheduledSettings {
            steps: vec![StepSettings {
                at: Span::seconds(2.0),
                maintenance: None,
                initial: None,
                brackets: Some(table("0.025")),
            }],
            notice: Span::ZERO,
        };
        assert!(settings.problems().is_empty());
        let mut steps = settings.build(&grid);
        let before = TieredSettings {
            brackets: table("0.02"),
            ..TieredSettings::default()
        };
        let asked: Vec<i64> = (0..4)
            .map(|step| {
                let view = RiskView {
                    step,
                    dt: 1.0,
                    ..RiskView::default()
                };
                let mut schedule = before.schedule(&grid);
                steps.adjust(&view, &mut schedule);
                schedule.maintenance(crate::unit::Cash(10_000)).0
            })
            .collect();
        // 2 % of 10,000 less 25; 2.5 % of it less 50.
        assert_eq!(asked, [175, 175, 200, 200]);
        let neither = StepSettings {
            brackets: None,
            ..settings.steps[0].clone()
        };
        let wrong = ScheduledSettings {
            steps: vec![neither],
            notice: Span::ZERO,
        };
        assert_eq!(wrong.problems()[0].0, "steps[0]");
    }
}
