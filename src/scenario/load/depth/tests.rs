//! Made books, lying sides, and the file of 10 October 2025.

use super::*;
use crate::path::moment::parse_utc;
use crate::scenario::load::testing::{file, real};

/// A made book around `mid` whose bands are measured from `reference`: 100 units per 1 % of mid,
/// evenly spread on each side, with a stale bid on top where one is given.
fn snapshot(time: &str, best: f64, stale: Option<f64>) -> String {
    let reference = stale.map_or(best, |stale| 0.5 * (stale + best));
    let mut text = String::new();
    for percent in [-2.0, -1.0, 1.0, 2.0f64] {
        let edge = reference * (1.0 + percent / 100.0);
        let away: f64 = if percent < 0.0 {
            best - edge
        } else {
            edge - best
        };
        let mut quantity = away.max(0.0) / best * 1e4;
        let mut notional = quantity * 0.5 * (best + edge);
        if let (Some(stale), true) = (stale, percent < 0.0) {
            quantity += 3.0;
            notional += 3.0 * stale;
        }
        text.push_str(&format!("{time},{percent},{quantity:.6},{notional:.6}\n"));
    }
    text
}

fn load(text: &str) -> Result<DepthHistory, LoadError> {
    let (_dir, path) = file("d.csv", text.as_bytes());
    DepthHistory::load(&path)
}

fn day(stale: Option<f64>) -> String {
    let mut text = String::from("timestamp,percentage,depth,notional\n");
    for minute in 0..30 {
        let best = 100.0 - 0.1 * f64::from(minute);
        let stale = stale.filter(|_| minute >= 10);
        text.push_str(&snapshot(
            &format!("2025-10-10 00:{minute:02}:00"),
            best,
            stale,
        ));
    }
    text
}

fn at(minute: i64) -> i64 {
    parse_utc("2025-10-10 00:00:00").unwrap() + minute * 60_000
}

#[test]
fn a_sound_file_gives_both_sides() {
    let depth = load(&day(None)).unwrap();
    assert_eq!(depth.faults, []);
    let curve = depth.curve_at(Side::Buy, at(3) + 5).unwrap();
    assert_eq!(curve.within_ms, (at(3), at(3)));
    for ((bps, quantity), expected) in curve.points.iter().zip([100.0, 200.0]) {
        assert_eq!(*bps, expected);
        assert!((quantity - expected).abs() < 1e-3);
    }
    let median = depth.median_curve(Side::Sell, at(0), at(9)).unwrap();
    assert_eq!(median.snapshots, 10);
    assert!(median.uncertainty.is_none() && (median.points[1].1 - 200.0).abs() < 1e-3);
    assert_eq!(depth.curve_at(Side::Buy, at(0) - 1), None);
    assert_eq!(
        depth.report(),
        ["30 snapshots from 2025-10-10 00:00 to 2025-10-10 00:29 UTC, bands of 1, 2 %"]
    );
}

#[test]
fn a_stale_side_is_never_given() {
    let depth = load(&day(Some(101.0))).unwrap();
    let [fault] = depth.faults.as_slice() else {
        panic!("{:?}", depth.faults)
    };
    assert_eq!(
        (fault.side, fault.from_ms, fault.to_ms),
        (Some(Side::Buy), at(10), at(29))
    );
    assert!((fault.price - 101.0).abs() < 1e-6 && (fault.quantity - 3.0).abs() < 1e-6);
    assert!(depth.usable(Side::Buy, at(9)) && !depth.usable(Side::Buy, at(10)));
    assert!(depth.usable(Side::Sell, at(10)));
    assert_eq!(depth.curve_at(Side::Buy, at(20)), None);
    assert_eq!(depth.median_curve(Side::Buy, at(10), at(29)), None);
    assert!(
        depth
            .median_curve(Side::Buy, at(0), at(29))
            .unwrap()
            .snapshots
            == 10
    );

    // Best ask 98, stale bid 101: the band called 1 % reaches 99.5 · 1.01 = 100.495.
    let curve = depth.curve_at(Side::Sell, at(20)).unwrap();
    let slack = curve.uncertainty.unwrap();
    assert!(
        (curve.points[0].0 - 254.6).abs() <= slack && slack < 110.0,
        "{curve:?}"
    );
    assert!((curve.points[0].1 - 254.6).abs() < 0.1);
    let report = depth.report().join("\n");
    assert!(
        report.contains(
            "bid side unusable from 2025-10-10 00:10 UTC to the end of the file: the average bid of the innermost band is above the average ask in 20 of 20 snapshots, and an order of 3 at 101.00 stays on top"
        ),
        "{report}"
    );
}

#[test]
fn snapshots_that_are_not_whole_are_left_out_aloud() {
    let mut text = day(None);
    text.push_str("2025-10-10 01:00:00,-1,5,500\n");
    let rising = snapshot("2025-10-10 02:00:00", 100.0, None).replace(",-2,", ",-0.5,");
    text.push_str(&rising);
    text.push_str(&snapshot("2025-10-10 03:00:00", 100.0, None).replace(",200.", ",20."));
    assert_eq!(
        load(&text).unwrap().notes,
        [
            "2 snapshots with missing or other bands, the first at 2025-10-10 01:00 UTC: left out",
            "1 snapshot whose depth falls with distance, the first at 2025-10-10 03:00 UTC: left out"
        ]
    );
}

