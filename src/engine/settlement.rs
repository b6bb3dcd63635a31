//! Phase 8, settlement: the waterfall pays what accounts in liquidation leave unpaid.
//!
//! An account that is closed with a negative balance is paid for by the insurance fund, then out of
//! winnings, and what is left stays on it as uncovered. One that still holds a position is handed to the backstop where it
//! is due and the backstop can carry it. A bankrupt one goes on being closed in the market as long as the fund
//! can stand behind its deficit at the mark; beyond that the backstop has it, and beyond that its position is closed against the
//! deleveraging queue. A fund that has fallen too far puts whoever is in liquidation before that queue.
//!
//! # Invariants
//!
//! - `every_quantum_of_bad_debt_ends_in_one_place`.
//! - What is owed is paid for whichever account owes it: deficits of one settlement are taken from winners together.

use super::event::EventKind;
use super::setup::Socialise;
use super::world::World;
use crate::account::{State, Valuation};
use crate::liquidation::waterfall::ClosePrice;
use crate::liquidation::waterfall::adl::{self, Claim};
use crate::market::Fill;
use crate::math::Purpose;
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};

impl World {
    /// Phase 8.
    pub(super) fn settle(&mut self) {
        self.scratch.ranked.fill(false);
        self.exhausted.fill(false);
        // Deficits at the mark that each pool of the fund already stands behind in this pass.
        let mut promised = vec![Cash::ZERO; self.fund.pools().len()];
        let together = self
            .liquidation
            .adl
            .is_some_and(|adl| adl.ranking.is_proportional());
        let mut claimants = std::mem::take(&mut self.scratch.claimants);
        claimants.clear();
        let mut liquidating = std::mem::take(&mut self.liquidating);
        liquidating.retain(|id| {
            let id = *id;
            if !self.ledger.is_flat(id)
                && !self.liquidation_waits(id)
                && self.is_for_the_queue(id, &mut promised)
            {
                if together {
                    claimants.push(id);
                } else {
                    self.deleverage(&[id], self.close_price());
                }
            }
            let closed = self.ledger.is_flat(id);
            if closed {
                self.conclude(id);
            }
            !closed
        });
        self.liquidating = liquidating;
        if !claimants.is_empty() {
            self.deleverage(&claimants, self.close_price());
            for id in &claimants {
                if self.ledger.is_flat(*id) {
                    self.conclude(*id);
                }
            }
            let ledger = &self.ledger;
            self.liquidating
                .retain(|id| ledger.account(*id).state != State::Closed);
        }
        self.scratch.claimants = claimants;
        self.watch_vault();
        self.watch_keepers();
        self.socialise();
        self.totals.fund = self.ledger.account(AccountId::FUND).cash;
    }

    fn close_price(&self) -> ClosePrice {
        self.liquidation
            .adl
            .map_or(ClosePrice::Bankruptcy, |adl| adl.price)
    }

    /// What becomes of an account in liquidation that still holds positions: whether it is for the deleveraging queue.
    /// On the way it may be handed to the backstop.
    fn is_for_the_queue(&mut self, id: AccountId, promised: &mut [Cash]) -> bool {
        let adl = self.liquidation.adl;
        if adl.is_some_and(|adl| adl.drawdown.is_some()) && self.fund_has_fallen_for(id) {
            return true;
        }
        let equity = self.equity(id);
        if equity >= 0 {
            let due = self
                .vault
                .is_some_and(|vault| vault.rules.due(equity, self.requirement(id)));
            if due {
                self.take_over(id);
            }
            return false;
        }
        let deficit = Cash::clamped(-equity);
        let pools = self.fund.answering(self.ledger.account(id).isolated());
        let free: Cash = pools
            .clone()
            .map(|pool| self.fund.pools()[pool] - promised[pool])
            .sum();
        if deficit <= free {
            let mut left = deficit;
            for pool in pools {
                let part = left.min(self.fund.pools()[pool] - promised[pool]);
                promised[pool] += part;
                left -= part;
            }
            return false;
        }
        !self.take_over(id) && adl.is_some()
    }

    fn fund_has_fallen_for(&self, id: AccountId) -> bool {
        self.ledger.places(id).any(|(market, slot)| {
            !self.ledger.slot(slot).quantity.is_zero() && self.fund_has_fallen(market)
        })
    }

