//! Bases of margin rules: one a file. A base turns its settings into a schedule, and moves it where it
//! follows the market.

pub mod fixed;
pub mod haircut;
pub mod lending;
pub mod linear;
pub mod open_interest;
pub mod square_root;
pub mod statistical;
pub mod tiered;

pub use fixed::FixedSettings;
pub use haircut::{HaircutSettings, HaircutTier};
pub use lending::LendingSettings;
pub use linear::LinearSettings;
pub use open_interest::OpenInterestSettings;
pub use square_root::SquareRootSettings;
pub use statistical::StatisticalSettings;
pub use tiered::{Caps, FurtherSettings, Tier, TieredSettings};

use super::rule::Base;
use super::schedule::Schedule;
use crate::unit::Grid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statistical::Figure;

/// Which base a rule starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BaseSettings {
    /// One rate for every size.
    Fixed(FixedSettings),
    /// Rates by bracket of notional, as most venues publish them.
    Tiered(TieredSettings),
    /// A loan to value and a liquidation threshold (Aave, Compound, Maker).
    Lending(LendingSettings),
    /// Rates that grow in proportion to size (Deribit).
    Linear(LinearSettings),
    /// Rates that grow with the root of size (Drift).
    SquareRoot(SquareRootSettings),
    /// Initial margin that rises with open interest (dYdX v4).
    OpenInterest(OpenInterestSettings),
    /// The quantile of losses over the close-out, under a model of returns.
    ValueAtRisk(StatisticalSettings),
    /// The mean of the losses beyond the quantile, under a model of returns.
    ExpectedShortfall(StatisticalSettings),
}

impl BaseSettings {
    /// The base's name in the output.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Tiered(_) => "tiered",
            Self::Lending(_) => "lending",
            Self::Linear(_) => "linear",
            Self::SquareRoot(_) => "square_root",
            Self::OpenInterest(_) => "open_interest",
            Self::ValueAtRisk(_) => "value_at_risk",
            Self::ExpectedShortfall(_) => "expected_shortfall",
        }
    }
    /// What is wrong with the settings: (key within the base, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Fixed(fixed) => fixed.problems(),
            Self::Tiered(tiered) => tiered.problems(),
            Self::Lending(lending) => lending.problems(),
            Self::Linear(linear) => linear.problems(),
            Self::SquareRoot(root) => root.problems(),
            Self::OpenInterest(open) => open.problems(),
            Self::ValueAtRisk(risk) | Self::ExpectedShortfall(risk) => risk.problems(),
        }
    }
    /// The base's schedule on a market's grid, before anything moves it. The settings must have no problems.
    pub fn schedule(&self, grid: &Grid) -> Schedule {
        match self {
            Self::Fixed(fixed) => fixed.schedule(),
            Self::Tiered(tiered) => tiered.schedule(grid),
            Self::Lending(lending) => lending.schedule(),
            Self::Linear(linear) => linear.schedule(),
            Self::SquareRoot(root) => root.schedule(),
            Self::OpenInterest(open) => open.schedule(),
            Self::ValueAtRisk(risk) | Self::ExpectedShortfall(risk) => risk.schedule(),
        }
    }
    /// What moves the schedule; nothing where it stands still.
    pub fn moving(&self, grid: &Grid) -> Option<Box<dyn Base>> {
        match self {
            Self::Fixed(_) | Self::Lending(_) => None,
            Self::Tiered(tiered) => {
                let moving = tiered.moving(grid);
                moving.map(|moving| Box::new(moving) as Box<dyn Base>)
            }
            Self::Linear(linear) => Some(Box::new(linear.moving(grid))),
            Self::SquareRoot(root) => Some(Box::new(root.moving(grid))),
            Self::OpenInterest(open) => Some(Box::new(open.moving(grid))),
            Self::ValueAtRisk(risk) => Some(Box::new(risk.moving(Figure::ValueAtRisk))),
            Self::ExpectedShortfall(risk) => Some(Box::new(risk.moving(Figure::ExpectedShortfall))),
        }
    }
}
