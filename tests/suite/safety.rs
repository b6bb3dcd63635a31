//! Fail-safes and faults through scenarios: what each prevents, what it only puts off, and what breaks without it.

use deleverage::engine::EventKind;
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;
use std::fmt::Write as _;

fn run(text: &str) -> Finished {
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    Run::new(&scenario).audit_every_step(true).finish().unwrap()
}

fn count(finished: &Finished, kind: EventKind) -> usize {
    let events = &finished.run.events;
    events.iter().filter(|event| event.kind == kind).count()
}

fn metric(finished: &Finished, name: &str) -> f64 {
    finished
        .summary
        .value(name, None)
        .unwrap_or_else(|| panic!("{name} has no value"))
}

/// A market whose mark is the index, and leveraged longs; what else there is comes after it.
fn market(rest: &str) -> String {
    format!(
        "length = \"5m\"\nseed = 3\n\
         [market.X]\ntick = 0.1\nlot = 0.001\nprice = 10_000\npath.constant = {{}}\nmark.index = {{}}\n\
         venue.book = {{ spread_bps = 1, depth.flat.lots_per_tick = 50, resilience = \"20s\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.02, initial = 0.04 }}\n\
         [cohort.longs]\ncount = 500\ncapital = 1_000\nleverage = {{ uniform = {{ min = 3, max = 20 }} }}\nlong_share = 1.0\n\
         {rest}"
    )
}

const FALSE_PRINT: &str = "[[fault]]\nkind.oracle_print.error = -0.3\nat = \"1m\"\n";
const GUARD: &str = "[safety]\noracle_guard = { deviation = 0.1, confirmations = 3 }\n";

#[test]
fn a_false_print_liquidates_nobody_behind_the_guard_and_many_without() {
    let bare = run(&market(FALSE_PRINT));
    let (liquidations, accounts) = (metric(&bare, "liquidations"), 500.0);
    assert!(
        liquidations > 0.5 * accounts,
        "{liquidations} of {accounts}"
    );
    assert_eq!(count(&bare, EventKind::PrintRejected), 0);
    let guarded = run(&market(&format!("{FALSE_PRINT}{GUARD}")));
    assert_eq!(metric(&guarded, "liquidations"), 0.0);
    assert_eq!(metric(&guarded, "prints_rejected"), 1.0);
    // The guard lets a fall through that is there to stay.
    let fall = "[[shock]]\nat = \"1m\"\nsize = -0.3\n";
    let real = run(&market(&format!("{fall}{GUARD}")));
    assert!(metric(&real, "liquidations") > 0.5 * accounts);
    assert_eq!(metric(&real, "prints_rejected"), 2.0);
}

#[test]
fn the_run_beside_it_tells_what_a_guard_prevented() {
    let text = market(&format!("{FALSE_PRINT}{GUARD}"));
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let finished = Run::new(&scenario).twin(true).finish().unwrap();
    let bare = run(&market(FALSE_PRINT));
    let spared = metric(&bare, "liquidated_accounts") * 500.0;
    assert!((metric(&finished, "guards_prevented_liquidated_accounts") - spared).abs() < 1e-9);
    assert_eq!(
        metric(&finished, "guards_prevented_notional"),
        metric(&bare, "liquidated_notional_total")
    );
}

