//! Random worlds: every strategy, mode, policy, mark, venue and rule, drawn from one seed.

use deleverage::account::Ledger;
use deleverage::engine::surfaces::Surfaces;
use deleverage::engine::{
    Adl, CohortSetup, DeskSpread, LiquidationSetup, MarketSetup, OptionLiquidation, OptionsSetup,
    Rounds, Setup, Socialise, StressSetup,
};
use deleverage::liquidation::CollateralOrder;
use deleverage::liquidation::keeper;
use deleverage::liquidation::policy::absorb::Reserves;
use deleverage::liquidation::policy::{
    CappedSettings, IncrementalSettings, PartialSettings, PolicySettings, RampSettings,
    SlicesSettings, StepDownSettings, ZeroPriceSettings,
};
use deleverage::liquidation::waterfall::{Backstop, ClosePrice, Ranking};
use deleverage::margin::adjust::{
    AdjustSettings, ScheduledSettings, StepSettings, VolatilitySettings,
};
use deleverage::margin::base::{BaseSettings, FixedSettings, Tier, TieredSettings};
use deleverage::margin::option::OptionMarginSettings;
use deleverage::margin::{
    CrossSettings, HaircutSettings, HaircutTier, Leg, MarginSettings, PortfolioRule, RuleSettings,
    Thresholds,
};
use deleverage::market::anchor::{AnchorSettings, FlightSettings};
use deleverage::market::book::settings::{BookSettings, Depth};
use deleverage::market::funding::FundingSettings;
use deleverage::market::impact::{ImpactSettings, Law};
use deleverage::market::mark::MarkSettings;
use deleverage::market::option::{Right, Series, SeriesId, Settlement};
use deleverage::market::oracle::OracleSettings;
use deleverage::market::{Book, Contract, Fill, Frame, Impact, Venue};
use deleverage::math::{Draws, Purpose, Stream, ops};
use deleverage::safety::breaker::LevelSettings;
use deleverage::safety::collar::Centre;
use deleverage::safety::{
    AdlPauseSettings, BreakerSettings, CollarSettings, FaultKind, Faults, KillSettings,
    OracleGuardSettings, Outage, SafetySettings, SafetySetup, ThrottleSettings,
};
use deleverage::surface::SurfaceSettings;
use deleverage::trader::response::{ResponseSettings, Signal};
use deleverage::trader::{Members, StrategySettings, WithdrawalSettings};
use deleverage::unit::{AccountId, Cash, CohortId, Grid, Lots, MarketId, Rate, Side, Span, Ticks};

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

/// Owners with an isolated and a cross account, who move margin from one to the other.
fn owners(
    s: &mut Stream,
    cohorts: &mut [CohortSetup],
    ledger: &Ledger,
) -> Vec<(AccountId, AccountId)> {
    let cross: Vec<AccountId> = ledger
        .traders()
        .filter(|id| ledger.account(*id).isolated().is_none())
        .collect();
    let mut siblings = Vec::new();
    for cohort in cohorts {
        let isolated = ledger.account(cohort.members.first).isolated().is_some();
        if isolated && !cross.is_empty() && s.chance(0.5) {
            cohort.response = ResponseSettings::MoveMargin {
                probability: 0.9,
                delay: Span::seconds(1.0),
                target: 0.5,
                on: Signal::Warning,
            };
            let members = cohort.members.iter();
            siblings.extend(members.map(|id| (id, pick(s, cross.clone()))));
        }
    }
    siblings
}

/// What of collateral doesn't count: by brackets, or all alike, sometimes more of it in a volatile market.
fn haircut(
    s: &mut Stream,
    margin: &MarginSettings,
    market: &str,
    grid: &Grid,
) -> Box<dyn deleverage::margin::MarginRule> {
    let d = |text: &str| text.parse().unwrap();
    let settings = if s.chance(0.5) {
        HaircutSettings {
            haircut: pick(s, vec![d("0"), d("0.1"), d("0.5")]),
            ..HaircutSettings::default()
        }
    } else {
        let tier = |cap: Option<i64>, haircut: &str| HaircutTier {
            cap: cap.map(Into::into),
            haircut: d(haircut),
        };
        HaircutSettings {
            brackets: vec![
                tier(Some(200_000), "0"),
                tier(Some(1_000_000), "0.1"),
                tier(None, "1"),
            ],
            ..HaircutSettings::default()
        }
    };
    let mut margin = margin.clone();
    if s.chance(0.3) {
        let adjust = toml::from_str(
            "volatility = { fast = \"3s\", slow = \"60s\", initial = 20.0, floor = 0.5, cap = 2.0 }",
        );
        let rule = RuleSettings {
            adjust: Some(vec![adjust.unwrap()]),
            ..RuleSettings::default()
        };
        margin.market.insert(market.to_owned(), rule);
    }
    margin.build_haircut(market, settings.schedule(grid), grid)
}

