//! The theory that the engine must meet: closed forms and published numbers, each with what the engine got.
//!
//! A [`Family`] is one piece of theory with its source; it runs and tells a [`Line`] for each number: what was expected,
//! what was got, how far apart they may lie. Whatever can run on the engine does, through the scenarios of
//! `configs/theory/`, which are built into the program; models that need another market than the engine's stand in
//! [`model`] and say so.
//!
//! | room | what |
//! |---|---|
//! | [`line`](mod@line) | what a family tells |
//! | [`stage`] | theory scenarios, positions put into them, worlds run to their end |
//! | [`lattice`], [`uniform`], [`branching`], [`root`] | cascades: on a lattice, in the continuum, as a branching process, under square-root impact |
//! | [`genealogy`] | attribution where R is known |
//! | [`adaptive`], [`recovery`], [`latency`], [`cross`] | margin that answers, books that recover, checks that come late, accounts that hold two markets |
//! | [`target`], [`exit`] | funds that keep their leverage, investors that run |
//! | [`execution`], [`perpetual`] | optimal execution in a market that recovers, metaorders in a book; funding against carry |
//! | [`queues`], [`zero`] | microstructure on the engine's order book alone |
//! | [`model`] | markets of their own |
//!
//! # Invariants
//!
//! - The same budget gives the same lines on any number of threads: draws are keyed by run, and sums are taken in the
//!   order of runs.
//! - `a_quick_subset_is_met` in the tests runs every family on a small budget.

pub mod adaptive;
pub mod branching;
pub mod cross;
pub mod execution;
pub mod exit;
pub mod genealogy;
pub mod latency;
pub mod lattice;
pub mod line;
pub mod model;
pub mod perpetual;
pub mod queues;
pub mod recovery;
pub mod root;
pub mod stage;
pub mod target;
pub mod uniform;
pub mod zero;

pub use line::{Found, Line, Plot, Tolerance};

use crate::experiment::RunError;

/// How much a family may spend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Whether a glance has to do: fewer runs, and bands as wide as their errors then are.
    pub quick: bool,
}

impl Budget {
    /// The larger number, or where a glance has to do the smaller.
    pub const fn of(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

/// Where a piece of theory is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// On the engine, through a scenario.
    Engine,
    /// On the engine's order book alone.
    Book,
    /// In a small model of its own, because it needs another market than the engine's.
    Model,
}

impl Ground {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Book => "book",
            Self::Model => "model",
        }
    }
}

/// One piece of theory.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub title: &'static str,
    /// Where it was read, or that it was derived.
    pub source: &'static str,
    /// Where it is checked.
    pub ground: Ground,
    /// Checks it; fails where a theory scenario doesn't read, or the engine breaches an invariant.
    pub run: fn(&Budget) -> Result<Found, RunError>,
}

/// Every family, the exact ones first.
pub static FAMILIES: &[Family] = &[
    lattice::FAMILY,
    uniform::FAMILY,
    adaptive::FAMILY,
    branching::FAMILY,
    genealogy::FAMILY,
    root::FAMILY,
    recovery::FAMILY,
    latency::FAMILY,
    lattice::LARGE,
    cross::FAMILY,
    target::FAMILY,
    target::BANKS,
    exit::FAMILY,
    execution::FAMILY,
    execution::METAORDERS,
    perpetual::FAMILY,
    queues::FAMILY,
    zero::FAMILY,
    model::spiral::FAMILY,
    model::debtrank::FAMILY,
    model::funds::FAMILY,
    model::funds::ADAPTIVE,
    model::basel::FAMILY,
    model::peg::FAMILY,
];

/// The family of a name.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// What [`FAMILIES`] found on the full budget, on 2026-11-25: the table of `deleverage verify --out DIR`.
#[doc = include_str!("results.md")]
pub mod results {}
