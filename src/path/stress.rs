//! Correlation that rises in falls: two states of the outside world, told apart by what the first market did.
//!
//! While the first market has fallen far enough below its highest of a window, and for a while after, the normals of a step are
//! correlated by `(1 − w)·R + w·S` in place of the scenario's matrix R; S is one throughout unless said, so that w = 1 is a world
//! with a single source of risk. A mix of two correlation matrices is one, whatever w.
//!
//! The first market's own path doesn't depend on any correlation, for the factor is lower triangular: so which state a step is in
//! is known before any other path is laid, whatever generates them.
//!
//! # Units
//!
//! Falls are shares of the highest price of the window; a step is in stress by what was known when it began.
//!
//! # Invariants
//!
//! - `a_mix_is_a_correlation_matrix`: positive semi-definite for every weight.
//! - `a_step_is_stressed_by_what_came_before`: no later price changes a state.
//! - `without_stress_paths_are_the_same_bytes`.
//!
//! # Reference
//!
//! Longin, F. and Solnik, B. (2001), "Extreme correlation of international equity markets": correlations rise in falls and not in
//! rises. The two states are those of Ang, A. and Bekaert, G. (2002), "International asset allocation with regime shifts", with a
//! price that says which in place of a hidden chain.

use super::{Problem, TimeGrid, finite};
use crate::math::linear::{Matrix, NotCorrelation, correlation_factor};
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// `{ fall, window, hold, weight, matrix }`: when markets move together, and how closely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StressSettings {
    /// Fall of the first market that begins it, as a share of its highest outside price of the window.
    pub fall: f64,
    /// How far back that highest price is looked for.
    #[serde(default = "one_hour")]
    pub window: Span,
    /// How long it lasts after the last step with such a fall.
    #[serde(default = "one_hour")]
    pub hold: Span,
    /// How much of the stressed matrix is mixed in: 0 for none, 1 for nothing else.
    #[serde(default = "most")]
    pub weight: f64,
    /// The stressed matrix, in the order of `markets`; one throughout where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Matrix>,
}

fn one_hour() -> Span {
    Span::seconds(3_600.0)
}

const fn most() -> f64 {
    0.9
}

impl StressSettings {
    /// Everything that keeps it from being run among so many markets.
    pub fn problems(&self, markets: usize) -> Vec<Problem> {
        let mut found: Vec<Problem> = [("fall", self.fall), ("weight", self.weight)]
            .into_iter()
            .filter_map(|(field, value)| {
                finite(field, value).or_else(|| {
                    (!(0.0..=1.0).contains(&value))
                        .then(|| Problem::new(field, format!("found {value}, expected 0 to 1")))
                })
            })
            .collect();
        if self.fall == 0.0 {
            found.push(Problem::new(
                "fall",
                "found 0, expected more: with 0 every step is stressed, which `correlation` alone can say",
            ));
        }
        if markets < 2 {
            found.push(Problem::new(
                "fall",
                "there is one market: correlation needs two; leave `stress_correlation` out",
            ));
        }
        if let Some(matrix) = &self.matrix
            && let Err(error) = correlation_factor(matrix, markets)
        {
            found.push(Problem::new("matrix", error.to_string()));
        }
        found
    }

    /// The correlation matrix in stress.
    pub fn mixed(&self, calm: &Matrix) -> Matrix {
        let w = self.weight;
        let row = |(i, row): (usize, &Vec<f64>)| {
            row.iter()
                .enumerate()
                .map(|(j, calm)| {
                    let stressed = self.matrix.as_ref().map_or(1.0, |matrix| matrix[i][j]);
                    if i == j {
                        1.0
                    } else {
                        (1.0 - w) * calm + w * stressed
                    }
                })
                .collect()
        };
        calm.iter().enumerate().map(row).collect()
    }

    /// The factor of the matrix in stress, and which steps it holds in.
    ///
    /// # Errors
    ///
    /// A matrix that isn't a correlation matrix.
    pub fn ready(&self, calm: &Matrix, grid: &TimeGrid) -> Result<Stress, NotCorrelation> {
        Ok(Stress {
            factor: correlation_factor(&self.mixed(calm), calm.len())?,
            fall: self.fall,
            window: self.window.steps(grid.dt).max(1),
            hold: self.hold.steps(grid.dt),
        })
    }
}

/// Correlation in stress, ready to lay paths by.
#[derive(Clone, Debug, PartialEq)]
pub struct Stress {
    /// Lower factor of the matrix.
    pub factor: Matrix,
    fall: f64,
    window: u32,
    hold: u32,
}

impl Stress {
    /// Which steps are stressed, from 1, by the first market's prices from step 0: the move of a step by the prices before it.
    pub fn states(&self, leader: &[f64]) -> Vec<bool> {
        let mut states = Vec::with_capacity(leader.len().saturating_sub(1));
        // Prices of the window that no later one of it exceeds, highest first.
        let mut highest: VecDeque<usize> = VecDeque::new();
        let mut until = 0;
        for (step, price) in leader
            .iter()
            .enumerate()
            .take(leader.len().saturating_sub(1))
        {
            while highest.back().is_some_and(|last| leader[*last] <= *price) {
                highest.pop_back();
            }
            highest.push_back(step);
            while highest
                .front()
                .is_some_and(|first| first + (self.window as usize) < step)
            {
                highest.pop_front();
            }
            let top = highest.front().map_or(*price, |first| leader[*first]);
            if *price <= top * (1.0 - self.fall) {
                until = step + self.hold as usize + 1;
            }
            states.push(step < until);
        }
        states
    }
}
