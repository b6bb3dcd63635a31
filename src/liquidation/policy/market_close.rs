//! The whole position at market, at once.

use super::{Case, Forced, LiquidationPolicy};
use crate::market::Order;

/// Closes everything at market.
pub struct MarketClose;

impl LiquidationPolicy for MarketClose {
    fn release(&mut self, cases: &[Case], out: &mut Vec<Forced>) {
        out.extend(cases.iter().map(|case| Forced {
            market: case.market,
            order: Order::market(case.account, case.closing_side(), case.quantity.abs()),
            cooldown: 0,
        }));
    }
    fn name(&self) -> &'static str {
        "market_close"
    }
}
