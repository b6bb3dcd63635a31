//! Comparisons of rules on the same crashes.

use crate::support::{FALL, deleverage, files, same_files};
use deleverage::experiment::compare::{Role, Until, Watch};
use deleverage::experiment::{Compared, Comparison, Variant, Verdict};
use deleverage::margin::MarginSettings;
use deleverage::measure::catalogue as m;
use deleverage::scenario::Scenario;
use predicates::str::contains;
use std::path::Path;

const STRICT: &str = "base.fixed = { maintenance = 0.03, initial = 0.08 }\n";
const LOOSE: &str = "base.fixed = { maintenance = 0.01, initial = 0.02 }\n";

fn rule(text: &str) -> MarginSettings {
    let scenario = Scenario::parse(FALL.replace(
        "[margin]\nbase.fixed = { maintenance = 0.02, initial = 0.04 }\n",
        &format!("[margin]\n{text}"),
    ));
    scenario.unwrap().margin
}

fn compared(variants: &[Variant], replicates: u64) -> Compared {
    Comparison::new(variants.iter().cloned())
        .replicates(replicates)
        .finish()
}

#[test]
fn a_variant_that_changes_nothing_changes_no_number() {
    let scenario = Scenario::parse(FALL).unwrap();
    let own = scenario.margin.clone();
    let variants = [
        Variant::new("own", scenario.clone()),
        Variant::ruled("again", &scenario, &own),
    ];
    assert_eq!(variants[0].scenario, variants[1].scenario);
    let found = compared(&variants, 2);
    assert_eq!(found.runs[0], found.runs[1]);
    assert_ne!(found.runs[0][0], found.runs[0][1], "replicates differ");
    let judged = found.judge();
    for row in &judged.rows {
        if let Some(change) = &row.cells[1].change {
            assert_eq!((change.mean, change.median.value), (0.0, 0.0));
            assert!(change.count < 2 || change.verdict == Verdict::Same);
        }
    }
    assert_eq!(judged.roles, [Role::Current, Role::Proposed]);
}

#[test]
fn rules_are_compared_within_each_crash() {
    let scenario = Scenario::parse(FALL).unwrap();
    let variants = [
        Variant::ruled("strict", &scenario, &rule(STRICT)),
        Variant::ruled("loose", &scenario, &rule(LOOSE)),
    ];
    let found = compared(&variants, 4);
    let judged = found.judge();
    let rows: Vec<_> = judged.of(&m::INITIAL_MEAN).collect();
    assert_eq!(rows.len(), 2, "two markets");
    let change = rows[0].cells[1].change.unwrap();
    assert!((change.mean + 0.06).abs() < 1e-9);
    assert_eq!(change.verdict, Verdict::Better);
    assert_eq!((change.lower, change.higher), (4, 0));
    let outside = judged.cell(&m::REFERENCE_DRAWDOWN, Some("BTC"), 1).unwrap();
    let outside = outside.change.unwrap();
    assert_eq!(outside.verdict, Verdict::Same);
    assert!(outside.unpaired.width().unwrap() > 0.0);
    let all = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap()
        .install(|| compared(&variants, 4));
    assert_eq!(found, all);
}

#[test]
fn the_command_prints_the_frontier_and_writes_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("fall.toml", FALL);
    write("strict.toml", STRICT);
    write("loose.toml", LOOSE);
    let run = |out: &str, rules: &[&str]| {
        let mut command = deleverage();
        command.current_dir(&folder).args(["compare", "fall.toml"]);
        for rule in rules {
            command.args(["--rule", rule]);
        }
        command.args(["--replicates", "3", "--format", "csv", "--out", out]);
        command.assert()
    };
    let shown = run("one", &["strict.toml", "loose.toml"]).success();
    let text = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(text.contains("strict") && text.contains("loose"), "{text}");
    assert!(text.contains("BTC initial, mean"), "{text}");
    let table = std::fs::read_to_string(folder.path().join("one/comparison.csv")).unwrap();
    assert!(
        table.starts_with("metric,unit,direction,market,variant,count,mean,mean_low,mean_high,")
    );
    let runs = std::fs::read_to_string(folder.path().join("one/runs.csv")).unwrap();
    let drawdowns = runs.lines().filter(|line| line.contains(",drawdown,BTC,"));
    assert_eq!(drawdowns.count(), 6);
    run("two", &["strict.toml", "loose.toml"]).success();
    let at = |out: &str| files(Path::new(&folder.path().join(out)));
    same_files(&at("one"), &at("two"));
    // One rule alone is held against the scenario's own margin.
    run("three", &["loose.toml"])
        .success()
        .stdout(contains("scenario"));
    run("four", &["none.toml"])
        .code(2)
        .stderr(contains("cannot read none.toml"));
}

/// A short fall, for what needs many replicates.
fn short() -> Scenario {
    Scenario::parse(FALL).unwrap().set("length", "40s").unwrap()
}

