//! Quantiles of a sample.
//!
//! # Reference
//!
//! Hyndman, R. J., Fan, Y. (1996), "Sample quantiles in statistical packages", The American
//! Statistician 50(4): definition 7, linear between order statistics; at one half it is the median.

/// Quantile p of a sample in ascending order; `None` of an empty one.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = p.clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let (low, high) = (
        sorted[below as usize],
        sorted[(below as usize + 1).min(last)],
    );
    // No difference of equal infinities.
    Some(if low == high {
        low
    } else {
        low + (place - below) * (high - low)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sample = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sample, 0.5), Some(3.0));
        assert_eq!(quantile(&sample, 0.0), Some(1.0));
        assert_eq!(quantile(&sample, 1.0), Some(8.0));
        assert_eq!(quantile(&sample, 0.25), Some(1.75));
        assert_eq!(quantile(&[7.0], 0.95), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0, f64::INFINITY], 1.0), Some(f64::INFINITY));
    }
}
