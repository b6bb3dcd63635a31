//! The backstop at work: it takes accounts over in settlement and unwinds in the decisions' phase.

use super::decide::FORCED;
use super::event::EventKind;
use super::world::{Origin, World};
use crate::account::{State, Valuation};
use crate::liquidation::Terms;
use crate::liquidation::waterfall::adl::{self, Claim};
use crate::liquidation::waterfall::{Backstop, ClosePrice};
use crate::market::Order;
use crate::math::Purpose;
use crate::trader::Intent;
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};

/// The backstop and the account it trades with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vault {
    pub(super) account: AccountId,
    pub(super) rules: Backstop,
    /// Whether it has lost its limit.
    pub(super) stopped: bool,
    /// Next step in which it unwinds.
    pub(super) unwinds_at: u32,
}

impl World {
    /// The backstop's account, if there is one.
    pub fn backstop(&self) -> Option<AccountId> {
        self.vault.map(|vault| vault.account)
    }

    /// Sends the orders by which the backstop unwinds, once a step.
    pub(super) fn unwind(&mut self) {
        let Some(vault) = &mut self.vault else {
            return;
        };
        if vault.unwinds_at > self.step {
            return;
        }
        vault.unwinds_at = self.step + 1;
        let Vault { account, rules, .. } = *vault;
        for (market, slot) in self.ledger.places(account) {
            let held = self.ledger.slot(slot).quantity;
            if held.is_zero() {
                continue;
            }
            let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
            let order = Order::market(account, side, rules.unwinds(held));
            if self.safety.withheld(market, self.step) {
                continue;
            }
            // The engine's latency is not the vault's.
            let at = self.forced_arrival(account, 0.0);
            self.send(
                at,
                Origin::Forced(Terms::Book),
                Intent::Place {
                    market,
                    order,
                    lifetime: 0,
                },
            );
        }
    }

    /// Whether an account was taken over: all its positions, and whatever is left with them.
    pub(super) fn take_over(&mut self, id: AccountId) -> bool {
        let Some(vault) = self.vault.filter(|vault| !vault.stopped) else {
            return false;
        };
        if self.holds_options(id) {
            self.give_to_desk(id, None, 1.0, false, false);
        }
        let gain = self.equity(id);
        let mut requirement = Cash::ZERO;
        for (market, slot) in self.ledger.places(vault.account) {
            let theirs = self
                .ledger
                .position(id, market)
                .map_or(Lots::ZERO, |slot| slot.quantity);
            let after = self.ledger.slot(slot).quantity + theirs;
            let m = &self.markets[market.index()];
            let Some(value) = m.contract.checked(after, self.marks[market.index()]) else {
                return false;
            };
            requirement += m.schedule.maintenance(value.abs());
        }
        let equity = self.equity(vault.account);
        if !vault.rules.carries(equity, gain, requirement) {
            return false;
        }
        for (market, _) in self.ledger.places(id) {
            let claim = Claim {
                account: id,
                market,
                value: self.zero_value(id, market),
            };
            let at = Valuation {
                marks: &self.marks,
                funding: &self.funding,
            };
            if let Some(fill) = adl::hand_over(&mut self.ledger, claim, vault.account, at) {
                self.totals.taken_over += fill.value.abs();
                self.emit(
                    EventKind::TakenOver,
                    Some(id),
                    Some(market),
                    Lots(fill.quantity.0 * fill.side.sign()),
                    fill.price,
                    fill.value.abs(),
                );
            }
        }
        // Rounding can leave a quantum either way.
        let rest = self.ledger.account(id).cash;
        if !rest.is_zero() {
            self.ledger.transfer(id, vault.account, rest);
        }
        let deficit = Cash::clamped(-gain).max(Cash::ZERO);
        self.assume(deficit, equity);
        true
    }

    /// One of the venue's own accounts takes over a deficit. What its equity was not enough for is no loss of its own: it comes
    /// back as a deficit of that account, and is counted where that ends.
    pub(super) fn assume(&mut self, deficit: Cash, equity: i128) {
        let borne = deficit.min(Cash::clamped(equity.max(0)));
        self.totals.backstop_paid += borne;
        self.totals.bad_debt += borne;
    }

    /// Stops a backstop that has lost its limit, and settles for one that has lost everything.
    pub(super) fn watch_vault(&mut self) {
        let Some(vault) = self.vault else {
            return;
        };
        let equity = self.equity(vault.account);
        self.totals.backstop = Cash::clamped(equity);
        if !vault.rules.spent(equity) {
            return;
        }
        if let Some(vault) = &mut self.vault
            && !vault.stopped
        {
            vault.stopped = true;
            let account = vault.account;
            self.emit(
                EventKind::BackstopStopped,
                Some(account),
                None,
                Lots::ZERO,
                Ticks::ZERO,
                Cash::clamped(equity),
            );
        }
        if self.liquidation.adl.is_some() && !self.ledger.is_flat(vault.account) {
            // What it has left is its own: only a bankrupt one is closed at its bankruptcy price.
            let price = if equity < 0 {
                ClosePrice::Bankruptcy
            } else {
                ClosePrice::Mark
            };
            self.deleverage(&[vault.account], price);
        }
        let account = self.ledger.account(vault.account);
        let broke = account.cash < Cash::ZERO && account.state != State::Closed;
        if broke && self.ledger.is_flat(vault.account) {
            self.conclude(vault.account);
        }
    }

    /// Steps from a forced order's release to its arrival.
    pub(super) fn forced_latency(&self, market: MarketId) -> f64 {
        self.liquidation.latency + self.safety.effects(market).forced_latency
    }

    /// When a forced order of an account arrives.
    pub(super) fn forced_arrival(&self, id: AccountId, latency: f64) -> f64 {
        let mut stream = self
            .draws
            .stream(Purpose::Sequence, FORCED | id.0, self.step);
        f64::from(self.step) + latency + stream.uniform()
    }

    /// Whether a market's pool of the insurance fund has fallen so far that auto-deleveraging takes the place of
    /// forced orders there.
    pub(super) fn fund_has_fallen(&self, market: MarketId) -> bool {
        let pool = if self.fallen.len() > 1 {
            market.index()
        } else {
            0
        };
        self.fallen.get(pool).copied().unwrap_or(false)
    }
}
