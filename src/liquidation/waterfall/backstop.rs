//! The backstop: a vault that takes positions over with their collateral, and unwinds them with patience.
//!
//! The vault is an account in the ledger with capital of its own. It takes an account's positions at the price that
//! leaves that account with nothing, so that whatever margin is left is the vault's; from then on they are marked to market
//! as anybody's. It takes on only what its capital can carry, and stops for good once it has lost its limit.
//!
//! # Units
//!
//! Capital and limit in quanta, the half-life in steps.
//!
//! # Invariants
//!
//! - `a_vault_takes_on_what_its_capital_carries`.
//! - `half_of_a_position_is_unwound_in_a_half_life`.
//!
//! # Reference
//!
//! Hyperliquid documentation, "Liquidations" (compiled 2026-11-22): below two thirds of the maintenance margin positions and
//! collateral go to the liquidator vault, and the margin isn't returned. After March 2025 (JELLY) the vault is capped, and
//! beyond its loss limit positions are auto-deleveraged. Capacity and limit are not published.

use crate::math::ops;
use crate::unit::{Cash, Lots, Rate, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the backstop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackstopSettings {
    /// Its capital at the start, in settlement currency.
    pub capital: Decimal,
    /// Equity over requirement below which an account in liquidation is taken over.
    #[serde(default = "two_thirds")]
    pub at: Decimal,
    /// Time in which half of a position is unwound.
    #[serde(default = "ten_minutes")]
    pub half_life: Span,
    /// Loss, over its capital, at which it takes nothing more on.
    #[serde(default = "all")]
    pub loss_limit: Decimal,
}

fn two_thirds() -> Decimal {
    Decimal::new(666_666_667, 9)
}
fn ten_minutes() -> Span {
    Span::seconds(600.0)
}
const fn all() -> Decimal {
    Decimal::ONE
}

impl BackstopSettings {
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.capital <= Decimal::ZERO {
            problems.push((
                "capital".to_owned(),
                format!("must be greater than 0, found {}", self.capital),
            ));
        }
        for (key, found) in [("at", self.at), ("loss_limit", self.loss_limit)] {
            if found <= Decimal::ZERO || found > Decimal::ONE {
                problems.push((
                    key.to_owned(),
                    format!("must be greater than 0 and at most 1, found {found}"),
                ));
            }
        }
        problems
    }
}

/// The backstop's rules, in the engine's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backstop {
    /// Capital at the start.
    pub capital: Cash,
    /// Equity over requirement below which an account is taken over.
    pub at: Rate,
    /// Steps in which half of a position is unwound.
    pub half_life: f64,
    /// Loss at which it stops.
    pub loss_limit: Cash,
}

impl Backstop {
    /// Whether an account in liquidation is due to be taken over.
    pub fn due(&self, equity: i128, requirement: Cash) -> bool {
        equity * i128::from(Rate::ONE.0) < i128::from(requirement.0) * i128::from(self.at.0)
    }

    /// Whether a vault of so much equity can take on positions that change its equity by `gain` and leave it with a
    /// requirement of so much.
    pub fn carries(&self, equity: i128, gain: i128, requirement: Cash) -> bool {
        let after = equity + gain;
        after >= i128::from(requirement.0) && !self.spent(after)
    }

    /// Whether a vault of so much equity has lost its limit.
    pub fn spent(&self, equity: i128) -> bool {
        i128::from(self.capital.0) - equity >= i128::from(self.loss_limit.0)
    }

    /// What one step unwinds of a quantity: at least a lot.
    pub fn unwinds(&self, held: Lots) -> Lots {
        let share = 1.0 - ops::halved(1.0, self.half_life);
        Lots((held.abs().as_f64() * share).ceil() as i64).min(held.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: Backstop = Backstop {
        capital: Cash(1_000),
        at: Rate(666_666_667),
        half_life: 10.0,
        loss_limit: Cash(400),
    };

    #[test]
    fn accounts_are_taken_over_below_two_thirds_of_their_requirement() {
        assert!(VAULT.due(199, Cash(300)));
        assert!(!VAULT.due(201, Cash(300)));
        assert!(VAULT.due(-5, Cash(300)));
    }

    #[test]
    fn a_vault_takes_on_what_its_capital_carries() {
        assert!(VAULT.carries(1_000, 50, Cash(1_050)));
        assert!(!VAULT.carries(1_000, 50, Cash(1_051)));
        // A loss of 400 is the limit.
        assert!(VAULT.carries(1_000, -399, Cash(10)));
        assert!(!VAULT.carries(1_000, -400, Cash(10)));
        assert!(VAULT.spent(600) && !VAULT.spent(601));
    }

    #[test]
    fn half_of_a_position_is_unwound_in_a_half_life() {
        let mut held = Lots(1_000_000);
        for _ in 0..10 {
            held = held - VAULT.unwinds(held);
        }
        assert!((held.0 - 500_000).abs() <= 10, "{held:?}");
        assert_eq!(VAULT.unwinds(Lots(-1)), Lots(1));
        assert_eq!(VAULT.unwinds(Lots(0)), Lots(0));
    }
}
