//! Running estimates: exponentially weighted mean and variance, and the moments of a series.

use super::ops;

/// An exponentially weighted moving average with a half-life in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ewma {
    half_life: f64,
    weight: f64,
    sum: f64,
}

impl Ewma {
    /// An average that has seen nothing yet.
    pub const fn new(half_life: f64) -> Self {
        Self {
            half_life,
            weight: 0.0,
            sum: 0.0,
        }
    }
    /// An average that starts at a value, as though it had been seen forever.
    pub fn starting_at(half_life: f64, value: f64) -> Self {
        let mut ewma = Self::new(half_life);
        ewma.weight = 1.0;
        ewma.sum = value;
        ewma
    }
    /// Sees a value that held for `dt` seconds.
    pub fn see(&mut self, value: f64, dt: f64) {
        let kept = ops::halved(dt, self.half_life);
        self.sum = self.sum * kept + value * (1.0 - kept);
        self.weight = self.weight * kept + (1.0 - kept);
    }
    /// What is kept of the past over `dt` seconds.
    pub fn kept(&self, dt: f64) -> f64 {
        ops::halved(dt, self.half_life)
    }
    /// The average so far; zero before anything was seen.
    pub fn mean(&self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        }
    }
}

/// Volatility per √second from log returns, exponentially weighted.
///
/// The squared return of a step of `dt` seconds counts as a variance of r²/dt per second
/// (RiskMetrics with a half-life in seconds instead of a decay per observation).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volatility {
    variance: Ewma,
}

impl Volatility {
    /// An estimator that starts at a known volatility per √second.
    pub fn starting_at(half_life: f64, sigma: f64) -> Self {
        Self {
            variance: Ewma::starting_at(half_life, sigma * sigma),
        }
    }
    /// Sees the log return of a step of `dt` seconds.
    pub fn see(&mut self, log_return: f64, dt: f64) {
        self.variance.see(log_return * log_return / dt, dt);
    }
    /// Volatility per √second.
    pub fn sigma(&self) -> f64 {
        self.variance.mean().max(0.0).sqrt()
    }
}

/// Count, mean and variance of a series, by Welford's recursion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Sees a value.
    pub fn see(&mut self, value: f64) {
        self.n += 1;
        let delta = value - self.mean;
        self.mean += delta / self.n as f64;
        self.squares += delta * (value - self.mean);
    }
    /// How many values were seen.
    pub const fn count(&self) -> u64 {
        self.n
    }
    /// Their mean; zero before anything was seen.
    pub const fn mean(&self) -> f64 {
        self.mean
    }
    /// Their sample variance; zero for fewer than two.
    pub fn variance(&self) -> f64 {
        if self.n < 2 {
            0.0
        } else {
            self.squares / (self.n - 1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_forgets_half_in_a_half_life() {
        let mut ewma = Ewma::starting_at(10.0, 1.0);
        ewma.see(0.0, 10.0);
        assert!((ewma.mean() - 0.5).abs() < 1e-12);
        let mut fresh = Ewma::new(10.0);
        fresh.see(3.0, 1.0);
        assert!((fresh.mean() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn moments_agree_with_the_textbook() {
        let mut moments = Moments::default();
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            moments.see(value);
        }
        assert_eq!(moments.mean(), 5.0);
        assert!((moments.variance() - 32.0 / 7.0).abs() < 1e-12);
    }
}