/// A new table of brackets, its first one smaller or larger than any of before.
fn new_table(s: &mut Stream) -> AdjustSettings {
    let first = pick(s, vec![20_000, 300_000, 3_000_000]);
    let tier = |cap: Option<i64>, maintenance: &str, initial: &str| Tier {
        cap: cap.map(Into::into),
        maintenance: maintenance.parse().unwrap(),
        initial: initial.parse().unwrap(),
    };
    AdjustSettings::Scheduled(ScheduledSettings {
        steps: vec![StepSettings {
            at: Span::seconds(whole(s, 1, 30) as f64),
            maintenance: None,
            initial: None,
            brackets: Some(vec![
                tier(Some(first), "0.02", "0.04"),
                tier(Some(5_000_000), "0.05", "0.1"),
                tier(None, "0.1", "0.2"),
            ]),
        }],
        notice: Span::ZERO,
    })
}

fn thresholds(s: &mut Stream) -> Thresholds {
    Thresholds {
        warn: Rate::from_f64(pick(s, vec![0.6, 0.7])),
        call: Rate::from_f64(pick(s, vec![0.75, 0.85])),
        grace: whole(s, 0, 5) as u32 / 2,
    }
}

/// Fail-safes and faults, each in some of the worlds; none of either in a third of them.
fn safety(s: &mut Stream, markets: u16) -> SafetySetup {
    if s.chance(0.33) {
        return SafetySetup::default();
    }
    let seconds = |s: &mut Stream, low, high| Span::seconds(whole(s, low, high) as f64);
    let guards = SafetySettings {
        circuit_breaker: s.chance(0.4).then(|| BreakerSettings {
            window: seconds(s, 1, 10),
            levels: vec![LevelSettings {
                size: between(s, 0.005, 0.05),
                halt: seconds(s, 1, 10),
            }],
            auction: s.chance(0.7),
        }),
        collar: s.chance(0.4).then(|| CollarSettings {
            width: between(s, 0.005, 0.05),
            around: pick(
                s,
                vec![
                    Centre::Index,
                    Centre::Mark,
                    Centre::Average {
                        half_life: Span::seconds(10.0),
                    },
                ],
            ),
            limit_state: seconds(s, 1, 5),
            pause: seconds(s, 1, 5),
        }),
        throttle: s.chance(0.3).then(|| ThrottleSettings {
            share_of_depth: between(s, 0.01, 1.0),
        }),
        oracle_guard: s.chance(0.4).then(|| OracleGuardSettings {
            stale_after: seconds(s, 1, 5),
            deviation: s.chance(0.5).then_some(0.03),
            half_life: Span::seconds(10.0),
            from_book: s.chance(0.5).then_some(0.05),
            confirmations: whole(s, 0, 3) as u32,
        }),
        adl_pause: s.chance(0.3).then(|| AdlPauseSettings {
            share_of_open_interest: between(s, 0.01, 0.2),
            window: seconds(s, 1, 10),
            pause: seconds(s, 1, 10),
        }),
        kill_switch: s.chance(0.1).then_some(KillSettings {
            fund_lost: Some(0.9),
            bad_debt: None,
        }),
        ..SafetySettings::default()
    };
    let outages = (0..whole(s, 0, 4) as u32)
        .map(|fault| {
            let delay = seconds(s, 0, 5);
            let [half, liquidation] = [s.chance(0.5), s.chance(0.5)];
            let share = if half { 0.5 } else { 1.0 };
            let error = pick(s, vec![-0.5, -0.05, 0.3]);
            let kind = pick(
                s,
                vec![
                    FaultKind::OracleFrozen {},
                    FaultKind::OracleDelayed { delay },
                    FaultKind::OraclePrint { error },
                    FaultKind::TradersCutOff {},
                    FaultKind::VenueHalted { stale_index: delay },
                    FaultKind::LiquidationHalted {},
                    FaultKind::Congestion {
                        latency: delay,
                        liquidation,
                        gas: if half { 1.0 } else { 6.0 },
                    },
                    FaultKind::AnswersDelayed { delay },
                    FaultKind::MakersWithdrawn { share },
                    FaultKind::FundEmptied { share },
                    FaultKind::FeedGap {},
                ],
            );
            let kind = match kind {
                FaultKind::FeedGap {} if liquidation => FaultKind::KeepersOffline { share },
                kind => kind,
            };
            let from = whole(s, 0, i64::from(STEPS)) as u32;
            Outage {
                fault,
                kind,
                market: s.chance(0.5).then(|| s.below(markets.into()) as usize),
                from,
                to: from + whole(s, 1, 15) as u32,
            }
        })
        .collect();
    SafetySetup {
        guards,
        open_interest_caps: (0..markets)
            .map(|_| s.chance(0.2).then(|| Lots(whole(s, 1, 100_000))))
            .collect(),
        most_bad_debt: s.chance(0.1).then_some(Cash(1_000_000)),
        faults: Faults::new(outages, markets.into(), 1.0),
    }
}

