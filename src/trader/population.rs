//! Drawing the accounts: who holds what before the first step.
//!
//! Every member of a cohort is drawn from a stream of its own (purpose `Population`, the member as
//! entity, the cohort's name as step), so neither a further cohort nor a larger count changes
//! anybody else. In order: the market (isolated members), the side, a stop, the capital, and per attempt leverage
//! and entry price.
//!
//! - The quantity is capital · leverage / entry price in whole lots, at least one, and no more than the initial margin
//!   of its size lets the capital carry, each position with its own share of it, and no more than its market's limit.
//! - What a cross member holds as collateral is bought at the start price out of its capital, in whole lots; initial margin is
//!   asked of what its haircuts leave.
//! - Only survivors are drawn: whoever would stand at the call threshold at the start price is drawn
//!   again (leverage and entry), [`ATTEMPTS`] times at most, and then enters at the start price.
//! - Every position is opened against the background maker at its entry price, so that long
//!   and short open interest agree; the maker holds the difference, which is reported.
//!
//! # Order of accounts
//!
//! A cohort's accounts are contiguous. Within a cohort they are sorted by market and side, and
//! then by bankruptcy price, longs from the highest down and shorts from the lowest up: a fall liquidates longs in
//! the order in which their records lie, so closing them walks memory forwards instead of jumping about.
//!
//! # Invariants
//!
//! - `the_background_maker_takes_the_difference`: quantities of every market add up to zero.
//! - `members_do_not_depend_on_each_other`: a larger count keeps the members there were.
//! - `nobody_starts_at_a_margin_call`, but for accounts from a file, which are taken as they are.

use super::cohort::{CohortSettings, Members, Mode};
use super::response::ResponseSettings;
use crate::account::Ledger;
use crate::margin::{self, PortfolioRule, Schedule, Standing, Thresholds};
use crate::market::{Contract, Fill};
use crate::math::draws::mix;
use crate::math::{Draws, Purpose, Stream};
use crate::unit::{AccountId, Cash, CohortId, Grid, Lots, MarketId, Rate, Side, Ticks, grid};

/// How often leverage and entry are drawn again for a member who would start at a margin call.
pub const ATTEMPTS: u32 = 8;

/// What a population must know of one market.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Its name.
    pub name: String,
    /// What its integers mean.
    pub grid: Grid,
    /// What positions in it are worth.
    pub contract: Contract,
    /// The price at the start.
    pub start: Ticks,
    /// The rates in force at the start.
    pub schedule: Schedule,
    /// When isolated accounts are warned, called and liquidated.
    pub thresholds: Thresholds,
    /// Whether what is held here is collateral.
    pub spot: bool,
}

/// A position that is given rather than drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The account, as its owner names it.
    pub account: String,
    /// Where.
    pub market: MarketId,
    /// + long, − short.
    pub quantity: Lots,
    /// Price at which it was entered.
    pub entry: Ticks,
    /// Collateral that comes with this position.
    pub collateral: Cash,
    /// Whether the collateral backs this position alone.
    pub isolated: bool,
}

/// Who there is, and what was noticed as they were drawn.
#[derive(Clone, Debug)]
pub struct Population {
    /// All accounts with their positions and money.
    pub ledger: Ledger,
    /// Every cohort's accounts, in the order given; those of a file last.
    pub members: Vec<Members>,
    /// Accounts with a standing stop, and the adverse move that triggers it.
    pub stops: Vec<(AccountId, f64)>,
    /// Names of accounts from a file.
    pub names: Vec<(AccountId, String)>,
    /// Isolated accounts of a file whose owner has a cross account too, and which.
    pub siblings: Vec<(AccountId, AccountId)>,
    /// What was noticed.
    pub tally: Tally,
}

/// What was noticed as a population was drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Members who were drawn again because they would have started at a margin call.
    pub redrawn: u32,
    /// Members whose quantity was cut to what initial margin allows.
    pub capped: u32,
    /// Members with leverage who begin flat because initial margin allows them no single lot.
    pub flat: u32,
    /// Accounts of a file that stand at a call or worse at the start price.
    pub called: u32,
    /// What the background maker holds, by market.
    pub background: Vec<Lots>,
}

