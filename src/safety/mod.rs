//! Fail-safes and faults: what may hold trade and liquidation back, and what may break.
//!
//! A fail-safe is a small state machine that is shown prices and says what to do; a fault is a stretch of
//! steps in which something does not work. Neither knows an account or touches the ledger: the engine asks
//! them at fixed points of its step and acts.
//!
//! | room | what |
//! |---|---|
//! | [`breaker`] | circuit breaker: a move within a window halts trade |
//! | [`collar`] | price bands, and the pause after standing at one (limit-up/limit-down) |
//! | [`oracle_guard`] | prints that are stale or strange are not margin's |
//! | [`pacing`] | pause of auto-deleveraging, throttle of forced orders, kill switch |
//! | [`auction`] | the price of a call auction that ends a halt |
//! | [`fault`] | what breaks, when and how |
//!
//! # Consequences
//!
//! - A halt stops matching, not time: the outside price goes on, funding falls due, margin is called.
//!   Orders that arrive wait for the reopening; nobody is liquidated while the orders can't be sent.
//! - Where nothing refills the book and nobody pays in during a halt, a halt moves the fall to a later time
//!   and makes it no smaller: that is a test.

pub mod auction;
pub mod breaker;
pub mod collar;
pub mod fault;
pub mod oracle_guard;
pub mod pacing;
pub mod settings;

pub use breaker::{Breaker, BreakerSettings};
pub use collar::{Collar, CollarSettings};
pub use fault::{Effects, FaultKind, FaultSettings, Faults, Outage};
pub use oracle_guard::{Judgement, OracleGuard, OracleGuardSettings};
pub use pacing::{AdlPause, AdlPauseSettings, KillSettings, ThrottleSettings};
pub use settings::{SafetySettings, SafetySetup};
