//! Collateral other than the settlement currency: haircuts, which part of an account is closed first, sales into the
//! collateral's own book, a price of the venue's own making, and collateral that falls with the position.

use crate::support::run_with as run;
use deleverage::engine::{Event, EventKind};
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;
use deleverage::unit::{AccountId, Cash, Lots, MarketId};

const X: MarketId = MarketId(0);
const ASSET: MarketId = MarketId(1);

/// A perpetual at 100 and an asset at 1, both in markets that no trade moves; their paths are given.
fn world(x: &str, asset: &str, haircut: &str, more: &str) -> String {
    format!(
        "length = \"30s\"\nmarkets = [\"X\", \"A\"]\n\
         [market.X]\ntick = 0.01\nlot = 0.01\npath.waypoints = {{ volatility = 0, points = {x} }}\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
         [market.A]\nkind.spot = {{ {haircut} }}\ntick = 0.0001\nlot = 1\n\
         path.waypoints = {{ volatility = 0, points = {asset} }}\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.1 }}\n{more}\n"
    )
}

const STILL_X: &str = "[[\"0s\", 100]]";
const STILL_A: &str = "[[\"0s\", 1]]";

fn of(finished: &Finished, kind: EventKind) -> Vec<Event> {
    let events = finished.run.events.iter();
    events.filter(|event| event.kind == kind).copied().collect()
}

/// The marks of a market when something first happened, in its ticks.
fn mark_at(finished: &Finished, market: usize, kind: EventKind) -> Option<i64> {
    let first = of(finished, kind).first().map(|event| event.step)?;
    let rows = finished.run.series.market(market);
    rows.get(first as usize).map(|row| row.mark.0)
}

/// 1,000 of the asset at a haircut of 10 %, and 20 of X at 100: liquidated where
/// 1,000·a·(1 − h) + 20·(x − 100) < 0.05·20·x. With x = 100 that is a < 1/9 …
#[test]
fn a_haircut_is_a_margin_rate_on_what_is_held() {
    // … and with a = 1 it is 900 + 20x − 2,000 < x, or x < 57.8947.
    let falling = "[[\"0s\", 100], [\"30s\", 40]]";
    let rows = "a,A,1000,1,0,cross\na,X,20,100,,cross\n";
    let finished = run(&world(falling, STILL_A, "haircut = 0.1", ""), Some(rows));
    let mark = mark_at(&finished, 0, EventKind::LiquidationBegan).unwrap();
    // Two dollars a step.
    assert!((5_589..=5_789).contains(&mark), "{mark}");
    let begun = of(&finished, EventKind::LiquidationBegan);
    assert_eq!(begun.len(), 1);
    let falling = "[[\"0s\", 1], [\"30s\", 0.05]]";
    let finished = run(&world(STILL_X, falling, "haircut = 0.1", ""), Some(rows));
    let mark = mark_at(&finished, 1, EventKind::LiquidationBegan).unwrap();
    assert!((794..=1_111).contains(&mark), "{mark}");
}

/// 1,000 of the asset at a haircut of 10 %: 900 count, and X asks 0.05 · 20 · x. A warning at 0.8 comes where
/// x ≥ 0.8 · (900 + 20x − 2,000), which is x ≤ 58.667; were the haircut part of what the ratio divides, it
/// would have come at (x + 100) ≥ 0.8 · (1,000 + 20x − 2,000), x ≤ 60.
#[test]
fn a_ratio_is_taken_of_the_equity_that_a_haircut_leaves() {
    let falling = "[[\"0s\", 60.2], [\"30s\", 57.2]]";
    let rows = "a,A,1000,1,0,cross\na,X,20,100,,cross\n";
    let finished = run(&world(falling, STILL_A, "haircut = 0.1", ""), Some(rows));
    let mark = mark_at(&finished, 0, EventKind::Warned).unwrap();
    assert!((5_856..=5_867).contains(&mark), "{mark}");
}

#[test]
fn haircuts_by_brackets_grow_with_what_is_held() {
    // 500 at 0 %, 1,500 at 20 %: 300 of 2,000 don't count. 1,700 + 20x − 2,000 < x at x < 15.789.
    let falling = "[[\"0s\", 30], [\"30s\", 10]]";
    let brackets = "brackets = [{ cap = 500, haircut = 0 }, { haircut = 0.2 }]";
    let rows = "a,A,2000,1,0,cross\na,X,20,100,,cross\n";
    let finished = run(&world(falling, STILL_A, brackets, ""), Some(rows));
    let mark = mark_at(&finished, 0, EventKind::LiquidationBegan).unwrap();
    assert!((1_512..=1_579).contains(&mark), "{mark}");
}

