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

mod act;
mod answer;
mod books;
mod look;

pub(super) use act::Hand;

use super::auctions::Running;
use super::world::World;
use crate::liquidation::keeper::{self, Curve};
use crate::liquidation::offer::Offer;
use crate::liquidation::policy::absorb::Reserves;
use crate::liquidation::policy::english_auction::Standing;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate};

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
}
