//! One setting of a sweep, and the values that it takes.
//!
//! As it is typed: `path=a,b,c`, `path=lo..hi:n`, `path=lo..hi:n:log`; and `path=lo..hi` or `path=lo..hi:log` where a
//! design places the points.

use crate::math::ops;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most values that an axis of a grid may have.
const MOST: u32 = 1_000_000;

/// A setting that is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The setting, as a dotted path.
    pub path: String,
    /// What it is set to.
    #[serde(flatten)]
    pub values: Values,
}

/// The values of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// These, each as TOML or as text.
    List(Vec<String>),
    /// Numbers between two bounds, both of them included.
    Range(Range),
}

/// Numbers between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// How many on a grid; where a design places the points there is no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Whether equal steps are equal ratios, not equal differences.
    #[serde(default)]
    pub log: bool,
}

impl Range {
    /// The number at a share of the way, from 0 to 1; to twelve digits, so that 0.1 + 0.2 reads as 0.3.
    fn at(&self, share: f64) -> f64 {
        let raw = if self.log {
            let (low, high) = (ops::ln(self.from), ops::ln(self.to));
            ops::exp(low + share * (high - low))
        } else {
            self.from + share * (self.to - self.from)
        };
        let rounded = format!("{raw:.11e}").parse().unwrap_or(raw);
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        f64::clamp(rounded, low, high)
    }
}

impl Axis {
    /// An axis of a list of values.
    pub fn list<V: ToString>(path: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let values = values
            .into_iter()
            .map(|value| canonical(&value.to_string()));
        Self {
            path: path.into(),
            values: Values::List(values.collect()),
        }
    }

    /// How many values it has on a grid; none where only a design can tell.
    pub const fn count(&self) -> Option<u64> {
        match &self.values {
            Values::List(list) => Some(list.len() as u64),
            Values::Range(range) => match range.count {
                Some(count) => Some(count as u64),
                None => None,
            },
        }
    }

    /// A value of a grid, counted from 0.
    pub fn value(&self, place: u64) -> String {
        match &self.values {
            Values::List(list) => list[place as usize].clone(),
            Values::Range(range) => {
                let last = range.count.map_or(0, |count| count.saturating_sub(1));
                let share = if last == 0 {
                    0.0
                } else {
                    place as f64 / f64::from(last)
                };
                range.at(share).to_string()
            }
        }
    }

    /// The value at a share of the way, at least 0 and less than 1: of a list, each value takes as much of it.
    pub fn value_at(&self, share: f64) -> String {
        match &self.values {
            Values::List(list) => {
                let place = (share * list.len() as f64) as usize;
                list[place.min(list.len() - 1)].clone()
            }
            Values::Range(range) => range.at(share).to_string(),
        }
    }

    /// Whether every value is a number.
    pub fn is_numeric(&self) -> bool {
        match &self.values {
            Values::List(list) => list.iter().all(|value| number(value).is_some()),
            Values::Range(_) => true,
        }
    }

    /// What is wrong with it, in a sentence.
    pub(super) fn problem(&self) -> Option<String> {
        let path = &self.path;
        if path.is_empty() {
            return Some("found no setting before \"=\"".to_owned());
        }
        // Both follow from the plan.
        if path == "seed" || path == "replicate" {
            return Some(format!(
                "{path} can't be varied: a sweep's --seed and --replicates say it"
            ));
        }
        match &self.values {
            Values::List(list) if list.is_empty() => Some(format!("{path} has no values")),
            Values::List(list) => list
                .iter()
                .enumerate()
                .find(|(place, value)| list[..*place].contains(value))
                .map(|(_, value)| format!("{path} has the value {value} twice")),
            Values::Range(range) => {
                let Range {
                    from,
                    to,
                    count,
                    log,
                } = *range;
                if !(from.is_finite() && to.is_finite()) || from == to {
                    Some(format!(
                        "{path} needs two different finite bounds, found {from}..{to}"
                    ))
                } else if log && (from <= 0.0 || to <= 0.0) {
                    Some(format!(
                        "{path} needs positive bounds for equal ratios, found {from}..{to}"
                    ))
                } else if count.is_some_and(|count| !(2..=MOST).contains(&count)) {
                    Some(format!(
                        "{path} needs from 2 to {MOST} values with both bounds among them, found {}",
                        count.unwrap_or_default()
                    ))
                } else {
                    None
                }
            }
        }
    }
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((path, values)) = text.split_once('=') else {
            return Err("expected path.to.key=values, found no \"=\"".to_owned());
        };
        let values = values.trim();
        let values = match range(values)? {
            Some(range) => Values::Range(range),
            None => Values::List(parts(values).into_iter().map(canonical).collect()),
        };
        let axis = Self {
            path: path.trim().to_owned(),
            values,
        };
        match axis.problem() {
            Some(problem) => Err(problem),
            None => Ok(axis),
        }
    }
}

