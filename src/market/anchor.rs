//! The anchor: where liquidity providers centre their quotes, and how much they quote.
//!
//! `A_t = S_t · exp(J_t)`. J is the market's own doing: after matching `J += κ · ln(mid / A)`, then
//! `J *= exp(−ln 2 · dt / τ)`. κ is the permanent share of impact (0: the outside world fixes the
//! price; 1: this venue is price discovery), τ the half-life with which outside capital undoes it.
//!
//! Liquidity flees as volatility rises: the ambient depth is multiplied by
//! `(σ_ref / max(σ_t, σ_ref))^η`, and by the scenario's own schedule of depth.

use crate::math::estimate::Volatility;
use crate::math::ops;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the venue's own trades move the price at which the outside world trades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnchorSettings {
    /// Permanent share of impact, κ: 0 leaves price discovery outside, 1 puts it here.
    #[serde(default)]
    pub permanent_share: f64,
    /// Half-life with which outside capital undoes the venue's own impact, τ.
    #[serde(default = "ten_minutes")]
    pub half_life: Span,
}

fn ten_minutes() -> Span {
    Span::seconds(600.0)
}

impl Default for AnchorSettings {
    fn default() -> Self {
        Self {
            permanent_share: 0.0,
            half_life: ten_minutes(),
        }
    }
}

/// How liquidity providers react.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlightSettings {
    /// Power η of the withdrawal; 0 is a book that never flinches.
    #[serde(default)]
    pub exponent: f64,
    /// Volatility up to which the book is whole, σ_ref, annualised.
    #[serde(default = "default_reference")]
    pub reference_volatility: f64,
    /// Half-life of the volatility that liquidity providers watch.
    #[serde(default = "one_minute")]
    pub half_life: Span,
    /// Depth as a share of the depth curve, at times after the start: `[["0s", 1.0], ["40m", 0.2]]`; linear
    /// between, constant beyond.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<(Span, f64)>,
}

const fn default_reference() -> f64 {
    0.6
}
fn one_minute() -> Span {
    Span::seconds(60.0)
}

impl Default for FlightSettings {
    fn default() -> Self {
        Self {
            exponent: 0.0,
            reference_volatility: default_reference(),
            half_life: one_minute(),
            schedule: Vec::new(),
        }
    }
}

impl AnchorSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        if (0.0..=1.0).contains(&self.permanent_share) {
            Vec::new()
        } else {
            vec![(
                "permanent_share".to_owned(),
                format!("must lie between 0 and 1, found {}", self.permanent_share),
            )]
        }
    }
}

impl FlightSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.exponent.is_finite() && self.exponent >= 0.0) {
            problems.push((
                "exponent".to_owned(),
                format!("must not be negative, found {}", self.exponent),
            ));
        }
        if !(self.reference_volatility.is_finite() && self.reference_volatility > 0.0) {
            problems.push((
                "reference_volatility".to_owned(),
                format!(
                    "must be greater than 0, found {}",
                    self.reference_volatility
                ),
            ));
        }
        if self.schedule.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            problems.push((
                "schedule".to_owned(),
                "times must rise from one entry to the next".to_owned(),
            ));
        }
        if let Some((_, share)) = self
            .schedule
            .iter()
            .find(|(_, share)| !(share.is_finite() && *share >= 0.0))
        {
            problems.push((
                "schedule".to_owned(),
                format!("a share of depth must not be negative, found {share}"),
            ));
        }
        problems
    }
}

/// The anchor of one market.
#[derive(Clone, Debug)]
pub struct Anchor {
    share: f64,
    half_life: f64,
    displacement: f64,
}

