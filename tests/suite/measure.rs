//! Metrics against a run worked out by hand.

use crate::sample;
use deleverage::measure::{DEFINITIONS, Group, Scope, Summary, Unit, evaluate, gap, twin};

fn near(summary: &Summary, name: &str, market: Option<&str>, expected: f64) {
    let found = summary
        .value(name, market)
        .unwrap_or_else(|| panic!("{name} has no value"));
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs(),
        "{name}: found {found}, expected {expected}"
    );
}

#[test]
fn metrics_of_a_market_are_those_worked_out_by_hand() {
    let summary = evaluate(&sample::run(1));
    let returns: f64 = [
        1_100.0 / 1_000.0,
        880.0 / 1_100.0,
        989.0 / 880.0,
        990.0_f64 / 989.0,
    ]
    .iter()
    .map(|ratio| ratio.ln().powi(2))
    .sum();
    for (name, expected) in [
        ("drawdown", 0.2),
        ("mark_drawdown", 200.0 / 1_100.0),
        ("run_up", 990.0 / 880.0 - 1.0),
        ("reference_drawdown", 150.0 / 1_100.0),
        ("overshoot_down", 0.12),
        ("overshoot_up", 40.0 / 950.0),
        // Fell from 1,100 to 880 at 30 s; 990 regains half, 989 does not.
        ("recovery_half_life", 20.0),
        ("volatility", (returns / 50.0 * 365.0 * 86_400.0).sqrt()),
        ("bid_depth_trough", 0.1),
        ("ask_depth_trough", 0.75),
        // The step without a bid, and the lowest mid, doesn't count.
        ("spread_peak", 2.0 / 989.0 * 1e4),
        // (10·1000 + 20·1105 + 100·880 + 50·980 + 20·990) ticks × lots × 10⁻³.
        ("traded_notional", 188.9),
        ("liquidated_notional", 73.0),
        ("liquidated_long_notional", 54.0),
        ("liquidated_short_notional", 19.0),
        ("liquidated_share", 0.2),
        ("forced_share", 0.4),
        // Averages of a minute: weight 1 − e^(−1/6) a step.
        ("reproduction_down_peak_1pct", 0.872011757377),
        ("reproduction_down_peak_2pct", 0.425563840506),
        ("reproduction_down_peak_5pct", 0.3),
        ("reproduction_up_peak_1pct", 0.25),
        ("reproduction_up_peak_5pct", 0.75),
        ("reproduction_down_first_1pct", 20.0),
        // The last step has no bid within 1 %.
        ("sold_out", 10.0),
        ("maintenance_mean", 0.03),
        ("maintenance_peak", 0.04),
        ("initial_mean", 0.05),
        ("leverage_offered", 20.0),
        ("margin_peak_to_trough", 2.0),
    ] {
        near(&summary, name, Some("BTC"), expected);
    }
    assert_eq!(
        summary.value("reproduction_up_first_1pct", Some("BTC")),
        None
    );
    for name in ["recovery_half_life", "ask_depth_trough", "spread_peak"] {
        assert_eq!(summary.value(name, Some("ETH")), None, "{name}");
    }
    assert_eq!(summary.value("drawdown", Some("ETH")), Some(0.0));
    near(&summary, "leverage_offered", Some("ETH"), 10.0);
}

#[test]
fn metrics_of_the_world_are_those_worked_out_by_hand() {
    let mut run = sample::run(1);
    run.gap = -3;
    let summary = evaluate(&run);
    for (name, expected) in [
        ("liquidations", 3.0),
        // Accounts 5, 6 and 7, of eight; 5 twice.
        ("liquidated_accounts", 0.375),
        ("liquidated_notional_total", 73.0),
        ("traded_notional_total", 189.9),
        // Two steps each for 5 and 6; 7, and 5 the second time, came unwarned.
        ("lead_time_median", 20.0),
        ("bad_debt", 9.5),
        ("fund_paid", 8.0),
        ("fund_drawdown", 35.0),
        ("adl_notional", 3.0),
        ("fund_received", 0.73),
        ("forced_cost", 1.75),
        ("backstop_paid", 0.0),
        ("backstop_notional", 6.0),
        ("backstop_equity", 1.5),
        ("adl_cost", 0.7),
        ("adl_overshoot", 0.2),
        ("adl_count", 1.0),
        ("adl_deficit", 0.5),
        ("socialised", 0.0),
        ("uncovered", 1.0),
        ("warnings", 2.0),
        ("calls", 1.0),
        ("cured_calls", 1.0),
        // Liquidated two steps after its call, and not before.
        ("calls_liquidated", 1.0),
        ("calls_cured_by_market", 0.0),
        ("calls_open", 0.0),
        ("call_lead_time_median", 20.0),
        // Of four liquidations one was called for in time; with 54 against less than 3 it was wrong to.
        ("call_recall", 0.25),
        ("call_precision", 0.0),
        ("call_precision_undecided", 0.0),
        // Equity of 54 against an initial requirement of 4 % of 54.3.
        ("called_over_equity", 0.0),
        // All four liquidated accounts could have stayed.
        ("premature_share", 1.0),
        ("premature_liquidations", 4.0),
        ("premature_undecided", 0.0),
        ("late_liquidations", 0.0),
        ("topped_up", 0.0),
        ("refused_orders", 1.0),
        ("rounds_exhausted", 1.0),
        ("conservation", 3.0),
    ] {
        near(&summary, name, None, expected);
    }
}

