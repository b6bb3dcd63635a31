//! What differs from one replicate to the next: which draws are made anew, and how severe the crash is.
//!
//! New draws alone repeat one crash with other noise. With a severity an ensemble is one of crashes small and large, the same
//! ones under every variant: what differs between two variants is then seen against all of them.
//!
//! # Units
//!
//! A severity is a factor on every log move of the outside prices from their start (see [`path`](crate::path)).
//!
//! # Invariants
//!
//! - `replicate_0_is_the_crash_as_it_was`: of a distribution it has severity 1, so that a run alone is what the scenario says.
//! - `a_severity_depends_on_seed_and_replicate_alone`: whatever else is drawn or held.
//! - `terms_of_severities_have_the_mean_0`

use crate::math::sample::Sampled;
use crate::math::{Draws, Part, Purpose};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What differs from one replicate to the next; what doesn't keeps the draws of replicate 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleSettings {
    /// Parts of the world that are drawn anew: `path` (outside prices), `population` (who trades), `flow` (orders, answers to
    /// calls, the order of arrival), `faults` (random faults, noise of oracles); all of them where left out.
    pub vary: Vec<Part>,
    /// Factor on every log move of the outside prices: how severe the crash is. A number is that of every replicate; from a
    /// distribution every replicate draws its own, but for replicate 0, which has 1. As it is where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Sampled>,
}

impl Default for EnsembleSettings {
    fn default() -> Self {
        Self {
            vary: Part::ALL.to_vec(),
            severity: None,
        }
    }
}

