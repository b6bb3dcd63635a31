//! Where the step meets fail-safes and faults: halts and reopenings, collars, throttles, guarded prints.
//!
//! Everything here is skipped where a scenario has neither. What a part decides is in [`crate::safety`]; this file
//! acts on it.
//!
//! # Invariants
//!
//! - `nothing_trades_in_a_halted_market`, but orders wait for the reopening in the order of their arrival.
//! - `nobody_is_liquidated_while_liquidation_is_withheld`: such accounts are called, looked at in every step, and
//!   liquidated only if they are still short when it is not.

use super::event::EventKind;
use super::trace::Cause;
use super::world::{Origin, Pending, World};
use crate::account::State;
use crate::liquidation::{Forced, Terms};
use crate::market::oracle::Disturbance;
use crate::market::order::Standing;
use crate::market::{Contract, Execution, Fill, Order};
use crate::safety::auction::{self, Waiting};
use crate::safety::{
    AdlPause, Breaker, Collar, Effects, FaultKind, Faults, OracleGuard, SafetySetup,
};
use crate::trader::Intent;
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};

/// Fail-safes and faults of a world at work.
#[derive(Clone)]
pub(super) struct Safety {
    /// Whether there is anything to ask.
    pub(super) on: bool,
    pub(super) faults: Faults,
    pub(super) guards: Vec<Guards>,
    throttle: Option<f64>,
    fund_lost: Option<f64>,
    most_bad_debt: Option<Cash>,
    fund_high: Cash,
    pub(super) killed: bool,
    auctions: bool,
    /// Room to work in.
    waiting: Vec<Waiting>,
}

/// Fail-safes of one market.
#[derive(Clone)]
pub(super) struct Guards {
    breaker: Option<Breaker>,
    pub(super) collar: Option<Collar>,
    oracle: Option<OracleGuard>,
    pub(super) adl: Option<AdlPause>,
    pub(super) most_open_interest: Option<Lots>,
    /// First step in which trade goes on.
    halted_until: u32,
    /// Whether the step before ended in a halt, so that this one may reopen.
    was_halted: bool,
    /// Whether this step began in a halt: nothing is traded in it.
    pub(super) idle: bool,
    /// Whether a print was held back or is too old.
    suspended: bool,
    /// Orders that wait for the reopening.
    held: Vec<Pending>,
}

impl Safety {
    /// Fail-safes and faults for markets with their prices at the start, with steps of `dt` seconds.
    pub(super) fn new(
        setup: SafetySetup,
        markets: &[(f64, Contract)],
        dt: f64,
        steps: u32,
    ) -> Self {
        let on = !setup.is_empty();
        let SafetySetup {
            guards: settings,
            open_interest_caps: caps,
            most_bad_debt,
            faults,
        } = setup;
        let guards = markets
            .iter()
            .enumerate()
            .map(|(m, (price, contract))| Guards {
                breaker: settings
                    .circuit_breaker
                    .as_ref()
                    .map(|own| Breaker::new(own, *price, dt, steps)),
                collar: settings
                    .collar
                    .as_ref()
                    .map(|own| Collar::new(own, *price, dt)),
                oracle: settings
                    .oracle_guard
                    .as_ref()
                    .map(|own| OracleGuard::new(own, *price)),
                adl: settings
                    .adl_pause
                    .as_ref()
                    .map(|own| AdlPause::new(own, dt, steps)),
                // Beyond what integers hold nobody trades, cap or none.
                most_open_interest: (caps.get(m).copied().flatten())
                    .into_iter()
                    .chain(contract.most())
                    .min(),
                halted_until: 0,
                was_halted: false,
                idle: false,
                suspended: false,
                held: Vec::new(),
            })
            .collect();
        let faults = if faults.is_empty() {
            Faults::new(Vec::new(), markets.len(), dt)
        } else {
            faults
        };
        Self {
            on,
            faults,
            guards,
            throttle: settings.throttle.map(|own| own.share_of_depth),
            fund_lost: settings.kill_switch.and_then(|own| own.fund_lost),
            most_bad_debt,
            fund_high: Cash::ZERO,
            killed: false,
            auctions: settings
                .circuit_breaker
                .as_ref()
                .is_none_or(|own| own.auction),
            waiting: Vec::new(),
        }
    }

    pub(super) fn effects(&self, market: MarketId) -> &Effects {
        if self.on {
            self.faults.effects(market.index())
        } else {
            &Effects::NONE
        }
    }

