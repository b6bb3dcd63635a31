//! What leaves the process as data: tables, summary, manifest, and the directory that holds them.
//!
//! Nothing here writes a wall-clock time or a machine's name, so that a rerun gives the same bytes.
//!
//! | file | holds |
//! |---|---|
//! | `manifest.json` | what was run and under which settings; every file with its hash |
//! | `summary.json` | every metric with its unit and direction |
//! | `steps.parquet` or `.csv` | a row for each step and market |
//! | `twin.parquet` or `.csv` | the same of the twin, where there is one |
//! | `events.parquet` or `.csv` | a row for each event |
//! | `margin.parquet` or `.csv` | a row for each change of what a part of a margin rule asks |
//! | `ladder.parquet` or `.csv` | depth against forced orders by distance from the mid, at two moments of each market |
//! | `liquidations.parquet` or `.csv` | a row for each liquidation, with the shares of its causes |
//! | `causes.parquet` or `.csv` | a row for each liquidation that another caused in part |
//! | `windows.parquet` or `.csv` | a row for each minute, market and direction with liquidations: R foreseen and realised |
//! | `waiting.parquet` or `.csv` | what waits to be liquidated by distance from the mark, from time to time |
//! | `genealogy.json` | largest trees, calibration of R, laws of sizes, positions that the book can close |
//! | `genealogy.dot`, `.graphml` | the graph for other programs, where asked for |

pub mod backtest;
pub mod bearers;
pub mod compare;
mod csv;
pub mod directory;
pub mod events;
pub mod exhibit;
pub mod factor;
pub mod facts;
pub mod frame;
pub mod genealogy;
pub mod human;
pub mod intervention;
pub mod ladder;
pub mod manifest;
pub mod margin;
pub mod options;
#[cfg(feature = "parquet")]
mod parquet;
pub mod pictures;
pub mod steps;
pub mod sweep;
pub mod table;
pub mod terminal;
pub mod verify;
pub mod waiting;
mod when;
pub mod why;

pub use directory::{Directory, OutputError, replace_file};
pub use manifest::{Manifest, MarketModel, ModelSettings, Provenance, Status};
pub use table::{Format, Table};