/// An amount that doesn't fit the integers of a market.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "a member with capital {capital} and leverage {leverage} does not fit 63 bits; bound the distributions, or choose coarser lots"
)]
pub struct TooLarge {
    /// The cohort, by its place.
    pub cohort: usize,
    /// The capital drawn.
    pub capital: f64,
    /// The leverage drawn.
    pub leverage: f64,
}

/// The number that keys a cohort's draws.
fn key(name: &str) -> u32 {
    let mut state = 0;
    for byte in name.bytes() {
        state = mix(state ^ u64::from(byte));
    }
    state as u32
}

/// What accounts are asked at the start, beside their markets' schedules.
pub struct Asked {
    /// When they are warned, called and liquidated.
    pub thresholds: Thresholds,
    /// What cross accounts are asked for all their positions together; nothing where requirements are added up.
    pub portfolio: Option<Box<dyn PortfolioRule>>,
    /// What the owners of given accounts hold outside for top-ups, as a multiple of the collateral stated.
    pub reserve: f64,
}

#[derive(Clone, Copy, Debug)]
struct Leg {
    market: MarketId,
    quantity: Lots,
    entry: Ticks,
}

/// A member before it has an account.
#[derive(Clone, Debug)]
struct Draft {
    isolated: Option<MarketId>,
    cash: Cash,
    /// What it holds as collateral.
    held: Vec<Leg>,
    legs: Vec<Leg>,
    reserve: Cash,
    stop: Option<f64>,
    name: Option<String>,
}

impl Draft {
    /// Equity at the start prices, what positions are asked there, and haircuts.
    fn measure(&self, grounds: &[Ground]) -> (i128, Cash, Cash) {
        let mut equity = i128::from(self.cash.0);
        let mut asked = [0, 0];
        for leg in self.legs.iter().chain(&self.held) {
            let ground = &grounds[leg.market.index()];
            equity += ground.contract.wide(leg.quantity, ground.start)
                - ground.contract.wide(leg.quantity, leg.entry);
            let notional = ground.worth(leg.quantity);
            asked[usize::from(ground.spot)] += i128::from(ground.schedule.maintenance(notional).0);
        }
        (equity, Cash::clamped(asked[0]), Cash::clamped(asked[1]))
    }
    /// What each position is asked alone, at the start prices.
    fn alone(&self, grounds: &[Ground]) -> Vec<margin::Leg> {
        self.legs
            .iter()
            .map(|leg| {
                let ground = &grounds[leg.market.index()];
                let notional = ground.worth(leg.quantity);
                margin::Leg {
                    market: leg.market,
                    quantity: leg.quantity,
                    notional,
                    alone: ground.schedule.maintenance(notional),
                }
            })
            .collect()
    }
    fn survives(&self, grounds: &[Ground], asked: &Asked) -> bool {
        let (equity, requirement, haircut) = self.measure(grounds);
        let requirement = match &asked.portfolio {
            Some(portfolio) if self.isolated.is_none() => {
                portfolio.requirement(&self.alone(grounds))
            }
            _ => requirement,
        };
        let own = self
            .isolated
            .map(|market| &grounds[market.index()].thresholds);
        own.unwrap_or(&asked.thresholds)
            .after_haircut(equity, requirement + haircut, haircut)
            < Standing::Call
    }
    /// Where the account goes in its cohort: market, side, and how early a move against that side closes it.
    fn order(&self, grounds: &[Ground]) -> (u16, u8, f64) {
        let market = self.isolated.map_or(u16::MAX, |market| market.0);
        let Some(leg) = self.legs.first() else {
            return (market, 2, 0.0);
        };
        let short = u8::from(leg.quantity < Lots::ZERO);
        let early = if self.isolated.is_some() {
            let contract = &grounds[leg.market.index()].contract;
            let cost = contract.wide(leg.quantity, leg.entry) - i128::from(self.cash.0);
            // As a level, which rises with the price.
            let bankruptcy = cost as f64 / (leg.quantity.as_f64() * contract.slope());
            if short == 0 { -bankruptcy } else { bankruptcy }
        } else {
            let (equity, _, _) = self.measure(grounds);
            let exposure: i128 = self
                .legs
                .iter()
                .map(|leg| {
                    let ground = &grounds[leg.market.index()];
                    ground.contract.wide(leg.quantity, ground.start).abs()
                })
                .sum();
            equity as f64 / exposure as f64
        };
        (market, short, early)
    }
}

