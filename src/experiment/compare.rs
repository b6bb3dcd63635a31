//! The same crashes under several variants of a scenario: what a rule changes, crash by crash.
//!
//! Variants share seeds and replicates, and draws are keyed, so that a variant's run and the baseline's differ
//! only through the variant (common random numbers). What is compared is therefore the difference within
//! each replicate: its spread is far smaller than that of the runs themselves.
//!
//! A replicate draws anew what the scenario draws: outside prices, populations, orders, answers. Every
//! point (variant, replicate) is a run beside its twin; points run on all threads and are collected in order, so
//! that their number changes nothing.

use super::run::{RunError, measure};
use crate::margin::MarginSettings;
use crate::math::estimate::Moments;
use crate::math::quantile::quantile;
use crate::measure::{Definition, Summary};
use crate::scenario::Scenario;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A scenario with the name under which it is compared.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What is run.
    pub scenario: Scenario,
}

impl Variant {
    /// A scenario as it is.
    pub fn new(name: impl Into<String>, scenario: Scenario) -> Self {
        Self {
            name: name.into(),
            scenario,
        }
    }

    /// A scenario under another margin rule: bases and adjustments are the rule's, in every market. Thresholds and
    /// grace are the rule's where it says other than the defaults, else the scenario's; reducing only is asked for
    /// where either does.
    pub fn ruled(name: impl Into<String>, scenario: &Scenario, rule: &MarginSettings) -> Self {
        let mut scenario = scenario.clone();
        let before = std::mem::replace(&mut scenario.margin, rule.clone());
        let usual = MarginSettings::default();
        let after = &mut scenario.margin;
        // A rule for one market that doesn't trade here has nothing to say.
        after
            .market
            .retain(|market, _| scenario.markets.contains(market));
        if after.warn == usual.warn && after.call == usual.call {
            (after.warn, after.call) = (before.warn, before.call);
        }
        if after.grace == usual.grace {
            after.grace = before.grace;
        }
        after.reduce_only |= before.reduce_only;
        if after.cross == usual.cross {
            after.cross = before.cross;
        }
        Self::new(name, scenario)
    }
}

/// A comparison to be made; the first variant is the baseline.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    variants: &'a [Variant],
    replicates: u64,
    done: Option<&'a AtomicU64>,
}

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
#[error("variant {variant}, replicate {replicate}: {source}")]
pub struct CompareError {
    /// The variant that failed.
    pub variant: String,
    /// The replicate that failed.
    pub replicate: u64,
    /// Why.
    pub source: Box<RunError>,
}

impl<'a> Comparison<'a> {
    /// Of variants, over one replicate: each scenario's own.
    pub const fn new(variants: &'a [Variant]) -> Self {
        Self {
            variants,
            replicates: 1,
            done: None,
        }
    }
    /// Over so many replicates, counted from each scenario's own.
    #[must_use]
    pub const fn replicates(mut self, replicates: u64) -> Self {
        self.replicates = replicates;
        self
    }
    /// With a count of finished points for whoever watches.
    #[must_use]
    pub const fn counted(mut self, done: &'a AtomicU64) -> Self {
        self.done = Some(done);
        self
    }

    /// How many runs it takes, twins aside.
    pub const fn points(&self) -> u64 {
        self.replicates * self.variants.len() as u64
    }

    /// Makes every run.
    ///
    /// # Errors
    ///
    /// [`CompareError`]: the first point that failed, in order.
    pub fn finish(self) -> Result<Compared, CompareError> {
        let variants = self.variants.len() as u64;
        // Replicate by replicate, so that a run that is cut short would leave whole pairs.
        let found: Vec<Result<Summary, CompareError>> = (0..self.points())
            .into_par_iter()
            .map(|point| {
                let variant = &self.variants[(point % variants) as usize];
                let replicate = variant.scenario.replicate + point / variants;
                let summary = measure(&variant.scenario, replicate, true, None);
                if let Some(done) = self.done {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                summary.map_err(|source| CompareError {
                    variant: variant.name.clone(),
                    replicate,
                    source: Box::new(source),
                })
            })
            .collect();
        let mut runs = vec![Vec::new(); self.variants.len()];
        for (point, summary) in found.into_iter().enumerate() {
            runs[point % self.variants.len()].push(summary?);
        }
        Ok(Compared {
            variants: self.variants.iter().map(|v| v.name.clone()).collect(),
            runs,
        })
    }
}

/// Every metric of every run of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Names of the variants; the first is the baseline.
    pub variants: Vec<String>,
    /// Summaries by variant and replicate.
    pub runs: Vec<Vec<Summary>>,
}

/// One metric of one variant, over the replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What is measured.
    pub definition: &'static Definition,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// Place of the variant.
    pub variant: usize,
    /// Replicates in which it has a finite value.
    pub count: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Difference to the baseline; nothing for the baseline itself.
    pub change: Option<Change>,
}

/// A variant less the baseline, over the replicates in which both have a finite value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// How many.
    pub count: usize,
    /// Mean of the differences.
    pub mean: f64,
    /// Median of the differences.
    pub median: f64,
    /// Standard error of the mean of the differences; none of fewer than two.
    pub error: Option<f64>,
    /// What the error would be without pairing.
    pub unpaired: Option<f64>,
}

