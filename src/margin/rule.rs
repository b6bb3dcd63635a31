//! The seam of margin rules, and the rule that is made of a base and adjustments.

use super::adjust::Adjustment;
use super::schedule::{Level, Schedule};
use crate::unit::Lots;
use dyn_clone::DynClone;

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
    /// Seconds of a funding period.
    pub funding_period: f64,
    /// Quanta that one lot gains when the price rises one tick.
    pub quanta: f64,
    /// Reproduction numbers of falls by 1, 2 and 5 %, at the end of the last step.
    pub reproduction_down: [f64; 3],
    /// Reproduction numbers of rises by 1, 2 and 5 %, at the end of the last step.
    pub reproduction_up: [f64; 3],
}

impl RiskView {
    /// What a quantity is worth at the mark, in quanta.
    pub fn notional(&self, quantity: Lots) -> f64 {
        quantity.as_f64() * self.mark * self.quanta
    }
}

/// Answers this step's schedule of rates, as data.
///
/// Promise: a pure function of what is published and of the rule's own estimators. Called once per
/// market and step. A rule of one's own implements `schedule`, which is enough, and hands itself to
/// the scenario (`Scenario::with_rule`).
pub trait MarginRule: DynClone + Send {
    /// Writes this step's rates into `out`, which still holds the last step's.
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule);

    /// The parts that move the rate, in order: the base, then each adjustment. A rule that doesn't
    /// tell its parts apart has none.
    fn parts(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What is asked after each part, in the last schedule: who moved the margin.
    /// Where there is none, the whole rate is its own base.
    fn trace(&self) -> &[Level] {
        &[]
    }
}

dyn_clone::clone_trait_object!(MarginRule);

/// A base whose rates move by themselves.
pub trait Base: DynClone + Send {
    /// Changes the base's schedule, which still holds its last rates, to this step's.
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule);
}

dyn_clone::clone_trait_object!(Base);

/// A base schedule and an ordered list of adjustments.
#[derive(Clone)]
pub struct Composed {
    base: Schedule,
    moving: Option<Box<dyn Base>>,
    base_name: &'static str,
    adjustments: Vec<Box<dyn Adjustment>>,
    trace: Vec<Level>,
    /// Notional of a large position: what the book first held.
    large: f64,
}

impl Composed {
    /// A rule that starts from `base` and applies the adjustments in order.
    pub fn new(
        base_name: &'static str,
        base: Schedule,
        adjustments: Vec<Box<dyn Adjustment>>,
    ) -> Self {
        let trace = vec![base.levels(0.0); adjustments.len() + 1];
        Self {
            base,
            moving: None,
            base_name,
            adjustments,
            trace,
            large: 0.0,
        }
    }

    /// The rule with a base whose rates move.
    pub fn moved_by(mut self, moving: Option<Box<dyn Base>>) -> Self {
        self.moving = moving;
        self
    }
}

impl MarginRule for Composed {
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
        if let Some(moving) = &mut self.moving {
            moving.rates(view, &mut self.base);
        }
        if self.large <= 0.0 {
            self.large = view.notional(view.bid_depth.min(view.ask_depth));
        }
        out.copy_from(&self.base);
        self.trace[0] = out.levels(self.large);
        for (adjustment, trace) in self.adjustments.iter_mut().zip(&mut self.trace[1..]) {
            adjustment.adjust(view, out);
            *trace = out.levels(self.large);
        }
    }
    fn parts(&self) -> Vec<&'static str> {
        std::iter::once(self.base_name)
            .chain(self.adjustments.iter().map(|adjustment| adjustment.name()))
            .collect()
    }
    fn trace(&self) -> &[Level] {
        &self.trace
    }
}

/// A rule whose rates stay those of the first step: the counterfactual of one that adapts.
#[derive(Clone)]
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
    fn trace(&self) -> &[Level] {
        self.0.trace()
    }
}
