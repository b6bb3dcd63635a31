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
//! | [`shock`] | how a scan moves volatilities |
//! | [`rule`] | margin by scan: the worst loss, floors and add-ons |
//! | [`standard`] | margin of each option alone |
//! | [`sensitivities`] | margin from greeks |
//! | [`safe`] | moves within which an account surely meets its requirement |
//! | [`settings`] | the rules of venues, and their parameters |
//!
//! # Units
//!
//! Requirements in quanta, against an equity that counts every option at its worth, long and short alike. A venue that doesn't
//! count the premium of a long option as collateral asks for it here instead.

pub mod board;
pub mod rule;
pub mod safe;
pub mod sensitivities;
pub mod settings;
pub mod shock;
pub mod standard;
pub mod table;
#[cfg(test)]
mod testing;

pub use board::{Board, Book, Listed, MarketState, OptionLeg};
pub use rule::ScanRule;
pub use safe::{Bounds, Headroom, SafeRange};
pub use settings::OptionMarginSettings;
pub use table::{ScanTable, Scenario, Together, VolatilityMove};

use crate::unit::Cash;

/// Which of the two requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To open.
    Initial,
    /// To keep.
    Maintenance,
}

impl Asked {
    /// 0 for initial, 1 for maintenance: the place in a pair.
    #[inline]
    pub const fn index(self) -> usize {
        match self {
            Self::Initial => 0,
            Self::Maintenance => 1,
        }
    }
}

/// What an account is asked for its options and perpetuals together.
///
/// Promise: a function of the board and the book alone; never negative.
pub trait OptionMargin: Send + Sync {
    /// Works the shared table out for a state. Called at most once for a state, and only if an account is looked at in it.
    fn tabulate(&self, board: &Board<'_>, table: &mut ScanTable);

    /// The requirement, rounded up, from a table that was worked out for this board.
    fn requirement(
        &self,
        board: &Board<'_>,
        table: &ScanTable,
        book: &Book<'_>,
        asked: Asked,
    ) -> Cash;

    /// Works the bounds out for a state, under which [`OptionMargin::safe`] answers; called as seldom as `tabulate`.
    fn bound(&self, board: &Board<'_>, headroom: Headroom, bounds: &mut Bounds) {
        bounds.clear();
        let _ = (board, headroom);
    }

    /// Relative moves of all prices within which an equity, now `equity` quanta, surely stays at least `ratio` times the maintenance
    /// requirement; nothing where it can't tell. Conservative: it may say too little, never too much.
    fn safe(
        &self,
        board: &Board<'_>,
        bounds: &Bounds,
        book: &Book<'_>,
        equity: i128,
        ratio: f64,
    ) -> Option<SafeRange> {
        let _ = (board, bounds, book, equity, ratio);
        None
    }
}
