//! Funds that keep their leverage: a loss makes them sell, with no liquidation at all.
//!
//! One fund of assets A in a market whose price falls by the share x when x·D is sold: a loss comes out multiplied by
//! 1 / (1 − R), R = (λ − 1) A / D. Several with several assets: sales are A_n B_n (M f)_n with B debt over equity, prices
//! follow f' = L Mᵀ diag(A B) M f = K f, and in the end f∞ = (I − K)⁻¹ f₁; with an eigenvalue of K above one nothing ends.
//!
//! # Reference
//!
//! Adrian, T. and Shin, H. S. (2010), "Liquidity and leverage", Journal of Financial Intermediation 19; Greenwood, R.,
//! Landier, A. and Thesmar, D. (2015), "Vulnerable banks", Journal of Financial Economics 115. The example's numbers are
//! worked out from the equations; losses are small, so that first order is enough.

use super::line::{Found, Plot, Tolerance};
use super::stage;
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;

/// One fund.
pub const FAMILY: Family = Family {
    name: "target-leverage",
    title: "A fund that keeps its leverage: 1 / (1 − R), R = (λ − 1) A / D",
    source: "derived; Adrian and Shin 2010",
    ground: Ground::Engine,
    run: one,
};

/// Several.
pub const BANKS: Family = Family {
    name: "vulnerable-banks",
    title: "Two banks that share two assets: f∞ = (I − K)⁻¹ f₁",
    source: "Greenwood, Landier and Thesmar 2015",
    ground: Ground::Engine,
    run: banks,
};

const FUND: &str = include_str!("../../configs/theory/target.toml");
const SHARED: &str = include_str!("../../configs/theory/banks.toml");
/// The start in ticks.
const START: f64 = 1e8;

fn one(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut plot = Plot {
        name: "A loss comes out multiplied, by (λ − 1) A / D".to_owned(),
        x_name: "R".to_owned(),
        y_name: "amplification".to_owned(),
        expected: (0..=75)
            .map(|k| f64::from(k) / 100.0)
            .map(|r| [r, 1.0 / (1.0 - r)])
            .collect(),
        ..Plot::default()
    };
    for (leverage, share) in [(5.0, 0.1), (10.0, 0.05), (3.0, 0.05), (15.0, 0.05)] {
        // A lot is worth 0.01: it moves the price by 0.01 / D, D = λ · 1,000,000 / share.
        let ticks = START * 0.01 * share / (leverage * 1e6);
        let scenario = stage::scenario(
            FUND,
            [
                format!("cohort.fund.leverage={leverage}"),
                format!("cohort.fund.strategy.target_leverage.leverage={leverage}"),
                format!("market.X.venue.impact.law.linear.ticks_per_lot={ticks:e}"),
            ],
        )?;
        let prepared = scenario.prepare()?;
        let mut world = World::new(stage::setup(&prepared, &[], 0)?);
        let series = stage::run(&mut world)?;
        let last = series[0].mid[series[0].mid.len() - 1];
        let r = (leverage - 1.0) * share;
        let got = (1.0 - last / START) / 1e-4;
        plot.got.push([r, got]);
        found
            .line(
                format!("λ {leverage}, A / D {share}, R {r:.2}: amplification"),
                1.0 / (1.0 - r),
                got,
                Tolerance::Relative(0.01),
            )
            .note("of a loss of a basis point");
    }
    found.plot = Some(plot);
    Ok(found)
}

/// Relative moves of both prices after each step, over the first one's share of 0.01.
fn shared(scale: f64, shock: f64, steps: u32) -> Result<Vec<[f64; 2]>, RunError> {
    let scenario = stage::scenario(
        SHARED,
        [
            format!("length={steps}s"),
            format!("shock.0.size={}", -shock),
            format!(
                "market.X.venue.impact.law.linear.ticks_per_lot={}",
                scale * 0.02
            ),
            format!(
                "market.Y.venue.impact.law.linear.ticks_per_lot={}",
                scale * 0.04
            ),
        ],
    )?;
    let prepared = scenario.prepare()?;
    let mut world = World::new(stage::setup(&prepared, &[], 0)?);
    let series = stage::run(&mut world)?;
    let moved = |mid: f64| (mid / START - 1.0) * 0.01 / shock;
    Ok(series[0]
        .mid
        .iter()
        .zip(&series[1].mid)
        .map(|(x, y)| [moved(*x), moved(*y)])
        .collect())
}

fn banks(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let moves = shared(1.0, 1e-4, 100)?;
    let note = "a shock of a basis point, scaled to the example's per cent";
    // The first step has the shock and the first sales.
    let second = [moves[0][0] + 0.01, moves[0][1]];
    for (asset, expected, got) in [("X", -0.001_404, second[0]), ("Y", -0.002_112, second[1])] {
        found
            .line(
                format!("f₂ of {asset}: what the first sales do"),
                expected,
                got,
                Tolerance::Relative(0.01),
            )
            .note(note);
    }
    let losses = [
        100.0 * (0.6 * second[0] + 0.4 * second[1]),
        50.0 * (0.2 * second[0] + 0.8 * second[1]),
    ];
    found
        .line(
            "aggregate vulnerability: second-round losses over equity",
            -0.026_724,
            (losses[0] + losses[1]) / 10.0,
            Tolerance::Relative(0.01),
        )
        .note(note);
    let last = moves[moves.len() - 1];
    for (asset, expected, got) in [("X", -0.012_042_72, last[0]), ("Y", -0.003_332_58, last[1])] {
        found
            .line(
                format!("f∞ of {asset}"),
                expected,
                got,
                Tolerance::Relative(0.01),
            )
            .note(note);
    }
    let step = |moves: &[[f64; 2]], n: usize| moves[n][1] - moves[n - 1][1];
    found
        .line(
            "largest eigenvalue of K: ratio of one round's move to the one before",
            0.345_527,
            step(&moves, 4) / step(&moves, 3),
            Tolerance::Relative(0.01),
        )
        .note("rounds four and three of Y");
    let wild = shared(5.0, 1e-6, 9)?;
    found
        .line(
            "impacts × 5: each round larger than the one before",
            1.727_6,
            step(&wild, 6) / step(&wild, 5),
            Tolerance::Relative(0.01),
        )
        .note("no limit is reported where there is none: the run shows the growth");
    found.plot = Some(Plot {
        name: "Price of Y, round by round, after a fall of X by one per cent".to_owned(),
        x_name: "round".to_owned(),
        y_name: "relative move".to_owned(),
        expected: rounds(),
        got: moves
            .iter()
            .take(12)
            .enumerate()
            .map(|(at, moved)| [at as f64 + 1.0, moved[1]])
            .collect(),
        ..Plot::default()
    });
    Ok(found)
}

/// What theory says of Y, round by round.
fn rounds() -> Vec<[f64; 2]> {
    // K = L Mᵀ diag(A B) M with A B = (1900, 450).
    let (m, ab, l) = ([[0.6, 0.4], [0.2, 0.8]], [1_900.0, 450.0], [2e-4, 4e-4]);
    let (mut f, mut sum, mut all) = ([-0.01, 0.0], 0.0, Vec::new());
    for round in 1..=12 {
        let sales = [0, 1].map(|n: usize| ab[n] * (m[n][0] * f[0] + m[n][1] * f[1]));
        f = [0, 1].map(|k: usize| l[k] * (m[0][k] * sales[0] + m[1][k] * sales[1]));
        sum += f[1];
        all.push([f64::from(round), sum]);
    }
    all
}
