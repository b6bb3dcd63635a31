//! What leaves a comparison: tables, and the frontier on the terminal.
//!
//! | file | holds |
//! |---|---|
//! | `manifest.json` | which scenario and variants, how many replicates; every file with its hash |
//! | `comparison.parquet` or `.csv` | a row for each metric, market and variant: mean, median, change to the baseline |
//! | `runs.parquet` or `.csv` | a row for each variant, replicate, metric and market |

pub mod tables;
pub mod terminal;
