//! `deleverage sweep`: one scenario over many settings.

use super::run::{CURRENCY, TableFormat, model};
use super::{Config, Failure};
use crate::experiment::RunError;
use crate::experiment::sweep::{
    Asked, Axis, Design, Ended, Outcome, Plan, PlanError, PointFailure, Shard, Sweep, Watch,
};
use crate::output::sweep::{
    FailedFile, MergeError, PlanFile, PointFile, Shown, Store, StoreError, merge, pictures,
    terminal,
};
use crate::output::terminal::Style;
use crate::scenario::Scenario;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is typed after `sweep`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
    /// A setting and its values: `path=a,b,c`, `path=lo..hi:n`, or with equal ratios `path=lo..hi:n:log`; `path=lo..hi` where
    /// a design places the points. May be repeated.
    #[arg(long = "vary", value_name = "PATH=VALUES", required = true)]
    vary: Vec<Axis>,
    /// Which values meet: every combination, or `--points` of them spread over all.
    #[arg(long, value_enum, default_value_t)]
    design: DesignName,
    /// How many points the design places.
    #[arg(long, value_name = "N")]
    points: Option<u64>,
    /// How often each point is run.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    replicates: u64,
    /// Seed from which, with a point's settings, that point's own follows; the scenario's where left out.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The same draws at every point: differences between points are then the settings', crash by crash.
    #[arg(long)]
    common: bool,
    /// Leaves the twins out: about half the time, and no metric that compares with one.
    #[arg(long)]
    no_twin: bool,
    /// Goes on with a sweep that was interrupted; begins one where there is none.
    #[arg(long)]
    resume: bool,
    /// Runs part k of n, counted from 1; `deleverage merge` puts the parts together. `auto` takes the part that a scheduler's
    /// array says (Slurm, Kubernetes, AWS Batch, Google Batch, Cloud Run, PBS, HyperQueue), `auto/n` where it doesn't say of how many.
    #[arg(long, value_name = "K/N|auto", default_value = "1/1")]
    shard: Asked,
    /// Runs a hundredth of the points once, tells what the whole would take, and writes nothing.
    #[arg(long, conflicts_with_all = ["resume", "out"])]
    estimate: bool,
    /// How many threads; where left out as many as the scheduler, the control group or the machine gives.
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// Directory to write to; `outputs/sweep-<scenario>-<seed>` where left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// What is drawn of a grid of one or two settings: a metric's median over the replicates, or with a condition
    /// (`endogenous_share>=0.5`) the share of them that meet it. May be repeated; what the terminal shows where left out.
    #[arg(long = "chart", value_name = "METRIC[>=VALUE]")]
    charts: Vec<Shown>,
    /// Prints nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

/// How points are placed, as it is typed.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum DesignName {
    /// Every combination.
    #[default]
    Grid,
    /// A Latin hypercube: every axis in as many slices as there are points, one point in each.
    Lhs,
    /// A Sobol' sequence: even in several axes at once; best with a power of two.
    Sobol,
}

