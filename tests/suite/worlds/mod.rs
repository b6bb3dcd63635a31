//! Random worlds: every strategy, mode, policy, mark, venue and rule, drawn from one seed.

mod collateral;
mod liquidation;
mod margin;
mod market;
mod options;
mod safety;
mod trader;

use deleverage::account::Ledger;
use deleverage::engine::{
    Adl, CohortSetup, LiquidationSetup, MarketSetup, Rounds, Setup, Socialise,
};
use deleverage::liquidation::CollateralOrder;
use deleverage::margin::Thresholds;
use deleverage::market::Contract;
use deleverage::market::anchor::{AnchorSettings, FlightSettings};
use deleverage::market::funding::FundingSettings;
use deleverage::market::mark::MarkSettings;
use deleverage::market::oracle::OracleSettings;
use deleverage::math::{Draws, Purpose, Stream};
use deleverage::safety::SafetySetup;
use deleverage::unit::{AccountId, Cash, CohortId, Grid, Rate, Span};

use collateral::*;
use liquidation::*;
use margin::*;
use market::*;
use options::*;
use safety::*;
use trader::*;

const START: f64 = 20_000.0;
const STEPS: u32 = 40;

/// A whole number from `low` to `high`.
fn whole(s: &mut Stream, low: i64, high: i64) -> i64 {
    low + s.below((high - low + 1) as u64) as i64
}

fn between(s: &mut Stream, low: f64, high: f64) -> f64 {
    low + (high - low) * s.uniform()
}

fn pick<T>(s: &mut Stream, mut options: Vec<T>) -> T {
    let at = s.below(options.len() as u64) as usize;
    options.swap_remove(at)
}

/// What stays the same whatever else is drawn.
#[derive(Clone, Copy, Default)]
pub struct Wish {
    /// Neither fail-safes nor faults, and liquidation as it once was: for the seeds of what once failed.
    pub all_is_well: bool,
    /// Forced orders are absorbed at the mark.
    pub absorb_forced: bool,
    /// No impact, and a venue that doesn't move the outside price.
    pub no_impact: bool,
    /// Cross accounts may be margined as a whole.
    pub portfolio: bool,
}

