//! From when to when an account was pushed over its threshold, and by what in general: price, rule, funding, withdrawal.
//!
//! An account's *excess* is its equity less its requirement. Its crossing is the check at which the excess fell below zero
//! for good before its liquidation began (with a grace period, earlier than that). Where it was pushed from is the lowest
//! excess that it had before and survived: a price that comes down again to where it was has crossed nothing, only new
//! ground crosses. So over a whole fall the pushes of a cause add up to what it has moved the extreme, whatever the price did in
//! between, and that is what leaving the cause out would have changed, to first order.
//!
//! Limits. The search ends where the account last traded or was paid, and [`REACH`] checks back. An account that several
//! markets push counts each market's adverse move by itself.

use crate::engine::{Breach, BreachLeg};
use crate::margin::Schedule;
use crate::market::funding::INDEX_SCALE;
use crate::measure::{Recorded, Traced};
use crate::unit::{AccountId, Cash, MarketId, Ticks};

/// The farthest back that a crossing is looked for, in checks.
pub const REACH: u32 = 4_096;
/// Stretches of constant rates from this length on are searched by price alone.
const LONG: u32 = 32;

/// One liquidation's crossing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    /// The check at the lowest excess survived, and that of the crossing; nothing where the account's own trade put it
    /// beyond the threshold, or it was there from the beginning.
    pub(super) checks: Option<(u32, u32)>,
    /// Adverse moves of prices, by market; quanta.
    pub(super) prices: Vec<(MarketId, f64)>,
    /// What rules asked more, quanta.
    pub(super) rule: f64,
    /// Funding paid, quanta.
    pub(super) funding: f64,
    /// Money taken out, quanta.
    pub(super) withdrawn: f64,
    /// Where the mark of its largest position was when the excess was zero, about.
    pub(super) trigger: f64,
}

/// Every market's course, check by check.
pub(super) struct Course<'a> {
    recorded: &'a Recorded,
    trace: &'a Traced,
    marks: Vec<Vec<i64>>,
    /// Place of the rates in force, by market and check.
    rates: Vec<Vec<u32>>,
    /// First check of the stretch over which rates and funding of every market stayed.
    still: Vec<u32>,
    /// Withdrawals by account and check.
    outflows: Vec<(AccountId, u32, Cash)>,
}

impl<'a> Course<'a> {
    /// The course of a run; nothing where it was not traced.
    pub(super) fn new(recorded: &'a Recorded) -> Option<Self> {
        let trace = recorded.trace.as_ref()?;
        let (markets, count) = (trace.markets(), trace.count());
        let mut marks = vec![Vec::with_capacity(count); markets];
        let mut rates = vec![Vec::with_capacity(count); markets];
        for check in &trace.checks {
            let m = check.market.index();
            marks[m].push(check.mark.0);
            let schedules = &recorded.tracks[m].schedules;
            let mut place = rates[m].last().copied().unwrap_or(0) as usize;
            while schedules
                .get(place + 1)
                .is_some_and(|(from, _)| *from <= check.step)
            {
                place += 1;
            }
            rates[m].push(place as u32);
        }
        let mut still = vec![0; count];
        for k in 1..count {
            let same = (0..markets).all(|m| {
                rates[m][k] == rates[m][k - 1]
                    && trace.check(m, k as u32).funding == trace.check(m, k as u32 - 1).funding
            });
            still[k] = if same { still[k - 1] } else { k as u32 };
        }
        let mut outflows: Vec<(AccountId, u32, Cash)> = trace
            .outflows
            .iter()
            .map(|flow| (flow.account, flow.check, flow.amount))
            .collect();
        outflows.sort_by_key(|flow| (flow.0, flow.1));
        Some(Self {
            recorded,
            trace,
            marks,
            rates,
            still,
            outflows,
        })
    }