fn path(s: &mut Stream) -> Vec<f64> {
    let wild = pick(s, vec![0.001, 0.01, 0.04]);
    let drift = pick(s, vec![0.0, -0.01, 0.008]);
    let mut price = START;
    (0..=STEPS)
        .map(|step| {
            if step > 0 {
                price *= ops::exp(drift + wild * s.normal());
            }
            price
        })
        .collect()
}

fn venue(s: &mut Stream, contract: Contract, wish: Wish) -> Box<dyn Venue> {
    let frame = Frame {
        contract,
        ceiling: Ticks(400_000),
        lot: 1.0,
        dt: 1.0,
        start: START,
    };
    let impact = |law, per_spread: f64| -> Box<dyn Venue> {
        let settings = ImpactSettings {
            law,
            resilience: Span::seconds(5.0),
            spread_bps: per_spread,
        };
        Box::new(Impact::new(&settings, &frame))
    };
    if wish.no_impact {
        return impact(Law::Linear { ticks_per_lot: 0.0 }, 0.0);
    }
    match s.below(4) {
        0 => impact(
            Law::Linear {
                ticks_per_lot: between(s, 0.0, 2.0),
            },
            2.0,
        ),
        1 => impact(
            Law::SquareRoot {
                ticks_per_sqrt_lot: between(s, 0.0, 20.0),
                per_order: s.chance(0.5),
            },
            0.0,
        ),
        _ => {
            let settings = BookSettings {
                spread_bps: pick(s, vec![0.0, 5.0]),
                depth: Depth::Flat {
                    lots_per_tick: between(s, 0.05, 5.0),
                },
                resilience: pick(s, vec![Span::NEVER, Span::seconds(5.0)]),
            };
            Box::new(Book::new(&settings, &frame))
        }
    }
}

fn mark(s: &mut Stream) -> MarkSettings {
    let half_life = Span::seconds(10.0);
    pick(
        s,
        vec![
            MarkSettings::Last {},
            MarkSettings::Mid {},
            MarkSettings::Index {},
            MarkSettings::Basis {
                half_life,
                clamp: 0.02,
            },
            MarkSettings::Median { half_life },
        ],
    )
}

