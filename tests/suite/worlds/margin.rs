//! Margin: rules, new tables, thresholds, and rules of a whole account.

use super::*;
use deleverage::engine::StressSetup;
use deleverage::margin::adjust::{
    AdjustSettings, ScheduledSettings, StepSettings, VolatilitySettings,
};
use deleverage::margin::base::{BaseSettings, FixedSettings, Tier, TieredSettings};
use deleverage::margin::{CrossSettings, Leg, MarginSettings, PortfolioRule, Thresholds};
use deleverage::math::{Draws, Purpose, Stream};
use deleverage::unit::{Cash, Rate, Span};

/// A new table of brackets, its first one smaller or larger than any of before.
pub(super) fn new_table(s: &mut Stream) -> AdjustSettings {
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

pub(super) fn thresholds(s: &mut Stream) -> Thresholds {
    Thresholds {
        warn: Rate::from_f64(pick(s, vec![0.6, 0.7])),
        call: Rate::from_f64(pick(s, vec![0.75, 0.85])),
        grace: whole(s, 0, 5) as u32 / 2,
    }
}

pub(super) fn margin(s: &mut Stream) -> MarginSettings {
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
pub(super) fn portfolio(draws: &Draws, markets: u16) -> Option<Box<dyn PortfolioRule>> {
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
pub(super) fn stress(draws: &Draws, markets: u16) -> Option<StressSetup> {
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
pub(super) struct Twice;

impl PortfolioRule for Twice {
    fn requirement(&self, legs: &[Leg]) -> Cash {
        let times = if legs.len() > 1 { 2 } else { 1 };
        Cash(times * legs.iter().map(|leg| leg.alone.0).sum::<i64>())
    }
}
