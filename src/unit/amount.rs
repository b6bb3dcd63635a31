//! Integer amounts: prices in ticks, quantities in lots, money in quanta.
//!
//! # Units
//!
//! | type | one unit is | sign |
//! |---|---|---|
//! | [`Ticks`] | the market's tick size | prices are positive, differences either |
//! | [`Lots`] | the market's lot size | + long or bought, − short or sold |
//! | [`Cash`] | 10⁻⁶ of the settlement currency unless the scenario says otherwise | + owned, − owed |
//!
//! Which operator gives which: `T + T`, `T − T`, `−T`, `|T|` stay in `T`; nothing multiplies
//! two amounts, because only a contract knows what a price times a quantity is worth
//! (`market::Contract::value`).
//!
//! # Invariants
//!
//! - `arithmetic_never_wraps`: the operators panic on overflow in every profile
//!   (`overflow-checks` is on in release); the ledger uses the `checked_` forms and reports
//!   the account and the step.

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest representable amount.
            pub const MAX: Self = Self(i64::MAX);

            /// The magnitude.
            #[inline]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }
            /// −1, 0 or 1.
            #[inline]
            pub const fn signum(self) -> i64 {
                self.0.signum()
            }
            /// Whether this is nothing.
            #[inline]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
            /// The sum, or `None` where it does not fit.
            #[inline]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }
            /// The amount as a float, for signals and output, never for money.
            #[inline]
            pub const fn as_f64(self) -> f64 {
                self.0 as f64
            }
        }
        impl Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::ZERO, Add::add)
            }
        }
    };
}

amount! {
    /// A price, or a difference of prices, in ticks.
    Ticks
}
amount! {
    /// A signed quantity in lots: positive is long or bought, negative is short or sold.
    Lots
}
amount! {
    /// Money in quanta of the settlement currency.
    Cash
}

impl Cash {
    /// The amount that an intermediate of 128 bits holds, or `None` where it does not fit.
    #[inline]
    pub fn from_wide(wide: i128) -> Option<Self> {
        i64::try_from(wide).ok().map(Self)
    }
    /// As [`Cash::from_wide`], with the nearest representable amount where it does not fit.
    /// For comparisons only: a clamped amount must never be booked.
    #[inline]
    pub fn clamped(wide: i128) -> Self {
        Self(wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "overflow")]
    fn arithmetic_never_wraps() {
        let most = std::hint::black_box(Cash::MAX);
        let _ = most + Cash(1);
    }

    #[test]
    fn checked_forms_say_when_a_sum_does_not_fit() {
        assert_eq!(Cash::MAX.checked_add(Cash(1)), None);
        assert_eq!(Cash::from_wide(i128::from(i64::MAX) + 1), None);
        assert_eq!(Cash::clamped(i128::MAX), Cash::MAX);
    }
}
