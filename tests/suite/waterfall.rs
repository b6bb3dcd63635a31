//! The waterfall at work on the engine, on cases worked out by hand; and bugs that other engines shipped.
//!
//! # Reference
//!
//! Deficits dropped across accounts and winners paid into positions about to be erased: FLOX-Foundation/flox, pull requests
//! 312 and 462; oversized partial closes: aeyakovenko/percolator, pull request 92.

use crate::support::run_with as run;
use deleverage::engine::{Event, EventKind};
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Document;
use deleverage::unit::Cash;
use std::path::Path;

/// One market at 1,000 without impact whose index falls by a share after a second; quanta are a millionth.
fn market(fall: f64, length: u32, liquidation: &str) -> String {
    format!(
        "length = \"{length}s\"\n\
         [market.X]\ntick = 1\nlot = 1\nprice = 1000\npath.constant = {{}}\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"never\" }}\n\
         [[shock]]\nat = \"1s\"\nsize = -{fall}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.1 }}\n\
         [liquidation]\n{liquidation}\n"
    )
}

fn value(finished: &Finished, name: &str) -> f64 {
    finished.summary.value(name, None).unwrap()
}

fn of(finished: &Finished, kind: EventKind) -> Vec<Event> {
    let events = finished.run.events.iter();
    events.filter(|event| event.kind == kind).copied().collect()
}

/// Who of the positions file an event is about.
fn names(finished: &Finished, kind: EventKind) -> Vec<String> {
    let name = |event: &Event| {
        let names = finished.opening.names.iter();
        names
            .clone()
            .find(|(id, _)| Some(*id) == event.account)
            .map(|(_, name)| name.clone())
    };
    of(finished, kind).iter().filter_map(name).collect()
}

/// Every part of the bad debt adds up to it.
fn adds_up(finished: &Finished) {
    let parts: f64 = [
        "fund_paid",
        "backstop_paid",
        "adl_deficit",
        "socialised",
        "uncovered",
    ]
    .iter()
    .map(|part| value(finished, part))
    .sum();
    assert!((parts - value(finished, "bad_debt")).abs() < 1e-3);
    assert_eq!(value(finished, "conservation"), 0.0);
}

// A long of 100 lots with 5,000 falls by a tenth: 10,000 lost, 5,000 owed.
const LONG: &str = "long,X,100,1000,5000,isolated\n";

#[test]
fn deleveraging_closes_at_the_price_that_is_asked_for() {
    // A short of 100 lots has 10,000 of profit at 900.
    let rows = format!("{LONG}short,X,-100,1000,20000,isolated\n");
    let run = |price: &str| {
        let settings = format!("auto_deleveraging = true\nadl.price = \"{price}\"");
        run(&market(0.1, 4, &settings), Some(&rows))
    };
    // The long is closed at market in the step of its breach, before any deleveraging: a book without impact takes all.
    let filled = run("bankruptcy");
    assert_eq!(
        (value(&filled, "adl_count"), value(&filled, "uncovered")),
        (0.0, 5_000.0)
    );
    // With orders that arrive too late it is deleveraged first.
    let late = |price: &str| {
        let settings =
            format!("latency = \"9s\"\nauto_deleveraging = true\nadl.price = \"{price}\"");
        crate::support::run_with(&market(0.1, 4, &settings), Some(&rows))
    };
    let at = |finished: &Finished| of(finished, EventKind::AutoDeleveraged)[0].price.0;
    // 100 lots at 900 owe 5,000: nothing is owed at 950, and the short bears it.
    let bankruptcy = late("bankruptcy");
    assert_eq!(at(&bankruptcy), 950);
    assert_eq!(value(&bankruptcy, "adl_deficit"), 5_000.0);
    assert_eq!(value(&bankruptcy, "adl_cost"), 5_000.0);
    assert_eq!(value(&bankruptcy, "adl_overshoot"), 0.0);
    // At the mark the short loses nothing and the deficit stays.
    let mark = late("mark");
    assert_eq!(at(&mark), 900);
    assert_eq!(
        (value(&mark, "adl_cost"), value(&mark, "uncovered")),
        (0.0, 5_000.0)
    );
    // At the mark before the fall the short's profit is gone, twice what was needed.
    let previous = late("previous_mark");
    assert_eq!(at(&previous), 1_000);
    assert_eq!(value(&previous, "adl_cost"), 10_000.0);
    assert_eq!(value(&previous, "adl_overshoot"), 5_000.0);
    for finished in [bankruptcy, mark, previous] {
        adds_up(&finished);
    }
}