    /// Closes accounts' positions against the queue: one after the other, or in proportion all together.
    pub(super) fn deleverage(&mut self, ids: &[AccountId], price: ClosePrice) {
        let adl = self.liquidation.adl.unwrap_or_default();
        let before: Vec<i128> = ids.iter().map(|id| self.equity(*id)).collect();
        let mut cost = Cash::ZERO;
        if adl.ranking.is_proportional() {
            for m in 0..self.markets.len() {
                for longs in [true, false] {
                    cost += self.close_together(ids, MarketId(m as u16), longs, price);
                }
            }
        } else {
            for id in ids {
                for (market, _) in self.ledger.places(*id) {
                    cost += self.close_alone(*id, market, price);
                }
            }
        }
        let mut covered = Cash::ZERO;
        for (id, before) in ids.iter().zip(before) {
            let own = Cash::clamped(self.equity(*id).min(0) - before).max(Cash::ZERO);
            if own > Cash::ZERO {
                self.note(EventKind::DeficitDeleveraged, *id, own);
            }
            covered += own;
            for (market, slot) in self.ledger.places(*id) {
                if !self.ledger.slot(slot).quantity.is_zero() {
                    self.exhausted[market.index()] = true;
                }
            }
        }
        self.totals.deleveraged_deficit += covered;
        self.totals.bad_debt += covered;
        self.totals.deleveraged_cost += cost;
        self.totals.deleveraged_excess += (cost - covered).max(Cash::ZERO);
    }

    /// Closes one position against the queue; what that cost the winners.
    fn close_alone(&mut self, id: AccountId, market: MarketId, price: ClosePrice) -> Cash {
        if self.deleveraging_rests(market) || self.markets[market.index()].spot {
            return Cash::ZERO;
        }
        let Some(claim) = self.claim(id, market, price) else {
            return Cash::ZERO;
        };
        let longs = self
            .ledger
            .position(id, market)
            .is_some_and(|slot| slot.quantity.0 < 0);
        let place = self.rank(market, longs);
        let mut fills = std::mem::take(&mut self.scratch.fills);
        fills.clear();
        let at = Valuation {
            marks: &self.marks,
            funding: &self.funding,
        };
        let queue = &mut self.scratch.queues[place];
        adl::close(&mut self.ledger, claim, queue, at, &mut fills);
        let cost = self.book_deleveraging(market, &fills);
        self.scratch.fills = fills;
        cost
    }

    /// Closes the positions of one side of a market together; what that cost the winners.
    fn close_together(
        &mut self,
        ids: &[AccountId],
        market: MarketId,
        longs: bool,
        price: ClosePrice,
    ) -> Cash {
        if self.deleveraging_rests(market) || self.markets[market.index()].spot {
            return Cash::ZERO;
        }
        let mut claims: Vec<Claim> = Vec::new();
        for id in ids {
            let slot = self.ledger.position(*id, market);
            if slot.is_some_and(|slot| (slot.quantity.0 > 0) == longs) {
                claims.extend(self.claim(*id, market, price));
            }
        }
        if claims.is_empty() {
            return Cash::ZERO;
        }
        let place = self.rank(market, !longs);
        let mut fills = std::mem::take(&mut self.scratch.fills);
        fills.clear();
        let at = Valuation {
            marks: &self.marks,
            funding: &self.funding,
        };
        let cap = self.liquidation.adl.and_then(|adl| adl.cap);
        let queue = &self.scratch.queues[place];
        adl::close_together(&mut self.ledger, &claims, queue, cap, at, &mut fills);
        let cost = self.book_deleveraging(market, &fills);
        self.scratch.fills = fills;
        cost
    }

    /// Whether a fail-safe lets auto-deleveraging rest in a market.
    fn deleveraging_rests(&self, market: MarketId) -> bool {
        let pause = &self.safety.guards[market.index()].adl;
        pause.as_ref().is_some_and(|pause| !pause.allows(self.step))
    }

    /// The value at which a position is to be closed, by the price that is asked for.
    fn claim(&mut self, id: AccountId, market: MarketId, price: ClosePrice) -> Option<Claim> {
        let slot = self.ledger.place(id, market)?;
        let quantity = self.ledger.slot(slot).quantity;
        if quantity.is_zero() {
            return None;
        }
        self.ledger
            .settle_funding(id, slot, self.funding[market.index()]);
        let contract = self.markets[market.index()].contract;
        let value = match price {
            ClosePrice::Bankruptcy => self.zero_value(id, market),
            ClosePrice::Mark => contract.value(quantity, self.marks[market.index()]),
            ClosePrice::PreviousMark => {
                contract.value(quantity, self.previous_marks[market.index()])
            }
        };
        Some(Claim {
            account: id,
            market,
            value,
        })
    }

    /// Where the queue of a market and side is, built where it isn't yet in this settlement.
    fn rank(&mut self, market: MarketId, longs: bool) -> usize {
        let place = 2 * market.index() + usize::from(longs);
        if !self.scratch.ranked[place] {
            self.scratch.ranked[place] = true;
            let at = Valuation {
                marks: &self.marks,
                funding: &self.funding,
            };
            let books = adl::Books {
                ledger: &self.ledger,
                index: &self.index,
                schedule: &self.markets[market.index()].schedule,
                at,
            };
            let ranking = self.liquidation.adl.unwrap_or_default().ranking;
            let draw = self
                .draws
                .stream(Purpose::Liquidation, place as u32, self.step);
            self.scratch.queues[place].build(ranking, &books, market, longs, draw);
        }
        place
    }

