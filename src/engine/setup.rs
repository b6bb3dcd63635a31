//! What a world is made of, ready to run: everything resolved to integers, draws and boxed seams.
//!
//! A scenario builds a [`Setup`]; tests and users of the library may build one by hand.

use super::options::OptionsSetup;
use crate::account::Ledger;
use crate::liquidation::keeper;
use crate::liquidation::policy::absorb::Reserves;
use crate::liquidation::waterfall::{Backstop, ClosePrice, Ranking};
use crate::liquidation::{CollateralOrder, LiquidationPolicy};
use crate::margin::option::OptionMargin;
use crate::margin::{MarginRule, PortfolioRule, Thresholds};
use crate::market::anchor::{AnchorSettings, FlightSettings};
use crate::market::funding::FundingSettings;
use crate::market::mark::MarkSettings;
use crate::market::oracle::OracleSettings;
use crate::market::{Contract, Venue};
use crate::math::Draws;
use crate::safety::SafetySetup;
use crate::trader::{Behaviour, Members, ResponseSettings, WithdrawalSettings};
use crate::unit::{AccountId, Cash, Grid, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How often margin is checked within a step.
///
/// Results hinge on this: a venue that checks per oracle update liquidates once per step, one that
/// checks continuously repeats mark, surveillance, forced orders, matching and settlement until
/// nobody new is breached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rounds {
    /// Exactly so many.
    Fixed(u32),
    /// Until a round in which no forced order trades, and at most so many; a step cut off is counted.
    UntilQuiet {
        /// Most rounds in a step.
        limit: u32,
    },
}

impl Default for Rounds {
    fn default() -> Self {
        Self::Fixed(1)
    }
}

impl Rounds {
    /// Most rounds in a step.
    pub const fn limit(self) -> u32 {
        match self {
            Self::Fixed(rounds) => rounds,
            Self::UntilQuiet { limit } => limit,
        }
    }
}

/// One market, ready to trade.
#[derive(Clone)]
pub struct MarketSetup {
    /// Its name.
    pub name: String,
    /// What its integers mean.
    pub grid: Grid,
    /// What positions in it are worth.
    pub contract: Contract,
    /// Reference price in ticks: at the start, then after each step.
    pub path: Vec<f64>,
    /// Where price is made.
    pub venue: Box<dyn Venue>,
    /// How the venue's trades move the outside price.
    pub anchor: AnchorSettings,
    /// How liquidity providers react.
    pub flight: FlightSettings,
    /// How the index is observed.
    pub oracle: OracleSettings,
    /// Which price marks positions.
    pub mark: MarkSettings,
    /// What longs pay shorts.
    pub funding: FundingSettings,
    /// Fee of whoever takes, over notional.
    pub taker_fee: Rate,
    /// Fee of whoever gives, over notional; negative for a rebate.
    pub maker_fee: Rate,
    /// What accounts must hold.
    pub rule: Box<dyn MarginRule>,
    /// When the market's isolated accounts are warned, called and liquidated.
    pub thresholds: Thresholds,
    /// Whether what is held here is collateral: bought and sold for cash, never short, its maintenance rate a haircut.
    pub spot: bool,
}

/// One cohort, ready to act.
#[derive(Clone)]
pub struct CohortSetup {
    /// Its name.
    pub name: String,
    /// Who they are.
    pub members: Members,
    /// What they do; nothing for holders.
    pub behaviour: Option<Box<dyn Behaviour>>,
    /// What they do when warned or called.
    pub response: ResponseSettings,
    /// How they take money out, if they do.
    pub withdrawal: Option<WithdrawalSettings>,
}

