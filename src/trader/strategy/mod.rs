//! Strategies: one a file, each with its formula, its actions and its reference.

use super::Behaviour;
use crate::unit::Grid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the members of a cohort do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategySettings {
    /// Keeps its position; acts only under stress.
    #[default]
    Holder,
}

impl StrategySettings {
    /// What is wrong with the settings: (key within the strategy, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Holder => Vec::new(),
        }
    }
    /// The behaviour, ready for one cohort; nothing for holders, who never act by themselves.
    pub fn build(&self, grids: &[Grid]) -> Option<Box<dyn Behaviour>> {
        let _ = grids;
        match self {
            Self::Holder => None,
        }
    }
}