/// `lo..hi[:n][:log]`; nothing where it isn't two numbers with dots between them.
fn range(text: &str) -> Result<Option<Range>, String> {
    let Some((from, rest)) = text.split_once("..") else {
        return Ok(None);
    };
    let mut rest = rest.split(':');
    let to = rest.next().unwrap_or_default();
    let (Some(from), Some(to)) = (number(from), number(to)) else {
        return Ok(None);
    };
    let (mut count, mut log) = (None, false);
    for part in rest {
        match part.trim() {
            "log" if !log => log = true,
            part if count.is_none() && !log => {
                let found = part.replace('_', "").parse();
                count = Some(found.map_err(|_| {
                    format!("expected lo..hi:n or lo..hi:n:log with a whole number n, found {text}")
                })?);
            }
            _ => return Err(format!("expected lo..hi:n or lo..hi:n:log, found {text}")),
        }
    }
    Ok(Some(Range {
        from,
        to,
        count,
        log,
    }))
}

/// A number as TOML and people write it.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    // "inf" and "nan" are words here.
    starts
        .then(|| text.replace('_', "").parse().ok())
        .flatten()
        .filter(|value: &f64| value.is_finite())
}

/// One way of writing a value, so that `1_000`, `1e3` and `1000.0` are the same point.
fn canonical(text: &str) -> String {
    match number(text) {
        Some(value) => value.to_string(),
        None => text.trim().to_owned(),
    }
}

/// Parts between commas, save those within brackets, braces and quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start, mut parts) = (0usize, None, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let axis: Axis = text.parse().unwrap();
        (0..axis.count().unwrap())
            .map(|place| axis.value(place))
            .collect()
    }

    #[test]
    fn lists_and_ranges_are_read_as_they_are_typed() {
        assert_eq!(values("a.b=1_000, 1e-1,2.50"), ["1000", "0.1", "2.5"]);
        assert_eq!(
            values("cohort.x.leverage={ uniform = { min = 1, max = 2 } }, 3"),
            ["{ uniform = { min = 1, max = 2 } }", "3"]
        );
        assert_eq!(values("margin.extends=fhs,fixed"), ["fhs", "fixed"]);
        assert_eq!(values("a=0..0.3:4"), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(values("a=-0.2..-0.1:3"), ["-0.2", "-0.15", "-0.1"]);
        assert_eq!(values("a=1..100:3:log"), ["1", "10", "100"]);
        assert_eq!(values("a=8..2:3"), ["8", "5", "2"]);
        let open: Axis = "a=1..100:log".parse().unwrap();
        assert_eq!((open.count(), open.value_at(0.5)), (None, "10".to_owned()));
        let list: Axis = "a=x,y,z".parse().unwrap();
        assert_eq!(list.value_at(0.99), "z");
        assert!(!list.is_numeric() && open.is_numeric());
    }

    #[test]
    fn what_makes_no_axis_is_refused() {
        for (text, told) in [
            ("a", "found no \"=\""),
            ("=1", "no setting before"),
            ("a=", "no values"),
            ("a=1,1.0", "the value 1 twice"),
            ("a=1..1:3", "two different"),
            ("a=0..1:3:log", "positive"),
            ("a=0..1:1", "from 2 to"),
            ("a=0..1:x", "whole number"),
            ("a=0..1:2:log:3", "expected lo..hi:n"),
            ("seed=1,2", "--seed"),
        ] {
            let problem = text.parse::<Axis>().unwrap_err();
            assert!(problem.contains(told), "{text}: {problem}");
        }
    }
}
