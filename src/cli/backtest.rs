//! `deleverage backtest`: margin rules against history.

use super::Failure;
use super::run::TableFormat;
use crate::backtest::{
    self, Loss, Named, NamedWindow, Report, Requirement, RuleFile, Series, Settings,
};
use crate::engine::Rounds;
use crate::output::backtest::{draw, tables, terminal};
use crate::output::manifest::sha256;
use crate::output::terminal::Style;
use crate::output::{Directory, Manifest, ModelSettings, Provenance, Status, pictures};
use crate::scenario::load::PriceHistory;
use crate::unit::Span;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is typed after `backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Price files (Binance klines or `open_time,open,high,low,close,volume`; plain, .gz or .zip).
    #[arg(required = true)]
    prices: Vec<PathBuf>,
    /// Rule file: the content of a scenario's `[margin]` table; or the name of a rule that is built in; may be repeated.
    #[arg(long = "rule", value_name = "FILE", required = true)]
    rules: Vec<PathBuf>,
    /// Leaves rules with a model of returns their own close-out and confidence.
    #[arg(long)]
    as_written: bool,
    /// Share of windows that a margin promises to cover.
    #[arg(long, default_value_t = 0.99)]
    confidence: f64,
    /// How long a position is exposed after its margin was set.
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span)]
    horizon: Span,
    /// Which requirement is judged, of the smallest positions.
    #[arg(long, value_enum, default_value_t)]
    what: What,
    /// Which loss it is held against.
    #[arg(long, value_enum, default_value_t)]
    loss: Against,
    /// What is left out at the beginning; a tenth of the history, at most a year, where left out.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    warmup: Option<Span>,
    /// Over how long a past volatility is realised that makes windows calm or volatile.
    #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = span)]
    volatility: Span,
    /// Length of a stretch of the walk forward.
    #[arg(long, value_name = "SPAN", default_value = "365d", value_parser = span)]
    stretch: Span,
    /// A crash to look at apart, beside those that are known; may be repeated.
    #[arg(long = "window", value_name = "NAME=FROM..TO")]
    windows: Vec<NamedWindow>,
    /// Directory to write to; `outputs/backtest-<first file>` where left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// Width of the printed table; that of the environment's `COLUMNS`, else 80, where left out.
    #[arg(long, value_name = "COLUMNS")]
    width: Option<usize>,
    /// Prints nothing but errors.
    #[arg(long, short)]
    quiet: bool,
    /// Writes over another run's directory.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum What {
    /// What a position must keep.
    #[default]
    Maintenance,
    /// What opens one.
    Initial,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Against {
    /// From close to close.
    #[default]
    Close,
    /// To the worst price within the horizon.
    Excursion,
}

fn span(text: &str) -> Result<Span, String> {
    let reader: StrDeserializer<'_, Error> = text.into_deserializer();
    Span::deserialize(reader).map_err(|error| error.to_string())
}

impl Arguments {
    fn settings(&self) -> Settings {
        let mut named = NamedWindow::known();
        named.extend(self.windows.iter().cloned());
        Settings {
            confidence: self.confidence,
            horizon: self.horizon,
            requirement: match self.what {
                What::Maintenance => Requirement::Maintenance,
                What::Initial => Requirement::Initial,
            },
            loss: match self.loss {
                Against::Close => Loss::Close,
                Against::Excursion => Loss::Excursion,
            },
            warmup: self.warmup,
            volatility: self.volatility,
            stretch: self.stretch,
            named,
        }
    }

    fn width(&self) -> usize {
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        self.width.or_else(columns).unwrap_or(80)
    }

    /// What was judged and how, for the manifest; prices by their content.
    fn record(&self, rules: &[RuleFile], settings: &Settings) -> Result<Value, Failure> {
        let prices: Vec<Value> = self
            .prices
            .iter()
            .map(|path| {
                let bytes = std::fs::read(path).map_err(|error| {
                    Failure::Input(format!("cannot read {}: {error}", path.display()))
                })?;
                Ok(json!({ "file": path.display().to_string(), "sha256": sha256(&bytes) }))
            })
            .collect::<Result<_, Failure>>()?;
        let rules: serde_json::Map<String, Value> = rules
            .iter()
            .map(|file| {
                let settings = serde_json::to_value(&file.settings);
                (file.name.clone(), settings.unwrap_or_default())
            })
            .collect();
        Ok(json!({
            "backtest": {
                "prices": prices,
                "rules": rules,
                "confidence": settings.confidence,
                "horizon": settings.horizon,
                "requirement": settings.requirement.name(),
                "loss": settings.loss.name(),
                "warmup": settings.warmup,
                "volatility": settings.volatility,
                "stretch": settings.stretch,
                "windows": settings.named.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }
        }))
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = arguments.settings();
    let mut rules = rule_files(&arguments.rules)?;
    let mut notes = Vec::new();
    for file in &mut rules {
        if !arguments.as_written {
            let (asked, note) = file.judged(settings.confidence, settings.horizon);
            *file = asked;
            notes.extend(note);
        }
        let silent = file.silent();
        if !silent.is_empty() {
            notes.push(format!(
                "{}: a history has neither a book nor positions, so {} adds nothing here",
                file.name,
                silent.join(", ")
            ));
        }
    }
    let histories = histories(&arguments.prices)?;
    let record = arguments.record(&rules, &settings)?;
    let name = format!("backtest-{}", histories[0].0.market);
    let provenance = Provenance::new(&name, &record, 0, 0);
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new("outputs").join(&name));
    let mut directory = Directory::create(&path, &provenance, arguments.force)
        .map_err(|error| Failure::Input(error.to_string()))?;

    let mut reports = Vec::new();
    for (series, _) in &histories {
        let named = rules.iter().filter_map(|file| {
            Some(Named {
                name: file.name.clone(),
                rule: file.build()?,
                shortfall: file.shortfall(settings.confidence),
            })
        });
        let report = backtest::run(series, named.collect(), &settings)
            .map_err(|error| Failure::Input(error.to_string()))?;
        reports.push(report);
    }
    write(&mut directory, &reports, &provenance, arguments)
        .and_then(|()| {
            let mut manifest =
                Manifest::new(&provenance, record, model(&reports), Status::Complete);
            manifest.units = tables::units();
            directory
                .finish(manifest)
                .map_err(|error| error.to_string())
        })
        .map_err(Failure::Outside)?;
    if !arguments.quiet {
        show(&histories, &reports, &notes, arguments.width(), &path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads every rule file; all that is wrong with any is told at once.
fn rule_files(paths: &[PathBuf]) -> Result<Vec<RuleFile>, Failure> {
    let mut rules: Vec<RuleFile> = Vec::new();
    let mut wrong = Vec::new();
    for path in paths {
        match RuleFile::load(path) {
            Ok(rule) if rules.iter().any(|other| other.name == rule.name) => {
                wrong.push(format!("two rule files are named {}", rule.name));
            }
            Ok(rule) => rules.push(rule),
            Err(problem) => wrong.push(problem),
        }
    }
    if wrong.is_empty() {
        Ok(rules)
    } else {
        Err(Failure::Input(wrong.join("\n")))
    }
}

/// Reads every price file, with what is to be known of it.
fn histories(paths: &[PathBuf]) -> Result<Vec<(Series, Vec<String>)>, Failure> {
    let mut histories: Vec<(Series, Vec<String>)> = Vec::new();
    let mut wrong = Vec::new();
    for path in paths {
        let market = market(path);
        if histories.iter().any(|(series, _)| series.market == market) {
            wrong.push(format!("two price files are named {market}"));
            continue;
        }
        match PriceHistory::load(path) {
            Ok(history) => match Series::new(market, &history.bars) {
                Ok(series) => histories.push((series, history.report())),
                Err(hollow) => wrong.push(hollow.to_string()),
            },
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() {
        Ok(histories)
    } else {
        Err(Failure::Input(wrong.join("\n")))
    }
}

/// The name of a price file without `.csv`, `.csv.gz` or `.zip`.
fn market(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.trim_end_matches(".gz").trim_end_matches(".zip");
    plain.trim_end_matches(".csv").to_owned()
}

/// What the manifest says of every run, as far as a backtest has it.
fn model(reports: &[Report]) -> ModelSettings {
    ModelSettings {
        dt: reports[0].bar.as_seconds(),
        steps: reports.iter().map(|report| report.bars as u32).sum(),
        rounds: Rounds::Fixed(1),
        markets: Vec::new(),
    }
}

fn write(
    directory: &mut Directory,
    reports: &[Report],
    provenance: &Provenance,
    arguments: &Arguments,
) -> Result<(), String> {
    let metadata = [
        ("deleverage.version".to_owned(), provenance.version.clone()),
        ("deleverage.backtest".to_owned(), provenance.name.clone()),
        (
            "deleverage.settings_sha256".to_owned(),
            provenance.scenario_sha256.clone(),
        ),
    ];
    tables::save(reports, &metadata, arguments.format.into(), directory)
        .map_err(|error| error.to_string())?;
    let drawn = draw(reports).map_err(|error| error.to_string())?;
    pictures::save(&drawn, directory).map_err(|error| error.to_string())
}

fn show(
    histories: &[(Series, Vec<String>)],
    reports: &[Report],
    rules: &[String],
    width: usize,
    path: &Path,
) -> io::Result<()> {
    let style = Style::for_stdout("");
    let mut out = io::stdout().lock();
    for ((_, notes), report) in histories.iter().zip(reports) {
        write!(out, "{}", terminal::table(report, width, &style))?;
        for note in notes {
            writeln!(out, "note: {note}")?;
        }
        writeln!(out)?;
    }
    for note in rules {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out, "written to {}", path.display())?;
    out.flush()
}
