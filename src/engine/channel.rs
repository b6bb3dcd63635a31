//! The channels through which a fall may finance itself, each with its own reproduction number.
//!
//! Liquidations of longs answer a fall, those of shorts a rise. Traders whose strategy makes them sell as prices fall (a leverage target,
//! a copied put, a hedge) answer a fall too, without any liquidation: a copy of each cohort's behaviour is shown the market as it is and
//! as it would be, and what it would sell more by market orders is its answer.

use super::world::World;
use crate::math::ops;
use crate::trader::{Intent, View};
use crate::unit::{CohortId, MarketId, Side, Ticks};

/// Who answers a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Longs, liquidated in a fall.
    Longs,
    /// Shorts, liquidated in a rise.
    Shorts,
    /// A cohort's own orders, in a fall.
    Cohort(CohortId),
}

/// Turns over which a cohort is watched: whoever acts every so many steps acts in one of them.
const TURNS: u32 = 60;

impl World {
    /// Each channel's reproduction number in a market for a move of w: what is sold (or bought by shorts) in answer, over the depth
    /// within w.
    pub fn channels(&self, market: MarketId, w: f64) -> Vec<(Channel, f64)> {
        let mut found = vec![
            (Channel::Longs, self.reproduction(market, true, w)),
            (Channel::Shorts, self.reproduction(market, false, w)),
        ];
        let mid = self.markets[market.index()].venue.mid();
        let limit = Ticks(((mid * (1.0 - w)).ceil() as i64).max(1));
        let depth = self.markets[market.index()].venue.depth(Side::Sell, limit);
        let now = self.published.clone();
        let mut then = now.clone();
        let fallen =
            |price: Ticks| Ticks(((price.as_f64() * (1.0 - w)).round_ties_even() as i64).max(1));
        let shown = &mut then[market.index()];
        shown.reference *= 1.0 - w;
        shown.index *= 1.0 - w;
        shown.mid *= 1.0 - w;
        shown.mark = fallen(shown.mark);
        shown.last = fallen(shown.last);
        shown.quote.bid = shown.quote.bid.map(fallen);
        shown.quote.ask = shown.quote.ask.map(fallen);
        shown.log_return += ops::ln(1.0 - w);
        for (place, cohort) in (0..).zip(&self.cohorts) {
            if cohort.behaviour.is_none() {
                continue;
            }
            let [more, less] = [&then, &now].map(|markets| self.sales(place, market, markets));
            let lots = (more - less).max(0);
            if lots > 0 {
                found.push((
                    Channel::Cohort(CohortId(place)),
                    lots as f64 / depth.as_f64(),
                ));
            }
        }
        found
    }

    /// What a cohort's members would sell in a market by market orders, less what they would buy: each at its own turn.
    fn sales(&self, place: u16, market: MarketId, markets: &[crate::trader::Published]) -> i64 {
        let cohort = &self.cohorts[usize::from(place)];
        let Some(behaviour) = &cohort.behaviour else {
            return 0;
        };
        let mut most = vec![0i64; cohort.members.count as usize];
        let mut intents = Vec::new();
        for turn in 0..TURNS {
            let mut behaviour = behaviour.clone();
            let view = View {
                step: self.step + turn,
                dt: self.dt,
                markets,
                ledger: &self.ledger,
            };
            intents.clear();
            behaviour.act(&view, &cohort.members, &self.draws, &mut intents);
            for intent in &intents {
                if let Intent::Place {
                    market: at, order, ..
                } = intent
                    && *at == market
                    && order.limit.is_none()
                {
                    let lots = -order.quantity.0 * order.side.sign();
                    let member = &mut most[(order.owner.0 - cohort.members.first.0) as usize];
                    if lots.abs() > member.abs() {
                        *member = lots;
                    }
                }
            }
        }
        most.iter().sum()
    }
}
