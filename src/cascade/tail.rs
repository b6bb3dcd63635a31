//! Laws of cascade sizes, and whether what was found is theirs.
//!
//! # Reference
//!
//! With m₀ first liquidations on average (Poisson) of which each brings about R more (Poisson), their number in all has the
//! generalised Poisson or Borel–Tanner law `P(N = n) = m₀ (m₀ + nR)ⁿ⁻¹ e^(−(m₀ + nR)) / n!` (Consul, Jain 1973), mean
//! m₀ / (1 − R), variance m₀ / (1 − R)³. One tree alone has Borel's law. Power-law tails by maximum
//! likelihood, their beginning by the least Kolmogorov–Smirnov distance, and the test by resampling: Clauset, Shalizi, Newman (2009),
//! "Power-law distributions in empirical data", SIAM Review 51, with their approximation for integers (3.7). Here samples begin where the tail was found
//! to begin; they resample that as well, and so refuse more often.

use crate::math::{Draws, Purpose, ops};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Probability of `n` liquidations in all, from `first` on average and `r` more for each.
pub fn borel_tanner(n: u32, first: f64, r: f64) -> f64 {
    let n = f64::from(n);
    let rate = first + n * r;
    if first <= 0.0 {
        return if n == 0.0 { 1.0 } else { 0.0 };
    }
    ops::exp(ops::ln(first) + (n - 1.0) * ops::ln(rate) - rate - ops::ln_gamma(n + 1.0))
}

/// Probability that one tree has `n` liquidations, each bringing about `r` more on average.
pub fn borel(n: u32, r: f64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let n = f64::from(n);
    let power = if n == 1.0 {
        0.0
    } else {
        (n - 1.0) * ops::ln(r * n)
    };
    ops::exp(power - r * n - ops::ln_gamma(n + 1.0))
}

/// A χ² test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// Σ (found − expected)² / expected.
    pub statistic: f64,
    /// Classes less one, less what was estimated.
    pub freedom: u32,
    /// Probability of as much or more where the law holds.
    pub p: f64,
}

/// Tests the numbers of liquidations of many runs against Borel and Tanner's law; nothing where there are too few for two
/// classes of five expected each.
pub fn test_borel_tanner(counts: &[u32], first: f64, r: f64) -> Option<ChiSquare> {
    chi_square(counts, 0, 0, |n| borel_tanner(n, first, r))
}

/// Tests sizes of trees against Borel's law with `r` estimated from them, 1 − 1 / mean.
pub fn test_borel(sizes: &[u32]) -> Option<(f64, ChiSquare)> {
    let total: f64 = sizes.iter().map(|size| f64::from(*size)).sum();
    let r = 1.0 - sizes.len() as f64 / total;
    let test = chi_square(sizes, 1, 1, |n| borel(n, r))?;
    Some((r, test))
}

/// Classes are single numbers from `least` on, each with at least five expected, and the rest.
fn chi_square(
    found: &[u32],
    least: u32,
    estimated: u32,
    law: impl Fn(u32) -> f64,
) -> Option<ChiSquare> {
    const EXPECTED: f64 = 5.0;
    let count = found.len() as f64;
    let mut sorted = found.to_vec();
    sorted.sort_unstable();
    let (mut statistic, mut classes) = (0.0, 0u32);
    let (mut below, mut at) = (0.0, 0);
    let (mut expected, mut seen) = (0.0, 0.0);
    let mut n = least;
    // Beyond a million nobody expects five of anything.
    while n < 1_000_000 {
        let p = law(n);
        expected += count * p;
        below += p;
        let next = at + sorted[at..].partition_point(|found| *found <= n);
        seen += (next - at) as f64;
        at = next;
        n += 1;
        if count * (1.0 - below) < EXPECTED {
            break;
        }
        if expected >= EXPECTED {
            statistic += (seen - expected) * (seen - expected) / expected;
            classes += 1;
            (expected, seen) = (0.0, 0.0);
        }
    }
    // The rest: what was begun, and all beyond.
    expected += count * (1.0 - below).max(0.0);
    seen += (sorted.len() - at) as f64;
    if expected > 0.0 {
        statistic += (seen - expected) * (seen - expected) / expected;
        classes += 1;
    }
    let freedom = classes
        .checked_sub(1 + estimated)
        .filter(|free| *free > 0)?;
    let p = ChiSquared::new(f64::from(freedom)).ok()?.sf(statistic);
    Some(ChiSquare {
        statistic,
        freedom,
        p,
    })
}

