//! What a position is worth: the one function from quantity and price to cash.
//!
//! Buyer and seller book the same value, so a trade creates no money. A linear contract is worth
//! `quantity · price · k` quanta, where `k` is the quanta that one lot gains per tick
//! ([`crate::unit::Grid::quanta_per_tick_lot`]); the product is exact.
//!
//! # Invariants
//!
//! - `values_add`: `value(q, p) + value(r, p) = value(q + r, p)`.

use crate::unit::{Cash, Lots, Ticks};

/// The value function of one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    quanta_per_tick_lot: i64,
}

impl Contract {
    /// A linear contract, from the quanta that one lot gains when the price rises one tick.
    pub const fn linear(quanta_per_tick_lot: i64) -> Self {
        Self {
            quanta_per_tick_lot,
        }
    }

    /// Value of a signed quantity at a price, in 128 bits.
    #[inline]
    pub fn wide(&self, quantity: Lots, price: Ticks) -> i128 {
        i128::from(quantity.0) * (i128::from(price.0) * i128::from(self.quanta_per_tick_lot))
    }

    /// Value of a signed quantity at a price, or `None` where it does not fit.
    #[inline]
    pub fn checked(&self, quantity: Lots, price: Ticks) -> Option<Cash> {
        match self.narrow(quantity, price) {
            None => Cash::from_wide(self.wide(quantity, price)),
            value => value,
        }
    }

    /// Nearly always 64 bits do all the way, and they take a third of the time.
    #[inline]
    fn narrow(&self, quantity: Lots, price: Ticks) -> Option<Cash> {
        let each = price.0.checked_mul(self.quanta_per_tick_lot)?;
        quantity.0.checked_mul(each).map(Cash)
    }

    /// Value of a signed quantity at a price.
    ///
    /// # Panics
    ///
    /// Where the value does not fit. A scenario is refused at load unless four times its largest
    /// possible open interest fits, so a panic here is a defect of ours.
    #[inline]
    pub fn value(&self, quantity: Lots, price: Ticks) -> Cash {
        match self.narrow(quantity, price) {
            Some(value) => value,
            None => self.value_wide(quantity, price),
        }
    }

    #[cold]
    #[inline(never)]
    fn value_wide(self, quantity: Lots, price: Ticks) -> Cash {
        match Cash::from_wide(self.wide(quantity, price)) {
            Some(value) => value,
            None => panic!("value of {quantity:?} at {price:?} overflows"),
        }
    }

    /// The notional of a quantity at a price: the magnitude of its value.
    #[inline]
    pub fn notional(&self, quantity: Lots, price: Ticks) -> Cash {
        self.value(quantity, price).abs()
    }

    /// Quanta per lot and tick.
    #[inline]
    pub const fn quanta(&self) -> i64 {
        self.quanta_per_tick_lot
    }

    /// The price at which a signed quantity is worth `value`, as a float in ticks: for indices and
    /// orders, never for money.
    #[inline]
    pub fn price_of(&self, quantity: Lots, value: i128) -> f64 {
        value as f64 / (quantity.as_f64() * self.quanta_per_tick_lot as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_add() {
        let contract = Contract::linear(7);
        let price = Ticks(110_001);
        let whole = contract.value(Lots(12), price);
        assert_eq!(
            contract.value(Lots(-5), price) + contract.value(Lots(17), price),
            whole
        );
        assert_eq!(contract.price_of(Lots(12), i128::from(whole.0)), 110_001.0);
        assert_eq!(contract.checked(Lots(i64::MAX), price), None);
    }
}
