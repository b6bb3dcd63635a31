//! Warn, call, liquidate, bankrupt: an account's standing against its requirement.
//!
//! The margin ratio is maintenance over equity. An account is warned and called at ratios below
//! one, liquidated when its equity is below its maintenance requirement, and bankrupt when its
//! equity is below zero. After a call the account has its grace period before it may be
//! liquidated, unless it is bankrupt by then.
//!
//! # Invariants
//!
//! - `nobody_is_liquidated_who_meets_the_requirement`: [`Standing::Breach`] means `E < MM` in integers.

use crate::unit::{Cash, Rate};

/// The margin ratios at which something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Ratio at which a warning is sent.
    pub warn: Rate,
    /// Ratio at which a call is sent.
    pub call: Rate,
    /// Steps between a call and the first forced order.
    pub grace: u32,
}

/// Where an account stands, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Below the warning ratio.
    Sound,
    /// At or above the warning ratio.
    Warn,
    /// At or above the call ratio.
    Call,
    /// Equity below the maintenance requirement.
    Breach,
    /// Equity below zero.
    Bankrupt,
}

impl Thresholds {
    /// The standing of an account with the given equity and requirement, in integers.
    #[inline]
    pub fn standing(&self, equity: i128, requirement: Cash) -> Standing {
        self.after_haircut(equity, requirement, Cash::ZERO)
    }

    /// As [`Thresholds::standing`], where part of the requirement is haircuts on what the account holds as collateral.
    /// Liquidation is the same: equity less haircuts is below the rest of the requirement; but a haircut is
    /// taken off equity before the ratio is.
    #[inline]
    pub fn after_haircut(&self, equity: i128, requirement: Cash, haircut: Cash) -> Standing {
        let required = i128::from(requirement.0);
        if equity < 0 {
            Standing::Bankrupt
        } else if equity < required {
            Standing::Breach
        } else {
            let (required, equity) = (
                required - i128::from(haircut.0),
                equity - i128::from(haircut.0),
            );
            let scaled = required * i128::from(Rate::ONE.0);
            if scaled > 0 && scaled >= equity * i128::from(self.call.0) {
                Standing::Call
            } else if scaled > 0 && scaled >= equity * i128::from(self.warn.0) {
                Standing::Warn
            } else {
                Standing::Sound
            }
        }
    }

    /// The ratios as floats, in the order warn, call, liquidate, bankrupt, and how many of them must be
    /// watched: bankruptcy alone ends a grace period, so without one the first three do.
    pub fn ratios(&self) -> ([f64; 4], usize) {
        (
            [self.warn.as_f64(), self.call.as_f64(), 1.0, f64::INFINITY],
            if self.grace > 0 { 4 } else { 3 },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_liquidated_who_meets_the_requirement() {
        let thresholds = Thresholds {
            warn: Rate::from_f64(0.8),
            call: Rate::from_f64(0.9),
            grace: 0,
        };
        let standing = |equity| thresholds.standing(equity, Cash(90));
        assert_eq!(standing(113), Standing::Sound);
        assert_eq!(standing(112), Standing::Warn);
        assert_eq!(standing(101), Standing::Warn);
        assert_eq!(standing(100), Standing::Call);
        assert_eq!(standing(90), Standing::Call);
        assert_eq!(standing(89), Standing::Breach);
        assert_eq!(standing(0), Standing::Breach);
        assert_eq!(standing(-1), Standing::Bankrupt);
        assert_eq!(thresholds.standing(0, Cash(0)), Standing::Sound);
        // A haircut of 200: what is left of equity stands against 90.
        let cut = |equity| thresholds.after_haircut(equity, Cash(290), Cash(200));
        assert_eq!(cut(313), Standing::Sound);
        assert_eq!(cut(312), Standing::Warn);
        assert_eq!(cut(300), Standing::Call);
        assert_eq!(cut(290), Standing::Call);
        assert_eq!(cut(289), Standing::Breach);
        assert_eq!(cut(-1), Standing::Bankrupt);
    }
}
