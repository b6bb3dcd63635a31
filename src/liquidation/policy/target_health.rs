//! As much as restores a target health factor, at a bonus that rises as health falls.
//!
//! Repaying `x` at a bonus `b` leads from `HF` to `T` where `x = D · (T − HF) / (T − (1 + b) · LT)`. The bonus is the least at `HF = 1` and
//! rises linearly to the most, so that the worst loans are taken first: a Dutch auction over health in place of time.
//!
//! # Units
//!
//! Amounts in settlement currency, the rest as shares.
//!
//! # Invariants
//!
//! - `repaying_leads_to_the_target`.
//! - `the_bonus_rises_from_its_least_to_its_most`.
//!
//! # Reference
//!
//! aave/aave-v4, `docs/overview.md` (liquidation engine): target health factor, `minLB = (maxLB − 1) · factor + 1`, dust of 1,000.
//! Targets and bonuses differ by reserve; the defaults here are assumptions.

use super::loan::{Loan, discount, usual_bonus, within};
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::offer::{Offer, Sale};
use crate::unit::{Cash, Grid, Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetHealthSettings {
    /// Health factor that a liquidation restores.
    pub target: Decimal,
    /// The largest bonus; as under `close_factor` where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<Decimal>,
    /// The bonus at a health factor of 1, over the largest.
    pub least_bonus: Decimal,
    /// Health factor from which downwards the bonus is the largest.
    pub most_bonus_at: Decimal,
    /// Least that may be left of debt and collateral, unless one of them is gone.
    pub dust: Decimal,
    /// Share of the bonus that goes to the fund.
    pub protocol_fee: Decimal,
}

impl Default for TargetHealthSettings {
    fn default() -> Self {
        Self {
            target: Decimal::new(105, 2),
            bonus: None,
            least_bonus: Decimal::new(5, 1),
            most_bonus_at: Decimal::new(9, 1),
            dust: 1_000.into(),
            protocol_fee: Decimal::new(1, 1),
        }
    }
}

impl TargetHealthSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = within("target", self.target, (1.into(), 10.into()), false);
        if let Some(bonus) = self.bonus {
            problems.extend(within("bonus", bonus, (0.into(), 1.into()), true));
        }
        for (key, found, open) in [
            ("least_bonus", self.least_bonus, false),
            ("most_bonus_at", self.most_bonus_at, true),
            ("protocol_fee", self.protocol_fee, false),
        ] {
            problems.extend(within(key, found, (0.into(), 1.into()), open));
        }
        problems.extend(within("dust", self.dust, (0.into(), Decimal::MAX), true));
        problems
    }
}

/// Offers what restores a target health factor.
#[derive(Clone)]
pub struct TargetHealth {
    target: f64,
    bonus: Option<f64>,
    least: f64,
    most_at: f64,
    dust: f64,
    protocol_fee: f64,
}

impl TargetHealth {
    /// The policy with amounts on `grid`.
    pub fn new(settings: &TargetHealthSettings, grid: &Grid) -> Self {
        let float = |decimal| rate(decimal).as_f64();
        Self {
            target: float(settings.target),
            bonus: settings.bonus.map(float),
            least: float(settings.least_bonus),
            most_at: float(settings.most_bonus_at),
            dust: grid.cash(settings.dust).unwrap_or(Cash::MAX).as_f64(),
            protocol_fee: float(settings.protocol_fee),
        }
    }

    fn bonus_at(&self, loan: &Loan) -> f64 {
        let most = self.bonus.unwrap_or_else(|| usual_bonus(loan));
        let fallen = (1.0 - loan.health()) / (1.0 - self.most_at);
        most * (self.least + (1.0 - self.least) * fallen.clamp(0.0, 1.0))
    }

    /// What is repaid of a loan to reach the target; all of its debt where nothing less does.
    fn repays(&self, loan: &Loan, bonus: f64) -> f64 {
        let relief = self.target - (1.0 + bonus) * loan.threshold;
        if relief > 0.0 {
            let debt = loan.debt.max(0.0);
            (debt * (self.target - loan.health()) / relief).clamp(0.0, debt)
        } else {
            loan.debt.max(0.0)
        }
    }
}