impl From<DesignName> for Design {
    fn from(name: DesignName) -> Self {
        match name {
            DesignName::Grid => Self::Grid,
            DesignName::Lhs => Self::Lhs,
            DesignName::Sobol => Self::Sobol,
        }
    }
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=4096) => Ok(count),
        _ => Err("expected a whole number from 1 to 4096".to_owned()),
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            Self::Interrupted(format!(
                "error: {error}\nthe points that were finished are kept, and --resume goes on with the others"
            ))
        } else if error.is_outside() {
            Self::Outside(error.to_string())
        } else {
            Self::Input(error.to_string())
        }
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Store(error) => error.into(),
            MergeError::Refused(_) => Self::Input(error.to_string()),
            MergeError::Incomplete { .. } => Self::Incomplete(error.to_string()),
            MergeError::Output(_) | MergeError::Chart(_) => Self::Outside(error.to_string()),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut scenario = arguments.config.load()?;
    if let Some(seed) = arguments.seed {
        scenario = scenario.with_seed(seed);
    }
    let axes = arguments.vary.clone();
    let plan = Plan::new(
        axes,
        arguments.design.into(),
        arguments.points,
        scenario.seed,
    )?
    .replicates(scenario.replicate, arguments.replicates)
    .common(arguments.common)
    .twin(!arguments.no_twin);
    let shard = arguments
        .shard
        .shard(|name| std::env::var(name).ok())
        .map_err(Failure::Input)?;
    let charts = charts(&arguments.charts, &plan)?;
    let layout = plan.layout();
    // Where neither end of the plan can be read, hardly anything can: most likely a path is mistyped.
    let sweep = Sweep::new(&scenario, &plan);
    if let Err(problems) = sweep.scenario(&layout.point(0))
        && sweep.scenario(&layout.point(plan.points - 1)).is_err()
    {
        return Err(Failure::Scenario(problems));
    }
    if arguments.estimate {
        return estimate(&scenario, &plan, arguments);
    }
    let path = arguments.out.clone().unwrap_or_else(|| {
        Path::new("outputs").join(format!("sweep-{}-{}", scenario.name, scenario.seed))
    });
    let file = PlanFile::new(
        &scenario.name,
        plan.clone(),
        model(&scenario),
        scenario.to_json(),
    );
    let store = Store::create(&path, file, arguments.resume)?;
    let done = store.list()?.done;
    let left: Vec<u64> = (0..plan.points)
        .filter(|point| shard.has(*point) && done.binary_search(point).is_err())
        .collect();
    let ended = watch(sweep, &left, &store, arguments)?;
    if ended.0.stopped {
        let message = "interrupted: the points that were finished are kept, and --resume goes on with the others";
        return Err(Failure::Interrupted(message.to_owned()));
    }
    if let Some(failures) = ended.1.told(plan.points) {
        return Err(failures);
    }
    let whole = shard == Shard::WHOLE;
    if whole {
        merge::finish(&store, &layout, false, arguments.format.into(), &charts)?;
    }
    if !arguments.quiet {
        report(&scenario, &store, shard, left.len(), &charts)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is drawn: what was asked for, or the usual.
pub(super) fn charts(asked: &[Shown], plan: &Plan) -> Result<Vec<Shown>, Failure> {
    if asked.is_empty() {
        Ok(pictures::usual())
    } else if pictures::can_draw(plan) {
        Ok(asked.to_vec())
    } else {
        let message = "charts are drawn of a grid of one or two settings: leave --chart out";
        Err(Failure::Input(message.to_owned()))
    }
}

fn report(
    scenario: &Scenario,
    store: &Store,
    shard: Shard,
    ran: usize,
    charts: &[Shown],
) -> Result<(), Failure> {
    let plan = &store.plan().sweep;
    let mut out = io::stdout().lock();
    let title = scenario.title.as_deref().unwrap_or(&scenario.name);
    writeln!(out, "{title}")?;
    writeln!(
        out,
        "{} points · {} {} from {} on · seed {}{}",
        plan.points,
        plan.replicates,
        if plan.replicates == 1 {
            "replicate"
        } else {
            "replicates"
        },
        plan.replicate,
        plan.seed,
        if plan.common {
            " · the same draws at every point"
        } else {
            ""
        }
    )?;
    if shard == Shard::WHOLE {
        let style = Style::for_stdout(CURRENCY);
        let table = terminal::table(store, &plan.layout(), &style)?;
        if !table.is_empty() {
            write!(out, "\n{table}")?;
        }
        write!(
            out,
            "{}",
            terminal::agreement(store, &plan.layout(), charts)?
        )?;
    } else {
        writeln!(
            out,
            "{ran} points of shard {shard} were run; deleverage merge puts the shards together"
        )?;
    }
    writeln!(out, "\nwritten to {}", store.path().display())?;
    Ok(out.flush()?)
}

/// What failed, kept in order to be told at the end.
#[derive(Default)]
struct Failures {
    list: Vec<FailedFile>,
    ours: bool,
}

impl Failures {
    /// The failure that they are together, if there are any.
    fn told(mut self, points: u64) -> Option<Failure> {
        if self.list.is_empty() {
            return None;
        }
        self.list.sort_by_key(|failed| failed.point);
        let error = MergeError::Incomplete {
            points,
            missing: Vec::new(),
            failed: self.list,
        };
        let text = format!(
            "{error}\nthe other points were run; deleverage merge --partial DIR writes the tables without these"
        );
        Some(if self.ours {
            Failure::Ours(text)
        } else {
            Failure::Input(text)
        })
    }
}

/// Makes the runs with a bar on a terminal, and stops them on an interrupt.
fn watch(
    sweep: Sweep<'_>,
    left: &[u64],
    store: &Store,
    arguments: &Arguments,
) -> Result<(Ended, Failures), Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let stopper = Arc::clone(&interrupted);
    // A second handler in one process (a test, say) is no reason not to run.
    let _ = ctrlc::set_handler(move || stopper.store(true, Ordering::Relaxed));
    let watch = Watch::default();
    let failures = std::sync::Mutex::new(Failures::default());
    let keep = |outcome: Outcome| match outcome {
        Outcome::Done(found) => store.keep(&PointFile::new(&found, store.plan_sha256())),
        Outcome::Failed(failure) => {
            let ours = matches!(failure.source, RunError::Engine(_));
            let failed = failed(&failure, store);
            store.fail(&failed)?;
            let mut all = failures
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            all.ours |= ours;
            all.list.push(failed);
            Ok(())
        }
    };
    let shown = io::stderr().is_terminal() && !arguments.quiet;
    let bar = bar(left.len() as u64 * arguments.replicates, shown);
    let sweep = sweep
        .threads(arguments.threads.unwrap_or_else(allotted))
        .watched(&watch);
    let ended = std::thread::scope(|scope| {
        let worker = scope.spawn(|| sweep.run(left, keep));
        while !worker.is_finished() {
            if interrupted.load(Ordering::Relaxed) {
                watch.progress.stop.store(true, Ordering::Relaxed);
            }
            bar.set_position(watch.runs.load(Ordering::Relaxed));
            let failed = watch.failed.load(Ordering::Relaxed);
            if failed > 0 {
                bar.set_message(format!("· {failed} points failed"));
            }
            std::thread::sleep(Duration::from_millis(if shown { 50 } else { 2 }));
        }
        worker.join()
    });
    bar.finish_and_clear();
    let ended = match ended {
        Ok(ended) => ended?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let failures = failures
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((ended, failures))
}

fn bar(runs: u64, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(runs);
    let template = "{bar:32} {pos}/{len} runs · {per_sec} · {eta} left {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// How many threads a cluster gave this process; 0 where it doesn't say: what the process may use then follows from its
/// affinity and its control group.
pub(super) fn allotted() -> usize {
    [
        "SLURM_CPUS_PER_TASK",
        "NSLOTS",
        "PBS_NUM_PPN",
        "LSB_DJOB_NUMPROC",
    ]
    .into_iter()
    .find_map(|name| std::env::var(name).ok()?.trim().parse().ok())
    .unwrap_or(0)
}

/// Runs a hundredth of the points once each, on one thread, and tells what the whole sweep would take.
#[expect(
    clippy::disallowed_methods,
    reason = "what a run costs is told to a person, and enters no result"
)]
fn estimate(scenario: &Scenario, plan: &Plan, arguments: &Arguments) -> Result<ExitCode, Failure> {
    /// A pilot of fewer says little.
    const LEAST: u64 = 4;
    let count = plan.points.div_ceil(100).max(LEAST).min(plan.points);
    // Spread evenly: neighbours cost alike.
    let points: Vec<u64> = (0..count)
        .map(|place| place * plan.points / count + plan.points / (2 * count))
        .map(|point| point.min(plan.points - 1))
        .collect();
    let pilot = plan.clone().replicates(plan.replicate, 1);
    let failures = std::sync::atomic::AtomicU64::new(0);
    let begun = std::time::Instant::now();
    let ended = Sweep::new(scenario, &pilot)
        .threads(1)
        .run(&points, |outcome| {
            if matches!(outcome, Outcome::Failed(_)) {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Failure>(())
        })?;
    let each = begun.elapsed().as_secs_f64() / count as f64;
    let hours = each * plan.runs() as f64 / 3_600.0;
    let threads = match arguments.threads.unwrap_or_else(allotted) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    // Parts of about an hour: long against starting one, short against losing one.
    let parts = (hours / threads as f64).ceil().max(1.0);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} of {} points were run once each: {each:.3} s a run on one thread",
        ended.done, plan.points
    )?;
    let failed = failures.into_inner();
    if failed > 0 {
        writeln!(
            out,
            "{failed} of {count} points failed, and so will their like"
        )?;
    }
    writeln!(
        out,
        "{} points · {} replicates: about {hours:.2} core-hours, {:.2} h on {threads} threads; {parts:.0} {} of about an hour or less",
        plan.points,
        plan.replicates,
        hours / threads as f64,
        if parts > 1.0 { "shards" } else { "shard" }
    )?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What is kept of a failure: the plan holds the scenario, so the command that replays it needs nothing else.
fn failed(failure: &PointFailure, store: &Store) -> FailedFile {
    let message = match &failure.source {
        RunError::Scenario(problems) => problems.render(false),
        RunError::Engine(fault) => fault.to_string(),
    };
    let mut replay = format!(
        "deleverage run {}",
        quoted(&store.path().join("plan.json").display().to_string())
    );
    for patch in failure.point.patches() {
        replay.push_str(&format!(" --set {}", quoted(&patch)));
    }
    replay.push_str(&format!(
        " --seed {} --set replicate={} --audit",
        failure.point.seed, failure.replicate
    ));
    if store.plan().sweep.twin {
        replay.push_str(" --twin");
    }
    FailedFile::new(failure, message, replay, store.plan_sha256())
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
