//! Volatility sellers: live off the premium of options that they have sold, until a loss stops them.
//!
//! A member begins with what the cohort's `options` says (contracts below zero). Its loss is what its options of a market cost more
//! than they brought at the start, at their worth. At its turn, once every `every`, each member:
//!
//! 1. with `hedge`, trades the delta of what it has sold away at market;
//! 2. once its loss exceeds `stop` times the premium that it took, buys everything back from the desk, which asks its spread, and
//!    trades its hedge away with it. It sells nothing again.
//!
//! Without a hedge it is a stop that buys protection when everybody wants some; with one it sells into falls on the way there.
//!
//! # Invariants
//!
//! - `a_stop_buys_everything_back_once`

use super::delta_hedger::closing;
use super::finding::Findings;
use super::{Sizer, acts, turns};
use crate::math::Draws;
use crate::trader::option::Exposure;
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{AccountId, Grid, MarketId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of volatility sellers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolSellerSettings {
    /// Loss at which a member buys back, over the premium that it took, e.g. `1` for twice the premium; never where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<f64>,
    /// Whether members trade their delta away.
    #[serde(default)]
    pub hedge: bool,
    /// Time between two looks of a member; never less than its orders take.
    pub every: Span,
    /// Largest notional of one order, in settlement currency; without bound where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl VolSellerSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        if let Some(stop) = self.stop {
            found.positive("stop", stop);
        }
        found.lasting("every", self.every);
        if let Some(limit) = self.limit {
            found.positive("limit", limit);
        }
        found.list()
    }
}

/// The volatility sellers of one cohort.
#[derive(Clone)]
pub struct VolSeller {
    settings: VolSellerSettings,
    sizer: Sizer,
}

impl VolSeller {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &VolSellerSettings, grids: &[Grid]) -> Self {
        Self {
            settings: *settings,
            sizer: Sizer::new(grids),
        }
    }

    /// Whether a member's options of a market have lost too much.
    fn stops(&self, view: &View<'_>, owner: AccountId, market: MarketId) -> bool {
        let Some(stop) = self.settings.stop else {
            return false;
        };
        let options = view.ledger.options();
        let (mut taken, mut owed) = (0i128, 0i128);
        for held in options.of(owner) {
            if held.contracts < 0 && view.options[held.series.index()].series.market == market {
                taken -= i128::from(held.cost.0);
                owed -= i128::from(held.contracts) * i128::from(options.worth(held.series).0);
            }
        }
        (owed - taken) as f64 > stop * taken as f64
    }
}

impl Behaviour for VolSeller {
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
                let mut gap = held;
                if self.stops(view, owner, market) {
                    out.push(Intent::BuyBack { market, owner });
                } else if self.settings.hedge {
                    gap += Exposure::of(view.ledger, view.options, owner, market).delta;
                } else if view.ledger.options().holds(owner) {
                    continue;
                }
                let limit = self.settings.limit;
                out.extend(closing(&self.sizer, view, owner, market, gap, limit));
            }
        }
    }
    fn hedges(&self) -> bool {
        self.settings.hedge
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::market::option::{Right, SeriesId};
    use crate::unit::{Lots, Side, Ticks};

    fn settings(hedge: bool) -> VolSellerSettings {
        VolSellerSettings {
            stop: Some(1.0),
            hedge,
            every: Span::seconds(1.0),
            limit: None,
        }
    }

    fn world() -> World {
        let mut world = World::cross(1, &[1.0]);
        world.list_option(Ticks(9_000), Right::Put, 30.0 / 365.0, 0.5);
        world.give(world.members.first, SeriesId(0), -10_000);
        world
    }

    #[test]
    fn a_stop_buys_everything_back_once() {
        let mut world = world();
        let id = world.members.first;
        let mut sellers = VolSeller::new(&settings(false), &world.grids);
        assert!(world.intents(&mut sellers, 0).is_empty());
        world.price(0, 9_700);
        assert!(world.intents(&mut sellers, 1).is_empty());
        // A put struck at 90 is worth 1.85 at 100, and 4.83 at 92: more than twice.
        world.price(0, 9_200);
        let back = Intent::BuyBack {
            market: MarketId(0),
            owner: id,
        };
        assert_eq!(world.intents(&mut sellers, 2), [back]);
        world.give(id, SeriesId(0), 10_000);
        assert!(world.intents(&mut sellers, 3).is_empty());
    }

    #[test]
    fn a_hedged_seller_sells_into_a_fall() {
        let mut world = world();
        let id = world.members.first;
        let mut sellers = VolSeller::new(&settings(true), &world.grids);
        let first = world.orders(&mut sellers, 0)[0];
        assert_eq!(first.side, Side::Sell);
        world.trade(id, MarketId(0), -first.quantity, Ticks(10_000));
        world.price(0, 9_800);
        assert_eq!(world.orders(&mut sellers, 1)[0].side, Side::Sell);
        // After the stop the hedge goes too.
        world.price(0, 9_000);
        let all = world.intents(&mut sellers, 2);
        assert_eq!(all.len(), 2);
        assert!(matches!(all[1], Intent::Place { order, .. }
            if order.side == Side::Buy && order.quantity == Lots(first.quantity.0)));
    }

    #[test]
    fn problems_are_named() {
        let bad = VolSellerSettings {
            stop: Some(0.0),
            hedge: false,
            every: Span::ZERO,
            limit: Some(0.0),
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["stop", "every", "limit"]);
        assert!(settings(true).problems().is_empty());
    }
}