fn margin(s: &mut Stream) -> MarginSettings {
    let d = |text: &str| text.parse().unwrap();
    let fixed = BaseSettings::Fixed(FixedSettings {
        maintenance: d("0.03"),
        initial: d("0.06"),
    });
    let tier = |cap: Option<i64>, maintenance: &str, initial: &str| Tier {
        cap: cap.map(Into::into),
        maintenance: d(maintenance),
        initial: d(initial),
    };
    let tiered = BaseSettings::Tiered(TieredSettings {
        brackets: vec![
            tier(Some(300_000), "0.01", "0.02"),
            tier(Some(2_000_000), "0.03", "0.06"),
            tier(Some(9_000_000), "0.08", "0.16"),
            tier(None, "0.2", "0.4"),
        ],
        ..TieredSettings::default()
    });
    let volatility = AdjustSettings::Volatility(VolatilitySettings {
        fast: Span::seconds(3.0),
        slow: Span::seconds(60.0),
        initial: 20.0,
        floor: 0.5,
        cap: 3.0,
        exponent: 1.0,
        of: Default::default(),
    });
    let mut adjust = Vec::new();
    if s.chance(0.5) {
        adjust.push(volatility);
    }
    for text in [
        "scheduled = { notice = \"2s\", steps = [{ at = \"5s\", maintenance = 0.05, initial = 0.1 }, { at = \"20s\", maintenance = 0.01, initial = 0.1 }] }",
        "depth = { multiple = 0.3, half_life = \"3s\" }",
        "concentration = { rate = 0.02, half_life = \"3s\" }",
        "volume = { turnover = \"10s\", cap = 3.0, half_life = \"5s\" }",
        "open_interest = { lower = 1000000, upper = 20000000 }",
        "funding = { horizon = \"20s\" }",
        "stressed = { rate = 0.1 }",
        "buffer = { refill = \"20s\" }",
        "long_lookback = { volatility = 30.0, confidence = 0.99, horizon = \"2s\" }",
        "hysteresis = { rise = 0.1, fall = 0.2 }",
        "speed_limit = { rise = 0.5, per = \"5s\" }",
        "notice = { period = \"4s\", falls_at_once = true }",
        "new_positions_only = { existing_after = \"6s\" }",
        "r_target = { target = 0.2, response = \"5s\", cap = 3.0 }",
        "floor = { maintenance = 0.01, initial = 0.02 }",
        "cap = { maintenance = 0.3, initial = 0.6 }",
    ] {
        if s.chance(0.15) {
            adjust.push(toml::from_str(text).unwrap());
        }
    }
    let others = [
        "linear = { maintenance = 0.01, initial = 0.02, per_unit = 0.001 }",
        "linear = { maintenance = 0.01, initial = 0.02, per_unit = 0.000001 }",
        "square_root = { maintenance = 0.02, initial = 0.04, factor = 0.005 }",
        "open_interest = { maintenance = 0.03, initial = 0.06, lower = 1000000, upper = 20000000 }",
        "value_at_risk = { confidence = 0.99, horizon = \"4s\", period = \"2s\", volatility = 40.0, model.ewma.decay = 0.8 }",
        "expected_shortfall = { confidence = 0.975, horizon = \"6s\", period = \"1s\", volatility = 40.0, floor = 0.01, cap = 0.3, model.fhs = { decay = 0.8, lookback = \"100s\" } }",
        "value_at_risk = { confidence = 0.99, horizon = \"4s\", period = \"1s\", volatility = 40.0, model.garch = { alpha = 0.2, beta = 0.7, lookback = \"100s\", refit = \"never\" } }",
    ]
    .map(|text| toml::from_str(text).unwrap());
    MarginSettings {
        base: Some(pick(s, [fixed, tiered].into_iter().chain(others).collect())),
        adjust,
        ..MarginSettings::default()
    }
}

/// None, a correlation matrix, or a rule of one's own that asks more than the sum; from a stream of its own, so that a seed keeps
/// the rest of its world.
fn portfolio(draws: &Draws, markets: u16) -> Option<Box<dyn PortfolioRule>> {
    let mut s = draws.stream(Purpose::Custom, 1, 0);
    match s.below(4) {
        0 => {
            let loadings: Vec<f64> = (0..markets).map(|_| between(&mut s, -1.0, 1.0)).collect();
            let entry = |i: usize, j: usize| {
                if i == j {
                    1.0
                } else {
                    loadings[i] * loadings[j]
                }
            };
            let matrix = (0..loadings.len())
                .map(|i| (0..loadings.len()).map(|j| entry(i, j)).collect())
                .collect();
            CrossSettings::Correlation(matrix).build()
        }
        1 => Some(Box::new(Twice)),
        _ => None,
    }
}

