//! Margin checks that come late: bad debt grows as the square of what a check overshoots.
//!
//! The price falls by δ between two checks, and positions are closed at the end of it: with a buffer B from trigger to
//! bankruptcy and g units of triggers a unit of price, g (δ − B)₊² / 2 remain unpaid. Checked continuously and without
//! gaps, nothing would.
//!
//! # Reference
//!
//! Derived.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::unit::{Lots, Ticks};
use std::fmt::Write as _;

/// Bad debt of latency.
pub const FAMILY: Family = Family {
    name: "latency",
    title: "Checks that come late: g (δ − B)² / 2 unpaid",
    source: "derived",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/latency.toml");
const START: i64 = 100_000;
const M: f64 = 0.005;
/// Units of triggers a unit of price, on a comb of a trigger a tick.
const G: f64 = 40.0;

fn unpaid(falls: &[f64]) -> Result<f64, RunError> {
    let (mut price, mut shocks) = (100.0, String::new());
    for (step, fall) in falls.iter().enumerate() {
        let _ = write!(
            shocks,
            "{}{{ at = \"{}s\", size = {:.15} }}",
            if step > 0 { ", " } else { "" },
            step + 1,
            -fall / price
        );
        price -= fall;
    }
    let scenario = stage::scenario(TEXT, [format!("shock=[{shocks}]")])?;
    let prepared = scenario.prepare()?;
    let longs = Longs {
        contract: stage::contract(&prepared)?,
        entry: Ticks(START),
        maintenance: M,
    };
    let holdings = longs.comb(0, Lots(4), 1.0, 2_500);
    let mut world = stage::world(&prepared, &holdings)?;
    stage::run(&mut world)?;
    Ok(world.totals().bad_debt.0 as f64 / 1e6)
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut plot = Plot {
        name: "Unpaid by the fall between two checks".to_owned(),
        x_name: "fall between checks".to_owned(),
        y_name: "unpaid".to_owned(),
        ..Plot::default()
    };
    let buffer = M * 100.0;
    let law = |delta: f64| {
        let over = (delta - buffer).max(0.0);
        G * over * over / 2.0
    };
    plot.expected = (0..=40)
        .map(|k| f64::from(k) / 20.0)
        .map(|d| [d, law(d)])
        .collect();
    found
        .line(
            "g 40, B ½, falls of 1, ½, ¼: unpaid",
            5.0,
            unpaid(&[1.0, 0.5, 0.25])?,
            Tolerance::Relative(0.02),
        )
        .note("B is m times the trigger, a little below a half");
    for delta in [0.4, 1.0, 1.5, 2.0] {
        let got = unpaid(&[delta])?;
        plot.got.push([delta, got]);
        found.line(
            format!("g 40, B ½, a fall of {delta}: unpaid"),
            law(delta),
            got,
            Tolerance::Within(0.02 * law(delta)),
        );
    }
    found.plot = Some(plot);
    Ok(found)
}
