//! A user's table of volatilities: points of one expiry, joined by lines of total variance over log-moneyness.
//!
//! Beyond the outermost points volatility is flat. A point by delta lies at `k = s²/2 − s Φ⁻¹(Δ)` with Δ the delta of the call and
//! `s = σ√T` its own.
//!
//! # Invariants
//!
//! - `a_delta_is_the_delta_of_its_strike`.

use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the first number of a point is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The strike, in settlement currency.
    #[default]
    Strike,
    /// The strike over the forward.
    Moneyness,
    /// The delta of the call: 0.25 is the call of a quarter, 0.75 the put of −0.25.
    Delta,
}

/// The points of one expiry.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Log-moneyness and total variance, by log-moneyness.
    points: Vec<(f64, f64)>,
}

impl Points {
    /// Points `[x, volatility]` of an expiry, for a forward in the unit of the strikes; sorted by strike.
    pub fn new(axis: Axis, points: &[[f64; 2]], years: f64, forward: f64) -> Self {
        let mut points: Vec<(f64, f64)> = points
            .iter()
            .map(|&[x, volatility]| {
                let variance = volatility * volatility * years;
                let k = match axis {
                    Axis::Strike => ops::ln(x / forward),
                    Axis::Moneyness => ops::ln(x),
                    Axis::Delta => 0.5 * variance - variance.sqrt() * ops::normal_quantile(x),
                };
                (k, variance)
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { points }
    }
    /// Log-moneyness and total variance of every point.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
    /// Total variance at a log-moneyness.
    pub fn variance(&self, k: f64) -> f64 {
        let after = self.points.partition_point(|point| point.0 < k);
        match (after.checked_sub(1), self.points.get(after)) {
            (Some(before), Some(next)) => {
                let before = self.points[before];
                let share = (k - before.0) / (next.0 - before.0);
                before.1 + share * (next.1 - before.1)
            }
            (None, Some(end)) => end.1,
            (Some(last), None) => self.points[last].1,
            (None, None) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::option::{Right, greeks};

    #[test]
    fn a_delta_is_the_delta_of_its_strike() {
        let years = 30.0 / 365.0;
        let grid = Points::new(
            Axis::Delta,
            &[[0.25, 0.62], [0.5, 0.6], [0.75, 0.68]],
            years,
            1.0,
        );
        for ((k, variance), delta) in grid.points().iter().zip([0.75, 0.5, 0.25]) {
            let volatility = (variance / years).sqrt();
            let found = greeks(1.0, ops::exp(*k), years, volatility, Right::Call).delta;
            assert!((found - delta).abs() < 1e-12, "{found} {delta}");
        }
    }

    #[test]
    fn between_points_lines_and_beyond_them_the_same_volatility() {
        let grid = Points::new(Axis::Strike, &[[120.0, 0.5], [80.0, 0.7]], 1.0, 100.0);
        assert!((grid.variance(ops::ln(0.8)) - 0.49).abs() < 1e-15);
        assert_eq!(grid.variance(-3.0), grid.variance(ops::ln(0.8)));
        assert!((grid.variance(5.0) - 0.25).abs() < 1e-15);
        let middle = 0.5 * (ops::ln(0.8) + ops::ln(1.2));
        assert!((grid.variance(middle) - 0.37).abs() < 1e-12);
        let same = Points::new(Axis::Moneyness, &[[0.8, 0.7], [1.2, 0.5]], 1.0, 100.0);
        assert!((same.variance(0.1) - grid.variance(0.1)).abs() < 1e-15);
    }
}
