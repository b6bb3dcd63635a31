//! What a family tells: a line for each number, and what can be drawn of it.

use serde::Serialize;

/// How far what was got may lie from what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// Not at all.
    Exact,
    /// So much.
    Within(f64),
    /// So much of what was expected.
    Relative(f64),
    /// At least what was expected.
    AtLeast,
    /// At most what was expected.
    AtMost,
}

impl Tolerance {
    /// Whether a number is near enough to what was expected.
    pub fn holds(self, expected: f64, got: f64) -> bool {
        match self {
            Self::Exact => got == expected,
            Self::Within(most) => (got - expected).abs() <= most,
            Self::Relative(share) => (got - expected).abs() <= share * expected.abs(),
            Self::AtLeast => got >= expected,
            Self::AtMost => got <= expected,
        }
    }
}

/// One number that theory gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What it is, with the settings that it holds for.
    pub what: String,
    /// What theory says.
    pub expected: f64,
    /// What came out.
    pub got: f64,
    /// How far the two may lie apart.
    pub tolerance: Tolerance,
    /// What a reader should know: runs, and why the band is as wide as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Line {
    /// A line.
    pub fn new(what: impl Into<String>, expected: f64, got: f64, tolerance: Tolerance) -> Self {
        Self {
            what: what.into(),
            expected,
            got,
            tolerance,
            note: None,
        }
    }
    /// The line with a note.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
    /// Whether what came out is near enough.
    pub fn met(&self) -> bool {
        self.tolerance.holds(self.expected, self.got)
    }
}

/// A curve that theory gives, and points that came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// What is drawn.
    pub name: String,
    /// What lies along the bottom.
    pub x_name: String,
    /// What goes up.
    pub y_name: String,
    /// Whether equal ratios take equal room, along the bottom and up.
    pub log: [bool; 2],
    /// Theory: places and values.
    pub expected: Vec<[f64; 2]>,
    /// What came out.
    pub got: Vec<[f64; 2]>,
}

impl Plot {
    /// A chart of what came out over what was expected, line by line.
    pub fn of_lines(name: &str, lines: &[Line]) -> Self {
        let shown = || lines.iter().filter(|line| line.expected != 0.0);
        Self {
            name: name.to_owned(),
            x_name: "line of the table".to_owned(),
            y_name: "got over expected".to_owned(),
            log: [false, false],
            expected: shown()
                .enumerate()
                .map(|(at, _)| [at as f64 + 1.0, 1.0])
                .collect(),
            got: shown()
                .enumerate()
                .map(|(at, line)| [at as f64 + 1.0, line.got / line.expected])
                .collect(),
        }
    }
}

/// What a family found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Its numbers.
    pub lines: Vec<Line>,
    /// What can be drawn of it; where there is nothing, what was got over what was expected.
    pub plot: Option<Plot>,
}

impl Found {
    /// Adds a line.
    pub fn line(
        &mut self,
        what: impl Into<String>,
        expected: f64,
        got: f64,
        tolerance: Tolerance,
    ) -> &mut Line {
        self.lines.push(Line::new(what, expected, got, tolerance));
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }
    /// Whether every line is met.
    pub fn met(&self) -> bool {
        self.lines.iter().all(Line::met)
    }
}

impl Line {
    /// Adds a note to a line in place.
    pub fn note(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_holds_up_to_its_edge_and_no_further() {
        for (tolerance, near, far) in [
            (Tolerance::Exact, 2.0, 2.000_001),
            (Tolerance::Within(0.5), 2.5, 2.51),
            (Tolerance::Relative(0.25), 1.5, 1.49),
            (Tolerance::AtLeast, 2.0, 1.99),
            (Tolerance::AtMost, 2.0, 2.01),
        ] {
            assert!(tolerance.holds(2.0, near), "{tolerance:?}");
            assert!(!tolerance.holds(2.0, far), "{tolerance:?}");
            assert!(!tolerance.holds(2.0, f64::NAN), "{tolerance:?}");
        }
    }
}
