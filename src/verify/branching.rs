//! Cascades as a branching process: triggers that are a Poisson process over prices.
//!
//! Positions of equal size, at a rate ν a unit of price, each moving the price by κ q: the liquidations that a first fall
//! D₀ brings about are a Galton–Watson process of Poisson offspring with mean R = ν κ q and a Poisson number
//! m₀ = ν D₀ of founders, since disjoint intervals are independent. Their number has the Borel–Tanner law
//! `P(N = n) = m₀ (m₀ + nR)ⁿ⁻¹ e^(−m₀ − nR) / n!`, of mean m₀ / (1 − R) and variance m₀ / (1 − R)³; neither the order nor
//! the batches in which accounts are closed change it. With exponential sizes the variance is m₀ (1 + R²) / (1 − R)³.
//!
//! Every run is a world of its own. Triggers are drawn from the top: where a cascade takes all of them, the same draws
//! go on.
//!
//! # Reference
//!
//! Consul, P. C. and Jain, G. C. (1973), "A generalization of the Poisson distribution", Technometrics 15, for the law
//! and its cumulants, from which the bands of the moments are taken: κ₃ = m₀ (1 + 2R) / (1 − R)⁵,
//! κ₄ = m₀ (1 + 8R + 6R²) / (1 − R)⁷.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::market::Contract;
use crate::math::{Draws, Purpose, ops};
use crate::scenario::Prepared;
use crate::trader::population::Holding;
use crate::unit::{Lots, Ticks};
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Borel–Tanner.
pub const FAMILY: Family = Family {
    name: "branching",
    title: "Poisson triggers: the number of liquidations has the Borel–Tanner law",
    source: "derived; Consul and Jain 1973",
    ground: Ground::Engine,
    run,
};

pub(super) const TEXT: &str = include_str!("../../configs/theory/branching.toml");
pub(super) const START: i64 = 10_000_000;
/// Ticks by which a liquidation of mean size moves the price.
pub(super) const MOVE: f64 = 1_000.0;
const SEED: u64 = 43;

/// How large positions are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Size {
    /// A lot each.
    Equal,
    /// In lots, of a mean of so many.
    Exponential(f64),
}

/// P(N = n).
fn law(m0: f64, r: f64, n: u32) -> f64 {
    let (n, rate) = (f64::from(n), m0 + f64::from(n) * r);
    ops::exp(ops::ln(m0) + (n - 1.0) * ops::ln(rate) - rate - ops::ln_gamma(n + 1.0))
}

/// Settings for so many expected founders.
pub(super) fn prepared_text(m0: f64, r: f64, size: Size) -> [String; 2] {
    let mean = match size {
        Size::Equal => 1.0,
        Size::Exponential(mean) => mean,
    };
    // ν = R / MOVE a tick, D₀ = m₀ / ν.
    [
        format!("shock.0.size={:e}", -m0 * MOVE / r / START as f64),
        format!(
            "market.X.venue.impact.law.linear.ticks_per_lot={}",
            MOVE / mean
        ),
    ]
}

/// Longs that entered at the start.
pub(super) const fn longs(contract: Contract) -> Longs {
    Longs {
        contract,
        entry: Ticks(START),
        maintenance: 0.05,
    }
}

/// The positions of a run: the first `count` triggers from the top.
pub(super) fn positions(longs: &Longs, run: u64, r: f64, size: Size, count: usize) -> Vec<Holding> {
    let mut gaps = Draws::new(SEED, run).stream(Purpose::Custom, 0, 0);
    let mut sizes = Draws::new(SEED, run).stream(Purpose::Custom, 1, 0);
    let mut below = 0.0;
    (0..count)
        .map(|k| {
            below += gaps.exponential() * MOVE / r;
            let lots = match size {
                Size::Equal => 1,
                Size::Exponential(mean) => (mean * sizes.exponential()).round().max(1.0) as i64,
            };
            longs.at(format!("t{k}"), 0, Lots(lots), START as f64 - below)
        })
        .collect()
}

/// Liquidations of one run.
fn cascade(
    prepared: &Prepared<'_>,
    longs: &Longs,
    run: u64,
    r: f64,
    size: Size,
) -> Result<u32, RunError> {
    let mut count = 12;
    loop {
        let holdings = positions(longs, run, r, size, count);
        let mut world = stage::world(prepared, &holdings)?;
        world.step(&mut ())?;
        let liquidations = world.totals().liquidations;
        if (liquidations as usize) < count || count > 1 << 16 {
            return Ok(liquidations);
        }
        count *= 4;
    }
}

/// Liquidations of many runs, in the order of the runs.
fn cascades(m0: f64, r: f64, size: Size, runs: usize) -> Result<Vec<u32>, RunError> {
    let scenario = stage::scenario(TEXT, prepared_text(m0, r, size))?;
    let prepared = scenario.prepare()?;
    let longs = longs(stage::contract(&prepared)?);
    (0..runs as u64)
        .into_par_iter()
        .map(|run| cascade(&prepared, &longs, run, r, size))
        .collect()
}

fn moments(sample: &[u32]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares = sample
        .iter()
        .map(|v| (f64::from(*v) - mean) * (f64::from(*v) - mean));
    (mean, squares.sum::<f64>() / (n - 1.0))
}

