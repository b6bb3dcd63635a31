//! Auctions at work, and the reserves' storefront: what is put up, how bids stand, and how it ends.
//!
//! # Invariants
//!
//! - `a_lone_bidder_wins_for_nothing_and_two_bid_up_to_what_it_is_worth`.
//! - `reserves_take_whole_accounts_and_sell_them_at_half_of_the_haircut`.

use super::event::EventKind;
use super::keepers::Hand;
use super::world::World;
use crate::account::State;
use crate::liquidation::offer::{self, Absorb, Lot, Offer, Sale, Service};
use crate::liquidation::policy::english_auction::Standing;
use crate::market::Fill;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Ticks};

/// An auction whose proceeds are less than this share of what was sold counts as one for nothing.
const NOTHING: f64 = 0.01;

/// An auction that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) account: AccountId,
    pub(super) market: MarketId,
    since: u32,
    /// What was sold so far, at the mark of then, and what it raised.
    sold: Cash,
    raised: Cash,
    /// Bids, where they rise.
    pub(super) rising: Option<Rising>,
}

/// A rising auction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rising {
    pub(super) lot: Lot,
    /// The best bid, and which keeper's it is.
    pub(super) best: Option<(Standing, usize)>,
    /// Step of the last bid.
    last: u32,
    /// Step in which it began, or began anew.
    begun: u32,
}

impl World {
    fn auction(&self, (account, market): (AccountId, MarketId)) -> Result<usize, usize> {
        self.keepers
            .auctions
            .binary_search_by_key(&(account, market), |running| {
                (running.account, running.market)
            })
    }

    /// Does what needs no keeper to be found: accounts are absorbed, lots put up, the storefront opened.
    pub(super) fn put_up(&mut self) {
        let mut offers = std::mem::take(&mut self.keepers.offers);
        for offer in &offers {
            match offer {
                Offer::Absorb(absorb) => self.absorb_account(absorb),
                Offer::Lot(lot) => self.put_up_lot(lot),
                Offer::Sale(_) | Offer::Service(_) => {}
            }
        }
        offers.retain(|offer| matches!(offer, Offer::Sale(_) | Offer::Service(_)));
        self.open_storefront(&mut offers);
        self.keepers.offers = offers;
    }

    // --- auctions -----------------------------------------------------------------------------

    fn put_up_lot(&mut self, lot: &Lot) {
        let key = (lot.account, lot.market);
        // Somebody has to call for it.
        let heard = (0..self.keepers.groups.len()).any(|group| self.hears(group, lot.market));
        if !heard {
            return;
        }
        let Err(at) = self.auction(key) else {
            return;
        };
        self.liquidation.policies[lot.market.index()].begun(lot.account, self.step);
        let rising = Rising {
            lot: *lot,
            best: None,
            last: self.step,
            begun: self.step,
        };
        let running = Running {
            account: lot.account,
            market: lot.market,
            since: self.step,
            sold: Cash::ZERO,
            raised: Cash::ZERO,
            rising: Some(rising),
        };
        self.keepers.auctions.insert(at, running);
        self.tell_began(key, lot.quantity, lot.tab);
    }

    fn tell_began(&mut self, (account, market): (AccountId, MarketId), lots: Lots, tab: Cash) {
        self.totals.keepers.auctions += 1;
        let mark = self.marks[market.index()];
        self.emit(
            EventKind::AuctionBegan,
            Some(account),
            Some(market),
            lots,
            mark,
            tab,
        );
    }

    fn tell_again(&mut self, (account, market): (AccountId, MarketId), lots: Lots, tab: Cash) {
        self.totals.keepers.auctions_again += 1;
        let mark = self.marks[market.index()];
        self.emit(
            EventKind::AuctionRestarted,
            Some(account),
            Some(market),
            lots,
            mark,
            tab,
        );
    }

    /// A falling auction begins, or begins anew.
    pub(super) fn begin_auction(&mut self, service: &Service) {
        let key = (service.account, service.market);
        match self.auction(key) {
            Ok(_) => self.tell_again(key, service.quantity, service.tab),
            Err(at) => {
                let running = Running {
                    account: service.account,
                    market: service.market,
                    since: self.step,
                    sold: Cash::ZERO,
                    raised: Cash::ZERO,
                    rising: None,
                };
                self.keepers.auctions.insert(at, running);
                self.tell_began(key, service.quantity, service.tab);
            }
        }
    }

