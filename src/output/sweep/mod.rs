//! What leaves a sweep: a plan, a file for each point, and the tables made from those files.
//!
//! | file | holds |
//! |---|---|
//! | `plan.json` | what is varied, how often, under which seed; the scenario before anything is varied. Never changes |
//! | `points/000042.json` | settings, seed and every metric of every run of point 42 |
//! | `points/000042.failed.json` | why point 42 failed, and the command that replays it |
//! | `points.parquet` or `.csv` | a row for each point: settings, seed, hash of its scenario |
//! | `sweep.parquet` or `.csv` | a row for each point, metric and market: mean, its error, quantiles over the replicates |
//! | `runs.parquet` or `.csv` | a row for each point, replicate, metric and market |
//! | `charts/*.svg`, `*.png` | of a grid of one setting a curve with its band, of two a heat map |
//! | `manifest.json` | every table with its hash; written last |
//!
//! # Invariants
//!
//! - `killed_and_resumed_it_is_the_same`: tables are made from the points' files alone, in the order of the points, so that
//!   neither an interruption, nor shards, nor threads leave a trace in them.
//! - A point's file is written under a temporary name and renamed: there is none, or it is whole.

pub mod merge;
pub mod pictures;
pub mod record;
pub mod store;
pub mod tables;
pub mod terminal;

pub use merge::{MergeError, merge};
pub use pictures::Shown;
pub use record::{FailedFile, PlanFile, PointFile};
pub use store::{Store, StoreError};