/// Quantities sold by force in X and in the asset, by step.
fn forced(finished: &Finished) -> Vec<(u32, usize, i64)> {
    of(finished, EventKind::ForcedTrade)
        .iter()
        .map(|event| (event.step, event.market.unwrap().index(), -event.quantity.0))
        .collect()
}

#[test]
fn derivatives_or_collateral_are_closed_first_or_both_together() {
    let falling = "[[\"0s\", 100], [\"5s\", 55], [\"30s\", 55]]";
    let rows = "a,A,1000,1,0,cross\na,X,20,100,,cross\n";
    let with = |order: &str| {
        let more = format!("[liquidation]\ncollateral = \"{order}\"");
        run(&world(falling, STILL_A, "haircut = 0.1", &more), Some(rows))
    };
    // Once X is closed, 1,000 of the asset stand against the 900 that are owed: nothing more is sold.
    let last = with("last");
    assert_eq!(forced(&last), [(4, 0, 2_000)]);
    assert_eq!(of(&last, EventKind::LiquidationEnded).len(), 1);
    // Sold first, the asset frees its haircut of 100, and equity of 100 meets the 55 that X asks.
    let first = with("first");
    assert_eq!(forced(&first), [(4, 1, 1_000)]);
    assert_eq!(of(&first, EventKind::LiquidationEnded).len(), 1);
    let together = with("together");
    let markets: Vec<usize> = forced(&together).iter().map(|(_, m, _)| *m).collect();
    assert_eq!(markets.len(), 2);
    assert_eq!(of(&together, EventKind::Closed).len(), 1);
    for finished in [last, first, together] {
        assert_eq!(finished.summary.value("conservation", None), Some(0.0));
    }
}

#[test]
fn what_is_owed_beyond_the_limit_has_collateral_sold_for_it() {
    // Closed at 55, X leaves 900 owed, against 1,000 of the asset at no haircut: sound, but in debt.
    let falling = "[[\"0s\", 100], [\"5s\", 52], [\"30s\", 52]]";
    let rows = "a,A,1000,1,0,cross\na,X,20,100,,cross\n";
    let with = |more: &str| run(&world(falling, STILL_A, "haircut = 0", more), Some(rows));
    let kept = with("");
    assert_eq!(forced(&kept), [(4, 0, 2_000)]);
    assert_eq!(kept.summary.value("collateral_sold", None), Some(0.0));
    let sold = with("[liquidation]\nlargest_debt = 100");
    // 20 · 48 = 960 owed: as many of the asset, and one more for the rounding.
    assert_eq!(forced(&sold), [(4, 0, 2_000), (5, 1, 961)]);
    assert_eq!(of(&sold, EventKind::LiquidationEnded).len(), 1);
    assert_eq!(sold.summary.value("collateral_sold", None), Some(961.0));
    let within = with("[liquidation]\nlargest_debt = 1_000");
    assert_eq!(forced(&within).len(), 1);
}

#[test]
fn forced_sales_of_collateral_move_its_own_price() {
    let falling = "[[\"0s\", 100], [\"5s\", 55], [\"30s\", 55]]";
    let rows = "a,A,1000,1,0,cross\na,X,20,100,,cross\n";
    let text = world(
        falling,
        STILL_A,
        "haircut = 0.1",
        "[liquidation]\ncollateral = \"first\"",
    )
    .replace(
        "[market.A]\n",
        "[market.A]\nanchor = { permanent_share = 1, half_life = \"never\" }\n",
    );
    let text = text.replacen(
        "mark.index = {}\nvenue.impact = { law.linear.ticks_per_lot = 0, resilience = 0 }\n[margin]",
        "mark.index = {}\nvenue.impact = { law.linear.ticks_per_lot = 1, resilience = \"10s\" }\n[margin]",
        1,
    );
    let finished = run(&text, Some(rows));
    let twin = Run::new(&Scenario::parse(STILL_WITHOUT_ROWS).unwrap())
        .finish()
        .unwrap();
    assert_eq!(twin.summary.value("collateral_sold", None), Some(0.0));
    let fall = finished.summary.value("drawdown", Some("A")).unwrap();
    assert!(fall > 0.05, "{fall}");
    assert!(finished.summary.value("reference_drawdown", Some("A")) == Some(0.0));
}

