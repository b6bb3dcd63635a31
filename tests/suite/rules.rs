//! Margin rules as they stand in files: in scenarios, against returns of a known distribution, and per account.

use crate::backtest::{simulated, student};
use crate::support::FALL;
use deleverage::backtest::run::margins;
use deleverage::backtest::{Loss, Requirement, RuleFile};
use deleverage::engine::World;
use deleverage::experiment::Run;
use deleverage::margin::base::BaseSettings;
use deleverage::margin::{RiskView, Schedule};
use deleverage::math::ops;
use deleverage::measure::coverage::kupiec;
use deleverage::scenario::{Mode, Scenario, rule};
use deleverage::unit::{Lots, MarketId, Rate};
use proptest::prelude::*;

fn under(name: &str) -> Scenario {
    Scenario::parse(FALL)
        .unwrap()
        .set("margin.extends", name)
        .unwrap_or_else(|problems| panic!("{name}: {problems}"))
}

#[test]
fn every_rule_file_runs_the_same_scenario_and_says_who_moved_the_margin() {
    for name in rule::names() {
        let finished = Run::new(&under(name))
            .audit_every_step(true)
            .finish()
            .unwrap();
        let value = |metric: &str, market| finished.summary.value(metric, market);
        assert_eq!(value("conservation", None), Some(0.0), "{name}");
        assert!(value("liquidations", None) > Some(0.0), "{name}");
        for (place, market) in finished.run.frame.markets.iter().enumerate() {
            let tallies = finished.run.parts.market(place);
            assert_eq!(tallies.len(), market.parts.len(), "{name}");
            let steps = f64::from(finished.run.tally.steps);
            let sum: f64 = tallies
                .iter()
                .map(|part| part.maintenance.sum / steps)
                .sum();
            let mean = value("maintenance_mean", Some(&market.name)).unwrap();
            assert!((sum - mean).abs() < 1e-9, "{name}: {sum} and {mean}");
            let initial: f64 = tallies.iter().map(|part| part.initial.sum / steps).sum();
            let mean = value("initial_mean", Some(&market.name)).unwrap();
            assert!(
                (initial - mean).abs() < 1e-9,
                "{name}: {initial} and {mean}"
            );
        }
        // A fixed rule is told once; one that moves, more than once.
        let changes = finished.run.parts.changes().len();
        let parts: usize = finished
            .run
            .frame
            .markets
            .iter()
            .map(|m| m.parts.len())
            .sum();
        let moves = !["fixed", "binance-tiered", "hyperliquid-tiered"].contains(&name);
        assert!(
            changes >= parts && (moves || changes == parts),
            "{name}: {changes}"
        );
    }
}

#[test]
fn rules_that_answer_the_fall_move_the_margin_and_those_that_only_guard_entry_do_not() {
    let rises = |scenario: &Scenario| {
        let finished = Run::new(scenario).finish().unwrap();
        let rows = finished.run.series.market(0);
        let most = |rate: fn(&deleverage::engine::MarketRow) -> f64| {
            rows.iter().map(rate).fold(0.0, f64::max) / rate(&rows[0])
        };
        (
            most(|row| row.maintenance.as_f64()),
            most(|row| row.initial.as_f64()),
        )
    };
    let peak_over_base = |name: &str| rises(&under(name));
    for name in ["ewma-var", "emir-buffered"] {
        assert!(peak_over_base(name).0 > 1.05, "{name}");
    }
    // A half an hour, of which three minutes: 1.5^(1/20).
    let limited = peak_over_base("speed-limited").0;
    assert!(limited > 1.01 && limited < 1.0205, "{limited}");
    for name in ["dydx-oi-scaled", "r-target"] {
        assert_eq!(peak_over_base(name).0, 1.0, "{name}");
    }
    let eager = under("r-target")
        .set("margin.adjust.0.r_target.target", "0.05")
        .unwrap()
        .set("margin.adjust.0.r_target.response", "10s")
        .unwrap();
    let (maintenance, initial) = rises(&eager);
    assert!(maintenance == 1.0 && initial > 1.5, "{initial}");
}

