//! Running sums and extremes over every step, so that metrics are exact whatever is recorded.

use super::correlation::Comoments;
use super::fall::Fall;
use super::frame::{Frame, MarketFrame};
use crate::engine::{MarketRow, WorldRow};
use crate::math::ops;
use crate::unit::{Cash, Lots};

/// One market over all steps so far.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketTally {
    /// Fall of the mid.
    pub mid: Fall,
    /// Fall of the mark.
    pub mark: Fall,
    /// Fall of the outside reference price.
    pub reference: Fall,
    /// Largest rise of the mid from its lowest.
    pub run_up: f64,
    /// Largest (reference − last) / reference.
    pub overshoot_down: f64,
    /// Largest (last − reference) / reference.
    pub overshoot_up: f64,
    /// Sum of squared log returns of the mid.
    pub squares: f64,
    /// Depth at the end of the first step, bids and asks.
    pub first_depth: Option<[Lots; 2]>,
    /// Smallest depth, bids and asks.
    pub least_depth: [Lots; 2],
    /// Largest (ask − bid) / mid.
    pub spread: Option<f64>,
    /// Quantity traded.
    pub volume: i128,
    /// Value traded, at each step's last price, in quanta.
    pub traded: i128,
    /// Quantity sold and bought by force.
    pub forced: [i128; 2],
    /// Value sold and bought by force, in quanta.
    pub forced_value: [i128; 2],
    /// Largest reproduction numbers down, by move.
    pub down: [f64; 3],
    /// Largest reproduction numbers up, by move.
    pub up: [f64; 3],
    /// Largest shares that hedgers would add to moves of 1, 2 and 5 %, down and up; largest damping counts as nothing.
    pub hedge: [[f64; 3]; 2],
    /// Quantity sold and bought by cohorts that hedge.
    pub hedged: [i128; 2],
    /// Sums of how far hedgers were off and of their options' delta, both without sign, in lots.
    pub hedge_gap: [f64; 2],
    /// Sum of changes of their options' delta by volatility, without sign, in lots.
    pub vanna: f64,
    /// Sum of changes of their options' worth by volatility, in ticks · lots.
    pub vega: f64,
    /// Reproduction numbers down at the end of the first step, by move.
    pub first_down: Option<[f64; 3]>,
    /// When the first of them reached one, down and up, in seconds.
    pub first_spiral: [Option<f64>; 2],
    /// Sum of maintenance rates.
    pub maintenance: f64,
    /// Highest maintenance rate.
    pub maintenance_peak: f64,
    /// Sum of initial rates.
    pub initial: f64,
    low: f64,
    last_mid: f64,
}

impl MarketTally {
    fn new(frame: &MarketFrame) -> Self {
        Self {
            mid: Fall::from(frame.start),
            mark: Fall::from(frame.start),
            reference: Fall::from(frame.start),
            run_up: 0.0,
            overshoot_down: 0.0,
            overshoot_up: 0.0,
            squares: 0.0,
            first_depth: None,
            least_depth: [Lots::MAX; 2],
            spread: None,
            volume: 0,
            traded: 0,
            forced: [0; 2],
            forced_value: [0; 2],
            down: [0.0; 3],
            up: [0.0; 3],
            hedge: [[0.0; 3]; 2],
            hedged: [0; 2],
            hedge_gap: [0.0; 2],
            vanna: 0.0,
            vega: 0.0,
            first_down: None,
            first_spiral: [None; 2],
            maintenance: 0.0,
            maintenance_peak: 0.0,
            initial: 0.0,
            low: frame.start,
            last_mid: frame.start,
        }
    }

