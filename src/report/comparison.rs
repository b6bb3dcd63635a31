//! The page of a comparison, or of an ensemble of one variant alone.

use super::page::{Block, Card, Cell, Head, Page, Section, Table};
use super::{ReportError, figures, metrics, run, settings, unmodelled};
use crate::measure::{Definition, Unit, catalogue as m};
use crate::output::compare::record::{
    ADJUSTED, ChangeFile, ComparisonFile, EstimateFile, MetricFile, RiskFile,
};
use crate::output::compare::terminal::FRONTIER;
use crate::output::exhibit::Source;
use crate::output::human;
use serde_json::Value;

const CURRENCY: &str = "USD";

/// Puts it together.
pub(super) fn page(source: &Source) -> Result<Page, ReportError> {
    let Some(file) = &source.comparison else {
        return Err(ReportError::Other(source.path().to_owned()));
    };
    let exhibits = source.exhibits()?;
    let compared = file.variants.len() > 1;
    let scenario = baseline(source, file);
    let mut warnings = Vec::new();
    if file.replicates.stopped {
        warnings
            .push("It was interrupted: there are fewer replicates than were asked for.".to_owned());
    }
    if !file.failures.is_empty() {
        warnings.push(format!(
            "{} runs failed and are left out.",
            file.failures.len()
        ));
    }
    let mut short = Section::new("short", "In short");
    if let Some(found) = &file.recommendation {
        short
            .blocks
            .push(Block::Text(format!("Recommended: {}", found.text)));
    }
    short.blocks.push(Block::Cards(cards(file)));
    if compared {
        short.blocks.push(Block::Table(verdicts(file)));
    }
    Ok(Page {
        of: if compared { "Comparison" } else { "Ensemble" }.into(),
        title: file.title.clone(),
        lead: lead(file),
        warning: (!warnings.is_empty()).then(|| warnings.join(" ")),
        sections: vec![
            short,
            Section::new("asked", "What was asked")
                .with_all(compared.then(|| Block::Table(variants(file))))
                .with_all((!file.inputs.is_empty()).then(|| Block::Table(inputs(file))))
                .with_all(settings::blocks(&scenario, &file.model)),
            Section::new("charts", "What it shows")
                .with_all(figures::figures(&exhibits, |_| true)?)
                .with_all(figures::others(source, &exhibits)),
            Section::new("differences", "Differences to the baseline")
                .with_all(file.is_adjusted().then(|| Block::Text(ADJUSTED.to_owned())))
                .with_all(differences(file)),
            Section::new("risk", "What is at risk").with(Block::Table(risks(file))),
            Section::new("worst", "The worst runs").with_all(worst(file)),
            Section::new("numbers", "Every number").with_all(numbers(file)),
            Section::new("failures", "What failed").with_all(failures(file)),
            Section::new("not-modelled", "What is not modelled")
                .with(Block::List(unmodelled::points())),
            Section::new("again", "How to make it again")
                .with(Block::Code(file.command.clone()))
                .with_all(run::files(source)),
        ],
        version: file.version.clone(),
    })
}

/// The baseline's scenario, fully resolved.
fn baseline(source: &Source, file: &ComparisonFile) -> Value {
    let variants = &source.manifest.scenario["compare"]["variants"];
    let name = file
        .variants
        .first()
        .map_or("", |variant| variant.name.as_str());
    variants[name].clone()
}

fn lead(file: &ComparisonFile) -> String {
    let count = file.replicates.count;
    let mut parts = vec![format!(
        "{count} {}",
        if count == 1 { "crash" } else { "crashes" }
    )];
    if file.variants.len() > 1 {
        parts.push(format!(
            "each under {} variants with the same draws",
            file.variants.len()
        ));
    }
    parts.push(format!("replicates vary: {}", file.replicates.varied()));
    parts.push(format!("seed {}", file.seed));
    parts.push(
        if file.twin {
            "beside twins"
        } else {
            "without twins"
        }
        .to_owned(),
    );
    parts.push(format!("intervals of {} %", 100.0 * file.confidence));
    parts.join(" · ")
}

