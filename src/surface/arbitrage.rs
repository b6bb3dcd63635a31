//! Whether a shape lets somebody earn for nothing: butterflies within an expiry, calendars between two.
//!
//! A butterfly is free where Durrleman's function is negative,
//! `g(k) = (1 − k w′/2w)² − w′²/4 (1/w + 1/4) + w″/2`, of which the density of the forward is a positive multiple; of a table, where
//! the prices of three neighbouring strikes aren't convex. A calendar is free where total variance falls with time at equal moneyness.
//!
//! # Invariants
//!
//! - `axel_vogts_butterfly_is_found`.
//!
//! # Reference
//!
//! Gatheral and Jacquier (2014), section 2 and the example of Axel Vogt; Durrleman (2005).

use super::svi::Svi;
use super::{Shape, Slice, Smile};
use crate::market::option::{Right, black};
use crate::math::ops;

/// Strikes that are looked at, on each side of the forward.
const PLACES: i32 = 200;

/// An arbitrage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arbitrage {
    /// Three strikes of one expiry.
    Butterfly {
        /// The slice, by its place.
        slice: usize,
        /// Log-moneyness of the strike in the middle.
        k: f64,
    },
    /// Two expiries at one moneyness.
    Calendar {
        /// The later slice, by its place; the earlier is the one before.
        slice: usize,
        /// The log-moneyness.
        k: f64,
    },
}

/// Durrleman's function: negative where the density would be.
pub fn durrleman(svi: &Svi, k: f64) -> f64 {
    let [w, first, second] = svi.derivatives(k);
    let shift = 1.0 - 0.5 * k * first / w;
    shift * shift - 0.25 * first * first * (1.0 / w + 0.25) + 0.5 * second
}

/// Every slice's worst butterfly and calendar, where it has one.
pub fn find(shape: &Shape) -> Vec<Arbitrage> {
    let slices = shape.slices();
    let widest = slices
        .iter()
        .map(|slice| slice.smile.variance(0.0).max(0.0).sqrt())
        .fold(0.1, f64::max);
    let strikes =
        || (-PLACES..=PLACES).map(|place| 8.0 * widest * f64::from(place) / f64::from(PLACES));
    let mut found = Vec::new();
    for (place, slice) in slices.iter().enumerate() {
        found.extend(butterfly(slice, strikes()).map(|k| Arbitrage::Butterfly { slice: place, k }));
        if let Some(before) = place.checked_sub(1) {
            let earlier = &slices[before].smile;
            let gap = |k: f64| slice.smile.variance(k) - earlier.variance(k);
            let worst = strikes()
                .map(|k| (k, gap(k)))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((k, _)) = worst.filter(|(_, gap)| *gap < -1e-12) {
                found.push(Arbitrage::Calendar { slice: place, k });
            }
        }
    }
    found
}

/// Log-moneyness of the worst butterfly of a slice, where there is one.
fn butterfly(slice: &Slice, strikes: impl Iterator<Item = f64>) -> Option<f64> {
    let least = |of: &mut dyn Iterator<Item = (f64, f64)>| of.min_by(|a, b| a.1.total_cmp(&b.1));
    let (k, worst) = match &slice.smile {
        Smile::Flat(_) => None,
        Smile::Svi(svi) => least(&mut strikes.map(|k| (k, durrleman(svi, k)))),
        Smile::Grid(grid) => {
            let call = |&(k, variance): &(f64, f64)| {
                let strike = ops::exp(k);
                (
                    strike,
                    black::price(1.0, strike, variance.max(0.0).sqrt(), Right::Call),
                )
            };
            let curve: Vec<(f64, f64)> = grid.points().iter().map(call).collect();
            // A call falls with its strike, by no more than the strike rises, and ever more slowly.
            let slope = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
            let pairs = curve.windows(2).map(|p| {
                let slope = slope(p[0], p[1]);
                (ops::ln(p[1].0), (-slope).min(1.0 + slope))
            });
            let triples = curve.windows(3).map(|p| {
                let bend = slope(p[1], p[2]) - slope(p[0], p[1]);
                (ops::ln(p[1].0), bend)
            });
            least(&mut pairs.chain(triples))
        }
    }?;
    (worst < -1e-10).then_some(k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::grid::{Axis, Points};
    use crate::surface::svi::Ssvi;

    /// Gatheral and Jacquier's example 3.1, due to Axel Vogt.
    const VOGT: Svi = Svi {
        a: -0.0410,
        b: 0.1331,
        rho: 0.3060,
        m: 0.3586,
        sigma: 0.4153,
    };

    fn svi(years: f64, svi: Svi) -> Slice {
        Slice {
            years,
            smile: Smile::Svi(svi),
        }
    }

    #[test]
    fn axel_vogts_butterfly_is_found() {
        let shape = Shape::new(vec![svi(1.0, VOGT)]);
        let [Arbitrage::Butterfly { slice: 0, k }] = find(&shape)[..] else {
            panic!("{:?}", find(&shape))
        };
        // Their figure shows the density below zero around 0.8.
        assert!((0.6..1.1).contains(&k), "{k}");
        assert!(durrleman(&VOGT, 0.0) > 0.0);
        // Their remedy (example 5.1) moves the right wing down and the least variance up.
        let mended = Svi {
            a: -0.030_5,
            b: 0.102_8,
            rho: 0.127_2,
            m: 0.272_2,
            sigma: 0.412_7,
        };
        assert!(durrleman(&mended, 0.8) > 0.0);
    }

    #[test]
    fn a_calendar_is_named_by_its_expiry_and_moneyness() {
        let ssvi = Ssvi {
            rho: -0.3,
            eta: 1.0,
            gamma: 0.5,
        };
        let rising = [0.01, 0.03, 0.08].map(|theta| svi(theta * 2.0, ssvi.slice(theta)));
        assert_eq!(find(&Shape::new(rising.to_vec())), []);
        let mut falling = rising.to_vec();
        falling[1] = svi(0.06, ssvi.slice(0.009));
        let found = find(&Shape::new(falling));
        assert!(
            matches!(found[..], [Arbitrage::Calendar { slice: 1, .. }]),
            "{found:?}"
        );
    }

    #[test]
    fn a_table_is_checked_at_its_strikes() {
        let slice = |points: &[[f64; 2]]| Slice {
            years: 0.25,
            smile: Smile::Grid(Points::new(Axis::Strike, points, 0.25, 100.0)),
        };
        let smile = slice(&[[80.0, 0.7], [90.0, 0.63], [100.0, 0.6], [110.0, 0.61]]);
        assert_eq!(find(&Shape::new(vec![smile])), []);
        // The strike of 90 is worth more than half of each neighbour.
        let peak = slice(&[[80.0, 0.5], [90.0, 0.75], [100.0, 0.5], [110.0, 0.5]]);
        let found = find(&Shape::new(vec![peak]));
        let [Arbitrage::Butterfly { k, .. }] = found[..] else {
            panic!("{found:?}")
        };
        assert!((ops::exp(k) - 0.9).abs() < 1e-12);
    }
}
