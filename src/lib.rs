//! Agent-based simulator of liquidation cascades and margin spirals.

pub mod account;
pub mod backtest;
pub mod chart;
pub mod cli;
pub mod engine;
pub mod experiment;
pub mod liquidation;
pub mod margin;
pub mod market;
pub mod math;
pub mod measure;
pub mod output;
pub mod path;
pub mod scenario;
pub mod trader;
pub mod unit;
