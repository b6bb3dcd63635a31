//! How keepers answer what is offered: a transaction for a sale, a service, a bid.

use super::*;
use crate::engine::world::World;
use crate::liquidation::keeper::Appraisal;
use crate::liquidation::offer::{Sale, Service};
use crate::liquidation::policy::english_auction::Standing;
use crate::math::Purpose;
use crate::unit::{AccountId, Cash, Lots, MarketId};

impl World {
    pub(super) fn answer_sale(&mut self, sale: &Sale) {
        let (account, market) = (sale.account, sale.market);
        let Some(closing) = self.closing_of(account, market) else {
            return;
        };
        let curve = self.curve(market, closing);
        for group in 0..self.keepers.groups.len() {
            let Some(met) = self.conditions(group, market) else {
                continue;
            };
            if self.keepers.is_sent((account, market, group)) {
                continue;
            }
            let mut look = self.appraisal(group, market, closing, met.cost, &curve);
            look.discount = sale.discount.as_f64() - sale.fee.as_f64();
            // Where not even one that holds nothing would, nobody needs to look.
            if wanted(sale, &look, f64::INFINITY).is_none() {
                continue;
            }
            let leverage = self.keepers.groups[group].terms.leverage;
            for keeper in self.on_duty(group, met.offline) {
                look.held = self.held_of(keeper, market, closing);
                let free = self.spare(keeper, leverage) - met.cost.as_f64();
                if let Some(quantity) = wanted(sale, &look, free) {
                    let act = Act::Take(quantity);
                    let committed = outlay(sale, &look, quantity);
                    self.send_act(group, keeper, (account, market), met, committed, act);
                    break;
                }
            }
        }
    }

    pub(super) fn answer_service(&mut self, service: &Service) {
        let (account, market) = (service.account, service.market);
        let groups = self.keepers.groups.len();
        if (0..groups).any(|group| self.keepers.is_sent((account, market, group))) {
            return;
        }
        let m = market.index();
        let value = self.markets[m]
            .contract
            .notional(service.quantity, self.marks[m]);
        for group in 0..groups {
            let Some(met) = self.conditions(group, market) else {
                continue;
            };
            // It hopes to gain something on what is sold afterwards.
            let hoped = HOPED * value.as_f64();
            if service.reward.as_f64() + hoped < met.cost.as_f64() {
                continue;
            }
            let leverage = self.keepers.groups[group].terms.leverage;
            let able =
                |world: &Self, keeper: usize| world.spare(keeper, leverage) > met.cost.as_f64();
            let found = self
                .on_duty(group, met.offline)
                .find(|keeper| able(self, *keeper));
            if let Some(keeper) = found {
                let key = (account, market);
                self.send_act(group, keeper, key, met, Cash::ZERO, Act::Serve);
                return;
            }
        }
    }

    /// Bids in a rising auction: one keeper of each group that isn't the one whose bid stands.
    pub(super) fn answer_auction(&mut self, place: usize) {
        let running = &self.keepers.auctions[place];
        let Some(rising) = running.rising else {
            return;
        };
        let (account, market) = (running.account, running.market);
        let Some(closing) = self.closing_of(account, market) else {
            return;
        };
        let leader = rising.best.map(|(_, keeper)| keeper);
        let curve = self.curve(market, closing);
        for group in 0..self.keepers.groups.len() {
            let Some(met) = self.conditions(group, market) else {
                continue;
            };
            if self.keepers.is_sent((account, market, group)) {
                continue;
            }
            let leverage = self.keepers.groups[group].terms.leverage;
            let mut look = self.appraisal(group, market, closing, met.cost, &curve);
            for keeper in self.on_duty(group, met.offline) {
                if Some(keeper) == leader {
                    continue;
                }
                look.held = self.held_of(keeper, market, closing);
                let free = self.spare(keeper, leverage) - met.cost.as_f64();
                let worth = look.worth(rising.lot.quantity).min(free);
                if worth <= 0.0 {
                    continue;
                }
                let best = rising.best.map(|(bid, _)| bid);
                if let Some(bid) = Standing::bettered(&rising.lot, best, Cash(worth as i64)) {
                    let key = (account, market);
                    self.send_act(group, keeper, key, met, bid.paid, Act::Bid(bid));
                }
                break;
            }
        }
    }

    pub(super) fn send_act(
        &mut self,
        group: usize,
        keeper: usize,
        (account, market): (AccountId, MarketId),
        met: Conditions,
        committed: Cash,
        act: Act,
    ) {
        let mut stream = self.draws.stream(Purpose::Keeper, account.0, self.step);
        let mut chance = stream.uniform();
        for _ in 0..group {
            chance = stream.uniform();
        }
        self.keepers.send(Transaction {
            account,
            market,
            group,
            keeper,
            at: f64::from(self.step) + met.delay.floor() + chance,
            cost: met.cost,
            committed,
            act,
        });
        self.took_its_turn(group, keeper);
        self.totals.keepers.sent += 1;
    }
}

/// What a quantity takes of a keeper's capital.
pub(super) fn outlay(sale: &Sale, look: &Appraisal<'_>, quantity: Lots) -> Cash {
    let share = (1.0 - sale.discount.as_f64() + sale.fee.as_f64()).max(0.0);
    Cash((quantity.as_f64() * look.per_lot * share).min(9e18).ceil() as i64)
}

/// What a keeper with so much to spend takes of an offer: all it can, or an eighth of that, or what is between, whichever gains the most.
fn wanted(sale: &Sale, look: &Appraisal<'_>, free: f64) -> Option<Lots> {
    let each = outlay(sale, look, Lots(1)).as_f64();
    let affordable = if each > 0.0 {
        free / each
    } else {
        free * f64::INFINITY
    };
    if affordable.is_nan() || affordable < 1.0 {
        return None;
    }
    let most = sale.whole.as_f64().min(affordable);
    let mut best: Option<(f64, Lots)> = None;
    for part in [1.0, 0.5, 0.25, 0.125] {
        let quantity = sale.admits(Lots((most * part) as i64));
        let gain = look.gain(quantity);
        if quantity > Lots::ZERO && gain > 0.0 && best.is_none_or(|(least, _)| gain > least) {
            best = Some((gain, quantity));
        }
    }
    best.map(|(_, quantity)| quantity)
}
