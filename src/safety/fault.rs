//! Faults: what breaks, when, and for how long.
//!
//! A fault is scheduled (`at`) or random (`per_day`, a Poisson process drawn from keys of its own, so that it
//! moves no other draw). Several at once add up: the longest delay and the smallest depth count.
//!
//! # Reference
//!
//! Each has happened: BitMEX unreachable on 2020-03-13 while its engine ran on; Maker's keepers priced out
//! by gas on 2020-03-12; dYdX v4 halted on 2025-10-10 and resumed on a stale oracle; books without makers on the
//! same day.

use crate::math::{Draws, Purpose};
use crate::path::{Moment, TimeGrid};
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault of the scenario: `{ kind, at or per_day, duration, market }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSettings {
    /// What breaks.
    pub kind: FaultKind,
    /// The market; every market unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// When it begins; left out for random faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// How often it begins in a day on average; left out for scheduled faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<f64>,
    /// How long it lasts; a single step unless said.
    #[serde(default)]
    pub duration: Span,
}

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The oracle publishes nothing; the last index stays in force.
    OracleFrozen {},
    /// What the oracle observes takes effect later.
    OracleDelayed {
        /// Additional time from observation to effect.
        delay: Span,
    },
    /// The oracle publishes false prices: `outside · (1 + error)`.
    OraclePrint {
        /// Relative error, e.g. -0.5.
        error: f64,
    },
    /// Traders reach the venue with no order and no payment, while its engine runs on.
    TradersCutOff {},
    /// Nothing is matched and nobody is liquidated; the oracle stands still too.
    VenueHalted {
        /// How long after the end the oracle goes on standing still.
        #[serde(default)]
        stale_index: Span,
    },
    /// Nobody is liquidated, while traders trade on.
    LiquidationHalted {},
    /// Orders take longer to arrive.
    Congestion {
        /// Additional latency of traders' orders and answers.
        latency: Span,
        /// Whether forced orders are as slow.
        #[serde(default)]
        liquidation: bool,
        /// Factor on what keepers' transactions cost; they are as slow as traders' orders.
        #[serde(default = "whole")]
        gas: f64,
    },
    /// Keepers can't be reached, and neither bid nor take.
    KeepersOffline {
        /// Share of each group that is gone.
        #[serde(default = "whole")]
        share: f64,
    },
    /// Payments and cancellations take longer.
    AnswersDelayed {
        /// Additional time.
        delay: Span,
    },
    /// Liquidity providers withdraw.
    MakersWithdrawn {
        /// Share of the ambient depth that is gone.
        #[serde(default = "whole")]
        share: f64,
    },
    /// The insurance fund loses a share of its balance, once, when the fault begins.
    FundEmptied {
        /// The share.
        #[serde(default = "whole")]
        share: f64,
    },
    /// The margin rule's estimators are fed nothing; its rates stay as they are.
    FeedGap {},
}

const fn whole() -> f64 {
    1.0
}

impl FaultKind {
    /// Its name in the output.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OracleFrozen {} => "oracle_frozen",
            Self::OracleDelayed { .. } => "oracle_delayed",
            Self::OraclePrint { .. } => "oracle_print",
            Self::TradersCutOff {} => "traders_cut_off",
            Self::VenueHalted { .. } => "venue_halted",
            Self::LiquidationHalted {} => "liquidation_halted",
            Self::Congestion { .. } => "congestion",
            Self::KeepersOffline { .. } => "keepers_offline",
            Self::AnswersDelayed { .. } => "answers_delayed",
            Self::MakersWithdrawn { .. } => "makers_withdrawn",
            Self::FundEmptied { .. } => "fund_emptied",
            Self::FeedGap {} => "feed_gap",
        }
    }
}

impl FaultSettings {
    /// What is wrong with the settings, among these markets: (key, sentence).
    pub fn problems(&self, grid: &TimeGrid, markets: &[&str]) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut add = |key: &str, text: String| problems.push((key.to_owned(), text));
        if let Some(market) = &self.market
            && !markets.contains(&market.as_str())
        {
            add(
                "market",
                format!("found \"{market}\", expected one of {}", markets.join(", ")),
            );
        }
        match (self.at, self.per_day) {
            (Some(at), None) => {
                let offset = at.offset(grid.start_ms);
                if !(0.0..=grid.seconds(grid.steps)).contains(&offset) {
                    add(
                        "at",
                        format!(
                            "{at} lies outside the run, which lasts {}",
                            Span::seconds(grid.seconds(grid.steps))
                        ),
                    );
                }
            }
            (None, Some(rate)) if rate.is_finite() && rate > 0.0 => {}
            (None, Some(rate)) => add("per_day", format!("must be greater than 0, found {rate}")),
            (Some(_), Some(_)) => add(
                "per_day",
                "a fault is either scheduled (at) or random (per_day), not both".to_owned(),
            ),
            (None, None) => add(
                "at",
                "is missing: say when it begins (at), or how often a day (per_day)".to_owned(),
            ),
        }
        match self.kind {
            FaultKind::OraclePrint { error } if !(error.is_finite() && error > -1.0) => add(
                "kind.oracle_print.error",
                format!("found {error}, expected a number above -1 (-0.5 is half the price)"),
            ),
            FaultKind::MakersWithdrawn { share } if !(0.0..=1.0).contains(&share) => add(
                "kind.makers_withdrawn.share",
                format!("must lie between 0 and 1, found {share}"),
            ),
            FaultKind::KeepersOffline { share } if !(0.0..=1.0).contains(&share) => add(
                "kind.keepers_offline.share",
                format!("must lie between 0 and 1, found {share}"),
            ),
            FaultKind::Congestion { gas, .. } if !(gas.is_finite() && gas >= 1.0) => add(
                "kind.congestion.gas",
                format!("must be at least 1, found {gas}"),
            ),
            FaultKind::FundEmptied { share } if !(0.0..=1.0).contains(&share) => add(
                "kind.fund_emptied.share",
                format!("must lie between 0 and 1, found {share}"),
            ),
            FaultKind::OracleDelayed { delay } if delay == Span::NEVER => add(
                "kind.oracle_delayed.delay",
                "found never, expected a finite time; an oracle that publishes nothing is kind = \"oracle_frozen\"".to_owned(),
            ),
            FaultKind::AnswersDelayed { delay } if delay == Span::NEVER => add(
                "kind.answers_delayed.delay",
                "found never, expected a finite time".to_owned(),
            ),
            FaultKind::Congestion { latency, .. } if latency == Span::NEVER => add(
                "kind.congestion.latency",
                "found never, expected a finite time; an unreachable venue is kind = \"traders_cut_off\"".to_owned(),
            ),
            _ => {}
        }
        problems
    }

    /// Its outages in a run: drawn where it is random; `place` is its place in the scenario's list.
    pub fn outages(
        &self,
        place: usize,
        grid: &TimeGrid,
        markets: &[&str],
        draws: &Draws,
    ) -> Vec<Outage> {
        let market = self
            .market
            .as_ref()
            .and_then(|name| markets.iter().position(|known| known == name));
        let from_second = |second: f64| {
            let from = (second / grid.dt).floor().clamp(0.0, f64::from(u32::MAX)) as u32;
            Outage {
                fault: place as u32,
                kind: self.kind,
                market,
                from,
                to: from.saturating_add(self.duration.steps(grid.dt).max(1)),
            }
        };
        let end = grid.seconds(grid.steps);
        match (self.at, self.per_day) {
            (Some(at), _) => vec![from_second(at.offset(grid.start_ms))],
            (None, Some(rate)) => {
                let mut stream = draws.stream(Purpose::Fault, place as u32, 0);
                let mut outages = Vec::new();
                let mut second = 0.0;
                loop {
                    second += stream.exponential() * 86_400.0 / rate;
                    // A million faults of one kind are as good as a fault that never ends.
                    if second >= end || outages.len() == 1_000_000 {
                        break outages;
                    }
                    outages.push(from_second(second));
                }
            }
            (None, None) => Vec::new(),
        }
    }
}

/// A stretch of steps in which something is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    /// The fault's place in the scenario's list.
    pub fault: u32,
    /// What is broken.
    pub kind: FaultKind,
    /// In which market; in all of them where none is said.
    pub market: Option<usize>,
    /// First step.
    pub from: u32,
    /// First step in which all is well again.
    pub to: u32,
}

/// What is broken in one market in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effects {
    /// The oracle publishes nothing.
    pub oracle_frozen: bool,
    /// Additional steps from observation to effect.
    pub oracle_delay: u32,
    /// Factor on what the oracle publishes.
    pub oracle_factor: f64,
    /// Traders can't reach the venue.
    pub cut_off: bool,
    /// Nothing is matched.
    pub halted: bool,
    /// Nobody is liquidated.
    pub liquidation_halted: bool,
    /// Additional steps of latency of traders' orders.
    pub latency: f64,
    /// Additional steps of latency of forced orders.
    pub forced_latency: f64,
    /// Additional steps until payments and cancellations take effect.
    pub answer_delay: u32,
    /// Factor on the ambient depth.
    pub depth: f64,
    /// The margin rule is fed nothing.
    pub feed_gap: bool,
    /// Factor on what keepers' transactions cost.
    pub gas: f64,
    /// Share of keepers that can't be reached.
    pub keepers_offline: f64,
}

impl Effects {
    /// Nothing is broken.
    pub const NONE: Self = Self {
        oracle_frozen: false,
        oracle_delay: 0,
        oracle_factor: 1.0,
        cut_off: false,
        halted: false,
        liquidation_halted: false,
        latency: 0.0,
        forced_latency: 0.0,
        answer_delay: 0,
        depth: 1.0,
        feed_gap: false,
        gas: 1.0,
        keepers_offline: 0.0,
    };

    fn add(&mut self, outage: &Outage, step: u32, dt: f64) {
        let lasts = step < outage.to;
        match outage.kind {
            FaultKind::VenueHalted { .. } => {
                self.oracle_frozen = true;
                self.halted |= lasts;
                self.liquidation_halted |= lasts;
            }
            FaultKind::OracleFrozen {} => self.oracle_frozen = true,
            FaultKind::OracleDelayed { delay } => {
                self.oracle_delay = self.oracle_delay.max(delay.steps(dt));
            }
            FaultKind::OraclePrint { error } => self.oracle_factor *= 1.0 + error,
            FaultKind::TradersCutOff {} => self.cut_off = true,
            FaultKind::LiquidationHalted {} => self.liquidation_halted = true,
            FaultKind::Congestion {
                latency,
                liquidation,
                gas,
            } => {
                self.gas = self.gas.max(gas);
                let steps = latency.as_seconds() / dt;
                self.latency = self.latency.max(steps);
                if liquidation {
                    self.forced_latency = self.forced_latency.max(steps);
                }
            }
            FaultKind::KeepersOffline { share } => {
                self.keepers_offline = self.keepers_offline.max(share);
            }
            FaultKind::AnswersDelayed { delay } => {
                self.answer_delay = self.answer_delay.max(delay.steps(dt));
            }
            FaultKind::MakersWithdrawn { share } => self.depth = self.depth.min(1.0 - share),
            FaultKind::FundEmptied { .. } => {}
            FaultKind::FeedGap {} => self.feed_gap = true,
        }
    }
}

/// All outages of a run, and what is broken now.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    outages: Vec<Outage>,
    dt: f64,
    /// The first outage that has not begun.
    next: usize,
    /// Outages that have begun and have effects, in order.
    active: Vec<Outage>,
    effects: Vec<Effects>,
}

/// An outage begins or ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The outage.
    pub outage: Outage,
    /// Whether it begins.
    pub begins: bool,
}

impl Faults {
    /// The faults of a run with so many markets and steps of `dt` seconds.
    pub fn new(mut outages: Vec<Outage>, markets: usize, dt: f64) -> Self {
        outages.sort_by_key(|outage| (outage.from, outage.fault));
        Self {
            active: Vec::with_capacity(outages.len()),
            outages,
            dt,
            next: 0,
            effects: vec![Effects::NONE; markets],
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.outages.is_empty()
    }

    /// What is broken in a market.
    pub fn effects(&self, market: usize) -> &Effects {
        &self.effects[market]
    }

    /// Goes to a step; tells what begins and ends.
    pub fn advance(&mut self, step: u32, mut tell: impl FnMut(Change)) {
        let mut changed = false;
        while let Some(outage) = self.outages.get(self.next)
            && outage.from <= step
        {
            tell(Change {
                outage: *outage,
                begins: true,
            });
            self.active.push(*outage);
            self.next += 1;
            changed = true;
        }
        let dt = self.dt;
        self.active.retain(|outage| {
            if outage.to == step {
                tell(Change {
                    outage: *outage,
                    begins: false,
                });
                changed = true;
            }
            let until = match outage.kind {
                FaultKind::VenueHalted { stale_index } => {
                    outage.to.saturating_add(stale_index.steps(dt))
                }
                _ => outage.to,
            };
            changed |= step >= until;
            step < until
        });
        if changed {
            self.effects.fill(Effects::NONE);
            for outage in &self.active {
                for (market, effects) in self.effects.iter_mut().enumerate() {
                    if outage.market.is_none_or(|only| only == market) {
                        effects.add(outage, step, dt);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(kind: FaultKind, from: u32, to: u32) -> Outage {
        Outage {
            fault: 0,
            kind,
            market: None,
            from,
            to,
        }
    }

    #[test]
    fn an_outage_has_effects_from_its_beginning_to_its_end() {
        let stale_index = Span::seconds(2.0);
        let mut faults = Faults::new(
            vec![
                outage(FaultKind::VenueHalted { stale_index }, 3, 5),
                outage(FaultKind::MakersWithdrawn { share: 0.75 }, 4, 6),
            ],
            2,
            1.0,
        );
        let mut seen = Vec::new();
        for step in 0..9 {
            let mut told = Vec::new();
            faults.advance(step, |change| {
                told.push((change.outage.kind.name(), change.begins))
            });
            let effects = faults.effects(1);
            seen.push((effects.halted, effects.oracle_frozen, effects.depth));
            match step {
                3 => assert_eq!(told, [("venue_halted", true)]),
                4 => assert_eq!(told, [("makers_withdrawn", true)]),
                5 => assert_eq!(told, [("venue_halted", false)]),
                6 => assert_eq!(told, [("makers_withdrawn", false)]),
                _ => assert!(told.is_empty()),
            }
        }
        assert_eq!(
            seen,
            [
                (false, false, 1.0),
                (false, false, 1.0),
                (false, false, 1.0),
                (true, true, 1.0),
                (true, true, 0.25),
                (false, true, 0.25),
                (false, true, 1.0),
                (false, false, 1.0),
                (false, false, 1.0),
            ]
        );
    }

    #[test]
    fn random_faults_come_as_often_as_they_say_and_the_same_each_time() {
        let grid = TimeGrid {
            start_ms: 0,
            dt: 1.0,
            steps: 100 * 86_400,
        };
        let settings = FaultSettings {
            kind: FaultKind::FeedGap {},
            market: Some("B".to_owned()),
            at: None,
            per_day: Some(4.0),
            duration: Span::seconds(60.0),
        };
        let draw = |seed| settings.outages(1, &grid, &["A", "B"], &Draws::new(seed, 0));
        let outages = draw(1);
        // Poisson with mean 400.
        assert!((340..460).contains(&outages.len()), "{}", outages.len());
        assert!(
            outages
                .iter()
                .all(|o| o.market == Some(1) && o.to - o.from == 60)
        );
        assert_eq!(outages, draw(1));
        assert_ne!(outages, draw(2));
    }
}