/// A power law fitted to the tail of sizes: `P(N ≥ n) ∝ (n − ½)^(1 − α)` from `least` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerTail {
    /// The exponent of the density, α.
    pub exponent: f64,
    /// Its standard error, (α − 1) / √n.
    pub error: f64,
    /// Where the tail begins.
    pub least: u32,
    /// How many sizes it has.
    pub count: u32,
    /// Kolmogorov–Smirnov distance.
    pub distance: f64,
    /// Probability of as much distance or more where the law holds, by resampling.
    pub p: f64,
}

/// How many samples the test draws.
const SAMPLES: u32 = 200;
/// The fewest sizes that are called a tail.
const TAIL: usize = 20;

/// Fits a power law to the tail of sizes and tests it; nothing where no tail has twenty sizes of two values.
pub fn power_tail(sizes: &[u32]) -> Option<PowerTail> {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let (exponent, least, distance) = fit(&sorted)?;
    let first = sorted.partition_point(|size| *size < least);
    let count = sorted.len() - first;
    let draws = Draws::new(0, 0);
    let mut worse = 0;
    let mut sample = vec![0; count];
    for k in 0..SAMPLES {
        let mut stream = draws.stream(Purpose::Bootstrap, 0, k);
        for size in &mut sample {
            let scale = ops::pow(1.0 - stream.uniform(), -1.0 / (exponent - 1.0));
            *size = ((f64::from(least) - 0.5) * scale + 0.5).min(1e9) as u32;
        }
        sample.sort_unstable();
        if fit_from(&sample).is_some_and(|(_, found)| found >= distance) {
            worse += 1;
        }
    }
    Some(PowerTail {
        exponent,
        error: (exponent - 1.0) / (count as f64).sqrt(),
        least,
        count: count as u32,
        distance,
        p: f64::from(worse) / f64::from(SAMPLES),
    })
}

/// Exponent, beginning and distance of the best tail.
fn fit(sorted: &[u32]) -> Option<(f64, u32, f64)> {
    let mut best: Option<(f64, u32, f64)> = None;
    let mut first = 0;
    while first + TAIL <= sorted.len() {
        let least = sorted[first];
        let tail = &sorted[first..];
        if let Some((exponent, distance)) = fit_from(tail)
            && best.is_none_or(|(_, _, before)| distance < before)
        {
            best = Some((exponent, least, distance));
        }
        first += tail.partition_point(|size| *size <= least);
    }
    best
}

fn fit_from(tail: &[u32]) -> Option<(f64, f64)> {
    let base = f64::from(*tail.first()?) - 0.5;
    let logs: f64 = tail
        .iter()
        .map(|size| ops::ln(f64::from(*size) / base))
        .sum();
    if tail.first() == tail.last() {
        return None;
    }
    let count = tail.len() as f64;
    let exponent = 1.0 + count / logs;
    let mut distance = 0.0f64;
    let mut at = 0;
    while at < tail.len() {
        let size = tail[at];
        let model = ops::pow((f64::from(size) - 0.5) / base, 1.0 - exponent);
        distance = distance.max((1.0 - at as f64 / count - model).abs());
        at += tail[at..].partition_point(|other| *other <= size);
    }
    Some((exponent, distance))
}