#[test]
fn every_wrong_line_is_named_at_once() {
    let (_dir, path) = file(
        "d.csv",
        b"timestamp,percentage,depth,notional\nnoon,0,5,500\n2025-10-10 00:00:00,-1,-5,x\n\
          2025-10-10 00:00:00,1,5,500\n2025-10-10 00:00:00,1,6,500\n2025-10-10 00:00:00,1\n",
    );
    let said = DepthHistory::load(&path).unwrap_err().to_string();
    let (_, said) = said.split_once("d.csv: ").unwrap();
    assert_eq!(
        said,
        "6 problems\n\
        \x20 line 2: found timestamp \"noon\", expected UTC text such as \"2025-10-10 20:50:00\"\n\
        \x20 line 2: found percentage \"0\", expected a number other than 0, between -100 and 100\n\
        \x20 line 3: found depth \"-5\", expected a number of 0 or more\n\
        \x20 line 3: found notional \"x\", expected a number of 0 or more\n\
        \x20 line 5: found a second band of 1 % at that time, unlike line 4, expected each band once; remove the wrong one\n\
        \x20 line 6: found 2 fields, expected at least 4 (timestamp,percentage,depth,notional); a short line at the end means that the file is cut off"
    );
    let one_side = load("timestamp,percentage,depth,notional\n2025-10-10 00:00:00,1,5,500\n");
    assert!(
        one_side
            .unwrap_err()
            .to_string()
            .contains("expected cumulative depth at negative (bid) and positive (ask)")
    );
    assert!(matches!(load(""), Err(LoadError::Empty { .. })));
    assert!(matches!(load("a,b\n1,2\n"), Err(LoadError::Columns { .. })));
}

#[test]
fn the_bid_side_of_october_2025_is_unusable_from_15_30_42() {
    let Some(path) = real("october-2025/BTCUSDT-bookDepth-2025-10-10.csv.gz") else {
        return;
    };
    let depth = DepthHistory::load(&path).unwrap();
    for line in depth.report() {
        println!("{line}");
    }
    let [fault] = depth.faults.as_slice() else {
        panic!("{:?}", depth.faults)
    };
    assert_eq!(fault.side, Some(Side::Buy));
    assert_eq!(show_utc(fault.from_ms), "2025-10-10 15:30:42");
    assert!((fault.quantity - 17.654).abs() < 0.01);
    assert!((fault.price - 121_363.27).abs() < 1.0);
    let before = depth.snapshots.iter().filter(|s| s.time_ms < fault.from_ms);
    let notional = median(before.map(|s| s.bids[0].notional));
    assert!((notional / 1e6 - 304.4).abs() < 0.1, "{notional}");

    // The true best ask was near 116,500 at 20:50 (mark price): the band called 1 % ends at
    // (121,363 + 116,500) / 2 · 1.01 = 120,121, which is 3.1 % away.
    let time = parse_utc("2025-10-10 20:50:10").unwrap();
    let curve = depth.curve_at(Side::Sell, time).unwrap();
    assert!((curve.points[0].0 - 310.0).abs() < 60.0, "{curve:?}");
    assert_eq!(depth.curve_at(Side::Buy, time), None);
}

#[test]
fn the_true_best_ask_of_october_2025_agrees_with_the_mark_price() {
    let (Some(path), Some(mark)) = (
        real("october-2025/BTCUSDT-bookDepth-2025-10-10.csv.gz"),
        real("october-2025/BTCUSD_PERP-1m-2025-10-10.zip"),
    ) else {
        return;
    };
    let depth = DepthHistory::load(&path).unwrap();
    let mark = crate::scenario::load::PriceHistory::load(&mark)
        .unwrap()
        .bars;
    let fault = depth.faults[0];
    // Relative to the mark price: the reference as it is in the file, and the best ask that follows from it.
    let errors = |faulty: bool, best: fn(f64, f64) -> f64| {
        median(
            depth
                .snapshots
                .iter()
                .filter(|s| (s.time_ms >= fault.from_ms) == faulty)
                .filter_map(|s| {
                    let (low, high) = s.reference()?;
                    let bar = mark
                        .bars()
                        .iter()
                        .find(|b| b.open_ms + 60_000 > s.time_ms)?;
                    let price = 0.5 * (bar.high + bar.low);
                    Some((best(0.5 * (low + high), fault.price) / price - 1.0) * 1e4)
                }),
        )
    };
    let sound = errors(false, |reference, _| reference);
    let displaced = errors(true, |reference, _| reference);
    let anew = errors(true, |reference, stale| 2.0 * reference - stale);
    println!("basis points from mark: {sound:.0} before, {displaced:.0} after, {anew:.0} anew");
    assert!(sound.abs() < 10.0 && displaced > 150.0 && anew.abs() < 25.0);

    // Every curve that is given starts near the mark price; in the worst minutes none is.
    let mut given = 0;
    for snapshot in &depth.snapshots {
        if snapshot.time_ms < fault.from_ms || depth.curve(Side::Sell, snapshot).is_none() {
            continue;
        }
        given += 1;
        let (low, high) = snapshot.reference().unwrap();
        let best = low + high - fault.price;
        let bar = mark
            .bars()
            .iter()
            .find(|b| b.open_ms + 60_000 > snapshot.time_ms)
            .unwrap();
        assert!(
            best > bar.low * 0.99 && best < bar.high * 1.01,
            "{best} {bar:?}"
        );
    }
    assert!(given > 950, "{given}");
    let worst = parse_utc("2025-10-10 21:22:31").unwrap();
    assert_eq!(depth.curve_at(Side::Sell, worst), None);
}
