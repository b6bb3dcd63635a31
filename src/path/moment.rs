//! Points in time as a person writes them, and the grid of steps on which a run lives.
//!
//! # Units
//!
//! Times of the outside world are milliseconds since 1970-01-01 00:00 UTC; offsets are seconds since
//! the start of the run.

use crate::unit::Span;
use jiff::{Timestamp, civil, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

const DAY_MS: i64 = 86_400_000;

/// The steps of a run: where it starts, how long a step is, how many there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeGrid {
    /// The time of step 0.
    pub start_ms: i64,
    /// Seconds per step.
    pub dt: f64,
    /// Steps after step 0.
    pub steps: u32,
}

impl TimeGrid {
    /// Seconds from the start to a step.
    #[inline]
    pub fn seconds(&self, step: u32) -> f64 {
        f64::from(step) * self.dt
    }
    /// The time of a step.
    #[inline]
    pub fn time_ms(&self, step: u32) -> f64 {
        self.start_ms as f64 + self.seconds(step) * 1_000.0
    }
    /// The step nearest to an offset in seconds, or `None` before the start or beyond any run.
    pub fn nearest_step(&self, offset: f64) -> Option<u32> {
        let step = (offset / self.dt).round();
        (step >= 0.0 && step <= f64::from(u32::MAX)).then_some(step as u32)
    }
    /// The step's share of a year of 365 days: markets here never close.
    #[inline]
    pub fn years(&self) -> f64 {
        self.dt / YEAR
    }
}

/// Seconds in a year of 365 days of 24 hours.
pub use crate::unit::span::YEAR;

/// A point in time: seconds or a length of time after the start, a time of day, or a UTC timestamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// So long after the start of the run.
    After(Span),
    /// The first such time of day (UTC), in milliseconds after midnight, at or after the start.
    Clock(i64),
    /// A time of the outside world.
    Utc(i64),
}

impl From<Span> for Moment {
    fn from(span: Span) -> Self {
        Self::After(span)
    }
}

impl Moment {
    /// Seconds after the start of the run; negative for a timestamp before it.
    pub fn offset(self, start_ms: i64) -> f64 {
        match self {
            Self::After(span) => span.as_seconds(),
            Self::Clock(clock) => (clock - start_ms).rem_euclid(DAY_MS) as f64 / 1_000.0,
            Self::Utc(ms) => (ms - start_ms) as f64 / 1_000.0,
        }
    }

    /// Reads `"20:50:00"`, `"2025-10-10 20:50:00"`, `"2025-10-10T20:50:00Z"` or a length such as `"35m"`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(ms) = parse_utc(text) {
            return Some(Self::Utc(ms));
        }
        if text.contains(':') {
            let time: civil::Time = text.parse().ok()?;
            let seconds = i64::from(time.hour()) * 3_600
                + i64::from(time.minute()) * 60
                + i64::from(time.second());
            return Some(Self::Clock(seconds * 1_000 + i64::from(time.millisecond())));
        }
        let reader: de::value::StrDeserializer<'_, de::value::Error> = text.into_deserializer();
        Span::deserialize(reader).ok().map(Self::After)
    }
}

/// Milliseconds since 1970 of a timestamp; without an offset it is UTC. `None` for anything else.
pub fn parse_utc(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_millisecond());
    }
    // A bare time of day must not be read as a date.
    if !text.get(..10)?.contains('-') {
        return None;
    }
    let civil: civil::DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond())
}

/// A time to read, `2025-10-10 20:50` with seconds where they aren't zero.
pub fn show_utc(ms: i64) -> String {
    let Ok(stamp) = Timestamp::from_millisecond(ms) else {
        return format!("{ms} ms");
    };
    let t = TimeZone::UTC.to_datetime(stamp);
    let minute = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute()
    );
    match (t.second(), t.millisecond()) {
        (0, 0) => minute,
        (second, 0) => format!("{minute}:{second:02}"),
        (second, ms) => format!("{minute}:{second:02}.{ms:03}"),
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::After(span) => span.fmt(f),
            Self::Clock(ms) => {
                let (seconds, ms) = (ms / 1_000, ms % 1_000);
                write!(
                    f,
                    "{:02}:{:02}:{:02}",
                    seconds / 3_600,
                    seconds / 60 % 60,
                    seconds % 60
                )?;
                if ms > 0 {
                    write!(f, ".{ms:03}")?;
                }
                Ok(())
            }
            Self::Utc(ms) => f.write_str(&show_utc(ms)),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "seconds after the start, a length of time such as \"35m\", a time of day such as \"20:50:00\", or a UTC time such as \"2025-10-10 20:50:00\"",
                )
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                Moment::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Moment, E> {
                if seconds.is_finite() && seconds >= 0.0 {
                    Ok(Moment::After(Span::seconds(seconds)))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(seconds), &self))
                }
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Moment, E> {
                self.visit_f64(seconds as f64)
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Moment, E> {
                self.visit_f64(seconds as f64)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A point in time: seconds after the start or a length of time (\"35m\"), a time of day (\"20:50:00\", UTC, the first at or after the start), or a UTC time (\"2025-10-10 20:50:00\").",
            "anyOf": [{"type": "string"}, {"type": "number", "minimum": 0}]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-10-10 20:30 UTC.
    const START: i64 = 1_760_128_200_000;

    #[test]
    fn moments_read_as_written() {
        assert_eq!(show_utc(START), "2025-10-10 20:30");
        for (text, offset) in [
            ("20:50:00", 1_200.0),
            ("20:30", 0.0),
            ("20:29", 86_340.0),
            ("2025-10-10 21:30:00", 3_600.0),
            ("2025-10-10T21:30:00Z", 3_600.0),
            ("2025-10-10T20:29:59Z", -1.0),
            ("35m", 2_100.0),
            ("12", 12.0),
        ] {
            let moment = Moment::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(moment.offset(START), offset, "{text}");
            assert_eq!(Moment::parse(&moment.to_string()), Some(moment), "{text}");
        }
        for text in ["", "25:00", "soon", "2025-13-01 00:00:00", "-5m"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_grid_finds_the_step_of_an_offset() {
        let grid = TimeGrid {
            start_ms: START,
            dt: 0.5,
            steps: 10,
        };
        assert_eq!(grid.nearest_step(2.0), Some(4));
        assert_eq!(grid.nearest_step(-1.0), None);
        assert_eq!(grid.time_ms(4), START as f64 + 2_000.0);
    }
}
