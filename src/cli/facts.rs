//! `deleverage facts`: the stylised facts of a run, against the ranges in which markets lie.

use super::Failure;
use super::run::CURRENCY;
use crate::measure::facts::score;
use crate::output::facts as shown;
use crate::output::terminal::Style;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is typed after `facts`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory that `deleverage run` wrote.
    #[arg(value_name = "RUN_DIR")]
    directory: PathBuf,
    /// Shows this market alone.
    #[arg(long, value_name = "NAME")]
    market: Option<String>,
    /// Prints JSON in place of the table.
    #[arg(long)]
    json: bool,
    /// Says what is measured, and where each range is from.
    #[arg(long)]
    sources: bool,
    /// Resamples for each interval.
    #[arg(long, value_name = "N", default_value_t = 100)]
    resamples: u32,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut tapes =
        shown::tapes(&arguments.directory).map_err(|error| Failure::Input(error.to_string()))?;
    if let Some(market) = &arguments.market {
        let known: Vec<String> = tapes.iter().map(|(name, _)| name.clone()).collect();
        tapes.retain(|(name, _)| name == market);
        if tapes.is_empty() {
            return Err(Failure::Input(format!(
                "there is no market {market} in {}; expected {}",
                arguments.directory.display(),
                known.join(" or ")
            )));
        }
    }
    let style = Style::for_stdout(CURRENCY);
    let mut text = String::new();
    let mut printed = Vec::new();
    for (place, (name, tape)) in tapes.iter().enumerate() {
        let scored = score(tape, arguments.resamples as usize);
        printed.push(shown::json(name, &scored));
        if place > 0 {
            text.push('\n');
        }
        text.push_str(&shown::table(name, tape, &scored, &style));
        if arguments.sources && place + 1 == tapes.len() {
            text.push('\n');
            text.push_str(&shown::legend(&scored));
        }
    }
    if arguments.json {
        text = format!("{:#}\n", serde_json::Value::Array(printed));
    }
    super::print(&text)
}
