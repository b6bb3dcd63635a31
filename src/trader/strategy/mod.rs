//! Strategies: one a file, each with its formula, its actions and its reference.
//!
//! A strategy sends what it wants; whether the member has the margin for it is the venue's
//! question. Members who are being liquidated, or have been, send nothing.
//!
//! # Units
//!
//! Sizes and limits in settlement currency, rates in orders per member and hour, distances in
//! basis points, volatilities annualised (365 days).

mod arrival;
mod finding;
pub mod fundamental;
pub mod market_maker;
pub mod momentum;
pub mod noise;
pub mod portfolio_insurer;
pub mod target_leverage;

pub use fundamental::{Fundamental, FundamentalSettings};
pub use market_maker::{MarketMaker, MarketMakerSettings};
pub use momentum::{Momentum, MomentumSettings};
pub use noise::{Noise, NoiseSettings};
pub use portfolio_insurer::{PortfolioInsurer, PortfolioInsurerSettings};
pub use target_leverage::{RiskLimit, TargetLeverage, TargetLeverageSettings};

use super::{Behaviour, Published, View};
use crate::account::State;
use crate::unit::{AccountId, Grid, Lots, MarketId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the members of a cohort do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategySettings {
    /// Keeps its position; acts only under stress.
    Holder {},
    /// Trades at random times on random sides.
    Noise(NoiseSettings),
    /// Trades toward the reference price when the market strays from it.
    Fundamental(FundamentalSettings),
    /// Buys what has risen, sells what has fallen.
    Momentum(MomentumSettings),
    /// Keeps exposure over equity at a target: sells as the price falls, buys as it rises.
    TargetLeverage(TargetLeverageSettings),
    /// Quotes both sides around a price that leans against its inventory.
    MarketMaker(MarketMakerSettings),
    /// Replicates a put on stocks held elsewhere: sells futures as the price falls.
    PortfolioInsurer(PortfolioInsurerSettings),
}

impl Default for StrategySettings {
    fn default() -> Self {
        Self::Holder {}
    }
}

impl StrategySettings {
    /// What is wrong with the settings: (key within the strategy, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let (name, problems) = match self {
            Self::Holder {} => return Vec::new(),
            Self::Noise(settings) => ("noise", settings.problems()),
            Self::Fundamental(settings) => ("fundamental", settings.problems()),
            Self::Momentum(settings) => ("momentum", settings.problems()),
            Self::TargetLeverage(settings) => ("target_leverage", settings.problems()),
            Self::MarketMaker(settings) => ("market_maker", settings.problems()),
            Self::PortfolioInsurer(settings) => ("portfolio_insurer", settings.problems()),
        };
        problems
            .into_iter()
            .map(|(key, text)| (format!("{name}.{key}"), text))
            .collect()
    }

    /// The behaviour, ready for one cohort; nothing for holders, who never act by themselves.
    pub fn build(&self, grids: &[Grid]) -> Option<Box<dyn Behaviour>> {
        match self {
            Self::Holder {} => None,
            Self::Noise(settings) => Some(Box::new(Noise::new(settings, grids))),
            Self::Fundamental(settings) => Some(Box::new(Fundamental::new(settings, grids))),
            Self::Momentum(settings) => Some(Box::new(Momentum::new(settings, grids))),
            Self::TargetLeverage(settings) => Some(Box::new(TargetLeverage::new(settings))),
            Self::MarketMaker(settings) => Some(Box::new(MarketMaker::new(settings, grids))),
            Self::PortfolioInsurer(settings) => Some(Box::new(PortfolioInsurer::new(settings))),
        }
    }
}

/// Turns notionals in settlement currency into lots.
#[derive(Clone, Debug)]
struct Sizer {
    /// Settlement currency per quantum, by market.
    quantum: Vec<f64>,
}

/// The largest notional of one order in quanta. Far beyond any market, and far within 63 bits:
/// a draw from a tail without end must not overflow the ledger.
const LARGEST: f64 = (1u64 << 56) as f64;

impl Sizer {
    fn new(grids: &[Grid]) -> Self {
        Self {
            quantum: grids.iter().map(|grid| grid.scale().quantum).collect(),
        }
    }

    /// Lots of a notional at the mid, not yet whole.
    fn exact(&self, market: MarketId, published: &Published, notional: f64) -> f64 {
        let quanta = (notional / self.quantum[market.index()]).min(LARGEST);
        quanta / published.contract.lot_notional(published.mid)
    }

