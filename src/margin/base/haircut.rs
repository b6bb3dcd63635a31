//! Haircuts: how much of what an account holds as collateral doesn't count.
//!
//! A holding in a market of collateral (`kind.spot`) counts in full in equity, and its haircut is what it is asked for: at the
//! threshold `E − h·V < MM` is `E < MM + h·V`, so a haircut is a margin rate, by brackets of the holding's value where a
//! venue has them. A warning and a call compare `MM` with the equity that is left after haircuts
//! ([`Thresholds::after_haircut`](crate::margin::Thresholds::after_haircut)). Haircuts are added up: no portfolio rule offsets them.
//!
//! # Units
//!
//! Shares of the value; caps in settlement currency. Initial and maintenance rate are the same.
//!
//! # Invariants
//!
//! - `brackets_of_a_haircut_are_marginal`: each applies to the part of the value within it.
//!
//! # Reference
//!
//! Binance, multi-assets mode (collateral value ratio); OKX and Bybit, discount rate and collateral value ratio by tiers.

use super::fixed::rate;
use crate::margin::schedule::Schedule;
use crate::unit::{Cash, Grid};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A market of collateral, and what of it doesn't count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HaircutSettings {
    /// Share of the value that doesn't count, whatever the size.
    pub haircut: Decimal,
    /// In its place shares by value held, smallest bracket first; each applies to the part of the value within it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<HaircutTier>,
}

/// One bracket of value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HaircutTier {
    /// Largest value of the bracket, in settlement currency; may be left out in the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Decimal>,
    /// Share of the value within the bracket that doesn't count.
    pub haircut: Decimal,
}

impl HaircutSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut share = |key: String, found: Decimal| {
            if !(Decimal::ZERO..=Decimal::ONE).contains(&found) {
                problems.push((key, format!("must lie between 0 and 1, found {found}")));
            }
        };
        share("haircut".to_owned(), self.haircut);
        for (k, tier) in self.brackets.iter().enumerate() {
            share(format!("brackets[{k}].haircut"), tier.haircut);
        }
        if !self.brackets.is_empty() && !self.haircut.is_zero() {
            problems.push((
                "haircut".to_owned(),
                "is one share for every size: expected none beside `brackets`".to_owned(),
            ));
        }
        for (k, pair) in self.brackets.windows(2).enumerate() {
            let at = k + 1;
            match (pair[0].cap, pair[1].cap) {
                (None, _) => problems.push((
                    format!("brackets[{k}].cap"),
                    "only the last bracket may leave out its cap".to_owned(),
                )),
                (Some(low), Some(high)) if high <= low => problems.push((
                    format!("brackets[{at}].cap"),
                    format!("caps must rise: {high} does not exceed {low}"),
                )),
                _ => {}
            }
            if pair[1].haircut < pair[0].haircut {
                problems.push((
                    format!("brackets[{at}].haircut"),
                    "haircuts must not fall from one bracket to the next".to_owned(),
                ));
            }
        }
        if let Some(cap) = self.brackets.first().and_then(|tier| tier.cap)
            && cap <= Decimal::ZERO
        {
            problems.push((
                "brackets[0].cap".to_owned(),
                format!("must be greater than 0, found {cap}"),
            ));
        }
        problems
    }

    /// The haircuts as rates.
    pub fn schedule(&self, grid: &Grid) -> Schedule {
        if self.brackets.is_empty() {
            return Schedule::flat(rate(self.haircut), rate(self.haircut));
        }
        Schedule::from_rates(self.brackets.iter().map(|tier| {
            let cap = tier
                .cap
                .map_or(Cash::MAX, |cap| grid.cash(cap).unwrap_or(Cash::MAX));
            (cap, rate(tier.haircut), rate(tier.haircut))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(cap: Option<i64>, haircut: &str) -> HaircutTier {
        HaircutTier {
            cap: cap.map(Decimal::from),
            haircut: haircut.parse().unwrap(),
        }
    }

    #[test]
    fn brackets_of_a_haircut_are_marginal() {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let settings = HaircutSettings {
            brackets: vec![
                tier(Some(1_000), "0"),
                tier(Some(5_000), "0.1"),
                tier(None, "0.5"),
            ],
            ..HaircutSettings::default()
        };
        assert_eq!(settings.problems(), []);
        let schedule = settings.schedule(&grid);
        assert_eq!(schedule.maintenance(Cash(900)), Cash(0));
        assert_eq!(schedule.maintenance(Cash(3_000)), Cash(200));
        assert_eq!(schedule.maintenance(Cash(6_000)), Cash(900));
        assert_eq!(schedule.initial(Cash(6_000)), Cash(900));
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let settings = HaircutSettings {
            haircut: "1.5".parse().unwrap(),
            brackets: vec![tier(None, "0.2"), tier(Some(10), "0.1")],
        };
        let problems = settings.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
        let expected = [
            "haircut",
            "haircut",
            "brackets[0].cap",
            "brackets[1].haircut",
        ];
        assert_eq!(keys, expected);
    }
}
