//! Who owns what: the table of accounts, the ledger that moves money, and the index that says whom
//! a price move concerns.
//!
//! The [`Ledger`] is the only place where cash, cost and quantity change; every change keeps the
//! conservation (money in the ledger is what was paid in) to the last quantum. The [`trigger::TriggerIndex`] never decides
//! anything: it says "look here", and the caller checks with integers.

pub mod ledger;
pub mod sorted;
pub mod stops;
pub mod table;
pub mod trigger;

pub use ledger::{Audit, Breach, Ledger, Valuation};
pub use stops::Stops;
pub use table::{Account, Slot, SlotId, State, Table};
pub use trigger::TriggerIndex;