fn unit(metric: &MetricFile) -> Unit {
    m::definition(&metric.metric).map_or(Unit::Ratio, |definition| definition.unit)
}

fn label(metric: &MetricFile, file: &ComparisonFile) -> String {
    match &metric.market {
        Some(market) if file.model.markets.len() > 1 => format!("{market} {}", metric.label),
        _ => metric.label.clone(),
    }
}

fn headline(file: &ComparisonFile) -> impl Iterator<Item = &MetricFile> {
    FRONTIER.iter().flat_map(move |definition: &&Definition| {
        let name = definition.name;
        file.metrics
            .iter()
            .filter(move |metric| metric.metric == name)
    })
}

fn interval(found: &EstimateFile, unit: Unit) -> String {
    let end = |value: Option<f64>| metrics::shown(value, unit, CURRENCY);
    format!("{} to {}", end(found.low), end(found.high))
}

/// Means of the baseline with their intervals.
fn cards(file: &ComparisonFile) -> Vec<Card> {
    headline(file)
        .filter_map(|metric| {
            let mean = metric.cells.first()?.mean?;
            let unit = unit(metric);
            let of = if file.variants.len() > 1 {
                ", baseline"
            } else {
                ""
            };
            Some(Card {
                label: format!("{}{of}", label(metric, file)),
                cell: Cell::number(human::number(mean.value, unit, CURRENCY), Some(mean.value))
                    .of_metric(&metric.metric, metric.market.as_deref())
                    .hint(&metric.text),
                beside: Some(format!("mean of replicates, {}", interval(&mean, unit))),
            })
        })
        .take(8)
        .collect()
}

/// How many numbers are better and worse under each variant.
fn verdicts(file: &ComparisonFile) -> Table {
    let count = |number: usize| Cell::number(number.to_string(), Some(number as f64));
    let rows = file.variants.iter().filter_map(|variant| {
        let found = variant.verdicts?;
        Some(vec![
            Cell::words(&variant.name),
            Cell::words(&variant.role),
            count(found.better).tone(Some("good")),
            count(found.worse).tone(Some("bad")),
            count(found.higher + found.lower),
            count(found.same),
            count(found.unclear),
        ])
    });
    Table {
        caption: format!(
            "Numbers by what their mean difference to {} says",
            file.variants
                .first()
                .map_or("the baseline", |v| v.name.as_str())
        ),
        head: vec![
            Head::words("Variant"),
            Head::words("Role"),
            Head::numbers("Better"),
            Head::numbers("Worse"),
            Head::numbers("Moved, neither"),
            Head::numbers("Same"),
            Head::numbers("Can't tell"),
        ],
        rows: rows.collect(),
        sortable: true,
        ..Table::default()
    }
}

/// In which settings the variants differ.
fn variants(file: &ComparisonFile) -> Table {
    let value = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| "–".to_owned(), settings::words)
    };
    let mut rows = Vec::new();
    for (place, variant) in file.variants.iter().enumerate() {
        if variant.changes.is_empty() {
            let same = if place == 0 {
                "the baseline"
            } else {
                "no setting"
            };
            rows.push(
                [variant.name.clone(), same.into(), "–".into(), "–".into()]
                    .map(Cell::words)
                    .into(),
            );
        }
        for change in &variant.changes {
            rows.push(
                [
                    variant.name.clone(),
                    change.path.clone(),
                    value(&change.from),
                    value(&change.to),
                ]
                .map(Cell::words)
                .into(),
            );
        }
    }
    Table {
        caption: "The variants, and in which settings they differ from the baseline".into(),
        head: ["Variant", "Setting", "Baseline", "Variant's"]
            .map(Head::words)
            .into(),
        rows,
        ..Table::default()
    }
}

