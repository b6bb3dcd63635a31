//! What `compare` and `ensemble` share: many crashes, watched, written and told.

use super::Failure;
use super::run::{self, CURRENCY, TableFormat, model};
use super::sweep::{allotted, quoted, threads};
use crate::experiment::compare::{Judged, Start, Until, Watch};
use crate::experiment::{Compared, Comparison, Run, RunError, Variant};
use crate::measure::{Definition, Scope, catalogue};
use crate::output::compare::record::{self, Frame, InputFile, WorstFile};
use crate::output::compare::{ComparisonFile, markdown, pictures, tables, terminal};
use crate::output::terminal::Style;
use crate::output::{Directory, Format, Manifest, Provenance, Status};
use crate::scenario::Scenario;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What may be typed after either.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// How many crashes: each has its own draws, the same under every variant; with `--until` at most so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    replicates: Option<u64>,
    /// Adds crashes until an interval is narrow enough: `ci=METRIC:WIDTH`, of a quantile `ci=METRIC.p95:WIDTH`, of one market
    /// `ci=METRIC@MARKET:WIDTH`. In a comparison it is that of the difference to the baseline.
    #[arg(long, value_name = "ci=METRIC:WIDTH")]
    until: Option<Until>,
    /// Leaves the twins out: about half the time, and no metric that compares with one.
    #[arg(long)]
    no_twin: bool,
    /// By which metric runs are the worst.
    #[arg(long, value_name = "METRIC", default_value = "bad_debt", value_parser = metric)]
    worst_by: &'static Definition,
    /// Which share of each variant's runs is the worst, at least one run: they are run again and kept whole. 0 keeps none.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    keep_worst: f64,
    /// Loss that the value at risk of what is recommended must keep to; the insurance fund where left out.
    #[arg(long, value_name = "AMOUNT")]
    tolerance: Option<f64>,
    /// Seed of all random numbers, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// How many threads; where left out as many as the scheduler or the machine gives.
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// Directory to write to; `outputs/compare-<scenario>-<seed>` or `outputs/ensemble-…` where left out.
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

/// Crashes where nothing is said, and the most that are added where an interval is to be narrow enough.
const USUAL: u64 = 64;
const MOST: u64 = 4_096;

fn metric(name: &str) -> Result<&'static Definition, String> {
    catalogue::definition(name).ok_or_else(|| format!("no metric is called {name}"))
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1".to_owned()),
    }
}

/// Makes the runs of these variants, writes what they say and tells it. The first is the baseline.
pub(super) fn run(variants: Vec<Variant>, options: &Options) -> Result<ExitCode, Failure> {
    let Some(baseline) = variants.first().map(|v| v.scenario.clone()) else {
        return Err(Failure::Input("nothing is compared".to_owned()));
    };
    unlike(&variants)?;
    let word = if variants.len() > 1 {
        "compare"
    } else {
        "ensemble"
    };
    let name = format!("{word}-{}", baseline.name);
    let limit = options
        .replicates
        .unwrap_or(if options.until.is_some() { MOST } else { USUAL });
    let record = recorded(&variants, options, limit);
    let provenance = Provenance::new(&name, &record, baseline.seed, baseline.replicate);
    let path = options
        .out
        .clone()
        .unwrap_or_else(|| Path::new("outputs").join(format!("{name}-{}", baseline.seed)));
    let mut directory = Directory::create(&path, &provenance, options.force)
        .map_err(|error| Failure::Input(error.to_string()))?;
    let start = Start::of(&baseline).map_err(|error| failed(&error))?;
    let mut comparison = Comparison::new(variants)
        .replicates(limit)
        .twin(!options.no_twin);
    if let Some(until) = &options.until {
        comparison = comparison.until(until.clone());
    }
    let compared = watch(comparison, options)?;
    if compared.replicates() == 0 {
        return Err(Failure::Interrupted(
            "interrupted before the first replicate was whole".to_owned(),
        ));
    }
    let judged = compared.judge_within(options.tolerance);
    let worst = worst(&compared, &path, options)?;
    let frame = Frame {
        name: baseline.name.clone(),
        title: baseline
            .title
            .clone()
            .unwrap_or_else(|| baseline.name.clone()),
        command: typed(),
        model: model(&baseline),
        vary: baseline.ensemble.varied(),
        severity: baseline.ensemble.severity_drawn(),
        inputs: inputs(&start, &baseline, &judged),
        worst,
        currency: CURRENCY.to_owned(),
    };
    let file = ComparisonFile::new(&compared, &judged, frame);
    write(
        &compared,
        &judged,
        &file,
        &provenance,
        record,
        options,
        &mut directory,
    )
    .and_then(|manifest| directory.finish(manifest).map_err(|e| e.to_string()))
    .map_err(Failure::Outside)?;
    if !options.quiet {
        tell(&file, &path)?;
    }
    end(&file, &compared, &path)
}

