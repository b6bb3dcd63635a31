//! SVI fitted to the quotes of one expiry: the least weighted squares of total variance.
//!
//! For a given turning point and width the variance is linear in what is left, so the search is over those two (COBYLA), and the
//! linear part is solved at each of its steps and brought within the bounds of a slice whose wings are no steeper than Lee's.
//!
//! # Invariants
//!
//! - `a_fit_finds_the_slice_that_made_its_quotes`.
//!
//! # Reference
//!
//! De Marco, S. and Martini, C. (2009), "Quasi-explicit calibration of Gatheral's SVI model", Zeliade; Powell (1994) for COBYLA.

use super::svi::Svi;
use crate::math::ops;

/// A quote of one expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    /// Log-moneyness.
    pub k: f64,
    /// Total variance.
    pub variance: f64,
    /// Its weight; vega where none is better known.
    pub weight: f64,
}

/// Quotes below which five parameters say nothing.
pub const FEWEST: usize = 5;
const EVALUATIONS: usize = 2_000;

/// The slice nearest to the quotes, and the root of the mean weighted squared gap of total variance; nothing for fewer than five quotes.
pub fn fit(quotes: &[Quote]) -> Option<(Svi, f64)> {
    if quotes.len() < FEWEST {
        return None;
    }
    let low = quotes
        .iter()
        .map(|quote| quote.k)
        .fold(f64::INFINITY, f64::min);
    let high = quotes
        .iter()
        .map(|quote| quote.k)
        .fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low).max(1e-3);
    let bounds = [
        (low - width, high + width),
        (ops::ln(1e-3 * width), ops::ln(4.0 * width)),
    ];
    let target = |x: &[f64], _: &mut ()| {
        let (svi, gap) = solve(quotes, x[0], ops::exp(x[1]));
        // The root is as flat at the bottom as COBYLA's trust region can follow.
        if svi.least().is_finite() {
            gap
        } else {
            f64::MAX
        }
    };
    let mut best: Option<(Svi, f64)> = None;
    for (m, s) in [
        (0.0, 0.25),
        (-0.3, 0.1),
        (0.3, 0.1),
        (0.0, 0.05),
        (0.0, 1.0),
    ] {
        let center = 0.5 * (low + high);
        let start = [center + m * width, ops::ln(s * width)];
        let none: [&dyn cobyla::Func<()>; 0] = [];
        let found = cobyla::minimize(
            target,
            &start,
            &bounds,
            &none,
            (),
            EVALUATIONS,
            cobyla::RhoBeg::All(0.25 * width.min(1.0)),
            Some(cobyla::StopTols {
                xtol_abs: vec![1e-9; 2],
                ..cobyla::StopTols::default()
            }),
        );
        let (Ok((_, x, _)) | Err((_, x, _))) = found;
        let (svi, gap) = solve(quotes, x[0], ops::exp(x[1]));
        if best.is_none_or(|(_, least)| gap < least) {
            best = Some((svi, gap));
        }
    }
    best
}

/// The best slice for a turning point and a width, and its gap.
fn solve(quotes: &[Quote], m: f64, sigma: f64) -> (Svi, f64) {
    // w = a + d y + c z with y = (k − m)/σ, z = √(y² + 1), d = ρ b σ, c = b σ.
    let place = |quote: &Quote| {
        let y = (quote.k - m) / sigma;
        [1.0, y, (y * y + 1.0).sqrt()]
    };
    let mut normal = [[0.0; 4]; 3];
    for quote in quotes {
        let row = place(quote);
        for (i, line) in normal.iter_mut().enumerate() {
            for (j, cell) in line[..3].iter_mut().enumerate() {
                *cell += quote.weight * row[i] * row[j];
            }
            line[3] += quote.weight * row[i] * quote.variance;
        }
    }
    let [_, d, c] = eliminate(normal);
    // 0 ≤ c, |d| ≤ c, and wings of at most 2: (c + |d|)/σ ≤ 2.
    let c = c.clamp(0.0, 2.0 * sigma);
    let most = c.min(2.0 * sigma - c) * (1.0 - 1e-9);
    let d = d.clamp(-most, most);
    let mut sums = (0.0, 0.0);
    for quote in quotes {
        let [_, y, z] = place(quote);
        sums.0 += quote.weight * (quote.variance - d * y - c * z);
        sums.1 += quote.weight;
    }
    let least = (c * c - d * d).max(0.0).sqrt();
    let a = (sums.0 / sums.1).max(-least);
    let rho = if c > 0.0 { d / c } else { 0.0 };
    let svi = Svi {
        a,
        b: c / sigma,
        rho,
        m,
        sigma,
    };
    let gap = quotes.iter().fold(0.0, |sum, quote| {
        let gap = svi.variance(quote.k) - quote.variance;
        sum + quote.weight * gap * gap
    });
    (svi, (gap / sums.1).sqrt())
}

/// Solves three linear equations by elimination with pivots; zero for what they don't determine.
fn eliminate(mut rows: [[f64; 4]; 3]) -> [f64; 3] {
    for column in 0..3 {
        let pivot = (column..3)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))
            .unwrap_or(column);
        rows.swap(column, pivot);
        let head = rows[column];
        if head[column].abs() < 1e-300 {
            continue;
        }
        for (place, row) in rows.iter_mut().enumerate() {
            if place != column {
                let share = row[column] / head[column];
                for (cell, of_head) in row.iter_mut().zip(head) {
                    *cell -= share * of_head;
                }
            }
        }
    }
    [0, 1, 2].map(|place| {
        let pivot = rows[place][place];
        if pivot.abs() < 1e-300 {
            0.0
        } else {
            rows[place][3] / pivot
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};
    use crate::surface::arbitrage::durrleman;

    const MADE: Svi = Svi {
        a: 0.012,
        b: 0.07,
        rho: -0.35,
        m: 0.03,
        sigma: 0.12,
    };

    fn quotes(noise: f64) -> Vec<Quote> {
        let mut stream = Draws::new(11, 0).stream(Purpose::Custom, 0, 0);
        (-12..=12)
            .map(|place| {
                let k = 0.05 * f64::from(place);
                Quote {
                    k,
                    variance: MADE.variance(k) * (1.0 + noise * stream.normal()),
                    weight: 1.0,
                }
            })
            .collect()
    }

    #[test]
    fn a_fit_finds_the_slice_that_made_its_quotes() {
        let (found, gap) = fit(&quotes(0.0)).unwrap();
        assert!(gap < 2e-6, "{gap} {found:?}");
        for k in [-0.9, -0.3, 0.0, 0.2, 0.9] {
            let (w, expected) = (found.variance(k), MADE.variance(k));
            assert!((w / expected - 1.0).abs() < 1e-4, "{k}: {w} {expected}");
        }
    }

    #[test]
    fn a_fit_to_noisy_quotes_is_as_near_as_their_noise() {
        let noisy = quotes(0.02);
        let (found, gap) = fit(&noisy).unwrap();
        let of = |svi: &Svi| {
            let square =
                |q: &Quote| (svi.variance(q.k) - q.variance) * (svi.variance(q.k) - q.variance);
            (noisy.iter().map(square).sum::<f64>() / noisy.len() as f64).sqrt()
        };
        assert!((of(&found) - gap).abs() < 1e-12);
        // No worse than the truth is.
        assert!(gap <= of(&MADE), "{gap} {}", of(&MADE));
        assert!(found.problems().is_empty());
        assert!(durrleman(&found, 0.0) > 0.0);
        assert_eq!(fit(&noisy[..4]), None);
    }
}
