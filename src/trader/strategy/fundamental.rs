//! Fundamental traders: buy below the reference price, sell above it.
//!
//! With mispricing `g = ln(reference / mid)`, orders arrive at `rate · min(|g| / threshold, cap)`
//! per member and hour while `|g| > threshold`, and not at all otherwise. Each one:
//!
//! 1. picks a member and its market, as noise traders do;
//! 2. buys where `g > 0`, sells where `g < 0`;
//! 3. trades at once, no further than to the reference price (unless `protected` is off), and
//!    drops the rest.
//!
//! # Reference
//!
//! Chiarella, C. and Iori, G. (2002), "A simulation analysis of the microstructure of double
//! auction markets", Quantitative Finance 2: the first term of their forecast, `ln(p_f / p)`.
//! There it moves the limit price of one order a step; here it moves the rate of orders, with a
//! threshold below which costs exceed the gain.

use super::arrival::{SignalFlow, passive};
use super::finding::Findings;
use crate::math::sample::Sampled;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::Grid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of fundamental traders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundamentalSettings {
    /// Orders per member and hour when the mispricing just exceeds the threshold.
    pub rate: f64,
    /// Notional of an order, in settlement currency.
    pub size: Sampled,
    /// Relative mispricing above which members trade, e.g. `0.005`.
    pub threshold: f64,
    /// Largest multiple of the rate, however large the mispricing.
    #[serde(default = "ten")]
    pub cap: f64,
    /// Whether the reference price is the worst price accepted; where not, orders are market
    /// orders and may trade past it.
    #[serde(default = "yes")]
    pub protected: bool,
}

const fn ten() -> f64 {
    10.0
}
const fn yes() -> bool {
    true
}

impl FundamentalSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.not_negative("rate", self.rate);
        found.drawn("size", &self.size);
        found.positive("threshold", self.threshold);
        found.at_least_one("cap", self.cap);
        found.list()
    }
}

/// The fundamental traders of one cohort.
#[derive(Clone)]
pub struct Fundamental {
    flow: SignalFlow,
    protected: bool,
}

impl Fundamental {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &FundamentalSettings, grids: &[Grid]) -> Self {
        Self {
            flow: SignalFlow::new(
                settings.rate,
                settings.threshold,
                settings.cap,
                &settings.size,
                grids,
            ),
            protected: settings.protected,
        }
    }
}

impl Behaviour for Fundamental {
    fn act(&mut self, view: &View<'_>, members: &Members, draws: &Draws, out: &mut Vec<Intent>) {
        for (signal, published) in self.flow.signal.iter_mut().zip(view.markets) {
            *signal = ops::ln(published.reference / published.mid);
        }
        let protected = self.protected;
        self.flow.send(
            view,
            members,
            draws,
            |published, side| protected.then(|| passive(side, published.reference)),
            out,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::unit::{Side, Ticks};

    fn settings() -> FundamentalSettings {
        FundamentalSettings {
            rate: 6.0,
            size: Sampled::Fixed(5_000.0),
            threshold: 0.01,
            cap: 4.0,
            protected: true,
        }
    }

    fn count(mispricing: f64) -> (f64, Vec<crate::market::Order>) {
        let mut world = World::isolated(100);
        world.markets[0].reference = world.markets[0].mid * (1.0 + mispricing);
        let mut traders = Fundamental::new(&settings(), &world.grids);
        let orders: Vec<_> = (0..10_000)
            .flat_map(|step| world.orders(&mut traders, step))
            .collect();
        (orders.len() as f64, orders)
    }

    #[test]
    fn nobody_trades_within_the_threshold() {
        assert_eq!(count(0.0099).0, 0.0);
        assert_eq!(count(-0.0099).0, 0.0);
    }

    #[test]
    fn the_rate_grows_with_the_mispricing_up_to_the_cap() {
        let base = 6.0 * 100.0 * 10_000.0 / 3_600.0;
        for (mispricing, multiple) in [(0.02, 1.98), (0.5, 4.0)] {
            let (found, _) = count(mispricing);
            assert!(
                (found / (base * multiple) - 1.0).abs() < 0.06,
                "{mispricing}: {found}"
            );
        }
    }

    #[test]
    fn orders_push_toward_the_reference_and_stop_there() {
        for (mispricing, side, limit) in [(0.02, Side::Buy, 10_200), (-0.02, Side::Sell, 9_800)] {
            let (_, orders) = count(mispricing);
            assert!(!orders.is_empty());
            for order in orders {
                assert_eq!((order.side, order.limit), (side, Some(Ticks(limit))));
            }
        }
    }

    #[test]
    fn worlds_with_other_prices_share_their_candidates() {
        let (_, few) = count(0.02);
        let (_, many) = count(0.04);
        let owners: Vec<_> = many.iter().map(|order| order.owner).collect();
        let mut rest = owners.iter();
        assert!(few.len() < many.len());
        assert!(
            few.iter()
                .all(|order| rest.any(|owner| *owner == order.owner))
        );
    }

    #[test]
    fn problems_are_named() {
        let bad = FundamentalSettings {
            threshold: 0.0,
            cap: 0.5,
            ..settings()
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["threshold", "cap"]);
        assert!(settings().problems().is_empty());
    }
}
