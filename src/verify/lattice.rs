//! Cascades on a lattice, to the lot and the tick; and what a single large position leaves unpaid.
//!
//! A book with q lots on every tick, triggers of g lots on every tick, and a first sale of V₀: all that is sold is
//! V₀ / (1 − R) with R = g / q, generation n of it V₀ · Rⁿ; at R ≥ 1 only the end of the population stops it. A long
//! of s lots that is bankrupt B below the price leaves s² / (2q) − B·s unpaid, or nothing.
//!
//! # Reference
//!
//! Both derived: triggers lie evenly, and impact is that of walking the book.

use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::market::Contract;
use crate::trader::population::Holding;
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// Uniform triggers on a flat book.
pub const FAMILY: Family = Family {
    name: "lattice",
    title: "Cascades on a lattice of triggers: V₀ / (1 − R), generations V₀ · Rⁿ",
    source: "derived: R = g / q",
    ground: Ground::Engine,
    run: cascades,
};

/// One large position.
pub const LARGE: Family = Family {
    name: "large-position",
    title: "Bad debt of a single large position: s² / (2q) − B·s",
    source: "derived",
    ground: Ground::Engine,
    run: large,
};

pub(super) const TEXT: &str = include_str!("../../configs/theory/lattice.toml");
const START: i64 = 10_000;
const MAINTENANCE: f64 = 0.05;

/// The setting of so many lots on every tick.
pub(super) fn depth(lots: i64) -> String {
    format!("market.X.venue.book.depth.flat.lots_per_tick={lots}")
}

fn cascades(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    for (q, g, sale, levels, executed, ticks) in [
        (10, 0, 100, 0, 100, 10),
        (10, 5, 100, 200, 200, 20),
        (10, 9, 50, 200, 500, 50),
        (10, 10, 50, 300, 50 + 10 * 300, 305),
        (10, 10, 50, 600, 50 + 10 * 600, 605),
        (10, 12, 50, 300, 50 + 12 * 300, 365),
    ] {
        let (sold, last) = cascade(q, g, sale, levels, &[])?;
        let end = if g >= q {
            format!(", to the last of {levels} triggers")
        } else {
            String::new()
        };
        let what = format!("q {q}, g {g}, V₀ {sale}{end}");
        let total: i64 = sold.iter().sum();
        found.line(
            format!("{what}: lots"),
            f64::from(executed),
            total as f64,
            Tolerance::Exact,
        );
        let fall = START - last[last.len() - 1];
        found.line(
            format!("{what}: ticks"),
            f64::from(ticks),
            fall as f64,
            Tolerance::Exact,
        );
    }
    // One margin check a step, so that a step is a generation. Below one tick's worth the lattice shows: half a tick
    // of depth is enough to trade at the tick.
    let patches = ["rounds={ fixed = 1 }", "length=10s"];
    let (sold, _) = cascade(32, 16, 2_048, 200, &patches)?;
    let mut plot = Plot {
        name: "Generations of a cascade on a lattice, R = ½".to_owned(),
        x_name: "generation".to_owned(),
        y_name: "lots sold".to_owned(),
        log: [false, true],
        ..Plot::default()
    };
    let mut expected = 2_048.0;
    for (n, sold) in sold.iter().take(8).enumerate() {
        found.line(
            format!("q 32, g 16, V₀ 2048: generation {n}"),
            expected,
            *sold as f64,
            Tolerance::Exact,
        );
        plot.expected.push([n as f64, expected]);
        plot.got.push([n as f64, *sold as f64]);
        expected /= 2.0;
    }
    found.plot = Some(plot);
    Ok(found)
}

/// Longs that entered at the start.
pub(super) const fn longs(contract: Contract) -> Longs {
    Longs {
        contract,
        entry: Ticks(START),
        maintenance: MAINTENANCE,
    }
}

/// Longs of g lots whose triggers lie on so many ticks below the start.
pub(super) fn triggers(longs: &Longs, g: i64, levels: i64) -> impl Iterator<Item = Holding> {
    // Half a tick above a level: there it is short of its margin, a tick higher it is not.
    (1..=levels).map(move |level| {
        let trigger = (START - level) as f64 + 0.5;
        longs.at(format!("t{level}"), 0, Lots(g), trigger)
    })
}

/// Lots sold and the last trade, step by step.
fn cascade(
    q: i64,
    g: i64,
    sale: i64,
    levels: i64,
    patches: &[&str],
) -> Result<(Vec<i64>, Vec<i64>), RunError> {
    let depth = depth(q);
    let scenario = stage::scenario(TEXT, patches.iter().copied().chain([depth.as_str()]))?;
    let prepared = scenario.prepare()?;
    let longs = longs(stage::contract(&prepared)?);
    let mut holdings = vec![longs.sale(0, Lots(sale))];
    if g > 0 {
        holdings.extend(triggers(&longs, g, levels));
    }
    let mut world = stage::world(&prepared, &holdings)?;
    let series = stage::run(&mut world)?.swap_remove(0);
    Ok((series.sold, series.last))
}

fn large(_: &Budget) -> Result<Found, RunError> {
    let (q, buffer) = (10, 200);
    let mut found = Found::default();
    let mut plot = Plot {
        name: "Bad debt of a single position, by its size".to_owned(),
        x_name: "lots".to_owned(),
        y_name: "unpaid".to_owned(),
        ..Plot::default()
    };
    let depth = depth(q);
    let scenario = stage::scenario(TEXT, [depth.as_str(), "rounds={ fixed = 1 }"])?;
    let prepared = scenario.prepare()?;
    let quanta = stage::contract(&prepared)?.quanta();
    for s in [100, 2_000, 3_500, 3_990, 4_000, 4_400, 5_000, 7_777, 12_000] {
        let whale = Holding {
            account: "whale".to_owned(),
            market: MarketId(0),
            quantity: Lots(s),
            entry: Ticks(START),
            collateral: Cash(buffer * s * quanta),
            isolated: true,
        };
        let mut world = stage::world(&prepared, &[whale])?;
        stage::run(&mut world)?;
        let unpaid = world.totals().bad_debt.0 as f64 / quanta as f64;
        // On the lattice the first bid stands a whole tick below: q on each of n ticks, the rest one further.
        let (n, rest) = (s / q, s % q);
        let exact = (q * n * (n + 1) / 2 + rest * (n + 1) - buffer * s).max(0);
        found.line(
            format!("s {s}, q {q}, B {buffer}: unpaid, on ticks"),
            exact as f64,
            unpaid,
            Tolerance::Exact,
        );
        let (s, q) = (s as f64, q as f64);
        let continuum = (s * s / (2.0 * q) - buffer as f64 * s).max(0.0);
        let most = s / 2.0 + q / 8.0;
        found
            .line(
                format!("s {s}: unpaid, s² / (2q) − B·s"),
                continuum,
                unpaid,
                Tolerance::Within(most),
            )
            .note("the lattice costs half a tick more on each lot");
        plot.expected.push([s, continuum]);
        plot.got.push([s, unpaid]);
    }
    found.plot = Some(plot);
    Ok(found)
}
