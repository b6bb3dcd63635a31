//! The only place where decimals become integers and integers become numbers to read.
//!
//! A [`Grid`] states what one tick, one lot and one quantum are worth; everything that enters
//! the simulator from a scenario or a file passes through it once, and everything that leaves
//! passes through it once more.
//!
//! # Invariants
//!
//! - `a_tick_times_a_lot_is_a_whole_number_of_quanta`: otherwise a trade would have to round, and
//!   money would be made or lost; such a grid is refused.
//! - `a_lot_at_a_tick_is_a_whole_number_of_quanta`: the same of an inverse contract, whose every value is rounded once.

use super::{Cash, Lots, Ticks};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::{Deserialize, Serialize};

/// What the integers of one market mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Price of one tick, in settlement currency per unit of the base.
    pub tick: Decimal,
    /// Quantity of one lot, in units of the base.
    pub lot: Decimal,
    /// Value of one quantum of cash, in settlement currency.
    pub quantum: Decimal,
}

/// Why a grid or a number is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// A size is zero or negative.
    #[error("{what} must be greater than zero, found {found}")]
    NotPositive {
        /// Which size.
        what: &'static str,
        /// Its value.
        found: Decimal,
    },
    /// One tick times one lot isn't a whole number of quanta.
    #[error(
        "tick × lot must be a whole number of cash quanta: {tick} × {lot} = {product}, and one quantum is {quantum}"
    )]
    NotWhole {
        /// The tick size.
        tick: Decimal,
        /// The lot size.
        lot: Decimal,
        /// Their product.
        product: Decimal,
        /// The quantum.
        quantum: Decimal,
    },
    /// One lot at a price of one tick isn't a whole number of quanta.
    #[error(
        "lot ÷ tick must be a whole number of cash quanta of the coin: {lot} ÷ {tick} = {quotient}, and one quantum is {quantum}"
    )]
    NotWholeCoin {
        /// The tick size.
        tick: Decimal,
        /// The lot size.
        lot: Decimal,
        /// Their quotient.
        quotient: Decimal,
        /// The quantum.
        quantum: Decimal,
    },
    /// A number doesn't fit 63 bits on this grid.
    #[error("{what} {found} is too large for this grid")]
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        found: Decimal,
    },
}

impl Grid {
    /// A grid, checked.
    ///
    /// # Errors
    ///
    /// [`GridError::NotPositive`] for a size of zero or less, [`GridError::NotWhole`] where a tick times a lot
    /// isn't a whole number of quanta.
    pub fn new(tick: Decimal, lot: Decimal, quantum: Decimal) -> Result<Self, GridError> {
        let grid = Self::positive(tick, lot, quantum)?;
        grid.quanta_per_tick_lot().map(|_| grid)
    }

    /// The grid of an inverse contract, checked: lots in the quote currency, the quantum in the coin.
    ///
    /// # Errors
    ///
    /// [`GridError::NotPositive`] for a size of zero or less, [`GridError::NotWholeCoin`] where a lot at a price of one
    /// tick isn't a whole number of quanta.
    pub fn inverse(tick: Decimal, lot: Decimal, quantum: Decimal) -> Result<Self, GridError> {
        let grid = Self::positive(tick, lot, quantum)?;
        grid.quanta_at_a_tick().map(|_| grid)
    }

    fn positive(tick: Decimal, lot: Decimal, quantum: Decimal) -> Result<Self, GridError> {
        for (what, found) in [
            ("tick size", tick),
            ("lot size", lot),
            ("cash quantum", quantum),
        ] {
            if found <= Decimal::ZERO {
                return Err(GridError::NotPositive { what, found });
            }
        }
        Ok(Self { tick, lot, quantum })
    }

    /// Quanta of the coin that one lot of an inverse contract is worth at a price of one tick.
    ///
    /// # Errors
    ///
    /// [`GridError::NotWholeCoin`] or [`GridError::TooLarge`].
    pub fn quanta_at_a_tick(&self) -> Result<i64, GridError> {
        let Self { tick, lot, quantum } = *self;
        let too_large = GridError::TooLarge {
            what: "lot ÷ tick in quanta",
            found: lot,
        };
        let unit = tick
            .checked_mul(quantum)
            .filter(|unit| !unit.is_zero())
            .ok_or_else(|| too_large.clone())?;
        let quanta = lot.checked_div(unit).ok_or_else(|| too_large.clone())?;
        if quanta.is_zero() || !quanta.fract().is_zero() || quanta * unit != lot {
            return Err(GridError::NotWholeCoin {
                tick,
                lot,
                quotient: (lot / tick).normalize(),
                quantum,
            });
        }
        quanta.to_i64().ok_or(too_large)
    }