    /// Enters a bid; whether it is the best.
    pub(super) fn bid(&mut self, key: (AccountId, MarketId), keeper: usize, bid: Standing) -> bool {
        let Ok(at) = self.auction(key) else {
            return false;
        };
        let step = self.step;
        let Some(rising) = &mut self.keepers.auctions[at].rising else {
            return false;
        };
        let best = rising.best;
        if !bid.beats(&rising.lot, best.map(|(standing, _)| standing)) {
            return false;
        }
        rising.best = Some((bid, keeper));
        rising.last = step;
        if let Some((before, other)) = best {
            let other = &mut self.keepers.list[other];
            other.committed -= before.paid;
        }
        self.keepers.list[keeper].committed += bid.paid;
        let account = self.keepers.list[keeper].account;
        self.emit(
            EventKind::KeeperBid,
            Some(account),
            Some(key.1),
            bid.lots,
            Ticks::ZERO,
            bid.paid,
        );
        true
    }

    /// Ends rising auctions whose time is over; where nobody bid they begin anew.
    pub(super) fn close_auctions(&mut self) {
        let mut place = 0;
        while place < self.keepers.auctions.len() {
            let running = self.keepers.auctions[place];
            place += 1;
            let Some(rising) = running.rising else {
                continue;
            };
            let lot = rising.lot;
            let long = self.step - rising.begun >= lot.length;
            if self.safety.withheld(running.market, self.step) {
                continue;
            }
            match rising.best {
                Some((bid, keeper)) if long || self.step - rising.last >= lot.bid_life => {
                    place -= 1;
                    self.knock_down(&running, &lot, bid, keeper);
                }
                None if long => {
                    if let Some(rising) = &mut self.keepers.auctions[place - 1].rising {
                        rising.begun = self.step;
                    }
                    self.tell_again((running.account, running.market), lot.quantity, lot.tab);
                }
                _ => {}
            }
        }
    }

    /// The best bid gets the lot, and the account is told.
    fn knock_down(&mut self, running: &Running, lot: &Lot, bid: Standing, keeper: usize) {
        let (account, market) = (running.account, running.market);
        let winner = &mut self.keepers.list[keeper];
        winner.committed -= bid.paid;
        let to = winner.account;
        let held = self
            .ledger
            .position(account, market)
            .map_or(Lots::ZERO, |slot| slot.quantity);
        let quantity = bid.lots.min(held.abs());
        let m = market.index();
        let notional = self.markets[m].contract.notional(quantity, self.marks[m]);
        // Something else may have closed a part: that is not paid for.
        let part = i128::from(bid.paid.0) * i128::from(quantity.0) / i128::from(bid.lots.0.max(1));
        let raised = Cash::clamped(part);
        let paid = if held.0 > 0 {
            raised
        } else {
            Cash::clamped(2 * i128::from(notional.0) - part).max(Cash::ZERO)
        };
        if quantity > Lots::ZERO {
            self.hand_over(&Hand {
                from: account,
                market,
                to,
                quantity,
                paid,
                raised,
                fee: Cash::ZERO,
                penalty: lot.penalty,
            });
        }
        self.liquidation.policies[m].taken(account, quantity, raised);
        self.tell_auction((account, market), quantity, raised, true);
    }

    /// A part of an auction was sold, or the last of it.
    pub(super) fn tell_auction(
        &mut self,
        (account, market): (AccountId, MarketId),
        quantity: Lots,
        raised: Cash,
        over: bool,
    ) {
        let Ok(at) = self.auction((account, market)) else {
            return;
        };
        let m = market.index();
        let mark = self.marks[m];
        let value = self.markets[m].contract.notional(quantity, mark);
        let running = &mut self.keepers.auctions[at];
        running.sold += value;
        running.raised += raised;
        let running = *running;
        // Sold out of the account altogether, it is over whatever was to be raised.
        if !over && self.ledger.position(account, market).is_some() {
            return;
        }
        self.keepers.auctions.remove(at);
        let row = &mut self.totals.keepers;
        row.auctions_ended += 1;
        row.auction_steps += u64::from(self.step - running.since);
        row.auctioned += running.sold;
        if running.raised.as_f64() < NOTHING * running.sold.as_f64() {
            row.auctions_for_nothing += 1;
            row.sold_for_nothing += running.sold;
        }
        self.emit(
            EventKind::AuctionEnded,
            Some(account),
            Some(market),
            quantity,
            mark,
            running.raised,
        );
    }

