//! Rates that grow in proportion to size: `MM = (m + b · size) · N`, `IM = (i + b · size) · N`.
//!
//! The size counts in units of the base asset, so the growth per notional follows the mark.
//!
//! # Reference
//!
//! Deribit, linear perpetuals, standard margin: BTC `IM = 2 % + 0.005 % · BTC`, `MM = 1 % + 0.005 % · BTC`;
//! SOL_USDC `IM = 4 % + 0.0005 % · SOL`, `MM = 2 % + 0.0005 % · SOL`. Here no rate exceeds 100 %.

use super::fixed::{rate, rate_problems};
use crate::margin::growth::per_quantum;
use crate::margin::rule::{Base, RiskView};
use crate::margin::schedule::Schedule;
use crate::unit::Grid;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the linear base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearSettings {
    /// Maintenance margin over notional of the smallest position.
    pub maintenance: Decimal,
    /// Initial margin over notional of the smallest position.
    pub initial: Decimal,
    /// What one unit of the base asset adds to both rates, e.g. `0.00005`.
    #[serde(default)]
    pub per_unit: f64,
    /// What one unit of the settlement currency of notional adds to both rates: for an inverse contract, a coin of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub per_notional: f64,
}

fn is_zero(rate: &f64) -> bool {
    *rate == 0.0
}

impl LinearSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = rate_problems("", self.maintenance, self.initial);
        for (key, found) in [
            ("per_unit", self.per_unit),
            ("per_notional", self.per_notional),
        ] {
            if !(found.is_finite() && found >= 0.0) {
                problems.push((
                    key.to_owned(),
                    format!("must not be negative, found {found}"),
                ));
            }
        }
        problems
    }
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::flat(rate(self.initial), rate(self.maintenance))
    }
    pub(super) fn moving(&self, grid: &Grid) -> Linear {
        Linear {
            per_unit: self.per_unit,
            lots: 1.0 / grid.scale().lot,
            fixed: per_quantum(self.per_notional, 1.0 / grid.scale().quantum),
        }
    }
}

/// The linear base of one market.
#[derive(Clone)]
pub struct Linear {
    per_unit: f64,
    /// Lots of one unit of the base asset.
    lots: f64,
    /// Growth per quantum whatever the price.
    fixed: u128,
}

impl Base for Linear {
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let slope = per_quantum(self.per_unit, self.lots * view.mark * view.quanta) + self.fixed;
        let (initial, maintenance) = schedule.growth_mut();
        (initial.slope, maintenance.slope) = (slope, slope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Cash;

    /// Requirements as shares of the notional of a size, by Deribit's published formula.
    fn asked(settings: &LinearSettings, size: f64, price: f64) -> (f64, f64) {
        let grid = Grid::new(
            "0.5".parse().unwrap(),
            "0.0001".parse().unwrap(),
            "0.000001".parse().unwrap(),
        )
        .unwrap();
        let mut schedule = settings.schedule();
        let view = RiskView {
            mark: price / 0.5,
            quanta: grid.quanta_per_tick_lot().unwrap() as f64,
            ..RiskView::default()
        };
        settings.moving(&grid).rates(&view, &mut schedule);
        let notional = Cash((size * price * 1e6) as i64);
        let share = |cash: Cash| cash.as_f64() / notional.as_f64();
        (
            share(schedule.initial(notional)),
            share(schedule.maintenance(notional)),
        )
    }

    #[test]
    fn deribit_asks_3_75_percent_for_350_btc_and_7_for_6000_sol() {
        let btc = LinearSettings {
            maintenance: "0.01".parse().unwrap(),
            initial: "0.02".parse().unwrap(),
            per_unit: 0.000_05,
            per_notional: 0.0,
        };
        for price in [30_000.0, 110_000.0] {
            let (initial, maintenance) = asked(&btc, 350.0, price);
            assert!((initial - 0.0375).abs() < 1e-9 && (maintenance - 0.0275).abs() < 1e-9);
        }
        let sol = LinearSettings {
            maintenance: "0.02".parse().unwrap(),
            initial: "0.04".parse().unwrap(),
            per_unit: 0.000_005,
            per_notional: 0.0,
        };
        assert!((asked(&sol, 6_000.0, 150.0).0 - 0.07).abs() < 1e-9);
    }
}
