//! README against what it speaks of: code, columns, kinds of events.

use deleverage::engine::EventKind;
use deleverage::output::{events, genealogy, ladder, margin, options, steps, waiting};
use std::fs;

/// What README shows in the fences of a language that contain a part.
pub fn shown<'a>(readme: &'a str, fence: &str, part: &str) -> Vec<&'a str> {
    readme
        .split(&format!("```{fence}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|block| block.contains(part))
        .collect()
}

pub fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

#[test]
fn the_readme_names_every_column_with_its_unit() {
    let readme = readme();
    let lines: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let tables = [
        ("steps", steps::info()),
        ("events", events::info()),
        ("margin", margin::info()),
        ("ladder", ladder::info()),
        ("options", options::info()),
        ("liquidations", genealogy::info()),
        ("causes", genealogy::edge_info()),
        ("windows", genealogy::window_info()),
        ("waiting", waiting::info()),
    ];
    for (table, columns) in tables {
        assert!(columns.len() > 2);
        for column in columns {
            let begins = format!("| `{}` | {} |", column.name, column.unit.replace('_', " "));
            assert!(
                lines.iter().any(|line| line.starts_with(&begins)),
                "{table}: README has no line {begins}"
            );
        }
    }
}

#[test]
fn the_readme_names_every_kind_of_event() {
    let readme = readme();
    let (_, rest) = readme.split_once("Kinds of events: ").unwrap();
    let named = rest.split('.').next().unwrap().replace(['`', '\n'], "");
    let kinds = EventKind::ALL.map(EventKind::name).join(", ");
    assert_eq!(named, kinds);
}

#[test]
fn the_readme_shows_the_two_commands_that_integration_runs() {
    let readme = readme();
    let script = include_str!("../../.ci/run");
    let commands = shown(&readme, "sh", "--twin\ncargo");
    assert_eq!(
        commands,
        ["cargo run --release -- run configs/october-2025.toml --twin\ncargo test --release\n"]
    );
    assert!(
        script
            .lines()
            .any(|line| line == "step cargo test --release")
    );
}