/// Variants share their draws, so none of them may have its own seed or replicate.
fn unlike(variants: &[Variant]) -> Result<(), Failure> {
    let key = |v: &Variant| (v.scenario.seed, v.scenario.replicate);
    let mut wrong = Vec::new();
    for (place, variant) in variants.iter().enumerate() {
        if key(variant) != key(&variants[0]) {
            wrong.push(format!(
                "{} has another seed or replicate than {}: expected the same draws under every variant; --seed sets them for all",
                variant.name, variants[0].name
            ));
        }
        let file = record::scenario_file(&variant.name);
        let twice = |other: &Variant| record::scenario_file(&other.name) == file;
        if variants[..place].iter().any(twice) {
            wrong.push(format!("two variants are named {}", variant.name));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::Input(wrong.join("\n")))
    }
}

fn failed(error: &RunError) -> Failure {
    match error {
        RunError::Scenario(problems) => Failure::Scenario(problems.clone()),
        RunError::Engine(fault) => Failure::Ours(fault.to_string()),
    }
}

/// What was compared, for the manifest.
fn recorded(variants: &[Variant], options: &Options, limit: u64) -> Value {
    let resolved: serde_json::Map<String, Value> = variants
        .iter()
        .map(|variant| (variant.name.clone(), variant.scenario.to_json()))
        .collect();
    let names: Vec<&str> = variants.iter().map(|v| v.name.as_str()).collect();
    let until = options.until.as_ref().map(ToString::to_string);
    json!({ "compare": { "variants": resolved, "order": names, "replicates": limit, "until": until } })
}

/// The command as it was typed, without where it writes to and on how many threads: neither changes a number.
fn typed() -> String {
    let mut words = vec!["deleverage".to_owned()];
    let mut rest = std::env::args().skip(1);
    while let Some(word) = rest.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, _)) => (option, true),
            None => (word.as_str(), false),
        };
        match option {
            "--out" | "--threads" => {
                if !value {
                    rest.next();
                }
            }
            "--force" | "--quiet" | "-q" => {}
            _ => words.push(quoted(&word)),
        }
    }
    words.join(" ")
}

