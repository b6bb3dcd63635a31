//! The table `options`: gamma by price, implied volatility by strike, and one account's margin as prices move.
//!
//! Taken in each market that has options after the first step, and again where its mark was lowest.

use super::directory::{Directory, OutputError};
use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Format, Kind, Table, metadata};
use super::when::{self, Dated, When};
use crate::experiment::Finished;

/// What the moments are called, in the order of [`Finished::options`].
pub const MOMENTS: [&str; 2] = ["start", "lowest_mark"];
/// Names of the curves, and of the account's two.
pub const CURVES: [&str; 4] = ["gamma", "volatility", "equity", "maintenance"];

/// One point of a curve as its columns see it.
#[derive(Clone, Copy)]
pub struct PointView<'a> {
    when: When,
    market: &'a str,
    moment: &'static str,
    mark: f64,
    curve: &'static str,
    days: Option<f64>,
    at: f64,
    value: f64,
}

impl Dated for PointView<'_> {
    fn when(&self) -> When {
        self.when
    }
}

fn columns<'a>(dated: bool) -> Vec<Column<PointView<'a>>> {
    use Kind::{Real, Text};
    type V<'a> = PointView<'a>;
    let rest = vec![
        Column::new("market", Text, "name", "The market.", |v: &V<'a>| {
            Cell::Text(v.market)
        }),
        Column::new(
            "moment",
            Text,
            "name",
            "`start`, or `lowest_mark`.",
            |v: &V<'a>| Cell::Text(v.moment),
        ),
        Column::new(
            "mark_price",
            Real,
            "settlement_currency",
            "The mark then.",
            |v: &V<'a>| Cell::Real(v.mark),
        ),
        Column::new(
            "curve",
            Text,
            "name",
            "`gamma`, `volatility`, or `equity` and `maintenance` of the account with options that was closest to its requirement.",
            |v: &V<'a>| Cell::Text(v.curve),
        ),
        Column::new(
            "days",
            Real,
            "days",
            "Days to the expiry of a volatility.",
            |v: &V<'a>| v.days.map_or(Cell::Absent, Cell::Real),
        )
        .optional(),
        Column::new(
            "at",
            Real,
            "share",
            "Where the value holds, less one: price of a gamma and strike of a volatility over the mark, prices of the account's over what they were.",
            |v: &V<'a>| Cell::Real(v.at),
        ),
        Column::new(
            "value",
            Real,
            "by curve",
            "Change of hedgers' options' delta for a rise of 1 % in units of the base, implied volatility as a share, or settlement currency.",
            |v: &V<'a>| Cell::Real(v.value),
        ),
    ];
    let first = when::columns(dated, when::TAKEN);
    first.into_iter().chain(rest).collect()
}

/// The columns as text.
pub fn info() -> Vec<ColumnInfo> {
    columns(true).iter().map(Column::info).collect()
}

/// The curves of a run; no rows where it has no options.
pub fn table<'a>(finished: &'a Finished, provenance: &Provenance) -> Table<'a, PointView<'a>> {
    let frame = &finished.run.frame;
    let start = provenance.start;
    let mut points = Vec::new();
    for (shots, market) in finished.options.iter().zip(&frame.markets) {
        let factors = Factors::new(&market.grid);
        for (shot, name) in shots.iter().zip(MOMENTS) {
            let seconds = f64::from(shot.step) * frame.dt;
            let point = PointView {
                when: When::new(start, seconds, shot.step),
                market: &market.name,
                moment: name,
                mark: factors.tick.of(shot.mark),
                curve: "",
                days: None,
                at: 0.0,
                value: 0.0,
            };
            points.extend(shot.gamma.iter().map(|[mark, gamma]| PointView {
                curve: CURVES[0],
                at: mark / shot.mark - 1.0,
                value: factors.lot.of(gamma * 0.01 * mark),
                ..point
            }));
            for (expiry, smile) in &shot.smiles {
                points.extend(smile.iter().map(|[over, volatility]| PointView {
                    curve: CURVES[1],
                    days: Some((expiry - seconds) / 86_400.0),
                    at: over - 1.0,
                    value: *volatility,
                    ..point
                }));
            }
            let money = frame.quantum();
            for (place, curve) in [(1, CURVES[2]), (2, CURVES[3])] {
                let account = shot.margin.iter().flat_map(|(_, points)| points);
                points.extend(account.map(|row| PointView {
                    curve,
                    at: row[0],
                    value: row[place] * money,
                    ..point
                }));
            }
        }
    }
    Table {
        columns: columns(start.is_some()),
        rows: points.len(),
        row: Box::new(move |place| points[place]),
    }
}

/// Writes `options`, where there are any.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    finished: &Finished,
    provenance: &Provenance,
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    if finished.options.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let metadata = metadata(&finished.run, provenance);
    table(finished, provenance).save("options", format, &metadata, directory)
}