/// The world of a seed, before its first step.
pub fn world(seed: u64, wish: Wish) -> Setup {
    let draws = Draws::new(seed, 77);
    let mut s = draws.stream(Purpose::Custom, 0, 0);
    // What came later draws from a stream of its own, so that seeds that once failed make the worlds they made.
    let mut more = draws.stream(Purpose::Custom, 3, 0);
    let count = whole(&mut s, 1, 3) as u16;
    let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
    let contract = Contract::linear(whole(&mut s, 1, 3));
    // Collateral and coins draw from a stream of their own too.
    let mut coins = draws.stream(Purpose::Custom, 40, 0);
    let spot = !wish.all_is_well && count > 1 && coins.chance(0.4);
    let contracts: Vec<Contract> = (0..count)
        .map(|m| {
            let coin = !wish.all_is_well && coins.chance(0.3);
            if coin && !(spot && m + 1 == count) {
                // A lot is worth as much as a linear one at the start.
                let times = whole(&mut coins, 1, 3);
                Contract::inverse(times * (START * START) as i64)
            } else {
                contract
            }
        })
        .collect();
    let mut margin = margin(&mut s);
    if !wish.all_is_well && coins.chance(0.15) {
        let text = pick(
            &mut coins,
            vec![
                "linear = { maintenance = 0.01, initial = 0.02, per_notional = 0.00000001 }",
                "tiered = { caps = \"quantity\", brackets = [{ cap = 15, maintenance = 0.01, initial = 0.02 }, { cap = 100, maintenance = 0.03, initial = 0.06 }], further = { every = 100, maintenance = 0.02, initial = 0.02 } }",
            ],
        );
        margin.base = Some(toml::from_str(text).unwrap());
    }
    let mut lent = draws.stream(Purpose::Custom, 5, 0);
    if !wish.all_is_well && lent.chance(0.15) {
        margin.base =
            Some(toml::from_str("lending = { ltv = 0.85, liquidation_threshold = 0.9 }").unwrap());
    }
    let borrow = (!wish.all_is_well && lent.chance(0.2)).then(|| between(&mut lent, 0.0, 0.1));
    if !wish.all_is_well && more.chance(0.2) {
        margin.adjust.push(new_table(&mut more));
    }
    let once = wish.all_is_well.then(|| plain_policy(&mut s));
    let mut markets: Vec<MarketSetup> = (0..count)
        .map(|m| MarketSetup {
            name: format!("M{m}"),
            grid,
            contract: contracts[usize::from(m)],
            path: path(&mut s),
            venue: venue(&mut s, contracts[usize::from(m)], wish),
            anchor: AnchorSettings {
                permanent_share: if wish.no_impact { 0.0 } else { s.uniform() },
                half_life: Span::seconds(between(&mut s, 1.0, 60.0)),
            },
            flight: if wish.no_impact {
                FlightSettings::default()
            } else {
                FlightSettings {
                    exponent: pick(&mut s, vec![0.0, 0.5, 1.0]),
                    schedule: pick(
                        &mut s,
                        vec![
                            vec![],
                            vec![(Span::seconds(5.0), 1.0), (Span::seconds(20.0), 0.0)],
                        ],
                    ),
                    ..FlightSettings::default()
                }
            },
            oracle: OracleSettings {
                heartbeat: Span::seconds(whole(&mut s, 0, 4) as f64),
                deviation: pick(&mut s, vec![0.0, 0.01]),
                delay: Span::seconds(whole(&mut s, 0, 3) as f64),
                noise: pick(&mut s, vec![0.0, 0.001]),
            },
            mark: if wish.no_impact {
                MarkSettings::Index {}
            } else {
                mark(&mut s)
            },
            funding: FundingSettings {
                interval: Span::seconds(whole(&mut s, 3, 20) as f64),
                period: Span::seconds(20.0),
                borrow,
                ..FundingSettings::default()
            },
            taker_fee: Rate(whole(&mut s, 0, 1_000_000)),
            maker_fee: Rate(whole(&mut s, -300_000, 500_000)),
            rule: margin.build(&format!("M{m}"), &grid).unwrap(),
            thresholds: thresholds(&mut more),
            spot: false,
        })
        .collect();
    if spot && let Some(last) = markets.last_mut() {
        last.spot = true;
        last.funding.interval = Span::NEVER;
        last.rule = haircut(&mut coins, &margin, &last.name, &grid);
    }
    let mut ledger = Ledger::new(contracts.clone());
    let fund = once
        .is_some()
        .then(|| Cash(pick(&mut s, vec![0, 10_000, 50_000_000])));
    let mut full = liquidation(&mut more, &grid, count);
    if coins.chance(0.15) {
        full.socialise = Some(Socialise::Clawback(15));
    }
    full.largest_debt = coins
        .chance(0.5)
        .then(|| Cash(pick(&mut coins, vec![0, 5_000])));
    full.collateral = pick(
        &mut coins,
        vec![
            CollateralOrder::Last,
            CollateralOrder::First,
            CollateralOrder::Together,
        ],
    );
    if !wish.all_is_well {
        keepers(&mut draws.stream(Purpose::Custom, 6, 0), &grid, &mut full);
    }
    let balance = fund.unwrap_or_else(|| full.pools.iter().copied().sum());
    ledger.deposit(AccountId::FUND, balance);
    let mut stops = Vec::new();
    let cohorts: Vec<CohortSetup> = (0..whole(&mut s, 1, 4) as u16)
        .map(|c| {
            cohort(
                [&mut s, &mut more],
                CohortId(c),
                &contracts,
                spot,
                grid,
                &mut ledger,
                &mut stops,
            )
        })
        .collect();
    let mut cohorts: Vec<CohortSetup> = cohorts;
    let mut derivatives = None;
    if !wish.all_is_well {
        // Strategies that came later, in a stream of their own for the same reason.
        let mut newer = draws.stream(Purpose::Custom, 4, 0);
        for cohort in &mut cohorts {
            if newer.chance(0.15) {
                cohort.behaviour = later_strategy(&mut newer).build(&vec![grid; count.into()]);
            }
        }
        if newer.chance(0.5) {
            derivatives = options(&mut newer, &mut ledger, count, contract);
        }
    }
    let siblings = if wish.all_is_well {
        Vec::new()
    } else {
        owners(&mut coins, &mut cohorts, &ledger)
    };
    let rounds = pick(
        &mut s,
        vec![
            Rounds::Fixed(1),
            Rounds::Fixed(3),
            Rounds::UntilQuiet { limit: 3 },
        ],
    );
    let common = Thresholds {
        warn: Rate::from_f64(0.7),
        call: Rate::from_f64(0.85),
        grace: whole(&mut s, 0, 5) as u32 / 2,
    };
    if wish.all_is_well {
        for market in &mut markets {
            market.thresholds = common;
        }
    }
    let liquidation = match once {
        Some(policy) => LiquidationSetup {
            policies: (0..count).map(|_| policy.build(&grid, 1.0)).collect(),
            collateral: CollateralOrder::Last,
            largest_debt: None,
            fee: Rate(whole(&mut s, 0, 10_000_000)),
            latency: pick(&mut s, vec![0.0, 0.0, 1.5]),
            pools: vec![balance],
            top_up: None,
            keepers: Vec::new(),
            reserves: None,
            backstop: None,
            adl: s.chance(0.5).then(Adl::default),
            socialise: s.chance(0.5).then_some(Socialise::Profit),
        },
        None => full,
    };
    Setup {
        seed,
        replicate: 0,
        draws: Draws::new(seed, 0),
        dt: 1.0,
        steps: STEPS,
        rounds,
        portfolio: wish.portfolio.then(|| portfolio(&draws, count)).flatten(),
        thresholds: common,
        stress: wish.portfolio.then(|| stress(&draws, count)).flatten(),
        reduce_only: !wish.all_is_well && more.chance(0.5),
        liquidation,
        safety: if wish.no_impact || wish.all_is_well {
            SafetySetup::default()
        } else {
            safety(&mut draws.stream(Purpose::Custom, 2, 0), count)
        },
        markets,
        cohorts,
        ledger,
        options: derivatives,
        siblings,
        stops,
        absorb_forced: wish.absorb_forced,
        audit_every_step: true,
    }
}
