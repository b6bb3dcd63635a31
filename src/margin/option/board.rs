//! What a rule for options sees: every market and series at a moment, and what one account holds.

use crate::margin::portfolio::Leg;
use crate::market::Contract;
use crate::market::option::{Series, SeriesId};
use crate::unit::{Cash, MarketId};

/// One market at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarketState {
    /// What its positions are worth.
    pub contract: Contract,
    /// The price that margin is reckoned at, in ticks.
    pub spot: f64,
    /// What multiplies the price ranges of a scan: the market's adjusted rate over its base's, 1 where nothing adjusts it. So a
    /// rule's adjustments (a volatility spike, a notice, a floor) widen the scan as they raise the rates of positions.
    pub widening: f64,
}

impl MarketState {
    /// The notional of one lot, in quanta.
    #[inline]
    pub fn notional(&self) -> f64 {
        self.contract.lot_notional(self.spot)
    }
    /// What one lot gains when the price becomes so many times what it is, in quanta.
    #[inline]
    pub fn gain(&self, factor: f64) -> f64 {
        let share = match self.contract.is_inverse() {
            true => 1.0 - 1.0 / factor.max(1e-3),
            false => factor - 1.0,
        };
        self.notional() * share
    }
}

/// One series at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed {
    /// The series.
    pub series: Series,
    /// Years to its expiry.
    pub years: f64,
    /// The forward of its expiry, in ticks.
    pub forward: f64,
    /// Its implied volatility.
    pub volatility: f64,
    /// Its price per unit, in ticks.
    pub price: f64,
    /// What one contract is worth: the price in quanta.
    pub worth: Cash,
}

impl Listed {
    /// A series at a time in seconds, under a forward in ticks and a volatility, at Black's price.
    pub fn at(
        series: Series,
        contract: &Contract,
        now: f64,
        forward: f64,
        volatility: f64,
    ) -> Self {
        let years = series.years(now);
        let price = series.price(forward, years, volatility);
        Self {
            series,
            years,
            forward,
            volatility,
            price,
            worth: series.worth(price, contract),
        }
    }
}

/// Every market and series at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Board<'a> {
    /// The markets, by their id.
    pub markets: &'a [MarketState],
    /// The series, by their id.
    pub series: &'a [Listed],
}

impl Board<'_> {
    /// A series.
    #[inline]
    pub fn listed(&self, id: SeriesId) -> &Listed {
        &self.series[id.index()]
    }
    /// A market.
    #[inline]
    pub fn market(&self, id: MarketId) -> &MarketState {
        &self.markets[id.index()]
    }
}

/// A position in one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionLeg {
    /// The series.
    pub series: SeriesId,
    /// Contracts held, negative for a short position.
    pub contracts: i64,
}

/// What one account holds.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a> {
    /// Its perpetuals.
    pub perps: &'a [Leg],
    /// Its options.
    pub options: &'a [OptionLeg],
}

impl Book<'_> {
    /// What its options are worth, in 128 bits.
    pub fn premium(&self, board: &Board<'_>) -> i128 {
        self.options
            .iter()
            .map(|leg| i128::from(leg.contracts) * i128::from(board.listed(leg.series).worth.0))
            .sum()
    }
    /// Its options in a market.
    #[inline]
    pub fn options_in<'b>(
        &'b self,
        board: &'b Board<'_>,
        market: MarketId,
    ) -> impl Iterator<Item = &'b OptionLeg> {
        self.options
            .iter()
            .filter(move |leg| board.listed(leg.series).series.market == market)
    }
    /// Whether it holds anything in a market.
    #[inline]
    pub fn holds(&self, board: &Board<'_>, market: MarketId) -> bool {
        self.perps.iter().any(|leg| leg.market == market)
            || self
                .options
                .iter()
                .any(|leg| board.listed(leg.series).series.market == market)
    }
}
