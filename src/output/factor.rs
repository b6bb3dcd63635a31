//! From integers to numbers to read, correctly rounded.
//!
//! A tick of 0.1 is no float: 1,100,005 of them times the nearest float is 110000.50000000001. So a
//! factor is kept as mantissa over a power of ten, and the division rounds once: 110000.5.

use crate::unit::{Cash, Grid, Lots, Ticks};
use rust_decimal::Decimal;

/// One decimal, ready to multiply floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    mantissa: f64,
    divisor: f64,
}

impl Factor {
    /// The factor that a decimal states.
    pub fn new(decimal: Decimal) -> Self {
        let decimal = decimal.normalize();
        Self {
            mantissa: decimal.mantissa() as f64,
            divisor: (0..decimal.scale()).fold(1.0, |power, _| power * 10.0),
        }
    }
    /// A number of units, in numbers to read.
    pub fn of(self, units: f64) -> f64 {
        units * self.mantissa / self.divisor
    }
}

/// The factors of one market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Settlement currency per tick.
    pub tick: Factor,
    /// Base units per lot.
    pub lot: Factor,
    /// Settlement currency per quantum.
    pub quantum: Factor,
}

impl Factors {
    /// The factors of a grid.
    pub fn new(grid: &Grid) -> Self {
        Self {
            tick: Factor::new(grid.tick),
            lot: Factor::new(grid.lot),
            quantum: Factor::new(grid.quantum),
        }
    }
    /// A price in settlement currency.
    pub fn price(&self, ticks: Ticks) -> f64 {
        self.tick.of(ticks.as_f64())
    }
    /// A quantity in base units.
    pub fn quantity(&self, lots: Lots) -> f64 {
        self.lot.of(lots.as_f64())
    }
    /// Money in settlement currency.
    pub fn amount(&self, cash: Cash) -> f64 {
        self.quantum.of(cash.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_reads_as_the_nearest_float_to_its_decimal() {
        for (tick, units, price) in [
            ("0.1", 1_100_005.0, 110_000.5),
            ("0.05", 3.0, 0.15),
            ("10", 7.0, 70.0),
        ] {
            assert_eq!(Factor::new(tick.parse().unwrap()).of(units), price);
        }
    }
}
