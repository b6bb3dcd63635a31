//! Scenarios: every error by its message, extends, patches, the round trip, presets, a user's files.

use deleverage::engine::{Event, EventKind, Observer, StepRow};
use deleverage::margin::{Level, MarginRule, RiskView, Schedule};
use deleverage::scenario::{Document, Input, Inputs, Mode, Problems, Scenario, preset, schema};
use deleverage::unit::{Cash, MarketId, Rate};
use std::path::Path;

/// One market that stands still, and a few traders.
pub const SMALL: &str = r#"
name = "small"
length = "10m"

[market.BTC]
tick = 0.5
lot = 0.001
price = 100_000
path = { constant = {} }
venue = { book = { depth.flat.lots_per_tick = 10, resilience = "30s" } }

[margin]
base = { fixed = { maintenance = 0.02, initial = 0.04 } }

[cohort.retail]
count = 50
capital = { lognormal = { median = 1000, sigma = 1.0 } }
leverage = { uniform = { min = 2, max = 20 } }
"#;

fn refused(text: &str) -> String {
    match Scenario::parse(text) {
        Ok(_) => panic!("nothing is wrong with:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

/// The small scenario with one line in place of another.
fn with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replace(from, to)
}

#[test]
fn each_error_is_told_with_its_line_and_what_was_expected() {
    for (text, words) in [
        // Form.
        (
            with("length = \"10m\"", "length = \"10m"),
            &["malformed TOML", "scenario:3:"][..],
        ),
        (
            with("[market.BTC]", "[market.BTC"),
            &["malformed TOML", "scenario:5:"],
        ),
        // Keys.
        (
            with("tick = 0.5", "tikc = 0.5"),
            &[
                "market.BTC.tikc: unknown key `tikc`",
                "scenario:6:1",
                "did you mean `tick`?",
            ],
        ),
        (
            with("tick = 0.5", "tikc = 0.5"),
            &["market.BTC.tick: is missing", "add `tick = …`"],
        ),
        (
            with("[margin]", "[margni]"),
            &["unknown key `margni`", "did you mean `margin`?"],
        ),
        (
            with("constant = {}", "constnt = {}"),
            &[
                "found `constnt`, expected `constant`",
                "did you mean `constant`?",
            ],
        ),
        (
            with(
                "{ constant = {} }",
                "{ constant = {}, gbm = { volatility = 1 } }",
            ),
            &["found `constant` and `gbm`, expected exactly one of"],
        ),
        (
            with("median = 1000", "medain = 1000"),
            &["unknown key `medain`", "did you mean `median`?"],
        ),
        // Types.
        (
            with("count = 50", "count = \"many\""),
            &[
                "cohort.retail.count: found \"many\", expected a whole number of 0 or more",
                "scenario:16:9",
            ],
        ),
        (
            with("count = 50", "count = 1.5"),
            &["found 1.5, expected a whole number"],
        ),
        (
            with("tick = 0.5", "tick = nan"),
            &["market.BTC.tick", "expected a decimal number"],
        ),
        (
            with("length = \"10m\"", "length = \"10 moons\""),
            &["length: found \"10 moons\", expected a length of time"],
        ),
        (
            with("price = 100_000", "price = [1]"),
            &["found a list, expected a number"],
        ),
        // Ranges.
        (
            with("count = 50", "count = -1"),
            &["found -1, expected a whole number of 0 or more"],
        ),
        (
            with("sigma = 1.0", "sigma = nan"),
            &["cohort.retail.capital: sigma must not be negative, found NaN"],
        ),
        (
            with("price = 100_000", "price = -3"),
            &[
                "market.BTC.price: must be greater than 0, found -3",
                "scenario:8:9",
            ],
        ),
        (
            with("price = 100_000", "price = nan"),
            &["market.BTC.price: must be greater than 0, found NaN"],
        ),
        (
            with("lots_per_tick = 10", "lots_per_tick = 0"),
            &["market.BTC.venue.book.depth.flat.lots_per_tick: must be greater than 0, found 0"],
        ),
        (
            with("lot = 0.001", "lot = 0.0000001"),
            &[
                "tick × lot must be a whole number of cash quanta",
                "scenario:6:8",
            ],
        ),
        (
            with("lot = 0.001", "lot = -1"),
            &[
                "market.BTC.lot: lot size must be greater than zero, found -1",
                "scenario:7:7",
            ],
        ),
        (
            with("maintenance = 0.02", "maintenance = 0.5"),
            &["margin.base.fixed.initial: an initial rate must lie between"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nstep = \"7s\""),
            &["length: must be a whole number of steps of 7s"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nstep = 0"),
            &["step: must be longer than 0"],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\nrounds = { fixed = 0 }",
            ),
            &["rounds: must allow at least one round"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nstart = \"20:30\""),
            &["start: must be a date and time"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nquantum = 0"),
            &["quantum: must be greater than 0"],
        ),
        // Parts together.
        (
            with("price = 100_000", ""),
            &["market.BTC.price: is missing: this path doesn't say"],
        ),
        (
            with(
                "base = { fixed = { maintenance = 0.02, initial = 0.04 } }",
                "",
            ),
            &["margin.market.BTC.base: is missing: the market has no margin rule"],
        ),
        (
            with("[margin]", "[margin.market.DOGE]"),
            &["no market `DOGE`; the scenario has `BTC`"],
        ),
        (
            with("count = 50", "count = 50\nmarkets = { BTCC = 1 }"),
            &["cohort.retail.markets.BTCC: no such market; the scenario has BTC"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nmarkets = [\"BTX\"]"),
            &[
                "markets[0]: there is no [market.BTX]",
                "did you mean `BTC`?",
            ],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\nmarkets = [\"BTC\", \"BTC\"]",
            ),
            &["`BTC` is listed twice"],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\ncorrelation = [[1, 0.5]]",
            ),
            &["correlation: expected 1 rows of 1 numbers"],
        ),
        (
            SMALL.to_owned() + "[[expect]]\nmetric = \"drawdwon\"\nis = \">\"\nvalue = 0\n",
            &[
                "expect[0].metric: no metric is called drawdwon",
                "did you mean `drawdown`?",
            ],
        ),
        (
            SMALL.to_owned() + "[[expect]]\nmetric = \"drawdown\"\nis = \"~\"\nvalue = 0\n",
            &["expect[0].is: found `~`, expected `<`"],
        ),
        (
            SMALL.to_owned() + "[[shock]]\nat = \"20m\"\nsize = -0.1\n",
            &["shock[0].at: 20m lies outside the run"],
        ),
        (
            "length = \"10m\"".to_owned(),
            &["market: a scenario needs at least one market"],
        ),
        // Sizes.
        (
            with("median = 1000", "median = 1e12"),
            &["does not fit 63 bits"],
        ),
        (
            with("tick = 0.5", "tick = 0.000001").replace("lot = 0.001", "lot = 1"),
            &["market.BTC.tick: a tick of 0.000001 doesn't suit prices"],
        ),
        // Files.
        (
            with(
                "{ constant = {} }",
                "{ replay = { file = \"nowhere.csv\" } }",
            ),
            &["market.BTC.path.replay.file: cannot read nowhere.csv"],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\npositions = \"nowhere.csv\"",
            ),
            &["positions: cannot read nowhere.csv"],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\nextends = \"hyperliqid\"",
            ),
            &[
                "neither a preset nor a file \"hyperliqid\"",
                "did you mean `hyperliquid`?",
            ],
        ),
        (
            with(
                "length = \"10m\"",
                "length = \"10m\"\nextends = \"nowhere.toml\"",
            ),
            &["extends: cannot read nowhere.toml"],
        ),
        (
            with("length = \"10m\"", "length = \"10m\"\nextends = 3"),
            &["extends: expected the name of a preset or a file"],
        ),
        (
            "{ \"scenario\": { \"name\": \"cut".to_owned(),
            &["malformed JSON"],
        ),
    ] {
        let told = refused(&text);
        for word in words {
            assert!(told.contains(word), "no «{word}» in:\n{told}\nof:\n{text}");
        }
    }
}

#[test]
fn a_matrix_that_is_not_positive_is_named_by_its_eigenvalue() {
    let mut text = String::from("correlation = [[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]\n");
    text.push_str(SMALL);
    for market in ["ETH", "SOL"] {
        let section = &SMALL[SMALL.find("[market.BTC]").unwrap()..SMALL.find("[margin]").unwrap()];
        text.push_str(&section.replace("BTC", market));
    }
    let told = refused(&text);
    assert!(told.contains("smallest eigenvalue is -0.8"), "{told}");
    assert!(
        told.contains("1 problem") && told.contains("scenario:1:15"),
        "{told}"
    );
}

#[test]
fn all_problems_are_told_at_once_and_no_false_ones() {
    let text = r#"
seeed = 3
[market.BTC]
price = -5
tick = 0.5
lot = 0.0000001
path = { gbm = { volatilty = 0.8 } }
venue.book = { resilience = "60 fortnights", depth.flat.lots_per_tick = 1 }
[market.ETH]
tick = 0.5
lot = 0.001
price = 4000
path = { gbm = { volatility = nan } }
venue.book = { resilience = "60s", depth.flat.lots_per_tick = 0 }
oracle.noise = 2
[[shock]]
at = "1m"
size = "big"
[[shock]]
size = 1
[liquidation]
policy = "slicess"
fee = 2
[cohort.retail]
count = -3
capital = { paretto = { min = 1 } }
long_share = 7
"#;
    let problems = Scenario::parse(text).unwrap_err();
    let keys: Vec<&str> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "seeed",
            "market.BTC.price",
            "market.BTC.tick",
            "market.BTC.path.gbm.volatility",
            "market.BTC.path.gbm.volatilty",
            "market.BTC.venue.book.resilience",
            "market.ETH.path.gbm.volatility",
            "market.ETH.venue.book.depth.flat.lots_per_tick",
            "market.ETH.oracle.noise",
            "shock[0].size",
            "shock[1].at",
            "liquidation.policy",
            "cohort.retail.count",
            "cohort.retail.capital.paretto",
            "cohort.retail.long_share",
        ]
    );
    // Each where it stands.
    for problem in problems.iter() {
        let (_, line, _) = problems.location(problem).unwrap();
        let written = text.lines().nth(line - 1).unwrap();
        let key = problem.key.rsplit(['.', ']']).next().unwrap();
        let at_table = written.contains("gbm") || written.contains("[[shock]]");
        assert!(
            written.contains(key) || at_table,
            "{}: {written}",
            problem.key
        );
    }
}

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

