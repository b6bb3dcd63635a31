//! The world and its step: nine phases in a fixed order, events, observers, audit.

pub mod event;
pub mod observer;
pub mod setup;

pub use event::{Event, EventKind};
pub use observer::{MarketRow, Observer, StepRow, WorldRow};
pub use setup::{CohortSetup, LiquidationSetup, MarketSetup, Rounds, Setup};
