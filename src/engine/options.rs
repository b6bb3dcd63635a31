//! Options at work: what every series is worth, who is asked what for them, and what they settle at.
//!
//! Each series is valued once a round, from the mark, its implied volatility and the time left, and rounded once to whole quanta a
//! contract; everything that an account's options count for follows from that number. A series settles in the first step that ends at or
//! after its expiry, at the index averaged over the settlement window, and is closed on both sides at the same amount.
//!
//! # Invariants
//!
//! - `options_conserve_money`: in random worlds, to the quantum, through trades, transfers and settlement.
//! - A world without options does none of this.

use super::event::EventKind;
use super::observer::MOVES;
use super::reach::limit_of_move;
use super::surfaces::Surfaces;
use super::world::World;
use crate::margin::Leg;
use crate::margin::option::{
    Asked, Board, Book, Bounds, Headroom, Listed, MarketState, OptionLeg, OptionMargin, SafeRange,
    ScanTable,
};
use crate::market::option::{Greeks, Series, SeriesId};
use crate::trader::OptionQuote;
use crate::trader::option::Exposure;
use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};
use std::cell::RefCell;
use std::sync::Arc;

/// Options of a world, ready to trade.
#[derive(Clone)]
pub struct OptionsSetup {
    /// The series, by their id.
    pub series: Vec<Series>,
    /// Implied volatilities, by market.
    pub surfaces: Surfaces,
    /// Steps of the index that a settlement averages, by market; at least one.
    pub window: Vec<u32>,
    /// Who is on the other side: an account with a row of every series.
    pub desk: AccountId,
    /// What accounts with options are asked for all that they hold.
    pub margin: Arc<dyn OptionMargin>,
    /// What the desk asks beyond the worth.
    pub spread: DeskSpread,
    /// How an account's options leave it in liquidation.
    pub liquidation: OptionLiquidation,
}

/// Seconds between two looks at what accounts with options are asked.
const MARGIN_LOOK: f64 = 600.0;

/// What the desk takes off a price that it pays, and adds to one that it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeskSpread {
    /// Share of the worth.
    pub share: f64,
    /// Points of volatility, 0.01 for one.
    pub volatility: f64,
}

/// How an account's options leave it in liquidation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionLiquidation {
    /// Share of each series that goes to the desk at a time.
    pub share: f64,
    /// Steps between two.
    pub every: u32,
}

/// What surveillance works with: the requirement's table, worked out once for a state of the board.
#[derive(Clone, Default)]
struct Work {
    fresh: bool,
    table: ScanTable,
    /// The bounds of safe ranges: worked out at the first filing of a state.
    bounded: bool,
    bounds: Bounds,
    perps: Vec<Leg>,
    legs: Vec<OptionLeg>,
}

/// All options of a world.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) setup: Arc<OptionsFixed>,
    pub(super) margin: Arc<dyn OptionMargin>,
    pub(super) surfaces: Surfaces,
    pub(super) alive: Vec<bool>,
    pub(super) listed: Vec<Listed>,
    pub(super) quotes: Vec<OptionQuote>,
    pub(super) states: Vec<MarketState>,
    /// The last index prices of each market, in a ring.
    recent: Vec<Vec<f64>>,
    /// How many are remembered, by market; at least one.
    windows: Vec<usize>,
    work: RefCell<Work>,
    settled: Vec<AccountId>,
    /// Contracts that cohorts hold who hedge, by series; and whether they may have changed.
    hedged: Vec<i64>,
    pub(super) hedged_stale: bool,
    /// The range of marks in which each owner needs no look, by market, and the step from which it needs one.
    pub(super) safe: Vec<[f64; 2]>,
    pub(super) until: Vec<u32>,
    /// What ranges allow for.
    pub(super) headroom: Headroom,
    /// The funding indices at the last look, and whether a scan's price range has changed since.
    pub(super) funding: Vec<i64>,
    pub(super) widened: bool,
    /// Volatilities about which ranges allow for moves, by series.
    pub(super) epoch: Vec<f64>,
    pub(super) rows: Vec<OptionRow>,
}

/// What doesn't change in a run.
pub(super) struct OptionsFixed {
    pub(super) desk: AccountId,
    pub(super) spread: DeskSpread,
    pub(super) liquidation: OptionLiquidation,
}

