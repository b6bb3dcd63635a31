//! Collateralised debt as a position: a borrower may owe a share of what the collateral is worth.
//!
//! Who borrows against an asset holds it long on margin: what is held is the collateral `V`, what was paid for it less the
//! money put in is the debt `D`, and equity is `V − D`. An account is liquidated once its health factor `V · LT / D` falls below
//! one, which is `V − D < (1 − LT) · V`: a maintenance rate of `1 − LT`. What may be borrowed at most, `LTV · V`, is
//! an initial rate of `1 − LTV`. Nothing else distinguishes a loan from a leveraged position: the index of triggers,
//! calls and the waterfall serve both.
//!
//! # Units
//!
//! Both as shares of what the collateral is worth at the mark.
//!
//! # Invariants
//!
//! - `a_loan_is_liquidated_where_its_health_factor_is_below_one`.
//!
//! # Reference
//!
//! Aave v3, Compound v3 (`borrowCollateralFactor`, `liquidateCollateralFactor`), Maker (`1 / mat` for both).

use super::fixed::rate;
use crate::margin::schedule::Schedule;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the lending base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LendingSettings {
    /// Most that may be borrowed against a unit of collateral.
    pub ltv: Decimal,
    /// Debt over collateral above which an account is liquidated.
    pub liquidation_threshold: Decimal,
}

impl LendingSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let (ltv, threshold) = (self.ltv, self.liquidation_threshold);
        let mut problems = Vec::new();
        if threshold <= Decimal::ZERO || threshold >= Decimal::ONE {
            problems.push((
                "liquidation_threshold".to_owned(),
                format!("must be greater than 0 and below 1, found {threshold}"),
            ));
        }
        if ltv < Decimal::ZERO || ltv > threshold {
            problems.push((
                "ltv".to_owned(),
                format!(
                    "must lie between 0 and the liquidation threshold ({threshold}), found {ltv}"
                ),
            ));
        }
        problems
    }
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::flat(
            rate(Decimal::ONE - self.ltv),
            rate(Decimal::ONE - self.liquidation_threshold),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Cash, Rate};

    fn settings(ltv: &str, threshold: &str) -> LendingSettings {
        LendingSettings {
            ltv: ltv.parse().unwrap(),
            liquidation_threshold: threshold.parse().unwrap(),
        }
    }

    #[test]
    fn a_loan_is_liquidated_where_its_health_factor_is_below_one() {
        let schedule = settings("0.75", "0.8").schedule();
        let collateral = Cash(1_000);
        for debt in [799, 800, 801, 820] {
            let health = 1_000.0 * 0.8 / f64::from(debt);
            let equity = Cash(1_000 - i64::from(debt));
            assert_eq!(
                equity < schedule.maintenance(collateral),
                health < 1.0,
                "{debt}"
            );
        }
        assert_eq!(schedule.initial(collateral), Cash(250));
        assert_eq!(schedule.level(), Rate::from_f64(0.2));
    }

    #[test]
    fn what_may_be_borrowed_is_within_the_threshold() {
        assert_eq!(settings("0.8", "0.8").problems(), []);
        assert_eq!(settings("0.81", "0.8").problems()[0].0, "ltv");
        assert_eq!(
            settings("0.5", "1").problems()[0].0,
            "liquidation_threshold"
        );
    }
}