const FULL: &str = r#"
extends = "hyperliquid"
markets = ["ETH", "BTC"]
start = 2025-10-10T20:30:00Z
length = "2h"
correlation = [[1, 0.8], [0.8, 1]]
stress_correlation = { fall = 0.03, window = "30m", weight = 0.7 }
rounds = { until_quiet = { limit = 50 } }
[market.BTC]
path.waypoints = { points = [["20:30", 117000.0], ["21:15:00", 103333.33], ["22:00", 112000]], volatility = 0.7 }
venue.book = { spread_bps = 0.3, resilience = "1.1s", depth.curve = { bid = [[10, 1.1], [50, 7]], ask = [[10, 2]], reach_bps = 300 } }
flight = { exponent = 0.7, schedule = [["0s", 1.0], ["40m", 0.2]] }
taker_fee = "0.00045"
[market.ETH]
price = 4_000.1
path.garch = { alpha = 0.1, beta = 0.85, volatility = 0.9, period = "1m" }
venue.impact = { law.square_root = { ticks_per_sqrt_lot = 0.123456789012345678 }, resilience = "never" }
anchor = { permanent_share = 0.3, half_life = "10m" }
[[shock]]
at = "20:50:00"
size = -0.1
duration = "90s"
recovery = { share = 0.333333333333333333, half_life = "5m" }
[[shock]]
market = "BTC"
at = "1h"
size = 0.02
[margin]
adjust = [{ volatility = { fast = "5m", slow = "1d", initial = 0.6, cap = 3 } }]
grace = "30s"
cross = "path"
[cohort.retail]
count = 30
markets = { BTC = 0.7, ETH = 0.3 }
capital.pareto = { min = 100, alpha = 1.16 }
leverage.choice = { values = [5, 10, 40], weights = [1, 2, 1] }
mode = "cross"
response.top_up = { probability = 0.3, delay = "1m", reserve = 0.5 }
[cohort.momentum]
count = 3
capital = 1e5
latency = "250ms"
[[expect]]
metric = "drawdown"
market = "BTC"
is = ">"
value = 0.05
"#;

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

