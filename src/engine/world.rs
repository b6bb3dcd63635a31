//! The world: markets, cohorts, the ledger and the work in hand, between two steps.
//!
//! A world changes only through [`World::step`]; what a step does is in [`super::step`]. Everything
//! that a step needs is allocated here, before the first.

use super::backstop::Vault;
use super::event::{Event, EventKind};
use super::keepers::Keepers;
use super::observer::{MOVES, MarketRow, Observer, WorldRow};
use super::options::Chain;
use super::safety::Safety;
use super::setup::{LiquidationSetup, MarketSetup, Rounds, Setup, StressSetup};
use super::trace::Trace;
use crate::account::trigger::Measure;
use crate::account::{Breach, Ledger, SlotId, Stops, TriggerIndex, Valuation};
use crate::liquidation::waterfall::adl::Queue;
use crate::liquidation::waterfall::{Fund, Winners};
use crate::liquidation::{Case, Forced, Terms};
use crate::margin::option::{Asked, OptionLeg};
use crate::margin::{Leg, Level, MarginRule, PortfolioRule, RiskView, Schedule, Thresholds};
use crate::market::anchor::{Anchor, Flight, FlightSettings};
use crate::market::funding::Funding;
use crate::market::funding::INDEX_SCALE;
use crate::market::mark::{Mark, MarkView};
use crate::market::oracle::Oracle;
use crate::market::{Conditions, Contract, Fill, OrderId, Venue};
use crate::math::Draws;
use crate::trader::{
    Behaviour, Intent, Members, Published, ResponseSettings, View, WithdrawalSettings,
};
use crate::unit::{AccountId, Cash, CohortId, Lots, MarketId, Rate, Side, Ticks};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One market at work.
#[derive(Clone)]
pub(super) struct Market {
    pub(super) contract: Contract,
    pub(super) path: Vec<f64>,
    pub(super) venue: Box<dyn Venue>,
    pub(super) anchor: Anchor,
    pub(super) flight: Flight,
    pub(super) oracle: Oracle,
    pub(super) mark: Mark,
    pub(super) funding: Funding,
    pub(super) taker_fee: Rate,
    pub(super) maker_fee: Rate,
    pub(super) rule: Box<dyn MarginRule>,
    pub(super) thresholds: Thresholds,
    /// Whether what is held here is collateral, whose maintenance rate is its haircut.
    pub(super) spot: bool,
    pub(super) schedule: Schedule,
    /// The last step's schedule, and whether this step's differs from it.
    pub(super) before: Schedule,
    pub(super) moved: bool,
    /// No cross account was filed at a lower notional of a lot than this.
    pub(super) least: f64,
    /// The schedule and the funding index for which cross accounts' safe radii were taken.
    pub(super) epoch: (Schedule, f64),
    /// Reference price of this step, in ticks.
    pub(super) reference: f64,
    /// Index in force, in ticks.
    pub(super) index: f64,
    pub(super) liquidity: f64,
    pub(super) mid_before: f64,
}

/// One cohort at work.
#[derive(Clone)]
pub(super) struct Cohort {
    pub(super) members: Members,
    pub(super) behaviour: Option<Box<dyn Behaviour>>,
    pub(super) response: ResponseSettings,
    pub(super) withdrawal: Option<WithdrawalSettings>,
    pub(super) resting: Vec<Resting>,
    pub(super) next_expiry: u32,
    /// Whether its orders hedge something else that it holds.
    pub(super) hedges: bool,
}

/// A trader's order that rests in a book.
#[derive(Clone, Copy)]
pub(super) struct Resting {
    pub(super) owner: AccountId,
    pub(super) market: MarketId,
    pub(super) order: OrderId,
    pub(super) side: Side,
    pub(super) expires: u32,
}

/// What a trader does when a timer runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    /// Money arrives.
    TopUp,
    /// Money comes from the owner's cross account.
    Move,
    /// An order that restores a target ratio.
    Reduce,
    /// An order that closes everything.
    Close,
    /// The grace period of a call ends.
    GraceEnds,
}

/// Where an instruction on its way to the book comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A trader's own decision.
    Organic(CohortId),
    /// The liquidation engine, on its policy's terms.
    Forced(Terms),
}

/// An instruction on its way to the book.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    /// Arrival, in steps since the start.
    pub(super) at: f64,
    pub(super) origin: Origin,
    /// Breaks ties, and keeps the parts of a requote together.
    pub(super) sequence: u32,
    pub(super) intent: Intent,
}

