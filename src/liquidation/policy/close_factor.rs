//! A fixed spread: keepers repay a share of the debt and get collateral for it at a bonus.
//!
//! Half of the debt may be repaid at once, all of it where the account is far gone or small. Nobody may leave crumbs: what is left
//! of debt and of collateral is nothing, or worth a keeper's while. What is owed when no collateral is left is a deficit, for the
//! waterfall.
//!
//! # Units
//!
//! Amounts in settlement currency, the rest as shares.
//!
//! # Invariants
//!
//! - `half_of_the_debt_is_repaid_at_the_bonus`, all of it below the cut, and where it is small.
//! - `no_crumbs_are_left`.
//! - `halted_above_the_toxic_ratio_nothing_is_offered`.
//!
//! # Reference
//!
//! aave-dao/aave-v3-origin of 2026-06-19, `LiquidationLogic.sol`: half of the debt if HF > 0.95 and both sides are worth at
//! least 2,000, else all; at least 1,000 of both left or one of them gone; the protocol's fee is a part of the bonus. Qin et al.
//! (2021), arXiv 2106.06389 (fixed spread). The halt is Warmuz et al. (2022), arXiv 2212.07306; Aave has none.

use super::loan::{Loan, discount, usual_bonus, within};
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::offer::{Offer, Sale};
use crate::unit::{Cash, Grid, Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the close factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloseFactorSettings {
    /// Share of the debt that may be repaid at once.
    pub factor: Decimal,
    /// Health factor up to which all of it may.
    pub full_below: Decimal,
    /// Debt or collateral below which all of it may.
    pub small: Decimal,
    /// Least that may be left of debt and collateral, unless one of them is gone.
    pub dust: Decimal,
    /// What keepers get beyond what they repay; half of what the market's threshold allows, 5 % at most, where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<Decimal>,
    /// Share of the bonus that goes to the fund.
    pub protocol_fee: Decimal,
    /// Whether nothing is liquidated above the toxic ratio, `1 / (1 + bonus)` of debt over collateral.
    pub halt_toxic: bool,
}

impl Default for CloseFactorSettings {
    fn default() -> Self {
        Self {
            factor: Decimal::new(5, 1),
            full_below: Decimal::new(95, 2),
            small: 2_000.into(),
            dust: 1_000.into(),
            bonus: None,
            protocol_fee: Decimal::new(1, 1),
            halt_toxic: false,
        }
    }
}

/// Settings of a fixed spread without cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FixedSpreadSettings {
    /// Share of the debt that may be repaid at once.
    pub factor: Decimal,
    /// What keepers get beyond what they repay; as under `close_factor` where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<Decimal>,
}

impl Default for FixedSpreadSettings {
    fn default() -> Self {
        Self {
            factor: Decimal::new(5, 1),
            bonus: None,
        }
    }
}

impl FixedSpreadSettings {
    /// The same as a close factor.
    pub(super) fn plain(&self) -> CloseFactorSettings {
        CloseFactorSettings {
            factor: self.factor,
            full_below: Decimal::ZERO,
            small: Decimal::ZERO,
            dust: Decimal::ZERO,
            bonus: self.bonus,
            protocol_fee: Decimal::ZERO,
            halt_toxic: false,
        }
    }
}

impl CloseFactorSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = super::share("factor", self.factor);
        problems.extend(within(
            "full_below",
            self.full_below,
            (0.into(), 1.into()),
            false,
        ));
        for (key, found) in [("small", self.small), ("dust", self.dust)] {
            problems.extend(within(key, found, (0.into(), Decimal::MAX), true));
        }
        if let Some(bonus) = self.bonus {
            problems.extend(within("bonus", bonus, (0.into(), 1.into()), true));
        }
        problems.extend(within(
            "protocol_fee",
            self.protocol_fee,
            (0.into(), 1.into()),
            false,
        ));
        problems
    }
}

/// Offers a share of the debt at a fixed bonus.
#[derive(Clone)]
pub struct CloseFactor {
    name: &'static str,
    factor: f64,
    full_below: f64,
    small: f64,
    dust: f64,
    bonus: Option<f64>,
    protocol_fee: f64,
    halt_toxic: bool,
}

impl CloseFactor {
    /// The policy with amounts on `grid`.
    pub fn new(settings: &CloseFactorSettings, grid: &Grid) -> Self {
        let float = |decimal| rate(decimal).as_f64();
        let money = |decimal| grid.cash(decimal).unwrap_or(Cash::MAX).as_f64();
        Self {
            name: "close_factor",
            factor: float(settings.factor),
            full_below: float(settings.full_below),
            small: money(settings.small),
            dust: money(settings.dust),
            bonus: settings.bonus.map(float),
            protocol_fee: float(settings.protocol_fee),
            halt_toxic: settings.halt_toxic,
        }
    }

    /// The fixed spread.
    pub fn spread(settings: &FixedSpreadSettings, grid: &Grid) -> Self {
        Self {
            name: "fixed_spread",
            ..Self::new(&settings.plain(), grid)
        }
    }

