//! A breached position as a loan: collateral, debt, health.
//!
//! The collateral is the position's notional `C` at the mark, the debt `D` that less the position's share of the account's equity, the
//! liquidation threshold `LT` one less the maintenance rate. With `HF = C · LT / D` an account is in breach where `HF < 1`.
//! Repaying `x` at a bonus `b` seizes `x · (1 + b)`: a discount of `b / (1 + b)` to the mark.
//!
//! # Units
//!
//! Quanta as floats: they size offers, and are never booked.
//!
//! # Invariants
//!
//! - `health_is_one_where_the_requirement_is_met`.
//! - `above_the_toxic_ratio_a_liquidation_worsens_what_is_left`.
//!
//! # Reference
//!
//! Aave v3 (health factor); "Toxic Liquidation Spirals" (2022), arXiv 2212.07306: `D / C > 1 / (1 + b)`.

use super::Case;
use crate::unit::{Lots, Rate};
use rust_decimal::Decimal;

/// A position as a loan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loan {
    /// What is held, at the mark.
    pub collateral: f64,
    /// What is owed against it.
    pub debt: f64,
    /// Debt over collateral at which it is in breach.
    pub threshold: f64,
    /// Lots held, without their sign.
    pub lots: f64,
}

impl Loan {
    /// The loan that a case is.
    pub fn of(case: &Case) -> Self {
        let collateral = case.notional.as_f64();
        Self {
            collateral,
            debt: collateral - case.own_equity() as f64,
            threshold: 1.0 - case.maintenance.as_f64() / collateral.max(1.0),
            lots: case.quantity.abs().as_f64(),
        }
    }

    /// Its health factor; infinite where nothing is owed.
    pub fn health(&self) -> f64 {
        if self.debt > 0.0 {
            self.collateral * self.threshold / self.debt
        } else {
            f64::INFINITY
        }
    }

    /// Whether a liquidation at this bonus leaves a worse loan than it found.
    pub fn is_toxic(&self, bonus: f64) -> bool {
        self.debt * (1.0 + bonus) > self.collateral
    }

    /// The largest bonus at which a liquidation at the threshold improves the loan: `LT · (1 + b) < 1`.
    pub fn most_bonus(&self) -> f64 {
        1.0 / self.threshold.max(1e-9) - 1.0
    }

    /// Lots worth an amount of collateral, rounded down; all where it is all.
    pub fn lots(&self, amount: f64) -> Lots {
        if amount >= self.collateral {
            Lots(self.lots as i64)
        } else {
            Lots((amount / self.collateral * self.lots).floor().max(0.0) as i64)
        }
    }
}

/// A bonus that is left to the market: half of what its threshold allows, 5 % at most.
pub fn usual_bonus(loan: &Loan) -> f64 {
    (loan.most_bonus() / 2.0).min(0.05)
}

/// A bonus as a discount to the mark.
pub fn discount(bonus: f64) -> Rate {
    Rate::from_f64(bonus / (1.0 + bonus))
}

/// What is wrong with a number that must lie between bounds, the upper one excluded where `open`.
pub(super) fn within(
    key: &str,
    found: Decimal,
    (low, high): (Decimal, Decimal),
    open: bool,
) -> Vec<(String, String)> {
    if found < low || found > high || (open && found == high) {
        let end = if open { "below" } else { "at most" };
        vec![(
            key.to_owned(),
            format!(
                "must be at least {} and {end} {}, found {found}",
                low.normalize(),
                high.normalize()
            ),
        )]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule};
    use super::*;

    #[test]
    fn health_is_one_where_the_requirement_is_met() {
        // 10 lots at 100, a threshold of 80 %: a debt of 800 is the most.
        let schedule = schedule(&[(i64::MAX, 0.2)]);
        let loan = |equity| Loan::of(&case(&schedule, 10, equity));
        assert_eq!(loan(200).health(), 1.0);
        assert!((loan(180).health() - 0.975_610).abs() < 1e-6);
        assert_eq!(loan(1_000).health(), f64::INFINITY);
        // A short of the same size and equity is the same loan.
        assert_eq!(Loan::of(&case(&schedule, -10, 180)), loan(180));
    }

    #[test]
    fn above_the_toxic_ratio_a_liquidation_worsens_what_is_left() {
        let schedule = schedule(&[(i64::MAX, 0.2)]);
        for (equity, toxic) in [(60, false), (48, false), (47, true), (30, true)] {
            let loan = Loan::of(&case(&schedule, 10, equity));
            assert_eq!(loan.is_toxic(0.05), toxic, "{equity}");
            let after = Loan {
                collateral: loan.collateral - 105.0,
                debt: loan.debt - 100.0,
                ..loan
            };
            assert_eq!(after.health() < loan.health(), toxic, "{equity}");
        }
        let loan = Loan::of(&case(&schedule, 10, 100));
        assert_eq!(loan.most_bonus(), 0.25);
        assert_eq!(usual_bonus(&loan), 0.05);
        let thin = super::super::tests::schedule(&[(i64::MAX, 0.01)]);
        let loan = Loan::of(&case(&thin, 10, 5));
        assert!((usual_bonus(&loan) - 0.005_05).abs() < 1e-5);
        assert_eq!(discount(0.25), Rate::from_f64(0.2));
        assert_eq!(
            (loan.lots(250.0), loan.lots(999.0), loan.lots(2e3)),
            (Lots(2), Lots(9), Lots(10))
        );
    }
}