/// What the options of one market amount to at the end of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptionRow {
    /// Contracts held long, over all series.
    pub open_interest: i64,
    /// Gamma of what hedging cohorts hold, in lots per tick; negative where they sell into falls.
    pub gamma: f64,
    /// Their options' delta, in lots.
    pub delta: f64,
    /// Their vega, in ticks · lots per 1.00 of volatility.
    pub vega: f64,
    /// Change of their options' delta in this step because of volatility, in lots: vanna · change.
    pub vanna_flow: f64,
    /// Change of their options' worth in this step because of volatility, in ticks · lots: vega · change.
    pub vega_flow: f64,
    /// What hedging cohorts are off: their options' delta and their positions, in lots.
    pub gap: f64,
    /// Implied volatility of the strike nearest to the mark of the expiry that comes next; 0 where nothing is listed any more.
    pub volatility: f64,
}

impl Chain {
    pub(super) fn new(
        setup: OptionsSetup,
        contracts: &[crate::market::Contract],
        owners: usize,
    ) -> Self {
        let markets = contracts.len();
        let listed: Vec<Listed> = setup
            .series
            .iter()
            .map(|series| Listed {
                series: *series,
                years: 0.0,
                forward: 0.0,
                volatility: 0.0,
                price: 0.0,
                worth: Cash::ZERO,
            })
            .collect();
        let quotes = setup
            .series
            .iter()
            .map(|series| OptionQuote {
                series: *series,
                years: 0.0,
                volatility: 0.0,
                greeks: Greeks::default(),
            })
            .collect();
        Self {
            alive: vec![true; listed.len()],
            headroom: Headroom::default(),
            funding: Vec::new(),
            widened: false,
            epoch: vec![0.0; listed.len()],
            hedged: vec![0; listed.len()],
            hedged_stale: true,
            quotes,
            listed,
            states: contracts
                .iter()
                .map(|contract| MarketState {
                    contract: *contract,
                    spot: 0.0,
                    widening: 1.0,
                })
                .collect(),
            windows: setup
                .window
                .iter()
                .map(|window| (*window as usize).max(1))
                .collect(),
            recent: setup
                .window
                .iter()
                .map(|window| Vec::with_capacity(*window as usize))
                .collect(),
            work: RefCell::default(),
            settled: Vec::new(),
            safe: vec![[f64::INFINITY, f64::NEG_INFINITY]; owners * markets],
            until: vec![0; owners],
            rows: vec![OptionRow::default(); markets],
            surfaces: setup.surfaces,
            margin: setup.margin,
            setup: Arc::new(OptionsFixed {
                desk: setup.desk,
                spread: setup.spread,
                liquidation: setup.liquidation,
            }),
        }
    }

    /// Puts another rule in force, and gives the one that was back; every range is taken anew.
    pub(super) fn change_rule(&mut self, other: &mut Arc<dyn OptionMargin>) {
        std::mem::swap(&mut self.margin, other);
        self.widened = true;
        let work = self.work.get_mut();
        (work.fresh, work.bounded) = (false, false);
    }

    fn board(&self) -> Board<'_> {
        Board {
            markets: &self.states,
            series: &self.listed,
        }
    }

    /// Remembers an index price; the oldest of a full window makes room.
    fn remember(&mut self, market: usize, step: u32, index: f64) {
        let ring = &mut self.recent[market];
        if ring.len() < self.windows[market] {
            ring.push(index);
        } else {
            let at = step as usize % ring.len();
            ring[at] = index;
        }
    }

    fn average(&self, market: usize) -> f64 {
        let ring = &self.recent[market];
        ring.iter().sum::<f64>() / ring.len() as f64
    }

    /// Values every series that is alive, at marks and a time in seconds.
    fn value(&mut self, marks: &[Ticks], now: f64) {
        for (place, listed) in self.listed.iter_mut().enumerate() {
            if !self.alive[place] {
                continue;
            }
            let series = listed.series;
            let m = series.market.index();
            let forward = marks[m].as_f64();
            let volatility = self.surfaces.volatility(&series, forward, now);
            *listed = Listed::at(series, &self.states[m].contract, now, forward, volatility);
        }
        let work = self.work.get_mut();
        (work.fresh, work.bounded) = (false, false);
    }

    /// What one contract's delta is in a market's series, if the forward stood elsewhere.
    fn hedgers_delta(&self, market: MarketId, forward: f64) -> f64 {
        let mut sum = 0.0;
        for ((quote, contracts), alive) in self.quotes.iter().zip(&self.hedged).zip(&self.alive) {
            if *alive && *contracts != 0 && quote.series.market == market {
                sum += *contracts as f64 * quote.delta_at(forward);
            }
        }
        sum
    }
}

