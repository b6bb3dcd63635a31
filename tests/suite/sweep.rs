//! Sweeps: the same bytes however they come about, and what keeps them from coming about.

use crate::support::{FALL, deleverage, files, same_files};
use deleverage::experiment::sweep::{Axis, Outcome, Plan, Sweep, Watch};
use deleverage::math::{Draws, Purpose};
use deleverage::scenario::Scenario;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Six points, two replicates each, a minute long.
const SWEEP: [&str; 12] = [
    "sweep",
    "fall.toml",
    "--set",
    "length=1m",
    "--vary",
    "cohort.retail.long_share=0.2,0.5,0.8",
    "--vary",
    "shock.0.size=-0.2..-0.1:2",
    "--replicates",
    "2",
    "--format",
    "csv",
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    folder
}

fn run(folder: &TempDir, words: &[&str]) -> assert_cmd::assert::Assert {
    deleverage().current_dir(folder).args(words).assert()
}

fn swept(folder: &TempDir, out: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    run(folder, &[&SWEEP[..], &["--out", out], more].concat())
}

fn merged(folder: &TempDir, words: &[&str]) -> assert_cmd::assert::Assert {
    run(folder, &[&["merge", "--format", "csv"], words].concat())
}

fn same(folder: &TempDir, one: &str, other: &str) {
    let at = |out: &str| files(&folder.path().join(out));
    same_files(&at(one), &at(other));
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn threads_and_shards_leave_no_trace() {
    let folder = folder();
    swept(&folder, "one", &["--threads", "1"]).success();
    let names: Vec<String> = files(&folder.path().join("one"))
        .keys()
        .map(|name| name.display().to_string())
        .collect();
    assert!(
        names.contains(&"points/000005.json".to_owned()),
        "{names:?}"
    );
    assert!(names.contains(&"sweep.csv".to_owned()), "{names:?}");
    swept(&folder, "two", &["--threads", "2"]).success();
    same(&folder, "one", "two");
    for part in ["1", "2", "3"] {
        let shard = format!("{part}/3");
        swept(&folder, part, &["--shard", &shard])
            .success()
            .stdout(contains("2 points of shard"));
        // Shards may share a directory as well.
        swept(&folder, "shared", &["--shard", &shard, "--resume"]).success();
    }
    merged(&folder, &["3", "1", "2", "--out", "merged"]).success();
    same(&folder, "one", "merged");
    merged(&folder, &["shared"]).success();
    same(&folder, "one", "shared");
    // Once more changes nothing.
    merged(&folder, &["3", "1", "2", "--out", "merged"]).success();
    same(&folder, "one", "merged");
}

/// Every point's file with the moment it was written: a point that were run twice would have another.
fn finished(points: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    if !points.exists() {
        return BTreeMap::new();
    }
    files(points)
        .into_iter()
        .filter(|(name, _)| name.extension().is_some_and(|ending| ending == "json"))
        .map(|(name, bytes)| {
            let at = std::fs::metadata(points.join(&name)).unwrap();
            (name, (bytes, at.modified().unwrap()))
        })
        .collect()
}

/// Killed with SIGKILL at random moments, and gone on with, until it ends by itself: twenty kills at least, no point lost, none
/// run again once it was whole, and every byte as though nothing had happened.
#[test]
fn killed_and_resumed_it_is_the_same() {
    let folder = folder();
    let longer = ["--set", "length=10m", "--threads", "2"];
    let begun = std::time::Instant::now();
    swept(&folder, "whole", &longer).success();
    let whole = begun.elapsed().as_millis() as u64;
    let program = assert_cmd::cargo::cargo_bin("deleverage");
    let points = folder.path().join("killed/points");
    let mut moments = Draws::new(11, 0).stream(Purpose::Custom, 0, 0);
    let mut kills = 0;
    loop {
        let before = finished(&points);
        let mut child = Command::new(&program)
            .current_dir(&folder)
            .args(SWEEP)
            .args(longer)
            .args(["--out", "killed", "--resume", "--quiet"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From before the file is read to after the tables are written; the first twenty never reach the end.
        let most = if kills < 20 { whole / 3 } else { 3 * whole };
        std::thread::sleep(Duration::from_millis(moments.below(most.max(2))));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            if kills >= 20 {
                break;
            }
            // It was whole before it was killed often enough: from the start.
            std::fs::remove_dir_all(folder.path().join("killed")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let after = finished(&points);
        for (name, found) in before {
            assert!(
                after.get(&name) == Some(&found),
                "{} was lost, changed or run again",
                name.display()
            );
        }
    }
    same(&folder, "whole", "killed");
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let scenario = Scenario::parse(FALL).unwrap();
    let axes = vec![Axis::list("cohort.retail.long_share", [0.2, 0.4, 0.6, 0.8])];
    let plan = Plan::grid(axes, 5).unwrap().twin(false);
    let watch = Watch::default();
    let kept = Mutex::new(0);
    let ended = Sweep::new(&scenario, &plan)
        .threads(1)
        .watched(&watch)
        .run(&[0, 1, 2, 3], |_| {
            *kept.lock().unwrap() += 1;
            watch.progress.stop.store(true, Ordering::Relaxed);
            Ok::<(), ()>(())
        })
        .unwrap();
    assert!(ended.stopped);
    assert_eq!((ended.done, *kept.lock().unwrap()), (1, 1));
}

#[test]
fn status_tells_what_is_missing_and_where() {
    let folder = folder();
    swept(&folder, "1", &["--shard", "1/2"]).success();
    run(&folder, &["status", "1"])
        .code(3)
        .stdout(contains("6 points: 3 done, 0 failed, 3 missing"))
        .stdout(contains("missing: 1, 3, 5"));
    let mut second = deleverage();
    second
        .current_dir(&folder)
        .args(SWEEP)
        .args(["--out", "2", "--shard", "auto/2"])
        .env("JOB_COMPLETION_INDEX", "1")
        .assert()
        .success();
    let told = run(&folder, &["status", "1", "2", "--json"]).success();
    let status: serde_json::Value =
        serde_json::from_slice(&told.get_output().stdout.clone()).unwrap();
    assert_eq!((&status["done"], &status["points"]), (&6.into(), &6.into()));
    assert_eq!(status["missing"], serde_json::json!([]));
    merged(&folder, &["1", "2", "--out", "whole"]).success();
    swept(&folder, "other", &["--shard", "auto"])
        .code(2)
        .stderr(contains("no scheduler says which task this is"));
    swept(&folder, "other", &["--seed", "6"]).success();
    run(&folder, &["status", "1", "other"])
        .code(2)
        .stderr(contains("other is of another sweep than 1"));
    let words = [&SWEEP[..], &["--estimate"]].concat();
    run(&folder, &words)
        .success()
        .stdout(contains("4 of 6 points were run once each"))
        .stdout(contains("core-hours"));
    assert!(
        !folder.path().join("outputs").exists(),
        "an estimate writes nothing"
    );
}

#[test]
fn few_points_are_in_flight() {
    let scenario = Scenario::parse(FALL).unwrap().set("length", "20s").unwrap();
    let axes = vec!["cohort.retail.long_share=0.1..0.9:9".parse().unwrap()];
    let plan = Plan::grid(axes, 5).unwrap().replicates(0, 3);
    for threads in [1, 2, 3] {
        let seen = Mutex::new(Vec::new());
        let ended = Sweep::new(&scenario, &plan)
            .threads(threads)
            .run(&[8, 0, 1, 2, 3, 4, 5, 6, 7], |outcome| {
                if let Outcome::Done(found) = outcome {
                    assert_eq!(found.runs.len(), 3);
                    seen.lock().unwrap().push(found.point.id);
                }
                Ok::<(), ()>(())
            })
            .unwrap();
        assert!((1..=threads).contains(&ended.in_flight), "{ended:?}");
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn what_cannot_be_kept_ends_the_sweep() {
    let scenario = Scenario::parse(FALL).unwrap().set("length", "20s").unwrap();
    let axes = vec![Axis::list("cohort.retail.long_share", [0.2, 0.4])];
    let plan = Plan::grid(axes, 5).unwrap();
    let sweep = Sweep::new(&scenario, &plan).threads(1);
    assert_eq!(sweep.run(&[0, 1], |_| Err("no room")), Err("no room"));
}

#[test]
fn a_point_is_a_run_with_its_settings_and_seed() {
    let folder = folder();
    swept(&folder, "sweep", &[]).success();
    let point = json(&folder.path().join("sweep/points/000003.json"));
    let set = |path: &str| format!("{path}={}", point["settings"][path].as_str().unwrap());
    run(
        &folder,
        &[
            "run",
            "fall.toml",
            "--set",
            "length=1m",
            "--set",
            &set("cohort.retail.long_share"),
            "--set",
            &set("shock.0.size"),
            "--seed",
            &point["seed"].to_string(),
            "--set",
            "replicate=1",
            "--twin",
            "--out",
            "alone",
        ],
    )
    .success();
    let manifest = json(&folder.path().join("alone/manifest.json"));
    // The sweep's scenario is that of replicate 0.
    assert_eq!(manifest["replicate"], 1);
    let summary = json(&folder.path().join("alone/summary.json"));
    let summary = summary.as_array().unwrap();
    assert_eq!(summary.len(), point["metrics"].as_array().unwrap().len());
    for (place, metric) in summary.iter().enumerate() {
        assert_eq!(metric["name"], point["metrics"][place][0]);
        assert_eq!(metric["market"], point["metrics"][place][1]);
        assert_eq!(
            metric["value"], point["runs"][1][place],
            "{}",
            metric["name"]
        );
    }
}

#[test]
fn other_values_and_axes_in_another_order_leave_a_points_runs_as_they_are() {
    let folder = folder();
    swept(&folder, "one", &[]).success();
    run(
        &folder,
        &[
            "sweep",
            "fall.toml",
            "--set",
            "length=1m",
            "--vary",
            "shock.0.size=-0.05,-0.1",
            "--vary",
            "cohort.retail.long_share=0.50,0.9",
            "--replicates",
            "2",
            "--out",
            "two",
        ],
    )
    .success();
    // 0.5 and −0.1: the fourth of one, the third of the other.
    let (one, two) = (
        json(&folder.path().join("one/points/000003.json")),
        json(&folder.path().join("two/points/000002.json")),
    );
    for part in ["settings", "seed", "scenario_sha256", "runs"] {
        assert_eq!(one[part], two[part], "{part}");
    }
    assert_ne!(one["plan_sha256"], two["plan_sha256"]);
}

#[test]
fn a_failing_point_is_told_with_its_replay_and_the_sweep_goes_on() {
    let folder = folder();
    let sweep = |more: &[&str]| {
        let words = [
            "sweep",
            "fall.toml",
            "--set",
            "length=20s",
            "--vary",
            "cohort.retail.long_share=0.2,1.5,0.8",
            "--format",
            "csv",
            "--out",
            "holes",
        ];
        run(&folder, &[&words[..], more].concat())
    };
    sweep(&[])
        .code(2)
        .stderr(contains("1 of 3 points failed"))
        .stderr(contains(
            "point 1 (cohort.retail.long_share=1.5), replicate 0",
        ))
        .stderr(contains("merge --partial"));
    let at = |name: &str| folder.path().join("holes").join(name);
    assert!(at("points/000000.json").exists() && at("points/000002.json").exists());
    assert!(!at("manifest.json").exists() && !at("sweep.csv").exists());
    let failed = json(&at("points/000001.failed.json"));
    let replay = failed["replay"].as_str().unwrap();
    assert!(
        replay.starts_with("deleverage run holes/plan.json --set cohort.retail.long_share=1.5")
    );
    let words: Vec<&str> = replay.split(' ').skip(1).collect();
    run(&folder, &words)
        .code(2)
        .stderr(contains("cohort.retail.long_share"));
    // The same with a value that is sound runs from the plan alone.
    let sound: Vec<String> = words
        .iter()
        .map(|word| word.replace("share=1.5", "share=0.5"))
        .collect();
    let sound: Vec<&str> = sound.iter().map(String::as_str).collect();
    run(&folder, &sound).success();

    merged(&folder, &["holes"])
        .code(3)
        .stderr(contains("1 of 3 points failed").and(contains("replay: deleverage run")));
    merged(&folder, &["holes", "--partial"]).success();
    let table = std::fs::read_to_string(at("points.csv")).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
    // A failed point is tried again.
    sweep(&["--resume"])
        .code(2)
        .stderr(contains("1 of 3 points failed"));
}

#[test]
fn merge_refuses_by_name() {
    let folder = folder();
    for part in ["1", "2"] {
        swept(&folder, part, &["--shard", &format!("{part}/2")]).success();
    }
    let at = |name: &str| folder.path().join(name);
    merged(&folder, &["1", "--out", "out"])
        .code(3)
        .stderr(contains("3 of 6 points are missing: 1, 3, 5"));
    assert!(!at("out").exists());
    merged(&folder, &["1", "2"])
        .code(2)
        .stderr(contains("--out DIR"));

    std::fs::copy(at("1/points/000002.json"), at("2/points/000002.json")).unwrap();
    std::fs::write(at("1/points/notes.txt"), "mine").unwrap();
    let text = std::fs::read_to_string(at("1/points/000004.json")).unwrap();
    std::fs::write(
        at("1/points/000004.json"),
        text.replace("\"seed\":", "\"seed\":1"),
    )
    .unwrap();
    merged(&folder, &["1", "2", "--out", "out"])
        .code(2)
        .stderr(contains("point 2 is in 1 and in 2, twice the same"))
        .stderr(contains("1/points/notes.txt is no point of this sweep"))
        .stderr(contains("000004.json: has other settings or another seed"));
    assert!(!at("out").exists());
    std::fs::remove_file(at("1/points/notes.txt")).unwrap();
    std::fs::remove_file(at("2/points/000002.json")).unwrap();
    std::fs::write(at("1/points/000004.json"), &text[..text.len() / 2]).unwrap();
    merged(&folder, &["1", "2", "--out", "out"])
        .code(2)
        .stderr(contains("000004.json: is no point of a sweep"));
    std::fs::write(at("1/points/000004.json"), text).unwrap();

    swept(&folder, "other", &["--seed", "6", "--shard", "2/2"]).success();
    merged(&folder, &["1", "other", "--out", "out"])
        .code(2)
        .stderr(contains("other is of another sweep than 1"));
    std::fs::copy(at("other/points/000001.json"), at("2/points/000001.json")).unwrap();
    merged(&folder, &["1", "2", "--out", "out"])
        .code(2)
        .stderr(contains("000001.json: is of another sweep"));
    let plan = std::fs::read_to_string(at("1/plan.json")).unwrap();
    std::fs::write(
        at("1/plan.json"),
        plan.replace("\"replicates\": 2", "\"replicates\":  2"),
    )
    .unwrap();
    merged(&folder, &["1", "2", "--out", "out"])
        .code(2)
        .stderr(contains("was changed after it was written"));
    merged(&folder, &["nowhere"])
        .code(70)
        .stderr(contains("nowhere/plan.json"));
}

#[test]
fn a_directory_keeps_to_one_sweep() {
    let folder = folder();
    let sweep = |more: &[&str]| {
        let words = ["sweep", "fall.toml", "--set", "length=20s", "--out", "here"];
        run(&folder, &[&words[..], more].concat())
    };
    let share = ["--vary", "cohort.retail.long_share=0.2,0.8"];
    sweep(&share)
        .success()
        .stdout(contains("2 points · 1 replicate from 0 on"));
    sweep(&share).code(2).stderr(contains("--resume"));
    sweep(&[&share[..], &["--replicates", "2", "--resume"]].concat())
        .code(2)
        .stderr(contains("holds another sweep (other sweep.replicates)"));
    sweep(&[&share[..], &["--resume"]].concat()).success();
    // Neither does a run write over it, nor it over a run.
    run(&folder, &["run", "fall.toml", "--out", "here"])
        .code(2)
        .stderr(contains("already holds a run of sweep-fall"));
    std::fs::remove_dir_all(folder.path().join("here")).unwrap();
    std::fs::create_dir(folder.path().join("here")).unwrap();
    std::fs::write(folder.path().join("here/summary.json"), "{}").unwrap();
    sweep(&share)
        .code(2)
        .stderr(contains("holds no sweep (found summary.json)"));
}

#[test]
fn what_cannot_be_swept_is_told_before_anything_runs() {
    let folder = folder();
    for (vary, told) in [
        ("cohort.retial.long_share=0.2,0.8", "no cohort `retial`"),
        ("cohort.retail.long_sare=0.2,0.8", "long_sare"),
        ("cohort.retail.long_share", "found no \"=\""),
        ("cohort.retail.long_share=0..1", "lo..hi:n"),
        ("replicate=1,2", "--replicates say it"),
    ] {
        run(
            &folder,
            &["sweep", "fall.toml", "--vary", vary, "--out", "none"],
        )
        .code(2)
        .stderr(contains(told));
    }
    assert!(!folder.path().join("none").exists());
}

#[test]
fn common_draws_and_designs_reach_the_runs() {
    let folder = folder();
    let sweep = |out: &str, more: &[&str]| {
        let words = [
            "sweep",
            "fall.toml",
            "--set",
            "length=20s",
            "--format",
            "csv",
            "--out",
            out,
        ];
        run(&folder, &[&words[..], more].concat()).success();
        std::fs::read_to_string(folder.path().join(out).join("points.csv")).unwrap()
    };
    let shares = "cohort.retail.long_share=0.2..0.8";
    let table = sweep(
        "common",
        &["--vary", "cohort.retail.long_share=0.2,0.8", "--common"],
    );
    let seeds: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(seeds, ["5", "5"]);
    let words = [
        "--vary",
        shares,
        "--vary",
        "margin.extends=fixed,hyperliquid-tiered",
        "--points",
        "4",
    ];
    for design in ["lhs", "sobol"] {
        let table = sweep(design, &[&words[..], &["--design", design]].concat());
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split(',').collect())
            .collect();
        assert_eq!(
            rows[0][..3],
            ["point", "cohort.retail.long_share", "margin.extends"]
        );
        let mut slices: Vec<usize> = rows[1..]
            .iter()
            .map(|row| ((row[1].parse::<f64>().unwrap() - 0.2) / 0.15) as usize)
            .collect();
        slices.sort_unstable();
        assert_eq!(slices, [0, 1, 2, 3], "{design}");
        let fixed = rows.iter().filter(|row| row[2] == "fixed").count();
        assert_eq!(fixed, 2, "{design}");
    }
    let runs = std::fs::read_to_string(folder.path().join("common/runs.csv")).unwrap();
    let paths: Vec<&str> = runs
        .lines()
        .filter(|line| line.contains(",reference_drawdown,ETH,"))
        .map(|line| line.rsplit(',').next().unwrap())
        .collect();
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0], paths[1], "the same outside path at both points");
}

#[test]
fn grids_of_one_or_two_settings_are_drawn() {
    let folder = folder();
    let sweep = |words: &[&str]| {
        let first = [
            "sweep",
            "fall.toml",
            "--set",
            "length=20s",
            "--replicates",
            "2",
        ];
        run(&folder, &[&first[..], words].concat())
    };
    let share = ["--vary", "cohort.retail.long_share=0.2,0.5,0.8"];
    let size = ["--vary", "shock.0.size=-0.2,-0.1"];
    let wanted = ["--chart", "endogenous_share>=0.5", "--chart", "drawdown"];
    sweep(&[&share[..], &size, &wanted, &["--out", "map"]].concat())
        .success()
        .stdout(contains("of 6 points more than half of the runs do"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let map = read("map/charts/endogenous_share-at-least-0.5.svg");
    assert!(map.contains("cohort.retail.long_share") && map.contains("shock.0.size"));
    assert!(map.contains("data-name=\"cells\"") || map.contains("class=\"cells\""));
    assert!(read("map/charts/drawdown.svg").contains("BTC drawdown, mid"));
    sweep(&[&share[..], &["--out", "curve"]].concat()).success();
    assert!(read("curve/charts/drawdown.svg").contains("5 % to 95 % of runs"));
    // Without twins nothing is amplified, and no empty chart says so.
    sweep(&[&share[..], &["--no-twin", "--out", "alone"]].concat()).success();
    assert!(folder.path().join("alone/charts/drawdown.svg").exists());
    assert!(
        !folder
            .path()
            .join("alone/charts/endogenous_share.svg")
            .exists()
    );
    for (chart, told) in [
        ("drawdon", "no metric is called drawdon"),
        ("drawdown>=x", "expected a number after >="),
    ] {
        sweep(&[&share[..], &["--chart", chart, "--out", "none"]].concat())
            .code(2)
            .stderr(contains(told));
    }
    let third = ["--vary", "margin.extends=fixed,fhs", "--out", "none"];
    sweep(&[&share[..], &size, &third, &wanted].concat())
        .code(2)
        .stderr(contains("leave --chart out"));
    sweep(&[&share[..], &size, &third].concat()).success();
    assert!(!folder.path().join("none/charts").exists());
}

/// What is known before the shock, R at the start for a move of 1, 2 or 5 %, tells which falls run away.
#[test]
fn the_phase_diagram_has_falls_that_are_absorbed_and_falls_that_run_away() {
    let config =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/experiments/phase-diagram.toml");
    let scenario = Scenario::load(config).unwrap();
    let axes = vec![
        Axis::list("cohort.retail.leverage", [4, 10, 14, 20, 26, 32]),
        Axis::list(
            "market.BTC.venue.book.depth.flat.lots_per_tick",
            [16, 40, 90, 200, 450, 1024],
        ),
    ];
    let plan = Plan::grid(axes, scenario.seed).unwrap();
    let found = Mutex::new(BTreeMap::new());
    let points: Vec<u64> = (0..plan.points).collect();
    let ended = Sweep::new(&scenario, &plan)
        .run(&points, |outcome| {
            let Outcome::Done(done) = outcome else {
                return Err("a point failed");
            };
            let of = |name: &str| done.runs[0].value(name, Some("BTC")).unwrap();
            let before = [1, 2, 5]
                .map(|w| of(&format!("reproduction_down_start_{w}pct")))
                .into_iter()
                .fold(0.0, f64::max);
            found
                .lock()
                .unwrap()
                .insert(done.point.id, (of("endogenous_share"), before));
            Ok(())
        })
        .unwrap();
    assert_eq!((ended.done, ended.failed), (36, 0));
    let found = found.into_inner().unwrap();
    // A thin and a deep book at leverage 4, which no such fall reaches, and at 14 to 32.
    for (point, runs_away) in [
        (0, false),
        (5, false),
        (12, true),
        (17, false),
        (30, true),
        (35, false),
    ] {
        let (own, before) = found[&point];
        assert_eq!(own >= 0.5, runs_away, "point {point}: {own}");
        assert_eq!(before >= 1.0, runs_away, "point {point}: {before}");
        assert!(runs_away || own < 0.2, "point {point}: {own}");
    }
    let right = found
        .values()
        .filter(|(own, before)| (*own >= 0.5) == (*before >= 1.0))
        .count();
    assert!(right >= 33, "{right} of 36 on the right side of R = 1");
}

/// A disk that is full for a while is no fault: 75 says that the same command may go well later. Here a limit of the shell stands for
/// the disk.
#[test]
#[cfg(unix)]
fn a_full_disk_ends_a_sweep_with_75_and_it_goes_on_later() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("sweep");
    let sweep = |limit: &str| {
        let shell = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
        Command::new("sh")
            .args(["-c", &shell, env!("CARGO_BIN_EXE_deleverage")])
            .args([
                "sweep",
                "configs/quickstart.toml",
                "--vary",
                "cohort.retail.leverage=5,10",
            ])
            .args([
                "--replicates",
                "1",
                "--no-twin",
                "--quiet",
                "--resume",
                "--out",
            ])
            .arg(&out)
            .output()
            .unwrap()
    };
    let full = sweep("0");
    assert_eq!(full.status.code(), Some(75), "{full:?}");
    let told = String::from_utf8(full.stderr).unwrap();
    assert!(told.contains("--resume goes on with the others"), "{told}");
    let later = sweep("unlimited");
    assert_eq!(later.status.code(), Some(0), "{later:?}");
    assert!(out.join("points.parquet").exists() || out.join("points.csv").exists());
}
