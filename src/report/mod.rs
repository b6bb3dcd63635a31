//! One page that tells what a directory of results holds: numbers, charts, tables, and how to make it again.
//!
//! The page is one file that loads nothing: style, script, letters and drawings stand in it. Without its script everything is
//! there to read; the script sorts tables and tells the numbers under the pointer. It has a light and a dark look, and prints.
//!
//! A page is a list of sections, and a section a list of blocks ([`page`](mod@page)); what a run, a comparison and a sweep put there
//! is a file each. Every chart that [`Source::exhibits`] knows is drawn twice, for wide and for narrow screens; other drawings
//! that lie in `charts/` are shown as they are.
//!
//! # Invariants
//! - `a_page_loads_nothing_and_stays_small`: no address in it leads out, and it has less than 5 MB.
//! - `numbers_on_the_page_are_those_of_the_summary`: every number that is shown carries its value to the last digit.
//! - Nothing in it names a time of day or a machine: the same directory gives the same page.

mod comparison;
mod figures;
mod metrics;
pub mod page;
mod run;
mod settings;
mod sweep;
mod unmodelled;

use crate::output::directory::REPORT;
use crate::output::exhibit::{Holds, Source, SourceError};
use crate::output::frame::FrameError;
use crate::output::replace_file;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why a directory has no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// What is to be told can't be read or drawn.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A table can't be read.
    #[error(transparent)]
    Table(#[from] FrameError),
    /// A file of the directory isn't what it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The directory holds something else.
    #[error(
        "{} holds neither a run nor a comparison nor a sweep: a report is made of one of these", .0.display()
    )]
    Other(PathBuf),
    /// The template failed.
    #[error("the page could not be put together: {0}")]
    Template(#[from] minijinja::Error),
}

/// The page of a directory.
///
/// # Errors
///
/// [`ReportError`].
pub fn page(source: &Source) -> Result<String, ReportError> {
    let page = match source.holds {
        Holds::Run => run::page(source)?,
        Holds::Comparison => comparison::page(source)?,
        Holds::Sweep => sweep::page(source)?,
        Holds::Other => return Err(ReportError::Other(source.path().to_owned())),
    };
    Ok(page.render()?)
}

/// Writes the page into its directory, or elsewhere; gives where it is.
///
/// # Errors
///
/// [`ReportError`].
pub fn write(source: &Source, out: Option<&Path>) -> Result<PathBuf, ReportError> {
    let text = page(source)?;
    let path = out.map_or_else(|| source.path().join(REPORT), Path::to_owned);
    replace_file(&path, |file| file.write_all(text.as_bytes())).map_err(SourceError::from)?;
    Ok(path)
}

/// Reads a file of JSON.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    let malformed = |problem: String| ReportError::Malformed {
        path: path.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(path).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))
}
