//! `deleverage verify`: the theory that the engine must meet.

use super::Failure;
use super::run::CURRENCY;
use crate::output::terminal::Style;
use crate::output::verify::{self as shown, Checked};
use crate::verify::{Budget, FAMILIES, Family, family};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What is typed after `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Checks this family alone; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Prints JSON in place of the table.
    #[arg(long)]
    json: bool,
    /// Directory for the table, the JSON and a chart of each family.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Shows what each line stands on: runs, bands, what was left out.
    #[arg(long)]
    notes: bool,
    /// Lists the families and checks nothing.
    #[arg(long)]
    list: bool,
    /// Fewer runs and wider bands: seconds in place of minutes.
    #[arg(long)]
    quick: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.list {
        return list();
    }
    let families = picked(&arguments.only)?;
    let checked = watch(&families, arguments.quick)?;
    if let Some(out) = &arguments.out {
        let pictures = shown::draw(&checked).map_err(|error| Failure::Ours(error.to_string()))?;
        shown::save(&checked, &pictures, out)
            .map_err(|error| Failure::Outside(error.to_string()))?;
    }
    let mut stdout = io::stdout().lock();
    if arguments.json {
        writeln!(stdout, "{:#}", shown::json(&checked))?;
    } else {
        let style = Style::for_stdout(CURRENCY);
        write!(
            stdout,
            "{}",
            shown::table(&checked, arguments.notes, &style)
        )?;
        if let Some(out) = &arguments.out {
            writeln!(stdout, "written to {}", out.display())?;
        }
    }
    stdout.flush()?;
    let (met, all) = shown::count(&checked);
    Ok(ExitCode::from(u8::from(met < all)))
}

fn list() -> Result<ExitCode, Failure> {
    let mut text = String::new();
    for family in FAMILIES {
        text.push_str(&format!(
            "{:<22} {:<7} {}\n",
            family.name,
            family.ground.name(),
            family.title
        ));
    }
    super::print(&text)
}

/// The families of these names, all where there is none.
fn picked(names: &[String]) -> Result<Vec<&'static Family>, Failure> {
    if names.is_empty() {
        return Ok(FAMILIES.iter().collect());
    }
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| family(name).is_none())
        .collect();
    if unknown.is_empty() {
        return Ok(names.iter().filter_map(|name| family(name)).collect());
    }
    let known: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    Err(Failure::Input(format!(
        "there is no family {}; expected one of {}",
        unknown.join(", "),
        known.join(", ")
    )))
}

/// Checks them with a bar on a terminal.
fn watch(families: &[&'static Family], quick: bool) -> Result<Vec<Checked>, Failure> {
    let bar = if io::stderr().is_terminal() {
        let bar = ProgressBar::new(families.len() as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:32} {pos}/{len} families · {elapsed} · {msg}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    } else {
        ProgressBar::hidden()
    };
    let budget = Budget { quick };
    let mut checked = Vec::new();
    for family in families {
        bar.set_message(family.name);
        let found = (family.run)(&budget)
            .map_err(|error| Failure::Ours(format!("{}: {error}", family.name)))?;
        checked.push((*family, found));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(checked)
}