/// Asks a fixed share.
#[derive(Clone)]
struct Mine(Level);

fn asking(maintenance: i64) -> Box<dyn MarginRule> {
    Box::new(Mine(Level {
        initial: Rate(2 * maintenance),
        maintenance: Rate(maintenance),
        large: Rate(maintenance),
    }))
}

impl MarginRule for Mine {
    fn schedule(&mut self, _: &RiskView, out: &mut Schedule) {
        *out = Schedule::flat(self.0.initial, self.0.maintenance);
    }
    fn parts(&self) -> Vec<&'static str> {
        vec!["mine"]
    }
    fn trace(&self) -> &[Level] {
        std::slice::from_ref(&self.0)
    }
}

#[test]
fn a_rule_of_ones_own_takes_the_place_of_the_files() {
    let text = with(
        "base = { fixed = { maintenance = 0.02, initial = 0.04 } }",
        "base = { fixed = { maintenance = 0.4, initial = 0.5 } }",
    );
    let given = Scenario::parse(text.as_str()).unwrap();
    let mine = given.clone().with_rule("BTC", || asking(10_000_000));
    let interest = |scenario: &Scenario| {
        let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
        assert_eq!(setup.markets[0].rule.parts().len(), 1);
        setup.ledger.open_interest(MarketId(0))
    };
    // Members' leverage is cut to what the rule in force allows.
    assert!(interest(&mine).0 > 2 * interest(&given).0);
    let mine = mine.set("seed", "5").unwrap();
    assert_eq!(
        mine.setup(0, Mode::Run).unwrap().0.markets[0].rule.parts(),
        ["mine"]
    );
    let told = given.with_rule("ETH", || asking(1)).set("seed", "5");
    assert!(told.unwrap_err().to_string().contains("no market `ETH`"));
}

