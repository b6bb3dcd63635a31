//! What a step looked like from outside, and who may look.

use super::event::Event;
use super::options::OptionRow;
use super::reach::Reach;
use super::trace::TraceRow;
use crate::margin::option::{Listed, MarketState, OptionLeg};
use crate::margin::{Level, Schedule};
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Ticks};

/// The moves w for which the reproduction number is measured.
pub const MOVES: [f64; 3] = [0.01, 0.02, 0.05];

/// One market at the end of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarketRow {
    /// The outside world's reference price, in ticks.
    pub reference: f64,
    /// Where liquidity providers centre their quotes, in ticks.
    pub anchor: f64,
    /// The index in force, in ticks.
    pub index: f64,
    /// The mark that margin saw.
    pub mark: Ticks,
    /// The last trade.
    pub last: Ticks,
    /// Midpoint, in ticks.
    pub mid: f64,
    /// Best bid.
    pub bid: Option<Ticks>,
    /// Best ask.
    pub ask: Option<Ticks>,
    /// Quantity within 1 % of the mid, bid side.
    pub bid_depth: Lots,
    /// Quantity within 1 % of the mid, ask side.
    pub ask_depth: Lots,
    /// Quantity traded.
    pub volume: Lots,
    /// Quantity sold by cohorts that hedge.
    pub hedge_sold: Lots,
    /// Quantity bought by cohorts that hedge.
    pub hedge_bought: Lots,
    /// Quantity sold by force (longs liquidated).
    pub forced_sold: Lots,
    /// Quantity bought by force (shorts liquidated).
    pub forced_bought: Lots,
    /// Value of what was sold by force.
    pub forced_sold_value: Cash,
    /// Value of what was bought by force.
    pub forced_bought_value: Cash,
    /// Forced quantity that a halt or the throttle kept back.
    pub deferred: Lots,
    /// Whether trade was halted throughout.
    pub halted: bool,
    /// Open interest.
    pub open_interest: Lots,
    /// Maintenance rate of the smallest positions.
    pub maintenance: Rate,
    /// Initial rate of the smallest positions.
    pub initial: Rate,
    /// Maintenance rate of the smallest positions before any adjustment.
    pub base_maintenance: Rate,
    /// Funding rate of the last payment, per period.
    pub funding_rate: f64,
    /// Cumulative funding, in 10⁻⁶ quanta per lot.
    pub funding_index: i64,
    /// Volatility per √second that liquidity providers see.
    pub volatility: f64,
    /// Factor on the ambient depth.
    pub liquidity: f64,
    /// Reproduction number for moves of 1, 2 and 5 % down.
    pub down: [f64; 3],
    /// Reproduction number for moves of 1, 2 and 5 % up.
    pub up: [f64; 3],
    /// What the reproduction numbers down are made of.
    pub down_reach: [Reach; 3],
    /// What the reproduction numbers up are made of.
    pub up_reach: [Reach; 3],
    /// Hedgers' share of moves of 1, 2 and 5 % down: what they would sell within the move over the bids that must trade to make
    /// it, negative where they would buy.
    pub hedge_down: [f64; 3],
    /// Hedgers' share of moves of 1, 2 and 5 % up.
    pub hedge_up: [f64; 3],
    /// What options on the market amount to; nothing where there are none.
    pub options: OptionRow,
}

/// The whole world at the end of a step. Amounts are totals since the start unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorldRow {
    /// Balance of the insurance fund.
    pub fund: Cash,
    /// Deficits of bankrupt accounts: what the fund paid, deleveraging closed away, profits paid and
    /// nobody paid, added up.
    pub bad_debt: Cash,
    /// What the fund paid.
    pub fund_paid: Cash,
    /// Equity of the backstop, at the mark; nothing where there is none.
    pub backstop: Cash,
    /// Deficits that the backstop took over.
    pub backstop_paid: Cash,
    /// Value that the backstop took over.
    pub taken_over: Cash,
    /// Value closed by auto-deleveraging.
    pub deleveraged: Cash,
    /// Deficits that auto-deleveraging closed away: what its counterparties bore.
    pub deleveraged_deficit: Cash,
    /// What auto-deleveraging cost its counterparties against the mark; negative where it favoured them.
    pub deleveraged_cost: Cash,
    /// How much more than the deficit it closed away each close cost, added up: the overshoot.
    pub deleveraged_excess: Cash,
    /// Taken from winners.
    pub socialised: Cash,
    /// Paid by nobody.
    pub uncovered: Cash,
    /// What forced orders traded worse than the mark.
    pub forced_cost: Cash,
    /// What options cost accounts that gave them up, against their worth.
    pub option_cost: Cash,
    /// Initial margin of accounts with options but the desk's, at the last look.
    pub option_initial: Cash,
    /// Fees and collateral that went to the insurance fund.
    pub fund_received: Cash,
    /// What keepers have, took and left.
    pub keepers: KeeperRow,
    /// Accounts in liquidation now.
    pub liquidating: u32,
    /// Liquidations begun.
    pub liquidations: u32,
    /// Rounds of the step.
    pub rounds: u32,
    /// Whether correlations are those of stress.
    pub stressed: bool,
}

