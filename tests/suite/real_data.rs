//! Public files as they were published. They aren't part of the project; where they aren't at hand, these
//! tests say so and pass.

use crate::support::deleverage;
use predicates::prelude::*;
use predicates::str::contains;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file of real data, or a word that it is missing.
fn data(name: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = std::env::var_os("DELEVERAGE_DATA")
        .map(PathBuf::from)
        .into_iter()
        .chain([root.join("../shared/data"), root.join("../../shared/data")]);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|file| file.exists());
    if found.is_none() {
        eprintln!("skipped: {name} isn't here; DELEVERAGE_DATA may say where it is");
    }
    found.map(|file| file.display().to_string())
}

fn quickstart() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs/quickstart.toml")
        .display()
        .to_string()
}

fn run(folder: &TempDir, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let out = folder.path().join("out").display().to_string();
    let config = quickstart();
    let assert = deleverage()
        .args(["run", &config, "--out", &out, "--format", "csv", "--force"])
        .args(arguments)
        .assert();
    // The expectations of the quickstart are of its own fall; with another price they may fail.
    let code = assert.get_output().status.code();
    assert!(matches!(code, Some(0 | 1)), "{assert}");
    let manifest = std::fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
    assert!(manifest.contains("\"complete\""));
    assert
}

const GAPS: &str = "gaps/BTCUSDT-1m-2021-04-24_04-26.csv.gz";
const MARK: &str = "october-2025/BTCUSD_PERP-1m-2025-10-10.zip";
const DEPTH: &str = "october-2025/BTCUSDT-bookDepth-2025-10-10.csv.gz";

#[test]
fn missing_minutes_of_the_whole_file_are_reported() {
    let Some(prices) = data(GAPS) else { return };
    let folder = tempfile::tempdir().unwrap();
    // The run covers the file's first half hour; what the file lacks is said all the same.
    run(&folder, &["--prices", &prices]).stdout(
        contains("284 missing minutes in 1 gap")
            .and(contains(
                "a realised price contains the liquidations of its day",
            ))
            .and(contains("4,036 bars of 1m")),
    );
    let out = std::fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
    assert!(out.contains(GAPS.rsplit('/').next().unwrap()));
}

#[test]
fn a_run_over_the_gap_holds_the_price_or_is_refused() {
    let Some(prices) = data(GAPS) else { return };
    let folder = tempfile::tempdir().unwrap();
    let over = [
        "--prices",
        &prices,
        "--set",
        "start=2021-04-25T04:00:00Z",
        "--set",
        "length=6h",
        // The scenario's own shock would move a price that the gap holds.
        "--set",
        "shock.0.size=0",
    ];
    run(&folder, &over).stdout(
        contains("284 missing minutes in 1 gap").and(contains("the price stays at the last close")),
    );
    let steps = std::fs::read_to_string(folder.path().join("out/steps.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(steps.as_bytes());
    let place = rows
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "reference_price")
        .unwrap();
    let prices: Vec<String> = rows
        .records()
        .map(|row| row.unwrap()[place].to_owned())
        .collect();
    let (mut longest, mut now) = (0, 0);
    for pair in prices.windows(2) {
        now = if pair[0] == pair[1] { now + 1 } else { 0 };
        longest = longest.max(now);
    }
    assert!(
        (284 * 60 - 60..=284 * 60 + 60).contains(&longest),
        "{longest} steps at one price"
    );
}

#[test]
fn a_zipped_kline_file_is_replayed() {
    let Some(prices) = data(MARK) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["--prices", &prices])
        .stdout(contains("1,440 bars of 1m").and(contains("missing").not()));
    // Over the fall of the day.
    let fall = [
        "--prices",
        &prices,
        "--set",
        "start=2025-10-10T20:50:00Z",
        "--set",
        "length=1h",
    ];
    run(&folder, &fall);
    let summary = std::fs::read_to_string(folder.path().join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let metrics = summary.as_array().unwrap();
    let fell = metrics
        .iter()
        .find(|metric| metric["name"] == "reference_drawdown")
        .unwrap();
    assert!(fell["value"].as_f64().unwrap() > 0.1, "{fell}");
}

#[test]
fn an_unusable_side_of_depth_is_reported_and_the_other_is_used() {
    let (Some(prices), Some(depth)) = (data(MARK), data(DEPTH)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let during = [
        "--prices",
        &prices,
        "--depth",
        &depth,
        "--set",
        "start=2025-10-10T20:50:00Z",
    ];
    for arguments in [
        &["--depth", &depth][..],
        &["--prices", &prices, "--depth", &depth],
        &during,
    ] {
        run(&folder, arguments).stdout(
            contains("bid side unusable from 2025-10-10 15:30:42 UTC")
                .and(contains("both sides of BTC have the ask side's depth")),
        );
        let manifest = std::fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let curve = &manifest["scenario"]["market"]["BTC"]["venue"]["book"]["depth"]["curve"];
        assert!(curve["ask"].as_array().unwrap().len() >= 5, "{curve}");
        assert_eq!(curve["bid"], curve["ask"]);
    }
    // A run that names its own time, before the order went stale, has both sides.
    let before = ["--depth", &depth, "--set", "start=2025-10-10T12:00:00Z"];
    run(&folder, &before).stdout(
        contains("bid side unusable from").and(contains("have the ask side's depth").not()),
    );
}

/// POWR's seven brackets of 2024-10-24, as the scenario's own; nothing of the file is left in what is resolved.
#[test]
fn brackets_of_a_symbol_are_read_from_the_venues_table() {
    let Some(file) = data("binance_leverage_tiers_2024-10.json.gz") else {
        return;
    };
    let text = format!(
        "length = \"1m\"\n[market.POWR]\ntick = 0.0001\nlot = 1\nprice = 0.25\npath.constant = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = 0 }}\n\
         [margin.base.tiered]\nfile = {file:?}\nsymbol = \"POWRUSDT\"\n"
    );
    let scenario = deleverage::scenario::Scenario::parse(&text).unwrap();
    let base = &scenario.to_json()["margin"]["base"]["tiered"];
    let brackets = base["brackets"].as_array().unwrap();
    assert_eq!(brackets.len(), 7);
    assert_eq!(brackets[1]["cap"], "25000");
    assert_eq!(brackets[1]["maintenance"], "0.025");
    assert!(base.get("file").is_none());
    let wrong = text.replace("POWRUSDT", "POWDUSDT");
    let said = deleverage::scenario::Scenario::parse(wrong)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("no symbol POWDUSDT among 349 symbols"),
        "{said}"
    );
    assert!(said.contains("1 problem"), "{said}");
}