/// Buffers that a step works in.
#[derive(Clone, Default)]
pub(super) struct Scratch {
    pub(super) candidates: Vec<SlotId>,
    pub(super) visits: Vec<AccountId>,
    pub(super) intents: Vec<Intent>,
    pub(super) due: Vec<Pending>,
    pub(super) fills: Vec<Fill>,
    pub(super) cases: Vec<Case>,
    pub(super) forced: Vec<Forced>,
    /// Deleveraging queues by market and side, and which of them are this settlement's.
    pub(super) queues: Vec<Queue>,
    pub(super) ranked: Vec<bool>,
    /// Accounts that are deleveraged together.
    pub(super) claimants: Vec<AccountId>,
    /// Closed accounts that owe what the fund didn't pay.
    pub(super) owing: Vec<AccountId>,
    pub(super) winners: Winners,
}

/// A market with leveraged traders, between two steps.
#[derive(Clone)]
pub struct World {
    pub(super) seed: u64,
    pub(super) replicate: u64,
    pub(super) draws: Draws,
    pub(super) dt: f64,
    pub(super) steps: u32,
    pub(super) step: u32,
    pub(super) rounds: Rounds,
    pub(super) thresholds: Thresholds,
    pub(super) portfolio: Option<Box<dyn PortfolioRule>>,
    /// The other state's rules while one's own are in force.
    pub(super) stress: Option<StressSetup>,
    /// Whether any market is one of collateral.
    pub(super) has_spot: bool,
    pub(super) reduce_only: bool,
    pub(super) liquidation: LiquidationSetup,
    pub(super) fund: Fund,
    /// Which pools of the fund have fallen so far that auto-deleveraging takes the place of forced orders.
    pub(super) fallen: Vec<bool>,
    /// Markets whose deleveraging queue left something over in the last settlement.
    pub(super) exhausted: Vec<bool>,
    pub(super) vault: Option<Vault>,
    pub(super) keepers: Keepers,
    /// Equity by account as the session began, where losses are taken from its winners.
    pub(super) opening: Vec<i128>,
    /// Isolated accounts whose owner has a cross account too, and which; in ascending order.
    pub(super) siblings: Vec<(AccountId, AccountId)>,
    /// Closed accounts whose debts are clawed back as the session ends.
    pub(super) clawed: Vec<AccountId>,
    pub(super) safety: Safety,
    pub(super) absorb_forced: bool,
    /// Whose forced orders are absorbed though others' are not.
    pub(super) shielded: Vec<AccountId>,
    /// What moved prices, where it is asked for.
    pub(super) trace: Option<Box<Trace>>,
    pub(super) audit_every_step: bool,
    pub(super) markets: Vec<Market>,
    pub(super) marks: Vec<Ticks>,
    /// The marks of the check before.
    pub(super) previous_marks: Vec<Ticks>,
    pub(super) funding: Vec<i64>,
    pub(super) published: Vec<Published>,
    pub(super) cohorts: Vec<Cohort>,
    pub(super) ledger: Ledger,
    pub(super) index: TriggerIndex,
    pub(super) stops: Stops,
    /// Accounts whose cash or position changed since they were last looked at.
    pub(super) touched: Vec<AccountId>,
    /// Cross accounts that hold positions, or once did.
    pub(super) cross: Vec<AccountId>,
    /// Cross accounts that are looked at in every step until they are sound again or liquidated.
    pub(super) uneasy: Vec<AccountId>,
    /// Accounts in liquidation, each once; in ascending order from the release of forced orders on.
    pub(super) liquidating: Vec<AccountId>,
    pub(super) timers: BinaryHeap<Reverse<(u32, AccountId, Answer)>>,
    pub(super) inbox: Vec<Pending>,
    pub(super) sequence: u32,
    pub(super) scratch: Scratch,
    pub(super) events: Vec<Event>,
    /// Options of accounts for which something began in this step.
    pub(super) optioned: Vec<(AccountId, Vec<OptionLeg>)>,
    pub(super) rows: Vec<MarketRow>,
    /// Rates after each part of the rule, by market.
    pub(super) traces: Vec<Vec<Level>>,
    /// Quantity traded in the last whole step, by market.
    pub(super) last_volume: Vec<Lots>,
    pub(super) totals: WorldRow,
    pub(super) options: Option<Box<Chain>>,
    /// What cohorts that hedge hold, by market.
    pub(super) hedgers_position: Vec<i64>,
}

