//! Liquidation policies at work on the engine, through scenarios: closed forms, mechanics of venues, and every policy
//! by its name on a shortened crash.
//!
//! # Reference
//!
//! After a share φ is closed at the trigger `p` the next trigger is `p · (1 − m / (1 − φ)) / (1 − m)`. Books that recover
//! between checks and checks that come late are in `deleverage verify`.

use crate::support::{deleverage, run_with as run};
use deleverage::engine::{Event, EventKind};
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Document;
use deleverage::unit::{Cash, Lots};
use std::fmt::Write as _;
use std::path::Path;

fn of(finished: &Finished, kind: EventKind) -> Vec<Event> {
    let events = finished.run.events.iter();
    events.filter(|event| event.kind == kind).copied().collect()
}

/// Quantities traded by force, in order: + bought, − sold.
fn forced(finished: &Finished) -> Vec<i64> {
    let trades = of(finished, EventKind::ForcedTrade);
    trades.iter().map(|event| event.quantity.0).collect()
}

/// A book with so many lots on every tick that refill within a step, around an outside price of 1,000 ticks that falls
/// by a share and stays there; every mark is the index.
fn book(lots_per_tick: f64, fall: f64, length: u32, rest: &str) -> String {
    format!(
        "length = \"{length}s\"\n\
         [market.X]\ntick = 1\nlot = 1\nprice = 1000\npath.constant = {{}}\nmark.index = {{}}\n\
         venue.book = {{ depth.flat.lots_per_tick = {lots_per_tick}, resilience = \"1ms\" }}\n\
         anchor.permanent_share = 0\n\
         [[shock]]\nat = \"1s\"\nsize = -{fall}\n{rest}\n"
    )
}

const FIXED: &str = "[margin]\nbase.fixed = { maintenance = 0.05, initial = 0.05 }";
/// 1 % up to 100,000, 2 % up to 500,000, 5 % above.
const TIERED: &str = "[margin]\nbase.tiered.brackets = [\
     { cap = 100_000, maintenance = 0.01, initial = 0.01 },\
     { cap = 500_000, maintenance = 0.02, initial = 0.02 },\
     { maintenance = 0.05, initial = 0.05 }]";

fn policy(policy: &str) -> String {
    format!("[liquidation]\npolicy = {policy}\n")
}

// --- closed forms -----------------------------------------------------------------------------

#[test]
fn a_partial_close_moves_the_next_trigger_as_it_should() {
    // A target ratio r keeps the share r at the trigger.
    let (m, entry, steps) = (0.01, 1_000.0, 20_000);
    for target in [0.8, 0.5] {
        let text = format!(
            "length = \"{steps}s\"\nquantum = 0.000000001\n\
             [market.X]\ntick = 0.001\nlot = 0.000001\nprice = {entry}\npath.constant = {{}}\nmark.index = {{}}\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"never\" }}\n\
             [margin]\nbase.fixed = {{ maintenance = {m}, initial = {m} }}\n\
             [[shock]]\nat = \"1s\"\nsize = -0.3\nduration = \"{}s\"\n{}",
            steps - 1,
            policy(&format!("{{ partial = {{ target = {target} }} }}"))
        );
        let finished = run(&text, Some("a,X,100,1000,10000,isolated\n"));
        let marks = finished.run.series.market(0);
        let begun = of(&finished, EventKind::LiquidationBegan);
        assert!(begun.len() > 3);
        let mut expected = entry * (1.0 - 0.1) / (1.0 - m);
        let step = 3e-5 * entry;
        for (k, event) in begun.iter().take(4).enumerate() {
            let found = marks[event.step as usize].mark.as_f64() * 0.001;
            assert!(
                (found - expected).abs() < (k + 1) as f64 * step,
                "trigger {k}, target {target}: {found}, expected {expected}"
            );
            expected *= (1.0 - m / target) / (1.0 - m);
        }
        // Each close keeps the target's share of what was held.
        let closed = forced(&finished);
        let mut held = 100e6;
        for quantity in closed.iter().take(3) {
            let share = 1.0 + *quantity as f64 / held;
            assert!((share - target).abs() < 0.01 * target, "{share}");
            held += *quantity as f64;
        }
    }
}

// --- isolated and cross -----------------------------------------------------------------------

/// Two markets at 100 without impact that drift apart or together.
fn pair(shocks: &str) -> String {
    let mut text = "length = \"2000s\"\nmarkets = [\"A\", \"B\"]\n".to_owned();
    for name in ["A", "B"] {
        let _ = write!(
            text,
            "[market.{name}]\ntick = 0.001\nlot = 0.001\nprice = 100\npath.constant = {{}}\nmark.index = {{}}\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"never\" }}\n"
        );
    }
    format!("{text}[margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n{shocks}")
}

