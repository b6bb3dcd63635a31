//! One rate for every size: `MM = m · notional`.
//!
//! # Reference
//!
//! Lighter, Derive's standard-margin perpetuals, and Hyperliquid's assets with an id below 50.

use crate::margin::schedule::Schedule;
use crate::unit::Rate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the fixed base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedSettings {
    /// Maintenance margin over notional, e.g. `0.0125`.
    pub maintenance: Decimal,
    /// Initial margin over notional, e.g. `0.025`; its reciprocal is the leverage offered.
    pub initial: Decimal,
}

impl FixedSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        rate_problems("", self.maintenance, self.initial)
    }
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::flat(rate(self.initial), rate(self.maintenance))
    }
}

/// A checked decimal as a rate; what has more than nine places is rounded to the nearest.
pub(super) fn rate(decimal: Decimal) -> Rate {
    Rate::from_decimal(decimal.round_dp(9)).unwrap_or(Rate::ONE)
}

pub(super) fn rate_problems(
    prefix: &str,
    maintenance: Decimal,
    initial: Decimal,
) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    if maintenance < Decimal::ZERO || maintenance >= Decimal::ONE {
        problems.push((
            format!("{prefix}maintenance"),
            format!("a maintenance rate must be at least 0 and below 1, found {maintenance}"),
        ));
    }
    if initial < maintenance || initial > Decimal::ONE {
        problems.push((
            format!("{prefix}initial"),
            format!(
                "an initial rate must lie between the maintenance rate ({maintenance}) and 1, found {initial}"
            ),
        ));
    }
    problems
}
