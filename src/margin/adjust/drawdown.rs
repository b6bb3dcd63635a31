//! Drawdown: rates rise in proportion to how far the price has come from its extreme.
//!
//! `m = m₀ + χ · d`, with `d = 1 − P / high` for a fall and `d = P / low − 1` for a rise. χ, the
//! *responsiveness*, is in rate per relative move: 0.25 adds a quarter of a percentage point for each
//! per cent of the move. The extremes come back to the price with a half-life, so that the answer fades.
//!
//! This is adaptive margin at its plainest, and the one whose spiral has a closed form. With triggers
//! spread evenly over prices and linear impact, a move is amplified by
//! `A = 1 / (1 − R (1 + χ / (1 − m)))`, R being the reproduction number with margins at rest; at
//! `χ* = (1 − m) (1 / R − 1)` the margin spiral sustains itself.
//!
//! # Reference
//!
//! Brunnermeier and Pedersen, "Market liquidity and funding liquidity", Review of Financial Studies
//! 22(6), 2009: margins that rise with the fall of the price (the margin spiral).

use super::Adjustment;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::ops;
use crate::unit::{Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the drawdown's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawdownSettings {
    /// Rise of the rate over the relative move of the mark, e.g. 0.25.
    pub responsiveness: f64,
    /// Which moves are answered.
    #[serde(default)]
    pub of: Answered,
    /// Half-life with which the extreme comes back to the price, e.g. `"1h"`, or `"never"`.
    #[serde(default = "never")]
    pub half_life: Span,
}

/// The moves that a drawdown's answer looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Falls from the high, which hurt longs.
    #[default]
    Falls,
    /// Rises from the low, which hurt shorts.
    Rises,
    /// The larger of the two.
    Both,
}

const fn never() -> Span {
    Span::NEVER
}

impl DrawdownSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.responsiveness.is_finite() && self.responsiveness >= 0.0) {
            problems.push((
                "responsiveness".to_owned(),
                format!("must not be negative, found {}", self.responsiveness),
            ));
        }
        if self.half_life <= Span::ZERO {
            problems.push(("half_life".to_owned(), "must be longer than 0".to_owned()));
        }
        problems
    }
}

/// The drawdown's answer in one market.
#[derive(Clone)]
pub struct Drawdown {
    settings: DrawdownSettings,
    /// High and low, in ticks; nothing before the first price.
    extremes: Option<[f64; 2]>,
}

impl Drawdown {
    /// The adjustment, which has seen no price yet.
    pub fn new(settings: &DrawdownSettings) -> Self {
        Self {
            settings: settings.clone(),
            extremes: None,
        }
    }
}

impl Adjustment for Drawdown {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let price = view.mark;
        let kept = ops::halved(view.dt, self.settings.half_life.as_seconds());
        let [high, low] = self.extremes.map_or([price; 2], |[high, low]| {
            [
                (price + (high - price) * kept).max(price),
                (price + (low - price) * kept).min(price),
            ]
        });
        self.extremes = Some([high, low]);
        let (fall, rise) = (1.0 - price / high, price / low - 1.0);
        let moved = match self.settings.of {
            Answered::Falls => fall,
            Answered::Rises => rise,
            Answered::Both => fall.max(rise),
        };
        let more = Rate::from_f64((self.settings.responsiveness * moved).min(1.0));
        schedule.raise(more);
    }
    fn name(&self) -> &'static str {
        "drawdown"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(settings: &DrawdownSettings, marks: &[f64]) -> Vec<f64> {
        let mut rule = Drawdown::new(settings);
        marks
            .iter()
            .map(|mark| {
                let view = RiskView {
                    dt: 60.0,
                    mark: *mark,
                    ..RiskView::default()
                };
                let mut schedule = Schedule::flat(Rate::from_f64(0.1), Rate::from_f64(0.05));
                rule.adjust(&view, &mut schedule);
                let bracket = schedule.brackets()[0];
                let added = bracket.maintenance.as_f64() - 0.05;
                assert!((bracket.initial.as_f64() - 0.1 - added).abs() < 2e-9);
                added
            })
            .collect()
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 2e-9, "{found} for {expected}");
        }
    }

    #[test]
    fn rates_rise_by_the_responsiveness_times_the_fall_from_the_high() {
        let settings = DrawdownSettings {
            responsiveness: 0.25,
            of: Answered::Falls,
            half_life: Span::NEVER,
        };
        let marks = [100.0, 90.0, 120.0, 90.0];
        near(&rates(&settings, &marks), &[0.0, 0.025, 0.0, 0.0625]);
        let rises = DrawdownSettings {
            of: Answered::Rises,
            ..settings.clone()
        };
        near(&rates(&rises, &marks), &[0.0, 0.0, 0.25 / 3.0, 0.0]);
        let both = DrawdownSettings {
            of: Answered::Both,
            ..settings
        };
        near(&rates(&both, &marks), &[0.0, 0.025, 0.25 / 3.0, 0.0625]);
    }

    #[test]
    fn the_high_fades_with_its_half_life() {
        let settings = DrawdownSettings {
            responsiveness: 1.0,
            of: Answered::Falls,
            half_life: Span::seconds(60.0),
        };
        // The high is 100, then 95 after a half-life at 90, then 92.5.
        near(
            &rates(&settings, &[100.0, 90.0, 90.0]),
            &[0.0, 1.0 - 90.0 / 95.0, 1.0 - 90.0 / 92.5],
        );
    }
}
