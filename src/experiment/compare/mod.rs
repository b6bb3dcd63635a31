//! The same crashes under several variants of a scenario: what a rule changes, crash by crash; and, of one variant alone, what
//! an ensemble of its crashes looks like.
//!
//! Variants share seeds and replicates, and draws are keyed, so that a variant's run and the baseline's differ
//! only through the variant (common random numbers). What is compared is therefore the difference within
//! each replicate: its spread is far smaller than that of the runs themselves.
//!
//! | room | what |
//! |---|---|
//! | [`variant`] | a scenario under a name |
//! | [`run`] | the runs, on all threads, replicate by replicate |
//! | [`start`] | what a scenario starts from |
//! | [`until`] | how many replicates are enough |
//! | [`judge`] | from runs to numbers: means, quantiles, paired differences, their intervals, a verdict for each metric |
//! | [`risk`] | the numbers of risk reports: value and liquidations at risk, the frontier, what is recommended |
//!
//! ```
//! use deleverage::experiment::{Comparison, Variant};
//! use deleverage::measure::catalogue as m;
//! use deleverage::scenario::Scenario;
//!
//! # let scenario = Scenario::parse(
//! #     r#"
//! #     length = "2m"
//! #     [market.BTC]
//! #     tick = 1
//! #     lot = 0.001
//! #     price = 100_000
//! #     path.gbm.volatility = 0.8
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
//! let strict = ["margin.base.fixed.maintenance=0.03", "margin.base.fixed.initial=0.08"];
//! let found = Comparison::of("current", scenario.clone())
//!     .variant(Variant::patched("strict", &scenario, strict)?)
//!     .replicates(4)
//!     .finish();
//! assert!(found.failures.is_empty());
//! let judged = found.judge();
//! let asked = judged.cell(&m::INITIAL_MEAN, Some("BTC"), 1).and_then(|cell| cell.change.as_ref());
//! assert!(asked.is_some_and(|change| (change.mean - 0.04).abs() < 1e-9));
//! # Ok::<(), deleverage::scenario::Problems>(())
//! ```
//!
//! # Invariants
//!
//! - `a_variant_that_changes_nothing_changes_no_number`
//! - Points (variant, replicate) are collected in order, so that the number of threads changes nothing.
//! - A point that fails is told, and the others are run.

pub mod judge;
pub mod risk;
pub mod run;
pub mod start;
pub mod until;
pub mod variant;

pub use judge::{Cell, Change, Estimate, Judged, Row, Verdict};
pub use risk::{FrontierPoint, Recommendation, Risk, Role};
pub use run::{Compared, Comparison, Failed, Watch};
pub use start::Start;
pub use until::{Until, Which};
pub use variant::Variant;
