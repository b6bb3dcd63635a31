//! R target: raises initial margin, or lowers the limit of positions, while the predicted reproduction number exceeds
//! a target.
//!
//! The reproduction number of a move (1, 2 or 5 %, up or down, the larger) says what share of a move the
//! liquidations it triggers would repeat. While it exceeds the target, a factor
//! grows by the ratio of the two per `response`; below the target it falls alike, to 1 at least and to `cap` at
//! most. The factor multiplies the initial margin; where a `limit` is given, it divides that instead: no order may take a position
//! beyond it, and what is larger already may stay. Maintenance margin of existing positions never moves: the rule
//! slows what is built up, and liquidates nobody.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::ops;
use crate::unit::{Cash, Grid, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the R target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReproductionSettings {
    /// Reproduction number that shouldn't be exceeded, e.g. `0.5`.
    pub target: f64,
    /// The move that it is taken of: 0.01, 0.02 or 0.05.
    #[serde(default = "five_percent")]
    pub within: f64,
    /// Time in which the factor follows the ratio of the number to its target.
    pub response: Span,
    /// Largest factor.
    pub cap: f64,
    /// Largest notional of a position, in settlement currency, while the target is met: it is lowered instead of initial
    /// margin being raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Decimal>,
}

const MOVES: [f64; 3] = [0.01, 0.02, 0.05];

const fn five_percent() -> f64 {
    MOVES[2]
}

impl ReproductionSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.target.is_finite() && self.target > 0.0,
                "target",
                "must be greater than 0",
            ),
            (
                MOVES.contains(&self.within),
                "within",
                "must be 0.01, 0.02 or 0.05",
            ),
            (
                self.response > Span::ZERO,
                "response",
                "must be longer than 0",
            ),
            (
                self.cap.is_finite() && self.cap >= 1.0,
                "cap",
                "must be at least 1",
            ),
            (
                self.limit.is_none_or(|limit| limit > Decimal::ZERO),
                "limit",
                "must be greater than 0",
            ),
        ])
    }
    pub(super) fn build(&self, grid: &Grid) -> ReproductionTarget {
        ReproductionTarget {
            limit: self
                .limit
                .map(|limit| grid.cash(limit).unwrap_or(Cash::MAX)),
            target: self.target,
            place: MOVES.iter().position(|w| *w == self.within).unwrap_or(2),
            response: self.response.as_seconds(),
            most: ops::ln(self.cap),
            raised: 0.0,
        }
    }
}

/// The R target of one market.
#[derive(Clone)]
pub struct ReproductionTarget {
    target: f64,
    place: usize,
    response: f64,
    /// Logarithms of the largest factor and of the present one.
    most: f64,
    raised: f64,
    limit: Option<Cash>,
}

impl Adjustment for ReproductionTarget {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        // An undefined number counts as none.
        let r = 0.0f64
            .max(view.reproduction_down[self.place])
            .max(view.reproduction_up[self.place]);
        // Nothing to trigger and nothing to trade against are both a factor of e.
        let excess = ops::ln((r / self.target).clamp(1e-9, 1e9)).clamp(-1.0, 1.0);
        self.raised = (self.raised + excess * view.dt / self.response).clamp(0.0, self.most);
        if let Some(limit) = self.limit {
            schedule.limit_to(Cash((limit.as_f64() / ops::exp(self.raised)) as i64));
        } else if self.raised > 0.0 {
            schedule.scale(ops::exp(self.raised), 1.0);
        }
    }
    fn name(&self) -> &'static str {
        "r_target"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Rate;

    fn grid() -> Grid {
        Grid::new(1.into(), 1.into(), 1.into()).unwrap()
    }

    #[test]
    fn a_limit_is_lowered_instead_and_no_rate_moves() {
        let mut rule = ReproductionSettings {
            target: 0.5,
            within: 0.01,
            response: Span::seconds(10.0),
            cap: 4.0,
            limit: Some(1_000_000.into()),
        }
        .build(&grid());
        let mut limits = Vec::new();
        for r in [0.2, 1.0, 9.0, 0.0] {
            let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
            let before = schedule.levels(0.0);
            for _ in 0..20 {
                let view = RiskView {
                    dt: 1.0,
                    reproduction_up: [r, 0.0, 0.0],
                    ..RiskView::default()
                };
                schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
                rule.adjust(&view, &mut schedule);
            }
            assert_eq!(schedule.levels(0.0), before);
            limits.push(schedule.limit());
        }
        // Twice the target for two response times: a fourth.
        assert_eq!(limits[0], Cash(1_000_000));
        assert!((limits[1].0 - 250_000).abs() <= 1, "{limits:?}");
        assert!(
            (limits[2].0 - 250_000).abs() <= 1 && limits[3] == Cash(1_000_000),
            "{limits:?}"
        );
    }

    #[test]
    fn initial_margin_rises_above_the_target_falls_below_it_and_maintenance_stays() {
        let mut rule = ReproductionSettings {
            target: 0.5,
            within: 0.05,
            response: Span::seconds(10.0),
            cap: 2.0,
            limit: None,
        }
        .build(&grid());
        let mut run = |r: f64, steps: u32| {
            let mut initial = 0.0;
            for _ in 0..steps {
                let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
                let view = RiskView {
                    dt: 1.0,
                    reproduction_down: [0.0, 0.0, r],
                    ..RiskView::default()
                };
                rule.adjust(&view, &mut schedule);
                assert_eq!(schedule.level(), Rate::from_f64(0.01));
                initial = schedule.initial_level().as_f64();
            }
            initial
        };
        assert_eq!(run(0.3, 20), 0.02);
        let raised = run(1.0, 5);
        assert!((raised - 0.02 * 2f64.sqrt()).abs() < 1e-8, "{raised}");
        assert!((run(f64::INFINITY, 30) - 0.04).abs() < 1e-8);
        assert!((run(0.0, 30) - 0.02).abs() < 1e-8);
    }
}
