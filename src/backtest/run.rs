//! A backtest: rules through a history, margins against losses.

use super::regime::{self, NamedWindow};
use super::report::{Report, RuleReport};
use super::series::{Loss, Losses, Series};
use crate::margin::{MarginRule, RiskView, Schedule};
use crate::path::moment::show_utc;
use crate::unit::span::YEAR;
use crate::unit::{Lots, Rate, Span};
use rayon::prelude::*;

/// Which requirement is judged, of the smallest positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requirement {
    /// What a position must keep.
    #[default]
    Maintenance,
    /// What opens one.
    Initial,
}

impl Requirement {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Initial => "initial",
        }
    }
}

/// How rules are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The share of windows that a margin promises to cover.
    pub confidence: f64,
    /// How long a position is exposed after its margin was set: the close-out period.
    pub horizon: Span,
    /// Which requirement is judged.
    pub requirement: Requirement,
    /// Which loss it is held against.
    pub loss: Loss,
    /// What is left out at the beginning; a tenth of the history and at most a year where it isn't said.
    pub warmup: Option<Span>,
    /// Over how long a past volatility is realised, for the terciles.
    pub volatility: Span,
    /// Length of a stretch of the walk forward.
    pub stretch: Span,
    /// Crashes that are looked at apart.
    pub named: Vec<NamedWindow>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            confidence: 0.99,
            horizon: Span::seconds(3_600.0),
            requirement: Requirement::default(),
            loss: Loss::default(),
            warmup: None,
            volatility: Span::seconds(7.0 * 86_400.0),
            stretch: Span::seconds(YEAR),
            named: NamedWindow::known(),
        }
    }
}

/// Why a backtest isn't run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BacktestError {
    /// The confidence is no probability of a tail.
    #[error("confidence must lie between 0.5 and 1, found {0}")]
    Confidence(f64),
    /// The horizon isn't a whole number of bars.
    #[error("{market}: the horizon {horizon} is not a whole number of bars of {bar}")]
    Horizon {
        /// The market.
        market: String,
        /// The horizon.
        horizon: Span,
        /// The bar length.
        bar: Span,
    },
    /// Too little history is left.
    #[error(
        "{market}: {windows} windows of {horizon} are left after a warm-up of {warmup}, at least {LEAST} are needed; give a longer history, a shorter --horizon or a shorter --warmup"
    )]
    Short {
        /// The market.
        market: String,
        /// Windows that are left.
        windows: usize,
        /// The horizon.
        horizon: Span,
        /// The warm-up.
        warmup: Span,
    },
}

/// Fewest windows that are judged.
const LEAST: usize = 20;

/// A rule with its name in the report.
pub struct Named {
    /// The name.
    pub name: String,
    /// The rule, new.
    pub rule: Box<dyn MarginRule>,
    /// The same rule stating the expected shortfall beyond the quantile that it asks for, where it
    /// can; otherwise a normal tail is taken.
    pub shortfall: Option<Box<dyn MarginRule>>,
}

/// The windows of one history that are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// Bars in a horizon.
    pub horizon: usize,
    /// First bar that is judged.
    pub first: usize,
    /// Bars at whose close a judged window begins, side by side.
    pub begins: Vec<usize>,
    /// When they begin, in milliseconds since 1970.
    pub begins_ms: Vec<i64>,
}

