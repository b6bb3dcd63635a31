//! The margin spiral: a maintenance rate that answers the fall.
//!
//! If a fall of the share x raises the rate by χ·x, every trigger moves up by p / (1 − m) · χ·x, and a fall comes out
//! multiplied by `A = 1 / (1 − R (1 + χ / (1 − m)))`, to first order. The spiral sustains itself from
//! `χ* = (1 − m) (1 / R − 1)` on.
//!
//! # Reference
//!
//! Derived; the margin spiral is that of Brunnermeier, M. and Pedersen, L. (2009), "Market liquidity and funding
//! liquidity", Review of Financial Studies 22.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;
use crate::unit::{Lots, Ticks};

/// Adaptive margin.
pub const FAMILY: Family = Family {
    name: "adaptive-margin",
    title: "Margin that answers the fall: A = 1 / (1 − R (1 + χ / (1 − m))), and χ*",
    source: "derived; Brunnermeier and Pedersen 2009",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/adaptive.toml");
const M: f64 = 0.05;
/// The start in ticks, and the ticks over which triggers are spread.
const START: i64 = 100_000_000;
const RANGE: f64 = 1e6;
const ACCOUNTS: usize = 10_000;
const LOTS: i64 = 100;

fn cascade(r: f64, chi: f64, shock: f64, steps: u32) -> Result<(f64, World), RunError> {
    let density = ACCOUNTS as f64 * LOTS as f64 / RANGE;
    let scenario = stage::scenario(
        TEXT,
        [
            format!("length={steps}s"),
            format!("shock.0.size={}", -shock),
            format!("margin.adjust.0.drawdown.responsiveness={chi}"),
            format!(
                "market.X.venue.impact.law.linear.ticks_per_lot={:e}",
                r / density
            ),
        ],
    )?;
    let prepared = scenario.prepare()?;
    let longs = Longs {
        contract: stage::contract(&prepared)?,
        entry: Ticks(START),
        maintenance: M,
    };
    let holdings = longs.comb(0, Lots(LOTS), RANGE / ACCOUNTS as f64, ACCOUNTS);
    let mut world = stage::world(&prepared, &holdings)?;
    let series = stage::run(&mut world)?;
    let last = series[0].mid[series[0].mid.len() - 1];
    Ok((1.0 - last / START as f64, world))
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let r = 0.404_255;
    let mut plot = Plot {
        name: "Amplification by a margin's responsiveness, R = 0.404".to_owned(),
        x_name: "χ".to_owned(),
        y_name: "amplification".to_owned(),
        expected: (0..=80)
            .map(|k| f64::from(k) / 100.0)
            .map(|chi| [chi, 1.0 / (1.0 - r * (1.0 + chi / (1.0 - M)))])
            .collect(),
        ..Plot::default()
    };
    for (chi, expected) in [(0.0, 1.678_571), (0.25, 2.043_478), (0.5, 2.611_111)] {
        let (fall, _) = cascade(r, chi, 1e-3, 200)?;
        plot.got.push([chi, fall / 1e-3]);
        found
            .line(
                format!("R {r}, m {M}, χ {chi}: amplification"),
                expected,
                fall / 1e-3,
                Tolerance::Relative(0.01),
            )
            .note("to first order in a fall of 0.1 %");
    }
    found.plot = Some(plot);
    // So small a fall that only a spiral that sustains itself sells most of the accounts.
    let r = 0.5;
    let critical = (1.0 - M) * (1.0 / r - 1.0);
    let sold_out = |chi: f64| -> Result<bool, RunError> {
        let (_, world) = cascade(r, chi, 1e-5, 6_000)?;
        Ok(world.totals().liquidations as usize > ACCOUNTS * 4 / 5)
    };
    let (mut low, mut high) = (0.9 * critical, 1.1 * critical);
    for _ in 0..budget.of(6, 4) {
        let middle = f64::midpoint(low, high);
        if sold_out(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    found
        .line(
            format!("R {r}, m {M}: χ* from which everything is sold"),
            critical,
            f64::midpoint(low, high),
            Tolerance::Relative(if budget.quick { 0.02 } else { 0.01 }),
        )
        .note("by halving, from 10 % on either side");
    Ok(found)
}
