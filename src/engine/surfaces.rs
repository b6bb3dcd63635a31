//! Implied volatilities of a world's series, step by step.

use crate::market::option::Series;

/// Implied volatilities, by market.
#[derive(Clone, Debug, Default)]
pub struct Surfaces {
    flat: Vec<f64>,
}

impl Surfaces {
    /// One volatility for every series of a market.
    pub const fn flat(flat: Vec<f64>) -> Self {
        Self { flat }
    }
    /// The volatility of a series under a forward in ticks, at a time in seconds.
    pub fn volatility(&self, series: &Series, _forward: f64, _now: f64) -> f64 {
        self.flat[series.market.index()]
    }
    /// A market's surface moves with its price.
    pub const fn follow(&mut self, _market: usize, _price: f64, _now: f64) {}
}
