//! What is shipped keeps its word: every scenario meets its own expectations, every venue runs.

use crate::support::deleverage;
use deleverage::experiment::Run;
use deleverage::scenario::{Scenario, preset};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn shipped(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "nothing in {}", folder.display());
    found
}

#[test]
fn every_scenario_passes_the_check_and_meets_its_expectations() {
    let mut wrong = String::new();
    for file in shipped("configs") {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        deleverage().arg("check").arg(&file).assert().success();
        let scenario = Scenario::load(&file).unwrap();
        assert!(!scenario.expect.is_empty(), "{name} expects nothing");
        let twin = scenario.expect.iter().any(|expect| expect.needs_twin());
        let finished = Run::new(&scenario).twin(twin).finish().unwrap();
        assert!(finished.unchecked.is_empty(), "{name}");
        assert_eq!(
            finished.summary.value("conservation", None),
            Some(0.0),
            "{name}"
        );
        for outcome in finished.outcomes.iter().filter(|outcome| !outcome.ok) {
            let _ = writeln!(wrong, "{name}: {outcome:?}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A scenario of all markets of a venue's rules: a fall of a third under leveraged longs. Where oracles speak once an hour
/// and auctions fall for one, the crash takes as long.
fn crash(file: &Path, rules: &toml::Table) -> String {
    // Dollars, or coins.
    let capital = if rules.contains_key("quantum") {
        "0.5"
    } else {
        "5_000"
    };
    let slow = rules
        .get("liquidation")
        .and_then(|section| section.get("policy"))
        .and_then(toml::Value::as_table)
        .is_some_and(|policy| {
            ["dutch_auction", "portfolio_auction"]
                .iter()
                .any(|name| policy.contains_key(*name))
        });
    let clock = if slow {
        "step = \"30s\"\nlength = \"5h\""
    } else {
        "length = \"2m\""
    };
    let mut text = format!(
        "extends = {:?}\nname = \"crash\"\n{clock}\n\
         [[shock]]\nat = \"10s\"\nsize = -0.33\nduration = \"100s\"\n\
         [liquidation]\ninsurance_fund = 10_000\n\
         keepers.eager = {{ count = 5, profit = 0, risk_aversion = 0 }}\n\
         [cohort.longs]\ncount = 200\ncapital = {{ lognormal = {{ median = {capital}, sigma = 1.0 }} }}\n\
         leverage = {{ uniform = {{ min = 2, max = 10 }} }}\nlong_share = 0.8\n",
        file.display().to_string()
    );
    for (name, market) in rules["market"].as_table().unwrap() {
        let tick: f64 = market["tick"].to_string().parse().unwrap();
        let _ = write!(
            text,
            "[market.{name}]\nprice = {}\npath.gbm.volatility = 0.5\n\
             venue.impact = {{ law.linear.ticks_per_lot = 0.0001, resilience = \"10s\" }}\n",
            tick * 100_000.0
        );
    }
    text
}

#[test]
fn every_venue_has_a_date_and_a_source_and_runs() {
    let files = shipped("configs/venues");
    assert_eq!(files.len(), preset::all().len());
    for file in files {
        let rules: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        for key in ["as_of", "source"] {
            let said = rules.get(key).and_then(|value| value.as_str());
            assert!(
                said.is_some_and(|text| text.len() >= 10),
                "{} has no {key}",
                file.display()
            );
        }
        let scenario = Scenario::parse(crash(&file, &rules))
            .unwrap_or_else(|problems| panic!("{}: {problems}", file.display()));
        let finished = Run::new(&scenario).audit_every_step(true).finish().unwrap();
        let value = |name: &str, market| finished.summary.value(name, market).unwrap_or_default();
        assert_eq!(value("conservation", None), 0.0);
        for name in &scenario.markets {
            let sold = value("liquidated_long_notional", Some(name));
            assert!(
                sold > 0.0,
                "{}: no long of {name} was liquidated",
                file.display()
            );
        }
    }
}
