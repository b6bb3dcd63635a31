//! Phase 6, decisions: traders answer calls and place orders, the liquidation engine releases its own.

use super::event::EventKind;
use super::world::{Answer, Origin, Pending, World};
use crate::account::State;
use crate::liquidation::policy::price;
use crate::liquidation::{Case, CollateralOrder, Forced, PolicyView};
use crate::market::Order;
use crate::math::Purpose;
use crate::trader::{Intent, ResponseSettings, View};
use crate::unit::{AccountId, Cash, CohortId, Lots, MarketId, Side, Ticks};
use std::cmp::Reverse;

/// Keeps a forced order's place in the arrival order apart from a trader's own.
pub(super) const FORCED: u32 = 1 << 31;
const ANSWER: u32 = 1 << 30;

impl World {
    /// Phase 6, traders' part.
    pub(super) fn decide(&mut self) {
        while let Some(Reverse((due, id, answer))) = self.timers.peek().copied() {
            if due > self.step {
                break;
            }
            self.timers.pop();
            self.act_on_timer(id, answer);
        }
        self.trigger_stops();
        let mut intents = std::mem::take(&mut self.scratch.intents);
        for c in 0..self.cohorts.len() {
            let cohort = &mut self.cohorts[c];
            let Some(behaviour) = &mut cohort.behaviour else {
                continue;
            };
            let view = View {
                step: self.step,
                dt: self.dt,
                markets: &self.published,
                ledger: &self.ledger,
                options: self.options.as_ref().map_or(&[], |chain| &chain.quotes),
            };
            intents.clear();
            behaviour.act(&view, &cohort.members, &self.draws, &mut intents);
            let latency = cohort.members.latency;
            let mut stream = self
                .draws
                .stream(Purpose::Sequence, u32::from(c as u16), self.step);
            let mut requoting: Option<(AccountId, f64)> = None;
            for intent in &intents {
                let effects = *self.safety.effects(intent.market());
                if effects.cut_off {
                    continue;
                }
                let latency = latency + effects.latency;
                let at = match (intent, requoting) {
                    (Intent::Place { order, .. }, Some((owner, at))) if order.owner == owner => at,
                    _ => f64::from(self.step) + latency + stream.uniform(),
                };
                let at = match intent {
                    Intent::CancelAll { owner, .. } => {
                        let at = at + f64::from(effects.answer_delay);
                        requoting = Some((*owner, at));
                        at
                    }
                    Intent::Place { .. } | Intent::BuyBack { .. } => at,
                };
                self.send(at, Origin::Organic(CohortId(c as u16)), *intent);
            }
        }
        self.scratch.intents = intents;
        self.withdraw_money();
        self.cancel_expired();
        self.hold_to_reducing();
        self.trace_quotes();
    }

