//! `deleverage report`: one page for a directory of results.

use super::Failure;
use super::run::CURRENCY;
use crate::output::exhibit::Source;
use crate::report::{self, ReportError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is typed after `report`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory that a run, a comparison or a sweep was written to.
    dir: PathBuf,
    /// File to write; `report.html` in the directory where left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Opens the page in a browser.
    #[arg(long)]
    open: bool,
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Source(source) => source.into(),
            ReportError::Template(_) => Self::Ours(error.to_string()),
            _ => Self::Input(error.to_string()),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let source = Source::open(&arguments.dir, CURRENCY)?;
    let path = report::write(&source, arguments.out.as_deref())?;
    let mut out = io::stdout().lock();
    writeln!(out, "written to {}", path.display())?;
    out.flush()?;
    if arguments.open
        && let Err(error) = opener::open(&path)
    {
        // The page is there; only nobody shows it.
        return Err(Failure::Outside(format!(
            "{} is written, but no browser could be opened: {error}",
            path.display()
        )));
    }
    Ok(ExitCode::SUCCESS)
}