/// The liquidation engine and the waterfall.
#[derive(Clone)]
pub struct LiquidationSetup {
    /// How positions are closed, by market.
    pub policies: Vec<Box<dyn LiquidationPolicy>>,
    /// Whether derivatives or collateral are closed first.
    pub collateral: CollateralOrder,
    /// What an account in liquidation may owe once its derivatives are closed, with collateral behind it.
    pub largest_debt: Option<Cash>,
    /// Fee on what is closed by force, paid to the insurance fund.
    pub fee: Rate,
    /// Steps from the breach to the forced order's arrival.
    pub latency: f64,
    /// Balances of the insurance fund's pools: one, or one for each market. They add up to what the fund's
    /// account has.
    pub pools: Vec<Cash>,
    /// What the venue adds to the fund, and every how many steps.
    pub top_up: Option<(Cash, u32)>,
    /// The vault that takes positions over.
    pub backstop: Option<Backstop>,
    /// Who takes what policies offer: groups of keepers.
    pub keepers: Vec<keeper::Terms>,
    /// The reserves that absorb accounts.
    pub reserves: Option<Reserves>,
    /// How bankrupt positions are closed against other traders.
    pub adl: Option<Adl>,
    /// From whom unpaid deficits are taken.
    pub socialise: Option<Socialise>,
}

/// Auto-deleveraging.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Adl {
    /// Against whom.
    pub ranking: Ranking,
    /// Most of its profit that a position may lose, where the ranking has a cap.
    pub cap: Option<Rate>,
    /// At which price.
    pub price: ClosePrice,
    /// Fall of the fund that closes whoever is in liquidation, and the steps from whose highest it is measured.
    pub drawdown: Option<(Rate, u32)>,
}

/// From whom deficits are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socialise {
    /// From unrealised profits in the market.
    Profit,
    /// From what accounts are ahead since the session of so many steps began.
    Session(u32),
    /// The same, as the session ends.
    Clawback(u32),
}

/// What changes while correlations are those of stress.
#[derive(Clone)]
pub struct StressSetup {
    /// Which steps are in stress.
    pub steps: Arc<[bool]>,
    /// What cross accounts are asked for all their positions together then.
    pub portfolio: Option<Box<dyn PortfolioRule>>,
    /// What accounts with options are asked then.
    pub options: Option<Arc<dyn OptionMargin>>,
}

/// A world before its first step.
#[derive(Clone)]
pub struct Setup {
    /// The seed of all draws.
    pub seed: u64,
    /// The replicate of the seed.
    pub replicate: u64,
    /// The source of every random number.
    pub draws: Draws,
    /// Seconds a step.
    pub dt: f64,
    /// How many steps.
    pub steps: u32,
    /// How often margin is checked within a step.
    pub rounds: Rounds,
    /// When cross accounts are warned, called and liquidated.
    pub thresholds: Thresholds,
    /// What cross accounts are asked for all their positions together; nothing where requirements are added up.
    pub portfolio: Option<Box<dyn PortfolioRule>>,
    /// Steps in stress, and what is different in them; nothing where correlation never changes.
    pub stress: Option<StressSetup>,
    /// Whether resting orders that would make a position larger are withdrawn between initial and maintenance
    /// requirement.
    pub reduce_only: bool,
    /// How, and who pays.
    pub liquidation: LiquidationSetup,
    /// Fail-safes and faults.
    pub safety: SafetySetup,
    /// The markets.
    pub markets: Vec<MarketSetup>,
    /// The cohorts, in the order of their accounts.
    pub cohorts: Vec<CohortSetup>,
    /// All accounts with what they hold at the start.
    pub ledger: Ledger,
    /// Options, where there are any; who may hold which is the ledger's.
    pub options: Option<OptionsSetup>,
    /// Isolated accounts whose owner has a cross account too, and which.
    pub siblings: Vec<(AccountId, AccountId)>,
    /// Accounts with a standing stop: whose, and the adverse move from the entry price that triggers it.
    pub stops: Vec<(AccountId, f64)>,
    /// Whether forced orders are absorbed at the mark by the outside world, without impact: the
    /// twin that a run is compared with.
    pub absorb_forced: bool,
    /// Whether the ledger is audited in full after every step rather than at the end.
    pub audit_every_step: bool,
}