const STILL_WITHOUT_ROWS: &str = "length = \"10s\"\n\
    [market.X]\ntick = 0.01\nlot = 0.01\nprice = 100\npath.constant = {}\nvenue.impact = { law.linear.ticks_per_lot = 0, resilience = 0 }\n\
    [market.A]\nkind.spot = { haircut = 0.1 }\ntick = 0.0001\nlot = 1\nprice = 1\npath.constant = {}\n\
    venue.impact = { law.linear.ticks_per_lot = 0, resilience = 0 }\n\
    [margin]\nbase.fixed = { maintenance = 0.05, initial = 0.1 }\n\
    [cohort.all]\ncount = 50\nmode = \"cross\"\ncapital = 1_000\nleverage = 3\ncollateral = { A = 0.7 }\n";

#[test]
fn a_cohort_holds_its_shares_of_collateral_at_the_start() {
    let scenario = Scenario::parse(STILL_WITHOUT_ROWS).unwrap();
    let prepared = deleverage::scenario::Prepared::new(&scenario).unwrap();
    let (setup, _) = prepared.setup(0, Default::default()).unwrap();
    let (asset, x) = (X, ASSET); // alphabetically
    for id in setup.ledger.traders() {
        let held = setup.ledger.position(id, asset).unwrap();
        assert_eq!(held.quantity, Lots(700));
        assert_eq!(held.cost, Cash(700_000_000));
        assert_eq!(setup.ledger.account(id).cash, Cash(1_000_000_000));
        // Three times the whole capital, and the initial margin of it is there after the haircut.
        let quantity = setup.ledger.position(id, x).unwrap().quantity;
        assert_eq!(quantity.abs(), Lots(3_000));
    }
    assert_eq!(
        setup
            .ledger
            .position(AccountId::BACKGROUND, asset)
            .unwrap()
            .quantity,
        Lots(-35_000)
    );
}

#[test]
fn initial_margin_is_asked_of_what_haircuts_leave() {
    // 1,000 with 70 % at a haircut of one half leave 650: at 10 % that carries 6,500.
    let text = STILL_WITHOUT_ROWS
        .replace("haircut = 0.1", "haircut = 0.5")
        .replace("leverage = 3", "leverage = 9");
    let scenario = Scenario::parse(text).unwrap();
    let prepared = deleverage::scenario::Prepared::new(&scenario).unwrap();
    let (setup, _) = prepared.setup(0, Default::default()).unwrap();
    for id in setup.ledger.traders() {
        let quantity = setup.ledger.position(id, ASSET).unwrap().quantity;
        assert_eq!(quantity.abs(), Lots(6_500));
    }
}

