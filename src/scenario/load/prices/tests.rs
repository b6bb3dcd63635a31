//! Every layout of bars, every message, and the real files.

use super::*;
use crate::scenario::load::testing::{file, gzipped, real, zipped};

const PLAIN: &str = "open_time,open,high,low,close,volume\n\
    1760128200000,10,12,9,11,5\n1760128260000,11,12,10,10.5,6\n1760128320000,10.5,11,10,11,7\n";

fn load(name: &str, bytes: &[u8]) -> Result<PriceHistory, LoadError> {
    let (_dir, path) = file(name, bytes);
    PriceHistory::load(&path)
}

fn said(text: &str) -> String {
    let (dir, path) = file("bars.csv", text.as_bytes());
    let said = PriceHistory::load(&path).unwrap_err().to_string();
    said.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn plain_gzipped_zipped_headless_and_microseconds_are_the_same() {
    let plain = load("a.csv", PLAIN.as_bytes()).unwrap();
    assert_eq!(plain.bars.interval_ms(), 60_000);
    assert_eq!(plain.bars.bars()[2].close, 11.0);
    assert_eq!(
        plain.report(),
        ["3 bars of 1m from 2025-10-10 20:30 to 2025-10-10 20:33 UTC, prices 9 to 12"]
    );
    let micro = PLAIN.replace("0000,1", "0000000,1");
    let headless = PLAIN
        .split_once('\n')
        .unwrap()
        .1
        .replace(",5\n", ",5,x,y,z\n");
    let text = PLAIN
        .replace("1760128200000", "2025-10-10 20:30:00")
        .replace("1760128260000", "2025-10-10T20:31:00Z");
    for (name, bytes) in [
        ("a.csv.gz", gzipped(PLAIN)),
        ("misnamed.csv", gzipped(PLAIN)),
        ("a.zip", zipped(&[("a.csv", PLAIN)])),
        ("micro.csv", micro.into_bytes()),
        ("headless.csv", headless.into_bytes()),
        ("text.csv", text.into_bytes()),
        ("bom.csv", format!("\u{feff}{PLAIN}").into_bytes()),
    ] {
        assert_eq!(load(name, &bytes).unwrap().bars, plain.bars, "{name}");
    }
}

#[test]
fn missing_bars_are_counted_and_named() {
    let text = format!("{PLAIN}1760128620000,11,11,11,11,1\n1760128680000,11,11,11,11,1");
    let history = load("a.csv", text.as_bytes()).unwrap();
    assert_eq!(history.missing(), 4);
    assert_eq!(
        history.report()[1..],
        [
            "4 missing minutes in 1 gap: 2025-10-10 20:33 – 20:36 UTC",
            "the last line has no line end: the file may be cut off"
        ]
    );
}

#[test]
fn disorder_and_duplicates_are_repaired_aloud() {
    let mut lines: Vec<_> = PLAIN.lines().collect();
    lines.swap(1, 3);
    lines.push(lines[2]);
    let history = load("a.csv", format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
    assert_eq!(history.bars, load("a.csv", PLAIN.as_bytes()).unwrap().bars);
    assert_eq!(
        history.notes,
        [
            "2 rows out of order, the first on line 3: sorted",
            "1 row equal to another, the first on line 5: dropped"
        ]
    );
}

#[test]
fn every_wrong_line_is_named_at_once() {
    assert_eq!(
        said(
            "open_time,open,high,low,close,volume\n\
             1760128200000,10,12,9,11,5\n\
             soon,10,12,9,-11,5\n\
             1760128260000,NaN,12,,11,x\n\
             1760128320000,10,9,12,11,5\n\
             1760128380000,13,12,9,11,5\n\
             1760128440000,13,12\n"
        ),
        "bars.csv: 8 problems\n\
        \x20 line 3: found open_time \"soon\", expected milliseconds or microseconds since 1970, or UTC text\n\
        \x20 line 3: found close \"-11\", expected a price above 0\n\
        \x20 line 4: found open \"NaN\", expected a price above 0\n\
        \x20 line 4: found low nothing, expected a price above 0\n\
        \x20 line 4: found volume \"x\", expected a number of 0 or more\n\
        \x20 line 5: found high 9 below low 12, expected high at or above low; are the columns in another order?\n\
        \x20 line 6: found open 13, expected a price between low 9 and high 12\n\
        \x20 line 7: found 3 fields, expected at least 5 (open_time,open,high,low,close[,volume]); a short line at the end means that the file is cut off"
    );
    let many: String = (0..30).map(|i| format!("{i},1,1,1,1\n")).collect();
    assert!(said(&many).starts_with("bars.csv: 30 problems\n"));
    assert!(said(&many).ends_with("\n  and 10 more"));
}

#[test]
fn files_that_are_not_bars_are_refused() {
    let empty = "bars.csv holds no rows, expected bars (open_time,open,high,low,close,volume)";
    assert_eq!(said(""), empty);
    assert_eq!(said("open_time,open,high,low,close\n"), empty);
    assert_eq!(
        said("date,price\n2020-01-01,3\n"),
        "bars.csv, line 1: found the columns date,price, expected open_time,open,high,low,close[,volume]; missing: open, high, low, close"
    );
    assert_eq!(
        said("1760128200000,1,1,1,1\n"),
        "bars.csv: 1 problem\n  line 1: found one bar only, expected at least two; one bar doesn't say how long it is"
    );
    assert_eq!(
        said(&format!("{PLAIN}1760128320000,10.5,11,10,10,7\n")),
        "bars.csv: 1 problem\n  line 5: found a second bar at 2025-10-10 20:32 UTC that differs from line 4, expected one bar at a time; remove the wrong one"
    );
    assert_eq!(
        said(&format!("{PLAIN}1760128350000,10.5,11,10,10,7\n")),
        "bars.csv: 1 problem\n  line 5: found a bar 30 s after the one before, expected bars of 1m, as in most of the file; bars of several lengths cannot be mixed"
    );
}

#[test]
fn damaged_files_are_refused() {
    let packed = gzipped(&PLAIN.repeat(50));
    let cut = load("a.csv.gz", &packed[..packed.len() / 2]).unwrap_err();
    assert!(
        matches!(cut, LoadError::Unpack { kind: "gzip", .. }),
        "{cut}"
    );
    assert!(cut.to_string().ends_with("fetch it again"));
    let mut flipped = packed;
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    assert!(matches!(
        load("a.csv.gz", &flipped),
        Err(LoadError::Unpack { .. })
    ));
    let archive = zipped(&[("a.csv", PLAIN)]);
    assert!(matches!(
        load("a.zip", &archive[..archive.len() / 2]),
        Err(LoadError::Unpack { kind: "zip", .. })
    ));
    let two = load("a.zip", &zipped(&[("a.csv", PLAIN), ("b.csv", PLAIN)])).unwrap_err();
    assert!(
        two.to_string()
            .contains("holds 2 files (a.csv, b.csv), expected exactly one CSV file"),
        "{two}"
    );
    let binary = load("a.csv", b"1760128200000,1,1,\xff\xfe,1\n").unwrap_err();
    assert!(
        binary
            .to_string()
            .contains("line 1: found bytes that are not text, expected a CSV file in UTF-8"),
        "{binary}"
    );
    let absent = PriceHistory::load(Path::new("/nowhere/a.csv")).unwrap_err();
    assert!(
        absent
            .to_string()
            .starts_with("cannot read /nowhere/a.csv: "),
        "{absent}"
    );
}

#[test]
fn the_outage_of_april_2021_is_284_missing_minutes() {
    let Some(path) = real("gaps/BTCUSDT-1m-2021-04-24_04-26.csv.gz") else {
        return;
    };
    let history = PriceHistory::load(&path).unwrap();
    assert_eq!(history.missing(), 284);
    assert_eq!(
        history.report()[1],
        "284 missing minutes in 1 gap: 2021-04-25 04:01 – 08:44 UTC"
    );
}

#[test]
fn real_files_load() {
    let Some(root) = real("events") else { return };
    let root = root.parent().unwrap().to_owned();
    let mut files = Vec::new();
    let mut folders = vec![root.join("events"), root.join("long"), root.join("gaps")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for day in ["2025-10-09", "2025-10-10"] {
        files.push(root.join(format!("october-2025/BTCUSD_PERP-1m-{day}.zip")));
    }
    files.sort();
    assert!(files.len() > 30);
    for path in files {
        let history = PriceHistory::load(&path).unwrap_or_else(|error| panic!("{error}"));
        println!("{}", path.strip_prefix(&root).unwrap().display());
        for line in history.report() {
            println!("    {line}");
        }
    }
}
