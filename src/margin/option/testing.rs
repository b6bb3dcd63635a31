//! A market with a few series, for the tests of rules.

use super::board::{Board, Book, Listed, MarketState, OptionLeg};
use super::safe::{Bounds, Headroom, SafeRange};
use super::settings::{DeribitSettings, DeriveSettings, OkxSettings, RuleSettings, SpanSettings};
use super::table::ScanTable;
use super::{Asked, OptionMargin, OptionMarginSettings};
use crate::margin::Leg;
use crate::market::Contract;
use crate::market::option::{Right, Series, SeriesId, Settlement};
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// One tick of one lot is worth a million quanta.
const CONTRACT: Contract = Contract::linear(1_000_000);
const DAY: f64 = 86_400.0;

/// One market at a moment. A contract is on one lot.
#[derive(Clone, Debug)]
pub struct Place {
    pub state: MarketState,
    pub series: Vec<Listed>,
    now: f64,
}

impl Place {
    pub fn new(spot: f64) -> Self {
        Self {
            state: MarketState {
                contract: CONTRACT,
                spot,
                widening: 1.0,
            },
            series: Vec::new(),
            now: 0.0,
        }
    }
    /// One market whose contract is inverse, of so many quanta a lot at the present price.
    pub fn inverse(spot: i64, quanta: f64) -> Self {
        let mut place = Self::new(spot as f64);
        place.state.contract = Contract::inverse((quanta * spot as f64).round() as i64);
        place
    }
    fn series(strike: i64, right: Right, days: f64) -> Series {
        Series {
            market: MarketId(0),
            expiry: days * DAY,
            strike: Ticks(strike),
            right,
            settlement: Settlement::Linear,
            multiplier: Lots(1),
        }
    }
    /// With series of so many days and such a volatility.
    pub fn listed(mut self, series: &[(i64, Right, f64, f64)]) -> Self {
        for &(strike, right, days, volatility) in series {
            let series = Self::series(strike, right, days);
            self.series.push(Listed::at(
                series,
                &CONTRACT,
                0.0,
                self.state.spot,
                volatility,
            ));
        }
        self
    }
    /// With series of 30 days at given prices.
    pub fn marked(mut self, series: &[(i64, Right, f64)]) -> Self {
        for &(strike, right, price) in series {
            let series = Self::series(strike, right, 30.0);
            let mut listed = Listed::at(series, &CONTRACT, 0.0, self.state.spot, 0.5);
            listed.price = price;
            listed.worth = series.worth(price, &CONTRACT);
            self.series.push(listed);
        }
        self
    }
    /// The same later, after a relative move of the price, with all volatilities times a factor.
    pub fn moved(&self, x: f64, volatility: f64, days: f64) -> Self {
        let mut then = self.clone();
        then.state.spot *= 1.0 + x;
        then.now += days * DAY;
        for listed in &mut then.series {
            let volatility = listed.volatility * volatility;
            *listed = Listed::at(
                listed.series,
                &CONTRACT,
                then.now,
                listed.forward * (1.0 + x),
                volatility,
            );
        }
        then
    }
    /// What a book has gained since an earlier moment, in quanta.
    pub fn gain_since(&self, before: &Self, perps: &[i64], legs: &[(u16, i64)]) -> i128 {
        let perp: i64 = perps.iter().sum();
        let mut gain = (perp as f64 * (self.state.spot - before.state.spot) * 1e6) as i128;
        for &(series, contracts) in legs {
            let at = |place: &Self| place.series[usize::from(series)].worth.0;
            gain += i128::from(contracts) * i128::from(at(self) - at(before));
        }
        gain
    }

    fn with<T>(
        &self,
        perps: &[i64],
        legs: &[(u16, i64)],
        of: impl FnOnce(&Board<'_>, &Book<'_>) -> T,
    ) -> T {
        let perps: Vec<Leg> = perps
            .iter()
            .filter(|quantity| **quantity != 0)
            .map(|&quantity| {
                let notional = (quantity.abs() as f64 * self.state.spot * 1e6) as i64;
                Leg {
                    market: MarketId(0),
                    quantity: Lots(quantity),
                    notional: Cash(notional),
                    alone: Cash(notional / 20),
                }
            })
            .collect();
        let options: Vec<OptionLeg> = legs
            .iter()
            .map(|&(series, contracts)| OptionLeg {
                series: SeriesId(series),
                contracts,
            })
            .collect();
        let board = Board {
            markets: &[self.state],
            series: &self.series,
        };
        of(
            &board,
            &Book {
                perps: &perps,
                options: &options,
            },
        )
    }
    /// What a book is asked, in quanta.
    pub fn asked(
        &self,
        rule: &dyn OptionMargin,
        perps: &[i64],
        legs: &[(u16, i64)],
        asked: Asked,
    ) -> i64 {
        self.with(perps, legs, |board, book| {
            let mut table = ScanTable::default();
            rule.tabulate(board, &mut table);
            rule.requirement(board, &table, book, asked).0
        })
    }
    /// Its safe range.
    pub fn safe(
        &self,
        rule: &dyn OptionMargin,
        perps: &[i64],
        legs: &[(u16, i64)],
        equity: i128,
        ratio: f64,
        headroom: Headroom,
    ) -> Option<SafeRange> {
        self.with(perps, legs, |board, book| {
            let mut bounds = Bounds::default();
            rule.bound(board, headroom, &mut bounds);
            rule.safe(board, &bounds, book, equity, ratio)
        })
    }
}

/// Every rule with its defaults, by name.
pub fn rules() -> Vec<(&'static str, Box<dyn OptionMargin>)> {
    [
        RuleSettings::Span(SpanSettings::default()),
        RuleSettings::DeribitStandard(Default::default()),
        RuleSettings::Deribit(DeribitSettings::default()),
        RuleSettings::Derive(DeriveSettings::default()),
        RuleSettings::Okx(OkxSettings::default()),
        RuleSettings::Sensitivities(Default::default()),
    ]
    .map(|rule| {
        let settings = OptionMarginSettings::of(rule);
        (settings.rule.name(), settings.build(&[("BTC", 1e-6)]))
    })
    .into()
}
