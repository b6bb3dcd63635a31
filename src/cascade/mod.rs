//! Why liquidations happened, and how much one brought about another.
//!
//! The engine writes down what moved prices ([`crate::engine::trace`]); here, once the run is over, every liquidation's crossing
//! is divided among its causes ([`attribution`]), the liquidations become a graph ([`graph`]), and what that says is
//! set against what could be foreseen ([`reproduction`]) and what would have to hold for it to stop ([`design`]).

pub mod attribution;
pub mod cause;
mod course;
pub mod design;
pub mod export;
pub mod graph;
mod replay;
pub mod reproduction;
pub mod summary;
pub mod tail;
mod window;

pub use attribution::{Attributed, attribute};
pub use cause::{Outer, Shares, WHOLE};
pub use graph::{Genealogy, Liquidation, Tree};
pub use summary::metrics;
