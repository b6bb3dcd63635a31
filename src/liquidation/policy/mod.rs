//! Policies: how a breached position is closed. One policy a file.

pub mod bankruptcy_limit;
pub mod market_close;
pub mod slices;

pub use bankruptcy_limit::BankruptcyLimit;
pub use market_close::MarketClose;
pub use slices::{Slices, SlicesSettings};

use crate::market::{Contract, Order};
use crate::unit::{AccountId, Cash, Grid, Lots, MarketId, Side, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A breached position, as the liquidation engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// The account.
    pub account: AccountId,
    /// The market.
    pub market: MarketId,
    /// Signed quantity held.
    pub quantity: Lots,
    /// The mark.
    pub mark: Ticks,
    /// Notional at the mark.
    pub notional: Cash,
    /// Equity of the whole account at the mark.
    pub equity: Cash,
    /// The price at which closing this position leaves the account's equity to maintenance ratio
    /// as it is, and closing all leaves nothing: `P · (1 − s · m · E / MM)`, in ticks. For a lone
    /// position this is its bankruptcy price.
    pub zero_price: f64,
    /// The market's contract.
    pub contract: Contract,
}

impl Case {
    /// The side that closes the position.
    pub const fn closing_side(&self) -> Side {
        if self.quantity.0 > 0 {
            Side::Sell
        } else {
            Side::Buy
        }
    }
}

/// A forced order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forced {
    /// Where.
    pub market: MarketId,
    /// What.
    pub order: Order,
    /// Steps before the engine may act on this account again.
    pub cooldown: u32,
}

/// Answers which orders are forced for breached positions. Called once per step with all cases in
/// ascending order of account and market.
///
/// Promise: never touches the ledger, and never forces more than is held.
pub trait LiquidationPolicy: Send {
    /// Appends the forced orders for the cases.
    fn release(&mut self, cases: &[Case], out: &mut Vec<Forced>);
    /// Its name in the output.
    fn name(&self) -> &'static str;
    /// Is told that an account meets its requirement again, or holds nothing any more.
    fn recovered(&mut self, account: AccountId) {
        let _ = account;
    }
    /// Whether what is left of the collateral goes to the insurance fund once all is closed.
    fn forfeits(&self) -> bool {
        false
    }
}

/// Which policy closes breached positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicySettings {
    /// The whole position at market, at once.
    MarketClose {},
    /// An immediate limit at the bankruptcy price; what does not fill is taken over by the insurance
    /// fund once the account is bankrupt, and the collateral that is left goes to the fund.
    BankruptcyLimit {},
    /// Large positions a fraction at a time, with a cooldown.
    Slices(SlicesSettings),
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self::MarketClose {}
    }
}

impl PolicySettings {
    /// What is wrong with the settings: (key within the policy, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::MarketClose {} | Self::BankruptcyLimit {} => Vec::new(),
            Self::Slices(slices) => slices.problems(),
        }
    }
    /// The policy, with steps of `dt` seconds and cash on `grid`.
    pub fn build(&self, grid: &Grid, dt: f64) -> Box<dyn LiquidationPolicy> {
        match self {
            Self::MarketClose {} => Box::new(MarketClose),
            Self::BankruptcyLimit {} => Box::new(BankruptcyLimit),
            Self::Slices(slices) => Box::new(Slices::new(slices, grid, dt)),
        }
    }
}
