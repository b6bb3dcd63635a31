//! The runs of a comparison, on all threads, replicate by replicate.

use super::until::Until;
use super::variant::Variant;
use crate::experiment::run::{Progress, RunError, measure};
use crate::margin::MarginSettings;
use crate::measure::{Definition, Summary};
use crate::scenario::Scenario;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A comparison to be made; the first variant is the baseline. With one variant it is an ensemble.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    variants: Vec<Variant>,
    replicates: u64,
    twin: bool,
    threads: usize,
    until: Option<Until>,
    watch: Option<&'a Watch>,
}

/// How far a comparison is, and whether it shall stop: shared with whoever watches.
#[derive(Debug, Default)]
pub struct Watch {
    /// Runs done, twins aside.
    pub runs: AtomicU64,
    /// How many there will be, as far as that is known.
    pub of: AtomicU64,
    /// Runs that failed.
    pub failed: AtomicU64,
    /// Set its `stop` to end the comparison after the steps at hand: replicates that aren't whole are let go.
    pub progress: Progress,
}

/// Every metric of every run of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The variants; the first is the baseline.
    pub variants: Vec<Variant>,
    /// The first replicate; the others follow it.
    pub first: u64,
    /// Summaries by variant and replicate; nothing where a run failed.
    pub runs: Vec<Vec<Option<Summary>>>,
    /// What failed.
    pub failures: Vec<Failed>,
    /// Whether every run had a twin beside it.
    pub twin: bool,
    /// Whether it was stopped from outside.
    pub stopped: bool,
    /// What was to be narrow enough, and whether it was.
    pub until: Option<(Until, bool)>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Place of the variant.
    pub variant: usize,
    /// The replicate.
    pub replicate: u64,
    /// Why.
    pub message: String,
    /// Whether it is the simulator's fault rather than the scenario's.
    pub ours: bool,
}

impl<'a> Comparison<'a> {
    /// Of variants, over one replicate, each run beside its twin.
    pub fn new(variants: impl IntoIterator<Item = Variant>) -> Self {
        Self {
            variants: variants.into_iter().collect(),
            replicates: 1,
            twin: true,
            threads: 0,
            until: None,
            watch: None,
        }
    }
    /// Of a scenario, which is the baseline, with variants yet to come.
    pub fn of(name: impl Into<String>, scenario: Scenario) -> Self {
        Self::new([Variant::new(name, scenario)])
    }
    /// With one more variant.
    #[must_use]
    pub fn variant(mut self, variant: Variant) -> Self {
        self.variants.push(variant);
        self
    }
    /// With the baseline under another margin rule as one more variant.
    #[must_use]
    pub fn rule(mut self, name: impl Into<String>, rule: &MarginSettings) -> Self {
        if let Some(baseline) = self.variants.first() {
            let variant = Variant::ruled(name, &baseline.scenario, rule);
            self.variants.push(variant);
        }
        self
    }
    /// Over so many replicates, counted from the baseline's own; with [`Comparison::until`], at most so many.
    #[must_use]
    pub const fn replicates(mut self, replicates: u64) -> Self {
        self.replicates = replicates;
        self
    }
    /// With a twin beside each run, or without.
    #[must_use]
    pub const fn twin(mut self, twin: bool) -> Self {
        self.twin = twin;
        self
    }
    /// On so many threads; 0 for those of the caller.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
    /// Until an interval is narrow enough.
    #[must_use]
    pub fn until(mut self, until: Until) -> Self {
        self.until = Some(until);
        self
    }
    /// Watched from another thread.
    #[must_use]
    pub const fn watched(mut self, watch: &'a Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// How many runs it takes at most, twins aside.
    pub fn points(&self) -> u64 {
        self.replicates * self.variants.len() as u64
    }

    /// Makes the runs.
    pub fn finish(mut self) -> Compared {
        let pool = (self.threads > 0).then(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(self.threads)
                .build()
        });
        match pool {
            Some(Ok(pool)) => pool.install(|| self.make()),
            // Where no threads can be had, the caller's own do.
            _ => self.make(),
        }
    }

