//! `deleverage compare`: the same crashes under several margin rules.

use super::run::{TableFormat, model};
use super::{Config, Failure};
use crate::backtest::RuleFile;
use crate::experiment::compare::CompareError;
use crate::experiment::{Compared, Comparison, RunError, Variant};
use crate::output::compare::{tables, terminal};
use crate::output::terminal::Style;
use crate::output::{Directory, Manifest, Provenance, Status};
use crate::scenario::Scenario;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is typed after `compare`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
    /// Rule file: the content of a scenario's `[margin]` table; may be repeated. The first is the baseline; where
    /// there is one alone, the scenario's own margin is.
    #[arg(long = "rule", value_name = "FILE", required = true)]
    rules: Vec<PathBuf>,
    /// How many crashes: each has its own draws, the same under every rule.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..))]
    replicates: u64,
    /// Seed of all random numbers, in place of the scenario's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Directory to write to; `outputs/compare-<scenario>-<seed>` where left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// Prints nothing but errors.
    #[arg(long, short)]
    quiet: bool,
    /// Writes over another run's directory.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut scenario = arguments.config.load()?;
    if let Some(seed) = arguments.seed {
        scenario = scenario.with_seed(seed);
    }
    let variants = variants(&scenario, &arguments.rules)?;
    let record = record(&variants, arguments.replicates);
    let name = format!("compare-{}", scenario.name);
    let provenance = Provenance::new(&name, &record, scenario.seed, scenario.replicate);
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new("outputs").join(format!("{name}-{}", scenario.seed)));
    let mut directory = Directory::create(&path, &provenance, arguments.force)
        .map_err(|error| Failure::Input(error.to_string()))?;
    let compared = watch(&variants, arguments)?;
    let metadata = [
        ("deleverage.version".to_owned(), provenance.version.clone()),
        ("deleverage.comparison".to_owned(), provenance.name.clone()),
        (
            "deleverage.settings_sha256".to_owned(),
            provenance.scenario_sha256.clone(),
        ),
    ];
    tables::save(
        &compared,
        &metadata,
        arguments.format.into(),
        &mut directory,
    )
    .and_then(|()| {
        let mut manifest = Manifest::new(&provenance, record, model(&scenario), Status::Complete);
        manifest.units = tables::units();
        directory.finish(manifest)
    })
    .map_err(|error| Failure::Outside(error.to_string()))?;
    if !arguments.quiet {
        let mut out = io::stdout().lock();
        let title = scenario.title.as_deref().unwrap_or(&scenario.name);
        writeln!(out, "{title}")?;
        writeln!(
            out,
            "{} replicates from {} on · seed {}\n",
            arguments.replicates, scenario.replicate, scenario.seed
        )?;
        let style = Style::for_stdout(super::run::CURRENCY);
        write!(out, "{}", terminal::table(&compared, &style))?;
        writeln!(out, "\nwritten to {}", path.display())?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The scenario under each rule; all that is wrong with any is told at once.
fn variants(scenario: &Scenario, paths: &[PathBuf]) -> Result<Vec<Variant>, Failure> {
    let mut variants = Vec::new();
    if paths.len() == 1 {
        variants.push(Variant::new("scenario", scenario.clone()));
    }
    let mut wrong = Vec::new();
    for path in paths {
        match RuleFile::load(path) {
            Ok(rule) if variants.iter().any(|v: &Variant| v.name == rule.name) => {
                wrong.push(format!("two variants are named {}", rule.name));
            }
            Ok(rule) => variants.push(Variant::ruled(rule.name, scenario, &rule.settings)),
            Err(problem) => wrong.push(problem),
        }
    }
    if wrong.is_empty() {
        Ok(variants)
    } else {
        Err(Failure::Input(wrong.join("\n")))
    }
}

/// What was compared, for the manifest.
fn record(variants: &[Variant], replicates: u64) -> Value {
    let resolved: serde_json::Map<String, Value> = variants
        .iter()
        .map(|variant| (variant.name.clone(), variant.scenario.to_json()))
        .collect();
    let names: Vec<&str> = variants.iter().map(|v| v.name.as_str()).collect();
    json!({ "compare": { "variants": resolved, "order": names, "replicates": replicates } })
}

/// Makes the runs with a bar on a terminal.
fn watch(variants: &[Variant], arguments: &Arguments) -> Result<Compared, Failure> {
    let done = AtomicU64::new(0);
    let comparison = Comparison::new(variants)
        .replicates(arguments.replicates)
        .counted(&done);
    let shown = io::stderr().is_terminal() && !arguments.quiet;
    let bar = if shown {
        let bar = ProgressBar::new(comparison.points());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:32} {pos}/{len} runs with twins · {eta} left")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar
    } else {
        ProgressBar::hidden()
    };
    let found = std::thread::scope(|scope| {
        let worker = scope.spawn(move || comparison.finish());
        while !worker.is_finished() {
            bar.set_position(done.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(if shown { 50 } else { 2 }));
        }
        bar.finish_and_clear();
        worker.join()
    });
    match found {
        Ok(found) => found.map_err(|error| failure(error, arguments)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn failure(error: CompareError, arguments: &Arguments) -> Failure {
    let CompareError {
        variant,
        replicate,
        source,
    } = error;
    match *source {
        RunError::Scenario(problems) => Failure::Scenario(problems),
        RunError::Engine(fault) => Failure::Ours(format!(
            "{fault}\nthis is a defect of deleverage; it replays with: deleverage run {} --seed {} --set replicate={} --audit, under the rule {}",
            arguments.config.config.display(),
            fault.seed,
            replicate,
            variant
        )),
    }
}
