//! The files of a sweep as they are written and read: its plan, its points, its failures.

use crate::experiment::sweep::{Plan, Point, PointFailure, PointRuns};
use crate::measure::{Metric, Summary, catalogue};
use crate::output::{ModelSettings, manifest::sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Version of these files' layout.
pub const LAYOUT: u32 = 1;

/// `plan.json`: all that a sweep is. Two directories are of one sweep where these files are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Version of the layout.
    pub layout: u32,
    /// Version of the simulator.
    pub version: String,
    /// The scenario's name.
    pub name: String,
    /// What is varied, how often, under which seed.
    pub sweep: Plan,
    /// What results hinge on, before anything is varied.
    pub model: ModelSettings,
    /// The scenario, fully resolved, before anything is varied.
    pub scenario: Value,
}

impl PlanFile {
    /// The plan of a sweep of this version.
    pub fn new(name: &str, sweep: Plan, model: ModelSettings, scenario: Value) -> Self {
        Self {
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
            sweep,
            model,
            scenario,
        }
    }

    /// As it stands in its file.
    pub fn text(&self) -> String {
        // Numbers, texts and tables with text for keys: all of it has a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// `points/000042.json`: a point that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointFile {
    /// The point's number.
    pub point: u64,
    /// Hash of `plan.json`.
    pub plan_sha256: String,
    /// Hash of the scenario that was run.
    pub scenario_sha256: String,
    /// Seed of its runs.
    pub seed: u64,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
    /// What was measured.
    pub metrics: Vec<MetricName>,
    /// The values, run by run, in the order of `metrics`.
    pub runs: Vec<Vec<Number>>,
}

/// A metric, and its market where it is measured for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MetricName(pub String, pub Option<String>);

/// A metric's value. JSON has no infinity: an infinite one is `"inf"` or `"-inf"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub Option<f64>);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(value) if value == f64::INFINITY => serializer.serialize_str("inf"),
            Some(value) if value == f64::NEG_INFINITY => serializer.serialize_str("-inf"),
            value => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::Null => Ok(Self(None)),
            Value::String(word) if word == "inf" => Ok(Self(Some(f64::INFINITY))),
            Value::String(word) if word == "-inf" => Ok(Self(Some(f64::NEG_INFINITY))),
            value => value
                .as_f64()
                .map(|value| Self(Some(value)))
                .ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "expected a number, null, inf or -inf, found {value}"
                    ))
                }),
        }
    }
}

impl PointFile {
    /// Of a point that was run.
    pub fn new(found: &PointRuns, plan_sha256: &str) -> Self {
        let mut metrics: Vec<MetricName> = Vec::new();
        // Runs measure the same things, save where a scenario's parts differ from draw to draw.
        for summary in &found.runs {
            for metric in summary.metrics() {
                let name = MetricName(metric.definition.name.to_owned(), metric.market.clone());
                if !metrics.contains(&name) {
                    metrics.push(name);
                }
            }
        }
        let runs = found
            .runs
            .iter()
            .map(|summary| {
                metrics
                    .iter()
                    .map(|MetricName(name, market)| Number(summary.value(name, market.as_deref())))
                    .collect()
            })
            .collect();
        Self {
            point: found.point.id,
            plan_sha256: plan_sha256.to_owned(),
            scenario_sha256: found.scenario_sha256.clone(),
            seed: found.point.seed,
            settings: found.point.settings.iter().cloned().collect(),
            metrics,
            runs,
        }
    }

    /// What keeps it from being this point of this sweep, in a sentence.
    pub fn problem(&self, point: &Point, plan_sha256: &str, plan: &Plan) -> Option<String> {
        let settings: BTreeMap<String, String> = point.settings.iter().cloned().collect();
        if self.plan_sha256 != plan_sha256 {
            Some("is of another sweep".to_owned())
        } else if self.point != point.id {
            Some(format!("holds point {}", self.point))
        } else if self.settings != settings || self.seed != point.seed {
            Some("has other settings or another seed than the plan says".to_owned())
        } else if self.runs.len() as u64 != plan.replicates {
            let (found, expected) = (self.runs.len(), plan.replicates);
            Some(format!("holds {found} runs, expected {expected}"))
        } else if self.runs.iter().any(|run| run.len() != self.metrics.len()) {
            Some("has runs with other metrics than it names".to_owned())
        } else {
            self.metrics
                .iter()
                .find(|metric| catalogue::definition(&metric.0).is_none())
                .map(|metric| format!("has a metric that this version doesn't know: {}", metric.0))
        }
    }

    /// The runs' summaries.
    pub fn summaries(&self) -> Vec<Summary> {
        let metric = |(MetricName(name, market), value): (&MetricName, &Number)| {
            catalogue::definition(name)
                .map(|definition| Metric::new(definition, market.as_deref(), value.0))
        };
        self.runs
            .iter()
            .map(|run| Summary::new(self.metrics.iter().zip(run).filter_map(metric).collect()))
            .collect()
    }
}

/// `points/000042.failed.json`: a point that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedFile {
    /// The point's number.
    pub point: u64,
    /// Hash of `plan.json`.
    pub plan_sha256: String,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
    /// Seed of its runs.
    pub seed: u64,
    /// The first replicate that failed.
    pub replicate: u64,
    /// Why.
    pub message: String,
    /// The command that shows it again.
    pub replay: String,
}

impl FailedFile {
    /// Of a point that failed, with the command that replays it.
    pub fn new(failure: &PointFailure, message: String, replay: String, plan_sha256: &str) -> Self {
        Self {
            point: failure.point.id,
            plan_sha256: plan_sha256.to_owned(),
            settings: failure.point.settings.iter().cloned().collect(),
            seed: failure.point.seed,
            replicate: failure.replicate,
            message,
            replay,
        }
    }
}

/// Hash of a plan's file.
pub fn plan_hash(text: &str) -> String {
    sha256(text.as_bytes())
}
