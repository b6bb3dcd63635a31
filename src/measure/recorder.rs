//! Keeps a run: its series, its events, and the sums that metrics are made of.
//!
//! Series can be thinned for long runs (`every`): of each window the last state is kept, and what
//! was traded in it is added up. Metrics don't suffer, for they are summed over every step, and what
//! positions are measured by is kept for every step.

use super::frame::Frame;
use super::optioned::OptionTrack;
use super::parts::Parts;
use super::tally::Tally;
use super::traced::Traced;
use super::track::Track;
use crate::account::{Breach, Ledger};
use crate::engine::{Event, MarketRow, Observer, OptionRow, StepRow, TraceRow, WorldRow};
use crate::margin::Schedule;
use crate::margin::option::{Listed, MarketState, OptionLeg};
use crate::unit::{AccountId, MarketId};

/// An observer that keeps what it sees.
#[derive(Clone, Debug)]
pub struct Recorder {
    frame: Frame,
    every: u32,
    tally: Tally,
    parts: Parts,
    series: Series,
    tracks: Vec<Track>,
    stressed: Vec<bool>,
    options: Option<OptionTrack>,
    events: Vec<Event>,
    trace: Option<Traced>,
    window: u32,
}

/// What was recorded, row by row: one entry for each kept step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    steps: Vec<u32>,
    markets: Vec<Vec<MarketRow>>,
    world: Vec<WorldRow>,
}

impl Series {
    /// The steps kept, from 0.
    pub fn steps(&self) -> &[u32] {
        &self.steps
    }
    /// One market at the end of each kept step; volumes and forced trades since the one before.
    pub fn market(&self, market: usize) -> &[MarketRow] {
        &self.markets[market]
    }
    /// The world at the end of each kept step; the most rounds of a step since the one before.
    pub fn world(&self) -> &[WorldRow] {
        &self.world
    }
    /// How many steps were kept.
    pub fn len(&self) -> usize {
        self.steps.len()
    }
    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn push(&mut self, row: &StepRow<'_>) {
        self.steps.push(row.step);
        for (kept, market) in self.markets.iter_mut().zip(row.markets) {
            kept.push(*market);
        }
        self.world.push(*row.world);
    }

    /// Puts a later step of the same window in the place of the last one.
    fn merge(&mut self, row: &StepRow<'_>) {
        if let Some(step) = self.steps.last_mut() {
            *step = row.step;
        }
        for (kept, market) in self.markets.iter_mut().zip(row.markets) {
            if let Some(last) = kept.last_mut() {
                *last = MarketRow {
                    volume: last.volume + market.volume,
                    hedge_sold: last.hedge_sold + market.hedge_sold,
                    hedge_bought: last.hedge_bought + market.hedge_bought,
                    options: OptionRow {
                        vanna_flow: last.options.vanna_flow + market.options.vanna_flow,
                        vega_flow: last.options.vega_flow + market.options.vega_flow,
                        ..market.options
                    },
                    forced_sold: last.forced_sold + market.forced_sold,
                    forced_bought: last.forced_bought + market.forced_bought,
                    forced_sold_value: last.forced_sold_value + market.forced_sold_value,
                    forced_bought_value: last.forced_bought_value + market.forced_bought_value,
                    deferred: last.deferred.max(market.deferred),
                    halted: last.halted || market.halted,
                    ..*market
                };
            }
        }
        if let Some(last) = self.world.last_mut() {
            *last = WorldRow {
                rounds: last.rounds.max(row.world.rounds),
                ..*row.world
            };
        }
    }
}

impl Recorder {
    /// A recorder with room for the whole run; keeps one row of every `every` steps (0 counts as 1).
    pub fn new(frame: Frame, every: u32) -> Self {
        let every = every.max(1);
        let rows = frame.steps.div_ceil(every) as usize;
        Self {
            tally: Tally::new(&frame),
            parts: Parts::default(),
            series: Series {
                steps: Vec::with_capacity(rows),
                markets: frame
                    .markets
                    .iter()
                    .map(|_| Vec::with_capacity(rows))
                    .collect(),
                world: Vec::with_capacity(rows),
            },
            tracks: frame
                .markets
                .iter()
                .map(|_| Track::with_capacity(frame.steps as usize))
                .collect(),
            stressed: Vec::new(),
            options: None,
            events: Vec::with_capacity(frame.steps as usize),
            trace: None,
            frame,
            every,
            window: 0,
        }
    }

    /// The run, once it has ended or was interrupted. `gap` is what the last audit of the ledger
    /// found missing or too much, in quanta ([`gap`]).
    pub fn finish(self, gap: i128) -> Recorded {
        Recorded {
            frame: self.frame,
            every: self.every,
            tally: self.tally,
            parts: self.parts,
            series: self.series,
            tracks: self.tracks,
            stressed: self.stressed,
            options: self.options,
            events: self.events,
            trace: self.trace,
            gap,
        }
    }
}

impl Observer for Recorder {
    fn step(&mut self, row: &StepRow<'_>) {
        self.tally
            .see(&self.frame, row.step, row.markets, row.world);
        self.parts.see(row.step, row.parts, self.window == 0);
        if self.window == 0 {
            self.series.push(row);
        } else {
            self.series.merge(row);
        }
        self.window = (self.window + 1) % self.every;
        for (track, market) in self.tracks.iter_mut().zip(row.markets) {
            track.marks.push(market.mark);
            track.funding.push(market.funding_index);
        }
        if self.frame.cross_in_stress.is_some() {
            self.stressed.push(row.world.stressed);
        }
    }
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
    fn rates(&mut self, step: u32, market: MarketId, schedule: &Schedule) {
        self.tracks[market.index()].rates(step, schedule);
    }
    fn causes(&mut self, trace: &TraceRow<'_>) {
        self.trace.get_or_insert_default().see(trace);
    }
    fn options(&mut self, listed: &[Listed], alive: &[bool], markets: &[MarketState]) {
        let options = self.options.get_or_insert_default();
        options.see(listed, alive, markets);
    }
    fn optioned(&mut self, step: u32, account: AccountId, held: &[OptionLeg]) {
        let options = self.options.get_or_insert_default();
        options.hold(step, account, held);
    }
}

/// A run as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What it is measured against.
    pub frame: Frame,
    /// How many steps a row of the series stands for.
    pub every: u32,
    /// Sums and extremes over all steps.
    pub tally: Tally,
    /// What each part of a margin rule added; of each window of the series its first step's changes are kept.
    pub parts: Parts,
    /// The series.
    pub series: Series,
    /// What positions were measured by in every step, by market.
    pub tracks: Vec<Track>,
    /// Which steps were in stress; empty where correlation never changes.
    pub stressed: Vec<bool>,
    /// What accounts with options were measured by, where there are any.
    pub options: Option<OptionTrack>,
    /// Every event in order.
    pub events: Vec<Event>,
    /// What moved prices and crossed thresholds, where the world was asked to tell.
    pub trace: Option<Traced>,
    /// Σ (cash − cost) over every account less net deposits at the end, in quanta.
    pub gap: i128,
}

/// Σ (cash − cost) over every account less net deposits, in quanta, from the records.
///
/// # Errors
///
/// Any other breach of the ledger, which no number of quanta expresses.
pub fn gap(ledger: &Ledger) -> Result<i128, Breach> {
    match ledger.audit() {
        Ok(_) => Ok(0),
        Err(Breach::Cash { sum, deposits }) => Ok(sum - deposits),
        Err(Breach::Drift { records, .. }) => Ok(records - ledger.deposits()),
        Err(other) => Err(other),
    }
}