/// Of how many seeds and sides Kupiec's test rejects the rule at 5 %.
fn rejected(text: &str, quantile: &impl Fn(f64) -> f64, seeds: u64) -> u32 {
    const WARMUP: usize = 3_000;
    let file = RuleFile::parse("rule", text).unwrap();
    let mut rejected = 0;
    for seed in 0..seeds {
        let series = simulated(1_000 + seed, 14_000, quantile);
        let mut rule = file.build().unwrap();
        let asked = margins(rule.as_mut(), &series, Requirement::Maintenance);
        let losses = series.losses(1, Loss::Close);
        for side in [&losses.long, &losses.short] {
            let judged = side.iter().zip(&asked).skip(WARMUP);
            let n = judged.clone().count() as u64;
            let breaches = judged.filter(|(loss, margin)| loss > margin).count() as u64;
            rejected += u32::from(kupiec(breaches, n, 0.01).unwrap().rejects(0.05));
        }
    }
    rejected
}

fn model(figure: &str, model: &str) -> String {
    format!(
        "[base.{figure}]\nconfidence = 0.99\nhorizon = \"1h\"\nperiod = \"1h\"\nvolatility = 0.187\nmodel.{model}\n"
    )
}

#[test]
fn of_rule_files_the_right_one_stands_and_the_wrong_one_falls() {
    const SEEDS: u64 = 10;
    let (student, deviation, _) = student();
    let heavy = |u: f64| {
        use statrs::distribution::ContinuousCDF;
        student.inverse_cdf(u) / deviation
    };
    let normal = ops::normal_quantile;
    let ewma = "ewma = { decay = 0.999 }";
    let garch = "garch = { alpha = 0.02, beta = 0.9, lookback = \"4000h\", refit = \"2000h\" }";
    let plain = "fhs = { decay = 1.0, lookback = \"6000h\" }";
    let all = 2 * SEEDS as u32;
    let var = |of: &str| model("value_at_risk", of);
    for right in [
        rejected(&var(ewma), &normal, SEEDS),
        rejected(&var(garch), &normal, SEEDS),
        rejected(&var(plain), &heavy, SEEDS),
    ] {
        assert!(
            right <= 5,
            "the right rule is rejected {right} times of {all}"
        );
    }
    for wrong in [
        // A shortfall asks more than the quantile; a short memory and a normal tail less.
        rejected(&model("expected_shortfall", ewma), &normal, SEEDS),
        rejected(&var("ewma = { decay = 0.8 }"), &normal, SEEDS),
        rejected(&var(ewma), &heavy, SEEDS),
    ] {
        assert!(
            wrong >= all - 2,
            "the wrong rule is rejected {wrong} times of {all}"
        );
    }
}

#[test]
fn small_markets_of_dydx_scale_initial_margin_with_open_interest() {
    let text = "extends = \"dydx-v4\"\nmarkets = [\"BTC\", \"SOL\", \"MKR\"]\nlength = \"1m\"\n\
        [market.BTC]\nprice = 100_000\npath.constant = {}\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }\n\
        [market.SOL]\nprice = 150\npath.constant = {}\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }\n\
        [market.MKR]\nprice = 1_500\npath.constant = {}\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }\n\
        [cohort.retail]\ncount = 10\ncapital = 1000\nleverage = 2\n";
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let base = |market: &str| scenario.margin.rule_of(market).unwrap().0.clone();
    assert_eq!(base("BTC").name(), "fixed");
    for (market, caps) in [
        ("SOL", (20_000_000, 50_000_000)),
        ("MKR", (5_000_000, 10_000_000)),
    ] {
        match base(market) {
            BaseSettings::OpenInterest(own) => {
                assert_eq!((own.lower, own.upper), (caps.0.into(), caps.1.into()));
            }
            other => panic!("{market}: {other:?}"),
        }
    }
}

