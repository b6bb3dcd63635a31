//! What waits to be liquidated, and where, from time to time: a table, where looks were asked for.

use super::directory::{Directory, OutputError};
use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Format, Kind, Table, metadata};
use crate::engine::Rung;
use crate::experiment::Finished;

/// One distance at one look as its columns see it.
pub struct WaitingView<'a> {
    seconds: f64,
    market: &'a str,
    mark: f64,
    factors: Factors,
    rung: &'a Rung,
}

fn columns<'a>() -> Vec<Column<WaitingView<'a>>> {
    use Kind::{Real, Text};
    type V<'a> = WaitingView<'a>;
    vec![
        Column::new(
            "seconds",
            Real,
            "seconds",
            "When it was looked at, since the start.",
            |v: &V<'a>| Cell::Real(v.seconds),
        ),
        Column::new("market", Text, "name", "The market.", |v: &V<'a>| {
            Cell::Text(v.market)
        }),
        Column::new(
            "mark_price",
            Real,
            "settlement_currency",
            "The mark then.",
            |v: &V<'a>| Cell::Real(v.factors.tick.of(v.mark)),
        ),
        Column::new(
            "distance",
            Real,
            "share",
            "Distance from the mark.",
            |v: &V<'a>| Cell::Real(v.rung.distance),
        ),
        Column::new(
            "forced_sells",
            Real,
            "base",
            "What a fall of the distance would have sold by force.",
            |v: &V<'a>| Cell::Real(v.factors.quantity(v.rung.forced_sells)),
        ),
        Column::new(
            "forced_buys",
            Real,
            "base",
            "What a rise of the distance would have bought by force.",
            |v: &V<'a>| Cell::Real(v.factors.quantity(v.rung.forced_buys)),
        ),
    ]
}

/// Names, units and meanings of the columns of `waiting`.
pub fn info() -> Vec<ColumnInfo> {
    columns().iter().map(Column::info).collect()
}

/// What waited in a run; nothing where nobody looked.
pub fn table(finished: &Finished) -> Option<Table<'_, WaitingView<'_>>> {
    let frame = &finished.run.frame;
    let rungs: Vec<(usize, usize, &Rung)> = finished
        .looks
        .iter()
        .enumerate()
        .flat_map(|(market, looks)| {
            looks.iter().enumerate().flat_map(move |(look, shot)| {
                let rungs = shot.rungs.iter();
                rungs.map(move |rung| (market, look, rung))
            })
        })
        .collect();
    (!rungs.is_empty()).then(|| Table {
        columns: columns(),
        rows: rungs.len(),
        row: Box::new(move |place| {
            let (market, look, rung) = rungs[place];
            let shot = &finished.looks[market][look];
            WaitingView {
                seconds: f64::from(shot.step) * frame.dt,
                market: &frame.markets[market].name,
                mark: shot.mark,
                factors: Factors::new(&frame.markets[market].grid),
                rung,
            }
        }),
    })
}

/// Writes `waiting`, where there were looks.
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
    match table(finished) {
        Some(table) => {
            let metadata = metadata(&finished.run, provenance);
            table.save("waiting", format, &metadata, directory)
        }
        None => Ok(()),
    }
}