impl World {
    /// Phase 2, options' part: series that are over settle, all others are valued at the new marks.
    pub(super) fn publish_options(&mut self) {
        let Some(mut chain) = self.options.take() else {
            return;
        };
        let now = (f64::from(self.step) + 1.0) * self.dt;
        for (m, market) in self.markets.iter().enumerate() {
            chain.remember(m, self.step, market.index);
            chain.states[m].spot = self.marks[m].as_f64();
            chain.rows[m].vanna_flow = 0.0;
            chain.rows[m].vega_flow = 0.0;
        }
        chain
            .surfaces
            .follow(self.marks.iter().map(|mark| mark.as_f64()), now);
        chain.value(&self.marks, now);
        for place in 0..chain.listed.len() {
            let series = chain.listed[place].series;
            let id = SeriesId(place as u16);
            if chain.alive[place] && series.expiry <= now {
                self.settle_series(&mut chain, id);
            }
            if chain.alive[place] {
                let listed = &chain.listed[place];
                self.ledger.publish_worth(id, listed.worth);
                let greeks = series.greeks(listed.forward, listed.years, listed.volatility);
                let quote = &mut chain.quotes[place];
                let change = listed.volatility - quote.volatility;
                if quote.volatility > 0.0 && change != 0.0 {
                    let size = chain.hedged[place] as f64 * series.multiplier.as_f64();
                    let row = &mut chain.rows[series.market.index()];
                    row.vanna_flow += size * quote.greeks.vanna * change;
                    row.vega_flow += size * quote.greeks.vega * change;
                }
                *quote = OptionQuote {
                    series,
                    years: listed.years,
                    volatility: listed.volatility,
                    greeks,
                };
            }
        }
        self.options = Some(chain);
    }

    /// Between two rounds: options follow the marks.
    pub(super) fn revalue_options(&mut self) {
        let Some(mut chain) = self.options.take() else {
            return;
        };
        let now = (f64::from(self.step) + 1.0) * self.dt;
        for (state, mark) in chain.states.iter_mut().zip(&self.marks) {
            state.spot = mark.as_f64();
        }
        chain.value(&self.marks, now);
        for (place, listed) in chain.listed.iter().enumerate() {
            if chain.alive[place] {
                self.ledger
                    .publish_worth(SeriesId(place as u16), listed.worth);
            }
        }
        self.options = Some(chain);
    }

    fn settle_series(&mut self, chain: &mut Chain, id: SeriesId) {
        let place = id.index();
        let series = chain.listed[place].series;
        let m = series.market.index();
        let settled = chain.average(m);
        let pays = series.worth(series.payoff(settled), &chain.states[m].contract);
        let interest = self.ledger.options().open_interest(id);
        let mut accounts = std::mem::take(&mut chain.settled);
        self.ledger.settle_options(id, pays, &mut accounts);
        let ledger = &self.ledger;
        self.touched
            .extend(accounts.iter().filter(|id| !ledger.is_house(**id)));
        chain.settled = accounts;
        chain.alive[place] = false;
        chain.listed[place].worth = pays;
        chain.hedged_stale = true;
        chain.quotes[place].years = 0.0;
        chain.quotes[place].greeks = Greeks::default();
        self.emit(
            EventKind::OptionsSettled,
            None,
            Some(series.market),
            Lots(interest),
            Ticks(settled.round_ties_even() as i64),
            pays,
        );
    }

    /// After phase 4: price ranges of scans widen as the rule's adjustments raise the rates.
    pub(super) fn widen_scans(&mut self) {
        let Some(chain) = &mut self.options else {
            return;
        };
        for ((state, market), row) in chain.states.iter_mut().zip(&self.markets).zip(&self.rows) {
            let (base, now) = (
                row.base_maintenance.as_f64(),
                market.schedule.level().as_f64(),
            );
            let widening = if base > 0.0 { now / base } else { 1.0 };
            chain.widened |= widening != state.widening;
            state.widening = widening;
        }
        let work = chain.work.get_mut();
        (work.fresh, work.bounded) = (false, false);
    }

    /// Whether an account's requirement is the options' rule's: it holds options, or once could.
    #[inline]
    pub(super) fn holds_options(&self, id: AccountId) -> bool {
        self.options.is_some() && self.ledger.options().holds(id)
    }

