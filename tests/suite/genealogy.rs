//! Why liquidations happened: branching ratios that are known, identities in random worlds, and attribution against intervention.

use crate::support::{FALL, run_with};
use crate::worlds::{Wish, world};
use deleverage::cascade::{Genealogy, Outer, WHOLE, tail};
use deleverage::engine::{Event, Observer, StepRow, World};
use deleverage::experiment::{self, Finished, Run};
use deleverage::math::{Draws, Purpose};
use deleverage::measure::{Frame, Recorded, Recorder};
use deleverage::scenario::Scenario;
use deleverage::unit::{MarketId, Side};
use proptest::prelude::*;
use std::fmt::Write as _;

fn genealogy(finished: &Finished) -> &Genealogy {
    finished.genealogy.as_ref().unwrap()
}

// --- cascades with a known R --------------------------------------------------------------------

const START: i64 = 10_000;

/// A row of a positions file: a long of so many lots whose equity meets 5 % half a tick above a level.
fn trigger(rows: &mut String, name: &str, lots: i64, half_ticks: i64) {
    // C = g · (entry − (1 − m) · price), in thousandths; the price in half ticks.
    let thousandths = lots * (START * 1_000 - 475 * half_ticks);
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    let _ = writeln!(rows, "{name},X,{lots},{START},{whole}.{part:03},isolated");
}

#[test]
fn on_the_lattice_the_branching_ratio_is_r() {
    for (q, g, first, levels) in [(10, 5, 20, 300), (10, 9, 20, 1_500), (16, 4, 320, 300)] {
        let text = format!(
            "length = \"1s\"\nrounds = {{ until_quiet = {{ limit = 10_000 }} }}\n\
             [market.X]\ntick = 1\nlot = 1\nprice = {START}\npath.constant = {{}}\nmark.last = {{}}\n\
             venue.book = {{ depth.flat.lots_per_tick = {q}, resilience = \"never\" }}\n\
             [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n"
        );
        let mut rows = String::new();
        for k in 0..first {
            let _ = writeln!(rows, "sale{k},X,{g},{START},0,isolated");
        }
        for level in 1..=levels {
            trigger(&mut rows, &format!("t{level}"), g, 2 * (START - level) + 1);
        }
        let finished = run_with(&text, Some(&rows));
        let r = g as f64 / q as f64;
        let found = finished.summary.value("branching_ratio", None).unwrap();
        assert!(
            (found / r - 1.0).abs() < 0.01,
            "(q, g) = ({q}, {g}): {found}"
        );
        // What was sold from the beginning is its own doing, and everything after it others'.
        let own = finished.summary.value("cause_own", None).unwrap();
        assert!((own + found - 1.0).abs() < 1e-9, "{own} {found}");
        assert_eq!(
            finished
                .summary
                .value("loss_spiral_notional", None)
                .map(|s| (s - r).abs() < 0.01),
            Some(true)
        );
    }
}

/// Longs of equal size at triggers that are a Poisson process in price, a linear law, and a shock that reaches one
/// of them on average.
fn poisson(run: u32, r: f64) -> Finished {
    const RATE: f64 = 0.001;
    let draws = Draws::new(11, 0);
    let mut stream = draws.stream(Purpose::Custom, run, 0);
    let mut rows = String::new();
    let mut depth = 0.0;
    for k in 0..400 {
        depth += stream.exponential() / RATE;
        if depth > 150_000.0 {
            break;
        }
        // In ticks of a hundredth: C = 100 · (entry − 0.95 · price), where the price is a trigger.
        let price = 10_000.0 - depth / 100.0;
        let _ = writeln!(
            rows,
            "t{k},X,100,10000,{:.6},isolated",
            100.0 * (10_000.0 - 0.95 * price)
        );
    }
    let text = format!(
        "seed = {run}\nlength = \"2s\"\nrounds = {{ until_quiet = {{ limit = 10_000 }} }}\n\
         [market.X]\ntick = 0.01\nlot = 1\nprice = 10_000\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = {:e}, resilience = \"never\" }}\n\
         [margin]\nwarn = 1.0\ncall = 1.0\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n\
         [[shock]]\nat = \"1s\"\nsize = -0.001\n",
        r / RATE / 100.0
    );
    run_with(&text, Some(&rows))
}

