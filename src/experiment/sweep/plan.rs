//! All that a sweep is, before anything runs.

use super::axis::Axis;
use super::design::{Design, SOBOL_AXES, Side};
use crate::scenario::digest;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The most points that a sweep may have.
pub const MOST_POINTS: u64 = 10_000_000;

/// A sweep as it is asked for: from it follow the settings and seeds of every run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is varied.
    pub axes: Vec<Axis>,
    /// How points are placed.
    pub design: Design,
    /// How many points there are.
    pub points: u64,
    /// How often each is run.
    pub replicates: u64,
    /// The first replicate.
    pub replicate: u64,
    /// Seed of the design and of every run.
    pub seed: u64,
    /// Whether every point has the same draws: differences between points are then the settings', crash by crash.
    pub common: bool,
    /// Whether each run has a twin beside it.
    pub twin: bool,
}

/// Why a sweep can't be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(String);

/// One point of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its number, counted from 0.
    pub id: u64,
    /// Its settings, axis by axis: path and value.
    pub settings: Vec<(String, String)>,
    /// Seed of its runs.
    pub seed: u64,
}

impl Point {
    /// Its settings as patches of a scenario.
    pub fn patches(&self) -> impl Iterator<Item = String> {
        self.settings
            .iter()
            .map(|(path, value)| format!("{path}={value}"))
    }
}

impl Plan {
    /// A grid of one replicate, each beside its twin, every point with draws of its own.
    ///
    /// # Errors
    ///
    /// [`PlanError`]: an axis says nothing, says something twice, or leaves open how many values it has; or there are too
    /// many points.
    pub fn grid(axes: Vec<Axis>, seed: u64) -> Result<Self, PlanError> {
        Self::new(axes, Design::Grid, None, seed)
    }

    /// The same under any design. A grid has as many points as its axes say; the others as many as are asked for.
    ///
    /// # Errors
    ///
    /// As [`Plan::grid`], and where a design can't have these axes.
    pub fn new(
        axes: Vec<Axis>,
        design: Design,
        points: Option<u64>,
        seed: u64,
    ) -> Result<Self, PlanError> {
        let refuse = |text: String| Err(PlanError(text));
        if axes.is_empty() {
            return refuse("nothing is varied".to_owned());
        }
        for (place, axis) in axes.iter().enumerate() {
            if let Some(problem) = axis.problem() {
                return refuse(problem);
            }
            if axes[..place].iter().any(|other| other.path == axis.path) {
                return refuse(format!("{} is varied twice", axis.path));
            }
        }
        let points = match (design, points) {
            (Design::Grid, Some(_)) => {
                return refuse(
                    "a grid has as many points as its axes say: leave the number out, or ask for another design".to_owned(),
                );
            }
            (Design::Grid, None) => {
                let mut product = 1u64;
                for axis in &axes {
                    let Some(count) = axis.count() else {
                        return refuse(format!(
                            "a grid needs to know how many values {} takes: lo..hi:n",
                            axis.path
                        ));
                    };
                    product = product.saturating_mul(count);
                }
                product
            }
            (_, None) => return refuse("this design needs a number of points".to_owned()),
            (_, Some(points)) => {
                if let Some(axis) = axes.iter().find(|axis| {
                    matches!(&axis.values, super::Values::Range(range) if range.count.is_some())
                }) {
                    return refuse(format!(
                        "this design says itself how many values {} takes: expected lo..hi or lo..hi:log",
                        axis.path
                    ));
                }
                points
            }
        };
        if design == Design::Sobol && axes.len() > SOBOL_AXES {
            return refuse(format!(
                "a Sobol' sequence has at most {SOBOL_AXES} axes here, found {}",
                axes.len()
            ));
        }
        if !(1..=MOST_POINTS).contains(&points) {
            return refuse(format!(
                "a sweep has from 1 to {MOST_POINTS} points, found {points}"
            ));
        }
        Ok(Self {
            axes,
            design,
            points,
            replicates: 1,
            replicate: 0,
            seed,
            common: false,
            twin: true,
        })
    }

    /// With so many replicates, from one on.
    #[must_use]
    pub const fn replicates(mut self, first: u64, replicates: u64) -> Self {
        self.replicate = first;
        self.replicates = replicates;
        self
    }
    /// With the same draws at every point, or with each point's own.
    #[must_use]
    pub const fn common(mut self, common: bool) -> Self {
        self.common = common;
        self
    }
    /// With a twin beside each run, or without.
    #[must_use]
    pub const fn twin(mut self, twin: bool) -> Self {
        self.twin = twin;
        self
    }

