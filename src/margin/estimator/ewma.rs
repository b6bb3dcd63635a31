//! Exponentially weighted variance with normal tails: `σ² ← λσ² + (1 − λ)r²`.
//!
//! # Reference
//!
//! J.P. Morgan/Reuters, RiskMetrics Technical Document (1996), §5.2; margin `z_c · σ · √h`.

use super::{Estimator, Tail, normal_quantile, normal_shortfall};

/// The exponentially weighted estimator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ewma {
    decay: f64,
    variance: f64,
}

impl Ewma {
    /// An estimator with a decay per period that starts at a volatility per period.
    pub const fn new(decay: f64, sigma: f64) -> Self {
        Self {
            decay,
            variance: sigma * sigma,
        }
    }
}

impl Estimator for Ewma {
    fn see(&mut self, ret: f64) {
        self.variance = self.decay * self.variance + (1.0 - self.decay) * ret * ret;
    }
    fn sigma(&self) -> f64 {
        self.variance.sqrt()
    }
    fn quantile(&self, confidence: f64, horizon: f64, _: Tail) -> f64 {
        normal_quantile(confidence, (self.variance * horizon).sqrt())
    }
    fn shortfall(&self, confidence: f64, horizon: f64, _: Tail) -> f64 {
        normal_shortfall(confidence, (self.variance * horizon).sqrt())
    }
    fn name(&self) -> &'static str {
        "ewma"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_response_is_that_of_the_table() {
        // Volatility doubles from 1 to 2: σ after n periods is √(4 − 3λⁿ).
        for (decay, table) in [
            (
                0.97,
                vec![
                    (1, 1.044_03),
                    (5, 1.193_23),
                    (10, 1.337_06),
                    (20, 1.539_04),
                    (30, 1.672_42),
                    (60, 1.875_52),
                ],
            ),
            (
                0.94,
                vec![(1, 1.086_28), (5, 1.341_00), (10, 1.544_07), (20, 1.769_09)],
            ),
        ] {
            let mut model = Ewma::new(decay, 1.0);
            let mut seen = 0;
            for (n, sigma) in table {
                while seen < n {
                    model.see(2.0);
                    seen += 1;
                }
                assert!((model.sigma() - sigma).abs() < 1e-5, "λ = {decay}, n = {n}");
            }
        }
    }

    #[test]
    fn four_percent_a_day_over_two_days_asks_13_16_percent() {
        let asked = Ewma::new(0.97, 0.04).quantile(0.99, 2.0, Tail::Either);
        assert!((asked - 0.131_60).abs() < 1e-5);
    }
}
