//! Clustered volatility: GARCH(1,1) over a period, spread evenly over the steps within it.
//!
//! `h' = ω + α r² + β h`, where `h` is the variance of one period and `r` the period's innovation: the sum
//! of its steps' `√(h / n) · z`. `ω = V (1 − α − β)` follows from the long-run variance `V` of a
//! period, so that the long-run volatility is a setting, and no setting contradicts another. The
//! first period has variance `V`. The expected price stays at its start (`−h/2` in log price).
//!
//! # Reference
//!
//! Bollerslev, T. (1986), "Generalized autoregressive conditional heteroskedasticity", Journal of Econometrics
//! 31, equation (1) with p = q = 1; Engle and Mezrich (1996) for the variance target.

use super::moment::YEAR;
use super::{Frame, PricePath, Problem, TimeGrid, not_negative};
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `garch = { alpha, beta, volatility, period }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Garch {
    /// Weight of the last period's squared return.
    pub alpha: f64,
    /// Weight of the last period's variance; alpha + beta must be below 1.
    pub beta: f64,
    /// Long-run volatility per year.
    pub volatility: f64,
    /// The period over which alpha and beta were estimated: a whole number of steps.
    pub period: Span,
}

impl Garch {
    /// Everything that keeps these settings from being run.
    pub fn problems(&self, grid: &TimeGrid) -> Vec<Problem> {
        let mut problems: Vec<_> = [
            not_negative("alpha", self.alpha),
            not_negative("beta", self.beta),
            not_negative("volatility", self.volatility),
        ]
        .into_iter()
        .flatten()
        .collect();
        let persistence = self.alpha + self.beta;
        if problems.is_empty() && persistence >= 1.0 {
            problems.push(Problem::new(
                "alpha",
                format!(
                    "alpha + beta is {persistence}, expected less than 1: otherwise there is no long-run volatility"
                ),
            ));
        }
        let steps = self.period.as_seconds() / grid.dt;
        if !(steps >= 1.0 - 1e-9 && (steps - steps.round()).abs() < 1e-6) {
            problems.push(Problem::new(
                "period",
                format!(
                    "found {}, expected a whole number of steps of {}",
                    self.period,
                    Span::seconds(grid.dt)
                ),
            ));
        }
        problems
    }
}

impl PricePath for Garch {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        let steps = self.period.steps(frame.grid.dt).max(1);
        let long_run = self.volatility * self.volatility * self.period.as_seconds() / YEAR;
        let omega = long_run * (1.0 - self.alpha - self.beta);
        let (mut variance, mut innovation) = (long_run, 0.0);
        frame.walk(out, |step| {
            let share = variance / f64::from(steps);
            let moved = share.sqrt() * frame.normal(step);
            innovation += moved;
            if step.is_multiple_of(steps) {
                variance = omega + self.alpha * innovation * innovation + self.beta * variance;
                innovation = 0.0;
            }
            moved - 0.5 * share
        });
    }
}