    /// What the options' rule asks an account, with a position of its own or one that it would have.
    pub(super) fn option_requirement(
        &self,
        id: AccountId,
        changed: Option<(MarketId, Lots)>,
        level: Asked,
    ) -> Cash {
        let Some(chain) = &self.options else {
            return Cash::ZERO;
        };
        let mut work = chain.work.borrow_mut();
        let work = &mut *work;
        let board = chain.board();
        if !work.fresh {
            chain.margin.tabulate(&board, &mut work.table);
            work.fresh = true;
        }
        self.gather(id, changed, level, work);
        let book = Book {
            perps: &work.perps,
            options: &work.legs,
        };
        chain.margin.requirement(&board, &work.table, &book, level)
    }

    /// What an account holds, as the options' rule reads it.
    fn gather(
        &self,
        id: AccountId,
        changed: Option<(MarketId, Lots)>,
        level: Asked,
        work: &mut Work,
    ) {
        work.perps.clear();
        for (market, slot) in self.ledger.places(id) {
            let quantity = match changed {
                Some((other, after)) if other == market => after,
                _ => self.ledger.slot(slot).quantity,
            };
            if quantity.is_zero() {
                continue;
            }
            let m = &self.markets[market.index()];
            let value = m.contract.wide(quantity.abs(), self.marks[market.index()]);
            let notional = Cash::clamped(value.abs());
            let alone = match level {
                Asked::Initial => m.schedule.initial(notional),
                Asked::Maintenance => m.schedule.maintenance(notional),
            };
            work.perps.push(Leg {
                market,
                quantity,
                notional,
                alone,
            });
        }
        work.legs.clear();
        work.legs.extend(
            self.ledger
                .options()
                .of(id)
                .iter()
                .filter(|held| held.contracts != 0)
                .map(|held| OptionLeg {
                    series: held.series,
                    contracts: held.contracts,
                }),
        );
    }

    /// The moves within which the options' rule says that an account stays above a ratio.
    pub(super) fn option_range(
        &self,
        id: AccountId,
        equity: i128,
        ratio: f64,
    ) -> Option<SafeRange> {
        let chain = self.options.as_ref()?;
        let mut work = chain.work.borrow_mut();
        let work = &mut *work;
        let board = chain.board();
        if !work.bounded {
            chain.margin.bound(&board, chain.headroom, &mut work.bounds);
            work.bounded = true;
        }
        self.gather(id, None, Asked::Maintenance, work);
        let book = Book {
            perps: &work.perps,
            options: &work.legs,
        };
        chain
            .margin
            .safe(&board, &work.bounds, &book, equity, ratio)
    }

    /// Delta of an account's options of a market and its position, in lots.
    pub(super) fn net_delta(&self, id: AccountId, market: MarketId) -> f64 {
        let options = self.options.as_ref().map_or(0.0, |chain| {
            Exposure::of(&self.ledger, &chain.quotes, id, market).delta
        });
        let held = self.ledger.position(id, market);
        options + held.map_or(0.0, |slot| slot.quantity.as_f64())
    }

    /// Adds up what hedging cohorts hold, after their options changed.
    fn recount_hedged(&mut self, chain: &mut Chain) {
        if !std::mem::take(&mut chain.hedged_stale) {
            return;
        }
        chain.hedged.fill(0);
        for id in self.ledger.options().owners() {
            if self.hedges(*id) {
                for held in self.ledger.options().of(*id) {
                    chain.hedged[held.series.index()] += held.contracts;
                }
            }
        }
    }

    /// Whether an account belongs to a cohort that hedges.
    pub(super) fn hedges(&self, id: AccountId) -> bool {
        let cohort = self.ledger.account(id).cohort;
        self.cohorts
            .get(cohort.index())
            .is_some_and(|cohort| cohort.hedges)
    }

    /// Lots that hedgers would trade if the mark of a market moved to `mark`: of options, and of what they insure elsewhere.
    pub fn hedging_at(&self, market: MarketId, mark: f64) -> f64 {
        let mut called = 0.0;
        if let Some(chain) = &self.options {
            let now = chain.states[market.index()].spot;
            called -= chain.hedgers_delta(market, mark) - chain.hedgers_delta(market, now);
        }
        let view = self.view();
        for cohort in self.cohorts.iter().filter(|cohort| cohort.hedges) {
            if let Some(behaviour) = &cohort.behaviour {
                called += behaviour.called_for(&view, market, mark);
            }
        }
        called
    }

