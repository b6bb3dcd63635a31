//! Accounts and their positions, one small record each.
//!
//! An account is touched alone (when the index names it, when it trades), never in a sweep over
//! all, so a record that sits in one cache line beats a column per field. An isolated account has
//! one slot, for its market; a cross account has one slot per market, side by side.
//!
//! # Invariants
//!
//! - `records_are_small`: an account and its slot take 72 bytes; with the trigger index an isolated
//!   account stays under 128.

use crate::unit::{AccountId, Cash, CohortId, Lots, MarketId};
use serde::{Deserialize, Serialize};

/// Where an account stands against its thresholds, from good to bad.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Margin ratio below the warning threshold.
    #[default]
    Healthy,
    /// Told that it comes near.
    Warned,
    /// Called for margin; the grace period runs.
    Called,
    /// Being liquidated.
    Liquidating,
    /// Liquidated to nothing: no position is left and none is opened again.
    Closed,
}

/// A position's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotId(pub u32);

impl SlotId {
    /// The slot's place in the columns.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One margin account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Collateral in the settlement currency, realised profit and loss included.
    pub cash: Cash,
    /// Money outside the venue that the owner may still bring.
    pub reserve: Cash,
    first: u32,
    /// Step of the standing call, if [`State::Called`] or worse.
    pub called_at: u32,
    /// First step at which the liquidation engine may act on this account again.
    pub ready_at: u32,
    /// The cohort that the owner belongs to.
    pub cohort: CohortId,
    market: u16,
    /// Where the account stands.
    pub state: State,
    /// Whether an answer of the owner is on its way.
    pub answering: bool,
}

const CROSS: u16 = u16::MAX;

impl Account {
    /// The market of an isolated account; nothing for a cross account.
    #[inline]
    pub const fn isolated(&self) -> Option<MarketId> {
        if self.market == CROSS {
            None
        } else {
            Some(MarketId(self.market))
        }
    }
}

/// One position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Signed quantity: + long, − short.
    pub quantity: Lots,
    /// Signed sum of the values at which it was traded.
    pub cost: Cash,
    /// The funding index up to which the position is settled.
    pub funding: i64,
}

/// All accounts of a world.
#[derive(Clone, Debug)]
pub struct Table {
    accounts: Vec<Account>,
    slots: Vec<Slot>,
    owners: Vec<AccountId>,
    markets: u16,
    /// From here on accounts are houses; none where it is the largest id.
    houses: u32,
}

impl Table {
    /// A table with the accounts that every world has.
    pub fn new(markets: u16) -> Self {
        let mut table = Self {
            accounts: Vec::new(),
            slots: Vec::new(),
            owners: Vec::new(),
            markets,
            houses: u32::MAX,
        };
        for _ in 0..AccountId::SYSTEM {
            table.open(None, CohortId(u16::MAX));
        }
        table
    }

    /// Opens an account: isolated in one market, or cross over all of them.
    ///
    /// # Panics
    ///
    /// For more than 2³² accounts, which a scenario can't ask for.
    pub fn open(&mut self, isolated: Option<MarketId>, cohort: CohortId) -> AccountId {
        let id = AccountId(u32::try_from(self.accounts.len()).expect("fewer than 2^32 accounts"));
        let count = if isolated.is_some() { 1 } else { self.markets };
        self.accounts.push(Account {
            cash: Cash::ZERO,
            reserve: Cash::ZERO,
            first: u32::try_from(self.slots.len()).expect("fewer than 2^32 positions"),
            called_at: 0,
            ready_at: 0,
            cohort,
            market: isolated.map_or(CROSS, |market| market.0),
            state: State::Healthy,
            answering: false,
        });
        for _ in 0..count {
            self.slots.push(Slot::default());
            self.owners.push(id);
        }
        id
    }

    /// Opens an account of the venue's own that trades as anybody does, such as a backstop: cross, after all traders, and
    /// like the system accounts without fees, calls and a place in anybody's queue.
    ///
    /// # Panics
    ///
    /// As [`Table::open`].
    pub fn open_house(&mut self) -> AccountId {
        let id = self.open(None, CohortId(u16::MAX));
        self.houses = self.houses.min(id.0);
        id
    }

    /// Whether an account is the venue's own: a system account or a house.
    #[inline]
    pub const fn is_house(&self, id: AccountId) -> bool {
        id.is_system() || id.0 >= self.houses
    }

