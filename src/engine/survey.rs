//! Phase 5, surveillance: every account's state against its thresholds, without visiting every account.
//!
//! The trigger index names whom this step's marks and rates concern; accounts that traded, paid in or
//! were paid since are looked at as well. Each is then measured exactly, in integers.
//!
//! # Invariants
//!
//! - `nobody_is_liquidated_who_meets_the_requirement`: liquidation begins only where exact equity is
//!   below the exact requirement at the mark that margin sees.

use super::environment::{FUNDING_DRIFT, HEADROOM};
use super::event::EventKind;
use super::world::{Answer, World};
use crate::account::State;
use crate::margin::Standing;
use crate::margin::option::OptionLeg;
use crate::math::Purpose;
use crate::trader::ResponseSettings;
use crate::trader::response::Signal;
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};
use std::cmp::Reverse;

impl World {
    /// Phase 5.
    pub(super) fn survey(&mut self) {
        self.renew_doubled();
        let mut visits = std::mem::take(&mut self.scratch.visits);
        visits.clear();
        std::mem::swap(&mut visits, &mut self.touched);
        sort_unique(&mut visits);
        for id in &visits {
            self.watch(*id);
        }
        self.leave_ranges(&mut visits);
        visits.extend_from_slice(&self.uneasy);
        self.uneasy.clear();
        let mut candidates = std::mem::take(&mut self.scratch.candidates);
        for m in 0..self.markets.len() {
            let market = MarketId(m as u16);
            let measure = self.measure(market);
            candidates.clear();
            let (rates, mark) = (&self.markets[m], self.marks[m].as_f64());
            self.index.crossed(
                market,
                &measure,
                |size| rates.effective(size, mark),
                &mut candidates,
            );
            visits.extend(candidates.iter().map(|slot| self.ledger.owner(*slot)));
        }
        self.scratch.candidates = candidates;
        sort_unique(&mut visits);
        for id in &visits {
            self.assess(*id);
        }
        self.scratch.visits = visits;
    }

    /// Safe radii reckon with marginal rates up to twice the notional at which they were taken: once that of a lot
    /// has doubled since, all are taken anew.
    fn renew_doubled(&mut self) {
        let mut doubled = false;
        for (market, mark) in self.markets.iter_mut().zip(&self.marks) {
            let notional = market.contract.lot_notional(mark.as_f64());
            if notional > 2.0 * market.least {
                market.least = notional;
                doubled = true;
            } else {
                market.least = market.least.min(notional);
            }
        }
        if doubled && self.index.cross_slots() > 0 {
            self.touched.extend_from_slice(&self.cross);
        }
    }

    /// Files an account anew in the index, after its cash or position changed.
    fn watch(&mut self, id: AccountId) {
        if self.ledger.is_house(id) {
            return;
        }
        let state = self.ledger.account(id).state;
        if self.ledger.account(id).isolated().is_some() {
            if state < State::Liquidating {
                self.index.watch_isolated(&self.ledger, id);
            } else {
                self.unwatch(id);
            }
        } else if state >= State::Liquidating {
            self.unwatch(id);
        }
        // A cross account is filed by `assess`, which knows its slack.
    }

    pub(super) fn unwatch(&mut self, id: AccountId) {
        // Houses have no place in the index.
        if self.ledger.is_house(id) {
            return;
        }
        if self.options.is_some() {
            self.unwatch_options(id);
        }
        for (market, slot) in self.ledger.places(id) {
            self.index.forget(&self.ledger, slot, market);
        }
    }

