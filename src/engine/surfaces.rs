//! Implied volatilities of a world's series, step by step.

use crate::market::option::Series;
use crate::surface::Surface;
use crate::unit::span::YEAR;

/// Implied volatilities, by market; none where nothing is listed.
#[derive(Clone, Debug, Default)]
pub struct Surfaces {
    markets: Vec<Option<Surface>>,
    /// Time of the last step, in seconds.
    last: f64,
}

impl Surfaces {
    /// The surfaces of a world's markets, at the start.
    pub const fn new(markets: Vec<Option<Surface>>) -> Self {
        Self { markets, last: 0.0 }
    }

    /// The volatility of a series under a forward in ticks, at a time in seconds.
    pub fn volatility(&self, series: &Series, forward: f64, now: f64) -> f64 {
        self.markets[series.market.index()]
            .as_ref()
            .map_or(f64::NAN, |surface| {
                surface.volatility(series.years(now), series.strike.as_f64(), forward)
            })
    }

    /// Surfaces move with the prices of their markets, in ticks, at a time in seconds.
    pub fn follow(&mut self, prices: impl Iterator<Item = f64>, now: f64) {
        let dt = (now - self.last) / YEAR;
        self.last = now;
        for (surface, price) in self.markets.iter_mut().zip(prices) {
            if let Some(surface) = surface {
                surface.step(price, dt);
            }
        }
    }
}
