//! What each rule did in each part of a history.

use super::regime::{Kind, Part};
use super::run::{Settings, Windows};
use super::series::Losses;
use crate::math::{Draws, Purpose};
use crate::measure::coverage::{
    self, Christoffersen, LIGHT_WINDOWS, Test, Zone, capital_add_on, traffic_light,
};
use crate::measure::procyclicality::{largest_rise, peak_to_trough, variability};
use crate::measure::shortfall::{self, Exposure, normal_excess, normal_shortfall};
use crate::unit::Span;

/// Which position is exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Loses as the price falls.
    Long,
    /// Loses as it rises.
    Short,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Long, Self::Short];
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

/// How a rule did in one part of the history on one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Windows in the part.
    pub windows: u64,
    /// Windows whose loss exceeded the margin.
    pub breaches: u64,
    /// Proportion of failures; not in a part that was chosen for what happened in it.
    pub kupiec: Option<Test>,
    /// Where windows follow on each other.
    pub christoffersen: Option<Christoffersen>,
    /// Time between failures, where windows follow on each other.
    pub waits: Option<Test>,
    /// Dynamic quantile, where windows follow on each other.
    pub dynamic_quantile: Option<Test>,
    /// Zone of the traffic light of all windows together; as [`Judgement::kupiec`].
    pub zone: Option<Zone>,
    /// The traffic light of 250 windows at a time.
    pub light: Option<Light>,
    /// Acerbi and Szekely's Z₂.
    pub z2: f64,
    /// Probability of a Z₂ at least as low where quantile, shortfall and a normal tail are right; as
    /// [`Judgement::kupiec`].
    pub z2_p_value: Option<f64>,
    /// Mean pinball loss.
    pub pinball: f64,
    /// Mean margin.
    pub margin: f64,
    /// Mean of loss minus margin over breaches; `None` without any.
    pub shortfall: Option<f64>,
    /// Largest of them.
    pub worst: Option<f64>,
}

/// The traffic light over every 250 consecutive windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Share of them in green, yellow and red.
    pub shares: [f64; 3],
    /// Most breaches in any.
    pub most: u64,
    /// What the supervisor's table would add to the multiplier for the last 250; only at 99 %.
    pub add_on: Option<f64>,
}

/// A rule's judgement in a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// What the part is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Which position.
    pub side: Side,
    /// How the rule did.
    pub judgement: Judgement,
}

/// How the margin moved from the first judged bar on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// Mean margin.
    pub mean: f64,
    /// Least margin.
    pub least: f64,
    /// Greatest margin.
    pub greatest: f64,
    /// Greatest over least.
    pub peak_to_trough: Option<f64>,
    /// Largest relative rise over each of [`RISES`]; `None` where a bar is longer or the history too short.
    pub rises: [Option<f64>; 3],
    /// Standard deviation of daily changes of ln margin.
    pub variability: Option<f64>,
}

/// Lengths of time over which the largest rise is told: 1 h, 1 d, 5 d.
pub const RISES: [f64; 3] = [3_600.0, 86_400.0, 432_000.0];

/// One rule in one history.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// Its parts: the base, then the adjustments.
    pub parts: Vec<&'static str>,
    /// The margin at every bar's close.
    pub rates: Vec<f64>,
    /// Whether the rule stated its expected shortfall; a normal tail was taken otherwise.
    pub states_shortfall: bool,
    /// Breaches among the overlapping windows, long and short.
    pub rolling: [u64; 2],
    /// How the margin moved.
    pub cycle: Cycle,
    /// Judgements, part by part, long before short.
    pub slices: Vec<Slice>,
}

/// A backtest of several rules in one history.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The market.
    pub market: String,
    /// How many bars, held ones among them.
    pub bars: usize,
    /// How many stand for missing ones.
    pub held: u64,
    /// Length of a bar.
    pub bar: Span,
    /// When the first judged window begins, UTC.
    pub from: String,
    /// When the last one ends.
    pub to: String,
    /// How many overlapping windows.
    pub rolling: usize,
    /// How rules were judged.
    pub settings: Settings,
    /// The judged windows.
    pub windows: Windows,
    /// When each bar closes, in milliseconds since 1970.
    pub closes_ms: Vec<i64>,
    /// Losses after every bar.
    pub losses: Losses,
    /// The parts of the history.
    pub parts: Vec<Part>,
    /// One for each rule.
    pub rules: Vec<RuleReport>,
}

/// Trials behind the probability of a Z₂.
const TRIALS: usize = 4_000;
/// Seed of those trials: a report must not change from one reading to the next.
const SEED: u64 = 2_014;

