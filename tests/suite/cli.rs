//! `deleverage run` as a person meets it: what it prints, what it leaves behind, how it ends.

use crate::support::{FALL, deleverage, files, same_files};
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn scenario() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Assert {
    deleverage()
        .current_dir(folder)
        .arg("run")
        .args(arguments)
        .assert()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The directory holds what its manifest says, whole, and nothing else.
fn whole(out: &Path) -> Value {
    let manifest = json(&out.join("manifest.json"));
    let mut found = files(out);
    found.remove(Path::new("manifest.json"));
    let entries = manifest["files"].as_array().unwrap();
    let told: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| {
            let name = entry["name"].as_str().unwrap().into();
            let hash = entry["sha256"].as_str().unwrap().to_owned();
            (name, hash)
        })
        .collect();
    let held: BTreeMap<_, _> = found
        .into_iter()
        .map(|(name, bytes)| (name, deleverage::output::manifest::sha256(&bytes)))
        .collect();
    assert_eq!(told, held);
    manifest
}

#[test]
fn a_run_prints_its_summary_and_writes_its_directory() {
    let folder = scenario();
    run(&folder, &["fall.toml", "--twin"])
        .success()
        .stdout(
            contains("180 steps of 1s")
                .and(contains("512 accounts"))
                .and(contains("BTC book κ=0.5 τ=1m"))
                .and(contains("ETH square_root κ=0"))
                .and(contains("liquidations"))
                .and(contains("written to outputs/fall-5"))
                .and(contains("\u{1b}[").not()),
        )
        .stderr("");
    let out = folder.path().join("outputs/fall-5");
    let manifest = whole(&out);
    assert_eq!(manifest["status"], "complete");
    assert_eq!(manifest["model"]["steps"], 180);
    let names: Vec<_> = files(&out).into_keys().collect();
    for name in ["summary.json", "steps.parquet", "events.parquet"] {
        assert!(names.contains(&name.into()), "{name} of {names:?}");
    }
    for extension in ["svg", "png"] {
        let charts = names.iter().filter(|name| {
            name.starts_with("charts") && name.extension() == Some(extension.as_ref())
        });
        assert!(charts.count() >= 5, "{extension} of {names:?}");
    }
}

#[test]
fn json_is_all_that_stands_on_standard_output() {
    let folder = scenario();
    let output = run(&folder, &["fall.toml", "--json", "--twin"])
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    let printed: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(
        printed,
        json(&folder.path().join("outputs/fall-5/summary.json"))
    );
    let metrics = printed.as_array().unwrap();
    let named = |name: &str| {
        metrics
            .iter()
            .find(|metric| metric["name"] == name)
            .unwrap()
    };
    assert_eq!(named("conservation")["value"], 0.0);
    assert!(named("liquidations")["value"].as_f64().unwrap() > 10.0);
    assert!(named("amplification_drawdown")["value"].is_f64());
    for metric in metrics {
        assert!(
            metric["unit"].is_string() && metric["direction"].is_string(),
            "{metric}"
        );
    }
    run(&folder, &["fall.toml", "--json", "--quiet"])
        .code(2)
        .stdout("");
}

#[test]
fn quiet_prints_nothing_and_writes_all() {
    let folder = scenario();
    run(&folder, &["fall.toml", "--quiet"])
        .success()
        .stdout("")
        .stderr("");
    whole(&folder.path().join("outputs/fall-5"));
}

#[test]
fn a_failed_expectation_is_printed_and_exits_with_1() {
    let folder = scenario();
    let expect = |metric: &str, value: &str| {
        let text =
            format!("{FALL}\n[[expect]]\nmetric = \"{metric}\"\nis = \">\"\nvalue = {value}\n");
        std::fs::write(folder.path().join("e.toml"), text).unwrap();
        run(&folder, &["e.toml", "--force", "--out", "out"])
    };
    expect("liquidations", "5").success();
    expect("liquidations", "1e6")
        .code(1)
        .stdout(contains("liquidations").and(contains("1000000").or(contains("1,000,000"))));
    // What was found isn't lost.
    whole(&folder.path().join("out"));
    expect("amplification_drawdown", "50")
        .success()
        .stdout(contains(
            "not checked without --twin: amplification_drawdown",
        ));
    run(&folder, &["e.toml", "--force", "--out", "out", "--twin"]).code(1);
}