    fn see(&mut self, frame: &MarketFrame, row: &MarketRow, time: f64) {
        self.see_prices(row, time);
        self.see_book(row);
        self.volume += i128::from(row.volume.0);
        self.traded += frame.contract.exposure(row.volume, row.last);
        for (side, (lots, value)) in [
            (row.forced_sold, row.forced_sold_value),
            (row.forced_bought, row.forced_bought_value),
        ]
        .into_iter()
        .enumerate()
        {
            self.forced[side] += i128::from(lots.abs().0);
            self.forced_value[side] += i128::from(value.abs().0);
        }
        for (peaks, found) in [(&mut self.down, row.down), (&mut self.up, row.up)] {
            for (peak, r) in peaks.iter_mut().zip(found) {
                *peak = peak.max(r);
            }
        }
        for (peaks, found) in self.hedge.iter_mut().zip([row.hedge_down, row.hedge_up]) {
            for (peak, r) in peaks.iter_mut().zip(found) {
                *peak = peak.max(r);
            }
        }
        self.hedged[0] += i128::from(row.hedge_sold.0);
        self.hedged[1] += i128::from(row.hedge_bought.0);
        self.hedge_gap[0] += row.options.gap.abs();
        self.hedge_gap[1] += row.options.delta.abs();
        self.vanna += row.options.vanna_flow.abs();
        self.vega += row.options.vega_flow;
        self.first_down.get_or_insert(row.down);
        for (first, r) in self.first_spiral.iter_mut().zip([row.down[0], row.up[0]]) {
            if first.is_none() && r >= 1.0 {
                *first = Some(time);
            }
        }
        let maintenance = row.maintenance.as_f64();
        self.maintenance += maintenance;
        self.maintenance_peak = self.maintenance_peak.max(maintenance);
        self.initial += row.initial.as_f64();
    }

    fn see_prices(&mut self, row: &MarketRow, time: f64) {
        self.mid.see(row.mid, time);
        self.mark.see(row.mark.as_f64(), time);
        self.reference.see(row.reference, time);
        if row.mid > 0.0 && row.mid.is_finite() {
            self.low = self.low.min(row.mid);
            self.run_up = self.run_up.max(row.mid / self.low - 1.0);
            if self.last_mid > 0.0 {
                let log_return = ops::ln(row.mid / self.last_mid);
                self.squares += log_return * log_return;
            }
            self.last_mid = row.mid;
        }
        if row.last.0 > 0 && row.reference > 0.0 {
            let above = row.last.as_f64() / row.reference - 1.0;
            self.overshoot_down = self.overshoot_down.max(-above);
            self.overshoot_up = self.overshoot_up.max(above);
        }
    }

    fn see_book(&mut self, row: &MarketRow) {
        let depth = [row.bid_depth, row.ask_depth];
        self.first_depth.get_or_insert(depth);
        for (least, found) in self.least_depth.iter_mut().zip(depth) {
            *least = (*least).min(found);
        }
        if let (Some(bid), Some(ask)) = (row.bid, row.ask)
            && row.mid > 0.0
        {
            let spread = (ask - bid).as_f64() / row.mid;
            self.spread = Some(self.spread.map_or(spread, |widest| widest.max(spread)));
        }
    }
}

/// A whole world over all steps so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// How many steps were seen.
    pub steps: u32,
    /// By market.
    pub markets: Vec<MarketTally>,
    /// How closely they moved together.
    pub together: Comoments,
    /// Initial margin of accounts with options: in the first step, and summed over all, in quanta.
    pub option_initial: [f64; 2],
    /// Steps in which trade was halted, summed over the markets.
    pub halted_steps: u64,
    /// Steps in which forced orders were kept back, summed over the markets.
    pub deferred_steps: u64,
    /// The world at the end of the last step.
    pub world: WorldRow,
    /// Largest fall of the insurance fund's balance from its highest.
    pub fund_drawdown: Cash,
    fund_high: Cash,
}

impl Tally {
    /// Nothing seen yet.
    pub fn new(frame: &Frame) -> Self {
        Self {
            steps: 0,
            markets: frame.markets.iter().map(MarketTally::new).collect(),
            together: Comoments::new(frame.markets.iter().map(|market| market.start).collect()),
            option_initial: [0.0; 2],
            halted_steps: 0,
            deferred_steps: 0,
            world: WorldRow {
                fund: frame.fund,
                ..WorldRow::default()
            },
            fund_drawdown: Cash::ZERO,
            fund_high: frame.fund,
        }
    }

    /// Sees the end of a step.
    pub fn see(&mut self, frame: &Frame, step: u32, markets: &[MarketRow], world: &WorldRow) {
        let time = frame.seconds(step);
        for ((tally, frame), row) in self.markets.iter_mut().zip(&frame.markets).zip(markets) {
            tally.see(frame, row, time);
            self.halted_steps += u64::from(row.halted);
            self.deferred_steps += u64::from(!row.deferred.is_zero());
        }
        let asked = world.option_initial.as_f64();
        if self.steps == 0 {
            self.option_initial[0] = asked;
        }
        self.option_initial[1] += asked;
        self.together.see(markets, world.stressed);
        self.fund_high = self.fund_high.max(world.fund);
        self.fund_drawdown = self.fund_drawdown.max(self.fund_high - world.fund);
        self.world = *world;
        self.steps += 1;
    }
}