    /// Quanta that one lot gains when the price rises one tick.
    ///
    /// # Errors
    ///
    /// [`GridError::NotWhole`] or [`GridError::TooLarge`].
    pub fn quanta_per_tick_lot(&self) -> Result<i64, GridError> {
        let Self { tick, lot, quantum } = *self;
        let product = tick.checked_mul(lot).ok_or(GridError::TooLarge {
            what: "tick × lot",
            found: tick,
        })?;
        let quanta = product / quantum;
        if quanta.is_zero() || !quanta.fract().is_zero() || quanta * quantum != product {
            return Err(GridError::NotWhole {
                tick,
                lot,
                product: product.normalize(),
                quantum,
            });
        }
        quanta.to_i64().ok_or(GridError::TooLarge {
            what: "tick × lot in quanta",
            found: quanta,
        })
    }

    /// The tick nearest to a price.
    ///
    /// # Errors
    ///
    /// [`GridError::TooLarge`] where it does not fit.
    pub fn ticks(&self, price: Decimal) -> Result<Ticks, GridError> {
        nearest(price, self.tick, "price").map(Ticks)
    }
    /// The lots nearest to a quantity.
    ///
    /// # Errors
    ///
    /// [`GridError::TooLarge`] where it does not fit.
    pub fn lots(&self, quantity: Decimal) -> Result<Lots, GridError> {
        nearest(quantity, self.lot, "quantity").map(Lots)
    }
    /// The quanta nearest to an amount of money.
    ///
    /// # Errors
    ///
    /// [`GridError::TooLarge`] where it does not fit.
    pub fn cash(&self, amount: Decimal) -> Result<Cash, GridError> {
        nearest(amount, self.quantum, "amount").map(Cash)
    }

    /// A price to read.
    pub fn price(&self, ticks: Ticks) -> Decimal {
        Decimal::from(ticks.0) * self.tick
    }
    /// A quantity to read.
    pub fn quantity(&self, lots: Lots) -> Decimal {
        Decimal::from(lots.0) * self.lot
    }
    /// An amount of money to read.
    pub fn amount(&self, cash: Cash) -> Decimal {
        Decimal::from(cash.0) * self.quantum
    }

    /// The factors of this grid as floats, for signals and for columns of output.
    pub fn scale(&self) -> Scale {
        Scale {
            tick: self.tick.to_f64().unwrap_or(f64::NAN),
            lot: self.lot.to_f64().unwrap_or(f64::NAN),
            quantum: self.quantum.to_f64().unwrap_or(f64::NAN),
        }
    }
}

/// A grid's factors as floats: for signals and output, never for money.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Price of one tick.
    pub tick: f64,
    /// Quantity of one lot.
    pub lot: f64,
    /// Value of one quantum.
    pub quantum: f64,
}

impl Scale {
    /// A price in settlement currency.
    #[inline]
    pub fn price(&self, ticks: Ticks) -> f64 {
        ticks.as_f64() * self.tick
    }
    /// A quantity in units of the base.
    #[inline]
    pub fn quantity(&self, lots: Lots) -> f64 {
        lots.as_f64() * self.lot
    }
    /// An amount in settlement currency.
    #[inline]
    pub fn amount(&self, cash: Cash) -> f64 {
        cash.as_f64() * self.quantum
    }
}

/// The decimal nearest to a float, or `None` for one that isn't finite or is too large.
pub fn decimal(float: f64) -> Option<Decimal> {
    Decimal::from_f64(float)
}

fn nearest(value: Decimal, step: Decimal, what: &'static str) -> Result<i64, GridError> {
    value
        .checked_div(step)
        .and_then(|units| units.round().to_i64())
        .ok_or(GridError::TooLarge { what, found: value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_tick_times_a_lot_is_a_whole_number_of_quanta() {
        let grid = Grid::new(d("0.1"), d("0.001"), d("0.000001")).unwrap();
        assert_eq!(grid.quanta_per_tick_lot(), Ok(100));
        let refused = Grid::new(d("0.01"), d("0.00001"), d("0.000001")).unwrap_err();
        assert!(refused.to_string().contains("whole number of cash quanta"));
        assert!(Grid::new(d("0"), d("1"), d("1")).is_err());
    }

    #[test]
    fn a_lot_at_a_tick_is_a_whole_number_of_quanta() {
        let grid = Grid::inverse(d("0.5"), d("1"), d("0.00000001")).unwrap();
        assert_eq!(grid.quanta_at_a_tick(), Ok(200_000_000));
        let refused = Grid::inverse(d("0.3"), d("1"), d("0.01")).unwrap_err();
        assert!(refused.to_string().contains("quanta of the coin"));
        assert!(Grid::inverse(d("1"), d("-1"), d("1")).is_err());
    }

    #[test]
    fn numbers_survive_the_round_trip() {
        let grid = Grid::new(d("0.5"), d("0.001"), d("0.000001")).unwrap();
        assert_eq!(grid.ticks(d("110000.5")), Ok(Ticks(220_001)));
        assert_eq!(grid.price(Ticks(220_001)), d("110000.5"));
        assert_eq!(grid.cash(d("-1.5")), Ok(Cash(-1_500_000)));
        assert!(grid.cash(Decimal::MAX).is_err());
    }
}
