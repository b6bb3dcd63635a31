//! How much a margin moves with the cycle: across it, and within a few periods.
//!
//! # Units
//!
//! Ratios of margin to margin; a rise of 0.3 is thirty per cent. Periods are counted in the
//! series' own steps.
//!
//! # Reference
//!
//! Murphy, D., Vasios, M., Vause, N. (2014), "An investigation into the procyclicality of
//! risk-based initial margin models", Bank of England Financial Stability Paper 29: peak to trough
//! across the cycle, n-day increase for the short term.

use crate::math::estimate::Moments;
use crate::math::ops;

/// Greatest margin over least; `None` of no margins, or where the least is zero.
pub fn peak_to_trough(margins: &[f64]) -> Option<f64> {
    let least = margins.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = margins.iter().copied().fold(0.0, f64::max);
    (least > 0.0 && least.is_finite()).then(|| greatest / least)
}

/// Largest relative rise over exactly n periods; negative where the margin only fell. `None` where
/// the series is no longer than that.
pub fn largest_rise(margins: &[f64], periods: usize) -> Option<f64> {
    margins
        .iter()
        .zip(margins.get(periods..)?)
        .filter(|(before, _)| **before > 0.0)
        .map(|(before, after)| after / before - 1.0)
        .max_by(f64::total_cmp)
}

/// Standard deviation of the changes of ln margin over n periods, overlapping; `None` of fewer
/// than two changes.
pub fn variability(margins: &[f64], periods: usize) -> Option<f64> {
    let mut moments = Moments::default();
    for (before, after) in margins.iter().zip(margins.get(periods..)?) {
        if *before > 0.0 && *after > 0.0 {
            moments.see(ops::ln(after / before));
        }
    }
    (moments.count() >= 2).then(|| moments.variance().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: [f64; 8] = [100.0, 100.0, 110.0, 130.0, 125.0, 120.0, 90.0, 95.0];

    /// Worked out by hand from the definitions of the reference.
    #[test]
    fn the_golden_series_has_its_published_figures() {
        let near = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?}");
        };
        near(peak_to_trough(&GOLDEN), 1.444444);
        near(largest_rise(&GOLDEN, 1), 0.181818);
        near(largest_rise(&GOLDEN, 2), 0.300000);
    }

    #[test]
    fn short_and_constant_series_have_no_figures_but_the_true_ones() {
        assert_eq!(largest_rise(&GOLDEN, 8), None);
        assert_eq!(largest_rise(&[], 1), None);
        assert_eq!(peak_to_trough(&[]), None);
        assert_eq!(peak_to_trough(&[0.0, 1.0]), None);
        assert_eq!(peak_to_trough(&[0.1; 5]), Some(1.0));
        assert_eq!(largest_rise(&[0.1; 5], 2), Some(0.0));
        assert_eq!(variability(&[0.1; 5], 1), Some(0.0));
        assert_eq!(variability(&[0.1; 2], 1), None);
    }

    #[test]
    fn variability_is_that_of_log_changes() {
        // Changes of +ln 2 and −ln 2: sample standard deviation ln 2 · √2.
        let found = variability(&[1.0, 2.0, 1.0], 1).unwrap();
        assert!((found - std::f64::consts::LN_2 * 2f64.sqrt()).abs() < 1e-12);
    }
}