fn drift(market: &str, size: f64) -> String {
    format!("[[shock]]\nmarket = \"{market}\"\nat = \"1s\"\nsize = {size}\nduration = \"1999s\"\n")
}

/// The mark of a market when an account's liquidation began, if it did.
fn liquidated_at(finished: &Finished, account: &str, market: usize) -> Option<f64> {
    let names = &finished.opening.names;
    let (id, _) = names.iter().find(|(_, name)| name == account).unwrap();
    let begun = of(finished, EventKind::LiquidationBegan);
    let event = begun.iter().find(|event| event.account == Some(*id))?;
    Some(
        finished.run.series.market(market)[event.step as usize]
            .mark
            .as_f64()
            * 0.001,
    )
}

#[test]
fn legs_that_hedge_each_other_are_liquidated_apart_when_isolated_and_only_on_the_basis_when_cross()
{
    let rows = "longA,A,1,100,10,isolated\nshortB,B,-1,100,10,isolated\n\
                both,A,1,100,20,cross\nboth,B,-1,100,0,cross\n";
    let near = |found: Option<f64>, expected: f64| {
        let found = found.unwrap_or_else(|| panic!("not liquidated, expected at {expected}"));
        assert!(
            (found - expected).abs() < 0.06,
            "{found}, expected {expected}"
        );
    };
    // Together up to twice the price: 0.1·p reaches the equity of 20 only there.
    let up = run(&pair(&(drift("A", 0.99) + &drift("B", 0.99))), Some(rows));
    near(liquidated_at(&up, "shortB", 1), 104.761_9);
    assert_eq!(liquidated_at(&up, "longA", 0), None);
    assert_eq!(liquidated_at(&up, "both", 0), None);
    let further = run(&pair(&(drift("A", 1.1) + &drift("B", 1.1))), Some(rows));
    near(liquidated_at(&further, "both", 0), 200.0);
    // Apart: 20 − x = 0.05·(200 − x).
    let apart = run(&pair(&drift("A", -0.2)), Some(rows));
    near(liquidated_at(&apart, "longA", 0), 94.736_8);
    near(liquidated_at(&apart, "both", 0), 100.0 - 10.526_316);
}

/// An owner has a long of its own margin and, cross, nothing but money: at the call margin is moved over, and the long
/// survives a fall that would have liquidated it.
#[test]
fn margin_is_moved_from_a_cross_account_to_an_isolated_one_of_the_same_owner() {
    let rows = "a,X,10,1000,1000,isolated\na,Y,1,1000,3000,cross\nb,X,10,1000,1000,isolated\n";
    let text = |response: &str| {
        format!(
            "length = \"60s\"\n{response}\n\
             [market.X]\ntick = 1\nlot = 1\npath.waypoints = {{ volatility = 0, points = [[\"0s\", 1000], [\"50s\", 880]] }}\nmark.index = {{}}\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
             [market.Y]\ntick = 1\nlot = 1\nprice = 1000\npath.constant = {{}}\nmark.index = {{}}\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
             [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.1 }}\n"
        )
    };
    let begun = |finished: &Finished| of(finished, EventKind::LiquidationBegan).len();
    let left = run(&text(""), Some(rows));
    assert_eq!(begun(&left), 2);
    let moved = run(
        &text("positions_response.move_margin = { probability = 1, delay = \"0s\" }"),
        Some(rows),
    );
    // b has no cross account to move anything from.
    assert_eq!(begun(&moved), 1);
    let events = of(&moved, EventKind::MarginMoved);
    assert!(!events.is_empty());
    let sum: i64 = events.iter().map(|event| event.amount.0).sum();
    // Of the 3,000 the cross position's initial margin of 100 is not free.
    assert!(sum <= 2_900_000_000, "{sum}");
    assert_eq!(
        moved.summary.value("margin_moved", None),
        Some(sum as f64 / 1e6)
    );
    assert_eq!(moved.summary.value("topped_up", None), Some(0.0));
    let asked = text(
        "[cohort.c]\ncount = 1\ncapital = 1\nresponse.move_margin = { probability = 1, delay = \"0s\" }",
    );
    let said = deleverage::scenario::Scenario::parse(asked)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("needs owners with isolated and cross accounts"),
        "{said}"
    );
}