#[test]
fn replicates_are_added_until_an_interval_is_narrow_enough() {
    let scenario = short();
    let until: Until = "ci=reference_drawdown@BTC:0.02".parse().unwrap();
    let ensemble = |limit, threads| {
        Comparison::of("alone", scenario.clone())
            .replicates(limit)
            .twin(false)
            .threads(threads)
            .until(until.clone())
            .finish()
    };
    let found = ensemble(400, 1);
    let (_, met) = found.until.clone().unwrap();
    let count = found.replicates();
    assert!(met && (16..400).contains(&count), "{count}");
    assert!(until.widest(&found).unwrap() <= 0.02);
    assert_eq!(found, ensemble(400, 2));
    // The look before wasn't narrow enough, or there was none.
    let mut fewer = found.clone();
    let before = (0..).map(|_| ()).scan(0, |done, ()| {
        *done = until.next(*done);
        Some(*done)
    });
    let before = before.take_while(|look| *look < count as u64).last();
    if let Some(before) = before {
        fewer.runs[0].truncate(before as usize);
        assert!(until.widest(&fewer).unwrap() > 0.02);
    }
    let never: Until = "ci=reference_drawdown@BTC:0.000001".parse().unwrap();
    let few = Comparison::of("alone", scenario.clone())
        .replicates(5)
        .twin(false)
        .until(never)
        .finish();
    assert_eq!((few.replicates(), few.until.unwrap().1), (5, false));
}

#[test]
fn a_run_that_fails_is_told_and_the_others_are_made() {
    let scenario = short();
    let mut broken = scenario.clone();
    broken.positions = Some("no/such.csv".to_owned());
    let found = Comparison::of("whole", scenario)
        .variant(Variant::new("broken", broken))
        .replicates(2)
        .finish();
    assert_eq!(found.failures.len(), 2);
    let failed = &found.failures[1];
    assert_eq!(
        (failed.variant, failed.replicate, failed.ours),
        (1, 1, false)
    );
    assert!(failed.message.contains("no/such.csv"), "{}", failed.message);
    assert!(found.runs[0].iter().all(Option::is_some));
    assert!(found.runs[1].iter().all(Option::is_none));
    let judged = found.judge();
    assert!(judged.cell(&m::DRAWDOWN, Some("BTC"), 0).unwrap().count == 2);
    assert_eq!(judged.cell(&m::DRAWDOWN, Some("BTC"), 1).unwrap().count, 0);
}

#[test]
fn a_comparison_that_is_stopped_keeps_whole_replicates() {
    let scenario = short();
    let watch = Watch::default();
    let found = std::thread::scope(|scope| {
        let comparison = Comparison::of("one", scenario.clone())
            .variant(Variant::new("other", scenario.clone()))
            .replicates(100_000)
            .threads(1)
            .watched(&watch);
        let worker = scope.spawn(|| comparison.finish());
        while watch.runs.load(std::sync::atomic::Ordering::Relaxed) < 5 {
            std::thread::yield_now();
        }
        let stop = &watch.progress.stop;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        worker.join().unwrap()
    });
    assert!(found.stopped && found.replicates() >= 2);
    assert_eq!(found.runs[0], found.runs[1]);
    assert_eq!(found.runs[0].len(), found.replicates());
}

/// What a replicate draws anew is what the scenario says.
#[test]
fn what_is_held_is_the_same_in_every_replicate() {
    let ensemble = |vary: &str| {
        let scenario = short().set("ensemble.vary", vary).unwrap();
        let found = Comparison::of("alone", scenario)
            .replicates(3)
            .twin(false)
            .finish();
        let of = |definition, market| -> Vec<f64> {
            found
                .values(0, definition, market)
                .into_iter()
                .flatten()
                .collect()
        };
        (
            of(&m::REFERENCE_DRAWDOWN, Some("BTC")),
            of(&m::TRADED_TOTAL, None),
            of(&m::LIQUIDATIONS, None),
        )
    };
    let differ = |values: &[f64]| values.iter().any(|v| *v != values[0]);
    let (path, _, liquidations) = ensemble("[\"path\"]");
    assert!(differ(&path) && differ(&liquidations));
    let (path, _, liquidations) = ensemble("[\"population\"]");
    assert!(!differ(&path) && differ(&liquidations));
    let (path, traded, _) = ensemble("[\"flow\"]");
    assert!(!differ(&path) && differ(&traded));
    let (path, _, _) = ensemble("[\"path\", \"population\"]");
    assert!(differ(&path));
    // Replicate 0 is the same whatever varies.
    let all = ensemble("[\"path\", \"population\", \"flow\", \"faults\"]");
    assert_eq!(all.0[0], path[0]);
    assert_eq!(all.1[0], traded[0]);
    let none = short().set("ensemble.vary", "[]").unwrap_err().to_string();
    assert!(none.contains("ensemble.vary: names nothing"), "{none}");
}

