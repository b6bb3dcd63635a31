//! Tables as comma-separated text.

use super::table::{Cell, Kind, Table};
use std::fmt::Write as _;
use std::io;

pub(super) fn write<R>(table: &Table<'_, R>, out: impl io::Write) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| column.name))?;
    let mut text = String::new();
    for place in 0..table.rows {
        let row = (table.row)(place);
        for column in &table.columns {
            text.clear();
            match ((column.get)(&row), column.kind) {
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
                (Cell::Real(number), _) => write!(text, "{number:?}").map_err(io::Error::other)?,
                (Cell::Absent, _) => {}
            }
            writer.write_field(&text)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}
