//! GARCH(1,1) with normal tails: `h ← ω + α r² + β h`, fitted to the last returns by quasi-maximum likelihood.
//!
//! The long-run variance is the sample's (variance targeting), so the fit is over α and β alone;
//! it is COBYLA's (Powell 1994) under `α, β ≥ 0` and `α + β ≤ 1 − 10⁻⁴`. A fit that fails, or a sample
//! without any movement, leaves the parameters as they are.
//!
//! # Reference
//!
//! Bollerslev, T. (1986), "Generalized autoregressive conditional heteroskedasticity", J. Econometrics 31;
//! variance targeting: Engle, R. and Mezrich, J. (1996), "GARCH for groups", Risk 9(8).

use super::{Estimator, Tail, normal_quantile, normal_shortfall};
use crate::math::ops;

const LARGEST_SUM: f64 = 1.0 - 1e-4;
/// Fewer returns than this say too little to fit two parameters.
const LEAST: usize = 100;
const EVALUATIONS: usize = 200;

/// GARCH(1,1).
#[derive(Clone, Debug)]
pub struct Garch {
    alpha: f64,
    beta: f64,
    long_run: f64,
    variance: f64,
    ring: Vec<f64>,
    oldest: usize,
    refit: Option<usize>,
    since: usize,
}

impl Garch {
    /// An estimator that starts with given parameters and a volatility per period, remembers `lookback` returns
    /// and is fitted anew every `refit` periods, or never.
    pub fn new(alpha: f64, beta: f64, sigma: f64, lookback: usize, refit: Option<usize>) -> Self {
        Self {
            alpha,
            beta,
            long_run: sigma * sigma,
            variance: sigma * sigma,
            ring: Vec::with_capacity(if refit.is_some() {
                lookback.max(LEAST)
            } else {
                0
            }),
            oldest: 0,
            refit: refit.map(|every| every.max(1)),
            since: 0,
        }
    }

    /// The parameters `(ω, α, β)` in force.
    pub fn parameters(&self) -> (f64, f64, f64) {
        (
            (1.0 - self.alpha - self.beta) * self.long_run,
            self.alpha,
            self.beta,
        )
    }

    /// Variance of the sum of the coming `horizon` periods.
    fn over(&self, horizon: f64) -> f64 {
        let kept = self.alpha + self.beta;
        if horizon == 1.0 || kept >= 1.0 {
            return self.variance * horizon;
        }
        let transient = (1.0 - ops::pow(kept, horizon)) / (1.0 - kept);
        (horizon * self.long_run + (self.variance - self.long_run) * transient).max(0.0)
    }

    fn remember(&mut self, ret: f64) {
        if self.ring.len() < self.ring.capacity() {
            self.ring.push(ret);
        } else {
            self.ring[self.oldest] = ret;
            self.oldest = (self.oldest + 1) % self.ring.len();
        }
    }

    fn fit(&mut self) {
        let (newer, older) = self.ring.split_at(self.oldest);
        let returns = || older.iter().chain(newer);
        let mean = returns().map(|r| r * r).sum::<f64>() / self.ring.len() as f64;
        if self.ring.len() < LEAST || mean <= 0.0 {
            return;
        }
        let target = |x: &[f64], _: &mut ()| likelihood(returns(), mean, x[0], x[1]);
        let below_one = |x: &[f64], _: &mut ()| LARGEST_SUM - x[0] - x[1];
        let start = [self.alpha, self.beta];
        let fitted = cobyla::minimize(
            target,
            &start,
            &[(0.0, LARGEST_SUM), (0.0, LARGEST_SUM)],
            &[&below_one as &dyn cobyla::Func<()>],
            (),
            EVALUATIONS,
            cobyla::RhoBeg::All(0.05),
            Some(cobyla::StopTols {
                xtol_abs: vec![1e-4; 2],
                ..cobyla::StopTols::default()
            }),
        );
        let found = match fitted {
            Ok((_, found, _)) | Err((_, found, _)) => found,
        };
        let (alpha, beta) = (found[0].max(0.0), found[1].max(0.0));
        let better = likelihood(returns(), mean, alpha, beta)
            <= likelihood(returns(), mean, self.alpha, self.beta);
        if better && alpha + beta < 1.0 {
            (self.alpha, self.beta) = (alpha, beta);
        }
        self.long_run = mean;
        // The state that the new parameters would have come to over the same returns.
        let omega = (1.0 - self.alpha - self.beta) * mean;
        let mut variance = mean;
        for ret in older.iter().chain(newer) {
            variance = omega + self.alpha * ret * ret + self.beta * variance;
        }
        self.variance = variance;
    }
}

/// Twice the negative log-likelihood of normal returns, less its constant, per return.
fn likelihood<'a>(
    returns: impl Iterator<Item = &'a f64>,
    long_run: f64,
    alpha: f64,
    beta: f64,
) -> f64 {
    let omega = 1.0 - alpha - beta;
    // In units of the long-run variance. Variances are multiplied up before the logarithm is taken.
    let mut h = 1.0f64;
    let (mut sum, mut product, mut count) = (0.0, 1.0, 0u32);
    for ret in returns {
        let square = ret * ret / long_run;
        sum += square / h;
        product *= h;
        count += 1;
        if count.is_multiple_of(8) {
            sum += ops::ln(product);
            product = 1.0;
        }
        h = (omega + alpha * square + beta * h).max(1e-12);
    }
    (sum + ops::ln(product)) / f64::from(count.max(1))
}