/// Makes the runs with a bar on a terminal, and stops them on an interrupt.
fn watch(comparison: Comparison<'_>, options: &Options) -> Result<Compared, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let stopper = Arc::clone(&interrupted);
    // A second handler in one process (a test, say) is no reason not to run.
    let _ = ctrlc::set_handler(move || stopper.store(true, Ordering::Relaxed));
    let watch = Watch::default();
    let shown = io::stderr().is_terminal() && !options.quiet;
    let bar = if shown {
        let bar = ProgressBar::new(comparison.points());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:32} {pos}/{len} runs · {per_sec} · {eta} left {msg}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar
    } else {
        ProgressBar::hidden()
    };
    let comparison = comparison
        .threads(options.threads.unwrap_or_else(allotted))
        .watched(&watch);
    let found = std::thread::scope(|scope| {
        let worker = scope.spawn(move || comparison.finish());
        while !worker.is_finished() {
            if interrupted.load(Ordering::Relaxed) {
                watch.progress.stop.store(true, Ordering::Relaxed);
            }
            bar.set_length(watch.of.load(Ordering::Relaxed));
            bar.set_position(watch.runs.load(Ordering::Relaxed));
            let failed = watch.failed.load(Ordering::Relaxed);
            if failed > 0 {
                bar.set_message(format!("· {failed} failed"));
            }
            std::thread::sleep(Duration::from_millis(if shown { 50 } else { 2 }));
        }
        worker.join()
    });
    bar.finish_and_clear();
    match found {
        Ok(found) => Ok(found),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The worst runs of every variant, run again and kept whole: a seed holds all of a run.
fn worst(compared: &Compared, path: &Path, options: &Options) -> Result<Vec<WorstFile>, Failure> {
    let folder = path.join("worst");
    if folder.exists() {
        // Of the comparison that stood here before.
        std::fs::remove_dir_all(&folder).map_err(|error| {
            Failure::Outside(format!("could not remove {}: {error}", folder.display()))
        })?;
    }
    let mut found = Vec::new();
    if options.keep_worst <= 0.0 {
        return Ok(found);
    }
    let definition = options.worst_by;
    let market = match definition.scope {
        Scope::World => None,
        Scope::Market => compared.variants[0].scenario.markets.first().cloned(),
    };
    for (place, variant) in compared.variants.iter().enumerate() {
        let runs = compared.worst(place, definition, market.as_deref(), options.keep_worst);
        for (replicate, value) in runs {
            let name = record::scenario_file(&variant.name);
            let name = name
                .trim_start_matches("variants/")
                .trim_end_matches(".json");
            let kept = format!("worst/{name}-{replicate}");
            let scenario = variant.scenario.clone().with_replicate(replicate);
            keep(
                &scenario,
                compared.twin,
                &path.join(&kept),
                options.format.into(),
            )?;
            found.push(WorstFile {
                variant: variant.name.clone(),
                replicate,
                metric: definition.name.to_owned(),
                market: market.clone(),
                value,
                kept: Some(kept),
                replay: record::replay(compared, place, replicate),
            });
        }
    }
    Ok(found)
}

/// One run as `deleverage run` writes it.
fn keep(scenario: &Scenario, twin: bool, path: &Path, format: Format) -> Result<(), Failure> {
    let resolved = scenario.to_json();
    let mut provenance = run::provenance(scenario, &resolved);
    let mut directory = Directory::create(path, &provenance, true)
        .map_err(|error| Failure::Outside(error.to_string()))?;
    let finished = Run::new(scenario)
        .looks(super::run::LOOKS)
        .twin(twin)
        .finish()
        .map_err(|error| failed(&error))?;
    provenance.account_names = finished.opening.names.iter().cloned().collect();
    let manifest = Manifest::new(&provenance, resolved, model(scenario), Status::Complete)
        .with_options(twin, format);
    run::write(
        &mut directory,
        &finished,
        &provenance,
        scenario,
        format,
        false,
    )
    .and_then(|()| directory.finish(manifest).map_err(|e| e.to_string()))
    .map(|_| ())
    .map_err(Failure::Outside)
}

fn inputs(start: &[Start], baseline: &Scenario, judged: &Judged) -> Vec<InputFile> {
    let model = model(baseline);
    start
        .iter()
        .zip(&model.markets)
        .map(|(start, model)| {
            let median = |definition| {
                let cell = judged.cell(definition, Some(&start.market), 0)?;
                cell.median().map(|estimate| estimate.value)
            };
            InputFile {
                market: start.market.clone(),
                price: start.price,
                volatility: median(&catalogue::VOLATILITY),
                outside_fall: median(&catalogue::REFERENCE_DRAWDOWN),
                open_interest: start.open_interest,
                bid_depth: start.bid_depth,
                ask_depth: start.ask_depth,
                impact_law: model.impact_law.clone(),
                permanent_share: model.kappa,
            }
        })
        .collect()
}

fn write(
    compared: &Compared,
    judged: &Judged,
    file: &ComparisonFile,
    provenance: &Provenance,
    record: Value,
    options: &Options,
    directory: &mut Directory,
) -> Result<Manifest, String> {
    let metadata = [
        ("deleverage.version".to_owned(), provenance.version.clone()),
        ("deleverage.comparison".to_owned(), provenance.name.clone()),
        (
            "deleverage.settings_sha256".to_owned(),
            provenance.scenario_sha256.clone(),
        ),
    ];
    let format = options.format.into();
    let told = |error: crate::output::OutputError| error.to_string();
    directory
        .write_json(&format!("{}.json", file.kind), file)
        .map_err(told)?;
    let text = markdown::text(file, CURRENCY);
    directory
        .write(&format!("{}.md", file.kind), |out| {
            out.write_all(text.as_bytes())
        })
        .map_err(told)?;
    for variant in &compared.variants {
        let scenario = json!({ "scenario": variant.scenario.to_json() });
        directory
            .write_json(&record::scenario_file(&variant.name), &scenario)
            .map_err(told)?;
    }
    tables::save(compared, judged, &metadata, format, directory).map_err(told)?;
    let drawn = pictures::draw(file, compared, CURRENCY).map_err(|error| error.to_string())?;
    crate::output::pictures::save(&drawn, directory).map_err(told)?;
    let mut manifest = Manifest::new(provenance, record, file.model.clone(), Status::Complete)
        .with_options(compared.twin, format);
    manifest.units = tables::units(&file.kind);
    Ok(manifest)
}

fn tell(file: &ComparisonFile, path: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", file.title)?;
    writeln!(
        out,
        "{} replicates from {} on · seed {}\nreplicates vary: {}\n",
        file.replicates.count,
        file.replicates.first,
        file.seed,
        file.replicates.varied()
    )?;
    let style = Style::for_stdout(CURRENCY);
    write!(out, "{}", terminal::table(file, &style))?;
    if let (Some(until), Some(met)) = (&file.replicates.until, file.replicates.until_met) {
        let found = if met { "reached" } else { "not reached" };
        writeln!(out, "\n{until} was {found}.")?;
    }
    if let Some(found) = file.worst.first() {
        let kept = found.kept.as_ref().map(|kept| path.join(kept));
        writeln!(
            out,
            "\nThe worst run of {}, replicate {}, is kept in\n  {}\nand is made again by\n  {}",
            found.variant,
            found.replicate,
            kept.unwrap_or_default().display(),
            found.replay.replace(
                "variants/",
                &format!("{}/", path.join("variants").display())
            )
        )?;
    }
    writeln!(out, "\nwritten to {}", path.display())?;
    out.flush()
}

/// How a comparison ends: runs that failed are told with what shows them again.
fn end(file: &ComparisonFile, compared: &Compared, path: &Path) -> Result<ExitCode, Failure> {
    if !file.failures.is_empty() {
        let mut lines = vec![format!("{} runs failed:", file.failures.len())];
        for failed in file.failures.iter().take(20) {
            let reason: Vec<&str> = failed.message.trim().lines().collect();
            lines.push(format!(
                "{}, replicate {}:\n    {}\n  replay in {}: {}",
                failed.variant,
                failed.replicate,
                reason.join("\n    "),
                path.display(),
                failed.replay
            ));
        }
        lines.push("the other runs were made, and what they say is written".to_owned());
        let text = lines.join("\n");
        return Err(if compared.failures.iter().any(|failed| failed.ours) {
            Failure::Ours(text)
        } else {
            Failure::Input(text)
        });
    }
    if compared.stopped {
        return Err(Failure::Stopped(format!(
            "interrupted after {} replicates: what was written is of those",
            compared.replicates()
        )));
    }
    Ok(ExitCode::SUCCESS)
}
