//! What several themes need: the command, small scenarios, and the files of a directory.

use assert_cmd::Command;
use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Scenario;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The command.
pub fn deleverage() -> Command {
    Command::cargo_bin("deleverage").unwrap()
}

/// A market that falls by a fifth within two minutes, under traders of every kind: liquidations,
/// answers to calls, resting orders, cross accounts. Runs in a blink.
pub const FALL: &str = r#"
name = "fall"
length = "3m"
seed = 5

[market.BTC]
tick = 1
lot = 0.001
price = 50_000
path.gbm = { volatility = 1.2 }
anchor = { permanent_share = 0.5, half_life = "1m" }
flight = { exponent = 0.5, reference_volatility = 0.8 }
funding.interval = "1m"

[market.BTC.venue.book]
spread_bps = 1
resilience = "20s"
depth.curve = { points = [[10, 10], [100, 100], [500, 300]], reach_bps = 5000 }

[market.ETH]
tick = 0.1
lot = 0.01
price = 3_000
path.merton = { volatility = 1.0, jump_rate = 2000, jump_mean = -0.01, jump_sigma = 0.01 }
venue.impact = { law.square_root.ticks_per_sqrt_lot = 3.0, resilience = "30s" }

[[shock]]
at = "20s"
size = -0.2
duration = "100s"

[margin]
base.fixed = { maintenance = 0.02, initial = 0.04 }
grace = "2s"

[liquidation]
insurance_fund = 20_000
auto_deleveraging = true
policy.slices = { fraction = 0.2, above = 100_000, cooldown = "5s" }

[cohort.retail]
count = 400
capital.pareto = { min = 500, alpha = 1.2, max = 200_000 }
leverage.uniform = { min = 2, max = 22 }
long_share = 0.7

[cohort.cross]
count = 60
capital.lognormal = { median = 5_000, sigma = 1.0 }
leverage = 8
mode = "cross"
response.top_up = { probability = 0.5, delay = "10s", reserve = 1.0, target = 0.5 }

[cohort.noise]
count = 50
capital = 20_000
strategy.noise = { rate = 600, size = 5_000, limit_share = 0.5, lifetime = "5s" }

[cohort.makers]
count = 2
capital = 1_000_000
markets = { BTC = 1.0 }
strategy.market_maker = { size = 50_000, levels = 2, spread_bps = 10, step_bps = 5, inventory_limit = 5e5, calm_volatility = 1.0 }
"#;

/// Runs a scenario with the accounts of a positions file, audited in every step.
pub fn run_with(text: &str, positions: Option<&str>) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let mut text = text.to_owned();
    if let Some(rows) = positions {
        let file = folder.path().join("positions.csv");
        let header = "account,market,qty,entry_price,collateral,mode\n";
        std::fs::write(&file, format!("{header}{rows}")).unwrap();
        text = format!("positions = {:?}\n{text}", file.display().to_string());
    }
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    Run::new(&scenario).audit_every_step(true).finish().unwrap()
}

/// Every file under a folder, by its path within it.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn gather(folder: &Path, root: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, root, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_owned();
                into.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    gather(folder, folder, &mut found);
    found
}

/// Fails with the names of the files that differ.
pub fn same_files(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) {
    let names: Vec<_> = one.keys().collect();
    assert_eq!(names, other.keys().collect::<Vec<_>>());
    let differ: Vec<_> = one
        .iter()
        .filter(|(name, bytes)| other[*name] != **bytes)
        .map(|(name, _)| name)
        .collect();
    assert!(differ.is_empty(), "these files differ: {differ:?}");
}
