//! A history as a margin rule would have lived through it: bar after bar, and what followed on each.
//!
//! # Units
//!
//! Prices in the quote currency; losses as shares of the notional when the margin was set.
//!
//! # Invariants
//!
//! - `a_gap_holds_the_last_close`: where bars are missing the price stands still, as it did for
//!   everybody who held a position, and the move across the gap belongs to the window that meets it.
//! - `a_loss_looks_ahead_of_its_margin`: window t runs over the bars t + 1 … t + h, of which the margin set at
//!   the close of bar t knew nothing.

use crate::math::ops;
use crate::path::{Bar, Bars};
use std::collections::VecDeque;

/// Which loss a margin is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// From the close at which the margin was set to the close at the end of the horizon.
    #[default]
    Close,
    /// From that close to the worst price within the horizon.
    Excursion,
}

impl Loss {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Close => "close to close",
            Self::Excursion => "worst price within",
        }
    }
}

/// Bars without holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the market.
    pub market: String,
    bars: Vec<Bar>,
    interval_ms: i64,
    held: u64,
}

/// A history that is more hole than bars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{market}: {missing} bars are missing and {present} are there; cut the file to a stretch without long holes"
)]
pub struct Hollow {
    /// The market.
    pub market: String,
    /// Missing bars.
    pub missing: u64,
    /// Bars that are there.
    pub present: u64,
}

impl Series {
    /// A history with its gaps held at the last close.
    ///
    /// # Errors
    ///
    /// [`Hollow`] where more bars are missing than there are.
    pub fn new(market: impl Into<String>, history: &Bars) -> Result<Self, Hollow> {
        let market = market.into();
        let (present, missing) = (
            history.bars().len() as u64,
            history.gaps().iter().map(|gap| gap.missing).sum::<u64>(),
        );
        if missing > present {
            return Err(Hollow {
                market,
                missing,
                present,
            });
        }
        let interval_ms = history.interval_ms();
        let mut bars: Vec<Bar> = Vec::with_capacity((present + missing) as usize);
        for bar in history.bars() {
            while let Some(last) = bars.last().copied()
                && bar.open_ms - last.open_ms >= 2 * interval_ms
            {
                bars.push(Bar {
                    open_ms: last.open_ms + interval_ms,
                    open: last.close,
                    high: last.close,
                    low: last.close,
                    close: last.close,
                    volume: 0.0,
                });
            }
            bars.push(*bar);
        }
        Ok(Self {
            market,
            held: bars.len() as u64 - present,
            bars,
            interval_ms,
        })
    }

    /// The bars, held ones among them.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }
    /// How many bars.
    pub const fn len(&self) -> usize {
        self.bars.len()
    }
    /// Never: a history has a bar.
    pub const fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }
    /// How many of them stand for missing ones.
    pub const fn held(&self) -> u64 {
        self.held
    }
    /// Seconds a bar.
    pub fn dt(&self) -> f64 {
        self.interval_ms as f64 / 1e3
    }
    /// When a bar closes, in milliseconds since 1970.
    pub fn closes_ms(&self, at: usize) -> i64 {
        self.bars[at].open_ms + self.interval_ms
    }

    /// Losses over the `horizon` bars that follow each bar, of a long and of a short position; gains are
    /// negative. As many as there are bars with a whole horizon ahead.
    pub fn losses(&self, horizon: usize, loss: Loss) -> Losses {
        let windows = self.bars.len().saturating_sub(horizon);
        let close = |at: usize| self.bars[at].close;
        let (long, short) = match loss {
            Loss::Close => (0..windows)
                .map(|at| {
                    let after = close(at + horizon) / close(at);
                    (1.0 - after, after - 1.0)
                })
                .unzip(),
            Loss::Excursion => {
                let low = ahead(&self.bars, horizon, |bar| bar.low);
                let high = ahead(&self.bars, horizon, |bar| -bar.high);
                (0..windows)
                    .map(|at| (1.0 - low[at] / close(at), -high[at] / close(at) - 1.0))
                    .unzip()
            }
        };
        Losses { long, short }
    }

    /// Realised volatility over the last `window` bars up to each bar, per √second; shorter where
    /// the history has just begun, and zero at its first bar.
    pub fn volatility(&self, window: usize) -> Vec<f64> {
        let mut sums = vec![0.0];
        for pair in self.bars.windows(2) {
            let moved = ops::ln(pair[1].close / pair[0].close);
            sums.push(sums[sums.len() - 1] + moved * moved);
        }
        (0..sums.len())
            .map(|at| {
                let returns = window.min(at).max(1);
                let squares = sums[at] - sums[at.saturating_sub(returns)];
                (squares.max(0.0) / (returns as f64 * self.dt())).sqrt()
            })
            .collect()
    }
}

