//! The tables of a sweep, made from its points' files one after another: no more than a batch of points is in memory.

use super::record::PointFile;
use super::store::{Store, StoreError};
use crate::experiment::sweep::{Plan, Point, plan::Layout};
use crate::math::estimate::Moments;
use crate::math::quantile::quantile;
use crate::measure::{Definition, Metric, Summary, catalogue};
use crate::output::directory::{Directory, OutputError, Sink};
use crate::output::table::{Batches, Cell, Column, Format, Kind, ROW_GROUP, Table};
use std::collections::BTreeMap;
use std::io;

/// One metric of one point over its replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// What is measured.
    pub definition: &'static Definition,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// Replicates in which it has a finite value.
    pub count: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard error of the mean; none of fewer than two.
    pub error: Option<f64>,
    /// The 5 % quantile, the median, the 95 % quantile.
    pub quantiles: [Option<f64>; 3],
}

impl Spread {
    /// Every metric of a point.
    pub fn all(point: &PointFile) -> Vec<Self> {
        let of = |place: usize| {
            let values = point.runs.iter().filter_map(|run| run[place].0);
            let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
            let mut moments = Moments::default();
            values.iter().for_each(|value| moments.see(*value));
            values.sort_unstable_by(f64::total_cmp);
            let n = values.len();
            let name = &point.metrics[place];
            catalogue::definition(&name.0).map(|definition| Self {
                definition,
                market: name.1.clone(),
                count: n,
                mean: (n > 0).then(|| moments.mean()),
                error: (n > 1).then(|| (moments.variance() / n as f64).sqrt()),
                quantiles: [0.05, 0.5, 0.95].map(|p| quantile(&values, p)),
            })
        };
        (0..point.metrics.len()).filter_map(of).collect()
    }
}

/// A row for each point.
struct PointRow<'a> {
    point: Point,
    scenario_sha256: &'a str,
    replicates: u64,
}

/// A row for each metric of a point.
struct SpreadRow<'a> {
    point: &'a Point,
    spread: &'a Spread,
}

/// A row for each metric of a run.
struct RunRow<'a> {
    point: &'a Point,
    replicate: u64,
    metric: &'a Metric,
}

/// What has a point, and so a value on each axis.
trait AtPoint {
    fn point(&self) -> &Point;
}
impl AtPoint for PointRow<'_> {
    fn point(&self) -> &Point {
        &self.point
    }
}
impl AtPoint for SpreadRow<'_> {
    fn point(&self) -> &Point {
        self.point
    }
}
impl AtPoint for RunRow<'_> {
    fn point(&self) -> &Point {
        self.point
    }
}

const METRIC: &str = "the metric's unit";

fn real(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Absent, Cell::Real)
}

fn text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Absent, Cell::Text)
}

/// The point's number, and a column for each axis under the setting's own path.
fn place_columns<R: AtPoint>(plan: &Plan) -> Vec<Column<R>> {
    let mut columns = vec![Column::new(
        "point",
        Kind::Integer,
        "count",
        "The point's number, counted from 0.",
        |row: &R| Cell::Integer(row.point().id as i64),
    )];
    for (place, axis) in plan.axes.iter().enumerate() {
        let (unit, meaning) = (
            "the setting's unit",
            "The value of the setting of this name.",
        );
        columns.push(if axis.is_numeric() {
            Column::placed(
                &axis.path,
                Kind::Real,
                unit,
                meaning,
                place,
                |row: &R, place| real(row.point().settings[place].1.parse().ok()),
            )
        } else {
            Column::placed(
                &axis.path,
                Kind::Text,
                unit,
                meaning,
                place,
                |row: &R, place| Cell::Text(&row.point().settings[place].1),
            )
        });
    }
    columns
}

fn point_columns<'a>(plan: &Plan) -> Vec<Column<PointRow<'a>>> {
    type R<'a> = PointRow<'a>;
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new(
            "seed",
            Kind::Integer,
            "count",
            "Seed of the point's runs.",
            |r: &R<'a>| Cell::Integer(r.point.seed as i64),
        ),
        Column::new(
            "replicates",
            Kind::Integer,
            "count",
            "How many runs the point has, each under a replicate of the seed.",
            |r: &R<'a>| Cell::Integer(r.replicates as i64),
        ),
        Column::new(
            "scenario_sha256",
            Kind::Text,
            "name",
            "Hash of the scenario that was run.",
            |r: &R<'a>| Cell::Text(r.scenario_sha256),
        ),
    ]);
    columns
}

fn spread_columns<'a>(plan: &Plan) -> Vec<Column<SpreadRow<'a>>> {
    use Kind::{Integer, Real, Text};
    type R<'a> = SpreadRow<'a>;
    let value = |name, meaning, get| Column::new(name, Real, METRIC, meaning, get).optional();
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new("metric", Text, "name", "The metric.", |r: &R<'a>| {
            Cell::Text(r.spread.definition.name)
        }),
        Column::new("unit", Text, "name", "The metric's unit.", |r: &R<'a>| {
            Cell::Text(r.spread.definition.unit.name())
        }),
        Column::new(
            "direction",
            Text,
            "name",
            "Which way is better.",
            |r: &R<'a>| Cell::Text(r.spread.definition.direction.name()),
        ),
        Column::new(
            "market",
            Text,
            "name",
            "The market, where it is measured for each.",
            |r: &R<'a>| text(r.spread.market.as_deref()),
        )
        .optional(),
        Column::new(
            "count",
            Integer,
            "count",
            "Replicates in which the metric has a finite value.",
            |r: &R<'a>| Cell::Integer(r.spread.count as i64),
        ),
        value("mean", "Mean.", |r: &R<'a>| real(r.spread.mean)),
        value("error", "Standard error of the mean.", |r: &R<'a>| {
            real(r.spread.error)
        }),
        value("p05", "The 5 % quantile.", |r: &R<'a>| {
            real(r.spread.quantiles[0])
        }),
        value("median", "Median.", |r: &R<'a>| real(r.spread.quantiles[1])),
        value("p95", "The 95 % quantile.", |r: &R<'a>| {
            real(r.spread.quantiles[2])
        }),
    ]);
    columns
}

