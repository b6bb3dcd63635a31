//! The tables of a comparison, column by column.

use crate::experiment::Compared;
use crate::experiment::compare::judge::QUANTILES;
use crate::experiment::compare::{Cell as Found, Change, Estimate, Judged, Row};
use crate::math::Interval;
use crate::measure::Metric;
use crate::output::directory::{Directory, OutputError};
use crate::output::table::{Cell, Column, Format, Kind, Table};
use std::collections::BTreeMap;

/// One metric of one variant.
pub struct ChangeRow<'a> {
    variant: &'a str,
    row: &'a Row,
    found: &'a Found,
}

/// One metric of one run.
pub struct RunRow<'a> {
    variant: &'a str,
    replicate: u64,
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

type R<'a> = ChangeRow<'a>;

fn change_columns<'a>() -> Vec<Column<ChangeRow<'a>>> {
    use Kind::{Integer, Real, Text};
    let value = |name, meaning, get| Column::new(name, Real, METRIC, meaning, get).optional();
    let count = |name, meaning, get| Column::new(name, Integer, "count", meaning, get).optional();
    vec![
        Column::new("metric", Text, "name", "The metric.", |r: &R<'a>| {
            Cell::Text(r.row.definition.name)
        }),
        Column::new("unit", Text, "name", "The metric's unit.", |r: &R<'a>| {
            Cell::Text(r.row.definition.unit.name())
        }),
        Column::new(
            "direction",
            Text,
            "name",
            "Which way is better.",
            |r: &R<'a>| Cell::Text(r.row.definition.direction.name()),
        ),
        Column::new(
            "market",
            Text,
            "name",
            "The market, where it is measured for each.",
            |r: &R<'a>| text(r.row.market.as_deref()),
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
        value("mean", "Mean.", |r: &R<'a>| of(r.found.mean)),
        value(
            "mean_low",
            "Lower end of the mean's 95 % interval.",
            |r: &R<'a>| low(r.found.mean),
        ),
        value("mean_high", "Upper end of it.", |r: &R<'a>| {
            high(r.found.mean)
        }),
        value("deviation", "Standard deviation.", |r: &R<'a>| {
            real(r.found.deviation)
        }),
        value("p01", "The 1 % quantile.", |r: &R<'a>| of(quantile(r, 0))),
        value("p05", "The 5 % quantile.", |r: &R<'a>| of(quantile(r, 1))),
        value("median", "Median.", |r: &R<'a>| of(quantile(r, 2))),
        value(
            "median_low",
            "Lower end of the median's 95 % interval; absent where there are too few replicates to give it, as everywhere here.",
            |r: &R<'a>| low(quantile(r, 2)),
        ),
        value("median_high", "Upper end of it.", |r: &R<'a>| {
            high(quantile(r, 2))
        }),
        value("p95", "The 95 % quantile.", |r: &R<'a>| of(quantile(r, 3))),
        value("p95_low", "Lower end of its 95 % interval.", |r: &R<'a>| {
            low(quantile(r, 3))
        }),
        value("p95_high", "Upper end of it.", |r: &R<'a>| {
            high(quantile(r, 3))
        }),
        value("p99", "The 99 % quantile.", |r: &R<'a>| of(quantile(r, 4))),
        value("p99_low", "Lower end of its 95 % interval.", |r: &R<'a>| {
            low(quantile(r, 4))
        }),
        value("p99_high", "Upper end of it.", |r: &R<'a>| {
            high(quantile(r, 4))
        }),
        count(
            "pairs",
            "Replicates in which it has one under the baseline too.",
            |r: &R<'a>| counted(r, |change| change.count),
        ),
        value(
            "change_mean",
            "Mean of the differences to the baseline, replicate by replicate; adjusted for severity where severities are drawn and that narrows it.",
            |r: &R<'a>| of_change(r, |change| Some(change.mean)),
        ),
        value(
            "change_low",
            "Lower end of its 95 % interval.",
            |r: &R<'a>| of_change(r, |change| change.interval.low),
        ),
        value("change_high", "Upper end of it.", |r: &R<'a>| {
            of_change(r, |change| change.interval.high)
        }),
        value(
            "plain_mean",
            "Mean of the differences as they are, where that is another.",
            |r: &R<'a>| of_change(r, |change| Some(change.plain?.value)),
        ),
        value(
            "plain_low",
            "Lower end of its 95 % interval.",
            |r: &R<'a>| of_change(r, |change| change.plain?.interval.low),
        ),
        value("plain_high", "Upper end of it.", |r: &R<'a>| {
            of_change(r, |change| change.plain?.interval.high)
        }),
        value(
            "unpaired_low",
            "Lower end that the interval of the differences as they are would have with different draws under each variant.",
            |r: &R<'a>| of_change(r, |change| change.unpaired.low),
        ),
        value("unpaired_high", "Upper end of it.", |r: &R<'a>| {
            of_change(r, |change| change.unpaired.high)
        }),
        value(
            "change_deviation",
            "Standard deviation of the differences.",
            |r: &R<'a>| of_change(r, |change| change.deviation),
        ),
        value(
            "change_median",
            "Median of the differences.",
            |r: &R<'a>| of_change(r, |change| Some(change.median.value)),
        ),
        value(
            "change_p95",
            "The 95 % quantile less that of the baseline.",
            |r: &R<'a>| of_change(r, |change| Some(change.quantiles[0].value)),
        ),
        value(
            "change_p95_low",
            "Lower end of its 95 % interval.",
            |r: &R<'a>| of_change(r, |change| change.quantiles[0].interval.low),
        ),
        value("change_p95_high", "Upper end of it.", |r: &R<'a>| {
            of_change(r, |change| change.quantiles[0].interval.high)
        }),
        count(
            "lower",
            "Replicates in which it is less than under the baseline.",
            |r: &R<'a>| counted(r, |change| change.lower),
        ),
        count("higher", "Replicates in which it is more.", |r: &R<'a>| {
            counted(r, |change| change.higher)
        }),
        Column::new(
            "verdict",
            Text,
            "name",
            "What the mean of the differences says: better, worse, higher, lower, same or unclear.",
            |r: &R<'a>| said(r, |change| change.verdict.name()),
        )
        .optional(),
        Column::new(
            "typical",
            Text,
            "name",
            "What their median says: the typical crash.",
            |r: &R<'a>| said(r, |change| change.typical.name()),
        )
        .optional(),
        count(
            "needed",
            "About how many replicates would tell a mean difference of this size from none, four times out of five.",
            |r: &R<'a>| {
                let needed = r.found.change.as_ref().and_then(|change| change.needed);
                needed.map_or(Cell::Absent, |needed| Cell::Integer(needed as i64))
            },
        ),
    ]
}