impl World {
    /// A world ready for its first step.
    pub fn new(setup: Setup) -> Self {
        let Setup {
            seed,
            replicate,
            draws,
            dt,
            steps,
            rounds,
            thresholds,
            portfolio,
            stress,
            reduce_only,
            liquidation,
            safety,
            markets,
            cohorts,
            mut ledger,
            options,
            stops: stop_orders,
            mut siblings,
            absorb_forced,
            audit_every_step,
        } = setup;
        siblings.sort_unstable();
        let markets: Vec<Market> = markets
            .into_iter()
            .map(|market| Market::new(market, dt))
            .collect();
        let bases: Vec<Lots> = markets.iter().map(Market::flat_size).collect();
        let cross: Vec<AccountId> = ledger
            .traders()
            .filter(|id| ledger.account(*id).isolated().is_none())
            .collect();
        let mut stops = Stops::new(markets.len());
        for (id, distance) in stop_orders {
            for (market, slot) in ledger.places(id) {
                let slot = ledger.slot(slot);
                if !slot.quantity.is_zero() {
                    let entry = markets[market.index()]
                        .contract
                        .price_of(slot.quantity, i128::from(slot.cost.0));
                    let long = slot.quantity.0 > 0;
                    let price = entry * if long { 1.0 - distance } else { 1.0 + distance };
                    stops.place(id, market, long, price);
                }
            }
        }
        let vault = liquidation.backstop.map(|rules| {
            let account = ledger.open_house();
            ledger.deposit(account, rules.capital);
            Vault {
                account,
                rules,
                stopped: false,
                unwinds_at: 0,
            }
        });
        let index = TriggerIndex::build(&ledger, &bases);
        let starts: Vec<(f64, Contract)> = (markets.iter())
            .map(|market| (market.reference, market.contract))
            .collect();
        let accounts = ledger.len();
        let marks: Vec<Ticks> = markets
            .iter()
            .map(|market| Ticks((market.reference.round_ties_even() as i64).max(1)))
            .collect();
        let scratch = Scratch {
            queues: vec![Queue::default(); 2 * markets.len()],
            ranked: vec![false; 2 * markets.len()],
            ..Scratch::default()
        };
        let mut world = Self {
            seed,
            replicate,
            draws,
            dt,
            steps,
            step: 0,
            rounds,
            thresholds,
            portfolio,
            stress,
            has_spot: markets.iter().any(|market| market.spot),
            reduce_only,
            fund: Fund::new(liquidation.pools.clone()),
            fallen: Vec::new(),
            exhausted: vec![false; markets.len()],
            vault,
            keepers: Keepers::default(),
            opening: Vec::new(),
            clawed: Vec::new(),
            siblings,
            liquidation,
            safety: Safety::new(safety, &starts, dt, steps),
            absorb_forced,
            shielded: Vec::new(),
            trace: None,
            audit_every_step,
            previous_marks: marks.clone(),
            marks,
            funding: vec![0; markets.len()],
            published: markets.iter().map(Market::published).collect(),
            rows: vec![MarketRow::default(); markets.len()],
            traces: markets
                .iter()
                .map(|market| market.rule.trace().to_vec())
                .collect(),
            last_volume: vec![Lots::ZERO; markets.len()],
            cohorts: cohorts
                .into_iter()
                .map(|cohort| Cohort {
                    members: cohort.members,
                    behaviour: cohort.behaviour,
                    response: cohort.response,
                    withdrawal: cohort.withdrawal,
                    resting: Vec::new(),
                    next_expiry: u32::MAX,
                    hedges: false,
                })
                .collect(),
            markets,
            ledger,
            index,
            stops,
            touched: cross.clone(),
            cross,
            uneasy: Vec::new(),
            liquidating: Vec::new(),
            timers: BinaryHeap::new(),
            inbox: Vec::with_capacity(1024),
            sequence: 0,
            scratch,
            optioned: Vec::new(),
            events: Vec::with_capacity(accounts.min(1 << 16)),
            totals: WorldRow::default(),
            options: None,
            hedgers_position: Vec::new(),
        };
        for cohort in &mut world.cohorts {
            cohort.hedges = cohort
                .behaviour
                .as_ref()
                .is_some_and(|behaviour| behaviour.hedges());
        }
        if let Some(options) = options {
            let contracts: Vec<Contract> =
                world.markets.iter().map(|market| market.contract).collect();
            let owners = world.ledger.options().owners().len();
            world.options = Some(Box::new(Chain::new(options, &contracts, owners)));
            world.hedgers_position = vec![0; contracts.len()];
            let hedgers: Vec<AccountId> = world
                .ledger
                .traders()
                .filter(|id| world.hedges(*id))
                .collect();
            for id in hedgers {
                for (market, slot) in world.ledger.places(id) {
                    world.hedgers_position[market.index()] += world.ledger.slot(slot).quantity.0;
                }
            }
        }
        world.totals.fund = world.ledger.account(AccountId::FUND).cash;
        world.open_keepers();
        if world.liquidation.policies.iter().any(|p| p.needs_keepers()) {
            world.totals.keepers.debt = world.opening_debt();
        }
        world.totals.backstop = vault.map_or(Cash::ZERO, |vault| vault.rules.capital);
        world
    }

