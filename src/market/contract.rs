//! What a position is worth: the one function from quantity and price to cash.
//!
//! Buyer and seller book the same value, so a trade creates no money.
//!
//! - A **linear** contract is worth `quantity · price · k` quanta, where `k` is the quanta that one lot gains per tick
//!   ([`crate::unit::Grid::quanta_per_tick_lot`]); the product is exact.
//! - An **inverse** (coin-margined) contract is a quantity of the quote currency that is settled in the base, the coin: it is
//!   worth `−quantity · M / price` quanta of the coin, where `M` is what one lot is worth at a price of one tick
//!   ([`crate::unit::Grid::quanta_at_a_tick`]); rounded once, to the nearest quantum, a half away from zero.
//!
//! Both are linear in a *level*: the price for a linear contract, `−M / price` for an inverse one. With
//! `value = quantity · slope · level`, everything that is said of a linear contract and its price holds of an inverse
//! one and its level; only the notional is the magnitude of the level, so that it grows as the price falls.
//!
//! # Invariants
//!
//! - `values_add`: `value(q, p) + value(r, p) = value(q + r, p)`; for an inverse contract to a quantum.
//! - `what_is_bought_is_sold`: `value(−q, p) = −value(q, p)`.
//!
//! # Reference
//!
//! BitMEX, XBTUSD contract specification: "Contracts × Multiplier × (1/Entry − 1/Exit)"; Deribit, inverse perpetuals.

use crate::unit::{Cash, Lots, Ticks};

/// The value function of one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Linear: quanta per tick and lot. Inverse: quanta of one lot at a price of one tick.
    scale: i64,
    inverse: bool,
}

impl Contract {
    /// A linear contract, from the quanta that one lot gains when the price rises one tick.
    pub const fn linear(quanta_per_tick_lot: i64) -> Self {
        Self {
            scale: quanta_per_tick_lot,
            inverse: false,
        }
    }

    /// An inverse contract, from the quanta that one lot is worth at a price of one tick.
    pub const fn inverse(quanta_at_a_tick: i64) -> Self {
        Self {
            scale: quanta_at_a_tick,
            inverse: true,
        }
    }

    /// Quanta per lot and tick; of an inverse contract, quanta of a lot at a price of one tick.
    #[inline]
    pub const fn quanta(&self) -> i64 {
        self.scale
    }

    /// The open interest beyond which amounts might not fit: an inverse contract is worth the most at a price of one tick, however
    /// little it was worth where it was traded. Nothing but its price bounds a linear one.
    pub fn most(&self) -> Option<Lots> {
        self.inverse.then(|| Lots(i64::MAX / 4 / self.scale.max(1)))
    }

    /// Whether it is settled in the coin.
    #[inline]
    pub const fn is_inverse(&self) -> bool {
        self.inverse
    }

    /// Value of a signed quantity at a price, in 128 bits.
    #[inline]
    pub fn wide(&self, quantity: Lots, price: Ticks) -> i128 {
        if self.inverse {
            return self.divided(quantity, price);
        }
        i128::from(quantity.0) * (i128::from(price.0) * i128::from(self.scale))
    }

