//! Calls, liquidations and what would have become of them, on short crashes.

use crate::support::FALL;
use deleverage::engine::{Event, EventKind, Observer, StepRow, World};
use deleverage::experiment::Run;
use deleverage::margin::Schedule;
use deleverage::measure::calls::{Fate, History};
use deleverage::measure::counterfactual::{Answer, Path, Question};
use deleverage::measure::{Frame, Quality, Recorded, Recorder};
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::Lots;

fn fall(changes: &[(&str, &str)]) -> Scenario {
    let mut text = FALL.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Scenario::parse(text).unwrap()
}

const VOLATILE: (&str, &str) = (
    "grace = \"2s\"",
    "adjust = [{ volatility = { fast = \"20s\", slow = \"1h\", initial = 1.0, floor = 1, cap = 3 } }]",
);

fn recorded(scenario: &Scenario, mode: Mode) -> Recorded {
    let (setup, _) = scenario.setup(0, mode).unwrap();
    let mut recorder = Recorder::new(Frame::of(&setup).judged(scenario.measure), 1);
    World::new(setup).run(&mut recorder, |_| true).unwrap();
    recorder.finish(0)
}

#[test]
fn every_call_of_a_crash_has_one_fate_and_the_summary_counts_them() {
    let finished = Run::new(&fall(&[])).twin(true).finish().unwrap();
    let value = |name: &str| finished.summary.value(name, None);
    let names = [
        "calls_cured_by_trader",
        "calls_cured_by_market",
        "calls_liquidated",
        "calls_bankrupt",
        "calls_open",
    ];
    let fates: Vec<f64> = names.iter().map(|name| value(name).unwrap()).collect();
    assert_eq!(fates.iter().sum::<f64>(), value("calls").unwrap());
    assert!(fates[0] > 0.0 && fates[2] > 0.0, "{fates:?}");
    let quality = Quality::of(&finished.run);
    assert_eq!(
        quality.history.liquidations.len() as f64,
        value("liquidations").unwrap()
    );
    // Every liquidation is counted once along either path.
    for along in [&finished.run, finished.twin.as_ref().unwrap()] {
        let found = quality.prematurity(along).unwrap();
        let all = found.premature.count + found.justified.count + found.undecided.count;
        assert_eq!(all, quality.history.liquidations.len() as u64);
    }
    let (late, paid) = quality.lateness();
    assert!(late.count > 0 && paid.count > 0);
    assert_eq!(value("late_liquidations"), Some(late.count as f64));
}

/// What the counterfactual computes from a snapshot is what the engine's ledger saw.
#[test]
fn an_account_that_nobody_touched_is_measured_along_its_path_as_by_the_ledger() {
    for scenario in [fall(&[]), fall(&[VOLATILE])] {
        let run = recorded(&scenario, Mode::Run);
        let history = History::of(&run.events);
        let path = Path::new(&run.frame, &run.tracks).unwrap();
        let ends = |account, from: u32, kind| {
            run.events
                .iter()
                .find(|e| e.account == Some(account) && e.step >= from && e.kind == kind)
                .map(|e| e.step)
        };
        let mut asked = [0; 2];
        for call in &history.calls {
            let at = &call.at;
            let held = history.positions(at);
            let ask = |steps| path.ask(Question::Breaches, at.equity, held, at.step, steps);
            match call.fate {
                Fate::CuredByMarket => {
                    let cured = ends(at.account, at.step, EventKind::CallCured).unwrap();
                    // It may have fallen short for less than the grace period; without one it may not.
                    if scenario.margin.grace.as_seconds() == 0.0 {
                        assert_eq!(ask(cured - at.step), Answer::No);
                        asked[0] += 1;
                    }
                }
                Fate::Liquidated => {
                    let began = ends(at.account, at.step, EventKind::LiquidationBegan).unwrap();
                    let own = ends(at.account, at.step, EventKind::ToppedUp);
                    let then = history
                        .liquidations
                        .iter()
                        .find(|l| l.at.account == at.account && l.at.step == began)
                        .unwrap();
                    let sizes = |held: &[deleverage::measure::counterfactual::Position]| {
                        held.iter().map(|p| p.quantity).collect::<Vec<Lots>>()
                    };
                    if own.is_none() && sizes(held) == sizes(history.positions(&then.at)) {
                        assert_eq!(ask(began - at.step), Answer::Yes, "{call:?}");
                        asked[1] += 1;
                    }
                }
                _ => {}
            }
        }
        assert!(asked[1] > 50, "{asked:?}");
    }
}

#[test]
fn frozen_rates_stay_those_of_the_first_step() {
    let scenario = fall(&[VOLATILE]);
    let moving = recorded(&scenario, Mode::Run);
    let frozen = recorded(&scenario, Mode::FrozenRates);
    assert!(moving.tracks.iter().all(|track| track.moved()));
    for (moving, frozen) in moving.tracks.iter().zip(&frozen.tracks) {
        assert!(!frozen.moved());
        assert_eq!(frozen.schedule(179), moving.schedule(0));
    }
}

