//! Bars of a user's history: open, high, low, close over equal stretches of time, and the gaps between them.
//!
//! # The rule within a bar
//!
//! A bar says nothing of the order of its extremes. [`Intrabar::Extremes`]: the price is at the open when the bar begins, at the
//! extreme nearer to the open after a quarter of it, at the other extreme after three quarters, and at the close
//! when it ends, joined by straight lines in log price (a tie visits the low first). [`Intrabar::Close`]: a straight
//! line from open to close. At a boundary the new bar's open counts.
//!
//! # Invariants
//!
//! - `a_gap_is_never_bridged_silently`: [`Gaps::Hold`] stays at the last close until trading resumes.

use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// When it begins, in milliseconds since 1970.
    pub open_ms: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Volume; 0 where the file has none.
    pub volume: f64,
}

/// A stretch of missing bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the first missing bar would have begun.
    pub from_ms: i64,
    /// When the last missing bar would have begun.
    pub to_ms: i64,
    /// How many are missing.
    pub missing: u64,
}

/// What the price does where bars are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gaps {
    /// Stays at the last close until the next bar's open, then jumps there.
    #[default]
    Hold,
    /// A straight line in log price from the last close to the next open: an invention, and
    /// reported as one.
    Bridge,
    /// The run is refused.
    Refuse,
}

/// How the price moves within a bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intrabar {
    /// Open, the extreme nearer to it, the other extreme, close.
    #[default]
    Extremes,
    /// Straight from open to close.
    Close,
}

/// Bars in order of time, all of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    bars: Vec<Bar>,
    interval_ms: i64,
    gaps: Vec<Gap>,
}

impl Bars {
    /// Bars of a length, in order; `None` where there are none, the length isn't positive, or two overlap.
    pub fn new(bars: Vec<Bar>, interval_ms: i64) -> Option<Self> {
        if bars.is_empty() || interval_ms <= 0 {
            return None;
        }
        let mut gaps = Vec::new();
        for pair in bars.windows(2) {
            let apart = pair[1].open_ms - pair[0].open_ms;
            if apart < interval_ms {
                return None;
            }
            // Time that no bar covers, in whole or begun bars.
            let missing = (apart - 1) / interval_ms;
            if missing > 0 {
                gaps.push(Gap {
                    from_ms: pair[0].open_ms + interval_ms,
                    to_ms: pair[0].open_ms + missing * interval_ms,
                    missing: missing as u64,
                });
            }
        }
        Some(Self {
            bars,
            interval_ms,
            gaps,
        })
    }

    /// The bars.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }
    /// Their length.
    pub const fn interval_ms(&self) -> i64 {
        self.interval_ms
    }
    /// Stretches of missing bars, in order.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
    /// When the first bar begins.
    pub fn begins_ms(&self) -> i64 {
        self.bars[0].open_ms
    }
    /// When the last bar ends.
    pub fn ends_ms(&self) -> i64 {
        self.bars[self.bars.len() - 1].open_ms + self.interval_ms
    }
    /// The gaps that a stretch of time meets.
    pub fn gaps_within(&self, from_ms: f64, to_ms: f64) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| {
            gap.from_ms as f64 <= to_ms && (gap.to_ms + self.interval_ms) as f64 > from_ms
        })
    }

    /// The price at a time in milliseconds; `None` before the first bar, after the last, and in a gap that is refused.
    pub fn price_at(&self, ms: f64, intrabar: Intrabar, gaps: Gaps) -> Option<f64> {
        let after = self.bars.partition_point(|bar| bar.open_ms as f64 <= ms);
        let bar = &self.bars[after.checked_sub(1)?];
        let share = (ms - bar.open_ms as f64) / self.interval_ms as f64;
        if share <= 1.0 {
            return Some(bar.within(share, intrabar));
        }
        let next = self.bars.get(after)?;
        match gaps {
            Gaps::Hold => Some(bar.close),
            Gaps::Bridge => {
                let closed = (bar.open_ms + self.interval_ms) as f64;
                let share = (ms - closed) / (next.open_ms as f64 - closed);
                Some(between(bar.close, next.open, share))
            }
            Gaps::Refuse => None,
        }
    }
}