/// Correlations that change now and then, and with them what cross accounts are asked together.
fn stress(draws: &Draws, markets: u16) -> Option<StressSetup> {
    let mut s = draws.stream(Purpose::Custom, 41, 0);
    let between = whole(&mut s, 1, 20) as usize;
    s.chance(0.3).then(|| StressSetup {
        steps: (0..400).map(|step| step / between % 2 == 1).collect(),
        portfolio: match s.below(3) {
            0 => Some(Box::new(Twice)),
            1 => {
                let row = |i: u16| {
                    (0..markets)
                        .map(|j| if i == j { 1.0 } else { 0.9 })
                        .collect()
                };
                CrossSettings::Correlation((0..markets).map(row).collect()).build()
            }
            _ => None,
        },
        options: None,
    })
}

/// Asks twice of what is held together.
#[derive(Clone)]
struct Twice;

impl PortfolioRule for Twice {
    fn requirement(&self, legs: &[Leg]) -> Cash {
        let times = if legs.len() > 1 { 2 } else { 1 };
        Cash(times * legs.iter().map(|leg| leg.alone.0).sum::<i64>())
    }
}

/// Every policy and every option of the waterfall.
fn liquidation(s: &mut Stream, grid: &Grid, markets: u16) -> LiquidationSetup {
    let policy = policy(s);
    let balance = Cash(pick(s, vec![0, 10_000, 300_000, 50_000_000]));
    let pools = if s.chance(0.3) {
        vec![balance; markets.into()]
    } else {
        vec![balance]
    };
    let capital = Cash(pick(s, vec![50_000, 2_000_000]));
    let backstop = Backstop {
        capital,
        at: pick(s, vec![Rate(666_666_667), Rate::ONE]),
        half_life: pick(s, vec![0.0, 3.0, 30.0]),
        loss_limit: pick(s, vec![Cash(capital.0 / 10), capital]),
    };
    let ranking = pick(
        s,
        vec![
            Ranking::Bybit,
            Ranking::Bitmex,
            Ranking::Binance,
            Ranking::Hyperliquid,
            Ranking::Okx,
            Ranking::RandomStart,
            Ranking::ProRata,
            Ranking::CappedProRata(Default::default()),
        ],
    );
    let adl = Adl {
        ranking,
        cap: matches!(ranking, Ranking::CappedProRata(_)).then(|| Rate::from_f64(0.3)),
        price: pick(
            s,
            vec![
                ClosePrice::Bankruptcy,
                ClosePrice::Mark,
                ClosePrice::PreviousMark,
            ],
        ),
        drawdown: s.chance(0.3).then(|| {
            let share = pick(s, vec![0.05, 0.3, 1.0]);
            (Rate::from_f64(share), whole(s, 2, 30) as u32)
        }),
    };
    LiquidationSetup {
        policies: (0..markets).map(|_| policy.build(grid, 1.0)).collect(),
        collateral: CollateralOrder::Last,
        largest_debt: None,
        fee: Rate(whole(s, 0, 10_000_000)),
        latency: pick(s, vec![0.0, 0.0, 1.5]),
        pools,
        top_up: s.chance(0.3).then(|| (Cash(whole(s, 1, 50_000)), 7)),
        backstop: s.chance(0.5).then_some(backstop),
        keepers: Vec::new(),
        reserves: None,
        adl: s.chance(0.6).then_some(adl),
        socialise: pick(
            s,
            vec![None, Some(Socialise::Profit), Some(Socialise::Session(15))],
        ),
    }
}

