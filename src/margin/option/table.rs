//! The table that all accounts share: what one contract of every series, and one lot of every market, gain in each scenario.
//!
//! # Units
//!
//! Gains in 2⁻¹⁰ quanta per contract or lot ([`ScanTable::UNIT`]), so that the rounding of one lot doesn't show in a million.
//!
//! # Invariants
//!
//! - `a_row_is_the_change_of_blacks_price`.

use super::board::Board;
use super::rule::delta_of;
use crate::market::option::{SeriesId, black};
use crate::math::ops;
use crate::unit::{MarketId, Rate};

/// How volatilities move in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VolatilityMove {
    /// They don't.
    #[default]
    Same,
    /// Up.
    Up,
    /// Down.
    Down,
    /// The skew turns: strikes above the forward up, those below down, in proportion to their distance.
    Skew,
    /// The smile bends: strikes on both sides up, in proportion to their distance.
    Smile,
}

/// How an account's gains in the expiries of a market are put together in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Together {
    /// They are added up.
    #[default]
    Sum,
    /// Each expiry's counts as a loss, whichever sign it has: its skew may turn the other way.
    Adverse,
}

/// One scenario of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// The relative move of the price: −0.16 for a fall of 16 %.
    pub price: f64,
    /// The move of volatilities.
    pub volatility: VolatilityMove,
    /// The share of the loss that counts.
    pub share: Rate,
    /// How expiries are put together.
    pub together: Together,
}

impl Scenario {
    /// A scenario whose whole loss counts.
    pub const fn new(price: f64, volatility: VolatilityMove) -> Self {
        Self {
            price,
            volatility,
            share: Rate::ONE,
            together: Together::Sum,
        }
    }
    /// A scenario of whose loss a share counts.
    pub fn damped(price: f64, volatility: VolatilityMove, share: f64) -> Self {
        Self {
            share: Rate::from_f64(share),
            ..Self::new(price, volatility)
        }
    }
}

/// What one contract of every series and one lot of every market gain in each scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanTable {
    width: usize,
    series: Vec<i64>,
    lots: Vec<i64>,
    deltas: Vec<f64>,
}

impl ScanTable {
    /// Units of the table in one quantum.
    pub const UNIT: i64 = 1 << 10;

    /// Works it out. A market's scenarios come from `scenarios`, the moved volatility of a series from `volatility`, given the
    /// series' place and the move. A price that would be negative is zero.
    pub fn fill<'s>(
        &mut self,
        board: &Board<'_>,
        width: usize,
        scenarios: impl Fn(MarketId) -> &'s [Scenario],
        volatility: impl Fn(usize, VolatilityMove) -> f64,
    ) {
        self.width = width;
        self.series.clear();
        self.series.resize(width * board.series.len(), 0);
        self.lots.clear();
        self.lots.resize(width * board.markets.len(), 0);
        self.deltas.clear();
        self.deltas
            .extend((0..board.series.len()).map(|place| delta_of(board, place)));
        let unit = Self::UNIT as f64;
        for (place, listed) in board.series.iter().enumerate() {
            let series = &listed.series;
            let market = board.market(series.market);
            let scale = series.quanta_per_tick(&market.contract) * unit;
            let row = &mut self.series[width * place..][..width];
            for (gain, scenario) in row.iter_mut().zip(scenarios(series.market)) {
                let forward = listed.forward * moved(scenario.price, market.widening);
                let s = volatility(place, scenario.volatility) * listed.years.sqrt();
                let price = black::price(forward, series.strike.as_f64(), s, series.right);
                *gain = ((price - listed.price) * scale).round_ties_even() as i64;
            }
        }
        for (place, market) in board.markets.iter().enumerate() {
            let row = &mut self.lots[width * place..][..width];
            for (gain, scenario) in row.iter_mut().zip(scenarios(MarketId(place as u16))) {
                let factor = moved(scenario.price, market.widening);
                *gain = (market.gain(factor) * unit).round_ties_even() as i64;
            }
        }
    }

    /// A table of one series and one market, from its rows.
    #[cfg(test)]
    pub(super) fn of_rows(width: usize, series: Vec<i64>, lots: Vec<i64>) -> Self {
        Self {
            width,
            series,
            lots,
            deltas: vec![0.0],
        }
    }
    /// Columns: the largest number of scenarios of a market; those beyond a market's own are zero.
    #[inline]
    pub const fn width(&self) -> usize {
        self.width
    }
    /// What one contract of a series gains in each scenario of its market.
    #[inline]
    pub fn series(&self, id: SeriesId) -> &[i64] {
        &self.series[self.width * id.index()..][..self.width]
    }
    /// Delta of one contract of a series, in lots of its market.
    #[inline]
    pub fn delta(&self, id: SeriesId) -> f64 {
        self.deltas[id.index()]
    }
    /// What one lot of a market gains in each of its scenarios.
    #[inline]
    pub fn lots(&self, id: MarketId) -> &[i64] {
        &self.lots[self.width * id.index()..][..self.width]
    }
}

