//! Columns of a table as they are looked at after a run: taken from memory, or read back from the file.
//!
//! Charts and reports are made of these alone, so that they show what the files hold, whoever made them.
//!
//! # Units
//! Those of the table. A moment is in microseconds since 1970-01-01 UTC. An absent number is NaN.
//!
//! # Invariants
//! - `memory_parquet_and_csv_give_the_same_columns`: whichever way a column comes, its values are the same bits.

use super::table::{Cell, Format, Kind, Table};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why a table can't be read back.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// There is no such table.
    #[error("{} holds no table `{table}` (neither .parquet nor .csv)", directory.display())]
    Missing {
        /// Where it was looked for.
        directory: PathBuf,
        /// The table.
        table: String,
    },
    /// The file doesn't read as the table that it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The table has no such column.
    #[error("the table `{table}` has no column `{column}`: was it made by another version?")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The outside failed.
    #[error("could not read {}: {source}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Words of a column: each different one once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    names: Vec<String>,
    places: BTreeMap<String, u32>,
    rows: Vec<Option<u32>>,
}

impl Words {
    fn push(&mut self, word: Option<&str>) {
        let place = word.map(|word| match self.places.get(word) {
            Some(place) => *place,
            None => {
                let place = self.names.len() as u32;
                self.names.push(word.to_owned());
                self.places.insert(word.to_owned(), place);
                place
            }
        });
        self.rows.push(place);
    }
    /// The word in a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        let place = (*self.rows.get(row)?)?;
        self.names.get(place as usize).map(String::as_str)
    }
    /// How many rows.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// The different words, in the order in which they appear.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// Some columns of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    table: String,
    words: BTreeMap<String, Words>,
    numbers: BTreeMap<String, Vec<f64>>,
}

/// Which columns are wanted. Those that the table doesn't have are left out.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Columns of words.
    pub words: &'a [&'a str],
    /// Columns of numbers, and of moments.
    pub numbers: &'a [&'a str],
}

impl Frame {
    /// Columns of a table in memory.
    pub fn of<R>(name: &str, table: &Table<'_, R>, wanted: Wanted<'_>) -> Self {
        let mut frame = Self::empty(name);
        let picked: Vec<_> = table
            .columns
            .iter()
            .filter(|column| {
                let list = if column.kind == Kind::Text {
                    wanted.words
                } else {
                    wanted.numbers
                };
                list.contains(&column.name.as_ref())
            })
            .collect();
        for column in &picked {
            if column.kind == Kind::Text {
                let mut words = Words::default();
                for place in 0..table.rows {
                    match column.cell(&(table.row)(place)) {
                        Cell::Text(word) => words.push(Some(word)),
                        _ => words.push(None),
                    }
                }
                frame.words.insert(column.name.to_string(), words);
            } else {
                let number = |place| match column.cell(&(table.row)(place)) {
                    Cell::Integer(number) => number as f64,
                    Cell::Real(number) => number,
                    Cell::Text(_) | Cell::Absent => f64::NAN,
                };
                let numbers = (0..table.rows).map(number).collect();
                frame.numbers.insert(column.name.to_string(), numbers);
            }
        }
        frame
    }

    /// Columns of a directory's table, Parquet or CSV.
    ///
    /// # Errors
    ///
    /// There is no such table, or it can't be read.
    pub fn read(directory: &Path, table: &str, wanted: Wanted<'_>) -> Result<Self, FrameError> {
        let path = |format: Format| directory.join(format!("{table}.{}", format.extension()));
        #[cfg(feature = "parquet")]
        {
            let path = path(Format::Parquet);
            if path.exists() {
                let mut frame = Self::empty(table);
                super::parquet::read(&open(&path)?, wanted, &mut frame)
                    .map_err(|problem| FrameError::Malformed { path, problem })?;
                return Ok(frame);
            }
        }
        let path = path(Format::Csv);
        if path.exists() {
            let mut frame = Self::empty(table);
            super::csv::read(open(&path)?, wanted, &mut frame)
                .map_err(|problem| FrameError::Malformed { path, problem })?;
            return Ok(frame);
        }
        Err(FrameError::Missing {
            directory: directory.to_owned(),
            table: table.to_owned(),
        })
    }

    /// As [`Frame::read`], or nothing where the directory has no such table.
    ///
    /// # Errors
    ///
    /// The table is there and can't be read.
    pub fn read_if_there(
        directory: &Path,
        table: &str,
        wanted: Wanted<'_>,
    ) -> Result<Option<Self>, FrameError> {
        match Self::read(directory, table, wanted) {
            Ok(frame) => Ok(Some(frame)),
            Err(FrameError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn empty(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            ..Self::default()
        }
    }

    /// A row's word is added to a column.
    pub(super) fn push_word(&mut self, column: &str, word: Option<&str>) {
        match self.words.get_mut(column) {
            Some(words) => words.push(word),
            None => {
                self.start_words(column);
                self.push_word(column, word);
            }
        }
    }
    pub(super) fn start_words(&mut self, column: &str) {
        self.words.entry(column.to_owned()).or_default();
    }
    /// Where a column's numbers are gathered.
    pub(super) fn start_numbers(&mut self, column: &str) -> &mut Vec<f64> {
        self.numbers.entry(column.to_owned()).or_default()
    }

    fn no_column(&self, column: &str) -> FrameError {
        FrameError::NoColumn {
            table: self.table.clone(),
            column: column.to_owned(),
        }
    }

    /// A column of words.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoColumn`].
    pub fn words(&self, column: &str) -> Result<&Words, FrameError> {
        let found = self.words.get(column);
        found.ok_or_else(|| self.no_column(column))
    }

    /// A column of numbers.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoColumn`].
    pub fn numbers(&self, column: &str) -> Result<&[f64], FrameError> {
        match self.numbers.get(column) {
            Some(numbers) => Ok(numbers),
            None => Err(self.no_column(column)),
        }
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.words.contains_key(column) || self.numbers.contains_key(column)
    }

    /// A column of numbers in some rows.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoColumn`].
    pub fn picked(&self, column: &str, rows: &[usize]) -> Result<Vec<f64>, FrameError> {
        let numbers = self.numbers(column)?;
        let at = |row: &usize| numbers.get(*row).copied().unwrap_or(f64::NAN);
        Ok(rows.iter().map(at).collect())
    }

    /// The rows whose word is this one.
    ///
    /// # Errors
    ///
    /// [`FrameError::NoColumn`].
    pub fn rows_of(&self, column: &str, word: &str) -> Result<Vec<usize>, FrameError> {
        let words = self.words(column)?;
        let place = words.places.get(word).copied();
        Ok(words
            .rows
            .iter()
            .enumerate()
            .filter(|(_, found)| place.is_some() && **found == place)
            .map(|(row, _)| row)
            .collect())
    }
}

fn open(path: &Path) -> Result<File, FrameError> {
    File::open(path).map_err(|source| FrameError::Failed {
        path: path.to_owned(),
        source,
    })
}
