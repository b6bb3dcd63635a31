//! What moved each price, and what crossed each threshold: the raw material of a run's genealogy.
//!
//! A world that is asked to ([`World::trace_causes`]) writes down, as it steps, every change of a midpoint with
//! whoever made it, every check of margin with the mark it was made at, and every liquidation that began with
//! what the account held. It divides nothing among causes itself; `cascade::attribution` does, once the run is over. A
//! world that isn't asked does nothing of all this, and both do the same otherwise.
//!
//! # Units
//!
//! Prices in ticks, money in quanta. A *check* is one surveillance: with one round a step, the check of step t is t + 1.
//! Check 0 is how the world stood before the first step.
//!
//! # Invariants
//!
//! - `a_traced_run_is_the_same_run`.
//! - `every_change_of_a_midpoint_has_one_cause`: impulses and openings add up to the midpoint.

use super::world::World;
use crate::market::mark::Source;
use crate::unit::{AccountId, Cash, CohortId, Lots, MarketId, Ticks};

/// Who or what moved a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A cohort's own orders, and their withdrawal.
    Cohort(CohortId),
    /// The forced orders of a liquidation, by its number in the order in which liquidations began; and the loss of the
    /// account's own quotes.
    Liquidation(u32),
    /// The backstop, unwinding what it took over.
    Backstop,
    /// A keeper, selling what it took.
    Keeper,
    /// Quotes that left without anybody's order: expired, withdrawn by the venue, or anonymous depth that fled.
    Quotes,
    /// Orders that met each other in a reopening auction.
    Auction,
}

/// A price moved within a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impulse {
    /// The check that sees it first.
    pub check: u32,
    /// Where.
    pub market: MarketId,
    /// Through whom.
    pub cause: Cause,
    /// The midpoint after it.
    pub mid: f64,
    /// The traded price that the mark reads, after it.
    pub traded: f64,
}

/// A step began in a market: quotes moved with the outside price, and depth recovered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    /// The first check of the step.
    pub check: u32,
    /// The step.
    pub step: u32,
    /// Where.
    pub market: MarketId,
    /// The outside reference price.
    pub reference: f64,
    /// J, the displacement of the outside price by the venue's own trades.
    pub displacement: f64,
    /// The midpoint once quotes had moved.
    pub mid: f64,
    /// The traded price that the mark reads.
    pub traded: f64,
    /// Whether trade is halted, so that the step's midpoint moves no outside price.
    pub idle: bool,
    /// How many impulses came before it, in all markets and from the start.
    pub after: u32,
}

/// A market at a check of margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// The check.
    pub check: u32,
    /// Its step.
    pub step: u32,
    /// Whether it is the first of its step.
    pub first: bool,
    /// The market.
    pub market: MarketId,
    /// The mark that margin saw.
    pub mark: Ticks,
    /// The index in force.
    pub index: f64,
    /// When the index in force was observed.
    pub observed: u32,
    /// What the mark was read from.
    pub source: Source,
    /// The cumulative funding index.
    pub funding: i64,
}

/// A liquidation began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breach {
    /// Its number, in the order in which liquidations began.
    pub liquidation: u32,
    /// Whose.
    pub account: AccountId,
    /// At which check.
    pub check: u32,
    /// The first check that saw the account as it was then: nothing traded, paid in or taken from it since.
    pub since: u32,
    /// Its equity.
    pub equity: i128,
    /// Its maintenance requirement.
    pub requirement: Cash,
    /// Where its positions are in [`TraceRow::legs`].
    pub legs: (u32, u32),
}

/// One position of an account whose liquidation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreachLeg {
    /// Where.
    pub market: MarketId,
    /// How much.
    pub quantity: Lots,
}

/// A trader took money out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outflow {
    /// The check that sees it first.
    pub check: u32,
    /// Who.
    pub account: AccountId,
    /// How much.
    pub amount: Cash,
}

/// How one market's impact lives on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kernel {
    /// Share of a displacement that the outside price takes in at the end of a step, κ.
    pub share: f64,
    /// What the outside keeps of it over a step.
    pub decay: f64,
    /// What the mark's average basis keeps over a step.
    pub kept: f64,
    /// Whether the mark reads the last trade, which stays while quotes move.
    pub last: bool,
    /// Whether what is held in the market is collateral.
    pub spot: bool,
}

