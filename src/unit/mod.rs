//! Ticks, lots, cash, rates and ids: the integer quantities that the ledger is made of.
//!
//! Nothing here knows what a market is. [`amount`] holds the newtypes, [`rate`] the
//! fixed-point margin rates, [`grid`] the only conversions between decimals and integers.

pub mod amount;
pub mod grid;
pub mod id;
pub mod rate;
pub mod span;

pub use amount::{Cash, Lots, Ticks};
pub use grid::Grid;
pub use id::{AccountId, CohortId, MarketId, Side};
pub use rate::Rate;
pub use span::Span;
