//! From a typed scenario to a world that can run: files are read once, draws are made per run.

use super::check::{POSITIONS, path_key};
use super::load::positions::{self, PositionMode};
use super::load::{LoadError, PriceHistory};
use super::option;
use super::problem::Problem;
use super::settings::{ContractSettings, KindSettings, MarketSettings, Scenario, VenueSettings};
use crate::engine::{
    Adl, CohortSetup, LiquidationSetup, MarketSetup, Setup, Socialise, StressSetup, opening_depth,
};
use crate::liquidation::keeper::{self, KeeperSettings};
use crate::liquidation::policy::{PolicySettings, absorb::Reserves};
use crate::liquidation::waterfall::{Backstop, Ranking, SocialiseSettings};
use crate::margin::option::{OptionMargin, OptionMarginSettings};
use crate::margin::{Frozen, MarginRule, RiskView, Schedule};
use crate::market::{Book, Contract, Frame, Impact, Venue};
use crate::math::Draws;
use crate::math::linear::{Matrix, correlation_factor};
use crate::path::{Bars, Paths, PricePath, Source, Stress, TimeGrid};
use crate::safety::{Faults, SafetySetup};
use crate::trader::population::{Asked, Ground, Holding, Population, populate};
use crate::trader::{CohortSettings, ResponseSettings};
use crate::unit::{AccountId, Cash, Grid, Lots, Rate, Span, Ticks};
use rust_decimal::Decimal;
use std::path::Path;
use std::sync::Arc;

/// Which of a scenario's worlds: whether forced orders meet the market, and whether rates may move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They do.
    #[default]
    Run,
    /// They are absorbed at the mark, without impact: the twin that a run is compared with.
    Twin,
    /// They do, and every margin rule's rates stay those of the first step: what a run falls beyond
    /// this world is the margin spiral's.
    FrozenRates,
    /// They do, and no fail-safe holds anything back: what fail-safes are compared with.
    Unguarded,
}

/// Another of a scenario's worlds, made of that of its run: the same accounts, outside prices and draws. Nothing has to be drawn
/// again, which for many accounts takes longer than a few hundred steps.
pub fn in_mode(run: Setup, mode: Mode) -> Setup {
    let mut setup = run;
    match mode {
        Mode::Run => {}
        Mode::Twin => setup.absorb_forced = true,
        Mode::FrozenRates => {
            let frozen = |mut market: MarketSetup| {
                market.rule = Box::new(Frozen(market.rule));
                market
            };
            setup.markets = setup.markets.into_iter().map(frozen).collect();
            if let Some(stress) = &mut setup.stress {
                stress.portfolio.clone_from(&setup.portfolio);
                stress.options = None;
            }
        }
        Mode::Unguarded => {
            setup.safety = SafetySetup {
                faults: setup.safety.faults,
                ..SafetySetup::default()
            };
        }
    }
    setup
}

/// What a world's builder has to say beside the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Names of accounts from a positions file.
    pub names: Vec<(AccountId, String)>,
    /// What the background maker holds at the start, by market.
    pub background: Vec<Lots>,
    /// What a person should know of files and draws, a line each.
    pub notes: Vec<String>,
}

/// A ladder reaches this many times the highest price of the path.
const HEADROOM: f64 = 4.0;

/// Prices by market, in ticks, and which steps are in stress.
type Outside = (Vec<Vec<f64>>, Vec<bool>);

/// A scenario whose files are read. Every run of it starts from [`Prepared::setup`].
pub struct Prepared<'a> {
    scenario: &'a Scenario,
    grid: TimeGrid,
    grids: Vec<Grid>,
    starts: Vec<f64>,
    generators: Vec<Box<dyn PricePath>>,
    factor: Matrix,
    stress: Option<Stress>,
    holdings: Vec<Holding>,
    notes: Vec<String>,
}

fn plain(key: impl Into<String>, message: impl std::fmt::Display) -> Vec<Problem> {
    vec![Problem::new(key, message.to_string())]
}

