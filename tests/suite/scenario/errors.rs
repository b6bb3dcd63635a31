//! Every error by its message, all of them at once.

use super::*;
use deleverage::scenario::Scenario;

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