    /// The step that comes next, from 0.
    pub const fn now(&self) -> u32 {
        self.step
    }
    /// How many steps the run has.
    pub const fn steps(&self) -> u32 {
        self.steps
    }
    /// Seconds a step.
    pub const fn dt(&self) -> f64 {
        self.dt
    }
    /// Who owns what.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    /// The index of thresholds.
    pub const fn index(&self) -> &TriggerIndex {
        &self.index
    }
    /// The marks that margin saw last, by market.
    pub fn marks(&self) -> &[Ticks] {
        &self.marks
    }
    /// The cumulative funding indices, by market.
    pub fn funding_indices(&self) -> &[i64] {
        &self.funding
    }
    /// This step's rates of a market.
    pub fn schedule(&self, market: MarketId) -> &Schedule {
        &self.markets[market.index()].schedule
    }
    /// Whether what is held in a market is collateral.
    pub fn is_spot(&self, market: MarketId) -> bool {
        self.markets[market.index()].spot
    }
    /// Where price is made in a market.
    pub fn venue(&self, market: MarketId) -> &dyn Venue {
        &*self.markets[market.index()].venue
    }
    /// When cross accounts are warned, called and liquidated, and isolated ones of markets that say nothing else.
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
    /// When an account is warned, called and liquidated: an isolated one as its market says.
    pub fn thresholds_of(&self, id: AccountId) -> Thresholds {
        self.ledger
            .account(id)
            .isolated()
            .map_or(self.thresholds, |market| {
                self.markets[market.index()].thresholds
            })
    }
    /// What is in each pool of the insurance fund.
    pub fn pools(&self) -> &[Cash] {
        self.fund.pools()
    }
    /// Totals since the start.
    pub const fn totals(&self) -> &WorldRow {
        &self.totals
    }
    /// The last step's rows, by market.
    pub fn rows(&self) -> &[MarketRow] {
        &self.rows
    }
    /// Names of a rule's parts, and what is asked after each.
    pub fn rule_trace(&self, market: MarketId) -> (Vec<&'static str>, &[Level]) {
        let rule = &self.markets[market.index()].rule;
        (rule.parts(), rule.trace())
    }

    /// Exact equity of an account at the present marks, in quanta.
    pub fn equity(&self, id: AccountId) -> i128 {
        self.ledger.equity(id, self.valuation())
    }

