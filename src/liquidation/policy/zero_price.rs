//! An immediate order at the zero price for each position; what is better than that pays a fee.
//!
//! A fill at the zero price leaves the account's margin ratio as it is, a better one improves it. What does not
//! fill stays with the account, which is looked at again. A bankrupt account is closed at market for the
//! insurance fund, unless a backstop takes it over before (Lighter's close-out margin is one at a share of the
//! requirement: `liquidation.backstop`).
//!
//! # Invariants
//!
//! - `a_solvent_account_is_never_sold_below_its_zero_price`.
//! - The fee is taken from the improvement alone, so that it never worsens the margin ratio.
//!
//! # Reference
//!
//! Lighter documentation, "Liquidations and insurance fund" (compiled 2026-11-22): cancel orders, then an
//! immediate-or-cancel order for each position at its zero price; of what is better up to 1 % goes to the fund.

use super::{Case, Forced, LiquidationPolicy, PolicyView, bankruptcy_limit, rate, share};
use crate::unit::Rate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the zero-price order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ZeroPriceSettings {
    /// Most that the fund gets of what a fill is better than the zero price, over the value of the fill; in
    /// place of the liquidation fee.
    pub surplus_fee: Decimal,
}

impl Default for ZeroPriceSettings {
    fn default() -> Self {
        Self {
            surplus_fee: Decimal::new(1, 2),
        }
    }
}

impl ZeroPriceSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        if self.surplus_fee == Decimal::ZERO {
            Vec::new()
        } else {
            share("surplus_fee", self.surplus_fee)
        }
    }
}

/// Closes at the zero price or better.
#[derive(Clone)]
pub struct ZeroPrice {
    fee: Rate,
}

impl ZeroPrice {
    /// The policy of these settings.
    pub fn new(settings: &ZeroPriceSettings) -> Self {
        Self {
            fee: rate(settings.surplus_fee),
        }
    }
}

impl LiquidationPolicy for ZeroPrice {
    fn release(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        out.extend(cases.iter().map(bankruptcy_limit::take_over));
    }
    fn name(&self) -> &'static str {
        "zero_price"
    }
    fn surplus_fee(&self) -> Option<Rate> {
        Some(self.fee)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;
    use crate::unit::Ticks;

    #[test]
    fn a_solvent_account_is_never_sold_below_its_zero_price() {
        // 10 lots at 100 with an equity of 35: nothing is left at 96.5.
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let mut policy = ZeroPrice::new(&ZeroPriceSettings::default());
        let mut out = Vec::new();
        let cases = [
            case(&schedule, 10, 35),
            case(&schedule, -10, 35),
            case(&schedule, 10, -1),
        ];
        policy.release(&view(&schedule), &cases, &mut out);
        let limits: Vec<_> = out.iter().map(|forced| forced.order.limit).collect();
        assert_eq!(limits, [Some(Ticks(97)), Some(Ticks(103)), None]);
        assert_eq!(policy.surplus_fee(), Some(Rate::from_f64(0.01)));
    }
}
