//! Volatility scaling: rates × clamp((σ_fast / σ_slow)^exponent, floor, cap).
//!
//! Both volatilities are exponentially weighted estimates of the same price's log returns. In
//! calm the ratio hovers around one; when volatility jumps, the fast estimate leads and rates
//! rise, with them the margin calls: the adaptive rule whose feedback this simulator measures.
//!
//! # Reference
//!
//! The step response of an EWMA is in J.P. Morgan/Reuters, RiskMetrics Technical Document (1996), §5.3.

use super::Adjustment;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::estimate::Volatility;
use crate::math::ops;
use crate::unit::Span;
use crate::unit::span::YEAR;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of volatility scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilitySettings {
    /// Half-life of the fast estimate, e.g. `"5m"`.
    pub fast: Span,
    /// Half-life of the slow estimate, e.g. `"1d"`.
    pub slow: Span,
    /// Volatility at which both estimates start, annualised (365 days), e.g. `0.6`.
    pub initial: f64,
    /// Smallest factor; 1 never lowers a rate.
    #[serde(default = "one")]
    pub floor: f64,
    /// Largest factor.
    pub cap: f64,
    /// Power of the ratio.
    #[serde(default = "one")]
    pub exponent: f64,
    /// Which price is watched.
    #[serde(default)]
    pub of: Watched,
}

/// The price whose volatility is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// The mark, which the rule's own liquidations move: the loop is closed.
    #[default]
    Mark,
    /// The index.
    Index,
}

const fn one() -> f64 {
    1.0
}

impl VolatilitySettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: &str, text: String| {
            if !ok {
                problems.push((key.to_owned(), text));
            }
        };
        let (fast, slow) = (self.fast.as_seconds(), self.slow.as_seconds());
        check(
            fast > 0.0 && fast < slow,
            "fast",
            format!(
                "must be longer than 0 and shorter than slow, found {} and {}",
                self.fast, self.slow
            ),
        );
        check(
            self.initial.is_finite() && self.initial > 0.0,
            "initial",
            format!(
                "an annualised volatility must be greater than 0, found {}",
                self.initial
            ),
        );
        check(
            self.floor.is_finite() && self.floor > 0.0,
            "floor",
            format!("must be greater than 0, found {}", self.floor),
        );
        check(
            self.cap.is_finite() && self.cap >= self.floor,
            "cap",
            format!(
                "must not be below floor ({}), found {}",
                self.floor, self.cap
            ),
        );
        check(
            self.exponent.is_finite() && self.exponent >= 0.0,
            "exponent",
            format!("must not be negative, found {}", self.exponent),
        );
        problems
    }
}

/// Volatility scaling of one market.
#[derive(Clone)]
pub struct VolatilityScaling {
    fast: Volatility,
    slow: Volatility,
    last: Option<f64>,
    settings: VolatilitySettings,
}

impl VolatilityScaling {
    /// The adjustment, with both estimates at the initial volatility.
    pub fn new(settings: &VolatilitySettings) -> Self {
        let sigma = settings.initial / YEAR.sqrt();
        Self {
            fast: Volatility::starting_at(settings.fast.as_seconds(), sigma),
            slow: Volatility::starting_at(settings.slow.as_seconds(), sigma),
            last: None,
            settings: settings.clone(),
        }
    }
}

impl Adjustment for VolatilityScaling {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let price = match self.settings.of {
            Watched::Mark => view.mark,
            Watched::Index => view.index,
        };
        if let Some(last) = self.last {
            let moved = ops::ln(price / last);
            self.fast.see(moved, view.dt);
            self.slow.see(moved, view.dt);
        }
        self.last = Some(price);
        let slow = self.slow.sigma();
        let ratio = if slow > 0.0 {
            self.fast.sigma() / slow
        } else {
            1.0
        };
        let powered = if self.settings.exponent == 1.0 {
            ratio
        } else {
            ops::pow(ratio, self.settings.exponent)
        };
        let factor = powered.clamp(self.settings.floor, self.settings.cap);
        schedule.scale(factor, factor);
    }
    fn name(&self) -> &'static str {
        "volatility"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Rate;

    fn settings() -> VolatilitySettings {
        VolatilitySettings {
            fast: Span::seconds(60.0),
            slow: Span::seconds(86_400.0),
            initial: 0.6,
            floor: 1.0,
            cap: 3.0,
            exponent: 1.0,
            of: Watched::Mark,
        }
    }

    fn run(settings: &VolatilitySettings, moves: &[f64]) -> Vec<Rate> {
        let mut rule = VolatilityScaling::new(settings);
        let base = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
        let mut price = 10_000.0;
        moves
            .iter()
            .map(|step| {
                price *= 1.0 + step;
                let view = RiskView {
                    dt: 1.0,
                    mark: price,
                    index: price,
                    ..RiskView::default()
                };
                let mut schedule = base.clone();
                rule.adjust(&view, &mut schedule);
                schedule.brackets()[0].maintenance
            })
            .collect()
    }

    #[test]
    fn calm_leaves_the_rate_and_a_jump_raises_it_to_the_cap() {
        let calm = run(&settings(), &[0.0; 20]);
        assert!(calm.iter().all(|rate| *rate == Rate::from_f64(0.01)));
        let jump = run(&settings(), &[0.0, 0.0, -0.05]);
        assert_eq!(jump[2], Rate::from_f64(0.03));
    }

    #[test]
    fn the_step_response_is_that_of_an_ewma() {
        // Volatility doubles from 1 to 2: after one half-life σ = √(4 − 3·½) of the old level.
        let sigma = 0.6 / YEAR.sqrt();
        let moves: Vec<f64> = std::iter::once(0.0)
            .chain((0..60).map(|step| {
                let size = ops::exp(2.0 * sigma) - 1.0;
                if step % 2 == 0 {
                    size
                } else {
                    1.0 / (1.0 + size) - 1.0
                }
            }))
            .collect();
        let last = run(&settings(), &moves)[60].as_f64() / 0.01;
        let slow = (4.0 - 3.0 * ops::halved(60.0, 86_400.0)).sqrt();
        assert!((last * slow - 2.5f64.sqrt()).abs() < 1e-3, "{last}");
    }

    #[test]
    fn problems_name_their_key() {
        let bad = VolatilitySettings {
            fast: Span::seconds(10.0),
            slow: Span::seconds(5.0),
            cap: 0.5,
            ..settings()
        };
        let keys: Vec<String> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["fast", "cap"]);
    }
}
