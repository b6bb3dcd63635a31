//! Cascades in the continuum: a population that is uniform over trigger prices, under linear impact.
//!
//! A fall of the outside price by D₀ becomes D₀ / (1 − R), R = κ·g: each further unit of fall forces g units, each of
//! which moves the price by κ. Generations are D₀ · g · Rⁿ. From R = 1 on the fall ends only beyond the last trigger.
//!
//! # Reference
//!
//! Derived. With 1/L uniform the triggers p (1 − 1/L) / (1 − m) are uniform; members of equal capital hold in proportion
//! to L, so that for a uniform quantity their number is in proportion to 1/L.

use super::line::{Found, Plot, Tolerance};
use super::stage;
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;
use rayon::prelude::*;

/// A uniform population.
pub const FAMILY: Family = Family {
    name: "uniform",
    title: "Cascades of a uniform population: D₀ / (1 − R)",
    source: "derived: R = κ·g",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/uniform.toml");
/// Maintenance rate, which is also the least 1/L, so that triggers begin at the entry price.
const M: f64 = 0.05;
const U: [f64; 2] = [0.05, 0.25];
const CAPITAL: f64 = 1_000.0;
const PRICE: f64 = 10_000.0;
const TICK: f64 = 0.01;
const LOT: f64 = 0.0001;

/// Lots that are forced a tick of fall: Q / (p (u₁ − u₀) / (1 − m)), with E L = 2 / (u₀ + u₁).
fn density(accounts: f64) -> f64 {
    let lots = accounts * CAPITAL * 2.0 / (U[0] + U[1]) / PRICE / LOT;
    lots / (PRICE / TICK * (U[1] - U[0]) / (1.0 - M))
}

/// What a cascade came to.
struct Cascade {
    /// Fall of the mid at the end of each step, in units of price.
    falls: Vec<f64>,
    /// Lots sold in each.
    sold: Vec<i64>,
    liquidations: u32,
}

fn cascade(
    accounts: f64,
    seed: usize,
    r: f64,
    shock: f64,
    more: &[&str],
) -> Result<Cascade, RunError> {
    let patches = [
        format!("seed={seed}"),
        format!("cohort.longs.count={accounts}"),
        format!("shock.0.size={}", -shock / PRICE),
        format!(
            "market.X.venue.impact.law.linear.ticks_per_lot={:e}",
            r / density(accounts)
        ),
    ];
    let more = more.iter().map(|patch| (*patch).to_owned());
    let scenario = stage::scenario(TEXT, patches.into_iter().chain(more))?;
    let prepared = scenario.prepare()?;
    let mut world = World::new(stage::setup(&prepared, &[], 0)?);
    let series = stage::run(&mut world)?.swap_remove(0);
    Ok(Cascade {
        falls: series.mid.iter().map(|mid| PRICE - mid * TICK).collect(),
        sold: series.sold,
        liquidations: world.totals().liquidations,
    })
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    // Some 30,000 of 100,000 accounts are sold in a run, so a run alone has a standard error of half a per cent.
    let seeds = budget.of(8, 1);
    let accounts = budget.of(100_000, 50_000) as f64;
    let band = if budget.quick { 0.04 } else { 0.01 };
    let cases: Vec<(f64, f64)> = vec![(0.25, 800.0), (0.5, 800.0), (0.7, 500.0)];
    let runs: Vec<(f64, f64, usize)> = cases
        .iter()
        .flat_map(|(r, shock)| (1..=seeds).map(|seed| (*r, *shock, seed)))
        .collect();
    let done = runs
        .par_iter()
        .map(|(r, shock, seed)| cascade(accounts, *seed, *r, *shock, &[]))
        .collect::<Result<Vec<_>, _>>()?;
    let mut plot = Plot {
        name: "Fall over the first fall, by reproduction number".to_owned(),
        x_name: "R".to_owned(),
        y_name: "amplification".to_owned(),
        expected: (0..=75)
            .map(|k| f64::from(k) / 100.0)
            .map(|r| [r, 1.0 / (1.0 - r)])
            .collect(),
        ..Plot::default()
    };
    for ((r, shock), runs) in cases.iter().zip(done.chunks(seeds)) {
        let n = runs.len() as f64;
        let fell: f64 = runs.iter().map(|run| run.falls[0] / n).sum();
        let sold: f64 = runs.iter().map(|run| run.sold[0] as f64 / n).sum();
        let expected = shock / (1.0 - r);
        let note = format!("mean of {} of {accounts} accounts", runs.len());
        found
            .line(
                format!("R {r}, D₀ {shock}: fall"),
                expected,
                fell,
                Tolerance::Relative(band),
            )
            .note(&note);
        let forced = density(accounts) * expected / TICK;
        found
            .line(
                format!("R {r}, D₀ {shock}: lots forced, g·D"),
                forced,
                sold,
                Tolerance::Relative(band),
            )
            .note(note);
        plot.got.push([*r, fell / shock]);
    }
    found.plot = Some(plot);
    let stepwise = ["rounds={ fixed = 1 }", "length=20s"];
    let (r, shock) = (0.5, 800.0);
    let run = cascade(accounts, 1, r, shock, &stepwise)?;
    let mut expected = density(accounts) * shock / TICK;
    for (n, sold) in run.sold.iter().take(4).enumerate() {
        found
            .line(
                format!("R {r}: lots of generation {n}"),
                expected,
                *sold as f64,
                Tolerance::Relative(3.0 * band),
            )
            .note("the last of these four has some thousand accounts");
        expected *= r;
    }
    for r in [1.1, 1.3] {
        let run = cascade(accounts, 1, r, 200.0, &[])?;
        found.line(
            format!("R {r}: accounts liquidated, of all"),
            accounts,
            f64::from(run.liquidations),
            Tolerance::Exact,
        );
        let edge = 200.0 + r * PRICE * (U[1] - U[0]) / (1.0 - M);
        found.line(
            format!("R {r}: fall: the shock, and the impact of all"),
            edge,
            run.falls[0],
            Tolerance::Relative(0.01),
        );
    }
    Ok(found)
}
