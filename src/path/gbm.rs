//! Geometric Brownian motion.
//!
//! `d ln S = (μ − σ²/2) dt + σ dW`, exact at any step length; `E[S_t] = S_0 · exp(μ t)`.
//!
//! # Reference
//!
//! Samuelson, P. A. (1965), "Rational theory of warrant pricing", Industrial Management Review 6.

use super::{Frame, PricePath, Problem, finite, not_negative};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `gbm = { drift, volatility }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gbm {
    /// Growth of the expected price per year; 0 unless said.
    #[serde(default)]
    pub drift: f64,
    /// Volatility per year: 0.8 is 80 %.
    pub volatility: f64,
}

impl Gbm {
    /// Everything that keeps these settings from being run.
    pub fn problems(&self) -> Vec<Problem> {
        [
            finite("drift", self.drift),
            not_negative("volatility", self.volatility),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl PricePath for Gbm {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        let years = frame.grid.years();
        let drift = (self.drift - 0.5 * self.volatility * self.volatility) * years;
        let sigma = self.volatility * years.sqrt();
        frame.walk(out, |step| drift + sigma * frame.normal(step));
    }
}
