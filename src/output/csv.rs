//! Tables as comma-separated text.

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