    /// What traders see.
    pub(super) fn view(&self) -> View<'_> {
        View {
            step: self.step,
            dt: self.dt,
            markets: &self.published,
            ledger: &self.ledger,
            options: self.option_quotes(),
        }
    }

    /// The prices at which margin sees positions now.
    pub fn valuation(&self) -> Valuation<'_> {
        Valuation {
            marks: &self.marks,
            funding: &self.funding,
        }
    }

    /// Exact maintenance requirement of an account at the present marks and rates.
    pub fn requirement(&self, id: AccountId) -> Cash {
        if self.holds_options(id) {
            return self.option_requirement(id, None, Asked::Maintenance);
        }
        let Some(portfolio) = &self.portfolio else {
            return self.requirements(id);
        };
        if self.ledger.account(id).isolated().is_some() {
            return self.requirements(id);
        }
        let legs: Vec<Leg> = self
            .ledger
            .places(id)
            .map(|(market, slot)| (market, self.ledger.slot(slot).quantity))
            .filter(|(market, quantity)| !quantity.is_zero() && !self.markets[market.index()].spot)
            .map(|(market, quantity)| {
                let m = &self.markets[market.index()];
                let notional = m.contract.notional(quantity, self.marks[market.index()]);
                Leg {
                    market,
                    quantity,
                    notional,
                    alone: m.schedule.maintenance(notional),
                }
            })
            .collect();
        portfolio.requirement(&legs) + self.haircuts(id)
    }

    /// The part of an account's requirement that is haircuts on what it holds as collateral.
    pub fn haircuts(&self, id: AccountId) -> Cash {
        if !self.has_spot {
            return Cash::ZERO;
        }
        let mut sum = Cash::ZERO;
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            let m = &self.markets[market.index()];
            if m.spot && !quantity.is_zero() {
                let notional = m.contract.notional(quantity, self.marks[market.index()]);
                sum += m.schedule.maintenance(notional);
            }
        }
        sum
    }

    /// Whether an account holds something in markets of collateral, or in the others.
    pub(super) fn holds(&self, id: AccountId, spot: bool) -> bool {
        self.ledger.places(id).any(|(market, slot)| {
            self.markets[market.index()].spot == spot && !self.ledger.slot(slot).quantity.is_zero()
        })
    }

    /// What an account has in the settlement currency itself, what it paid for collateral taken off.
    pub(super) fn spendable(&self, id: AccountId) -> Cash {
        let cash = self.ledger.account(id).cash;
        if !self.has_spot {
            return cash;
        }
        let held = self.ledger.places(id);
        let paid: i128 = held
            .filter(|(market, _)| self.markets[market.index()].spot)
            .map(|(_, slot)| i128::from(self.ledger.slot(slot).cost.0))
            .sum();
        Cash::clamped(i128::from(cash.0) - paid)
    }

    /// The sum of what an account's positions are asked one by one: by it their shares in its equity are taken.
    pub(super) fn requirements(&self, id: AccountId) -> Cash {
        let mut sum = Cash::ZERO;
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            if !quantity.is_zero() {
                let m = &self.markets[market.index()];
                let notional = m.contract.notional(quantity, self.marks[market.index()]);
                sum += m.schedule.maintenance(notional);
            }
        }
        sum
    }

    /// What the index is asked with in a market, at the present mark.
    pub(super) fn measure(&self, market: MarketId) -> Measure {
        let (ratios, levels) = self.markets[market.index()].thresholds.ratios();
        Measure {
            mark: self.level(market),
            funding: self.funding_level(market),
            ratios,
            levels,
            moved: self.markets[market.index()].moved,
        }
    }

    /// The level of a market's contract at the present mark: the mark in ticks where it is linear.
    pub(super) fn level(&self, market: MarketId) -> f64 {
        let mark = self.marks[market.index()].as_f64();
        self.markets[market.index()].contract.level(mark)
    }

    /// The cumulative funding index per lot, in the unit of the contract's level.
    pub(super) fn funding_level(&self, market: MarketId) -> f64 {
        let slope = self.markets[market.index()].contract.slope();
        self.funding[market.index()] as f64 / (slope * INDEX_SCALE as f64)
    }

    pub(super) fn emit(
        &mut self,
        kind: EventKind,
        account: Option<AccountId>,
        market: Option<MarketId>,
        quantity: Lots,
        price: Ticks,
        amount: Cash,
    ) {
        self.events.push(Event {
            step: self.step,
            kind,
            account,
            market,
            quantity,
            price,
            amount,
        });
    }

    /// Runs to the end, or until `go_on` says no; what a step shows is handed to the observer.
    ///
    /// # Errors
    ///
    /// [`EngineFault`] where the ledger breaches an invariant: our fault, never the user's.
    pub fn run(
        &mut self,
        observer: &mut impl Observer,
        mut go_on: impl FnMut(&Self) -> bool,
    ) -> Result<StopReason, EngineFault> {
        while self.step < self.steps {
            if !go_on(self) {
                return Ok(StopReason::Interrupted);
            }
            self.step(observer)?;
        }
        self.audit()?;
        Ok(StopReason::Completed)
    }

    /// Adds everything up from the records.
    ///
    /// # Errors
    ///
    /// [`EngineFault`] with the first breach found.
    pub fn audit(&self) -> Result<crate::account::Audit, EngineFault> {
        self.ledger
            .audit()
            .map_err(|breach| self.fault("audit", breach))
    }

    pub(super) fn fault(&self, phase: &'static str, breach: Breach) -> EngineFault {
        EngineFault {
            seed: self.seed,
            replicate: self.replicate,
            step: self.step,
            phase,
            breach,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It ran to its end.
    Completed,
    /// It was told to stop.
    Interrupted,
}

/// The ledger breached an invariant: a defect of the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invariant breached in step {step}, phase {phase} (seed {seed}, replicate {replicate}): {breach}"
)]
pub struct EngineFault {
    /// The run's seed.
    pub seed: u64,
    /// The run's replicate.
    pub replicate: u64,
    /// The step.
    pub step: u32,
    /// The phase after which it was seen.
    pub phase: &'static str,
    /// What is wrong.
    pub breach: Breach,
}

