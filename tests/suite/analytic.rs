//! Closed forms that the engine must meet, each reached through a scenario: how far a step's rounds go, a population whose
//! volume is logarithmic, liquidation prices. Cascades on a lattice and in the continuum are in `deleverage verify`.
//!
//! # Reference
//!
//! Liquidation prices: Binance USD-M,
//! LP = (WB − TMM + UPNL + cum − side·q·EP) / (q·MMR − side·q), with its published examples.

use crate::support::run_with as run;
use deleverage::engine::{Event, EventKind};
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;
use std::fmt::Write as _;

fn of(finished: &Finished, kind: EventKind) -> impl Iterator<Item = &Event> {
    finished
        .run
        .events
        .iter()
        .filter(move |event| event.kind == kind)
}

/// Lots sold by force, step by step.
fn forced(finished: &Finished) -> Vec<i64> {
    let rows = finished.run.series.market(0);
    rows.iter().map(|row| row.forced_sold.0).collect()
}

// --- the lattice ------------------------------------------------------------------------------

/// Where the lattice's price starts, in ticks.
const START: i64 = 10_000;

/// A book with so many lots on every tick that never refill; the mark is the last trade.
fn lattice(lots_per_tick: i64, length: u32, rounds: &str) -> String {
    format!(
        "length = \"{length}s\"\nrounds = {rounds}\n\
         [market.X]\ntick = 1\nlot = 1\nprice = {START}\npath.constant = {{}}\nmark.last = {{}}\n\
         venue.book = {{ depth.flat.lots_per_tick = {lots_per_tick}, resilience = \"never\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.05, initial = 0.05 }}\n"
    )
}

/// On each of so many ticks below the start a long of `density` lots that is liquidated when the last trade
/// is at that tick or below; and one of `sale` lots that is under water from the beginning.
fn triggers(density: i64, levels: i64, sale: i64) -> String {
    let mut rows = format!("sale,X,{sale},{START},0,isolated\n");
    for level in 1..=levels {
        if density > 0 {
            // Equity meets 5 % half a tick above the level: there it is short, a tick higher it is not.
            // C = g · (entry − (1 − m) · (level + ½)), in thousandths.
            let thousandths = density * (START * 1_000 - 950 * (START - level) - 475);
            let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
            let _ = writeln!(
                rows,
                "t{level},X,{density},{START},{whole}.{part:03},isolated"
            );
        }
    }
    rows
}

#[test]
fn rounds_decide_how_far_a_step_goes() {
    let check = |rounds: &str| {
        let finished = run(&lattice(32, 1, rounds), Some(&triggers(16, 200, 2_048)));
        (
            forced(&finished)[0],
            finished.summary.value("rounds_exhausted", None),
        )
    };
    assert_eq!(check("{ fixed = 3 }"), (2_048 + 1_024 + 512, Some(0.0)));
    assert_eq!(check("{ until_quiet = { limit = 2 } }"), (3_072, Some(1.0)));
}

// --- the continuum ----------------------------------------------------------------------------

const ACCOUNTS: u32 = 100_000;
/// Maintenance rate, which is also the least 1/L, so that triggers begin at the entry price.
const M: f64 = 0.05;
const U: [f64; 2] = [0.05, 0.25];
const CAPITAL: f64 = 1_000.0;
const PRICE: f64 = 10_000.0;
const TICK: f64 = 0.01;
const LOT: f64 = 0.0001;

