//! The mark: the price at which margin sees a position.
//!
//! # Reference
//!
//! Binance USD-M: median of (index + funding basis, index + mean basis, last price), page of
//! 2025-09-18. Hyperliquid: median of (oracle + 150 s EMA of mid − oracle, median of bid, ask and
//! last, outside perpetual mids), documentation of 2025; the third part, other venues' mids, is
//! the index here. Deribit: index + 30 s EMA of the basis, clamped.

use super::venue::Quote;
use crate::math::estimate::Ewma;
use crate::unit::{Span, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which price marks positions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MarkSettings {
    /// The last trade.
    Last {},
    /// The midpoint of the best quotes.
    Mid {},
    /// The index.
    Index {},
    /// The index plus an average of the basis (mid less index), clamped.
    Basis {
        /// Half-life of the average.
        half_life: Span,
        /// Largest distance from the index, relative; e.g. `0.005`.
        clamp: f64,
    },
    /// Median of the index plus an average basis, of the median of bid, ask and last, and of the
    /// index plus the accrued funding basis.
    Median {
        /// Half-life of the average basis.
        half_life: Span,
    },
}

impl Default for MarkSettings {
    fn default() -> Self {
        Self::Median {
            half_life: Span::seconds(150.0),
        }
    }
}

impl MarkSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Basis { clamp, .. } if !(clamp.is_finite() && *clamp > 0.0) => vec![(
                "basis.clamp".to_owned(),
                format!("must be greater than 0, found {clamp}"),
            )],
            _ => Vec::new(),
        }
    }
}

/// What a mark is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkView {
    /// The index in force, in ticks.
    pub index: f64,
    /// The midpoint, in ticks.
    pub mid: f64,
    /// Best prices.
    pub quote: Quote,
    /// The last trade.
    pub last: Ticks,
    /// Funding rate times the share of the period until it is paid.
    pub funding_basis: f64,
}

/// Which of its ingredients a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The venue's own price.
    Traded,
    /// The index.
    Index,
    /// The index and an average basis.
    Basis,
}

/// One market's mark.
#[derive(Clone, Debug)]
pub struct Mark {
    settings: MarkSettings,
    basis: Ewma,
}

impl Mark {
    /// A mark whose average basis starts at zero.
    pub fn new(settings: &MarkSettings) -> Self {
        let half_life = match settings {
            MarkSettings::Basis { half_life, .. } | MarkSettings::Median { half_life } => {
                half_life.as_seconds()
            }
            _ => 0.0,
        };
        Self {
            settings: *settings,
            basis: Ewma::starting_at(half_life, 0.0),
        }
    }

    /// What the average basis keeps over a step of `dt` seconds.
    pub fn kept(&self, dt: f64) -> f64 {
        self.basis.kept(dt)
    }

    /// Whether it reads the last trade, which stays where it is while quotes move.
    pub const fn reads_last(&self) -> bool {
        matches!(self.settings, MarkSettings::Last {})
    }

    /// The price that it takes from the venue itself, in ticks.
    pub fn traded(&self, mid: f64, quote: Quote, last: Ticks) -> f64 {
        match self.settings {
            MarkSettings::Last {} => last.as_f64(),
            MarkSettings::Median { .. } => touch(quote, last),
            _ => mid,
        }
    }

    /// Which of its ingredients the mark is.
    pub fn source(&self, view: &MarkView) -> Source {
        match self.settings {
            MarkSettings::Last {} | MarkSettings::Mid {} => Source::Traded,
            MarkSettings::Index {} => Source::Index,
            MarkSettings::Basis { .. } => Source::Basis,
            MarkSettings::Median { .. } => {
                let index = view.index * (1.0 + view.funding_basis);
                let basis = view.index + self.basis.mean();
                let traded = touch(view.quote, view.last);
                let price = median(index, basis, traded);
                if price == traded {
                    Source::Traded
                } else if price == basis {
                    Source::Basis
                } else {
                    Source::Index
                }
            }
        }
    }

    /// Sees a step of `dt` seconds go by; the average basis moves.
    pub fn see(&mut self, view: &MarkView, dt: f64) {
        self.basis.see(view.mid - view.index, dt);
    }

    /// The mark in whole ticks, at least one.
    pub fn price(&self, view: &MarkView) -> Ticks {
        let price = match self.settings {
            MarkSettings::Last {} => view.last.as_f64(),
            MarkSettings::Mid {} => view.mid,
            MarkSettings::Index {} => view.index,
            MarkSettings::Basis { clamp, .. } => {
                let bound = clamp * view.index;
                view.index + self.basis.mean().clamp(-bound, bound)
            }
            MarkSettings::Median { .. } => median(
                view.index * (1.0 + view.funding_basis),
                view.index + self.basis.mean(),
                touch(view.quote, view.last),
            ),
        };
        Ticks((price.round_ties_even() as i64).max(1))
    }
}

/// Median of bid, ask and last trade; the last trade stands in for a side that is empty.
fn touch(quote: Quote, last: Ticks) -> f64 {
    let last = last.as_f64();
    let bid = quote.bid.map_or(last, Ticks::as_f64);
    let ask = quote.ask.map_or(last, Ticks::as_f64);
    median(bid, ask, last)
}

fn median(a: f64, b: f64, c: f64) -> f64 {
    a.max(b).min(a.min(b).max(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(index: f64, mid: f64, last: i64) -> MarkView {
        MarkView {
            index,
            mid,
            quote: Quote {
                bid: Some(Ticks(mid as i64 - 1)),
                ask: Some(Ticks(mid as i64 + 1)),
            },
            last: Ticks(last),
            funding_basis: 0.0,
        }
    }

    #[test]
    fn each_mark_is_what_its_name_says() {
        let seen = view(1_000.0, 900.0, 880);
        let price = |settings: MarkSettings| {
            let mut mark = Mark::new(&settings);
            mark.see(&seen, 1e9);
            mark.price(&seen).0
        };
        assert_eq!(price(MarkSettings::Last {}), 880);
        assert_eq!(price(MarkSettings::Mid {}), 900);
        assert_eq!(price(MarkSettings::Index {}), 1_000);
        let half_life = Span::seconds(30.0);
        assert_eq!(
            price(MarkSettings::Basis {
                half_life,
                clamp: 0.005
            }),
            995
        );
        // Parts: 1000, 1000 − 100, median(899, 901, 880) = 899.
        assert_eq!(price(MarkSettings::Median { half_life }), 900);
    }

    #[test]
    fn a_single_false_print_moves_a_median_mark_no_further_than_its_other_parts() {
        let settings = MarkSettings::Median {
            half_life: Span::seconds(150.0),
        };
        let mark = Mark::new(&settings);
        assert_eq!(mark.price(&view(1_000.0, 1_000.0, 10)), Ticks(1_000));
    }
}
