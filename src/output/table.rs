//! A table before it is written: columns with name, unit and meaning, defined once for every format.

use super::directory::{Directory, OutputError};
use super::manifest::Provenance;
use crate::measure::Recorded;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// Most rows of a Parquet row group.
pub const ROW_GROUP: usize = 262_144;

/// How tables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Columnar, compressed, typed, with units in the metadata.
    #[cfg(feature = "parquet")]
    #[cfg_attr(feature = "parquet", default)]
    Parquet,
    /// Text, for eyes and spreadsheets.
    #[cfg_attr(not(feature = "parquet"), default)]
    Csv,
}

impl Format {
    /// How the files' names end.
    pub const fn extension(self) -> &'static str {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words from a small set.
    Text,
    /// Whole numbers.
    Integer,
    /// Floats; undefined ones are NaN.
    Real,
    /// Moments, in microseconds since 1970-01-01 UTC.
    Time,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'r> {
    /// A word.
    Text(&'r str),
    /// A whole number, or microseconds.
    Integer(i64),
    /// A float.
    Real(f64),
    /// None here.
    Absent,
}

/// One column of a table whose rows are seen as `R`.
pub struct Column<R> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What its numbers are in.
    pub unit: &'static str,
    /// What it means.
    pub text: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Whether a row may have none.
    pub optional: bool,
    get: Get<R>,
}

/// How a column finds its value in a row: by itself, or by its place among columns that are known only when they are
/// asked for.
enum Get<R> {
    Fixed(for<'r> fn(&'r R) -> Cell<'r>),
    Placed(usize, for<'r> fn(&'r R, usize) -> Cell<'r>),
}

/// A column as text for documentation and metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What its numbers are in.
    pub unit: &'static str,
    /// What it means.
    pub text: &'static str,
}

impl<R> Column<R> {
    /// A column that has a value in every row.
    pub(super) fn new(
        name: &'static str,
        kind: Kind,
        unit: &'static str,
        text: &'static str,
        get: for<'r> fn(&'r R) -> Cell<'r>,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            unit,
            text,
            kind,
            optional: false,
            get: Get::Fixed(get),
        }
    }
    /// A column for each of the things that a table was asked for, such as the axes of a sweep.
    pub(super) fn placed(
        name: &str,
        kind: Kind,
        unit: &'static str,
        text: &'static str,
        place: usize,
        get: for<'r> fn(&'r R, usize) -> Cell<'r>,
    ) -> Self {
        Self {
            name: Cow::Owned(name.to_owned()),
            unit,
            text,
            kind,
            optional: false,
            get: Get::Placed(place, get),
        }
    }
    /// Its value in a row.
    pub(super) fn cell<'r>(&self, row: &'r R) -> Cell<'r> {
        match self.get {
            Get::Fixed(get) => get(row),
            Get::Placed(place, get) => get(row, place),
        }
    }
    /// The same, but rows may have none.
    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
    /// The column as text.
    pub fn info(&self) -> ColumnInfo {
        ColumnInfo {
            name: self.name.clone(),
            unit: self.unit,
            text: self.text,
        }
    }
}

/// A table over recorded rows, which are looked at in place.
pub struct Table<'a, R> {
    /// The columns.
    pub columns: Vec<Column<R>>,
    /// How many rows.
    pub rows: usize,
    pub(super) row: Box<dyn Fn(usize) -> R + 'a>,
}

impl<R> Table<'_, R> {
    /// Writes the table as text with a header line. Floats have the fewest digits that read back
    /// to the same bits; an absent value is an empty field.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn write_csv(&self, out: impl io::Write) -> io::Result<()> {
        super::csv::write(self, out)
    }

    /// Writes the table as Parquet: zstd level 1, row groups of at most [`ROW_GROUP`] rows, units
    /// and meanings of the columns in the metadata beside `metadata`.
    ///
    /// # Errors
    ///
    /// What the writer says.
    #[cfg(feature = "parquet")]
    pub fn write_parquet(
        &self,
        metadata: &[(String, String)],
        out: impl io::Write + Send,
    ) -> io::Result<()> {
        super::parquet::write(self, metadata, ROW_GROUP, out)
    }

    #[cfg_attr(
        not(feature = "parquet"),
        allow(unused_variables, reason = "CSV leaves the metadata to the manifest")
    )]
    pub(super) fn save(
        &self,
        name: &str,
        format: Format,
        metadata: &[(String, String)],
        directory: &mut Directory,
    ) -> Result<(), OutputError> {
        let file = format!("{name}.{}", format.extension());
        directory.write(&file, |out| match format {
            #[cfg(feature = "parquet")]
            Format::Parquet => self.write_parquet(metadata, out),
            Format::Csv => self.write_csv(out),
        })
    }
}

/// A file that is written batch by batch, each a table of the same columns: for what is too long to be held.
pub(super) enum Batches<W: io::Write + Send> {
    /// Each batch becomes row groups of its own.
    #[cfg(feature = "parquet")]
    Parquet(super::parquet::Groups<W>),
    /// Lines below one header.
    Csv(super::csv::Lines<W>),
}

impl<W: io::Write + Send> Batches<W> {
    #[cfg_attr(
        not(feature = "parquet"),
        allow(unused_variables, reason = "CSV leaves the metadata to the manifest")
    )]
    pub(super) fn start<R>(
        format: Format,
        columns: &[Column<R>],
        metadata: &[(String, String)],
        out: W,
    ) -> io::Result<Self> {
        match format {
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                super::parquet::Groups::start(columns, metadata, out).map(Self::Parquet)
            }
            Format::Csv => super::csv::Lines::start(columns, out).map(Self::Csv),
        }
    }
    pub(super) fn add<R>(&mut self, table: &Table<'_, R>) -> io::Result<()> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet(groups) => groups.add(table, ROW_GROUP),
            Self::Csv(lines) => lines.add(table),
        }
    }
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet(groups) => groups.finish(),
            Self::Csv(lines) => lines.finish(),
        }
    }
}

/// Writes `steps`, `events` and `margin` of a run, and the steps of its twin as `twin`, where it has one.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    run: &Recorded,
    twin: Option<&Recorded>,
    provenance: &Provenance,
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    let metadata = metadata(run, provenance);
    super::steps::table(run, provenance).save("steps", format, &metadata, directory)?;
    if let Some(twin) = twin {
        super::steps::table(twin, provenance).save("twin", format, &metadata, directory)?;
    }
    super::events::table(run, provenance).save("events", format, &metadata, directory)?;
    super::margin::table(run, provenance).save("margin", format, &metadata, directory)
}

/// What every file says of itself: where it comes from, and what its integers mean.
pub fn metadata(run: &Recorded, provenance: &Provenance) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("deleverage.version".to_owned(), provenance.version.clone()),
        ("deleverage.scenario".to_owned(), provenance.name.clone()),
        (
            "deleverage.scenario_sha256".to_owned(),
            provenance.scenario_sha256.clone(),
        ),
        ("deleverage.seed".to_owned(), provenance.seed.to_string()),
        (
            "deleverage.replicate".to_owned(),
            provenance.replicate.to_string(),
        ),
        ("deleverage.dt_seconds".to_owned(), run.frame.dt.to_string()),
        ("deleverage.every".to_owned(), run.every.to_string()),
    ];
    for market in &run.frame.markets {
        for (what, size) in [
            ("tick", market.grid.tick),
            ("lot", market.grid.lot),
            ("quantum", market.grid.quantum),
        ] {
            pairs.push((
                format!("deleverage.market.{}.{what}", market.name),
                size.normalize().to_string(),
            ));
        }
    }
    pairs
}
