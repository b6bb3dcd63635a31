//! Margin, fee and funding rates as fixed-point integers.
//!
//! # Units
//!
//! One unit is 10⁻⁹ of a notional, so that a rate
//! read as `0.0125` is held exactly and a requirement is integer arithmetic.
//!
//! # Invariants
//!
//! - `rounding_is_in_the_name`: [`Rate::mul_up`] rounds away from the account's favour,
//!   [`Rate::mul_down`] toward it.

use super::Cash;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A dimensionless rate in units of 10⁻⁹.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rate(pub i64);

const ONE: i64 = 1_000_000_000;

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(ONE);

    /// The nearest rate to a float; infinite or undefined floats give the nearest bound or zero.
    #[inline]
    pub fn from_f64(rate: f64) -> Self {
        Self((rate * ONE as f64).round_ties_even() as i64)
    }
    /// The rate that a decimal states, or `None` where it has more than nine places or does not fit.
    pub fn from_decimal(rate: Decimal) -> Option<Self> {
        let scaled = rate.checked_mul(Decimal::from(ONE))?;
        if scaled.fract().is_zero() {
            i64::try_from(scaled.trunc().mantissa() / 10i128.pow(scaled.trunc().scale()))
                .ok()
                .map(Self)
        } else {
            None
        }
    }
    /// The rate as a float.
    #[inline]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
    /// This share of a non-negative amount, rounded up.
    #[inline]
    pub fn mul_up(self, amount: Cash) -> Cash {
        if let Some([whole, rest]) = self.split(amount) {
            return Cash(whole + (rest + ONE - 1) / ONE);
        }
        let wide = i128::from(self.0) * i128::from(amount.0);
        Cash::clamped((wide + i128::from(ONE) - 1).div_euclid(i128::from(ONE)))
    }
    /// This share of a non-negative amount, rounded down.
    #[inline]
    pub fn mul_down(self, amount: Cash) -> Cash {
        if let Some([whole, rest]) = self.split(amount) {
            return Cash(whole + rest / ONE);
        }
        Cash::clamped((i128::from(self.0) * i128::from(amount.0)).div_euclid(i128::from(ONE)))
    }
    /// For a rate between nothing and the whole, the share in whole quanta of an amount's billions, and what is left of the
    /// share in billionths: 64 bits hold both, and a division of 128 bits costs a dozen of theirs.
    #[inline]
    fn split(self, amount: Cash) -> Option<[i64; 2]> {
        ((0..=ONE).contains(&self.0) && amount.0 >= 0)
            .then(|| [self.0 * (amount.0 / ONE), self.0 * (amount.0 % ONE)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_in_the_name() {
        let rate = Rate::from_f64(0.0125);
        assert_eq!(rate, Rate(12_500_000));
        assert_eq!(rate.mul_up(Cash(81)), Cash(2));
        assert_eq!(rate.mul_down(Cash(81)), Cash(1));
        assert_eq!(rate.mul_up(Cash(80)), rate.mul_down(Cash(80)));
    }

    #[test]
    fn halves_of_a_product_make_the_whole_product() {
        let draws = crate::math::Draws::new(9, 0);
        let mut s = draws.stream(crate::math::Purpose::Custom, 0, 0);
        for _ in 0..20_000 {
            let rate = Rate(s.below(ONE as u64 + 1) as i64);
            let amount = Cash((s.below(u64::MAX) >> (1 + s.below(63))) as i64);
            let product = i128::from(rate.0) * i128::from(amount.0);
            let down = product / i128::from(ONE);
            let up = down + i128::from(product % i128::from(ONE) != 0);
            assert_eq!(i128::from(rate.mul_down(amount).0), down);
            assert_eq!(i128::from(rate.mul_up(amount).0), up);
        }
        assert_eq!(Rate::ONE.mul_up(Cash::MAX), Cash::MAX);
        assert_eq!(
            Rate(ONE - 1).mul_down(Cash::MAX).0,
            9_223_372_027_631_403_770
        );
    }

    #[test]
    fn a_decimal_of_nine_places_is_held_exactly_and_ten_are_refused() {
        assert_eq!(
            Rate::from_decimal("0.033333333".parse().unwrap()),
            Some(Rate(33_333_333))
        );
        assert_eq!(Rate::from_decimal("0.0333333333".parse().unwrap()), None);
        assert_eq!(Rate::from_decimal("1".parse().unwrap()), Some(Rate::ONE));
    }
}
