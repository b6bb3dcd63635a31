//! The `[margin]` section of a scenario.

use super::adjust::AdjustSettings;
use super::base::BaseSettings;
use super::portfolio::CrossSettings;
use super::rule::{Composed, MarginRule};
use super::schedule::Schedule;
use super::threshold::Thresholds;
use crate::unit::{Grid, Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What accounts must hold, and what happens as they run short of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarginSettings {
    /// The base of every market that doesn't name its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseSettings>,
    /// Adjustments, applied in order, in every market that doesn't name its own.
    #[serde(default)]
    pub adjust: Vec<AdjustSettings>,
    /// What differs in single markets, by the market's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub market: BTreeMap<String, RuleSettings>,
    /// How the positions of a cross account are margined together: `"sum"`, `{ correlation = [[1, 0.8], [0.8, 1]] }` in the
    /// order of `markets`, or `"path"` for the matrix of the outside prices.
    #[serde(default)]
    pub cross: CrossSettings,
    /// Margin ratio (maintenance over equity) at which an account is warned.
    #[serde(default = "default_warn")]
    pub warn: f64,
    /// Margin ratio at which an account is called.
    #[serde(default = "default_call")]
    pub call: f64,
    /// Time between a call and the first forced order; a bankrupt account gets none.
    #[serde(default)]
    pub grace: Span,
    /// Whether orders at rest that would make a position larger are withdrawn once their owner stands below its
    /// initial requirement; new ones are refused in any case.
    #[serde(default)]
    pub reduce_only: bool,
}

/// A margin rule: a base and its adjustments; and the thresholds of isolated accounts, where they differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// The base; the section's common base where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseSettings>,
    /// The adjustments; the section's common ones where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjust: Option<Vec<AdjustSettings>>,
    /// Margin ratio at which the market's isolated accounts are warned; the section's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<f64>,
    /// Margin ratio at which they are called; the section's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<f64>,
    /// Time between a call and the first forced order for them; the section's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Span>,
}

const fn default_warn() -> f64 {
    0.8
}
const fn default_call() -> f64 {
    0.9
}

impl Default for MarginSettings {
    fn default() -> Self {
        Self {
            base: None,
            adjust: Vec::new(),
            market: BTreeMap::new(),
            cross: CrossSettings::default(),
            warn: default_warn(),
            call: default_call(),
            grace: Span::ZERO,
            reduce_only: false,
        }
    }
}

impl MarginSettings {
    /// The base and the adjustments of a market; nothing where no base is named for it.
    pub fn rule_of(&self, market: &str) -> Option<(&BaseSettings, &[AdjustSettings])> {
        let own = self.market.get(market);
        let base = own
            .and_then(|rule| rule.base.as_ref())
            .or(self.base.as_ref())?;
        let adjust = own
            .and_then(|rule| rule.adjust.as_ref())
            .unwrap_or(&self.adjust);
        Some((base, adjust))
    }

    /// The rule of a market on its grid; nothing where no base is named for it.
    pub fn build(&self, market: &str, grid: &Grid) -> Option<Box<dyn MarginRule>> {
        let (base, adjust) = self.rule_of(market)?;
        let rule = Composed::new(
            base.name(),
            base.schedule(grid),
            adjust.iter().map(|one| one.build(grid)).collect(),
        );
        Some(Box::new(rule.moved_by(base.moving(grid))))
    }

    /// The rule of a market of collateral: its haircuts, and the adjustments that are named for it alone.
    pub fn build_haircut(
        &self,
        market: &str,
        haircut: Schedule,
        grid: &Grid,
    ) -> Box<dyn MarginRule> {
        let own = self.market.get(market).and_then(|own| own.adjust.as_ref());
        let adjust = own.map(|list| list.iter().map(|one| one.build(grid)).collect());
        let rule = Composed::new("haircut", haircut, adjust.unwrap_or_default());
        Box::new(rule)
    }

    /// The thresholds, with the grace period in steps of `dt` seconds.
    pub fn thresholds(&self, dt: f64) -> Thresholds {
        Thresholds {
            warn: Rate::from_f64(self.warn),
            call: Rate::from_f64(self.call),
            grace: self.grace.steps(dt),
        }
    }

    /// The thresholds of a market's isolated accounts; a cross account has those of the section.
    pub fn thresholds_in(&self, market: &str, dt: f64) -> Thresholds {
        let common = self.thresholds(dt);
        self.market.get(market).map_or(common, |own| Thresholds {
            warn: own.warn.map_or(common.warn, Rate::from_f64),
            call: own.call.map_or(common.call, Rate::from_f64),
            grace: own.grace.map_or(common.grace, |grace| grace.steps(dt)),
        })
    }

    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        problems.extend(disorder("", self.warn, self.call));
        for (name, own) in &self.market {
            if own.warn.is_some() || own.call.is_some() {
                let (warn, call) = (own.warn.unwrap_or(self.warn), own.call.unwrap_or(self.call));
                problems.extend(disorder(&format!("market.{name}."), warn, call));
            }
        }
        let mut inside = |at: &str, base: Option<&BaseSettings>, adjust: &[AdjustSettings]| {
            let nested = |prefix: String, list: Vec<(String, String)>| {
                list.into_iter()
                    .map(move |(key, text)| (format!("{prefix}.{key}"), text))
            };
            if let Some(base) = base {
                problems.extend(nested(format!("{at}base.{}", base.name()), base.problems()));
            }
            for (k, one) in adjust.iter().enumerate() {
                let name = one.key();
                problems.extend(nested(format!("{at}adjust[{k}].{name}"), one.problems()));
            }
        };
        inside("", self.base.as_ref(), &self.adjust);
        for (name, rule) in &self.market {
            inside(
                &format!("market.{name}."),
                rule.base.as_ref(),
                rule.adjust.as_deref().unwrap_or_default(),
            );
        }
        problems
    }
}

/// What is wrong with the ratios of a warning and a call.
fn disorder(at: &str, warn: f64, call: f64) -> Vec<(String, String)> {
    let ordered = |low: f64, high: f64| low > 0.0 && low <= high;
    let mut problems = Vec::new();
    if !ordered(warn, call) || !warn.is_finite() {
        problems.push((
            format!("{at}warn"),
            format!("must be greater than 0 and not exceed call ({call}), found {warn}"),
        ));
    }
    if !ordered(call, 1.0) {
        problems.push((
            format!("{at}call"),
            format!("must be greater than 0 and at most 1, where liquidation begins, found {call}"),
        ));
    }
    problems
}