    /// Apart, so that it costs linear contracts nothing but the question.
    #[inline(never)]
    fn divided(self, quantity: Lots, price: Ticks) -> i128 {
        let price = price.0.max(1);
        let size = quantity.0.unsigned_abs();
        let worth = match size.checked_mul(self.scale.unsigned_abs()) {
            Some(product) if product < u64::MAX / 4 => {
                let price = price.unsigned_abs();
                i128::from((2 * product + price) / (2 * price))
            }
            _ => {
                let product = i128::from(size) * i128::from(self.scale);
                let price = i128::from(price);
                (2 * product + price) / (2 * price)
            }
        };
        if quantity.0 > 0 { -worth } else { worth }
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
        if self.inverse {
            return None;
        }
        let each = price.0.checked_mul(self.scale)?;
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

    /// Notional of a quantity at a price with the quantity's sign, in 128 bits: + long, − short.
    #[inline]
    pub fn exposure(&self, quantity: Lots, price: Ticks) -> i128 {
        let value = self.wide(quantity, price);
        if self.inverse { -value } else { value }
    }

    /// What the contract is linear in: the price in ticks, or `−M / price`.
    #[inline]
    pub fn level(&self, price: f64) -> f64 {
        if self.inverse {
            -(self.scale as f64) / price
        } else {
            price
        }
    }

    /// The price in ticks at which the contract has a level; infinite where an inverse one is worth nothing.
    #[inline]
    pub fn price_at(&self, level: f64) -> f64 {
        if self.inverse {
            if level < 0.0 {
                -(self.scale as f64) / level
            } else {
                f64::INFINITY
            }
        } else {
            level
        }
    }

    /// Quanta that one lot gains as the level rises by one.
    #[inline]
    pub const fn slope(&self) -> f64 {
        if self.inverse { 1.0 } else { self.scale as f64 }
    }

    /// Quanta that one lot gains as the price rises by one tick, at a price in ticks.
    #[inline]
    pub fn per_tick(&self, price: f64) -> f64 {
        if self.inverse {
            self.scale as f64 / (price * price)
        } else {
            self.scale as f64
        }
    }

    /// Notional of one lot at a price in ticks, unrounded.
    #[inline]
    pub fn lot_notional(&self, price: f64) -> f64 {
        if self.inverse {
            self.scale as f64 / price
        } else {
            price * self.scale as f64
        }
    }

    /// The most lots whose notional at a price is at most `notional`.
    #[inline]
    pub fn lots_within(&self, notional: Cash, price: Ticks) -> i64 {
        if self.inverse {
            let most =
                i128::from(notional.0) * i128::from(price.0.max(1)) / i128::from(self.scale.max(1));
            return most.clamp(0, i64::MAX.into()) as i64;
        }
        notional.0 / self.notional(Lots(1), price).0.max(1)
    }

    /// Value of a run of trades: `moment` is Σ lots · price of a linear contract, Σ value of an inverse one.
    #[inline]
    pub(super) fn run(&self, moment: i128) -> Option<Cash> {
        if self.inverse {
            Cash::from_wide(moment)
        } else {
            Cash::from_wide(moment * i128::from(self.scale))
        }
    }

    /// The price at which a signed quantity is worth `value`, as a float in ticks: for indices and
    /// orders, never for money. Where an inverse contract is worth that at no price, it is infinite.
    #[inline]
    pub fn price_of(&self, quantity: Lots, value: i128) -> f64 {
        self.price_at(value as f64 / (quantity.as_f64() * self.slope()))
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
        let inverse = Contract::inverse(200_000_000);
        let apart = inverse.value(Lots(-5), price) + inverse.value(Lots(17), price);
        assert!((apart - inverse.value(Lots(12), price)).abs() <= Cash(1));
    }

    #[test]
    fn what_is_bought_is_sold() {
        // 100 USD of XBTUSD at 8,000.5: a tick of 0.5, a lot of 1 USD, a quantum of a satoshi.
        let inverse = Contract::inverse(200_000_000);
        let bought = inverse.value(Lots(100), Ticks(16_001));
        assert_eq!(bought, Cash(-1_249_922)); // 100 / 8,000.5 = 0.012499219 coins
        assert_eq!(inverse.value(Lots(-100), Ticks(16_001)), -bought);
        assert_eq!(inverse.notional(Lots(-100), Ticks(16_001)), -bought);
        assert_eq!(inverse.exposure(Lots(100), Ticks(16_001)), 1_249_922);
        assert_eq!(inverse.exposure(Lots(-100), Ticks(16_001)), -1_249_922);
        // Beyond 64 bits on the way, and within them at the end.
        let large = Lots(1_000_000_000_000);
        assert_eq!(
            inverse.value(large, Ticks(300)),
            Cash(-666_666_666_666_666_667)
        );
        assert_eq!(inverse.checked(large, Ticks(3)), None);
    }

    #[test]
    fn a_level_is_what_a_contract_is_linear_in() {
        for contract in [Contract::linear(7), Contract::inverse(200_000_000)] {
            for price in [9_000i64, 16_000, 40_000] {
                let level = contract.level(price as f64);
                let value = 300.0 * contract.slope() * level;
                let exact = contract.value(Lots(300), Ticks(price)).as_f64();
                assert!((value - exact).abs() <= 0.5);
                assert!((contract.price_at(level) / price as f64 - 1.0).abs() < 1e-14);
                let rise = contract.value(Lots(1_000), Ticks(price + 1)).as_f64()
                    - contract.value(Lots(1_000), Ticks(price)).as_f64();
                assert!((rise / (1_000.0 * contract.per_tick(price as f64)) - 1.0).abs() < 2e-2);
            }
        }
        assert_eq!(Contract::inverse(1).price_at(0.0), f64::INFINITY);
        assert_eq!(Contract::linear(7).lots_within(Cash(699), Ticks(10)), 9);
        assert_eq!(
            Contract::inverse(1_000).lots_within(Cash(33), Ticks(300)),
            9
        );
    }
}
