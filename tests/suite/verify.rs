//! The theory suite: every family on a small budget, the scenarios that it stands on, and the command.

use crate::support::deleverage;
use deleverage::verify::{Budget, FAMILIES};
use predicates::prelude::*;
use predicates::str::contains;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn a_quick_subset_is_met() {
    let budget = Budget { quick: true };
    let mut short = String::new();
    for family in FAMILIES {
        let found = (family.run)(&budget).unwrap();
        assert!(!found.lines.is_empty(), "{} says nothing", family.name);
        for line in found.lines.iter().filter(|line| !line.met()) {
            let _ = writeln!(short, "{}: {line:?}", family.name);
        }
    }
    assert!(short.is_empty(), "\n{short}");
}

#[test]
fn a_family_says_the_same_on_one_thread_and_on_eight() {
    let lines = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let names = ["branching", "queues", "adaptive-limit"];
            let families = FAMILIES.iter().filter(|f| names.contains(&f.name));
            families
                .map(|family| (family.run)(&Budget { quick: true }).unwrap())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(lines(1), lines(8));
}

#[test]
fn every_theory_scenario_passes_the_check_and_every_family_has_a_name_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/theory");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        deleverage().arg("check").arg(&path).assert().success();
        seen += 1;
    }
    assert!(seen > 10, "{seen} scenarios");
    let names: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), FAMILIES.len());
}

#[test]
fn the_command_prints_a_table_writes_charts_and_takes_names() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("theory");
    deleverage()
        .args(["verify", "--only", "latency", "--only", "debtrank", "--out"])
        .arg(&out)
        .assert()
        .success()
        .stdout(
            contains("expected")
                .and(contains("met"))
                .and(contains("in 2 families")),
        );
    for file in ["verify.json", "verify.md", "latency.svg", "debtrank.svg"] {
        let path = out.join(file);
        assert!(path.metadata().unwrap().len() > 500, "{file}");
    }
    let printed = deleverage()
        .args(["verify", "--only", "latency", "--json"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(json["met"], json["lines"]);
    assert_eq!(json["families"][0]["name"], "latency");
    deleverage()
        .args(["verify", "--only", "gravity"])
        .assert()
        .code(2)
        .stderr(contains("gravity").and(contains("branching")));
    deleverage()
        .args(["verify", "--list"])
        .assert()
        .success()
        .stdout(contains("leveraged-funds").and(contains("model")));
}

#[test]
fn the_facts_of_a_run_are_the_same_from_parquet_and_from_csv() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), crate::support::FALL).unwrap();
    let facts = |format: &str| {
        deleverage()
            .current_dir(&folder)
            .args([
                "run",
                "fall.toml",
                "--quiet",
                "--out",
                format,
                "--format",
                format,
            ])
            .args(["--set", "length=8m"])
            .assert()
            .success();
        let printed = deleverage()
            .current_dir(&folder)
            .args(["facts", format, "--json"])
            .output()
            .unwrap();
        assert!(printed.status.success());
        serde_json::from_slice::<serde_json::Value>(&printed.stdout).unwrap()
    };
    let csv = facts("csv");
    assert_eq!(csv[0]["market"], "BTC");
    let of = |name: &str| {
        let facts = csv[0]["facts"].as_array().unwrap();
        facts
            .iter()
            .find(|fact| fact["name"] == name)
            .unwrap()
            .clone()
    };
    // Eight minutes say much of the liquidations in them and nothing of the tails of returns.
    assert!(of("long_share")["value"].as_f64().unwrap() > 0.5);
    assert_eq!(of("tail_index_losses")["verdict"], "not_measurable");
    assert!(
        of("tail_index_losses")["why"]
            .as_str()
            .unwrap()
            .contains("needs 4000")
    );
    #[cfg(feature = "parquet")]
    assert_eq!(facts("parquet"), csv);
    deleverage()
        .current_dir(&folder)
        .args(["facts", "nowhere"])
        .assert()
        .code(2)
        .stderr(contains("holds no table `steps`"));
    deleverage()
        .current_dir(&folder)
        .args(["facts", "csv", "--market", "DOGE"])
        .assert()
        .code(2)
        .stderr(contains("expected BTC or ETH"));
}

/// Facts of the everyday market that lie inside their range, and those that don't, as they are.
#[test]
fn an_everyday_market_has_most_of_the_facts_without_a_liquidation() {
    let folder = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/everyday.toml");
    deleverage()
        .current_dir(&folder)
        .arg("run")
        .arg(config)
        .args(["--quiet", "--out", "run"])
        .assert()
        .success();
    let printed = deleverage()
        .current_dir(&folder)
        .args(["facts", "run", "--json", "--resamples", "0"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    let facts = json[0]["facts"].as_array().unwrap();
    let outside: Vec<&str> = facts
        .iter()
        .filter(|fact| fact["verdict"] == "outside")
        .map(|fact| fact["name"].as_str().unwrap())
        .collect();
    let (inside, measured) = (&json[0]["inside"], &json[0]["measured"]);
    assert!(measured.as_u64() >= Some(13), "{measured} measured");
    assert!(
        inside.as_u64() >= Some(13),
        "{inside} of {measured} inside; outside: {outside:?}"
    );
    // None of it needed a liquidation.
    assert!(
        facts
            .iter()
            .any(|fact| { fact["name"] == "long_share" && fact["verdict"] == "not_measurable" })
    );
}
