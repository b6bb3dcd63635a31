//! What leaves a comparison or an ensemble: one file with everything, tables, a page for a forum, charts, the worst runs.
//!
//! | file | holds |
//! |---|---|
//! | `manifest.json` | which scenario and variants, how many replicates; every file with its hash |
//! | `comparison.json` | everything that it says, to be read by programs: [`record::ComparisonFile`]; `ensemble.json` of one variant alone |
//! | `comparison.md` | the same for a governance forum: recommendation, inputs, results, differences |
//! | `comparison.parquet` or `.csv` | a row for each metric, market and variant: mean, quantiles, change to the baseline, their intervals, verdict |
//! | `runs.parquet` or `.csv` | a row for each variant, replicate, metric and market |
//! | `variants/*.json` | each variant's scenario, fully resolved: what a replay starts from |
//! | `charts/*.svg`, `*.png` | the frontier, and the differences with their intervals |
//! | `worst/*/` | the worst runs of each variant, whole, with their events |

pub mod markdown;
pub mod pictures;
pub mod record;
pub mod tables;
pub mod terminal;

pub use record::ComparisonFile;