/// Share of sizes at least as large, by size: the steps of the tail's distribution.
pub fn ccdf(sizes: &[u32]) -> Vec<(u32, f64)> {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let count = sorted.len() as f64;
    let mut steps = Vec::new();
    let mut at = 0;
    while at < sorted.len() {
        steps.push((sorted[at], (sorted.len() - at) as f64 / count));
        at += sorted[at..].partition_point(|size| *size <= sorted[at]);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_has_its_known_values() {
        for (n, p) in [
            (0, 0.367_879),
            (1, 0.223_130),
            (2, 0.135_335),
            (3, 0.085_505),
            (4, 0.056_010),
            (5, 0.037_762),
        ] {
            assert!((borel_tanner(n, 1.0, 0.5) - p).abs() < 1e-6, "{n}");
        }
        let beyond = |r, from| 1.0 - (0..from).map(|n| borel_tanner(n, 1.0, r)).sum::<f64>();
        assert!((beyond(0.5, 10) - 0.027_539).abs() < 1e-6);
        assert!((beyond(0.8, 100) - 0.001_800_5).abs() < 1e-6);
        // A Poisson number of Borel trees is Borel–Tanner: one tree, one first liquidation.
        let one: f64 = (1..200).map(|n| borel(n, 0.5)).sum();
        assert!((one - 1.0).abs() < 1e-9);
        assert!(
            (borel_tanner(1, 0.7, 0.5) - 0.7 * crate::math::ops::exp(-0.7) * borel(1, 0.5)).abs()
                < 1e-12
        );
    }

    /// Sizes of trees whose liquidations bring about a Poisson number of others.
    fn grown(r: f64, trees: u32) -> Vec<u32> {
        let draws = Draws::new(1, 0);
        (0..trees)
            .map(|tree| {
                let mut stream = draws.stream(Purpose::Custom, tree, 0);
                let (mut size, mut open) = (1u32, 1u32);
                while open > 0 && size < 100_000 {
                    open -= 1;
                    let more = stream.poisson(r);
                    open += more;
                    size += more;
                }
                size
            })
            .collect()
    }

    #[test]
    fn branching_trees_have_borels_law_and_no_power_law() {
        let sizes = grown(0.6, 20_000);
        let (r, test) = test_borel(&sizes).unwrap();
        assert!((r - 0.6).abs() < 0.01, "{r}");
        assert!(test.p > 0.01, "{test:?}");
    }

    #[test]
    fn a_wrong_r_is_rejected() {
        let runs = grown(0.5, 10_000);
        // A tree with one first liquidation: Borel's law, not that of a Poisson number of first ones.
        assert!(test_borel_tanner(&runs, 1.0, 0.5).unwrap().p < 0.01);
    }

    #[test]
    fn a_power_law_is_found_and_a_geometric_one_refused() {
        let draws = Draws::new(3, 0);
        let mut stream = draws.stream(Purpose::Custom, 0, 0);
        let power: Vec<u32> = (0..3_000)
            .map(|_| (5.5 * ops::pow(1.0 - stream.uniform(), -1.0 / 1.5) + 0.5) as u32)
            .collect();
        let tail = power_tail(&power).unwrap();
        assert!(
            (tail.exponent - 2.5).abs() < 4.0 * tail.error.max(0.03),
            "{tail:?}"
        );
        assert!(tail.p > 0.05, "{tail:?}");
        let geometric: Vec<u32> = (0..3_000)
            .map(|_| 1 + (stream.exponential() * 3.0) as u32)
            .collect();
        let tail = power_tail(&geometric).unwrap();
        assert!(tail.p < 0.1 || tail.count < 300, "{tail:?}");
    }

    #[test]
    fn the_share_of_larger_ones_falls_from_one() {
        assert_eq!(ccdf(&[1, 1, 2, 5]), [(1, 1.0), (2, 0.5), (5, 0.25)]);
    }
}
