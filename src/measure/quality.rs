//! Quality of calls and liquidations: premature, late, right, announced; and what was asked for.
//!
//! A liquidation is *premature* along a path where the account, left alone with what it held, would within the
//! horizon have met its requirement again, and never had less than nothing: not even later, for then its
//! liquidation only came early. It is *late* where it left a deficit. Shares are of the notional at the start of
//! the liquidations, that of options being what they are on; those that the run's end leaves undecided are told apart and count in no share.
//!
//! # Reference
//!
//! There is no standard definition. Chitra et al. replay accounts along the realised path, which leaves out what not
//! liquidating would have changed; along the twin's path, with common random numbers, it is kept. The
//! difference is what liquidations themselves made.

use super::calls::{End, Fate, History, Snapshot};
use super::counterfactual::{Answer, Path, Question};
use super::optioned::Optioned;
use super::recorder::Recorded;
use crate::margin::Leg;
use crate::margin::option::{Asked, OptionLeg};
use crate::math::quantile::quantile;
use crate::unit::{AccountId, Cash};
use std::collections::BTreeSet;

/// So many, and so much of them by notional in quanta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Notional, in quanta.
    pub notional: i128,
}

impl Amount {
    fn add(&mut self, notional: i128) {
        self.count += 1;
        self.notional += notional;
    }
    /// This over this and another, by notional.
    pub fn share_beside(self, other: Self) -> Option<f64> {
        let whole = self.notional + other.notional;
        (whole > 0).then(|| self.notional as f64 / whole as f64)
    }
}

/// What a path says of all liquidations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prematurity {
    /// Would have met their requirement again without going bankrupt.
    pub premature: Amount,
    /// Would have gone bankrupt, or not met it within the horizon.
    pub justified: Amount,
    /// The path ends too early to say.
    pub undecided: Amount,
}

impl Prematurity {
    /// Premature notional over what was decided.
    pub fn share(&self) -> Option<f64> {
        self.premature.share_beside(self.justified)
    }
    /// Undecided notional over all.
    pub fn undecided(&self) -> Option<f64> {
        let decided = Amount {
            count: self.premature.count + self.justified.count,
            notional: self.premature.notional + self.justified.notional,
        };
        self.undecided.share_beside(decided)
    }
}

/// A run's calls and liquidations, and what can be asked of them.
pub struct Quality<'a> {
    run: &'a Recorded,
    /// The calls and liquidations.
    pub history: History,
}

impl<'a> Quality<'a> {
    /// Of a run.
    pub fn of(run: &'a Recorded) -> Self {
        Self {
            run,
            history: History::of(&run.events),
        }
    }

    /// What the path of a run, this one or its twin, says of the liquidations. Nothing where rates weren't
    /// recorded.
    pub fn prematurity(&self, along: &Recorded) -> Option<Prematurity> {
        let path = Path::of(&self.run.frame, along)?;
        let horizon = self.run.frame.horizon();
        let mut found = Prematurity::default();
        for liquidation in &self.history.liquidations {
            let at = &liquidation.at;
            let held = (self.history.positions(at), self.optioned(at));
            let answer = path.ask_with(Question::Survives, at.equity, held, at.step, horizon);
            let amount = match answer {
                Answer::Yes => &mut found.premature,
                Answer::No => &mut found.justified,
                Answer::Undecided => &mut found.undecided,
            };
            amount.add(self.notional(at));
        }
        Some(found)
    }

    /// Liquidations that left a deficit, and those that left none; what is open counts in neither.
    pub fn lateness(&self) -> (Amount, Amount) {
        let (mut late, mut paid) = (Amount::default(), Amount::default());
        for liquidation in &self.history.liquidations {
            match liquidation.end {
                End::Deficit => late.add(self.notional(&liquidation.at)),
                End::Paid => paid.add(self.notional(&liquidation.at)),
                End::Open => {}
            }
        }
        (late, paid)
    }

    /// Share of calls after which the account, left alone, would have fallen short within the horizon of
    /// calls, over the calls for which that can be said; and the share for which it can't.
    pub fn precision(&self) -> (Option<f64>, Option<f64>) {
        let Some(path) = Path::of(&self.run.frame, self.run) else {
            return (None, None);
        };
        let horizon = self.run.frame.call_horizon();
        let mut counts = [0u64; 3];
        for call in &self.history.calls {
            let at = &call.at;
            let held = (self.history.positions(at), self.optioned(at));
            let answer = path.ask_with(Question::Breaches, at.equity, held, at.step, horizon);
            counts[match answer {
                Answer::Yes => 0,
                Answer::No => 1,
                Answer::Undecided => 2,
            }] += 1;
        }
        let [right, wrong, undecided] = counts;
        (
            ratio(right, right + wrong),
            ratio(undecided, right + wrong + undecided),
        )
    }

