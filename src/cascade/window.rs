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
use crate::market::Contract;
use crate::market::funding::INDEX_SCALE;
use crate::measure::{Recorded, Traced};
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};

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
    marks: Vec<Marks>,
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
            marks: marks.into_iter().map(Marks::new).collect(),
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
        let mut crossed = breach.check;
        loop {
            if crossed <= low {
                return case.own();
            }
            match case.stretch(crossed - 1) {
                Some(stretch) => {
                    let first = stretch.first.max(low);
                    match stretch.last(first, crossed - 1, false) {
                        Some(sound) => {
                            crossed = sound + 1;
                            break;
                        }
                        None => crossed = first,
                    }
                }
                None if case.short(crossed - 1) => crossed -= 1,
                None => break,
            }
        }
        // Back over all that it survived, to the lowest of it; of equals the latest.
        let mut from = crossed - 1;
        let mut least = case.excess(from);
        let mut see = |check: u32| {
            let excess = case.excess(check);
            if excess < least {
                (least, from) = (excess, check);
            }
        };
        let mut k = crossed - 1;
        while k > low {
            match case.stretch(k - 1) {
                Some(stretch) => {
                    let first = stretch.first.max(low);
                    let short = stretch.last(first, k - 1, true);
                    let end = short.map_or(first, |short| short + 1);
                    if end < k {
                        // At constant rates the lowest excess is the most adverse mark.
                        see(stretch.worst(end, k - 1));
                    }
                    if short.is_some() {
                        break;
                    }
                    k = first;
                }
                None if case.short(k - 1) => break,
                None => {
                    k -= 1;
                    see(k);
                }
            }
        }
        case.split(from, crossed)
    }
}

/// A market's marks by check, with the lowest and highest of every block of them.
struct Marks {
    values: Vec<i64>,
    blocks: Vec<[i64; 2]>,
}

/// Checks in a block.
const BLOCK: usize = 64;

impl Marks {
    fn new(values: Vec<i64>) -> Self {
        let blocks = values
            .chunks(BLOCK)
            .map(|block| {
                let start = [i64::MAX, i64::MIN];
                block
                    .iter()
                    .fold(start, |[low, high], mark| [low.min(*mark), high.max(*mark)])
            })
            .collect();
        Self { values, blocks }
    }

    fn at(&self, check: u32) -> i64 {
        self.values[check as usize]
    }

    /// The last check from `first` to `last` whose mark is as wanted; `may` says whether a block, by its lowest and
    /// highest, may have one.
    fn last(
        &self,
        first: u32,
        last: u32,
        may: impl Fn([i64; 2]) -> bool,
        wanted: impl Fn(i64) -> bool,
    ) -> Option<u32> {
        let (first, mut end) = (first as usize, last as usize + 1);
        while end > first {
            let block = (end - 1) / BLOCK;
            let start = (block * BLOCK).max(first);
            if may(self.blocks[block])
                && let Some(at) = self.values[start..end]
                    .iter()
                    .rposition(|mark| wanted(*mark))
            {
                return Some((start + at) as u32);
            }
            end = start;
        }
        None
    }
}

/// A stretch of constant rates before a check, and the mark at which a lone position's excess is zero there.
struct Stretch<'a> {
    first: u32,
    marks: &'a Marks,
    long: bool,
    zero: i64,
}

impl Stretch<'_> {
    /// The last check from `first` to `last` at which the position was short, or at which it was not.
    fn last(&self, first: u32, last: u32, short: bool) -> Option<u32> {
        let zero = self.zero;
        match (self.long, short) {
            (true, true) => (self.marks).last(first, last, |b| b[0] < zero, |mark| mark < zero),
            (true, false) => (self.marks).last(first, last, |b| b[1] >= zero, |mark| mark >= zero),
            (false, true) => (self.marks).last(first, last, |b| b[1] > zero, |mark| mark > zero),
            (false, false) => (self.marks).last(first, last, |b| b[0] <= zero, |mark| mark <= zero),
        }
    }

    /// The check from `first` to `last` of the most adverse mark; of equals the last.
    fn worst(&self, first: u32, last: u32) -> u32 {
        let (mut best, mut mark) = (last, self.marks.at(last));
        while best > first {
            let than = mark;
            let earlier = if self.long {
                (self.marks).last(first, best - 1, |b| b[0] < than, |mark| mark < than)
            } else {
                (self.marks).last(first, best - 1, |b| b[1] > than, |mark| mark > than)
            };
            match earlier {
                Some(check) => (best, mark) = (check, self.marks.at(check)),
                None => break,
            }
        }
        best
    }
}

/// A position's value, as a float.
fn worth(contract: &Contract, quantity: Lots, mark: Ticks) -> f64 {
    let value = contract.wide(quantity, mark);
    // Nearly all values are short enough for the processor's own conversion.
    i64::try_from(value).map_or_else(|_| value as f64, |value| value as f64)
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
        let mark = Ticks(self.course.marks[m].at(marks));
        let notional = contract.notional(leg.quantity, mark);
        self.course
            .schedule(m, rates)
            .maintenance(notional)
            .as_f64()
    }

    fn value(&self, leg: &BreachLeg, check: u32) -> f64 {
        let m = leg.market.index();
        let contract = &self.course.recorded.frame.markets[m].contract;
        worth(
            contract,
            leg.quantity,
            Ticks(self.course.marks[m].at(check)),
        )
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
    fn short(&self, check: u32) -> bool {
        self.excess(check) < -4.0
    }

    /// The stretch that ends at a check, where a lone position's account saw a long one.
    fn stretch(&self, check: u32) -> Option<Stretch<'a>> {
        let ([leg], true) = (self.legs, self.outflows.is_empty()) else {
            return None;
        };
        let first = self.course.still[check as usize];
        (check - first >= LONG).then(|| Stretch {
            first,
            marks: &self.course.marks[leg.market.index()],
            long: leg.quantity.0 > 0,
            zero: self.zero(leg, check),
        })
    }

    /// The last mark at which a lone position is not short, at the rates of a check.
    fn zero(&self, leg: &BreachLeg, check: u32) -> i64 {
        let m = leg.market.index();
        let contract = &self.course.recorded.frame.markets[m].contract;
        let schedule = self.course.schedule(m, check);
        let value = self.value(leg, check);
        let base = self.equity(check) - value;
        let asked = |mark: i64| {
            let required = schedule.maintenance(contract.notional(leg.quantity, Ticks(mark)));
            self.factor * required.as_f64()
        };
        let sound =
            |mark: i64| base + worth(contract, leg.quantity, Ticks(mark)) - asked(mark) >= -4.0;
        let long = leg.quantity.0 > 0;
        let now = self.course.marks[m].at(check);
        // Were value and requirement in proportion to the mark, it would be here; from there it is looked for.
        let near = (-4.0 - base) * now as f64 / (value - asked(now));
        let mut good = if (1.0..4.0 * now as f64).contains(&near) {
            near as i64
        } else {
            now
        };
        let mut bad;
        // Brackets it.
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
                self.course.marks[leg.market.index()].at(self.breach.check) as f64
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
            let (a, b) = (marks.at(from) as f64, marks.at(to) as f64);
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
