//! Long-lookback floor: no rate below what the volatility of a long past would ask.
//!
//! The long variance is an average over `lookback` that starts at a known volatility, so that a run of
//! hours may stand for the end of ten years: `v += (r²/dt − v) · dt / lookback`.
//!
//! # Invariants
//!
//! - `a_rate_is_never_below_its_floor`.
//!
//! # Reference
//!
//! Commission Delegated Regulation (EU) No 153/2013, Article 28(1)(c): margins not lower than with volatility
//! estimated over a ten-year lookback.

use super::Watched;
use super::{Adjustment, Problems, problems};
use crate::margin::estimator::normal_quantile;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::ops;
use crate::unit::Span;
use crate::unit::span::YEAR;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the long-lookback floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongLookbackSettings {
    /// Length of the past that is looked back on.
    #[serde(default = "ten_years")]
    pub lookback: Span,
    /// Volatility of that past, annualised (365 days).
    pub volatility: f64,
    /// Share of losses that the floor covers.
    pub confidence: f64,
    /// Close-out period.
    pub horizon: Span,
    /// Which price is watched.
    #[serde(default)]
    pub of: Watched,
}

fn ten_years() -> Span {
    Span::seconds(10.0 * YEAR)
}

impl LongLookbackSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.lookback > Span::ZERO,
                "lookback",
                "must be longer than 0",
            ),
            (
                self.volatility.is_finite() && self.volatility > 0.0,
                "volatility",
                "must be greater than 0",
            ),
            (
                (0.5..1.0).contains(&self.confidence),
                "confidence",
                "must be at least 0.5 and below 1",
            ),
            (
                self.horizon > Span::ZERO && self.horizon < Span::NEVER,
                "horizon",
                "must be longer than 0 and not forever",
            ),
        ])
    }
    pub(super) fn build(&self) -> LongLookback {
        LongLookback {
            variance: self.volatility * self.volatility / YEAR,
            last: None,
            settings: self.clone(),
        }
    }
}

/// The long-lookback floor of one market.
#[derive(Clone)]
pub struct LongLookback {
    /// Per second.
    variance: f64,
    last: Option<f64>,
    settings: LongLookbackSettings,
}

impl Adjustment for LongLookback {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let price = match self.settings.of {
            Watched::Mark => view.mark,
            Watched::Index => view.index,
        };
        if let Some(last) = self.last {
            let moved = ops::ln(price / last);
            let weight = (view.dt / self.settings.lookback.as_seconds()).min(1.0);
            self.variance += (moved * moved / view.dt - self.variance) * weight;
        }
        self.last = Some(price);
        let deviation = (self.variance * self.settings.horizon.as_seconds()).sqrt();
        let floor = normal_quantile(self.settings.confidence, deviation).min(1.0);
        let asked = schedule.level().as_f64();
        if asked > 0.0 && asked < floor {
            // Rates are held to 10⁻⁹ and rounded down: one unit more keeps the floor.
            let factor = (floor + 1e-9) / asked;
            schedule.scale(factor, factor);
        }
    }
    fn name(&self) -> &'static str {
        "long_lookback"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rate_is_never_below_its_floor(asked in prop::collection::vec(0.0001f64..0.5, 1..100)) {
            let mut adjust = LongLookbackSettings {
                lookback: ten_years(), volatility: 0.73, confidence: 0.99, horizon: Span::seconds(86_400.0), of: Watched::Index,
            }.build();
            // 2.326348 · 0.73 / √365 = 8.889 %; the price of the test stands still and hardly lowers it.
            for (charged, asked) in levels(&mut adjust, &asked).iter().zip(&asked) {
                prop_assert!(*charged >= 0.0888 && *charged >= asked - 2e-9);
            }
        }
    }
}
