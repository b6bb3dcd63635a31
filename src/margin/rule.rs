//! The seam of margin rules, and the rule that is made of a base and adjustments.

use super::adjust::Adjustment;
use super::schedule::Schedule;
use crate::unit::{Lots, Rate};

/// What is published about one market when its rule is asked: everything a venue's risk engine
/// could know, nothing of the step that is about to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RiskView {
    /// The step, from 0.
    pub step: u32,
    /// Seconds a step.
    pub dt: f64,
    /// Index price, in ticks.
    pub index: f64,
    /// Mark price, in ticks.
    pub mark: f64,
    /// Ask depth within 1 % of the mid.
    pub ask_depth: Lots,
    /// Bid depth within 1 % of the mid.
    pub bid_depth: Lots,
    /// Traded quantity of the last step.
    pub volume: Lots,
    /// Open interest.
    pub open_interest: Lots,
    /// Last funding rate, per funding period.
    pub funding_rate: f64,
}

/// Answers this step's schedule of rates, as data.
///
/// Promise: a pure function of what is published and of the rule's own estimators. Called once per
/// market and step. A rule of one's own implements `schedule`, which is enough, and hands itself to
/// the scenario (`Scenario::with_rule`).
pub trait MarginRule: Send {
    /// Writes this step's rates into `out`, which still holds the last step's.
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule);

    /// The parts that move the rate, in order: the base, then each adjustment. A rule that doesn't
    /// tell its parts apart has none.
    fn parts(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// First-bracket maintenance rate after each part, in the last schedule: who moved the margin.
    /// Where there is none, the whole rate is its own base.
    fn trace(&self) -> &[Rate] {
        &[]
    }
}

/// A base schedule and an ordered list of adjustments.
pub struct Composed {
    base: Schedule,
    base_name: &'static str,
    adjustments: Vec<Box<dyn Adjustment>>,
    trace: Vec<Rate>,
}

impl Composed {
    /// A rule that starts from `base` and applies the adjustments in order.
    pub fn new(
        base_name: &'static str,
        base: Schedule,
        adjustments: Vec<Box<dyn Adjustment>>,
    ) -> Self {
        let trace = vec![base.brackets()[0].maintenance; adjustments.len() + 1];
        Self {
            base,
            base_name,
            adjustments,
            trace,
        }
    }
}

impl MarginRule for Composed {
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
        out.copy_from(&self.base);
        self.trace[0] = out.brackets()[0].maintenance;
        for (adjustment, trace) in self.adjustments.iter_mut().zip(&mut self.trace[1..]) {
            adjustment.adjust(view, out);
            *trace = out.brackets()[0].maintenance;
        }
    }
    fn parts(&self) -> Vec<&'static str> {
        std::iter::once(self.base_name)
            .chain(self.adjustments.iter().map(|adjustment| adjustment.name()))
            .collect()
    }
    fn trace(&self) -> &[Rate] {
        &self.trace
    }
}

/// A rule whose rates stay those of the first step: the counterfactual of one that adapts.
pub struct Frozen(pub Box<dyn MarginRule>);

impl MarginRule for Frozen {
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
        if view.step == 0 {
            self.0.schedule(view, out);
        }
    }
    fn parts(&self) -> Vec<&'static str> {
        self.0.parts()
    }
    fn trace(&self) -> &[Rate] {
        self.0.trace()
    }
}