#[test]
fn poisson_triggers_have_borel_and_tanners_law_and_their_trees_borels() {
    let mut counts = Vec::new();
    let mut sizes = Vec::new();
    let mut births = 0.0;
    for run in 0..1_200 {
        let finished = poisson(run, 0.5);
        let found = genealogy(&finished);
        counts.push(found.len() as u32);
        sizes.extend(found.trees.iter().map(|tree| tree.size));
        births += found
            .liquidations()
            .map(|node| f64::from(node.shares.forced()) / f64::from(WHOLE))
            .sum::<f64>();
    }
    let all: u32 = counts.iter().sum();
    assert!(
        (births / f64::from(all) - 0.5).abs() < 0.03,
        "{births} of {all}"
    );
    let right = tail::test_borel_tanner(&counts, 1.0, 0.5).unwrap();
    assert!(right.p > 0.01, "{right:?}");
    for wrong in [0.35, 0.65] {
        let wrong = tail::test_borel_tanner(&counts, 1.0, wrong).unwrap();
        assert!(wrong.p < 0.01, "{wrong:?}");
    }
    let (r, trees) = tail::test_borel(&sizes).unwrap();
    assert!((r - 0.5).abs() < 0.05 && trees.p > 0.01, "{r} {trees:?}");
}

// --- identities ---------------------------------------------------------------------------------

/// A random world's run, traced.
fn traced(seed: u64) -> Recorded {
    let setup = world(seed, Wish::default());
    let mut recorder = Recorder::new(Frame::of(&setup), 1);
    let mut world = World::new(setup);
    world.trace_causes();
    world.run(&mut recorder, |_| true).unwrap();
    recorder.finish(0)
}

#[derive(Default, PartialEq, Debug)]
struct Seen {
    rows: Vec<String>,
    events: Vec<Event>,
}

impl Observer for Seen {
    fn step(&mut self, row: &StepRow<'_>) {
        self.rows.push(format!("{:?} {:?}", row.markets, row.world));
    }
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_sum_to_one_and_the_graph_has_the_ledgers_forced_volume(seed in any::<u64>()) {
        let recorded = traced(seed);
        let found = Genealogy::of(&recorded).unwrap();
        prop_assert_eq!(found.len() as u32, recorded.tally.world.liquidations);
        let mut sum = 0.0;
        for node in found.liquidations() {
            prop_assert_eq!(node.shares.sum(), u64::from(WHOLE));
            prop_assert!(node.shares.parents.iter().all(|parent| parent.0 < node.number));
            prop_assert!(node.crossed <= node.step);
            sum += f64::from(node.shares.forced()) / f64::from(WHOLE);
            sum += Outer::ALL.iter().map(|outer| node.shares.share(*outer)).sum::<f64>();
        }
        prop_assert!((sum - found.len() as f64).abs() < 1e-6);
        for (place, tally) in (0..).zip(&recorded.tally.markets) {
            let (lots, value) = found.forced(MarketId(place));
            prop_assert_eq!(lots, tally.forced[0] - tally.forced[1]);
            prop_assert_eq!(i128::from(value.0), tally.forced_value[0] + tally.forced_value[1]);
        }
        let size: u32 = found.trees.iter().map(|tree| tree.size).sum();
        prop_assert_eq!(size as usize, found.len());
    }

    #[test]
    fn a_traced_run_is_the_same_run(seed in any::<u64>()) {
        let mut seen = [Seen::default(), Seen::default()];
        for (trace, seen) in [false, true].into_iter().zip(&mut seen) {
            let mut world = World::new(world(seed, Wish::default()));
            if trace {
                world.trace_causes();
            }
            world.run(seen, |_| true).unwrap();
        }
        prop_assert_eq!(&seen[0], &seen[1]);
    }

