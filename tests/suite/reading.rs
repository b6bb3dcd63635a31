//! Results in other readers' hands: the code that the guide shows, run by Python on a run's files.
//!
//! Where Python or a package is missing, the test says so and skips what needs it; `.ci/run` installs them.
#![cfg(feature = "parquet")]

use crate::support::{FALL, deleverage};
use deleverage::output::frame::{Frame, Wanted};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

const GUIDE: &str = include_str!("../../src/guide/reading.md");

/// Runs a piece of the guide in a directory, and what comes after it; nothing where its package isn't there.
fn python(directory: &Path, package: &str, after: &str) -> Option<Value> {
    let there = Command::new("python3")
        .args(["-c", &format!("import {package}")])
        .output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no python3 with {package} (pip install {package})");
        return None;
    }
    let code = GUIDE
        .split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|code| code.starts_with(&format!("import {package}")))
        .unwrap_or_else(|| panic!("the guide shows no code with {package}"));
    let output = Command::new("python3")
        .current_dir(directory)
        .args([
            "-c",
            &format!("{code}\nimport json\nprint(json.dumps({after}))"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_guides_queries_find_what_the_run_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!("start = \"2025-10-10 20:30\"\n{FALL}");
    fs::write(folder.path().join("fall.toml"), scenario).unwrap();
    let typed = ["run", "fall.toml", "--twin", "-q", "--out", "run"];
    deleverage()
        .current_dir(&folder)
        .args(typed)
        .assert()
        .success();
    let run = folder.path().join("run");
    let wanted = Wanted {
        words: &["market", "kind"],
        numbers: &["mid_price", "forced_sold_notional", "amount"],
    };
    let steps = Frame::read(&run, "steps", wanted).unwrap();
    let twin = Frame::read(&run, "twin", wanted).unwrap();
    let events = Frame::read(&run, "events", wanted).unwrap();

    let near = |found: &Value, expected: f64| {
        let found = found.as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs(),
            "{found}, expected {expected}"
        );
    };
    if let Some(found) = python(
        &run,
        "pandas",
        "[len(minutes), float(minutes.forced_sold_notional.sum())]",
    ) {
        // Three minutes, the last step's end being the first moment of a fourth, in two markets.
        assert_eq!(found[0], 8);
        near(
            &found[1],
            steps.numbers("forced_sold_notional").unwrap().iter().sum(),
        );
    }
    if let Some(found) = python(&run, "polars", "dict(gaps.iter_rows())") {
        for market in ["BTC", "ETH"] {
            let rows = steps.rows_of("market", market).unwrap();
            let pairs = steps.picked("mid_price", &rows).unwrap();
            let twins = twin.picked("mid_price", &rows).unwrap();
            let worst = pairs.iter().zip(&twins).map(|(own, twin)| own / twin - 1.0);
            near(&found[market], worst.fold(f64::INFINITY, f64::min));
        }
    }
    if let Some(found) = python(
        &run,
        "duckdb",
        "{kind: [events, amount] for kind, events, amount in kinds}",
    ) {
        let kinds = events.words("kind").unwrap();
        assert_eq!(found.as_object().unwrap().len(), kinds.names().len());
        for kind in kinds.names() {
            let rows = events.rows_of("kind", kind).unwrap();
            assert_eq!(found[kind][0], json!(rows.len()), "{kind}");
            let amounts = events.picked("amount", &rows).unwrap();
            if amounts.iter().any(|amount| !amount.is_nan()) {
                near(
                    &found[kind][1],
                    amounts
                        .iter()
                        .filter(|a| !a.is_nan())
                        .map(|a| a.abs())
                        .sum(),
                );
            }
        }
    }
    let schema = "[unit, str(schema.field('time').type), [str(pq.read_metadata('events.parquet').row_group(0).column(i).encodings) \
                  for i, name in enumerate(pq.read_schema('events.parquet').names) if name in ('kind', 'market')], \
                  sorted(key.decode() for key in schema.metadata if key.startswith(b'deleverage.'))]";
    if let Some(found) = python(&run, "pyarrow", schema) {
        assert_eq!(
            (&found[0], &found[1]),
            (
                &json!("settlement_currency"),
                &json!("timestamp[us, tz=UTC]")
            )
        );
        for encodings in found[2].as_array().unwrap() {
            assert!(
                encodings.as_str().unwrap().contains("DICTIONARY"),
                "{encodings}"
            );
        }
        assert_eq!(found[2].as_array().unwrap().len(), 2);
        assert!(
            found[3]
                .as_array()
                .unwrap()
                .contains(&json!("deleverage.scenario_sha256"))
        );
    }
}
