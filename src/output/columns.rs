//! A table of a run's directory, read back: the columns that are asked for, from Parquet or CSV.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Columns of one table, each of as many values as the table has rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Numbers; undefined where there was none.
    pub numbers: Vec<Vec<f64>>,
    /// Words; empty where there was none.
    pub words: Vec<Vec<String>>,
}

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// It is not there.
    #[error(
        "{} holds no table {table}: expected {table}.parquet or {table}.csv, as deleverage run writes them",
        directory.display()
    )]
    Missing {
        /// Where it was looked for.
        directory: PathBuf,
        /// Its name.
        table: &'static str,
    },
    /// It can't be read.
    #[error("cannot read {}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// Reads columns of numbers and of words.
///
/// # Errors
///
/// [`ColumnsError`] where the table or a column isn't there, or the file is damaged.
pub fn read(
    directory: &Path,
    table: &'static str,
    numbers: &[&str],
    words: &[&str],
) -> Result<Columns, ColumnsError> {
    let named = |extension: &str| directory.join(format!("{table}.{extension}"));
    let (parquet, csv) = (named("parquet"), named("csv"));
    let (path, found) = if csv.is_file() {
        let found = from_csv(&csv, numbers, words);
        (csv, found)
    } else if parquet.is_file() {
        let found = from_parquet(&parquet, numbers, words);
        (parquet, found)
    } else {
        return Err(ColumnsError::Missing {
            directory: directory.to_owned(),
            table,
        });
    };
    found.map_err(|message| ColumnsError::Unreadable { path, message })
}

fn from_csv(path: &Path, numbers: &[&str], words: &[&str]) -> Result<Columns, String> {
    let told = |error: csv::Error| error.to_string();
    let mut reader = csv::Reader::from_path(path).map_err(told)?;
    let header = reader.headers().map_err(told)?.clone();
    let place = |name: &&str| {
        let at = header.iter().position(|found| found == *name);
        at.ok_or_else(|| format!("there is no column {name}"))
    };
    let number_at = numbers.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let word_at = words.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Columns {
        numbers: vec![Vec::new(); numbers.len()],
        words: vec![Vec::new(); words.len()],
    };
    for record in reader.records() {
        let record = record.map_err(told)?;
        let field = |at: usize| record.get(at).unwrap_or_default();
        for (column, at) in columns.numbers.iter_mut().zip(&number_at) {
            let text = field(*at);
            column.push(if text.is_empty() {
                f64::NAN
            } else {
                let line = record.position().map_or(0, csv::Position::line);
                text.parse()
                    .map_err(|_| format!("line {line}: found {text:?}, expected a number"))?
            });
        }
        for (column, at) in columns.words.iter_mut().zip(&word_at) {
            column.push(field(*at).to_owned());
        }
    }
    Ok(columns)
}

#[cfg(not(feature = "parquet"))]
fn from_parquet(_: &Path, _: &[&str], _: &[&str]) -> Result<Columns, String> {
    Err("this build reads CSV only: run with --format csv".to_owned())
}

#[cfg(feature = "parquet")]
fn from_parquet(path: &Path, numbers: &[&str], words: &[&str]) -> Result<Columns, String> {
    use ::parquet::column::reader::ColumnReader;
    use ::parquet::errors::ParquetError;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};

    let told = |error: ParquetError| error.to_string();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file).map_err(told)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let place = |name: &&str| {
        let at = schema.columns().iter().position(|c| c.name() == *name);
        at.ok_or_else(|| format!("there is no column {name}"))
    };
    let number_at = numbers.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let word_at = words.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Columns {
        numbers: vec![Vec::new(); numbers.len()],
        words: vec![Vec::new(); words.len()],
    };
    /// Puts values back in their rows: where a row has none, `absent`.
    fn spread<T: Clone>(values: Vec<T>, levels: &[i16], most: i16, absent: T, out: &mut Vec<T>) {
        if most == 0 {
            out.extend(values);
            return;
        }
        let mut values = values.into_iter();
        out.extend(levels.iter().map(|level| {
            if *level == most {
                values.next().unwrap_or_else(|| absent.clone())
            } else {
                absent.clone()
            }
        }));
    }
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(told)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let read_numbers = number_at.iter().zip(&mut columns.numbers);
        for (at, out) in read_numbers {
            let most = schema.column(*at).max_def_level();
            let mut levels = Vec::new();
            let values: Vec<f64> = match group.get_column_reader(*at).map_err(told)? {
                ColumnReader::DoubleColumnReader(mut column) => {
                    let mut values = Vec::with_capacity(rows);
                    column
                        .read_records(rows, Some(&mut levels), None, &mut values)
                        .map_err(told)?;
                    values
                }
                ColumnReader::Int64ColumnReader(mut column) => {
                    let mut values = Vec::with_capacity(rows);
                    column
                        .read_records(rows, Some(&mut levels), None, &mut values)
                        .map_err(told)?;
                    values.into_iter().map(|value| value as f64).collect()
                }
                _ => return Err(format!("{} holds no numbers", schema.column(*at).name())),
            };
            spread(values, &levels, most, f64::NAN, out);
        }
        let read_words = word_at.iter().zip(&mut columns.words);
        for (at, out) in read_words {
            let most = schema.column(*at).max_def_level();
            let mut levels = Vec::new();
            let values: Vec<String> = match group.get_column_reader(*at).map_err(told)? {
                ColumnReader::ByteArrayColumnReader(mut column) => {
                    let mut values = Vec::with_capacity(rows);
                    column
                        .read_records(rows, Some(&mut levels), None, &mut values)
                        .map_err(told)?;
                    values
                        .into_iter()
                        .map(|value| String::from_utf8_lossy(value.data()).into_owned())
                        .collect()
                }
                _ => return Err(format!("{} holds no words", schema.column(*at).name())),
            };
            spread(values, &levels, most, String::new(), out);
        }
    }
    Ok(columns)
}