impl Ground {
    /// Notional of a quantity at the start price.
    fn worth(&self, quantity: Lots) -> Cash {
        Cash::clamped(self.contract.wide(quantity, self.start).abs())
    }
}

/// The largest quantity up to `most` that a test allows, given that it allows every smaller one.
fn largest(most: i64, allows: impl Fn(i64) -> bool) -> i64 {
    if allows(most) {
        return most;
    }
    let (mut yes, mut no) = (0, most);
    while no - yes > 1 {
        let middle = yes + (no - yes) / 2;
        if allows(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

struct Cohort<'a> {
    settings: &'a CohortSettings,
    weights: Vec<(MarketId, f64)>,
    /// Shares of collateral that are held in markets of collateral.
    held: Vec<(MarketId, f64)>,
    place: usize,
}

impl Cohort<'_> {
    fn pick(&self, uniform: f64) -> MarketId {
        let mut left = uniform;
        for (market, weight) in &self.weights {
            left -= weight;
            if left < 0.0 {
                return *market;
            }
        }
        self.weights[self.weights.len() - 1].0
    }

    fn draft(
        &self,
        stream: &mut Stream,
        grounds: &[Ground],
        asked: &Asked,
        tally: &mut Tally,
    ) -> Result<Draft, TooLarge> {
        let settings = self.settings;
        let market = self.pick(stream.uniform());
        let sign = if stream.chance(settings.long_share) {
            1
        } else {
            -1
        };
        let stopped = stream.uniform();
        let capital = settings.capital.draw(stream);
        let too_large = |leverage| TooLarge {
            cohort: self.place,
            capital,
            leverage,
        };
        let cash = grid::decimal(capital)
            .and_then(|capital| grounds[0].grid.cash(capital).ok())
            .ok_or_else(|| too_large(0.0))?;
        let (isolated, split) = match settings.mode {
            Mode::Isolated => (Some(market), vec![(market, 1.0)]),
            Mode::Cross => (None, self.weights.clone()),
        };
        let mut draft = Draft {
            isolated,
            cash,
            held: self.bought(cash, grounds),
            legs: Vec::with_capacity(split.len()),
            reserve: Cash::ZERO,
            stop: None,
            name: None,
        };
        match settings.response {
            ResponseSettings::TopUp { reserve, .. } => {
                draft.reserve = grid::decimal(capital * reserve)
                    .and_then(|reserve| grounds[0].grid.cash(reserve).ok())
                    .ok_or_else(|| too_large(0.0))?;
            }
            ResponseSettings::StopLoss {
                probability,
                distance,
            } if stopped < probability => draft.stop = Some(distance),
            _ => {}
        }
        let (_, _, haircut) = draft.measure(grounds);
        let mut capped = false;
        for attempt in 0..=ATTEMPTS {
            let leverage = settings.leverage.draw(stream);
            let drawn = settings.entry.draw(stream);
            // The last resort: entered now, at the start price.
            let entry = if attempt == ATTEMPTS { 1.0 } else { drawn };
            draft.legs.clear();
            capped = false;
            for (market, weight) in &split {
                let ground = &grounds[market.index()];
                let entry = Ticks(((ground.start.as_f64() * entry).round() as i64).max(1));
                let budget = Cash((cash.as_f64() * weight) as i64);
                let wanted = budget.as_f64() * leverage;
                if wanted <= 0.0 {
                    continue;
                }
                let budget = budget - Cash((haircut.as_f64() * weight).ceil() as i64);
                let a_lot = ground.contract.lot_notional(entry.as_f64());
                if wanted / a_lot > 1e17 || wanted > 1e18 {
                    return Err(too_large(leverage));
                }
                let most = ((wanted / a_lot) as i64).max(1);
                let carried = |quantity: i64| {
                    ground
                        .contract
                        .checked(Lots(quantity), entry)
                        .is_some_and(|notional| {
                            let notional = notional.abs();
                            notional <= ground.schedule.limit()
                                && ground.schedule.initial(notional) <= budget
                        })
                };
                let quantity = largest(most, carried);
                capped |= quantity < most;
                if quantity > 0 {
                    draft.legs.push(Leg {
                        market: *market,
                        quantity: Lots(sign * quantity),
                        entry,
                    });
                }
            }
            if draft.survives(grounds, asked) {
                tally.redrawn += u32::from(attempt > 0);
                break;
            }
            if attempt == ATTEMPTS {
                // Entered at the start price with all that initial margin allows, and that is a
                // call already: as much of it as is not.
                tally.redrawn += 1;
                capped = true;
                let legs = draft.legs.clone();
                let most = legs.iter().map(|leg| leg.quantity.abs().0).max();
                let cut = |part: i64| {
                    let mut cut = draft.clone();
                    let whole = most.unwrap_or(1);
                    for (leg, full) in cut.legs.iter_mut().zip(&legs) {
                        let share = i128::from(full.quantity.0) * i128::from(part);
                        leg.quantity = Lots((share / i128::from(whole)) as i64);
                    }
                    cut.legs.retain(|leg| !leg.quantity.is_zero());
                    cut
                };
                let part = largest(most.unwrap_or(0), |part| cut(part).survives(grounds, asked));
                draft = cut(part);
            }
        }
        tally.capped += u32::from(capped && !draft.legs.is_empty());
        tally.flat += u32::from(capped && draft.legs.is_empty());
        Ok(draft)
    }
}

impl Cohort<'_> {
    /// What a member's capital buys of collateral at the start prices.
    fn bought(&self, cash: Cash, grounds: &[Ground]) -> Vec<Leg> {
        let legs = self.held.iter().map(|(market, share)| {
            let ground = &grounds[market.index()];
            let a_lot = ground.contract.lot_notional(ground.start.as_f64());
            Leg {
                market: *market,
                quantity: Lots((cash.as_f64() * share / a_lot) as i64),
                entry: ground.start,
            }
        });
        legs.filter(|leg| leg.quantity > Lots::ZERO).collect()
    }
}

