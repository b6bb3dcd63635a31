//! Agent-based simulator of liquidation cascades and margin spirals.

pub mod market;
pub mod math;
pub mod path;
pub mod scenario;
pub mod unit;
