//! The trigger index against a full scan: it misses nobody, in random worlds with random prices,
//! rates, fundings, trades, deposits and modes.

use crate::worlds::{Wish, world};
use deleverage::account::State;
use deleverage::engine::World;
use deleverage::margin::Standing;
use deleverage::unit::{AccountId, Lots, MarketId, Ticks};
use proptest::prelude::*;

/// What a full scan says of every account, at the marks that margin sees now.
fn scan(world: &World) -> Vec<(u32, Standing, State)> {
    world
        .ledger()
        .traders()
        .filter(|id| !world.ledger().is_flat(*id))
        .map(|id| {
            let standing = world.thresholds_of(id).after_haircut(
                world.equity(id),
                world.requirement(id),
                world.haircuts(id),
            );
            (id.0, standing, world.ledger().account(id).state)
        })
        .collect()
}

/// Quantity that a full scan finds beyond its requirement with one market's mark moved.
fn forced_by_scan(world: &World, market: MarketId, longs: bool, mark: Ticks) -> Lots {
    let mut marks = world.marks().to_vec();
    marks[market.index()] = mark;
    let at = deleverage::account::Valuation {
        marks: &marks,
        funding: world.funding_indices(),
    };
    let mut forced = Lots::ZERO;
    for id in world.ledger().traders() {
        let account = world.ledger().account(id);
        if account.isolated() != Some(market) || account.state >= State::Liquidating {
            continue;
        }
        if let Some(slot) = world.ledger().position(id, market)
            && (slot.quantity.0 > 0) == longs
        {
            let notional = world
                .ledger()
                .contract(market)
                .notional(slot.quantity, mark);
            let required = world.schedule(market).maintenance(notional);
            if world.ledger().equity(id, at) < i128::from(required.0) {
                forced += slot.quantity.abs();
            }
        }
    }
    forced
}

/// Who stands elsewhere than the full scan says, in a world of a seed: step, account, standing, state.
fn missed(seed: u64, wish: Wish) -> Option<(u32, u32, Standing, State)> {
    let mut world = World::new(world(seed, wish));
    let mut missed = None;
    while world.now() < world.steps() && missed.is_none() {
        world
            .step_inspected(&mut (), |world| {
                for (id, standing, state) in scan(world) {
                    let grace = world.thresholds_of(AccountId(id)).grace;
                    let expected = match standing {
                        Standing::Sound => state == State::Healthy,
                        Standing::Warn => state == State::Warned,
                        Standing::Call => state == State::Called,
                        Standing::Breach => grace > 0 && state == State::Called,
                        Standing::Bankrupt => false,
                    };
                    let waits = standing >= Standing::Breach
                        && state == State::Called
                        && world.liquidation_waits(AccountId(id));
                    // Whoever is in liquidation is let go, if sound again, in the phase that follows.
                    if !expected && !waits && state != State::Liquidating {
                        missed = Some((world.now(), id, standing, state));
                    }
                }
            })
            .unwrap();
    }
    missed
}

/// Seeds of worlds in which the index once missed somebody: where rates between a class's ends moved while both
/// ends stood still, and where a long position's mark rose and its requirement faster than its equity.
#[test]
fn nobody_is_missed_again() {
    for seed in [6_155_596_073_919_913_747, 5_875_813_768_540_870_130] {
        let wish = Wish {
            all_is_well: true,
            ..Wish::default()
        };
        assert_eq!(missed(seed, wish), None, "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_misses_nobody(seed in any::<u64>(), portfolio in any::<bool>()) {
        let wish = Wish {
            portfolio,
            ..Wish::default()
        };
        prop_assert_eq!(missed(seed, wish), None, "seed {}", seed);
    }

    #[test]
    fn the_forced_quantity_is_that_of_a_full_scan(seed in any::<u64>(), w in 0.0f64..0.2) {
        let mut setup = world(seed, Wish::default());
        // Cross accounts count at the price of their last visit, so this is about isolated ones.
        setup.steps = 12;
        let mut world = World::new(setup);
        let cross = world.ledger().traders().any(|id| world.ledger().account(id).isolated().is_none());
        prop_assume!(!cross);
        let mut found = Vec::new();
        while world.now() < world.steps() {
            world
                .step_inspected(&mut (), |world| {
                    for m in 0..world.marks().len() {
                        let market = MarketId(m as u16);
                        for (longs, sign) in [(true, -1.0), (false, 1.0)] {
                            // No mark is below a tick.
                            let moved = world.marks()[m].as_f64() * (1.0 + sign * w);
                            let mark = Ticks((moved as i64).max(1));
                            found.push((
                                world.forced_at(market, longs, mark),
                                forced_by_scan(world, market, longs, mark),
                            ));
                        }
                    }
                })
                .unwrap();
        }
        for (by_index, by_scan) in found {
            prop_assert_eq!(by_index, by_scan, "seed {}", seed);
        }
    }
}
