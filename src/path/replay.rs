//! Replay of a user's history, aligned to the run's start and steps.
//!
//! `S_t = start · (p_t / p_0)^share`: the realised price already contains the liquidations of its day, and
//! `exogenous_share` says which share of its log moves came from outside. 1 replays the history
//! whole, so that simulated liquidations come on top of the real ones; 0 is a constant price.
//!
//! The price within a bar and in a gap follows the rules of [`super::bars`]; a run that
//! the file doesn't cover is refused. A step longer than a bar may skip its extremes.

use super::bars::{Bars, Gaps, Intrabar};
use super::moment::show_utc;
use super::{Frame, PricePath, Problem, TimeGrid};
use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `replay = { file, exogenous_share, gaps, intrabar }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaySettings {
    /// CSV file of bars, plain, .gz or .zip.
    pub file: String,
    /// Share of the file's log moves that came from outside, between 0 and 1; 1 unless said.
    #[serde(default = "whole")]
    pub exogenous_share: f64,
    /// What the price does where bars are missing.
    #[serde(default)]
    pub gaps: Gaps,
    /// How the price moves within a bar.
    #[serde(default)]
    pub intrabar: Intrabar,
}

const fn whole() -> f64 {
    1.0
}

impl ReplaySettings {
    /// Everything that keeps these settings from being run; coverage only where the bars are given.
    pub fn problems(&self, grid: &TimeGrid, bars: Option<&Bars>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.file.is_empty() {
            problems.push(Problem::new("file", "found nothing, expected a path"));
        }
        if !(0.0..=1.0).contains(&self.exogenous_share) {
            problems.push(Problem::new(
                "exogenous_share",
                format!(
                    "found {}, expected a number from 0 to 1",
                    self.exogenous_share
                ),
            ));
        }
        let Some(bars) = bars else {
            return problems;
        };
        let (from, to) = (grid.time_ms(0), grid.time_ms(grid.steps));
        if from < bars.begins_ms() as f64 || to > bars.ends_ms() as f64 {
            problems.push(Problem::new(
                "file",
                format!(
                    "{} covers {} to {} UTC, and the run needs {} to {}: move the start, shorten the run, or use a longer file",
                    self.file,
                    show_utc(bars.begins_ms()),
                    show_utc(bars.ends_ms()),
                    show_utc(from as i64),
                    show_utc(to as i64)
                ),
            ));
        } else if self.gaps == Gaps::Refuse
            && let Some(gap) = bars.gaps_within(from, to).next()
        {
            problems.push(Problem::new(
                "gaps",
                format!(
                    "{} lacks {} bars from {} to {} UTC within the run; use gaps = \"hold\" or \"bridge\", or run another stretch",
                    self.file,
                    gap.missing,
                    show_utc(gap.from_ms),
                    show_utc(gap.to_ms)
                ),
            ));
        }
        problems
    }

    /// What a report must say of this replay: gaps within the run and how they were filled, and
    /// extremes that the steps may skip.
    pub fn notes(&self, grid: &TimeGrid, bars: &Bars) -> Vec<String> {
        let what = match self.gaps {
            Gaps::Hold => "the price stays at the last close",
            Gaps::Bridge => "the price is bridged by a straight line, which is invented",
            Gaps::Refuse => "refused",
        };
        let mut notes: Vec<_> = bars
            .gaps_within(grid.time_ms(0), grid.time_ms(grid.steps))
            .map(|gap| {
                format!(
                    "{}: {} missing bars from {} to {} UTC: {what}",
                    self.file,
                    gap.missing,
                    show_utc(gap.from_ms),
                    show_utc(gap.to_ms)
                )
            })
            .collect();
        let bar = bars.interval_ms() as f64 / 1_000.0;
        if self.intrabar == Intrabar::Extremes && grid.dt > bar / 4.0 {
            notes.push(format!(
                "{}: steps of {} s may skip the highs and lows of bars of {bar} s",
                self.file, grid.dt
            ));
        }
        notes
    }
}

/// The generator: settings and the bars that they name.
#[derive(Clone, Debug)]
pub struct Replay {
    settings: ReplaySettings,
    bars: Arc<Bars>,
}

impl Replay {
    /// A replay of these bars.
    pub const fn new(settings: ReplaySettings, bars: Arc<Bars>) -> Self {
        Self { settings, bars }
    }
}

impl PricePath for Replay {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        let at = |step| {
            self.bars.price_at(
                frame.grid.time_ms(step),
                self.settings.intrabar,
                self.settings.gaps,
            )
        };
        // Coverage is checked at load; an undefined price is caught where the paths are laid.
        let first = at(0).unwrap_or(f64::NAN);
        for (step, price) in (0..).zip(out.iter_mut()) {
            let moved = ops::ln(at(step).unwrap_or(f64::NAN) / first);
            *price = frame.start * ops::exp(self.settings.exogenous_share * moved);
        }
    }
}