    /// Tells the winners' closes; what they cost the winners against the mark.
    fn book_deleveraging(&mut self, market: MarketId, fills: &[Fill]) -> Cash {
        let mark = self.marks[market.index()];
        let contract = self.markets[market.index()].contract;
        let mut cost = Cash::ZERO;
        let mut closed = Lots::ZERO;
        for fill in fills.iter().filter(|fill| fill.maker != AccountId::FEES) {
            self.touched.push(fill.maker);
            self.trace_change(fill.maker);
            closed += fill.quantity;
            self.totals.deleveraged += fill.value.abs();
            let worse = fill.value - contract.value(fill.quantity, mark);
            cost += match fill.side {
                Side::Sell => worse,
                Side::Buy => -worse,
            };
            self.emit(
                EventKind::AutoDeleveraged,
                Some(fill.maker),
                Some(market),
                Lots(-fill.quantity.0 * fill.side.sign()),
                fill.price,
                fill.value.abs(),
            );
        }
        // What there was before the close.
        let open_interest = self.ledger.open_interest(market) + closed;
        let step = self.step;
        if let Some(pause) = &mut self.safety.guards[market.index()].adl
            && pause.see(step, closed, open_interest)
        {
            self.emit(
                EventKind::DeleveragingPaused,
                None,
                Some(market),
                closed,
                mark,
                Cash::ZERO,
            );
        }
        cost
    }

    /// The signed value at which closing a whole position leaves the account nothing owed on its account: for
    /// the last position the whole deficit, else its share by maintenance requirement. Derivatives answer for it before
    /// collateral does, which goes at its mark as long as there are any.
    pub(super) fn zero_value(&self, id: AccountId, market: MarketId) -> Cash {
        let Some(slot) = self.ledger.position(id, market) else {
            return Cash::ZERO;
        };
        let m = &self.markets[market.index()];
        let value = m.contract.wide(slot.quantity, self.marks[market.index()]);
        let equity = self.equity(id);
        if m.spot && self.holds(id, false) {
            return Cash::clamped(value);
        }
        let alone = self
            .ledger
            .places(id)
            .filter(|(market, slot)| {
                self.markets[market.index()].spot == m.spot
                    && !self.ledger.slot(*slot).quantity.is_zero()
            })
            .count()
            == 1;
        let share = if alone {
            equity
        } else {
            let own = m.schedule.maintenance(
                m.contract
                    .notional(slot.quantity, self.marks[market.index()]),
            );
            let haircuts = self.haircuts(id);
            let all = if m.spot {
                haircuts
            } else {
                self.requirements(id) - haircuts
            };
            equity * i128::from(own.0) / i128::from(all.0.max(1))
        };
        Cash::clamped(value - share)
    }

    /// Closes the books of an account that holds nothing any more: pays for its negative balance out of the fund,
    /// or keeps what is left where the policy says so. What the fund leaves is for [`World::socialise`].
    pub(super) fn conclude(&mut self, id: AccountId) {
        let account = self.ledger.account(id);
        let (cash, liquidated) = (account.cash, account.state == State::Liquidating);
        let market = account.isolated();
        self.ledger.standing_mut(id).set_state(State::Closed);
        self.unwatch(id);
        self.withdraw_orders(id, None);
        for policy in &mut self.liquidation.policies {
            policy.recovered(id);
        }
        self.lapse(id);
        self.note(EventKind::Closed, id, cash);
        if cash < Cash::ZERO {
            self.totals.bad_debt += -cash;
            let paid = self.fund.pay(&mut self.ledger, id, market);
            if paid > Cash::ZERO {
                self.totals.fund_paid += paid;
                self.note(EventKind::FundPaid, id, paid);
            }
            if self.ledger.account(id).cash < Cash::ZERO {
                if self.liquidation.socialise.is_some() {
                    self.scratch.owing.push(id);
                } else {
                    self.leave_uncovered(id);
                }
            }
        } else if cash > Cash::ZERO && liquidated && self.liquidation.policies[0].forfeits() {
            self.fund.receive(&mut self.ledger, id, market, cash);
            self.totals.fund_received += cash;
            self.note(EventKind::FundReceived, id, cash);
        }
    }

    fn leave_uncovered(&mut self, id: AccountId) {
        let left = -self.ledger.account(id).cash;
        if left > Cash::ZERO {
            self.totals.uncovered += left;
            self.note(EventKind::Uncovered, id, left);
        }
    }