impl EnsembleSettings {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether replicates have severities of their own.
    fn is_severity_drawn(&self) -> bool {
        matches!(self.severity, Some(Sampled::From(_)))
    }

    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut add = |key: &str, text: String| problems.push((key.to_owned(), text));
        if self.vary.is_empty() && !self.is_severity_drawn() {
            let text = "names nothing, so that all replicates would be the same: expected some of path, population, flow, faults, or a severity that is drawn";
            add("vary", text.to_owned());
        }
        if let Some(severity) = &self.severity {
            if let Some(text) = severity.problem() {
                add("severity", text);
            } else if severity.min() < 0.0 {
                let text = format!(
                    "must not be negative, may be {}: a crash of severity 0 is none, of 1 as it is, of 2 twice as far in log price",
                    severity.min()
                );
                add("severity", text);
            }
        }
        problems
    }

    /// The severity of a replicate.
    pub fn severity(&self, seed: u64, replicate: u64) -> f64 {
        match &self.severity {
            None => 1.0,
            Some(Sampled::From(_)) if replicate == 0 => 1.0,
            Some(severity) => {
                severity.draw(&mut Draws::new(seed, replicate).stream(Purpose::Severity, 0, 0))
            }
        }
    }

    /// What is known of the severity of a replicate, where it is drawn: how far its [grade](crate::math::sample::Distribution::grade)
    /// lies from 1/2, and the square of that, each less its mean. Replicate 0, which isn't drawn, has 0 of both.
    pub fn severity_terms(&self, seed: u64, replicate: u64) -> Option<[f64; 2]> {
        let Some(Sampled::From(distribution)) = &self.severity else {
            return None;
        };
        if replicate == 0 {
            return Some([0.0; 2]);
        }
        let off = distribution.grade(self.severity(seed, replicate)) - 0.5;
        Some([off, off * off - distribution.grade_variance()])
    }

    /// Names of what differs.
    pub fn varied(&self) -> Vec<String> {
        let severity = self.is_severity_drawn().then(|| "severity".to_owned());
        let parts = self.vary.iter().map(|part| part.name().to_owned());
        parts.chain(severity).collect()
    }

    /// The distribution of severities in words, where they are drawn.
    pub fn severity_drawn(&self) -> Option<String> {
        match &self.severity {
            Some(Sampled::From(distribution)) => Some(distribution.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ops;
    use crate::scenario::Scenario;

    fn settings(text: &str) -> EnsembleSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn replicate_0_is_the_crash_as_it_was() {
        let drawn = settings("severity = { lognormal = { median = 1, sigma = 0.3 } }");
        assert_eq!(drawn.severity(7, 0), 1.0);
        assert!((1..20).all(|replicate| drawn.severity(7, replicate) != 1.0));
        assert_eq!(EnsembleSettings::default().severity(7, 3), 1.0);
        let fixed = settings("severity = 1.4");
        assert_eq!((fixed.severity(7, 0), fixed.severity(7, 3)), (1.4, 1.4));
        assert_eq!(fixed.varied(), ["path", "population", "flow", "faults"]);
        assert_eq!(drawn.varied().last().unwrap(), "severity");
        assert_eq!(
            drawn.severity_drawn().unwrap(),
            "lognormal, median 1, sigma 0.3"
        );
    }

    #[test]
    fn terms_of_severities_have_the_mean_0() {
        for (text, variance) in [
            ("uniform = { min = 0.5, max = 2 }", 1.0),
            ("uniform = { min = 2, max = 2 }", 0.0),
            ("inverse_uniform = { min = 0.5, max = 2 }", 1.0),
            ("lognormal = { median = 1, sigma = 0.5 }", 1.0),
            ("pareto = { min = 0.5, alpha = 0.8 }", 1.0),
            ("pareto = { min = 0.5, alpha = 1, max = 3 }", 1.0),
            ("exponential = { mean = 1.5 }", 1.0),
            ("beta = { alpha = 2, beta = 3, min = 0.5, max = 4 }", 1.0),
            // Half of the draws are the largest; 1 is listed twice.
            (
                "choice = { values = [1, 3, 0.5, 1], weights = [1, 5, 2, 2] }",
                1.0 - 0.027 - 0.125 - 0.008,
            ),
        ] {
            let drawn = settings(&format!("severity = {{ {text} }}"));
            let terms: Vec<[f64; 2]> = (1..=20_000)
                .map(|replicate| drawn.severity_terms(3, replicate).unwrap())
                .collect();
            let count = terms.len() as f64;
            for k in [0, 1] {
                let mean = terms.iter().map(|own| own[k]).sum::<f64>() / count;
                let square = terms.iter().map(|own| own[k] * own[k]).sum::<f64>() / count;
                let error = (square / count).sqrt();
                assert!(
                    mean.abs() <= 4.0 * error + 1e-12,
                    "{text}: {mean} ± {error}"
                );
                if k == 0 {
                    assert!((square - variance / 12.0).abs() < 0.002, "{text}: {square}");
                }
            }
            assert_eq!(drawn.severity_terms(3, 0), Some([0.0; 2]));
        }
        for text in ["severity = 1.4", ""] {
            assert_eq!(settings(text).severity_terms(3, 5), None);
        }
    }

    #[test]
    fn a_severity_depends_on_seed_and_replicate_alone() {
        let one = settings("severity = { lognormal = { median = 1, sigma = 0.3 } }");
        let held = EnsembleSettings {
            vary: vec![Part::Flow],
            ..one.clone()
        };
        let logs: Vec<f64> = (1..=400).map(|n| ops::ln(one.severity(7, n))).collect();
        let again: Vec<f64> = (1..=400).map(|n| ops::ln(held.severity(7, n))).collect();
        assert_eq!(logs, again);
        let mean = logs.iter().sum::<f64>() / 400.0;
        let spread = (logs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 399.0).sqrt();
        assert!(
            mean.abs() < 0.05 && (spread - 0.3).abs() < 0.04,
            "{mean} {spread}"
        );
        assert_ne!(one.severity(7, 1), one.severity(8, 1));
    }

    #[test]
    fn nonsense_is_told() {
        let told = |text: &str| settings(text).problems();
        assert_eq!(told("vary = []").len(), 1);
        assert!(told("vary = []\nseverity = { uniform = { min = 0.5, max = 2 } }").is_empty());
        assert!(told("severity = -1")[0].1.contains("must not be negative"));
        assert!(
            told("severity = { uniform = { min = -1, max = 2 } }")[0]
                .1
                .contains("may be -1")
        );
        assert!(
            told("severity = { uniform = { min = 3, max = 2 } }")[0]
                .1
                .contains("min must not exceed max")
        );
    }

    #[test]
    fn what_is_usual_is_not_written_and_what_is_not_comes_back() {
        let text = "length = \"1m\"\nextends = \"binance-usdm\"\nmarkets = [\"BTC\"]\n[market.BTC]\nprice = 100000\npath.constant = {}\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }";
        let usual = Scenario::parse(text).unwrap();
        assert!(usual.to_json().get("ensemble").is_none());
        let severe = usual
            .clone()
            .set(
                "ensemble.severity",
                "{ lognormal = { median = 1, sigma = 0.2 } }",
            )
            .unwrap();
        let again = Scenario::parse(severe.to_toml().unwrap()).unwrap();
        assert_eq!(again, severe);
        assert_eq!(again.severity(0), 1.0);
        assert_ne!(again.severity(1), 1.0);
    }
}
