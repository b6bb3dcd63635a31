//! What keepers see before they answer: conditions, the book's curve, what a position is worth to them, what they can spend.

use super::*;
use crate::engine::world::World;
use crate::liquidation::keeper::{Appraisal, Curve};
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};

impl World {
    /// What a group meets in a market; nothing where its transactions are never mined.
    pub(super) fn conditions(&self, group: usize, market: MarketId) -> Option<Conditions> {
        let terms = &self.keepers.groups[group].terms;
        let effects = self.safety.effects(market);
        let offline = (effects.keepers_offline * f64::from(terms.count)).ceil() as usize;
        Some(Conditions {
            cost: terms.price(effects.gas)?,
            delay: terms.delay + effects.latency,
            offline,
        })
    }

    /// Who of a group may look, in turn.
    pub(super) fn on_duty(
        &self,
        group: usize,
        offline: usize,
    ) -> impl Iterator<Item = usize> + use<> {
        let Group { terms, first, next } = &self.keepers.groups[group];
        let (first, count, next) = (*first, terms.count as usize, *next);
        (0..count)
            .map(move |k| (next + k) % count)
            .filter(move |place| *place >= offline)
            .map(move |place| first + place)
    }

    /// Whether somebody of a group sees what goes on in a market, and can act on it.
    pub(in crate::engine) fn hears(&self, group: usize, market: MarketId) -> bool {
        self.conditions(group, market).is_some_and(|met| {
            self.on_duty(group, met.offline)
                .any(|keeper| !self.keepers.list[keeper].failed)
        })
    }

    pub(super) fn took_its_turn(&mut self, group: usize, keeper: usize) {
        let group = &mut self.keepers.groups[group];
        group.next = (keeper - group.first + 1) % group.terms.count as usize;
    }

    /// The side of a market in which keepers would sell what is closed by an order of `closing`.
    pub(super) fn curve(&mut self, market: MarketId, closing: Side) -> Curve {
        let m = market.index();
        if self.keepers.curves[m].is_none() {
            let venue = &self.markets[m].venue;
            let mid = venue.mid();
            let at = |price: f64| Ticks((price as i64).max(1));
            let bids = Curve::read(|far| venue.depth(Side::Sell, at((mid * (1.0 - far)).ceil())));
            let asks = Curve::read(|far| venue.depth(Side::Buy, at((mid * (1.0 + far)).floor())));
            self.keepers.curves[m] = Some([bids, asks]);
        }
        let [bids, asks] = self.keepers.curves[m].unwrap_or_default();
        match closing {
            Side::Sell => bids,
            Side::Buy => asks,
        }
    }

    /// How a keeper of a group sees a position that is closed by an order of `closing`, before anything is said of its price.
    pub(super) fn appraisal<'a>(
        &self,
        group: usize,
        market: MarketId,
        closing: Side,
        cost: Cash,
        curve: &'a Curve,
    ) -> Appraisal<'a> {
        let m = market.index();
        let mark = self.marks[m];
        let above = self.markets[m].venue.mid() / mark.as_f64() - 1.0;
        Appraisal {
            per_lot: self.markets[m].contract.notional(Lots(1), mark).as_f64(),
            above: -above * closing.sign() as f64,
            discount: 0.0,
            held: Lots::ZERO,
            margin: self.keepers.groups[group]
                .terms
                .margin(self.published[m].volatility),
            cost: cost.as_f64(),
            curve,
        }
    }

    /// What a keeper holds of the side that an order of `closing` would leave to it.
    pub(super) fn held_of(&self, keeper: usize, market: MarketId, closing: Side) -> Lots {
        let held = self
            .ledger
            .position(self.keepers.list[keeper].account, market)
            .map_or(0, |slot| slot.quantity.0);
        Lots((-held * closing.sign()).max(0))
    }

    /// What a keeper may still spend.
    pub(super) fn spare(&self, keeper: usize, leverage: f64) -> f64 {
        let Keeper {
            account,
            committed,
            failed,
        } = &self.keepers.list[keeper];
        if *failed {
            return 0.0;
        }
        let mut held = 0.0;
        for (market, slot) in self.ledger.places(*account) {
            let quantity = self.ledger.slot(slot).quantity;
            if !quantity.is_zero() {
                let m = market.index();
                held += self.markets[m].contract.wide(quantity, self.marks[m]).abs() as f64;
            }
        }
        self.equity(*account) as f64 * leverage - held - committed.as_f64()
    }

    /// The side that closes what an account holds in a market.
    pub(in crate::engine) fn closing_of(
        &self,
        account: AccountId,
        market: MarketId,
    ) -> Option<Side> {
        let held = self.ledger.position(account, market)?.quantity;
        Some(if held.0 > 0 { Side::Sell } else { Side::Buy })
    }
}
