//! The reproduction number as it stood over about a minute: what an instant's ratio can't say when the book has just been hit.
//!
//! In the moment after a large order the book within a move of w may be all but empty, and the ratio of what is forced to what stands
//! in its way any number, or none. So both are averaged first, each with weights that fall by e in [`WINDOW`] seconds (at
//! least [`LEAST_STEPS`] steps), and R is the ratio of the averages. How long the book was all but empty is told beside it:
//! *sold out* is a step that ends with less than [`SOLD_OUT`] of the depth within 1 % that the first step ended with.
//!
//! # Invariants
//!
//! - `a_market_that_stands_still_has_the_ratio_of_an_instant`.

use crate::engine::{MarketRow, Reach};
use crate::math::ops;

/// Seconds over which forced quantity and depth are averaged.
pub const WINDOW: f64 = 60.0;
/// The fewest steps that are.
pub const LEAST_STEPS: u32 = 5;
/// Share of the first step's depth below which a book is sold out.
pub const SOLD_OUT: f64 = 0.01;

/// One market's averages.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreseen {
    weight: f64,
    begun: bool,
    /// Down and up, by move: forced, depth.
    averages: [[[f64; 2]; 3]; 2],
}

impl Foreseen {
    /// Before the first of steps of `dt` seconds.
    pub fn new(dt: f64) -> Self {
        let window = WINDOW.max(f64::from(LEAST_STEPS) * dt);
        Self {
            weight: 1.0 - ops::exp(-dt / window),
            begun: false,
            averages: [[[0.0; 2]; 3]; 2],
        }
    }

    /// Takes in the end of a step.
    pub fn see(&mut self, row: &MarketRow) {
        let weight = if self.begun { self.weight } else { 1.0 };
        self.begun = true;
        for (averages, reach) in self.averages.iter_mut().zip([row.down_reach, row.up_reach]) {
            for (
                [forced, depth],
                Reach {
                    forced: now,
                    depth: stands,
                },
            ) in averages.iter_mut().zip(reach)
            {
                *forced += weight * (now.as_f64() - *forced);
                *depth += weight * (stands.as_f64() - *depth);
            }
        }
    }

    /// R by move, down (0) or up (1); 0 where nothing is forced, infinite where nothing ever stood in the way.
    pub fn r(&self, side: usize) -> [f64; 3] {
        self.averages[side].map(|[forced, depth]| if forced > 0.0 { forced / depth } else { 0.0 })
    }

    /// Depth within the smallest move, down (0) or up (1), lots.
    pub const fn depth(&self, side: usize) -> f64 {
        self.averages[side][0][1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Lots;

    fn row(forced: i64, depth: i64) -> MarketRow {
        let reach = Reach {
            forced: Lots(forced),
            depth: Lots(depth),
        };
        MarketRow {
            down_reach: [reach; 3],
            ..MarketRow::default()
        }
    }

    #[test]
    fn a_market_that_stands_still_has_the_ratio_of_an_instant() {
        let mut foreseen = Foreseen::new(1.0);
        for _ in 0..500 {
            foreseen.see(&row(30, 40));
            assert!((foreseen.r(0)[0] - 0.75).abs() < 1e-12);
            assert_eq!(foreseen.r(1), [0.0; 3]);
        }
    }

    #[test]
    fn a_book_that_is_empty_for_a_moment_has_no_endless_r() {
        let mut foreseen = Foreseen::new(1.0);
        for step in 0..600 {
            foreseen.see(&row(30, if step % 2 == 0 { 0 } else { 40 }));
        }
        // Half the depth on average.
        assert!((foreseen.r(0)[0] - 1.5).abs() < 0.05, "{:?}", foreseen.r(0));
        // A step of a quarter of an hour has no minute to average over.
        let mut slow = Foreseen::new(900.0);
        slow.see(&row(10, 0));
        assert_eq!(slow.r(0)[0], f64::INFINITY);
    }
}
