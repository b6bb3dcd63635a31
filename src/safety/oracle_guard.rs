//! Oracle guard: a print that is stale or strange is not margin's, and meanwhile nobody is liquidated by it.
//!
//! A new print is *strange* where it is further than `deviation` from its own average, or further than
//! `from_book` from the venue's midpoint. A strange print is held back; the last good one stays in
//! force. Once so many prints in a row say about the same, the price has moved indeed, and it is
//! accepted. A price is *stale* where it was observed longer than `stale_after` ago. While a market's price is
//! stale or a print is held back, no liquidation begins in it and no forced order is sent.
//!
//! # Reference
//!
//! Drift protocol, `state/oracle.rs` (2026): stale after 10 (AMM) or 120 (margin) slots, liquidation blocked where
//! the oracle is 50 % off its five-minute average.

use crate::math::estimate::Ewma;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the oracle guard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OracleGuardSettings {
    /// Age at which a price is too old; never unless said.
    #[serde(default = "never")]
    pub stale_after: Span,
    /// Largest relative distance from the average print; any unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// Half-life of the average.
    #[serde(default = "five_minutes")]
    pub half_life: Span,
    /// Largest relative distance from the venue's midpoint; any unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_book: Option<f64>,
    /// How many strange prints in a row, each about the same as the one before, are believed; 0: none ever.
    #[serde(default = "three")]
    pub confirmations: u32,
}

const fn never() -> Span {
    Span::NEVER
}
fn five_minutes() -> Span {
    Span::seconds(300.0)
}
const fn three() -> u32 {
    3
}

impl OracleGuardSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (key, value) in [("deviation", self.deviation), ("from_book", self.from_book)] {
            if let Some(value) = value
                && !(value.is_finite() && value > 0.0)
            {
                problems.push((
                    key.to_owned(),
                    format!("must be greater than 0, found {value}"),
                ));
            }
        }
        for (key, span) in [
            ("stale_after", self.stale_after),
            ("half_life", self.half_life),
        ] {
            if span <= Span::ZERO {
                problems.push((key.to_owned(), "must be longer than 0".to_owned()));
            }
        }
        problems
    }
}

/// What the guard says of the price that an oracle has in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The price that margin may use, in ticks.
    pub index: f64,
    /// Whether a print was held back in this step.
    pub rejected: bool,
    /// Whether liquidation shall wait.
    pub suspended: bool,
}

/// The oracle guard of one market.
#[derive(Clone, Debug)]
pub struct OracleGuard {
    settings: OracleGuardSettings,
    average: Ewma,
    accepted: f64,
    /// The last strange print, and how many in a row said about the same.
    pending: Option<(f64, u32)>,
}

impl OracleGuard {
    /// A guard that has seen `price` for long.
    pub fn new(settings: &OracleGuardSettings, price: f64) -> Self {
        Self {
            settings: settings.clone(),
            average: Ewma::starting_at(settings.half_life.as_seconds(), price),
            accepted: price,
            pending: None,
        }
    }

    /// Judges the price in force: `fresh` where it is a new print, `age` in seconds since it was observed.
    pub fn judge(&mut self, print: f64, fresh: bool, age: f64, mid: f64, dt: f64) -> Judgement {
        let mut rejected = false;
        if fresh {
            let off = |bound: Option<f64>, from: f64| {
                bound.is_some_and(|bound| from > 0.0 && (print / from - 1.0).abs() > bound)
            };
            let strange = off(self.settings.deviation, self.average.mean())
                || off(self.settings.from_book, mid);
            if strange {
                let alike = self
                    .settings
                    .deviation
                    .or(self.settings.from_book)
                    .unwrap_or(f64::INFINITY);
                let count = match self.pending {
                    Some((before, count)) if (print / before - 1.0).abs() <= alike => count + 1,
                    _ => 1,
                };
                if self.settings.confirmations > 0 && count >= self.settings.confirmations {
                    self.pending = None;
                    self.accepted = print;
                    self.average = Ewma::starting_at(self.settings.half_life.as_seconds(), print);
                } else {
                    self.pending = Some((print, count));
                    rejected = true;
                }
            } else {
                self.pending = None;
                self.accepted = print;
            }
        }
        if self.pending.is_none() {
            self.average.see(self.accepted, dt);
        }
        Judgement {
            index: self.accepted,
            rejected,
            suspended: self.pending.is_some() || age > self.settings.stale_after.as_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(confirmations: u32) -> OracleGuard {
        let settings = OracleGuardSettings {
            stale_after: Span::seconds(10.0),
            deviation: Some(0.1),
            half_life: Span::seconds(300.0),
            from_book: None,
            confirmations,
        };
        OracleGuard::new(&settings, 100.0)
    }

    #[test]
    fn a_single_false_print_is_held_back_and_a_move_is_believed_in_the_end() {
        let mut guard = guard(3);
        let mut seen = Vec::new();
        for print in [100.0, 50.0, 100.0, 80.0, 79.0, 78.0, 77.0] {
            let found = guard.judge(print, true, 0.0, 100.0, 1.0);
            seen.push((found.index, found.suspended));
        }
        assert_eq!(
            seen,
            [
                (100.0, false),
                (100.0, true),
                (100.0, false),
                (100.0, true),
                (100.0, true),
                (78.0, false),
                (77.0, false)
            ]
        );
    }

    #[test]
    fn a_price_grows_old() {
        let mut guard = guard(0);
        assert!(!guard.judge(100.0, false, 10.0, 100.0, 1.0).suspended);
        assert!(guard.judge(100.0, false, 11.0, 100.0, 1.0).suspended);
        // Never believed, however often it is said.
        for _ in 0..50 {
            assert_eq!(guard.judge(50.0, true, 0.0, 100.0, 1.0).index, 100.0);
        }
    }

    #[test]
    fn a_print_far_from_the_book_is_strange() {
        let settings = OracleGuardSettings {
            stale_after: Span::NEVER,
            deviation: None,
            half_life: Span::seconds(300.0),
            from_book: Some(0.05),
            confirmations: 0,
        };
        let mut guard = OracleGuard::new(&settings, 100.0);
        assert!(guard.judge(94.0, true, 0.0, 100.0, 1.0).rejected);
        assert!(!guard.judge(94.0, true, 0.0, 96.0, 1.0).rejected);
    }
}