/// What a step added to the trace.
#[derive(Clone, Copy, Debug)]
pub struct TraceRow<'a> {
    /// By market.
    pub kernels: &'a [Kernel],
    /// In order.
    pub openings: &'a [Opening],
    /// In order.
    pub impulses: &'a [Impulse],
    /// In order, each check's markets together.
    pub checks: &'a [Check],
    /// In order.
    pub breaches: &'a [Breach],
    /// Positions of the accounts in `breaches`.
    pub legs: &'a [BreachLeg],
    /// In order.
    pub outflows: &'a [Outflow],
}

/// The trace of a world at work.
#[derive(Clone)]
pub(super) struct Trace {
    kernels: Vec<Kernel>,
    /// Midpoint and traded price as last written down, by market.
    seen: Vec<(f64, f64)>,
    openings: Vec<Opening>,
    impulses: Vec<Impulse>,
    checks: Vec<Check>,
    breaches: Vec<Breach>,
    legs: Vec<BreachLeg>,
    outflows: Vec<Outflow>,
    /// The next check.
    check: u32,
    /// The first check that sees an account as it is, by account.
    since: Vec<u32>,
    /// The latest liquidation, by account.
    episode: Vec<u32>,
    begun: u32,
    /// Impulses handed out.
    told: u32,
}

impl Trace {
    pub(super) fn row(&self) -> TraceRow<'_> {
        TraceRow {
            kernels: &self.kernels,
            openings: &self.openings,
            impulses: &self.impulses,
            checks: &self.checks,
            breaches: &self.breaches,
            legs: &self.legs,
            outflows: &self.outflows,
        }
    }
    pub(super) fn clear(&mut self) {
        self.openings.clear();
        self.told += self.impulses.len() as u32;
        self.impulses.clear();
        self.checks.clear();
        self.breaches.clear();
        self.legs.clear();
        self.outflows.clear();
    }
    /// An account isn't what it was.
    pub(super) fn changed(&mut self, id: AccountId) {
        self.since[id.index()] = self.check;
    }
    /// The latest liquidation of an account.
    fn episode(&self, id: AccountId) -> Cause {
        Cause::Liquidation(self.episode[id.index()])
    }
}

impl World {
    /// From now on the observer is told what moved prices and what crossed thresholds, checks being counted from here.
    pub fn trace_causes(&mut self) {
        let accounts = self.ledger.len();
        let mut trace = Trace {
            kernels: self
                .markets
                .iter()
                .map(|market| Kernel {
                    share: market.anchor.share(),
                    decay: market.anchor.kept(self.dt),
                    kept: market.mark.kept(self.dt),
                    last: market.mark.reads_last(),
                    spot: market.spot,
                })
                .collect(),
            seen: Vec::with_capacity(self.markets.len()),
            openings: Vec::with_capacity(self.markets.len()),
            impulses: Vec::with_capacity(1024),
            checks: Vec::with_capacity(64 * self.markets.len()),
            breaches: Vec::with_capacity(1024),
            legs: Vec::with_capacity(1024),
            outflows: Vec::with_capacity(64),
            check: 1,
            since: vec![1; accounts],
            episode: vec![u32::MAX; accounts],
            begun: 0,
            told: 0,
        };
        for (market, place) in self.markets.iter().zip(0..) {
            trace.seen.push((market.venue.mid(), market.traded()));
            trace.checks.push(Check {
                check: 0,
                step: self.step,
                first: false,
                market: MarketId(place),
                mark: self.marks[usize::from(place)],
                index: market.index,
                observed: self.step,
                source: Source::Index,
                funding: self.funding[usize::from(place)],
            });
        }
        self.trace = Some(Box::new(trace));
    }

    /// Writes down that quotes have moved with the outside price.
    pub(super) fn trace_opening(&mut self, m: usize, idle: bool) {
        if let Some(trace) = &mut self.trace {
            let market = &self.markets[m];
            let (mid, traded) = (market.venue.mid(), market.traded());
            trace.seen[m] = (mid, traded);
            trace.openings.push(Opening {
                check: trace.check,
                step: self.step,
                market: MarketId(m as u16),
                reference: market.reference,
                displacement: market.anchor.displacement(),
                mid,
                traded,
                idle,
                after: trace.told + trace.impulses.len() as u32,
            });
        }
    }