/// What the markets start from.
fn inputs(file: &ComparisonFile) -> Table {
    let number =
        |value: Option<f64>, unit| Cell::number(metrics::shown(value, unit, CURRENCY), value);
    Table {
        caption: "Inputs".into(),
        head: vec![
            Head::words("Market"),
            Head::numbers("Price"),
            Head::numbers("Volatility, annualised"),
            Head::numbers("Fall of the outside price"),
            Head::numbers("Open interest"),
            Head::numbers("Bids within 1 %"),
            Head::numbers("Asks within 1 %"),
        ],
        rows: file
            .inputs
            .iter()
            .map(|input| {
                vec![
                    Cell::words(&input.market),
                    number(Some(input.price), Unit::Currency),
                    number(input.volatility, Unit::Share),
                    number(input.outside_fall, Unit::Share),
                    number(Some(input.open_interest), Unit::Currency),
                    number(Some(input.bid_depth), Unit::Currency),
                    number(Some(input.ask_depth), Unit::Currency),
                ]
            })
            .collect(),
        sortable: true,
        ..Table::default()
    }
}

fn tone(change: &ChangeFile) -> Option<&'static str> {
    match change.verdict.as_str() {
        "better" => Some("good"),
        "worse" => Some("bad"),
        _ => None,
    }
}

/// The headline numbers: the baseline's mean, and each variant's mean difference with its interval and verdict.
fn differences(file: &ComparisonFile) -> Vec<Block> {
    file.variants
        .iter()
        .enumerate()
        .skip(1)
        .map(|(place, variant)| {
            let rows = headline(file).filter_map(|metric| {
                let cell = metric.cells.get(place)?;
                let (change, mean) = (cell.change.as_ref()?, cell.mean?);
                let unit = unit(metric);
                let number = |value| human::number(value, unit, CURRENCY);
                let needed = change.needed.map(|n| n as f64);
                Some(vec![
                    Cell::words(label(metric, file)).hint(&metric.text),
                    Cell::number(number(mean.value), Some(mean.value))
                        .of_metric(&metric.metric, metric.market.as_deref())
                        .of(&variant.name),
                    Cell::number(number(change.mean.value), Some(change.mean.value)),
                    Cell::line(interval(&change.mean, unit)),
                    Cell::words(&change.verdict).tone(tone(change)),
                    Cell::words(&change.typical),
                    Cell::number(metrics::shown(needed, Unit::Count, CURRENCY), needed),
                ])
            });
            Block::Table(Table {
                caption: format!("{} less {}", variant.name, file.variants[0].name),
                head: vec![
                    Head::words("Metric"),
                    Head::numbers("Mean"),
                    Head::numbers("Mean difference"),
                    Head::numbers("Its interval"),
                    Head::words("Verdict"),
                    Head::words("Typical crash"),
                    Head::numbers("Replicates that would tell"),
                ],
                rows: rows.collect(),
                sortable: true,
                ..Table::default()
            })
        })
        .collect()
}

/// The numbers that risk firms report.
fn risks(file: &ComparisonFile) -> Table {
    type Pick = fn(&RiskFile) -> Option<EstimateFile>;
    let columns: [(&str, Unit, Pick); 6] = [
        ("VaR, 95 % of bad debt", Unit::Currency, |risk| {
            risk.value_at_risk
        }),
        ("99 % of bad debt", Unit::Currency, |risk| {
            risk.value_at_risk_99
        }),
        ("Expected loss", Unit::Currency, |risk| risk.expected_loss),
        ("LaR, 95 % of liquidations", Unit::Currency, |risk| {
            risk.liquidations_at_risk
        }),
        ("99 % of liquidations", Unit::Currency, |risk| {
            risk.liquidations_at_risk_99
        }),
        ("Runs beyond the fund", Unit::Share, |risk| risk.beyond_fund),
    ];
    let mut head = vec![Head::words("Variant")];
    for (name, _, _) in &columns {
        head.extend([Head::numbers(name), Head::numbers("Its interval")]);
    }
    let rows = file
        .variants
        .iter()
        .zip(&file.risks)
        .map(|(variant, risk)| {
            let mut row = vec![Cell::words(&variant.name)];
            for (_, unit, pick) in &columns {
                let found = pick(risk);
                let value = found.map(|found| found.value);
                row.push(Cell::number(metrics::shown(value, *unit, CURRENCY), value));
                row.push(Cell::line(
                    found.map_or_else(|| "–".to_owned(), |f| interval(&f, *unit)),
                ));
            }
            row
        });
    Table {
        caption: "Value and liquidations at risk, with intervals; an end that the sample is too small to give is a dash".into(),
        head,
        rows: rows.collect(),
        sortable: true,
        ..Table::default()
    }
}

