//! `deleverage chart`: charts drawn anew from a directory's own tables.

use crate::support::{FALL, deleverage};
use deleverage::output::frame::{Frame, Wanted};
use predicates::prelude::*;
use predicates::str::contains;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn run(folder: &Path, out: &str, format: &str) {
    fs::write(folder.join("fall.toml"), FALL).unwrap();
    deleverage()
        .current_dir(folder)
        .args([
            "run",
            "fall.toml",
            "--twin",
            "-q",
            "--out",
            out,
            "--format",
            format,
        ])
        .assert()
        .success();
}

fn fall() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "csv", "csv");
    folder
}

fn chart(folder: &TempDir, arguments: &[&str]) -> assert_cmd::assert::Assert {
    deleverage()
        .current_dir(folder)
        .arg("chart")
        .args(arguments)
        .assert()
}

/// The names that `deleverage chart DIR` lists.
fn listed(folder: &TempDir, directory: &str) -> Vec<String> {
    let output = chart(folder, &[directory]).success().get_output().clone();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_chart_from_the_files_is_the_chart_of_the_run() {
    let folder = fall();
    let mut directories = vec!["csv"];
    if cfg!(feature = "parquet") {
        run(folder.path(), "parquet", "parquet");
        directories.push("parquet");
    }
    for directory in directories {
        let names = listed(&folder, directory);
        let mut expected = Vec::new();
        for market in ["BTC", "ETH"] {
            let kinds = [
                "price",
                "twin",
                "reproduction",
                "ladder",
                "ladder-start",
                "phase",
                "waiting",
                "calibration",
            ];
            expected.extend(kinds.map(|kind| format!("{kind}-{market}")));
        }
        expected.extend(["waterfall", "cascade", "tail"].map(str::to_owned));
        assert_eq!(names, expected);
        for name in names {
            chart(&folder, &[directory, "--kind", &name, "--out", "again.svg"]).success();
            let of_run = folder.path().join(format!("{directory}/charts/{name}.svg"));
            assert!(
                fs::read(folder.path().join("again.svg")).unwrap() == fs::read(of_run).unwrap(),
                "{directory}: {name} drawn from the tables differs"
            );
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn memory_parquet_and_csv_give_the_same_columns() {
    let folder = fall();
    run(folder.path(), "parquet", "parquet");
    let wanted = Wanted {
        words: &["kind", "market", "account_name"],
        numbers: &[
            "seconds",
            "account",
            "price",
            "amount",
            "rate",
            "price_ticks",
        ],
    };
    let read = |name: &str| Frame::read(&folder.path().join(name), "events", wanted).unwrap();
    let (one, other) = (read("csv"), read("parquet"));
    let rows = one.words("kind").unwrap().len();
    assert!(rows > 100);
    assert_eq!(one.words("kind").unwrap(), other.words("kind").unwrap());
    assert_eq!(one.words("market").unwrap(), other.words("market").unwrap());
    for column in [
        "seconds",
        "account",
        "price",
        "amount",
        "rate",
        "price_ticks",
    ] {
        let bits = |frame: &Frame| -> Vec<u64> {
            let numbers = frame.numbers(column).unwrap().iter();
            numbers.map(|number| number.to_bits()).collect()
        };
        assert_eq!(bits(&one).len(), rows);
        assert_eq!(bits(&one), bits(&other), "{column}");
    }
    assert!(!one.has("account_name"));
    let missing = one.numbers("nothing").unwrap_err().to_string();
    assert_eq!(
        missing,
        "the table `events` has no column `nothing`: was it made by another version?"
    );
}

#[test]
fn size_title_and_ending_are_as_asked() {
    let folder = fall();
    let arguments = [
        "csv",
        "--kind",
        "twin-ETH",
        "--out",
        "deep/twin.svg",
        "--size",
        "700x500",
        "--title",
        "A fall & its twin",
    ];
    chart(&folder, &arguments).success();
    let svg = fs::read_to_string(folder.path().join("deep/twin.svg")).unwrap();
    assert!(
        svg.starts_with("<svg width=\"700\" height=\"500\""),
        "{}",
        &svg[..200]
    );
    assert!(svg.contains("<title>A fall &amp; its twin</title>"));
    #[cfg(feature = "raster")]
    {
        chart(
            &folder,
            &[
                "csv", "--kind", "twin-ETH", "--out", "twin.png", "--size", "400x300",
            ],
        )
        .success();
        let png = fs::read(folder.path().join("twin.png")).unwrap();
        assert_eq!(
            (&png[1..4], &png[16..24]),
            (&b"PNG"[..], &[0, 0, 1, 144, 0, 0, 1, 44][..])
        );
    }
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let folder = fall();
    let fails = |arguments: &[&str], words: &str| {
        chart(&folder, arguments)
            .code(2)
            .stderr(contains(words).and(contains("panicked").not()));
    };
    fails(
        &["csv", "--kind", "tree", "--out", "x.svg"],
        "csv has no chart `tree`; it has: price-BTC, twin-BTC, reproduction-BTC",
    );
    fails(
        &["csv", "--kind", "price-BTC", "--out", "x.pdf"],
        "expected a file that ends with .svg or .png",
    );
    fails(
        &[
            "csv",
            "--kind",
            "price-BTC",
            "--out",
            "x.svg",
            "--size",
            "90x90",
        ],
        "at least 340 x 300",
    );
    fails(
        &[
            "csv",
            "--kind",
            "price-BTC",
            "--out",
            "x.svg",
            "--size",
            "big",
        ],
        "expected a size such as 1200x720, found big",
    );
    fails(&["csv", "--kind", "price-BTC"], "--out");
    fails(&["nowhere"], "nowhere holds no results (no manifest.json)");
    fs::remove_file(folder.path().join("csv/steps.csv")).unwrap();
    fails(
        &["csv"],
        "csv holds no table `steps` (neither .parquet nor .csv)",
    );
    fs::write(
        folder.path().join("csv/steps.csv"),
        "market,seconds\nBTC,soon\n",
    )
    .unwrap();
    fails(
        &["csv"],
        "line 2, column `seconds`: expected a number, found soon",
    );
}
