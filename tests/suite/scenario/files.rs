//! A user's files: where they are looked for, and what they take the place of.

use super::*;
use deleverage::scenario::{Input, Inputs, Mode, Scenario};
use std::path::Path;

#[test]
fn file_names_are_relative_to_the_file_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let mut bars = String::from("open_time,open,high,low,close,volume\n");
    for minute in 0..30i64 {
        bars.push_str(&format!(
            "{},100,101,99,100,1\n",
            1_600_000_000_000 + minute * 60_000
        ));
    }
    std::fs::write(folder.path().join("data/bars.csv"), bars).unwrap();
    std::fs::write(
        folder.path().join("data/accounts.csv"),
        "account,market,qty,entry_price,collateral,mode\nalice,BTC,0.5,100,20,isolated\nbob,BTC,-0.25,100.5,30,cross\n",
    )
    .unwrap();
    let text = with(
        "{ constant = {} }",
        "{ replay = { file = \"data/bars.csv\" } }",
    )
    .replace("price = 100_000\n", "")
    .replace(
        "length = \"10m\"",
        "length = \"10m\"\nstart = 2020-09-13T12:30:00Z\npositions = \"data/accounts.csv\"",
    );
    std::fs::write(folder.path().join("replay.toml"), text).unwrap();
    let scenario = Scenario::load(folder.path().join("replay.toml")).unwrap();
    let (setup, opening) = scenario.setup(0, Mode::Run).unwrap();
    assert!((198.0..=202.0).contains(&setup.markets[0].path[0]));
    let names: Vec<&str> = opening
        .names
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    assert_eq!(names, ["alice", "bob"]);
    assert_eq!(setup.cohorts.last().unwrap().name, "positions");
    // The resolved form can be read from anywhere.
    let again = Scenario::parse(scenario.to_json().to_string()).unwrap();
    assert_eq!(again, scenario);
    // What the file doesn't cover is refused.
    let told = scenario
        .set("start", "2020-09-13T13:00:00Z")
        .unwrap_err()
        .to_string();
    assert!(told.contains("covers 2020-09-13"), "{told}");
}

#[test]
fn a_users_own_files_take_the_place_of_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let bars: String = (0..20i64)
        .map(|minute| {
            format!(
                "{},50000,50010,49990,50000,1\n",
                1_600_000_020_000 + minute * 60_000
            )
        })
        .collect();
    let prices = file("bars.csv", &bars);
    let mut rows = String::from("timestamp,percentage,depth,notional\n");
    for (percent, depth, price) in [
        (-2, 40.0, 49_300.0),
        (-1, 10.0, 49_800.0),
        (1, 20.0, 50_200.0),
        (2, 50.0, 50_600.0),
    ] {
        rows.push_str(&format!(
            "2020-09-13 12:30:00,{percent},{depth},{}\n",
            depth * price
        ));
    }
    let depth = file("depth.csv", &rows);
    let positions = file(
        "accounts.csv",
        "account,market,qty,entry_price,collateral,mode\nalice,BTC,0.5,50000,2000,isolated\n",
    );
    let input = |file: &Path| Input {
        market: None,
        file: file.to_path_buf(),
    };
    let inputs = Inputs {
        prices: vec![input(&prices)],
        depth: vec![input(&depth)],
        positions: Some(positions),
    };
    let (scenario, _) = Scenario::parse(SMALL)
        .unwrap()
        .with_inputs(&inputs)
        .unwrap();
    let (setup, opening) = scenario.setup(0, Mode::Run).unwrap();
    assert!(
        opening
            .notes
            .iter()
            .any(|note| note.contains("contains the liquidations of its day"))
    );
    assert_eq!(setup.markets[0].path[0], 100_000.0); // ticks of 0.5
    assert_eq!(setup.cohorts.len(), 2);
    assert_eq!(
        Scenario::parse(scenario.to_json().to_string()).unwrap(),
        scenario
    );
    let json = scenario.to_json();
    assert_eq!(
        json["market"]["BTC"]["venue"]["book"]["depth"]["curve"]["bid"][0][0],
        100.0
    );

    let wrong = Inputs {
        prices: vec!["ETH=bars.csv".parse().unwrap()],
        depth: vec![input(Path::new("nowhere.csv"))],
        positions: None,
    };
    let told = Scenario::parse(SMALL)
        .unwrap()
        .with_inputs(&wrong)
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("no market ETH") && told.contains("cannot read nowhere.csv"),
        "{told}"
    );
}
