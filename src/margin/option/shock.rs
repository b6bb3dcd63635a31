//! How a scan moves volatilities.
//!
//! # Invariants
//!
//! - `deviations_rise_with_volatility_and_time`: what a safe range relies on. Powers above one half would break it and are refused.
//!
//! # Reference
//!
//! Deribit, "Portfolio margin": `v (1 + up (30/days)^p)`, p = 0.30 within 30 days and 0.13 beyond, at least 50 %; `v (1 − down (30/days)^p)`
//! (the page prints a plus there). Derive's `PMRMLib_2` has the same with a floor on the days, and the turn of the skew.

use super::table::{VolatilityMove, toward_expiry};
use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The moves of volatilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VolatilityShock {
    /// Rise at 30 days to expiry, as a share of the volatility.
    pub up: f64,
    /// Fall at 30 days to expiry, as a share of the volatility.
    pub down: f64,
    /// Points instead of shares: 0.38 lifts a volatility of 60 % to 98 %.
    pub points: bool,
    /// Power of 30 over the days left, within 30 days: 0 to 0.5.
    pub short_power: f64,
    /// The same beyond 30 days.
    pub long_power: f64,
    /// The least volatility after a rise.
    pub least_up: f64,
    /// Days below which the moves grow no further.
    pub least_days: f64,
    /// Largest turn of the skew, as a share of the volatility.
    pub skew: f64,
    /// Largest bend of the smile, as a share of the volatility.
    pub smile: f64,
    /// Distance from the forward, in multiples of √T, at which turn and bend are whole.
    pub wing: f64,
}

impl Default for VolatilityShock {
    fn default() -> Self {
        Self {
            up: 0.5,
            down: 0.25,
            points: false,
            short_power: 0.30,
            long_power: 0.13,
            least_up: 0.5,
            least_days: 0.0,
            skew: 0.0,
            smile: 0.0,
            wing: 1.0,
        }
    }
}

impl VolatilityShock {
    /// The moved volatility of an option with so many years left; turns of the skew are [`VolatilityShock::turn`]'s.
    pub fn moved(&self, volatility: f64, years: f64, shock: VolatilityMove) -> f64 {
        let size = |share: f64| {
            let power = if years * 365.0 <= 30.0 {
                self.short_power
            } else {
                self.long_power
            };
            let years = years.max(self.least_days / 365.0);
            let size = if years > 0.0 {
                share * toward_expiry(years, power)
            } else {
                0.0
            };
            if self.points { size } else { size * volatility }
        };
        match shock {
            VolatilityMove::Up => (volatility + size(self.up)).max(self.least_up),
            VolatilityMove::Down => (volatility - size(self.down)).max(0.0),
            VolatilityMove::Same | VolatilityMove::Skew | VolatilityMove::Smile => volatility,
        }
    }

    /// What multiplies a volatility when the skew turns or the smile bends, at a log-moneyness.
    pub fn turn(&self, k: f64, years: f64, shock: VolatilityMove) -> f64 {
        let reach = (self.wing * years.sqrt()).max(1e-6);
        let factor = match shock {
            VolatilityMove::Skew => self.skew * (k / reach).clamp(-1.0, 1.0),
            VolatilityMove::Smile => self.smile * (k.abs() / reach).min(1.0),
            _ => 0.0,
        };
        (1.0 + factor).max(0.0)
    }

    /// The largest distance of [`VolatilityShock::turn`] from one while the log-moneyness is within `reach` of `k`.
    pub fn largest_turn(&self, k: f64, years: f64, reach: f64) -> f64 {
        let share = ((k.abs() + reach) / (self.wing * years.sqrt()).max(1e-6)).min(1.0);
        self.skew.abs().max(self.smile.abs()) * share
    }

    /// What is wrong with it: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (key, found) in [
            ("up", self.up),
            ("down", self.down),
            ("least_up", self.least_up),
            ("least_days", self.least_days),
            ("skew", self.skew),
            ("smile", self.smile),
            ("wing", self.wing),
        ] {
            if !(found >= 0.0 && found.is_finite()) {
                problems.push((
                    key.to_owned(),
                    format!("found {found}, expected a number of 0 or more"),
                ));
            }
        }
        for (key, found) in [
            ("short_power", self.short_power),
            ("long_power", self.long_power),
        ] {
            if !(0.0..=0.5).contains(&found) {
                problems.push((
                    key.to_owned(),
                    format!("found {found}, expected a power from 0 to 0.5"),
                ));
            }
        }
        problems
    }
}

/// `σ√T`.
#[inline]
pub fn deviation(volatility: f64, years: f64) -> f64 {
    volatility * years.max(0.0).sqrt()
}

/// Log-moneyness.
#[inline]
pub fn log_moneyness(strike: f64, forward: f64) -> f64 {
    ops::ln(strike / forward)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn deribits_published_parameters() {
        let shock = VolatilityShock::default();
        let month = 30.0 / 365.0;
        assert!((shock.moved(0.6, month, VolatilityMove::Up) - 0.9).abs() < 1e-12);
        assert!((shock.moved(0.6, month, VolatilityMove::Down) - 0.45).abs() < 1e-12);
        assert_eq!(shock.moved(0.2, month, VolatilityMove::Up), 0.5);
        // 7.5 days: 4^0.30 as much; 120 days: 4^−0.13.
        let up = shock.moved(0.6, 7.5 / 365.0, VolatilityMove::Up);
        assert!((up - 0.6 * (1.0 + 0.5 * ops::pow(4.0, 0.3))).abs() < 1e-12);
        let up = shock.moved(0.6, 120.0 / 365.0, VolatilityMove::Up);
        assert!((up - 0.6 * (1.0 + 0.5 * ops::pow(4.0, -0.13))).abs() < 1e-12);
        // The page of 2018: 38 points at 30 days, the power 0.30.
        let legacy = VolatilityShock {
            points: true,
            up: 0.38,
            down: 0.38,
            least_up: 0.0,
            ..shock
        };
        assert!((legacy.moved(0.6, month, VolatilityMove::Up) - 0.98).abs() < 1e-12);
        let week = legacy.moved(0.6, 15.0 / 365.0, VolatilityMove::Up);
        assert!((week - 0.6 - 0.38 * ops::pow(2.0, 0.3)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn deviations_rise_with_volatility_and_time(
            volatility in 0.05f64..3.0, years in 0.0005f64..2.0, more in 1.0f64..1.5,
            short in 0.0f64..=0.5, long in 0.0f64..=0.5, points in any::<bool>(), least_days in 0.0f64..2.0,
        ) {
            let shock = VolatilityShock { short_power: short, long_power: long, points, least_days, ..Default::default() };
            for to in [VolatilityMove::Up, VolatilityMove::Down, VolatilityMove::Same] {
                let at = |v: f64, t: f64| deviation(shock.moved(v, t, to), t);
                prop_assert!(at(volatility * more, years) >= at(volatility, years) * (1.0 - 1e-12));
                prop_assert!(at(volatility, years * more) >= at(volatility, years) * (1.0 - 1e-12));
            }
        }
    }
}