    /// Measures one account exactly, and lets follow what follows.
    pub(super) fn assess(&mut self, id: AccountId) {
        let state = self.ledger.account(id).state;
        if self.ledger.is_house(id) || state >= State::Liquidating {
            return;
        }
        if self.ledger.is_flat(id) {
            self.unwatch(id);
            if self.ledger.account(id).cash < Cash::ZERO {
                // Closed by its own order for less than it owed: settlement pays, as for the liquidated.
                self.ledger.standing_mut(id).set_state(State::Liquidating);
                self.liquidating.push(id);
            } else if state > State::Healthy {
                if state == State::Called {
                    self.tell(EventKind::CallCured, id, self.equity(id));
                }
                self.ledger.standing_mut(id).set_state(State::Healthy);
            }
            return;
        }
        let equity = self.equity(id);
        let requirement = self.requirement(id);
        let thresholds = self.thresholds_of(id);
        let haircut = self.haircuts(id);
        let standing = thresholds.after_haircut(equity, requirement, haircut);
        match standing {
            Standing::Sound => {
                if state == State::Called {
                    self.tell(EventKind::CallCured, id, equity);
                }
                if state > State::Healthy {
                    self.ledger.standing_mut(id).set_state(State::Healthy);
                }
            }
            Standing::Warn => {
                if state == State::Called {
                    self.tell(EventKind::CallCured, id, equity);
                    self.ledger.standing_mut(id).set_state(State::Warned);
                } else if state == State::Healthy {
                    self.warn(id, equity);
                }
            }
            Standing::Call => self.call(id, equity),
            Standing::Breach => {
                self.call(id, equity);
                let due = self
                    .ledger
                    .account(id)
                    .called_at
                    .saturating_add(thresholds.grace);
                if self.step < due {
                    self.timers.push(Reverse((due, id, Answer::GraceEnds)));
                } else if self.liquidation_waits(id) {
                    self.uneasy.push(id);
                } else {
                    self.begin_liquidation(id, equity);
                    return;
                }
            }
            Standing::Bankrupt => {
                self.call(id, equity);
                if !self.liquidation_waits(id) {
                    self.begin_liquidation(id, equity);
                    return;
                }
                self.uneasy.push(id);
            }
        }
        if self.holds_options(id) {
            self.unwatch(id);
            // What a haircut takes off moves with the collateral's price, of which the options' rule knows nothing.
            let known = haircut == Default::default();
            self.watch_options(id, equity, standing, known);
        } else if self.ledger.account(id).isolated().is_none() {
            if self.options.is_some() {
                self.unwatch_options(id);
            }
            self.watch_cross(id, equity, (requirement, haircut), standing);
        }
    }

