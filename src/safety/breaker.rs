//! Circuit breaker: a move of a given size within a window halts trade for a time.
//!
//! The move is measured from the highest and the lowest midpoint of the window, both ways, after each round
//! of matching. Of several levels the largest that is reached counts. After a halt the window begins anew at the
//! reopening price, and every level is armed again.
//!
//! # Units
//!
//! Prices in ticks, times in steps.
//!
//! # Reference
//!
//! US market-wide circuit breakers (NYSE Rule 7.12): 7, 13 and 20 % from the previous close, 15 minutes for the
//! first two. CME velocity logic: moves within seconds to minutes.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Settings of the circuit breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerSettings {
    /// Length of the window, e.g. `"5m"`.
    pub window: Span,
    /// Moves and halts, e.g. `[{ size = 0.1, halt = "5m" }]`.
    pub levels: Vec<LevelSettings>,
    /// Whether a call auction ends a halt; else the orders that waited are matched one after another.
    #[serde(default = "yes")]
    pub auction: bool,
}

/// One level of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelSettings {
    /// Relative move that halts trade, up or down, e.g. 0.1.
    pub size: f64,
    /// How long; `"never"` ends trade for the rest of the run.
    pub halt: Span,
}

const fn yes() -> bool {
    true
}

impl BreakerSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.window <= Span::ZERO {
            problems.push(("window".to_owned(), "must be longer than 0".to_owned()));
        }
        if self.levels.is_empty() {
            problems.push((
                "levels".to_owned(),
                "must name at least one level, such as { size = 0.1, halt = \"5m\" }".to_owned(),
            ));
        }
        for (at, level) in self.levels.iter().enumerate() {
            if !(level.size.is_finite() && level.size > 0.0) {
                problems.push((
                    format!("levels[{at}].size"),
                    format!("must be greater than 0, found {}", level.size),
                ));
            }
            if level.halt <= Span::ZERO {
                problems.push((
                    format!("levels[{at}].halt"),
                    "must be longer than 0".to_owned(),
                ));
            }
        }
        problems
    }
}

/// The circuit breaker of one market.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// Size and steps of halt, largest first.
    levels: Vec<(f64, u32)>,
    window: u32,
    /// Falling prices with their steps: the first is the window's highest.
    highs: VecDeque<(u32, f64)>,
    /// Rising prices with their steps: the first is the window's lowest.
    lows: VecDeque<(u32, f64)>,
}

impl Breaker {
    /// The breaker of a market whose price starts at `price`, with steps of `dt` seconds and a run of so many.
    pub fn new(settings: &BreakerSettings, price: f64, dt: f64, steps: u32) -> Self {
        let mut levels: Vec<(f64, u32)> = settings
            .levels
            .iter()
            .map(|level| (level.size, level.halt.steps(dt).max(1)))
            .collect();
        levels.sort_by(|a, b| b.0.total_cmp(&a.0));
        let window = settings.window.steps(dt).max(1);
        let room = window.min(steps) as usize + 2;
        let mut breaker = Self {
            levels,
            window,
            highs: VecDeque::with_capacity(room),
            lows: VecDeque::with_capacity(room),
        };
        breaker.reset(0, price);
        breaker
    }

    /// Sees a midpoint; for how many steps trade halts from now on, where it does.
    pub fn see(&mut self, step: u32, price: f64) -> Option<u32> {
        while self.highs.back().is_some_and(|(_, high)| *high <= price) {
            self.highs.pop_back();
        }
        self.highs.push_back((step, price));
        while self.lows.back().is_some_and(|(_, low)| *low >= price) {
            self.lows.pop_back();
        }
        self.lows.push_back((step, price));
        let since = step.saturating_sub(self.window);
        for extremes in [&mut self.highs, &mut self.lows] {
            while extremes.front().is_some_and(|(seen, _)| *seen < since) {
                extremes.pop_front();
            }
        }
        let high = self.highs.front().map_or(price, |(_, high)| *high);
        let low = self.lows.front().map_or(price, |(_, low)| *low);
        let moved = (1.0 - price / high).max(price / low - 1.0);
        self.levels
            .iter()
            .find(|(size, _)| moved >= *size)
            .map(|(_, halt)| *halt)
    }

    /// Begins the window anew at a price: trade has reopened.
    pub fn reset(&mut self, step: u32, price: f64) {
        for extremes in [&mut self.highs, &mut self.lows] {
            extremes.clear();
            extremes.push_back((step, price));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(window: f64) -> Breaker {
        let settings = BreakerSettings {
            window: Span::seconds(window),
            levels: [(0.05, 10.0), (0.2, 100.0)]
                .map(|(size, halt)| LevelSettings {
                    size,
                    halt: Span::seconds(halt),
                })
                .to_vec(),
            auction: true,
        };
        Breaker::new(&settings, 100.0, 1.0, 1_000)
    }

    #[test]
    fn a_move_within_the_window_halts_by_the_largest_level_it_reaches() {
        let mut breaker = breaker(3.0);
        assert_eq!(breaker.see(0, 100.0), None);
        assert_eq!(breaker.see(1, 97.0), None);
        assert_eq!(breaker.see(2, 95.0), Some(10));
        breaker.reset(12, 95.0);
        assert_eq!(breaker.see(13, 70.0), Some(100));
        // Up as well as down.
        breaker.reset(113, 70.0);
        assert_eq!(breaker.see(114, 73.5), Some(10));
    }

    #[test]
    fn a_slow_move_halts_nothing() {
        let mut breaker = breaker(3.0);
        let mut price = 100.0;
        for step in 0..100 {
            // Four steps of 1.2 % are less than 5 %.
            price *= 1.0 - 0.012;
            assert_eq!(breaker.see(step, price), None, "{step}");
        }
    }
}
