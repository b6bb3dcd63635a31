//! The columns with which every table of a run's moments begins: date where the run has one, seconds since the start, step.

use super::table::{Cell, Column, Kind};

/// When a row is.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    date: Cell<'static>,
    seconds: f64,
    step: u32,
}

impl When {
    /// So many seconds after a start, which may have a date.
    pub(super) fn new(start: Option<jiff::Timestamp>, seconds: f64, step: u32) -> Self {
        let date = start.map_or(Cell::Absent, |start| {
            Cell::Integer(start.as_microsecond() + (seconds * 1e6).round() as i64)
        });
        Self {
            date,
            seconds,
            step,
        }
    }
}

/// A row that is of a moment.
pub(super) trait Dated {
    /// Which.
    fn when(&self) -> When;
}

/// What the columns mean: date, seconds, step.
pub(super) type Words = [&'static str; 3];

/// The end of a step.
pub(super) const END_OF_STEP: Words = [
    "End of the step.",
    "End of the step, since the start.",
    "The step, from 0.",
];
/// A moment between two steps.
pub(super) const TAKEN: Words = [
    "When it was taken.",
    "When it was taken, since the start.",
    "The step before which it was taken.",
];

/// The columns, without the date where the run has none.
pub(super) fn columns<R: Dated>(dated: bool, words: Words) -> Vec<Column<R>> {
    let [date, seconds, step] = words;
    let mut columns = Vec::new();
    if dated {
        let unit = "microseconds since 1970-01-01 UTC";
        columns.push(Column::new("time", Kind::Time, unit, date, |row: &R| {
            row.when().date
        }));
    }
    columns.push(Column::new(
        "seconds",
        Kind::Real,
        "seconds",
        seconds,
        |row: &R| Cell::Real(row.when().seconds),
    ));
    columns.push(Column::new(
        "step",
        Kind::Integer,
        "count",
        step,
        |row: &R| Cell::Integer(row.when().step.into()),
    ));
    columns
}