    /// Whether nothing is matched in a market.
    pub(super) fn halted(&self, market: MarketId, step: u32) -> bool {
        self.on
            && (self.killed
                || self.guards[market.index()].halted_until > step
                || self.faults.effects(market.index()).halted)
    }

    /// Whether nobody is liquidated over a market.
    pub(super) fn withheld(&self, market: MarketId, step: u32) -> bool {
        self.on
            && (self.halted(market, step)
                || self.guards[market.index()].suspended
                || self.faults.effects(market.index()).liquidation_halted)
    }
}

impl World {
    /// At the beginning of a step: faults begin and end.
    pub(super) fn break_and_mend(&mut self) {
        if !self.safety.on {
            return;
        }
        let mut faults = std::mem::take(&mut self.safety.faults);
        let step = self.step;
        faults.advance(step, |change| {
            let outage = change.outage;
            let market = outage.market.map(|m| MarketId(m as u16));
            let kind = if change.begins {
                EventKind::FaultBegan
            } else {
                EventKind::FaultEnded
            };
            let place = Lots(i64::from(outage.fault));
            self.emit(kind, None, market, place, Ticks::ZERO, Cash::ZERO);
            if let (true, FaultKind::FundEmptied { share }) = (change.begins, outage.kind) {
                self.fund.lose(&mut self.ledger, share);
            }
        });
        self.safety.faults = faults;
    }

    /// The index in force after faults of the oracle and its guard.
    pub(super) fn guarded_index(&mut self, m: usize, outside: f64, draw: f64) -> f64 {
        let step = self.step;
        let effects = *self.safety.effects(MarketId(m as u16));
        let market = &mut self.markets[m];
        let disturbance = Disturbance {
            frozen: effects.oracle_frozen,
            delay: effects.oracle_delay,
            factor: effects.oracle_factor,
        };
        let print = market.oracle.observe(step, outside, draw, &disturbance);
        if !self.safety.on {
            return print;
        }
        let (fresh, age) = (market.oracle.fresh(), market.oracle.age(step));
        let mid = market.venue.mid();
        let dt = self.dt;
        let guards = &mut self.safety.guards[m];
        let Some(guard) = &mut guards.oracle else {
            return print;
        };
        let found = guard.judge(print, fresh, f64::from(age) * dt, mid, dt);
        let before = std::mem::replace(&mut guards.suspended, found.suspended);
        let id = Some(MarketId(m as u16));
        if found.rejected {
            let price = Ticks((print.round_ties_even() as i64).max(1));
            self.emit(
                EventKind::PrintRejected,
                None,
                id,
                Lots::ZERO,
                price,
                Cash::ZERO,
            );
        }
        if before != found.suspended {
            let kind = if found.suspended {
                EventKind::LiquidationSuspended
            } else {
                EventKind::LiquidationResumed
            };
            self.emit(kind, None, id, Lots::ZERO, self.marks[m], Cash::ZERO);
        }
        found.index
    }

    /// Lays this step's bands.
    pub(super) fn lay_collars(&mut self) {
        if !self.safety.on {
            return;
        }
        for (m, guards) in self.safety.guards.iter_mut().enumerate() {
            if let Some(collar) = &mut guards.collar {
                let market = &self.markets[m];
                let mark = self.marks[m].as_f64();
                collar.lay(market.index, mark, market.venue.mid(), self.dt);
            }
        }
    }

    /// Whether liquidation of an account has to wait for a halt, a suspension or a fault to end: where it has to
    /// in any of its markets.
    pub fn liquidation_waits(&self, id: AccountId) -> bool {
        self.safety.on
            && self.ledger.places(id).any(|(market, slot)| {
                !self.ledger.slot(slot).quantity.is_zero()
                    && self.safety.withheld(market, self.step)
            })
    }

    /// Additional steps until an account's payment or cancellation takes effect.
    pub(super) fn answer_delay(&self, id: AccountId) -> u32 {
        if !self.safety.on {
            return 0;
        }
        self.ledger
            .places(id)
            .map(|(market, _)| {
                let effects = self.safety.effects(market);
                effects.answer_delay.max(effects.latency.ceil() as u32)
            })
            .max()
            .unwrap_or(0)
    }

