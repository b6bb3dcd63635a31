//! The table of margin: a row for each part of a market's rule and each step in which its rates changed.
//!
//! Between two rows of a part its rates stand still. What a part added is its row's rate less that of the part before it.

use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Kind, Table};
use super::when::{self, Dated, When};
use crate::measure::{PartChange, Recorded};

/// One row as its columns see it.
pub struct PartView<'a> {
    when: When,
    market: &'a str,
    part: &'a str,
    change: &'a PartChange,
}

impl Dated for PartView<'_> {
    fn when(&self) -> When {
        self.when
    }
}

fn columns<'a>(dated: bool) -> Vec<Column<PartView<'a>>> {
    use Kind::{Integer, Real, Text};
    let rest: Vec<Column<PartView<'a>>> = vec![
        Column::new("market", Text, "name", "The market.", |v| {
            Cell::Text(v.market)
        }),
        Column::new(
            "place",
            Integer,
            "count",
            "The part's place in the rule, the base's being 0.",
            |v| Cell::Integer(v.change.part.into()),
        ),
        Column::new("part", Text, "name", "The part of the rule.", |v| {
            Cell::Text(v.part)
        }),
        Column::new(
            "maintenance_rate",
            Real,
            "share",
            "Maintenance rate of the smallest positions after this part.",
            |v| Cell::Real(v.change.level.maintenance.as_f64()),
        ),
        Column::new(
            "large_maintenance_rate",
            Real,
            "share",
            "Maintenance rate after this part of a position as large as the thinner side of the book within 1 % of the mid was at the start.",
            |v| Cell::Real(v.change.level.large.as_f64()),
        ),
        Column::new(
            "initial_rate",
            Real,
            "share",
            "Initial rate of the smallest positions after this part.",
            |v| Cell::Real(v.change.level.initial.as_f64()),
        ),
    ];
    let first = when::columns(dated, when::END_OF_STEP);
    first.into_iter().chain(rest).collect()
}

/// The columns as text.
pub fn info() -> Vec<ColumnInfo> {
    columns(true).iter().map(Column::info).collect()
}

/// The table of a run.
pub fn table<'a>(run: &'a Recorded, provenance: &Provenance) -> Table<'a, PartView<'a>> {
    let start = provenance.start;
    Table {
        columns: columns(start.is_some()),
        rows: run.parts.changes().len(),
        row: Box::new(move |at| {
            let change = &run.parts.changes()[at];
            let market = &run.frame.markets[usize::from(change.market)];
            let seconds = run.frame.seconds(change.step);
            PartView {
                when: When::new(start, seconds, change.step),
                market: &market.name,
                part: market
                    .parts
                    .get(usize::from(change.part))
                    .copied()
                    .unwrap_or("rule"),
                change,
            }
        }),
    }
}
