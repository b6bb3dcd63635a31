//! Pacing: how much may be forced in a step, when auto-deleveraging rests, and when everything stops.
//!
//! # Reference
//!
//! Throttle: dYdX v4 caps what a block may liquidate; here by the depth that is there to take it. Kill switch:
//! dYdX v4's isolated markets halt once their fund owes; here by the share of the fund that is lost.

use crate::unit::{Lots, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How much may be forced in a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrottleSettings {
    /// Share of the depth within 1 % of the mid that forced orders may take in a step, by side.
    pub share_of_depth: f64,
}

impl ThrottleSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        if self.share_of_depth.is_finite() && self.share_of_depth > 0.0 {
            Vec::new()
        } else {
            vec![(
                "share_of_depth".to_owned(),
                format!("must be greater than 0, found {}", self.share_of_depth),
            )]
        }
    }
}

/// When auto-deleveraging rests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdlPauseSettings {
    /// Share of the open interest that may be deleveraged within a window.
    pub share_of_open_interest: f64,
    /// Length of the window.
    pub window: Span,
    /// How long it rests then.
    pub pause: Span,
}

impl AdlPauseSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.share_of_open_interest.is_finite() && self.share_of_open_interest > 0.0) {
            problems.push((
                "share_of_open_interest".to_owned(),
                format!(
                    "must be greater than 0, found {}",
                    self.share_of_open_interest
                ),
            ));
        }
        for (key, span) in [("window", self.window), ("pause", self.pause)] {
            if span <= Span::ZERO {
                problems.push((key.to_owned(), "must be longer than 0".to_owned()));
            }
        }
        problems
    }
}

/// The pause of auto-deleveraging in one market.
#[derive(Clone, Debug)]
pub struct AdlPause {
    share: f64,
    window: u32,
    pause: u32,
    /// Steps with what was deleveraged in each, oldest first.
    done: VecDeque<(u32, i64)>,
    sum: i64,
    until: u32,
}

impl AdlPause {
    /// The pause, with steps of `dt` seconds and a run of so many steps.
    pub fn new(settings: &AdlPauseSettings, dt: f64, steps: u32) -> Self {
        let window = settings.window.steps(dt).max(1);
        Self {
            share: settings.share_of_open_interest,
            window,
            pause: settings.pause.steps(dt).max(1),
            done: VecDeque::with_capacity(window.min(steps) as usize + 2),
            sum: 0,
            until: 0,
        }
    }

    /// Whether auto-deleveraging may act in a step.
    pub const fn allows(&self, step: u32) -> bool {
        step >= self.until
    }

    /// Sees what was deleveraged in a step, of how much open interest before; whether a pause begins.
    pub fn see(&mut self, step: u32, quantity: Lots, open_interest: Lots) -> bool {
        while let Some((at, lots)) = self.done.front() {
            if at.saturating_add(self.window) > step {
                break;
            }
            self.sum -= lots;
            self.done.pop_front();
        }
        if quantity.is_zero() {
            return false;
        }
        match self.done.back_mut() {
            Some((at, lots)) if *at == step => *lots += quantity.0,
            _ => self.done.push_back((step, quantity.0)),
        }
        self.sum += quantity.0;
        let over = self.sum as f64 > self.share * open_interest.as_f64();
        if over && self.allows(step) {
            self.until = step.saturating_add(self.pause);
            return true;
        }
        false
    }
}

/// When everything stops: no order is matched and nobody is liquidated for the rest of the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KillSettings {
    /// Share of the insurance fund's highest balance that is lost; never unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fund_lost: Option<f64>,
    /// Bad debt in settlement currency; never unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad_debt: Option<Decimal>,
}

impl KillSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if let Some(share) = self.fund_lost
            && !(share > 0.0 && share <= 1.0)
        {
            problems.push((
                "fund_lost".to_owned(),
                format!("must be greater than 0 and at most 1, found {share}"),
            ));
        }
        if let Some(debt) = self.bad_debt
            && debt <= Decimal::ZERO
        {
            problems.push((
                "bad_debt".to_owned(),
                format!("must be greater than 0, found {debt}"),
            ));
        }
        if self.fund_lost.is_none() && self.bad_debt.is_none() {
            problems.push((
                "fund_lost".to_owned(),
                "say at which loss everything stops: fund_lost, bad_debt or both".to_owned(),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleveraging_rests_once_too_much_was_closed_within_the_window() {
        let settings = AdlPauseSettings {
            share_of_open_interest: 0.1,
            window: Span::seconds(5.0),
            pause: Span::seconds(20.0),
        };
        let mut pause = AdlPause::new(&settings, 1.0, 100);
        assert!(!pause.see(0, Lots(60), Lots(1_000)));
        // The first 60 are forgotten by step 5.
        assert!(!pause.see(5, Lots(60), Lots(1_000)));
        assert!(pause.see(6, Lots(50), Lots(1_000)));
        assert!(!pause.allows(25) && pause.allows(26));
    }
}
