//! Gamma scalpers: own options, and sell what a rise or buy what a fall has added to their delta, to earn the options' decay back.
//!
//! A member hedges its whole gap (options' delta plus position) at its first turn, and from then on whenever the mark of a market
//! has moved by more than `move` since it last hedged there: the farther the price swings between two hedges, the more each is
//! worth, `½ Γ (ΔS)²`. At its turn, once every `every`, each member:
//!
//! 1. compares each market's mark with the one at which it last hedged;
//! 2. where that is farther than `move` away, trades its gap away at market, no more than `limit` at a time.
//!
//! With a limit the price at which it last hedged stays until the gap is gone. Nothing makes a member long: what it holds is the
//! cohort's `options`.
//!
//! # Reference
//!
//! Hull, J. and White, A. (1987), "Hedging the risks from writing foreign currency options", Journal of International
//! Money and Finance 6, for the profit of a hedged option, `½ Γ S² (r² − σ² dt)`.

use super::delta_hedger::closing;
use super::finding::Findings;
use super::{Sizer, acts, turns};
use crate::math::Draws;
use crate::trader::option::Exposure;
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{Grid, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of gamma scalpers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GammaScalperSettings {
    /// Relative move of the mark after which a member hedges anew, e.g. `0.005`.
    #[serde(rename = "move")]
    pub distance: f64,
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

impl GammaScalperSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.positive("move", self.distance);
        found.lasting("every", self.every);
        if let Some(limit) = self.limit {
            found.positive("limit", limit);
        }
        found.list()
    }
}

/// The gamma scalpers of one cohort.
#[derive(Clone)]
pub struct GammaScalper {
    settings: GammaScalperSettings,
    sizer: Sizer,
    markets: usize,
    /// The mark of each market at which each member last hedged, in ticks; 0 for never.
    last: Vec<f64>,
}

impl GammaScalper {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &GammaScalperSettings, grids: &[Grid]) -> Self {
        Self {
            settings: *settings,
            sizer: Sizer::new(grids),
            markets: grids.len(),
            last: Vec::new(),
        }
    }
}

impl Behaviour for GammaScalper {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        if self.last.is_empty() {
            self.last = vec![0.0; members.count as usize * self.markets];
        }
        // An order that is still on its way would be sent twice.
        let arrival = (members.latency.floor() as u32).saturating_add(1);
        let period = self.settings.every.steps(view.dt).max(arrival);
        for place in turns(view.step, period, members.count) {
            let owner = members.get(place);
            if !acts(view, owner) {
                continue;
            }
            for (market, slot) in view.ledger.places(owner) {
                let mark = view.markets[market.index()].mark.as_f64();
                let last = &mut self.last[place as usize * self.markets + market.index()];
                if (mark / *last - 1.0).abs() <= self.settings.distance {
                    continue;
                }
                let held = view.ledger.slot(slot).quantity.as_f64();
                let gap = Exposure::of(view.ledger, view.options, owner, market).delta + held;
                match closing(&self.sizer, view, owner, market, gap, self.settings.limit) {
                    Some(order) => {
                        out.push(order);
                        if self.settings.limit.is_none() {
                            *last = mark;
                        }
                    }
                    None => *last = mark,
                }
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
    use crate::unit::{Lots, MarketId, Side, Ticks};

    fn settings(limit: Option<f64>) -> GammaScalperSettings {
        GammaScalperSettings {
            distance: 0.01,
            every: Span::seconds(1.0),
            limit,
            hedged: false,
        }
    }

    fn world() -> World {
        let mut world = World::cross(1, &[1.0]);
        world.list_option(Ticks(10_000), Right::Put, 30.0 / 365.0, 0.5);
        world.give(world.members.first, SeriesId(0), 10_000);
        world
    }

    #[test]
    fn what_falls_is_bought_and_what_rises_is_sold() {
        let mut world = world();
        let id = world.members.first;
        let mut scalpers = GammaScalper::new(&settings(None), &world.grids);
        // Delta of a put at the money: −0.4714312.
        let orders = world.orders(&mut scalpers, 0);
        assert_eq!(
            (orders[0].side, orders[0].quantity),
            (Side::Buy, Lots(4_714))
        );
        world.trade(id, MarketId(0), Lots(4_714), Ticks(10_000));
        world.price(0, 9_950);
        assert!(world.orders(&mut scalpers, 1).is_empty());
        world.price(0, 9_800);
        let bought = world.orders(&mut scalpers, 2)[0];
        assert_eq!(bought.side, Side::Buy);
        world.trade(id, MarketId(0), bought.quantity, Ticks(9_800));
        world.price(0, 10_000);
        let sold = world.orders(&mut scalpers, 3)[0];
        assert_eq!((sold.side, sold.quantity), (Side::Sell, bought.quantity));
    }

    #[test]
    fn a_limit_is_worked_off_turn_by_turn() {
        let mut world = world();
        let id = world.members.first;
        let mut scalpers = GammaScalper::new(&settings(Some(200_000.0)), &world.grids);
        let mut bought = Vec::new();
        for step in 0..4 {
            let orders = world.orders(&mut scalpers, step);
            let Some(order) = orders.first() else { break };
            world.trade(id, MarketId(0), order.quantity, Ticks(10_000));
            bought.push(order.quantity.0);
        }
        assert_eq!(bought, [2_000, 2_000, 714]);
    }

    #[test]
    fn problems_are_named() {
        let bad = GammaScalperSettings {
            distance: 0.0,
            every: Span::NEVER,
            limit: Some(-1.0),
            hedged: true,
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["move", "every", "limit"]);
        assert!(settings(None).problems().is_empty());
    }
}
