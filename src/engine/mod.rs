//! The world and its step: nine phases in a fixed order, events, observers, audit.
//!
//! [`step`] names the phases and their consequence; each phase's verb lives in a room of its own.

mod access;
mod auctions;
mod backstop;
pub mod channel;
mod decide;
mod desk;
mod environment;
pub mod event;
mod keepers;
mod matching;
mod observe;
pub mod observer;
pub mod option_shot;
mod option_watch;
pub mod options;
pub mod reach;
mod safety;
mod settlement;
pub mod setup;
pub mod step;
pub mod surfaces;
mod survey;
pub mod trace;
pub mod world;

pub use channel::Channel;
pub use event::{Event, EventKind};
pub use observer::{KeeperRow, MarketRow, Observer, StepRow, WorldRow};
pub use option_shot::OptionShot;
pub use options::{DeskSpread, OptionLiquidation, OptionRow, OptionsSetup};
pub use reach::{Reach, Rung};
pub use setup::{
    Adl, CohortSetup, LiquidationSetup, MarketSetup, Rounds, Setup, Socialise, StressSetup,
};
pub use trace::{Breach, BreachLeg, Cause, Check, Impulse, Kernel, Opening, Outflow, TraceRow};
pub use world::{EngineFault, StopReason, World, opening_depth};