/// The same crashes, small and large, under every variant: the severity of a replicate is common to all, and what the variants
/// do differs far less than the crashes do.
#[test]
fn a_severity_is_common_to_all_variants_and_pairs_them() {
    let found = |severity: &str| {
        let scenario = short().set("ensemble.severity", severity).unwrap();
        let strict = ["margin.base.fixed.maintenance=0.021"];
        Comparison::of("current", scenario.clone())
            .variant(Variant::patched("strict", &scenario, strict).unwrap())
            .replicates(12)
            .twin(false)
            .finish()
    };
    let (as_it_is, drawn) = (
        found("1"),
        found("{ lognormal = { median = 1, sigma = 0.3 } }"),
    );
    let outside =
        |found: &Compared, variant| found.values(variant, &m::REFERENCE_DRAWDOWN, Some("BTC"));
    assert_eq!(outside(&drawn, 0), outside(&drawn, 1));
    assert_eq!(outside(&drawn, 0)[0], outside(&as_it_is, 0)[0]);
    let gain = |found: &Compared| {
        let judged = found.judge();
        let cell = judged.cell(&m::DRAWDOWN, Some("BTC"), 1).unwrap();
        cell.change.unwrap().pairing().unwrap()
    };
    let (before, after) = (gain(&as_it_is), gain(&drawn));
    assert!(after > 2.0 && after > before, "{before} {after}");
}

#[test]
fn policies_and_settings_are_compared_as_rules_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    let words = [
        "compare",
        "fall.toml",
        "--set",
        "length=40s",
        "--policy",
        "market_close",
        "--policy",
        "half:partial",
        "--variant",
        "early:margin.base.fixed.maintenance=0.03,margin.base.fixed.initial=0.06",
        "--replicates",
        "2",
        "--out",
        "out",
    ];
    let run = |more: &[&str]| {
        let all = [&words[..], more].concat();
        deleverage().current_dir(&folder).args(all).assert()
    };
    run(&[])
        .success()
        .stdout(contains("LaR, liquidated at 95 %"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let file: serde_json::Value = serde_json::from_str(&read("comparison.json")).unwrap();
    let names: Vec<&str> = file["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variant| variant["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["scenario", "market_close", "half", "early"]);
    let changes = file["variants"][3]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["path"], "margin.base.fixed.maintenance");
    assert_eq!(changes[0]["to"], "0.03");
    let page = read("comparison.md");
    for part in [
        "## Recommendation",
        "| Setting | current",
        "## Inputs",
        "## Results",
        "## early against scenario",
        "deleverage compare fall.toml",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for (word, told) in [
        ("--baseline=none", "no variant is named none"),
        ("--policy=partail", "partial"),
        ("--variant=x:margin.bse=1", "bse"),
        ("--variant=odd", "expected NAME:"),
        ("--variant=x:seed=9", "another seed"),
        ("--policy=half:market_close", "two variants are named half"),
        ("--until=ci=drawdown", "expected ci="),
    ] {
        run(&[word, "--force"]).code(2).stderr(contains(told));
    }
    run(&["--baseline", "half", "--force"])
        .success()
        .stdout(contains("within a replicate to half"));
    deleverage()
        .current_dir(&folder)
        .args(["compare", "fall.toml"])
        .assert()
        .code(2)
        .stderr(contains("nothing to compare with"));
}

#[test]
fn an_ensemble_keeps_its_worst_runs_and_tells_how_to_make_them_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    let run = |words: &[&str]| deleverage().current_dir(&folder).args(words).assert();
    run(&[
        "ensemble",
        "fall.toml",
        "--set",
        "length=40s",
        "--replicates",
        "4",
        "--worst-by",
        "drawdown",
        "--format",
        "csv",
        "--out",
        "out",
    ])
    .success()
    .stdout(contains("replicates vary: path, population, flow, faults"))
    .stdout(contains("The worst run of scenario, replicate"));
    let out = folder.path().join("out");
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(out.join(name)).unwrap()).unwrap()
    };
    let file = json("ensemble.json");
    assert_eq!(file["kind"], "ensemble");
    let worst = &file["worst"][0];
    let runs = std::fs::read_to_string(out.join("runs.csv")).unwrap();
    let highest = runs
        .lines()
        .filter(|line| line.contains(",drawdown,BTC,"))
        .map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap())
        .fold(0.0, f64::max);
    assert_eq!(worst["value"].as_f64(), Some(highest));
    // What is kept is the run, and the command makes it again, byte for byte.
    let kept = worst["kept"].as_str().unwrap();
    let drawdown = |summary: &serde_json::Value| {
        let metrics = summary.as_array().unwrap();
        let found = metrics.iter().find(|metric| metric["name"] == "drawdown");
        found.unwrap()["value"].as_f64()
    };
    assert_eq!(
        drawdown(&json(&format!("{kept}/summary.json"))),
        Some(highest)
    );
    assert!(out.join(kept).join("events.csv").exists());
    let replay = worst["replay"].as_str().unwrap();
    let words: Vec<&str> = replay.split(' ').skip(1).collect();
    deleverage()
        .current_dir(&out)
        .args(words)
        .args(["--format", "csv", "--out", "again"])
        .assert()
        .success();
    same_files(&files(&out.join(kept)), &files(&out.join("again")));
}
