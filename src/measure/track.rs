//! What positions were measured by, step by step: marks, funding and rates of every market.
//!
//! Kept for every step, whatever the series leave out, so that any account can be measured along
//! the path exactly. Rates are kept where they change.

use crate::margin::Schedule;
use crate::unit::Ticks;

/// One market's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// The last mark of each step.
    pub marks: Vec<Ticks>,
    /// The cumulative funding index of each step.
    pub funding: Vec<i64>,
    /// Rates, each with the step from which on they were in force.
    pub schedules: Vec<(u32, Schedule)>,
}

impl Track {
    /// One with room for so many steps.
    pub fn with_capacity(steps: usize) -> Self {
        Self {
            marks: Vec::with_capacity(steps),
            funding: Vec::with_capacity(steps),
            schedules: Vec::new(),
        }
    }

    /// Sees a step's rates.
    pub fn rates(&mut self, step: u32, schedule: &Schedule) {
        if self
            .schedules
            .last()
            .is_none_or(|(_, last)| last != schedule)
        {
            self.schedules.push((step, schedule.clone()));
        }
    }

    /// The rates in force in a step, if any were seen by then.
    pub fn schedule(&self, step: u32) -> Option<&Schedule> {
        let next = self.schedules.partition_point(|(from, _)| *from <= step);
        Some(&self.schedules[next.checked_sub(1)?].1)
    }

    /// Whether the rates changed after the first step.
    pub fn moved(&self) -> bool {
        self.schedules.len() > 1
    }

    /// Maintenance rate of the smallest positions, step by step.
    pub fn maintenance(&self) -> Vec<f64> {
        let mut rates = Vec::with_capacity(self.marks.len());
        for (place, (from, schedule)) in self.schedules.iter().enumerate() {
            let until = self
                .schedules
                .get(place + 1)
                .map_or(self.marks.len(), |(next, _)| *next as usize)
                .min(self.marks.len());
            debug_assert!(rates.len() <= *from as usize);
            rates.resize(until.max(rates.len()), schedule.effective(0.0));
        }
        rates
    }
}
