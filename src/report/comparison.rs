//! The page of a comparison: from its table, whose columns it takes as far as they are there.

use super::page::{Block, Card, Cell, Head, Page, Section, Table};
use super::{ReportError, figures, metrics, run, settings, unmodelled};
use crate::measure::{Definition, Group, Unit, catalogue as m};
use crate::output::compare::terminal::FRONTIER;
use crate::output::exhibit::Source;
use crate::output::frame::{Frame, Wanted};
use crate::output::human;
use serde_json::Value;

const CURRENCY: &str = "USD";

const WANTED: Wanted<'static> = Wanted {
    words: &["metric", "market", "variant", "verdict"],
    numbers: &[
        "count",
        "mean",
        "mean_low",
        "mean_high",
        "median",
        "p95",
        "p99",
        "change_mean",
        "change_low",
        "change_high",
        "change_error",
        "unpaired_error",
        "needed",
    ],
};

/// One metric of one variant.
struct Found<'a> {
    row: usize,
    definition: &'static Definition,
    market: Option<&'a str>,
    variant: &'a str,
}

/// The table as it was written.
struct Compared<'a> {
    frame: &'a Frame,
    rows: Vec<Found<'a>>,
    variants: Vec<&'a str>,
    several: bool,
}

impl<'a> Compared<'a> {
    fn of(frame: &'a Frame, source: &Source) -> Result<Self, ReportError> {
        let (metric, market) = (frame.words("metric")?, frame.words("market")?);
        let variant = frame.words("variant")?;
        let rows = (0..metric.len()).filter_map(|row| {
            Some(Found {
                row,
                definition: m::definition(metric.get(row)?)?,
                market: market.get(row),
                variant: variant.get(row)?,
            })
        });
        Ok(Self {
            frame,
            rows: rows.collect(),
            variants: variant.names().iter().map(String::as_str).collect(),
            several: source.manifest.model.markets.len() > 1,
        })
    }
    /// A number of a row, where the table has the column and the row a value.
    fn number(&self, column: &str, row: usize) -> Option<f64> {
        let numbers = self.frame.numbers(column).ok()?;
        numbers.get(row).copied().filter(|number| !number.is_nan())
    }
    /// The interval of a row's number: between two columns, or two standard errors to either side.
    fn interval(&self, of: &str, row: usize, unit: Unit) -> Option<String> {
        let ends = match self.number(&format!("{of}_low"), row) {
            Some(low) => (low, self.number(&format!("{of}_high"), row)?),
            None => {
                let middle = self.number(&format!("{of}_mean"), row)?;
                let error = self.number(&format!("{of}_error"), row)?;
                (middle - 2.0 * error, middle + 2.0 * error)
            }
        };
        let number = |value| human::number(value, unit, CURRENCY);
        Some(format!("{} to {}", number(ends.0), number(ends.1)))
    }
    fn of_variant(&self, variant: &'a str) -> impl Iterator<Item = &Found<'a>> {
        self.rows
            .iter()
            .filter(move |found| found.variant == variant)
    }
    fn label(&self, found: &Found<'_>) -> String {
        metrics::label(found.definition, found.market, self.several)
    }
}

/// Puts it together.
pub(super) fn page(source: &Source) -> Result<Page, ReportError> {
    let frame = match Frame::read_if_there(source.path(), "comparison", WANTED)? {
        Some(frame) => frame,
        None => Frame::read(source.path(), "ensemble", WANTED)?,
    };
    let compared = Compared::of(&frame, source)?;
    let exhibits = source.exhibits()?;
    let manifest = &source.manifest;
    let asked = &manifest.scenario["compare"];
    let baseline = compared.variants.first().copied().unwrap_or_default();
    let scenario = &asked["variants"][baseline];
    let replicates = asked["replicates"].as_u64().unwrap_or_default();
    let title = scenario["title"].as_str().unwrap_or(&manifest.name);
    Ok(Page {
        of: "Comparison".into(),
        title: title.to_owned(),
        lead: format!(
            "{replicates} crashes · each under {} with the same draws · baseline {baseline} · seed {}",
            compared.variants.join(", "),
            manifest.seed
        ),
        warning: None,
        sections: vec![
            Section::new("short", "In short").with(Block::Cards(cards(&compared, baseline))),
            Section::new("charts", "What it shows")
                .with_all(figures::figures(&exhibits, |_| true)?)
                .with_all(figures::others(source, &exhibits)),
            Section::new("differences", "Differences to the baseline")
                .with_all(differences(&compared)),
            Section::new("asked", "What was asked").with_all(settings::blocks(scenario, &manifest.model)),
            Section::new("numbers", "Every number").with_all(numbers(&compared)),
            Section::new("not-modelled", "What is not modelled")
                .with(Block::List(unmodelled::points())),
            Section::new("again", "How to make it again")
                .with(Block::Text(
                    "The manifest holds every variant with every default resolved. With the scenario's and the rules' files:".into(),
                ))
                .with(Block::Code(command(asked, manifest.seed)))
                .with_all(run::files(source)),
        ],
        version: manifest.version.clone(),
    })
}

fn command(asked: &Value, seed: u64) -> String {
    let order = asked["order"].as_array().into_iter().flatten();
    let rules: Vec<String> = order
        .filter_map(Value::as_str)
        .filter(|name| *name != "scenario")
        .map(|name| format!(" --rule {name}.toml"))
        .collect();
    let replicates = &asked["replicates"];
    format!(
        "deleverage compare scenario.toml{} --replicates {replicates} --seed {seed}",
        rules.concat()
    )
}

/// Whether a metric is one of those that matter most.
fn leads(definition: &Definition) -> bool {
    FRONTIER
        .iter()
        .any(|leading| leading.name == definition.name)
}

/// The baseline's medians.
fn cards(compared: &Compared<'_>, baseline: &str) -> Vec<Card> {
    let own = compared
        .rows
        .iter()
        .filter(|found| found.variant == baseline);
    own.filter(|found| leads(found.definition))
        .filter_map(|found| {
            let unit = found.definition.unit;
            let median = compared.number("median", found.row)?;
            let mean = compared.number("mean", found.row)?;
            let mut beside = format!("mean {}", human::number(mean, unit, CURRENCY));
            if let Some(interval) = compared.interval("mean", found.row, unit) {
                beside += &format!(" ({interval})");
            }
            Some(Card {
                label: format!("{}, median", compared.label(found)),
                cell: Cell::number(human::number(median, unit, CURRENCY), Some(median))
                    .hint(found.definition.text),
                beside: Some(beside),
            })
        })
        .take(8)
        .collect()
}

/// What matters most, for each variant: its mean, and the mean difference with its interval.
fn differences(compared: &Compared<'_>) -> Vec<Block> {
    let others = compared.variants.iter().skip(1);
    others
        .map(|variant| {
            let rows = compared
                .of_variant(variant)
                .filter(|found| leads(found.definition));
            let rows = rows.filter_map(|found| {
                let definition = found.definition;
                let number = |value| metrics::shown(value, definition.unit, CURRENCY);
                let mean = compared.number("mean", found.row);
                let change = compared.number("change_mean", found.row)?;
                let interval = compared.interval("change", found.row, definition.unit);
                let (verdict, tone) = verdict(compared, found, change);
                Some(vec![
                    Cell::words(compared.label(found)).hint(definition.text),
                    Cell::number(number(mean), mean)
                        .of_metric(definition.name, found.market)
                        .of(variant),
                    Cell::number(number(Some(change)), Some(change)),
                    Cell::line(interval.unwrap_or_else(|| "–".to_owned())),
                    Cell::words(verdict).tone(tone),
                ])
            });
            Block::Table(Table {
                caption: format!("{variant} less {}", compared.variants[0]),
                head: vec![
                    Head::words("Metric"),
                    Head::numbers("Mean"),
                    Head::numbers("Mean difference"),
                    Head::numbers("Its interval"),
                    Head::words("Verdict"),
                ],
                rows: rows.collect(),
                sortable: true,
                ..Table::default()
            })
        })
        .collect()
}

/// What a difference says: the table's own word, or whether it is more than two standard errors from none.
fn verdict(
    compared: &Compared<'_>,
    found: &Found<'_>,
    change: f64,
) -> (String, Option<&'static str>) {
    use crate::measure::Direction;
    let told = compared.frame.words("verdict").ok();
    let word = match told.and_then(|words| words.get(found.row)) {
        Some(word) => word.to_owned(),
        None => {
            let error = compared
                .number("change_error", found.row)
                .unwrap_or(f64::INFINITY);
            let less = change < 0.0;
            match found.definition.direction {
                _ if change == 0.0 => "same",
                _ if change.abs() <= 2.0 * error => "can't tell",
                Direction::Neutral if less => "lower",
                Direction::Neutral => "higher",
                Direction::Lower if less => "better",
                Direction::Higher if !less => "better",
                _ => "worse",
            }
            .to_owned()
        }
    };
    let tone = match word.as_str() {
        "better" => Some("good"),
        "worse" => Some("bad"),
        _ => None,
    };
    (word, tone)
}

/// Every metric of every variant, a table a heading.
fn numbers(compared: &Compared<'_>) -> Vec<Block> {
    let mut groups: Vec<Group> = compared
        .rows
        .iter()
        .map(|found| found.definition.group)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    let columns: Vec<(&str, &str)> = [
        ("mean", "Mean"),
        ("median", "Median"),
        ("p95", "95 %"),
        ("p99", "99 %"),
        ("change_mean", "Mean difference"),
    ]
    .into_iter()
    .filter(|(column, _)| compared.frame.has(column))
    .collect();
    let mut head = vec![Head::words("Metric"), Head::words("Variant")];
    head.extend(columns.iter().map(|(_, title)| Head::numbers(title)));
    groups
        .into_iter()
        .filter_map(|group| {
            let rows = compared
                .rows
                .iter()
                .filter(|found| found.definition.group == group);
            let rows: Vec<Vec<Cell>> = rows
                .filter(|found| compared.number("mean", found.row).is_some())
                .map(|found| {
                    let mut row = vec![
                        Cell::words(compared.label(found)).hint(found.definition.text),
                        Cell::words(found.variant),
                    ];
                    row.extend(columns.iter().map(|(column, _)| {
                        let value = compared.number(column, found.row);
                        Cell::number(
                            metrics::shown(value, found.definition.unit, CURRENCY),
                            value,
                        )
                    }));
                    row
                })
                .collect();
            (!rows.is_empty()).then(|| {
                Block::Table(Table {
                    caption: group.title().to_owned(),
                    head: head.clone(),
                    rows,
                    sortable: true,
                    ..Table::default()
                })
            })
        })
        .collect()
}