impl Change {
    /// Whether the mean lies more than two standard errors from zero.
    pub fn is_clear(&self) -> bool {
        self.error
            .is_some_and(|error| self.mean.abs() > 2.0 * error)
    }
}

impl Compared {
    /// How many replicates there are.
    pub fn replicates(&self) -> usize {
        self.runs.first().map_or(0, Vec::len)
    }

    /// A metric in every replicate of a variant; what has no finite value is none.
    pub fn values(&self, variant: usize, name: &str, market: Option<&str>) -> Vec<Option<f64>> {
        let finite = |summary: &Summary| summary.value(name, market).filter(|v| v.is_finite());
        self.runs[variant].iter().map(finite).collect()
    }

    /// A metric under every variant, for each market where it is measured for each.
    pub fn cells(&self, definition: &'static Definition) -> Vec<Cell> {
        let first = self.runs.first().and_then(|runs| runs.first());
        let markets: Vec<Option<String>> = first
            .into_iter()
            .flat_map(|summary| summary.named(definition.name))
            .map(|metric| metric.market.clone())
            .collect();
        let mut cells = Vec::new();
        for market in markets {
            for variant in 0..self.variants.len() {
                cells.push(self.cell(definition, market.as_deref(), variant));
            }
        }
        cells
    }

    fn cell(&self, definition: &'static Definition, market: Option<&str>, variant: usize) -> Cell {
        let values = self.values(variant, definition.name, market);
        let found: Vec<f64> = values.iter().copied().flatten().collect();
        let change = (variant > 0)
            .then(|| change(&self.values(0, definition.name, market), &values))
            .flatten();
        Cell {
            definition,
            market: market.map(str::to_owned),
            variant,
            count: found.len(),
            mean: (!found.is_empty()).then(|| moments(&found).mean()),
            median: median(&found),
            change,
        }
    }
}

fn change(baseline: &[Option<f64>], variant: &[Option<f64>]) -> Option<Change> {
    let pairs: Vec<(f64, f64)> = baseline
        .iter()
        .zip(variant)
        .filter_map(|(from, to)| Some(((*from)?, (*to)?)))
        .collect();
    let differences: Vec<f64> = pairs.iter().map(|(from, to)| to - from).collect();
    let n = differences.len() as f64;
    let error = |variance: f64| (differences.len() > 1).then(|| (variance / n).sqrt());
    let spread = moments(&differences);
    let side = |pick: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = pairs.iter().map(pick).collect();
        moments(&values).variance()
    };
    Some(Change {
        count: differences.len(),
        mean: (!differences.is_empty()).then(|| spread.mean())?,
        median: median(&differences)?,
        error: error(spread.variance()),
        unpaired: error(side(|pair| pair.0) + side(|pair| pair.1)),
    })
}

pub(super) fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    for value in values {
        moments.see(*value);
    }
    moments
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Metric, catalogue as m};

    fn compared(values: &[&[Option<f64>]]) -> Compared {
        let summary = |value: &Option<f64>| {
            Summary::new(vec![Metric::new(&m::DRAWDOWN, Some("BTC"), *value)])
        };
        Compared {
            variants: (0..values.len()).map(|v| format!("v{v}")).collect(),
            runs: values
                .iter()
                .map(|runs| runs.iter().map(summary).collect())
                .collect(),
        }
    }

    #[test]
    fn differences_are_taken_within_replicates() {
        let found = compared(&[
            &[Some(0.1), Some(0.2), Some(0.6), None, Some(0.5)],
            &[Some(0.2), Some(0.4), Some(0.7), Some(0.9), None],
        ]);
        let cells = found.cells(&m::DRAWDOWN);
        assert_eq!(cells.len(), 2);
        assert_eq!((cells[0].count, cells[0].change), (4, None));
        assert!((cells[0].median.unwrap() - 0.35).abs() < 1e-12);
        assert!((cells[1].mean.unwrap() - 0.55).abs() < 1e-12);
        let change = cells[1].change.unwrap();
        // Differences 0.1, 0.2, 0.1: variance 1/300, of both samples 0.07 and 0.19/3.
        assert_eq!(change.count, 3);
        assert!((change.mean - 0.4 / 3.0).abs() < 1e-12);
        assert!((change.median - 0.1).abs() < 1e-12);
        assert!((change.error.unwrap() - (1.0f64 / 900.0).sqrt()).abs() < 1e-12);
        assert!(change.is_clear());
        let unpaired = ((0.07 + 0.19 / 3.0) / 3.0f64).sqrt();
        assert!((change.unpaired.unwrap() - unpaired).abs() < 1e-12);
    }

    #[test]
    fn one_replicate_has_no_error_and_is_never_clear() {
        let found = compared(&[&[Some(0.1)], &[Some(0.3)], &[None]]);
        let cells = found.cells(&m::DRAWDOWN);
        let change = cells[1].change.unwrap();
        assert_eq!((change.count, change.error), (1, None));
        assert!(!change.is_clear());
        assert_eq!((cells[2].count, cells[2].change), (0, None));
    }
}
