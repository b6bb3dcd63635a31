//! Rates by bracket of notional: `MM = max_k (m_k · N − a_k)`, continuous.
//!
//! # Reference
//!
//! Binance USD-M, Bybit and Hyperliquid publish this form; deductions follow from the recursion in
//! [`crate::margin::schedule`] and need not be given.

use super::fixed::{rate, rate_problems};
use crate::margin::schedule::Schedule;
use crate::unit::{Cash, Grid};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the tiered base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TieredSettings {
    /// Brackets, smallest first. The last one reaches to infinity whatever its cap.
    pub brackets: Vec<Tier>,
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
        problems
    }

    pub(crate) fn schedule(&self, grid: &Grid) -> Schedule {
        Schedule::from_rates(self.brackets.iter().map(|tier| {
            let cap = tier
                .cap
                .map_or(Cash::MAX, |cap| grid.cash(cap).unwrap_or(Cash::MAX));
            (cap, rate(tier.initial), rate(tier.maintenance))
        }))
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
    fn every_problem_is_told_with_its_place() {
        let settings = TieredSettings {
            brackets: vec![tier(None, "0.02", "0.01"), tier(Some(0), "0.01", "0.02")],
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
