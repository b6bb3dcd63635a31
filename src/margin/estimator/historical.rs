//! Filtered historical simulation: past returns, each divided by the volatility of its day and
//! multiplied by today's, `r*_i = r_i · σ_t / σ_i`; margins are quantiles of what results.
//!
//! Over a horizon of several periods the standardised returns are summed first, so that the tail of
//! the sum is measured and not scaled up from one period's. The window starts as that of a normal
//! distribution, which history then replaces; a decay of 1 gives plain historical simulation.
//!
//! # Reference
//!
//! Hull, J. and White, A. (1998), "Incorporating volatility updating into the historical simulation
//! method for value-at-risk", Journal of Risk 1(1); Barone-Adesi, G., Giannopoulos, K. and
//! Vosper, L. (1999), "VaR without correlations for portfolios of derivative securities". The
//! filter here is exponentially weighted.

use super::window::Window;
use super::{Estimator, Ewma, Tail};
use crate::math::ops;

/// Filtered historical simulation.
#[derive(Clone, Debug)]
pub struct Historical {
    filter: Ewma,
    /// The last standardised returns, as many as a horizon has.
    recent: Vec<f64>,
    next: usize,
    seen: usize,
    sums: Window,
}

impl Historical {
    /// An estimator with a filter's decay, a starting volatility per period, and a window of `lookback` sums of
    /// `horizon` periods each.
    pub fn new(decay: f64, sigma: f64, lookback: usize, horizon: usize) -> Self {
        let (lookback, horizon) = (lookback.max(2), horizon.max(1));
        // Each stretch of the start is a fair sample, so that nothing tilts while history moves in.
        let stride = coprime(lookback);
        let values = (0..lookback)
            .map(|k| {
                let place = (k * stride) % lookback;
                ops::normal_quantile((place as f64 + 0.5) / lookback as f64)
                    * (horizon as f64).sqrt()
            })
            .collect();
        Self {
            filter: Ewma::new(decay, sigma),
            recent: vec![0.0; horizon],
            next: 0,
            seen: 0,
            sums: Window::filled(values),
        }
    }

    fn scale(&self, horizon: f64) -> f64 {
        self.filter.sigma() * (horizon / self.recent.len() as f64).sqrt()
    }
}

impl Estimator for Historical {
    fn see(&mut self, ret: f64) {
        let sigma = self.filter.sigma();
        let standard = if sigma > 0.0 { ret / sigma } else { 0.0 };
        self.recent[self.next] = standard;
        self.next = (self.next + 1) % self.recent.len();
        self.seen += 1;
        if self.seen >= self.recent.len() {
            self.sums.push(self.recent.iter().sum());
        }
        self.filter.see(ret);
    }
    fn sigma(&self) -> f64 {
        self.filter.sigma()
    }
    fn quantile(&self, confidence: f64, horizon: f64, tail: Tail) -> f64 {
        let long = -self.sums.quantile(1.0 - confidence);
        let short = self.sums.quantile(confidence);
        worse(long, short, tail) * self.scale(horizon)
    }
    fn shortfall(&self, confidence: f64, horizon: f64, tail: Tail) -> f64 {
        let beyond = 1.0 - confidence;
        let long = (-self.sums.mean_below(beyond)).max(-self.sums.quantile(beyond));
        let short = self
            .sums
            .mean_above(beyond)
            .max(self.sums.quantile(confidence));
        worse(long, short, tail) * self.scale(horizon)
    }
    fn name(&self) -> &'static str {
        "fhs"
    }
}

fn worse(long: f64, short: f64, tail: Tail) -> f64 {
    match tail {
        Tail::Long => long,
        Tail::Short => short,
        Tail::Either => long.max(short),
    }
    .max(0.0)
}

/// A number near n/φ that shares no divisor with n.
fn coprime(n: usize) -> usize {
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let near = (n as f64 * 0.618_034) as usize;
    (near.max(1)..).find(|k| gcd(*k, n) == 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    #[test]
    fn it_starts_as_a_normal_distribution() {
        let fresh = Historical::new(0.97, 0.01, 2_000, 1);
        let asked = fresh.quantile(0.99, 4.0, Tail::Either) / 0.02;
        assert!((asked - 2.326).abs() < 0.02, "{asked}");
    }

    #[test]
    fn the_tails_are_told_apart() {
        let mut model = Historical::new(1.0, 1.0, 400, 1);
        for step in 0..400 {
            model.see(if step % 40 == 0 { -8.0 } else { 0.2 });
        }
        assert_eq!(model.quantile(0.99, 1.0, Tail::Long), 8.0);
        assert_eq!(model.quantile(0.99, 1.0, Tail::Short), 0.2);
        assert_eq!(model.quantile(0.99, 1.0, Tail::Either), 8.0);
    }

    #[test]
    fn a_doubled_volatility_doubles_the_margin_at_once_for_old_returns() {
        let mut stream = Draws::new(2, 0).stream(Purpose::Custom, 0, 0);
        let mut model = Historical::new(0.94, 1.0, 1_000, 1);
        for _ in 0..1_000 {
            model.see(stream.normal());
        }
        let (sigma, asked) = (model.sigma(), model.quantile(0.99, 1.0, Tail::Long));
        model.see(0.0);
        let ratio = model.quantile(0.99, 1.0, Tail::Long) / asked;
        assert!((ratio - model.sigma() / sigma).abs() < 0.05);
    }
}