    /// An account is no longer in liquidation: its auctions lapse, and bids are free again.
    pub(super) fn lapse(&mut self, id: AccountId) {
        if self.keepers.auctions.is_empty() {
            return;
        }
        let list = &mut self.keepers.list;
        self.keepers.auctions.retain(|running| {
            if running.account != id {
                return true;
            }
            if let Some((bid, keeper)) = running.rising.and_then(|rising| rising.best) {
                list[keeper].committed -= bid.paid;
            }
            false
        });
    }

    // --- reserves -----------------------------------------------------------------------------

    /// The reserves take a whole account over.
    fn absorb_account(&mut self, absorb: &Absorb) {
        let id = absorb.account;
        let Some(to) = self
            .keepers
            .reserves
            .as_ref()
            .map(|reserves| reserves.account)
            .filter(|account| self.ledger.account(*account).state != State::Closed)
        else {
            return;
        };
        if self.liquidation_waits(id) || self.ledger.is_flat(id) {
            return;
        }
        let (equity, before) = (self.equity(id), self.equity(to));
        let haircut = Rate(Rate::ONE.0 - absorb.credit.0);
        for (market, _) in self.ledger.places(id) {
            let (Some(side), Some(slot)) = (
                self.closing_of(id, market),
                self.ledger.position(id, market),
            ) else {
                continue;
            };
            let quantity = slot.quantity.abs();
            let m = market.index();
            let (contract, mark) = (self.markets[m].contract, self.marks[m]);
            let credited = offer::paid(&contract, side, quantity, mark, haircut);
            for account in [id, to] {
                if let Some(slot) = self.ledger.place(account, market) {
                    self.ledger.settle_funding(account, slot, self.funding[m]);
                }
            }
            let price = contract.price_of(quantity, i128::from(credited.0));
            let fill = Fill {
                taker: id,
                maker: to,
                side,
                quantity,
                value: credited,
                price: Ticks(price.round_ties_even() as i64),
            };
            self.ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
            self.totals.keepers.absorbed += contract.notional(quantity, mark);
            if let Some(reserves) = &mut self.keepers.reserves {
                reserves.haircuts[m] = haircut;
            }
            self.emit(
                EventKind::Absorbed,
                Some(id),
                Some(market),
                Lots(quantity.0 * side.sign()),
                fill.price,
                credited,
            );
        }
        let left = self.ledger.account(id).cash;
        if left < Cash::ZERO {
            self.ledger.transfer(to, id, -left);
        }
        let deficit = Cash::clamped(-equity).max(Cash::ZERO);
        self.assume(deficit, before);
        self.touched.push(id);
        self.trace_change(id);
    }

    /// What the reserves hold is for sale as long as they are below their target.
    fn open_storefront(&self, offers: &mut Vec<Offer>) {
        let Some(reserves) = &self.keepers.reserves else {
            return;
        };
        let account = reserves.account;
        let mut cash = self.ledger.account(account).cash;
        for (_, slot) in self.ledger.places(account) {
            cash -= self.ledger.slot(slot).cost;
        }
        if cash >= reserves.rules.target {
            return;
        }
        for (market, slot) in self.ledger.places(account) {
            let held = self.ledger.slot(slot).quantity.abs();
            if !held.is_zero() && !self.safety.withheld(market, self.step) {
                offers.push(Offer::Sale(Sale {
                    account,
                    market,
                    whole: held,
                    part: held,
                    discount: reserves.rules.discount(reserves.haircuts[market.index()]),
                    fee: Rate::ZERO,
                    penalty: Rate::ZERO,
                }));
            }
        }
    }
}
