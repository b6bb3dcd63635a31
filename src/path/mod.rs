//! Exogenous reference prices: what the outside world thinks a market is worth.
//!
//! A path never sees the market: no generator has a way to ask what was traded. So the whole
//! path of every market is laid down before the first step ([`Paths::lay`]), which also tells how tall a price
//! ladder must be and makes a fork of a run cheap: it shares the path.
//!
//! One generator a file, its settings beside it: [`constant`], [`gbm`], [`merton`], [`garch`],
//! [`waypoints`], [`replay`]. A [`shock`] multiplies whatever a generator gives, and a *severity* s
//! stretches the whole: a price P at step n becomes P(0) · (P(n)/P(0))^s, so that the same crash falls s times as far in log
//! price, on the same way and at the same time.
//!
//! # Units
//!
//! Prices are floats in settlement currency per unit of the base; volatilities and drifts are per
//! year of 365 days of 24 hours; steps are those of a [`TimeGrid`].
//!
//! # Correlation
//!
//! The diffusive part of every generator is driven by one standard normal a step, and the normals
//! of the markets are `L · z` with `L` the lower Cholesky factor of the correlation matrix. So
//! bridges, GBM, GARCH and Merton's diffusion are all correlated; jumps are each market's own.
//! A replay is not random and ignores its normals. In falls the matrix may be another: [`stress`].
//!
//! # Invariants
//!
//! - `a_step_depends_on_its_key_alone`: the normal of a step is a function of (seed, replicate, market, step).
//! - `a_market_added_last_changes_no_other`: `L` is lower triangular, so a market depends on those before
//!   it only.

pub mod bars;
pub mod constant;
pub mod garch;
pub mod gbm;
pub mod merton;
pub mod moment;
pub mod replay;
pub mod shock;
pub mod stress;
pub mod waypoints;

pub use bars::{Bar, Bars, Gap};
pub use moment::{Moment, TimeGrid};
pub use replay::Replay;
pub use shock::{Shock, ShockSettings};
pub use stress::{Stress, StressSettings};

use crate::math::linear::Matrix;
use crate::math::{Draws, Purpose, Stream, ops};
use crate::unit::MarketId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a generator is given to lay one market's path.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The steps of the run.
    pub grid: &'a TimeGrid,
    /// The market.
    pub market: MarketId,
    /// The price at step 0, before shocks.
    pub start: f64,
    normals: &'a [f64],
    draws: &'a Draws,
}

impl Frame<'_> {
    /// The standard normal that moves the price from the step before to this one (from 1), correlated
    /// with the other markets'.
    #[inline]
    pub fn normal(&self, step: u32) -> f64 {
        self.normals[step as usize - 1]
    }
    /// This market's own draws for the jumps of a step.
    #[inline]
    pub fn jumps(&self, step: u32) -> Stream {
        self.draws
            .stream(Purpose::Jump, u32::from(self.market.0), step)
    }
    /// Fills a path from its log increments, step by step from 1.
    pub fn walk(&self, out: &mut [f64], mut increment: impl FnMut(u32) -> f64) {
        let mut log = 0.0;
        out[0] = self.start;
        for (step, price) in (1..).zip(&mut out[1..]) {
            log += increment(step);
            *price = self.start * ops::exp(log);
        }
    }
}

/// A generator of reference prices.
///
/// Promise: never sees the market. Equal frames give equal paths; random numbers come from the
/// frame only, so that a step's value depends on its key and never on the order of calls.
pub trait PricePath: Send + Sync {
    /// Writes the price of every step from 0; `out` has one place more than the grid has steps.
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]);
}

/// Something in the settings that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, relative to the table that holds it: `volatility`, `points[2]`.
    pub field: String,
    /// What was found, what was expected, and the fix where there is one.
    pub message: String,
}

impl Problem {
    /// A problem with one setting.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

pub(crate) fn finite(field: &str, found: f64) -> Option<Problem> {
    (!found.is_finite())
        .then(|| Problem::new(field, format!("found {found}, expected a finite number")))
}

pub(crate) fn not_negative(field: &str, found: f64) -> Option<Problem> {
    (!found.is_finite() || found < 0.0).then(|| {
        Problem::new(
            field,
            format!("found {found}, expected a number of 0 or more"),
        )
    })
}

/// How a market's reference price moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathSettings {
    /// Never moves, but for shocks.
    Constant(constant::Constant),
    /// Geometric Brownian motion.
    Gbm(gbm::Gbm),
    /// Brownian motion and lognormal jumps.
    Merton(merton::Merton),
    /// Clustered volatility: GARCH(1,1).
    Garch(garch::Garch),
    /// Given prices at given times, joined by Brownian bridges.
    Waypoints(waypoints::Waypoints),
    /// A user's history.
    Replay(replay::ReplaySettings),
}