    #[test]
    fn every_change_of_a_midpoint_has_one_cause(seed in any::<u64>()) {
        let setup = world(seed, Wish::default());
        let mut recorder = Recorder::new(Frame::of(&setup), 1);
        let mut world = World::new(setup);
        world.trace_causes();
        world.run(&mut recorder, |_| true).unwrap();
        let recorded = recorder.finish(0);
        let trace = recorded.trace.unwrap();
        for market in 0..trace.markets() {
            // A step's last midpoint is where the step's opening, or whoever came last after it, left it.
            let of = |market: usize| move |at: &&deleverage::engine::Opening| at.market.index() == market;
            let openings: Vec<_> = trace.openings.iter().filter(of(market)).collect();
            let rows = recorded.series.market(market);
            prop_assert_eq!(openings.len(), rows.len());
            for (at, opening) in openings.iter().enumerate() {
                let until = openings.get(at + 1).map_or(trace.impulses.len(), |next| next.after as usize);
                let mid = trace.impulses[opening.after as usize..until]
                    .iter()
                    .rfind(|impulse| impulse.market.index() == market)
                    .map_or(opening.mid, |impulse| impulse.mid);
                prop_assert_eq!(mid, rows[at].mid, "step {}", opening.step);
            }
        }
    }

    #[test]
    fn a_fork_goes_on_as_its_world(seed in any::<u64>(), at in 0u32..40) {
        let mut world = World::new(world(seed, Wish::default()));
        let mut before = Seen::default();
        while world.now() < at {
            world.step(&mut before).unwrap();
        }
        let mut fork = world.fork();
        let mut seen = [Seen::default(), Seen::default()];
        world.run(&mut seen[0], |_| true).unwrap();
        fork.run(&mut seen[1], |_| true).unwrap();
        prop_assert_eq!(&seen[0], &seen[1]);
    }
}

// --- causes that are known ----------------------------------------------------------------------

#[test]
fn without_impact_no_liquidation_has_another_for_a_cause() {
    let text = FALL
        .replace("anchor = { permanent_share = 0.5, half_life = \"1m\" }\n", "mark.index = {}\n")
        .replace("venue.impact = { law.square_root.ticks_per_sqrt_lot = 3.0, resilience = \"30s\" }", "venue.impact = { law.linear.ticks_per_lot = 0, resilience = \"30s\" }\nmark.index = {}");
    let finished = Run::new(&Scenario::parse(text).unwrap()).finish().unwrap();
    assert!(genealogy(&finished).len() > 100);
    assert_eq!(finished.summary.value("branching_ratio", None), Some(0.0));
    // Funding and owners' own trades aside, it was the outside price.
    let outside = finished.summary.value("cause_reference", None).unwrap();
    assert!(outside > 0.9, "{outside}");
}

#[test]
fn a_rule_that_moves_is_the_cause_where_no_price_does() {
    let text = "length = \"20s\"\n[market.X]\ntick = 1\nlot = 1\nprice = 10_000\npath.constant = {}\n\
         venue.impact = { law.linear.ticks_per_lot = 0, resilience = \"never\" }\nmark.index = {}\n\
         [margin]\nbase.fixed = { maintenance = 0.05, initial = 0.10 }\n\
         [[margin.adjust]]\nscheduled = { steps = [{ at = \"10s\", maintenance = 0.2, initial = 0.3 }] }\n";
    let finished = run_with(
        text,
        Some("a,X,10,10000,10000,isolated\nb,X,10,10000,90000,isolated\n"),
    );
    assert_eq!(genealogy(&finished).len(), 1);
    assert_eq!(finished.summary.value("cause_rule", None), Some(1.0));
    assert_eq!(
        finished.summary.value("margin_spiral_notional", None),
        Some(1.0)
    );
}

// --- the early warning ---------------------------------------------------------------------------

