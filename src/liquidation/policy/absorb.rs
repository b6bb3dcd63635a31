//! The venue's reserves take a whole account over at a haircut, and sell what they got to keepers at half of it.
//!
//! The account is credited `credit` of what it held and keeps what that leaves beyond its debt; where it leaves a debt, the
//! reserves bear it. What they hold they sell from a storefront at `1 − discount · (1 − credit)` of the oracle's price, as long as they
//! are below their target. Their price risk is the venue's.
//!
//! # Invariants
//!
//! - `a_whole_account_is_absorbed`; `the_storefront_gives_part_of_the_haircut_away`.
//!
//! # Reference
//!
//! compound-finance/comet of 2026-05-29, `Comet.sol` (`absorb`, `buyCollateral`, `quoteCollateral`). Whoever calls `absorb` is
//! paid in points there; here the venue does it in the step of the breach.

use super::loan::{Loan, usual_bonus, within};
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::offer::{Absorb as Taken, Offer};
use crate::unit::{Cash, Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of absorption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbsorbSettings {
    /// What is credited for what is taken, over notional; where left out, a haircut of half of what the market's threshold
    /// allows, 5 % at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<Decimal>,
    /// Share of the haircut that the storefront gives away.
    pub storefront: Decimal,
    /// The reserves at the start, in settlement currency.
    pub reserves: Decimal,
    /// Reserves from which on nothing is sold.
    pub target_reserves: Decimal,
}

impl Default for AbsorbSettings {
    fn default() -> Self {
        Self {
            credit: None,
            storefront: Decimal::new(5, 1),
            reserves: 1_000_000.into(),
            target_reserves: 5_000_000.into(),
        }
    }
}

impl AbsorbSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if let Some(credit) = self.credit {
            problems.extend(super::share("credit", credit));
        }
        problems.extend(within(
            "storefront",
            self.storefront,
            (0.into(), 1.into()),
            false,
        ));
        for (key, found) in [
            ("reserves", self.reserves),
            ("target_reserves", self.target_reserves),
        ] {
            problems.extend(within(key, found, (0.into(), Decimal::MAX), true));
        }
        problems
    }
}

/// The reserves, in the engine's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserves {
    /// What they have at the start.
    pub capital: Cash,
    /// From which on nothing is sold.
    pub target: Cash,
    /// Share of the haircut that keepers get.
    pub storefront: Rate,
}

impl Reserves {
    /// The storefront's discount on what was taken at a haircut.
    pub fn discount(&self, haircut: Rate) -> Rate {
        Rate(
            (i128::from(self.storefront.0) * i128::from(haircut.0) / i128::from(Rate::ONE.0))
                as i64,
        )
    }
}

/// Hands whole accounts to the reserves.
#[derive(Clone)]
pub struct Absorb {
    credit: Option<f64>,
}

impl Absorb {
    /// The policy of these settings.
    pub fn new(settings: &AbsorbSettings) -> Self {
        Self {
            credit: settings.credit.map(|credit| rate(credit).as_f64()),
        }
    }

    fn credit(&self, loan: &Loan) -> f64 {
        self.credit.unwrap_or_else(|| 1.0 - usual_bonus(loan))
    }
}

impl LiquidationPolicy for Absorb {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases.iter().filter(|case| case.quantity != Lots::ZERO) {
            out.push(Offer::Absorb(Taken {
                account: case.account,
                market: case.market,
                credit: Rate::from_f64(self.credit(&Loan::of(case))),
            }));
        }
    }
    fn name(&self) -> &'static str {
        "absorb"
    }
    fn needs_keepers(&self) -> bool {
        true
    }
    fn bonus(&self, loan: &Loan) -> Option<f64> {
        Some(1.0 / self.credit(loan) - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;

    #[test]
    fn a_whole_account_is_absorbed() {
        let settings = AbsorbSettings {
            credit: Some(Decimal::new(95, 2)),
            ..AbsorbSettings::default()
        };
        assert_eq!(settings.problems(), []);
        let mut policy = Absorb::new(&settings);
        let schedule = schedule(&[(i64::MAX, 0.105)]);
        let mut out = Vec::new();
        let cases = [case(&schedule, 10, 90), case(&schedule, -10, -5)];
        policy.offer(&view(&schedule), &cases, &mut out);
        let credits: Vec<Rate> = out
            .iter()
            .map(|offer| match offer {
                Offer::Absorb(taken) => taken.credit,
                _ => Rate::ZERO,
            })
            .collect();
        assert_eq!(credits, [Rate::from_f64(0.95); 2]);
    }

    #[test]
    fn the_storefront_gives_part_of_the_haircut_away() {
        let reserves = Reserves {
            capital: Cash(0),
            target: Cash(5),
            storefront: Rate::from_f64(0.5),
        };
        assert_eq!(
            reserves.discount(Rate::from_f64(0.05)),
            Rate::from_f64(0.025)
        );
        assert_eq!(
            reserves.discount(Rate::from_f64(0.07)),
            Rate::from_f64(0.035)
        );
    }
}
