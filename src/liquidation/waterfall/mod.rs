//! Who pays a deficit: fund, auto-deleveraging, socialised loss.
//!
//! # Invariants
//!
//! - `every_quantum_of_bad_debt_ends_in_one_place`: paid by the fund, closed away by
//!   auto-deleveraging, socialised, or left on the account as uncovered.
//! - `the_fund_never_owes`: it pays at most what it has.

pub mod adl;
pub mod socialise;

use crate::account::Ledger;
use crate::unit::{AccountId, Cash};

/// Pays an account's negative balance out of the insurance fund as far as that goes; the amount paid.
pub fn draw_on_fund(ledger: &mut Ledger, account: AccountId) -> Cash {
    let deficit = -ledger.account(account).cash;
    let paid = deficit.min(ledger.account(AccountId::FUND).cash);
    if paid > Cash::ZERO {
        ledger.transfer(AccountId::FUND, account, paid);
        paid
    } else {
        Cash::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Contract;
    use crate::unit::{CohortId, MarketId};

    #[test]
    fn the_fund_never_owes() {
        let mut ledger = Ledger::new(vec![Contract::linear(1)]);
        let a = ledger.open(Some(MarketId(0)), CohortId(0));
        ledger.deposit(AccountId::FUND, Cash(70));
        ledger.transfer(a, AccountId::FEES, Cash(100));
        assert_eq!(draw_on_fund(&mut ledger, a), Cash(70));
        assert_eq!(draw_on_fund(&mut ledger, a), Cash(0));
        assert_eq!(ledger.account(a).cash, Cash(-30));
        ledger.check().unwrap();
    }
}
