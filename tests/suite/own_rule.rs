//! The README's example, kept in step with it: a margin rule from one's own crate.

// README: begin
use deleverage::experiment::Run;
use deleverage::margin::{MarginRule, RiskView, Schedule};
use deleverage::scenario::Scenario;
use deleverage::unit::Rate;

/// Asks for 2 %, and for more where open interest crowds a thin book: 1 % for every twentyfold of
/// the bids within 1 % of the mid, up to 10 %.
#[derive(Clone)]
struct Crowding;

impl MarginRule for Crowding {
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
        let crowding = view.open_interest.as_f64() / view.bid_depth.as_f64().max(1.0);
        let maintenance = (0.01 * crowding / 20.0).clamp(0.02, 0.10);
        *out = Schedule::flat(
            Rate::from_f64(2.0 * maintenance),
            Rate::from_f64(maintenance),
        );
    }
}

fn compare(scenario: &Scenario) -> Result<[f64; 2], Box<dyn std::error::Error>> {
    let own = scenario.clone().with_rule("BTC", || Box::new(Crowding));
    let mut liquidations = [0.0; 2];
    for (scenario, count) in [scenario, &own].into_iter().zip(&mut liquidations) {
        let finished = Run::new(scenario).twin(true).finish()?;
        *count = finished.summary.value("liquidations", None).unwrap_or(0.0);
    }
    Ok(liquidations)
}
// README: end

use crate::readme::{readme, shown};

/// The complete scenario that README shows.
fn scenario(readme: &str) -> Scenario {
    let blocks = shown(readme, "toml", "[market.BTC]");
    assert_eq!(blocks.len(), 1, "README shows one complete scenario");
    Scenario::parse(blocks[0]).unwrap()
}

#[test]
fn the_readme_shows_this_rule() {
    let own = include_str!("own_rule.rs");
    let (_, rest) = own.split_once("// README: begin\n").unwrap();
    let (example, _) = rest.split_once("// README: end\n").unwrap();
    assert_eq!(shown(&readme(), "rust", "impl MarginRule"), [example]);
}

#[test]
fn the_readmes_scenario_shows_what_it_expects() {
    let finished = Run::new(&scenario(&readme())).twin(true).finish().unwrap();
    assert!(!finished.outcomes.is_empty());
    for outcome in &finished.outcomes {
        assert!(outcome.ok, "{}: {:?}", outcome.expectation, outcome.found);
    }
}

#[test]
fn a_rule_of_ones_own_moves_the_margin() {
    let scenario = scenario(&readme());
    let [fixed, crowding] = compare(&scenario).unwrap();
    assert!(fixed > 0.0);
    assert!(crowding > fixed, "{crowding} of {fixed} liquidations");
    let own = scenario.with_rule("BTC", || Box::new(Crowding));
    let finished = Run::new(&own).finish().unwrap();
    let rate = |row: &deleverage::engine::MarketRow| (row.maintenance, row.base_maintenance);
    let rows = finished.run.series.market(0);
    // A rule that doesn't tell its parts apart is all base.
    assert!(rows.iter().all(|row| rate(row).0 == rate(row).1));
    let highest = finished.summary.value("maintenance_peak", Some("BTC"));
    assert!(highest.is_some_and(|rate| rate > 0.02 && rate <= 0.10));
}

/// A rule of one's own takes part in a comparison like any other.
#[test]
fn a_rule_of_ones_own_is_compared() {
    use deleverage::experiment::{Comparison, Variant, Verdict};
    use deleverage::margin::MarginSettings;
    use deleverage::measure::catalogue as m;
    let scenario = scenario(&readme());
    let own = scenario.clone().with_rule("BTC", || Box::new(Crowding));
    let filed: MarginSettings = scenario.margin.clone();
    let found = Comparison::of("fixed", scenario.clone())
        .variant(Variant::new("crowding", own.clone()))
        // A rule from a file takes the place of one's own.
        .variant(Variant::ruled("filed", &own, &filed))
        .replicates(3)
        .finish();
    assert!(found.failures.is_empty());
    assert_eq!(found.runs[0], found.runs[2]);
    let judged = found.judge();
    let peak = judged.cell(&m::MAINTENANCE_PEAK, Some("BTC"), 1).unwrap();
    let change = peak.change.unwrap();
    assert_eq!((change.higher, change.verdict), (3, Verdict::Higher));
    let liquidations = judged.cell(&m::LIQUIDATIONS, None, 1).unwrap();
    assert!(liquidations.change.unwrap().mean > 0.0);
}
