//! Phases 1 to 4: what happens to all before anybody acts.

use super::event::EventKind;
use super::world::World;
use crate::margin::RiskView;
use crate::market::Conditions;
use crate::math::{Purpose, ops};
use crate::trader::Published;
use crate::unit::{Cash, Lots, MarketId};

/// How far the rates may rise above those for which safe radii were taken, before all are taken anew.
pub(super) const HEADROOM: f64 = 1.05;
/// How far the funding index may move, relative to the mark, before all are taken anew.
pub(super) const FUNDING_DRIFT: f64 = 1e-3;

impl World {
    /// Phase 1: the reference moves, and quotes follow it.
    pub(super) fn environment(&mut self) {
        self.break_and_mend();
        let after = self.step as usize + 1;
        let time = f64::from(self.step) * self.dt;
        for m in 0..self.markets.len() {
            let market = &mut self.markets[m];
            market.reference = market.path[after];
            let effects = self.safety.effects(MarketId(m as u16));
            market.liquidity = market.flight.factor(time) * effects.depth;
            market.mid_before = market.venue.mid();
            let conditions = Conditions {
                step: self.step + 1,
                anchor: market.anchor.price(market.reference),
                depth: market.liquidity,
            };
            let mut fills = std::mem::take(&mut self.scratch.fills);
            fills.clear();
            // In a halt nobody quotes anew, and nothing trades; what recovers is there at the reopening.
            let idle = self.safety.halted(MarketId(m as u16), self.step);
            self.safety.guards[m].idle = idle;
            if !idle {
                market.venue.open(&conditions, &mut fills);
            }
            let row = &mut self.rows[m];
            *row = super::observer::MarketRow {
                base_maintenance: row.base_maintenance,
                bid_depth: row.bid_depth,
                ask_depth: row.ask_depth,
                volume: row.volume,
                down: row.down,
                up: row.up,
                ..Default::default()
            };
            let volume = row.volume;
            row.volume = Lots::ZERO;
            self.scratch.fills = fills;
            self.trace_opening(m, idle);
            self.book(MarketId(m as u16));
            // The rule of phase 4 sees the volume of the step before.
            self.published[m].depth = (self.rows[m].bid_depth, self.rows[m].ask_depth);
            self.last_volume[m] = volume;
            self.reopen(m);
        }
    }

    /// Where correlations become those of stress or cease to be, margin's do so with them; tells whether cross accounts are to be filed anew.
    fn change_correlation(&mut self) -> bool {
        let Some(stress) = &mut self.stress else {
            return false;
        };
        let now = stress.steps.get(self.step as usize) == Some(&true);
        if now == self.totals.stressed {
            return false;
        }
        self.totals.stressed = now;
        std::mem::swap(&mut self.portfolio, &mut stress.portfolio);
        if let (Some(chain), Some(rule)) = (&mut self.options, &mut stress.options) {
            chain.change_rule(rule);
        }
        true
    }

    /// Phase 2: index and mark are published, and with them what traders see.
    pub(super) fn publish_marks(&mut self) {
        for m in 0..self.markets.len() {
            let draw = self
                .draws
                .stream(Purpose::Oracle, m as u32, self.step)
                .normal();
            let market = &self.markets[m];
            let outside = market.anchor.price(market.reference);
            let index = self.guarded_index(m, outside, draw);
            let market = &mut self.markets[m];
            market.index = index;
            let view = market.mark_view(self.step);
            market.mark.see(&view, self.dt);
            self.previous_marks[m] = self.marks[m];
            self.marks[m] = market.mark.price(&view);
            let before = self.published[m].mid;
            self.published[m] = Published {
                contract: market.contract,
                spot: market.spot,
                reference: market.reference,
                index: market.index,
                mark: self.marks[m],
                quote: view.quote,
                mid: view.mid,
                last: view.last,
                volatility: market.flight.sigma(),
                log_return: ops::ln(view.mid / before),
                depth: self.published[m].depth,
                liquidity: market.liquidity,
                funding: self.funding[m],
            };
        }
        self.publish_options();
    }

    /// Between two rounds: the mark sees the trades of the round before.
    pub(super) fn remark(&mut self) {
        self.previous_marks.copy_from_slice(&self.marks);
        for (market, mark) in self.markets.iter().zip(&mut self.marks) {
            *mark = market.mark.price(&market.mark_view(self.step));
        }
        self.revalue_options();
    }

    /// Phase 3: funding falls due.
    pub(super) fn accrue(&mut self) {
        for m in 0..self.markets.len() {
            let market = &mut self.markets[m];
            let quote = market.venue.quote();
            if market
                .funding
                .accrue(self.step, quote, market.index, &market.contract)
            {
                self.funding[m] = market.funding.index();
                let rate = market.funding.rate();
                self.emit(
                    EventKind::FundingPaid,
                    None,
                    Some(MarketId(m as u16)),
                    Lots::ZERO,
                    self.marks[m],
                    Cash((rate * 1e9).round_ties_even() as i64),
                );
            }
        }
    }

    /// Phase 4: the margin rule sets this step's rates.
    pub(super) fn set_risk_parameters(&mut self) {
        let mut stale = self.change_correlation();
        for m in 0..self.markets.len() {
            let market = &mut self.markets[m];
            let view = RiskView {
                step: self.step,
                dt: self.dt,
                index: market.index,
                mark: self.marks[m].as_f64(),
                bid_depth: self.rows[m].bid_depth,
                ask_depth: self.rows[m].ask_depth,
                volume: self.last_volume[m],
                open_interest: self.ledger.open_interest(MarketId(m as u16)),
                funding_rate: market.funding.rate(),
                funding_period: market.funding.period(),
                quanta: market.contract.per_tick(self.marks[m].as_f64()),
                reproduction_down: self.rows[m].down,
                reproduction_up: self.rows[m].up,
            };
            if self.safety.effects(MarketId(m as u16)).feed_gap {
                market.moved = false;
                continue;
            }
            market.rule.schedule(&view, &mut market.schedule);
            market.moved = market.schedule != market.before;
            if market.moved {
                market.before.copy_from(&market.schedule);
            }
            let trace = market.rule.trace();
            self.rows[m].base_maintenance = trace
                .first()
                .map_or_else(|| market.schedule.level(), |base| base.maintenance);
            self.traces[m].clear();
            self.traces[m].extend_from_slice(trace);
            let slope = market.contract.slope();
            let funding =
                self.funding[m] as f64 / (slope * crate::market::funding::INDEX_SCALE as f64);
            let level = market.contract.level(view.mark).abs();
            stale |= market.schedule.outgrows(&market.epoch.0, HEADROOM)
                || (funding - market.epoch.1).abs() > FUNDING_DRIFT * level;
        }
        self.widen_scans();
        if stale && self.index.cross_slots() > 0 {
            for m in 0..self.markets.len() {
                let funding = self.funding_level(MarketId(m as u16));
                let market = &mut self.markets[m];
                market.epoch.0.copy_from(&market.schedule);
                market.epoch.1 = funding;
            }
            self.touched.extend_from_slice(&self.cross);
        }
    }
}
