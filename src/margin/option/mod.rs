//! Margin of accounts that hold options: the seam at which a rule answers for options and perpetuals together.
//!
//! A rule is given the state of the markets and of every series (a [`Board`]), and what one account holds (a [`Book`]). What all
//! accounts share, the change of one contract's worth under every scenario, is worked out once for a state, in a [`ScanTable`];
//! an account's scan is then a sparse product of its contracts with the table's rows.
//!
//! | room | what |
//! |---|---|
//! | [`board`] | markets and series at a moment, and what an account holds |
//! | [`table`] | scenarios, and what one contract and one lot gain in each |
//!
//! # Units
//!
//! Requirements in quanta, against an equity that counts every option at its worth, long and short alike. A venue that doesn't
//! count the premium of a long option as collateral asks for it here instead.

pub mod board;
pub mod table;

pub use board::{Board, Book, Listed, MarketState, OptionLeg};
pub use table::{ScanTable, Scenario, Together, VolatilityMove};

use super::schedule::Level;
use crate::unit::Cash;

/// What an account is asked for its options and perpetuals together.
///
/// Promise: a function of the board and the book alone; never negative; of a convex shape in the price wherever its scenarios'
/// shares are at most one.
pub trait OptionMargin: Send + Sync {
    /// Works the shared table out for a state. Called at most once for a state, and only if an account is looked at in it.
    fn tabulate(&self, board: &Board<'_>, table: &mut ScanTable);

    /// The requirement, rounded up, from a table that was worked out for this board.
    fn requirement(
        &self,
        board: &Board<'_>,
        table: &ScanTable,
        book: &Book<'_>,
        level: Level,
    ) -> Cash;
}
