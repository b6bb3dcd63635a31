//! Adjustments of margin rules: one a file, applied in the scenario's order.

pub mod volatility;

pub use volatility::{VolatilityScaling, VolatilitySettings, Watched};

use super::rule::RiskView;
use super::schedule::Schedule;
use crate::unit::Grid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maps the rates that it is given to new ones, once per market and step.
pub trait Adjustment: Send {
    /// Changes the schedule.
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule);
    /// Its name in the output.
    fn name(&self) -> &'static str;
}

/// Which adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AdjustSettings {
    /// Scales rates with the ratio of fast to slow volatility.
    Volatility(VolatilitySettings),
}

impl AdjustSettings {
    /// The adjustment's key in a scenario.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Volatility(_) => "volatility",
        }
    }
    /// What is wrong with the settings: (key within the adjustment, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Volatility(volatility) => volatility.problems(),
        }
    }
    /// The adjustment, ready for one market.
    pub fn build(&self, _grid: &Grid) -> Box<dyn Adjustment> {
        match self {
            Self::Volatility(volatility) => Box::new(VolatilityScaling::new(volatility)),
        }
    }
}
