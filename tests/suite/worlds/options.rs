//! Options of some cross accounts.

use super::*;
use deleverage::account::Ledger;
use deleverage::engine::surfaces::Surfaces;
use deleverage::engine::{DeskSpread, OptionLiquidation, OptionsSetup};
use deleverage::margin::option::OptionMarginSettings;
use deleverage::market::Contract;
use deleverage::market::option::{Right, Series, SeriesId, Settlement};
use deleverage::math::Stream;
use deleverage::surface::SurfaceSettings;
use deleverage::unit::{AccountId, Cash, Lots, MarketId, Ticks};

/// Options of some cross accounts, some of which settle within the run.
pub(super) fn options(
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