#[test]
fn deficits_of_every_account_are_paid_for_isolated_or_cross() {
    // Three that owe 5,000 each, one of them cross; the fund has 12,000.
    let rows = "a,X,100,1000,5000,isolated\nb,X,100,1000,5000,cross\nc,X,100,1000,5000,isolated\nd,X,-300,1000,90000,isolated\n";
    let finished = run(&market(0.1, 4, "insurance_fund = 12000"), Some(rows));
    assert_eq!(value(&finished, "bad_debt"), 15_000.0);
    assert_eq!(value(&finished, "fund_paid"), 12_000.0);
    assert_eq!(value(&finished, "uncovered"), 3_000.0);
    assert_eq!(of(&finished, EventKind::Closed).len(), 3);
    adds_up(&finished);
    // With losses socialised the short's profit of 30,000 pays the rest, once.
    let shared = run(
        &market(0.1, 4, "insurance_fund = 12000\nsocialise_losses = true"),
        Some(rows),
    );
    assert_eq!(
        (value(&shared, "socialised"), value(&shared, "uncovered")),
        (3_000.0, 0.0)
    );
    adds_up(&shared);
}

#[test]
fn a_winner_about_to_be_liquidated_itself_is_not_paid_first() {
    // Both shorts are ahead by 10,000 on the position; the second owes more than that elsewhere: no fund, no equity.
    let rows =
        format!("{LONG}sound,X,-100,1000,20000,isolated\nhollow,X,-100,1000,0.01,isolated\n");
    let settings = "latency = \"9s\"\nauto_deleveraging = true\nadl.ranking = \"bitmex\"";
    let finished = run(&market(0.1, 4, settings), Some(&rows));
    // By leverage the hollow one ranks first, and is solvent by its profit: it bears what it can.
    let closed = names(&finished, EventKind::AutoDeleveraged);
    assert!(!closed.is_empty());
    for account in finished.opening.names.iter().map(|(id, _)| *id) {
        let events = finished.run.events.iter();
        let owed = events.filter(|e| e.account == Some(account) && e.kind == EventKind::Uncovered);
        assert_eq!(owed.count(), 0);
    }
    adds_up(&finished);
}

#[test]
fn a_fallen_fund_puts_whoever_is_in_liquidation_before_the_queue() {
    // The first owes 5,000 of the fund's 10,000: half of it. Those of the next fall aren't sent to the market any more.
    let rows = "a,X,100,1000,5000,isolated\nb,X,100,1000,15000,isolated\nshort,X,-200,1000,90000,isolated\n";
    let settings = |drawdown: &str| {
        format!(
            "insurance_fund = 10000\nauto_deleveraging = true\nadl = {{ price = \"mark\"{drawdown} }}\n\
             [[shock]]\nat = \"5s\"\nsize = -0.03"
        )
    };
    let with = run(&market(0.1, 10, &settings(", drawdown = 0.3")), Some(rows));
    let without = run(&market(0.1, 10, &settings("")), Some(rows));
    assert_eq!(of(&with, EventKind::ForcedTrade).len(), 1);
    assert_eq!(of(&without, EventKind::ForcedTrade).len(), 2);
    assert_eq!(names(&with, EventKind::AutoDeleveraged), ["short"]);
    assert_eq!(names(&without, EventKind::AutoDeleveraged), [""; 0]);
    // Closed at the mark, solvent: what it has left is its own.
    assert_eq!(value(&with, "bad_debt"), 5_000.0);
    adds_up(&with);
}

