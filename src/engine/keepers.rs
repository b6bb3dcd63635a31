//! Keepers at work: they look at what policies offer, send transactions, and sell in the book what they got.
//!
//! Once a step, after the forced orders of its first round: what arrives now is done in the order of its arrival, each against what is
//! offered now. A transaction that comes too late, or whose price is no longer worth it, costs its sender all the same. What is
//! taken changes hands outside the book, through the ledger; what keepers sell of it later meets the book as
//! forced orders do.
//!
//! # Invariants
//!
//! - `keepers_pay_with_what_they_have`: nobody takes or bids for more than its free capital.
//! - `every_random_world_conserves_to_the_quantum`, keepers and reserves included.

use super::auctions::Running;
use super::event::EventKind;
use super::world::{Origin, World};
use crate::account::State;
use crate::liquidation::keeper::{self, Appraisal, Curve};
use crate::liquidation::offer::{self, Offer, Sale, Service};
use crate::liquidation::policy::absorb::Reserves;
use crate::liquidation::policy::english_auction::Standing;
use crate::liquidation::policy::loan::Loan;
use crate::liquidation::waterfall::ClosePrice;
use crate::market::{Fill, Order};
use crate::math::Purpose;
use crate::trader::Intent;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Side, Ticks};

/// What whoever begins an auction hopes to gain by it, over what is sold.
const HOPED: f64 = 0.01;

/// Keepers, their transactions, and what is offered to them.
#[derive(Clone, Default)]
pub(super) struct Keepers {
    pub(super) groups: Vec<Group>,
    pub(super) list: Vec<Keeper>,
    pub(super) reserves: Option<Storefront>,
    /// What is offered in this step.
    pub(super) offers: Vec<Offer>,
    /// Auctions that run, by account and market.
    pub(super) auctions: Vec<Running>,
    /// On their way.
    sent: Vec<Transaction>,
    due: Vec<Transaction>,
    /// Bids and asks of each market as keepers see them in this step.
    curves: Vec<Option<[Curve; 2]>>,
    /// Next step in which they act.
    acts_at: u32,
}

/// Keepers on the same terms.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) terms: keeper::Terms,
    /// Its first keeper's place in the list.
    first: usize,
    /// Who of them looks first at the next offer.
    next: usize,
}

/// One keeper.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) account: AccountId,
    /// Promised in transactions and bids.
    pub(super) committed: Cash,
    failed: bool,
}

/// The venue's reserves, and the account that they trade with.
#[derive(Clone)]
pub(super) struct Storefront {
    pub(super) account: AccountId,
    pub(super) rules: Reserves,
    /// The haircut at which each market's positions were taken last.
    pub(super) haircuts: Vec<Rate>,
}

/// What a keeper does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Take(Lots),
    Bid(Standing),
    Serve,
}

/// A transaction on its way.
#[derive(Clone, Copy, Debug)]
struct Transaction {
    account: AccountId,
    market: MarketId,
    group: usize,
    keeper: usize,
    /// When it has its effect, in steps since the start.
    at: f64,
    cost: Cash,
    /// What of its sender's capital waits for it.
    committed: Cash,
    act: Act,
}

impl Transaction {
    const fn key(&self) -> (AccountId, MarketId, usize) {
        (self.account, self.market, self.group)
    }
}

impl Keepers {
    /// Whether there is nobody, so that there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.reserves.is_none()
    }

    /// Whether they act in a step.
    pub(super) fn act_in(&self, step: u32) -> bool {
        !self.is_empty() && self.acts_at <= step
    }

    fn is_sent(&self, key: (AccountId, MarketId, usize)) -> bool {
        self.sent
            .binary_search_by_key(&key, Transaction::key)
            .is_ok()
    }

    fn send(&mut self, transaction: Transaction) {
        let at = self
            .sent
            .partition_point(|sent| sent.key() <= transaction.key());
        self.list[transaction.keeper].committed += transaction.committed;
        self.sent.insert(at, transaction);
    }
}

/// What everybody in a group knows of a market in a step.
#[derive(Clone, Copy)]
struct Conditions {
    /// What a transaction costs; nothing where none is mined.
    cost: Cash,
    /// Steps until it has its effect.
    delay: f64,
    /// How many of the group can't be reached.
    offline: usize,
}

