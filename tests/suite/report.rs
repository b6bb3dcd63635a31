//! `deleverage report` without a browser: what the file says, and what it never does. `browser.rs` looks at the pages.

use crate::support::{FALL, deleverage};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn fall() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    run(&folder, &["--twin"]);
    folder
}

fn run(folder: &TempDir, more: &[&str]) {
    let typed = ["run", "fall.toml", "-q", "--out", "run"];
    deleverage()
        .current_dir(folder)
        .args(typed)
        .args(more)
        .assert()
        .success();
}

fn report(folder: &TempDir, arguments: &[&str]) -> assert_cmd::assert::Assert {
    deleverage()
        .current_dir(folder)
        .arg("report")
        .args(arguments)
        .assert()
}

fn page(folder: &TempDir) -> String {
    report(folder, &["run"])
        .success()
        .stdout("written to run/report.html\n");
    fs::read_to_string(folder.path().join("run/report.html")).unwrap()
}

/// The value of an attribute in what follows its tag's beginning.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[test]
fn a_page_loads_nothing_and_stays_small() {
    let page = page(&fall());
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.starts_with("<!DOCTYPE html>"));
    for opener in [" src=\"", " href=\"", "url(", "xlink:href=\""] {
        for rest in page.split(opener).skip(1) {
            let address: String = rest.chars().take(24).collect();
            assert!(
                address.starts_with(['#']) || address.starts_with("data:"),
                "{opener}{address}"
            );
        }
    }
    for word in [
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "<iframe",
        "<object",
        "<base",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("content=\"default-src 'none'; "));
}

#[test]
fn numbers_on_the_page_are_those_of_the_summary() {
    let folder = fall();
    let page = page(&folder);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/summary.json")).unwrap()).unwrap();
    let mut seen = 0;
    for tag in page.split(" data-metric=\"").skip(1) {
        let name = tag.split('"').next().unwrap();
        let tag = tag.split('>').next().unwrap();
        let market = attribute(tag, "data-market");
        let Some(value) = attribute(tag, "data-value").filter(|value| !value.is_empty()) else {
            continue;
        };
        let of_name =
            |metric: &&Value| metric["name"] == name && metric["market"].as_str() == market;
        let metric = summary.as_array().unwrap().iter().find(of_name).unwrap();
        let told = match &metric["value"] {
            Value::String(word) => word.parse().unwrap(),
            number => number.as_f64().unwrap(),
        };
        let value: f64 = value.replace("Infinity", "inf").parse().unwrap();
        assert_eq!(value.to_bits(), f64::to_bits(told), "{name}");
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
    for part in [
        "Settings that the results hinge on",
        "What is not modelled",
        "deleverage run manifest.json --twin --out again",
        "τ, the half-life with which it is undone",
        "Who paid: the bad debt",
        "Fates of margin calls",
        "id=\"chart-twin-BTC\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_same_directory_gives_the_same_page_wherever_it_is_written() {
    let folder = fall();
    let first = page(&folder);
    assert_eq!(first, page(&folder));
    report(&folder, &["run", "--out", "deep/down.html"])
        .success()
        .stdout("written to deep/down.html\n");
    assert_eq!(
        fs::read_to_string(folder.path().join("deep/down.html")).unwrap(),
        first
    );
    let left: Vec<_> = fs::read_dir(folder.path().join("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // The page of another run would be a lie.
    run(&folder, &["--force", "--seed", "6"]);
    assert!(!folder.path().join("run/report.html").exists());
}

#[test]
fn a_drawing_that_somebody_else_made_is_shown() {
    let folder = fall();
    let run = folder.path().join("run");
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    let entry = r#"{ "name": "charts/tree.svg", "bytes": 1, "sha256": "0" },"#;
    let (before, after) = manifest.split_once("\"files\": [").unwrap();
    fs::write(
        run.join("manifest.json"),
        format!("{before}\"files\": [{entry}{after}"),
    )
    .unwrap();
    fs::write(run.join("charts/tree.svg"), "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><title>A tree of cascades</title></svg>").unwrap();
    let page = page(&folder);
    assert!(page.contains("<figure id=\"chart-tree\" class=\"fixed\">"));
    assert!(page.contains("<figcaption>A tree of cascades</figcaption>"));
}

#[test]
fn what_has_no_page_says_why() {
    let folder = fall();
    let fails = |arguments: &[&str], words: &str| {
        report(&folder, arguments)
            .code(2)
            .stderr(contains(words).and(contains("panicked").not()));
    };
    fails(&["nowhere"], "nowhere holds no results (no manifest.json)");
    let summary = folder.path().join("run/summary.json");
    fs::write(&summary, "{}").unwrap();
    fails(&["run"], "run/summary.json: ");
    fs::remove_file(&summary).unwrap();
    fails(&["run"], "run/summary.json: ");
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let manifest = fs::read_to_string(folder.path().join("run/manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["scenario"] = serde_json::json!({ "backtest": {} });
    fs::write(
        Path::new(&other).join("manifest.json"),
        manifest.to_string(),
    )
    .unwrap();
    fails(
        &["other"],
        "other holds neither a run nor a comparison nor a sweep",
    );
}
