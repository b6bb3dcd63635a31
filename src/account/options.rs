//! Who holds which options: a row of series for each account that may hold any, beside its positions.
//!
//! Options have no book of their own: they are bought from and sold to another account, and both sides book the same value. A row is
//! fixed when it is opened, so that an account's options lie side by side; an account without a row costs nothing, and a
//! world without options one comparison.
//!
//! # Units
//!
//! Contracts, + long and − short; cost in quanta, the signed sum of the values at which they were traded. What one contract is
//! worth is published once a revaluation ([`Options::publish`]), in whole quanta, so that worths add up exactly.
//!
//! # Invariants
//!
//! - `contracts_add_up_to_zero`: of every series, over all accounts.

use crate::market::option::SeriesId;
use crate::unit::{AccountId, Cash};
use std::ops::Range;

/// What an account holds of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The series.
    pub series: SeriesId,
    /// Contracts, + long and − short.
    pub contracts: i64,
    /// Signed sum of the values at which they were traded.
    pub cost: Cash,
}

/// All options of a world.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// By account: the place of its row, from 1; 0 for none. As long as the last account with a row.
    places: Vec<u32>,
    rows: Vec<Range<u32>>,
    owners: Vec<AccountId>,
    holdings: Vec<Holding>,
    /// What one contract is worth, by series.
    worths: Vec<Cash>,
    /// Sum of contracts over all accounts, and of those that are long, by series.
    sums: Vec<i128>,
    open: Vec<i64>,
}

impl Options {
    /// Lists so many series, worth nothing yet.
    pub(super) fn list(&mut self, series: usize) {
        self.worths = vec![Cash::ZERO; series];
        self.sums = vec![0; series];
        self.open = vec![0; series];
    }

    /// Opens a row of these series for an account that has none.
    pub(super) fn open(&mut self, id: AccountId, series: impl IntoIterator<Item = SeriesId>) {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, 0);
        }
        let first = self.holdings.len() as u32;
        self.holdings
            .extend(series.into_iter().map(|series| Holding {
                series,
                contracts: 0,
                cost: Cash::ZERO,
            }));
        self.rows.push(first..self.holdings.len() as u32);
        self.owners.push(id);
        self.places[id.index()] = self.rows.len() as u32;
    }

    /// How many series there are.
    pub const fn series(&self) -> usize {
        self.worths.len()
    }

    /// The accounts with a row, in the order in which they were opened.
    pub fn owners(&self) -> &[AccountId] {
        &self.owners
    }

    /// Where an account's holdings lie.
    #[inline]
    pub(super) fn range(&self, id: AccountId) -> Range<usize> {
        match self.places.get(id.index()) {
            Some(place) if *place > 0 => {
                let row = &self.rows[*place as usize - 1];
                row.start as usize..row.end as usize
            }
            _ => 0..0,
        }
    }

    /// What an account holds, series by series; empty for one without a row.
    #[inline]
    pub fn of(&self, id: AccountId) -> &[Holding] {
        &self.holdings[self.range(id)]
    }

    /// The place of an account among the [owners](Self::owners).
    #[inline]
    pub fn row(&self, id: AccountId) -> Option<usize> {
        let place = *self.places.get(id.index())?;
        (place > 0).then(|| place as usize - 1)
    }

    /// Whether an account may hold options at all.
    #[inline]
    pub fn has_row(&self, id: AccountId) -> bool {
        self.places.get(id.index()).is_some_and(|place| *place > 0)
    }

    /// Whether an account holds any contract.
    #[inline]
    pub fn holds(&self, id: AccountId) -> bool {
        self.of(id).iter().any(|held| held.contracts != 0)
    }

    /// What one contract of a series is worth.
    #[inline]
    pub fn worth(&self, series: SeriesId) -> Cash {
        self.worths[series.index()]
    }

    /// Contracts that are held long.
    pub fn open_interest(&self, series: SeriesId) -> i64 {
        self.open[series.index()]
    }

    /// Says what one contract of a series is worth from now on.
    #[inline]
    pub fn publish(&mut self, series: SeriesId, worth: Cash) {
        self.worths[series.index()] = worth;
    }

    /// What an account's options add to its equity: Σ (contracts · worth − cost).
    #[inline]
    pub(super) fn profit(&self, id: AccountId) -> i128 {
        self.of(id)
            .iter()
            .map(|held| {
                i128::from(held.contracts) * i128::from(self.worths[held.series.index()].0)
                    - i128::from(held.cost.0)
            })
            .sum()
    }

    /// The place of a series in an account's row.
    pub(super) fn place(&self, id: AccountId, series: SeriesId) -> Option<usize> {
        let range = self.range(id);
        let start = range.start;
        self.holdings[range]
            .iter()
            .position(|held| held.series == series)
            .map(|at| start + at)
    }

    pub(super) fn at(&self, place: usize) -> &Holding {
        &self.holdings[place]
    }

    /// Changes a holding and the sums with it.
    pub(super) fn set(&mut self, place: usize, contracts: i64, cost: Cash) {
        let held = &mut self.holdings[place];
        let s = held.series.index();
        self.sums[s] += i128::from(contracts) - i128::from(held.contracts);
        self.open[s] += contracts.max(0) - held.contracts.max(0);
        (held.contracts, held.cost) = (contracts, cost);
    }

    /// The first series whose contracts don't add up to zero, with what they add up to.
    pub(super) fn unbalanced(&self) -> Option<(usize, i128)> {
        let found = self.sums.iter().position(|sum| *sum != 0)?;
        Some((found, self.sums[found]))
    }

    /// The same from the records.
    pub(super) fn recount(&self) -> Option<(usize, i128)> {
        let mut sums = vec![0i128; self.sums.len()];
        for held in &self.holdings {
            sums[held.series.index()] += i128::from(held.contracts);
        }
        let found = sums.iter().position(|sum| *sum != 0)?;
        Some((found, sums[found]))
    }

    /// Every account with one of its holdings.
    pub(super) fn all(&self) -> impl Iterator<Item = (AccountId, &Holding)> {
        self.owners.iter().zip(&self.rows).flat_map(|(owner, row)| {
            self.holdings[row.start as usize..row.end as usize]
                .iter()
                .map(|held| (*owner, held))
        })
    }
}
