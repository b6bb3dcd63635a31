//! What every market's accounts were measured by, check by check, with what bounds whole blocks of checks.

use crate::margin::Schedule;
use crate::market::Contract;
use crate::measure::block::{self, Block};
use crate::measure::{Recorded, Traced};
use crate::unit::Ticks;

/// One market's marks, funding and rates by check.
pub(super) struct Lane<'a> {
    pub(super) contract: Contract,
    pub(super) marks: Vec<Ticks>,
    /// The cumulative funding index.
    pub(super) funding: Vec<i64>,
    /// Places of the schedules in force.
    pub(super) rates: Vec<u32>,
    schedules: &'a [(u32, Schedule)],
    blocks: Vec<Block>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(
        contract: Contract,
        schedules: &'a [(u32, Schedule)],
        marks: Vec<Ticks>,
        funding: Vec<i64>,
        rates: Vec<u32>,
    ) -> Self {
        Self {
            contract,
            blocks: block::blocks(schedules, &marks, &funding, &rates),
            marks,
            funding,
            rates,
            schedules,
        }
    }

    /// Every market's lane in a traced run.
    pub(super) fn of(recorded: &'a Recorded, trace: &Traced) -> Vec<Self> {
        (0..trace.markets())
            .map(|market| {
                let checks = || trace.checks.iter().skip(market).step_by(trace.markets());
                let schedules = &recorded.tracks[market].schedules;
                Self::new(
                    recorded.frame.markets[market].contract,
                    schedules,
                    checks().map(|check| check.mark).collect(),
                    checks().map(|check| check.funding).collect(),
                    block::in_force(schedules, checks().map(|check| check.step)),
                )
            })
            .collect()
    }

    /// The schedule at a place.
    pub(super) fn schedule(&self, place: u32) -> &'a Schedule {
        &self.schedules[place as usize].1
    }

    /// A block, by its place.
    pub(super) fn block(&self, block: usize) -> &Block {
        &self.blocks[block]
    }
}
