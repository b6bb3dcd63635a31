//! The metrics of one run, in order.

use super::metric::Metric;
use serde::Serialize;

/// Every metric of a run, in the order of the catalogue within each market and for the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Summary {
    metrics: Vec<Metric>,
}

impl Summary {
    /// A summary of these metrics.
    pub const fn new(metrics: Vec<Metric>) -> Self {
        Self { metrics }
    }
    /// Every metric.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }
    /// Adds metrics, such as those of a comparison with a twin.
    pub fn extend(&mut self, metrics: impl IntoIterator<Item = Metric>) {
        self.metrics.extend(metrics);
    }
    /// The metrics of a name: one for each market, or one for the world.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Metric> {
        self.metrics
            .iter()
            .filter(move |metric| metric.definition.name == name)
    }
    /// One metric, of a market where it is measured for each.
    pub fn get(&self, name: &str, market: Option<&str>) -> Option<&Metric> {
        self.metrics
            .iter()
            .find(|metric| metric.definition.name == name && metric.market.as_deref() == market)
    }
    /// The number of one metric; nothing where there is no such metric or it has no value.
    pub fn value(&self, name: &str, market: Option<&str>) -> Option<f64> {
        self.get(name, market).and_then(|metric| metric.value)
    }
}