/// The least value over the `horizon` bars after each bar.
fn ahead(bars: &[Bar], horizon: usize, value: impl Fn(&Bar) -> f64) -> Vec<f64> {
    let windows = bars.len().saturating_sub(horizon);
    let mut least = vec![0.0; windows];
    // Candidates in order of time, each smaller than all before it.
    let mut candidates: VecDeque<usize> = VecDeque::new();
    for (end, bar) in bars.iter().enumerate().skip(1) {
        while candidates
            .back()
            .is_some_and(|last| value(&bars[*last]) >= value(bar))
        {
            candidates.pop_back();
        }
        candidates.push_back(end);
        let Some(at) = end.checked_sub(horizon) else {
            continue;
        };
        while candidates.front().is_some_and(|first| *first <= at) {
            candidates.pop_front();
        }
        if let Some(first) = candidates.front() {
            least[at] = value(&bars[*first]);
        }
    }
    least
}

/// Losses of both sides over the same windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// Of a long position.
    pub long: Vec<f64>,
    /// Of a short position.
    pub short: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(hour: i64, low: f64, high: f64, close: f64) -> Bar {
        Bar {
            open_ms: hour * 3_600_000,
            open: close,
            high,
            low,
            close,
            volume: 1.0,
        }
    }

    fn series(bars: Vec<Bar>) -> Series {
        Series::new("test", &Bars::new(bars, 3_600_000).unwrap()).unwrap()
    }

    #[test]
    fn a_gap_holds_the_last_close() {
        let series = series(vec![
            bar(0, 99.0, 101.0, 100.0),
            bar(3, 79.0, 81.0, 80.0),
            bar(4, 79.0, 81.0, 80.0),
        ]);
        let closes: Vec<f64> = series.bars().iter().map(|bar| bar.close).collect();
        assert_eq!(closes, [100.0, 100.0, 100.0, 80.0, 80.0]);
        assert_eq!(series.held(), 2);
        assert_eq!(series.bars()[2].open_ms, 2 * 3_600_000);
        let losses = series.losses(1, Loss::Close);
        assert!((losses.long[2] - 0.2).abs() < 1e-12);
        assert_eq!(losses.long[0], 0.0);
    }

    #[test]
    fn a_history_of_holes_is_refused() {
        let bars = Bars::new(
            vec![
                bar(0, 1.0, 1.0, 1.0),
                bar(1, 1.0, 1.0, 1.0),
                bar(9, 1.0, 1.0, 1.0),
            ],
            3_600_000,
        );
        let refused = Series::new("test", &bars.unwrap()).unwrap_err();
        assert_eq!((refused.missing, refused.present), (7, 3));
    }

    #[test]
    fn a_loss_looks_ahead_of_its_margin() {
        let bars = vec![
            bar(0, 50.0, 150.0, 100.0),
            bar(1, 90.0, 104.0, 95.0),
            bar(2, 94.0, 112.0, 110.0),
            bar(3, 105.0, 111.0, 106.0),
        ];
        let series = series(bars);
        let close = series.losses(2, Loss::Close);
        assert_eq!(close.long.len(), 2);
        assert!((close.short[0] - 0.10).abs() < 1e-12);
        assert!((close.long[0] + 0.10).abs() < 1e-12);
        // The bar's own extremes are past when its margin is set.
        let worst = series.losses(2, Loss::Excursion);
        assert!((worst.long[0] - 0.10).abs() < 1e-12, "{worst:?}");
        assert!((worst.short[0] - 0.12).abs() < 1e-12);
        assert!((worst.long[1] - (1.0 - 94.0 / 95.0)).abs() < 1e-12);
        assert!(series.losses(9, Loss::Excursion).long.is_empty());
    }

    #[test]
    fn excursions_agree_with_a_plain_search() {
        let bars: Vec<Bar> = (0..200)
            .map(|at| {
                let middle = 100.0 + f64::from(at * 37 % 41);
                bar(i64::from(at), middle - f64::from(at % 7), middle, middle)
            })
            .collect();
        let series = series(bars);
        for horizon in [1, 5, 24] {
            let losses = series.losses(horizon, Loss::Excursion);
            for at in 0..200 - horizon {
                let low = series.bars()[at + 1..=at + horizon]
                    .iter()
                    .map(|bar| bar.low)
                    .fold(f64::INFINITY, f64::min);
                assert_eq!(losses.long[at], 1.0 - low / series.bars()[at].close);
            }
        }
    }

    #[test]
    fn realised_volatility_counts_the_last_bars_only() {
        let series = series(vec![
            bar(0, 1.0, 200.0, 100.0),
            bar(1, 1.0, 200.0, 110.0),
            bar(2, 1.0, 200.0, 110.0),
            bar(3, 1.0, 200.0, 110.0),
        ]);
        let volatility = series.volatility(2);
        let jump = ops::ln(1.1);
        assert_eq!(volatility[0], 0.0);
        assert!((volatility[2] - jump / 7_200f64.sqrt()).abs() < 1e-12);
        assert_eq!(volatility[3], 0.0);
    }
}
