//! Adjustments of margin rules: one a file, applied in the scenario's order.

pub mod drawdown;
pub mod volatility;

pub use drawdown::{Answered, Drawdown, DrawdownSettings};
pub use volatility::{VolatilityScaling, VolatilitySettings};

use super::rule::RiskView;
use super::schedule::Schedule;
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
    /// Raises rates in proportion to the fall from the high, or the rise from the low.
    Drawdown(DrawdownSettings),
    /// Scales rates with the ratio of fast to slow volatility.
    Volatility(VolatilitySettings),
}

impl AdjustSettings {
    /// The adjustment's key in a scenario.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Drawdown(_) => "drawdown",
            Self::Volatility(_) => "volatility",
        }
    }
    /// What is wrong with the settings: (key within the adjustment, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Drawdown(drawdown) => drawdown.problems(),
            Self::Volatility(volatility) => volatility.problems(),
        }
    }
    /// The adjustment, ready for one market.
    pub fn build(&self) -> Box<dyn Adjustment> {
        match self {
            Self::Drawdown(drawdown) => Box::new(Drawdown::new(drawdown)),
            Self::Volatility(volatility) => Box::new(VolatilityScaling::new(volatility)),
        }
    }
}
