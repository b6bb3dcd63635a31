//! Lengths of time as a person writes them: `"30s"`, `"5m"`, `"1h30m"`, `"1d"`, or seconds as a number.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;

/// Seconds in a year of 365 days: the year of every annualised figure.
pub const YEAR: f64 = 365.0 * 86_400.0;

/// A length of time in seconds; never negative; `"never"` is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Span(f64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);
    /// Longer than any run.
    pub const NEVER: Self = Self(f64::INFINITY);

    /// So many seconds; negative or undefined numbers give zero.
    pub fn seconds(seconds: f64) -> Self {
        Self(seconds.max(0.0))
    }
    /// The length in seconds.
    pub const fn as_seconds(self) -> f64 {
        self.0
    }
    /// The length in steps of `dt` seconds, rounded up; the largest count where it doesn't fit.
    pub fn steps(self, dt: f64) -> u32 {
        (self.0 / dt - 1e-9).ceil().max(0.0) as u32
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "never" {
            return Some(Self::NEVER);
        }
        // Parts such as `52m 31s` add up.
        let (mut rest, mut total) = (text, 0.0);
        loop {
            let digits = rest
                .find(|c: char| c.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            let unit = rest[digits..]
                .find(|c: char| !c.is_ascii_alphabetic())
                .map_or(rest.len(), |end| digits + end);
            let factor = match &rest[digits..unit] {
                "ms" => 1e-3,
                "s" | "" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                _ => return None,
            };
            let count: f64 = rest[..digits].trim().parse().ok()?;
            if !(count.is_finite() && count >= 0.0) {
                return None;
            }
            total += count * factor;
            rest = rest[unit..].trim_start();
            if rest.is_empty() {
                return Some(Self(total));
            }
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0;
        if seconds == f64::INFINITY {
            return f.write_str("never");
        }
        for (unit, factor) in [("d", 86_400.0), ("h", 3_600.0), ("m", 60.0)] {
            if seconds >= factor && seconds % factor == 0.0 {
                return write!(f, "{}{unit}", seconds / factor);
            }
        }
        write!(f, "{seconds}s")
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a length of time such as \"30s\", \"5m\", \"8h\", \"never\", or seconds",
                )
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Span, E> {
                if seconds.is_finite() && seconds >= 0.0 {
                    Ok(Span(seconds))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(seconds), &self))
                }
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Span, E> {
                if seconds < 0 {
                    return Err(E::invalid_value(de::Unexpected::Signed(seconds), &self));
                }
                Ok(Span(seconds as f64))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Span, E> {
                Ok(Span(seconds as f64))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: \"30s\", \"5m\", \"8h\", \"1d\", \"never\", or seconds as a number.",
            "anyOf": [{"type": "string"}, {"type": "number", "minimum": 0}]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_written() {
        for (text, seconds) in [
            ("30s", 30.0),
            ("1.5h", 5_400.0),
            ("250ms", 0.25),
            ("7", 7.0),
            ("52m31s", 3_151.0),
            ("1h 30m", 5_400.0),
        ] {
            assert_eq!(Span::parse(text), Some(Span(seconds)));
        }
        assert_eq!(Span::parse("-1s"), None);
        assert_eq!(Span::parse("1 fortnight"), None);
        assert_eq!(Span(5_400.0).to_string(), "90m");
        assert_eq!(Span(30.0).steps(1.0), 30);
        assert_eq!(Span(0.1).steps(1.0), 1);
        assert_eq!(Span::NEVER.steps(1.0), u32::MAX);
    }
}
