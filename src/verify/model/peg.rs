//! A perpetual's peg that emerges from traders who bet on its basis: a model of its own, because its book has no margin and
//! its traders no positions.
//!
//! A spot price follows a geometric Brownian motion of drift 1 and volatility ½ from 100 over a year of 1000 steps. From
//! step 250 on, up to four of 200 traders come in a step, until one trades; one in twenty stays away. Each has weights
//! w_c, w_n uniform up to 10, a memory l of 1 to 5, and a markup up to ½, and forecasts a series X as
//! `X exp((w_c Σ r / l + w_n · 0.05 · U) / (w_c + w_n))` with the sum over its last l + 1 simple returns. It is long or short
//! with equal chance. A long bets on spot with probability 1 − b, otherwise on the basis; a short the other way round. On
//! spot it buys where it is long and the forecast above the price, or short and below, and sells otherwise; on the basis
//! where it is long and the forecast of the premium below it, or short and above. It bids its spot forecast less its markup,
//! or offers at the forecast plus it. Orders lapse after τ steps. The perpetual's price is that of the last trade, or the
//! middle of the best quotes.
//!
//! The more the traders bet on the basis (b), and the longer orders stand, the smaller the premium.
//!
//! # Reference
//!
//! Rao, R. (2025), "Agent-based simulation of a perpetual futures market", arXiv 2501.09404, with its author's published
//! code and results: mean premium over all 1001 points, of which the first 250 are noise. Traders here forecast from the
//! step before, which the code leaves open. The noise in forecasts is positive in the author's code, and makes
//! the premium positive; spot doesn't answer, and there is no margin: it shows a peg, not a theory.

use crate::experiment::RunError;
use crate::math::{Draws, Purpose, Stream, ops};
use crate::verify::line::{Found, Plot, Tolerance};
use crate::verify::{Budget, Family, Ground};
use rayon::prelude::*;

/// Rao.
pub const FAMILY: Family = Family {
    name: "perpetual-peg",
    title: "A perpetual's premium by how many bet on it, and by how long orders stand",
    source: "Rao 2025",
    ground: Ground::Model,
    run,
};

const STEPS: usize = 1_000;
const FIRST: usize = 250;
const TRADERS: u64 = 200;

struct Trader {
    chartist: f64,
    noise: f64,
    memory: usize,
    markup: f64,
}

/// An order that rests: its price, and when it was placed.
type Resting = (f64, usize);

impl Trader {
    fn new(draws: &mut Stream) -> Self {
        Self {
            chartist: 10.0 * draws.uniform(),
            noise: 10.0 * draws.uniform(),
            memory: 1 + draws.below(5) as usize,
            markup: 0.5 * draws.uniform(),
        }
    }

    /// The forecast of a series from its last value, shifted so that it is positive.
    fn forecast(&self, series: &[f64], shift: f64, draws: &mut Stream) -> f64 {
        let n = series.len();
        let returns = (0..=self.memory).map(|back| {
            let (now, before) = (series[n - 1 - back], series[n - 2 - back]);
            (now - before) / (before + shift)
        });
        let trend = self.chartist * returns.sum::<f64>() / self.memory as f64;
        let noise = self.noise * 0.05 * draws.uniform();
        (series[n - 1] + shift) * ops::exp((trend + noise) / (self.chartist + self.noise))
    }
}

/// Place of the best order: the highest bid or the lowest offer, and of those the oldest.
fn best(orders: &[Resting], sign: f64) -> Option<usize> {
    (0..orders.len()).max_by(|a, b| {
        let key = |at: usize| sign * orders[at].0;
        key(*a)
            .total_cmp(&key(*b))
            .then(orders[*b].1.cmp(&orders[*a].1))
    })
}