    /// Takes from winners what this settlement's accounts still owe.
    fn socialise(&mut self) {
        let mut owing = std::mem::take(&mut self.scratch.owing);
        let owed = |world: &Self, market: Option<MarketId>| -> Cash {
            owing
                .iter()
                .map(|id| world.ledger.account(*id))
                .filter(|account| {
                    market.is_none() || account.isolated().is_none() || account.isolated() == market
                })
                .map(|account| (-account.cash).max(Cash::ZERO))
                .sum()
        };
        match self.liquidation.socialise.filter(|_| !owing.is_empty()) {
            None => {}
            Some(Socialise::Clawback(_)) => self.clawed.extend_from_slice(&owing),
            Some(Socialise::Session(_)) => {
                let amount = owed(self, None);
                self.levy(None, amount, &owing);
            }
            Some(Socialise::Profit) => {
                for m in 0..self.markets.len() {
                    // What collateral has gained is nobody's loss here.
                    if self.markets[m].spot {
                        continue;
                    }
                    let market = Some(MarketId(m as u16));
                    let amount = owed(self, market);
                    if amount > Cash::ZERO {
                        self.levy(market, amount, &owing);
                    }
                }
            }
        }
        for id in owing.drain(..) {
            self.leave_uncovered(id);
        }
        self.scratch.owing = owing;
    }

    /// Takes an amount from the winners of a market, or of the session, and pays those who owe with it, in order.
    fn levy(&mut self, market: Option<MarketId>, amount: Cash, owing: &[AccountId]) {
        let at = Valuation {
            marks: &self.marks,
            funding: &self.funding,
        };
        let winners = &mut self.scratch.winners;
        match market {
            Some(market) => winners.of_market(&self.ledger, &self.index, market, at),
            None => winners.of_session(&self.ledger, &self.opening, at),
        }
        // By way of the venue's own purse, which ends as it was.
        let mut taken = winners.pay(&mut self.ledger, AccountId::FEES, amount);
        self.touched
            .extend(winners.payers().map(|(payer, _)| payer));
        if let Some(trace) = &mut self.trace {
            for (payer, _) in winners.payers() {
                trace.changed(payer);
            }
        }
        self.totals.socialised += taken;
        for id in owing {
            let account = self.ledger.account(*id);
            let isolated = account.isolated();
            if market.is_some() && isolated.is_some() && isolated != market {
                continue;
            }
            let part = (-account.cash).min(taken);
            if part > Cash::ZERO {
                self.ledger.transfer(AccountId::FEES, *id, part);
                taken -= part;
                self.note(EventKind::Socialised, *id, part);
            }
        }
    }

    /// Takes from the winners of the session that ends what it left uncovered, as far as they won.
    fn claw_back(&mut self) {
        let owing = std::mem::take(&mut self.clawed);
        let owed = |id: &AccountId| (-self.ledger.account(*id).cash).max(Cash::ZERO);
        let amount: Cash = owing.iter().map(owed).sum();
        if amount > Cash::ZERO {
            let before = self.totals.socialised;
            self.levy(None, amount, &owing);
            self.totals.uncovered -= self.totals.socialised - before;
        }
    }

    /// Begins a session where one is due: what everybody has then is where winnings are counted from.
    pub(super) fn open_session(&mut self) {
        if let Some(Socialise::Session(length) | Socialise::Clawback(length)) =
            self.liquidation.socialise
            && self.step.is_multiple_of(length)
        {
            self.claw_back();
            let at = Valuation {
                marks: &self.marks,
                funding: &self.funding,
            };
            let ledger = &self.ledger;
            self.opening.clear();
            self.opening
                .extend(ledger.ids().map(|id| ledger.equity(id, at)));
        }
    }

    /// Adds the venue's money to the fund where it is due, and sees how far the fund has fallen.
    pub(super) fn tend_fund(&mut self) {
        if let Some((amount, every)) = self.liquidation.top_up
            && (self.step + 1).is_multiple_of(every)
        {
            self.fund.top_up(&mut self.ledger, amount);
            self.emit(
                EventKind::FundToppedUp,
                None,
                None,
                Lots::ZERO,
                Ticks::ZERO,
                amount,
            );
            self.totals.fund = self.ledger.account(AccountId::FUND).cash;
        }
        if let Some((share, window)) = self.liquidation.adl.and_then(|adl| adl.drawdown) {
            self.fund.watch(self.step, window, share, &mut self.fallen);
        }
    }

    fn note(&mut self, kind: EventKind, id: AccountId, amount: Cash) {
        let market = self.ledger.account(id).isolated();
        self.emit(kind, Some(id), market, Lots::ZERO, Ticks::ZERO, amount);
    }
}
