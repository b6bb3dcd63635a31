//! Names of things: accounts, markets, cohorts, and the two sides of a trade.

use serde::{Deserialize, Serialize};

/// A margin account: one pocket of collateral and the positions that it backs.
///
/// An isolated position is an account of its own; a cross account backs several positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u32);

/// A market, by its place in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MarketId(pub u16);

/// A cohort of traders, by its place in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CohortId(pub u16);

impl AccountId {
    /// The account's place in the columns.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl MarketId {
    /// The market's place in the columns.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl CohortId {
    /// The cohort's place in the columns.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The side of an order or a trade, seen from its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buys: receives quantity, pays cash.
    Buy,
    /// Sells: gives quantity, receives cash.
    Sell,
}

impl Side {
    /// The other side.
    #[inline]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
    /// +1 for a buy, −1 for a sell: the sign that the trade gives a quantity.
    #[inline]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
    /// 0 for a buy, 1 for a sell: the side's place in a pair.
    #[inline]
    pub const fn index(self) -> usize {
        match self {
            Self::Buy => 0,
            Self::Sell => 1,
        }
    }
}

/// Accounts that every world has, before the traders' own.
impl AccountId {
    /// The background maker: owns the ambient depth, so that every fill has a counterparty.
    pub const BACKGROUND: Self = Self(0);
    /// The insurance fund.
    pub const FUND: Self = Self(1);
    /// The venue's own purse: fees, and the remainders of rounding.
    pub const FEES: Self = Self(2);
    /// Funding that one side has been charged and the other has not collected yet.
    pub const FUNDING: Self = Self(3);
    /// The outside world, which absorbs forced orders in a twin run.
    pub const OUTSIDE: Self = Self(4);
    /// How many such accounts there are: the first trader's id.
    pub const SYSTEM: u32 = 5;

    /// Whether this is one of the accounts that every world has.
    #[inline]
    pub const fn is_system(self) -> bool {
        self.0 < Self::SYSTEM
    }
}
