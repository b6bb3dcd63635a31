//! The command line: words typed by a person, and how a command ends.
//!
//! # Exit codes
//!
//! 0 done, 1 a check failed, 2 bad input, 3 incomplete, 70 our fault or a file that can't be written, 75 a sweep that was
//! interrupted, or met a disk that was full or away, and can go on, 130 a run that was interrupted.

mod backtest;
mod chart;
mod check;
mod compare;
mod crashes;
mod ensemble;
mod facts;
mod merge;
mod new;
mod presets;
mod report;
mod run;
mod schema;
mod status;
mod sweep;
mod verify;

use crate::scenario::{Document, Problems, Scenario};
use clap::{Parser, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Agent-based simulator of liquidation cascades and margin spirals.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a scenario, prints what happened, and writes tables, charts and a manifest.
    Run(Box<run::Arguments>),
    /// Runs the same crashes under several margin rules, policies or settings: what each costs, and what it buys.
    Compare(Box<compare::Arguments>),
    /// Runs a scenario many times: how its crashes scatter, and what the worst are like.
    Ensemble(Box<ensemble::Arguments>),
    /// Runs a scenario over many settings: a grid, or points spread over ranges.
    Sweep(Box<sweep::Arguments>),
    /// Puts the shards of a sweep together: the same bytes as in one go.
    Merge(merge::Arguments),
    /// Tells how far a sweep is: points done, failed and missing. Exits with 3 where any are.
    Status(status::Arguments),
    /// Judges margin rules by price histories, without traders: coverage, shortfall, procyclicality.
    Backtest(Box<backtest::Arguments>),
    /// Makes one page of a run, a comparison or a sweep: numbers, charts, tables, and how to make it again.
    Report(report::Arguments),
    /// Draws one chart of a run, a comparison or a sweep anew, in any size: SVG or PNG.
    Chart(chart::Arguments),
    /// Measures the stylised facts of a run, against the ranges in which markets lie.
    Facts(facts::Arguments),
    /// Checks the engine against theory: closed forms and published numbers, expected against got.
    Verify(verify::Arguments),
    /// Tells every problem of a scenario at once, with line, what was found, what was expected, and the fix.
    Check(check::Arguments),
    /// Lists the venue presets with their date and source, or prints one as TOML.
    Presets(presets::Arguments),
    /// Writes a commented scenario to start from.
    New(new::Arguments),
    /// Prints the JSON Schema of scenarios, for completion in editors.
    Schema,
}

/// A scenario file, and what is changed in it.
#[derive(Debug, clap::Args)]
struct Config {
    /// Scenario file (TOML), or the manifest of a run (JSON).
    config: PathBuf,
    /// Changes one setting; may be repeated. Lists count from 0: `shock.0.size=-0.2`.
    #[arg(long = "set", value_name = "PATH.TO.KEY=VALUE")]
    set: Vec<String>,
}

impl Config {
    fn load(&self) -> Result<Scenario, Problems> {
        let mut document = Document::open(Path::new(&self.config))?;
        for patch in &self.set {
            document.patch(patch);
        }
        document.read()
    }
}

/// How a command fails.
#[derive(Debug)]
enum Failure {
    /// The user's scenario is wrong.
    Scenario(Problems),
    /// Something else that was typed is wrong.
    Input(String),
    /// Standard output could not be written.
    Output(io::Error),
    /// A file could not be written.
    Outside(String),
    /// A part of what was asked for is not there.
    Incomplete(String),
    /// It was interrupted and can go on.
    Interrupted(String),
    /// It was interrupted, and what there was is written.
    Stopped(String),
    /// The engine breached an invariant.
    Ours(String),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Scenario(problems)
    }
}
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Exit code for bad input.
const BAD_INPUT: u8 = 2;
/// Exit code where something is missing.
const INCOMPLETE: u8 = 3;
/// Exit code of what was interrupted and can go on: schedulers take it for "once more".
const AGAIN: u8 = 75;
/// Exit code of what was interrupted and wrote what there was.
const STOPPED: u8 = 130;
/// Exit code where the outside fails, or we do.
const OUTSIDE: u8 = 70;

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Ensemble(arguments) => ensemble::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Chart(arguments) => chart::run(&arguments),
        Command::Facts(arguments) => facts::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Presets(arguments) => presets::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Schema => schema::run(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => end(failure),
    }
}

fn end(failure: Failure) -> ExitCode {
    let (text, code) = match failure {
        Failure::Scenario(problems) => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            (problems.render(colours), BAD_INPUT)
        }
        Failure::Input(message) => (format!("error: {message}"), BAD_INPUT),
        Failure::Incomplete(message) => (format!("error: {message}"), INCOMPLETE),
        Failure::Interrupted(message) => (message, AGAIN),
        Failure::Stopped(message) => (message, STOPPED),
        Failure::Outside(message) | Failure::Ours(message) => {
            (format!("error: {message}"), OUTSIDE)
        }
        // Whoever reads has seen enough.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Failure::Output(error) => (format!("error: cannot write: {error}"), OUTSIDE),
    };
    // Where even this cannot be written, the exit code has to do.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}

/// Writes a text to standard output at once.
fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