/// A book of so many lots on every tick that never refills, and a long on each tick below the start.
fn lattice(permanent_share: f64, rest: &str) -> Finished {
    let mut rows = String::from(
        "account,market,qty,entry_price,collateral,mode\nsale,X,2048,10000,0,isolated\n",
    );
    for level in 1..=200i64 {
        let thousandths = 16 * (10_000 * 1_000 - 950 * (10_000 - level) - 475);
        let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
        let _ = writeln!(rows, "t{level},X,16,10000,{whole}.{part:03},isolated");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("positions.csv");
    std::fs::write(&file, rows).unwrap();
    run(&format!(
        "positions = {:?}\nlength = \"200s\"\n\
         [market.X]\ntick = 1\nlot = 1\nprice = 10_000\npath.constant = {{}}\nmark.last = {{}}\n\
         anchor.permanent_share = {permanent_share}\n\
         venue.book = {{ depth.flat.lots_per_tick = 32, resilience = \"never\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n{rest}",
        file.display().to_string()
    ))
}

const BREAKER: &str =
    "[safety.circuit_breaker]\nwindow = \"10s\"\nlevels = [{ size = 0.003, halt = \"20s\" }]\n";

#[test]
fn what_was_traded_before_a_halt_moves_the_outside_price() {
    let (plain, halted) = (lattice(0.5, ""), lattice(0.5, BREAKER));
    let after = |finished: &Finished, step: usize| finished.run.series.market(0)[step].anchor;
    // The first step's sale takes 64 ticks of bids and halts trade; half of what the mid lost stays, less a second's recovery.
    let mid = plain.run.series.market(0)[0].mid;
    let expected = 0.5 * (mid / 10_000.0).ln() * 0.5f64.powf(1.0 / 600.0);
    assert!(mid < 9_970.0, "{mid}");
    assert!(((after(&plain, 0) / 10_000.0).ln() - expected).abs() < 1e-9);
    assert_eq!(after(&halted, 0), after(&plain, 0));
    // In the halt outside capital undoes it, with a half-life of ten minutes.
    let [first, later] = [0, 10].map(|step| (after(&halted, step) / 10_000.0).ln());
    assert!((later / first - 0.5f64.powf(10.0 / 600.0)).abs() < 1e-9);
}

#[test]
fn a_halt_in_which_nothing_comes_back_only_moves_the_fall_to_later() {
    let plain = lattice(0.0, "");
    let halted = lattice(0.0, BREAKER);
    assert!(metric(&halted, "halts") >= 2.0);
    assert_eq!(
        metric(&halted, "halted_time"),
        20.0 * metric(&halted, "halts")
    );
    let end = |finished: &Finished| finished.run.series.market(0).last().unwrap().last;
    assert_eq!(end(&plain), end(&halted));
    assert_eq!(
        metric(&plain, "liquidated_notional_total"),
        metric(&halted, "liquidated_notional_total")
    );
    // Nothing is traded while it lasts.
    let rows = halted.run.series.market(0);
    let idle = rows
        .windows(2)
        .filter(|pair| pair[0].halted && pair[1].halted);
    assert!(idle.clone().count() > 30);
    assert!(idle.into_iter().all(|pair| pair[1].volume.0 == 0));
}

#[test]
fn a_halt_ends_with_an_auction_that_crosses() {
    let text = market(
        "[cohort.crowd]\ncount = 50\ncapital = 100_000\n\
         strategy.noise = { rate = 40_000, size = 0.5, limit_share = 0.3, lifetime = \"30s\" }\n\
         [[fault]]\nkind = \"venue_halted\"\nat = \"1m\"\nduration = \"1m\"\n",
    );
    let finished = run(&text);
    let reopened: Vec<_> = finished
        .run
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Reopened)
        .collect();
    assert_eq!(reopened.len(), 1);
    assert!(reopened[0].quantity.0 > 0 && reopened[0].price.0 > 0);
    let rows = finished.run.series.market(0);
    assert!(
        rows[60..120]
            .iter()
            .all(|row| row.halted && row.volume.0 == 0)
    );
    assert!(rows[120].volume.0 >= reopened[0].quantity.0);
    assert_eq!(metric(&finished, "halted_time"), 60.0);
}

const FALL: &str = "[[shock]]\nat = \"30s\"\nsize = -0.15\nduration = \"1m\"\n";

#[test]
fn the_throttle_takes_no_more_than_its_share_of_the_depth() {
    let share = 0.05;
    let text = market(&format!(
        "{FALL}[safety]\nthrottle.share_of_depth = {share}\n"
    ));
    let finished = run(&text);
    assert!(count(&finished, EventKind::Throttled) > 10);
    let rows = finished.run.series.market(0);
    // A flat book without fleeing makers has at most so much within one per cent.
    let most = share * rows.iter().map(|row| row.bid_depth.0).max().unwrap() as f64;
    assert!(
        rows.iter()
            .all(|row| row.forced_sold.0 as f64 <= 1.02 * most)
    );
    assert!(metric(&finished, "liquidations") > 100.0);
}

