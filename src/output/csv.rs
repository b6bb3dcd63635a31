//! Tables as comma-separated text.

use super::frame::{Frame, Wanted};
use super::table::{Cell, Column, Kind, Table};
use std::fmt::Write as _;
use std::io;

pub(super) fn write<R>(table: &Table<'_, R>, out: impl io::Write) -> io::Result<()> {
    let mut lines = Lines::start(&table.columns, out)?;
    lines.add(table)?;
    lines.finish()
}

/// Lines below one header, added table by table.
pub(super) struct Lines<W: io::Write> {
    writer: ::csv::Writer<W>,
}

impl<W: io::Write> Lines<W> {
    pub fn start<R>(columns: &[Column<R>], out: W) -> io::Result<Self> {
        let mut writer = ::csv::Writer::from_writer(out);
        writer.write_record(columns.iter().map(|column| column.name.as_ref()))?;
        Ok(Self { writer })
    }

    pub fn add<R>(&mut self, table: &Table<'_, R>) -> io::Result<()> {
        let mut text = String::new();
        for place in 0..table.rows {
            let row = (table.row)(place);
            for column in &table.columns {
                text.clear();
                match (column.cell(&row), column.kind) {
                    (Cell::Text(word), _) => text.push_str(word),
                    (Cell::Integer(micros), Kind::Time) => {
                        match jiff::Timestamp::from_microsecond(micros) {
                            Ok(moment) => write!(text, "{moment}"),
                            Err(_) => write!(text, "{micros}"),
                        }
                        .map_err(io::Error::other)?;
                    }
                    (Cell::Integer(number), _) => {
                        write!(text, "{number}").map_err(io::Error::other)?;
                    }
                    (Cell::Real(number), _) => {
                        write!(text, "{number:?}").map_err(io::Error::other)?;
                    }
                    (Cell::Absent, _) => {}
                }
                self.writer.write_field(&text)?;
            }
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Reads the wanted columns that there are; what is wrong, in a sentence.
pub(super) fn read(
    file: impl io::Read,
    wanted: Wanted<'_>,
    frame: &mut Frame,
) -> Result<(), String> {
    let mut reader = ::csv::Reader::from_reader(io::BufReader::new(file));
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let places = |names: &[&str]| -> Vec<(usize, String)> {
        let there = header.iter().enumerate();
        there
            .filter(|(_, name)| names.contains(name))
            .map(|(place, name)| (place, name.to_owned()))
            .collect()
    };
    let (words, numbers) = (places(wanted.words), places(wanted.numbers));
    words.iter().for_each(|(_, name)| frame.start_words(name));
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); numbers.len()];
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        for (place, name) in &words {
            let word = record.get(*place).filter(|word| !word.is_empty());
            frame.push_word(name, word);
        }
        for ((place, name), column) in numbers.iter().zip(&mut columns) {
            let field = record.get(*place).unwrap_or_default();
            column.push(number(field).ok_or_else(|| {
                let line = record.position().map_or(0, ::csv::Position::line);
                format!("line {line}, column `{name}`: expected a number, found {field}")
            })?);
        }
    }
    for ((_, name), column) in numbers.iter().zip(columns) {
        *frame.start_numbers(name) = column;
    }
    Ok(())
}

/// A number, or a moment in microseconds; nothing stands for none.
fn number(field: &str) -> Option<f64> {
    if field.is_empty() {
        return Some(f64::NAN);
    }
    field.parse().ok().or_else(|| {
        let moment: jiff::Timestamp = field.parse().ok()?;
        Some(moment.as_microsecond() as f64)
    })
}