    pub(super) const fn trace(&self) -> &'a Traced {
        self.trace
    }

    fn schedule(&self, market: usize, check: u32) -> &Schedule {
        &self.recorded.tracks[market].schedules[self.rates[market][check as usize] as usize].1
    }

    /// A liquidation's crossing.
    pub(super) fn window(&self, breach: &Breach) -> Window {
        let case = Case::new(self, breach);
        let low = breach
            .since
            .saturating_sub(1)
            .max(breach.check.saturating_sub(REACH));
        let mut cursor = Cursor::default();
        let mut crossed = breach.check;
        loop {
            if crossed <= low {
                return case.own();
            }
            if !case.short(&mut cursor, crossed - 1) {
                break;
            }
            crossed -= 1;
        }
        // Back over all that it survived, to the lowest of it.
        let mut from = crossed - 1;
        let mut least = case.excess(from);
        let mut best_in_stretch: Option<(u32, u32)> = None;
        let mut k = from;
        while k > low && !case.short(&mut cursor, k - 1) {
            k -= 1;
            match cursor.stretch {
                // At constant rates the lowest excess is the most adverse mark.
                Some((first, _, _)) if case.legs.len() == 1 => {
                    let at = best_in_stretch.filter(|(stretch, _)| *stretch == first);
                    let better = at.is_none_or(|(_, best)| case.worse(k, best));
                    if let (None, Some((_, best))) = (at, best_in_stretch) {
                        let excess = case.excess(best);
                        if excess < least {
                            (least, from) = (excess, best);
                        }
                    }
                    if better {
                        best_in_stretch = Some((first, k));
                    }
                }
                _ => {
                    let excess = case.excess(k);
                    if excess < least {
                        (least, from) = (excess, k);
                    }
                }
            }
        }
        if let Some((_, best)) = best_in_stretch
            && case.excess(best) < least
        {
            from = best;
        }
        case.split(from, crossed)
    }
}

/// A stretch of constant rates, from its first check to its last, and the mark at which the excess is zero there.
#[derive(Default)]
struct Cursor {
    stretch: Option<(u32, u32, i64)>,
}

/// One account as its liquidation began.
struct Case<'a> {
    course: &'a Course<'a>,
    breach: &'a Breach,
    legs: &'a [BreachLeg],
    outflows: &'a [(AccountId, u32, Cash)],
    /// What the account is asked over the sum of what its positions are asked.
    factor: f64,
}

impl<'a> Case<'a> {
    fn new(course: &'a Course<'a>, breach: &'a Breach) -> Self {
        let legs = course.trace.legs(breach);
        let flows = &course.outflows;
        let first = flows.partition_point(|flow| flow.0 < breach.account);
        let last = flows.partition_point(|flow| flow.0 <= breach.account);
        let mut case = Self {
            course,
            breach,
            legs,
            outflows: &flows[first..last],
            factor: 1.0,
        };
        let alone = case.required(breach.check, breach.check);
        if alone > 0.0 {
            case.factor = breach.requirement.as_f64() / alone;
        }
        case
    }

    /// The requirement with the rates of one check and the marks of another.
    fn required(&self, rates: u32, marks: u32) -> f64 {
        let sum: f64 = self
            .legs
            .iter()
            .map(|leg| self.leg_required(leg, rates, marks))
            .sum();
        self.factor * sum
    }

    fn leg_required(&self, leg: &BreachLeg, rates: u32, marks: u32) -> f64 {
        let m = leg.market.index();
        let contract = &self.course.recorded.frame.markets[m].contract;
        let mark = Ticks(self.course.marks[m][marks as usize]);
        let notional = contract.notional(leg.quantity, mark);
        self.course
            .schedule(m, rates)
            .maintenance(notional)
            .as_f64()
    }

    fn value(&self, leg: &BreachLeg, check: u32) -> f64 {
        let m = leg.market.index();
        let contract = &self.course.recorded.frame.markets[m].contract;
        contract.wide(leg.quantity, Ticks(self.course.marks[m][check as usize])) as f64
    }

    fn funding(&self, leg: &BreachLeg, from: u32, to: u32) -> f64 {
        let m = leg.market.index();
        let index = |check| self.course.trace.check(m, check).funding;
        leg.quantity.as_f64() * (index(to) - index(from)) as f64 / INDEX_SCALE as f64
    }

    fn withdrawn(&self, after: u32, to: u32) -> f64 {
        self.outflows
            .iter()
            .filter(|flow| flow.1 > after && flow.1 <= to)
            .map(|flow| flow.2.as_f64())
            .sum()
    }

    fn equity(&self, check: u32) -> f64 {
        let now = self.breach.check;
        let mut equity = self.breach.equity as f64 + self.withdrawn(check, now);
        for leg in self.legs {
            equity += self.value(leg, check) - self.value(leg, now) + self.funding(leg, check, now);
        }
        equity
    }

    /// Equity less requirement at a check.
    fn excess(&self, check: u32) -> f64 {
        self.equity(check) - self.required(check, check)
    }

