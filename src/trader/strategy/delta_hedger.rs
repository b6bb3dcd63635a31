//! Delta hedgers: hold options, and keep the market's price out of their book by trading the underlying.
//!
//! A member's options have the delta `Δ` (lots) and gamma `Γ` (lots per tick), its position is `h` lots; its gap is `Δ + h`. At its turn,
//! once every `every`, each member trades at market, in every market in which it holds options or ever hedged some:
//!
//! | `trigger` | when | to |
//! |---|---|---|
//! | `clock` | always | a gap of nothing |
//! | `band = { share }` | the gap is more than `share` of the options' own `Σ |contracts · multiplier|` | a gap of nothing |
//! | `whalley_wilmott = { risk_aversion, cost }` | the gap is more than `B` | the edge of the band |
//!
//! with `B = (3/2 · cost · S · Γ² / risk_aversion)^⅓`, everything in units of the base and settlement currency. No order is
//! larger than `limit`; the rest waits for the next turn. Delay is the cohort's `latency`.
//!
//! Short gamma sells into falls and buys into rises, long gamma the other way about. A hedger that holds nothing but its hedge
//! closes it.
//!
//! # Invariants
//!
//! - `a_clock_brings_the_gap_to_nothing`, `a_band_waits_until_it_is_left`, `the_utility_band_has_its_closed_form`.
//!
//! # Reference
//!
//! Frey, R. and Stremme, A. (1997), "Market volatility and feedback effects from dynamic hedging", Mathematical
//! Finance 7; Whalley, A. E. and Wilmott, P. (1997), "An asymptotic analysis of an optimal hedging model for option pricing
//! with transaction costs", Mathematical Finance 7, equation (4.7), without discounting.

use super::finding::Findings;
use super::{Sizer, acts, turns};
use crate::market::Order;
use crate::math::{Draws, ops};
use crate::trader::option::Exposure;
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{AccountId, Grid, Lots, MarketId, Side, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of delta hedgers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeltaHedgerSettings {
    /// What makes a member hedge at its turn.
    #[serde(default)]
    pub trigger: Trigger,
    /// Time between two looks of a member; never less than its orders take.
    pub every: Span,
    /// Largest notional of one order, in settlement currency; without bound where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Whether members begin with the hedge of what they hold, bought at the price at the start.
    #[serde(default = "yes")]
    pub hedged: bool,
}

const fn yes() -> bool {
    true
}

/// What makes a hedger hedge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// Its turn.
    Clock {},
    /// A gap of more than a share of its options' size.
    Band {
        /// That share.
        share: f64,
    },
    /// A gap of more than what utility bears, given what trading costs.
    WhalleyWilmott {
        /// Absolute risk aversion, per unit of settlement currency.
        risk_aversion: f64,
        /// Cost of trading, over notional.
        cost: f64,
    },
}

impl Default for Trigger {
    fn default() -> Self {
        Self::Clock {}
    }
}

impl DeltaHedgerSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        match self.trigger {
            Trigger::Clock {} => {}
            Trigger::Band { share } => found.positive("trigger.band.share", share),
            Trigger::WhalleyWilmott {
                risk_aversion,
                cost,
            } => {
                found.positive("trigger.whalley_wilmott.risk_aversion", risk_aversion);
                found.positive("trigger.whalley_wilmott.cost", cost);
            }
        }
        found.lasting("every", self.every);
        if let Some(limit) = self.limit {
            found.positive("limit", limit);
        }
        found.list()
    }
}

/// The order that takes a gap away, as far as a limit on its notional allows; nothing where it rounds to nothing.
pub(super) fn closing(
    sizer: &Sizer,
    view: &View<'_>,
    owner: AccountId,
    market: MarketId,
    gap: f64,
    limit: Option<f64>,
) -> Option<Intent> {
    let published = &view.markets[market.index()];
    let most = limit.map_or(f64::INFINITY, |notional| {
        sizer.exact(market, published, notional)
    });
    let lots = (-gap).clamp(-most, most).round_ties_even() as i64;
    let side = if lots > 0 { Side::Buy } else { Side::Sell };
    (lots != 0).then(|| Intent::Place {
        market,
        order: Order::market(owner, side, Lots(lots).abs()),
        lifetime: u32::MAX,
    })
}

/// The delta hedgers of one cohort.
#[derive(Clone)]
pub struct DeltaHedger {
    settings: DeltaHedgerSettings,
    sizer: Sizer,
    /// Units of the base in a lot, settlement currency per unit in a tick, by market.
    scales: Vec<(f64, f64)>,
}

