//! Options on a market's index: what a series is, what it pays, and what one contract is worth.
//!
//! | room | what |
//! |---|---|
//! | [`black`] | Black's price and its derivatives |
//! | [`implied`] | the volatility that gives a price |
//!
//! # Units
//!
//! Forwards, strikes and prices of options are floats in ticks of the market: signals. They become money in one place,
//! [`Series::worth`], which gives whole quanta **per contract**; a position is worth so many times that, so that both sides of
//! a trade book the same amount. Times are seconds after the first step, years have 365 days, volatilities are per year.
//!
//! # Invariants
//!
//! - `worths_add`: what a position is worth is its contracts times what one is worth.

pub mod black;
pub mod implied;

pub use black::{Greeks, black76, greeks};
pub use implied::implied_volatility;

use super::Contract;
use crate::unit::span::YEAR;
use crate::unit::{Cash, Lots, MarketId, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A series of options, by its place among the scenario's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub u16);

impl SeriesId {
    /// The series' place in the columns.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the owner of an option may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Buy at the strike.
    Call,
    /// Sell at the strike.
    Put,
}

impl Right {
    /// What the right is worth if it is used at this price, in the price's unit.
    #[inline]
    pub fn intrinsic(self, price: f64, strike: f64) -> f64 {
        match self {
            Self::Call => (price - strike).max(0.0),
            Self::Put => (strike - price).max(0.0),
        }
    }
    /// 1 for a call, −1 for a put.
    #[inline]
    pub const fn sign(self) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Put => -1.0,
        }
    }
}

/// In what an option pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// In the settlement currency.
    #[default]
    Linear,
    /// In the coin: the same value, quoted and paid as a share of the index, `max(S − K, 0) / S` coins for a call.
    Coin,
}

/// European options of one strike and expiry, settled in cash against the market's index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series {
    /// The market whose index they settle against.
    pub market: MarketId,
    /// Seconds after the first step at which they expire.
    pub expiry: f64,
    /// The strike.
    pub strike: Ticks,
    /// Call or put.
    pub right: Right,
    /// In what they are quoted and paid.
    pub settlement: Settlement,
    /// Lots of the market that one contract is on; positive.
    pub multiplier: Lots,
}

impl Series {
    /// Years left at a time in seconds after the first step; none once it has expired.
    #[inline]
    pub fn years(&self, now: f64) -> f64 {
        ((self.expiry - now) / YEAR).max(0.0)
    }
    /// What an expired option pays per unit, in ticks, when it settles at this price.
    #[inline]
    pub fn payoff(&self, settled: f64) -> f64 {
        self.right.intrinsic(settled, self.strike.as_f64())
    }
    /// Black's price per unit, in ticks.
    #[inline]
    pub fn price(&self, forward: f64, years: f64, volatility: f64) -> f64 {
        black76(forward, self.strike.as_f64(), years, volatility, self.right)
    }
    /// Black's price and its derivatives per unit.
    #[inline]
    pub fn greeks(&self, forward: f64, years: f64, volatility: f64) -> Greeks {
        greeks(forward, self.strike.as_f64(), years, volatility, self.right)
    }
    /// How a price in ticks is quoted: as it is, or as a share of the index, in coins.
    #[inline]
    pub fn quote(&self, price: f64, index: f64) -> f64 {
        match self.settlement {
            Settlement::Linear => price,
            Settlement::Coin => price / index,
        }
    }
    /// Quanta that one contract gains per tick of its price, as a float.
    #[inline]
    pub fn quanta_per_tick(&self, contract: &Contract) -> f64 {
        self.multiplier.as_f64() * contract.quanta() as f64
    }
    /// What one contract is worth at a price in ticks, to the nearest quantum. Everything that books an option's value
    /// goes through here.
    ///
    /// # Panics
    ///
    /// Where the amount does not fit, as [`Contract::value`] does.
    #[inline]
    pub fn worth(&self, price: f64, contract: &Contract) -> Cash {
        let quanta = (price * self.quanta_per_tick(contract)).round_ties_even();
        assert!(
            quanta.abs() < 9.2e18,
            "a contract at {price} ticks is worth more than fits"
        );
        Cash(quanta as i64)
    }
}

/// What a signed number of contracts is worth, each at `each`; `None` where it does not fit.
#[inline]
pub fn value(contracts: i64, each: Cash) -> Option<Cash> {
    contracts.checked_mul(each.0).map(Cash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(right: Right) -> Series {
        Series {
            market: MarketId(0),
            expiry: 86_400.0,
            strike: Ticks(100_000),
            right,
            settlement: Settlement::Coin,
            multiplier: Lots(1_000),
        }
    }

    #[test]
    fn worths_add() {
        let contract = Contract::linear(7);
        let each = series(Right::Call).worth(12.345_678, &contract);
        // 12.345678 · 1000 · 7 = 86,419.746.
        assert_eq!(each, Cash(86_420));
        let whole = value(12, each).unwrap();
        assert_eq!(value(-5, each).unwrap() + value(17, each).unwrap(), whole);
        assert_eq!(value(i64::MAX, each), None);
    }

    #[test]
    fn a_coin_option_is_quoted_as_a_share_of_the_index() {
        let call = series(Right::Call);
        assert_eq!(call.payoff(125_000.0), 25_000.0);
        assert_eq!(call.quote(25_000.0, 125_000.0), 0.2);
        assert_eq!(series(Right::Put).payoff(125_000.0), 0.0);
        assert_eq!(call.years(0.0), 1.0 / 365.0);
        assert_eq!(call.years(1e9), 0.0);
    }
}