fn worst(file: &ComparisonFile) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = file
        .worst
        .iter()
        .map(|worst| {
            let definition = m::definition(&worst.metric);
            let unit = definition.map_or(Unit::Ratio, |definition| definition.unit);
            vec![
                Cell::words(&worst.variant),
                Cell::number(worst.replicate.to_string(), Some(worst.replicate as f64)),
                Cell::words(definition.map_or(worst.metric.as_str(), |found| found.label)),
                Cell::number(
                    human::number(worst.value, unit, CURRENCY),
                    Some(worst.value),
                ),
                Cell::words(worst.kept.as_deref().unwrap_or("–")),
                Cell::words(&worst.replay),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| {
        Block::Table(Table {
            caption:
                "The worst runs, where they are kept whole, and the command that makes each again"
                    .into(),
            head: vec![
                Head::words("Variant"),
                Head::numbers("Replicate"),
                Head::words("By"),
                Head::numbers("Value"),
                Head::words("Kept in"),
                Head::words("Replay"),
            ],
            rows,
            sortable: true,
            ..Table::default()
        })
    })
}

/// Every metric: mean with its interval, and quantiles, for each variant.
fn numbers(file: &ComparisonFile) -> Vec<Block> {
    let mut groups: Vec<&str> = Vec::new();
    for metric in &file.metrics {
        if !groups.contains(&metric.group.as_str()) {
            groups.push(&metric.group);
        }
    }
    groups
        .into_iter()
        .filter_map(|group| {
            let mut rows = Vec::new();
            for metric in file.metrics.iter().filter(|metric| metric.group == group) {
                let unit = unit(metric);
                for (variant, cell) in file.variants.iter().zip(&metric.cells) {
                    let Some(mean) = cell.mean else {
                        continue;
                    };
                    let number = |found: Option<EstimateFile>| {
                        let value = found.map(|found| found.value);
                        Cell::number(metrics::shown(value, unit, CURRENCY), value)
                    };
                    rows.push(vec![
                        Cell::words(label(metric, file)).hint(&metric.text),
                        Cell::words(&variant.name),
                        number(Some(mean)),
                        Cell::line(interval(&mean, unit)),
                        number(cell.p05),
                        number(cell.p50),
                        number(cell.p95),
                        number(cell.p99),
                    ]);
                }
            }
            (!rows.is_empty()).then(|| {
                Block::Table(Table {
                    caption: group.to_owned(),
                    head: vec![
                        Head::words("Metric"),
                        Head::words("Variant"),
                        Head::numbers("Mean"),
                        Head::numbers("Its interval"),
                        Head::numbers("5 %"),
                        Head::numbers("Median"),
                        Head::numbers("95 %"),
                        Head::numbers("99 %"),
                    ],
                    rows,
                    sortable: true,
                    ..Table::default()
                })
            })
        })
        .collect()
}

fn failures(file: &ComparisonFile) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = file
        .failures
        .iter()
        .map(|failed| {
            vec![
                Cell::words(&failed.variant),
                Cell::number(failed.replicate.to_string(), Some(failed.replicate as f64)),
                Cell::words(&failed.message),
                Cell::words(&failed.replay),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| {
        Block::Table(Table {
            caption: "Runs that failed, and the command that replays each".into(),
            head: vec![
                Head::words("Variant"),
                Head::numbers("Replicate"),
                Head::words("Why"),
                Head::words("Replay"),
            ],
            rows,
            sortable: true,
            ..Table::default()
        })
    })
}
