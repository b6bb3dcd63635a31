//! Adjustments of margin rules: one a file, applied in the scenario's order.
//!
//! An adjustment that remembers (buffer, stressed weight, long lookback, speed limit, notice, hysteresis, new
//! positions only) judges a schedule by its level, the maintenance rate of the smallest positions, and
//! multiplies every size alike. What grows with size is smoothed where it arises: depth and volume have a half-life.

pub mod bounds;
pub mod buffer;
pub mod concentration;
pub mod delay;
pub mod depth;
pub mod drawdown;
pub mod funding;
pub mod hysteresis;
pub mod long_lookback;
pub mod new_positions_only;
pub mod notice;
pub mod open_interest;
pub mod r_target;
pub mod scheduled;
pub mod speed_limit;
pub mod stressed;
pub mod volatility;
pub mod volume;

pub use bounds::BoundSettings;
pub use buffer::BufferSettings;
pub use concentration::ConcentrationSettings;
pub use depth::DepthSettings;
pub use drawdown::{Answered, Drawdown, DrawdownSettings};
pub use funding::FundingMarginSettings;
pub use hysteresis::HysteresisSettings;
pub use long_lookback::LongLookbackSettings;
pub use new_positions_only::NewPositionsSettings;
pub use notice::NoticeSettings;
pub use open_interest::CrowdingSettings;
pub use r_target::ReproductionSettings;
pub use scheduled::{ScheduledSettings, StepSettings};
pub use speed_limit::SpeedLimitSettings;
pub use stressed::StressedSettings;
pub use volatility::{VolatilityScaling, VolatilitySettings, Watched};
pub use volume::VolumeSettings;

use super::rule::RiskView;
use super::schedule::Schedule;
use crate::unit::Grid;
use dyn_clone::DynClone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maps the rates that it is given to new ones, once per market and step.
pub trait Adjustment: DynClone + Send {
    /// Changes the schedule.
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule);
    /// Its name in the output.
    fn name(&self) -> &'static str;
}

dyn_clone::clone_trait_object!(Adjustment);

/// What is wrong with settings: (key, sentence).
type Problems = Vec<(String, String)>;

/// The sentences of the checks that fail.
fn problems<const N: usize>(checks: [(bool, &str, &str); N]) -> Problems {
    checks
        .into_iter()
        .filter(|(ok, _, _)| !ok)
        .map(|(_, key, text)| (key.to_owned(), text.to_owned()))
        .collect()
}

/// Which adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AdjustSettings {
    /// Raises rates in proportion to the fall from the high, or the rise from the low.
    Drawdown(DrawdownSettings),
    /// Scales rates with the ratio of fast to slow volatility.
    Volatility(VolatilitySettings),
    /// Asks at least the slippage of closing into the book.
    Depth(DepthSettings),
    /// Raises initial margin with open interest over traded volume.
    Volume(VolumeSettings),
    /// Scales initial margin between two caps of open interest.
    OpenInterest(CrowdingSettings),
    /// Adds a rate that grows with size over depth.
    Concentration(ConcentrationSettings),
    /// Adds the expected funding over the close-out.
    Funding(FundingMarginSettings),
    /// Keeps rates above a bound.
    Floor(BoundSettings),
    /// Keeps rates below a bound.
    Cap(BoundSettings),
    /// Holds a buffer that rises are first taken out of.
    Buffer(BufferSettings),
    /// Gives a stressed rate a constant weight.
    Stressed(StressedSettings),
    /// Keeps rates above what a long past asks.
    LongLookback(LongLookbackSettings),
    /// Limits how fast rates rise.
    SpeedLimit(SpeedLimitSettings),
    /// Lets changes bind some time after they are announced.
    Notice(NoticeSettings),
    /// Ignores small changes.
    Hysteresis(HysteresisSettings),
    /// Lets rises bind for existing positions later or never.
    NewPositionsOnly(NewPositionsSettings),
    /// Replaces rates at stated times.
    Scheduled(ScheduledSettings),
    /// Raises initial margin, or lowers the limit of positions, while the reproduction number exceeds a target.
    RTarget(ReproductionSettings),
}