    /// How many runs it takes, twins aside.
    pub const fn runs(&self) -> u64 {
        self.points * self.replicates
    }

    /// Its points, each found from its number.
    pub fn layout(&self) -> Layout<'_> {
        Layout {
            plan: self,
            sides: Side::all(self.design, &self.axes, self.points, self.seed),
        }
    }
}

/// The points of a plan.
#[derive(Clone, Debug)]
pub struct Layout<'a> {
    plan: &'a Plan,
    sides: Vec<Side>,
}

impl Layout<'_> {
    /// The point of a number below [`Plan::points`].
    pub fn point(&self, id: u64) -> Point {
        let settings: Vec<(String, String)> = self
            .plan
            .axes
            .iter()
            .zip(&self.sides)
            .map(|(axis, side)| (axis.path.clone(), side.value(axis, id)))
            .collect();
        let seed = if self.plan.common {
            self.plan.seed
        } else {
            seed(self.plan.seed, &settings)
        };
        Point { id, settings, seed }
    }
}

/// The seed of a point from the sweep's and the point's settings, in whichever order they come. It has 63 bits, so that TOML
/// can hold it.
fn seed(master: u64, settings: &[(String, String)]) -> u64 {
    let mut sorted: Vec<&(String, String)> = settings.iter().collect();
    sorted.sort_unstable();
    let mut text = format!("point\n{master}\n");
    for (path, value) in sorted {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{path}={value}");
    }
    let mut word = [0; 8];
    word.copy_from_slice(&digest(&text)[..8]);
    u64::from_be_bytes(word) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn plan(axes: &[&str]) -> Plan {
        let axes = axes.iter().map(|axis| axis.parse().unwrap()).collect();
        Plan::grid(axes, 5).unwrap()
    }

    fn seeds(plan: &Plan) -> BTreeMap<Vec<(String, String)>, u64> {
        let layout = plan.layout();
        (0..plan.points)
            .map(|id| {
                let mut point = layout.point(id);
                point.settings.sort();
                (point.settings, point.seed)
            })
            .collect()
    }

    #[test]
    fn a_grid_has_every_combination_the_last_axis_fastest() {
        let plan = plan(&["a=1,2", "b=x,y,z"]);
        let layout = plan.layout();
        let found: Vec<String> = (0..plan.points)
            .map(|id| layout.point(id).patches().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            found,
            [
                "a=1 b=x", "a=1 b=y", "a=1 b=z", "a=2 b=x", "a=2 b=y", "a=2 b=z"
            ]
        );
    }

    #[test]
    fn seeds_follow_from_the_settings_alone() {
        let few = seeds(&plan(&["a=1,2", "b=3,4"]));
        let turned = seeds(&plan(&["b=4,9,3.0", "a=2,7,1e0"]));
        assert_eq!(few.len(), 4);
        for (settings, seed) in &few {
            assert_eq!(turned[settings], *seed, "{settings:?}");
        }
        let mut all: Vec<u64> = turned.values().copied().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9, "every point has a seed of its own");
        let other = Plan {
            seed: 6,
            ..plan(&["a=1,2", "b=3,4"])
        };
        assert!(
            seeds(&other)
                .iter()
                .all(|(point, seed)| few[point] != *seed)
        );
        let common = seeds(&plan(&["a=1,2", "b=3,4"]).common(true));
        assert!(common.values().all(|seed| *seed == 5));
    }

    #[test]
    fn what_makes_no_plan_is_refused() {
        let refused = |axes: &[&str], design, points, told: &str| {
            let axes = axes.iter().map(|axis| axis.parse().unwrap()).collect();
            let error = Plan::new(axes, design, points, 1).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        };
        refused(&[], Design::Grid, None, "nothing is varied");
        refused(&["a=1", "a=2"], Design::Grid, None, "varied twice");
        refused(&["a=0..1"], Design::Grid, None, "lo..hi:n");
        refused(&["a=1,2"], Design::Grid, Some(3), "as many points");
        refused(&["a=0..1"], Design::Lhs, None, "number of points");
        refused(&["a=0..1:4"], Design::Lhs, Some(9), "says itself");
        refused(&["a=0..1"], Design::Lhs, Some(0), "from 1 to");
        let many = ["a=0..1:100000", "b=0..1:1000"];
        refused(&many, Design::Grid, None, "from 1 to");
        let axes: Vec<String> = (0..11).map(|k| format!("a{k}=0..1")).collect();
        let axes: Vec<&str> = axes.iter().map(String::as_str).collect();
        refused(&axes, Design::Sobol, Some(4), "at most 10 axes");
    }
}