    pub(super) fn send(&mut self, at: f64, origin: Origin, intent: Intent) {
        self.inbox.push(Pending {
            at,
            origin,
            sequence: self.sequence,
            intent,
        });
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn act_on_timer(&mut self, id: AccountId, answer: Answer) {
        let account = self.ledger.account(id);
        let state = account.state;
        if answer == Answer::GraceEnds {
            // Whoever was cured and called again has a later timer of its own.
            if state == State::Called
                && self.step
                    >= account
                        .called_at
                        .saturating_add(self.thresholds_of(id).grace)
            {
                self.assess(id);
            }
            return;
        }
        let response = self
            .cohorts
            .get(account.cohort.index())
            .map(|cohort| cohort.response);
        let reserve = account.reserve;
        if self.cut_off(id) {
            let due = self.step.saturating_add(1);
            self.timers.push(Reverse((due, id, answer)));
            return;
        }
        self.ledger.standing_mut(id).set_answering(false);
        if state == State::Closed || self.ledger.is_flat(id) {
            return;
        }
        // A haircut is taken off equity before the ratio is.
        let haircut = self.haircuts(id);
        let equity = self.equity(id) - i128::from(haircut.0);
        let required = self.requirement(id) - haircut;
        match (answer, response) {
            (Answer::TopUp, Some(ResponseSettings::TopUp { target, .. })) => {
                // A clamped intermediate only ever asks for more than the reserve holds.
                let wanted = Cash((required.as_f64() / target).ceil() as i64);
                let missing = Cash::clamped(i128::from(wanted.0) - equity);
                let paid = missing.min(reserve);
                if paid > Cash::ZERO {
                    self.ledger.set_reserve(id, reserve - paid);
                    self.ledger.deposit(id, paid);
                    if let Some(opening) = self.opening.get_mut(id.index()) {
                        *opening += i128::from(paid.0);
                    }
                    self.touched.push(id);
                    self.trace_change(id);
                    self.emit(
                        EventKind::ToppedUp,
                        Some(id),
                        None,
                        Lots::ZERO,
                        Ticks::ZERO,
                        paid,
                    );
                }
            }
            (Answer::Move, Some(ResponseSettings::MoveMargin { target, .. })) => {
                let wanted = Cash((required.as_f64() / target).ceil() as i64);
                self.move_margin(id, Cash::clamped(i128::from(wanted.0) - equity));
            }
            (Answer::Reduce, Some(ResponseSettings::Reduce { target, .. })) => {
                // Requirement is about proportional to what is held, equity does not change by closing at
                // the mark: hold the share that brings their ratio to the target.
                let keep = (equity as f64 * target / required.as_f64().max(1.0)).clamp(0.0, 1.0);
                self.close_share(id, 1.0 - keep);
            }
            (Answer::Close, _) => self.close_share(id, 1.0),
            _ => {}
        }
    }

    /// Moves margin to an isolated account from the cross account of its owner, as far as it is free there.
    fn move_margin(&mut self, id: AccountId, missing: Cash) {
        let at = self.siblings.binary_search_by_key(&id, |(own, _)| *own);
        let Ok(from) = at.map(|at| self.siblings[at].1) else {
            return;
        };
        if self.ledger.account(from).state >= State::Liquidating {
            return;
        }
        let moved = missing.min(self.free(from));
        if moved > Cash::ZERO {
            self.ledger.transfer(from, id, moved);
            for (account, change) in [(id, moved), (from, -moved)] {
                if let Some(opening) = self.opening.get_mut(account.index()) {
                    *opening += i128::from(change.0);
                }
                self.touched.push(account);
            }
            self.emit(
                EventKind::MarginMoved,
                Some(id),
                None,
                Lots::ZERO,
                Ticks::ZERO,
                moved,
            );
        }
    }

    /// Sends market orders that close a share of every position of an account.
    fn close_share(&mut self, id: AccountId, share: f64) {
        if self.ledger.account(id).state >= State::Liquidating {
            return;
        }
        if self.holds_options(id) && share > 0.0 {
            self.give_to_desk(id, None, share, true, false);
        }
        let cohort = self.ledger.account(id).cohort;
        let latency = self
            .cohorts
            .get(cohort.index())
            .map_or(0.0, |cohort| cohort.members.latency);
        let mut stream = self
            .draws
            .stream(Purpose::Sequence, ANSWER | id.0, self.step);
        // Collateral stays, unless there is nothing else to close.
        let spot = self.has_spot && !self.holds(id, false);
        for (market, slot) in self.ledger.places(id) {
            if self.markets[market.index()].spot != spot {
                continue;
            }
            let held = self.ledger.slot(slot).quantity;
            let quantity = Lots((held.0.abs() as f64 * share).ceil() as i64)
                .0
                .min(held.0.abs());
            if quantity > 0 {
                let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
                let order = Order::market(id, side, Lots(quantity));
                let at = f64::from(self.step) + latency + stream.uniform();
                self.send(
                    at,
                    Origin::Organic(cohort),
                    Intent::Place {
                        market,
                        order,
                        lifetime: 0,
                    },
                );
                self.emit(
                    EventKind::Deleveraged,
                    Some(id),
                    Some(market),
                    Lots(quantity * side.sign()),
                    self.marks[market.index()],
                    Cash::ZERO,
                );
            }
        }
    }

    fn trigger_stops(&mut self) {
        if self.stops.is_empty() {
            return;
        }
        let mut hit = std::mem::take(&mut self.scratch.visits);
        for m in 0..self.markets.len() {
            hit.clear();
            let market = MarketId(m as u16);
            self.stops.trigger(market, self.marks[m].as_f64(), &mut hit);
            hit.sort_unstable();
            for id in &hit {
                if self.ledger.account(*id).state < State::Liquidating
                    && self.ledger.position(*id, market).is_some()
                {
                    self.emit(
                        EventKind::Stopped,
                        Some(*id),
                        Some(market),
                        Lots::ZERO,
                        self.marks[m],
                        Cash::ZERO,
                    );
                    self.close_share(*id, 1.0);
                }
            }
        }
        self.scratch.visits = hit;
    }

    /// Phase 6, the liquidation engine's part.
    pub(super) fn release_forced(&mut self) {
        let mut cases = std::mem::take(&mut self.scratch.cases);
        let mut forced = std::mem::take(&mut self.scratch.forced);
        forced.clear();
        let offering = self.keepers.act_in(self.step);
        let mut offers = std::mem::take(&mut self.keepers.offers);
        offers.clear();
        self.end_liquidations();
        self.release_options();
        self.sell_for_debts(&mut forced);
        for m in 0..self.markets.len() {
            if self.safety.withheld(MarketId(m as u16), self.step) {
                continue;
            }
            cases.clear();
            // Deleveraging takes the place of orders, unless it found nobody to close against.
            if self.fund_has_fallen(MarketId(m as u16)) && !self.exhausted[m] {
                continue;
            }
            for id in &self.liquidating {
                if self.ledger.account(*id).ready_at <= self.step
                    && let Some(case) = self.case(*id, MarketId(m as u16))
                {
                    cases.push(case);
                }
            }
            if !cases.is_empty() {
                let raised_elsewhere = if offering {
                    self.raised_beside(m)
                } else {
                    Cash::ZERO
                };
                let market = &self.markets[m];
                let view = PolicyView {
                    step: self.step,
                    dt: self.dt,
                    index: Ticks((market.index.round_ties_even() as i64).max(1)),
                    schedule: &market.schedule,
                    fee: self.liquidation.fee,
                    raised_elsewhere,
                    draws: &self.draws,
                };
                let policy = &mut self.liquidation.policies[m];
                policy.release(&view, &cases, &mut forced);
                if offering && policy.needs_keepers() {
                    policy.offer(&view, &cases, &mut offers);
                }
            }
        }
        self.keepers.offers = offers;
        self.keep_hedges(&mut forced);
        self.scratch.forced = forced;
        self.throttle();
        let forced = std::mem::take(&mut self.scratch.forced);
        // Only now, so that a cooldown in one market holds back none of the same step's others.
        for order in &forced {
            let id = order.order.owner;
            let latency = self.forced_latency(order.market);
            let at = self.forced_arrival(id, latency);
            self.send(
                at,
                Origin::Forced(order.terms),
                Intent::Place {
                    market: order.market,
                    order: order.order,
                    lifetime: 0,
                },
            );
            let wait = order.cooldown.max(latency.ceil() as u32);
            let ready = self.step.saturating_add(wait);
            let before = self.ledger.account(id).ready_at;
            self.ledger.standing_mut(id).set_ready_at(ready.max(before));
        }
        self.scratch.cases = cases;
        self.scratch.forced = forced;
        self.unwind();
        self.meet_keepers();
    }

    /// What the policies of other markets have under auction.
    fn raised_beside(&self, market: usize) -> Cash {
        let policies = self.liquidation.policies.iter().enumerate();
        let others = policies.filter(|(m, _)| *m != market);
        let sum: i128 = others
            .map(|(_, policy)| i128::from(policy.raising().0))
            .sum();
        Cash::clamped(sum)
    }

    /// Lets go whoever meets its requirement at the present mark.
    fn end_liquidations(&mut self) {
        let mut liquidating = std::mem::take(&mut self.liquidating);
        liquidating.sort_unstable();
        liquidating.retain(|id| !self.end_if_sound(*id));
        self.liquidating = liquidating;
    }

    fn end_if_sound(&mut self, id: AccountId) -> bool {
        if self.ledger.is_flat(id) {
            return false;
        }
        let equity = self.equity(id);
        if equity < i128::from(self.requirement(id).0) || self.owes_too_much(id) {
            return false;
        }
        let policies = &self.liquidation.policies;
        if policies.iter().any(|policy| policy.binds(id)) {
            return false;
        }
        self.lapse(id);
        // Still called: it is cured only when its ratio is below the call ratio.
        self.ledger.standing_mut(id).set_state(State::Called);
        self.touched.push(id);
        for policy in &mut self.liquidation.policies {
            policy.recovered(id);
        }
        self.emit(
            EventKind::LiquidationEnded,
            Some(id),
            None,
            Lots::ZERO,
            Ticks::ZERO,
            Cash::clamped(equity),
        );
        true
    }

    /// Whether an account has no derivatives any more, and owes more than its collateral may stand behind.
    fn owes_too_much(&self, id: AccountId) -> bool {
        self.has_spot
            && self
                .liquidation
                .largest_debt
                .is_some_and(|most| self.spendable(id) < -most)
            && self.holds(id, true)
            && !self.holds(id, false)
    }

    /// Sells collateral of accounts that meet their requirement, but owe too much, for what they owe.
    fn sell_for_debts(&self, forced: &mut Vec<Forced>) {
        if !self.has_spot || self.liquidation.largest_debt.is_none() {
            return;
        }
        for id in &self.liquidating {
            let id = *id;
            if self.ledger.account(id).ready_at > self.step
                || !self.owes_too_much(id)
                || self.equity(id) < i128::from(self.requirement(id).0)
            {
                continue;
            }
            let mut owed = -self.spendable(id);
            for (market, slot) in self.ledger.places(id) {
                let held = self.ledger.slot(slot).quantity;
                if held.is_zero() || self.safety.withheld(market, self.step) {
                    continue;
                }
                let (contract, mark) = (
                    self.markets[market.index()].contract,
                    self.marks[market.index()],
                );
                let lots = Lots(contract.lots_within(owed, mark) + 1).min(held);
                owed -= contract.notional(lots, mark);
                forced.push(Forced::book(market, Order::market(id, Side::Sell, lots), 0));
                if owed <= Cash::ZERO {
                    break;
                }
            }
        }
    }

    /// Whether a position's market has its turn: collateral, derivatives, or both.
    fn has_turn(&self, id: AccountId, market: MarketId) -> bool {
        let spot = self.markets[market.index()].spot;
        !self.has_spot
            || match self.liquidation.collateral {
                CollateralOrder::Last => !spot || !self.holds(id, false),
                CollateralOrder::First => spot || !self.holds(id, true),
                CollateralOrder::Together => true,
            }
    }

    /// A breached position as the policy sees it; nothing where nothing is held, or where it isn't its turn.
    pub(super) fn case(&self, id: AccountId, market: MarketId) -> Option<Case> {
        let slot = self.ledger.position(id, market)?;
        if slot.quantity.is_zero() || !self.has_turn(id, market) {
            return None;
        }
        let m = &self.markets[market.index()];
        let mark = self.marks[market.index()];
        let notional = m.contract.notional(slot.quantity, mark);
        let whole = self.equity(id);
        let mut requirement = self.requirement(id);
        // Only what it owes is left to be seen to: see `sell_for_debts`.
        if self.has_spot && whole >= i128::from(requirement.0) {
            return None;
        }
        // What the positions ask alone, added up: the shares by which they answer for what the account must hold.
        let mut alone = self.requirements(id);
        let apart = self.has_spot && self.liquidation.collateral != CollateralOrder::Together;
        let mut equity = whole;
        if apart {
            // What waits for its turn keeps the equity that it is asked.
            let haircut = self.haircuts(id);
            let waits = if m.spot {
                requirement - haircut
            } else {
                haircut
            };
            alone = if m.spot { haircut } else { alone - haircut };
            requirement -= waits;
            equity -= i128::from(waits.0);
        }
        let own = m.schedule.maintenance(notional);
        let (share, maintenance) = if alone > Cash::ZERO {
            let part = i128::from(requirement.0) * i128::from(own.0) / i128::from(alone.0);
            (own.as_f64() / alone.as_f64(), Cash::clamped(part))
        } else {
            (1.0, own)
        };
        let (mut net, mut place, mut of) = (0i128, 0, 0);
        for (other, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            let o = &self.markets[other.index()];
            if !quantity.is_zero() && (!apart || o.spot == m.spot) {
                if !o.spot {
                    net += o.contract.exposure(quantity, self.marks[other.index()]);
                }
                place += u16::from(other < market);
                of += 1;
            }
        }
        // Equity times this position's share of the requirement, per lot.
        let per_lot = slot.quantity.as_f64() * m.contract.slope();
        let level = m.contract.level(mark.as_f64());
        let zero = m
            .contract
            .price_at(price::zero(level, whole as f64, share, per_lot));
        Some(Case {
            account: id,
            market,
            quantity: slot.quantity,
            mark,
            notional,
            equity: Cash::clamped(equity),
            requirement,
            alone,
            maintenance,
            net: Cash::clamped(net),
            place,
            of,
            // An inverse contract's may have no bound, and no order needs a worse limit than twice the mark.
            zero_price: if m.contract.is_inverse() {
                zero.min(2.0 * mark.as_f64())
            } else {
                zero
            },
            contract: m.contract,
        })
    }
}
