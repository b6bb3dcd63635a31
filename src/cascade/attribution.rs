//! Every liquidation's causes: price moves divided among who made them, beside rule, funding and withdrawals.
//!
//! `window` says from where to where an account was pushed, `replay` how much of a mark is whose doing.
//! The difference of the mark's parts between the two checks, as far as it is adverse, gives the price's shares; what pulled the
//! other way is left out, and so makes every push count for a little less.
//!
//! # Invariants
//!
//! - `shares_sum_to_one`, for each liquidation, in integers.
//!
//! # Limits
//!
//! A part below a half per cent of its crossing is dropped, its weight going to the other liquidations in proportion, so
//! that thousands of neighbours don't each have an edge. What a market does to another only through
//! traders who act in both is those traders' doing. A mark's rounding to ticks, and a switch between its ingredients, count
//! with whatever moved in the same window.

use super::cause::{Outer, Shares};
use super::replay::{self, COHORTS, Parts, Replay};
use super::window::{Course, Window};
use crate::engine::Cause;
use crate::measure::{Recorded, Traced};
use std::collections::BTreeMap;

/// Share of a crossing below which another liquidation is no parent.
const LEAST: f64 = 0.005;

/// One liquidation's causes.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributed {
    /// Its shares.
    pub shares: Shares,
    /// The check of its crossing.
    pub crossed: u32,
    /// The check of the lowest excess before; that of the crossing where there is none.
    pub from: u32,
    /// The mark at which it crossed, about; in ticks.
    pub trigger: f64,
}

/// What pushed a mark between two checks, in shares of the push.
#[derive(Clone, Debug, Default)]
struct Push {
    outer: [f64; Outer::ALL.len()],
    parents: Vec<(u32, f64)>,
}

/// A market's mark between two checks, down (`true`) or up.
type Span = (u32, u32, bool);

/// Attributes every liquidation of a run; nothing where it was not traced.
pub fn attribute(recorded: &Recorded) -> Option<Vec<Attributed>> {
    let course = Course::new(recorded)?;
    let trace = course.trace();
    let windows: Vec<Window> = (trace.breaches.iter())
        .map(|breach| course.window(breach))
        .collect();
    let mut spans: Vec<BTreeMap<Span, Push>> = vec![BTreeMap::new(); trace.markets()];
    for (breach, window) in trace.breaches.iter().zip(&windows) {
        if let Some((from, to)) = window.checks {
            for (leg, (market, weight)) in trace.legs(breach).iter().zip(&window.prices) {
                if *weight > 0.0 {
                    let span = (from, to, leg.quantity.0 > 0);
                    spans[market.index()].entry(span).or_default();
                }
            }
        }
    }
    for (market, spans) in spans.iter_mut().enumerate() {
        push(recorded, trace, market, spans);
    }
    let attributed = trace
        .breaches
        .iter()
        .zip(windows)
        .map(|(breach, window)| {
            let (from, crossed) = window.checks.unwrap_or((breach.check, breach.check));
            let mut outer = [0.0; Outer::ALL.len()];
            let mut parents: Vec<(u32, f64)> = Vec::new();
            outer[Outer::Rule.place()] = window.rule;
            outer[Outer::Funding.place()] = window.funding;
            outer[Outer::Withdrawal.place()] = window.withdrawn;
            for (leg, (market, weight)) in trace.legs(breach).iter().zip(&window.prices) {
                let span = (from, crossed, leg.quantity.0 > 0);
                if let Some(push) = spans[market.index()].get(&span).filter(|_| *weight > 0.0) {
                    if trace.kernels[market.index()].spot {
                        // What it holds there is its collateral, whoever moved its price; liquidations stay its causes.
                        let part: f64 = push.outer.iter().sum();
                        outer[Outer::Collateral.place()] += weight * part;
                    } else {
                        for (sum, part) in outer.iter_mut().zip(push.outer) {
                            *sum += weight * part;
                        }
                    }
                    merge(&mut parents, &push.parents, *weight);
                }
            }
            Attributed {
                shares: Shares::of(&outer, &parents),
                crossed,
                from,
                trigger: window.trigger,
            }
        })
        .collect();
    Some(attributed)
}

/// Adds weighted parents to others; both ascend by number.
fn merge(into: &mut Vec<(u32, f64)>, from: &[(u32, f64)], weight: f64) {
    if into.is_empty() {
        into.extend(from.iter().map(|(id, part)| (*id, weight * part)));
        return;
    }
    for (id, part) in from {
        match into.binary_search_by_key(id, |parent| parent.0) {
            Ok(at) => into[at].1 += weight * part,
            Err(at) => into.insert(at, (*id, weight * part)),
        }
    }
}