    fn make(&mut self) -> Compared {
        let own = Watch::default();
        let watch = self.watch.unwrap_or(&own);
        let variants = std::mem::take(&mut self.variants);
        let width = variants.len() as u64;
        let first = variants.first().map_or(0, |v| v.scenario.replicate);
        let mut compared = Compared {
            runs: vec![Vec::new(); variants.len()],
            variants,
            first,
            failures: Vec::new(),
            twin: self.twin,
            stopped: false,
            until: self.until.clone().map(|until| (until, false)),
        };
        // Batches follow from numbers of replicates alone, so that where it stops is the same on any number of threads.
        let mut done = 0;
        while done < self.replicates && !compared.stopped {
            let end = match &self.until {
                Some(until) => until.next(done).min(self.replicates),
                None => self.replicates,
            };
            watch.of.store(end * width, Ordering::Relaxed);
            let found: Vec<Option<Result<Summary, Failed>>> = (done * width..end * width)
                .into_par_iter()
                .map(|point| {
                    // Replicate by replicate, so that a comparison that is cut short leaves whole pairs.
                    let variant = (point % width) as usize;
                    self.point(&compared, variant, first + point / width, watch)
                })
                .collect();
            compared.take(found, watch);
            done = end;
            if let Some(until) = &self.until
                && until.is_met(&compared)
            {
                compared.until = Some((until.clone(), true));
                break;
            }
        }
        compared
    }

    /// One run; nothing where it was stopped.
    fn point(
        &self,
        compared: &Compared,
        variant: usize,
        replicate: u64,
        watch: &Watch,
    ) -> Option<Result<Summary, Failed>> {
        let stopped = || watch.progress.stop.load(Ordering::Relaxed);
        if stopped() {
            return None;
        }
        let scenario = &compared.variants[variant].scenario;
        let found = measure(scenario, replicate, self.twin, Some(&watch.progress));
        if stopped() {
            return None;
        }
        watch.runs.fetch_add(1, Ordering::Relaxed);
        Some(found.map_err(|error| {
            watch.failed.fetch_add(1, Ordering::Relaxed);
            let (message, ours) = match error {
                RunError::Scenario(problems) => (problems.render(false), false),
                RunError::Engine(fault) => (fault.to_string(), true),
            };
            Failed {
                variant,
                replicate,
                message,
                ours,
            }
        }))
    }
}

impl Compared {
    /// Takes the points of a batch in, up to the first replicate that isn't whole.
    fn take(&mut self, found: Vec<Option<Result<Summary, Failed>>>, watch: &Watch) {
        let mut points = found.into_iter().peekable();
        while points.peek().is_some() {
            let whole: Option<Vec<_>> = points.by_ref().take(self.variants.len()).collect();
            let Some(whole) = whole else {
                break;
            };
            for (runs, point) in self.runs.iter_mut().zip(whole) {
                runs.push(match point {
                    Ok(summary) => Some(summary),
                    Err(failed) => {
                        self.failures.push(failed);
                        None
                    }
                });
            }
        }
        self.stopped = watch.progress.stop.load(Ordering::Relaxed);
    }

    /// How many replicates there are.
    pub fn replicates(&self) -> usize {
        self.runs.first().map_or(0, Vec::len)
    }

    /// A metric in every replicate of a variant; what has no finite value is none.
    pub fn values(
        &self,
        variant: usize,
        definition: &Definition,
        market: Option<&str>,
    ) -> Vec<Option<f64>> {
        let is = |metric: &crate::measure::Metric| {
            metric.definition.name == definition.name && metric.market.as_deref() == market
        };
        // Runs of a variant measure the same in the same order.
        let mut place = None;
        self.runs[variant]
            .iter()
            .map(|run| {
                let metrics = run.as_ref()?.metrics();
                let known = place.filter(|at: &usize| metrics.get(*at).is_some_and(is));
                place = known.or_else(|| metrics.iter().position(is));
                metrics[place?].value.filter(|value| value.is_finite())
            })
            .collect()
    }

    /// What is measured under any variant: each metric, for each market where it is measured for each.
    pub fn measured(&self) -> Vec<(&'static Definition, Option<String>)> {
        let mut found: Vec<(&'static Definition, Option<String>)> = Vec::new();
        for runs in &self.runs {
            for metric in runs.iter().flatten().take(1).flat_map(Summary::metrics) {
                let key = (metric.definition, metric.market.clone());
                if !found.contains(&key) {
                    found.push(key);
                }
            }
        }
        found
    }

    /// The worst runs of a variant by a metric, worst first: a share of them, at least one. Where the metric has a better
    /// direction the worst are those furthest from it, else the largest. Equal ones come in order.
    pub fn worst(
        &self,
        variant: usize,
        definition: &Definition,
        market: Option<&str>,
        share: f64,
    ) -> Vec<(u64, f64)> {
        let sign = match definition.direction {
            crate::measure::Direction::Higher => -1.0,
            _ => 1.0,
        };
        let values = self.values(variant, definition, market);
        let count = (share * values.len() as f64).ceil().max(1.0) as usize;
        let mut found: Vec<(u64, f64)> = (self.first..)
            .zip(values)
            .filter_map(|(replicate, value)| Some((replicate, value?)))
            .collect();
        found.sort_by(|one, other| (sign * other.1).total_cmp(&(sign * one.1)));
        found.truncate(count);
        found
    }
}
