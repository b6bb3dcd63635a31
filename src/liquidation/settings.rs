//! The `[liquidation]` section of a scenario.

use super::policy::PolicySettings;
use crate::unit::Span;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How breached positions are closed, and who pays what is left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiquidationSettings {
    /// How a position is closed.
    #[serde(default)]
    pub policy: PolicySettings,
    /// Fee on what is closed by force, over notional; paid to the insurance fund out of what
    /// equity the account has left.
    #[serde(default)]
    pub fee: Decimal,
    /// Time from the breach to the forced order's arrival at the book.
    #[serde(default)]
    pub latency: Span,
    /// Balance of the insurance fund at the start, in settlement currency.
    #[serde(default)]
    pub insurance_fund: Decimal,
    /// Whether positions that the fund can't stand behind are closed against profitable traders.
    #[serde(default)]
    pub auto_deleveraging: bool,
    /// Whether deficits that are still unpaid are taken from unrealised profits, pro rata.
    #[serde(default)]
    pub socialise_losses: bool,
}

impl LiquidationSettings {
    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems: Vec<(String, String)> = self
            .policy
            .problems()
            .into_iter()
            .map(|(key, text)| (format!("policy.{}.{key}", self.policy.name()), text))
            .collect();
        if self.fee < Decimal::ZERO || self.fee >= Decimal::ONE {
            problems.push((
                "fee".to_owned(),
                format!("must be at least 0 and below 1, found {}", self.fee),
            ));
        }
        if self.insurance_fund < Decimal::ZERO {
            problems.push((
                "insurance_fund".to_owned(),
                format!("must not be negative, found {}", self.insurance_fund),
            ));
        }
        problems
    }
}