impl LiquidationPolicy for TargetHealth {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases {
            let loan = Loan::of(case);
            let bonus = self.bonus_at(&loan);
            let mut repaid = self.repays(&loan, bonus);
            let left = (loan.debt - repaid).min(loan.collateral - repaid * (1.0 + bonus));
            if left < self.dust {
                repaid = loan.debt;
            }
            // A lot more than the target asks for rather than one less.
            let whole = loan.lots(repaid * (1.0 + bonus) + loan.collateral / loan.lots);
            let spared = ((loan.debt - self.dust) * (1.0 + bonus)).min(loan.collateral - self.dust);
            let discount = discount(bonus);
            if whole > Lots::ZERO {
                out.push(Offer::Sale(Sale {
                    account: case.account,
                    market: case.market,
                    whole,
                    part: loan.lots(spared.max(0.0)).min(whole),
                    discount,
                    fee: Rate::from_f64(discount.as_f64() * self.protocol_fee),
                    penalty: Rate::ZERO,
                }));
            }
        }
    }
    fn name(&self) -> &'static str {
        "target_health"
    }
    fn needs_keepers(&self) -> bool {
        true
    }
    fn bonus(&self, loan: &Loan) -> Option<f64> {
        Some(self.bonus.unwrap_or_else(|| usual_bonus(loan)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::close_factor::tests::offered;
    use super::*;

    fn policy(dust: i64) -> TargetHealth {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let settings = TargetHealthSettings {
            bonus: Some(Decimal::new(1, 1)),
            dust: dust.into(),
            ..TargetHealthSettings::default()
        };
        assert_eq!(settings.problems(), []);
        TargetHealth::new(&settings, &grid)
    }

    fn loan(debt: f64) -> Loan {
        Loan {
            collateral: 100_000.0,
            debt,
            threshold: 0.8,
            lots: 1_000.0,
        }
    }

    #[test]
    fn repaying_leads_to_the_target() {
        let policy = policy(0);
        for debt in [80_001.0, 82_000.0, 84_000.0] {
            let loan = loan(debt);
            let bonus = policy.bonus_at(&loan);
            let repaid = policy.repays(&loan, bonus);
            let after = Loan {
                collateral: loan.collateral - repaid * (1.0 + bonus),
                debt: loan.debt - repaid,
                ..loan
            };
            assert!((after.health() - 1.05).abs() < 1e-9, "{debt}");
        }
        // Without a bonus, to a health of one: x = (D − LT · C) / (1 − LT · 1.05) = 125 at a bonus of 5 %.
        let golden = TargetHealth {
            target: 1.0,
            bonus: Some(0.05),
            least: 1.0,
            ..policy
        };
        let loan = Loan {
            collateral: 1_000.0,
            debt: 820.0,
            ..loan(0.0)
        };
        assert!((golden.repays(&loan, golden.bonus_at(&loan)) - 125.0).abs() < 1e-9);
    }

    #[test]
    fn the_bonus_rises_from_its_least_to_its_most() {
        let at = |health: f64| policy(0).bonus_at(&loan(80_000.0 / health));
        assert!((at(1.0) - 0.05).abs() < 1e-12);
        assert!((at(0.95) - 0.075).abs() < 1e-12);
        assert!((at(0.9) - 0.1).abs() < 1e-12);
        assert_eq!(at(0.5), 0.1);
    }

    #[test]
    fn dust_is_repaid_along() {
        // 10 lots against 820, a bonus of 6.2 %: to the target 304.7 would do, leaving 515 of debt; 3.2 lots, and one more.
        let sale = offered(&mut policy(0), 10, 180).unwrap();
        assert_eq!((sale.whole, sale.part), (Lots(4), Lots(4)));
        let sale = offered(&mut policy(600), 10, 180).unwrap();
        assert_eq!((sale.whole, sale.part), (Lots(9), Lots(2)));
    }
}
