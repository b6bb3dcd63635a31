//! Running for the exit: a fund's investors sell as it loses, and assets that were nearly independent move together.
//!
//! A fund holds α of each asset. When outside moves change its value from V to V*, it sells α (f(V/V₀) − f(V*/V₀)) of
//! each, and a unit sold moves a price by the share 1/D. Returns then have the covariance
//! `(I + (f'/V₀) a πᵀ) Σ (I + (f'/V₀) a πᵀ)ᵀ`, a = α/D, π = α S: correlation out of nothing but sales.
//!
//! The fund is a [`Behaviour`] of this room, put into the scenario's world: a strategy of the engine that answers its
//! own impact too would have another covariance.
//!
//! # Reference
//!
//! Cont, R. and Wagalath, L. (2013), "Running for the exit: distressed selling and endogenous correlation in financial
//! markets", Mathematical Finance 23; here with f' = 1.

use super::line::{Found, Plot, Tolerance};
use super::stage;
use super::{Budget, Family, Ground};
use crate::engine::World;
use crate::experiment::RunError;
use crate::market::Order;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{Lots, MarketId, Side};
use rayon::prelude::*;

/// Distressed selling.
pub const FAMILY: Family = Family {
    name: "running-for-the-exit",
    title: "Distressed selling: covariance (I + a πᵀ / V₀) Σ (I + a πᵀ / V₀)ᵀ",
    source: "Cont and Wagalath 2013",
    ground: Ground::Engine,
    run,
};

const TEXT: &str = include_str!("../../configs/theory/exit.toml");
const ALPHA: [f64; 2] = [1_000.0, 2_000.0];
const VALUE: f64 = 20_000.0;
const TICK: f64 = 1e-6;
const LOT: f64 = 1e-5;
/// A step, in years.
const DT: f64 = 1e-8;

/// The fund: sells in proportion to what outside moves took from it since the last step. What its own trades did is in
/// the price from which the outside moves on.
#[derive(Clone)]
struct Fund {
    /// Outside prices of the step before.
    before: Option<[f64; 2]>,
}

impl Behaviour for Fund {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        let now = [0, 1].map(|market: usize| view.markets[market].reference);
        let before = self.before.replace(now).unwrap_or(now);
        let lost: f64 = (0..2)
            .map(|k| ALPHA[k] * view.markets[k].index * (before[k] / now[k] - 1.0) * TICK)
            .sum();
        for (market, alpha) in ALPHA.iter().enumerate() {
            let lots = (alpha * lost / VALUE / LOT).round_ties_even() as i64;
            if lots != 0 {
                let side = if lots > 0 { Side::Sell } else { Side::Buy };
                out.push(Intent::Place {
                    market: MarketId(market as u16),
                    order: Order::market(members.first, side, Lots(lots).abs()),
                    lifetime: u32::MAX,
                });
            }
        }
    }
}

/// Variances and covariance a year of the returns of one run.
fn covariance(correlation: f64, replicate: u64, steps: usize) -> Result<[f64; 3], RunError> {
    let scenario = stage::scenario(
        TEXT,
        [
            format!("length={}s", steps as f64 * 0.315_36),
            format!("correlation=[[1.0, {correlation}], [{correlation}, 1.0]]"),
        ],
    )?;
    let prepared = scenario.prepare()?;
    let mut setup = stage::setup(&prepared, &[], replicate)?;
    setup.cohorts[0].behaviour = Some(Box::new(Fund { before: None }));
    let series = stage::run(&mut World::new(setup))?;
    let returns: Vec<Vec<f64>> = series
        .iter()
        .map(|series| {
            let pairs = series.mid.windows(2);
            pairs.map(|pair| ops::ln(pair[1] / pair[0])).collect()
        })
        .collect();
    let n = returns[0].len() as f64;
    let product = |i: usize, j: usize| -> f64 {
        let both = returns[i].iter().zip(&returns[j]);
        both.map(|(a, b)| a * b).sum::<f64>() / n / DT
    };
    Ok([product(0, 0), product(0, 1), product(1, 1)])
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let (runs, steps) = (budget.of(4, 1), budget.of(100_000, 10_000));
    let band = if budget.quick { 0.08 } else { 0.02 };
    let mut plot = Plot {
        name: "Correlation with a fund that sells, by the correlation without".to_owned(),
        x_name: "correlation of the outside prices".to_owned(),
        y_name: "correlation of the market's".to_owned(),
        ..Plot::default()
    };
    for rho in [-0.5, -0.25, 0.0, 0.2, 0.5, 0.75] {
        let law = law(rho);
        plot.expected.push([rho, law[1] / (law[0] * law[2]).sqrt()]);
    }
    for (correlation, expected) in [(0.2, [0.150_625, 0.060_125, 0.075_625]), (0.0, law(0.0))] {
        let all = (0..runs as u64)
            .into_par_iter()
            .map(|replicate| covariance(correlation, replicate, steps))
            .collect::<Result<Vec<_>, _>>()?;
        let mut mean = [0.0; 3];
        for run in &all {
            for (mean, value) in mean.iter_mut().zip(run) {
                *mean += value / all.len() as f64;
            }
        }
        let note = format!("{runs} × {steps} steps");
        for (name, expected, got) in [
            ("variance of X", expected[0], mean[0]),
            ("covariance", expected[1], mean[1]),
            ("variance of Y", expected[2], mean[2]),
        ] {
            found
                .line(
                    format!("correlation {correlation}: {name}, a year"),
                    expected,
                    got,
                    Tolerance::Relative(band),
                )
                .note(&note);
        }
        let of = |c: &[f64; 3]| c[1] / (c[0] * c[2]).sqrt();
        plot.got.push([correlation, of(&mean)]);
        found
            .line(
                format!("correlation {correlation}: correlation with the fund"),
                of(&expected),
                of(&mean),
                Tolerance::Relative(band),
            )
            .note(note);
    }
    found.plot = Some(plot);
    Ok(found)
}

/// The closed form for volatilities of 0.3 and 0.2.
fn law(rho: f64) -> [f64; 3] {
    let sigma = [[0.09, 0.06 * rho], [0.06 * rho, 0.04]];
    // a = (½, ½), π / V₀ = (½, ½).
    let load = [[1.25, 0.25], [0.25, 1.25]];
    let mut c = [[0.0; 2]; 2];
    for (i, row) in c.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate() {
            for k in 0..2 {
                for l in 0..2 {
                    *entry += load[i][k] * sigma[k][l] * load[j][l];
                }
            }
        }
    }
    [c[0][0], c[0][1], c[1][1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_has_the_published_numbers() {
        let at = law(0.2);
        for (found, expected) in at.iter().zip([0.150_625, 0.060_125, 0.075_625]) {
            assert!((found - expected).abs() < 1e-12);
        }
        let apart = law(0.0);
        let correlation = apart[1] / (apart[0] * apart[2]).sqrt();
        assert!((correlation - 0.411_417).abs() < 1e-6);
    }
}
