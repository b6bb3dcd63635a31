//! The table of ladders: what a move of each distance would force, against the depth that it would meet.
//!
//! Taken in each market at the start, and before the step whose reproduction number was the highest.

use super::directory::{Directory, OutputError};
use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Format, Kind, Table, metadata};
use super::when::{self, Dated, When};
use crate::engine::Rung;
use crate::experiment::Finished;

/// What the moments are called, in the order of [`Finished::ladders`].
pub const MOMENTS: [&str; 2] = ["start", "highest_reproduction"];

/// One rung as its columns see it.
pub struct RungView<'a> {
    when: When,
    market: &'a str,
    moment: &'static str,
    mid: f64,
    factors: Factors,
    rung: &'a Rung,
}

impl Dated for RungView<'_> {
    fn when(&self) -> When {
        self.when
    }
}

fn columns<'a>(dated: bool) -> Vec<Column<RungView<'a>>> {
    use Kind::{Real, Text};
    type V<'a> = RungView<'a>;
    let quantity = |name, meaning, get| Column::new(name, Real, "base", meaning, get);
    let rest = vec![
        Column::new("market", Text, "name", "The market.", |v: &V<'a>| {
            Cell::Text(v.market)
        }),
        Column::new(
            "moment",
            Text,
            "name",
            "`start`, or `highest_reproduction`.",
            |v: &V<'a>| Cell::Text(v.moment),
        ),
        Column::new(
            "mid_price",
            Real,
            "settlement_currency",
            "Midpoint of the venue's quote then.",
            |v: &V<'a>| Cell::Real(v.factors.tick.of(v.mid)),
        ),
        Column::new(
            "distance",
            Real,
            "share",
            "Distance from the mid.",
            |v: &V<'a>| Cell::Real(v.rung.distance),
        ),
        quantity("bids", "Bids within the distance.", |v: &V<'a>| {
            Cell::Real(v.factors.quantity(v.rung.bids))
        }),
        quantity("asks", "Asks within the distance.", |v: &V<'a>| {
            Cell::Real(v.factors.quantity(v.rung.asks))
        }),
        quantity(
            "forced_sells",
            "What a fall of the distance would have sold by force.",
            |v: &V<'a>| Cell::Real(v.factors.quantity(v.rung.forced_sells)),
        ),
        quantity(
            "forced_buys",
            "What a rise of the distance would have bought by force.",
            |v: &V<'a>| Cell::Real(v.factors.quantity(v.rung.forced_buys)),
        ),
    ];
    let first = when::columns(dated, when::TAKEN);
    first.into_iter().chain(rest).collect()
}

/// The columns as text.
pub fn info() -> Vec<ColumnInfo> {
    columns(true).iter().map(Column::info).collect()
}

/// The ladders of a run.
pub fn table<'a>(finished: &'a Finished, provenance: &Provenance) -> Table<'a, RungView<'a>> {
    let frame = &finished.run.frame;
    let start = provenance.start;
    let rungs: Vec<(usize, usize, &Rung)> = finished
        .ladders
        .iter()
        .enumerate()
        .flat_map(|(market, shots)| {
            shots.iter().enumerate().flat_map(move |(moment, shot)| {
                let rungs = shot.rungs.iter();
                rungs.map(move |rung| (market, moment, rung))
            })
        })
        .collect();
    Table {
        columns: columns(start.is_some()),
        rows: rungs.len(),
        row: Box::new(move |place| {
            let (market, taken, rung) = rungs[place];
            let shot = &finished.ladders[market][taken];
            // Before its step: at the end of the step before, or at the very start.
            let seconds = f64::from(shot.step) * frame.dt;
            RungView {
                when: When::new(start, seconds, shot.step),
                market: &frame.markets[market].name,
                moment: MOMENTS[taken],
                mid: shot.mid,
                factors: Factors::new(&frame.markets[market].grid),
                rung,
            }
        }),
    }
}

/// Writes `ladder`.
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
    let metadata = metadata(&finished.run, provenance);
    table(finished, provenance).save("ladder", format, &metadata, directory)
}
