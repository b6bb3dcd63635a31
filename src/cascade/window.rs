//! From when to when an account was pushed over its threshold, and by what in general: price, rule, funding, withdrawal.
//!
//! An account's *excess* is its equity less its requirement. Its crossing is the check at which the excess fell below zero
//! for good before its liquidation began (with a grace period, earlier than that). Where it was pushed from is the lowest
//! excess that it had before and survived: a price that comes down again to where it was has crossed nothing, only new
//! ground crosses. So over a whole fall the pushes of a cause add up to what it has moved the extreme, whatever the price did in
//! between, and that is what leaving the cause out would have changed, to first order.
//!
//! Whole blocks of checks are passed over where their extremes leave no doubt, so that a liquidation costs about as many looks as
//! its past has blocks.
//!
//! # Invariants
//!
//! - `blocks_change_no_window`: with or without passing over blocks every window is the same, to a quantum's rounding.
//!
//! # Limits
//!
//! The search ends where the account last traded or was paid, and [`REACH`] checks back. An account that several
//! markets push counts each market's adverse move by itself.

use super::course::Lane;
use crate::engine::{Breach, BreachLeg};
use crate::market::Contract;
use crate::market::funding::INDEX_SCALE;
use crate::measure::block::{self, BLOCK};
use crate::measure::{Recorded, Traced};
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};

/// The farthest back that a crossing is looked for, in checks.
pub const REACH: u32 = 4_096;
/// Excess below which an account is short; rounding of funding and requirement aside.
const SHORT: f64 = -4.0;

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

/// Every market's course, check by check, and what was taken out by whom.
pub(super) struct Course<'a> {
    trace: &'a Traced,
    lanes: Vec<Lane<'a>>,
    /// Withdrawals by account and check.
    outflows: Vec<(AccountId, u32, Cash)>,
}

impl<'a> Course<'a> {
    /// The course of a run; nothing where it was not traced.
    pub(super) fn new(recorded: &'a Recorded) -> Option<Self> {
        let trace = recorded.trace.as_ref()?;
        let mut outflows: Vec<(AccountId, u32, Cash)> = trace
            .outflows
            .iter()
            .map(|flow| (flow.account, flow.check, flow.amount))
            .collect();
        outflows.sort_by_key(|flow| (flow.0, flow.1));
        Some(Self {
            trace,
            lanes: Lane::of(recorded, trace),
            outflows,
        })
    }

    pub(super) const fn trace(&self) -> &'a Traced {
        self.trace
    }

    /// A liquidation's crossing.
    pub(super) fn window(&self, breach: &Breach) -> Window {
        let flows = &self.outflows;
        let first = flows.partition_point(|flow| flow.0 < breach.account);
        let last = flows.partition_point(|flow| flow.0 <= breach.account);
        Case::new(
            &self.lanes,
            breach,
            self.trace.legs(breach),
            &flows[first..last],
        )
        .window()
    }
}

/// A position's value, as a float.
fn worth(contract: &Contract, quantity: Lots, mark: Ticks) -> f64 {
    let value = contract.wide(quantity, mark);
    // Nearly all values are short enough for the processor's own conversion.
    i64::try_from(value).map_or_else(|_| value as f64, |value| value as f64)
}

/// One position on its market's lane.
struct Leg<'a> {
    lane: &'a Lane<'a>,
    market: MarketId,
    quantity: Lots,
    /// The index of funding as the liquidation began.
    index: i64,
}

impl Leg<'_> {
    fn value(&self, check: u32) -> f64 {
        self.worth(self.lane.marks[check as usize])
    }
    fn worth(&self, mark: Ticks) -> f64 {
        worth(&self.lane.contract, self.quantity, mark)
    }

    /// What the rates at a place ask of the position at a mark.
    fn required(&self, place: u32, mark: Ticks) -> f64 {
        let notional = self.lane.contract.notional(self.quantity, mark);
        self.lane.schedule(place).maintenance(notional).as_f64()
    }
    /// The requirement with the rates of one check and the mark of another.
    fn asked(&self, rates: u32, marks: u32) -> f64 {
        self.required(
            self.lane.rates[rates as usize],
            self.lane.marks[marks as usize],
        )
    }

    /// Funding to be paid from an index on until the liquidation began.
    fn owed(&self, index: i64) -> f64 {
        self.quantity.as_f64() * (self.index - index) as f64 / INDEX_SCALE as f64
    }
    /// Funding paid between two checks.
    fn paid(&self, from: u32, to: u32) -> f64 {
        let funding = &self.lane.funding;
        self.owed(funding[from as usize]) - self.owed(funding[to as usize])
    }

    /// Whether a mark is no worse for the position than another.
    fn no_worse(&self, mark: Ticks, than: Ticks) -> bool {
        if self.quantity.0 > 0 {
            mark >= than
        } else {
            mark <= than
        }
    }
}

