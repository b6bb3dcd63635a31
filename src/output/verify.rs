//! The theory suite as a table on the terminal, as JSON, and as charts.

use super::directory::OutputError;
use super::pictures::Picture;
use super::terminal::Style;
use crate::chart::{self, AgainstData, ChartError, Options};
use crate::verify::{Family, Found, Line, Plot, Tolerance};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// A family and what it found.
pub type Checked = (&'static Family, Found);

const WHAT: usize = 58;
const NUMBER: usize = 13;

/// The table: for each family a line a number with what was expected, what was got, the tolerance and the verdict.
pub fn table(checked: &[Checked], notes: bool, style: &Style) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<WHAT$}{:>NUMBER$}{:>NUMBER$}  {:<12} verdict",
        "", "expected", "got", "tolerance"
    );
    for (family, found) in checked {
        let head = format!("{} ({})", family.title, family.ground.name());
        let _ = writeln!(text, "\n{}", style.dress("1", &head));
        for line in &found.lines {
            let what: String = line.what.chars().take(WHAT - 3).collect();
            let _ = writeln!(
                text,
                "  {what:<width$}{:>NUMBER$}{:>NUMBER$}  {:<12} {}",
                number(line.expected),
                number(line.got),
                tolerance(line),
                verdict(line, style),
                width = WHAT - 2,
            );
            if what.len() < line.what.len() && what.chars().count() < line.what.chars().count() {
                let rest: String = line.what.chars().skip(WHAT - 3).collect();
                let _ = writeln!(text, "    … {rest}");
            }
            if let Some(note) = line.note.as_deref().filter(|_| notes || !line.met()) {
                let _ = writeln!(text, "    {}", style.dress("2", note));
            }
        }
    }
    let (met, all) = count(checked);
    let _ = writeln!(
        text,
        "\n{met} of {all} numbers as they should be, in {} families",
        checked.len()
    );
    text
}

/// How many lines are met, of how many.
pub fn count(checked: &[Checked]) -> (usize, usize) {
    let lines = || checked.iter().flat_map(|(_, found)| &found.lines);
    (lines().filter(|line| line.met()).count(), lines().count())
}

/// Six digits or so.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if value.fract() == 0.0 && size < 1e9 {
        format!("{value}")
    } else if !(1e-4..1e7).contains(&size) {
        format!("{value:.4e}")
    } else {
        let places = match size {
            s if s >= 1e5 => 1,
            s if s >= 1e3 => 2,
            s if s >= 10.0 => 4,
            _ => 6,
        };
        format!("{value:.places$}")
    }
}

fn tolerance(line: &Line) -> String {
    match line.tolerance {
        Tolerance::Exact => "exact".to_owned(),
        Tolerance::Within(most) => format!("± {}", short(most)),
        Tolerance::Relative(share) => format!("± {} %", short(100.0 * share)),
        Tolerance::AtLeast => "at least".to_owned(),
        Tolerance::AtMost => "at most".to_owned(),
    }
}

/// Two digits.
fn short(value: f64) -> String {
    if value == 0.0 || (0.01..1e4).contains(&value) {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        text.to_owned()
    } else {
        format!("{value:.0e}")
    }
}

fn verdict(line: &Line, style: &Style) -> String {
    if line.met() {
        style.dress("32", "met")
    } else {
        style.dress("1;31", "FALLS SHORT")
    }
}

/// All of it as JSON.
pub fn json(checked: &[Checked]) -> Value {
    let (met, all) = count(checked);
    let families: Vec<Value> = checked
        .iter()
        .map(|(family, found)| {
            let lines: Vec<Value> = found
                .lines
                .iter()
                .map(|line| {
                    json!({
                        "what": line.what,
                        "expected": line.expected,
                        "got": line.got,
                        "tolerance": line.tolerance,
                        "met": line.met(),
                        "note": line.note,
                    })
                })
                .collect();
            json!({
                "name": family.name,
                "title": family.title,
                "source": family.source,
                "ground": family.ground.name(),
                "met": found.met(),
                "lines": lines,
            })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "met": met,
        "lines": all,
        "families": families,
    })
}

