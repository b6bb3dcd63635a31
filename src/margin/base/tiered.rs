//! Rates by bracket of notional: `MM = max_k (m_k · N − a_k)`, continuous.
//!
//! Where a venue counts tiers in contracts, `caps = "quantity"`: they are turned into notionals at the mark, and anew whenever
//! it has moved by one per cent since. Where its table goes on without end, `further` says how.
//!
//! # Reference
//!
//! Binance USD-M, Bybit and Hyperliquid publish this form; deductions follow from the recursion in
//! [`crate::margin::schedule`] and need not be given. OKX counts tiers in contracts, and BitMEX and OKX go on by equal steps; both
//! ask the rate of a position's tier of all of it, which here only its part in the tier is asked.

use super::fixed::{rate, rate_problems};
use crate::margin::rule::{Base, RiskView};
use crate::margin::schedule::Schedule;
use crate::unit::{Cash, Grid, Lots};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most brackets that are made of `further`.
const MOST: usize = 1_000;

/// How far the mark moves before caps that are quantities are turned into notionals anew.
const DRIFT: f64 = 0.01;

/// Settings of the tiered base.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TieredSettings {
    /// Brackets, smallest first. The last one reaches to infinity whatever its cap, unless there are further ones.
    pub brackets: Vec<Tier>,
    /// How the table goes on beyond the last bracket, until the initial rate is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further: Option<FurtherSettings>,
    /// What caps are: notionals, or quantities.
    #[serde(default, skip_serializing_if = "Caps::is_notional")]
    pub caps: Caps,
}

/// What the caps of brackets are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Caps {
    /// In settlement currency.
    #[default]
    Notional,
    /// In the units that a market's lot is in.
    Quantity,
}

impl Caps {
    const fn is_notional(&self) -> bool {
        matches!(self, Self::Notional)
    }
}

/// Brackets of equal width, each asking so much more than the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FurtherSettings {
    /// Width of a bracket.
    pub every: Decimal,
    /// What it adds to the maintenance rate.
    pub maintenance: Decimal,
    /// What it adds to the initial rate.
    pub initial: Decimal,
}

/// One bracket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Largest notional of the bracket, in settlement currency; may be left out in the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Decimal>,
    /// Maintenance margin over notional.
    pub maintenance: Decimal,
    /// Initial margin over notional: the reciprocal of the bracket's largest leverage.
    pub initial: Decimal,
}

impl TieredSettings {
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.brackets.is_empty() {
            problems.push((
                "brackets".to_owned(),
                "at least one bracket is needed".to_owned(),
            ));
        }
        let mut floor = Decimal::ZERO;
        let mut rates = (Decimal::ZERO, Decimal::ZERO);
        for (k, tier) in self.brackets.iter().enumerate() {
            let at = format!("brackets[{k}].");
            problems.extend(rate_problems(&at, tier.maintenance, tier.initial));
            if tier.maintenance < rates.0 || tier.initial < rates.1 {
                problems.push((
                    format!("{at}maintenance"),
                    "rates must not fall from one bracket to the next".to_owned(),
                ));
            }
            rates = (tier.maintenance, tier.initial);
            match tier.cap {
                Some(cap) if cap <= floor => problems.push((
                    format!("{at}cap"),
                    format!("caps must rise: {cap} does not exceed {floor}"),
                )),
                Some(cap) => floor = cap,
                None if k + 1 < self.brackets.len() => problems.push((
                    format!("{at}cap"),
                    "only the last bracket may leave out its cap".to_owned(),
                )),
                None => {}
            }
        }
        if let Some(further) = &self.further {
            for (key, found) in [
                ("every", further.every),
                ("initial", further.initial),
                ("maintenance", further.maintenance),
            ] {
                if found <= Decimal::ZERO {
                    problems.push((
                        format!("further.{key}"),
                        format!("must be greater than 0, found {found}"),
                    ));
                }
            }
            if self.brackets.last().is_some_and(|tier| tier.cap.is_none()) {
                problems.push((
                    format!("brackets[{}].cap", self.brackets.len() - 1),
                    "is missing: further brackets begin there".to_owned(),
                ));
            }
        }
        problems
    }

    /// The brackets and those that follow them.
    fn tiers(&self) -> Vec<Tier> {
        let mut tiers = self.brackets.clone();
        let Some(further) = &self.further else {
            return tiers;
        };
        while let Some(last) = tiers.last()
            && last.initial < Decimal::ONE
            && tiers.len() < MOST
        {
            let next = Tier {
                cap: last.cap.map(|cap| cap + further.every),
                maintenance: (last.maintenance + further.maintenance).min(Decimal::ONE),
                initial: (last.initial + further.initial).min(Decimal::ONE),
            };
            tiers.push(next);
        }
        tiers
    }

    pub(crate) fn schedule(&self, grid: &Grid) -> Schedule {
        Schedule::from_rates(self.tiers().iter().map(|tier| {
            let cap = tier
                .cap
                .map_or(Cash::MAX, |cap| grid.cash(cap).unwrap_or(Cash::MAX));
            (cap, rate(tier.initial), rate(tier.maintenance))
        }))
    }

    /// What keeps caps that are quantities at the mark; nothing where they are notionals.
    pub(super) fn moving(&self, grid: &Grid) -> Option<Quantities> {
        if self.caps == Caps::Notional {
            return None;
        }
        let lot = grid.scale().lot;
        let caps = self.tiers();
        let caps = caps
            .iter()
            .map(|tier| tier.cap.and_then(|cap| cap.to_f64()).map(|cap| cap / lot));
        Some(Quantities {
            caps: caps.map(|cap| cap.unwrap_or(f64::INFINITY)).collect(),
            at: 0.0,
        })
    }
}

