//! Two markets and the accounts that hold both: falls are (I − R)⁻¹ D₀, stable while the spectral radius is below one.
//!
//! Longs of one market alone and longs of both in one cross account: a fall of either market breaches accounts that sell
//! in both, so that `R_ij = κ_i dV_i / d(−p_j)`. Here R = [[0.4, 0.2], [0.3, 0.5]], with eigenvalues 0.7 and 0.2: each
//! market looks safe by itself (1.67 and 2.0), the two together amplify up to 3.33.
//!
//! A cross account with q of each breaches its margin when the two falls together reach y:
//! `C = 2 m q p + (1 − m) q y`.
//!
//! # Reference
//!
//! Derived.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs, Series};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::trader::population::Holding;
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// Two markets.
pub const FAMILY: Family = Family {
    name: "two-markets",
    title: "Cross accounts in two markets: falls (I − R)⁻¹ D₀, and the spectral radius",
    source: "derived",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/cross.toml");
const START: i64 = 1_000_000;
const M: f64 = 0.05;
const LOTS: i64 = 4;
const KAPPA: [f64; 2] = [0.2, 0.3];
const R: [[f64; 2]; 2] = [[0.4, 0.2], [0.3, 0.5]];
/// Cross accounts.
const BOTH: usize = 2_400;

fn holdings(longs: &Longs) -> Vec<Holding> {
    // A lot a tick in both; of X alone another, of Y alone two thirds of one.
    let mut all = longs.comb(0, Lots(LOTS), LOTS as f64, 1_400);
    all.extend(longs.comb(1, Lots(LOTS), 1.5 * LOTS as f64, 700));
    for k in 0..BOTH {
        let reach = LOTS as f64 * (k as f64 + 0.5);
        let quanta = LOTS as f64 * longs.contract.quanta() as f64;
        let collateral = quanta * (2.0 * M * START as f64 + (1.0 - M) * reach);
        for market in 0..2 {
            all.push(Holding {
                account: format!("both-{k}"),
                market: MarketId(market),
                quantity: Lots(LOTS),
                entry: Ticks(START),
                collateral: Cash(if market == 0 {
                    collateral.round_ties_even() as i64
                } else {
                    0
                }),
                isolated: false,
            });
        }
    }
    all
}

/// Both markets after a fall of one by so many ticks, with impacts `scale` times as large, and the liquidations.
fn falls(
    market: &str,
    shock: f64,
    scale: f64,
    more: &[&str],
) -> Result<(Vec<Series>, u32), RunError> {
    let patches = [
        format!("shock.0.market={market}"),
        format!("shock.0.size={:e}", -shock / START as f64),
        format!(
            "market.X.venue.impact.law.linear.ticks_per_lot={}",
            scale * KAPPA[0]
        ),
        format!(
            "market.Y.venue.impact.law.linear.ticks_per_lot={}",
            scale * KAPPA[1]
        ),
    ];
    let more = more.iter().map(|patch| (*patch).to_owned());
    let scenario = stage::scenario(TEXT, patches.into_iter().chain(more))?;
    let prepared = scenario.prepare()?;
    let longs = Longs {
        contract: stage::contract(&prepared)?,
        entry: Ticks(START),
        maintenance: M,
    };
    let mut world = stage::world(&prepared, &holdings(&longs))?;
    let series = stage::run(&mut world)?;
    Ok((series, world.totals().liquidations))
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let shock = 2_000.0;
    // One check: what a fall of each market sells at once.
    let mut measured = [[0.0; 2]; 2];
    for (j, market) in ["X", "Y"].iter().enumerate() {
        let (series, _) = falls(market, shock, 1.0, &["rounds={ fixed = 1 }"])?;
        for i in 0..2 {
            let fell = START as f64 - series[i].mid[0];
            measured[i][j] = (fell - if i == j { shock } else { 0.0 }) / shock;
            found.line(
                format!("R of {} by a fall of {market}", ["X", "Y"][i]),
                R[i][j],
                measured[i][j],
                Tolerance::Relative(0.01),
            );
        }
    }
    let [[a, b], [c, d]] = measured;
    let root = ((a - d) * (a - d) + 4.0 * b * c).sqrt();
    for (sign, expected) in [(1.0, 0.7), (-1.0, 0.2)] {
        found.line(
            format!("eigenvalue {expected} of the measured R"),
            expected,
            f64::midpoint(a + d, sign * root),
            Tolerance::Relative(0.01),
        );
    }
    let (series, _) = falls("X", shock, 1.0, &[])?;
    for (i, expected) in [(0, 2.083_333), (1, 1.25)] {
        let fell = START as f64 - series[i].mid[0];
        found.line(
            format!("D₀ (1, 0): fall of {}, (I − R)⁻¹ D₀", ["X", "Y"][i]),
            expected,
            fell / shock,
            Tolerance::Relative(0.01),
        );
    }
    // Generation by generation both fall on by the largest eigenvalue.
    let stepwise = ["rounds={ fixed = 1 }", "length=16s"];
    let (series, _) = falls("X", shock, 1.0, &stepwise)?;
    let step = |n: usize| series[0].mid[n - 1] - series[0].mid[n];
    found
        .line(
            "ratio of the sixth generation of X to the fifth",
            0.7,
            step(6) / step(5),
            Tolerance::Relative(0.03),
        )
        .note("generations have tens of accounts by then");
    found.plot = Some(Plot {
        name: "X, generation by generation: the largest eigenvalue of R takes over".to_owned(),
        x_name: "generation".to_owned(),
        y_name: "ticks fallen in it".to_owned(),
        log: [false, true],
        expected: generations().iter().enumerate().map(pair).collect(),
        got: (1..10)
            .map(|n| [n as f64, step(n)])
            .filter(|[_, fell]| *fell > 0.0)
            .collect(),
    });
    // Each market alone at 0.6 and 0.75, together at 1.05; and just below one.
    let (_, liquidations) = falls("X", 40.0, 1.5, &[])?;
    found.line(
        "impacts × 1.5, spectral radius 1.05: accounts that hold both, all sold",
        BOTH as f64,
        f64::from(liquidations).min(BOTH as f64),
        Tolerance::Exact,
    );
    let (series, _) = falls("X", 200.0, 1.35, &[])?;
    let scaled = R.map(|row| row.map(|r| 1.35 * r));
    let det = (1.0 - scaled[0][0]) * (1.0 - scaled[1][1]) - scaled[0][1] * scaled[1][0];
    found.line(
        "impacts × 1.35, spectral radius 0.945: fall of X over D₀",
        (1.0 - scaled[1][1]) / det,
        (START as f64 - series[0].mid[0]) / 200.0,
        Tolerance::Relative(0.02),
    );
    Ok(found)
}

fn pair((at, fell): (usize, &f64)) -> [f64; 2] {
    [at as f64 + 1.0, *fell]
}

/// What X falls in each generation: Rⁿ D₀.
fn generations() -> Vec<f64> {
    let (mut fall, mut all) = ([2_000.0, 0.0], Vec::new());
    for _ in 0..10 {
        let [x, y] = fall;
        fall = [R[0][0] * x + R[0][1] * y, R[1][0] * x + R[1][1] * y];
        all.push(fall[0]);
    }
    all.remove(0);
    all
}