impl Bar {
    /// The price after a share of the bar's time.
    fn within(&self, share: f64, intrabar: Intrabar) -> f64 {
        if intrabar == Intrabar::Close {
            return between(self.open, self.close, share);
        }
        let low_first = ops::ln(self.open / self.low) <= ops::ln(self.high / self.open);
        let (first, second) = if low_first {
            (self.low, self.high)
        } else {
            (self.high, self.low)
        };
        if share < 0.25 {
            between(self.open, first, share * 4.0)
        } else if share < 0.75 {
            between(first, second, share * 2.0 - 0.5)
        } else {
            between(second, self.close, share * 4.0 - 3.0)
        }
    }
}

/// A straight line in log price; exact at both ends.
fn between(from: f64, to: f64, share: f64) -> f64 {
    if share <= 0.0 || from == to {
        from
    } else if share >= 1.0 {
        to
    } else {
        from * ops::exp(share * ops::ln(to / from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(minute: i64, open: f64, high: f64, low: f64, close: f64) -> Bar {
        Bar {
            open_ms: minute * 60_000,
            open,
            high,
            low,
            close,
            volume: 0.0,
        }
    }

    #[test]
    fn a_bar_visits_the_nearer_extreme_first() {
        let bars = Bars::new(vec![bar(0, 100.0, 101.0, 90.0, 95.0)], 60_000).unwrap();
        let at = |seconds: f64, intrabar| bars.price_at(seconds * 1e3, intrabar, Gaps::Hold);
        for (seconds, price) in [(0.0, 100.0), (15.0, 101.0), (45.0, 90.0), (60.0, 95.0)] {
            assert_eq!(at(seconds, Intrabar::Extremes), Some(price));
        }
        let middle = at(30.0, Intrabar::Extremes).unwrap();
        assert!((middle - (101.0f64 * 90.0).sqrt()).abs() < 1e-9);
        let middle = at(30.0, Intrabar::Close).unwrap();
        assert!((middle - (100.0f64 * 95.0).sqrt()).abs() < 1e-9);
        assert_eq!(at(-1.0, Intrabar::Close), None);
        assert_eq!(at(61.0, Intrabar::Close), None);
    }

    #[test]
    fn a_gap_is_never_bridged_silently() {
        let bars = Bars::new(
            vec![
                bar(0, 100.0, 100.0, 100.0, 100.0),
                bar(4, 64.0, 64.0, 64.0, 64.0),
            ],
            60_000,
        )
        .unwrap();
        assert_eq!(
            bars.gaps(),
            [Gap {
                from_ms: 60_000,
                to_ms: 180_000,
                missing: 3
            }]
        );
        let at = |gaps| bars.price_at(150_000.0, Intrabar::Extremes, gaps);
        assert_eq!(at(Gaps::Hold), Some(100.0));
        assert!((at(Gaps::Bridge).unwrap() - 80.0).abs() < 1e-9);
        assert_eq!(at(Gaps::Refuse), None);
        assert_eq!(
            bars.price_at(240_000.0, Intrabar::Extremes, Gaps::Refuse),
            Some(64.0)
        );
        assert_eq!(bars.gaps_within(0.0, 59_000.0).count(), 0);
        assert_eq!(bars.gaps_within(0.0, 60_000.0).count(), 1);
        assert_eq!(bars.gaps_within(240_000.0, 300_000.0).count(), 0);
    }

    #[test]
    fn overlapping_bars_are_refused() {
        let twice = vec![bar(0, 1.0, 1.0, 1.0, 1.0), bar(0, 1.0, 1.0, 1.0, 1.0)];
        assert!(Bars::new(twice, 60_000).is_none());
        assert!(Bars::new(Vec::new(), 60_000).is_none());
    }
}