/// Caps in lots, turned into notionals at the mark.
#[derive(Clone)]
pub struct Quantities {
    caps: Vec<f64>,
    /// Notional of a lot at which they were last.
    at: f64,
}

impl Base for Quantities {
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let each = view.notional(Lots(1));
        if self.at > 0.0 && (each / self.at - 1.0).abs() <= DRIFT {
            return;
        }
        self.at = each;
        schedule.set_caps(|place| {
            let cap = self.caps.get(place).copied().unwrap_or(f64::INFINITY);
            Cash((cap * each).min(i64::MAX as f64) as i64)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(cap: Option<i64>, maintenance: &str, initial: &str) -> Tier {
        Tier {
            cap: cap.map(Decimal::from),
            maintenance: maintenance.parse().unwrap(),
            initial: initial.parse().unwrap(),
        }
    }

    #[test]
    fn hyperliquid_btc_deducts_1_875_000_in_its_second_tier() {
        let settings = TieredSettings {
            brackets: vec![
                tier(Some(150_000_000), "0.0125", "0.025"),
                tier(None, "0.025", "0.05"),
            ],
            ..TieredSettings::default()
        };
        assert!(settings.problems().is_empty());
        let grid = Grid::new(
            1.into(),
            "0.00001".parse().unwrap(),
            "0.000001".parse().unwrap(),
        );
        let schedule = settings.schedule(&grid.unwrap());
        assert_eq!(
            schedule.brackets()[1].maintenance_deduction,
            Cash(1_875_000_000_000)
        );
    }

    #[test]
    fn a_table_goes_on_by_equal_steps() {
        // BitMEX: 200 coins at 0.5 and 1 %, and half a point more for every 100 beyond.
        let settings = TieredSettings {
            brackets: vec![tier(Some(200), "0.005", "0.01")],
            further: Some(FurtherSettings {
                every: 100.into(),
                maintenance: "0.005".parse().unwrap(),
                initial: "0.005".parse().unwrap(),
            }),
            ..TieredSettings::default()
        };
        assert_eq!(settings.problems(), []);
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let schedule = settings.schedule(&grid);
        // Up to an initial rate of one: 198 steps more.
        assert_eq!(schedule.brackets().len(), 199);
        assert_eq!(schedule.maintenance(Cash(200)), Cash(1));
        // 1 + 100 · 1 % + 100 · 1.5 %.
        assert_eq!(schedule.maintenance(Cash(400)), Cash(4));
        assert_eq!(schedule.brackets()[198].initial, crate::unit::Rate::ONE);
    }

    #[test]
    fn caps_that_are_quantities_follow_the_mark() {
        let settings = TieredSettings {
            brackets: vec![
                tier(Some(1_000), "0.01", "0.02"),
                tier(None, "0.02", "0.04"),
            ],
            caps: Caps::Quantity,
            ..TieredSettings::default()
        };
        let grid = Grid::new(1.into(), 10.into(), 1.into()).unwrap();
        let mut schedule = settings.schedule(&grid);
        let mut moving = settings.moving(&grid).unwrap();
        let mut at = |mark: f64| {
            let view = RiskView {
                mark,
                quanta: 10.0,
                ..RiskView::default()
            };
            moving.rates(&view, &mut schedule);
            (
                schedule.brackets()[0].cap,
                schedule.maintenance(Cash(300_000)),
            )
        };
        // 1,000 units at 200 are 200,000; the next 100,000 are asked twice as much.
        assert_eq!(at(200.0), (Cash(200_000), Cash(4_000)));
        assert_eq!(at(201.0), (Cash(200_000), Cash(4_000)));
        assert_eq!(at(250.0), (Cash(250_000), Cash(3_500)));
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let settings = TieredSettings {
            brackets: vec![tier(None, "0.02", "0.01"), tier(Some(0), "0.01", "0.02")],
            ..TieredSettings::default()
        };
        let problems = settings.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "brackets[0].initial",
                "brackets[0].cap",
                "brackets[1].maintenance",
                "brackets[1].cap"
            ]
        );
    }
}