/// Fills in what pushed a market's mark over each of the spans.
fn push(recorded: &Recorded, trace: &Traced, market: usize, spans: &mut BTreeMap<Span, Push>) {
    if spans.is_empty() {
        return;
    }
    let mut needed: Vec<u32> = spans.keys().flat_map(|span| [span.0, span.1]).collect();
    needed.sort_unstable();
    needed.dedup();
    let cohorts = trace
        .impulses
        .iter()
        .filter_map(|impulse| match impulse.cause {
            Cause::Cohort(cohort) => Some(u32::from(cohort.0) + 1),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    let parts = replay_at(recorded, trace, market, cohorts, &needed);
    let first = COHORTS + cohorts;
    let at = |check: u32| {
        needed
            .binary_search(&check)
            .map_or(&[][..], |place| &parts[place])
    };
    let mut parents = Vec::new();
    for ((from, to, down), push) in spans {
        let sign = if *down { -1.0 } else { 1.0 };
        parents.clear();
        *push = shares(moved(at(*from), at(*to), sign), first, &mut parents);
    }
}

/// What each cause moved between two states of a mark, both with causes ascending; `sign` makes one way positive.
fn moved<'a>(
    from: &'a [(u32, f64)],
    to: &'a [(u32, f64)],
    sign: f64,
) -> impl Iterator<Item = (u32, f64)> + 'a {
    let (mut before, mut after) = (from.iter().peekable(), to.iter().peekable());
    std::iter::from_fn(move || {
        let next = match (before.peek(), after.peek()) {
            (Some(a), Some(b)) => a.0.min(b.0),
            (Some(only), None) | (None, Some(only)) => only.0,
            (None, None) => return None,
        };
        let before = before.next_if(|part| part.0 == next);
        let after = after.next_if(|part| part.0 == next);
        let part = |part: Option<&(u32, f64)>| part.map_or(0.0, |part| part.1);
        Some((next, sign * part(after) - sign * part(before)))
    })
}

/// Adverse parts as shares, small parents dropped; `parents` is room to work in.
fn shares(
    moved: impl Iterator<Item = (u32, f64)>,
    first: u32,
    parents: &mut Vec<(u32, f64)>,
) -> Push {
    let mut push = Push::default();
    let (mut forced, mut largest) = (0.0, 0.0f64);
    for (id, part) in moved.filter(|moved| moved.1 > 0.0) {
        if id >= first {
            forced += part;
            largest = largest.max(part);
            parents.push((id - first, part));
        } else {
            push.outer[outer(id).place()] += part;
        }
    }
    let total = push.outer.iter().sum::<f64>() + forced;
    if total <= 0.0 {
        // The mark moved by less than what is kept of its parts.
        push.outer[Outer::Quotes.place()] = 1.0;
        return push;
    }
    let least = (LEAST * total).min(largest);
    parents.retain(|parent| parent.1 >= least);
    let kept: f64 = parents.iter().map(|parent| parent.1).sum();
    push.parents.extend(
        parents
            .iter()
            .map(|(id, part)| (*id, part * (forced / kept / total))),
    );
    for part in &mut push.outer {
        *part /= total;
    }
    push
}

const fn outer(id: u32) -> Outer {
    match id {
        replay::REFERENCE => Outer::Reference,
        replay::ORACLE => Outer::Oracle,
        replay::QUOTES => Outer::Quotes,
        replay::BACKSTOP => Outer::Backstop,
        replay::KEEPERS => Outer::Keepers,
        _ => Outer::Organic,
    }
}

/// A market's mark, taken apart at the checks asked for.
fn replay_at(
    recorded: &Recorded,
    trace: &Traced,
    market: usize,
    cohorts: u32,
    needed: &[u32],
) -> Vec<Parts> {
    let mut observed = u32::MAX;
    let lag = trace
        .checks
        .iter()
        .filter(|check| check.first && check.market.index() == market)
        .filter(|check| std::mem::replace(&mut observed, check.observed) != check.observed)
        .map(|check| check.step.saturating_sub(check.observed))
        .max()
        .unwrap_or(0)
        .min(MOST_LAG);
    let start = recorded.frame.markets[market].start;
    let mut replay = Replay::new(trace.kernels[market], start, cohorts, lag);
    let mut openings = (trace.openings.iter())
        .filter(|opening| opening.market.index() == market)
        .peekable();
    let mut impulses = (0..)
        .zip(&trace.impulses)
        .filter(|(_, impulse)| impulse.market.index() == market)
        .peekable();
    let mut found = Vec::with_capacity(needed.len());
    let mut next = needed.iter().peekable();
    for k in 0..trace.count() as u32 {
        let Some(wanted) = next.peek() else { break };
        if let Some(opening) = openings.next_if(|opening| opening.check <= k) {
            while let Some((_, impulse)) = impulses.next_if(|(at, _)| *at < opening.after) {
                replay.push(impulse);
            }
            replay.open(opening);
        }
        while let Some((_, impulse)) = impulses.next_if(|(_, impulse)| impulse.check <= k) {
            replay.push(impulse);
        }
        let check = trace.check(market, k);
        replay.check(check);
        if **wanted == k {
            found.push(if k == 0 {
                Parts::new()
            } else {
                replay.mark(check)
            });
            next.next();
        }
    }
    found
}

/// An index that stood still for longer than this (a fault) is taken for the outside price as it is.
const MOST_LAG: u32 = 600;