impl Estimator for Garch {
    fn see(&mut self, ret: f64) {
        let (omega, alpha, beta) = self.parameters();
        self.variance = omega + alpha * ret * ret + beta * self.variance;
        if let Some(every) = self.refit {
            self.remember(ret);
            self.since += 1;
            if self.since >= every && self.ring.len() >= LEAST {
                self.since = 0;
                self.fit();
            }
        }
    }
    fn sigma(&self) -> f64 {
        self.variance.sqrt()
    }
    fn quantile(&self, confidence: f64, horizon: f64, _: Tail) -> f64 {
        normal_quantile(confidence, self.over(horizon).sqrt())
    }
    fn shortfall(&self, confidence: f64, horizon: f64, _: Tail) -> f64 {
        normal_shortfall(confidence, self.over(horizon).sqrt())
    }
    fn name(&self) -> &'static str {
        "garch"
    }
}

/// Tail index of the returns of a GARCH(1,1) with normal innovations, and of any margin in proportion to
/// its volatility: 2k with `E[(α z² + β)^k] = 1`; infinite where the tails are no power law.
///
/// # Reference
///
/// Mikosch, T. and Stărică, C. (2000), "Limit theory for the sample autocorrelations and extremes of
/// a GARCH(1,1) process", Annals of Statistics 28; Glasserman, P. and Wu, Q. (2018), "Persistence
/// and procyclicality in margin requirements", Management Science 64.
pub fn tail_index(alpha: f64, beta: f64) -> f64 {
    // Simpson's rule over z from 0 to 20, twice: the integrand is even.
    const PANELS: u32 = 4_000;
    let width = 20.0 / f64::from(PANELS);
    let moment = |k: f64| {
        let value = |z: f64| {
            ops::exp(k * ops::ln(alpha * z * z + beta) - 0.5 * z * z) / std::f64::consts::TAU.sqrt()
        };
        let inner: f64 = (1..PANELS)
            .map(|step| {
                let weight = if step % 2 == 1 { 4.0 } else { 2.0 };
                weight * value(f64::from(step) * width)
            })
            .sum();
        2.0 * (value(0.0) + inner + value(20.0)) * width / 3.0
    };
    let (mut low, mut high) = (1e-6, 1.0);
    while moment(high) < 1.0 {
        low = high;
        high *= 2.0;
        if high > 64.0 {
            return f64::INFINITY;
        }
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if moment(middle) < 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    #[test]
    fn tail_indices_agree_with_the_quadrature_table() {
        for (alpha, beta, index) in [
            (0.10, 0.85, 9.072),
            (0.10, 0.88, 5.610),
            (0.10, 0.89, 3.991),
            (0.08, 0.90, 7.268),
            (0.05, 0.94, 8.805),
        ] {
            let found = tail_index(alpha, beta);
            assert!((found - index).abs() < 1e-3, "({alpha}, {beta}): {found}");
        }
        assert_eq!(tail_index(0.0, 0.5), f64::INFINITY);
    }

    #[test]
    fn the_fit_finds_the_parameters_of_a_simulated_series() {
        let (omega, alpha, beta) = (2e-6, 0.08, 0.90);
        let mut stream = Draws::new(11, 0).stream(Purpose::Custom, 0, 0);
        let mut variance: f64 = omega / (1.0 - alpha - beta);
        let mut model = Garch::new(0.05, 0.8, variance.sqrt(), 20_000, Some(20_000));
        for _ in 0..20_000 {
            let ret = variance.sqrt() * stream.normal();
            model.see(ret);
            variance = omega + alpha * ret * ret + beta * variance;
        }
        let (w, a, b) = model.parameters();
        assert!((a - alpha).abs() < 0.015, "alpha {a}");
        assert!((b - beta).abs() < 0.02, "beta {b}");
        assert!((w / omega - 1.0).abs() < 0.5, "omega {w}");
        assert!((model.sigma() / variance.sqrt() - 1.0).abs() < 0.05);
    }

    #[test]
    fn variance_over_a_horizon_is_the_sum_of_the_forecasts() {
        let mut model = Garch::new(0.1, 0.85, 0.01, 0, None);
        model.see(0.05);
        let (omega, alpha, beta) = model.parameters();
        let mut forecast = model.sigma() * model.sigma();
        let mut sum = 0.0;
        for _ in 0..7 {
            sum += forecast;
            forecast = omega + (alpha + beta) * forecast;
        }
        assert!((model.over(7.0) / sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_price_that_stands_still_breaks_nothing() {
        let mut model = Garch::new(0.05, 0.94, 0.01, 200, Some(50));
        for _ in 0..1_000 {
            model.see(0.0);
        }
        assert!(model.sigma().is_finite());
    }
}
