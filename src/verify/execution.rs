//! What it costs to trade: optimal execution in a market that recovers, a block in a flat book, metaorders in a book whose
//! depth grows away from the price.
//!
//! Impact K a unit that decays at the rate ρ: to buy X over T it is best to buy X / (ρT + 2) at either end and at an even
//! rate in between, at a cost of K X² / (ρT + 2); an even rate alone costs K X² (ρT − 1 + e^(−ρT)) / (ρT)², a block K X² / 2.
//! A permanent impact λ would add λ X² / 2 to each, whatever the schedule; the engine's closed-form market has none, so
//! that only the part that decays is checked. Depth that grows in proportion to the distance from the price makes the
//! impact of a metaorder grow with the square root of its size.
//!
//! # Reference
//!
//! Obizhaeva, A. and Wang, J. (2013), "Optimal trading strategy and supply/demand dynamics", Journal of Financial
//! Markets 16; Donier, J., Bonart, J., Mastromatteo, I. and Bouchaud, J.-P. (2015), "A fully consistent, minimal model
//! for non-linear market impact", Quantitative Finance 15. The numbers are worked out from the equations.

use super::line::{Found, Plot, Tolerance};
use super::stage;
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;
use crate::market::Order;
use crate::math::series::slope;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{Lots, MarketId, Side, Ticks};

/// Optimal execution.
pub const FAMILY: Family = Family {
    name: "execution",
    title: "Buying in a market that recovers: K X² / (ρT + 2)",
    source: "Obizhaeva and Wang 2013",
    ground: Ground::Engine,
    run,
};

/// The square root of size.
pub const METAORDERS: Family = Family {
    name: "metaorders",
    title: "Impact of metaorders in a locally linear book: the square root of size",
    source: "Donier, Bonart, Mastromatteo and Bouchaud 2015",
    ground: Ground::Engine,
    run: metaorders,
};

const RECOVERS: &str = include_str!("../../configs/theory/execution.toml");
const BLOCK: &str = include_str!("../../configs/theory/block.toml");
const LINEAR: &str = include_str!("../../configs/theory/metaorder.toml");

/// Buys so many lots in each step, beginning with the first.
#[derive(Clone)]
pub(super) struct Schedule(pub Vec<i64>);

impl Behaviour for Schedule {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        let lots = self.0.get(view.step as usize).copied().unwrap_or(0);
        if lots > 0 {
            out.push(Intent::Place {
                market: MarketId(0),
                order: Order::market(members.first, Side::Buy, Lots(lots)),
                lifetime: u32::MAX,
            });
        }
    }
}

/// The world of a scenario whose one trader buys by a schedule, and the quanta of a lot at a tick.
fn buying(text: &str, lots: Vec<i64>) -> Result<(World, i64), RunError> {
    let scenario = stage::scenario(text, [""; 0])?;
    let prepared = scenario.prepare()?;
    let mut setup = stage::setup(&prepared, &[], 0)?;
    setup.cohorts[0].behaviour = Some(Box::new(Schedule(lots)));
    let quanta = setup.markets[0].contract.quanta();
    Ok((World::new(setup), quanta))
}

/// What the buyer paid beyond the price at the start, in units of money.
fn paid((mut world, quanta): (World, i64), start: i64) -> Result<f64, RunError> {
    let buyer = world.ledger().traders().next();
    let cost = |world: &World| {
        let slots = buyer.into_iter().flat_map(|id| world.ledger().places(id));
        let (mut quantity, mut cost) = (0_i128, 0_i128);
        for (_, slot) in slots {
            let slot = world.ledger().slot(slot);
            quantity += i128::from(slot.quantity.0);
            cost += i128::from(slot.cost.0);
        }
        (quantity, cost)
    };
    let before = cost(&world);
    stage::run(&mut world)?;
    let after = cost(&world);
    let bought = after.0 - before.0;
    let beyond = after.1 - before.1 - bought * i128::from(start) * i128::from(quanta);
    Ok(beyond as f64 / 1e6)
}

