//! Theory scenarios, the positions that a check puts into them, and worlds run to their end.

use crate::engine::{Setup, World};
use crate::experiment::RunError;
use crate::market::Contract;
use crate::scenario::{Document, Mode, Prepared, Problems, Scenario};
use crate::trader::population::Holding;
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// A scenario of `configs/theory/` with some of its settings changed.
///
/// # Errors
///
/// [`RunError::Scenario`] where it doesn't read.
pub fn scenario(
    text: &str,
    patches: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Scenario, RunError> {
    let mut document = Document::parse(text);
    for patch in patches {
        document.patch(patch.as_ref());
    }
    Ok(document.read()?)
}

/// Isolated longs that are liquidated at given prices.
#[derive(Clone, Copy, Debug)]
pub struct Longs {
    /// What their market's integers mean.
    pub contract: Contract,
    /// Price at which they entered.
    pub entry: Ticks,
    /// Maintenance rate.
    pub maintenance: f64,
}

impl Longs {
    /// A long whose equity meets the requirement at a price in ticks: `C + q (t − p) = m q t`.
    pub fn at(&self, account: String, market: u16, quantity: Lots, trigger: f64) -> Holding {
        let per_lot = self.entry.as_f64() - (1.0 - self.maintenance) * trigger;
        let collateral = quantity.as_f64() * self.contract.quanta() as f64 * per_lot;
        Holding {
            account,
            market: MarketId(market),
            quantity,
            entry: self.entry,
            collateral: Cash(collateral.round_ties_even() as i64),
            isolated: true,
        }
    }

    /// A long without any collateral: it is sold in the first step.
    pub fn sale(&self, market: u16, quantity: Lots) -> Holding {
        Holding {
            account: "sale".to_owned(),
            market: MarketId(market),
            quantity,
            entry: self.entry,
            collateral: Cash(0),
            isolated: true,
        }
    }

    /// Longs whose triggers lie `every` ticks apart below the entry, from half of that on.
    pub fn comb(&self, market: u16, quantity: Lots, every: f64, count: usize) -> Vec<Holding> {
        (0..count)
            .map(|k| {
                let trigger = self.entry.as_f64() - every * (k as f64 + 0.5);
                self.at(format!("{market}-{k}"), market, quantity, trigger)
            })
            .collect()
    }
}

/// The world of a scenario with these positions, before its first step.
///
/// # Errors
///
/// [`RunError::Scenario`] where the positions don't fit.
pub fn world(prepared: &Prepared<'_>, holdings: &[Holding]) -> Result<World, RunError> {
    Ok(World::new(setup(prepared, holdings, 0)?))
}

/// What such a world is made of.
///
/// # Errors
///
/// [`RunError::Scenario`] where the positions don't fit.
pub fn setup(
    prepared: &Prepared<'_>,
    holdings: &[Holding],
    replicate: u64,
) -> Result<Setup, RunError> {
    let (setup, _) = prepared
        .setup_with(holdings, replicate, Mode::Run)
        .map_err(Problems::from)?;
    Ok(setup)
}

/// The contract of a scenario's first market.
///
/// # Errors
///
/// [`RunError::Scenario`] where the scenario can't be built.
pub fn contract(prepared: &Prepared<'_>) -> Result<Contract, RunError> {
    Ok(setup(prepared, &[], 0)?.markets[0].contract)
}

/// A market step by step.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Midpoint at the end of each step, in ticks.
    pub mid: Vec<f64>,
    /// Last trade.
    pub last: Vec<i64>,
    /// Lots sold by force in each step.
    pub sold: Vec<i64>,
}

/// Runs a world to its end, audited.
///
/// # Errors
///
/// [`RunError::Engine`] where an invariant is breached.
pub fn run(world: &mut World) -> Result<Vec<Series>, RunError> {
    let mut series = vec![Series::default(); world.rows().len()];
    while world.now() < world.steps() {
        world.step(&mut ())?;
        for (series, row) in series.iter_mut().zip(world.rows()) {
            series.mid.push(row.mid);
            series.last.push(row.last.0);
            series.sold.push(row.forced_sold.0);
        }
    }
    world.audit()?;
    Ok(series)
}
