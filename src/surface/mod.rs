//! Implied volatility by strike and expiry, and how it moves with the market.
//!
//! A surface has a *shape*, total variance `w(k, T) = σ²T` by log-moneyness and time to expiry, which is checked for arbitrage
//! where it is read; and a small state, moved once a step, which says where the shape lies and how high.
//!
//! | room | what |
//! |---|---|
//! | [`svi`] | Gatheral's SVI of one expiry, and the SSVI surface of all |
//! | [`grid`] | a user's table by expiry and strike, moneyness or delta |
//! | [`fit`] | SVI fitted to quotes |
//! | [`arbitrage`] | butterflies and calendars that would pay for nothing |
//! | [`dynamics`] | stickiness, the response to the price, and implied volatility after realised |
//! | [`settings`] | what a scenario says of it |
//!
//! # Units
//!
//! Volatilities per year of 365 days; times in years to expiry; log-moneyness `k = ln(K/F)`. Strikes and forwards in any one unit.
//!
//! # Invariants
//!
//! - `between_expiries_total_variance_is_linear`: at equal moneyness, so that slices without calendar arbitrage have none between
//!   them; volatility is flat before the first and after the last.
//!
//! # Reference
//!
//! Gatheral, J. and Jacquier, A. (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1).

pub mod arbitrage;
pub mod dynamics;
pub mod fit;
pub mod grid;
pub mod settings;
pub mod svi;

pub use dynamics::{Follow, Response, Stickiness};
pub use settings::SurfaceSettings;
pub use svi::{Ssvi, Svi};

use crate::math::ops;
use dynamics::State;

/// The smallest volatility that a surface answers.
pub const LEAST: f64 = 1e-3;

/// Total variance of one expiry.
#[derive(Clone, Debug, PartialEq)]
pub enum Smile {
    /// The same at every strike.
    Flat(f64),
    /// SVI.
    Svi(Svi),
    /// Points joined by lines.
    Grid(grid::Points),
}

impl Smile {
    /// Total variance at a log-moneyness.
    #[inline]
    pub fn variance(&self, k: f64) -> f64 {
        match self {
            Self::Flat(variance) => *variance,
            Self::Svi(svi) => svi.variance(k),
            Self::Grid(points) => points.variance(k),
        }
    }
}

/// One expiry of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Time to expiry in years; positive.
    pub years: f64,
    /// Total variance over it.
    pub smile: Smile,
}

/// Total variance by log-moneyness and time to expiry.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    slices: Vec<Slice>,
}

impl Shape {
    /// A shape from its slices, at least one, in the order of their expiries.
    ///
    /// # Panics
    ///
    /// Without a slice.
    pub fn new(slices: Vec<Slice>) -> Self {
        assert!(!slices.is_empty(), "a shape has a slice");
        Self { slices }
    }
    /// One volatility for all.
    pub fn flat(volatility: f64) -> Self {
        Self::new(vec![Slice {
            years: 1.0,
            smile: Smile::Flat(volatility * volatility),
        }])
    }
    /// The slices, by expiry.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// Volatility at a log-moneyness and a time to expiry.
    pub fn volatility(&self, k: f64, years: f64) -> f64 {
        let after = self.slices.partition_point(|slice| slice.years < years);
        let flat = |slice: &Slice| slice.smile.variance(k) / slice.years;
        let rate = match (after.checked_sub(1), self.slices.get(after)) {
            (None, Some(first)) => flat(first),
            (Some(last), None) => flat(&self.slices[last]),
            (Some(before), Some(next)) => {
                let before = &self.slices[before];
                let share = (years - before.years) / (next.years - before.years);
                let (low, high) = (before.smile.variance(k), next.smile.variance(k));
                (low + share * (high - low)) / years
            }
            (None, None) => 0.0,
        };
        rate.max(0.0).sqrt().max(LEAST)
    }
}

/// The implied volatilities of one market: a shape, and the state that moves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    shape: Shape,
    state: State,
}

impl Surface {
    /// A surface that lies where the price is `start`.
    pub fn new(
        shape: Shape,
        start: f64,
        stickiness: Stickiness,
        response: Option<Response>,
        follow: Option<Follow>,
    ) -> Self {
        Self {
            shape,
            state: State::new(start, stickiness, response, follow),
        }
    }
    /// Its shape.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Moves the state by one step of `dt` years, at whose end the price is `spot`: once a step, before anything asks.
    pub fn step(&mut self, spot: f64, dt: f64) {
        self.state.step(spot, dt);
    }

    /// Implied volatility of a strike under the forward of its expiry.
    pub fn volatility(&self, years: f64, strike: f64, forward: f64) -> f64 {
        let k = ops::ln(strike / self.state.center(forward));
        let base = self.shape.volatility(k, years);
        if self.state.still() {
            return base;
        }
        let money = self.shape.volatility(0.0, years);
        (base * self.state.factor(money, years)).max(LEAST)
    }

    /// Implied volatility at the money.
    pub fn at_the_money(&self, years: f64, forward: f64) -> f64 {
        self.volatility(years, forward, forward)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_expiries_total_variance_is_linear() {
        let slice = |years: f64, volatility: f64| Slice {
            years,
            smile: Smile::Flat(volatility * volatility * years),
        };
        let shape = Shape::new(vec![slice(0.1, 0.8), slice(0.3, 0.6)]);
        let between = shape.volatility(0.2, 0.2);
        assert!((between * between * 0.2 - 0.5 * (0.064 + 0.108)).abs() < 1e-15);
        assert!((shape.volatility(-1.0, 0.01) - 0.8).abs() < 1e-15);
        assert!((shape.volatility(-1.0, 2.0) - 0.6).abs() < 1e-15);
        assert!((shape.volatility(0.0, 0.3) - 0.6).abs() < 1e-15);
        assert!((Shape::flat(0.7).volatility(0.4, 0.02) - 0.7).abs() < 1e-15);
    }
}
