//! Bases of margin rules: one a file. A base turns its settings into a schedule.

pub mod fixed;
pub mod tiered;

pub use fixed::FixedSettings;
pub use tiered::{Tier, TieredSettings};

use super::schedule::Schedule;
use crate::unit::Grid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which base a rule starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BaseSettings {
    /// One rate for every size.
    Fixed(FixedSettings),
    /// Rates by bracket of notional, as most venues publish them.
    Tiered(TieredSettings),
}

impl BaseSettings {
    /// The base's name in the output.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Tiered(_) => "tiered",
        }
    }
    /// What is wrong with the settings: (key within the base, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Fixed(fixed) => fixed.problems(),
            Self::Tiered(tiered) => tiered.problems(),
        }
    }
    /// The base's schedule on a market's grid. The settings must have no problems.
    pub fn schedule(&self, grid: &Grid) -> Schedule {
        match self {
            Self::Fixed(fixed) => fixed.schedule(),
            Self::Tiered(tiered) => tiered.schedule(grid),
        }
    }
}
