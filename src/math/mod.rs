//! Keyed randomness and the little mathematics that results hinge on, the same bits everywhere.

pub mod bootstrap;
pub mod draws;
pub mod estimate;
pub mod linear;
pub mod ops;
pub mod quantile;
pub mod sample;
pub mod series;

pub use bootstrap::{Bootstrap, Interval};
pub use draws::{Draws, Part, Purpose, Stream};
