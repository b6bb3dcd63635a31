//! `deleverage merge`: the shards of a sweep, put together.

use super::Failure;
use super::run::{CURRENCY, TableFormat};
use crate::output::sweep::{Shown, Store, merge, terminal};
use crate::output::terminal::Style;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is typed after `merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directories of one sweep's shards. One alone is put together in place.
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,
    /// Directory to write to.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Writes the tables of the points that there are, though others are missing.
    #[arg(long)]
    partial: bool,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// What is drawn, as for `deleverage sweep`.
    #[arg(long = "chart", value_name = "METRIC[>=VALUE]")]
    charts: Vec<Shown>,
    /// Prints nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let out = match (&arguments.out, arguments.shards.as_slice()) {
        (Some(out), _) => out,
        (None, [one]) => one,
        (None, _) => {
            let message = "several shards need a directory to be put together in: --out DIR";
            return Err(Failure::Input(message.to_owned()));
        }
    };
    let format = arguments.format.into();
    let first = Store::open(&arguments.shards[0])?;
    let charts = super::sweep::charts(&arguments.charts, &first.plan().sweep)?;
    let store = merge::merge(&arguments.shards, out, arguments.partial, format, &charts)?;
    if !arguments.quiet {
        let layout = store.plan().sweep.layout();
        let table = terminal::table(&store, &layout, &Style::for_stdout(CURRENCY))?;
        let mut stdout = io::stdout().lock();
        if !table.is_empty() {
            write!(stdout, "{table}")?;
        }
        writeln!(stdout, "{}", terminal::agreement(&store, &layout, &charts)?)?;
        writeln!(stdout, "written to {}", out.display())?;
        stdout.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}
