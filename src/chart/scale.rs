//! Scales: from data to a share of the axis, and the round values worth a gridline.

#![expect(
    clippy::disallowed_methods,
    reason = "where a line is drawn, not a result"
)]

use super::number;

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub label: String,
}

/// How values are laid along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Equal differences take equal room.
    Linear { low: f64, high: f64 },
    /// Equal ratios take equal room; whatever is at or below `low` sits on the floor.
    Log { low: f64, high: f64 },
}

/// Least and greatest finite value.
pub(super) fn extent<'a>(series: impl IntoIterator<Item = &'a [f64]>) -> Option<(f64, f64)> {
    series
        .into_iter()
        .flatten()
        .filter(|v| v.is_finite())
        .fold(None, |seen, &v| match seen {
            None => Some((v, v)),
            Some((low, high)) => Some((v.min(low), v.max(high))),
        })
}

impl Scale {
    /// A linear scale with a little air at both ends; a single value gets a range around it.
    pub fn around(extent: Option<(f64, f64)>) -> Self {
        let (low, high) = extent.unwrap_or((0.0, 1.0));
        let air = if high > low {
            0.05 * (high - low)
        } else if low == 0.0 {
            1.0
        } else {
            0.01 * low.abs()
        };
        Self::Linear {
            low: low - air,
            high: high + air,
        }
    }

    /// A linear scale from zero; nothing to show gives 0 to 1.
    pub fn from_zero(high: f64) -> Self {
        Self::Linear {
            low: 0.0,
            high: if high > 0.0 && high.is_finite() {
                1.06 * high
            } else {
                1.0
            },
        }
    }

    /// Its two ends and how values lie between them: what a reader of the drawing needs to turn a place into a number.
    pub fn told(self) -> String {
        match self {
            Self::Linear { low, high } => format!("{low} {high} linear"),
            Self::Log { low, high } => format!("{low} {high} log"),
        }
    }

    /// Where a value sits, 0 at the low end and 1 at the high end; never outside.
    pub fn share(self, value: f64) -> f64 {
        let (low, high, value) = match self {
            Self::Linear { low, high } => (low, high, value),
            Self::Log { low, high } => (low.ln(), high.ln(), value.max(low).ln()),
        };
        if value.is_nan() || high <= low {
            return 0.0;
        }
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Round values, about as many as wanted.
    pub fn values(self, wanted: usize) -> (Vec<f64>, f64) {
        match self {
            Self::Linear { low, high } => {
                let step = round_step((high - low) / wanted.max(1) as f64);
                (multiples(low, high, step), step)
            }
            Self::Log { low, high } => {
                let first = low.log10().floor() as i32;
                let last = high.log10().ceil() as i32;
                let every = ((last - first) as usize / wanted.max(1)).max(1);
                let mut values: Vec<f64> = (first..=last)
                    .filter(|e| e.rem_euclid(every as i32) == 0)
                    .map(|e| 10f64.powi(e))
                    .collect();
                if values.len() <= wanted / 2 {
                    values = (first..=last)
                        .flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)))
                        .collect();
                }
                values.retain(|v| (low * 0.999_999..=high * 1.000_001).contains(v));
                (values, 0.0)
            }
        }
    }

    /// Labelled round values; `suffixed` writes k, M, bn.
    pub fn ticks(self, wanted: usize, suffixed: bool) -> Vec<Tick> {
        let (values, step) = self.values(wanted);
        let labels = match self {
            Self::Linear { .. } => number::tick_labels(&values, step, suffixed),
            Self::Log { .. } => values
                .iter()
                .map(|&v| number::grouped(v, number::decimals_of(v)))
                .collect(),
        };
        values
            .into_iter()
            .zip(labels)
            .map(|(value, label)| Tick { value, label })
            .collect()
    }
}

/// The least of 1, 2, 2.5, 5 times a power of ten that is not much below the raw step.
pub(super) fn round_step(raw: f64) -> f64 {
    if !(raw.is_finite() && raw > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&step| step >= 0.8 * raw)
        .unwrap_or(10.0 * power)
}

/// Multiples of a step within a range.
pub(super) fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let count = (last - first).clamp(-1.0, 200.0) as i64;
    // Adding zero turns −0 into 0.
    (0..=count)
        .map(|i| (first + i as f64) * step + 0.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(round_step(0.9), 1.0);
        assert_eq!(round_step(2_100.0), 2_000.0);
        assert_eq!(round_step(0.0), 1.0);
        assert_eq!(round_step(f64::INFINITY), 1.0);
    }

    #[test]
    fn single_and_missing_values_have_a_range() {
        assert_eq!(
            Scale::around(Some((100.0, 100.0))),
            Scale::Linear {
                low: 99.0,
                high: 101.0
            }
        );
        for scale in [
            Scale::around(None),
            Scale::around(Some((0.0, 0.0))),
            Scale::from_zero(0.0),
            Scale::from_zero(f64::NAN),
        ] {
            assert!(!scale.ticks(5, true).is_empty());
            assert!((0.0..=1.0).contains(&scale.share(0.3)));
        }
        assert_eq!(extent([[f64::NAN, f64::INFINITY].as_slice()]), None);
        assert_eq!(
            extent([[2.0, f64::NAN].as_slice(), &[-1.0]]),
            Some((-1.0, 2.0))
        );
    }

    #[test]
    fn logarithmic_floor_takes_zero() {
        let scale = Scale::Log {
            low: 0.01,
            high: 100.0,
        };
        assert_eq!(scale.share(0.0), 0.0);
        assert!((scale.share(1.0) - 0.5).abs() < 1e-12);
        assert_eq!(scale.share(f64::INFINITY), 1.0);
        let labels: Vec<String> = scale.ticks(5, false).into_iter().map(|t| t.label).collect();
        assert_eq!(labels, ["0.01", "0.1", "1", "10", "100"]);
    }

    #[test]
    fn ticks_lie_in_the_range() {
        let scale = Scale::around(Some((107_300.0, 121_900.0)));
        let ticks = scale.ticks(6, false);
        assert!((4..=7).contains(&ticks.len()));
        assert_eq!(ticks[0].label, "107,500");
    }
}