impl DeltaHedger {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &DeltaHedgerSettings, grids: &[Grid]) -> Self {
        Self {
            settings: *settings,
            sizer: Sizer::new(grids),
            scales: grids
                .iter()
                .map(|grid| (grid.scale().lot, grid.scale().tick))
                .collect(),
        }
    }

    /// The gap that is left after a turn that finds this gap.
    fn left(
        &self,
        view: &View<'_>,
        owner: AccountId,
        market: MarketId,
        gap: f64,
        gamma: f64,
    ) -> f64 {
        match self.settings.trigger {
            Trigger::Clock {} => 0.0,
            Trigger::Band { share } => {
                let mut size = 0.0;
                for held in view.ledger.options().of(owner) {
                    let series = &view.options[held.series.index()].series;
                    if series.market == market {
                        size += held.contracts.unsigned_abs() as f64 * series.multiplier.as_f64();
                    }
                }
                if gap.abs() > share * size { 0.0 } else { gap }
            }
            Trigger::WhalleyWilmott {
                risk_aversion,
                cost,
            } => {
                let (lot, tick) = self.scales[market.index()];
                let price = view.markets[market.index()].mid * tick;
                let gamma = gamma * lot / tick;
                let cube = 1.5 * cost * price * gamma * gamma / risk_aversion;
                let band = ops::pow(cube, 1.0 / 3.0) / lot;
                gap.clamp(-band, band)
            }
        }
    }
}

impl Behaviour for DeltaHedger {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        // An order that is still on its way would be sent twice.
        let arrival = (members.latency.floor() as u32).saturating_add(1);
        let period = self.settings.every.steps(view.dt).max(arrival);
        for place in turns(view.step, period, members.count) {
            let owner = members.get(place);
            if !acts(view, owner) {
                continue;
            }
            for (market, slot) in view.ledger.places(owner) {
                let held = view.ledger.slot(slot).quantity.as_f64();
                let options = Exposure::of(view.ledger, view.options, owner, market);
                let gap = options.delta + held;
                let traded = gap - self.left(view, owner, market, gap, options.gamma);
                let limit = self.settings.limit;
                out.extend(closing(&self.sizer, view, owner, market, traded, limit));
            }
        }
    }
    fn hedges(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::market::option::{Right, SeriesId};
    use crate::unit::Ticks;

    fn settings(trigger: Trigger) -> DeltaHedgerSettings {
        DeltaHedgerSettings {
            trigger,
            every: Span::seconds(1.0),
            limit: None,
            hedged: false,
        }
    }

    /// One member with so many straddle calls at the money: 30 days, 50 %, one lot a contract.
    fn world(contracts: i64) -> World {
        let mut world = World::cross(1, &[1.0]);
        world.list_option(Ticks(10_000), Right::Call, 30.0 / 365.0, 0.5);
        let id = world.members.first;
        world.give(id, SeriesId(0), contracts);
        world
    }

    fn signed(world: &World, trigger: Trigger) -> i64 {
        let mut hedgers = DeltaHedger::new(&settings(trigger), &world.grids);
        world
            .orders(&mut hedgers, 0)
            .first()
            .map_or(0, |order| order.quantity.0 * order.side.sign())
    }

    #[test]
    fn a_clock_brings_the_gap_to_nothing() {
        // Delta of a call at the money, 30 days at 50 %: 0.5285688; short ten thousand buys.
        let mut world = world(-10_000);
        assert_eq!(signed(&world, Trigger::Clock {}), 5_286);
        let id = world.members.first;
        world.trade(id, MarketId(0), Lots(5_286), Ticks(10_000));
        assert_eq!(signed(&world, Trigger::Clock {}), 0);
        // A limit of a notional of 100,000 is a thousand lots of 100.
        world.trade(id, MarketId(0), Lots(-5_286), Ticks(10_000));
        let mut few = settings(Trigger::Clock {});
        few.limit = Some(100_000.0);
        let orders = world.orders(&mut DeltaHedger::new(&few, &world.grids), 0);
        assert_eq!(
            (orders[0].side, orders[0].quantity),
            (Side::Buy, Lots(1_000))
        );
    }

    #[test]
    fn a_band_waits_until_it_is_left() {
        let mut world = world(-10_000);
        let id = world.members.first;
        world.trade(id, MarketId(0), Lots(5_000), Ticks(10_000));
        assert_eq!(signed(&world, Trigger::Band { share: 0.03 }), 0);
        assert_eq!(signed(&world, Trigger::Band { share: 0.02 }), 286);
    }

    #[test]
    fn the_utility_band_has_its_closed_form() {
        let world = world(-10_000);
        // Γ = 0.0277594198 a unit at 100: of ten thousand 277.594; B = (1.5 · 1e-3 · 100 · 277.594² / 1e-6)^⅓ = 2261.1.
        let trigger = Trigger::WhalleyWilmott {
            risk_aversion: 1e-6,
            cost: 1e-3,
        };
        assert_eq!(signed(&world, trigger), 5_286 - 2_261);
        let careless = Trigger::WhalleyWilmott {
            risk_aversion: 1e-9,
            cost: 1e-3,
        };
        assert_eq!(signed(&world, careless), 0);
    }

    #[test]
    fn problems_are_named() {
        let mut bad = settings(Trigger::WhalleyWilmott {
            risk_aversion: 0.0,
            cost: -1.0,
        });
        bad.every = Span::ZERO;
        bad.limit = Some(0.0);
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "trigger.whalley_wilmott.risk_aversion",
                "trigger.whalley_wilmott.cost",
                "every",
                "limit"
            ]
        );
        let band = settings(Trigger::Band { share: 0.0 });
        assert_eq!(band.problems()[0].0, "trigger.band.share");
        assert!(settings(Trigger::Clock {}).problems().is_empty());
    }
}
