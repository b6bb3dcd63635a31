//! Jump diffusion: Brownian motion, and jumps of lognormal size at Poisson times.
//!
//! `d ln S = (μ − σ²/2 − λ k) dt + σ dW + dJ`, where a jump adds `N(m, s²)` to the log price and
//! `k = exp(m + s²/2) − 1` is its mean relative size. The compensator `λ k` keeps
//! `E[S_t] = S_0 · exp(μ t)`: with jumps that fall on average, the price drifts up between them.
//! Jumps are each market's own, independent of the other markets'.
//!
//! # Reference
//!
//! Merton, R. C. (1976), "Option pricing when underlying stock returns are discontinuous", Journal of
//! Financial Economics 3, equation (2).

use super::moment::YEAR;
use super::{Frame, PricePath, Problem, finite, not_negative};
use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `merton = { drift, volatility, jump_rate, jump_mean, jump_sigma }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merton {
    /// Growth of the expected price per year, jumps included; 0 unless said.
    #[serde(default)]
    pub drift: f64,
    /// Volatility per year of the part between jumps.
    pub volatility: f64,
    /// Jumps expected per day of 24 hours.
    pub jump_rate: f64,
    /// Mean of a jump in log price: -0.05 is a fall of about 5 %.
    pub jump_mean: f64,
    /// Standard deviation of a jump in log price.
    pub jump_sigma: f64,
}

impl Merton {
    /// Everything that keeps these settings from being run.
    pub fn problems(&self) -> Vec<Problem> {
        [
            finite("drift", self.drift),
            not_negative("volatility", self.volatility),
            not_negative("jump_rate", self.jump_rate),
            finite("jump_mean", self.jump_mean),
            not_negative("jump_sigma", self.jump_sigma),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl PricePath for Merton {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        let years = frame.grid.years();
        let per_step = self.jump_rate * frame.grid.dt / 86_400.0;
        let mean_size = ops::exp(self.jump_mean + 0.5 * self.jump_sigma * self.jump_sigma) - 1.0;
        let compensator = self.jump_rate * (YEAR / 86_400.0) * mean_size;
        let drift = (self.drift - 0.5 * self.volatility * self.volatility - compensator) * years;
        let sigma = self.volatility * years.sqrt();
        frame.walk(out, |step| {
            let mut jumps = frame.jumps(step);
            let count = f64::from(jumps.poisson(per_step));
            // The sum of n normals is one normal.
            let jumped = if count > 0.0 {
                count * self.jump_mean + count.sqrt() * self.jump_sigma * jumps.normal()
            } else {
                0.0
            };
            drift + sigma * frame.normal(step) + jumped
        });
    }
}
