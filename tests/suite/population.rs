//! Populations: who holds what before the first step.

use super::scenario::SMALL;
use deleverage::account::State;
use deleverage::margin::Standing;
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::{AccountId, Cash, Lots, MarketId};

fn scenario(cohort: &str) -> Scenario {
    let start = SMALL.find("[cohort.retail]").unwrap();
    let text = format!("{}{cohort}", &SMALL[..start]);
    Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

const CROWD: &str = r#"
[cohort.crowd]
count = 3000
capital = { pareto = { min = 500, alpha = 1.2, max = 1e6 } }
leverage = { uniform = { min = 2, max = 25 } }
long_share = 0.7
entry = { uniform = { min = 0.9, max = 1.1 } }
response = { stop_loss = { probability = 0.25, distance = 0.03 } }
"#;

#[test]
fn the_background_maker_takes_the_difference() {
    let (setup, opening) = scenario(CROWD).setup(0, Mode::Run).unwrap();
    let market = MarketId(0);
    let traders: i64 = setup
        .ledger
        .traders()
        .filter_map(|id| setup.ledger.position(id, market))
        .map(|slot| slot.quantity.0)
        .sum();
    assert!(traders > 0);
    assert_eq!(opening.background, [Lots(-traders)]);
    assert!(
        opening
            .notes
            .iter()
            .any(|note| note.contains("the background maker takes") && note.contains("short"))
    );
    let audit = setup.ledger.audit().unwrap();
    let paid: i64 = setup
        .ledger
        .traders()
        .map(|id| setup.ledger.account(id).cash.0)
        .sum();
    assert_eq!(audit.deposits, i128::from(paid));
}

#[test]
fn nobody_starts_at_a_margin_call() {
    let scenario = scenario(CROWD);
    let (setup, opening) = scenario.setup(0, Mode::Run).unwrap();
    let world = deleverage::engine::World::new(scenario.setup(0, Mode::Run).unwrap().0);
    for id in setup.ledger.traders() {
        let standing = setup
            .thresholds
            .standing(world.equity(id), world.requirement(id));
        assert!(standing < Standing::Call, "{id:?} {standing:?}");
        assert_eq!(setup.ledger.account(id).state, State::Healthy);
    }
    // At 25 times and an entry 10 % off, many would have.
    assert!(
        opening
            .notes
            .iter()
            .any(|note| note.contains("drawn again")),
        "{:?}",
        opening.notes
    );
}

#[test]
fn accounts_are_sorted_so_that_a_fall_walks_memory_forwards() {
    let (setup, _) = scenario(CROWD).setup(0, Mode::Run).unwrap();
    let market = MarketId(0);
    let ledger = &setup.ledger;
    let mut longs = Vec::new();
    let mut shorts = Vec::new();
    for id in setup.cohorts[0].members.iter() {
        let slot = ledger.position(id, market).unwrap();
        let owed = i128::from(slot.cost.0) - i128::from(ledger.account(id).cash.0);
        let bankruptcy = ledger.contract(market).price_of(slot.quantity, owed);
        if slot.quantity > Lots::ZERO {
            assert!(shorts.is_empty(), "a long after a short");
            longs.push(bankruptcy);
        } else {
            shorts.push(bankruptcy);
        }
    }
    assert!(longs.len() > 1_500 && shorts.len() > 500);
    assert!(longs.is_sorted_by(|a, b| a >= b));
    assert!(shorts.is_sorted());
}

#[test]
fn members_do_not_depend_on_each_other() {
    let cash = |scenario: &Scenario, cohort: &str| {
        let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
        let members = &setup
            .cohorts
            .iter()
            .find(|setup| setup.name == cohort)
            .unwrap()
            .members;
        let mut found: Vec<(i64, i64)> = members
            .iter()
            .map(|id| {
                let slot = setup.ledger.position(id, MarketId(0)).unwrap();
                (setup.ledger.account(id).cash.0, slot.cost.0)
            })
            .collect();
        found.sort_unstable();
        found
    };
    let crowd = scenario(CROWD);
    let before = cash(&crowd, "crowd");
    assert_eq!(before, cash(&crowd, "crowd"));
    // A cohort that comes before it in the alphabet changes nobody.
    let company = scenario(&format!("{CROWD}[cohort.alone]\ncount = 7\ncapital = 5\n"));
    assert_eq!(before, cash(&company, "crowd"));
    // Whoever there was is among more.
    let more = cash(&scenario(&CROWD.replace("3000", "3500")), "crowd");
    let mut among = more.iter();
    assert!(
        before
            .iter()
            .all(|member| among.any(|other| other == member))
    );
    assert_ne!(before, cash(&crowd.with_seed(2), "crowd"));
}

#[test]
fn leverage_is_cut_to_what_initial_margin_allows() {
    let (setup, opening) =
        scenario("[cohort.greedy]\ncount = 10\ncapital = 1000\nleverage = 100\n")
            .setup(0, Mode::Run)
            .unwrap();
    for id in setup.ledger.traders() {
        let slot = setup.ledger.position(id, MarketId(0)).unwrap();
        // 4 % of 25,000: a quarter of a coin at 100,000.
        assert_eq!(slot.quantity.abs(), Lots(250));
    }
    assert!(
        opening
            .notes
            .iter()
            .any(|note| note.contains("10 accounts: cut to the size"))
    );
    let (setup, opening) = scenario("[cohort.poor]\ncount = 4\ncapital = 1\nleverage = 10\n")
        .setup(0, Mode::Run)
        .unwrap();
    assert!(setup.ledger.traders().all(|id| setup.ledger.is_flat(id)));
    assert!(
        opening
            .notes
            .iter()
            .any(|note| note.contains("4 accounts: left without a position"))
    );
}

#[test]
fn stops_and_reserves_are_drawn_with_the_members() {
    let (setup, _) = scenario(CROWD).setup(0, Mode::Run).unwrap();
    let share = setup.stops.len() as f64 / 3_000.0;
    assert!((share - 0.25).abs() < 0.03, "{share}");
    assert!(setup.stops.iter().all(|(_, distance)| *distance == 0.03));
    let (setup, _) = scenario(
        "[cohort.careful]\ncount = 3\ncapital = 1000\nleverage = 0\nresponse.top_up = { probability = 1, delay = 60, reserve = 1.5 }\n",
    )
    .setup(0, Mode::Run)
    .unwrap();
    for id in setup.ledger.traders() {
        assert_eq!(setup.ledger.account(id).reserve, Cash(1_500_000_000));
        assert!(setup.ledger.is_flat(id));
    }
}

#[test]
fn cross_members_split_their_exposure_by_weight() {
    let start = SMALL.find("[market.BTC]").unwrap();
    let end = SMALL.find("[margin]").unwrap();
    let text = format!(
        "{}{}[cohort.cross]\ncount = 5\ncapital = 10000\nleverage = 4\nmode = \"cross\"\nmarkets = {{ BTC = 3, ETH = 1 }}\n",
        &SMALL[..SMALL.find("[cohort").unwrap()],
        SMALL[start..end]
            .replace("BTC", "ETH")
            .replace("100_000", "4_000"),
    );
    let (setup, _) = Scenario::parse(text).unwrap().setup(0, Mode::Run).unwrap();
    assert_eq!(
        setup.cohorts[0].members.markets,
        [(MarketId(0), 0.75), (MarketId(1), 0.25)]
    );
    for id in setup.ledger.traders() {
        let quantity = |market| {
            setup
                .ledger
                .position(id, MarketId(market))
                .unwrap()
                .quantity
                .abs()
        };
        assert_eq!((quantity(0), quantity(1)), (Lots(300), Lots(2_500)));
        assert!(setup.ledger.account(id).isolated().is_none());
    }
    assert_eq!(setup.cohorts[0].members.first, AccountId(AccountId::SYSTEM));
}