#[test]
fn what_is_wrong_with_collateral_is_told() {
    let said = |from: &str, to: &str| {
        let text = STILL_WITHOUT_ROWS.replace(from, to);
        assert_ne!(text, STILL_WITHOUT_ROWS);
        Scenario::parse(text).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (
            "{ A = 0.7 }",
            "{ B = 0.7 }",
            "cohort.all.collateral.B: no market of collateral",
        ),
        ("{ A = 0.7 }", "{ X = 0.7 }", "expected `A`"),
        (
            "{ A = 0.7 }",
            "{ A = 1.2 }",
            "shares must add up to at most 1, found 1.2",
        ),
        ("mode = \"cross\"\n", "", "expected mode = \"cross\""),
        (
            "haircut = 0.1",
            "haircut = 1.1",
            "market.A.kind.spot.haircut: must lie between 0 and 1, found 1.1",
        ),
        (
            "leverage = 3",
            "leverage = 3\nmarkets = { A = 1, X = 1 }",
            "cohort.all.markets.A: is collateral",
        ),
        (
            "[margin]",
            "[margin]\nmarket.A.base.fixed = { maintenance = 0.1, initial = 0.1 }",
            "margin.market.A.base: belongs to no market of collateral",
        ),
        (
            "kind.spot = { haircut = 0.1 }",
            "kind.spot = { haircut = 0.1 }\nfunding.interval = \"8h\"",
            "market.A.funding.interval: must be \"never\"",
        ),
        (
            "kind.spot = { haircut = 0.1 }",
            "kind.spot = { haircut = 0.1 }\ncontract = \"inverse\"",
            "market.A.contract: must be linear",
        ),
        (
            "[market.X]\n",
            "[market.X]\nkind.spot = {}\n",
            "at least one market that isn't collateral",
        ),
    ] {
        let text = said(from, to);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_file_cannot_owe_collateral_nor_isolate_it() {
    let said = |row: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.csv");
        let header = "account,market,qty,entry_price,collateral,mode\n";
        std::fs::write(&file, format!("{header}{row}\n")).unwrap();
        let text = world(STILL_X, STILL_A, "haircut = 0.1", "");
        let text = format!("positions = {:?}\n{text}", file.display().to_string());
        Scenario::parse(text).unwrap_err().to_string()
    };
    assert!(said("a,A,-10,1,5,cross").contains("found qty -10, expected a number above 0"));
    assert!(said("a,A,10,1,5,isolated").contains("found mode isolated, expected cross"));
}

/// Longs with an asset for collateral: with the asset falling when the position does, more is left unpaid.
#[test]
fn collateral_that_falls_with_the_position_leaves_more_unpaid() {
    let bad_debt = |correlation: f64| -> f64 {
        (0..8)
            .map(|replicate| {
                let text = format!(
                    "length = \"1h\"\nstep = \"10s\"\nseed = 4\nreplicate = {replicate}\nmarkets = [\"X\", \"A\"]\n\
                     correlation = [[1, {correlation}], [{correlation}, 1]]\n\
                     [market.X]\ntick = 0.01\nlot = 0.01\nprice = 100\npath.gbm = {{ volatility = 12 }}\nmark.index = {{}}\n\
                     venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
                     [market.A]\nkind.spot = {{ haircut = 0.05 }}\ntick = 0.0001\nlot = 1\nprice = 1\npath.gbm = {{ volatility = 12 }}\nmark.index = {{}}\n\
                     venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
                     [margin]\nbase.fixed = {{ maintenance = 0.01, initial = 0.02 }}\n\
                     [liquidation]\nlatency = \"60s\"\n\
                     [cohort.longs]\ncount = 300\nmode = \"cross\"\ncapital = 1_000\nleverage.uniform = {{ min = 4, max = 15 }}\nlong_share = 1\n\
                     collateral = {{ A = 1.0 }}\n"
                );
                let scenario = Scenario::parse(text).unwrap();
                let finished = Run::new(&scenario).finish().unwrap();
                finished.summary.value("bad_debt", None).unwrap()
            })
            .sum()
    };
    let (apart, together) = (bad_debt(0.0), bad_debt(0.95));
    assert!(together > 1.2 * apart, "{apart} {together}");
}

/// The collateral of the day: with its price from the venue's own book, accounts fall that bitcoin never reached; with an index
/// from outside they don't, though the same sales meet the same book.
#[test]
fn a_price_of_the_venues_own_making_liquidates_whom_an_outside_index_spares() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/usde.toml");
    let with = |patch: Option<&str>| {
        let mut document = deleverage::scenario::Document::open(file.as_ref()).unwrap();
        if let Some(patch) = patch {
            document.patch(patch);
        }
        let scenario = document.read().unwrap();
        let prepared = deleverage::scenario::Prepared::new(&scenario).unwrap();
        let (setup, _) = prepared.setup(0, Default::default()).unwrap();
        let finished = Run::new(&scenario).finish().unwrap();
        // Cohorts stand in alphabetical order: carry, longs, plain.
        let count = |place: usize| {
            let members = &setup.cohorts[place].members;
            of(&finished, EventKind::LiquidationBegan)
                .iter()
                .filter(|event| event.account.is_some_and(|id| members.contains(id)))
                .count()
        };
        let counts = [0, 1, 2].map(count);
        (finished, counts)
    };
    let (own, [carry, longs, plain]) = with(None);
    let value =
        |finished: &Finished, name: &str| finished.summary.value(name, Some("USDE")).unwrap();
    assert!(value(&own, "mark_drawdown") >= 0.3);
    assert_eq!(value(&own, "reference_drawdown"), 0.0);
    assert!(carry > 100, "{carry}");
    assert_eq!(plain, 0, "bitcoin alone reached them");
    let (outside, [spared, reached, same]) = with(Some("market.USDE.mark={ index = {} }"));
    assert_eq!(spared, 0, "liquidated for a price that nobody else saw");
    assert_eq!(same, 0);
    assert!(reached > 0 && reached < longs, "{reached} {longs}");
    let debt = |finished: &Finished| finished.summary.value("bad_debt", None).unwrap();
    assert!(debt(&own) > debt(&outside));
}