    /// Whether an account can't reach the venue, in any of its markets.
    pub(super) fn cut_off(&self, id: AccountId) -> bool {
        self.safety.on
            && self
                .ledger
                .places(id)
                .any(|(market, _)| self.safety.effects(market).cut_off)
    }

    /// Keeps the forced orders of a step within the throttle: what is cut away waits for a later step.
    pub(super) fn throttle(&mut self) {
        let Some(share) = self.safety.throttle else {
            return;
        };
        let mut forced = std::mem::take(&mut self.scratch.forced);
        for m in 0..self.markets.len() {
            let (bids, asks) = self.markets[m].depth_within(super::observer::MOVES[0]);
            let mut left = [bids, asks].map(|depth| (depth.as_f64() * share) as i64);
            let mut deferred = 0;
            // What doesn't meet the book takes nothing of it.
            let meets =
                |order: &&mut Forced| order.market.index() == m && order.terms != Terms::Outside;
            for order in forced.iter_mut().filter(meets) {
                let budget = &mut left[usize::from(order.order.side == Side::Buy)];
                let allowed = order.order.quantity.0.min(*budget);
                deferred += order.order.quantity.0 - allowed;
                if allowed < order.order.quantity.0 {
                    // What is left is sent as soon as there is room again.
                    order.cooldown = 0;
                }
                *budget -= allowed;
                order.order.quantity = Lots(allowed);
            }
            if deferred > 0 {
                self.rows[m].deferred += Lots(deferred);
                self.emit(
                    EventKind::Throttled,
                    None,
                    Some(MarketId(m as u16)),
                    Lots(deferred),
                    self.marks[m],
                    Cash::ZERO,
                );
            }
        }
        forced.retain(|order| order.order.quantity > Lots::ZERO);
        self.scratch.forced = forced;
    }

    /// An order that arrives in a halted market waits for the reopening; gives it back where it need not.
    pub(super) fn hold(&mut self, pending: Pending) -> Option<Pending> {
        let market = pending.intent.market();
        if !self.safety.halted(market, self.step) {
            return Some(pending);
        }
        if let (Origin::Forced(_), Intent::Place { order, .. }) = (pending.origin, pending.intent) {
            self.rows[market.index()].deferred += order.quantity;
        }
        self.safety.guards[market.index()].held.push(pending);
        None
    }

    /// The order as the market's collar allows it.
    pub(super) fn collared(&self, market: MarketId, order: &Order) -> Order {
        match &self.safety.guards[market.index()].collar {
            Some(collar) if self.safety.on => collar.cut(order),
            _ => *order,
        }
    }

    /// Notes what a collar left unfilled of an order.
    pub(super) fn note_collar(&mut self, market: MarketId, asked: &Order, done: &Execution) {
        if let Some(collar) = &mut self.safety.guards[market.index()].collar
            && asked.limit.is_none()
            && done.filled < asked.quantity
        {
            // Only where the book had more to give beyond the band.
            let venue = &self.markets[market.index()].venue;
            let beyond = match asked.side {
                Side::Sell => venue.quote().bid.is_some_and(|bid| bid < collar.band()[0]),
                Side::Buy => venue.quote().ask.is_some_and(|ask| ask > collar.band()[1]),
            };
            if beyond {
                collar.held();
            }
        }
    }

    /// After a round of matching: breakers and limit states look at the price.
    pub(super) fn guard_prices(&mut self) {
        if !self.safety.on {
            return;
        }
        let step = self.step;
        for m in 0..self.markets.len() {
            if self.safety.halted(MarketId(m as u16), step) {
                continue;
            }
            let mid = self.markets[m].venue.mid();
            let halt = self.safety.guards[m]
                .breaker
                .as_mut()
                .and_then(|breaker| breaker.see(step, mid));
            if let Some(steps) = halt {
                self.halt(m, steps);
            }
        }
    }

