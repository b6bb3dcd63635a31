//! The command: check, presets, new, schema.

use super::scenario::SMALL;
use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use std::io::Read;
use std::process::Stdio;

fn deleverage() -> Command {
    Command::cargo_bin("deleverage").unwrap()
}

#[test]
fn check_says_that_nothing_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    deleverage()
        .current_dir(&folder)
        .args(["check", "small.toml", "--set", "cohort.retail.count=1234"])
        .assert()
        .success()
        .stdout(contains("no problems: 1 market, 1,234 accounts, 600 steps"));
}

#[test]
fn check_tells_all_problems_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let text = SMALL
        .replace("tick = 0.5", "tikc = 0.5")
        .replace("count = 50", "count = -1");
    std::fs::write(folder.path().join("bad.toml"), text).unwrap();
    deleverage()
        .current_dir(&folder)
        .args(["check", "bad.toml", "--set", "seed=x"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(
            contains("bad.toml:6:1")
                .and(contains("did you mean `tick`?"))
                .and(contains("bad.toml:16:9"))
                .and(contains("--set:1:6"))
                .and(contains("4 problems"))
                .and(contains("\u{1b}[").not()),
        );
    deleverage()
        .args(["check", "nowhere.toml"])
        .assert()
        .code(2)
        .stderr(contains("cannot read nowhere.toml"));
}

#[test]
fn presets_are_listed_and_printed() {
    deleverage().arg("presets").assert().success().stdout(
        contains("hyperliquid")
            .and(contains("2024-10-24"))
            .and(contains("BTC, ETH, SOL")),
    );
    deleverage()
        .args(["presets", "bybit"])
        .assert()
        .success()
        .stdout(contains("[margin.market.BTC.base.tiered]"));
    deleverage()
        .args(["presets", "mtgox"])
        .assert()
        .code(2)
        .stderr(contains(
            "the presets are aave-v3, aave-v4, binance-usdm, bitmex-2020, bybit, cme, compound-v3, deribit, deribit-coin, derive, drift, dydx-v4",
        ));
}

#[test]
fn new_writes_a_scenario_that_passes_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| deleverage().current_dir(&folder).args(arguments).assert();
    run(&["new", "mine"])
        .success()
        .stdout(contains("wrote mine.toml"));
    run(&["check", "mine.toml"]).success();
    let before = std::fs::read(folder.path().join("mine.toml")).unwrap();
    run(&["new", "mine"])
        .code(2)
        .stderr(contains("exists already"));
    assert_eq!(
        std::fs::read(folder.path().join("mine.toml")).unwrap(),
        before
    );
    run(&["new", "../mine"])
        .code(2)
        .stderr(contains("expected letters, digits"));
}

#[test]
fn the_schema_is_json() {
    let output = deleverage().arg("schema").output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["market"].is_object());
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("deleverage"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}