/// Keepers, auctions and reserves at the end of a step. Amounts are totals since the start unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeeperRow {
    /// Capital at the start.
    pub capital: Cash,
    /// Equity now, at the mark.
    pub equity: Cash,
    /// Value of what they hold now, and what they have promised in bids and transactions.
    pub used: Cash,
    /// The most of it so far.
    pub used_peak: Cash,
    /// Paid for transactions.
    pub spent: Cash,
    /// Paid to them for beginning auctions.
    pub rewards: Cash,
    /// What they paid to the fund.
    pub fees: Cash,
    /// Value at the mark of what they took.
    pub seized: Cash,
    /// How much of that they did not pay for; negative where they paid more than the mark.
    pub bonus: Cash,
    /// Transactions sent.
    pub sent: u32,
    /// Transactions that came too late or were no longer worth it.
    pub reverted: u32,
    /// Keepers that lost everything.
    pub failed: u32,
    /// Auctions begun.
    pub auctions: u32,
    /// Auctions begun anew.
    pub auctions_again: u32,
    /// Auctions that ended with a sale.
    pub auctions_ended: u32,
    /// Auctions that run now.
    pub auctions_open: u32,
    /// Steps that ended auctions took.
    pub auction_steps: u64,
    /// Value at the mark of what ended auctions sold.
    pub auctioned: Cash,
    /// Auctions that raised next to nothing.
    pub auctions_for_nothing: u32,
    /// Value at the mark of what they sold.
    pub sold_for_nothing: Cash,
    /// Value at the mark of what reserves took over.
    pub absorbed: Cash,
    /// Equity of the reserves now, at the mark.
    pub reserves: Cash,
    /// What traders owed against their positions at the start.
    pub debt: Cash,
    /// The most debt at once whose liquidation would have worsened what is left.
    pub toxic_peak: Cash,
    /// Debt of accounts in liquidation, before anything was taken in the step.
    pub stranded: Cash,
}

/// The world at the end of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRow<'a> {
    /// The step, from 0; it ends at `(step + 1) · dt`.
    pub step: u32,
    /// By market.
    pub markets: &'a [MarketRow],
    /// What concerns all.
    pub world: &'a WorldRow,
    /// What is asked after each part of the margin rule, by market.
    pub parts: &'a [Vec<Level>],
}

/// Looks at a run and changes nothing.
pub trait Observer {
    /// A step has ended.
    fn step(&mut self, row: &StepRow<'_>);
    /// Something happened.
    fn event(&mut self, event: &Event);
    /// A market's rates from the step on that is about to be shown: in the first step, and whenever they have changed.
    fn rates(&mut self, _step: u32, _market: MarketId, _schedule: &Schedule) {}
    /// What moved prices and crossed thresholds in the step that is about to be shown, of a world that is asked to tell
    /// ([`World::trace_causes`](super::World::trace_causes)).
    fn causes(&mut self, _trace: &TraceRow<'_>) {}
    /// Options at the end of the step that is about to be shown: every series, whether it is alive, and the markets as margin sees them.
    fn options(&mut self, _listed: &[Listed], _alive: &[bool], _markets: &[MarketState]) {}
    /// Options of an account that was called, or whose liquidation began, in the step that is about to be shown.
    fn optioned(&mut self, _step: u32, _account: AccountId, _held: &[OptionLeg]) {}
}

/// Looks at nothing.
impl Observer for () {
    fn step(&mut self, _: &StepRow<'_>) {}
    fn event(&mut self, _: &Event) {}
}

/// Two look.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn step(&mut self, row: &StepRow<'_>) {
        self.0.step(row);
        self.1.step(row);
    }
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }
    fn rates(&mut self, step: u32, market: MarketId, schedule: &Schedule) {
        self.0.rates(step, market, schedule);
        self.1.rates(step, market, schedule);
    }
    fn causes(&mut self, trace: &TraceRow<'_>) {
        self.0.causes(trace);
        self.1.causes(trace);
    }
    fn options(&mut self, listed: &[Listed], alive: &[bool], markets: &[MarketState]) {
        self.0.options(listed, alive, markets);
        self.1.options(listed, alive, markets);
    }
    fn optioned(&mut self, step: u32, account: AccountId, held: &[OptionLeg]) {
        self.0.optioned(step, account, held);
        self.1.optioned(step, account, held);
    }
}

/// Whoever is lent looks.
impl<O: Observer> Observer for &mut O {
    fn step(&mut self, row: &StepRow<'_>) {
        (**self).step(row);
    }
    fn event(&mut self, event: &Event) {
        (**self).event(event);
    }
    fn rates(&mut self, step: u32, market: MarketId, schedule: &Schedule) {
        (**self).rates(step, market, schedule);
    }
    fn causes(&mut self, trace: &TraceRow<'_>) {
        (**self).causes(trace);
    }
    fn options(&mut self, listed: &[Listed], alive: &[bool], markets: &[MarketState]) {
        (**self).options(listed, alive, markets);
    }
    fn optioned(&mut self, step: u32, account: AccountId, held: &[OptionLeg]) {
        (**self).optioned(step, account, held);
    }
}