fn run_columns<'a>(plan: &Plan) -> Vec<Column<RunRow<'a>>> {
    use Kind::{Integer, Real, Text};
    type R<'a> = RunRow<'a>;
    let mut columns = place_columns(plan);
    columns.extend([
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
    ]);
    columns
}

/// The unit of every column, by table.
pub fn units(plan: &Plan) -> BTreeMap<String, BTreeMap<String, String>> {
    fn of<R>(columns: &[Column<R>]) -> BTreeMap<String, String> {
        columns
            .iter()
            .map(|column| (column.name.to_string(), column.unit.to_owned()))
            .collect()
    }
    BTreeMap::from([
        ("points".to_owned(), of(&point_columns(plan))),
        ("sweep".to_owned(), of(&spread_columns(plan))),
        ("runs".to_owned(), of(&run_columns(plan))),
    ])
}

/// What the tables are made from.
pub struct Source<'a> {
    /// The sweep's directory.
    pub store: &'a Store,
    /// Its points' settings.
    pub layout: &'a Layout<'a>,
    /// The points that were run, in order.
    pub done: &'a [u64],
    /// What every file says of itself.
    pub metadata: &'a [(String, String)],
    /// How tables are written.
    pub format: Format,
}

impl Source<'_> {
    /// Reads the points one by one, and hands them over in batches of about so many rows.
    fn batches(
        &self,
        rows: impl Fn(&PointFile) -> usize,
        mut take: impl FnMut(&[(Point, PointFile)]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (mut batch, mut size) = (Vec::new(), 0);
        for point in self.done {
            let read = self.store.read(*point, self.layout);
            let read = read.map_err(|error: StoreError| io::Error::other(error.to_string()))?;
            size += rows(&read);
            batch.push((self.layout.point(*point), read));
            if size >= ROW_GROUP / 4 {
                take(&batch)?;
                batch.clear();
                size = 0;
            }
        }
        if batch.is_empty() {
            Ok(())
        } else {
            take(&batch)
        }
    }

    fn file<R>(
        &self,
        name: &str,
        columns: &[Column<R>],
        directory: &mut Directory,
        fill: impl FnOnce(&mut Batches<&mut Sink>) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        let file = format!("{name}.{}", self.format.extension());
        directory.write(&file, |out| {
            let mut batches = Batches::start(self.format, columns, self.metadata, out)?;
            fill(&mut batches)?;
            batches.finish()
        })
    }
}

/// Writes `points`, `sweep` and `runs`.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(source: &Source<'_>, directory: &mut Directory) -> Result<(), OutputError> {
    let plan = &source.store.plan().sweep;
    source.file("points", &point_columns(plan), directory, |file| {
        source.batches(
            |_| 1,
            |batch| {
                file.add(&Table {
                    columns: point_columns(plan),
                    rows: batch.len(),
                    row: Box::new(|place| {
                        let (point, read) = &batch[place];
                        PointRow {
                            point: point.clone(),
                            scenario_sha256: &read.scenario_sha256,
                            replicates: read.runs.len() as u64,
                        }
                    }),
                })
            },
        )
    })?;
    source.file("sweep", &spread_columns(plan), directory, |file| {
        source.batches(
            |read| read.metrics.len(),
            |batch| {
                let spreads: Vec<(&Point, Spread)> = batch
                    .iter()
                    .flat_map(|(point, read)| {
                        Spread::all(read)
                            .into_iter()
                            .map(move |spread| (point, spread))
                    })
                    .collect();
                file.add(&Table {
                    columns: spread_columns(plan),
                    rows: spreads.len(),
                    row: Box::new(|place| SpreadRow {
                        point: spreads[place].0,
                        spread: &spreads[place].1,
                    }),
                })
            },
        )
    })?;
    source.file("runs", &run_columns(plan), directory, |file| {
        source.batches(
            |read| read.metrics.len() * read.runs.len(),
            |batch| {
                let summaries: Vec<(&Point, u64, Summary)> = batch
                    .iter()
                    .flat_map(|(point, read)| {
                        let numbered = (plan.replicate..).zip(read.summaries());
                        numbered.map(move |(replicate, summary)| (point, replicate, summary))
                    })
                    .collect();
                let metrics: Vec<(&Point, u64, &Metric)> = summaries
                    .iter()
                    .flat_map(|(point, replicate, summary)| {
                        let metrics = summary.metrics().iter();
                        metrics.map(move |metric| (*point, *replicate, metric))
                    })
                    .collect();
                file.add(&Table {
                    columns: run_columns(plan),
                    rows: metrics.len(),
                    row: Box::new(|place| {
                        let (point, replicate, metric) = metrics[place];
                        RunRow {
                            point,
                            replicate,
                            metric,
                        }
                    }),
                })
            },
        )
    })
}
