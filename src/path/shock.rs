//! Scheduled shocks: factors on the reference price.
//!
//! A shock of `size` brings the log price by `ln(1 + size)`, in a straight line over its
//! duration; after `after` more, a share of it comes back with a half-life:
//! `f(t) = (1 + size)^(ramp(t) − share · (1 − 2^(−(t − t_r)/half_life)))`. Shocks multiply one another.

use super::{Moment, Problem, TimeGrid};
use crate::math::ops;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `{ market, at, size, duration, recovery }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShockSettings {
    /// The market; every market unless said.
    #[serde(default)]
    pub market: Option<String>,
    /// When it begins.
    pub at: Moment,
    /// The relative move when it is complete: -0.1 is a fall of 10 %.
    pub size: f64,
    /// How long it takes; at once unless said.
    #[serde(default)]
    pub duration: Span,
    /// How it is undone; never unless said.
    #[serde(default)]
    pub recovery: Option<Recovery>,
}

/// `{ after, share, half_life }`: how a shock is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// How long after the shock is complete it begins; at once unless said.
    #[serde(default)]
    pub after: Span,
    /// Share of the shock's log move that comes back in the end, between 0 and 1.
    pub share: f64,
    /// Time in which half of that comes back; 0 is at once.
    pub half_life: Span,
}

impl ShockSettings {
    /// Everything that keeps this shock from being run, among these markets.
    pub fn problems(&self, grid: &TimeGrid, markets: &[&str]) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(market) = &self.market
            && !markets.contains(&market.as_str())
        {
            problems.push(Problem::new(
                "market",
                format!("found \"{market}\", expected one of {}", markets.join(", ")),
            ));
        }
        let offset = self.at.offset(grid.start_ms);
        if !(0.0..=grid.seconds(grid.steps)).contains(&offset) {
            problems.push(Problem::new(
                "at",
                format!(
                    "{} lies outside the run, which lasts {}",
                    self.at,
                    Span::seconds(grid.seconds(grid.steps))
                ),
            ));
        }
        if !(self.size.is_finite() && self.size > -1.0) {
            problems.push(Problem::new(
                "size",
                format!(
                    "found {}, expected a number above -1 (-0.1 is a fall of 10 %)",
                    self.size
                ),
            ));
        }
        if !self.duration.as_seconds().is_finite() {
            problems.push(Problem::new(
                "duration",
                "found never, expected a finite time",
            ));
        }
        if let Some(recovery) = &self.recovery
            && !(0.0..=1.0).contains(&recovery.share)
        {
            problems.push(Problem::new(
                "recovery.share",
                format!("found {}, expected a number from 0 to 1", recovery.share),
            ));
        }
        problems
    }

    /// Whether a market of this name feels it.
    pub fn concerns(&self, market: &str) -> bool {
        self.market.as_deref().is_none_or(|name| name == market)
    }

    /// The shock, on a run's own clock.
    pub fn shock(&self, grid: &TimeGrid) -> Shock {
        let at = self.at.offset(grid.start_ms);
        let duration = self.duration.as_seconds();
        let recovery = self.recovery.as_ref();
        Shock {
            log_size: ops::ln(1.0 + self.size),
            at,
            duration,
            recovers: recovery.map_or(f64::INFINITY, |r| at + duration + r.after.as_seconds()),
            share: recovery.map_or(0.0, |r| r.share),
            half_life: recovery.map_or(f64::INFINITY, |r| r.half_life.as_seconds()),
        }
    }
}

/// A shock on a run's own clock, in seconds since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shock {
    log_size: f64,
    at: f64,
    duration: f64,
    recovers: f64,
    share: f64,
    half_life: f64,
}

impl Shock {
    /// The factor on the price at a time in seconds since the start.
    pub fn factor(&self, seconds: f64) -> f64 {
        if seconds < self.at {
            return 1.0;
        }
        let elapsed = seconds - self.at;
        let ramp = if elapsed >= self.duration {
            1.0
        } else {
            elapsed / self.duration
        };
        let undone = if seconds >= self.recovers {
            self.share * (1.0 - ops::halved(seconds - self.recovers, self.half_life))
        } else {
            0.0
        };
        ops::exp(self.log_size * (ramp - undone))
    }
}