    /// The houses, in the order in which they were opened.
    pub fn houses(&self) -> impl Iterator<Item = AccountId> + use<> {
        (self.houses.min(self.accounts.len() as u32)..self.accounts.len() as u32).map(AccountId)
    }

    /// How many accounts there are, system accounts included.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }
    /// Whether there are none; never true, for there are always system accounts.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
    /// How many positions can be held.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }
    /// How many markets there are.
    pub const fn markets(&self) -> u16 {
        self.markets
    }
    /// One account.
    #[inline]
    pub fn account(&self, id: AccountId) -> &Account {
        &self.accounts[id.index()]
    }
    /// One account, to change its state; its cash changes only through the ledger.
    #[inline]
    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        &mut self.accounts[id.index()]
    }
    /// One position.
    #[inline]
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.index()]
    }
    #[inline]
    pub(super) fn slot_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[id.index()]
    }
    /// Whose position it is.
    #[inline]
    pub fn owner(&self, slot: SlotId) -> AccountId {
        self.owners[slot.index()]
    }
    /// Where an account holds its position in a market, if it may.
    #[inline]
    pub fn place(&self, id: AccountId, market: MarketId) -> Option<SlotId> {
        let account = &self.accounts[id.index()];
        if account.market == CROSS {
            Some(SlotId(account.first + u32::from(market.0)))
        } else if account.market == market.0 {
            Some(SlotId(account.first))
        } else {
            None
        }
    }
    /// The markets that an account may trade, with their slots.
    #[inline]
    pub fn places(&self, id: AccountId) -> impl Iterator<Item = (MarketId, SlotId)> + use<> {
        let account = &self.accounts[id.index()];
        let (from, to) = if account.market == CROSS {
            (0, self.markets)
        } else {
            (account.market, account.market + 1)
        };
        let first = account.first;
        (from..to).map(move |market| (MarketId(market), SlotId(first + u32::from(market - from))))
    }
    /// A position, or none where the account holds nothing there.
    #[inline]
    pub fn position(&self, id: AccountId, market: MarketId) -> Option<&Slot> {
        self.place(id, market)
            .map(|slot| self.slot(slot))
            .filter(|slot| !slot.quantity.is_zero())
    }
    /// Whether an account holds no position at all.
    pub fn is_flat(&self, id: AccountId) -> bool {
        self.places(id)
            .all(|(_, slot)| self.slot(slot).quantity.is_zero())
    }
    /// Every account's id, system accounts included.
    pub fn ids(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..self.accounts.len() as u32).map(AccountId)
    }
    /// Every trader's account.
    pub fn traders(&self) -> impl Iterator<Item = AccountId> + use<> {
        (AccountId::SYSTEM..self.houses.min(self.accounts.len() as u32)).map(AccountId)
    }
    /// Bytes that the records of all accounts and positions take.
    pub fn bytes(&self) -> usize {
        self.accounts.capacity() * size_of::<Account>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.owners.capacity() * size_of::<AccountId>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_small() {
        assert!(size_of::<Account>() + size_of::<Slot>() + size_of::<AccountId>() <= 72);
    }

    #[test]
    fn houses_are_no_traders() {
        let mut table = Table::new(2);
        let trader = table.open(Some(MarketId(0)), CohortId(0));
        assert_eq!(table.houses().count(), 0);
        let house = table.open_house();
        assert_eq!(table.traders().collect::<Vec<_>>(), [trader]);
        assert_eq!(table.houses().collect::<Vec<_>>(), [house]);
        assert!(table.is_house(house) && !table.is_house(trader));
        assert!(table.is_house(AccountId::FUND));
    }

    #[test]
    fn an_isolated_account_has_its_market_alone() {
        let mut table = Table::new(3);
        let isolated = table.open(Some(MarketId(2)), CohortId(0));
        let cross = table.open(None, CohortId(0));
        assert_eq!(table.place(isolated, MarketId(0)), None);
        assert!(table.place(isolated, MarketId(2)).is_some());
        assert_eq!(table.places(cross).count(), 3);
        assert_eq!(
            table.places(isolated).map(|(m, _)| m).collect::<Vec<_>>(),
            [MarketId(2)]
        );
        for (_, slot) in table.places(cross) {
            assert_eq!(table.owner(slot), cross);
        }
    }
}