    /// What is offered of a loan: all that may be seized, and the most that may where not all is.
    fn seizes(&self, loan: &Loan, bonus: f64) -> (Lots, Lots) {
        let small = loan.debt.min(loan.collateral) < self.small;
        let factor = if small || loan.health() <= self.full_below {
            1.0
        } else {
            self.factor
        };
        // A lot at least, so that what is halved again and again comes to an end.
        let whole = loan.lots(factor * loan.debt * (1.0 + bonus)).max(Lots(1));
        let spared = ((loan.debt - self.dust) * (1.0 + bonus)).min(loan.collateral - self.dust);
        let part = loan.lots(spared.max(0.0)).min(whole);
        (whole, part)
    }
}

impl LiquidationPolicy for CloseFactor {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases {
            let loan = Loan::of(case);
            let bonus = self.bonus.unwrap_or_else(|| usual_bonus(&loan));
            if self.halt_toxic && loan.is_toxic(bonus) {
                continue;
            }
            let (whole, part) = self.seizes(&loan, bonus);
            if whole > Lots::ZERO {
                let discount = discount(bonus);
                out.push(Offer::Sale(Sale {
                    account: case.account,
                    market: case.market,
                    whole,
                    part,
                    discount,
                    fee: Rate::from_f64(discount.as_f64() * self.protocol_fee),
                    penalty: Rate::ZERO,
                }));
            }
        }
    }
    fn name(&self) -> &'static str {
        self.name
    }
    fn needs_keepers(&self) -> bool {
        true
    }
    fn bonus(&self, loan: &Loan) -> Option<f64> {
        Some(self.bonus.unwrap_or_else(|| usual_bonus(loan)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;

    /// What a policy offers for a lone position at 100 with a threshold of 80 %: all, part, discount.
    pub(in super::super) fn offered(
        policy: &mut impl LiquidationPolicy,
        quantity: i64,
        equity: i64,
    ) -> Option<Sale> {
        let schedule = schedule(&[(i64::MAX, 0.2)]);
        let mut out = Vec::new();
        policy.offer(
            &view(&schedule),
            &[case(&schedule, quantity, equity)],
            &mut out,
        );
        match out[..] {
            [Offer::Sale(sale)] => Some(sale),
            _ => None,
        }
    }

    fn policy(small: i64, dust: i64, halt_toxic: bool) -> CloseFactor {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let settings = CloseFactorSettings {
            small: small.into(),
            dust: dust.into(),
            bonus: Some(Decimal::new(5, 2)),
            halt_toxic,
            ..CloseFactorSettings::default()
        };
        assert_eq!(settings.problems(), []);
        CloseFactor::new(&settings, &grid)
    }

    fn lots(policy: &mut CloseFactor, quantity: i64, equity: i64) -> (i64, i64) {
        let sale = offered(policy, quantity, equity).unwrap();
        (sale.whole.0, sale.part.0)
    }

    #[test]
    fn half_of_the_debt_is_repaid_at_the_bonus() {
        let mut aave = policy(2_000, 1_000, false);
        // 1,000 lots at 100 against 82,000: 41,000 repaid seize 43,050.
        let sale = offered(&mut aave, 1_000, 18_000).unwrap();
        assert_eq!((sale.whole, sale.part), (Lots(430), Lots(430)));
        assert_eq!(sale.discount, Rate::from_f64(0.05 / 1.05));
        // A tenth of the bonus is the fund's.
        assert!((sale.fee.as_f64() - 0.004_761_905).abs() < 1e-9);
        // Health 0.95 is 84,210.5 of debt: from there on all of it, with its bonus.
        assert_eq!(lots(&mut aave, 1_000, 15_790), (442, 442));
        assert_eq!(lots(&mut aave, 1_000, 15_700).0, 885);
        // More than there is is not seized.
        assert_eq!(lots(&mut aave, 1_000, 2_000).0, 1_000);
        // A debt of less than 2,000 goes at once.
        assert_eq!(lots(&mut aave, 24, 430).0, 20);
        assert_eq!(lots(&mut aave, -1_000, 18_000), (430, 430));
    }

    #[test]
    fn no_crumbs_are_left() {
        let mut aave = policy(2_000, 1_000, false);
        // Debt 2,320 of 2,400: 24 lots; part of it leaves 1,000 of debt and of collateral.
        assert_eq!(lots(&mut aave, 24, 80), (24, 13));
        // Debt 820 of 1,000: all or nothing.
        assert_eq!(lots(&mut aave, 10, 180), (8, 0));
        assert_eq!(lots(&mut policy(2_000, 0, false), 10, 180), (8, 8));
    }

    #[test]
    fn halted_above_the_toxic_ratio_nothing_is_offered() {
        let mut halting = policy(0, 0, true);
        assert!(offered(&mut halting, 1_000, 4_762).is_some());
        assert!(offered(&mut halting, 1_000, 4_761).is_none());
        assert!(offered(&mut policy(0, 0, false), 1_000, 3_000).is_some());
    }
}
