//! The tables of a comparison, column by column.

use crate::experiment::Compared;
use crate::experiment::compare::{Cell as Found, Change};
use crate::measure::{DEFINITIONS, Metric};
use crate::output::directory::{Directory, OutputError};
use crate::output::table::{Cell, Column, Format, Kind, Table};
use std::collections::BTreeMap;

/// One metric of one variant.
pub struct ChangeRow<'a> {
    variant: &'a str,
    found: &'a Found,
}

/// One metric of one run.
pub struct RunRow<'a> {
    variant: &'a str,
    replicate: usize,
    metric: &'a Metric,
}

fn real(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Absent, Cell::Real)
}
fn whole(value: usize) -> Cell<'static> {
    Cell::Integer(value as i64)
}
fn text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Absent, Cell::Text)
}

const METRIC: &str = "the metric's unit";

fn change_columns<'a>() -> Vec<Column<ChangeRow<'a>>> {
    use Kind::{Integer, Real, Text};
    type R<'a> = ChangeRow<'a>;
    let change = |name, meaning, get| Column::new(name, Real, METRIC, meaning, get).optional();
    vec![
        Column::new("metric", Text, "name", "The metric.", |r: &R<'a>| {
            Cell::Text(r.found.definition.name)
        }),
        Column::new("unit", Text, "name", "The metric's unit.", |r: &R<'a>| {
            Cell::Text(r.found.definition.unit.name())
        }),
        Column::new(
            "direction",
            Text,
            "name",
            "Which way is better.",
            |r: &R<'a>| Cell::Text(r.found.definition.direction.name()),
        ),
        Column::new(
            "market",
            Text,
            "name",
            "The market, where it is measured for each.",
            |r: &R<'a>| text(r.found.market.as_deref()),
        )
        .optional(),
        Column::new("variant", Text, "name", "The variant.", |r: &R<'a>| {
            Cell::Text(r.variant)
        }),
        Column::new(
            "count",
            Integer,
            "count",
            "Replicates in which the metric has a finite value.",
            |r: &R<'a>| whole(r.found.count),
        ),
        change("mean", "Mean.", |r: &R<'a>| real(r.found.mean)),
        change("median", "Median.", |r: &R<'a>| real(r.found.median)),
        Column::new(
            "pairs",
            Integer,
            "count",
            "Replicates in which it has one under the baseline too.",
            |r: &R<'a>| r.found.change.map_or(Cell::Absent, |c| whole(c.count)),
        )
        .optional(),
        change(
            "change_mean",
            "Mean of the differences to the baseline, replicate by replicate.",
            |r: &R<'a>| of_change(r, |change| Some(change.mean)),
        ),
        change(
            "change_median",
            "Median of the differences to the baseline.",
            |r: &R<'a>| of_change(r, |change| Some(change.median)),
        ),
        change(
            "change_error",
            "Standard error of the mean of the differences.",
            |r: &R<'a>| of_change(r, |change| change.error),
        ),
        change(
            "unpaired_error",
            "What that error would be with different draws under each variant.",
            |r: &R<'a>| of_change(r, |change| change.unpaired),
        ),
    ]
}

fn of_change(row: &ChangeRow<'_>, get: fn(&Change) -> Option<f64>) -> Cell<'static> {
    real(row.found.change.as_ref().and_then(get))
}

fn run_columns<'a>() -> Vec<Column<RunRow<'a>>> {
    use Kind::{Integer, Real, Text};
    type R<'a> = RunRow<'a>;
    vec![
        Column::new("variant", Text, "name", "The variant.", |r: &R<'a>| {
            Cell::Text(r.variant)
        }),
        Column::new(
            "replicate",
            Integer,
            "count",
            "The replicate, counted from the scenario's own.",
            |r: &R<'a>| whole(r.replicate),
        ),
        Column::new("metric", Text, "name", "The metric.", |r: &R<'a>| {
            Cell::Text(r.metric.definition.name)
        }),
        Column::new(
            "market",
            Text,
            "name",
            "The market, where it is measured for each.",
            |r: &R<'a>| text(r.metric.market.as_deref()),
        )
        .optional(),
        Column::new("value", Real, METRIC, "Its value.", |r: &R<'a>| {
            real(r.metric.value)
        })
        .optional(),
    ]
}

/// The unit of every column, by table.
pub fn units() -> BTreeMap<String, BTreeMap<String, String>> {
    fn of<R>(columns: &[Column<R>]) -> BTreeMap<String, String> {
        columns
            .iter()
            .map(|column| (column.name.to_string(), column.unit.to_owned()))
            .collect()
    }
    BTreeMap::from([
        ("comparison".to_owned(), of(&change_columns())),
        ("runs".to_owned(), of(&run_columns())),
    ])
}

/// Writes `comparison` and `runs`.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    compared: &Compared,
    metadata: &[(String, String)],
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    let cells: Vec<Found> = DEFINITIONS
        .iter()
        .flat_map(|definition| compared.cells(definition))
        .collect();
    let changes = Table {
        columns: change_columns(),
        rows: cells.len(),
        row: Box::new(|place| ChangeRow {
            variant: &compared.variants[cells[place].variant],
            found: &cells[place],
        }),
    };
    changes.save("comparison", format, metadata, directory)?;
    let metrics: Vec<(usize, usize, &Metric)> = compared
        .runs
        .iter()
        .enumerate()
        .flat_map(|(variant, runs)| {
            runs.iter()
                .enumerate()
                .flat_map(move |(replicate, summary)| {
                    let metrics = summary.metrics().iter();
                    metrics.map(move |metric| (variant, replicate, metric))
                })
        })
        .collect();
    let runs = Table {
        columns: run_columns(),
        rows: metrics.len(),
        row: Box::new(|place| {
            let (variant, replicate, metric) = metrics[place];
            RunRow {
                variant: &compared.variants[variant],
                replicate,
                metric,
            }
        }),
    };
    runs.save("runs", format, metadata, directory)
}
