//! Statistics of a series: moments, autocorrelation, tail index, lines fitted to points.
//!
//! # Invariants
//!
//! - `known_series_have_their_known_statistics`; generators with known answers are met where the statistics are used,
//!   in `measure::facts`.

use super::ops;

/// Mean; undefined of nothing.
pub fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// Variance about the mean, over the number of values.
pub fn variance(sample: &[f64]) -> f64 {
    let mean = mean(sample);
    sample.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / sample.len() as f64
}

/// Fourth central moment over the squared second: three of a normal sample.
pub fn kurtosis(sample: &[f64]) -> f64 {
    let mean = mean(sample);
    let (mut second, mut fourth) = (0.0, 0.0);
    for value in sample {
        let square = (value - mean) * (value - mean);
        second += square;
        fourth += square * square;
    }
    fourth * sample.len() as f64 / (second * second)
}

/// Autocorrelations at lags 1 to `most`.
pub fn autocorrelation(sample: &[f64], most: usize) -> Vec<f64> {
    let mean = mean(sample);
    let centred: Vec<f64> = sample.iter().map(|v| v - mean).collect();
    let own: f64 = centred.iter().map(|v| v * v).sum();
    (1..=most.min(sample.len().saturating_sub(1)))
        .map(|lag| {
            let pairs = centred.iter().zip(&centred[lag..]);
            pairs.map(|(a, b)| a * b).sum::<f64>() / own
        })
        .collect()
}

/// Correlation of two series of equal length.
pub fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let (mut both, mut own_x, mut own_y) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        both += (a - mx) * (b - my);
        own_x += (a - mx) * (a - mx);
        own_y += (b - my) * (b - my);
    }
    both / (own_x * own_y).sqrt()
}

/// Slope of the line of least squares.
pub fn slope(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let (mut both, mut own) = (0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        both += (a - mx) * (b - my);
        own += (a - mx) * (a - mx);
    }
    both / own
}

/// Hill's estimate of a tail index, from the largest `count` of the positive values.
pub fn hill(sample: &[f64], count: usize) -> Option<f64> {
    let mut positive: Vec<f64> = sample.iter().copied().filter(|v| *v > 0.0).collect();
    if count == 0 || count >= positive.len() {
        return None;
    }
    let (_, least, _) = positive.select_nth_unstable_by(count, |a, b| b.total_cmp(a));
    let floor = ops::ln(*least);
    // In descending order, so that the sum is the same whatever the selection left.
    let largest = &mut positive[..count];
    largest.sort_unstable_by(|a, b| b.total_cmp(a));
    let sum: f64 = largest.iter().map(|v| ops::ln(*v) - floor).sum();
    (sum > 0.0).then(|| count as f64 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    #[test]
    fn known_series_have_their_known_statistics() {
        assert_eq!(variance(&[1.0, 3.0]), 1.0);
        assert_eq!(kurtosis(&[1.0, -1.0, 1.0, -1.0]), 1.0);
        let turns: Vec<f64> = (0..1_000).map(|k| f64::from(1 - 2 * (k % 2))).collect();
        let acf = autocorrelation(&turns, 2);
        assert!((acf[0] + 0.999).abs() < 1e-9 && (acf[1] - 0.998).abs() < 1e-9);
        let x = [0.0, 1.0, 2.0];
        assert_eq!(slope(&x, &[1.0, 3.0, 5.0]), 2.0);
        assert!((correlation(&x, &[5.0, 3.0, 1.0]) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_pareto_tail_has_its_index() {
        let mut stream = Draws::new(1, 0).stream(Purpose::Custom, 0, 0);
        let sample: Vec<f64> = (0..200_000)
            .map(|_| ops::pow(stream.uniform(), -1.0 / 3.0))
            .collect();
        let found = hill(&sample, 10_000).unwrap();
        assert!((found - 3.0).abs() < 0.12, "{found}");
        assert_eq!(hill(&[1.0, 2.0], 2), None);
        assert_eq!(hill(&[-1.0, -2.0, -3.0], 1), None);
    }
}