/// Whole lots that add up to a schedule as nearly as may be.
fn whole(amounts: &[f64]) -> Vec<i64> {
    let (mut sum, mut given) = (0.0, 0);
    amounts
        .iter()
        .map(|amount| {
            sum += amount;
            let lots = sum.round_ties_even() as i64 - given;
            given += lots;
            lots
        })
        .collect()
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let (x, k, rho) = (1e5, 1e-4, 2.231);
    let (slices, per_unit, start) = (2_000, 100.0, 10_000_000);
    let optimal = |end: f64| {
        let rest = (x - 2.0 * end) * per_unit / slices as f64;
        let mut amounts = vec![rest; slices + 1];
        amounts[0] = (end + rest / per_unit / 2.0) * per_unit;
        amounts[slices] = amounts[0];
        whole(&amounts)
    };
    let best = x / (rho + 2.0);
    let cost = paid(buying(RECOVERS, optimal(best))?, start)?;
    found
        .line(
            "ρT 2.231: x₀ of 23635 at either end, the rest evenly: cost",
            736_350.74 - 500_000.0,
            cost,
            Tolerance::Relative(1e-3),
        )
        .note("736350.74 with a permanent half of impact, which costs 500000 on any schedule; 2000 slices");
    let decay = ops::exp(-rho);
    let even = k * x * x * (rho - 1.0 + decay) / (rho * rho);
    let cost = paid(buying(RECOVERS, optimal(0.0))?, start)?;
    found.line(
        "ρT 2.231: an even rate: cost",
        even,
        cost,
        Tolerance::Relative(1e-3),
    );
    let block = vec![(x * per_unit) as i64];
    let cost = paid(buying(RECOVERS, block)?, start)?;
    found.line(
        "a block: cost, K X² / 2",
        k * x * x / 2.0,
        cost,
        Tolerance::Relative(1e-6),
    );
    let mut plot = Plot {
        name: "Cost by what is bought at either end".to_owned(),
        x_name: "share of the whole at either end".to_owned(),
        y_name: "cost".to_owned(),
        ..Plot::default()
    };
    let mut least = (f64::INFINITY, 0.0);
    for share in [
        0.0, 0.05, 0.1, 0.15, 0.2, 0.236_35, 0.27, 0.3, 0.35, 0.4, 0.45,
    ] {
        let got = paid(buying(RECOVERS, optimal(share * x))?, start)?;
        plot.expected
            .push([share, schedule_cost(share, rho) * k * x * x]);
        plot.got.push([share, got]);
        if got < least.0 {
            least = (got, share);
        }
    }
    found.line(
        "cheapest share at either end, of eleven tried: 1 / (ρT + 2)",
        1.0 / (rho + 2.0),
        least.1,
        Tolerance::Within(1e-3),
    );
    found.plot = Some(plot);
    // The book itself: a block through it, and how fast it refills.
    let q = 5_000.0;
    let cost = paid(buying(BLOCK, vec![100_000])?, 1_000)?;
    found
        .line(
            "a flat book of 5000 a tick: a block of 100000, X² / (2q)",
            x * x / (2.0 * q),
            cost,
            Tolerance::Within(x / 2.0 + q / 8.0),
        )
        .note("the book's ticks cost half a tick more on each lot");
    let (mut world, _) = buying(BLOCK, vec![100_000])?;
    let upper = Ticks(1_020);
    let whole = world.venue(MarketId(0)).depth(Side::Buy, upper).as_f64();
    let mut back = Vec::new();
    for step in 0..31 {
        world.step(&mut ())?;
        if [10, 20, 30].contains(&step) {
            let there = world.venue(MarketId(0)).depth(Side::Buy, upper).as_f64();
            back.push((step, there / whole));
        }
    }
    for (step, share) in back {
        let expected = 1.0 - ops::halved(f64::from(step), 10.0);
        found.line(
            format!("share of the block that is back after {step} s, of a half-life of 10 s"),
            expected,
            share,
            Tolerance::Within(0.001),
        );
    }
    Ok(found)
}

/// Cost over K X² of buying a share at either end and the rest evenly, with ρT.
fn schedule_cost(share: f64, rho: f64) -> f64 {
    let rate = 1.0 - 2.0 * share;
    let decay = ops::exp(-rho);
    // First block; the even part against the first block and itself; the last against all that is left.
    let first = share * share / 2.0;
    let even = rate * share * (1.0 - decay) / rho + rate * rate * (rho - 1.0 + decay) / (rho * rho);
    let left = share * decay + rate * (1.0 - decay) / rho;
    first + even + share * left + share * share / 2.0
}

fn metaorders(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut points = Vec::new();
    for exponent in 0..=12 {
        // From 1 unit to 10,000, in fifty parts.
        let lots = 1_000.0 * ops::pow(10.0, f64::from(exponent) / 3.0);
        let part = (lots / 50.0).round();
        let (mut world, _) = buying(LINEAR, vec![part as i64; 50])?;
        stage::run(&mut world)?;
        let moved = world.rows()[0].last.as_f64() - 1e6;
        points.push([part * 50.0 / 1_000.0, moved / 1e6 * 1e4]);
    }
    let logs =
        |axis: usize| -> Vec<f64> { points.iter().map(|point| ops::ln(point[axis])).collect() };
    let exponent = slope(&logs(0), &logs(1));
    found
        .line(
            "exponent of impact over size, four decades",
            0.5,
            exponent,
            Tolerance::Within(0.03),
        )
        .note("measured in markets: 0.45 to 0.55; each metaorder in fifty parts");
    // 0.1 x² units stand within x basis points.
    for [size, moved] in points.iter().skip(3).step_by(3) {
        found.line(
            format!("metaorder of {size:.1} units: basis points, √(10 Q)"),
            (10.0 * size).sqrt(),
            *moved,
            Tolerance::Relative(0.04),
        );
    }
    found.plot = Some(Plot {
        name: "Impact of metaorders in a locally linear book".to_owned(),
        x_name: "units".to_owned(),
        y_name: "basis points".to_owned(),
        log: [true, true],
        expected: points
            .iter()
            .map(|[size, _]| [*size, (10.0 * size).sqrt()])
            .collect(),
        got: points,
    });
    Ok(found)
}