    /// Tells an account's equity, and what it holds: enough to measure it along any other path.
    fn tell(&mut self, kind: EventKind, id: AccountId, equity: i128) {
        let market = self.ledger.account(id).isolated();
        let (quantity, price) = market.map_or((Lots::ZERO, Ticks::ZERO), |m| {
            let held = self.ledger.position(id, m).map(|slot| slot.quantity);
            (held.unwrap_or_default(), self.marks[m.index()])
        });
        self.emit(
            kind,
            Some(id),
            market,
            quantity,
            price,
            Cash::clamped(equity),
        );
        if market.is_some() || kind == EventKind::Warned {
            return;
        }
        if self.holds_options(id) {
            let held = self.ledger.options().of(id).iter();
            let held = held.filter(|held| held.contracts != 0);
            let legs = held.map(|held| OptionLeg {
                series: held.series,
                contracts: held.contracts,
            });
            self.optioned.push((id, legs.collect()));
        }
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            if !quantity.is_zero() {
                let mark = self.marks[market.index()];
                let contract = &self.markets[market.index()].contract;
                let value = contract.exposure(quantity, mark);
                self.emit(
                    EventKind::Held,
                    Some(id),
                    Some(market),
                    quantity,
                    mark,
                    Cash::clamped(value),
                );
            }
        }
    }

    fn warn(&mut self, id: AccountId, equity: i128) {
        self.ledger.standing_mut(id).set_state(State::Warned);
        self.tell(EventKind::Warned, id, equity);
        self.answer(id, Signal::Warning);
    }

    /// Calls an account that isn't called yet; one that was never warned is warned on the way.
    fn call(&mut self, id: AccountId, equity: i128) {
        let state = self.ledger.account(id).state;
        if state == State::Called {
            return;
        }
        if state == State::Healthy {
            self.warn(id, equity);
        }
        let step = self.step;
        let mut account = self.ledger.standing_mut(id);
        account.set_state(State::Called);
        account.set_called_at(step);
        self.tell(EventKind::Called, id, equity);
        self.answer(id, Signal::Call);
    }

    /// Draws whether and when a trader answers a warning or call.
    fn answer(&mut self, id: AccountId, signal: Signal) {
        let account = self.ledger.account(id);
        if account.answering {
            return;
        }
        let Some(cohort) = self.cohorts.get(account.cohort.index()) else {
            return;
        };
        let (answer, on, probability, delay) = match cohort.response {
            ResponseSettings::TopUp {
                on,
                probability,
                delay,
                ..
            } => (Answer::TopUp, on, probability, delay),
            ResponseSettings::Reduce {
                on,
                probability,
                delay,
                ..
            } => (Answer::Reduce, on, probability, delay),
            ResponseSettings::MoveMargin {
                on,
                probability,
                delay,
                ..
            } => (Answer::Move, on, probability, delay),
            ResponseSettings::Close {
                on,
                probability,
                delay,
            } => (Answer::Close, on, probability, delay),
            _ => return,
        };
        if on != signal {
            return;
        }
        let mut stream = self.draws.stream(Purpose::Response, id.0, self.step);
        if stream.chance(probability) {
            let wait = (stream.exponential() * delay.as_seconds() / self.dt).ceil();
            let due = self
                .step
                .saturating_add(wait.min(f64::from(u32::MAX)) as u32)
                .saturating_add(self.answer_delay(id));
            self.timers.push(Reverse((due, id, answer)));
            self.ledger.standing_mut(id).set_answering(true);
        }
    }

    pub(super) fn begin_liquidation(&mut self, id: AccountId, equity: i128) {
        let step = self.step;
        let mut account = self.ledger.standing_mut(id);
        account.set_state(State::Liquidating);
        account.set_ready_at(step);
        self.unwatch(id);
        self.trace_breach(id, equity);
        self.withdraw_orders(id, None);
        self.trace_withdrawn(id);
        self.liquidating.push(id);
        self.totals.liquidations += 1;
        self.tell(EventKind::LiquidationBegan, id, equity);
    }

    /// Files a cross account at its safe radius: as long as no market moves against it by more
    /// than this share, funding and rates staying within their headroom, it can't reach its next
    /// threshold. `asked` is its requirement and the part of it that is haircuts.
    fn watch_cross(
        &mut self,
        id: AccountId,
        equity: i128,
        asked: (Cash, Cash),
        standing: Standing,
    ) {
        let ratio = match standing {
            Standing::Sound => self.thresholds.warn,
            Standing::Warn => self.thresholds.call,
            _ => crate::unit::Rate::ONE,
        }
        .as_f64();
        let equity = equity as f64;
        let required = asked.0.as_f64();
        let mut exposed = 0.0;
        let mut drift = 0.0;
        let mut ceiling = 0.0;
        let mut steep = false;
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            if !quantity.is_zero() {
                let m = &self.markets[market.index()];
                // A haircut is taken off equity whichever the threshold.
                let ratio = if m.spot { 1.0 } else { ratio };
                let notional = m
                    .contract
                    .notional(quantity, self.marks[market.index()])
                    .as_f64();
                // Rates may rise to the epoch's with headroom without anybody being filed anew, so
                // that is what is asked here. The marginal rate at twice the size bounds the
                // requirement's growth up to there.
                let (mut most, mut marginal) = (0.0f64, 0.0f64);
                for schedule in [&m.schedule, &m.epoch.0] {
                    most = most.max(schedule.effective(notional));
                    marginal = marginal.max(schedule.marginal(2.0 * notional));
                }
                // A requirement that grows faster than equity can is reached by a gain as well.
                steep |= marginal * HEADROOM >= ratio;
                ceiling += notional * most * HEADROOM / ratio;
                exposed += notional * (1.0 + marginal * HEADROOM / ratio);
                drift += notional * (1.0 + marginal) * 2.0 * FUNDING_DRIFT;
            }
        }
        let slack = equity - ceiling - drift - 64.0;
        let radius = (slack / exposed).clamp(0.0, 1.0);
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            let m = &self.markets[market.index()];
            let mark = self.marks[market.index()].as_f64();
            let sign = quantity.signum() as f64;
            let level = m.contract.level(mark);
            let net = level - self.funding_level(market);
            let slope = quantity.as_f64().abs() * m.contract.slope();
            let rate = m.effective(quantity, mark) * level.signum();
            let alone = net - sign * (equity - required) / (slope * (1.0 - sign * rate));
            let alone = if quantity.is_zero() { 0.0 } else { alone };
            self.index.watch_cross(
                &self.ledger,
                slot,
                market,
                net - sign * radius * level.abs(),
                alone,
            );
        }
        // The ceiling adds requirements up: of a rule that may ask more it says nothing.
        let unbounded = self
            .portfolio
            .as_ref()
            .is_some_and(|rule| !rule.within_sum());
        // With no slack at the ceiling a rise of the rate alone could do it, and no price would tell.
        if standing > Standing::Sound || slack <= 0.0 || steep || unbounded {
            self.uneasy.push(id);
        }
    }
}

fn sort_unique(ids: &mut Vec<AccountId>) {
    ids.sort_unstable();
    ids.dedup();
}
