//! The price at which closing a position leaves nothing: one formula for every limit policy.
//!
//! The "bankruptcy price" of the classic isolated account, dYdX's and Lighter's "zero price" of a position in a
//! cross account are the same: `P · (1 − s · m · E / MM)`, with the mark `P`, the side `s`, the position's own
//! effective maintenance rate `m`, and the account's equity `E` over its requirement `MM`. A fill there
//! leaves `E / MM` as it is; if everything closes there, nothing is left and nothing is owed.
//!
//! # Units
//!
//! Prices in ticks as floats: signals for limits, never money.
//!
//! # Invariants
//!
//! - `both_forms_of_the_zero_price_agree`, and for a lone position it is where its equity is nothing.
//! - `the_fillable_price_begins_at_the_mark`: at `E = MM`, and is worst at `E ≤ 0`.
//! - `a_limit_is_rounded_in_the_accounts_favour`.
//!
//! # Reference
//!
//! Lighter documentation, "Liquidations and insurance fund" (zero price); dydxprotocol/v4-chain of 2026-03-04,
//! `protocol/x/clob/keeper/liquidations.go` (bankruptcy price, fillable price) and its genesis (SMMR 1.5, BA 1).

use crate::unit::{Side, Ticks};

/// The zero price of a position: the mark less its share of the account's equity on each lot. `per_lot` is the quanta
/// that the position gains per tick (negative for a short), `share` its part of the requirement.
pub fn zero(mark: f64, equity: f64, share: f64, per_lot: f64) -> f64 {
    mark - equity * share / per_lot
}

/// The worst price that dYdX accepts: `P · (1 − s · m · SMMR · clamp(BA · (1 − E / MM), 0, 1))`. `spread` is SMMR,
/// `adjustment` BA, `health` E / MM.
pub fn fillable(
    mark: f64,
    closing: Side,
    rate: f64,
    health: f64,
    spread: f64,
    adjustment: f64,
) -> f64 {
    let held = -closing.sign() as f64;
    mark * (1.0 - held * rate * spread * (adjustment * (1.0 - health)).clamp(0.0, 1.0))
}

/// A price as a limit, rounded in the favour of the account that closes.
pub fn limit(closing: Side, price: f64) -> Ticks {
    let whole = match closing {
        Side::Sell => price.ceil(),
        Side::Buy => price.floor(),
    };
    Ticks((whole as i64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_zero_price_agree() {
        // Two longs and a short, requirement 300 of which this one has 120, equity 210.
        let (mark, equity, requirement, own) = (1_000.0, 210.0, 300.0, 120.0);
        for quantity in [4.0, -4.0f64] {
            let rate = own / (4.0 * mark);
            let formula = mark * (1.0 - quantity.signum() * rate * equity / requirement);
            let found = zero(mark, equity, own / requirement, quantity);
            assert!((found - formula).abs() < 1e-9, "{found} {formula}");
        }
        // Alone: 4 lots at a mark of 1,000 with an equity of 210 are worth nothing 52.5 ticks further.
        assert_eq!(zero(1_000.0, 210.0, 1.0, 4.0), 947.5);
        assert_eq!(zero(1_000.0, 210.0, 1.0, -4.0), 1_052.5);
    }

    #[test]
    fn the_fillable_price_begins_at_the_mark() {
        let at = |health| fillable(1_000.0, Side::Sell, 0.012, health, 1.5, 1.0);
        assert_eq!(at(1.0), 1_000.0);
        assert_eq!(at(1.3), 1_000.0);
        // 1,000 · (1 − 0.012 · 1.5 · 0.5)
        assert!((at(0.5) - 991.0).abs() < 1e-9);
        assert!((at(0.0) - 982.0).abs() < 1e-9);
        assert_eq!(at(-3.0), at(0.0));
        let short = fillable(1_000.0, Side::Buy, 0.012, 0.5, 1.5, 1.0);
        assert!((short - 1_009.0).abs() < 1e-9);
        // Below a health of 0.6 it is beyond the zero price, 1,000 · (1 − 0.012 · E/MM): the fund would pay the rest.
        assert!(at(0.6) >= 1_000.0 * (1.0 - 0.012 * 0.6) - 1e-9);
        assert!(at(0.59) < 1_000.0 * (1.0 - 0.012 * 0.59));
    }

    #[test]
    fn a_limit_is_rounded_in_the_accounts_favour() {
        assert_eq!(limit(Side::Sell, 99.2), Ticks(100));
        assert_eq!(limit(Side::Buy, 99.8), Ticks(99));
        assert_eq!(limit(Side::Sell, -5.0), Ticks(1));
    }
}
