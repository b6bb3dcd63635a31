//! As much of each position as restores a margin ratio, at market, and no more.
//!
//! # Units
//!
//! The target is a margin ratio: maintenance requirement over equity, as in the traders' own `reduce`.
//!
//! # Invariants
//!
//! - `the_least_quantity_restores_the_ratio_and_a_lot_less_does_not` (in [`super::sizing`]): at the mark,
//!   after the liquidation fee. What the order's own impact does to the mark is the next check's business.
//!
//! # Reference
//!
//! The sizing of BitMEX, Bybit and OKX without their brackets; after a share φ was closed at the trigger
//! `p` the next one lies at `p · (1 − m / (1 − φ)) / (1 − m)`, here with `1 − φ` = the target.

use super::{Case, Forced, LiquidationPolicy, PolicyView, share, sizing};
use crate::market::Order;
use crate::unit::{Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the partial close.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartialSettings {
    /// Margin ratio (maintenance over equity) that closing shall restore.
    pub target: Decimal,
}

impl Default for PartialSettings {
    fn default() -> Self {
        Self {
            target: Decimal::new(8, 1),
        }
    }
}

impl PartialSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        share("target", self.target)
    }
}

/// Closes the least quantity that restores a margin ratio.
#[derive(Clone)]
pub struct Partial {
    target: Rate,
}

impl Partial {
    /// The policy of these settings.
    pub fn new(settings: &PartialSettings) -> Self {
        Self {
            target: super::rate(settings.target),
        }
    }
}

impl LiquidationPolicy for Partial {
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        for case in cases {
            let quantity = sizing::least(view, case, self.target);
            if quantity > Lots::ZERO {
                out.push(Forced::book(
                    case.market,
                    Order::market(case.account, case.closing_side(), quantity),
                    0,
                ));
            }
        }
    }
    fn name(&self) -> &'static str {
        "partial"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, sent, view};
    use super::*;

    #[test]
    fn a_target_ratio_keeps_the_share_that_equity_pays_for() {
        // At the trigger equity is the requirement: a target of 0.8 keeps 80 %.
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let mut policy = Partial::new(&PartialSettings::default());
        let cases = [
            case(&schedule, 1_000, 4_999),
            case(&schedule, -1_000, 2_500),
        ];
        // 0.8 · 4,999 = 3,999.2 pays for 799 lots at 5 a lot, 0.8 · 2,500 for 400.
        assert_eq!(
            sent(&mut policy, &view(&schedule), &cases),
            [(201, 0), (600, 0)]
        );
        let bankrupt = [case(&schedule, 1_000, -1)];
        assert_eq!(sent(&mut policy, &view(&schedule), &bankrupt), [(1_000, 0)]);
    }
}
