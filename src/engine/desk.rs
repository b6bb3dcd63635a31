//! The desk: who takes options over, from whoever buys back and from accounts in liquidation.
//!
//! An account in liquidation that holds options is first brought toward delta neutral: its positions are closed only as far as
//! that makes the whole less exposed to the price. Where nothing of the kind is left to do, a share of each of its series goes to the
//! desk at the worth less the desk's spread, and the position that was their hedge follows in the next round. One whose equity
//! is spent gives up all options at once, at their worth.
//!
//! # Invariants
//!
//! - `a_hedge_is_closed_no_further_than_to_delta_neutral`
//!
//! # Reference
//!
//! Deribit, "Liquidations": step by step, futures before options, toward delta neutral.

use super::event::EventKind;
use super::world::World;
use crate::account::State;
use crate::liquidation::Forced;
use crate::market::option::SeriesId;
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};

impl World {
    /// The account that is on the other side of an account's options: the desk, or the background where the desk itself is meant
    /// or closed.
    fn other_side(&self, id: AccountId) -> AccountId {
        let desk = self
            .options
            .as_ref()
            .map_or(AccountId::BACKGROUND, |chain| chain.setup.desk);
        if desk == id || self.ledger.account(desk).state >= State::Liquidating {
            AccountId::BACKGROUND
        } else {
            desk
        }
    }

    /// What the desk gives or takes for contracts of an account, each: + received by the account for a long one.
    fn desk_price(&self, series: SeriesId, long: bool, spread: bool) -> i64 {
        let Some(chain) = &self.options else {
            return 0;
        };
        let listed = &chain.listed[series.index()];
        if !spread {
            return listed.worth.0;
        }
        let worth = listed.worth.as_f64();
        let contract = &self.markets[listed.series.market.index()].contract;
        let vega =
            chain.quotes[series.index()].greeks.vega * listed.series.quanta_per_tick(contract);
        let off = worth * chain.setup.spread.share + vega * chain.setup.spread.volatility;
        if long {
            ((worth - off).floor() as i64).max(0)
        } else {
            (worth + off).ceil() as i64
        }
    }

    /// A share of an account's options in a market (or in all) goes to the desk.
    pub(super) fn give_to_desk(
        &mut self,
        id: AccountId,
        market: Option<MarketId>,
        share: f64,
        spread: bool,
        sold_only: bool,
    ) {
        let other = self.other_side(id);
        for place in 0..self.ledger.options().of(id).len() {
            let held = self.ledger.options().of(id)[place];
            let Some(chain) = &self.options else { return };
            let listed_in = chain.listed[held.series.index()].series.market;
            if held.contracts == 0
                || market.is_some_and(|market| market != listed_in)
                || (sold_only && held.contracts > 0)
            {
                continue;
            }
            let size = held.contracts.abs();
            let part = ((size as f64 * share).ceil() as i64).clamp(1, size);
            let each = self.desk_price(held.series, held.contracts > 0, spread);
            let contracts = part * held.contracts.signum();
            let Some(value) = contracts.checked_mul(each) else {
                continue;
            };
            self.ledger
                .trade_options(other, id, held.series, contracts, Cash(value));
            self.totals.option_cost += {
                let worth = self.ledger.options().worth(held.series).0;
                Cash((worth - each).saturating_mul(contracts))
            };
            self.emit(
                EventKind::OptionsTransferred,
                Some(id),
                Some(listed_in),
                Lots(-contracts),
                self.marks[listed_in.index()],
                Cash(value),
            );
        }
        for id in [id, other] {
            if !self.ledger.is_house(id) {
                self.touched.push(id);
                self.trace_change(id);
            }
        }
        if let Some(chain) = &mut self.options {
            chain.hedged_stale = true;
        }
    }

    /// Phase 6, the liquidation engine's part for options: those of accounts whose positions can do nothing more against their
    /// exposure go to the desk, share by share.
    pub(super) fn release_options(&mut self) {
        let Some(chain) = &self.options else { return };
        let plan = chain.setup.liquidation;
        if !self.step.is_multiple_of(plan.every) {
            return;
        }
        let mut ids = std::mem::take(&mut self.scratch.visits);
        ids.clear();
        ids.extend(self.liquidating.iter().copied().filter(|id| {
            self.ledger.account(*id).ready_at <= self.step
                && self.ledger.options().holds(*id)
                && !self.liquidation_waits(*id)
                && self
                    .ledger
                    .places(*id)
                    .all(|(market, _)| self.reducible(*id, market).is_zero())
        }));
        for id in &ids {
            self.give_to_desk(*id, None, plan.share, true, false);
        }
        self.scratch.visits = ids;
    }

    /// How much of a position may be closed without leaving the account more exposed to the price.
    fn reducible(&self, id: AccountId, market: MarketId) -> Lots {
        let Some(slot) = self.ledger.position(id, market) else {
            return Lots::ZERO;
        };
        let net = self.net_delta(id, market) * slot.quantity.signum() as f64;
        Lots((net.max(0.0) as i64).min(slot.quantity.abs().0))
    }

    /// Cuts forced orders of accounts that hold options to what brings them toward delta neutral.
    pub(super) fn keep_hedges(&self, forced: &mut Vec<Forced>) {
        if self.options.is_none() {
            return;
        }
        forced.retain_mut(|order| {
            let id = order.order.owner;
            if !self.ledger.options().holds(id) {
                return true;
            }
            let most = self.reducible(id, order.market);
            order.order.quantity = order.order.quantity.min(most);
            !order.order.quantity.is_zero()
        });
    }

    /// Whoever owes more than it has gives its options up, at their worth: what is left is a matter of its positions.
    pub(super) fn surrender_options(&mut self, id: AccountId) {
        if self.holds_options(id) && self.equity(id) < 0 && !self.liquidation_waits(id) {
            self.give_to_desk(id, None, 1.0, false, false);
        }
    }

    /// An owner buys back what it has sold in a market.
    pub(super) fn buy_back(&mut self, id: AccountId, market: MarketId) {
        if self.ledger.account(id).state < State::Liquidating {
            self.emit(
                EventKind::Stopped,
                Some(id),
                Some(market),
                Lots::ZERO,
                Ticks(self.marks[market.index()].0),
                Cash::ZERO,
            );
            self.give_to_desk(id, Some(market), 1.0, true, true);
        }
    }
}
