//! What transactions do when they arrive: positions change hands, money follows, and what was taken is sold.

use super::answer::outlay;
use super::*;
use crate::engine::event::EventKind;
use crate::engine::world::{Origin, World};
use crate::liquidation::keeper;
use crate::liquidation::offer::{self, Offer};
use crate::market::{Fill, Order};
use crate::trader::Intent;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Side, Ticks};

impl World {
    /// Does what arrives in this step.
    pub(super) fn mine(&mut self) {
        let end = f64::from(self.step) + 1.0;
        let mut due = std::mem::take(&mut self.keepers.due);
        due.clear();
        due.extend(self.keepers.sent.iter().filter(|sent| sent.at < end));
        self.keepers.sent.retain(|sent| sent.at >= end);
        due.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.key().cmp(&b.key())));
        for sent in &due {
            let keeper = &mut self.keepers.list[sent.keeper];
            keeper.committed -= sent.committed;
            if keeper.failed {
                continue;
            }
            let id = keeper.account;
            self.ledger.transfer(id, AccountId::OUTSIDE, sent.cost);
            self.totals.keepers.spent += sent.cost;
            let done = match sent.act {
                Act::Take(quantity) => self.take(sent, quantity),
                Act::Serve => self.serve(sent),
                Act::Bid(bid) => self.bid((sent.account, sent.market), sent.keeper, bid),
            };
            self.totals.keepers.reverted += u32::from(!done);
        }
        self.keepers.due = due;
    }

    pub(super) fn offered(&self, account: AccountId, market: MarketId) -> Option<usize> {
        self.keepers
            .offers
            .binary_search_by_key(&(account, market), Offer::key)
            .ok()
    }

    /// Takes what is offered now, if it is still worth it.
    pub(super) fn take(&mut self, sent: &Transaction, quantity: Lots) -> bool {
        let (account, market) = (sent.account, sent.market);
        let Some(place) = self.offered(account, market) else {
            return false;
        };
        let (Offer::Sale(sale), Some(closing)) =
            (self.keepers.offers[place], self.closing_of(account, market))
        else {
            return false;
        };
        let curve = self.curve(market, closing);
        let mut look = self.appraisal(sent.group, market, closing, Cash::ZERO, &curve);
        look.discount = sale.discount.as_f64() - sale.fee.as_f64();
        look.held = self.held_of(sent.keeper, market, closing);
        let leverage = self.keepers.groups[sent.group].terms.leverage;
        let held = self
            .ledger
            .position(account, market)
            .map_or(Lots::ZERO, |slot| slot.quantity.abs());
        let quantity = sale.admits(quantity).min(held);
        let affordable =
            outlay(&sale, &look, quantity).as_f64() <= self.spare(sent.keeper, leverage);
        if quantity <= Lots::ZERO || !affordable || look.gain(quantity) <= 0.0 {
            return false;
        }
        let m = market.index();
        let (contract, mark) = (self.markets[m].contract, self.marks[m]);
        let notional = contract.notional(quantity, mark);
        let raised = offer::paid(&contract, Side::Sell, quantity, mark, sale.discount);
        let hand = Hand {
            from: account,
            market,
            to: self.keepers.list[sent.keeper].account,
            quantity,
            paid: offer::paid(&contract, closing, quantity, mark, sale.discount),
            raised,
            fee: sale.fee.mul_up(notional),
            penalty: sale.penalty,
        };
        self.hand_over(&hand);
        let over = self.liquidation.policies[m].taken(account, quantity, raised);
        self.tell_auction((account, market), quantity, raised, over);
        if let Offer::Sale(sale) = &mut self.keepers.offers[place] {
            sale.whole -= quantity;
            sale.part -= quantity;
        }
        true
    }

    /// Begins an auction, or begins it anew.
    pub(super) fn serve(&mut self, sent: &Transaction) -> bool {
        let (account, market) = (sent.account, sent.market);
        let Some(place) = self.offered(account, market) else {
            return false;
        };
        let Offer::Service(service) = self.keepers.offers[place] else {
            return false;
        };
        self.liquidation.policies[market.index()].begun(account, self.step);
        let to = self.keepers.list[sent.keeper].account;
        let paid = self
            .fund
            .spend(&mut self.ledger, to, market, service.reward);
        self.totals.keepers.rewards += paid;
        self.begin_auction(&service);
        // Nobody else needs to.
        self.keepers.offers.remove(place);
        true
    }

    /// Moves a position from whoever is liquidated to a keeper, and the money with it.
    pub(in crate::engine) fn hand_over(&mut self, hand: &Hand) {
        let Hand {
            from,
            market,
            to,
            quantity,
            paid,
            raised,
            fee,
            penalty,
        } = *hand;
        let Some(side) = self.closing_of(from, market) else {
            return;
        };
        let m = market.index();
        for id in [from, to] {
            if let Some(slot) = self.ledger.place(id, market) {
                self.ledger.settle_funding(id, slot, self.funding[m]);
            }
        }
        let contract = self.markets[m].contract;
        let notional = contract.notional(quantity, self.marks[m]);
        let price = contract.price_of(quantity, i128::from(paid.0));
        let fill = Fill {
            taker: from,
            maker: to,
            side,
            quantity,
            value: paid,
            price: Ticks(price.round_ties_even() as i64),
        };
        self.ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
        let bonus = Cash((notional.0 - paid.0) * -side.sign());
        self.totals.keepers.seized += notional;
        self.totals.keepers.bonus += bonus;
        self.emit(
            EventKind::Seized,
            Some(from),
            Some(market),
            Lots(quantity.0 * side.sign()),
            fill.price,
            paid,
        );
        self.pay_to_fund(to, market, fee);
        self.totals.keepers.fees += fee;
        if self.ledger.is_house(from) {
            return;
        }
        self.touched.push(from);
        self.trace_change(from);
        let owed = penalty.mul_up(raised) + self.liquidation.fee.mul_up(notional);
        let left = Cash::clamped(self.equity(from).max(0));
        self.pay_to_fund(from, market, owed.min(left));
    }

    pub(super) fn pay_to_fund(&mut self, from: AccountId, market: MarketId, amount: Cash) {
        if amount > Cash::ZERO {
            self.fund
                .receive(&mut self.ledger, from, Some(market), amount);
            self.totals.fund_received += amount;
            self.emit(
                EventKind::FundReceived,
                Some(from),
                Some(market),
                Lots::ZERO,
                Ticks::ZERO,
                amount,
            );
        }
    }

    /// Keepers sell a part of what they hold.
    pub(super) fn sell_seized(&mut self) {
        for group in 0..self.keepers.groups.len() {
            let Group { terms, first, .. } = &self.keepers.groups[group];
            let (half_life, first, count) = (terms.half_life, *first, terms.count as usize);
            for keeper in first..first + count {
                let account = self.keepers.list[keeper].account;
                for (market, slot) in self.ledger.places(account) {
                    let held = self.ledger.slot(slot).quantity;
                    if held.is_zero() || self.safety.halted(market, self.step) {
                        continue;
                    }
                    let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
                    let order = Order::market(account, side, keeper::unwinds(held, half_life));
                    let at = self.forced_arrival(account, 0.0);
                    self.send(
                        at,
                        Origin::Forced(crate::liquidation::Terms::Book),
                        Intent::Place {
                            market,
                            order,
                            lifetime: 0,
                        },
                    );
                }
            }
        }
    }
}

/// A position that changes hands.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Hand {
    pub(in crate::engine) from: AccountId,
    pub(in crate::engine) market: MarketId,
    pub(in crate::engine) to: AccountId,
    pub(in crate::engine) quantity: Lots,
    /// The value at which it does.
    pub(in crate::engine) paid: Cash,
    /// What that raises towards the debt.
    pub(in crate::engine) raised: Cash,
    /// What the keeper pays to the fund.
    pub(in crate::engine) fee: Cash,
    /// What of the proceeds the account pays to the fund.
    pub(in crate::engine) penalty: Rate,
}