/// An integer that orders as `f64::total_cmp` does.
const fn ascending(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// Opens the accounts of one cohort.
fn open(
    population: &mut Population,
    grounds: &[Ground],
    cohort: CohortId,
    mut drafts: Vec<Draft>,
    weights: Vec<(MarketId, f64)>,
    latency: f64,
) {
    // A place costs far more than a comparison, so each is worked out once.
    drafts.sort_by_cached_key(|draft| {
        let (market, side, price) = draft.order(grounds);
        (market, side, ascending(price))
    });
    let ledger = &mut population.ledger;
    let first = AccountId(ledger.len() as u32);
    let count = drafts.len() as u32;
    for draft in drafts {
        let id = ledger.open(draft.isolated, cohort);
        ledger.deposit(id, draft.cash);
        ledger.set_reserve(id, draft.reserve);
        for leg in draft.legs.iter().chain(&draft.held) {
            let ground = &grounds[leg.market.index()];
            let side = if leg.quantity > Lots::ZERO {
                Side::Buy
            } else {
                Side::Sell
            };
            let fill = Fill {
                taker: id,
                maker: AccountId::BACKGROUND,
                side,
                quantity: leg.quantity.abs(),
                value: ground.contract.value(leg.quantity.abs(), leg.entry),
                price: leg.entry,
            };
            ledger.settle(leg.market, &fill, Rate::ZERO, Rate::ZERO);
        }
        if let Some(distance) = draft.stop.filter(|_| !draft.legs.is_empty()) {
            population.stops.push((id, distance));
        }
        if let Some(name) = draft.name {
            population.names.push((id, name));
        }
    }
    population.members.push(Members {
        cohort,
        first,
        count,
        markets: weights,
        latency,
    });
}

/// The accounts that a list of holdings describes: one a position for isolated ones, one an owner
/// for cross ones.
///
/// What is held of collateral is paid for beside the cash that is stated.
fn given(holdings: &[Holding], grounds: &[Ground]) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::with_capacity(holdings.len());
    let mut cross: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for holding in holdings {
        let leg = Leg {
            market: holding.market,
            quantity: holding.quantity,
            entry: holding.entry,
        };
        let ground = &grounds[holding.market.index()];
        let (mut legs, mut held) = (vec![leg], Vec::new());
        let mut cash = holding.collateral;
        if ground.spot {
            std::mem::swap(&mut legs, &mut held);
            cash += Cash::clamped(ground.contract.wide(leg.quantity, leg.entry));
        }
        if !holding.isolated
            && let Some(at) = cross.get(holding.account.as_str())
        {
            drafts[*at].legs.append(&mut legs);
            drafts[*at].held.append(&mut held);
            drafts[*at].cash += cash;
            continue;
        }
        if !holding.isolated {
            cross.insert(&holding.account, drafts.len());
        }
        drafts.push(Draft {
            isolated: holding.isolated.then_some(holding.market),
            cash,
            held,
            legs,
            reserve: Cash::ZERO,
            stop: None,
            name: Some(holding.account.clone()),
        });
    }
    drafts
}