impl<'a> Prepared<'a> {
    /// Reads the files that a scenario names.
    ///
    /// # Errors
    ///
    /// Every problem of the files, and of settings with what the files say.
    pub fn new(scenario: &'a Scenario) -> Result<Self, Vec<Problem>> {
        let grid = scenario
            .grid()
            .ok_or_else(|| plain("length", "must be a whole number of steps"))?;
        let mut problems = Vec::new();
        let mut prepared = Self {
            scenario,
            grid,
            grids: Vec::new(),
            starts: Vec::new(),
            generators: Vec::new(),
            factor: Matrix::new(),
            stress: None,
            holdings: Vec::new(),
            notes: Vec::new(),
        };
        for (name, market) in scenario.traded() {
            if let Err(list) = prepared.market(name, market) {
                problems.extend(list);
            }
        }
        let [calm, _] = scenario.correlations();
        match correlation_factor(&calm, scenario.markets.len()) {
            Ok(factor) => prepared.factor = factor,
            Err(error) => problems.extend(plain("correlation", error)),
        }
        if let Some(stress) = &scenario.stress_correlation {
            match stress.ready(&calm, &prepared.grid) {
                Ok(stress) => prepared.stress = Some(stress),
                Err(error) => problems.extend(plain("stress_correlation.matrix", error)),
            }
        }
        if problems.is_empty()
            && let Some(file) = &scenario.positions
            && let Err(list) = prepared.positions(Path::new(file))
        {
            problems.extend(list);
        }
        if problems.is_empty() {
            Ok(prepared)
        } else {
            Err(problems)
        }
    }

    fn market(&mut self, name: &str, market: &MarketSettings) -> Result<(), Vec<Problem>> {
        let at = format!("market.{name}");
        let grid = market
            .grid(self.scenario.quantum)
            .map_err(|error| plain(format!("{at}.tick"), error))?;
        let path_at = format!("{at}.{}", path_key(&market.path));
        let mut bars: Option<Arc<Bars>> = None;
        if let Some(file) = market.path.file() {
            let history = PriceHistory::load(Path::new(file))
                .map_err(|error| plain(format!("{path_at}.file"), error))?;
            self.notes.extend(
                history
                    .report()
                    .into_iter()
                    .map(|line| format!("{file}: {line}")),
            );
            bars = Some(Arc::new(history.bars));
        }
        let start = market
            .price
            .or_else(|| market.path.natural_start(&self.grid, bars.as_deref()));
        let problems: Vec<Problem> = market
            .path
            .problems(&self.grid, start.unwrap_or(1.0), bars.as_deref())
            .into_iter()
            .map(|problem| Problem::new(format!("{path_at}.{}", problem.field), problem.message))
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        if let crate::path::PathSettings::Replay(replay) = &market.path
            && let Some(bars) = bars.as_deref()
        {
            self.notes.push(format!(
                "{name} replays {}: a realised price contains the liquidations of its day; path.replay.exogenous_share (now {}) scales its moves",
                replay.file, replay.exogenous_share
            ));
            self.notes.extend(replay.notes(&self.grid, bars));
        }
        let (Some(start), Some(generator)) = (start, market.path.generator(bars)) else {
            return Err(plain(format!("{at}.price"), "is missing"));
        };
        self.grids.push(grid);
        self.starts.push(start);
        self.generators.push(generator);
        Ok(())
    }