/// Text in a cell of a table in Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

/// The table for a page of documentation.
pub fn markdown(checked: &[Checked]) -> String {
    let mut text = String::new();
    for (family, found) in checked {
        let _ = writeln!(
            text,
            "### {}\n\n`{}` · {} · {}\n\n| | expected | got | tolerance | verdict |\n|---|---:|---:|---|---|",
            cell(family.title),
            family.name,
            family.ground.name(),
            family.source
        );
        for line in &found.lines {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                cell(&line.what),
                number(line.expected),
                number(line.got),
                tolerance(line),
                if line.met() { "met" } else { "falls short" }
            );
        }
        text.push('\n');
    }
    text
}

/// A chart for each family.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(checked: &[Checked]) -> Result<Vec<Picture>, ChartError> {
    checked
        .iter()
        .map(|(family, found)| {
            let plot = match &found.plot {
                Some(plot) => plot.clone(),
                None => Plot::of_lines(family.title, &found.lines),
            };
            let column = |points: &[[f64; 2]], axis: usize| -> Vec<f64> {
                points.iter().map(|point| point[axis]).collect()
            };
            let data = AgainstData {
                name: plot.name,
                x_name: plot.x_name,
                y_name: plot.y_name,
                log: plot.log,
                legend: ["theory", "got"].map(str::to_owned),
                curve_x: column(&plot.expected, 0),
                curve_y: column(&plot.expected, 1),
                point_x: column(&plot.got, 0),
                point_y: column(&plot.got, 1),
            };
            let options = Options {
                subtitle: Some(format!("{} · {}", family.source, family.ground.name())),
                ..Options::default()
            };
            Ok(Picture {
                name: family.name.to_owned(),
                chart: chart::against(&data, &options)?,
            })
        })
        .collect()
}

/// Writes the JSON, the table and the charts into a directory.
///
/// # Errors
///
/// [`OutputError`] where the directory or a file can't be written.
pub fn save(
    checked: &[Checked],
    pictures: &[Picture],
    directory: &Path,
) -> Result<(), OutputError> {
    let failed = super::directory::failed;
    std::fs::create_dir_all(directory).map_err(failed("create", directory))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(failed("write", &path))
    };
    let text = serde_json::to_string_pretty(&json(checked)).unwrap_or_default() + "\n";
    write("verify.json", text.as_bytes())?;
    write("verify.md", markdown(checked).as_bytes())?;
    for picture in pictures {
        write(
            &format!("{}.svg", picture.name),
            picture.chart.svg.as_bytes(),
        )?;
        #[cfg(feature = "raster")]
        if let Ok(png) = picture.chart.png() {
            write(&format!("{}.png", picture.name), &png)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tolerances_read_as_people_write_them() {
        for (value, text) in [
            (0.0, "0"),
            (200.0, "200"),
            (2.083_333_3, "2.083333"),
            (236_350.74, "236350.7"),
            (1e-7, "1.0000e-7"),
        ] {
            assert_eq!(number(value), text);
        }
        let line = Line::new("", 1.0, 1.0, Tolerance::Relative(0.005));
        assert_eq!(tolerance(&line), "± 0.5 %");
    }

    #[test]
    fn what_falls_short_says_so_in_the_table_and_in_json() {
        let mut found = Found::default();
        found.line("one", 1.0, 1.0, Tolerance::Exact);
        found
            .line("two", 2.0, 2.5, Tolerance::Within(0.1))
            .note("why");
        let checked = [(&crate::verify::FAMILIES[0], found)];
        let style = Style {
            colour: false,
            currency: String::new(),
        };
        let text = table(&checked, false, &style);
        assert!(text.contains("FALLS SHORT") && text.contains("why"));
        assert!(text.contains("1 of 2 numbers"));
        assert_eq!(json(&checked)["families"][0]["met"], false);
    }
}
