//! Policies, the waterfall, and keepers.

use super::*;
use deleverage::engine::{Adl, LiquidationSetup, Socialise};
use deleverage::liquidation::CollateralOrder;
use deleverage::liquidation::keeper;
use deleverage::liquidation::policy::absorb::Reserves;
use deleverage::liquidation::policy::{
    CappedSettings, IncrementalSettings, PartialSettings, PolicySettings, RampSettings,
    SlicesSettings, StepDownSettings, ZeroPriceSettings,
};
use deleverage::liquidation::waterfall::{Backstop, ClosePrice, Ranking};
use deleverage::math::Stream;
use deleverage::unit::{Cash, Grid, Rate, Span};

/// Every policy and every option of the waterfall.
pub(super) fn liquidation(s: &mut Stream, grid: &Grid, markets: u16) -> LiquidationSetup {
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
pub(super) fn keepers(s: &mut Stream, grid: &Grid, setup: &mut LiquidationSetup) {
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
pub(super) fn plain_policy(s: &mut Stream) -> PolicySettings {
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
pub(super) fn policy(s: &mut Stream) -> PolicySettings {
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
