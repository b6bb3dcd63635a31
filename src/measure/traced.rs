//! What the engine told of causes, kept for the genealogy that is made of it once the run is over.

use crate::engine::{Breach, BreachLeg, Check, Impulse, Kernel, Opening, Outflow, TraceRow};

/// A run's trace, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traced {
    /// How impact lives on, by market.
    pub kernels: Vec<Kernel>,
    /// Beginnings of steps.
    pub openings: Vec<Opening>,
    /// Moves of prices within steps.
    pub impulses: Vec<Impulse>,
    /// Checks of margin, each with all markets in order.
    pub checks: Vec<Check>,
    /// Liquidations as they began.
    pub breaches: Vec<Breach>,
    /// Their positions.
    pub legs: Vec<BreachLeg>,
    /// Withdrawals.
    pub outflows: Vec<Outflow>,
}

impl Traced {
    /// Takes in a step's trace.
    pub fn see(&mut self, row: &TraceRow<'_>) {
        if self.kernels.is_empty() {
            self.kernels.extend_from_slice(row.kernels);
        }
        self.openings.extend_from_slice(row.openings);
        self.impulses.extend_from_slice(row.impulses);
        self.checks.extend_from_slice(row.checks);
        self.outflows.extend_from_slice(row.outflows);
        let shift = self.legs.len() as u32;
        self.legs.extend_from_slice(row.legs);
        self.breaches
            .extend(row.breaches.iter().map(|breach| Breach {
                legs: (breach.legs.0 + shift, breach.legs.1 + shift),
                ..*breach
            }));
    }

    /// How many markets there are.
    pub const fn markets(&self) -> usize {
        self.kernels.len()
    }
    /// How many checks were made, that of the start included.
    pub fn count(&self) -> usize {
        self.checks.len() / self.markets().max(1)
    }
    /// One market at a check.
    pub fn check(&self, market: usize, check: u32) -> &Check {
        &self.checks[check as usize * self.markets() + market]
    }
    /// The positions of an account whose liquidation began.
    pub fn legs(&self, breach: &Breach) -> &[BreachLeg] {
        &self.legs[breach.legs.0 as usize..breach.legs.1 as usize]
    }
}
