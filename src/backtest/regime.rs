//! Parts of a history that are judged on their own: calm and volatile times, crashes by name, and
//! stretches in a row.
//!
//! Terciles go by the realised volatility *before* each margin was set: whoever sets it knows in which
//! one they are, so a right margin covers equally often in all three, and the test of coverage holds.
//! A named window was chosen because of what happened in it; breaches are counted there, and
//! no promise is tested.

use crate::path::moment::{parse_utc, show_utc};
use std::fmt;
use std::str::FromStr;

/// A crash by name: margins set within it are looked at apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedWindow {
    /// Its name.
    pub name: String,
    /// When it begins, in milliseconds since 1970.
    pub from_ms: i64,
    /// When it ends.
    pub to_ms: i64,
}

impl NamedWindow {
    /// Crashes of the markets that this simulator is about, each from the margin set a day before.
    pub fn known() -> Vec<Self> {
        [
            ("crash 2020-03", "2020-03-11", "2020-03-14"),
            ("crash 2021-05", "2021-05-18", "2021-05-21"),
            ("crash 2022-11", "2022-11-07", "2022-11-11"),
            ("crash 2025-10", "2025-10-09", "2025-10-12"),
        ]
        .iter()
        .filter_map(|(name, from, to)| {
            Some(Self {
                name: (*name).to_owned(),
                from_ms: parse_utc(from)?,
                to_ms: parse_utc(to)?,
            })
        })
        .collect()
    }

    /// Whether a moment lies within.
    pub const fn holds(&self, ms: i64) -> bool {
        self.from_ms <= ms && ms < self.to_ms
    }
}

impl FromStr for NamedWindow {
    type Err = String;
    /// Reads `NAME=FROM..TO`, UTC, the end excluded.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected NAME=FROM..TO, e.g. merge=2022-09-14..2022-09-17 (UTC)";
        let (name, span) = text.split_once('=').ok_or(expected)?;
        let (from, to) = span.split_once("..").ok_or(expected)?;
        let moment = |text: &str| {
            parse_utc(text.trim()).ok_or_else(|| format!("found \"{text}\", {expected}"))
        };
        let window = Self {
            name: name.trim().to_owned(),
            from_ms: moment(from)?,
            to_ms: moment(to)?,
        };
        if window.name.is_empty() {
            return Err(expected.to_owned());
        }
        if window.from_ms >= window.to_ms {
            return Err(format!("{window} ends before it begins"));
        }
        Ok(window)
    }
}

impl fmt::Display for NamedWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (show_utc(self.from_ms), show_utc(self.to_ms));
        write!(f, "{}={from}..{to}", self.name)
    }
}

/// What a part of the history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All of it.
    Whole,
    /// A tercile of realised volatility.
    Volatility,
    /// A crash by name.
    Named,
    /// One stretch of the walk forward.
    Forward,
}

impl Kind {
    /// Its name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Volatility => "volatility",
            Self::Named => "named",
            Self::Forward => "forward",
        }
    }
}

/// A part of the history: which of the judged windows belong to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Places in the list of judged windows, in order.
    pub windows: Vec<usize>,
}

/// The names of the terciles, calmest first.
pub const TERCILES: [&str; 3] = ["calm", "usual", "volatile"];

/// The parts of a history whose judged windows begin at `begins_ms` after a realised volatility of
/// `volatility`; `stretch_ms` is the length of a stretch of the walk forward. Parts without a window are
/// left out, and so is a single stretch, for it is the whole.
pub fn parts(
    begins_ms: &[i64],
    volatility: &[f64],
    named: &[NamedWindow],
    stretch_ms: i64,
) -> Vec<Part> {
    let part = |kind, name: String, windows: Vec<usize>| Part {
        kind,
        name,
        windows,
    };
    let all = 0..begins_ms.len();
    let mut parts = vec![part(
        Kind::Whole,
        Kind::Whole.name().to_owned(),
        all.clone().collect(),
    )];
    let mut order: Vec<usize> = all.clone().collect();
    // A stable sort: of equally calm windows the earlier one counts as calmer.
    order.sort_by(|a, b| volatility[*a].total_cmp(&volatility[*b]));
    for (k, name) in TERCILES.iter().enumerate() {
        let third = |k: usize| order.len() * k / TERCILES.len();
        let mut windows = order[third(k)..third(k + 1)].to_vec();
        windows.sort_unstable();
        parts.push(part(Kind::Volatility, (*name).to_owned(), windows));
    }
    for window in named {
        let within = all.clone().filter(|at| window.holds(begins_ms[*at]));
        parts.push(part(Kind::Named, window.name.clone(), within.collect()));
    }
    if let (Some(first), Some(last)) = (begins_ms.first(), begins_ms.last())
        && last - first >= stretch_ms
        && stretch_ms > 0
    {
        let count = (last - first) / stretch_ms + 1;
        for k in 0..count {
            let (from, to) = (first + k * stretch_ms, first + (k + 1) * stretch_ms);
            let within = all
                .clone()
                .filter(|at| (from..to).contains(&begins_ms[*at]));
            let day = show_utc(from);
            let name = format!("from {}", day.split(' ').next().unwrap_or(&day));
            parts.push(part(Kind::Forward, name, within.collect()));
        }
    }
    parts.retain(|part| !part.windows.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn terciles_share_the_windows_by_what_came_before() {
        let begins: Vec<i64> = (0..9).map(|day| day * DAY).collect();
        let volatility = [9.0, 1.0, 5.0, 8.0, 2.0, 4.0, 7.0, 3.0, 6.0];
        let parts = parts(&begins, &volatility, &[], 100 * DAY);
        let windows: Vec<(&str, &[usize])> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.windows.as_slice()))
            .collect();
        assert_eq!(
            windows,
            [
                ("whole", [0, 1, 2, 3, 4, 5, 6, 7, 8].as_slice()),
                ("calm", &[1, 4, 7]),
                ("usual", &[2, 5, 8]),
                ("volatile", &[0, 3, 6]),
            ]
        );
    }

    #[test]
    fn stretches_follow_on_each_other_and_names_hold_their_days() {
        let begins: Vec<i64> = (0..25).map(|day| day * DAY).collect();
        let named: NamedWindow = "start of 1970 = 1970-01-03 .. 1970-01-05".parse().unwrap();
        let elsewhere: NamedWindow = "later=2020-01-01..2020-01-02".parse().unwrap();
        let parts = parts(&begins, &[1.0; 25], &[named, elsewhere], 10 * DAY);
        let named: Vec<&Part> = parts
            .iter()
            .filter(|part| part.kind == Kind::Named)
            .collect();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].windows, [2, 3]);
        let forward: Vec<(usize, &str)> = parts
            .iter()
            .filter(|part| part.kind == Kind::Forward)
            .map(|part| (part.windows.len(), part.name.as_str()))
            .collect();
        assert_eq!(
            forward,
            [
                (10, "from 1970-01-01"),
                (10, "from 1970-01-11"),
                (5, "from 1970-01-21")
            ]
        );
    }

    #[test]
    fn windows_read_as_written_or_say_what_is_wrong() {
        assert_eq!(NamedWindow::known().len(), 4);
        for text in ["2020", "x=2020-01-01", "=2020-01-01..2020-02-01", "x=a..b"] {
            assert!(
                text.parse::<NamedWindow>()
                    .unwrap_err()
                    .contains("expected")
            );
        }
        let turned = "x=2020-02-01..2020-01-01".parse::<NamedWindow>();
        assert!(turned.unwrap_err().contains("ends before it begins"));
    }
}
