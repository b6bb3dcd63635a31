//! What fail-safes did, and what they prevented or put off: the run, and the run beside one without them.
//!
//! The run without fail-safes has the same seed, the same faults and the same organic decisions, so the difference is
//! theirs alone. A difference may be negative: a halt that only moves a fall prevents nothing, and a
//! throttle can make losses larger.

use super::catalogue as m;
use super::metric::Metric;
use super::recorder::Recorded;
use crate::engine::{Event, EventKind};
use crate::unit::{AccountId, MarketId};
use std::collections::BTreeMap;

/// What fail-safes did in a run; without a value where the scenario has neither fail-safes nor faults.
pub fn metrics(run: &Recorded) -> Vec<Metric> {
    let seconds = |steps: f64| steps * run.frame.dt;
    let count = |kind: EventKind| run.events.iter().filter(|e| e.kind == kind).count() as f64;
    let end = run.tally.steps;
    let spent = |from, to| seconds(between(&run.events, from, to, end));
    let killed = run
        .events
        .iter()
        .find(|event| event.kind == EventKind::Killed)
        .map(|event| seconds(f64::from(event.step + 1)));
    let values = [
        (&m::HALTS, Some(count(EventKind::Halted))),
        (
            &m::HALTED_TIME,
            Some(seconds(run.tally.halted_steps as f64)),
        ),
        (&m::DEFERRED_STEPS, Some(run.tally.deferred_steps as f64)),
        (&m::PRINTS_REJECTED, Some(count(EventKind::PrintRejected))),
        (
            &m::SUSPENDED_TIME,
            Some(spent(
                EventKind::LiquidationSuspended,
                EventKind::LiquidationResumed,
            )),
        ),
        (&m::ADL_PAUSES, Some(count(EventKind::DeleveragingPaused))),
        (&m::KILLED_AT, killed),
        (&m::FAULTS, Some(count(EventKind::FaultBegan))),
    ];
    values
        .into_iter()
        .map(|(definition, value)| {
            Metric::new(definition, None, value.filter(|_| run.frame.guarded))
        })
        .collect()
}

/// Steps between the events of one kind and those of another, summed over markets.
fn between(events: &[Event], from: EventKind, to: EventKind, end: u32) -> f64 {
    let mut began: BTreeMap<Option<MarketId>, u32> = BTreeMap::new();
    let mut sum = 0.0;
    for event in events {
        if event.kind == from {
            began.entry(event.market).or_insert(event.step);
        } else if event.kind == to
            && let Some(step) = began.remove(&event.market)
        {
            sum += f64::from(event.step - step);
        }
    }
    sum + began
        .values()
        .map(|step| f64::from(end.saturating_sub(*step)))
        .sum::<f64>()
}

/// What fail-safes prevented or put off: by market, then for the world.
pub fn compare(run: &Recorded, without: &Recorded) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = run
        .frame
        .markets
        .iter()
        .enumerate()
        .map(|(market, frame)| {
            let less = without.drawdown(market) - run.drawdown(market);
            Metric::new(&m::PREVENTED_DRAWDOWN, Some(&frame.name), Some(less))
        })
        .collect();
    let began = |of: &Recorded| -> BTreeMap<AccountId, u32> {
        let mut first = BTreeMap::new();
        for event in &of.events {
            if let (EventKind::LiquidationBegan, Some(id)) = (event.kind, event.account) {
                first.entry(id).or_insert(event.step);
            }
        }
        first
    };
    let (with, bare) = (began(run), began(without));
    let mut later: Vec<f64> = with
        .iter()
        .filter_map(|(id, step)| {
            bare.get(id)
                .map(|before| f64::from(*step) - f64::from(*before))
        })
        .collect();
    later.sort_unstable_by(f64::total_cmp);
    let median = later.get(later.len() / 2).map(|steps| steps * run.frame.dt);
    let spared = bare.keys().filter(|id| !with.contains_key(id)).count();
    let struck = with.keys().filter(|id| !bare.contains_key(id)).count();
    metrics.extend([
        Metric::new(
            &m::PREVENTED_ACCOUNTS,
            None,
            Some(spared as f64 - struck as f64),
        ),
        Metric::new(
            &m::PREVENTED_NOTIONAL,
            None,
            Some(without.liquidated_total() - run.liquidated_total()),
        ),
        Metric::new(
            &m::PREVENTED_BAD_DEBT,
            None,
            Some(without.bad_debt() - run.bad_debt()),
        ),
        Metric::new(&m::PUT_OFF, None, median),
    ]);
    metrics
}