#[test]
fn nothing_trades_beyond_the_collar() {
    let text = market(&format!(
        "{FALL}[safety]\ncollar = {{ width = 0.002, limit_state = \"5s\", pause = \"20s\" }}\n"
    ));
    let finished = run(&text);
    for event in &finished.run.events {
        if event.kind == EventKind::ForcedTrade {
            let index = finished.run.series.market(0)[event.step as usize].index;
            assert!(event.price.as_f64() >= (1.0 - 0.002) * index - 1.0);
        }
    }
    assert!(metric(&finished, "halts") >= 1.0);
}

#[test]
fn who_cannot_reach_the_venue_cannot_save_himself() {
    let trader =
        "response.top_up = { probability = 1, delay = \"5s\", reserve = 5.0, target = 0.5 }\n";
    let fall = "[[shock]]\nat = \"30s\"\nsize = -0.06\nduration = \"2m\"\n";
    let calm = market(&format!("{trader}{fall}"));
    let cut =
        format!("{calm}[[fault]]\nkind = \"traders_cut_off\"\nat = \"20s\"\nduration = \"3m\"\n");
    let (calm, cut) = (run(&calm), run(&cut));
    assert_eq!(count(&calm, EventKind::FaultBegan), 0);
    let topped_up = |finished: &Finished| metric(finished, "topped_up");
    assert!(topped_up(&cut) < 0.2 * topped_up(&calm));
    let (saved, lost) = (
        metric(&calm, "liquidated_accounts"),
        metric(&cut, "liquidated_accounts"),
    );
    assert!(lost > 1.1 * saved, "{lost} against {saved}");
}

#[test]
fn an_engine_that_stands_still_in_a_fall_leaves_bad_debt() {
    let fall = market(&format!(
        "{FALL}[liquidation]\ninsurance_fund = 1_000_000\n"
    ));
    let late = format!(
        "{fall}[[fault]]\nkind = \"liquidation_halted\"\nat = \"30s\"\nduration = \"90s\"\n"
    );
    let (on_time, late) = (run(&fall), run(&late));
    assert!(metric(&late, "bad_debt") > 2.0 * metric(&on_time, "bad_debt"));
    let began = |finished: &Finished| {
        let events = &finished.run.events;
        let mut begun = events
            .iter()
            .filter(|e| e.kind == EventKind::LiquidationBegan);
        begun.next().unwrap().step
    };
    assert!(began(&on_time) < 90 && began(&late) == 120);
}

#[test]
fn the_kill_switch_stops_everything() {
    let text = market(&format!(
        "{FALL}[liquidation]\ninsurance_fund = 2_000\n[safety]\nkill_switch.fund_lost = 0.5\n"
    ));
    let finished = run(&text);
    let at = metric(&finished, "killed_at");
    let rows = finished.run.series.market(0);
    assert!(
        rows[at as usize..]
            .iter()
            .all(|row| row.halted && row.volume.0 == 0)
    );
    assert!(rows[at as usize - 1].volume.0 > 0);
}

#[test]
fn the_cap_refuses_what_would_add_to_open_interest() {
    let crowd = "[cohort.crowd]\ncount = 50\ncapital = 100_000\n\
         strategy.noise = { rate = 40_000, size = 0.5 }\n";
    let free = run(&market(crowd));
    let capped = run(&market(&format!(
        "{crowd}[safety]\nopen_interest_cap.X = 1\n"
    )));
    let most = |finished: &Finished| {
        let rows = finished.run.series.market(0);
        rows.iter().map(|row| row.open_interest.0).max().unwrap()
    };
    let start = capped.run.frame.markets[0].open_interest.0;
    // One more than there is: whoever would add is refused.
    assert!(most(&free) > start && most(&capped) <= start);
    assert!(metric(&capped, "refused_orders") > metric(&free, "refused_orders"));
}

#[test]
fn settings_that_make_no_sense_are_told() {
    let text = market(
        "[safety]\nopen_interest_cap.Y = 3\nthrottle.share_of_depth = 0\n\
         circuit_breaker = { window = \"1m\", levels = [] }\n\
         [[fault]]\nkind = \"oracle_frozen\"\n",
    );
    let problems = Scenario::parse(text).unwrap_err().to_string();
    for expected in [
        "safety.open_interest_cap.Y",
        "safety.throttle.share_of_depth: must be greater than 0, found 0",
        "must name at least one level",
        "say when it begins (at), or how often a day (per_day)",
    ] {
        assert!(problems.contains(expected), "{expected} in {problems}");
    }
}