    /// Whole lots of a notional at the mid, at least one.
    fn lots(&self, market: MarketId, published: &Published, notional: f64) -> Lots {
        let exact = self.exact(market, published, notional);
        Lots((exact.round_ties_even() as i64).max(1))
    }
}

/// Whether a member still decides for itself.
#[inline]
fn acts(view: &View<'_>, id: AccountId) -> bool {
    view.ledger.account(id).state < State::Liquidating
}

/// The places of the members whose turn it is in a step: each once in `period` steps, spread
/// evenly, so that a step visits a share of them.
fn turns(step: u32, period: u32, count: u32) -> impl Iterator<Item = u32> + use<> {
    let period = period.max(1);
    let first = (period - step % period) % period;
    (first..count).step_by(period as usize)
}

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trader::ResponseSettings;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {
        #[serde(default)]
        strategy: StrategySettings,
        #[serde(default)]
        response: ResponseSettings,
    }

    #[test]
    fn holders_and_the_unresponsive_are_written_as_all_others() {
        let written: Section =
            toml::from_str("strategy = { holder = {} }\nresponse = { ignore = {} }").unwrap();
        let left_out: Section = toml::from_str("").unwrap();
        assert_eq!(written.strategy, left_out.strategy);
        assert_eq!(written.response, left_out.response);
        assert!(written.strategy.build(&[]).is_none());
        assert!(toml::from_str::<Section>("strategy = { holder = { rate = 1 } }").is_err());
    }

    #[test]
    fn every_strategy_reads_as_written_and_builds() {
        let grid = fixture::World::isolated(0).grids;
        for (name, keys) in [
            (
                "noise",
                "rate = 2\nsize = { lognormal = { median = 2000, sigma = 1.2 } }\nlimit_share = 0.4\n\
                 distance_bps = { exponential = { mean = 15 } }\nlifetime = \"10m\"",
            ),
            (
                "fundamental",
                "rate = 4\nsize = 5000\nthreshold = 0.004\ncap = 8\nprotected = false",
            ),
            (
                "momentum",
                "rate = 4\nsize = 5000\nhalf_life = \"5m\"\nthreshold = 0.004",
            ),
            (
                "target_leverage",
                "leverage = 5\nband = 0.05\nevery = \"1m\"\n\
                 risk_limit = { limit = 0.2, confidence = 0.99, horizon = \"1d\" }",
            ),
            (
                "market_maker",
                "size = 50000\nlevels = 5\nspread_bps = 4\nstep_bps = 4\ninventory_limit = 1e6\n\
                 risk_aversion = 20\ncalm_volatility = 0.6\nthinning = 1\nwithdraw_above = 8\n\
                 requote = \"2s\"",
            ),
            (
                "portfolio_insurer",
                "portfolio = 10\nfloor = 0.95\nvolatility = 0.2\nhorizon = \"90d\"\nevery = \"5m\"\n\
                 band = 0.01\nlimit = 0.02\noverhang = 0.1",
            ),
        ] {
            let section: Section = toml::from_str(&format!("[strategy.{name}]\n{keys}"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(section.strategy.problems(), [], "{name}");
            assert!(section.strategy.build(&grid).is_some());
            let again = toml::to_string(&section.strategy).unwrap();
            assert_eq!(
                toml::from_str::<StrategySettings>(&again).unwrap(),
                section.strategy
            );
            let misspelt = format!("[strategy.{name}]\n{keys}\nrtae = 1");
            assert!(toml::from_str::<Section>(&misspelt).is_err());
        }
    }

    #[test]
    fn problems_name_the_strategy_and_the_key() {
        let section: Section = toml::from_str(
            "[strategy.momentum]\nrate = 1\nsize = -5\nhalf_life = \"5m\"\nthreshold = 0.01",
        )
        .unwrap();
        let problems = section.strategy.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].0, "momentum.size");
    }

    #[test]
    fn every_member_has_one_turn_in_a_period() {
        let mut seen = vec![0; 10];
        for step in 100..104 {
            for place in turns(step, 4, 10) {
                assert_eq!((step + place) % 4, 0);
                seen[place as usize] += 1;
            }
        }
        assert_eq!(seen, vec![1; 10]);
        assert_eq!(turns(3, u32::MAX, 10).count(), 0);
    }
}
