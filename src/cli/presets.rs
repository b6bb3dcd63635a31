//! `deleverage presets`.

use super::{Failure, print};
use crate::scenario::preset::{self, Summary};
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The preset to print as TOML; a table of all where left out.
    name: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.name {
        None => print(&table()),
        Some(name) => match preset::find(name) {
            Some(preset) => print(preset.text),
            None => {
                let names: Vec<&str> = preset::all().iter().map(|preset| preset.name).collect();
                Err(Failure::Input(format!(
                    "there is no preset \"{name}\"; the presets are {}",
                    names.join(", ")
                )))
            }
        },
    }
}

fn table() -> String {
    let summaries: Vec<Summary> = preset::all().iter().map(preset::Preset::summary).collect();
    let width = |cell: fn(&Summary) -> usize, title: &str| {
        let widest = summaries.iter().map(cell).max().unwrap_or(0);
        widest.max(title.len())
    };
    let name = width(|summary| summary.name.len(), "preset");
    let markets = width(|summary| summary.markets.join(", ").len(), "markets");
    let mut text = format!(
        "{:name$}  {:10}  {:8}  {:markets$}  source\n",
        "preset", "as of", "verified", "markets"
    );
    for summary in &summaries {
        let verified = if summary.verified { "yes" } else { "in part" };
        let _ = writeln!(
            text,
            "{:name$}  {:10}  {:8}  {:markets$}  {}",
            summary.name,
            summary.as_of,
            verified,
            summary.markets.join(", "),
            summary.source
        );
    }
    text
}
