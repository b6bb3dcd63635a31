//! Inverse contracts: coin-margined positions worth quantity ÷ price.
//!
//! # Reference
//!
//! An inverse long of leverage L entered at p is liquidated at p·(1 + m)·L/(L + 1) and bankrupt at p·L/(L + 1); a short at
//! p·(1 − m)·L/(L − 1).

use crate::support::run_with as run;
use deleverage::engine::{Event, EventKind};
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;

/// A coin at 10,000 with a lot of a dollar and a quantum of 10⁻⁸ coins; no trade moves its price.
fn world(points: &str, more: &str) -> String {
    format!(
        "length = \"100s\"\nquantum = \"0.00000001\"\n\
         [market.XBT]\ncontract = \"inverse\"\ntick = 0.5\nlot = 1\n\
         path.waypoints = {{ volatility = 0, points = {points} }}\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.005, initial = 0.01 }}\n{more}\n"
    )
}

fn of(finished: &Finished, kind: EventKind) -> Vec<Event> {
    let events = finished.run.events.iter();
    events.filter(|event| event.kind == kind).copied().collect()
}

/// The mark, in dollars, at which liquidation first began, and the mark a step before.
fn begun(finished: &Finished) -> (f64, f64) {
    let step = of(finished, EventKind::LiquidationBegan)[0].step as usize;
    let rows = finished.run.series.market(0);
    (
        rows[step].mark.0 as f64 * 0.5,
        rows[step - 1].mark.0 as f64 * 0.5,
    )
}

#[test]
fn an_inverse_long_is_liquidated_where_its_formula_says() {
    // Leverage 10 at 10,000: 9,136.36.
    let exact = 10_000.0 * 1.005 * 10.0 / 11.0;
    let falling = "[[\"0s\", 10000], [\"100s\", 9000]]";
    let finished = run(&world(falling, ""), Some("a,XBT,100000,10000,1,isolated\n"));
    let (mark, before) = begun(&finished);
    assert!(mark < exact && exact <= before, "{mark} {exact} {before}");
    let cross = run(&world(falling, ""), Some("a,XBT,100000,10000,1,cross\n"));
    assert_eq!(begun(&cross), (mark, before));
}

#[test]
fn an_inverse_short_is_liquidated_where_its_formula_says() {
    let exact = 10_000.0 * 0.995 * 10.0 / 9.0;
    let rising = "[[\"0s\", 10000], [\"100s\", 12000]]";
    for mode in ["isolated", "cross"] {
        let row = format!("a,XBT,-100000,10000,1,{mode}\n");
        let finished = run(&world(rising, ""), Some(&row));
        let (mark, before) = begun(&finished);
        assert!(mark > exact && exact >= before, "{mark} {exact} {before}");
    }
}

/// A short of leverage 1 is worth the same in dollars whatever the price, and has no liquidation price.
#[test]
fn an_inverse_short_without_leverage_is_never_liquidated() {
    let rising = "[[\"0s\", 10000], [\"100s\", 1000000]]";
    let finished = run(
        &world(rising, "").replace("tick = 0.5", "tick = 1"),
        Some("a,XBT,-100000,10000,10.0001,cross\n"),
    );
    assert!(of(&finished, EventKind::LiquidationBegan).is_empty());
}

#[test]
fn a_deficit_is_in_coins_and_ends_in_one_place() {
    // From 10,000 to 8,000 the long loses 100,000 · (1/8,000 − 1/10,000) = 2.5 coins and has one.
    let jump = "[[\"0s\", 10000], [\"49s\", 10000], [\"50s\", 8000], [\"100s\", 8000]]";
    let finished = run(
        &world(jump, "[liquidation]\ninsurance_fund = 1"),
        Some("a,XBT,100000,10000,1,isolated\n"),
    );
    let value = |name: &str| finished.summary.value(name, None).unwrap();
    assert!((value("bad_debt") - 1.5).abs() < 1e-8);
    assert!((value("fund_paid") - 1.0).abs() < 1e-8);
    assert!((value("uncovered") - 0.5).abs() < 1e-8);
    assert_eq!(value("conservation"), 0.0);
    let notional = finished
        .summary
        .value("liquidated_long_notional", Some("XBT"));
    assert!((notional.unwrap() - 12.5).abs() < 1e-8);
}

#[test]
fn deleveraging_closes_at_the_bankruptcy_price_in_coins() {
    let jump = "[[\"0s\", 10000], [\"49s\", 10000], [\"50s\", 8000], [\"100s\", 8000]]";
    let rows = "a,XBT,100000,10000,1,isolated\nb,XBT,-100000,10000,20,isolated\n";
    let more = "[liquidation]\nauto_deleveraging = true\nlatency = \"10s\"";
    let finished = run(&world(jump, more), Some(rows));
    let closes = of(&finished, EventKind::AutoDeleveraged);
    assert_eq!(closes.len(), 1);
    // p · L/(L + 1) = 9,090.91, in half dollars.
    assert_eq!(closes[0].price.0, 18_182);
    let value = |name: &str| finished.summary.value(name, None).unwrap();
    assert!((value("adl_deficit") - 1.5).abs() < 1e-7);
    assert!((value("adl_cost") - 1.5).abs() < 1e-7);
    assert_eq!(value("uncovered"), 0.0);
}

