//! `deleverage run`: from a scenario file to a measured cascade.

use super::{Config, Failure};
use crate::cascade::summary;
use crate::engine::StopReason;
use crate::experiment::run::Progress;
use crate::experiment::{self, Finished, Intervened, Run, RunError};
use crate::market::ImpactSettings;
use crate::market::impact::Law;
use crate::output::terminal::{self, Style};
use crate::output::{
    Directory, Format, Manifest, MarketModel, ModelSettings, Provenance, Status, directory,
    genealogy, intervention, ladder, options, pictures, table, waiting,
};
use crate::path::Moment;
use crate::scenario::{Input, Inputs, Scenario, VenueSettings};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What is typed after `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
    /// Directory to write to; `outputs/<scenario>-<seed>` where left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of all random numbers, in place of the scenario's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Replays prices from a file (Binance klines or `open_time,open,high,low,close,volume`; plain, .gz or
    /// .zip) in place of a market's path: FILE for the first market, MARKET=FILE for another.
    #[arg(long, value_name = "FILE")]
    prices: Vec<Input>,
    /// Accounts and positions from a CSV file, in place of those that the scenario names.
    #[arg(long, value_name = "FILE")]
    positions: Option<PathBuf>,
    /// Depth from a file (Binance bookDepth) in place of a market's depth curve: FILE or MARKET=FILE.
    #[arg(long, value_name = "FILE")]
    depth: Vec<Input>,
    /// Format of the tables.
    #[arg(long, value_enum)]
    format: Option<TableFormat>,
    /// Runs the twin beside it: the same seed, forced orders absorbed without impact.
    #[arg(long)]
    twin: bool,
    /// Shields each of the K largest liquidations in a run of its own, and sets what was missing without it beside
    /// what the genealogy attributes to it.
    #[arg(long, value_name = "K")]
    intervene: Option<usize>,
    /// Also writes the graph of what caused what as DOT and GraphML.
    #[arg(long)]
    graph: bool,
    /// Adds the whole ledger up after every step, not only at the end.
    #[arg(long)]
    audit: bool,
    /// Prints the summary as JSON, and nothing else.
    #[arg(long)]
    json: bool,
    /// Prints nothing but errors.
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    /// Writes over another run's directory.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(super) enum TableFormat {
    /// Columnar, compressed.
    #[cfg(feature = "parquet")]
    #[default]
    Parquet,
    /// Comma-separated text.
    #[cfg_attr(not(feature = "parquet"), default)]
    Csv,
}

impl From<TableFormat> for Format {
    fn from(format: TableFormat) -> Self {
        match format {
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => Self::Parquet,
            TableFormat::Csv => Self::Csv,
        }
    }
}

/// Looks at what waits to be liquidated, for its picture.
pub(super) const LOOKS: u32 = 144;
/// Exit code where a check failed.
const CHECK_FAILED: u8 = 1;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    // A manifest says how its run was made, and a rerun is made the same way.
    let before = directory::read_manifest(&arguments.config.config).ok();
    let twin = arguments.twin || before.as_ref().is_some_and(|manifest| manifest.twin);
    let format = arguments
        .format
        .map(Format::from)
        .or(before.and_then(|manifest| manifest.format))
        .unwrap_or_else(|| TableFormat::default().into());
    let mut scenario = arguments.config.load()?;
    if let Some(seed) = arguments.seed {
        scenario = scenario.with_seed(seed);
    }
    let inputs = Inputs {
        prices: arguments.prices.clone(),
        depth: arguments.depth.clone(),
        positions: arguments.positions.clone(),
    };
    let (scenario, mut notes) = scenario.with_inputs(&inputs)?;
    let resolved = scenario.to_json();
    let mut provenance = provenance(&scenario, &resolved);
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| Directory::default_path(&provenance));
    let mut directory = Directory::create(&path, &provenance, arguments.force)
        .map_err(|error| Failure::Input(error.to_string()))?;

    let finished = watch(&scenario, arguments, twin)?;

    provenance.account_names = finished.opening.names.iter().cloned().collect();
    notes.extend(finished.opening.notes.iter().cloned());
    let intervened = intervene(arguments, &scenario, &finished)?;
    let graphs = arguments.graph;
    let written = write(
        &mut directory,
        &finished,
        &provenance,
        &scenario,
        format,
        graphs,
    );
    let status = match finished.reason {
        StopReason::Completed => Status::Complete,
        StopReason::Interrupted => Status::Interrupted {
            steps_done: finished.steps,
        },
    };
    let manifest =
        Manifest::new(&provenance, resolved, model(&scenario), status).with_options(twin, format);
    written
        .and_then(|()| {
            directory
                .finish(manifest)
                .map_err(|error| error.to_string())
        })
        .map_err(Failure::Outside)?;

    let met = finished.outcomes.iter().all(|outcome| outcome.ok);
    if arguments.json {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &finished.summary).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if !arguments.quiet {
        report(&finished, &scenario, &notes, &path)?;
        if let Some(found) = &intervened {
            let style = Style::for_stdout(CURRENCY);
            let text = intervention::interventions(&finished.run, found, &style);
            write!(io::stdout().lock(), "\n{text}")?;
        }
    }
    Ok(match finished.reason {
        StopReason::Interrupted => {
            if arguments.json || arguments.quiet {
                let _ = writeln!(
                    io::stderr(),
                    "interrupted after step {} of {}",
                    finished.steps,
                    finished.run.frame.steps
                );
            }
            ExitCode::from(INTERRUPTED)
        }
        StopReason::Completed if met => ExitCode::SUCCESS,
        StopReason::Completed => ExitCode::from(CHECK_FAILED),
    })
}

/// Shields the largest liquidations, where that is asked for.
fn intervene(
    arguments: &Arguments,
    scenario: &Scenario,
    finished: &Finished,
) -> Result<Option<Vec<Intervened>>, Failure> {
    let (Some(count), StopReason::Completed) = (arguments.intervene, finished.reason) else {
        return Ok(None);
    };
    let Some(genealogy) = &finished.genealogy else {
        return Err(Failure::Input(
            "--intervene needs a genealogy: leave out `genealogy = false` of [measure]".to_owned(),
        ));
    };
    experiment::intervene(
        scenario,
        &finished.run,
        genealogy,
        count,
        experiment::intervene::HORIZON,
    )
    .map(Some)
    .map_err(|error| match error {
        RunError::Scenario(problems) => Failure::Scenario(problems),
        RunError::Engine(fault) => Failure::Ours(fault.to_string()),
    })
}

/// Makes the run with a bar on a terminal, and stops it on an interrupt.
fn watch(scenario: &Scenario, arguments: &Arguments, twin: bool) -> Result<Finished, Failure> {
    let progress = Arc::new(Progress::default());
    let stopper = Arc::clone(&progress);
    // A second handler in one process (a test, say) is no reason not to run.
    let _ = ctrlc::set_handler(move || stopper.stop.store(true, Ordering::Relaxed));
    let steps = scenario.steps().unwrap_or_default();
    let shown = io::stderr().is_terminal() && !arguments.quiet && !arguments.json;
    let bar = if shown {
        let bar = ProgressBar::new(u64::from(steps));
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix} {bar:32} {pos}/{len} steps · {per_sec} · {eta} left · {msg}",
        ) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(scenario.name.clone());
        bar
    } else {
        ProgressBar::hidden()
    };
    let finished = std::thread::scope(|scope| {
        let run = Run::new(scenario)
            .twin(twin)
            .looks(LOOKS)
            .audit_every_step(arguments.audit)
            .watched(&progress);
        let worker = scope.spawn(move || run.finish());
        while !worker.is_finished() {
            bar.set_position(u64::from(progress.steps.load(Ordering::Relaxed)));
            let liquidations = progress.liquidations.load(Ordering::Relaxed);
            bar.set_message(format!("{liquidations} liquidations"));
            std::thread::sleep(Duration::from_millis(if shown { 50 } else { 2 }));
        }
        worker.join()
    });
    bar.finish_and_clear();
    match finished {
        Ok(Ok(finished)) => Ok(finished),
        Ok(Err(RunError::Scenario(problems))) => Err(Failure::Scenario(problems)),
        Ok(Err(RunError::Engine(fault))) => Err(Failure::Ours(format!(
            "{fault}\nthis is a defect of deleverage; it replays with: deleverage run {} --seed {} --audit",
            arguments.config.config.display(),
            scenario.seed
        ))),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Where a run's data comes from.
pub(super) fn provenance(scenario: &Scenario, resolved: &serde_json::Value) -> Provenance {
    let mut provenance =
        Provenance::new(&scenario.name, resolved, scenario.seed, scenario.replicate);
    if let Some(Moment::Utc(ms)) = scenario.start {
        provenance.start = jiff::Timestamp::from_millisecond(ms).ok();
    }
    provenance
}

pub(super) fn write(
    directory: &mut Directory,
    finished: &Finished,
    provenance: &Provenance,
    scenario: &Scenario,
    format: Format,
    graphs: bool,
) -> Result<(), String> {
    directory
        .write_json("summary.json", &finished.summary)
        .map_err(|error| error.to_string())?;
    let twin = finished.twin.as_ref();
    table::save(&finished.run, twin, provenance, format, directory)
        .map_err(|error| error.to_string())?;
    ladder::save(finished, provenance, format, directory).map_err(|error| error.to_string())?;
    waiting::save(finished, provenance, format, directory).map_err(|error| error.to_string())?;
    options::save(finished, provenance, format, directory).map_err(|error| error.to_string())?;
    genealogy::save(finished, provenance, format, graphs, directory)
        .map_err(|error| error.to_string())?;
    let title = scenario.title.as_deref().unwrap_or(&scenario.name);
    let drawn =
        pictures::draw(finished, provenance, title, CURRENCY).map_err(|error| error.to_string())?;
    pictures::save(&drawn, directory).map_err(|error| error.to_string())
}

/// Name of the settlement currency in what is printed and drawn.
pub(super) const CURRENCY: &str = "USD";

/// The settings that results hinge on.
pub(super) fn model(scenario: &Scenario) -> ModelSettings {
    ModelSettings {
        dt: scenario.dt(),
        steps: scenario.steps().unwrap_or_default(),
        rounds: scenario.rounds,
        markets: scenario
            .traded()
            .map(|(name, market)| MarketModel {
                market: name.to_owned(),
                impact_law: impact_law(&market.venue).to_owned(),
                kappa: market.anchor.permanent_share,
                tau: market.anchor.half_life,
            })
            .collect(),
    }
}

const fn impact_law(venue: &VenueSettings) -> &'static str {
    match venue {
        VenueSettings::Book(_) => "book",
        VenueSettings::Impact(ImpactSettings { law, .. }) => match law {
            Law::Linear { .. } => "linear",
            Law::SquareRoot { .. } => "square_root",
        },
    }
}

fn report(
    finished: &Finished,
    scenario: &Scenario,
    notes: &[String],
    path: &std::path::Path,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let style = Style::for_stdout(CURRENCY);
    let title = scenario.title.as_deref().unwrap_or(&scenario.name);
    writeln!(out, "{title}")?;
    let model = model(scenario);
    let laws: Vec<String> = model
        .markets
        .iter()
        .map(|m| format!("{} {} κ={} τ={}", m.market, m.impact_law, m.kappa, m.tau))
        .collect();
    writeln!(
        out,
        "{} steps of {} · {} accounts · {} · seed {}",
        finished.steps,
        scenario.step,
        finished.run.frame.accounts,
        laws.join(", "),
        scenario.seed
    )?;
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out)?;
    write!(out, "{}", terminal::summary(&finished.summary, &style))?;
    let parts = terminal::parts(&finished.run, &style);
    if !parts.is_empty() {
        write!(out, "\n{parts}")?;
    }
    for (shots, market) in finished.ladders.iter().zip(&finished.run.frame.markets) {
        if let Some((channel, r)) = shots[1].closest() {
            writeln!(
                out,
                "closest to critical in {}: {}, R = {r:.2} for a move of 1 % in step {}",
                market.name,
                genealogy::channel_name(&finished.run, channel),
                shots[1].step
            )?;
        }
    }
    for reason in summary::undefined(&finished.run) {
        writeln!(out, "{reason}")?;
    }
    if !finished.outcomes.is_empty() {
        writeln!(out)?;
        write!(
            out,
            "{}",
            terminal::expectations(&finished.outcomes, &style)
        )?;
    }
    for expect in &finished.unchecked {
        writeln!(out, "not checked without --twin: {expect}")?;
    }
    if finished.reason == StopReason::Interrupted {
        writeln!(
            out,
            "\ninterrupted after step {} of {}: what was written is whole, but shorter",
            finished.steps, finished.run.frame.steps
        )?;
    }
    writeln!(out, "\nwritten to {}", path.display())?;
    out.flush()
}