/// Pearson's statistic against the law, in bins of at least twenty expected, and its degrees of freedom.
pub(super) fn chi_squared(sample: &[u32], law: impl Fn(u32) -> f64) -> (f64, f64) {
    let n = sample.len() as f64;
    let mut sorted = sample.to_vec();
    sorted.sort_unstable();
    let (mut statistic, mut bins) = (0.0, 0.0);
    let (mut expected, mut observed, mut seen, mut left) = (0.0, 0.0, 0, n);
    for value in 0.. {
        let here = n * law(value);
        expected += here;
        left -= here;
        while seen < sorted.len() && sorted[seen] <= value {
            observed += 1.0;
            seen += 1;
        }
        let last = left < 20.0;
        if last {
            expected += left;
            observed += (sorted.len() - seen) as f64;
        }
        if expected >= 20.0 {
            statistic += (observed - expected) * (observed - expected) / expected;
            bins += 1.0;
            (expected, observed) = (0.0, 0.0);
        }
        if last {
            break;
        }
    }
    (statistic, bins - 1.0)
}

/// The 1 % point of χ².
pub(super) fn critical(freedom: f64) -> f64 {
    point(freedom, 0.01)
}

/// What χ² exceeds with so small a chance.
pub(super) fn point(freedom: f64, chance: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |law| law.inverse_cdf(1.0 - chance))
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let runs = budget.of(100_000, 4_000);
    let n = runs as f64;
    let mut found = Found::default();
    for (m0, r) in [(1.0, 0.5), (1.0, 0.8)] {
        let sample = cascades(m0, r, Size::Equal, runs)?;
        let what = format!("m₀ {m0}, R {r}");
        let note = format!("{runs} runs, band of four standard errors");
        let (mean, variance) = moments(&sample);
        let less = 1.0 - r;
        let (second, fourth) = (
            m0 / (less * less * less),
            m0 * (1.0 + 8.0 * r + 6.0 * r * r) / ops::pow(less, 7.0),
        );
        found
            .line(
                format!("{what}: mean"),
                m0 / less,
                mean,
                Tolerance::Within(4.0 * (second / n).sqrt()),
            )
            .note(&note);
        found
            .line(
                format!("{what}: variance"),
                second,
                variance,
                Tolerance::Within(4.0 * ((fourth + 2.0 * second * second) / n).sqrt()),
            )
            .note(&note);
        let share = |count: usize| count as f64 / n;
        let band = |p: f64| Tolerance::Within(4.0 * (p * (1.0 - p) / n).sqrt());
        for k in 0..6 {
            let p = law(m0, r, k);
            let got = share(sample.iter().filter(|v| **v == k).count());
            found
                .line(format!("{what}: P(N = {k})"), p, got, band(p))
                .note(&note);
        }
        for k in [10, 100] {
            let p = 1.0 - (0..k).map(|n| law(m0, r, n)).sum::<f64>();
            if p * n < 10.0 {
                continue;
            }
            let got = share(sample.iter().filter(|v| **v >= k).count());
            found
                .line(format!("{what}: P(N ≥ {k})"), p, got, band(p))
                .note(&note);
        }
        let (statistic, freedom) = chi_squared(&sample, |n| law(m0, r, n));
        found
            .line(
                format!("{what}: χ² against the law, at most the 1 % point"),
                critical(freedom),
                statistic,
                Tolerance::AtMost,
            )
            .note(format!("{freedom} degrees of freedom"));
        let wrong = if budget.quick { 1.2 * r } else { 1.04 * r };
        let (statistic, freedom) = chi_squared(&sample, |n| law(m0, wrong, n));
        found
            .line(
                format!("{what}: χ² against R = {wrong:.3}, at least the 1 % point"),
                critical(freedom),
                statistic,
                Tolerance::AtLeast,
            )
            .note("a law with a wrong R is found out");
        if r == 0.8 {
            found.plot = Some(tail(&sample, m0, r));
        }
    }
    let (m0, r) = (1.0, 0.5);
    let sample = cascades(m0, r, Size::Exponential(1_000.0), runs)?;
    let (mean, variance) = moments(&sample);
    let second = m0 * (1.0 + r * r) / ((1.0 - r) * (1.0 - r) * (1.0 - r));
    found
        .line(
            format!("exponential sizes, m₀ {m0}, R {r}: mean"),
            m0 / (1.0 - r),
            mean,
            Tolerance::Within(4.0 * (second / n).sqrt()),
        )
        .note(format!("{runs} runs"));
    found
        .line(
            format!("exponential sizes, m₀ {m0}, R {r}: variance"),
            second,
            variance,
            Tolerance::Relative(20.0 / n.sqrt()),
        )
        .note(format!("{runs} runs"));
    Ok(found)
}

/// P(N ≥ n).
fn tail(sample: &[u32], m0: f64, r: f64) -> Plot {
    let n = sample.len() as f64;
    let mut plot = Plot {
        name: format!("Cascades of at least so many liquidations, R = {r}"),
        x_name: "liquidations".to_owned(),
        y_name: "share of runs".to_owned(),
        log: [true, true],
        ..Plot::default()
    };
    let mut left = 1.0;
    for k in 0..=200_u32 {
        let at_least = sample.iter().filter(|v| **v >= k).count() as f64 / n;
        if k > 0 {
            plot.expected.push([f64::from(k), left]);
            if at_least > 0.0 {
                plot.got.push([f64::from(k), at_least]);
            }
        }
        left -= law(m0, r, k);
    }
    plot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_has_the_published_values() {
        for (r, values, ten) in [
            (0.5, [0.367_879, 0.223_130, 0.135_335, 0.085_505], 0.027_539),
            (0.8, [0.367_879, 0.165_299, 0.096_556, 0.064_299], 0.140_780),
        ] {
            for (n, value) in values.iter().enumerate() {
                assert!((law(1.0, r, n as u32) - value).abs() < 1e-6);
            }
            let above = 1.0 - (0..10).map(|n| law(1.0, r, n)).sum::<f64>();
            assert!((above - ten).abs() < 1e-6);
        }
    }
}
