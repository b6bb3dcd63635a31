//! A user's own files in place of parts of a scenario.
//!
//! The result is a scenario like any other: its manifest says what was put in, and reproduces the run.

use super::load::{DepthHistory, PriceHistory};
use super::manifest::told;
use super::problem::{Problem, Problems, nearest};
use super::settings::{Scenario, VenueSettings};
use crate::market::book::{Curve, Depth};
use crate::path::replay::ReplaySettings;
use crate::path::{Moment, PathSettings};
use crate::unit::Side;
use std::path::{Path, PathBuf};

/// A file, and the market that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The market; the first of the scenario where left out.
    pub market: Option<String>,
    /// The file.
    pub file: PathBuf,
}

impl std::str::FromStr for Input {
    type Err = std::convert::Infallible;
    /// `FILE`, or `MARKET=FILE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (market, file) = match text.split_once('=') {
            Some((market, file)) if !Path::new(text).exists() => (Some(market.to_owned()), file),
            _ => (None, text),
        };
        Ok(Self {
            market,
            file: PathBuf::from(file),
        })
    }
}

/// A user's own files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Bars of prices, replayed in place of a market's path.
    pub prices: Vec<Input>,
    /// Snapshots of depth, whose median replaces a market's depth curve.
    pub depth: Vec<Input>,
    /// Accounts and their positions, in place of those that the scenario names.
    pub positions: Option<PathBuf>,
}