#[test]
fn bad_input_exits_with_2_says_what_is_wrong_and_writes_nothing() {
    let folder = scenario();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let header = "open_time,open,high,low,close,volume\n";
    let mut bars = String::from(header);
    for k in 0..60 {
        bars.push_str(&format!(
            "{},100,101,99,100,1\n",
            1_600_000_000_000i64 + k * 60_000
        ));
    }
    put("cut.csv", &bars.as_bytes()[..bars.len() - 20]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, bars.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    put("cut.csv.gz", &packed[..packed.len() / 2]);
    put("cut.zip", b"PK\x03\x04 and no more");
    put("few.csv", &bars.as_bytes()[..header.len() + 60]);
    put("empty.csv", b"");
    put("p.csv", b"account,market,qty,entry_price,collateral,mode\na,BTX,1,50000,100,isolated\nb,BTC,0,50000,1,cross\n");
    for (arguments, words) in [
        (&["nowhere.toml"][..], &["cannot read nowhere.toml"][..]),
        (
            &["fall.toml", "--set", "market.BTC.tikc=1"],
            &["tikc", "did you mean `tick`?"],
        ),
        (
            &["fall.toml", "--set", "market.BTC.price=-1"],
            &["market.BTC.price", "greater than 0"],
        ),
        (&["fall.toml", "--seed", "many"], &["--seed", "many"]),
        (
            &["fall.toml", "--format", "xls"],
            &["--format", "parquet", "csv"],
        ),
        (
            &["fall.toml", "--prices", "none.csv"],
            &["--prices", "none.csv"],
        ),
        (
            &["fall.toml", "--prices", "cut.csv"],
            &["cut.csv", "line 61", "cut off"],
        ),
        (&["fall.toml", "--prices", "cut.csv.gz"], &["cut.csv.gz"]),
        (&["fall.toml", "--prices", "cut.zip"], &["cut.zip"]),
        (&["fall.toml", "--prices", "empty.csv"], &["empty.csv"]),
        (
            &["fall.toml", "--prices", "BTX=few.csv"],
            &["no market BTX", "BTC, ETH"],
        ),
        (
            &["fall.toml", "--depth", "none.csv"],
            &["--depth", "none.csv"],
        ),
        (
            &["fall.toml", "--depth", "cut.csv"],
            &["cut.csv", "percentage"],
        ),
        (
            &["fall.toml", "--positions", "none.csv"],
            &["positions", "none.csv"],
        ),
        (
            &["fall.toml", "--positions", "p.csv"],
            &["line 2", "BTX", "line 3", "qty"],
        ),
    ] {
        let mut told = run(&folder, arguments).code(2).stdout("");
        for word in words {
            told = told.stderr(contains(*word));
        }
    }
    assert!(!folder.path().join("outputs").exists());
}

#[test]
fn the_directory_of_another_run_is_refused_unless_forced() {
    let folder = scenario();
    let out = folder.path().join("out");
    run(&folder, &["fall.toml", "--out", "out", "--quiet"]).success();
    let before = files(&out);
    run(&folder, &["fall.toml", "--out", "out", "--seed", "6"])
        .code(2)
        .stdout("")
        .stderr(contains("out already holds a run of fall (seed 5").and(contains("--force")));
    same_files(&before, &files(&out));
    // The same run may be written again, with other files of it.
    run(
        &folder,
        &["fall.toml", "--out", "out", "--quiet", "--format", "csv"],
    )
    .success();
    assert!(!out.join("steps.parquet").exists());
    whole(&out);
    run(
        &folder,
        &[
            "fall.toml",
            "--out",
            "out",
            "--seed",
            "6",
            "--force",
            "--quiet",
        ],
    )
    .success();
    assert_eq!(whole(&out)["seed"], 6);
    // Nobody's files are nobody's to overwrite.
    std::fs::create_dir(folder.path().join("full")).unwrap();
    std::fs::write(folder.path().join("full/thesis.tex"), "precious").unwrap();
    run(&folder, &["fall.toml", "--out", "full"])
        .code(2)
        .stderr(contains("thesis.tex"));
}

#[test]
fn a_directory_that_cannot_be_written_to_is_told_before_the_run() {
    let folder = scenario();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for out in ["file", "file/below", "/proc/deleverage"] {
        run(&folder, &["fall.toml", "--out", out])
            .code(2)
            .stdout("")
            .stderr(contains("could not create directory").and(contains(out)));
    }
}

#[test]
fn a_user_changes_settings_seed_format_and_accounts() {
    let folder = scenario();
    let rows = "account,market,qty,entry_price,collateral,mode\n\
                whale,BTC,40,50000,150000,isolated\nhedge fund,ETH,-5,3000,1000,cross\nhedge fund,BTC,0.1,50000,,cross\n";
    std::fs::write(folder.path().join("p.csv"), rows).unwrap();
    run(
        &folder,
        &[
            "fall.toml",
            "--set",
            "length=60",
            "--set",
            "shock.0.at=1s",
            "--set",
            "shock.0.duration=50s",
            "--seed",
            "9",
            "--positions",
            "p.csv",
            "--format",
            "csv",
        ],
    )
    .success()
    .stdout(
        contains("60 steps of 1s")
            .and(contains("514 accounts"))
            .and(contains("seed 9")),
    );
    let out = folder.path().join("outputs/fall-9");
    let manifest = whole(&out);
    assert_eq!(manifest["seed"], 9);
    assert_eq!(manifest["scenario"]["shock"][0]["duration"], "50s");
    assert_eq!(manifest["scenario"]["positions"], "p.csv");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert!(read("events.csv").contains("whale"));
    // A header, and a row a market and step.
    assert_eq!(read("steps.csv").lines().count(), 1 + 2 * 60);
}

#[test]
fn from_new_over_check_to_run() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["new", "mine"][..], &["check", "mine.toml"]] {
        deleverage()
            .current_dir(&folder)
            .args(arguments)
            .assert()
            .success();
    }
    run(&folder, &["mine.toml", "--twin"])
        .success()
        .stdout(contains("written to outputs/mine-1"));
    whole(&folder.path().join("outputs/mine-1"));
}