#[test]
fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
    let mut run = sample::run(1);
    // Account 6 is now warned in the step of its liquidation: lead times of 2 and 0 steps.
    run.events[1].step = 3;
    near(&evaluate(&run), "lead_time_median", None, 10.0);
    run.events.clear();
    assert_eq!(evaluate(&run).value("lead_time_median", None), None);
}

#[test]
fn metrics_do_not_depend_on_what_the_series_keep() {
    let (every, thinned) = (sample::run(1), sample::run(2));
    assert_eq!(evaluate(&every), evaluate(&thinned));
    assert_eq!(thinned.series.steps(), [1, 3, 4]);
    let kept = thinned.series.market(0);
    assert_eq!(
        kept.iter().map(|row| row.volume.0).collect::<Vec<_>>(),
        [30, 150, 20]
    );
    assert_eq!(
        (kept[1].forced_sold.0, kept[1].forced_bought.0, kept[1].mid),
        (60, 20, 989.0)
    );
    assert_eq!(thinned.series.world()[1].rounds, 4);
}

#[test]
fn a_run_over_its_twin_is_its_amplification() {
    let (run, twin_run) = (sample::run(1), sample::twin());
    let mut summary = evaluate(&run);
    summary.extend(twin::compare(&summary, &run, &twin_run, None));
    summary.extend(deleverage::measure::safety::compare(&run, &twin_run));
    near(&summary, "amplification_drawdown", Some("BTC"), 2.0);
    near(&summary, "endogenous_share", Some("BTC"), 0.5);
    assert_eq!(
        summary.value("amplification_liquidated_notional", Some("BTC")),
        Some(1.0)
    );
    assert!(
        summary
            .value("amplification_volatility", Some("BTC"))
            .unwrap()
            > 1.5
    );
    assert_eq!(
        summary.value("amplification_drawdown", Some("ETH")),
        Some(1.0)
    );
    assert_eq!(
        summary.value("amplification_volatility", Some("ETH")),
        Some(1.0)
    );
    assert_eq!(summary.value("endogenous_share", Some("ETH")), Some(0.0));
    assert_eq!(
        summary.value("amplification_bad_debt", None),
        Some(f64::INFINITY)
    );
    for metric in twin::compare(&evaluate(&run), &run, &run, None) {
        let expected = match metric.definition.name {
            "premature_share_twin" => 1.0,
            _ if metric.definition.unit == Unit::Share => 0.0,
            _ => 1.0,
        };
        assert_eq!(metric.value, Some(expected), "{}", metric.definition.name);
    }
    // Every definition is evaluated, once for each market or once for the world; those of a genealogy only where there is one.
    let traced = [Group::Genealogy, Group::Warning, Group::Design];
    for definition in DEFINITIONS {
        if traced.contains(&definition.group) {
            continue;
        }
        let times = if definition.scope == Scope::Market {
            2
        } else {
            1
        };
        assert_eq!(
            summary.named(definition.name).count(),
            times,
            "{}",
            definition.name
        );
    }
}

#[test]
fn a_sound_ledger_has_no_gap() {
    use deleverage::account::Ledger;
    use deleverage::unit::{AccountId, Cash};
    let mut ledger = Ledger::new(vec![sample::frame().markets[0].contract]);
    ledger.deposit(AccountId::FUND, Cash(7));
    assert_eq!(gap(&ledger), Ok(0));
}

#[test]
fn a_run_of_no_steps_has_no_numbers_that_are_not_numbers() {
    use deleverage::measure::Recorder;
    let summary = evaluate(&Recorder::new(sample::frame(), 1).finish(0));
    for metric in summary.metrics() {
        assert!(
            metric.value.is_none_or(f64::is_finite),
            "{}",
            metric.definition.name
        );
    }
    assert_eq!(summary.value("volatility", Some("BTC")), None);
}