impl World {
    /// Opens the keepers' and the reserves' accounts.
    pub(super) fn open_keepers(&mut self) {
        let markets = self.markets.len();
        self.keepers.curves = vec![None; markets];
        let groups = std::mem::take(&mut self.liquidation.keepers);
        let mut capital = Cash::ZERO;
        for terms in &groups {
            let first = self.keepers.list.len();
            for _ in 0..terms.count {
                let account = self.ledger.open_house();
                self.ledger.deposit(account, terms.capital);
                capital += terms.capital;
                self.keepers.list.push(Keeper {
                    account,
                    committed: Cash::ZERO,
                    failed: false,
                });
            }
            self.keepers.groups.push(Group {
                terms: *terms,
                first,
                next: 0,
            });
        }
        self.liquidation.keepers = groups;
        if let Some(rules) = self.liquidation.reserves {
            let account = self.ledger.open_house();
            self.ledger.deposit(account, rules.capital);
            self.keepers.reserves = Some(Storefront {
                account,
                rules,
                haircuts: vec![Rate::ZERO; markets],
            });
            self.totals.keepers.reserves = rules.capital;
        }
        self.totals.keepers.capital = capital;
        self.totals.keepers.equity = capital;
    }

    /// What traders owe against what they hold, as the run begins.
    pub(super) fn opening_debt(&self) -> Cash {
        let mut debt = 0i128;
        for id in self.ledger.traders() {
            let mut held = 0i128;
            for (market, slot) in self.ledger.places(id) {
                let m = market.index();
                let quantity = self.ledger.slot(slot).quantity;
                held += self.markets[m].contract.wide(quantity, self.marks[m]).abs();
            }
            debt += (held - self.equity(id)).max(0);
        }
        Cash::clamped(debt)
    }

    /// The keepers' accounts.
    pub fn keepers(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.keepers.list.iter().map(|keeper| keeper.account)
    }

    /// The keepers' part of a step's decisions and matching.
    pub(super) fn meet_keepers(&mut self) {
        if !self.keepers.act_in(self.step) {
            return;
        }
        self.keepers.acts_at = self.step + 1;
        self.keepers.curves.fill(None);
        self.measure_debt();
        self.put_up();
        self.keepers.offers.sort_unstable_by_key(Offer::key);
        for place in 0..self.keepers.offers.len() {
            match self.keepers.offers[place] {
                Offer::Sale(sale) => self.answer_sale(&sale),
                Offer::Service(service) => self.answer_service(&service),
                Offer::Lot(_) | Offer::Absorb(_) => {}
            }
        }
        for place in 0..self.keepers.auctions.len() {
            self.answer_auction(place);
        }
        self.mine();
        self.close_auctions();
        self.sell_seized();
        self.measure_keepers();
        self.keepers.offers.clear();
    }

    // --- looking ------------------------------------------------------------------------------

