//! Who is deleveraged first: each venue's own ranking, a random start, or everybody in proportion.
//!
//! # Units
//!
//! A rank is a number without meaning but its order, highest first.
//!
//! # Invariants
//!
//! - `each_formula_on_a_position_by_hand`.
//! - Equal ranks are ordered by account, so that a queue is the same in every run.
//!
//! # Reference
//!
//! Pages compiled 2026-11-22. BitMEX, "Auto-deleveraging" (support 18589621443357). Bybit, "Auto-deleveraging" (leveraged
//! return: profit ratio × effective leverage). Binance, "ADL" (360033525471: unrealised profit over collateral ×
//! margin ratio). Hyperliquid, "Auto-deleveraging" ((mark / entry) · (notional / account value); the page is silent on
//! shorts, which are ranked by entry / mark here). OKX, ADL (profit: ROI / margin ratio, loss: ROI × margin
//! ratio; its margin ratio is equity over requirement, and ROI is over the initial margin). dydxprotocol/v4-chain of 2026-03-04,
//! `x/clob/keeper/deleveraging.go` (any open position of the other side, from a random start). Chitra (2025), arXiv 2512.01112 (pro
//! rata, capped pro rata).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which profitable positions bankrupt ones are closed against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ranking {
    /// Profit over cost, times notional over equity: Bybit's leveraged return. Profitable positions only.
    #[default]
    Bybit,
    /// The same for profitable positions; after them losing ones, by the ratio over the leverage.
    Bitmex,
    /// Profit over collateral, times requirement over equity.
    Binance,
    /// Mark over entry (entry over mark for shorts), times notional over equity.
    Hyperliquid,
    /// Profit over initial margin, over the margin ratio; after them losing ones, times the margin ratio.
    Okx,
    /// Every position of the other side, profitable or not, in order of account from a drawn start (dYdX).
    RandomStart,
    /// Every profitable position in proportion to its profit.
    ProRata,
    /// The same, none losing more than a share of its profit.
    CappedProRata(ProfitCap),
}

/// Settings of the capped division.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfitCap {
    /// Most of a position's profit at the mark that it may lose by the close.
    pub share: Decimal,
}

impl Default for ProfitCap {
    fn default() -> Self {
        Self {
            share: Decimal::new(5, 1),
        }
    }
}

/// What a ranking may look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Unrealised profit at the mark.
    pub profit: f64,
    /// Magnitude of what the position cost.
    pub cost: f64,
    /// Magnitude of what it is worth.
    pub value: f64,
    /// Whether it gains as what it is worth grows: a long position, or a short one of an inverse contract.
    pub long: bool,
    /// Cash of its account.
    pub collateral: f64,
    /// Equity of its account: greater than 0.
    pub equity: f64,
    /// Maintenance and initial requirement of the position, for rankings that ask for them.
    pub asked: Option<[f64; 2]>,
}

impl Standing {
    fn maintenance(&self) -> f64 {
        self.asked.map_or(f64::NAN, |asked| asked[0])
    }
    fn initial(&self) -> f64 {
        self.asked.map_or(f64::NAN, |asked| asked[1])
    }
}

/// Losing positions stand behind profitable ones, whatever their ratios.
fn signed(profit: f64, gain: f64, loss: f64) -> f64 {
    if profit > 0.0 { gain } else { loss }
}

impl Ranking {
    /// A position's rank; nothing where it has no place in the queue.
    pub fn rank(self, of: &Standing) -> Option<f64> {
        let ratio = of.profit / of.cost.max(1.0);
        let leverage = of.value / of.equity;
        match self {
            Self::Bybit => (of.profit > 0.0).then_some(ratio * leverage),
            Self::Bitmex => Some(signed(of.profit, ratio * leverage, ratio / leverage)),
            Self::Binance => (of.profit > 0.0)
                .then(|| of.profit / of.collateral.max(1.0) * (of.maintenance() / of.equity)),
            Self::Hyperliquid => (of.profit > 0.0).then(|| {
                let moved = if of.long {
                    of.value / of.cost.max(1.0)
                } else {
                    of.cost / of.value.max(1.0)
                };
                moved * leverage
            }),
            Self::Okx => {
                let roi = of.profit / of.initial().max(1.0);
                let margin_ratio = of.equity / of.maintenance().max(1.0);
                Some(signed(of.profit, roi / margin_ratio, roi * margin_ratio))
            }
            Self::RandomStart => Some(0.0),
            Self::ProRata | Self::CappedProRata(_) => (of.profit > 0.0).then_some(0.0),
        }
    }

    /// Whether it looks at what a position is asked, which is to be computed for it alone.
    pub const fn asks_rates(self) -> bool {
        matches!(self, Self::Binance | Self::Okx)
    }

    /// Whether all are closed at once, in proportion, rather than one after the other.
    pub const fn is_proportional(self) -> bool {
        matches!(self, Self::ProRata | Self::CappedProRata(_))
    }

    /// What is wrong with the settings: (key within the ranking, sentence).
    pub(crate) fn problems(self) -> Vec<(String, String)> {
        match self {
            Self::CappedProRata(cap) if cap.share <= Decimal::ZERO || cap.share > Decimal::ONE => {
                vec![(
                    "capped_pro_rata.share".to_owned(),
                    format!("must be greater than 0 and at most 1, found {}", cap.share),
                )]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A long of cost 1,000 worth 1,200; cash 100, so equity 300; 5 % and 10 %.
    const LONG: Standing = Standing {
        profit: 200.0,
        cost: 1_000.0,
        value: 1_200.0,
        long: true,
        collateral: 100.0,
        equity: 300.0,
        asked: Some([60.0, 120.0]),
    };

    #[test]
    fn each_formula_on_a_position_by_hand() {
        let near = |ranking: Ranking, of: &Standing, expected: f64| {
            let found = ranking.rank(of).unwrap();
            assert!((found - expected).abs() < 1e-12, "{ranking:?}: {found}");
        };
        near(Ranking::Bybit, &LONG, 0.2 * 4.0);
        near(Ranking::Bitmex, &LONG, 0.2 * 4.0);
        near(Ranking::Binance, &LONG, 2.0 * 0.2);
        near(Ranking::Hyperliquid, &LONG, 1.2 * 4.0);
        near(Ranking::Okx, &LONG, 200.0 / 120.0 / 5.0);
        // A short of cost 1,000 worth 800.
        let short = Standing {
            long: false,
            value: 800.0,
            ..LONG
        };
        near(Ranking::Hyperliquid, &short, 1.25 * 800.0 / 300.0);
        // A losing position.
        let loser = Standing {
            profit: -200.0,
            value: 800.0,
            equity: 400.0,
            asked: Some([40.0, 120.0]),
            ..LONG
        };
        near(Ranking::Bitmex, &loser, -0.2 / 2.0);
        near(Ranking::Okx, &loser, -200.0 / 120.0 * 10.0);
        for ranking in [
            Ranking::Bybit,
            Ranking::Binance,
            Ranking::Hyperliquid,
            Ranking::ProRata,
        ] {
            assert_eq!(ranking.rank(&loser), None);
        }
        assert_eq!(Ranking::RandomStart.rank(&loser), Some(0.0));
    }
}
