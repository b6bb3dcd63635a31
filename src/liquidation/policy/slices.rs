//! Large positions a fraction at a time, with a cooldown.
//!
//! A position above the threshold is closed by a fraction; after the cooldown, if it is still
//! breached, by all that remains. Between slices the book can refill and the trader can answer.
//!
//! # Reference
//!
//! Hyperliquid documentation, "Liquidations" (2025): positions above $100k send 20 % first, then
//! 30 s of cooldown, then the full rest.

use super::{Case, Forced, LiquidationPolicy, PolicyView};
use crate::market::Order;
use crate::unit::{AccountId, Cash, Grid, Lots, MarketId, Rate, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the slices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlicesSettings {
    /// Share of the position in the first slice.
    pub fraction: Decimal,
    /// Positions of this notional or less are closed at once.
    pub above: Decimal,
    /// Time between the first slice and the rest.
    pub cooldown: Span,
}

impl SlicesSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.fraction <= Decimal::ZERO || self.fraction > Decimal::ONE {
            problems.push((
                "fraction".to_owned(),
                format!(
                    "must be greater than 0 and at most 1, found {}",
                    self.fraction
                ),
            ));
        }
        if self.above < Decimal::ZERO {
            problems.push((
                "above".to_owned(),
                format!("must not be negative, found {}", self.above),
            ));
        }
        problems
    }
}

/// Closes large positions by slices.
#[derive(Clone)]
pub struct Slices {
    fraction: Rate,
    above: Cash,
    cooldown: u32,
    /// Positions whose first slice was sent, in ascending order.
    begun: Vec<(AccountId, MarketId)>,
}

impl Slices {
    /// The policy on a market's grid, with steps of `dt` seconds.
    pub fn new(settings: &SlicesSettings, grid: &Grid, dt: f64) -> Self {
        Self {
            fraction: Rate::from_decimal(settings.fraction.round_dp(9)).unwrap_or(Rate::ONE),
            above: grid.cash(settings.above).unwrap_or(Cash::MAX),
            cooldown: settings.cooldown.steps(dt),
            begun: Vec::with_capacity(1024),
        }
    }
}

impl LiquidationPolicy for Slices {
    fn release(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        for case in cases {
            let whole = case.quantity.abs();
            let begun = self.begun.binary_search(&(case.account, case.market));
            let (quantity, cooldown) = match begun {
                Ok(at) => {
                    self.begun.remove(at);
                    (whole, 0)
                }
                Err(at) if case.notional > self.above => {
                    self.begun.insert(at, (case.account, case.market));
                    let slice = self.fraction.mul_up(Cash(whole.0)).0.clamp(1, whole.0);
                    (Lots(slice), self.cooldown)
                }
                Err(_) => (whole, 0),
            };
            out.push(Forced::book(
                case.market,
                Order::market(case.account, case.closing_side(), quantity),
                cooldown,
            ));
        }
    }
    fn name(&self) -> &'static str {
        "slices"
    }
    fn recovered(&mut self, account: AccountId) {
        let from = self.begun.partition_point(|(begun, _)| *begun < account);
        let to = self.begun.partition_point(|(begun, _)| *begun <= account);
        self.begun.drain(from..to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn policy() -> Slices {
        let settings = SlicesSettings {
            fraction: "0.2".parse().unwrap(),
            above: 1_000.into(),
            cooldown: Span::seconds(30.0),
        };
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        Slices::new(&settings, &grid, 1.0)
    }

    fn sent(policy: &mut Slices, account: u32, quantity: i64) -> (i64, u32) {
        let schedule = super::super::tests::schedule(&[(i64::MAX, 0.05)]);
        let mut case = super::super::tests::case(&schedule, quantity, 1);
        case.account = AccountId(account);
        super::super::tests::sent(policy, &super::super::tests::view(&schedule), &[case])[0]
    }

    #[test]
    fn a_fifth_first_then_the_rest_after_the_cooldown() {
        let mut policy = policy();
        assert_eq!(sent(&mut policy, 7, 50), (10, 30));
        assert_eq!(sent(&mut policy, 7, 40), (40, 0));
        assert_eq!(sent(&mut policy, 8, -10), (10, 0));
    }

    #[test]
    fn whoever_recovered_begins_with_a_slice_again() {
        let mut policy = policy();
        sent(&mut policy, 7, 50);
        policy.recovered(AccountId(7));
        assert_eq!(sent(&mut policy, 7, 40), (8, 30));
    }
}