    /// At the end of a step: limit states, the kill switch, and how long a halt has lasted.
    pub(super) fn close_guards(&mut self) {
        if !self.safety.on {
            return;
        }
        let step = self.step;
        for m in 0..self.markets.len() {
            let market = MarketId(m as u16);
            let pause = self.safety.guards[m]
                .collar
                .as_mut()
                .and_then(Collar::close);
            if let Some(steps) = pause
                && !self.safety.halted(market, step)
            {
                self.halt(m, steps);
            }
            self.safety.guards[m].was_halted = self.safety.halted(market, step);
            self.rows[m].halted = self.safety.guards[m].idle;
        }
        let fund = self.ledger.account(AccountId::FUND).cash;
        self.safety.fund_high = self.safety.fund_high.max(fund);
        let high = self.safety.fund_high.as_f64();
        let lost = self
            .safety
            .fund_lost
            .is_some_and(|share| high > 0.0 && high - fund.as_f64() >= share * high);
        let owed = self
            .safety
            .most_bad_debt
            .is_some_and(|most| self.totals.bad_debt >= most);
        if (lost || owed) && !self.safety.killed {
            self.safety.killed = true;
            self.emit(
                EventKind::Killed,
                None,
                None,
                Lots::ZERO,
                Ticks::ZERO,
                self.totals.bad_debt,
            );
        }
    }

    fn halt(&mut self, m: usize, steps: u32) {
        // A halt lasts whole steps after the one at hand.
        self.safety.guards[m].halted_until = self.step.saturating_add(steps).saturating_add(1);
        let mid = self.markets[m].venue.mid();
        self.emit(
            EventKind::Halted,
            None,
            Some(MarketId(m as u16)),
            Lots(i64::from(steps)),
            Ticks((mid.round_ties_even() as i64).max(1)),
            Cash::ZERO,
        );
    }

    /// Reopens a market whose halt is over: cancellations first, then an auction of the orders that
    /// waited, then what the auction left.
    pub(super) fn reopen(&mut self, m: usize) {
        let market = MarketId(m as u16);
        if !self.safety.on
            || !self.safety.guards[m].was_halted
            || self.safety.halted(market, self.step)
        {
            return;
        }
        self.safety.guards[m].was_halted = false;
        if let Some(breaker) = &mut self.safety.guards[m].breaker {
            breaker.reset(self.step, self.markets[m].venue.mid());
        }
        let mut held = std::mem::take(&mut self.safety.guards[m].held);
        for pending in &held {
            if let Intent::CancelAll { owner, .. } = pending.intent {
                self.withdraw_orders(owner, Some(market));
            }
        }
        held.retain(|pending| matches!(pending.intent, Intent::Place { .. }));
        let crossed = if self.safety.auctions {
            self.hold_auction(market, &mut held)
        } else {
            None
        };
        let (quantity, price) = crossed.unwrap_or((Lots::ZERO, Ticks::ZERO));
        self.emit(
            EventKind::Reopened,
            None,
            Some(market),
            quantity,
            price,
            Cash::ZERO,
        );
        for pending in &held {
            if let Intent::Place {
                market,
                order,
                lifetime,
            } = pending.intent
            {
                match pending.origin {
                    Origin::Organic(cohort) => self.place(cohort, market, &order, lifetime),
                    Origin::Forced(terms) => {
                        self.force(market, &order, terms);
                    }
                }
            }
        }
        held.clear();
        self.safety.guards[m].held = held;
    }

    /// Trades the orders that waited, among each other and with the book, at one price; what is left of
    /// them stays in `held`. Quantity and price of what they traded among each other.
    fn hold_auction(&mut self, market: MarketId, held: &mut Vec<Pending>) -> Option<(Lots, Ticks)> {
        let mut waiting = std::mem::take(&mut self.safety.waiting);
        waiting.clear();
        // Whoever may not trade any more leaves, so that the price is made of orders that will trade.
        held.retain_mut(|pending| {
            let Intent::Place { order, .. } = &mut pending.intent else {
                return false;
            };
            let allowed = match pending.origin {
                Origin::Organic(_) => {
                    self.ledger.account(order.owner).state < State::Liquidating
                        && self.admits(market, &*order)
                }
                // Absorbed outside, forced orders take no part; nor those that trade whole or not at all.
                Origin::Forced(terms) => match self.closing(market, &*order) {
                    Some(closing) if !self.absorbs(order.owner) && terms == Terms::Book => {
                        *order = closing;
                        true
                    }
                    closing => {
                        return self.absorbs(order.owner)
                            || (terms != Terms::Book && closing.is_some());
                    }
                },
            };
            if allowed && order.standing != Standing::PostOnly {
                waiting.push(Waiting {
                    side: order.side,
                    quantity: order.quantity,
                    limit: order.limit,
                });
            }
            allowed
        });
        let venue = &self.markets[market.index()].venue;
        let reference = Ticks((venue.mid().round_ties_even() as i64).max(1));
        let bounds = match &self.safety.guards[market.index()].collar {
            Some(collar) => collar.band(),
            None => [Ticks(1), Ticks(reference.0.saturating_mul(4))],
        };
        let price = auction::price(
            &waiting,
            |side, limit| venue.depth(side, limit),
            reference,
            bounds,
        );
        self.safety.waiting = waiting;
        let price = price?;
        let crossed = self.cross(market, held, price);
        // The rest meets the book up to the price of the auction; what still stands after that rests there.
        for pending in held.iter_mut() {
            if let Intent::Place { order, .. } = &mut pending.intent
                && order.standing != Standing::PostOnly
                && pending.origin != Origin::Forced(Terms::Outside)
            {
                let own = order.limit;
                let stops = match order.side {
                    Side::Sell => own.unwrap_or(Ticks(1)).max(price),
                    Side::Buy => own.unwrap_or(Ticks::MAX).min(price),
                };
                order.limit = Some(stops);
            }
        }
        Some((crossed, price))
    }