impl Anchor {
    /// An anchor that stands at the reference.
    pub fn new(settings: &AnchorSettings) -> Self {
        Self {
            share: settings.permanent_share,
            half_life: settings.half_life.as_seconds(),
            displacement: 0.0,
        }
    }
    /// The anchor for a reference price, in the reference's unit.
    pub fn price(&self, reference: f64) -> f64 {
        if self.displacement == 0.0 {
            reference
        } else {
            reference * ops::exp(self.displacement)
        }
    }
    /// J: the log displacement that the venue's own trades have caused.
    pub const fn displacement(&self) -> f64 {
        self.displacement
    }
    /// κ: what a displacement leaves in the outside price at the end of a step.
    pub const fn share(&self) -> f64 {
        self.share
    }
    /// What the outside keeps of J over a step of `dt` seconds.
    pub fn kept(&self, dt: f64) -> f64 {
        ops::halved(dt, self.half_life)
    }
    /// Takes in where the mid ended, over a step of `dt` seconds.
    pub fn absorb(&mut self, mid: f64, reference: f64, dt: f64) {
        if self.share > 0.0 {
            self.displacement += self.share * ops::ln(mid / self.price(reference));
            self.displacement *= ops::halved(dt, self.half_life);
        }
    }
}

/// The willingness of one market's liquidity providers.
#[derive(Clone, Debug)]
pub struct Flight {
    exponent: f64,
    reference: f64,
    volatility: Volatility,
    schedule: Vec<(f64, f64)>,
    last: f64,
}

impl Flight {
    /// Liquidity providers who have seen the reference volatility forever.
    pub fn new(settings: &FlightSettings, price: f64) -> Self {
        let reference = settings.reference_volatility / crate::unit::span::YEAR.sqrt();
        Self {
            exponent: settings.exponent,
            reference,
            volatility: Volatility::starting_at(settings.half_life.as_seconds(), reference),
            schedule: settings
                .schedule
                .iter()
                .map(|(at, share)| (at.as_seconds(), *share))
                .collect(),
            last: price,
        }
    }
    /// Sees where the mid ended, over a step of `dt` seconds.
    pub fn see(&mut self, mid: f64, dt: f64) {
        self.volatility.see(ops::ln(mid / self.last), dt);
        self.last = mid;
    }
    /// Volatility per √second.
    pub fn sigma(&self) -> f64 {
        self.volatility.sigma()
    }
    /// Factor on the ambient depth at a time in seconds after the start.
    pub fn factor(&self, time: f64) -> f64 {
        let fled = if self.exponent == 0.0 {
            1.0
        } else {
            ops::pow(
                self.reference / self.volatility.sigma().max(self.reference),
                self.exponent,
            )
        };
        fled * self.scheduled(time)
    }
    fn scheduled(&self, time: f64) -> f64 {
        let after = self.schedule.partition_point(|(at, _)| *at <= time);
        match (
            after.checked_sub(1).map(|k| self.schedule[k]),
            self.schedule.get(after),
        ) {
            (None, None) => 1.0,
            (None, Some((_, share))) => *share,
            (Some((_, share)), None) => share,
            (Some((from, low)), Some((to, high))) => {
                low + (high - low) * (time - from) / (to - from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_keeps_its_share_of_impact_and_lets_it_decay() {
        let mut anchor = Anchor::new(&AnchorSettings {
            permanent_share: 0.5,
            half_life: Span::seconds(10.0),
        });
        anchor.absorb(98.0, 100.0, 0.0);
        assert!((anchor.price(100.0) - (0.98f64).sqrt() * 100.0).abs() < 1e-9);
        let before = anchor.displacement();
        anchor.absorb(anchor.price(100.0), 100.0, 10.0);
        assert!((anchor.displacement() - before / 2.0).abs() < 1e-12);
    }

    #[test]
    fn liquidity_flees_with_volatility_and_follows_its_schedule() {
        let mut flight = Flight::new(
            &FlightSettings {
                exponent: 1.0,
                schedule: vec![(Span::seconds(10.0), 1.0), (Span::seconds(20.0), 0.5)],
                ..FlightSettings::default()
            },
            100.0,
        );
        assert_eq!(flight.factor(0.0), 1.0);
        assert_eq!(flight.factor(15.0), 0.75);
        assert_eq!(flight.factor(99.0), 0.5);
        flight.see(97.0, 1.0);
        assert!(flight.factor(0.0) < 0.2);
    }
}
