//! What is not modelled, in the words of README: one list, in one place.

const README: &str = include_str!("../../README.md");
const HEADING: &str = "\n## What is not modelled\n";

/// The points, as HTML.
pub(super) fn points() -> Vec<String> {
    let section = README.split_once(HEADING).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut points: Vec<String> = Vec::new();
    for line in section.lines() {
        if let Some(point) = line.strip_prefix("- ") {
            points.push(point.to_owned());
        } else if let Some(point) = points.last_mut().filter(|_| !line.trim().is_empty()) {
            // A point may go on in the next line.
            point.push(' ');
            point.push_str(line.trim());
        }
    }
    points.iter().map(|point| marked(point)).collect()
}

/// Text with code between backticks, as HTML.
fn marked(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut out = String::new();
    for (place, part) in escaped.split('`').enumerate() {
        match place % 2 {
            1 => out += &format!("<code>{part}</code>"),
            _ => out += part,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_readme_is_found() {
        let points = points();
        assert!(points.len() >= 3, "{points:?}");
        assert!(points.iter().all(|point| !point.contains('`')));
        assert!(
            points.iter().all(|point| point.ends_with(['.', ')'])),
            "{points:?}"
        );
        assert_eq!(marked("a `b < c` & d"), "a <code>b &lt; c</code> &amp; d");
    }
}
