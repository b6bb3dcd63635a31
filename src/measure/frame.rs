//! What a run is measured against: its markets, its clock, and how it stood before the first step.

use crate::engine::Setup;
use crate::market::Contract;
use crate::unit::{AccountId, Cash, Grid, Lots, MarketId};

/// One market before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketFrame {
    /// Its name.
    pub name: String,
    /// What its integers mean.
    pub grid: Grid,
    /// What positions in it are worth.
    pub contract: Contract,
    /// The price at the start, in ticks.
    pub start: f64,
    /// Open interest at the start.
    pub open_interest: Lots,
}

/// A world before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Seconds a step.
    pub dt: f64,
    /// How many steps are meant to be run.
    pub steps: u32,
    /// The markets.
    pub markets: Vec<MarketFrame>,
    /// How many accounts traders have.
    pub accounts: u32,
    /// Balance of the insurance fund.
    pub fund: Cash,
    /// Whether there are fail-safes or faults.
    pub guarded: bool,
}

impl Frame {
    /// The frame of a world that is ready to run.
    pub fn of(setup: &Setup) -> Self {
        let ledger = &setup.ledger;
        Self {
            dt: setup.dt,
            steps: setup.steps,
            markets: setup
                .markets
                .iter()
                .zip(0..)
                .map(|(market, place)| MarketFrame {
                    name: market.name.clone(),
                    grid: market.grid,
                    contract: market.contract,
                    start: market.path.first().copied().unwrap_or(f64::NAN),
                    open_interest: ledger.open_interest(MarketId(place)),
                })
                .collect(),
            accounts: ledger.traders().count() as u32,
            fund: ledger.account(AccountId::FUND).cash,
            guarded: !setup.safety.is_empty(),
        }
    }

    /// Value of one quantum in settlement currency; all markets settle in the same.
    pub fn quantum(&self) -> f64 {
        self.markets
            .first()
            .map_or(f64::NAN, |market| market.grid.scale().quantum)
    }

    /// Seconds from the start to the end of a step.
    pub fn seconds(&self, step: u32) -> f64 {
        (f64::from(step) + 1.0) * self.dt
    }
}