/// Mean premium of one run.
fn premium(bias: f64, lifetime: usize, run: u64) -> f64 {
    let mut draws = Draws::new(110, run).stream(Purpose::Custom, 0, 0);
    let dt: f64 = 1.0 / STEPS as f64;
    let mut spot = vec![100.0];
    for step in 0..STEPS {
        let moved = (1.0 - 0.125) * dt + 0.5 * dt.sqrt() * draws.normal();
        spot.push(spot[step] * ops::exp(moved));
    }
    let mut premiums: Vec<f64> = (0..FIRST).map(|_| 2.0 * draws.uniform() - 1.0).collect();
    let mut price = spot[FIRST - 1] + premiums[FIRST - 1];
    let traders: Vec<Trader> = (0..TRADERS).map(|_| Trader::new(&mut draws)).collect();
    let (mut bids, mut offers): (Vec<Resting>, Vec<Resting>) = (Vec::new(), Vec::new());
    let mut least = premiums.iter().copied().fold(0.0, f64::min);
    for (step, spot_now) in spot.iter().enumerate().skip(FIRST) {
        bids.retain(|order| step - order.1 <= lifetime);
        offers.retain(|order| step - order.1 <= lifetime);
        let known = &spot[..step];
        let mut traded = None;
        for _ in 0..4 {
            let trader = &traders[draws.below(TRADERS) as usize];
            if draws.chance(0.05) {
                continue;
            }
            let long = draws.chance(0.5);
            let on_spot = draws.chance(bias) != long;
            let markup = trader.markup * draws.uniform();
            let forecast = trader.forecast(known, 0.0, &mut draws);
            let rises = if on_spot {
                forecast > known[step - 1]
            } else {
                let shift = least.abs() + 1.0;
                let expected = trader.forecast(&premiums, shift, &mut draws);
                expected < premiums[premiums.len() - 1] + shift
            };
            let (limit, own, other, sign) = if rises == long {
                (forecast * (1.0 - markup), &mut bids, &mut offers, -1.0)
            } else {
                (forecast * (1.0 + markup), &mut offers, &mut bids, 1.0)
            };
            match best(other, sign).filter(|at| sign * other[*at].0 >= sign * limit) {
                Some(at) => {
                    traded = Some(other.remove(at).0);
                    break;
                }
                None => own.push((limit, step)),
            }
        }
        let quotes = best(&bids, 1.0).zip(best(&offers, -1.0));
        price = traded.unwrap_or_else(|| {
            quotes.map_or(price, |(bid, offer)| {
                f64::midpoint(bids[bid].0, offers[offer].0)
            })
        });
        let premium = price - spot_now;
        least = least.min(premium);
        premiums.push(premium);
    }
    premiums.iter().sum::<f64>() / premiums.len() as f64
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let runs = budget.of(400, 100);
    let band = if budget.quick { 0.25 } else { 0.15 };
    let mut plot = Plot {
        name: "Mean premium by the share of bets on the basis".to_owned(),
        x_name: "bias".to_owned(),
        y_name: "mean premium".to_owned(),
        ..Plot::default()
    };
    for (bias, lifetime, expected) in [
        (0.05, 8, 4.57),
        (0.15, 8, 3.42),
        (0.25, 8, 2.80),
        (0.35, 8, 1.87),
        (0.5, 8, 1.07),
        (0.5, 4, 1.43),
        (0.5, 2, 1.56),
    ] {
        let premiums: Vec<f64> = (0..runs as u64)
            .into_par_iter()
            .map(|run| premium(bias, lifetime, run))
            .collect();
        let got = premiums.iter().sum::<f64>() / runs as f64;
        found
            .line(
                format!("bias {bias}, orders for {lifetime} steps: mean premium"),
                expected,
                got,
                Tolerance::Relative(band),
            )
            .note(format!("{runs} runs against the author's hundred"));
        if lifetime == 8 {
            plot.expected.push([bias, expected]);
            plot.got.push([bias, got]);
        }
    }
    found.plot = Some(plot);
    Ok(found)
}
