//! Agent-based simulator of liquidation cascades and margin spirals.
//!
//! Leveraged traders hold positions in a market; a price falls; accounts that no longer meet their
//! margin requirement are closed by force; their orders trade against the depth that is left, move
//! the price, and so reach the next accounts. This crate computes that loop with an exact ledger,
//! and measures how much of a fall was the loop's own doing.
//!
//! ```
//! use deleverage::experiment::Run;
//! use deleverage::scenario::Scenario;
//!
//! let scenario = Scenario::parse(
//!     r#"
//!     length = "2m"
//!     [market.BTC]
//!     tick = 1
//!     lot = 0.001
//!     price = 100_000
//!     path.constant = {}
//!     venue.book = { depth.flat.lots_per_tick = 10, resilience = "30s" }
//!     [[shock]]
//!     at = "30s"
//!     size = -0.06
//!     duration = "30s"
//!     [margin]
//!     base.fixed = { maintenance = 0.02, initial = 0.04 }
//!     [cohort.retail]
//!     count = 100
//!     capital.lognormal = { median = 1000, sigma = 1.5 }
//!     leverage = { uniform = { min = 5, max = 25 } }
//!     "#,
//! )?;
//! let finished = Run::new(&scenario).twin(true).finish()?;
//! assert!(finished.summary.value("liquidations", None) > Some(0.0));
//! assert_eq!(finished.summary.value("conservation", None), Some(0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # One step, and its consequence
//!
//! [`World::step`](engine::World::step) goes through nine phases in a fixed order:
//! environment, marks, accruals, risk parameters, then (a *round*) surveillance, decisions, matching
//! and settlement, and at last observation.
//!
//! - Traders decide on the marks of this step and see no order of it: nobody reacts to a price that
//!   isn't published yet.
//! - A forced order trades against this step's depth, and the price it makes is margin's only in the
//!   next round or step. With one round a step, a cascade takes at least one step for each of its
//!   generations; how long that is is the scenario's `step` and `rounds`, and both are part of the result.
//! - What trades leave in the outside price is the scenario's `anchor`: share κ, undone with
//!   half-life τ. With κ = 0 and forced orders that move no price there is no loop, and a run equals its twin.
//! - A *twin* is the same world with the same draws, whose forced orders are absorbed at the mark.
//!   The difference between the two is the loop.
//!
//! # The map, in reading order
//!
//! A file imports its own floor or floors below, never above, and packages keep to their floor:
//! `tests/suite/floors.rs` reads the sources and says who doesn't.
//!
//! | floor | rooms | what | what never happens there |
//! |---|---|---|---|
//! | 0 | [`unit`](mod@unit), [`math`] | ticks, lots, cash, rates; keyed draws, portable functions | nothing knows what a market is; no draw depends on the order of calls |
//! | 1 | [`market`], [`account`] | book, impact law, oracle, mark, funding; ledger, index of triggers | no opinion about margin or behaviour; no float in the ledger's money |
//! | 2 | [`trader`], [`margin`], [`liquidation`], [`path`], [`surface`], [`safety`] | what one may dispute: strategies, rules, policies, outside prices, implied volatility, fail-safes and faults | a path never sees the market; a market's rule or fail-safe never sees an account; a policy never touches the ledger |
//! | 3 | [`engine`] | the world, its nine phases, events, observers, audit | never reads or writes a file; never asks the clock; an observer changes nothing |
//! | 4 | [`measure`], [`cascade`] | metrics and causes, as functions of what was recorded | never looks into the world while it runs |
//! | 5 | [`scenario`] | from TOML to a world; a user's files; presets | nothing else knows every part by name, and nothing below opens a file |
//! | 6 | [`experiment`], [`backtest`], [`verify`] | a run, alone or beside its twin; the same crashes under several rules; a scenario over many settings; rules against a history; the theory that the engine must meet | the only threads of a simulation; no number is added up in the order in which threads finish |
//! | 7 | [`output`], [`chart`], [`report`] | tables, manifest, summary; SVG and PNG; a page of all of it | no time of day, no machine's name; a chart knows only columns of numbers; a page loads nothing |
//! | 8 | [`cli`] | what a person types, and how a command ends | computes nothing |
//!
//! [`guide::reading`] shows how results are read elsewhere.
//!
//! Each part's settings stand beside the part; [`scenario`] only puts them together. Seams are small
//! traits called once per cohort or market and phase, never once per account (but for a
//! [`PortfolioRule`](margin::PortfolioRule), where cross accounts have one):
//! [`Behaviour`](trader::Behaviour), [`MarginRule`](margin::MarginRule),
//! [`LiquidationPolicy`](liquidation::LiquidationPolicy), [`PricePath`](path::PricePath),
//! [`Venue`](market::Venue), [`Observer`](engine::Observer).
//!
//! # Units
//!
//! | quantity | in the engine | in scenarios, tables and charts |
//! |---|---|---|
//! | price | [`Ticks`](unit::Ticks), an integer; signals in ticks as floats | settlement currency per unit of the base |
//! | quantity | [`Lots`](unit::Lots), + long or bought, − short or sold | units of the base |
//! | money | [`Cash`](unit::Cash), in quanta: 10⁻⁶ of the settlement currency unless the scenario says otherwise | settlement currency |
//! | rates | [`Rate`](unit::Rate), in 10⁻⁹ | shares: 0.01 is one per cent |
//! | time | steps | lengths such as `"30s"`; volatility a year of 365 days |
//!
//! Only [`unit::grid`] converts between the two columns. Money is never a float: Σ (cash − cost)
//! over all accounts equals net deposits to the quantum after every step. That is checked in every
//! step from running sums, and added up anew at the end, or in every step with `--audit`.
//!
//! # Determinism
//!
//! The same scenario, seed, replicate and version give the same bytes in every file:
//!
//! - whatever the number of threads: a world is sequential, and a run and its twin share nothing;
//! - whatever else is drawn: a draw is a function of (seed, replicate, purpose, entity, step, index),
//!   so a cohort more or a series less changes no other draw;
//! - whatever the order in which the points of a sweep are run, on which shard, and how often it is interrupted: a point's seed
//!   follows from the sweep's and the point's settings;
//! - from a manifest: it holds the scenario with every default and preset resolved, so that the same
//!   options (`--twin`, `--format`) give the same files. Files that it names (prices, positions) are
//!   read again and have to be the same.
//!
//! Where it stops. It is promised, and tested, between runs of one build on one platform. Floats go through `+ − × ÷ √` and
//! the portable functions of [`math::ops`], so that other platforms *should* agree, with one known
//! exception: Beta draws use `rand_distr`, which calls the platform's mathematical library. Charts do too. A
//! [`MarginRule`](margin::MarginRule) of one's own is not in the manifest. An interrupted run ends wherever
//! the interrupt met it; its manifest says so.
//!
//! # A rule from one's own crate
//!
//! Implement [`MarginRule::schedule`](margin::MarginRule::schedule) and hand the rule to
//! [`Scenario::with_rule`](scenario::Scenario::with_rule), which puts it in the place of the file's:
//!
//! ```
//! use deleverage::margin::{MarginRule, RiskView, Schedule};
//! use deleverage::unit::Rate;
//!
//! /// Doubles the requirement while funding is above 0.1 % a period.
//! #[derive(Clone)]
//! struct FundingAware;
//!
//! impl MarginRule for FundingAware {
//!     fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
//!         let maintenance = if view.funding_rate > 0.001 { 0.04 } else { 0.02 };
//!         *out = Schedule::flat(Rate::from_f64(2.0 * maintenance), Rate::from_f64(maintenance));
//!     }
//! }
//! ```
//!
//! README shows one at work, and `tests/suite/own_rule.rs` runs it. An observer of one's own goes to
//! [`World::run`](engine::World::run).

pub mod account;
pub mod backtest;
pub mod cascade;
pub mod chart;
pub mod cli;
pub mod engine;
pub mod experiment;
pub mod guide;
pub mod liquidation;
pub mod margin;
pub mod market;
pub mod math;
pub mod measure;
pub mod output;
pub mod path;
pub mod report;
pub mod safety;
pub mod scenario;
pub mod surface;
pub mod trader;
pub mod unit;
pub mod verify;