#[test]
fn funding_and_fees_are_paid_in_coins_on_the_notional_in_coins() {
    // 0.01 % interest a period, the premium nothing: 100,000 / 10,000 · 0.0001 = 0.001 coins a payment, twice.
    let still = "[[\"0s\", 10000]]";
    let text = world(still, "").replace(
        "[market.XBT]\n",
        "[market.XBT]\nfunding = { interval = \"40s\", period = \"40s\" }\n",
    );
    let rows = "a,XBT,100000,10000,1,isolated\n";
    let finished = run(&text, Some(rows));
    assert_eq!(of(&finished, EventKind::FundingPaid).len(), 2);
    let index = finished.run.series.market(0).last().unwrap().funding_index;
    // Per lot of a dollar 10⁻⁸ coins twice, in millionths of a quantum.
    assert_eq!(index, 2_000_000);
}

/// A book: every level is a price of its own, and what is bought is sold.
#[test]
fn a_book_of_inverse_contracts_conserves_and_cascades() {
    let text = "length = \"3m\"\nseed = 3\nquantum = \"0.00000001\"\n\
        [market.XBT]\ncontract = \"inverse\"\ntick = 0.5\nlot = 1\nprice = 8_000\npath.gbm.volatility = 0.5\n\
        anchor = { permanent_share = 0.3, half_life = \"5m\" }\nfunding.interval = \"1m\"\ntaker_fee = 0.00075\n\
        venue.book = { spread_bps = 1, resilience = \"30s\", depth.curve = { points = [[10, 300_000], [100, 2_000_000]], reach_bps = 5000 } }\n\
        [[shock]]\nat = \"20s\"\nsize = -0.25\nduration = \"100s\"\n\
        [margin]\nbase.fixed = { maintenance = 0.005, initial = 0.01 }\n\
        [liquidation]\ninsurance_fund = 10\nauto_deleveraging = true\nadl.ranking = \"bitmex\"\n\
        [cohort.retail]\ncount = 500\ncapital.lognormal = { median = 0.5, sigma = 1.2 }\nleverage.uniform = { min = 2, max = 50 }\nlong_share = 0.7\n\
        [cohort.cross]\ncount = 60\nmode = \"cross\"\ncapital.lognormal = { median = 2, sigma = 1.0 }\nleverage = 5\n\
        [cohort.noise]\ncount = 50\ncapital = 5\nstrategy.noise = { rate = 600, size = 0.5, limit_share = 0.5, lifetime = \"5s\" }\n\
        [cohort.makers]\ncount = 2\ncapital = 100\nstrategy.market_maker = { size = 5, levels = 2, spread_bps = 10, step_bps = 5, inventory_limit = 50, calm_volatility = 1.0 }\n";
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let finished = Run::new(&scenario)
        .audit_every_step(true)
        .twin(true)
        .finish()
        .unwrap();
    let value = |name: &str, market| finished.summary.value(name, market).unwrap();
    assert_eq!(value("conservation", None), 0.0);
    assert!(value("liquidations", None) > 50.0);
    assert!(value("amplification_drawdown", Some("XBT")) > 1.0);
    let paid: f64 = [
        "fund_paid",
        "backstop_paid",
        "adl_deficit",
        "socialised",
        "uncovered",
    ]
    .map(|name| value(name, None))
    .iter()
    .sum();
    assert!((value("bad_debt", None) - paid).abs() < 1e-9);
}

#[test]
fn a_world_has_one_settlement_currency() {
    let still = "[[\"0s\", 10000]]";
    let linear = "[market.ETH]\ntick = 0.01\nlot = 0.01\nprice = 300\npath.constant = {}\n\
        venue.impact = { law.linear.ticks_per_lot = 0, resilience = 0 }\n";
    let mixed = format!("{}{linear}", world(still, ""));
    let said = Scenario::parse(&mixed).unwrap_err().to_string();
    assert!(
        said.contains("market.XBT.contract: ETH and XBT are not of the same contract"),
        "{said}"
    );
    assert!(said.contains("name it in both markets"), "{said}");
    let stated = mixed
        .replace("[market.XBT]\n", "[market.XBT]\nsettlement = \"XBT\"\n")
        .replace("[market.ETH]\n", "[market.ETH]\nsettlement = \"XBT\"\n");
    Scenario::parse(&stated).unwrap();
    let other = stated.replacen("settlement = \"XBT\"", "settlement = \"USD\"", 1);
    let said = Scenario::parse(other).unwrap_err().to_string();
    assert!(
        said.contains("a world has one settlement currency"),
        "{said}"
    );
    let coarse = world(still, "").replace("quantum = \"0.00000001\"", "quantum = 0.3");
    let said = Scenario::parse(coarse).unwrap_err().to_string();
    assert!(
        said.contains("lot ÷ tick must be a whole number of cash quanta of the coin"),
        "{said}"
    );
}