/// One account as its liquidation began.
struct Case<'a> {
    breach: &'a Breach,
    legs: Vec<Leg<'a>>,
    outflows: &'a [(AccountId, u32, Cash)],
    /// Equity as the liquidation began, less what the positions were worth.
    base: f64,
    /// What the account is asked over the sum of what its positions are asked.
    factor: f64,
    /// Whether blocks are passed over.
    blocks: bool,
}

impl<'a> Case<'a> {
    fn new(
        lanes: &'a [Lane<'a>],
        breach: &'a Breach,
        legs: &[BreachLeg],
        outflows: &'a [(AccountId, u32, Cash)],
    ) -> Self {
        let now = breach.check;
        let legs: Vec<Leg<'a>> = legs
            .iter()
            .map(|leg| {
                let lane = &lanes[leg.market.index()];
                Leg {
                    lane,
                    market: leg.market,
                    quantity: leg.quantity,
                    index: lane.funding[now as usize],
                }
            })
            .collect();
        let worth: f64 = legs.iter().map(|leg| leg.value(now)).sum();
        let alone: f64 = legs.iter().map(|leg| leg.asked(now, now)).sum();
        Self {
            breach,
            legs,
            outflows,
            base: breach.equity as f64 - worth,
            factor: if alone > 0.0 {
                breach.requirement.as_f64() / alone
            } else {
                1.0
            },
            blocks: true,
        }
    }

    fn window(&self) -> Window {
        let now = self.breach.check;
        let low = (self.breach.since.saturating_sub(1)).max(now.saturating_sub(REACH));
        match self.last_sound(low, now) {
            Some(sound) => self.split(self.lowest(low, sound), sound + 1),
            None => self.own(),
        }
    }

    /// The last check from `low` on and before `end` at which the account was not short.
    fn last_sound(&self, low: u32, end: u32) -> Option<u32> {
        let mut end = end;
        while end > low {
            let (block, start) = Self::block_before(end, low);
            // The last check is nearly always a sound one, and looked at first.
            if self.excess(end - 1) >= SHORT {
                return Some(end - 1);
            }
            if !self.blocks || self.bounds(block)[1] >= SHORT {
                let sound = |check: &u32| self.excess(*check) >= SHORT;
                if let Some(check) = (start..end - 1).rev().find(sound) {
                    return Some(check);
                }
            }
            end = start;
        }
        None
    }

    /// The check of the lowest excess from `low` to `sound`, as far back as the account was never short; of equals the latest.
    fn lowest(&self, low: u32, sound: u32) -> u32 {
        let mut least = Least {
            check: sound,
            excess: self.excess(sound),
        };
        let mut end = sound;
        while end > low {
            let (block, start) = Self::block_before(end, low);
            let passed = self.blocks
                && (self.all_no_worse(block, least.check) || self.bounds(block)[0] >= least.excess);
            if !passed {
                for check in (start..end).rev() {
                    if self.blocks && self.no_worse(check, least.check) {
                        continue;
                    }
                    let excess = self.excess(check);
                    if excess < SHORT {
                        return least.check;
                    }
                    if excess < least.excess {
                        least = Least { check, excess };
                    }
                }
            }
            end = start;
        }
        least.check
    }

    /// The block of the check before `end`, and the first of its checks from `low` on.
    fn block_before(end: u32, low: u32) -> (usize, u32) {
        let block = (end as usize - 1) / BLOCK;
        (block, low.max((block * BLOCK) as u32))
    }

    /// Whether the account was no worse off at an earlier check than at another, by a comparison of what it was measured by. It may deny it.
    fn no_worse(&self, check: u32, than: u32) -> bool {
        let (check, than) = (check as usize, than as usize);
        self.monotone()
            && self.legs.iter().all(|leg| {
                let Lane {
                    marks,
                    funding,
                    rates,
                    ..
                } = leg.lane;
                leg.no_worse(marks[check], marks[than])
                    && rates[check] == rates[than]
                    && funding[check] == funding[than]
            })
    }
    /// The same of every check of a block.
    fn all_no_worse(&self, block: usize, than: u32) -> bool {
        let than = than as usize;
        self.monotone()
            && self.legs.iter().all(|leg| {
                let lane = leg.lane;
                let block = lane.block(block);
                (block.marks.into_iter()).all(|mark| leg.no_worse(mark, lane.marks[than]))
                    && block.rates == Some([lane.rates[than]; 2])
                    && block.funding == [lane.funding[than]; 2]
            })
    }
    /// Whether an adverse move takes more from equity than from the requirement: rates are at most one.
    fn monotone(&self) -> bool {
        self.factor <= 1.0
    }

    /// Bounds of the excess within a block of checks.
    fn bounds(&self, block: usize) -> [f64; 2] {
        let start = (block * BLOCK) as u32;
        // What was taken out later, it still had.
        let taken = |check| self.withdrawn(check, self.breach.check);
        let [mut low, mut high] = [start + BLOCK as u32 - 1, start].map(|at| self.base + taken(at));
        let mut size = low.abs();
        let mut rounding = 0;
        for leg in &self.legs {
            let block = leg.lane.block(block);
            let Some([least, most]) = block.rates else {
                return [f64::NEG_INFINITY, f64::INFINITY];
            };
            let worth = block.marks.map(|mark| leg.worth(mark));
            let owed = block.funding.map(|index| leg.owed(index));
            // Where the larger notional is depends on the contract; requirements never fall with size.
            let by_size = if worth[0].abs() <= worth[1].abs() {
                block.marks
            } else {
                [block.marks[1], block.marks[0]]
            };
            rounding += block::rounding(leg.lane.schedule(least), leg.lane.schedule(most));
            let asked = [
                leg.required(least, by_size[0]),
                leg.required(most, by_size[1]),
            ];
            low += worth[0].min(worth[1]) + owed[0].min(owed[1]) - self.factor * asked[1];
            high += worth[0].max(worth[1]) + owed[0].max(owed[1]) - self.factor * asked[0];
            size += worth[0].abs() + worth[1].abs();
        }
        // Rounding of funding and requirements, and of floats.
        let slack = 16.0 + self.factor * (4 + rounding) as f64 + 1e-12 * size;
        [low - slack, high + slack]
    }

    /// The requirement with the rates of one check and the marks of another.
    fn required(&self, rates: u32, marks: u32) -> f64 {
        let sum: f64 = (self.legs.iter()).map(|leg| leg.asked(rates, marks)).sum();
        self.factor * sum
    }

    fn withdrawn(&self, after: u32, to: u32) -> f64 {
        self.outflows
            .iter()
            .filter(|flow| flow.1 > after && flow.1 <= to)
            .map(|flow| flow.2.as_f64())
            .sum()
    }

    /// Equity less requirement at a check.
    fn excess(&self, check: u32) -> f64 {
        let held: f64 = self
            .legs
            .iter()
            .map(|leg| leg.value(check) + leg.owed(leg.lane.funding[check as usize]))
            .sum();
        let equity = self.base + self.withdrawn(check, self.breach.check) + held;
        equity - self.required(check, check)
    }

    fn largest(&self) -> Option<&Leg<'a>> {
        self.legs.iter().max_by(|a, b| {
            let value = |leg: &Leg<'_>| leg.value(self.breach.check).abs();
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
                leg.lane.marks[self.breach.check as usize].as_f64()
            }),
        }
    }

    /// What happened between two checks.
    fn split(&self, from: u32, to: u32) -> Window {
        let prices = self
            .legs
            .iter()
            .map(|leg| {
                let lost = leg.value(from) - leg.value(to);
                let asked = leg.asked(from, to) - leg.asked(from, from);
                (leg.market, (lost + self.factor * asked).max(0.0))
            })
            .collect();
        let rule = (self.required(to, to) - self.required(from, to)).max(0.0);
        let funding: f64 = self.legs.iter().map(|leg| leg.paid(from, to)).sum();
        let (above, below) = (self.excess(from), self.excess(to));
        let trigger = self.largest().map_or(f64::NAN, |leg| {
            let marks = &leg.lane.marks;
            let [a, b] = [from, to].map(|check| marks[check as usize].as_f64());
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

/// The lowest excess so far.
struct Least {
    check: u32,
    excess: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::Schedule;
    use crate::math::{Draws, Purpose, Stream};
    use crate::unit::Rate;

    const CHECKS: usize = 700;

    struct Paths {
        schedules: Vec<(u32, Schedule)>,
        marks: Vec<Ticks>,
        funding: Vec<i64>,
        rates: Vec<u32>,
    }

    /// Prices that wander; rates that stay, change now and then or always; funding that comes by the hour or always.
    fn paths(s: &mut Stream) -> Paths {
        let every = [CHECKS, 90, 1][s.below(3) as usize];
        let count = CHECKS.div_ceil(every);
        let schedules = (0..count as u32)
            .map(|place| {
                let scale = 0.7 + 0.6 * s.uniform();
                let tilt = if s.below(30) == 0 { 0.3 } else { 1.0 };
                let brackets = [(3_000_000, 0.01 * tilt), (0, 0.03)].map(|(cap, rate)| {
                    let rate = Rate::from_f64(rate * scale);
                    (Cash(cap), rate, rate)
                });
                (place, Schedule::from_rates(brackets))
            })
            .collect();
        let paid_every = [CHECKS, 60, 1][s.below(3) as usize];
        let (mut price, mut index) = (10_000.0, 0);
        let (mut marks, mut funding) = (Vec::new(), Vec::new());
        for check in 0..CHECKS {
            price *= 1.0 + 0.002 * s.normal();
            marks.push(Ticks(price as i64));
            if check % paid_every == 0 {
                index += (s.below(4_000_000) as i64 - 2_000_000) * 100;
            }
            funding.push(index);
        }
        let rates = (0..CHECKS).map(|check| (check / every) as u32).collect();
        Paths {
            schedules,
            marks,
            funding,
            rates,
        }
    }

    #[test]
    fn blocks_change_no_window() {
        let draws = Draws::new(7, 0);
        let [mut far, mut lone, mut none] = [0; 3];
        for trial in 0..6_000 {
            let mut s = draws.stream(Purpose::Custom, trial, 0);
            let paths = [(); 2].map(|()| paths(&mut s));
            let lanes: Vec<Lane<'_>> = (paths.iter().zip([false, s.below(4) == 0]))
                .map(|(paths, inverse)| {
                    let contract = if inverse {
                        Contract::inverse(1_000_000_000)
                    } else {
                        Contract::linear(1)
                    };
                    let (marks, funding) = (paths.marks.clone(), paths.funding.clone());
                    Lane::new(
                        contract,
                        &paths.schedules,
                        marks,
                        funding,
                        paths.rates.clone(),
                    )
                })
                .collect();
            let legs: Vec<BreachLeg> = (0..1 + s.below(2) as u16)
                .map(|market| BreachLeg {
                    market: MarketId(market),
                    quantity: Lots(1 + s.below(1_000) as i64 * [-1, 1][s.below(2) as usize]),
                })
                .collect();
            let check = 1 + s.below(CHECKS as u64 - 1) as u32;
            let mut breach = Breach {
                liquidation: 0,
                account: AccountId(0),
                check,
                since: s.below(u64::from(check) / 4 + 1) as u32,
                equity: 0,
                requirement: Cash::ZERO,
                legs: (0, legs.len() as u32),
            };
            // What it is asked, alone or a little more or less, and a little less money than that.
            let alone = Case::new(&lanes, &breach, &legs, &[]).required(check, check);
            breach.requirement = Cash((alone * [1.0, 0.8, 1.3][s.below(3) as usize]) as i64);
            breach.equity = i128::from(breach.requirement.0) - s.below(9_000) as i128;
            let flows: Vec<(AccountId, u32, Cash)> = (0..s.below(3))
                .map(|k| (AccountId(0), 200 * k as u32, Cash(s.below(5_000) as i64)))
                .collect();
            let mut case = Case::new(&lanes, &breach, &legs, &flows);
            let quick = case.window();
            case.blocks = false;
            let slow = case.window();
            match (quick.checks, slow.checks) {
                (Some((from, to)), Some((plain, crossed))) => {
                    assert_eq!(to, crossed, "trial {trial}");
                    let off = case.excess(from) - case.excess(plain);
                    assert!((0.0..=2.0).contains(&off), "trial {trial}: {off}");
                    far += u32::from(to - from > 2 * BLOCK as u32);
                    lone += u32::from(legs.len() == 1);
                }
                other => {
                    assert_eq!(other, (None, None), "trial {trial}");
                    none += 1;
                }
            }
        }
        assert!(far > 50 && lone > 500 && none > 50, "{far} {lone} {none}");
    }
}