impl Windows {
    /// The windows of a history.
    ///
    /// # Errors
    ///
    /// [`BacktestError`].
    pub fn new(series: &Series, settings: &Settings) -> Result<Self, BacktestError> {
        if !(0.5..1.0).contains(&settings.confidence) || settings.confidence == 0.5 {
            return Err(BacktestError::Confidence(settings.confidence));
        }
        let dt = series.dt();
        let bars = settings.horizon.as_seconds() / dt;
        if !(bars.is_finite() && bars >= 1.0 && (bars - bars.round()).abs() < 1e-9) {
            return Err(BacktestError::Horizon {
                market: series.market.clone(),
                horizon: settings.horizon,
                bar: Span::seconds(dt),
            });
        }
        let horizon = bars.round() as usize;
        let length = series.len() as f64 * dt;
        let warmup = settings
            .warmup
            .unwrap_or(Span::seconds((0.1 * length).min(YEAR)));
        let first = warmup.steps(dt) as usize;
        // From a multiple of the horizon since 1970, so that days begin at midnight UTC.
        let step_ms = (settings.horizon.as_seconds() * 1e3).round() as i64;
        let mut begins: Vec<usize> = Vec::new();
        let last = series.len().saturating_sub(horizon);
        if let Some(start) =
            (first..last).find(|at| series.closes_ms(*at).rem_euclid(step_ms) < (dt * 1e3) as i64)
        {
            begins = (start..last).step_by(horizon).collect();
        }
        if begins.len() < LEAST {
            return Err(BacktestError::Short {
                market: series.market.clone(),
                windows: begins.len(),
                horizon: settings.horizon,
                warmup,
            });
        }
        Ok(Self {
            horizon,
            first,
            begins_ms: begins.iter().map(|at| series.closes_ms(*at)).collect(),
            begins,
        })
    }
}

/// The requirement that a rule asks for at every bar's close.
pub fn margins(rule: &mut dyn MarginRule, series: &Series, requirement: Requirement) -> Vec<f64> {
    let mut schedule = Schedule::flat(Rate::ZERO, Rate::ZERO);
    let grid = super::rule::grid();
    let quanta = grid
        .quanta_per_tick_lot()
        .map_or(0.0, |quanta| quanta as f64);
    let grid = grid.scale();
    let dt = series.dt();
    series
        .bars()
        .iter()
        .enumerate()
        .map(|(at, bar)| {
            let price = bar.close / grid.tick;
            let view = RiskView {
                step: at as u32,
                dt,
                index: price,
                mark: price,
                volume: Lots((bar.volume / grid.lot) as i64),
                quanta,
                ..RiskView::default()
            };
            rule.schedule(&view, &mut schedule);
            match requirement {
                Requirement::Maintenance => schedule.level().as_f64(),
                Requirement::Initial => schedule.initial_level().as_f64(),
            }
        })
        .collect()
}

/// Judges rules by one history. Rules run side by side; the report is in their order.
///
/// # Errors
///
/// [`BacktestError`].
pub fn run(
    series: &Series,
    rules: Vec<Named>,
    settings: &Settings,
) -> Result<Report, BacktestError> {
    let windows = Windows::new(series, settings)?;
    let losses = series.losses(windows.horizon, settings.loss);
    let past = (settings.volatility.steps(series.dt()) as usize).max(1);
    let volatility = series.volatility(past);
    let at_begins: Vec<f64> = windows.begins.iter().map(|at| volatility[*at]).collect();
    let stretch_ms = (settings.stretch.as_seconds() * 1e3).min(i64::MAX as f64) as i64;
    let parts = regime::parts(&windows.begins_ms, &at_begins, &settings.named, stretch_ms);
    let judge = |named: Named| judge(named, series, &windows, &losses, &parts, settings);
    let rules: Vec<RuleReport> = rules.into_par_iter().map(judge).collect();
    let last = windows.begins[windows.begins.len() - 1] + windows.horizon;
    Ok(Report {
        market: series.market.clone(),
        bars: series.len(),
        held: series.held(),
        bar: Span::seconds(series.dt()),
        from: show_utc(windows.begins_ms[0]),
        to: show_utc(series.closes_ms(last)),
        rolling: losses.long.len() - windows.first,
        settings: settings.clone(),
        closes_ms: (0..series.len()).map(|at| series.closes_ms(at)).collect(),
        windows,
        losses,
        parts,
        rules,
    })
}

fn judge(
    named: Named,
    series: &Series,
    windows: &Windows,
    losses: &Losses,
    parts: &[regime::Part],
    settings: &Settings,
) -> RuleReport {
    let Named {
        name,
        mut rule,
        shortfall,
    } = named;
    let rates = margins(rule.as_mut(), series, settings.requirement);
    let expected = shortfall.map(|mut rule| margins(rule.as_mut(), series, settings.requirement));
    let bars_of = |span: Span| (span.as_seconds() / series.dt()).round() as usize;
    RuleReport::new(
        name,
        rule.parts(),
        rates,
        expected,
        windows,
        losses,
        parts,
        settings.confidence,
        bars_of,
    )
}
