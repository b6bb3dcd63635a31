//! Responses, strategies, and the cohorts that have them.

use super::*;
use deleverage::account::Ledger;
use deleverage::engine::CohortSetup;
use deleverage::market::{Contract, Fill};
use deleverage::math::{Stream, ops};
use deleverage::trader::response::{ResponseSettings, Signal};
use deleverage::trader::{Members, StrategySettings, WithdrawalSettings};
use deleverage::unit::{AccountId, Cash, CohortId, Grid, Lots, MarketId, Rate, Side, Span, Ticks};

pub(super) fn response(s: &mut Stream) -> ResponseSettings {
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

pub(super) fn strategy(s: &mut Stream) -> StrategySettings {
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

pub(super) fn later_strategy(s: &mut Stream) -> StrategySettings {
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

pub(super) fn cohort(
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