impl Market {
    fn new(setup: MarketSetup, dt: f64) -> Self {
        let start = setup.path[0];
        let mut rule = setup.rule;
        let mut venue = setup.venue;
        let flight = Flight::new(&setup.flight, start);
        let mut schedule = Schedule::flat(Rate::ONE, Rate::ONE);
        let liquidity = flight.factor(0.0);
        let (bid_depth, ask_depth) = opening_depth(&mut *venue, &setup.flight, start);
        let view = RiskView {
            dt,
            index: start,
            mark: start,
            quanta: setup.contract.per_tick(start),
            bid_depth,
            ask_depth,
            ..RiskView::default()
        };
        rule.schedule(&view, &mut schedule);
        Self {
            contract: setup.contract,
            anchor: Anchor::new(&setup.anchor),
            flight,
            oracle: Oracle::new(&setup.oracle, start, dt),
            mark: Mark::new(&setup.mark),
            funding: Funding::new(&setup.funding, dt),
            taker_fee: setup.taker_fee,
            maker_fee: setup.maker_fee,
            rule,
            thresholds: setup.thresholds,
            spot: setup.spot,
            epoch: (schedule.clone(), 0.0),
            before: schedule.clone(),
            moved: true,
            least: setup.contract.lot_notional(start),
            schedule,
            reference: start,
            index: start,
            liquidity,
            mid_before: venue.mid(),
            path: setup.path,
            venue,
        }
    }

    /// The quantity up to which every position pays nearly the smallest one's rate, at up to twice the notional of
    /// the start: beyond it the index sorts by size.
    fn flat_size(&self) -> Lots {
        let price = if self.contract.is_inverse() {
            (0.5 * self.reference) as i64
        } else {
            (2.0 * self.reference) as i64 + 1
        };
        let per_lot = self.contract.notional(Lots(1), Ticks(price.max(1)));
        Lots(self.schedule.within(0.01).0 / per_lot.0.max(1))
    }

    /// Effective maintenance rate of a quantity at a price in ticks.
    pub(super) fn effective(&self, size: Lots, price: f64) -> f64 {
        let notional = size.as_f64().abs() * self.contract.lot_notional(price);
        self.schedule.effective(notional)
    }

    pub(super) fn mark_view(&self, step: u32) -> MarkView {
        MarkView {
            index: self.index,
            mid: self.venue.mid(),
            quote: self.venue.quote(),
            last: self.venue.last(),
            funding_basis: self.funding.basis(step),
        }
    }

    /// The traded price that the mark reads, in ticks.
    pub(super) fn traded(&self) -> f64 {
        let venue = &self.venue;
        self.mark.traded(venue.mid(), venue.quote(), venue.last())
    }

    fn published(&self) -> Published {
        let mid = self.venue.mid();
        Published {
            contract: self.contract,
            spot: self.spot,
            reference: self.reference,
            index: self.index,
            mark: Ticks((self.reference.round_ties_even() as i64).max(1)),
            quote: self.venue.quote(),
            mid,
            last: self.venue.last(),
            volatility: self.flight.sigma(),
            log_return: 0.0,
            depth: self.depth_within(MOVES[0]),
            liquidity: self.liquidity,
            funding: self.funding.index(),
        }
    }

    /// Bids and asks within a relative distance of the mid.
    pub(super) fn depth_within(&self, distance: f64) -> (Lots, Lots) {
        depth_within(&*self.venue, distance)
    }
}

/// Opens a venue for the first time; the bids and asks within 1 % of the mid that it then shows.
pub fn opening_depth(venue: &mut dyn Venue, flight: &FlightSettings, start: f64) -> (Lots, Lots) {
    let conditions = Conditions {
        step: 0,
        anchor: start,
        depth: Flight::new(flight, start).factor(0.0),
    };
    // The book is empty of explicit orders, so opening it trades nothing.
    venue.open(&conditions, &mut Vec::new());
    depth_within(venue, MOVES[0])
}

fn depth_within(venue: &dyn Venue, distance: f64) -> (Lots, Lots) {
    let mid = venue.mid();
    let low = Ticks(((mid * (1.0 - distance)).ceil() as i64).max(1));
    let high = Ticks((mid * (1.0 + distance)).floor() as i64);
    (venue.depth(Side::Sell, low), venue.depth(Side::Buy, high))
}
