//! From TOML to a world: the only floor that knows every part by name.
//!
//! | room | what |
//! |---|---|
//! | [`settings`] | the typed [`Scenario`] |
//! | [`document`] | a scenario as written: text, `extends`, patches |
//! | [`problem`] | what is wrong, with its line, all at once |
//! | [`manifest`] | in and out: load, parse, set, write, hash |
//! | [`build`] | from a scenario to an [`crate::engine::Setup`] |
//! | [`inputs`] | a user's own files in place of a scenario's parts |
//! | [`preset`] | venues' rules by date |
//! | [`rule`] | margin rules in files of their own |
//! | [`policy`] | liquidation policies by name, or in files of their own |
//! | [`difference`] | in which settings two scenarios differ |
//! | [`schema`] | JSON Schema, for editors |
//! | [`load`] | files of prices, depth and positions |
//!
//! ```
//! use deleverage::scenario::{Mode, Scenario};
//!
//! let scenario = Scenario::parse(
//!     r#"
//!     length = "1m"
//!     [market.BTC]
//!     tick = 1
//!     lot = 0.001
//!     price = 100000
//!     path.gbm.volatility = 0.6
//!     venue.book = { depth.flat.lots_per_tick = 10, resilience = "30s" }
//!     [margin]
//!     base.fixed = { maintenance = 0.02, initial = 0.04 }
//!     [cohort.retail]
//!     count = 100
//!     capital.lognormal = { median = 1000, sigma = 1.5 }
//!     leverage = 10
//!     "#,
//! )?;
//! let (setup, _) = scenario.with_seed(7).setup(0, Mode::Run)?;
//! assert_eq!(setup.steps, 60);
//! # Ok::<(), deleverage::scenario::Problems>(())
//! ```
//!
//! # Invariants
//!
//! - `written_out_and_read_again_it_is_the_same_scenario`
//! - `what_passes_the_check_can_be_built`

pub mod build;
mod check;
pub mod difference;
pub mod document;
pub mod ensemble;
pub mod inputs;
pub mod load;
pub mod manifest;
pub mod option;
pub mod policy;
pub mod preset;
pub mod problem;
mod read;
pub mod rule;
pub mod schema;
pub mod settings;
mod tree;

pub use build::{Mode, Opening, Prepared, in_mode};
pub use difference::Difference;
pub use document::Document;
pub use ensemble::EnsembleSettings;
pub use inputs::{Input, Inputs};
pub use manifest::digest;
pub use problem::{Problem, Problems};
pub use settings::{MarketSettings, Scenario, VenueSettings};
pub use tree::Place;

/// The longest run, in steps.
pub const MOST_STEPS: u32 = 50_000_000;

/// The most accounts that cohorts may have together.
pub const MOST_ACCOUNTS: u64 = 100_000_000;
