//! What leaves a backtest: tables, charts, and the table on the terminal.
//!
//! | file | holds |
//! |---|---|
//! | `manifest.json` | which files and rules, under which settings; every file with its hash |
//! | `judgements.parquet` or `.csv` | a row for each market, rule, part of the history and side |
//! | `margins.parquet` or `.csv` | a row for each market, rule and judged bar |
//! | `charts/coverage-…` | margins against losses, a chart for each market and rule |

mod pictures;
pub mod tables;
pub mod terminal;

pub use pictures::draw;
