//! Uniform triggers under square-root impact: always finite, and never small.
//!
//! All of a cascade as one metaorder: D = D₀ + b √D with b = c √g, so that `D = ((b + √(b² + 4 D₀)) / 2)²`. It always
//! ends, but any nudge into the triggers costs at least b². If each liquidation is a metaorder of its own, of s units,
//! impacts add and the law is linear again with κ = c / √s: R = c g / √s, and smaller slices raise R.
//!
//! # Units
//!
//! 10,000 ticks stand for one of the unit in which b = 1.
//!
//! # Reference
//!
//! Derived. The engine has the linear law and the square root; other powers are not checked.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::math::ops;
use crate::unit::{Lots, Ticks};

/// Square-root impact.
pub const FAMILY: Family = Family {
    name: "square-root",
    title: "Cascades under square-root impact: one metaorder, and each its own",
    source: "derived",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/root.toml");
const START: i64 = 10_000_000;
const UNIT: f64 = 10_000.0;

/// The fall in ticks, and the triggers that are left; `lots` of them stand every `lots` ticks.
fn fall(
    shock: f64,
    coefficient: f64,
    per_order: bool,
    lots: i64,
    levels: usize,
) -> Result<(f64, usize), RunError> {
    let scenario = stage::scenario(
        TEXT,
        [
            format!("shock.0.size={:e}", -shock / START as f64),
            format!(
                "market.X.venue.impact.law.square_root={{ ticks_per_sqrt_lot = {coefficient}, per_order = {per_order} }}"
            ),
        ],
    )?;
    let prepared = scenario.prepare()?;
    let longs = Longs {
        contract: stage::contract(&prepared)?,
        entry: Ticks(START),
        maintenance: 0.05,
    };
    let holdings = longs.comb(0, Lots(lots), lots as f64, levels);
    let mut world = stage::world(&prepared, &holdings)?;
    let series = stage::run(&mut world)?;
    let left = levels - world.totals().liquidations as usize;
    Ok((START as f64 - series[0].mid[0], left))
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let law = |first: f64| {
        let root = (1.0 + (1.0 + 4.0 * first).sqrt()) / 2.0;
        root * root
    };
    let mut plot = Plot {
        name: "Fall under square-root impact, all of a cascade one metaorder (b = 1)".to_owned(),
        x_name: "first fall".to_owned(),
        y_name: "fall".to_owned(),
        log: [true, true],
        expected: (0..=40)
            .map(|k| ops::pow(10.0, -3.0 + f64::from(k) / 10.0))
            .map(|first| [first, law(first)])
            .collect(),
        ..Plot::default()
    };
    for first in [0.001, 0.01, 0.25, 1.0, 4.0] {
        let (fell, _) = fall(first * UNIT, 100.0, false, 4, 17_500)?;
        let got = fell / UNIT;
        plot.got.push([first, got]);
        let line = found.line(
            format!("one metaorder, b 1, D₀ {first}: fall"),
            law(first),
            got,
            Tolerance::Relative(0.005),
        );
        if first < 0.01 {
            line.note("the least cascade that there is, b²");
        }
    }
    found.plot = Some(plot);
    for (lots, coefficient) in [(16, 2.0), (8, 2.0), (4, 1.0)] {
        let r = coefficient / (lots as f64).sqrt();
        let first = 8_000.0;
        let (fell, _) = fall(first, coefficient, true, lots, 48_000 / lots as usize)?;
        found.line(
            format!("each its own, s {lots}, c {coefficient}: fall over D₀, 1 / (1 − R)"),
            1.0 / (1.0 - r),
            fell / first,
            Tolerance::Relative(0.01),
        );
    }
    let levels = 4_000;
    let (_, left) = fall(8_000.0, 2.0, true, 4, levels)?;
    found
        .line(
            "each its own, s 4, c 2, R 1: triggers left of 4000",
            0.0,
            left as f64,
            Tolerance::Exact,
        )
        .note("with slices of 16 the same lots end at R = ½");
    Ok(found)
}
