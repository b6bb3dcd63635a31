//! `extends`, patches, the round trip.

use super::*;
use deleverage::scenario::{Document, Problems, Scenario};

#[test]
fn a_scenario_says_only_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "base.toml",
        &with(
            "[market.BTC]",
            "title = \"the base\"\n[market.BTC]\nmark = { median = { half_life = \"10s\" } }",
        ),
    );
    write(
        "own.toml",
        "extends = [\"hyperliquid\", \"base.toml\"]\nmarkets = [\"BTC\"]\nseed = 9\n[market.BTC]\nmark = { index = {} }\npath.gbm.volatility = 0.5\n",
    );
    let scenario = Scenario::load(folder.path().join("own.toml")).unwrap();
    assert_eq!(scenario.name, "own");
    assert_eq!(scenario.title, None);
    assert_eq!(scenario.as_of.as_deref(), Some("2026-11-22"));
    assert_eq!(
        (scenario.seed, scenario.markets.len(), scenario.market.len()),
        (9, 1, 1)
    );
    let market = &scenario.market["BTC"];
    // Left to right: the file's tick over the preset's, and one's own choice over both.
    assert_eq!(market.tick.to_string(), "0.5");
    assert_eq!(format!("{:?}", market.mark), "Index");
    assert!(matches!(
        market.path,
        deleverage::path::PathSettings::Gbm(_)
    ));
    assert_eq!(market.oracle.heartbeat.as_seconds(), 3.0);
    // A rule for the market wins over the common base.
    let (base, _) = scenario.margin.rule_of("BTC").unwrap();
    assert_eq!(base.name(), "tiered");
}

#[test]
fn a_problem_of_what_is_extended_names_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("base.toml", &with("price = 100_000", "price = -3"));
    write("own.toml", "extends = \"base.toml\"\n");
    let told = Scenario::load(folder.path().join("own.toml"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("base.toml:8:9"), "{told}");

    write("a.toml", "extends = \"b.toml\"\n");
    write("b.toml", "extends = \"a.toml\"\n");
    let told = Scenario::load(folder.path().join("a.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("extends itself") && told.contains("b.toml:1:11"),
        "{told}"
    );

    let told = Scenario::load(folder.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("cannot read") && told.contains("none.toml"),
        "{told}"
    );
    std::fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0]).unwrap();
    let told = Scenario::load(folder.path().join("bytes.toml"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("not text in UTF-8"), "{told}");
}

fn patched(patches: &[&str]) -> Result<Scenario, Problems> {
    let mut document = Document::parse(SMALL.to_owned() + "[[shock]]\nat = \"1m\"\nsize = -0.1\n");
    for patch in patches {
        document.patch(patch);
    }
    document.read()
}

#[test]
fn patches_change_single_settings() {
    let scenario = patched(&[
        "seed=12",
        "market.BTC.venue.book.spread_bps=2",
        "shock.0.size=-0.25",
        "liquidation.policy=bankruptcy_limit",
        "cohort.retail.capital=500",
        "title = a fall",
        "market.BTC.path={ gbm = { volatility = 0.4 } }",
        "margin.market.BTC.base.fixed={ maintenance = 0.01, initial = 0.02 }",
    ])
    .unwrap();
    assert_eq!(scenario.seed, 12);
    assert_eq!(scenario.title.as_deref(), Some("a fall"));
    assert_eq!(scenario.shock[0].size, -0.25);
    assert_eq!(scenario.cohort["retail"].capital, 500.0.into());
    for (patch, words) in [
        ("market.BTC.tikc=1", "did you mean `tick`?"),
        ("market.BTCC.tick=1", "no market `BTCC`: expected `BTC`"),
        ("cohort.retial.count=1", "did you mean `retail`?"),
        ("shock.3.size=1", "found place 3 of a list of 1"),
        (
            "shock.first.size=1",
            "found \"first\", expected a place in a list",
        ),
        (
            "liquidation.fee=abc",
            "found \"abc\", expected a decimal number",
        ),
        ("seed", "found no \"=\""),
        ("=3", "found no key"),
        ("seed=[1", "malformed TOML value"),
        (
            "market.BTC.path.gbm.volatility=-1",
            "market.BTC.path.gbm.volatility: found -1",
        ),
    ] {
        let told = patched(&[patch]).unwrap_err().to_string();
        assert!(told.contains(words), "{patch}: {told}");
        assert!(told.contains("--set:1:"), "{patch}: {told}");
    }
}

#[test]
fn a_typed_scenario_can_be_changed_too() {
    let scenario = Scenario::parse(SMALL).unwrap();
    let wide = scenario
        .clone()
        .set("market.BTC.venue.book.spread_bps", "7")
        .unwrap();
    assert_ne!(wide, scenario);
    assert_eq!(
        wide.set("market.BTC.venue.book.spread_bps", "0").unwrap(),
        scenario
    );
    let told = scenario
        .set("market.BTC.tick", "0")
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("tick size must be greater than zero"),
        "{told}"
    );
}

#[test]
fn written_out_and_read_again_it_is_the_same_scenario() {
    for text in [SMALL, FULL] {
        let scenario = Scenario::parse(text).unwrap();
        let toml = scenario.to_toml().unwrap();
        assert_eq!(Scenario::parse(toml.as_str()).unwrap(), scenario, "{toml}");
        let json = scenario.to_json().to_string();
        assert_eq!(Scenario::parse(json.as_str()).unwrap(), scenario, "{json}");
        let manifest = format!("{{\"version\": \"x\", \"scenario\": {json}}}");
        let again = Scenario::parse(manifest).unwrap();
        assert_eq!(again, scenario);
        assert_eq!(again.hash(), scenario.hash());
        assert_ne!(scenario.clone().with_seed(99).hash(), scenario.hash());
    }
}
