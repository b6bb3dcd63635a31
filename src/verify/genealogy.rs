//! The genealogy of cascades whose reproduction number is known: the branching ratio is R, and trees have the law that R gives.
//!
//! On the lattice (q lots on every tick, triggers of g lots on every tick) each liquidation of g lots brings about g / q more, and
//! nothing else moves the price: n̂ = R = g / q, but for the sales at the beginning and a few at the end.
//!
//! With Poisson triggers ([`branching`]) what a batch of liquidations brings about is a Poisson number over the
//! whole move of the batch, each with an equal share of every one of them. Drawn to one of its causes in proportion, each child has
//! one parent, every liquidation a Poisson number of children of mean R, and a tree Borel's law, that of Borel and Tanner
//! with one founder: `P(N = n) = (nR)ⁿ⁻¹ e^(−nR) / n!`.
//!
//! # Reference
//!
//! Consul, P. C. and Jain, G. C. (1973), "A generalization of the Poisson distribution", Technometrics 15.

use super::branching::{self, Size};
use super::line::{Found, Plot, Tolerance};
use super::stage::{self, Longs};
use super::{Budget, Family, Ground, lattice};
use crate::cascade::{Genealogy, summary, tail};
use crate::engine::{Setup, World};
use crate::experiment::RunError;
use crate::measure::{Frame, Recorder};
use crate::scenario::Prepared;
use crate::trader::population::Holding;
use crate::unit::Lots;
use rayon::prelude::*;

/// Attribution where the answer is known.
pub const FAMILY: Family = Family {
    name: "genealogy",
    title: "Genealogy: n̂ = R on the lattice, trees of Poisson triggers have the Borel–Tanner law",
    source: "derived; Consul and Jain 1973",
    ground: Ground::Engine,
    run,
};

/// The genealogy of a world, run to its end.
fn genealogy(setup: Setup) -> Result<Genealogy, RunError> {
    let mut recorder = Recorder::new(Frame::of(&setup), 1);
    let mut world = World::new(setup);
    world.trace_causes();
    world.run(&mut recorder, |_| true)?;
    let found = Genealogy::of(&recorder.finish(0));
    // A world that traces has one.
    Ok(found.unwrap_or_default())
}

/// n̂ of a cascade on the lattice that `first` sales of g lots begin.
fn on_the_lattice(q: i64, g: i64, first: usize, levels: i64) -> Result<f64, RunError> {
    let depth = lattice::depth(q);
    let scenario = stage::scenario(lattice::TEXT, [depth])?;
    let prepared = scenario.prepare()?;
    let longs = lattice::longs(stage::contract(&prepared)?);
    let mut holdings: Vec<Holding> = (0..first)
        .map(|k| Holding {
            account: format!("sale{k}"),
            ..longs.sale(0, Lots(g))
        })
        .collect();
    holdings.extend(lattice::triggers(&longs, g, levels));
    let found = genealogy(stage::setup(&prepared, &holdings, 0)?)?;
    Ok(summary::branching(&found).map_or(f64::NAN, |found| found[0]))
}

/// Sizes of a run's trees, and Σ of what its liquidations owe to others.
fn trees(
    prepared: &Prepared<'_>,
    longs: &Longs,
    run: u64,
    r: f64,
) -> Result<(Vec<u32>, f64), RunError> {
    let mut count = 12;
    loop {
        let holdings = branching::positions(longs, run, r, Size::Equal, count);
        let found = genealogy(stage::setup(prepared, &holdings, run)?)?;
        if found.len() < count || count > 1 << 16 {
            let sizes = found.trees.iter().map(|tree| tree.size).collect();
            let births = summary::branching(&found).map_or(0.0, |n| n[0] * found.len() as f64);
            return Ok((sizes, births));
        }
        count *= 4;
    }
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    for (q, g, first, levels) in [(10, 5, 20, 300), (10, 9, 20, 1_500), (16, 4, 320, 300)] {
        let (r, n) = (g as f64 / q as f64, on_the_lattice(q, g, first, levels)?);
        found
            .line(
                format!("lattice, q {q}, g {g}: branching ratio n̂"),
                r,
                n,
                Tolerance::Relative(0.01),
            )
            .note(format!(
                "{first} sales of g lots, triggers on {levels} ticks"
            ));
    }
    let (m0, r) = (1.0, 0.5);
    let runs = budget.of(100_000, 3_000);
    let scenario = stage::scenario(
        branching::TEXT,
        branching::prepared_text(m0, r, Size::Equal),
    )?;
    let prepared = scenario.prepare()?;
    let longs = branching::longs(stage::contract(&prepared)?);
    let grown: Vec<(Vec<u32>, f64)> = (0..runs as u64)
        .into_par_iter()
        .map(|run| trees(&prepared, &longs, run, r))
        .collect::<Result<_, _>>()?;
    let births: f64 = grown.iter().map(|run| run.1).sum();
    let sizes: Vec<u32> = grown.into_iter().flat_map(|run| run.0).collect();
    let all: f64 = sizes.iter().map(|size| f64::from(*size)).sum();
    let note = format!("{} trees of {runs} runs", sizes.len());
    // Births are what is drawn for all, of variance R a liquidation.
    let band = 4.0 * (r / all).sqrt();
    found
        .line(
            format!("Poisson triggers, R {r}: branching ratio n̂"),
            r,
            births / all,
            Tolerance::Within(band.max(0.01 * r)),
        )
        .note(&note);
    let trees = sizes.len() as f64;
    found
        .line(
            format!("Poisson triggers, R {r}: trees a run, m₀"),
            m0,
            trees / runs as f64,
            Tolerance::Within(4.0 * (m0 / runs as f64).sqrt()),
        )
        .note(&note);
    let (statistic, freedom) = branching::chi_squared(&sizes, |n| tail::borel(n, r));
    // A glance has a wider band: of its few trees, one draw in a hundred is beyond the 1 % point.
    let (percent, chance) = if budget.quick {
        ("0.01", 1e-4)
    } else {
        ("1", 0.01)
    };
    found
        .line(
            format!("Poisson triggers, R {r}: χ² of tree sizes, at most the {percent} % point"),
            branching::point(freedom, chance),
            statistic,
            Tolerance::AtMost,
        )
        .note(format!("{note}, {freedom} degrees of freedom"));
    for wrong in [0.35, 0.65] {
        let (statistic, freedom) = branching::chi_squared(&sizes, |n| tail::borel(n, wrong));
        found
            .line(
                format!("Poisson triggers, R {r}: χ² against R = {wrong}, at least the 1 % point"),
                branching::critical(freedom),
                statistic,
                Tolerance::AtLeast,
            )
            .note("a law with a wrong R is found out");
    }
    found.plot = Some(plot(&sizes, r));
    Ok(found)
}

/// P(N ≥ n) of trees.
fn plot(sizes: &[u32], r: f64) -> Plot {
    let mut plot = Plot {
        name: format!("Trees of at least so many liquidations, by genealogy, R = {r}"),
        x_name: "liquidations of a tree".to_owned(),
        y_name: "share of trees".to_owned(),
        log: [true, true],
        ..Plot::default()
    };
    plot.got = tail::ccdf(sizes)
        .into_iter()
        .map(|(size, share)| [f64::from(size), share])
        .collect();
    let most = plot.got.last().map_or(1.0, |last| last[0]) as u32;
    let mut left = 1.0;
    for n in 1..=most {
        plot.expected.push([f64::from(n), left]);
        left -= tail::borel(n, r);
    }
    plot
}
