//! What accounts with options were measured by, step by step, and what they are asked along a path.
//!
//! Every series' worth is kept for every step, so that an account's equity is exact along the path; its requirement is worked out anew by the
//! rule for options from the marks, volatilities and rates of the step.

use super::frame::Frame;
use super::track::Track;
use crate::margin::Leg;
use crate::margin::option::{
    Asked, Board, Book, Listed, MarketState, OptionLeg, OptionMargin, ScanTable,
};
use crate::market::option::{Series, SeriesId};
use crate::unit::{AccountId, Cash, Lots};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Options of a run, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionTrack {
    /// The series, by their id.
    pub series: Vec<Series>,
    /// What one contract of each is worth, step after step; once settled, what it paid.
    worth: Vec<Cash>,
    /// Its implied volatility; 0 once it is settled.
    volatility: Vec<f64>,
    /// What multiplies price ranges of scans, by market, step after step.
    widening: Vec<f64>,
    /// What accounts held as they were called or as their liquidation began, in order of the steps.
    held: Vec<(u32, AccountId, Vec<OptionLeg>)>,
}

impl OptionTrack {
    /// Sees the end of a step.
    pub fn see(&mut self, listed: &[Listed], alive: &[bool], markets: &[MarketState]) {
        if self.series.is_empty() {
            self.series
                .extend(listed.iter().map(|listed| listed.series));
        }
        for (listed, alive) in listed.iter().zip(alive) {
            self.worth.push(listed.worth);
            self.volatility
                .push(if *alive { listed.volatility } else { 0.0 });
        }
        self.widening
            .extend(markets.iter().map(|market| market.widening));
    }

    /// Sees what an account holds as something begins for it.
    pub fn hold(&mut self, step: u32, account: AccountId, legs: &[OptionLeg]) {
        self.held.push((step, account, legs.to_vec()));
    }

    /// What an account held then.
    pub fn held(&self, step: u32, account: AccountId) -> &[OptionLeg] {
        let first = self.held.partition_point(|(at, ..)| *at < step);
        let mut then = self.held[first..].iter().take_while(|(at, ..)| *at == step);
        then.find(|(_, id, _)| *id == account)
            .map_or(&[], |(.., legs)| legs)
    }

    /// What contracts are worth in a step.
    pub fn worth(&self, step: usize, legs: &[OptionLeg]) -> i128 {
        let row = &self.worth[step * self.series.len()..];
        legs.iter()
            .map(|leg| i128::from(leg.contracts) * i128::from(row[leg.series.index()].0))
            .sum()
    }

    /// What options are on, at the marks of a step, in quanta.
    pub fn notional(
        &self,
        frame: &Frame,
        tracks: &[Track],
        step: usize,
        options: &[OptionLeg],
    ) -> i128 {
        let each = options.iter().map(|leg| {
            let series = &self.series[leg.series.index()];
            let market = series.market.index();
            let lots = Lots(series.multiplier.0.saturating_mul(leg.contracts));
            let mark = tracks[market].marks[step];
            frame.markets[market].contract.wide(lots, mark).abs()
        });
        each.sum()
    }
}

/// Seconds between two looks at the requirement of an account with options.
const LOOK: f64 = 60.0;

/// Markets and series in a step, and the rule's table of them.
type Looked = (Vec<MarketState>, Vec<Listed>, ScanTable);

/// The options of a path, ready to be asked.
pub struct Optioned<'a> {
    frame: &'a Frame,
    /// The path's.
    pub track: &'a OptionTrack,
    tracks: &'a [Track],
    stressed: &'a [bool],
    /// Calm and in stress.
    rules: [Box<dyn OptionMargin>; 2],
    /// Steps between two looks.
    pub every: usize,
    /// The boards that were looked at.
    boards: RefCell<BTreeMap<usize, Looked>>,
}

impl<'a> Optioned<'a> {
    /// The options of a path; nothing where it has none.
    pub fn new(
        frame: &'a Frame,
        track: Option<&'a OptionTrack>,
        tracks: &'a [Track],
        stressed: &'a [bool],
    ) -> Option<Self> {
        let names = frame.markets.iter();
        let markets: Vec<(&str, f64)> = names
            .map(|market| (market.name.as_str(), market.grid.scale().quantum))
            .collect();
        Some(Self {
            rules: frame
                .option_margin
                .as_ref()?
                .each_ref()
                .map(|settings| settings.build(&markets)),
            track: track?,
            frame,
            tracks,
            stressed,
            every: ((LOOK / frame.dt) as usize).max(1),
            boards: RefCell::default(),
        })
    }

    /// What an account is asked in a step for positions, and for those of its options that haven't settled.
    pub fn requirement(
        &self,
        step: usize,
        perps: &[Leg],
        options: &[OptionLeg],
        asked: Asked,
    ) -> Cash {
        let mut boards = self.boards.borrow_mut();
        let rule = &self.rules[usize::from(self.stressed.get(step) == Some(&true))];
        let (markets, series, table) = boards.entry(step).or_insert_with(|| {
            let (markets, series) = self.board(step);
            let mut table = ScanTable::default();
            let board = Board {
                markets: &markets,
                series: &series,
            };
            rule.tabulate(&board, &mut table);
            (markets, series, table)
        });
        let alive = |leg: &&OptionLeg| self.volatility(step, leg.series) > 0.0;
        let options: Vec<OptionLeg> = options.iter().filter(alive).copied().collect();
        let board = Board {
            markets: markets.as_slice(),
            series: series.as_slice(),
        };
        let book = Book {
            perps,
            options: &options,
        };
        rule.requirement(&board, table, &book, asked)
    }

    fn volatility(&self, step: usize, series: SeriesId) -> f64 {
        self.track.volatility[step * self.track.series.len() + series.index()]
    }

    fn board(&self, step: usize) -> (Vec<MarketState>, Vec<Listed>) {
        let count = self.tracks.len();
        let marks: Vec<f64> = self
            .tracks
            .iter()
            .map(|track| track.marks[step].as_f64())
            .collect();
        let widening = &self.track.widening[step * count..][..count];
        let markets = self.frame.markets.iter().zip(&marks).zip(widening);
        let states: Vec<MarketState> = markets
            .map(|((market, spot), widening)| MarketState {
                contract: market.contract,
                spot: *spot,
                widening: *widening,
            })
            .collect();
        let now = self.frame.seconds(step as u32);
        let listed = self.track.series.iter().zip(0..).map(|(series, id)| {
            let market = series.market.index();
            let volatility = self.volatility(step, SeriesId(id));
            let contract = &states[market].contract;
            if volatility > 0.0 {
                Listed::at(*series, contract, now, marks[market], volatility)
            } else {
                Listed {
                    series: *series,
                    years: 0.0,
                    forward: marks[market],
                    volatility: 0.0,
                    price: 0.0,
                    worth: Cash::ZERO,
                }
            }
        });
        let listed = listed.collect();
        (states, listed)
    }
}