/// In some of the worlds a policy that sells to keepers, and keepers of one kind or two.
fn keepers(s: &mut Stream, grid: &Grid, setup: &mut LiquidationSetup) {
    if !s.chance(0.5) {
        return;
    }
    let policy: PolicySettings = toml::from_str(pick(
        s,
        vec![
            "close_factor = { small = 2000, dust = 1000, protocol_fee = 0.1 }",
            "close_factor = { small = 50000, dust = 20000, bonus = 0.02, halt_toxic = true }",
            "fixed_spread = { factor = 0.3, bonus = 0.08 }",
            "target_health = { target = 1.02, dust = 1000, bonus = 0.03 }",
            "absorb = { reserves = 200000, target_reserves = 300000 }",
            "absorb = { reserves = 1000, credit = 0.9, target_reserves = 900000000 }",
            "dutch_auction = { step = \"1s\", tail = \"9s\", tip = 50, dust = 0, hole = 400000, global_hole = 600000 }",
            "dutch_auction = { buf = 1.02, cut = 0.97, step = \"2s\", tail = \"12s\", tip = 10, dust = 3000 }",
            "english_auction = { bid_life = \"3s\", length = \"9s\" }",
            "english_auction = { bid_life = \"6s\", length = \"5s\", chop = 0.02 }",
            "portfolio_auction = { fast = \"4s\", slow = \"20s\", insolvent = \"10s\" }",
        ],
    ))
    .unwrap();
    assert_eq!(policy.problems(), []);
    let markets = setup.policies.len();
    setup.policies = (0..markets).map(|_| policy.build(grid, 1.0)).collect();
    if let PolicySettings::Absorb(absorb) = &policy {
        setup.reserves = Some(Reserves {
            capital: grid.cash(absorb.reserves).unwrap(),
            target: grid.cash(absorb.target_reserves).unwrap(),
            storefront: Rate::from_f64(pick(s, vec![0.5, 1.0])),
        });
    }
    for _ in 0..whole(s, 1, 2) {
        let half_life = pick(s, vec![0.0, 2.0, 30.0]);
        setup.keepers.push(keeper::Terms {
            count: whole(s, 1, 5) as u32,
            capital: Cash(pick(s, vec![5_000, 100_000, 5_000_000])),
            leverage: pick(s, vec![1.0, 1.0, 8.0]),
            cost: Cash(pick(s, vec![0, 20, 400])),
            most_cost: Cash(pick(s, vec![600, i64::MAX])),
            delay: pick(s, vec![0.0, 0.0, 1.5, 4.0]),
            profit: pick(s, vec![-0.2, 0.0, 0.002]),
            risk_aversion: pick(s, vec![0.0, 1.0]),
            half_life,
            seconds: half_life,
        });
    }
}

/// The policies that there once were, drawn as they once were.
fn plain_policy(s: &mut Stream) -> PolicySettings {
    let slices = SlicesSettings {
        fraction: "0.2".parse().unwrap(),
        above: 200_000.into(),
        cooldown: Span::seconds(4.0),
    };
    pick(
        s,
        vec![
            PolicySettings::MarketClose {},
            PolicySettings::BankruptcyLimit {},
            PolicySettings::Slices(slices),
        ],
    )
}

/// Every policy, with amounts that bind in these worlds.
fn policy(s: &mut Stream) -> PolicySettings {
    let d = |text: &str| text.parse().unwrap();
    let partial = PartialSettings {
        target: pick(s, vec![d("1"), d("0.8"), d("0.3")]),
    };
    let step_down = StepDownSettings {
        tiers: whole(s, 1, 2) as u8,
        fill_or_kill: s.chance(0.5),
        above_first: s.chance(0.5),
    };
    let capped = CappedSettings {
        notional: pick(s, vec![100_000, 5_000_000]).into(),
        insurance: pick(s, vec![0, 5_000, 1_000_000]).into(),
        attempts: pick(s, vec![2, 50]),
        ..CappedSettings::default()
    };
    let ramp = RampSettings {
        initial: pick(s, vec![d("0.1"), d("1")]),
        fee: pick(s, vec![d("0"), d("0.005"), d("0.05")]),
        grace: Span::seconds(5.0),
        growth: d("0.0005"),
        ..RampSettings::default()
    };
    let zero_price = ZeroPriceSettings {
        surplus_fee: pick(s, vec![d("0"), d("0.01")]),
    };
    let incremental = IncrementalSettings {
        notional: pick(s, vec![20_000, 400_000]).into(),
        rounds_per_second: pick(s, vec![0.4, 1.0, 20.0]),
        keep_hedges: s.chance(0.5),
    };
    pick(
        s,
        vec![
            PolicySettings::MarketClose {},
            PolicySettings::BankruptcyLimit {},
            PolicySettings::Slices(SlicesSettings {
                fraction: d("0.2"),
                above: 200_000.into(),
                cooldown: Span::seconds(4.0),
            }),
            PolicySettings::Partial(partial),
            PolicySettings::StepDown(step_down),
            PolicySettings::Capped(capped),
            PolicySettings::Ramp(ramp),
            PolicySettings::ZeroPrice(zero_price),
            PolicySettings::Incremental(incremental),
        ],
    )
}