    /// Whether an order may trade with others in an auction.
    fn takes_part(&self, origin: Origin, owner: AccountId) -> bool {
        match origin {
            Origin::Organic(_) => true,
            Origin::Forced(terms) => terms == Terms::Book && !self.absorbs(owner),
        }
    }

    /// Trades what accepts a price among each other, in the order of arrival; what is traded leaves the orders.
    fn cross(&mut self, market: MarketId, held: &mut Vec<Pending>, price: Ticks) -> Lots {
        let contract = self.markets[market.index()].contract;
        let open = |pending: &Pending, wanted: Side| match pending.intent {
            Intent::Place { order, .. }
                if order.side == wanted
                    && order.quantity > Lots::ZERO
                    && order.standing != Standing::PostOnly
                    && self.takes_part(pending.origin, order.owner) =>
            {
                let waiting = Waiting {
                    side: order.side,
                    quantity: order.quantity,
                    limit: order.limit,
                };
                waiting.accepts(price)
            }
            _ => false,
        };
        let places = |side| -> Vec<usize> {
            (0..held.len())
                .filter(|at| open(&held[*at], side))
                .collect()
        };
        let (buys, sells) = (places(Side::Buy), places(Side::Sell));
        let (mut b, mut s) = (0, 0);
        let mut crossed = Lots::ZERO;
        while b < buys.len() && s < sells.len() {
            let (buy, sell) = (buys[b], sells[s]);
            let (Some(buyer), Some(seller)) = (owner(&held[buy]), owner(&held[sell])) else {
                break;
            };
            let mut quantity = left(&held[buy]).min(left(&held[sell]));
            if self.markets[market.index()].spot {
                // Each of several orders was admitted for all that there is.
                quantity = quantity.min(self.free_to_sell(seller, market));
                if quantity <= Lots::ZERO {
                    s += 1;
                    continue;
                }
            }
            let value = contract.value(quantity, price);
            let fill = Fill {
                taker: seller,
                maker: buyer,
                side: Side::Sell,
                quantity,
                value,
                price,
            };
            self.scratch.fills.clear();
            self.scratch.fills.push(fill);
            self.book(market);
            crossed += quantity;
            for at in [sell, buy] {
                if let (Origin::Forced(_), Intent::Place { order, .. }) =
                    (held[at].origin, held[at].intent)
                {
                    let execution = Execution {
                        filled: quantity,
                        value,
                        prices: Some((price, price)),
                        ..Execution::default()
                    };
                    self.book_forced(market, &order, &execution);
                }
                if let Intent::Place { order, .. } = &mut held[at].intent {
                    order.quantity -= quantity;
                }
            }
            b += usize::from(left(&held[buy]).is_zero());
            s += usize::from(left(&held[sell]).is_zero());
        }
        held.retain(|pending| left(pending) > Lots::ZERO);
        if crossed > Lots::ZERO {
            self.markets[market.index()].venue.print(price);
            self.trace_move(market, Cause::Auction);
        }
        crossed
    }
}

fn left(pending: &Pending) -> Lots {
    match pending.intent {
        Intent::Place { order, .. } => order.quantity,
        Intent::CancelAll { .. } | Intent::BuyBack { .. } => Lots::ZERO,
    }
}

fn owner(pending: &Pending) -> Option<AccountId> {
    match pending.intent {
        Intent::Place { order, .. } => Some(order.owner),
        Intent::CancelAll { .. } | Intent::BuyBack { .. } => None,
    }
}