#[test]
fn the_spiral_share_is_that_of_moving_rates_and_nothing_without() {
    let spiral = |scenario: &Scenario| {
        let finished = Run::new(scenario).twin(true).finish().unwrap();
        let value = |name: &str| finished.summary.value(name, Some("BTC")).unwrap();
        let parts = value("spiral_share") + value("loss_spiral_share");
        assert!((parts - value("endogenous_share")).abs() < 1e-12);
        (value("spiral_share"), value("margin_peak_to_trough"))
    };
    assert_eq!(spiral(&fall(&[])), (0.0, 1.0));
    let scenario = fall(&[VOLATILE]);
    let [moving, frozen] =
        [Mode::Run, Mode::FrozenRates].map(|mode| recorded(&scenario, mode).drawdown(0));
    let (share, swing) = spiral(&scenario);
    assert_eq!(share, 1.0 - frozen / moving);
    assert!(swing > 1.5, "{swing}");
}

/// Keeps the events of the last step.
#[derive(Default)]
struct Last(Vec<Event>, Vec<Event>);

impl Observer for Last {
    fn step(&mut self, _: &StepRow<'_>) {
        self.0 = std::mem::take(&mut self.1);
    }
    fn event(&mut self, event: &Event) {
        self.1.push(*event);
    }
}

#[test]
fn nobody_withdraws_into_the_initial_requirement() {
    let scenario = fall(&[
        ("auto_deleveraging = true", "auto_deleveraging = false"),
        (
            "long_share = 0.7",
            "long_share = 0.7\nwithdrawal = { share = 1.0, every = \"60s\" }",
        ),
    ]);
    let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
    let mut world = World::new(setup);
    let mut last = Last::default();
    let mut seen = [0; 2];
    for _ in 0..world.steps() {
        world.step(&mut last).unwrap();
        for event in &last.0 {
            let Some(id) = event.account else { continue };
            let required = || {
                let places = world.ledger().places(id);
                let each = places.map(|(market, slot)| {
                    let held = world.ledger().slot(slot).quantity;
                    let contract = world.ledger().contract(market);
                    let notional = contract.notional(held, world.marks()[market.index()]);
                    i128::from(world.schedule(market).initial(notional).0)
                });
                each.sum::<i128>()
            };
            match event.kind {
                EventKind::Withdrawn => {
                    assert!(world.equity(id) >= required(), "{event:?}");
                    assert!(world.ledger().account(id).cash.0 >= 0);
                    seen[0] += 1;
                }
                EventKind::WithdrawalRefused => seen[1] += 1,
                _ => {}
            }
        }
    }
    assert!(seen[0] > 50 && seen[1] > 20, "{seen:?}");
    world.audit().unwrap();
}

#[test]
fn resting_orders_are_held_to_reducing_where_the_scenario_says_so() {
    let count = |changes: &[(&str, &str)]| {
        let mut with = vec![
            ("leverage = 8\n", "leverage = 20\n"),
            (
                "response.top_up = { probability = 0.5, delay = \"10s\", reserve = 1.0, target = 0.5 }",
                "strategy.noise = { rate = 600, size = 500, limit_share = 1.0, distance_bps = 800, lifetime = \"2m\" }",
            ),
        ];
        with.extend_from_slice(changes);
        let run = recorded(&fall(&with), Mode::Run);
        let found = run.events.iter();
        found
            .filter(|event| event.kind == EventKind::OrderWithdrawn)
            .inspect(|event| assert!(!event.quantity.is_zero()))
            .count()
    };
    assert_eq!(count(&[]), 0);
    assert!(count(&[("grace = \"2s\"", "grace = \"2s\"\nreduce_only = true")]) > 0);
}

/// Recorded rates are in force from the step in which the rule set them.
#[test]
fn a_track_knows_the_rates_of_every_step() {
    let run = recorded(&fall(&[VOLATILE]), Mode::Run);
    let track = &run.tracks[0];
    let rates = track.maintenance();
    for (step, row) in run.series.market(0).iter().enumerate() {
        let schedule: &Schedule = track.schedule(step as u32).unwrap();
        assert_eq!(schedule.brackets()[0].maintenance, row.maintenance);
        assert_eq!(rates[step], row.maintenance.as_f64());
        assert_eq!(track.marks[step], row.mark);
    }
}

#[test]
fn markets_have_thresholds_of_their_own_for_isolated_accounts() {
    let calls = |changes: &[(&str, &str)]| {
        let run = recorded(&fall(changes), Mode::Run);
        let of = |market: Option<usize>| {
            let found = run.events.iter().filter(|e| e.kind == EventKind::Called);
            found
                .filter(|e| e.market.map(|m| m.index()) == market)
                .map(|e| e.step)
                .min()
        };
        (of(Some(1)), of(None))
    };
    let common = calls(&[]);
    let own = calls(&[(
        "grace = \"2s\"",
        "grace = \"2s\"\nmarket.ETH = { warn = 0.4, call = 0.45 }",
    )]);
    assert!(own.0 < common.0, "{own:?} {common:?}");
    // A cross account is asked as everywhere, whatever it holds: no earlier than the first isolated one.
    assert!(own.1 > own.0, "{own:?}");
    let wrong = FALL.replace(
        "grace = \"2s\"",
        "grace = \"2s\"\nmarket.ETH = { call = 0.7 }",
    );
    let problems = Scenario::parse(wrong).unwrap_err().to_string();
    assert!(problems.contains("margin.market.ETH.warn"), "{problems}");
}
