//! An immediate order limited at the bankruptcy price; the rest is taken over by the fund.
//!
//! While the account's equity is positive nothing is sold below its bankruptcy price, so nobody
//! else pays. Once the mark is beyond it the insurance fund takes the position over at that price
//! and closes it in the market on its own account: what the market pays less is the fund's loss,
//! and what collateral is left is the fund's gain.
//!
//! # Reference
//!
//! Binance, "Liquidation protocols": immediate-or-cancel, then takeover at the bankruptcy price;
//! BitMEX liquidation examples: "engine takes over the position and attempts to close it at the bankruptcy price".

use super::{Case, Forced, LiquidationPolicy, PolicyView, price};
use crate::market::Order;
use crate::unit::Cash;

/// Closes at the bankruptcy price or better, and after bankruptcy at market for the fund.
#[derive(Clone)]
pub struct BankruptcyLimit;

/// All of a position: at its zero price or better while the account is solvent, at market once it is bankrupt.
pub fn take_over(case: &Case) -> Forced {
    let side = case.closing_side();
    let quantity = case.quantity.abs();
    let order = if case.equity < Cash::ZERO {
        Order::market(case.account, side, quantity)
    } else {
        // Rounded so that the whole position, sold at the limit, leaves nothing owed.
        Order::immediate(
            case.account,
            side,
            quantity,
            price::limit(side, case.zero_price),
        )
    };
    Forced::book(case.market, order, 0)
}

impl LiquidationPolicy for BankruptcyLimit {
    fn release(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        out.extend(cases.iter().map(take_over));
    }
    fn name(&self) -> &'static str {
        "bankruptcy_limit"
    }
    fn forfeits(&self) -> bool {
        true
    }
}
