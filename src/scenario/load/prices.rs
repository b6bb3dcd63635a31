//! Bars of prices: Binance klines (with or without header) and `open_time,open,high,low,close,volume`.
//!
//! Columns beyond these are left alone. Times are milliseconds, microseconds (spot files from 2025 on)
//! or seconds since 1970, told apart row by row by their size, or UTC text. Rows out of order are sorted and equal
//! duplicates dropped, both reported; two different bars at one time are an error, for there is no telling which is
//! right. The bar length is the commonest distance between neighbours.
//!
//! A gap is named by the opening times of its first and its last missing bar.
//!
//! # Invariants
//!
//! - `missing_bars_are_counted_and_named`: whatever isn't in the file is in [`Bars::gaps`] and in the report.

use super::{Findings, LoadError, columns, count, quoted, read_text, rows};
use crate::path::moment::{parse_utc, show_utc};
use crate::path::{Bar, Bars, Gap};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXPECTED: &str = "open_time,open,high,low,close[,volume]";

/// A file of bars.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceHistory {
    /// The file.
    pub path: PathBuf,
    /// Its bars, in order.
    pub bars: Bars,
    /// What was noticed and repaired: rows out of order, duplicates.
    pub notes: Vec<String>,
}

impl PriceHistory {
    /// Reads a file of bars.
    ///
    /// # Errors
    ///
    /// [`LoadError`], with all lines that are wrong.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let text = read_text(path)?;
        let cut = text.last().is_some_and(|byte| *byte != b'\n');
        let rows = rows(path, &text)?;
        let empty = LoadError::Empty {
            path: path.to_owned(),
            expected: "bars (open_time,open,high,low,close,volume)",
        };
        let Some((_, first)) = rows.first() else {
            return Err(empty);
        };
        let headless = first
            .get(0)
            .is_some_and(|field| field.parse::<f64>().is_ok());
        let (places, volume) = if headless {
            ([0, 1, 2, 3, 4], Some(5))
        } else {
            let wanted: [&[&str]; 5] = [
                &["open_time", "timestamp", "time", "date"],
                &["open"],
                &["high"],
                &["low"],
                &["close"],
            ];
            let volume = first
                .iter()
                .position(|name| name.eq_ignore_ascii_case("volume"));
            (columns(path, first, wanted, EXPECTED)?, volume)
        };
        let rows = &rows[usize::from(!headless)..];
        if rows.is_empty() {
            return Err(empty);
        }

        let mut findings = Findings::default();
        let mut read = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            if let Some(bar) = bar(*line, row, places, volume, &mut findings) {
                read.push((*line, bar));
            }
        }
        findings.check(path)?;
        let mut notes = Vec::new();
        if cut {
            notes.push("the last line has no line end: the file may be cut off".into());
        }
        let bars = ordered(path, read, &mut notes)?;
        let interval_ms = interval(path, &bars)?;
        let plain = bars.iter().map(|(_, bar)| *bar).collect();
        let Some(bars) = Bars::new(plain, interval_ms) else {
            let mut findings = Findings::default();
            for pair in bars.windows(2) {
                let apart = pair[1].1.open_ms - pair[0].1.open_ms;
                if apart < interval_ms {
                    findings.add(
                        pair[1].0,
                        format!("a bar {} s after the one before", apart as f64 / 1e3),
                        format!("bars of {}, as in most of the file", length(interval_ms)),
                        Some("bars of several lengths cannot be mixed".into()),
                    );
                }
            }
            return Err(findings.error(path));
        };
        Ok(Self {
            path: path.to_owned(),
            bars,
            notes,
        })
    }

    /// How many bars are missing.
    pub fn missing(&self) -> u64 {
        self.bars.gaps().iter().map(|gap| gap.missing).sum()
    }

    /// What a person should know of this file, a line each.
    pub fn report(&self) -> Vec<String> {
        let bars = self.bars.bars();
        let interval_ms = self.bars.interval_ms();
        let low = bars.iter().map(|bar| bar.low).fold(f64::INFINITY, f64::min);
        let high = bars.iter().map(|bar| bar.high).fold(0.0, f64::max);
        let mut report = vec![format!(
            "{} of {} from {} to {} UTC, prices {low} to {high}",
            count(bars.len() as u64, "bar"),
            length(interval_ms),
            show_utc(self.bars.begins_ms()),
            show_utc(self.bars.ends_ms())
        )];
        let gaps = self.bars.gaps();
        if !gaps.is_empty() {
            let noun = match interval_ms {
                60_000 => "missing minute",
                3_600_000 => "missing hour",
                _ => "missing bar",
            };
            let mut longest: Vec<&Gap> = gaps.iter().collect();
            longest.sort_by_key(|gap| (std::cmp::Reverse(gap.missing), gap.from_ms));
            let mut named: Vec<_> = longest.iter().take(5).map(|gap| stretch(gap)).collect();
            if gaps.len() > 5 {
                named.push(format!("and {} shorter", gaps.len() - 5));
            }
            report.push(format!(
                "{} in {}: {}",
                count(self.missing(), noun),
                count(gaps.len() as u64, "gap"),
                named.join(", ")
            ));
        }
        report.extend(self.notes.iter().cloned());
        report
    }
}

/// A gap to read: from the first to the last missing bar, the day once where it is the same.
fn stretch(gap: &Gap) -> String {
    let (from, to) = (show_utc(gap.from_ms), show_utc(gap.to_ms));
    match (from.split_once(' '), to.split_once(' ')) {
        _ if from == to => format!("{from} UTC"),
        (Some((day, _)), Some((last, time))) if day == last => format!("{from} – {time} UTC"),
        _ => format!("{from} – {to} UTC"),
    }
}

