//! Poisson arrivals of a cohort's orders, and the flow that follows a signal.
//!
//! Each order has a stream of its own, so that what one order draws never shifts another's. Where
//! the rate follows a signal, candidates arrive at the largest rate there is and a
//! keyed draw keeps the share that the signal asks for: two worlds with different prices see the
//! same candidates, and differ only in which of them trade.
//!
//! # Reference
//!
//! Lewis, P. A. W. and Shedler, G. S. (1979), "Simulation of nonhomogeneous Poisson processes by
//! thinning", Naval Research Logistics Quarterly 26.

use super::{Sizer, acts};
use crate::market::Order;
use crate::math::sample::Sampled;
use crate::math::{Draws, Purpose, Stream};
use crate::trader::{Intent, Members, Published, View};
use crate::unit::{AccountId, Grid, MarketId, Side, Ticks};

/// The step's arrivals at a rate per member and hour: one stream of draws an order.
pub(super) fn arrivals(
    rate: f64,
    view: &View<'_>,
    members: &Members,
    draws: &Draws,
) -> impl Iterator<Item = Stream> + use<> {
    let (cohort, step) = (u32::from(members.cohort.0), view.step);
    let mean = rate * f64::from(members.count) * view.dt / 3_600.0;
    let count = draws.stream(Purpose::Arrival, cohort, step).poisson(mean);
    let key = draws.stream(Purpose::Order, cohort, step).bits();
    (0..count)
        .map(move |place| Draws::new(key, u64::from(place)).stream(Purpose::Order, cohort, step))
}

/// Who sends the order, and in which market: an isolated member in its own, a cross member in one
/// drawn by weight. Always takes two draws; nothing where the member no longer decides.
pub(super) fn pick(
    stream: &mut Stream,
    view: &View<'_>,
    members: &Members,
) -> Option<(AccountId, MarketId)> {
    let id = members.get(stream.below(u64::from(members.count)) as u32);
    let mut left = stream.uniform();
    if !acts(view, id) {
        return None;
    }
    if let Some(market) = view.ledger.account(id).isolated() {
        return Some((id, market));
    }
    for &(market, weight) in &members.markets {
        left -= weight;
        if left < 0.0 {
            return Some((id, market));
        }
    }
    members.markets.last().map(|&(market, _)| (id, market))
}

/// Orders at once, whose side is the sign of a signal and whose rate grows with its size: `rate ·
/// min(|signal| / threshold, cap)` above the threshold, nothing below.
#[derive(Clone)]
pub(super) struct SignalFlow {
    rate: f64,
    threshold: f64,
    cap: f64,
    size: Sampled,
    sizer: Sizer,
    /// The signal by market: positive buys.
    pub(super) signal: Vec<f64>,
}

impl SignalFlow {
    pub(super) fn new(rate: f64, threshold: f64, cap: f64, size: &Sampled, grids: &[Grid]) -> Self {
        Self {
            rate,
            threshold,
            cap,
            size: size.clone(),
            sizer: Sizer::new(grids),
            signal: vec![0.0; grids.len()],
        }
    }

    fn intensity(&self, signal: f64) -> f64 {
        if signal.abs() > self.threshold {
            (signal.abs() / self.threshold).min(self.cap)
        } else {
            0.0
        }
    }

    /// Appends the step's orders, limited by the price that `limit` states for a market and side.
    pub(super) fn send(
        &self,
        view: &View<'_>,
        members: &Members,
        draws: &Draws,
        limit: impl Fn(&Published, Side) -> Option<Ticks>,
        out: &mut Vec<Intent>,
    ) {
        if members.count == 0 || self.signal.iter().all(|s| self.intensity(*s) == 0.0) {
            return;
        }
        for mut stream in arrivals(self.rate * self.cap, view, members, draws) {
            let kept = stream.uniform() * self.cap;
            let Some((owner, market)) = pick(&mut stream, view, members) else {
                continue;
            };
            let signal = self.signal[market.index()];
            if kept >= self.intensity(signal) {
                continue;
            }
            let published = &view.markets[market.index()];
            let side = if signal > 0.0 { Side::Buy } else { Side::Sell };
            let notional = self.size.draw(&mut stream);
            let quantity = self.sizer.lots(market, published, notional);
            let order = match limit(published, side) {
                Some(limit) => Order::immediate(owner, side, quantity, limit),
                None => Order::market(owner, side, quantity),
            };
            out.push(Intent::Place {
                market,
                order,
                lifetime: u32::MAX,
            });
        }
    }
}

/// A price in whole ticks that is never worse for its owner: down for a buy, up for a sell; at
/// least one tick.
pub(super) fn passive(side: Side, price: f64) -> Ticks {
    let whole = match side {
        Side::Buy => price.floor(),
        Side::Sell => price.ceil(),
    };
    Ticks((whole as i64).max(1))
}