impl PathSettings {
    /// Everything that keeps these settings from being run, for a run of these steps that starts at
    /// this price. The coverage of a replay is checked where its bars are given.
    pub fn problems(&self, grid: &TimeGrid, start: f64, bars: Option<&Bars>) -> Vec<Problem> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Gbm(settings) => settings.problems(),
            Self::Merton(settings) => settings.problems(),
            Self::Garch(settings) => settings.problems(grid),
            Self::Waypoints(settings) => settings.problems(grid, start),
            Self::Replay(settings) => settings.problems(grid, bars),
        }
    }

    /// The price at which these settings would start by themselves: a waypoint at step 0, or what the history
    /// says then.
    pub fn natural_start(&self, grid: &TimeGrid, bars: Option<&Bars>) -> Option<f64> {
        match self {
            Self::Waypoints(settings) => settings.natural_start(grid),
            Self::Replay(settings) => {
                bars?.price_at(grid.time_ms(0), settings.intrabar, settings.gaps)
            }
            _ => None,
        }
    }

    /// The file that these settings replay.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Replay(settings) => Some(&settings.file),
            _ => None,
        }
    }

    /// The generator; nothing for a replay without its bars.
    pub fn generator(&self, bars: Option<Arc<Bars>>) -> Option<Box<dyn PricePath>> {
        Some(match self {
            Self::Constant(settings) => Box::new(settings.clone()),
            Self::Gbm(settings) => Box::new(settings.clone()),
            Self::Merton(settings) => Box::new(settings.clone()),
            Self::Garch(settings) => Box::new(settings.clone()),
            Self::Waypoints(settings) => Box::new(settings.clone()),
            Self::Replay(settings) => Box::new(Replay::new(settings.clone(), bars?)),
        })
    }
}

/// One market's part in the outside world.
pub struct Source<'a> {
    /// The price at step 0, before shocks.
    pub start: f64,
    /// How it moves from there.
    pub generator: &'a dyn PricePath,
    /// What multiplies it.
    pub shocks: Vec<Shock>,
    /// Factor on every log move from the start; 1 leaves the path as it is.
    pub severity: f64,
}

/// A path that left the numbers.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the reference price of market {} is {price} at step {step}: expected a positive finite number; lower its volatility, drift, shocks or severity",
    market.0
)]
pub struct PathError {
    /// The market.
    pub market: MarketId,
    /// The first such step.
    pub step: u32,
    /// What was found.
    pub price: f64,
}

/// The reference prices of every market at every step of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    // One market after the other, each with `length` prices.
    prices: Vec<f64>,
    length: usize,
    stressed: Vec<bool>,
}

impl Paths {
    /// Lays the paths. `factor` is the lower Cholesky factor of the markets' correlation matrix
    /// (`math::linear::correlation_factor`), with one row a market.
    ///
    /// # Errors
    ///
    /// [`PathError`] where a price is zero, infinite or undefined.
    ///
    /// # Panics
    ///
    /// Where the factor has fewer rows than there are markets.
    pub fn lay(
        grid: &TimeGrid,
        sources: &[Source<'_>],
        factor: &Matrix,
        draws: &Draws,
    ) -> Result<Self, PathError> {
        Self::lay_under(grid, sources, factor, None, draws)
    }

    /// The same, with another factor in stress.
    ///
    /// # Errors
    ///
    /// As [`Paths::lay`].
    ///
    /// # Panics
    ///
    /// As [`Paths::lay`].
    pub fn lay_under(
        grid: &TimeGrid,
        sources: &[Source<'_>],
        factor: &Matrix,
        stress: Option<&Stress>,
        draws: &Draws,
    ) -> Result<Self, PathError> {
        let length = grid.steps as usize + 1;
        let raw: Vec<Vec<f64>> = (0..sources.len() as u32)
            .map(|market| {
                (1..=grid.steps)
                    .map(|step| draws.stream(Purpose::Path, market, step).normal())
                    .collect()
            })
            .collect();
        let mut prices = vec![0.0; length * sources.len()];
        let mut normals = vec![0.0; grid.steps as usize];
        let mut stressed = Vec::new();
        for (index, (source, out)) in sources
            .iter()
            .zip(prices.chunks_exact_mut(length))
            .enumerate()
        {
            normals.fill(0.0);
            for (place, (weight, column)) in factor[index][..=index].iter().zip(&raw).enumerate() {
                match stress {
                    // The first market's normals are its own in either state.
                    Some(stress) if index > 0 => {
                        let other = stress.factor[index][place];
                        for ((normal, z), stressed) in normals.iter_mut().zip(column).zip(&stressed)
                        {
                            *normal += if *stressed { other } else { *weight } * z;
                        }
                    }
                    _ => {
                        for (normal, z) in normals.iter_mut().zip(column) {
                            *normal += weight * z;
                        }
                    }
                }
            }
            let market = MarketId(index as u16);
            let frame = Frame {
                grid,
                market,
                start: source.start,
                normals: &normals,
                draws,
            };
            source.generator.fill(&frame, out);
            for (step, price) in (0..).zip(out.iter_mut()) {
                for shock in &source.shocks {
                    *price *= shock.factor(grid.seconds(step));
                }
                if source.severity != 1.0 {
                    *price = source.start * ops::pow(*price / source.start, source.severity);
                }
                if !(price.is_finite() && *price > 0.0) {
                    return Err(PathError {
                        market,
                        step,
                        price: *price,
                    });
                }
            }
            if index == 0
                && let Some(stress) = stress
            {
                stressed = stress.states(out);
            }
        }
        Ok(Self {
            prices,
            length,
            stressed,
        })
    }

    /// Which steps are in stress, from the first; empty where there is none in the settings.
    pub fn stressed(&self) -> &[bool] {
        &self.stressed
    }

    /// The reference price of a market at a step; the last one beyond the end.
    #[inline]
    pub fn price(&self, market: MarketId, step: u32) -> f64 {
        self.series(market)[(step as usize).min(self.length - 1)]
    }
    /// A market's whole path, from step 0.
    pub fn series(&self, market: MarketId) -> &[f64] {
        &self.prices[market.index() * self.length..][..self.length]
    }
    /// The lowest and the highest price of a market's path.
    pub fn range(&self, market: MarketId) -> (f64, f64) {
        self.series(market)
            .iter()
            .fold((f64::INFINITY, 0.0), |(low, high), &price| {
                (low.min(price), high.max(price))
            })
    }
}

#[cfg(test)]
mod tests;