fn response(s: &mut Stream) -> ResponseSettings {
    let probability = s.uniform();
    let delay = Span::seconds(between(s, 0.0, 6.0));
    let on = pick(s, vec![Signal::Warning, Signal::Call]);
    pick(
        s,
        vec![
            ResponseSettings::Ignore {},
            ResponseSettings::TopUp {
                probability,
                delay,
                reserve: 2.0,
                target: 0.5,
                on,
            },
            ResponseSettings::Reduce {
                probability,
                delay,
                target: 0.6,
                on,
            },
            ResponseSettings::Close {
                probability,
                delay,
                on,
            },
            ResponseSettings::StopLoss {
                probability,
                distance: 0.03,
            },
        ],
    )
}

fn strategy(s: &mut Stream) -> StrategySettings {
    let text = pick(
        s,
        vec![
            "holder = {}",
            "noise = { rate = 400, size = { lognormal = { median = 200000, sigma = 1.0 } }, limit_share = 0.5, lifetime = \"5s\" }",
            "fundamental = { rate = 600, size = 100000, threshold = 0.002 }",
            "momentum = { rate = 600, size = 100000, half_life = \"10s\", threshold = 0.002 }",
            "target_leverage = { leverage = 4, band = 0.02, every = \"2s\" }",
            "market_maker = { size = 200000, levels = 3, spread_bps = 10, step_bps = 5, inventory_limit = 2e6, calm_volatility = 5.0 }",
        ],
    );
    toml::from_str(text).unwrap()
}

/// Options of some cross accounts, some of which settle within the run.
fn options(
    s: &mut Stream,
    ledger: &mut Ledger,
    markets: u16,
    contract: Contract,
) -> Option<OptionsSetup> {
    let holders: Vec<AccountId> = ledger
        .traders()
        .filter(|id| ledger.account(*id).isolated().is_none())
        .filter(|_| s.chance(0.6))
        .collect();
    let desk = if s.chance(0.5) {
        AccountId::BACKGROUND
    } else {
        *holders.first()?
    };
    let series: Vec<Series> = (0..whole(s, 1, 8))
        .map(|_| Series {
            market: MarketId(s.below(markets.into()) as u16),
            expiry: pick(s, vec![7.5, 20.0, 86_400.0, 3e6]),
            strike: Ticks((START * between(s, 0.93, 1.07)) as i64),
            right: pick(s, vec![Right::Call, Right::Put]),
            settlement: Settlement::Linear,
            multiplier: Lots(whole(s, 1, 3)),
        })
        .collect();
    ledger.list_options(series.len());
    let all = || (0..series.len() as u16).map(SeriesId);
    for id in [AccountId::BACKGROUND, AccountId::OUTSIDE] {
        ledger.open_options(id, all());
    }
    for id in &holders {
        ledger.open_options(*id, all());
    }
    for id in holders.iter().filter(|id| **id != desk) {
        for series in all() {
            if s.chance(0.4) {
                let capital = ledger.account(*id).cash.as_f64();
                let size =
                    (capital * between(s, 0.2, 6.0) / (START * contract.quanta() as f64)) as i64;
                let contracts = size.max(1) * pick(s, vec![-1, 1]);
                let value = Cash(contracts * whole(s, 1, 2_000));
                ledger.trade_options(*id, desk, series, contracts, value);
            }
        }
    }
    let surface = pick(
        s,
        vec![
            "shape.flat.volatility = 0.9",
            "shape.flat.volatility = 0.9\nresponse = { beta = 2 }",
            "shape.flat.volatility = 0.9\nfollow = { usual = 0.9 }",
            "shape.ssvi = { rho = -0.3, eta = 0.5, gamma = 0.4, term = [[\"30d\", 0.8]] }\nsticky = \"strike\"",
        ],
    );
    let surface: SurfaceSettings = toml::from_str(surface).unwrap();
    let rule = pick(
        s,
        vec![
            "rule.span = {}",
            "rule.deribit = {}",
            "rule.derive = {}",
            "rule.deribit_standard = {}",
        ],
    );
    let rule: OptionMarginSettings = toml::from_str(rule).unwrap();
    let names: Vec<String> = (0..markets).map(|m| format!("M{m}")).collect();
    let quanta: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    Some(OptionsSetup {
        surfaces: Surfaces::new(
            (0..markets)
                .map(|_| Some(surface.build(START, START)))
                .collect(),
        ),
        window: vec![pick(s, vec![1, 5]); markets.into()],
        series,
        desk,
        margin: std::sync::Arc::from(rule.build(&quanta)),
        spread: DeskSpread {
            share: pick(s, vec![0.0, 0.1]),
            volatility: pick(s, vec![0.0, 0.05]),
        },
        liquidation: OptionLiquidation {
            share: pick(s, vec![0.3, 1.0]),
            every: whole(s, 1, 3) as u32,
        },
    })
}

