//! Tables as Parquet, through the column writer: no Arrow, nothing copied twice.

use super::frame::{Frame, Wanted};
use super::table::{Cell, Column, Kind, Table};
use ::parquet::basic::{
    Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

pub(super) fn write<R>(
    table: &Table<'_, R>,
    metadata: &[(String, String)],
    group_rows: usize,
    out: impl io::Write + Send,
) -> io::Result<()> {
    let mut groups = Groups::start(&table.columns, metadata, out)?;
    groups.add(table, group_rows)?;
    groups.finish()
}

/// A file to which tables of the same columns are added, each as row groups of its own.
pub(super) struct Groups<W: io::Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: io::Write + Send> Groups<W> {
    pub fn start<R>(
        columns: &[Column<R>],
        metadata: &[(String, String)],
        out: W,
    ) -> io::Result<Self> {
        start(columns, metadata, out)
            .map(|writer| Self { writer })
            .map_err(outside)
    }
    pub fn add<R>(&mut self, table: &Table<'_, R>, group_rows: usize) -> io::Result<()> {
        add(&mut self.writer, table, group_rows).map_err(outside)
    }
    pub fn finish(self) -> io::Result<()> {
        self.writer.close().map(drop).map_err(outside)
    }
}

fn outside(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

fn start<R, W: io::Write + Send>(
    columns: &[Column<R>],
    metadata: &[(String, String)],
    out: W,
) -> Result<SerializedFileWriter<W>, ParquetError> {
    let mut pairs: Vec<KeyValue> = metadata
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    for column in columns {
        pairs.push(KeyValue::new(
            format!("unit.{}", column.name),
            column.unit.to_owned(),
        ));
        pairs.push(KeyValue::new(
            format!("text.{}", column.name),
            column.text.to_owned(),
        ));
    }
    let properties = WriterProperties::builder()
        .set_created_by(concat!("deleverage version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_key_value_metadata(Some(pairs))
        .build();
    SerializedFileWriter::new(out, schema(columns)?, Arc::new(properties))
}

fn add<R, W: io::Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    table: &Table<'_, R>,
    group_rows: usize,
) -> Result<(), ParquetError> {
    for first in (0..table.rows).step_by(group_rows) {
        let rows = first..table.rows.min(first + group_rows);
        let mut group = writer.next_row_group()?;
        for column in &table.columns {
            let Some(mut chunk) = group.next_column()? else {
                break;
            };
            write_column(table, column, rows.clone(), &mut chunk)?;
            chunk.close()?;
        }
        group.close()?;
    }
    Ok(())
}

fn schema<R>(columns: &[Column<R>]) -> Result<TypePtr, ParquetError> {
    let fields = columns
        .iter()
        .map(|column| {
            let (physical, logical) = match column.kind {
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                Kind::Integer => (Physical::INT64, None),
                Kind::Real => (Physical::DOUBLE, None),
                Kind::Time => (
                    Physical::INT64,
                    Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
                ),
            };
            Type::primitive_type_builder(&column.name, physical)
                .with_logical_type(logical)
                .with_repetition(if column.optional {
                    Repetition::OPTIONAL
                } else {
                    Repetition::REQUIRED
                })
                .build()
                .map(Arc::new)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(
        Type::group_type_builder("row")
            .with_fields(fields)
            .build()?,
    ))
}

/// Writes one column of one row group: the values there are, and which rows have one.
fn write_column<R>(
    table: &Table<'_, R>,
    column: &Column<R>,
    rows: Range<usize>,
    chunk: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let mut levels = Vec::with_capacity(rows.len());
    let (mut texts, mut integers, mut reals) = (Vec::new(), Vec::new(), Vec::new());
    for place in rows {
        let row = (table.row)(place);
        let cell = column.cell(&row);
        levels.push(i16::from(cell != Cell::Absent));
        match cell {
            Cell::Text(text) => texts.push(ByteArray::from(text)),
            Cell::Integer(integer) => integers.push(integer),
            Cell::Real(real) => reals.push(real),
            Cell::Absent => {}
        }
    }
    let levels = column.optional.then_some(levels.as_slice());
    match column.kind {
        Kind::Text => chunk
            .typed::<ByteArrayType>()
            .write_batch(&texts, levels, None)?,
        Kind::Integer | Kind::Time => chunk
            .typed::<Int64Type>()
            .write_batch(&integers, levels, None)?,
        Kind::Real => chunk
            .typed::<DoubleType>()
            .write_batch(&reals, levels, None)?,
    };
    Ok(())
}

/// Reads the wanted columns that there are; what is wrong, in a sentence.
pub(super) fn read(file: &File, wanted: Wanted<'_>, frame: &mut Frame) -> Result<(), String> {
    let clone = file.try_clone().map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(clone).map_err(|error| error.to_string())?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    // A table without rows has columns all the same.
    for column in schema.columns() {
        let name = column.name();
        if wanted.words.contains(&name) {
            frame.start_words(name);
        } else if wanted.numbers.contains(&name) {
            frame.start_numbers(name);
        }
    }
    for group in 0..reader.num_row_groups() {
        let group = reader
            .get_row_group(group)
            .map_err(|error| error.to_string())?;
        let rows = group.metadata().num_rows() as usize;
        for (place, column) in schema.columns().iter().enumerate() {
            let name = column.name();
            let (word, number) = (wanted.words.contains(&name), wanted.numbers.contains(&name));
            if !word && !number {
                continue;
            }
            let reader = group.get_column_reader(place);
            let reader = reader.map_err(|error| error.to_string())?;
            let optional = column.max_def_level() > 0;
            let kind = column.physical_type();
            let found = match reader {
                ColumnReader::ByteArrayColumnReader(reader) if word => {
                    frame.start_words(name);
                    values(reader, rows, optional).and_then(|values| {
                        for value in values {
                            match value {
                                Some(bytes) => frame.push_word(name, Some(bytes.as_utf8()?)),
                                None => frame.push_word(name, None),
                            }
                        }
                        Ok(())
                    })
                }
                ColumnReader::Int64ColumnReader(reader) if number => values(reader, rows, optional)
                    .map(|values| {
                        let real = |value: Option<i64>| value.map_or(f64::NAN, |v| v as f64);
                        frame
                            .start_numbers(name)
                            .extend(values.into_iter().map(real));
                    }),
                ColumnReader::DoubleColumnReader(reader) if number => {
                    values(reader, rows, optional).map(|values| {
                        let real = |value: Option<f64>| value.unwrap_or(f64::NAN);
                        frame
                            .start_numbers(name)
                            .extend(values.into_iter().map(real));
                    })
                }
                _ => {
                    let expected = if word { "words" } else { "numbers" };
                    return Err(format!(
                        "column `{name}`: expected {expected}, found {kind}"
                    ));
                }
            };
            found.map_err(|error| format!("column `{name}`: {error}"))?;
        }
    }
    Ok(())
}

/// The values of a column in a row group, absent ones among them.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
) -> Result<Vec<Option<T::T>>, ParquetError> {
    let (mut levels, mut found) = (Vec::new(), Vec::with_capacity(rows));
    let mut read = 0;
    while read < rows {
        let levels = optional.then_some(&mut levels);
        let (records, _, _) = reader.read_records(rows - read, levels, None, &mut found)?;
        if records == 0 {
            return Err(ParquetError::General(format!("{read} of {rows} rows")));
        }
        read += records;
    }
    if !optional {
        return Ok(found.into_iter().map(Some).collect());
    }
    let mut found = found.into_iter();
    let present = |level: &i16| if *level > 0 { found.next() } else { None };
    Ok(levels.iter().map(present).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_into_groups_and_absent_values_stay_in_their_rows() {
        let text = "Every other number.";
        let table = Table {
            columns: vec![
                Column::new("row", Kind::Integer, "count", text, |row: &usize| {
                    Cell::Integer(*row as i64)
                }),
                Column::new("odd", Kind::Real, "count", text, |row: &usize| {
                    if row % 2 == 1 {
                        Cell::Real(*row as f64)
                    } else {
                        Cell::Absent
                    }
                })
                .optional(),
            ],
            rows: 7,
            row: Box::new(|place| place),
        };
        let mut file = tempfile::tempfile().unwrap();
        write(&table, &[], 3, &mut file).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let groups: Vec<i64> = reader
            .metadata()
            .row_groups()
            .iter()
            .map(|group| group.num_rows())
            .collect();
        assert_eq!(groups, [3, 3, 1]);
        let rows: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert_eq!(rows[4], "{row: 4, odd: null}");
        assert_eq!(rows[5], "{row: 5, odd: 5.0}");
    }
}
