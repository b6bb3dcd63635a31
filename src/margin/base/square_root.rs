//! Rates that grow with the root of size: `MM = max(m, 0.8 m + k √size) · N`, IM alike.
//!
//! The size counts in units of the base asset, so the growth per notional follows the mark.
//!
//! # Reference
//!
//! Drift protocol v2, `calculate_size_premium_liability_weight` (imf factor k); FTX used
//! `max(m, k √size)`, which is a `share` of zero.

use super::fixed::{rate, rate_problems};
use crate::margin::growth::per_root_quantum;
use crate::margin::rule::{Base, RiskView};
use crate::margin::schedule::Schedule;
use crate::unit::{Grid, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the square-root base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SquareRootSettings {
    /// Smallest maintenance margin over notional.
    pub maintenance: Decimal,
    /// Smallest initial margin over notional.
    pub initial: Decimal,
    /// What the root of one unit of the base asset adds to both rates: k, e.g. `0.001`.
    pub factor: f64,
    /// Share of the smallest rate to which the root is added.
    #[serde(default = "default_share")]
    pub share: f64,
}

const fn default_share() -> f64 {
    0.8
}

impl SquareRootSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = rate_problems("", self.maintenance, self.initial);
        if !(self.factor.is_finite() && self.factor >= 0.0) {
            problems.push((
                "factor".to_owned(),
                format!("must not be negative, found {}", self.factor),
            ));
        }
        if !(0.0..=1.0).contains(&self.share) {
            problems.push((
                "share".to_owned(),
                format!("must lie between 0 and 1, found {}", self.share),
            ));
        }
        problems
    }
    pub(super) fn schedule(&self) -> Schedule {
        let mut schedule = Schedule::flat(rate(self.initial), rate(self.maintenance));
        let least = |smallest: Decimal| Rate((rate(smallest).0 as f64 * self.share) as i64);
        let (initial, maintenance) = schedule.growth_mut();
        initial.constant = least(self.initial);
        maintenance.constant = least(self.maintenance);
        schedule
    }
    pub(super) fn moving(&self, grid: &Grid) -> SquareRoot {
        SquareRoot {
            factor: self.factor,
            lots: 1.0 / grid.scale().lot,
        }
    }
}

/// The square-root base of one market.
#[derive(Clone)]
pub struct SquareRoot {
    factor: f64,
    /// Lots of one unit of the base asset.
    lots: f64,
}

impl Base for SquareRoot {
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let root = per_root_quantum(self.factor, self.lots * view.mark * view.quanta);
        let (initial, maintenance) = schedule.growth_mut();
        (initial.root, maintenance.root) = (root, root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Cash;

    #[test]
    fn a_factor_from_square_root_impact_regenerates_a_table_of_tiers() {
        // Closing a size s moves the price by Y σ √(s / V) and costs two thirds of that: no bad debt needs
        // m ≥ ⅔ Y σ √(s / V), so that s* = V (3 m / (2 Y σ))², with a daily volume V and volatility σ of 3 %.
        let (volume, sigma) = (10_000.0f64, 0.03);
        let settings = SquareRootSettings {
            maintenance: "0.001".parse().unwrap(),
            initial: "0.002".parse().unwrap(),
            factor: 2.0 / 3.0 * sigma / volume.sqrt(),
            share: 0.0,
        };
        let grid = Grid::new(1.into(), 1.into(), "0.000001".parse().unwrap()).unwrap();
        let mut schedule = settings.schedule();
        let view = RiskView {
            mark: 100.0,
            quanta: grid.quanta_per_tick_lot().unwrap() as f64,
            ..RiskView::default()
        };
        settings.moving(&grid).rates(&view, &mut schedule);
        for (m, share) in [(0.005, 0.0625), (0.01, 0.25), (0.025, 1.5625), (0.05, 6.25)] {
            let notional = Cash((share * volume * 100.0 * 1e6) as i64);
            let asked = schedule.maintenance(notional).as_f64() / notional.as_f64();
            assert!((asked - m).abs() < 1e-8, "{asked} for {m}");
        }
    }

    #[test]
    fn drift_s_size_premium() {
        // Drift's test has weight 1.1 and factors 0.01 and 10⁻⁵ at size 1000: 0.88 + 0.01 √1000 = 1.1962,
        // and 1.1 where the premium is small. All a tenth here, where no rate exceeds one.
        let grid = Grid::new(
            "0.01".parse().unwrap(),
            "0.1".parse().unwrap(),
            "0.000001".parse().unwrap(),
        )
        .unwrap();
        for (factor, weight) in [(0.001, 0.119_622_8), (0.000_001, 0.11)] {
            let settings = SquareRootSettings {
                maintenance: "0.11".parse().unwrap(),
                initial: "0.11".parse().unwrap(),
                factor,
                share: 0.8,
            };
            let mut schedule = settings.schedule();
            let view = RiskView {
                mark: 15_000.0,
                quanta: grid.quanta_per_tick_lot().unwrap() as f64,
                ..RiskView::default()
            };
            settings.moving(&grid).rates(&view, &mut schedule);
            let notional = Cash(1_000 * 150 * 1_000_000);
            let asked = schedule.maintenance(notional).as_f64() / notional.as_f64();
            assert!((asked - weight).abs() < 1e-7, "{asked}");
        }
    }
}
