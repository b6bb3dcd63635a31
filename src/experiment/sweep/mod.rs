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
//! ```
//! use deleverage::experiment::sweep::{Axis, Outcome, Plan, Sweep};
//! use deleverage::scenario::Scenario;
//! use std::sync::Mutex;
//!
//! # let scenario = Scenario::parse(
//! #     r#"
//! #     length = "2m"
//! #     [market.BTC]
//! #     tick = 1
//! #     lot = 0.001
//! #     price = 100_000
//! #     path.constant = {}
//! #     venue.book = { depth.flat.lots_per_tick = 10, resilience = "30s" }
//! #     [[shock]]
//! #     at = "30s"
//! #     size = -0.06
//! #     duration = "30s"
//! #     [margin]
//! #     base.fixed = { maintenance = 0.02, initial = 0.04 }
//! #     [cohort.retail]
//! #     count = 50
//! #     capital.lognormal = { median = 1000, sigma = 1.5 }
//! #     leverage = { uniform = { min = 5, max = 20 } }
//! #     "#,
//! # )?;
//! let plan = Plan::grid(vec![Axis::list("shock.0.size", [-0.02, -0.1])], 1)?.replicates(0, 2);
//! let found = Mutex::new(Vec::new());
//! Sweep::new(&scenario, &plan).run(&[0, 1], |outcome| {
//!     if let Outcome::Done(done) = outcome {
//!         let fall = done.runs[0].value("drawdown", Some("BTC"));
//!         found.lock().map_err(|_| "a thread died")?.push((done.point.id, fall));
//!     }
//!     Ok::<(), &str>(())
//! })?;
//! let mut found = found.into_inner()?;
//! found.sort_by_key(|(point, _)| *point);
//! assert!(found[0].1 < found[1].1, "a deeper shock, a deeper fall");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - A plan never changes: points are numbered, and a point's settings follow from its number.
//! - `seeds_follow_from_the_settings_alone`: the draws of a run follow from the sweep's seed, the point's settings and
//!   the replicate; neither the point's number, nor the shard, nor the other values of an axis have a say.
//! - `few_points_are_in_flight`: at most one point a thread is made; one that is whole is handed over, and few wait to be kept.

pub mod axis;
pub mod design;
pub mod plan;
pub mod run;
pub mod shard;

pub use axis::{Axis, Values};
pub use design::Design;
pub use plan::{Plan, PlanError, Point};
pub use run::{Ended, Outcome, PointFailure, PointRuns, Sweep, Watch};
pub use shard::{Asked, Shard};