#[test]
fn the_twin_differs_in_nothing_but_the_absorption() {
    let scenario = Scenario::parse(FULL).unwrap();
    let (run, opening) = scenario.setup(3, Mode::Run).unwrap();
    let (twin, same) = scenario.setup(3, Mode::Twin).unwrap();
    assert!(!run.absorb_forced && twin.absorb_forced);
    assert_eq!(opening, same);
    for (a, b) in run.markets.iter().zip(&twin.markets) {
        assert_eq!(a.path, b.path);
    }
    assert_eq!(
        run.markets
            .iter()
            .map(|m| m.name.as_str())
            .collect::<Vec<_>>(),
        ["ETH", "BTC"]
    );
    assert_eq!(run.steps, 7_200);
    assert_eq!(run.markets[1].path[0], 117_000.0);
    let (other, _) = scenario.setup(4, Mode::Run).unwrap();
    assert_ne!(run.markets[0].path, other.markets[0].path);
}

#[derive(Default)]
struct Count(u32);

impl Observer for Count {
    fn step(&mut self, _: &StepRow<'_>) {}
    fn event(&mut self, event: &Event) {
        self.0 += u32::from(event.kind == EventKind::LiquidationBegan);
    }
}

#[test]
fn the_scenario_that_newcomers_start_from_runs_and_shows_what_it_says() {
    let text = include_str!("../../src/cli/new.toml").replace("NAME", "first");
    let scenario = Scenario::parse(text).unwrap();
    let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
    let mut world = deleverage::engine::World::new(setup);
    let mut count = Count::default();
    world.run(&mut count, |_| true).unwrap();
    assert!(
        scenario.expect[0]
            .is
            .holds(f64::from(count.0), scenario.expect[0].value)
    );
    assert!(world.audit().is_ok());
}

#[test]
fn what_money_there_is_at_the_start_is_what_was_paid_in() {
    let scenario = Scenario::parse(with(
        "[margin]",
        "[liquidation]\ninsurance_fund = \"12.5\"\n[margin]",
    ))
    .unwrap();
    let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
    let fund = setup.ledger.account(deleverage::unit::AccountId::FUND).cash;
    assert_eq!(fund, Cash(12_500_000));
    setup.ledger.audit().unwrap();
}