/// The factor of a price that moves by so much, widened; a fall is widened no further than to nothing.
#[inline]
pub fn moved(price: f64, widening: f64) -> f64 {
    (1.0 + price * widening).max(0.0)
}

/// `(30 days / days left)^power`: how a shock of volatility grows toward expiry.
#[inline]
pub fn toward_expiry(years: f64, power: f64) -> f64 {
    ops::pow(30.0 / (years * 365.0), power)
}

#[cfg(test)]
mod tests {
    use super::super::board::{Listed, MarketState};
    use super::*;
    use crate::market::Contract;
    use crate::market::option::{Right, Series, Settlement, black76};
    use crate::unit::{Lots, Ticks};

    #[test]
    fn a_row_is_the_change_of_blacks_price() {
        let contract = Contract::linear(100);
        let markets = [MarketState {
            contract,
            spot: 600_000.0,
            widening: 1.5,
        }];
        let series = Series {
            market: MarketId(0),
            expiry: 30.0 * 86_400.0,
            strike: Ticks(500_000),
            right: Right::Put,
            settlement: Settlement::Linear,
            multiplier: Lots(10),
        };
        let listed = [Listed::at(series, &contract, 0.0, 601_000.0, 0.6)];
        let board = Board {
            markets: &markets,
            series: &listed,
        };
        let scenarios = [
            Scenario::new(-0.1, VolatilityMove::Up),
            Scenario::new(0.0, VolatilityMove::Same),
            Scenario::new(-0.9, VolatilityMove::Same),
        ];
        let mut table = ScanTable::default();
        table.fill(
            &board,
            4,
            |_| &scenarios,
            |_, shock| match shock {
                VolatilityMove::Up => 0.9,
                _ => 0.6,
            },
        );
        let years = 30.0 / 365.0;
        let at = |f: f64, v: f64| black76(f, 500_000.0, years, v, Right::Put);
        let expected = (at(601_000.0 * 0.85, 0.9) - at(601_000.0, 0.6)) * 1_000.0 * 1_024.0;
        let row = table.series(SeriesId(0));
        assert!(
            (row[0] as f64 - expected).abs() <= 1.0,
            "{} {expected}",
            row[0]
        );
        // 1.5 · 90 % down leaves nothing: the put pays its strike.
        assert!((row[2] as f64 - (500_000.0 - listed[0].price) * 1_024_000.0).abs() <= 1.0);
        assert_eq!((row[1], row[3]), (0, 0));
        assert_eq!(
            table.lots(MarketId(0)),
            [-9_216_000_000, 0, -61_440_000_000, 0]
        );
        assert!((toward_expiry(15.0 / 365.0, 0.5) - f64::sqrt(2.0)).abs() < 1e-12);
    }
}
