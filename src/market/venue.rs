//! The seam where price is made: an order book, or a closed-form impact law.

use super::order::{Execution, Fill, Order, OrderId};
use crate::unit::{Lots, Side, Ticks};
use dyn_clone::DynClone;

/// What a venue is told before it matches a step's orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// The step, from 0.
    pub step: u32,
    /// Where liquidity providers centre their quotes, in ticks.
    pub anchor: f64,
    /// Factor on the ambient depth: 1 in calm, less when liquidity flees, 0 when it is gone.
    pub depth: f64,
}

/// Best prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Highest price that somebody will pay.
    pub bid: Option<Ticks>,
    /// Lowest price at which somebody will sell.
    pub ask: Option<Ticks>,
}

/// Executes orders, says the last price, recovers. The only place where price is made.
///
/// Promise: a venue knows nothing of margin, accounts' states or the reason of an order; equal
/// sequences of calls give equal results. Every fill conserves quantity and value: what the
/// taker trades, the makers trade.
pub trait Venue: DynClone + Send {
    /// Begins a step: moves the ambient depth to its new anchor and size, lets consumed depth
    /// recover, and trades away resting orders that the new depth crosses (the background maker
    /// takes, at the resting order's own price). Fills are appended.
    fn open(&mut self, conditions: &Conditions, fills: &mut Vec<Fill>);

    /// Executes an order as far as it goes. Fills are appended in the order in which they happened.
    fn submit(&mut self, order: &Order, fills: &mut Vec<Fill>) -> Execution;

    /// Withdraws a resting order; the quantity withdrawn, nothing for a stale handle.
    fn cancel(&mut self, order: OrderId) -> Lots;

    /// Reduces a resting order to a smaller quantity, keeping its place in the queue; whether it
    /// was done. A new price or a larger quantity is a cancel and a new order.
    fn reduce(&mut self, order: OrderId, quantity: Lots) -> bool;

    /// What is left of a resting order; nothing for a stale handle.
    fn remaining(&self, order: OrderId) -> Lots;

    /// Best prices, ambient depth included.
    fn quote(&self) -> Quote;

    /// Midpoint of the best prices in ticks; where a side is empty, the other side's best price or
    /// the last trade.
    fn mid(&self) -> f64;

    /// Price of the last trade.
    fn last(&self) -> Ticks;

    /// Is told of a trade outside the book, such as a call auction's: it is the last one now.
    fn print(&mut self, price: Ticks);

    /// Quantity that a taker of `side` could trade at prices up to and including `limit`.
    fn depth(&self, side: Side, limit: Ticks) -> Lots;

    /// [`Venue::depth`] up to each of several limits, of which each lies farther out than the one before or where it is: for what
    /// is measured in every step, or at many distances.
    fn depths(&self, side: Side, limits: &[Ticks], out: &mut [Lots]) {
        for (out, limit) in out.iter_mut().zip(limits) {
            *out = self.depth(side, *limit);
        }
    }
}

dyn_clone::clone_trait_object!(Venue);
