//! Momentum traders: buy what has risen, sell what has fallen.
//!
//! The trend of a market is the log return of its mid, added up with weights that halve every
//! `half_life`: `g ← g · 2^(−dt / half_life) + ln(mid / previous mid)`. After a jump of 2 % it reads 0.02;
//! a half-life later, 0.01. Orders arrive at `rate · min(|g| / threshold, cap)` per member and hour
//! while `|g| > threshold`. Each one:
//!
//! 1. picks a member and its market, as noise traders do;
//! 2. buys where `g > 0`, sells where `g < 0`, at market.
//!
//! # Invariants
//!
//! - The trend moves once per call, so a behaviour must be asked once per step.
//!
//! # Reference
//!
//! Chiarella, C. and Iori, G. (2002), "A simulation analysis of the microstructure of double
//! auction markets", Quantitative Finance 2: the chartist term of their forecast, the mean of the
//! last returns. Here the weights decay instead of ending, and the trend moves the rate of orders.

use super::arrival::SignalFlow;
use super::finding::Findings;
use crate::math::sample::Sampled;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{Grid, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of momentum traders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentumSettings {
    /// Orders per member and hour when the trend just exceeds the threshold.
    pub rate: f64,
    /// Notional of an order, in settlement currency.
    pub size: Sampled,
    /// Time after which a return counts half.
    pub half_life: Span,
    /// Trend above which members trade, as a relative move, e.g. `0.005`.
    pub threshold: f64,
    /// Largest multiple of the rate, however strong the trend.
    #[serde(default = "ten")]
    pub cap: f64,
}

const fn ten() -> f64 {
    10.0
}

impl MomentumSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.not_negative("rate", self.rate);
        found.drawn("size", &self.size);
        found.lasting("half_life", self.half_life);
        found.positive("threshold", self.threshold);
        found.at_least_one("cap", self.cap);
        found.list()
    }
}

/// The momentum traders of one cohort, with their estimate of each market's trend.
#[derive(Clone)]
pub struct Momentum {
    flow: SignalFlow,
    half_life: f64,
}

impl Momentum {
    /// The behaviour over markets with the given grids; no market has a trend yet.
    pub fn new(settings: &MomentumSettings, grids: &[Grid]) -> Self {
        Self {
            flow: SignalFlow::new(
                settings.rate,
                settings.threshold,
                settings.cap,
                &settings.size,
                grids,
            ),
            half_life: settings.half_life.as_seconds(),
        }
    }
}

impl Behaviour for Momentum {
    fn act(&mut self, view: &View<'_>, members: &Members, draws: &Draws, out: &mut Vec<Intent>) {
        let kept = ops::halved(view.dt, self.half_life);
        for (trend, published) in self.flow.signal.iter_mut().zip(view.markets) {
            *trend = *trend * kept + published.log_return;
        }
        self.flow.send(view, members, draws, |_, _| None, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::unit::Side;

    fn settings() -> MomentumSettings {
        MomentumSettings {
            rate: 6.0,
            size: Sampled::Fixed(5_000.0),
            half_life: Span::seconds(100.0),
            threshold: 0.01,
            cap: 4.0,
        }
    }

    #[test]
    fn a_move_is_followed_until_the_trend_has_faded() {
        for (log_return, side) in [(0.04, Side::Buy), (-0.04, Side::Sell)] {
            let mut world = World::isolated(1_000);
            let mut traders = Momentum::new(&settings(), &world.grids);
            assert!(world.orders(&mut traders, 0).is_empty());
            world.markets[0].log_return = log_return;
            let mut orders = world.orders(&mut traders, 1);
            world.markets[0].log_return = 0.0;
            // 0.04 falls to the threshold of 0.01 in two half-lives.
            for step in 2..=202 {
                orders.extend(world.orders(&mut traders, step));
            }
            assert!(orders.iter().all(|o| o.side == side && o.limit.is_none()));
            let late: usize = (203..400)
                .map(|step| world.orders(&mut traders, step).len())
                .sum();
            assert_eq!(late, 0);
            // ∫ 4 · 2^(−t/100) dt over 200 s = 400/ln 2 · ¾ = 433 s at 6 · 1,000 an hour: 721.
            let found = orders.len() as f64;
            assert!((found / 721.0 - 1.0).abs() < 0.15, "{found}");
        }
    }

    #[test]
    fn problems_are_named() {
        let bad = MomentumSettings {
            rate: f64::INFINITY,
            half_life: Span::NEVER,
            ..settings()
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["rate", "half_life"]);
        assert!(settings().problems().is_empty());
    }
}