/// The command as a process of its own, in a folder.
fn spawn(folder: &TempDir, arguments: &[&str]) -> std::process::Child {
    Command::new(assert_cmd::cargo::cargo_bin("deleverage"))
        .current_dir(folder)
        .arg("run")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn told(child: &mut std::process::Child) -> String {
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn a_closed_pipe_loses_nothing() {
    let folder = scenario();
    for json in [false, true] {
        let arguments = ["fall.toml", "--out", "out", "--json"];
        let mut child = spawn(&folder, &arguments[..if json { 4 } else { 3 }]);
        drop(child.stdout.take());
        let text = told(&mut child);
        assert_eq!((child.wait().unwrap().code(), text.as_str()), (Some(0), ""));
        assert_eq!(whole(&folder.path().join("out"))["status"], "complete");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_whole_and_marked() {
    let folder = scenario();
    let long = [
        "fall.toml",
        "--set",
        "length=2000000",
        "--out",
        "out",
        "--format",
        "csv",
        "--twin",
    ];
    let out = folder.path().join("out");
    // How long the first step takes to come depends on the machine: wait longer until there was one.
    for wait in [300, 1_000, 4_000, 16_000] {
        let _ = std::fs::remove_dir_all(&out);
        let child = spawn(&folder, &long);
        let since = Instant::now();
        while !out.exists() && since.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(wait));
        let pid = child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(130), "{printed}");
        assert!(printed.contains("interrupted after step"), "{printed}");
        let manifest = whole(&out);
        let done = manifest["status"]["interrupted"]["steps_done"]
            .as_u64()
            .unwrap();
        assert!(done < 2_000_000, "{done}");
        let steps = std::fs::read_to_string(out.join("steps.csv")).unwrap();
        assert_eq!(steps.lines().count() as u64, 1 + 2 * done);
        assert!(steps.ends_with('\n'));
        if done > 0 {
            return;
        }
    }
    panic!("no step was done in 16 seconds");
}