/// How many accounts are liquidated of two, as both markets fall by a tenth: one holds a long and a short of the same worth, the
/// other a long only.
fn liquidated(cross: &str) -> f64 {
    let rows =
        "hedged,A,10,10000,4000,cross\nhedged,B,-10,10000,0,cross\nbare,A,10,10000,12500,cross\n";
    liquidated_of(rows, "", cross)
}

/// The same of accounts of one's own, and with settings of the whole.
fn liquidated_of(rows: &str, top: &str, cross: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("positions.csv");
    let rows = format!("account,market,qty,entry_price,collateral,mode\n{rows}");
    std::fs::write(&file, rows).unwrap();
    let market = |name: &str| {
        format!(
            "[market.{name}]\ntick = 1\nlot = 0.001\nprice = 10_000\npath.constant = {{}}\nmark.index = {{}}\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"30s\" }}\n"
        )
    };
    let text = format!(
        "markets = [\"A\", \"B\"]\nlength = \"30s\"\n{top}\npositions = {:?}\n{}{}\
         [margin]\nbase.fixed = {{ maintenance = 0.03, initial = 0.06 }}\n{cross}\n\
         [[shock]]\nat = \"10s\"\nsize = -0.1\n",
        file.display().to_string(),
        market("A"),
        market("B")
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let finished = Run::new(&scenario).audit_every_step(true).finish().unwrap();
    finished.summary.value("liquidations", None).unwrap()
}

#[test]
fn a_hedge_is_asked_less_under_a_correlation_matrix_and_a_bare_position_is_not() {
    // Alone, each side of the hedge is asked 3,000; together √(2 · 9 · (1 − 0.9)) thousand, of an equity of 4,000.
    assert_eq!(liquidated(""), 2.0);
    assert_eq!(liquidated("cross = \"sum\""), 2.0);
    assert_eq!(
        liquidated("cross.correlation = [[1.0, 0.9], [0.9, 1.0]]"),
        1.0
    );
}

#[test]
fn margin_follows_the_correlation_of_outside_prices_into_stress() {
    // Both long, and after the fall worth 5,000: asked √(2 · 2,700² · 1.2) = 4,183 in calm, and the sum, 5,400, in stress.
    let both = "both,A,10,10000,25000,cross\nboth,B,10,10000,0,cross\n";
    let calm = "correlation = [[1, 0.2], [0.2, 1]]";
    let stress = format!("{calm}\nstress_correlation = {{ fall = 0.05, weight = 1 }}");
    let never = format!("{calm}\nstress_correlation = {{ fall = 0.5, weight = 1 }}");
    let path = "cross = \"path\"";
    assert_eq!(liquidated_of(both, calm, path), 0.0);
    assert_eq!(liquidated_of(both, &never, path), 0.0);
    assert_eq!(liquidated_of(both, &stress, path), 1.0);
    // A matrix of margin's own stays what it is.
    assert_eq!(
        liquidated_of(both, &stress, "cross.correlation = [[1, 0.2], [0.2, 1]]"),
        0.0
    );
    let told = Scenario::parse(FALL).unwrap().set("margin.cross", "path");
    let told = told.unwrap_err().to_string();
    assert!(told.contains("outside prices are independent"), "{told}");
}

#[test]
fn a_matrix_of_the_wrong_kind_is_refused_with_its_key() {
    let told = |matrix: &str| {
        let patched = Scenario::parse(FALL)
            .unwrap()
            .set("margin.cross.correlation", matrix);
        patched.unwrap_err().to_string()
    };
    assert!(told("[[1.0]]").contains("margin.cross.correlation: expected 2 rows of 2"));
    let told = told("[[1.0, 1.5], [1.5, 1.0]]");
    assert!(told.contains("between -1 and 1"), "{told}");
}

#[test]
fn a_limit_holds_what_is_built_up_below_it() {
    let limited = Scenario::parse(FALL)
        .unwrap()
        .set("cohort.noise.strategy.noise.limit_share", "0")
        .unwrap()
        .set(
            "margin.adjust",
            "[{ r_target = { target = 0.01, response = \"10s\", cap = 4.0, limit = 40_000 } }]",
        )
        .unwrap();
    let (setup, _) = limited.setup(0, Mode::Run).unwrap();
    let mut world = World::new(setup);
    let market = MarketId(0);
    // Makers' quotes rest, and are filled after they were admitted.
    let makers = limited.cohort.keys().position(|name| name == "makers");
    let mut lowest = world.schedule(market).limit();
    while world.now() < world.steps() {
        let before = sizes(&world, market, makers);
        world.step(&mut ()).unwrap();
        let (limit, mark) = (world.schedule(market).limit(), world.marks()[0]);
        lowest = lowest.min(limit);
        let contract = world.ledger().contract(market);
        for (before, after) in before.into_iter().zip(sizes(&world, market, makers)) {
            // Whoever grew stood below the limit at the mark of its order; the book moves on within the step.
            let worth = contract.notional(Lots(after), mark);
            assert!(
                after <= before || worth.0 <= limit.0 + limit.0 / 50,
                "{worth:?} {limit:?}"
            );
        }
    }
    // At four times the target and more, a fourth of the limit.
    assert!((lowest.0 - 10_000_000_000).abs() <= 1, "{lowest:?}");
}

/// Sizes of the traders' positions in a market, but for one cohort.
fn sizes(world: &World, market: MarketId, without: Option<usize>) -> Vec<i64> {
    let ledger = world.ledger();
    ledger
        .traders()
        .filter(|id| Some(ledger.account(*id).cohort.index()) != without)
        .map(|id| {
            ledger
                .position(id, market)
                .map_or(0, |slot| slot.quantity.0.abs())
        })
        .collect()
}

/// What a rule asks of the smallest positions along a path of log returns, a minute each.
fn along(name: &str, returns: &[f64]) -> Vec<f64> {
    let file = RuleFile::load(std::path::Path::new(name)).unwrap();
    let mut rule = file.build().unwrap();
    let mut schedule = Schedule::flat(Rate::ONE, Rate::ONE);
    let mut price = 10_000_000.0;
    returns
        .iter()
        .enumerate()
        .map(|(step, moved)| {
            price *= moved.exp();
            let view = RiskView {
                step: step as u32,
                dt: 60.0,
                index: price,
                mark: price,
                quanta: 1.0,
                ..RiskView::default()
            };
            rule.schedule(&view, &mut schedule);
            schedule.level().as_f64()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Article 28(1)(a) and (c) through a whole rule: with any prices no rate is below the floor of the long past and at most a
    /// quarter above what the other parts ask, and the speed limit holds over every window.
    #[test]
    fn whole_rules_keep_what_they_promise(returns in prop::collection::vec(-0.05f64..0.05, 2..200)) {
        // The floor's variance starts at 65 % a year and can't fall by more than the share of ten years that was calm.
        let floor = 2.326 * 0.65 / (365.0f64 * 24.0).sqrt() * 0.999;
        for level in along("emir-buffered", &returns) {
            prop_assert!(level >= floor, "{level}");
            // Volatility at its cap and the stressed weight: ¾ · 5 % + ¼ · 3 %, and the buffer on top, or the floor's own.
            prop_assert!(level <= 1.25 * (0.75 * 0.05 + 0.25 * 0.03) + 1e-6, "{level}");
        }
        let limited = along("speed-limited", &returns);
        for from in 0..limited.len() {
            for to in from..limited.len() {
                let most = limited[from] * 1.5f64.powf((to - from) as f64 / 60.0);
                prop_assert!(limited[to] <= most * (1.0 + 1e-4), "{from} to {to}");
            }
        }
    }
}
