//! Liquidation: which orders are forced, and who pays what they leave unpaid.
//!
//! A [`LiquidationPolicy`] turns breached accounts into forced orders, or into an [`offer`] to a [`keeper`]; it never touches the
//! ledger. The [`waterfall`] pays deficits: account equity, insurance fund, backstop, auto-deleveraging, socialised
//! loss, and what nobody fills stays on the account as uncovered.

pub mod auction;
pub mod keeper;
pub mod offer;
pub mod policy;
pub mod settings;
pub mod waterfall;

pub use keeper::KeeperSettings;
pub use offer::Offer;
pub use policy::{Case, Forced, LiquidationPolicy, PolicySettings, PolicyView, Terms};
pub use settings::{AdlSettings, CollateralOrder, FundSettings, LiquidationSettings};
