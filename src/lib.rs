//! Agent-based simulator of liquidation cascades and margin spirals.

pub mod chart;
pub mod market;
pub mod math;
pub mod unit;
