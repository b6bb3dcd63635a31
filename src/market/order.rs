//! Orders, fills, and what became of an order.

use crate::unit::{AccountId, Cash, Lots, Side, Ticks};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// How long an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// What isn't filled rests in the book until cancelled.
    UntilCancelled,
    /// What isn't filled at once is dropped. With no limit this is a market order, with one it
    /// is a limit with protection.
    Immediate,
    /// Rests whole, or is refused if any of it would trade.
    PostOnly,
}

/// An instruction to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whose order it is.
    pub owner: AccountId,
    /// Which way.
    pub side: Side,
    /// How much: positive.
    pub quantity: Lots,
    /// The worst price accepted; none for a market order.
    pub limit: Option<Ticks>,
    /// How long it stands.
    pub standing: Standing,
}

impl Order {
    /// An order to trade at once at any price.
    pub const fn market(owner: AccountId, side: Side, quantity: Lots) -> Self {
        Self {
            owner,
            side,
            quantity,
            limit: None,
            standing: Standing::Immediate,
        }
    }
    /// An order that rests at its limit until filled or cancelled.
    pub const fn limit(owner: AccountId, side: Side, quantity: Lots, limit: Ticks) -> Self {
        Self {
            owner,
            side,
            quantity,
            limit: Some(limit),
            standing: Standing::UntilCancelled,
        }
    }
    /// An order that trades at once up to its limit and drops the rest.
    pub const fn immediate(owner: AccountId, side: Side, quantity: Lots, limit: Ticks) -> Self {
        Self {
            owner,
            side,
            quantity,
            limit: Some(limit),
            standing: Standing::Immediate,
        }
    }
    /// An order that rests at its limit, or is refused.
    pub const fn post(owner: AccountId, side: Side, quantity: Lots, limit: Ticks) -> Self {
        Self {
            owner,
            side,
            quantity,
            limit: Some(limit),
            standing: Standing::PostOnly,
        }
    }
}

/// A handle on a resting order; stale once the order is filled or cancelled. Eight bytes, and no more
/// where there may be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId {
    /// Place in the book's store of orders.
    pub slot: NonZeroU32,
    /// How often that place had been used before.
    pub generation: u32,
}

/// One trade between a taker and a maker, or a run of trades against the ambient depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Whose order took.
    pub taker: AccountId,
    /// Whose order (or ambient depth) gave.
    pub maker: AccountId,
    /// The taker's side.
    pub side: Side,
    /// How much: positive.
    pub quantity: Lots,
    /// `Contract::value(+quantity, …)`, added up over the prices of the run: what the buyer books
    /// as cost and the seller as proceeds.
    pub value: Cash,
    /// The last (worst) price of the run.
    pub price: Ticks,
}

/// Why an order was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The quantity isn't positive.
    NoQuantity,
    /// A post-only order would have traded.
    WouldTrade,
    /// The limit lies outside the ladder.
    OffLadder,
    /// A limit order that rests needs a limit.
    NoLimit,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// How much traded.
    pub filled: Lots,
    /// Value of what traded, as in [`Fill::value`].
    pub value: Cash,
    /// Price of the first and of the last trade.
    pub prices: Option<(Ticks, Ticks)>,
    /// The handle on what rests.
    pub resting: Option<OrderId>,
    /// Why nothing happened.
    pub refused: Option<Refusal>,
}