#[test]
fn isolated_mode_liquidates_as_cross_mode_does() {
    // An engine that was shipped elsewhere switched liquidation off for isolated accounts.
    let rows = "one,A,1,100,10,isolated\nother,A,1,100,10,cross\n";
    let fall = run(&pair(&drift("A", -0.2)), Some(rows));
    let at = liquidated_at(&fall, "one", 0);
    assert!(at.is_some());
    assert_eq!(at, liquidated_at(&fall, "other", 0));
    assert_eq!(forced(&fall), [-1_000, -1_000]);
}

// --- mechanics --------------------------------------------------------------------------------

#[test]
fn brackets_are_stepped_down_and_the_rest_is_kept() {
    // 1,000 lots at 1,000 with 40,000: 5 % of 990,000 less 16,000 is more than the 30,000 that are left after 1 %.
    let rows = "a,X,1000,1000,40000,isolated\n";
    let closed = |settings: &str| {
        let text = book(
            10_000.0,
            0.01,
            4,
            &format!("{TIERED}\n{}", policy(settings)),
        );
        forced(&run(&text, Some(rows)))
    };
    // One bracket: 500,000 at 990 are 505 lots; at 2 % that asks 9,000 of 30,000.
    assert_eq!(closed("{ step_down = {} }"), [-495]);
    // Two brackets: 100,000 are 101 lots.
    assert_eq!(closed("{ step_down = { tiers = 2 } }"), [-899]);
    // Three there are not: taken over.
    assert_eq!(closed("{ step_down = { tiers = 3 } }"), [-1_000]);
    // Only as much as is needed: 5 % of N less 16,000 is 30,000 at 920,000, and 0.05·q·990 ≤ 46,000 at 929 lots.
    // and a little more where the trade itself cost a tick.
    assert_eq!(closed("{ partial = { target = 1 } }"), [-71, -2]);
}

#[test]
fn a_step_that_cannot_fill_whole_is_killed_and_the_position_taken_over() {
    // 495 lots would be the step, the book has 10 a tick: limited at the bankruptcy price of 960 some 300 trade.
    let rows = "a,X,1000,1000,40000,isolated\n";
    let closed = |settings: &str| {
        let text = book(10.0, 0.01, 3, &format!("{TIERED}\n{}", policy(settings)));
        forced(&run(&text, Some(rows)))
    };
    let immediate = closed("{ step_down = {} }");
    assert!(immediate[0] > -495 && immediate[0] < -200, "{immediate:?}");
    // Killed in its step; in the next one all that the limit allows is taken over.
    let killed = closed("{ step_down = { fill_or_kill = true } }");
    assert_eq!(killed.len(), 1);
    assert_eq!(killed[0], immediate[0]);
    let began = |settings: &str| {
        let text = book(10.0, 0.01, 3, &format!("{TIERED}\n{}", policy(settings)));
        of(&run(&text, Some(rows)), EventKind::ForcedTrade)[0].step
    };
    assert_eq!(
        began("{ step_down = {} }") + 1,
        began("{ step_down = { fill_or_kill = true } }")
    );
}

#[test]
fn a_ramp_trades_outside_the_book_at_the_index_less_a_fee() {
    // 60,000 − 30,000 of equity at 970: 5 % of 970,000 is missing 18,500, with the buffer of 2 % 37,900.
    let rows = "a,X,1000,1000,60000,isolated\n";
    let text = book(
        1.0,
        0.03,
        20,
        &format!("{FIXED}\n{}", policy("{ ramp = {} }")),
    );
    let finished = run(&text, Some(rows));
    let trades = of(&finished, EventKind::ForcedTrade);
    assert!(trades.len() > 3);
    for trade in &trades {
        // 970 · 0.99 = 960.3, rounded in the liquidators' favour.
        assert_eq!(trade.price.0, 960);
    }
    // 37,900 · 0.1 over 970 · (0.07 − 0.01) a lot.
    assert_eq!(trades[0].quantity, Lots(-66));
    // It stops where the requirement is met, and the book has seen nothing of it.
    assert_eq!(of(&finished, EventKind::LiquidationEnded).len(), 1);
    assert_eq!(finished.run.series.market(0).last().unwrap().mid, 970.0);
    assert_eq!(finished.summary.value("bad_debt", None), Some(0.0));
}