impl AdjustSettings {
    /// The adjustment's key in a scenario.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Drawdown(_) => "drawdown",
            Self::Volatility(_) => "volatility",
            Self::Depth(_) => "depth",
            Self::Volume(_) => "volume",
            Self::OpenInterest(_) => "open_interest",
            Self::Concentration(_) => "concentration",
            Self::Funding(_) => "funding",
            Self::Floor(_) => "floor",
            Self::Cap(_) => "cap",
            Self::Buffer(_) => "buffer",
            Self::Stressed(_) => "stressed",
            Self::LongLookback(_) => "long_lookback",
            Self::SpeedLimit(_) => "speed_limit",
            Self::Notice(_) => "notice",
            Self::Hysteresis(_) => "hysteresis",
            Self::NewPositionsOnly(_) => "new_positions_only",
            Self::Scheduled(_) => "scheduled",
            Self::RTarget(_) => "r_target",
        }
    }
    /// What is wrong with the settings: (key within the adjustment, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::Drawdown(own) => own.problems(),
            Self::Volatility(own) => own.problems(),
            Self::Depth(own) => own.problems(),
            Self::Volume(own) => own.problems(),
            Self::OpenInterest(own) => own.problems(),
            Self::Concentration(own) => own.problems(),
            Self::Funding(own) => own.problems(),
            Self::Buffer(own) => own.problems(),
            Self::Stressed(own) => own.problems(),
            Self::LongLookback(own) => own.problems(),
            Self::SpeedLimit(own) => own.problems(),
            Self::Notice(own) => own.problems(),
            Self::Hysteresis(own) => own.problems(),
            Self::NewPositionsOnly(own) => own.problems(),
            Self::Scheduled(own) => own.problems(),
            Self::RTarget(own) => own.problems(),
            Self::Floor(own) | Self::Cap(own) => own.problems(),
        }
    }
    /// The adjustment, ready for one market.
    pub fn build(&self, grid: &Grid) -> Box<dyn Adjustment> {
        match self {
            Self::Drawdown(own) => Box::new(Drawdown::new(own)),
            Self::Volatility(own) => Box::new(VolatilityScaling::new(own)),
            Self::Floor(own) => Box::new(own.floor()),
            Self::Cap(own) => Box::new(own.cap()),
            Self::OpenInterest(own) => Box::new(own.build(grid)),
            Self::Depth(own) => Box::new(own.build()),
            Self::Volume(own) => Box::new(own.build()),
            Self::Concentration(own) => Box::new(own.build()),
            Self::Funding(own) => Box::new(own.build()),
            Self::Buffer(own) => Box::new(own.build()),
            Self::Stressed(own) => Box::new(own.build()),
            Self::LongLookback(own) => Box::new(own.build()),
            Self::SpeedLimit(own) => Box::new(own.build()),
            Self::Notice(own) => Box::new(own.build()),
            Self::Hysteresis(own) => Box::new(own.build()),
            Self::NewPositionsOnly(own) => Box::new(own.build()),
            Self::Scheduled(own) => Box::new(own.build(grid)),
            Self::RTarget(own) => Box::new(own.build(grid)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::unit::Rate;

    /// The levels that an adjustment makes of those it is given, one per second; the price stands still.
    pub fn levels(adjustment: &mut impl Adjustment, asked: &[f64]) -> Vec<f64> {
        asked
            .iter()
            .enumerate()
            .map(|(step, level)| {
                let view = RiskView {
                    step: step as u32,
                    dt: 1.0,
                    index: 100.0,
                    mark: 100.0,
                    quanta: 1.0,
                    ..RiskView::default()
                };
                let initial = Rate::from_f64((level * 2.0).min(1.0));
                let mut schedule = Schedule::flat(initial, Rate::from_f64(*level));
                adjustment.adjust(&view, &mut schedule);
                schedule.level().as_f64()
            })
            .collect()
    }
}
