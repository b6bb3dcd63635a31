//! The oracle: how the venue sees the outside price.
//!
//! The anchor is observed with noise and published when the heartbeat is due or the price has
//! moved by the deviation threshold; what is published takes effect after the delay. Between
//! publications the index stands still: a slow oracle damps a spiral, and hides it.

use crate::math::ops;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How the index is observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OracleSettings {
    /// Longest time between publications; 0 publishes every step.
    #[serde(default)]
    pub heartbeat: Span,
    /// Relative move that causes a publication before the heartbeat; 0 switches this off.
    #[serde(default)]
    pub deviation: f64,
    /// Time from observation to effect.
    #[serde(default)]
    pub delay: Span,
    /// Standard deviation of the relative observation error.
    #[serde(default)]
    pub noise: f64,
}

impl OracleSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        [("deviation", self.deviation), ("noise", self.noise)]
            .into_iter()
            .filter(|(_, number)| !(number.is_finite() && (0.0..1.0).contains(number)))
            .map(|(key, number)| {
                (
                    key.to_owned(),
                    format!("must be at least 0 and below 1, found {number}"),
                )
            })
            .collect()
    }
}

/// One market's oracle.
#[derive(Clone, Debug)]
pub struct Oracle {
    settings: OracleSettings,
    heartbeat: u32,
    published: f64,
    published_at: u32,
    /// Prices on their way: when each takes effect, when it was observed, what it is.
    pipe: VecDeque<(u32, u32, f64)>,
    delay: u32,
    index: f64,
    /// When the price in force was observed, and whether it came into force in the last step.
    observed_at: u32,
    fresh: bool,
    factor: f64,
}

/// What keeps an oracle from its work in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance {
    /// It publishes nothing.
    pub frozen: bool,
    /// Additional steps from observation to effect.
    pub delay: u32,
    /// Factor on what it publishes.
    pub factor: f64,
}

impl Default for Disturbance {
    fn default() -> Self {
        Self {
            frozen: false,
            delay: 0,
            factor: 1.0,
        }
    }
}

impl Oracle {
    /// An oracle that has just published `price`, with steps of `dt` seconds.
    pub fn new(settings: &OracleSettings, price: f64, dt: f64) -> Self {
        let delay = settings.delay.steps(dt);
        Self {
            settings: *settings,
            heartbeat: settings.heartbeat.steps(dt).max(1),
            published: price,
            published_at: 0,
            pipe: VecDeque::with_capacity(delay.min(1 << 20) as usize + 1),
            delay,
            index: price,
            observed_at: 0,
            fresh: false,
            factor: 1.0,
        }
    }

    /// Observes the outside price in a step, with a standard normal draw for the error, and gives
    /// the index in force.
    pub fn observe(
        &mut self,
        step: u32,
        outside: f64,
        draw: f64,
        disturbance: &Disturbance,
    ) -> f64 {
        // A false print is published at once, and so is the first true one after it.
        let outside = outside * disturbance.factor;
        let due = step == 0 || step - self.published_at >= self.heartbeat;
        let moved = self.settings.deviation > 0.0
            && (outside / self.published - 1.0).abs() >= self.settings.deviation;
        let false_print =
            disturbance.factor != std::mem::replace(&mut self.factor, disturbance.factor);
        if !disturbance.frozen && (due || moved || false_print) {
            self.published = if self.settings.noise > 0.0 {
                outside * ops::exp(self.settings.noise * draw)
            } else {
                outside
            };
            self.published_at = step;
            let delay = self.delay.saturating_add(disturbance.delay);
            self.pipe
                .push_back((step.saturating_add(delay), step, self.published));
        }
        self.fresh = false;
        while let Some((at, observed, price)) = self.pipe.front()
            && !disturbance.frozen
        {
            if *at > step {
                break;
            }
            self.index = *price;
            self.observed_at = *observed;
            self.fresh = true;
            self.pipe.pop_front();
        }
        self.index
    }

    /// Whether the price in force came into force in the last step observed.
    pub const fn fresh(&self) -> bool {
        self.fresh
    }

    /// How many steps ago the price in force was observed.
    pub const fn age(&self, step: u32) -> u32 {
        step.saturating_sub(self.observed_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishes_on_heartbeat_or_deviation_and_takes_effect_after_the_delay() {
        let settings = OracleSettings {
            heartbeat: Span::seconds(10.0),
            deviation: 0.05,
            delay: Span::seconds(2.0),
            noise: 0.0,
        };
        let mut oracle = Oracle::new(&settings, 100.0, 1.0);
        let seen: Vec<f64> = (0..16)
            .map(|step| {
                let outside = match step {
                    0..4 => 100.0 + f64::from(step),
                    _ => 110.0 + f64::from(step) / 10.0,
                };
                oracle.observe(step, outside, 0.0, &Disturbance::default())
            })
            .collect();
        // Step 4 deviates by 10 %: in force at 6. The heartbeat falls due at 14: in force at 16.
        assert_eq!(seen[5], 100.0);
        assert_eq!(seen[6], 110.4);
        assert_eq!(seen[15], 110.4);
    }
}
