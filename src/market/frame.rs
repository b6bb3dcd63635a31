//! What a venue has to know of its market before the first order.

use super::contract::Contract;
use crate::unit::Ticks;

/// The fixed facts of one market that a venue is built on.
///
/// # Units
///
/// Prices in ticks, quantities in lots; `lot` and `dt` translate settings written for a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Gives every fill its value.
    pub contract: Contract,
    /// End of the ladder: prices are 1, 2, … `ceiling − 1` ticks. Zero isn't a price.
    pub ceiling: Ticks,
    /// Units of the base in one lot.
    pub lot: f64,
    /// Seconds in one step.
    pub dt: f64,
    /// The anchor before the first step, in ticks.
    pub start: f64,
}

impl Frame {
    /// Whether a price lies on the ladder.
    #[inline]
    pub const fn holds(&self, price: Ticks) -> bool {
        price.0 >= 1 && price.0 < self.ceiling.0
    }
    /// The highest price on the ladder.
    #[inline]
    pub const fn top(&self) -> i64 {
        self.ceiling.0 - 1
    }
    /// The tick nearest to a price, kept on the ladder.
    #[inline]
    pub fn nearest(&self, price: f64) -> Ticks {
        Ticks((price.round() as i64).clamp(1, self.top()))
    }
}
