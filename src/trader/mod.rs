//! Traders: cohorts of accounts, their strategies, and their answers to margin calls.
//!
//! A [`Behaviour`] acts for a whole cohort, once per step: its cost follows activity (Poisson
//! arrivals), not headcount. A [`response::ResponseSettings`] says what a member does when it is
//! warned or called.

pub mod cohort;
pub mod population;
pub mod response;
pub mod strategy;
pub mod withdrawal;

pub use cohort::{CohortSettings, Members, Mode};
pub use response::ResponseSettings;
pub use strategy::StrategySettings;
pub use withdrawal::WithdrawalSettings;

use crate::account::Ledger;
use crate::market::{Contract, Order, Quote};
use crate::math::Draws;
use crate::unit::{AccountId, Lots, MarketId, Ticks};
use dyn_clone::DynClone;

/// What is published about one market before the step's decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The market's contract.
    pub contract: Contract,
    /// Whether what is held here is collateral.
    pub spot: bool,
    /// The outside world's reference price, in ticks.
    pub reference: f64,
    /// The index in force, in ticks.
    pub index: f64,
    /// The mark.
    pub mark: Ticks,
    /// Best prices at the end of the last step.
    pub quote: Quote,
    /// Midpoint at the end of the last step, in ticks.
    pub mid: f64,
    /// The last trade.
    pub last: Ticks,
    /// Volatility of the mid per √second, exponentially weighted.
    pub volatility: f64,
    /// Log return of the mid over the last step.
    pub log_return: f64,
    /// Ambient and resting quantity within 1 % of the mid: bids, asks.
    pub depth: (Lots, Lots),
    /// Factor on the ambient depth: less than 1 when liquidity flees.
    pub liquidity: f64,
    /// The cumulative funding index, in 10⁻⁶ quanta per lot.
    pub funding: i64,
}

/// Everything that a behaviour may know when it decides.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The step, from 0.
    pub step: u32,
    /// Seconds a step.
    pub dt: f64,
    /// What is published, by market.
    pub markets: &'a [Published],
    /// The ledger, of which a cohort reads its own members' records.
    pub ledger: &'a Ledger,
}

/// What a behaviour wants done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Intent {
    /// Send an order; a resting remainder is cancelled after `lifetime` steps.
    Place {
        /// Where.
        market: MarketId,
        /// What.
        order: Order,
        /// Steps until a resting remainder is cancelled; `u32::MAX` for never.
        lifetime: u32,
    },
    /// Withdraw all resting orders of an account in a market. Together with the orders that
    /// follow it from the same account, it reaches the book at one moment: a requote.
    CancelAll {
        /// Where.
        market: MarketId,
        /// Whose.
        owner: AccountId,
    },
}

impl Intent {
    /// Where it goes.
    pub const fn market(&self) -> MarketId {
        match self {
            Self::Place { market, .. } | Self::CancelAll { market, .. } => *market,
        }
    }
}

/// Acts for one cohort.
///
/// Promise: sees only what was published before the step's decisions and its own members'
/// records; takes random numbers only from its keyed draws (purposes `Arrival` and `Order` with
/// the cohort as entity, `Custom` for its own).
pub trait Behaviour: DynClone + Send {
    /// Appends what the cohort's members do in this step.
    fn act(&mut self, view: &View<'_>, members: &Members, draws: &Draws, out: &mut Vec<Intent>);
}

dyn_clone::clone_trait_object!(Behaviour);
