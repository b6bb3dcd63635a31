//! Agent-based simulator of liquidation cascades and margin spirals.

pub mod account;
pub mod cli;
pub mod engine;
pub mod liquidation;
pub mod margin;
pub mod market;
pub mod math;
pub mod path;
pub mod scenario;
pub mod trader;
pub mod unit;
