//! A small world made by hand, for the strategies' tests: prices of 10,000 ticks at a tick of 0.01
//! and a lot of 1, so that a lot is worth 100.

use crate::account::Ledger;
use crate::market::{Contract, Order, Quote};
use crate::math::Draws;
use crate::trader::{Behaviour, Intent, Members, Published, View};
use crate::unit::{AccountId, Cash, CohortId, Grid, Lots, MarketId, Ticks};

pub(super) struct World {
    pub(super) grids: Vec<Grid>,
    pub(super) markets: Vec<Published>,
    pub(super) ledger: Ledger,
    pub(super) members: Members,
}

impl World {
    pub(super) fn isolated(count: u32) -> Self {
        Self::new(count, 10_000, true, &[1.0])
    }
    pub(super) fn cross(count: u32, weights: &[f64]) -> Self {
        Self::new(count, 10_000, false, weights)
    }
    pub(super) fn with_prices(count: u32, price: i64) -> Self {
        Self::new(count, price, true, &[1.0])
    }

    fn new(count: u32, price: i64, isolated: bool, weights: &[f64]) -> Self {
        let d = |text: &str| text.parse().unwrap();
        // A finer tick for larger prices, so that notionals stay within 63 bits.
        let tick = if price > 1_000_000 {
            "0.000001"
        } else {
            "0.01"
        };
        let grid = Grid::new(d(tick), d("1"), d("0.000001")).unwrap();
        let contract = Contract::linear(grid.quanta_per_tick_lot().unwrap());
        let mut ledger = Ledger::new(vec![contract; weights.len()]);
        let first = AccountId(ledger.len() as u32);
        for _ in 0..count {
            let id = ledger.open(isolated.then_some(MarketId(0)), CohortId(3));
            ledger.deposit(id, Cash(1_000_000_000));
        }
        let published = Published {
            contract,
            spot: false,
            reference: price as f64,
            index: price as f64,
            mark: Ticks(price),
            quote: Quote {
                bid: Some(Ticks(price - 1)),
                ask: Some(Ticks(price + 1)),
            },
            mid: price as f64,
            last: Ticks(price),
            volatility: 1e-4,
            log_return: 0.0,
            depth: (Lots(1_000), Lots(1_000)),
            liquidity: 1.0,
            funding: 0,
        };
        Self {
            grids: vec![grid; weights.len()],
            markets: vec![published; weights.len()],
            ledger,
            members: Members {
                cohort: CohortId(3),
                first,
                count,
                markets: weights
                    .iter()
                    .enumerate()
                    .map(|(market, weight)| (MarketId(market as u16), *weight))
                    .collect(),
                latency: 0.0,
            },
        }
    }

    /// Moves every published price of a market.
    pub(super) fn price(&mut self, market: usize, price: i64) {
        let published = &mut self.markets[market];
        published.mark = Ticks(price);
        published.last = Ticks(price);
        published.mid = price as f64;
        published.quote.bid = Some(Ticks(price - 1));
        published.quote.ask = Some(Ticks(price + 1));
    }

    /// A member trades with the outside world.
    pub(super) fn trade(&mut self, id: AccountId, market: MarketId, lots: Lots, price: Ticks) {
        let value = self.markets[market.index()].contract.value(lots, price);
        self.ledger.trade(id, market, lots, value);
        self.ledger.trade(AccountId::OUTSIDE, market, -lots, -value);
    }

    /// Everything that the cohort does in a step of one second.
    pub(super) fn intents(&self, behaviour: &mut dyn Behaviour, step: u32) -> Vec<Intent> {
        let view = View {
            step,
            dt: 1.0,
            markets: &self.markets,
            ledger: &self.ledger,
        };
        let mut out = Vec::new();
        behaviour.act(&view, &self.members, &Draws::new(5, 0), &mut out);
        out
    }

    /// The orders among them, with their markets.
    pub(super) fn placed(
        &self,
        behaviour: &mut dyn Behaviour,
        step: u32,
    ) -> Vec<(MarketId, Order)> {
        self.intents(behaviour, step)
            .into_iter()
            .filter_map(|intent| match intent {
                Intent::Place { market, order, .. } => Some((market, order)),
                Intent::CancelAll { .. } => None,
            })
            .collect()
    }

    /// The orders among them.
    pub(super) fn orders(&self, behaviour: &mut dyn Behaviour, step: u32) -> Vec<Order> {
        self.placed(behaviour, step)
            .into_iter()
            .map(|(_, order)| order)
            .collect()
    }
}