/// Longs who enter at the start price with a distribution of leverage between 4 and 20, a linear impact law
/// without recovery, and a fall of the outside price by `shock` in the first step.
fn cohort(
    seed: u64,
    leverage: &str,
    ticks_per_lot: f64,
    shock: f64,
    steps: u32,
    rounds: &str,
) -> Finished {
    let text = format!(
        "length = \"{steps}s\"\nrounds = {rounds}\n\
         [market.X]\ntick = {TICK}\nlot = {LOT}\nprice = {PRICE}\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = {ticks_per_lot:e}, resilience = \"never\" }}\n\
         [margin]\nwarn = 1.0\ncall = 1.0\nbase.fixed = {{ maintenance = {M}, initial = {M} }}\n\
         [cohort.longs]\ncount = {ACCOUNTS}\ncapital = {CAPITAL}\nleverage = {leverage}\nlong_share = 1.0\n\
         [[shock]]\nat = \"1s\"\nsize = {}\n",
        -shock / PRICE
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    Run::new(&scenario.with_seed(seed)).finish().unwrap()
}

fn fall(finished: &Finished, step: usize) -> f64 {
    PRICE - finished.run.series.market(0)[step].mid * TICK
}

#[test]
fn with_equal_capital_and_uniform_inverse_leverage_volume_is_logarithmic() {
    // Accounts are uniform over trigger prices, their quantity is as 1/u: F(D) = N · ln(u(D) / u₀),
    // with u(D) = 1 − (1 − m)(1 − D/p), and the fall solves D = D₀ + k·F(D).
    let shock = 500.0;
    let lots = f64::from(ACCOUNTS) * CAPITAL / PRICE / LOT / (U[1] - U[0]);
    let sold = |fall: f64| lots * ((1.0 - (1.0 - M) * (1.0 - fall / PRICE)) / U[0]).ln();
    let ticks_per_lot = 1e-4;
    let (mut low, mut high) = (shock, 0.2 * PRICE);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if shock + ticks_per_lot * TICK * sold(middle) > middle {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert!(low > 1.5 * shock && low < 0.19 * PRICE, "{low}");
    let leverage = "{ inverse_uniform = { min = 4, max = 20 } }";
    let quiet = "{ until_quiet = { limit = 1_000 } }";
    let finished = cohort(1, leverage, ticks_per_lot, shock, 1, quiet);
    let found = fall(&finished, 0);
    assert!((found / low - 1.0).abs() < 0.01, "{found} {low}");
}

// --- liquidation prices -----------------------------------------------------------------------

const STEPS: u32 = 20_000;

/// A drift without impact that brings the price from its start to `(1 + size)` of it.
fn drift(market: &str, size: f64) -> String {
    format!(
        "[[shock]]\nmarket = \"{market}\"\nat = \"1s\"\nsize = {size}\nduration = \"{}s\"\n",
        STEPS - 1
    )
}

fn frictionless(name: &str, tick: &str, lot: &str, price: f64, margin: &str) -> String {
    format!(
        "[market.{name}]\ntick = {tick}\nlot = {lot}\nprice = {price}\npath.constant = {{}}\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"never\" }}\n\
         [margin.market.{name}]\n{margin}\n"
    )
}

/// When an account's liquidations begin: the mark just before, and then.
fn begun(finished: &Finished, account: &str, market: usize) -> Vec<[f64; 2]> {
    let names = &finished.opening.names;
    let (id, _) = names.iter().find(|(_, name)| name == account).unwrap();
    let rows = finished.run.series.market(market);
    let tick = finished.run.frame.markets[market].grid.scale().tick;
    of(finished, EventKind::LiquidationBegan)
        .filter(|event| event.account == Some(*id))
        .map(|event| {
            let step = event.step as usize;
            assert!(step > 0, "{account} was liquidated from the start");
            [step - 1, step].map(|step| rows[step].mark.as_f64() * tick)
        })
        .collect()
}

/// Whether a liquidation began where it should: not yet at the mark before, but at the mark then.
/// `within` is how exactly the price is known.
fn at_price(found: [f64; 2], expected: f64, within: f64, what: &str) {
    let [before, then] = found;
    let (low, high) = (before.min(then) - within, before.max(then) + within);
    assert!(
        low <= expected && expected <= high,
        "{what}: liquidated between marks {before} and {then}, expected {expected}"
    );
    assert!(
        high - low < 1e-4 * expected + 2.0 * within,
        "{what}: the drift is too coarse"
    );
}

const FIXED: &str = "base.fixed = { maintenance = 0.01, initial = 0.01 }";
const LEVERAGES: [f64; 5] = [2.0, 3.0, 5.0, 10.0, 50.0];

#[test]
fn isolated_positions_are_liquidated_at_their_liquidation_price() {
    let m = 0.01;
    let entry = 1_000.0;
    for side in [1.0, -1.0] {
        let mut rows = String::new();
        for leverage in LEVERAGES {
            // A quantity of 3, to the collateral's last quantum.
            let collateral = 3.0 * entry / leverage;
            let _ = writeln!(
                rows,
                "{leverage}x,X,{},{entry},{collateral:.6},isolated",
                3.0 * side
            );
        }
        let text = format!(
            "length = \"{STEPS}s\"\n{}{}",
            frictionless("X", "0.001", "0.001", entry, FIXED),
            drift("X", -0.52 * side)
        );
        let finished = run(&text, Some(&rows));
        for leverage in LEVERAGES {
            let expected = entry * (1.0 - side / leverage) / (1.0 - side * m);
            let found = begun(&finished, &format!("{leverage}x"), 0);
            assert_eq!(found.len(), 1);
            at_price(
                found[0],
                expected,
                1e-6,
                &format!("{leverage}x, side {side}"),
            );
            let [before, then] = found[0];
            assert!(side * (then - before) < 0.0);
        }
    }
}

#[test]
fn closing_a_fraction_moves_the_next_trigger_as_it_should() {
    // Closing φ at the trigger p leaves equity m·p·q over (1 − φ)q: next at p · (1 − m/(1 − φ)) / (1 − m).
    let (m, entry) = (0.01, 1_000.0);
    for fraction in [0.2, 0.5] {
        let text = format!(
            "length = \"{STEPS}s\"\n{}[liquidation]\npolicy.slices = {{ fraction = {fraction}, above = 0, cooldown = \"0s\" }}\n{}",
            frictionless("X", "0.001", "0.000001", entry, FIXED)
                .replace("[market", "quantum = 0.000000001\n[market"),
            drift("X", -0.3)
        );
        let finished = run(&text, Some("a,X,100,1000,10000,isolated\n"));
        let found = begun(&finished, "a", 0);
        assert!(found.len() > 3, "{found:?}");
        let mut expected = entry * (1.0 - 0.1) / (1.0 - m);
        // Each slice trades up to one step of the drift late, which the next trigger inherits.
        let step = 2e-5 * entry;
        for (k, found) in found.iter().take(4).enumerate() {
            at_price(
                *found,
                expected,
                1e-6 + k as f64 * step,
                &format!("trigger {k}, φ = {fraction}"),
            );
            expected *= (1.0 - m / (1.0 - fraction)) / (1.0 - m);
        }
    }
}

/// Two brackets whose upper one has the deduction (`cum`) and the rate of a published example.
fn bracket(cap: &str, lower: &str, rate: &str) -> String {
    format!(
        "base.tiered.brackets = [{{ cap = {cap}, maintenance = {lower}, initial = {lower} }}, {{ maintenance = {rate}, initial = {rate} }}]"
    )
}

/// 10 % less 135,365: 2,707,300 · (0.1 − 0.05).
fn eth() -> String {
    bracket("2_707_300", "0.05", "0.1")
}
/// 2.5 % less 16,300: 815,000 · (0.025 − 0.005).
fn btc() -> String {
    bracket("815_000", "0.005", "0.025")
}

#[test]
fn bracketed_positions_are_liquidated_at_the_published_prices() {
    // 1 % less 0.01.
    let small = bracket("2", "0.005", "0.01");
    for (margin, tick, lot, quantity, entry, wallet, expected, within) in [
        (
            eth(),
            "0.01",
            "0.001",
            3_683.979,
            1_456.84,
            1_535_443.01,
            1_114.78,
            0.005,
        ),
        (
            btc(),
            "0.01",
            "0.001",
            109.488,
            32_481.98,
            1_535_443.01,
            18_778.73,
            0.005,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            -1.0,
            10.0,
            10.0 / 5.0,
            11.891_089_108_910_89,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            -1.0,
            10.0,
            10.0 / 3.0,
            13.211_221_122_079_207,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            -1.0,
            8.0,
            8.0 / 5.0,
            9.514_851_485_148_514,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            -0.6,
            10.0,
            6.0 / 5.0,
            11.897_689_768_976_898,
            3e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            1.0,
            10.0,
            10.0 / 5.0,
            8.070_707_070_707_071,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            1.0,
            8.0,
            8.0 / 5.0,
            6.454_545_454_545_454,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            1.0,
            10.0,
            10.0 / 3.0,
            6.723_905_723_905_723,
            1e-6,
        ),
        (
            small.clone(),
            "0.00001",
            "0.1",
            0.6,
            10.0,
            6.0 / 5.0,
            8.063_973_063_973_064,
            3e-6,
        ),
    ] {
        let text = format!(
            "length = \"{STEPS}s\"\n{}{}",
            frictionless("X", tick, lot, entry, &margin),
            drift("X", if quantity > 0.0 { -0.45 } else { 0.4 })
        );
        let row = format!("a,X,{quantity},{entry},{wallet:.6},isolated\n");
        let found = begun(&run(&text, Some(&row)), "a", 0);
        assert_eq!(found.len(), 1);
        at_price(
            found[0],
            expected,
            within,
            &format!("{quantity} at {entry} with {wallet}"),
        );
    }
}

#[test]
fn a_cross_account_is_liquidated_at_the_published_prices() {
    let rows = "a,ETH,3683.979,1456.84,1535443.01,cross\na,BTC,109.488,32481.98,0,cross\n";
    for (moves, prices, expected) in [
        ("ETH", [1_456.84, 31_967.27], 1_153.26),
        ("BTC", [1_335.18, 32_481.98], 26_316.89),
    ] {
        let text = format!(
            "length = \"{STEPS}s\"\nmarkets = [\"ETH\", \"BTC\"]\n{}{}{}",
            frictionless("ETH", "0.01", "0.001", prices[0], &eth()),
            frictionless("BTC", "0.01", "0.001", prices[1], &btc()),
            drift(moves, -0.3)
        );
        let finished = run(&text, Some(rows));
        let found = begun(&finished, "a", usize::from(moves == "BTC"));
        assert_eq!(found.len(), 1);
        at_price(found[0], expected, 0.005, moves);
    }
}