#[test]
fn each_market_has_its_own_pool() {
    let rows = format!("{LONG}short,X,-100,1000,20000,isolated\n");
    let other = "[market.Y]\ntick = 1\nlot = 1\nprice = 1000\npath.constant = {}\nmark.index = {}\n\
                 venue.impact = { law.linear.ticks_per_lot = 0, resilience = \"never\" }\n";
    let paid = |pools: &str| {
        let text = market(0.1, 4, &format!("fund.market = {pools}"));
        let finished = run(&(text + other), Some(&rows));
        adds_up(&finished);
        value(&finished, "fund_paid")
    };
    assert_eq!(paid("{ X = 9000, Y = 0 }"), 5_000.0);
    assert_eq!(paid("{ X = 2000, Y = 7000 }"), 2_000.0);
}

#[test]
fn the_venue_tops_its_fund_up() {
    let rows = format!("{LONG}short,X,-100,1000,20000,isolated\n");
    let text = market(0.1, 10, "fund = { top_up = 700, every = \"3s\" }");
    let finished = run(&text, Some(&rows));
    assert_eq!(of(&finished, EventKind::FundToppedUp).len(), 3);
    assert_eq!(finished.run.tally.world.fund, Cash(2_100_000_000));
    assert_eq!(value(&finished, "conservation"), 0.0);
}

#[test]
fn a_backstop_takes_over_below_two_thirds_and_unwinds_with_patience() {
    // 100 lots at 970 ask 4,850; 3,000 of 6,000 are left: less than two thirds of it. Orders come too late.
    let rows = "a,X,100,1000,6000,isolated\nshort,X,-100,1000,90000,isolated\n";
    let settings = "latency = \"2s\"\nbackstop = { capital = 50000, half_life = \"3s\" }";
    let finished = run(&market(0.03, 40, settings), Some(rows));
    let taken = of(&finished, EventKind::TakenOver);
    assert_eq!(taken.len(), 1);
    // At 940 nothing is left: the vault has the 3,000.
    assert_eq!((taken[0].quantity.0, taken[0].price.0), (-100, 940));
    assert_eq!(value(&finished, "backstop_equity"), 53_000.0);
    let sold: Vec<i64> = of(&finished, EventKind::ForcedTrade)
        .iter()
        .map(|e| e.quantity.0)
        .collect();
    assert_eq!(sold.iter().sum::<i64>(), -100);
    assert!(
        sold.len() > 10 && sold.windows(2).all(|pair| pair[0] <= pair[1]),
        "{sold:?}"
    );
    assert_eq!(value(&finished, "bad_debt"), 0.0);
    adds_up(&finished);
    // A vault that can't carry 4,850 with what it gets takes nothing: the order does, when it comes.
    let small = "latency = \"2s\"\nbackstop = { capital = 1800, half_life = \"3s\" }";
    let finished = run(&market(0.03, 40, small), Some(rows));
    assert_eq!(of(&finished, EventKind::TakenOver).len(), 0);
    assert_eq!(of(&finished, EventKind::ForcedTrade).len(), 1);
}

#[test]
fn a_backstop_that_lost_its_limit_takes_nothing_more_over() {
    // It takes 100 lots over at 940 and holds them through a fall to 776: 16,400 lost of 50,000.
    let rows =
        "a,X,100,1000,6000,isolated\nb,X,10,1000,2300,isolated\nshort,X,-110,1000,90000,isolated\n";
    let second = "[[shock]]\nat = \"5s\"\nsize = -0.2\n";
    let finish = |limit: &str, adl: bool| {
        let settings = format!(
            "latency = \"2s\"\nauto_deleveraging = {adl}\nbackstop = {{ capital = 50000, half_life = \"1h\", loss_limit = {limit} }}\n{second}"
        );
        let finished = run(&market(0.03, 12, &settings), Some(rows));
        adds_up(&finished);
        finished
    };
    let open = finish("1", true);
    assert_eq!(names(&open, EventKind::TakenOver), ["a", "b"]);
    assert_eq!(of(&open, EventKind::BackstopStopped).len(), 0);
    let limited = finish("0.3", true);
    assert_eq!(of(&limited, EventKind::BackstopStopped).len(), 1);
    // Its positions are closed against the short at the mark, at no cost to it.
    assert_eq!(names(&limited, EventKind::AutoDeleveraged), ["short"]);
    assert_eq!(value(&limited, "adl_cost"), 0.0);
    let held = finish("0.3", false);
    assert_eq!(of(&held, EventKind::BackstopStopped).len(), 1);
    assert_eq!(of(&held, EventKind::AutoDeleveraged).len(), 0);
}