    /// What a group meets in a market; nothing where its transactions are never mined.
    fn conditions(&self, group: usize, market: MarketId) -> Option<Conditions> {
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
    fn on_duty(&self, group: usize, offline: usize) -> impl Iterator<Item = usize> + use<> {
        let Group { terms, first, next } = &self.keepers.groups[group];
        let (first, count, next) = (*first, terms.count as usize, *next);
        (0..count)
            .map(move |k| (next + k) % count)
            .filter(move |place| *place >= offline)
            .map(move |place| first + place)
    }

    /// Whether somebody of a group sees what goes on in a market, and can act on it.
    pub(super) fn hears(&self, group: usize, market: MarketId) -> bool {
        self.conditions(group, market).is_some_and(|met| {
            self.on_duty(group, met.offline)
                .any(|keeper| !self.keepers.list[keeper].failed)
        })
    }

    fn took_its_turn(&mut self, group: usize, keeper: usize) {
        let group = &mut self.keepers.groups[group];
        group.next = (keeper - group.first + 1) % group.terms.count as usize;
    }

    /// The side of a market in which keepers would sell what is closed by an order of `closing`.
    fn curve(&mut self, market: MarketId, closing: Side) -> Curve {
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
    fn appraisal<'a>(
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
    fn held_of(&self, keeper: usize, market: MarketId, closing: Side) -> Lots {
        let held = self
            .ledger
            .position(self.keepers.list[keeper].account, market)
            .map_or(0, |slot| slot.quantity.0);
        Lots((-held * closing.sign()).max(0))
    }

    /// What a keeper may still spend.
    fn spare(&self, keeper: usize, leverage: f64) -> f64 {
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
    pub(super) fn closing_of(&self, account: AccountId, market: MarketId) -> Option<Side> {
        let held = self.ledger.position(account, market)?.quantity;
        Some(if held.0 > 0 { Side::Sell } else { Side::Buy })
    }

    // --- answering ----------------------------------------------------------------------------

    fn answer_sale(&mut self, sale: &Sale) {
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

    fn answer_service(&mut self, service: &Service) {
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
    fn answer_auction(&mut self, place: usize) {
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

    fn send_act(
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

    // --- doing --------------------------------------------------------------------------------

    /// Does what arrives in this step.
    fn mine(&mut self) {
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

    fn offered(&self, account: AccountId, market: MarketId) -> Option<usize> {
        self.keepers
            .offers
            .binary_search_by_key(&(account, market), Offer::key)
            .ok()
    }

    /// Takes what is offered now, if it is still worth it.
    fn take(&mut self, sent: &Transaction, quantity: Lots) -> bool {
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
    fn serve(&mut self, sent: &Transaction) -> bool {
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
    pub(super) fn hand_over(&mut self, hand: &Hand) {
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

    fn pay_to_fund(&mut self, from: AccountId, market: MarketId, amount: Cash) {
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
    fn sell_seized(&mut self) {
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

    // --- watching -----------------------------------------------------------------------------

    /// In settlement: keepers that have lost everything are out, and so are reserves.
    pub(super) fn watch_keepers(&mut self) {
        for place in 0..self.keepers.list.len() {
            let id = self.keepers.list[place].account;
            let equity = self.equity(id);
            if equity < 0 && !self.keepers.list[place].failed {
                self.keepers.list[place].failed = true;
                self.totals.keepers.failed += 1;
                self.emit(
                    EventKind::KeeperFailed,
                    Some(id),
                    None,
                    Lots::ZERO,
                    Ticks::ZERO,
                    Cash::clamped(equity),
                );
            }
            if self.keepers.list[place].failed {
                if equity < 0 && self.liquidation.adl.is_some() && !self.ledger.is_flat(id) {
                    self.deleverage(&[id], ClosePrice::Bankruptcy);
                }
                // A bid that stands may still win it a position.
                let bids = self.keepers.auctions.iter().any(|running| {
                    running
                        .rising
                        .and_then(|rising| rising.best)
                        .is_some_and(|(_, keeper)| keeper == place)
                });
                if !bids {
                    self.conclude_house(id);
                }
            }
        }
        if let Some(reserves) = &self.keepers.reserves {
            self.conclude_house(reserves.account);
        }
    }

    /// Closes the books of one of the venue's own accounts that holds nothing and owes.
    fn conclude_house(&mut self, id: AccountId) {
        let account = self.ledger.account(id);
        if account.cash < Cash::ZERO && account.state != State::Closed && self.ledger.is_flat(id) {
            self.conclude(id);
        }
    }

    /// How much debt is in liquidation, and how much of it liquidation would only worsen, before anything is taken.
    fn measure_debt(&mut self) {
        let (mut toxic, mut stranded) = (0.0, 0.0);
        for id in &self.liquidating {
            for (market, _) in self.ledger.places(*id) {
                if let Some(case) = self.case(*id, market) {
                    let loan = Loan::of(&case);
                    stranded += loan.debt.max(0.0);
                    let bonus = self.liquidation.policies[market.index()].bonus(&loan);
                    if bonus.is_some_and(|bonus| loan.is_toxic(bonus)) {
                        toxic += loan.debt;
                    }
                }
            }
        }
        let row = &mut self.totals.keepers;
        row.stranded = Cash(stranded as i64);
        row.toxic_peak = row.toxic_peak.max(Cash(toxic as i64));
    }

    /// What keepers have and hold now.
    fn measure_keepers(&mut self) {
        let (mut equity, mut used) = (0i128, 0i128);
        for keeper in &self.keepers.list {
            equity += self.equity(keeper.account);
            used += i128::from(keeper.committed.0);
            for (market, slot) in self.ledger.places(keeper.account) {
                let quantity = self.ledger.slot(slot).quantity;
                if !quantity.is_zero() {
                    let m = market.index();
                    used += self.markets[m].contract.wide(quantity, self.marks[m]).abs();
                }
            }
        }
        let reserves = self
            .keepers
            .reserves
            .as_ref()
            .map_or(Cash::ZERO, |reserves| {
                Cash::clamped(self.equity(reserves.account))
            });
        let open = self.keepers.auctions.len() as u32;
        let row = &mut self.totals.keepers;
        row.equity = Cash::clamped(equity);
        row.used = Cash::clamped(used);
        row.used_peak = row.used_peak.max(row.used);
        row.reserves = reserves;
        row.auctions_open = open;
    }
}

/// A position that changes hands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    pub(super) from: AccountId,
    pub(super) market: MarketId,
    pub(super) to: AccountId,
    pub(super) quantity: Lots,
    /// The value at which it does.
    pub(super) paid: Cash,
    /// What that raises towards the debt.
    pub(super) raised: Cash,
    /// What the keeper pays to the fund.
    pub(super) fee: Cash,
    /// What of the proceeds the account pays to the fund.
    pub(super) penalty: Rate,
}

/// What a quantity takes of a keeper's capital.
fn outlay(sale: &Sale, look: &Appraisal<'_>, quantity: Lots) -> Cash {
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