/// A bar length to read.
fn length(interval_ms: i64) -> String {
    crate::unit::Span::seconds(interval_ms as f64 / 1e3).to_string()
}

/// One row, or what is wrong with it.
fn bar(
    line: u64,
    row: &csv::StringRecord,
    places: [usize; 5],
    volume: Option<usize>,
    findings: &mut Findings,
) -> Option<Bar> {
    let needed = places.iter().max().map_or(0, |last| last + 1);
    if row.len() < needed {
        findings.add(
            line,
            count(row.len() as u64, "field"),
            format!("at least {needed} ({EXPECTED})"),
            Some("a short line at the end means that the file is cut off".into()),
        );
        return None;
    }
    let time = &row[places[0]];
    let open_ms = milliseconds(time);
    if open_ms.is_none() {
        findings.add(
            line,
            format!("open_time {}", quoted(time)),
            "milliseconds or microseconds since 1970, or UTC text",
            None,
        );
    }
    let mut prices = [0.0; 4];
    let mut fine = open_ms.is_some();
    for ((name, place), price) in ["open", "high", "low", "close"]
        .iter()
        .zip(&places[1..])
        .zip(&mut prices)
    {
        match row[*place].parse::<f64>() {
            Ok(found) if found.is_finite() && found > 0.0 => *price = found,
            _ => {
                fine = false;
                findings.add(
                    line,
                    format!("{name} {}", quoted(&row[*place])),
                    "a price above 0",
                    None,
                );
            }
        }
    }
    let volume = match volume.and_then(|place| row.get(place)) {
        None | Some("") => 0.0,
        Some(field) => match field.parse::<f64>() {
            Ok(found) if found.is_finite() && found >= 0.0 => found,
            _ => {
                fine = false;
                findings.add(
                    line,
                    format!("volume {}", quoted(field)),
                    "a number of 0 or more",
                    None,
                );
                0.0
            }
        },
    };
    if !fine {
        return None;
    }
    let [open, high, low, close] = prices;
    if high < low {
        findings.add(
            line,
            format!("high {high} below low {low}"),
            "high at or above low",
            Some("are the columns in another order?".into()),
        );
        return None;
    }
    for (name, price) in [("open", open), ("close", close)] {
        if price < low || price > high {
            findings.add(
                line,
                format!("{name} {price}"),
                format!("a price between low {low} and high {high}"),
                None,
            );
            return None;
        }
    }
    Some(Bar {
        open_ms: open_ms?,
        open,
        high,
        low,
        close,
        volume,
    })
}

/// A time in milliseconds, from seconds, milliseconds, microseconds or UTC text. The ranges of the units between 1973
/// and 5138 don't overlap.
fn milliseconds(field: &str) -> Option<i64> {
    let Ok(number) = field.parse::<i64>() else {
        return parse_utc(field);
    };
    match number {
        100_000_000..100_000_000_000 => Some(number * 1_000),
        100_000_000_000..100_000_000_000_000 => Some(number),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number / 1_000),
        _ => None,
    }
}

/// Bars in order of time, each time once.
fn ordered(
    path: &Path,
    mut read: Vec<(u64, Bar)>,
    notes: &mut Vec<String>,
) -> Result<Vec<(u64, Bar)>, LoadError> {
    let late: Vec<u64> = read
        .windows(2)
        .filter(|pair| pair[1].1.open_ms < pair[0].1.open_ms)
        .map(|pair| pair[1].0)
        .collect();
    if let Some(first) = late.first() {
        notes.push(format!(
            "{} out of order, the first on line {first}: sorted",
            count(late.len() as u64, "row")
        ));
        read.sort_by_key(|(line, bar)| (bar.open_ms, *line));
    }
    let mut findings = Findings::default();
    let mut dropped = Vec::new();
    let mut kept: Vec<(u64, Bar)> = Vec::with_capacity(read.len());
    for (line, bar) in read {
        match kept.last() {
            Some((_, last)) if *last == bar => dropped.push(line),
            Some((other, last)) if last.open_ms == bar.open_ms => findings.add(
                line,
                format!(
                    "a second bar at {} UTC that differs from line {other}",
                    show_utc(bar.open_ms)
                ),
                "one bar at a time",
                Some("remove the wrong one".into()),
            ),
            _ => kept.push((line, bar)),
        }
    }
    findings.check(path)?;
    if let Some(first) = dropped.first() {
        notes.push(format!(
            "{} equal to another, the first on line {first}: dropped",
            count(dropped.len() as u64, "row")
        ));
    }
    Ok(kept)
}

/// The commonest distance between neighbours; the shorter one of two equally common.
fn interval(path: &Path, bars: &[(u64, Bar)]) -> Result<i64, LoadError> {
    let mut distances = BTreeMap::new();
    for pair in bars.windows(2) {
        *distances
            .entry(pair[1].1.open_ms - pair[0].1.open_ms)
            .or_insert(0u64) += 1;
    }
    let mut best: Option<(i64, u64)> = None;
    for (distance, often) in distances {
        if best.is_none_or(|(_, most)| often > most) {
            best = Some((distance, often));
        }
    }
    best.map(|(distance, _)| distance).ok_or_else(|| {
        let mut findings = Findings::default();
        findings.add(
            bars.first().map_or(1, |(line, _)| *line),
            "one bar only",
            "at least two",
            Some("one bar doesn't say how long it is".into()),
        );
        findings.error(path)
    })
}

#[cfg(test)]
mod tests;