const _: () = assert!(QUANTILES[2] == 0.5);

fn quantile(row: &ChangeRow<'_>, place: usize) -> Option<Estimate> {
    row.found.quantiles[place]
}
fn of(found: Option<Estimate>) -> Cell<'static> {
    real(found.map(|estimate| estimate.value))
}
fn end(found: Option<Estimate>, pick: fn(&Interval) -> Option<f64>) -> Cell<'static> {
    real(found.and_then(|estimate| pick(&estimate.interval)))
}
fn low(found: Option<Estimate>) -> Cell<'static> {
    end(found, |interval| interval.low)
}
fn high(found: Option<Estimate>) -> Cell<'static> {
    end(found, |interval| interval.high)
}
fn of_change(row: &ChangeRow<'_>, get: fn(&Change) -> Option<f64>) -> Cell<'static> {
    real(row.found.change.as_ref().and_then(get))
}
fn counted(row: &ChangeRow<'_>, get: fn(&Change) -> usize) -> Cell<'static> {
    row.found
        .change
        .as_ref()
        .map_or(Cell::Absent, |change| whole(get(change)))
}
fn said(row: &ChangeRow<'_>, get: fn(&Change) -> &'static str) -> Cell<'static> {
    text(row.found.change.as_ref().map(get))
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
            "The replicate.",
            |r: &R<'a>| Cell::Integer(r.replicate as i64),
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
pub fn units(kind: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    fn of<R>(columns: &[Column<R>]) -> BTreeMap<String, String> {
        columns
            .iter()
            .map(|column| (column.name.to_string(), column.unit.to_owned()))
            .collect()
    }
    BTreeMap::from([
        (kind.to_owned(), of(&change_columns())),
        ("runs".to_owned(), of(&run_columns())),
    ])
}

/// Writes `comparison` (or `ensemble`) and `runs`.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    compared: &Compared,
    judged: &Judged,
    metadata: &[(String, String)],
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    let cells: Vec<(usize, &Row)> = judged
        .rows
        .iter()
        .flat_map(|row| (0..row.cells.len()).map(move |variant| (variant, row)))
        .collect();
    let changes = Table {
        columns: change_columns(),
        rows: cells.len(),
        row: Box::new(|place| {
            let (variant, row) = cells[place];
            ChangeRow {
                variant: &compared.variants[variant].name,
                row,
                found: &row.cells[variant],
            }
        }),
    };
    changes.save(super::record::kind(compared), format, metadata, directory)?;
    let metrics = metrics(compared);
    runs(compared, &metrics).save("runs", format, metadata, directory)
}

/// A metric of a run: its variant, its replicate, and what it is.
type Measured<'a> = (usize, u64, &'a Metric);

/// Every metric of every run.
pub(super) fn metrics(compared: &Compared) -> Vec<Measured<'_>> {
    compared
        .runs
        .iter()
        .enumerate()
        .flat_map(|(variant, runs)| {
            (compared.first..)
                .zip(runs)
                .flat_map(move |(replicate, run)| {
                    let metrics = run.iter().flat_map(|summary| summary.metrics());
                    metrics.map(move |metric| (variant, replicate, metric))
                })
        })
        .collect()
}

/// The table of runs.
pub(super) fn runs<'a>(
    compared: &'a Compared,
    metrics: &'a [Measured<'a>],
) -> Table<'a, RunRow<'a>> {
    Table {
        columns: run_columns(),
        rows: metrics.len(),
        row: Box::new(|place| {
            let (variant, replicate, metric) = metrics[place];
            RunRow {
                variant: &compared.variants[variant].name,
                replicate,
                metric,
            }
        }),
    }
}
