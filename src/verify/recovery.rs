//! A book that recovers between margin checks: share η of each impact is still there at the next.
//!
//! Volumes follow `V' = R (V − (1 − η) V₋₁)`, until they are used up. Where R ≥ 4 (1 − η) the total is V₀ / (1 − η R), and
//! the critical R is 1/η; below, a cascade dies after finitely many checks. A cool-down in which the book recovers half
//! of each hit doubles the R that is borne.
//!
//! # Reference
//!
//! Derived.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::unit::{Lots, Ticks};

/// Recovery between checks.
pub const FAMILY: Family = Family {
    name: "recovery",
    title: "A book that recovers between checks: V₀ / (1 − η R)",
    source: "derived",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/recovery.toml");
const START: i64 = 1_000_000;
const SALE: i64 = 100_000;
/// Lots that move the price by a tick.
const DEPTH: f64 = 100.0;
const EVERY: i64 = 4;

/// What is sold over the first sale, and whether all triggers were.
fn sold(r: f64, eta: f64, levels: usize) -> Result<(f64, bool), RunError> {
    let scenario = stage::scenario(
        TEXT,
        [
            format!("market.X.anchor.permanent_share={eta}"),
            format!(
                "market.X.venue.impact.law.linear.ticks_per_lot={}",
                1.0 / DEPTH
            ),
        ],
    )?;
    let prepared = scenario.prepare()?;
    let longs = Longs {
        contract: stage::contract(&prepared)?,
        entry: Ticks(START),
        maintenance: 0.05,
    };
    let lots = (r * DEPTH).round() as i64 * EVERY;
    let mut holdings = vec![longs.sale(0, Lots(SALE))];
    holdings.extend((1..=levels as i64).map(|level| {
        let trigger = (START - level * EVERY) as f64 + 0.5;
        longs.at(format!("t{level}"), 0, Lots(lots), trigger)
    }));
    let mut world = stage::world(&prepared, &holdings)?;
    let series = stage::run(&mut world)?;
    let total: i64 = series[0].sold.iter().sum();
    let all = world.totals().liquidations as usize == levels + 1;
    Ok((total as f64 / SALE as f64, all))
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut plot = Plot {
        name: "All that is sold over the first sale, where the cascade doesn't die early"
            .to_owned(),
        x_name: "η R".to_owned(),
        y_name: "sold over V₀".to_owned(),
        log: [false, true],
        expected: (0..=96)
            .map(|k| f64::from(k) / 100.0)
            .map(|x| [x, 1.0 / (1.0 - x)])
            .collect(),
        ..Plot::default()
    };
    for (r, eta, expected, levels, how) in [
        (0.8, 0.9, 3.571_429, 1_500, "V₀ / (1 − η R)"),
        (1.05, 0.9, 18.181_818, 5_500, "V₀ / (1 − η R), beyond R = 1"),
        (0.5, 1.0, 2.0, 1_100, "nothing recovers"),
        (0.8, 0.5, 2.04, 1_100, "dies after two checks"),
    ] {
        let (total, _) = sold(r, eta, levels)?;
        if r >= 4.0 * (1.0 - eta) {
            plot.got.push([eta * r, total]);
        }
        found.line(
            format!("R {r}, η {eta}: sold over V₀, {how}"),
            expected,
            total,
            Tolerance::Relative(0.02),
        );
    }
    let levels = 1_500;
    let (total, all) = sold(1.3, 0.8, levels)?;
    let everything = 1.0 + 1.3 * DEPTH * EVERY as f64 * levels as f64 / SALE as f64;
    found.line(
        format!("R 1.3, η 0.8: all of {levels} triggers"),
        everything,
        if all { total } else { 0.0 },
        Tolerance::Relative(1e-9),
    );
    found.plot = Some(plot);
    Ok(found)
}