/// Draws every cohort and opens its accounts, then those of a list of holdings as one more cohort
/// (none where the list is empty). Latencies are in steps.
///
/// # Errors
///
/// [`TooLarge`] where a member's amounts do not fit.
pub fn populate(
    cohorts: &[(&str, &CohortSettings)],
    holdings: &[Holding],
    grounds: &[Ground],
    asked: &Asked,
    draws: &Draws,
    dt: f64,
) -> Result<Population, TooLarge> {
    let mut population = Population {
        ledger: Ledger::new(grounds.iter().map(|ground| ground.contract).collect()),
        members: Vec::with_capacity(cohorts.len() + 1),
        stops: Vec::new(),
        names: Vec::new(),
        siblings: Vec::new(),
        tally: Tally::default(),
    };
    for (place, (name, settings)) in cohorts.iter().enumerate() {
        let cohort = Cohort {
            settings,
            weights: weights(settings, grounds),
            held: named(&settings.collateral, grounds).collect(),
            place,
        };
        let key = key(name);
        let drafts = (0..settings.count)
            .map(|member| {
                let mut stream = draws.stream(Purpose::Population, member, key);
                cohort.draft(&mut stream, grounds, asked, &mut population.tally)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let latency = settings.latency.as_seconds() / dt;
        let id = CohortId(place as u16);
        open(
            &mut population,
            grounds,
            id,
            drafts,
            cohort.weights,
            latency,
        );
    }
    if !holdings.is_empty() {
        let mut drafts = given(holdings, grounds);
        for draft in &mut drafts {
            draft.reserve = Cash((draft.cash.as_f64() * asked.reserve) as i64);
        }
        population.tally.called = drafts
            .iter()
            .filter(|draft| !draft.survives(grounds, asked))
            .count() as u32;
        let id = CohortId(cohorts.len() as u16);
        open(&mut population, grounds, id, drafts, even(grounds), 0.0);
    }
    population.siblings = siblings(&population);
    population.tally.background = (0..grounds.len() as u16)
        .map(|market| {
            population
                .ledger
                .position(AccountId::BACKGROUND, MarketId(market))
                .map_or(Lots::ZERO, |slot| slot.quantity)
        })
        .collect();
    Ok(population)
}

/// Isolated accounts of a file, and the cross account of the same name.
fn siblings(population: &Population) -> Vec<(AccountId, AccountId)> {
    let isolated = |id: &AccountId| population.ledger.account(*id).isolated().is_some();
    let cross: std::collections::BTreeMap<&str, AccountId> = population
        .names
        .iter()
        .filter(|(id, _)| !isolated(id))
        .map(|(id, name)| (name.as_str(), *id))
        .collect();
    let own = population.names.iter().filter(|(id, _)| isolated(id));
    own.filter_map(|(id, name)| Some((*id, *cross.get(name.as_str())?)))
        .collect()
}

/// All markets but those of collateral, alike.
fn even(grounds: &[Ground]) -> Vec<(MarketId, f64)> {
    let traded = grounds.iter().filter(|ground| !ground.spot).count();
    let share = 1.0 / traded as f64;
    grounds
        .iter()
        .zip(0..)
        .filter(|(ground, _)| !ground.spot)
        .map(|(_, market)| (MarketId(market), share))
        .collect()
}

/// The markets that are named, in the scenario's order.
fn named(
    names: &std::collections::BTreeMap<String, f64>,
    grounds: &[Ground],
) -> impl Iterator<Item = (MarketId, f64)> {
    grounds
        .iter()
        .zip(0..)
        .filter_map(|(ground, market)| Some((MarketId(market), *names.get(&ground.name)?)))
}

/// The markets of a cohort in the scenario's order, with weights that add up to one.
fn weights(settings: &CohortSettings, grounds: &[Ground]) -> Vec<(MarketId, f64)> {
    if settings.markets.is_empty() {
        return even(grounds);
    }
    let total: f64 = settings.markets.values().sum();
    named(&settings.markets, grounds)
        .map(|(market, weight)| (market, weight / total))
        .collect()
}
