//! Who pays a deficit: fund, backstop, auto-deleveraging, socialised loss.
//!
//! # Invariants
//!
//! - `every_quantum_of_bad_debt_ends_in_one_place`: paid by the fund, taken over by the backstop, closed away by
//!   auto-deleveraging, socialised, or left on the account as uncovered.

pub mod adl;
pub mod allocate;
pub mod backstop;
pub mod fund;
pub mod ranking;
pub mod socialise;

pub use adl::ClosePrice;
pub use backstop::{Backstop, BackstopSettings};
pub use fund::Fund;
pub use ranking::{ProfitCap, Ranking};
pub use socialise::{ClawbackSettings, SessionSettings, SocialiseSettings, Winners};
