//! Scenarios: what is refused, what they are put together from, and what is built of them.

mod errors;
mod files;
mod layers;
mod presets;

use deleverage::engine::{Event, EventKind, Observer, StepRow};
use deleverage::margin::{Level, MarginRule, RiskView, Schedule};
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::{Cash, MarketId, Rate};

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
    let text = include_str!("../../../src/cli/new.toml").replace("NAME", "first");
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
