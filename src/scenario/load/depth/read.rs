//! From lines of text to whole snapshots.

use super::{Band, Snapshot};
use crate::path::moment::{parse_utc, show_utc};
use crate::scenario::load::{Findings, LineProblem, LoadError, count, quoted};
use std::collections::BTreeMap;
use std::path::Path;

/// The columns that are needed.
pub(super) const EXPECTED: &str = "timestamp,percentage,depth,notional";

/// Groups lines by time and sides; leaves out, aloud, what isn't a whole snapshot.
pub(super) fn snapshots(
    path: &Path,
    rows: &[(u64, csv::StringRecord)],
    places: [usize; 4],
    notes: &mut Vec<String>,
) -> Result<Vec<Snapshot>, LoadError> {
    let mut findings = Findings::default();
    // Per time, the bands with their signs and the lines on which they stand.
    let mut times: BTreeMap<i64, Vec<(u64, f64, Band)>> = BTreeMap::new();
    for (line, row) in rows {
        let needed = places.iter().max().map_or(0, |last| last + 1);
        if row.len() < needed {
            findings.add(
                *line,
                count(row.len() as u64, "field"),
                format!("at least {needed} ({EXPECTED})"),
                Some("a short line at the end means that the file is cut off".into()),
            );
            continue;
        }
        let [time, percent, depth, notional] = places.map(|place| &row[place]);
        let ms = parse_utc(time);
        if ms.is_none() {
            findings.add(
                *line,
                format!("timestamp {}", quoted(time)),
                "UTC text such as \"2025-10-10 20:50:00\"",
                None,
            );
        }
        let mut read = |name: &str, field: &str, expected: &str, fits: fn(f64) -> bool| {
            let number = field
                .parse::<f64>()
                .ok()
                .filter(|&n| n.is_finite() && fits(n));
            if number.is_none() {
                findings.add(*line, format!("{name} {}", quoted(field)), expected, None);
            }
            number
        };
        let percent = read(
            "percentage",
            percent,
            "a number other than 0, between -100 and 100",
            |n| n != 0.0 && n.abs() < 100.0,
        );
        let quantity = read("depth", depth, "a number of 0 or more", |n| n >= 0.0);
        let notional = read("notional", notional, "a number of 0 or more", |n| n >= 0.0);
        if let (Some(ms), Some(percent), Some(quantity), Some(notional)) =
            (ms, percent, quantity, notional)
        {
            let band = Band {
                percent: percent.abs(),
                quantity,
                notional,
            };
            let bands = times.entry(ms).or_default();
            match bands
                .iter()
                .find(|(_, sign, other)| *sign == percent.signum() && other.percent == band.percent)
            {
                Some((other, _, same)) if *same != band => findings.add(
                    *line,
                    format!("a second band of {percent} % at that time, unlike line {other}"),
                    "each band once",
                    Some("remove the wrong one".into()),
                ),
                Some(_) => {}
                None => bands.push((*line, percent.signum(), band)),
            }
        }
    }
    findings.check(path)?;

    let most = times.values().map(Vec::len).max().unwrap_or(0);
    let (mut partial, mut falling) = (Vec::new(), Vec::new());
    let mut whole: Vec<Snapshot> = Vec::with_capacity(times.len());
    for (time_ms, bands) in times {
        let side = |sign: f64| -> Vec<Band> {
            let mut side: Vec<_> = bands.iter().filter(|b| b.1 == sign).map(|b| b.2).collect();
            side.sort_by(|a, b| a.percent.total_cmp(&b.percent));
            side
        };
        let (bids, asks) = (side(-1.0), side(1.0));
        let grows = |side: &[Band]| {
            side.windows(2)
                .all(|pair| pair[0].quantity <= pair[1].quantity)
        };
        let alike = whole.last().is_none_or(|last| {
            let same = |a: &[Band], b: &[Band]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.percent == b.percent)
            };
            same(&last.bids, &bids) && same(&last.asks, &asks)
        });
        if bands.len() < most || bids.is_empty() || asks.is_empty() || !alike {
            partial.push(time_ms);
        } else if !grows(&bids) || !grows(&asks) {
            falling.push(time_ms);
        } else {
            whole.push(Snapshot {
                time_ms,
                bids,
                asks,
            });
        }
    }
    for (left_out, why) in [
        (&partial, "with missing or other bands"),
        (&falling, "whose depth falls with distance"),
    ] {
        if let Some(first) = left_out.first() {
            notes.push(format!(
                "{} {why}, the first at {} UTC: left out",
                count(left_out.len() as u64, "snapshot"),
                show_utc(*first)
            ));
        }
    }
    if whole.is_empty() {
        return Err(LoadError::Lines {
            path: path.to_owned(),
            problems: vec![LineProblem {
                line: 2,
                found: "no snapshot with the same bands on both sides that grow with distance"
                    .into(),
                expected: "cumulative depth at negative (bid) and positive (ask) percentages"
                    .into(),
                fix: None,
            }],
            more: 0,
        });
    }
    Ok(whole)
}