/// Longs of 40 lots on every tick from half a per cent below the price on, over a book of so many lots a tick; and a fall, or none.
fn crowded(lots_per_tick: i64, fall: bool) -> Finished {
    let mut text = format!(
        "length = \"60s\"\n[market.X]\ntick = 1\nlot = 1\nprice = 10_000\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.book = {{ depth.flat.lots_per_tick = {lots_per_tick}, resilience = \"never\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n[measure]\ncall_horizon = \"10s\"\n"
    );
    if fall {
        text += "[[shock]]\nat = \"20s\"\nsize = -0.006\nduration = \"1s\"\n";
    }
    let mut rows = String::new();
    for level in 50..400 {
        trigger(&mut rows, &format!("t{level}"), 40, 2 * (START - level) + 1);
    }
    run_with(&text, Some(&rows))
}

#[test]
fn a_warning_is_a_hit_before_a_crash_and_a_false_alarm_on_a_calm_day() {
    let told = |finished: &Finished, name: &str| finished.summary.value(name, Some("X"));
    // R = 51 triggers of 40 lots over 100 ticks of 10: nothing more is needed than that the price falls a little.
    let crash = crowded(10, true);
    assert!(told(&crash, "cascades") > Some(0.0));
    assert_eq!(told(&crash, "cascades_warned"), Some(1.0));
    assert_eq!(told(&crash, "false_alarms"), Some(0.0));
    let lead = told(&crash, "early_warning_lead").unwrap();
    assert!((15.0..=25.0).contains(&lead), "{lead}");
    // The same crowd, and the price doesn't fall.
    let calm = crowded(10, false);
    assert_eq!(told(&calm, "early_warnings"), Some(1.0));
    assert_eq!(told(&calm, "false_alarms"), Some(1.0));
    assert_eq!(told(&calm, "cascades"), Some(0.0));
    assert_eq!(told(&calm, "cascades_warned"), None);
    // A book that bears it: no warning, on either day.
    for fall in [false, true] {
        let deep = crowded(100, fall);
        assert_eq!(told(&deep, "early_warnings"), Some(0.0));
        assert_eq!(told(&deep, "false_alarms"), None);
    }
}

// --- attribution against intervention -----------------------------------------------------------

#[test]
fn attribution_agrees_with_intervention_where_one_thing_leads_to_another() {
    // Sales of different sizes, far apart in time, into triggers of constant density: each brings about R / (1 − R) of itself.
    let mut text = String::from(
        "length = \"60s\"\nrounds = { until_quiet = { limit = 10_000 } }\n\
         [market.X]\ntick = 1\nlot = 1\nprice = 10_000\npath.constant = {}\nmark.last = {}\n\
         venue.book = { depth.flat.lots_per_tick = 10, resilience = \"never\" }\n\
         [margin]\nbase.fixed = { maintenance = 0.05, initial = 0.05 }\n",
    );
    let _ = write!(
        text,
        "[[shock]]\nat = \"1s\"\nsize = -0.0001\nduration = \"50s\"\n"
    );
    let mut rows = String::new();
    for (k, size) in [40, 160, 20, 90].into_iter().enumerate() {
        let _ = writeln!(rows, "sale{k},X,{size},{START},0,isolated");
    }
    for level in 1..=300 {
        trigger(&mut rows, &format!("t{level}"), 5, 2 * (START - level) + 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("positions.csv");
    std::fs::write(
        &file,
        format!("account,market,qty,entry_price,collateral,mode\n{rows}"),
    )
    .unwrap();
    let scenario = Scenario::parse(format!(
        "positions = {:?}\n{text}",
        file.display().to_string()
    ))
    .unwrap();
    let finished = Run::new(&scenario).finish().unwrap();
    let found = experiment::intervene(
        &scenario,
        &finished.run,
        genealogy(&finished),
        4,
        experiment::intervene::HORIZON,
    )
    .unwrap();
    let agreement = experiment::agreement(&found).unwrap();
    assert_eq!(found[0].liquidation.quantity.0, 160);
    assert_eq!(found[0].liquidation.side, Side::Sell);
    assert_eq!(agreement.rank, Some(1.0));
    // 160 lots in a book of ten a tick, with five triggers a tick: 160 more. To some tick's worth.
    let lots = found[0].effect / 1e6 / START as f64;
    assert!((lots / 160.0 - 1.0).abs() < 0.1, "{lots}");
    assert!(agreement.relative.unwrap() < 0.1, "{agreement:?}");
}
