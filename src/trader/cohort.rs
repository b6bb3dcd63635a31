//! Cohorts: how many, how rich, how leveraged, which way, and doing what.

use super::response::ResponseSettings;
use super::strategy::StrategySettings;
use super::withdrawal::WithdrawalSettings;
use crate::math::sample::Sampled;
use crate::unit::{AccountId, CohortId, MarketId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a member's collateral backs its positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every position has collateral of its own.
    #[default]
    Isolated,
    /// One collateral for all positions of the member.
    Cross,
}

/// A group of traders who are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortSettings {
    /// How many members.
    pub count: u32,
    /// Which markets they trade and with which weights, e.g. `{ BTC = 0.6, ETH = 0.4 }`. An isolated member trades one, drawn by
    /// weight; a cross member splits its exposure by weight over all. All markets alike where left out.
    #[serde(default)]
    pub markets: BTreeMap<String, f64>,
    /// Collateral of a member, in settlement currency.
    pub capital: Sampled,
    /// What a cross member's collateral is made of: shares of it in markets of collateral (`kind.spot`), bought at the
    /// start price, e.g. `{ USDE = 0.7 }`; the rest is the settlement currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collateral: BTreeMap<String, f64>,
    /// Notional at entry over collateral; 0 for members who begin flat.
    #[serde(default)]
    pub leverage: Sampled,
    /// Share of members who begin long.
    #[serde(default = "half")]
    pub long_share: f64,
    /// Entry price relative to the price at the start, e.g. `{ uniform = { min = 0.97, max = 1.02 } }`.
    #[serde(default = "at_start")]
    pub entry: Sampled,
    /// Isolated or cross margin.
    #[serde(default)]
    pub mode: Mode,
    /// What members do.
    #[serde(default)]
    pub strategy: StrategySettings,
    /// What members do when warned or called.
    #[serde(default)]
    pub response: ResponseSettings,
    /// How members take money out; never where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<WithdrawalSettings>,
    /// Time from a member's decision to its order's arrival at the book.
    #[serde(default)]
    pub latency: Span,
}

const fn half() -> f64 {
    0.5
}
fn at_start() -> Sampled {
    Sampled::Fixed(1.0)
}

impl CohortSettings {
    /// What is wrong with the settings: (key within the cohort, sentence).
    pub fn problems(&self, markets: &[String]) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let numbers = [
            ("capital", &self.capital),
            ("leverage", &self.leverage),
            ("entry", &self.entry),
        ];
        for (key, sampled) in numbers {
            if let Some(text) = sampled.problem() {
                problems.push((key.to_owned(), text));
            } else if sampled.min() < 0.0 {
                problems.push((
                    key.to_owned(),
                    format!("must not be negative, but {} can be drawn", sampled.min()),
                ));
            }
        }
        if !(0.0..=1.0).contains(&self.long_share) {
            problems.push((
                "long_share".to_owned(),
                format!("must lie between 0 and 1, found {}", self.long_share),
            ));
        }
        for (name, weight) in &self.markets {
            if !markets.contains(name) {
                problems.push((
                    format!("markets.{name}"),
                    format!("no such market; the scenario has {}", markets.join(", ")),
                ));
            }
            if !(weight.is_finite() && *weight > 0.0) {
                problems.push((
                    format!("markets.{name}"),
                    format!("a weight must be greater than 0, found {weight}"),
                ));
            }
        }
        let nested = |prefix: &str, list: Vec<(String, String)>| {
            list.into_iter()
                .map(|(key, text)| (format!("{prefix}.{key}"), text))
                .collect::<Vec<_>>()
        };
        problems.extend(nested("strategy", self.strategy.problems()));
        problems.extend(nested("response", self.response.problems()));
        if let Some(withdrawal) = &self.withdrawal {
            problems.extend(nested("withdrawal", withdrawal.problems()));
        }
        problems
    }
}

/// The accounts of one cohort: contiguous, and by market for isolated ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The cohort.
    pub cohort: CohortId,
    /// First account.
    pub first: AccountId,
    /// How many accounts.
    pub count: u32,
    /// The markets that members may trade, with weights that add up to one.
    pub markets: Vec<(MarketId, f64)>,
    /// Steps between decision and arrival.
    pub latency: f64,
}

impl Members {
    /// Every member.
    pub fn iter(&self) -> impl Iterator<Item = AccountId> + use<> {
        (self.first.0..self.first.0 + self.count).map(AccountId)
    }
    /// A member by its place.
    pub const fn get(&self, place: u32) -> AccountId {
        AccountId(self.first.0 + place)
    }
    /// Whether an account is a member.
    pub const fn contains(&self, id: AccountId) -> bool {
        id.0 >= self.first.0 && id.0 < self.first.0 + self.count
    }
}
