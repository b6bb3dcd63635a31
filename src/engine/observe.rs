//! Phase 9, observation: what the step looked like. Nothing observed changes anything.

use super::observer::{MOVES, MarketRow, Observer, StepRow};
use super::options::OptionRow;
use super::reach::Reach;
use super::world::World;
use crate::unit::MarketId;

impl World {
    /// Phase 9; also lets the anchor and the liquidity providers take in where the step ended.
    pub(super) fn observe(&mut self, rounds: u32, observer: &mut impl Observer) {
        for (m, market) in self.markets.iter_mut().enumerate() {
            let mid = market.venue.mid();
            // A price that nobody traded at moves no other, while the outside goes on to undo what was traded before.
            let made = if self.safety.guards[m].idle {
                market.anchor.price(market.reference)
            } else {
                mid
            };
            market.anchor.absorb(made, market.reference, self.dt);
            market.flight.see(mid, self.dt);
        }
        self.observe_options();
        for m in 0..self.markets.len() {
            let id = MarketId(m as u16);
            let down_reach = self.reaches(id, true, MOVES);
            let up_reach = self.reaches(id, false, MOVES);
            let market = &self.markets[m];
            let quote = market.venue.quote();
            let (initial, maintenance) = (market.schedule.initial_level(), market.schedule.level());
            let row = &mut self.rows[m];
            *row = MarketRow {
                reference: market.reference,
                anchor: market.anchor.price(market.reference),
                index: market.index,
                mark: self.marks[m],
                last: market.venue.last(),
                mid: market.venue.mid(),
                bid: quote.bid,
                ask: quote.ask,
                open_interest: self.ledger.open_interest(id),
                maintenance,
                initial,
                funding_rate: market.funding.rate(),
                funding_index: self.funding[m],
                volatility: market.flight.sigma(),
                liquidity: market.liquidity,
                down: down_reach.map(Reach::ratio),
                up: up_reach.map(Reach::ratio),
                // The smallest move's depth: within 1 % of the mid.
                bid_depth: down_reach[0].depth,
                ask_depth: up_reach[0].depth,
                down_reach,
                up_reach,
                options: self
                    .options
                    .as_ref()
                    .map_or_else(OptionRow::default, |chain| chain.rows[m]),
                ..*row
            };
        }
        self.totals.liquidating = self.liquidating.len() as u32;
        self.totals.rounds = rounds;
        for event in &self.events {
            observer.event(event);
        }
        self.events.clear();
        if let Some(trace) = &mut self.trace {
            observer.causes(&trace.row());
            trace.clear();
        }
        for (market, place) in self.markets.iter().zip(0..) {
            if market.moved || self.step == 0 {
                observer.rates(self.step, MarketId(place), &market.schedule);
            }
        }
        if let Some(chain) = &self.options {
            observer.options(&chain.listed, &chain.alive, &chain.states);
        }
        for (id, held) in self.optioned.drain(..) {
            observer.optioned(self.step, id, &held);
        }
        observer.step(&StepRow {
            step: self.step,
            markets: &self.rows,
            world: &self.totals,
            parts: &self.traces,
        });
    }
}