    fn positions(&mut self, file: &Path) -> Result<(), Vec<Problem>> {
        let names: Vec<&str> = self.scenario.markets.iter().map(String::as_str).collect();
        let told = |error: LoadError| plain("positions", error);
        let rows = positions::load(file, &names).map_err(told)?;
        let mut problems = Vec::new();
        for row in rows {
            let grid = &self.grids[row.market.index()];
            let line = format!("{}, line {}", file.display(), row.line);
            let read = (|| {
                let quantity = grid.lots(row.quantity)?;
                let entry = grid.ticks(row.entry_price)?;
                let collateral = grid.cash(row.collateral)?;
                Ok::<_, crate::unit::grid::GridError>((quantity, entry, collateral))
            })();
            match read {
                Err(error) => problems.push(Problem::new("positions", format!("{line}: {error}"))),
                Ok((quantity, entry, _)) if quantity.is_zero() || entry <= Ticks::ZERO => {
                    problems.push(Problem::new(
                        "positions",
                        format!(
                            "{line}: {} at {} is less than half a lot of {} or half a tick of {}",
                            row.quantity, row.entry_price, grid.lot, grid.tick
                        ),
                    ));
                }
                Ok((quantity, ..)) if self.is_spot(row.market) && quantity < Lots::ZERO => {
                    problems.push(Problem::new(
                        "positions",
                        format!(
                            "{line}: found qty {}, expected a number above 0: collateral in {} can't be owed",
                            row.quantity,
                            names[row.market.index()]
                        ),
                    ));
                }
                Ok(_) if self.is_spot(row.market) && row.mode == PositionMode::Isolated => {
                    problems.push(
                        Problem::new(
                            "positions",
                            format!(
                                "{line}: found mode isolated, expected cross: {} is collateral of a cross account",
                                names[row.market.index()]
                            ),
                        )
                        .help(Some("give the account's other positions mode cross too".into())),
                    );
                }
                Ok((quantity, entry, collateral)) => self.holdings.push(Holding {
                    account: row.account,
                    market: row.market,
                    quantity,
                    entry,
                    collateral,
                    isolated: row.mode == PositionMode::Isolated,
                }),
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn is_spot(&self, market: crate::unit::MarketId) -> bool {
        self.scenario
            .traded()
            .nth(market.index())
            .is_some_and(|(_, settings)| settings.kind.is_spot())
    }

    /// The clock of the run.
    pub const fn grid(&self) -> &TimeGrid {
        &self.grid
    }

    /// The world of one replicate, before its first step.
    ///
    /// # Errors
    ///
    /// Problems that depend on what is drawn: a price that leaves the ladder, amounts that don't fit.
    pub fn setup(&self, replicate: u64, mode: Mode) -> Result<(Setup, Opening), Vec<Problem>> {
        self.setup_with(&self.holdings, replicate, mode)
    }

    /// The world of one replicate with these positions in place of those of a file: for runs that differ in who
    /// holds what.
    ///
    /// # Errors
    ///
    /// As [`Prepared::setup`].
    pub fn setup_with(
        &self,
        holdings: &[Holding],
        replicate: u64,
        mode: Mode,
    ) -> Result<(Setup, Opening), Vec<Problem>> {
        let scenario = self.scenario;
        let dt = self.grid.dt;
        let draws = scenario.draws(replicate);
        let severity = scenario.severity(replicate);
        let (paths, stressed) = self.paths(&draws, severity)?;
        let mut markets = Vec::with_capacity(self.grids.len());
        let mut grounds = Vec::with_capacity(self.grids.len());
        for (place, (name, settings)) in scenario.traded().enumerate() {
            let prices = &paths[place];
            let (setup, ground) = self.open_market(name, settings, place, prices)?;
            markets.push(setup);
            grounds.push(ground);
        }
        let thresholds = scenario.margin.thresholds(dt);
        let [cross, cross_in_stress] = scenario.crosses();
        let cohorts: Vec<(&str, &CohortSettings)> = scenario
            .cohort
            .iter()
            .map(|(name, settings)| (name.as_str(), settings))
            .collect();
        let mut population = populate(
            &cohorts,
            holdings,
            &grounds,
            &Asked {
                thresholds,
                portfolio: cross.build(),
                reserve: match scenario.positions_response {
                    Some(ResponseSettings::TopUp { reserve, .. }) => reserve,
                    _ => 0.0,
                },
            },
            &draws,
            dt,
        )
        .map_err(|error| plain(format!("cohort.{}.capital", cohorts[error.cohort].0), error))?;
        let margins = scenario.option_margins();
        let options = match (&scenario.options, &margins) {
            (Some(settings), Some([asked, _])) => Some(
                option::Opening {
                    scenario,
                    settings,
                    cohorts: &cohorts,
                    clock: &self.grid,
                    grounds: &grounds,
                    draws: &draws,
                    margin: self.option_margin(asked),
                }
                .open(&mut population)?,
            ),
            _ => None,
        };
        let liquidation = self.liquidation()?;
        population
            .ledger
            .deposit(AccountId::FUND, liquidation.pools.iter().copied().sum());
        self.check_size(&population, &grounds, &paths)?;
        let opening = self.opening(&population, replicate);
        let grids = &self.grids;
        let mut settings = cohorts.iter();
        let cohorts = population
            .members
            .into_iter()
            .map(|members| match settings.next() {
                Some((name, settings)) => CohortSetup {
                    name: (*name).to_owned(),
                    members,
                    behaviour: settings.strategy.build(grids),
                    response: settings.response,
                    withdrawal: settings.withdrawal,
                },
                None => CohortSetup {
                    name: POSITIONS.to_owned(),
                    members,
                    behaviour: None,
                    response: scenario.positions_response.unwrap_or_default(),
                    withdrawal: None,
                },
            })
            .collect();
        let setup = Setup {
            seed: scenario.seed,
            replicate,
            draws,
            dt,
            steps: self.grid.steps,
            rounds: scenario.rounds,
            thresholds,
            portfolio: cross.build(),
            stress: (!stressed.is_empty()).then(|| StressSetup {
                steps: Arc::from(stressed),
                portfolio: cross_in_stress.build(),
                options: scenario
                    .option_margins()
                    .map(|[_, in_stress]| self.option_margin(&in_stress)),
            }),
            reduce_only: scenario.margin.reduce_only,
            liquidation,
            safety: self.safety(&draws)?,
            markets,
            cohorts,
            ledger: population.ledger,
            options,
            siblings: population.siblings,
            stops: population.stops,
            absorb_forced: false,
            audit_every_step: false,
        };
        Ok((in_mode(setup, mode), opening))
    }

    fn option_margin(&self, settings: &OptionMarginSettings) -> Arc<dyn OptionMargin> {
        let names = self.scenario.markets.iter().zip(&self.grids);
        let markets: Vec<_> = names
            .map(|(name, grid)| (name.as_str(), grid.scale().quantum))
            .collect();
        Arc::from(settings.build(&markets))
    }

    /// The liquidation engine and the waterfall.
    fn liquidation(&self) -> Result<LiquidationSetup, Vec<Problem>> {
        let settings = &self.scenario.liquidation;
        let (dt, grid) = (self.grid.dt, &self.grids[0]);
        let cash = |key: &str, amount| {
            grid.cash(amount)
                .map_err(|error| plain(format!("liquidation.{key}"), error))
        };
        let mut pools = Vec::new();
        for name in &self.scenario.markets {
            let balance = settings.fund.market.get(name).copied().unwrap_or_default();
            pools.push(cash(&format!("fund.market.{name}"), balance)?);
        }
        if settings.fund.market.is_empty() {
            pools = vec![cash("insurance_fund", settings.insurance_fund)?];
        }
        let top_up = cash("fund.top_up", settings.fund.top_up)?;
        let backstop = match &settings.backstop {
            Some(backstop) => Some(Backstop {
                capital: cash("backstop.capital", backstop.capital)?,
                at: rate(backstop.at),
                half_life: backstop.half_life.as_seconds() / dt,
                loss_limit: rate(backstop.loss_limit)
                    .mul_up(cash("backstop.capital", backstop.capital)?),
            }),
            None => None,
        };
        let adl = &settings.adl;
        Ok(LiquidationSetup {
            policies: self
                .grids
                .iter()
                .zip(&self.scenario.markets)
                .map(|(grid, name)| settings.policy_of(name).build(grid, dt))
                .collect(),
            collateral: settings.collateral,
            largest_debt: settings
                .largest_debt
                .map(|debt| cash("largest_debt", debt))
                .transpose()?,
            fee: rate(settings.fee),
            latency: settings.latency.as_seconds() / dt,
            pools,
            top_up: (top_up > Cash::ZERO && settings.fund.every != Span::NEVER)
                .then(|| (top_up, settings.fund.every.steps(dt).max(1))),
            backstop,
            keepers: settings
                .keepers
                .iter()
                .map(|(name, keepers)| {
                    keeper_terms(keepers, grid, dt).map_err(|error| {
                        plain(format!("liquidation.keepers.{name}.capital"), error)
                    })
                })
                .collect::<Result<_, _>>()?,
            reserves: self
                .scenario
                .markets
                .iter()
                .find_map(|name| match settings.policy_of(name) {
                    PolicySettings::Absorb(absorb) => Some(absorb),
                    _ => None,
                })
                .map(|absorb| {
                    Ok::<_, Vec<Problem>>(Reserves {
                        capital: cash("policy.absorb.reserves", absorb.reserves)?,
                        target: cash("policy.absorb.target_reserves", absorb.target_reserves)?,
                        storefront: rate(absorb.storefront),
                    })
                })
                .transpose()?,
            adl: settings.auto_deleveraging.then(|| Adl {
                ranking: adl.ranking,
                cap: match adl.ranking {
                    Ranking::CappedProRata(cap) => Some(rate(cap.share)),
                    _ => None,
                },
                price: adl.price,
                drawdown: adl
                    .drawdown
                    .map(|share| (rate(share), adl.window.steps(dt))),
            }),
            socialise: settings
                .socialise_losses
                .then(|| match settings.socialisation {
                    SocialiseSettings::Profit => Socialise::Profit,
                    SocialiseSettings::Session(session) => {
                        Socialise::Session(session.length.steps(dt).max(1))
                    }
                    SocialiseSettings::Clawback(clawback) => {
                        Socialise::Clawback(clawback.length.steps(dt).max(1))
                    }
                }),
        })
    }

    /// Fail-safes and faults.
    fn safety(&self, draws: &Draws) -> Result<SafetySetup, Vec<Problem>> {
        let scenario = self.scenario;
        let names: Vec<&str> = scenario.markets.iter().map(String::as_str).collect();
        let outages = scenario
            .fault
            .iter()
            .enumerate()
            .flat_map(|(place, fault)| fault.outages(place, &self.grid, &names, draws))
            .collect();
        let faults = Faults::new(outages, names.len(), self.grid.dt);
        let guards = &scenario.safety;
        let open_interest_caps = names
            .iter()
            .zip(&self.grids)
            .map(|(name, grid)| {
                let cap = guards.open_interest_cap.get(*name);
                cap.map(|cap| grid.lots(*cap))
                    .transpose()
                    .map_err(|error| plain(format!("safety.open_interest_cap.{name}"), error))
            })
            .collect::<Result<_, _>>()?;
        let most_bad_debt = guards
            .kill_switch
            .and_then(|kill| kill.bad_debt)
            .map(|debt| self.grids[0].cash(debt))
            .transpose()
            .map_err(|error| plain("safety.kill_switch.bad_debt", error))?;
        Ok(SafetySetup {
            guards: guards.clone(),
            open_interest_caps,
            most_bad_debt,
            faults,
        })
    }

    /// The outside prices of every market, in ticks, and which steps are in stress.
    fn paths(&self, draws: &Draws, severity: f64) -> Result<Outside, Vec<Problem>> {
        let names = &self.scenario.markets;
        let sources: Vec<Source<'_>> = names
            .iter()
            .zip(&self.starts)
            .zip(&self.generators)
            .map(|((name, start), generator)| Source {
                start: *start,
                generator: generator.as_ref(),
                shocks: self
                    .scenario
                    .shock
                    .iter()
                    .filter(|shock| shock.concerns(name))
                    .map(|shock| shock.shock(&self.grid))
                    .collect(),
                severity,
            })
            .collect();
        let stress = self.stress.as_ref();
        let paths = Paths::lay_under(&self.grid, &sources, &self.factor, stress, draws).map_err(
            |error| {
                plain(
                    format!("market.{}.path", names[error.market.index()]),
                    error,
                )
            },
        )?;
        let ticks = self
            .grids
            .iter()
            .enumerate()
            .map(|(market, grid)| {
                let tick = grid.scale().tick;
                paths
                    .series(crate::unit::MarketId(market as u16))
                    .iter()
                    .map(|price| price / tick)
                    .collect()
            })
            .collect();
        Ok((ticks, paths.stressed().to_vec()))
    }

    fn open_market(
        &self,
        name: &str,
        settings: &MarketSettings,
        place: usize,
        path: &[f64],
    ) -> Result<(MarketSetup, Ground), Vec<Problem>> {
        let at = format!("market.{name}");
        let grid = self.grids[place];
        let contract = match settings.contract {
            ContractSettings::Linear => grid.quanta_per_tick_lot().map(Contract::linear),
            ContractSettings::Inverse => grid.quanta_at_a_tick().map(Contract::inverse),
        }
        .map_err(|error| plain(format!("{at}.tick"), error))?;
        let lowest = path.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = path.iter().copied().fold(0.0, f64::max);
        let ceiling = (HEADROOM * highest).ceil() + 2.0;
        if lowest < 1.0 || ceiling > f64::from(u32::MAX) {
            let scale = grid.scale();
            return Err(plain(
                format!("{at}.tick"),
                format!(
                    "a tick of {} doesn't suit prices from {} to {}: expected at least one tick, and {HEADROOM} times the highest price in at most {} ticks",
                    grid.tick,
                    lowest * scale.tick,
                    highest * scale.tick,
                    u32::MAX
                ),
            ));
        }
        let frame = Frame {
            contract,
            ceiling: Ticks(ceiling as i64),
            lot: grid.scale().lot,
            dt: self.grid.dt,
            start: path[0],
        };
        let ground = Ground {
            name: name.to_owned(),
            grid,
            contract,
            start: frame.nearest(path[0]),
            schedule: self.schedule(name, settings, &grid, &frame)?,
            thresholds: self.scenario.margin.thresholds_in(name, self.grid.dt),
            spot: settings.kind.is_spot(),
        };
        let setup = MarketSetup {
            name: name.to_owned(),
            grid,
            contract,
            path: path.to_vec(),
            venue: venue(settings, &frame),
            anchor: settings.anchor,
            flight: settings.flight.clone(),
            oracle: settings.oracle,
            mark: settings.mark,
            funding: settings.funding,
            taker_fee: rate(settings.taker_fee),
            maker_fee: rate(settings.maker_fee),
            rule: self.rule(name, settings, &grid)?,
            thresholds: ground.thresholds,
            spot: ground.spot,
        };
        Ok((setup, ground))
    }

    fn rule(
        &self,
        market: &str,
        settings: &MarketSettings,
        grid: &Grid,
    ) -> Result<Box<dyn MarginRule>, Vec<Problem>> {
        let margin = &self.scenario.margin;
        self.scenario
            .rules
            .make(market)
            .or_else(|| match &settings.kind {
                KindSettings::Spot(haircut) => {
                    Some(margin.build_haircut(market, haircut.schedule(grid), grid))
                }
                KindSettings::Perpetual => margin.build(market, grid),
            })
            .ok_or_else(|| plain(format!("margin.market.{market}.base"), "is missing"))
    }

    /// The rates of a market at the start, from a rule of their own, so that the run's rule has seen nothing yet.
    fn schedule(
        &self,
        name: &str,
        settings: &MarketSettings,
        grid: &Grid,
        frame: &Frame,
    ) -> Result<Schedule, Vec<Problem>> {
        let mut rule = self.rule(name, settings, grid)?;
        // Only where something may ask for it is a book laid out to be measured.
        let parts = rule.parts();
        let blind = |part: &&str| !["depth", "concentration"].contains(part);
        let depth = if !parts.is_empty() && parts.iter().all(blind) {
            (Lots::ZERO, Lots::ZERO)
        } else {
            opening_depth(&mut *venue(settings, frame), &settings.flight, frame.start)
        };
        let start = frame.start;
        let mut schedule = Schedule::flat(Rate::ONE, Rate::ONE);
        let view = RiskView {
            dt: self.grid.dt,
            index: start,
            mark: start,
            bid_depth: depth.0,
            ask_depth: depth.1,
            quanta: frame.contract.per_tick(start),
            ..RiskView::default()
        };
        rule.schedule(&view, &mut schedule);
        Ok(schedule)
    }

    /// Four times the open interest at the highest price must fit the ledger.
    fn check_size(
        &self,
        population: &Population,
        grounds: &[Ground],
        paths: &[Vec<f64>],
    ) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for (place, ground) in grounds.iter().enumerate() {
            let market = crate::unit::MarketId(place as u16);
            let interest = population.ledger.open_interest(market);
            let highest = paths[place].iter().copied().fold(0.0, f64::max);
            // An inverse contract is worth the most at the lowest price that there is.
            let (dearest, at) = if ground.contract.is_inverse() {
                (1.0, "lowest")
            } else {
                (highest, "highest")
            };
            let most = HEADROOM * interest.as_f64() * ground.contract.lot_notional(dearest);
            if most > i64::MAX as f64 {
                problems.push(
                    Problem::new(
                        format!("market.{}.lot", ground.name),
                        format!(
                            "{HEADROOM} times the open interest of {} at the {at} price of {} does not fit 63 bits of quanta of {}",
                            ground.grid.quantity(interest),
                            dearest * ground.grid.scale().tick,
                            ground.grid.quantum
                        ),
                    )
                    .help(Some("choose a coarser quantum, or smaller cohorts".into())),
                );
            }
        }
        if let Err(breach) = population.ledger.check() {
            problems.push(Problem::new("cohort", breach.to_string()));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn opening(&self, population: &Population, replicate: u64) -> Opening {
        let mut notes = self.notes.clone();
        let severity = self.scenario.severity(replicate);
        if severity != 1.0 {
            notes.push(format!(
                "ensemble.severity: replicate {replicate} has {severity:.4}, on every log move of the outside prices"
            ));
        }
        let tally = &population.tally;
        for ((name, grid), held) in self
            .scenario
            .markets
            .iter()
            .zip(&self.grids)
            .zip(&tally.background)
        {
            if !held.is_zero() {
                let side = if *held > Lots::ZERO { "long" } else { "short" };
                notes.push(format!(
                    "the background maker takes {} {name} {side}",
                    grid.quantity(held.abs())
                ));
            }
        }
        for (count, text) in [
            (
                tally.redrawn,
                "drawn again, for they would have started at a margin call",
            ),
            (
                tally.capped,
                "cut to the size that their initial margin allows",
            ),
            (
                tally.flat,
                "left without a position, for initial margin allows them not one lot",
            ),
            (
                tally.called,
                "of the positions file at a margin call or worse from the start",
            ),
        ] {
            if count > 0 {
                notes.push(format!(
                    "{}: {text}",
                    super::load::count(count.into(), "account")
                ));
            }
        }
        Opening {
            names: population.names.clone(),
            background: tally.background.clone(),
            notes,
        }
    }
}

fn venue(settings: &MarketSettings, frame: &Frame) -> Box<dyn Venue> {
    match &settings.venue {
        VenueSettings::Book(book) => Box::new(Book::new(book, frame)),
        VenueSettings::Impact(impact) => Box::new(Impact::new(impact, frame)),
    }
}

/// A group of keepers in the engine's units.
fn keeper_terms(
    settings: &KeeperSettings,
    grid: &Grid,
    dt: f64,
) -> Result<keeper::Terms, crate::unit::grid::GridError> {
    Ok(keeper::Terms {
        count: settings.count,
        capital: grid.cash(settings.capital)?,
        leverage: settings.leverage,
        cost: grid.cash(settings.cost)?,
        most_cost: settings
            .most_cost
            .map_or(Ok(Cash::MAX), |most| grid.cash(most))?,
        delay: settings.delay.as_seconds() / dt,
        profit: rate(settings.profit).as_f64(),
        risk_aversion: settings.risk_aversion,
        half_life: settings.half_life.as_seconds() / dt,
        seconds: settings.half_life.as_seconds(),
    })
}

fn rate(decimal: Decimal) -> Rate {
    Rate::from_decimal(decimal.round_dp(9)).unwrap_or(Rate::ONE)
}