    /// Share of liquidations that a call preceded by the notice or more.
    pub fn recall(&self) -> Option<f64> {
        let notice = self.run.frame.measure.notice.steps(self.run.frame.dt);
        let announced = self
            .history
            .liquidations
            .iter()
            .filter(|liquidation| liquidation.standing.is_some_and(|steps| steps >= notice))
            .count();
        ratio(announced as u64, self.history.liquidations.len() as u64)
    }

    /// What calls asked for, up to initial margin, over the equity of those who were called.
    pub fn called_over_equity(&self) -> Option<f64> {
        let (mut called, mut equity) = (0i128, 0i128);
        let optioned = self.options();
        let rules = [false, true].map(|stressed| self.run.frame.cross_in(stressed).build());
        for call in &self.history.calls {
            let stressed = self.run.stressed.get(call.at.step as usize) == Some(&true);
            let portfolio = rules[usize::from(stressed)].as_deref();
            let mut required = 0i128;
            let mut legs = Vec::new();
            let options = optioned.as_ref().map(|all| (all, self.optioned(&call.at)));
            let options = options.filter(|(_, held)| !held.is_empty());
            for held in self.history.positions(&call.at) {
                let market = held.market.index();
                let schedule = self.run.tracks[market].schedule(call.at.step)?;
                let value = self.run.frame.markets[market]
                    .contract
                    .wide(held.quantity, held.mark);
                let notional = Cash::clamped(value.abs());
                let alone = schedule.initial(notional);
                let spot = self.run.frame.markets[market].spot;
                if options.is_none() && (portfolio.is_none() || spot) {
                    required += i128::from(alone.0);
                } else {
                    legs.push(Leg {
                        market: held.market,
                        quantity: held.quantity,
                        notional,
                        alone,
                    });
                }
            }
            if let Some((all, held)) = options {
                let step = call.at.step as usize;
                required = all.requirement(step, &legs, held, Asked::Initial).0.into();
            } else if let Some(rule) = portfolio {
                required += match &legs[..] {
                    [alone] => i128::from(alone.alone.0),
                    legs => i128::from(rule.requirement(legs).0),
                };
            }
            let own = i128::from(call.at.equity.0);
            called += (required - own).max(0);
            equity += own.max(0);
        }
        (equity > 0).then(|| called as f64 / equity as f64)
    }

    /// How many accounts were liquidated at least once.
    pub fn accounts(&self) -> usize {
        let liquidations = self.history.liquidations.iter();
        let accounts: BTreeSet<AccountId> = liquidations.map(|l| l.at.account).collect();
        accounts.len()
    }

    /// How many calls ended so.
    pub fn fates(&self, fate: Fate) -> usize {
        let calls = self.history.calls.iter();
        calls.filter(|call| call.fate == fate).count()
    }

    /// Options of an account at a snapshot.
    fn optioned(&self, at: &Snapshot) -> &[OptionLeg] {
        let options = self.run.options.as_ref();
        options.map_or(&[], |options| options.held(at.step, at.account))
    }

    fn options(&self) -> Option<Optioned<'_>> {
        let (run, options) = (self.run, self.run.options.as_ref());
        Optioned::new(&run.frame, options, &run.tracks, &run.stressed)
    }

    /// What an account held was worth at the mark, and what its options were on.
    fn notional(&self, at: &Snapshot) -> i128 {
        let (run, step) = (self.run, at.step as usize);
        let optioned = run.options.as_ref().map_or(0, |options| {
            options.notional(&run.frame, &run.tracks, step, self.optioned(at))
        });
        optioned + self.positions_notional(at)
    }

    fn positions_notional(&self, at: &Snapshot) -> i128 {
        let markets = &self.run.frame.markets;
        let held = self.history.positions(at).iter();
        held.map(|held| {
            markets[held.market.index()]
                .contract
                .wide(held.quantity, held.mark)
                .abs()
        })
        .sum()
    }
}

/// Quantiles of lead times, in seconds: 5 %, one half, 95 %.
pub fn leads(steps: impl Iterator<Item = u32>, dt: f64) -> [Option<f64>; 3] {
    let mut seconds: Vec<f64> = steps.map(|steps| f64::from(steps) * dt).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    [0.05, 0.5, 0.95].map(|p| quantile(&seconds, p))
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
