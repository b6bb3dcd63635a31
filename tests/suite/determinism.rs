//! A run is a function of its scenario and seed: not of threads, of the twin beside it, or of what came before.

use crate::support::{FALL, deleverage, files, same_files};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn scenario() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    folder
}

/// Runs a scenario or manifest into `out`, on so many threads; the files that it wrote.
fn run(
    folder: &Path,
    config: &str,
    out: &str,
    threads: u32,
    more: &[&str],
) -> BTreeMap<PathBuf, Vec<u8>> {
    deleverage()
        .current_dir(folder)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .args(["run", config, "--out", out, "--quiet"])
        .args(more)
        .assert()
        .success()
        .stdout("")
        .stderr("");
    files(&folder.join(out))
}

#[test]
fn every_byte_is_the_same_for_one_and_two_threads_and_from_the_manifest() {
    let folder = scenario();
    let one = run(folder.path(), "fall.toml", "one", 1, &["--twin"]);
    for expected in [
        "manifest.json",
        "summary.json",
        "steps.parquet",
        "events.parquet",
    ] {
        assert!(one.contains_key(Path::new(expected)), "{expected}");
    }
    assert!(
        one.keys()
            .any(|name| name.extension().is_some_and(|e| e == "png"))
    );
    let events = one[Path::new("events.parquet")].len();
    assert!(events > 5_000, "{events} bytes of events: nothing happened");
    let two = run(folder.path(), "fall.toml", "two", 2, &["--twin"]);
    same_files(&one, &two);
    let again = run(folder.path(), "one/manifest.json", "again", 2, &["--twin"]);
    same_files(&one, &again);
    // The manifest needs no file of the run that it came from.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(
        elsewhere.path().join("m.json"),
        &one[Path::new("manifest.json")],
    )
    .unwrap();
    same_files(
        &one,
        &run(elsewhere.path(), "m.json", "out", 1, &["--twin"]),
    );
}

#[test]
fn a_manifest_keeps_what_the_command_line_changed() {
    let folder = scenario();
    let more = [
        "--seed",
        "77",
        "--set",
        "cohort.retail.count=123",
        "--format",
        "csv",
    ];
    let first = run(folder.path(), "fall.toml", "first", 2, &more);
    let again = run(
        folder.path(),
        "first/manifest.json",
        "again",
        1,
        &["--format", "csv"],
    );
    same_files(&first, &again);
    let plain = run(folder.path(), "fall.toml", "plain", 1, &["--format", "csv"]);
    assert_ne!(plain[Path::new("steps.csv")], first[Path::new("steps.csv")]);
}

#[test]
fn a_twin_changes_nothing_of_the_run_beside_it() {
    let folder = scenario();
    let alone = run(folder.path(), "fall.toml", "alone", 2, &["--format", "csv"]);
    let beside = run(
        folder.path(),
        "fall.toml",
        "beside",
        2,
        &["--format", "csv", "--twin"],
    );
    for table in ["steps.csv", "events.csv"] {
        let table = Path::new(table);
        assert!(alone[table] == beside[table], "{}", table.display());
    }
    // Every metric of the run alone is there, unchanged, with the comparison after it.
    let read = |files: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<serde_json::Value> {
        serde_json::from_slice(&files[Path::new("summary.json")]).unwrap()
    };
    let (alone, beside) = (read(&alone), read(&beside));
    assert_eq!(alone, beside[..alone.len()]);
    assert!(beside.len() > alone.len());
}

#[test]
fn the_audit_of_every_step_changes_nothing() {
    let folder = scenario();
    let plain = run(folder.path(), "fall.toml", "plain", 2, &[]);
    same_files(
        &plain,
        &run(folder.path(), "fall.toml", "audited", 2, &["--audit"]),
    );
}

#[test]
fn the_seed_makes_the_run() {
    let folder = scenario();
    let csv = ["--format", "csv"];
    let own = run(folder.path(), "fall.toml", "own", 2, &csv);
    let same = run(
        folder.path(),
        "fall.toml",
        "same",
        2,
        &["--format", "csv", "--seed", "5"],
    );
    same_files(&own, &same);
    let other = run(
        folder.path(),
        "fall.toml",
        "other",
        2,
        &["--format", "csv", "--seed", "6"],
    );
    for table in ["steps.csv", "events.csv", "summary.json"] {
        assert_ne!(own[Path::new(table)], other[Path::new(table)], "{table}");
    }
}