    /// Whether the account was short at a check; rounding of funding and requirement aside.
    fn short(&self, cursor: &mut Cursor, check: u32) -> bool {
        if let ([leg], true) = (self.legs, self.outflows.is_empty()) {
            if let Some((first, last, zero)) = cursor.stretch
                && (first..=last).contains(&check)
            {
                let mark = self.course.marks[leg.market.index()][check as usize];
                return if leg.quantity.0 > 0 {
                    mark < zero
                } else {
                    mark > zero
                };
            }
            cursor.stretch = None;
            let first = self.course.still[check as usize];
            if check - first >= LONG {
                cursor.stretch = Some((first, check, self.zero(leg, check)));
                return self.short(cursor, check);
            }
        }
        self.excess(check) < -4.0
    }

    /// The last mark at which a lone position is not short, at the rates of a check.
    fn zero(&self, leg: &BreachLeg, check: u32) -> i64 {
        let m = leg.market.index();
        let contract = &self.course.recorded.frame.markets[m].contract;
        let schedule = self.course.schedule(m, check);
        let base = self.equity(check) - self.value(leg, check);
        let sound = |mark: i64| {
            let value = contract.wide(leg.quantity, Ticks(mark)) as f64;
            let required = schedule.maintenance(contract.notional(leg.quantity, Ticks(mark)));
            base + value - self.factor * required.as_f64() >= -4.0
        };
        let long = leg.quantity.0 > 0;
        let mut good = self.course.marks[m][check as usize];
        let mut bad;
        // Brackets the zero from the mark at hand.
        let mut width = 1;
        if sound(good) {
            loop {
                bad = if long {
                    (good - width).max(0)
                } else {
                    good + width
                };
                if bad == 0 || width > good || !sound(bad) {
                    break;
                }
                width *= 2;
            }
        } else {
            bad = good;
            loop {
                good = if long {
                    bad + width
                } else {
                    (bad - width).max(0)
                };
                if good == 0 || width > 4 * bad || sound(good) {
                    break;
                }
                width *= 2;
            }
        }
        while (good - bad).abs() > 1 {
            let middle = i64::midpoint(good, bad);
            if sound(middle) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        good
    }

    /// Whether a lone position stood worse at one check than at another of the same stretch.
    fn worse(&self, check: u32, other: u32) -> bool {
        let leg = &self.legs[0];
        let marks = &self.course.marks[leg.market.index()];
        let (mark, than) = (marks[check as usize], marks[other as usize]);
        if leg.quantity.0 > 0 {
            mark < than
        } else {
            mark > than
        }
    }

    fn largest(&self) -> Option<&BreachLeg> {
        self.legs.iter().max_by(|a, b| {
            let value = |leg| self.value(leg, self.breach.check).abs();
            value(a).total_cmp(&value(b)).then(b.market.cmp(&a.market))
        })
    }

    fn own(&self) -> Window {
        Window {
            checks: None,
            prices: Vec::new(),
            rule: 0.0,
            funding: 0.0,
            withdrawn: 0.0,
            trigger: self.largest().map_or(f64::NAN, |leg| {
                self.course.marks[leg.market.index()][self.breach.check as usize] as f64
            }),
        }
    }

    /// What happened between two checks.
    fn split(&self, from: u32, to: u32) -> Window {
        let prices = self
            .legs
            .iter()
            .map(|leg| {
                let lost = self.value(leg, from) - self.value(leg, to);
                let asked = self.leg_required(leg, from, to) - self.leg_required(leg, from, from);
                (leg.market, (lost + self.factor * asked).max(0.0))
            })
            .collect();
        let rule = (self.required(to, to) - self.required(from, to)).max(0.0);
        let funding: f64 = self
            .legs
            .iter()
            .map(|leg| self.funding(leg, from, to))
            .sum();
        let (above, below) = (self.excess(from), self.excess(to));
        let trigger = self.largest().map_or(f64::NAN, |leg| {
            let marks = &self.course.marks[leg.market.index()];
            let (a, b) = (marks[from as usize] as f64, marks[to as usize] as f64);
            let way = if above > below {
                above / (above - below)
            } else {
                1.0
            };
            a + (b - a) * way.clamp(0.0, 1.0)
        });
        Window {
            checks: Some((from, to)),
            prices,
            rule,
            funding: funding.max(0.0),
            withdrawn: self.withdrawn(from, to),
            trigger,
        }
    }
}
