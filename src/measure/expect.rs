//! The `[[expect]]` sections of a scenario: what its run must show.
//!
//! A shipped scenario carries its claim with it, and the run checks it at the end.

use super::catalogue::definition;
use super::metric::Scope;
use super::summary::Summary;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a metric is compared with the stated value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Comparison {
    /// Less than.
    #[serde(rename = "<")]
    Less,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Exactly.
    #[serde(rename = "==")]
    Equal,
    /// Anything but.
    #[serde(rename = "!=")]
    NotEqual,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// More than.
    #[serde(rename = ">")]
    More,
}

impl Comparison {
    /// Whether the comparison holds.
    pub fn holds(self, found: f64, value: f64) -> bool {
        match self {
            Self::Less => found < value,
            Self::AtMost => found <= value,
            Self::Equal => found == value,
            Self::NotEqual => found != value,
            Self::AtLeast => found >= value,
            Self::More => found > value,
        }
    }
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }
}

/// One thing that a run must show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectSettings {
    /// A metric's name, e.g. `drawdown`.
    pub metric: String,
    /// The market; every market where left out and the metric is measured for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// `<`, `<=`, `==`, `!=`, `>=` or `>`.
    pub is: Comparison,
    /// What the metric is compared with; shares are fractions: 0.01 is one per cent.
    pub value: f64,
}

impl ExpectSettings {
    /// What is wrong with the settings: (key within the section, sentence). The nearest valid name
    /// of an unknown metric is the caller's to find, among [`super::DEFINITIONS`].
    pub fn problems(&self, markets: &[String]) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut add = |key: &str, text: String| problems.push((key.to_owned(), text));
        match (definition(&self.metric), &self.market) {
            (None, _) => add("metric", format!("no metric is called {}", self.metric)),
            (Some(found), Some(market)) if found.scope == Scope::World => add(
                "market",
                format!(
                    "{} is measured for the whole world, not for {market}; leave the market out",
                    self.metric
                ),
            ),
            (_, Some(market)) if !markets.contains(market) => add(
                "market",
                format!("no such market; the scenario has {}", markets.join(", ")),
            ),
            _ => {}
        }
        if !self.value.is_finite() {
            add(
                "value",
                format!("must be a finite number, found {}", self.value),
            );
        }
        problems
    }

    /// Whether it can be checked only against a twin run.
    pub fn needs_twin(&self) -> bool {
        definition(&self.metric).is_some_and(super::Definition::needs_twin)
    }

    /// Compares with what a run found: one outcome for each market that is meant, and a failed one
    /// where the summary has no such metric. A metric without a value meets no expectation.
    pub fn check(&self, summary: &Summary) -> Vec<Outcome> {
        let outcome = |market: Option<String>, found: Option<f64>| Outcome {
            expectation: Self {
                market,
                ..self.clone()
            },
            ok: found.is_some_and(|found| self.is.holds(found, self.value)),
            found,
        };
        let mut outcomes: Vec<Outcome> = summary
            .named(&self.metric)
            .filter(|metric| self.market.is_none() || metric.market == self.market)
            .map(|metric| outcome(metric.market.clone(), metric.value))
            .collect();
        if outcomes.is_empty() {
            outcomes.push(outcome(self.market.clone(), None));
        }
        outcomes
    }
}

impl fmt::Display for ExpectSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if let Some(market) = &self.market {
            write!(f, " of {market}")?;
        }
        write!(f, " {} {}", self.is.symbol(), self.value)
    }
}

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// What was expected, with its market.
    pub expectation: ExpectSettings,
    /// Whether it was met.
    pub ok: bool,
    /// What was found, where the metric has a value.
    pub found: Option<f64>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.ok { "ok" } else { "FAILED" };
        write!(f, "{verdict}: {}", self.expectation)?;
        match self.found {
            Some(found) => write!(f, ", found {found}"),
            None => f.write_str(", found no value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{DRAWDOWN, LIQUIDATIONS, RECOVERY_HALF_LIFE};
    use super::super::metric::Metric;
    use super::*;

    fn expect(metric: &str, market: Option<&str>, is: Comparison, value: f64) -> ExpectSettings {
        ExpectSettings {
            metric: metric.into(),
            market: market.map(Into::into),
            is,
            value,
        }
    }

    fn summary() -> Summary {
        Summary::new(vec![
            Metric::new(&DRAWDOWN, Some("BTC"), Some(0.1)),
            Metric::new(&DRAWDOWN, Some("ETH"), Some(0.2)),
            Metric::new(&RECOVERY_HALF_LIFE, Some("BTC"), None),
            Metric::new(&LIQUIDATIONS, None, Some(0.0)),
        ])
    }

    #[test]
    fn an_expectation_without_a_market_is_checked_in_each() {
        let found = expect("drawdown", None, Comparison::More, 0.15).check(&summary());
        assert_eq!(
            found.iter().map(|o| o.ok).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(
            found[0].to_string(),
            "FAILED: drawdown of BTC > 0.15, found 0.1"
        );
        let one = expect("drawdown", Some("ETH"), Comparison::More, 0.15).check(&summary());
        assert_eq!(one.len(), 1);
        assert!(one[0].ok);
    }

    #[test]
    fn a_metric_without_a_value_meets_no_expectation() {
        for is in [Comparison::Less, Comparison::NotEqual, Comparison::More] {
            let found = expect("recovery_half_life", None, is, 1.0).check(&summary());
            assert_eq!((found.len(), found[0].ok), (1, false));
        }
        let absent = expect("amplification_drawdown", None, Comparison::More, 1.0);
        assert!(absent.needs_twin());
        assert!(!absent.check(&summary())[0].ok);
        assert!(expect("liquidations", None, Comparison::Equal, 0.0).check(&summary())[0].ok);
    }

    #[test]
    fn problems_name_the_key() {
        let markets = ["BTC".to_owned()];
        let keys = |settings: ExpectSettings| {
            settings
                .problems(&markets)
                .into_iter()
                .map(|(key, _)| key)
                .collect::<Vec<_>>()
        };
        let is = Comparison::More;
        assert_eq!(keys(expect("drawdwn", None, is, 0.0)), ["metric"]);
        assert_eq!(keys(expect("bad_debt", Some("BTC"), is, 0.0)), ["market"]);
        assert_eq!(
            keys(expect("drawdown", Some("ETH"), is, f64::NAN)),
            ["market", "value"]
        );
        assert!(keys(expect("drawdown", Some("BTC"), is, 0.1)).is_empty());
    }
}
