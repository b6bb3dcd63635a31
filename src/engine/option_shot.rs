//! Options at a moment, for pictures: gamma by price, implied volatility by strike, and one account's margin as prices move.

use super::world::World;
use crate::account::State;
use crate::margin::Leg;
use crate::margin::option::{Asked, Board, Book, Listed, MarketState, OptionLeg, ScanTable};
use crate::unit::{AccountId, Cash, MarketId, Ticks};

/// The options of one market at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionShot {
    /// The step before which it was taken.
    pub step: u32,
    /// The mark, in ticks.
    pub mark: f64,
    /// Gamma of what hedging cohorts hold by mark, in lots per tick by ticks.
    pub gamma: Vec<[f64; 2]>,
    /// By expiry, in seconds after the start: implied volatility by strike over the mark.
    pub smiles: Vec<(f64, Vec<[f64; 2]>)>,
    /// Of the account with options that is closest to its requirement: who it is, and by relative move of all prices its equity and what it
    /// must keep, in quanta.
    pub margin: Option<(AccountId, Vec<[f64; 3]>)>,
}

impl World {
    /// The options of a market as they are; nothing where none is listed any more.
    pub fn option_shot(&self, market: MarketId) -> Option<OptionShot> {
        let chain = self.options.as_ref()?;
        let mut expiries: Vec<f64> = chain
            .listed
            .iter()
            .zip(&chain.alive)
            .filter(|(listed, alive)| **alive && listed.series.market == market)
            .map(|(listed, _)| listed.series.expiry)
            .collect();
        expiries.sort_unstable_by(f64::total_cmp);
        expiries.dedup();
        if expiries.is_empty() {
            return None;
        }
        let mark = self.marks[market.index()].as_f64();
        let gamma = |k: i32| {
            let at = mark * (1.0 + 0.004 * f64::from(k));
            [at, self.gamma_at(market, at)]
        };
        let smile = |expiry: f64| {
            let strikes = (-40..=40).map(|k| 1.0 + 0.01 * f64::from(k));
            let points = strikes.map(|over| [over, self.smile_at(market, expiry, over)]);
            (expiry, points.collect())
        };
        Some(OptionShot {
            step: self.step,
            mark,
            gamma: (-100..=100).map(gamma).collect(),
            smiles: expiries.into_iter().map(smile).collect(),
            margin: self
                .closest_with_options(market)
                .map(|id| (id, self.margin_by_move(id))),
        })
    }

    /// Implied volatility of an expiry at a strike of so many times the mark.
    fn smile_at(&self, market: MarketId, expiry: f64, over: f64) -> f64 {
        let mark = self.marks[market.index()].as_f64();
        let now = f64::from(self.step) * self.dt;
        let Some(chain) = &self.options else {
            return f64::NAN;
        };
        let listed = chain.listed.iter().find(|listed| {
            let series = &listed.series;
            series.market == market && series.expiry.total_cmp(&expiry).is_eq()
        });
        listed.map_or(f64::NAN, |listed| {
            let mut series = listed.series;
            series.strike = Ticks((over * mark).round_ties_even() as i64);
            chain.surfaces.volatility(&series, mark, now)
        })
    }

    /// The account with options in a market, other than the house's and hedgers', whose equity is the smallest multiple of its requirement.
    fn closest_with_options(&self, market: MarketId) -> Option<AccountId> {
        let chain = self.options.as_ref()?;
        let holds = |id: AccountId| {
            self.ledger.options().of(id).iter().any(|held| {
                held.contracts != 0 && chain.listed[held.series.index()].series.market == market
            })
        };
        let owners = self.ledger.options().owners().iter().copied();
        owners
            .filter(|id| {
                !self.ledger.is_house(*id)
                    && !self.hedges(*id)
                    && self.ledger.account(*id).state < State::Liquidating
                    && holds(*id)
            })
            .map(|id| {
                let required = self.option_requirement(id, None, Asked::Maintenance);
                (self.equity(id) as f64 / required.as_f64().max(1.0), id)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, id)| id)
    }

    /// An account's equity and maintenance requirement, in quanta, were all prices elsewhere at once: by relative move from −40 % to 40 %.
    fn margin_by_move(&self, id: AccountId) -> Vec<[f64; 3]> {
        (-40..=40)
            .filter_map(|percent| {
                let moved = 0.01 * f64::from(percent);
                let [equity, required] = self.margin_at(id, 1.0 + moved)?;
                Some([moved, equity, required])
            })
            .collect()
    }

    fn margin_at(&self, id: AccountId, factor: f64) -> Option<[f64; 2]> {
        let chain = self.options.as_ref()?;
        let now = f64::from(self.step) * self.dt;
        let price = |mark: Ticks| Ticks(((mark.as_f64() * factor).round_ties_even() as i64).max(1));
        let markets: Vec<MarketState> = chain
            .states
            .iter()
            .map(|state| MarketState {
                spot: state.spot * factor,
                ..*state
            })
            .collect();
        let series: Vec<Listed> = chain
            .listed
            .iter()
            .zip(&chain.alive)
            .map(|(listed, alive)| {
                if !alive {
                    return *listed;
                }
                let (series, forward) = (listed.series, listed.forward * factor);
                let volatility = chain.surfaces.volatility(&series, forward, now);
                let contract = &markets[series.market.index()].contract;
                Listed::at(series, contract, now, forward, volatility)
            })
            .collect();
        let board = Board {
            markets: &markets,
            series: &series,
        };
        let mut equity = self.equity(id) as f64;
        let mut perps = Vec::new();
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            if quantity.is_zero() {
                continue;
            }
            let m = &self.markets[market.index()];
            let mark = self.marks[market.index()];
            let value = m.contract.wide(quantity, price(mark));
            equity += (value - m.contract.wide(quantity, mark)) as f64;
            let notional = Cash::clamped(value.abs());
            perps.push(Leg {
                market,
                quantity,
                notional,
                alone: m.schedule.maintenance(notional),
            });
        }
        let mut options = Vec::new();
        for held in self.ledger.options().of(id) {
            let place = held.series.index();
            if held.contracts != 0 && chain.alive[place] {
                let gained = series[place].worth.as_f64() - chain.listed[place].worth.as_f64();
                equity += held.contracts as f64 * gained;
                options.push(OptionLeg {
                    series: held.series,
                    contracts: held.contracts,
                });
            }
        }
        let mut table = ScanTable::default();
        chain.margin.tabulate(&board, &mut table);
        let book = Book {
            perps: &perps,
            options: &options,
        };
        let required = chain
            .margin
            .requirement(&board, &table, &book, Asked::Maintenance);
        Some([equity, required.as_f64()])
    }
}
