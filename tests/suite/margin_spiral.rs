//! The margin spiral's shares in the summary, against its closed form (which `deleverage verify` checks itself): triggers spread evenly over
//! prices, a linear impact law that nothing undoes, and a maintenance rate that answers the fall.
//!
//! # Reference
//!
//! A fall of the outside price by D₀ becomes D₀ · A, `A = 1 / (1 − R (1 + χ / (1 − m)))`, to first order in
//! the fall: a rise of the rate by dm moves every trigger up by p / (1 − m) · dm. Self-sustained from
//! `χ* = (1 − m) (1 / R − 1)` on.

use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;
use std::fmt::Write as _;

const PRICE: f64 = 10_000.0;
const M: f64 = 0.05;
/// Share of the start price over which triggers are spread.
const RANGE: f64 = 0.01;
const ACCOUNTS: u32 = 10_000;
/// Base units that each of them holds.
const HELD: f64 = 1.0;

/// Longs whose triggers are evenly spread over the percent below the start, and a first fall of the outside
/// price by `shock` of it. One margin check a step: the rule sees what the checks before have done.
fn run(r: f64, chi: f64, shock: f64, steps: u32, twin: bool) -> Finished {
    let mut rows = String::from("account,market,qty,entry_price,collateral,mode\n");
    for k in 0..ACCOUNTS {
        // At the trigger t: C + q (t − p) = m q t.
        let trigger = PRICE * (1.0 - RANGE * (f64::from(k) + 0.5) / f64::from(ACCOUNTS));
        let collateral = HELD * (PRICE - (1.0 - M) * trigger);
        let _ = writeln!(rows, "t{k},X,{HELD},{PRICE},{collateral:.6},isolated");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("positions.csv");
    std::fs::write(&file, rows).unwrap();
    // R = κ g, with g accounts' quantity over the prices that trigger them.
    let (tick, lot) = (1e-4, 1e-2);
    let lots_per_tick = f64::from(ACCOUNTS) * HELD / lot / (RANGE * PRICE / tick);
    let text = format!(
        "positions = {:?}\nlength = \"{steps}s\"\nrounds = {{ fixed = 1 }}\n\
         [market.X]\ntick = {tick}\nlot = {lot}\nprice = {PRICE}\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = {:e}, resilience = \"never\" }}\n\
         [margin]\nwarn = 1.0\ncall = 1.0\nbase.fixed = {{ maintenance = {M}, initial = {M} }}\n\
         [[margin.adjust]]\ndrawdown = {{ responsiveness = {chi} }}\n\
         [[shock]]\nat = \"2s\"\nsize = {}\n",
        file.display().to_string(),
        r / lots_per_tick,
        -shock
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    Run::new(&scenario).twin(twin).finish().unwrap()
}

/// With A = 1 / (1 − R (1 + χ / (1 − m))) of the whole fall, 1 / (1 − R) of it with frozen rates, and 1 without impact.
#[test]
fn the_spiral_share_of_the_summary_is_that_of_the_closed_form() {
    let finished = run(0.404255, 0.25, 1e-3, 120, true);
    for (name, expected) in [
        ("endogenous_share", 1.0 - 1.0 / 2.043478),
        ("spiral_share", 1.0 - 1.678571 / 2.043478),
        ("loss_spiral_share", (1.678571 - 1.0) / 2.043478),
    ] {
        let found = finished.summary.value(name, Some("X")).unwrap();
        assert!(
            (found / expected - 1.0).abs() < 0.02,
            "{name}: {found}, expected {expected}"
        );
    }
}