fn later_strategy(s: &mut Stream) -> StrategySettings {
    let text = pick(
        s,
        vec![
            "portfolio_insurer = { portfolio = 5, floor = 0.98, volatility = 2, horizon = \"1h\", every = \"2s\", limit = 0.05, overhang = 0.1 }",
            "delta_hedger = { every = \"1s\" }",
            "delta_hedger = { every = \"2s\", trigger.band.share = 0.1, limit = 300000 }",
            "delta_hedger = { every = \"1s\", trigger.whalley_wilmott = { risk_aversion = 1e-5, cost = 0.001 } }",
            "gamma_scalper = { move = 0.005, every = \"1s\" }",
            "vol_seller = { stop = 1, hedge = true, every = \"1s\" }",
            "vol_seller = { stop = 0.5, every = \"3s\" }",
        ],
    );
    toml::from_str(text).unwrap()
}

fn cohort(
    [s, more]: [&mut Stream; 2],
    id: CohortId,
    contracts: &[Contract],
    spot: bool,
    grid: Grid,
    ledger: &mut Ledger,
    stops: &mut Vec<(AccountId, f64)>,
) -> CohortSetup {
    let markets = contracts.len() as u16;
    let strategy = strategy(s);
    let response = response(s);
    let cross = s.chance(0.4);
    let first = AccountId(ledger.len() as u32);
    let count = whole(s, 1, 60) as u32;
    for _ in 0..count {
        let own = MarketId(s.below(markets.into()) as u16);
        let account = ledger.open(if cross { None } else { Some(own) }, id);
        let capital = (20_000.0 * ops::exp(2.0 * s.normal())) as i64 + 1;
        ledger.deposit(account, Cash(capital));
        if let ResponseSettings::TopUp { reserve, .. } = response {
            ledger.set_reserve(account, Cash((capital as f64 * reserve) as i64));
        }
        let places: Vec<MarketId> = ledger.places(account).map(|(m, _)| m).collect();
        for market in places {
            if s.chance(0.15) {
                continue;
            }
            let leverage = between(s, 0.2, 12.0);
            let entry = (START * between(s, 0.98, 1.02)) as i64;
            let contract = contracts[market.index()];
            let quantity =
                ((capital as f64 * leverage / contract.lot_notional(entry as f64)) as i64).max(1);
            let mut side = pick(s, vec![Side::Buy, Side::Sell]);
            if spot && market.index() + 1 == contracts.len() {
                side = Side::Buy;
            }
            let fill = Fill {
                taker: account,
                maker: AccountId::BACKGROUND,
                side,
                quantity: Lots(quantity),
                value: contract.value(Lots(quantity), Ticks(entry)),
                price: Ticks(entry),
            };
            ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
        }
        if let ResponseSettings::StopLoss {
            probability,
            distance,
        } = response
            && s.chance(probability)
        {
            stops.push((account, distance));
        }
    }
    let weight = 1.0 / f64::from(markets);
    CohortSetup {
        name: format!("c{}", id.0),
        members: Members {
            cohort: id,
            first,
            count,
            markets: (0..markets).map(|m| (MarketId(m), weight)).collect(),
            latency: pick(s, vec![0.0, 0.0, 1.3]),
        },
        behaviour: strategy.build(&vec![grid; markets.into()]),
        response,
        withdrawal: more.chance(0.3).then(|| WithdrawalSettings {
            share: 0.5,
            every: Span::seconds(20.0),
        }),
    }
}
