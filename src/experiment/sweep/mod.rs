//! One scenario over many settings: a plan of points, each of them run so many times.
//!
//! | room | what |
//! |---|---|
//! | [`axis`] | one setting and the values that it takes |
//! | [`design`] | which values meet at which point: grid, Latin hypercube, Sobol' sequence |
//! | [`plan`] | all that a sweep is, before anything runs; the settings and the seed of every point |
//! | [`shard`] | which points are whose |
//! | [`run`] | the runs, on all threads, point by point |
//!
//! # Invariants
//!
//! - A plan never changes: points are numbered, and a point's settings follow from its number.
//! - `seeds_follow_from_the_settings_alone`: the draws of a run follow from the sweep's seed, the point's settings and
//!   the replicate; neither the point's number, nor the shard, nor the other values of an axis have a say.
//! - `few_points_are_in_flight`: at most one point a thread is in memory; one that is whole is handed over and let go.

pub mod axis;
pub mod design;
pub mod plan;
pub mod run;
pub mod shard;

pub use axis::{Axis, Values};
pub use design::Design;
pub use plan::{Plan, PlanError, Point};
pub use run::{Ended, Outcome, PointFailure, PointRuns, Sweep, Watch};
pub use shard::Shard;
