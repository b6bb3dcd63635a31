//! The `[safety]` section of a scenario.

use super::{
    AdlPauseSettings, BreakerSettings, CollarSettings, Faults, KillSettings, OracleGuardSettings,
    ThrottleSettings,
};
use crate::unit::{Cash, Lots};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The venue's fail-safes; each is off unless it is there. All markets have the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SafetySettings {
    /// A move within a window halts trade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<BreakerSettings>,
    /// Nothing trades outside a band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collar: Option<CollarSettings>,
    /// Forced orders take at most a share of the depth in a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSettings>,
    /// Stale and strange prints are not margin's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle_guard: Option<OracleGuardSettings>,
    /// Auto-deleveraging rests after a burst.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adl_pause: Option<AdlPauseSettings>,
    /// Everything stops after a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kill_switch: Option<KillSettings>,
    /// Largest open interest by market, in units of the base: an order that would add to more is refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open_interest_cap: BTreeMap<String, Decimal>,
}

impl SafetySettings {
    /// Whether there is no fail-safe.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let parts = [
            (
                "circuit_breaker",
                self.circuit_breaker.as_ref().map(BreakerSettings::problems),
            ),
            ("collar", self.collar.as_ref().map(CollarSettings::problems)),
            (
                "throttle",
                self.throttle.as_ref().map(ThrottleSettings::problems),
            ),
            (
                "oracle_guard",
                self.oracle_guard
                    .as_ref()
                    .map(OracleGuardSettings::problems),
            ),
            (
                "adl_pause",
                self.adl_pause.as_ref().map(AdlPauseSettings::problems),
            ),
            (
                "kill_switch",
                self.kill_switch.as_ref().map(KillSettings::problems),
            ),
        ];
        let mut problems: Vec<(String, String)> = parts
            .into_iter()
            .flat_map(|(part, found)| {
                found
                    .unwrap_or_default()
                    .into_iter()
                    .map(move |(key, text)| (format!("{part}.{key}"), text))
            })
            .collect();
        for (market, cap) in &self.open_interest_cap {
            if *cap <= Decimal::ZERO {
                problems.push((
                    format!("open_interest_cap.{market}"),
                    format!("must be greater than 0, found {cap}"),
                ));
            }
        }
        problems
    }
}

/// Fail-safes and faults, ready for a world.
#[derive(Clone, Debug, Default)]
pub struct SafetySetup {
    /// The fail-safes.
    pub guards: SafetySettings,
    /// Largest open interest by market; any where none is said.
    pub open_interest_caps: Vec<Option<Lots>>,
    /// Bad debt at which everything stops, in quanta.
    pub most_bad_debt: Option<Cash>,
    /// What breaks.
    pub faults: Faults,
}

impl SafetySetup {
    /// Whether there is neither a fail-safe nor a fault.
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty() && self.faults.is_empty()
    }
}
