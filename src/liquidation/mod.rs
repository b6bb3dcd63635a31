//! Liquidation: which orders are forced, and who pays what they leave unpaid.
//!
//! A [`LiquidationPolicy`] turns breached accounts into forced orders; it never touches the
//! ledger. The [`waterfall`] pays deficits: account equity, insurance fund, backstop, auto-deleveraging, socialised
//! loss, and what nobody fills stays on the account as uncovered. An [`auction`] is a
//! price curve so far; nobody bids in it.

pub mod auction;
pub mod policy;
pub mod settings;
pub mod waterfall;

pub use policy::{Case, Forced, LiquidationPolicy, PolicySettings, PolicyView, Terms};
pub use settings::{AdlSettings, CollateralOrder, FundSettings, LiquidationSettings};