impl RuleReport {
    /// Judges the margins `rates` of a rule, and the expected shortfalls that it stated, if any.
    /// `bars_of` turns a length of time into bars.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call, of columns that belong together"
    )]
    pub(super) fn new(
        name: String,
        parts: Vec<&'static str>,
        rates: Vec<f64>,
        stated: Option<Vec<f64>>,
        windows: &Windows,
        losses: &Losses,
        history: &[Part],
        confidence: f64,
        bars_of: impl Fn(Span) -> usize,
    ) -> Self {
        let alpha = 1.0 - confidence;
        let tail = normal_shortfall(alpha) / -crate::math::ops::normal_quantile(alpha);
        let expected = |at: usize| stated.as_ref().map_or(rates[at] * tail, |es| es[at]);
        let of = |side| match side {
            Side::Long => &losses.long,
            Side::Short => &losses.short,
        };
        let rolling = Side::BOTH.map(|side| {
            (windows.first..of(side).len())
                .filter(|at| of(side)[*at] > rates[*at])
                .count() as u64
        });
        let mut slices = Vec::new();
        for part in history {
            for side in Side::BOTH {
                let exposures: Vec<Exposure> = part
                    .windows
                    .iter()
                    .map(|window| {
                        let at = windows.begins[*window];
                        Exposure {
                            loss: of(side)[at],
                            margin: rates[at],
                            expected: expected(at),
                        }
                    })
                    .collect();
                slices.push(Slice {
                    kind: part.kind,
                    name: part.name.clone(),
                    side,
                    judgement: Judgement::new(&exposures, part.kind, confidence),
                });
            }
        }
        Self {
            rule: name,
            parts,
            cycle: Cycle::new(&rates[windows.first..], bars_of),
            states_shortfall: stated.is_some(),
            rolling,
            slices,
            rates,
        }
    }

    /// The judgement of a part on a side.
    pub fn judgement(&self, kind: Kind, name: &str, side: Side) -> Option<&Judgement> {
        self.slices
            .iter()
            .find(|slice| slice.kind == kind && slice.name == name && slice.side == side)
            .map(|slice| &slice.judgement)
    }

    /// The judgement of the whole history on a side.
    pub fn whole(&self, side: Side) -> Option<&Judgement> {
        self.judgement(Kind::Whole, Kind::Whole.name(), side)
    }
}

impl Judgement {
    fn new(exposures: &[Exposure], kind: Kind, confidence: f64) -> Self {
        let alpha = 1.0 - confidence;
        let n = exposures.len() as u64;
        let count = exposures.len().max(1) as f64;
        let breaches: Vec<bool> = exposures.iter().map(|e| e.loss > e.margin).collect();
        let margins: Vec<f64> = exposures.iter().map(|e| e.margin).collect();
        let over: Vec<f64> = exposures
            .iter()
            .map(|e| e.loss - e.margin)
            .filter(|over| *over > 0.0)
            .collect();
        let total = over.len() as u64;
        // A crash is chosen for its breaches, and a tercile's windows are not neighbours.
        let fair = kind != Kind::Named;
        let in_a_row = matches!(kind, Kind::Whole | Kind::Forward);
        let z2 = shortfall::z2(exposures.iter().copied(), alpha).unwrap_or_default();
        let z2_p_value = fair.then(|| {
            let mut stream = Draws::new(SEED, n).stream(Purpose::Bootstrap, 0, 0);
            let draws = shortfall::z2_draws(n, alpha, TRIALS, &mut stream, normal_excess(alpha));
            shortfall::share_below(&draws, z2)
        });
        Self {
            windows: n,
            breaches: total,
            kupiec: fair.then(|| coverage::kupiec(total, n, alpha)).flatten(),
            christoffersen: in_a_row
                .then(|| coverage::christoffersen(&breaches, alpha))
                .flatten(),
            waits: in_a_row
                .then(|| coverage::time_between_failures(&breaches, alpha))
                .flatten(),
            dynamic_quantile: in_a_row
                .then(|| coverage::dynamic_quantile(&breaches, &margins, alpha))
                .flatten(),
            zone: fair.then(|| traffic_light(total, n, alpha)),
            light: in_a_row.then(|| Light::new(&breaches, alpha)).flatten(),
            z2,
            z2_p_value,
            pinball: exposures
                .iter()
                .map(|e| shortfall::pinball(e.loss, e.margin, confidence))
                .sum::<f64>()
                / count,
            margin: margins.iter().sum::<f64>() / count,
            shortfall: (total > 0).then(|| over.iter().sum::<f64>() / over.len() as f64),
            worst: over.iter().copied().max_by(f64::total_cmp),
        }
    }

    /// Share of windows that were breached.
    pub fn rate(&self) -> f64 {
        self.breaches as f64 / self.windows.max(1) as f64
    }
}

impl Light {
    fn new(breaches: &[bool], alpha: f64) -> Option<Self> {
        if breaches.len() < LIGHT_WINDOWS {
            return None;
        }
        let count = |window: &[bool]| window.iter().filter(|breach| **breach).count() as u64;
        let mut zones = [0u32; 3];
        let mut most = 0;
        for window in breaches.windows(LIGHT_WINDOWS) {
            let found = count(window);
            most = most.max(found);
            zones[traffic_light(found, LIGHT_WINDOWS as u64, alpha) as usize] += 1;
        }
        let all = f64::from(zones.iter().sum::<u32>());
        let last = count(&breaches[breaches.len() - LIGHT_WINDOWS..]);
        Some(Self {
            shares: zones.map(|zone| f64::from(zone) / all),
            most,
            add_on: ((alpha - 0.01).abs() < 1e-9).then(|| capital_add_on(last)),
        })
    }
}

impl Cycle {
    fn new(rates: &[f64], bars_of: impl Fn(Span) -> usize) -> Self {
        let over = |seconds: f64| match bars_of(Span::seconds(seconds)) {
            0 => None,
            bars => Some(bars),
        };
        Self {
            mean: rates.iter().sum::<f64>() / rates.len().max(1) as f64,
            least: rates.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: rates.iter().copied().fold(0.0, f64::max),
            peak_to_trough: peak_to_trough(rates),
            rises: RISES.map(|seconds| over(seconds).and_then(|n| largest_rise(rates, n))),
            variability: over(RISES[1]).and_then(|n| variability(rates, n)),
        }
    }
}