#[test]
fn the_fund_gets_at_most_the_surplus_over_the_zero_price() {
    // 100 lots, an equity of 3,000 at 970: zero at 940. All sells within a tick or two of 970.
    let rows = "a,X,100,1000,6000,isolated\n";
    let settle = |rate: &str| {
        let text = book(1_000.0, 0.03, 3, &format!("{FIXED}\n{}", policy(rate)));
        let finished = run(&text, Some(rows));
        assert_eq!(forced(&finished), [-100]);
        let fees: Cash = of(&finished, EventKind::FundReceived)
            .iter()
            .map(|e| e.amount)
            .sum();
        let value = of(&finished, EventKind::ForcedTrade)[0].amount;
        (fees, value)
    };
    // 1 % of the value is less than the surplus.
    let (fee, value) = settle("{ zero_price = {} }");
    assert_eq!(fee.0, value.0 / 100);
    // 10 % would be more: the surplus is what the fill is better than 940.
    let (fee, value) = settle("{ zero_price = { surplus_fee = 0.1 } }");
    assert_eq!(fee.0, value.0 - 94_000_000_000);
}

#[test]
fn caps_and_rounds_take_their_time() {
    let rows = "a,X,1000,1000,60000,isolated\n";
    let closed = |settings: &str| {
        let text = book(10_000.0, 0.03, 6, &format!("{FIXED}\n{}", policy(settings)));
        forced(&run(&text, Some(rows)))
    };
    // A tenth of what is held a block, until 30,000 pay for 5 %: 618 lots.
    assert_eq!(closed("{ capped = {} }"), [-100, -90, -81, -73, -66]);
    // 20 rounds of 2,000 a second are 41 lots.
    assert_eq!(closed("{ incremental = {} }"), [-41; 6]);
    // Large rounds stop where the requirement is met: 30,000 pay for 618 lots, but for what the trade cost.
    let large = closed("{ incremental = { notional = 1_000_000 } }");
    assert_eq!(large, [-382, -8]);
}

// --- every policy by its name -----------------------------------------------------------------

pub const CRASH: [&str; 6] = [
    "length=52m",
    "cohort.retail.count=4000",
    "cohort.responsive.count=500",
    "cohort.whales.count=60",
    "cohort.hedgers.count=300",
    "cohort.traders.count=200",
];

#[test]
fn every_policy_runs_on_a_shortened_october() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/october-2025.toml");
    for policy in [
        "market_close",
        "bankruptcy_limit",
        "{ slices = { fraction = 0.2, above = 100_000, cooldown = \"30s\" } }",
        "partial",
        "{ partial = { target = 0.5 } }",
        "step_down",
        "{ step_down = { tiers = 2, above_first = true } }",
        "{ step_down = { fill_or_kill = true } }",
        "capped",
        "{ capped = { fraction = 0.5, attempts = 10 } }",
        "ramp",
        "{ ramp = { duration = \"1m\", fee = 0.005 } }",
        "zero_price",
        "{ zero_price = { surplus_fee = 0 } }",
        "incremental",
        "{ incremental = { rounds_per_second = 1, notional = 50_000, keep_hedges = true } }",
        "close_factor",
        "fixed_spread",
        "target_health",
        "absorb",
        "dutch_auction",
        "{ dutch_auction = { step = \"2s\", tip = 0, dust = 0 } }",
        "english_auction",
        "{ english_auction = { bid_life = \"20s\" } }",
        "portfolio_auction",
    ] {
        let mut document = Document::open(&file).unwrap();
        for patch in CRASH {
            document.patch(patch);
        }
        document.patch(&format!("liquidation.policy={policy}"));
        let mut scenario = document
            .read()
            .unwrap_or_else(|problems| panic!("{policy}: {problems}"));
        scenario.expect.clear();
        let finished = Run::new(&scenario).finish().unwrap();
        let value = |name| finished.summary.value(name, None).unwrap();
        assert_eq!(value("conservation"), 0.0, "{policy}");
        assert!(value("liquidations") > 100.0, "{policy}");
        let auctions = finished.summary.value("auctions", None);
        let sold = !forced(&finished).is_empty();
        assert!(
            sold || auctions.is_some_and(|begun| begun > 100.0),
            "{policy}"
        );
    }
}

#[test]
fn the_command_takes_a_policy_by_name_or_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), crate::support::FALL).unwrap();
    for (out, policy) in [
        ("name", "step_down"),
        ("table", "{ step_down = { tiers = 1 } }"),
    ] {
        deleverage()
            .current_dir(&folder)
            .args(["run", "fall.toml", "--quiet", "--out", out])
            .args(["--set", &format!("liquidation.policy={policy}")])
            .assert()
            .success();
    }
    let events = |out: &str| std::fs::read(folder.path().join(out).join("events.parquet")).unwrap();
    assert_eq!(events("name"), events("table"));
    let wrong = "liquidation.policy={ step_down = { tiers = 0 } }";
    deleverage()
        .current_dir(&folder)
        .args(["check", "fall.toml", "--set", wrong])
        .assert()
        .code(2)
        .stderr(predicates::str::contains(
            "liquidation.policy.step_down.tiers",
        ));
}