    /// Share of a move that hedgers would add to it: what they would trade within the move and in its direction over
    /// the book quantity that must trade to make it. Negative where they trade against it.
    pub fn hedging_reproduction(&self, market: MarketId, down: bool, w: f64) -> f64 {
        let venue = &self.markets[market.index()].venue;
        let sign = if down { -1.0 } else { 1.0 };
        let mark = self.marks[market.index()].as_f64() * (1.0 + sign * w);
        let called = sign * self.hedging_at(market, mark);
        if called == 0.0 {
            return 0.0;
        }
        let (side, limit) = limit_of_move(venue.mid(), down, w);
        called / venue.depth(side, limit).as_f64()
    }

    /// Phase 9, options' part: what hedgers hold and how far they are off.
    pub(super) fn observe_options(&mut self) {
        if let Some(mut chain) = self.options.take() {
            self.recount_hedged(&mut chain);
            self.options = Some(chain);
        }
        if self.cohorts.iter().any(|cohort| cohort.hedges) {
            for m in 0..self.markets.len() {
                let id = MarketId(m as u16);
                self.rows[m].hedge_down = MOVES.map(|w| self.hedging_reproduction(id, true, w));
                self.rows[m].hedge_up = MOVES.map(|w| self.hedging_reproduction(id, false, w));
            }
        }
        let Some(mut chain) = self.options.take() else {
            return;
        };
        for (m, row) in chain.rows.iter_mut().enumerate() {
            let (mut gamma, mut delta, mut vega, mut interest) = (0.0, 0.0, 0.0, 0);
            let mut nearest: Option<(f64, f64, f64)> = None;
            for (place, quote) in chain.quotes.iter().enumerate() {
                if quote.series.market.index() != m || !chain.alive[place] {
                    continue;
                }
                let size = chain.hedged[place] as f64 * quote.series.multiplier.as_f64();
                gamma += size * quote.greeks.gamma;
                delta += size * quote.greeks.delta;
                vega += size * quote.greeks.vega;
                interest += self.ledger.options().open_interest(SeriesId(place as u16));
                let off = (quote.series.strike.as_f64() - self.marks[m].as_f64()).abs();
                let better =
                    nearest.is_none_or(|(years, best, _)| (quote.years, off) < (years, best));
                if better {
                    nearest = Some((quote.years, off, quote.volatility));
                }
            }
            let position = self.hedgers_position[m] as f64;
            *row = OptionRow {
                open_interest: interest,
                gamma,
                delta,
                vega,
                gap: delta + position,
                volatility: nearest.map_or(0.0, |(_, _, volatility)| volatility),
                ..*row
            };
        }
        self.options = Some(chain);
        let every = ((MARGIN_LOOK / self.dt) as u32).max(1);
        if self.step.is_multiple_of(every) {
            self.totals.option_initial = self.asked_of_options();
        }
    }

    /// Initial margin of all accounts with options but the desk and the house.
    fn asked_of_options(&self) -> Cash {
        let Some(chain) = &self.options else {
            return Cash::ZERO;
        };
        let owners = self.ledger.options().owners().iter().copied();
        let asked = owners
            .filter(|id| {
                *id != chain.setup.desk
                    && !self.ledger.is_house(*id)
                    && self.ledger.options().holds(*id)
            })
            .map(|id| i128::from(self.option_requirement(id, None, Asked::Initial).0));
        Cash::clamped(asked.sum())
    }

    /// Gamma of what hedging cohorts hold if the mark of a market stood elsewhere, in lots per tick: a point of the
    /// profile of gamma by price.
    pub fn gamma_at(&self, market: MarketId, mark: f64) -> f64 {
        let Some(chain) = &self.options else {
            return 0.0;
        };
        let mut sum = 0.0;
        for ((quote, contracts), alive) in chain.quotes.iter().zip(&chain.hedged).zip(&chain.alive)
        {
            if *alive && *contracts != 0 && quote.series.market == market {
                let greeks = quote.series.greeks(mark, quote.years, quote.volatility);
                sum += *contracts as f64 * greeks.gamma * quote.series.multiplier.as_f64();
            }
        }
        sum
    }

    /// The series of options, with what is published of each; empty where there are none.
    pub fn option_quotes(&self) -> &[OptionQuote] {
        self.options.as_ref().map_or(&[], |chain| &chain.quotes)
    }
}
