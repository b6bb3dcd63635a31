//! The whole position at market, at once.

use super::{Case, Forced, LiquidationPolicy, PolicyView};
use crate::market::Order;

/// Closes everything at market.
#[derive(Clone)]
pub struct MarketClose;

impl LiquidationPolicy for MarketClose {
    fn release(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        out.extend(cases.iter().map(|case| {
            let order = Order::market(case.account, case.closing_side(), case.quantity.abs());
            Forced::book(case.market, order, 0)
        }));
    }
    fn name(&self) -> &'static str {
        "market_close"
    }
}
