//! The price of a perpetual: the premium at which funding pays for the carry.
//!
//! Hold φ units of spot financed at r a year, and sell one perpetual at F = φ S: funding pays κ (F − S) a year, κ the
//! payments in it, and the carry costs r φ S. They are equal at `φ = κ / (κ − r)`.
//!
//! A buyer moves the perpetual to φ S once; a short holds one unit for a year of the engine's funding.
//!
//! # Reference
//!
//! He, S., Manela, A., Ross, O. and von Wachter, V. (2022), "Fundamentals of perpetual futures", arXiv 2212.08888: a
//! constant ratio where there are no frictions. The closed form is derived.

use super::execution::Schedule;
use super::line::{Found, Plot, Tolerance};
use super::stage;
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;
use crate::trader::population::Holding;
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// Funding against carry.
pub const FAMILY: Family = Family {
    name: "perpetual-price",
    title: "A perpetual's price: funding pays for the carry at φ = κ / (κ − r)",
    source: "derived; He, Manela, Ross and von Wachter 2022",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/perpetual.toml");
const SPOT: f64 = 100.0;
/// Payments a year.
const KAPPA: f64 = 1_095.0;
const START: i64 = 100_000_000;

/// What a short of one unit is paid in a year, with the perpetual at φ times the spot price.
fn received(phi: f64) -> Result<f64, RunError> {
    let scenario = stage::scenario(TEXT, [""; 0])?;
    let prepared = scenario.prepare()?;
    let quanta = stage::contract(&prepared)?.quanta();
    let short = Holding {
        account: "short".to_owned(),
        market: MarketId(0),
        quantity: Lots(-1_000),
        entry: Ticks(START),
        collateral: Cash(1_000 * START * quanta),
        isolated: true,
    };
    let mut setup = stage::setup(&prepared, &[short], 0)?;
    // A tick a lot.
    let lots = ((phi - 1.0) * START as f64).round() as i64;
    setup.cohorts[0].behaviour = Some(Box::new(Schedule(vec![lots])));
    let mut world = World::new(setup);
    let account = world.ledger().traders().last();
    let equity = |world: &World| account.map_or(0, |id| world.equity(id));
    let before = equity(&world);
    stage::run(&mut world)?;
    Ok((equity(&world) - before) as f64 * 1e-9)
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut plot = Plot {
        name: "A year's funding of one perpetual at the price that pays for the carry".to_owned(),
        x_name: "rate of the carry".to_owned(),
        y_name: "received".to_owned(),
        ..Plot::default()
    };
    for (rate, phi) in [
        (0.05, 1.000_045_66),
        (0.1, 1.000_091_33),
        (0.2, 1.000_182_68),
    ] {
        found.line(
            format!("r {rate}: φ = κ / (κ − r)"),
            phi,
            KAPPA / (KAPPA - rate),
            Tolerance::Within(1e-8),
        );
        let carry = rate * phi * SPOT;
        let got = received(phi)?;
        found
            .line(
                format!("r {rate}: a year's funding of a short, r φ S"),
                carry,
                got,
                Tolerance::Relative(2e-3),
            )
            .note("the first payment is of an average that begins before the premium");
        plot.expected.push([rate, carry]);
        plot.got.push([rate, got]);
    }
    found.plot = Some(plot);
    Ok(found)
}