impl Scenario {
    /// The scenario with a user's files in place of its own parts, checked, and what a person should
    /// know of how they were used, a line each.
    ///
    /// A replay starts at the file's first bar where the scenario names no start. The depth of
    /// a market is the median over the run where the scenario names its start, and over the whole file where it
    /// doesn't or where the run lies outside the file; a side that is unusable then is replaced by the other.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn with_inputs(mut self, inputs: &Inputs) -> Result<(Self, Vec<String>), Problems> {
        if *inputs == Inputs::default() {
            return Ok((self, Vec::new()));
        }
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        // A start that only follows from a file of prices says nothing of the time that depth is meant for.
        let stretch = self.stretch();
        for input in &inputs.prices {
            match self.replay(input) {
                Ok(()) => notes.extend(self.shocks_on_top(input)),
                Err(problem) => problems.push(problem),
            }
        }
        for input in &inputs.depth {
            if let Err(problem) = self.measure(input, stretch, &mut notes) {
                problems.push(problem);
            }
        }
        if let Some(file) = &inputs.positions {
            self.positions = Some(file.display().to_string());
        }
        if problems.is_empty() {
            problems.extend(super::check::parts(&self, &self.markets));
            problems.extend(super::check::whole(&self));
        }
        if problems.is_empty()
            && let Err(list) = super::check::files(&self)
        {
            problems.extend(list);
        }
        if problems.is_empty() {
            Ok((self, notes))
        } else {
            Err(told(problems))
        }
    }

    /// A word on the scenario's own shocks, which move a replayed price as they move any other.
    fn shocks_on_top(&self, input: &Input) -> Option<String> {
        let name = self.chosen("--prices", input).ok()?;
        let shocks = self.shock.iter().filter(|shock| shock.concerns(&name));
        match shocks.count() {
            0 => None,
            1 => Some(format!(
                "{name}: a shock of the scenario comes on top of the replayed price"
            )),
            n => Some(format!(
                "{name}: {n} shocks of the scenario come on top of the replayed price"
            )),
        }
    }

    fn chosen(&self, option: &str, input: &Input) -> Result<String, Problem> {
        let names = || self.markets.iter().map(String::as_str);
        match &input.market {
            None => names()
                .next()
                .map(str::to_owned)
                .ok_or_else(|| Problem::new(option, "the scenario has no market")),
            Some(name) if self.markets.contains(name) => Ok(name.clone()),
            Some(name) => {
                let known: Vec<&str> = names().collect();
                let message = format!("no market {name}; the scenario has {}", known.join(", "));
                Err(Problem::new(option, message).help(nearest(name, known)))
            }
        }
    }

    fn replay(&mut self, input: &Input) -> Result<(), Problem> {
        let name = self.chosen("--prices", input)?;
        let history = PriceHistory::load(&input.file)
            .map_err(|error| Problem::new("--prices", error.to_string()))?;
        if self.start.is_none() {
            self.start = Some(Moment::Utc(history.bars.begins_ms()));
        }
        let Some(market) = self.market.get_mut(&name) else {
            return Ok(());
        };
        let file = input.file.display().to_string();
        let settings = match &market.path {
            PathSettings::Replay(own) => ReplaySettings {
                file,
                ..own.clone()
            },
            _ => ReplaySettings {
                file,
                exogenous_share: 1.0,
                gaps: Default::default(),
                intrabar: Default::default(),
            },
        };
        market.price = None;
        market.path = PathSettings::Replay(settings);
        Ok(())
    }

    /// From when to when the run goes, in milliseconds, where the scenario names its start.
    fn stretch(&self) -> Option<(i64, i64)> {
        match self.start {
            Some(Moment::Utc(start)) => {
                Some((start, start + (self.length.as_seconds() * 1_000.0) as i64))
            }
            _ => None,
        }
    }

    fn measure(
        &mut self,
        input: &Input,
        stretch: Option<(i64, i64)>,
        notes: &mut Vec<String>,
    ) -> Result<(), Problem> {
        let name = self.chosen("--depth", input)?;
        let history = DepthHistory::load(&input.file)
            .map_err(|error| Problem::new("--depth", error.to_string()))?;
        let file = input.file.display();
        notes.extend(
            history
                .report()
                .into_iter()
                .map(|line| format!("{file}: {line}")),
        );
        let snapshots = &history.snapshots;
        let (Some(first), Some(last)) = (snapshots.first(), snapshots.last()) else {
            return Err(Problem::new(
                "--depth",
                format!("{file} holds no snapshots"),
            ));
        };
        let whole = (first.time_ms, last.time_ms);
        let run = stretch.unwrap_or(whole);
        let inside = snapshots
            .iter()
            .any(|snapshot| (run.0..=run.1).contains(&snapshot.time_ms));
        let (from, to) = if inside { run } else { whole };
        let sound = |side: Side| {
            !history.faults.iter().any(|fault| {
                fault.from_ms <= to
                    && fault.to_ms >= from
                    && fault.side.is_none_or(|unusable| unusable == side)
            })
        };
        let curve = |side: Side| {
            history
                .median_curve(side, from, to)
                .filter(|_| sound(side))
                .map(|curve| {
                    let points = curve.points.iter();
                    points.map(|&(bps, lots)| [bps, lots]).collect::<Vec<_>>()
                })
        };
        let (bid, ask) = match (curve(Side::Buy), curve(Side::Sell)) {
            (Some(bid), Some(ask)) => (bid, ask),
            (Some(bid), None) => {
                notes.push(format!(
                    "{file}: both sides of {name} have the bid side's depth"
                ));
                (bid.clone(), bid)
            }
            (None, Some(ask)) => {
                notes.push(format!(
                    "{file}: both sides of {name} have the ask side's depth"
                ));
                (ask.clone(), ask)
            }
            (None, None) => {
                let message = format!("{file} has no usable side during the run");
                return Err(Problem::new("--depth", message));
            }
        };
        let reach_bps = bid
            .iter()
            .chain(&ask)
            .map(|point| point[0])
            .fold(0.0, f64::max);
        let Some(market) = self.market.get_mut(&name) else {
            return Ok(());
        };
        let VenueSettings::Book(book) = &mut market.venue else {
            let message = format!("{name} has an impact law and no book whose depth could be set");
            return Err(Problem::new("--depth", message));
        };
        book.depth = Depth::Curve(Curve {
            points: Vec::new(),
            bid: Some(bid),
            ask: Some(ask),
            reach_bps,
        });
        Ok(())
    }
}
