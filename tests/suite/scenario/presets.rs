//! Presets, and the schema.

use deleverage::margin::{RiskView, Schedule};
use deleverage::scenario::{Mode, Scenario, preset, schema};
use deleverage::unit::Rate;
use std::path::Path;

/// Every market of a preset, with a path and a book of its own.
fn all_of(preset: &preset::Preset) -> Scenario {
    let summary = preset.summary();
    let mut text = format!("extends = \"{}\"\nlength = \"1m\"\n", preset.name);
    let rules: toml::Table = preset.text.parse().unwrap();
    for market in &summary.markets {
        let tick: f64 = rules["market"][market.as_str()]["tick"]
            .to_string()
            .parse()
            .unwrap();
        // A hundred, where that is a number of ticks that a book has room for.
        let price = if tick < 1e-6 { tick * 100_000.0 } else { 100.0 };
        text.push_str(&format!(
            "[market.{market}]\nprice = {price}\npath.gbm.volatility = 0.5\nvenue.book = {{ depth.flat.lots_per_tick = 5, resilience = 60 }}\n"
        ));
    }
    text.push_str("[cohort.retail]\ncount = 20\ncapital = 100\nleverage = 3\n[[expect]]\nmetric = \"liquidations\"\nis = \"==\"\nvalue = 0\n");
    Scenario::parse(text).unwrap_or_else(|problems| panic!("{}: {problems}", preset.name))
}

#[test]
fn every_preset_can_be_built_and_says_where_it_is_from() {
    for preset in preset::all() {
        let summary = preset.summary();
        assert!(
            !summary.title.is_empty() && !summary.source.is_empty(),
            "{}",
            preset.name
        );
        assert_eq!(summary.as_of.len(), 10, "{}", preset.name);
        let scenario = all_of(preset);
        assert_eq!(scenario.verified, Some(summary.verified));
        for market in &summary.markets {
            assert!(
                scenario.margin.rule_of(market).is_some(),
                "{} {market}",
                preset.name
            );
        }
        // And each alone.
        let own = scenario.to_json();
        assert_eq!(
            own["markets"].as_array().unwrap().len(),
            summary.markets.len()
        );
    }
    let files =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/venues")).unwrap();
    assert_eq!(files.count(), preset::all().len());
}

/// Reads back a market's schedule.
fn deductions(preset: &str, market: &str) -> Vec<i64> {
    let scenario = all_of(preset::find(preset).unwrap());
    let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
    let mut rule = setup
        .markets
        .into_iter()
        .find(|setup| setup.name == market)
        .unwrap()
        .rule;
    let mut schedule = Schedule::flat(Rate::ONE, Rate::ONE);
    rule.schedule(&RiskView::default(), &mut schedule);
    schedule
        .brackets()
        .iter()
        .map(|bracket| {
            assert_eq!(
                bracket.maintenance_deduction.0 % 1_000_000,
                0,
                "{bracket:?}"
            );
            bracket.maintenance_deduction.0 / 1_000_000
        })
        .collect()
}

#[test]
fn brackets_reproduce_the_published_deductions() {
    assert_eq!(
        deductions("binance-usdm", "BTC"),
        [
            0,
            50,
            950,
            11_450,
            131_450,
            481_450,
            2_981_450,
            14_481_450,
            26_481_450,
            41_481_450,
            121_481_450,
            421_481_450
        ]
    );
    assert_eq!(
        deductions("binance-usdm", "ETH"),
        [
            0,
            50,
            950,
            11_450,
            131_450,
            381_450,
            2_006_450,
            9_506_450,
            17_506_450,
            27_506_450,
            80_506_450,
            280_506_450
        ]
    );
    assert_eq!(
        deductions("bybit", "BTC"),
        [
            0, 1_200, 3_020, 4_300, 5_820, 8_460, 15_460, 20_500, 46_000, 66_000, 80_000, 160_000,
            300_000, 452_000, 502_000, 777_000, 837_000, 967_000, 1_107_000, 1_482_000
        ]
    );
    assert_eq!(deductions("hyperliquid", "BTC"), [0, 1_875_000]);
    assert_eq!(deductions("hyperliquid", "SOL"), [0, 1_750_000]);
}

#[test]
fn the_schema_describes_every_setting() {
    let schema = schema::schema();
    assert!(schema["properties"]["extends"]["description"].is_string());
    let properties = schema["properties"].as_object().unwrap();
    for (key, property) in properties {
        let described = property["description"].is_string();
        assert!(described, "{key} has no description: {property}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema.get("required").is_none());
    let text = schema.to_string();
    for words in [
        "Half-life with which outside capital",
        "inverse_uniform",
        "market_maker",
        "until_quiet",
    ] {
        assert!(text.contains(words), "{words}");
    }
}