#[test]
fn winners_of_a_session_pay_in_proportion_to_what_they_won() {
    // The shorts have won 30,000 and 10,000 since the session began; 5,000 are owed.
    let rows = "a,X,100,1000,5000,isolated\nb,X,300,1000,90000,isolated\nc,X,-300,1000,90000,isolated\nd,X,-100,1000,90000,isolated\n";
    for (settings, session) in [
        ("\"profit\"", "1d"),
        ("{ session = {} }", "1d"),
        ("{ session = { length = \"7d\" } }", "7d"),
    ] {
        let text = market(
            0.1,
            3,
            &format!("socialise_losses = true\nsocialisation = {settings}"),
        );
        let finished = run(&text, Some(rows));
        assert_eq!(value(&finished, "socialised"), 5_000.0, "{session}");
        adds_up(&finished);
    }
}

#[test]
fn a_clawback_takes_a_sessions_losses_from_its_winners_as_it_ends() {
    let rows = "a,X,100,1000,5000,isolated\nb,X,300,1000,90000,isolated\nc,X,-300,1000,90000,isolated\nd,X,-100,1000,90000,isolated\n";
    let text = |length: u32| {
        market(
            0.1,
            length,
            "socialise_losses = true\nsocialisation = { clawback = { length = \"10s\" } }",
        )
    };
    // Until the session ends the 5,000 stay uncovered; then the shorts, 40,000 ahead, pay in proportion.
    let open = run(&text(10), Some(rows));
    assert_eq!(value(&open, "socialised"), 0.0);
    assert_eq!(value(&open, "uncovered"), 5_000.0);
    adds_up(&open);
    let ended = run(&text(12), Some(rows));
    assert_eq!(value(&ended, "socialised"), 5_000.0);
    assert_eq!(value(&ended, "uncovered"), 0.0);
    adds_up(&ended);
    let ends = of(&ended, EventKind::Socialised);
    assert_eq!(
        ends.iter().map(|event| event.step).collect::<Vec<_>>(),
        [10]
    );
}

#[test]
fn every_ranking_and_price_runs_on_a_shortened_october() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/october-2025.toml");
    let rankings = [
        "bybit",
        "bitmex",
        "binance",
        "hyperliquid",
        "okx",
        "random_start",
        "pro_rata",
        "capped_pro_rata",
    ];
    let mut overshoot = Vec::new();
    for (ranking, price) in rankings
        .map(|ranking| (ranking, "bankruptcy"))
        .into_iter()
        .chain([("hyperliquid", "previous_mark"), ("okx", "mark")])
    {
        let mut document = Document::open(&file).unwrap();
        for patch in crate::policies::CRASH {
            document.patch(patch);
        }
        document.patch(&format!("liquidation.adl.ranking={ranking}"));
        document.patch(&format!("liquidation.adl.price={price}"));
        // Deep falls into a thin book: there has to be somebody to deleverage.
        document.patch("liquidation.latency=\"5s\"");
        document.patch("market.BTC.venue.book.resilience=\"10m\"");
        let mut scenario = document
            .read()
            .unwrap_or_else(|problems| panic!("{problems}"));
        scenario.expect.clear();
        let finished = Run::new(&scenario).finish().unwrap();
        adds_up(&finished);
        assert!(value(&finished, "adl_count") > 0.0, "{ranking}");
        overshoot.push(value(&finished, "adl_overshoot"));
    }
    assert!(overshoot.iter().all(|excess| *excess >= 0.0));
}
