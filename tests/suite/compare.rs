//! Comparisons of rules on the same crashes.

use crate::support::{FALL, deleverage, files, same_files};
use deleverage::experiment::{Compared, Comparison, Variant};
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
    Comparison::new(variants)
        .replicates(replicates)
        .finish()
        .unwrap()
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
    for definition in [&m::DRAWDOWN, &m::BAD_DEBT, &m::PREMATURE_TWIN] {
        for cell in found.cells(definition) {
            if let Some(change) = cell.change {
                assert_eq!((change.mean, change.median), (0.0, 0.0));
                assert_eq!(change.error, Some(0.0));
            }
        }
    }
}

#[test]
fn rules_are_compared_within_each_crash() {
    let scenario = Scenario::parse(FALL).unwrap();
    let variants = [
        Variant::ruled("strict", &scenario, &rule(STRICT)),
        Variant::ruled("loose", &scenario, &rule(LOOSE)),
    ];
    let found = compared(&variants, 4);
    let cells = found.cells(&m::INITIAL_MEAN);
    assert_eq!(cells.len(), 4, "two markets under two rules");
    let change = cells[1].change.unwrap();
    assert!((change.mean + 0.06).abs() < 1e-9 && change.is_clear());
    let outside = found.cells(&m::REFERENCE_DRAWDOWN)[1].change.unwrap();
    assert_eq!((outside.mean, outside.error), (0.0, Some(0.0)));
    assert!(outside.unpaired.unwrap() > 0.0);
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
    assert!(table.starts_with("metric,unit,direction,market,variant,count,mean,median,pairs,"));
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