    /// Writes down whose doing it is that a market's price isn't what it was when this was last called.
    pub(super) fn trace_move(&mut self, id: MarketId, cause: Cause) {
        if let Some(trace) = &mut self.trace {
            let market = &self.markets[id.index()];
            let now = (market.venue.mid(), market.traded());
            if trace.seen[id.index()] != now {
                trace.seen[id.index()] = now;
                trace.impulses.push(Impulse {
                    check: trace.check,
                    market: id,
                    cause,
                    mid: now.0,
                    traded: now.1,
                });
            }
        }
    }

    /// As [`World::trace_move`], for a forced order.
    pub(super) fn trace_forced(&mut self, market: MarketId, owner: AccountId) {
        if let Some(trace) = &self.trace {
            let cause = if self.vault.is_some_and(|vault| vault.account == owner) {
                Cause::Backstop
            } else if self.ledger.is_house(owner) {
                Cause::Keeper
            } else {
                trace.episode(owner)
            };
            self.trace_move(market, cause);
        }
    }

    /// What the loss of an account's own quotes did, its liquidation having begun.
    pub(super) fn trace_withdrawn(&mut self, id: AccountId) {
        if let Some(trace) = &self.trace {
            let cause = trace.episode(id);
            for m in 0..self.markets.len() {
                self.trace_move(MarketId(m as u16), cause);
            }
        }
    }

    /// What has moved in any market without anybody's order is the quotes' doing.
    pub(super) fn trace_quotes(&mut self) {
        if self.trace.is_some() {
            for m in 0..self.markets.len() {
                self.trace_move(MarketId(m as u16), Cause::Quotes);
            }
        }
    }

    /// Writes down a check of margin.
    pub(super) fn trace_check(&mut self, first: bool) {
        self.trace_quotes();
        if let Some(trace) = &mut self.trace {
            for (m, market) in self.markets.iter().enumerate() {
                trace.checks.push(Check {
                    check: trace.check,
                    step: self.step,
                    first,
                    market: MarketId(m as u16),
                    mark: self.marks[m],
                    index: market.index,
                    observed: self.step.saturating_sub(market.oracle.age(self.step)),
                    source: market.mark.source(&market.mark_view(self.step)),
                    funding: self.funding[m],
                });
            }
            trace.check += 1;
        }
    }

    /// Writes down that an account isn't what it was: it traded, paid in, or paid for others.
    #[inline]
    pub(super) fn trace_change(&mut self, id: AccountId) {
        if let Some(trace) = &mut self.trace {
            trace.changed(id);
        }
    }

    pub(super) fn trace_outflow(&mut self, account: AccountId, amount: Cash) {
        if let Some(trace) = &mut self.trace {
            trace.outflows.push(Outflow {
                check: trace.check,
                account,
                amount,
            });
        }
    }

    /// Writes down that a liquidation began.
    pub(super) fn trace_breach(&mut self, id: AccountId, equity: i128) {
        if self.trace.is_none() {
            return;
        }
        let requirement = self.requirement(id);
        let Some(trace) = &mut self.trace else {
            return;
        };
        let first = trace.legs.len() as u32;
        for (market, slot) in self.ledger.places(id) {
            let quantity = self.ledger.slot(slot).quantity;
            if !quantity.is_zero() {
                trace.legs.push(BreachLeg { market, quantity });
            }
        }
        trace.episode[id.index()] = trace.begun;
        trace.breaches.push(Breach {
            liquidation: trace.begun,
            account: id,
            // The check at hand has been written down already.
            check: trace.check - 1,
            since: trace.since[id.index()],
            equity,
            requirement,
            legs: (first, trace.legs.len() as u32),
        });
        trace.begun += 1;
    }

    /// A copy of the world, which goes on as this one would: all draws are keyed, so nothing else is needed. The copy
    /// traces nothing.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut fork = self.clone();
        fork.trace = None;
        fork
    }

    /// From now on an account's forced orders trade off-book at the mark, without impact: the intervention that an attribution is
    /// compared with. Others that were shielded before stay so.
    pub fn shield(&mut self, account: AccountId) {
        self.shielded.push(account);
    }

    /// Whether an owner's forced orders are absorbed at the mark.
    pub(super) fn absorbs(&self, owner: AccountId) -> bool {
        self.absorb_forced || self.shielded.contains(&owner)
    }
}
