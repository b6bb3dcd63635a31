//! The insurance fund: one pool for all markets, or one for each.
//!
//! All pools are one account in the ledger; which part of it belongs to which market is kept here. A cross account,
//! which no one market answers for, is paid by the pools in order of market, and what it leaves is divided equally.
//!
//! # Units
//!
//! Money in quanta, time in steps.
//!
//! # Invariants
//!
//! - `the_fund_never_owes`: a pool pays at most what it has.
//! - `pools_add_up_to_the_fund`.
//! - `a_drawdown_is_measured_from_the_highest_of_its_window`.
//!
//! # Reference
//!
//! Bybit, "Insurance pool" (pools for a pair, or shared); OKX, ADL (a fall of 30 % from the highest of eight hours).

use crate::account::Ledger;
use crate::unit::{AccountId, Cash, MarketId, Rate};
use std::collections::VecDeque;

/// The pools of the insurance fund.
#[derive(Clone, Debug)]
pub struct Fund {
    pools: Vec<Cash>,
    /// Steps and balances, for each pool, falling: the first is the highest of the window.
    highs: Vec<VecDeque<(u32, Cash)>>,
}

impl Fund {
    /// A fund of these pools: one, or one for each market.
    pub fn new(pools: Vec<Cash>) -> Self {
        Self {
            highs: pools
                .iter()
                .map(|pool| VecDeque::from([(0, *pool)]))
                .collect(),
            pools,
        }
    }

    /// What is in each pool.
    pub fn pools(&self) -> &[Cash] {
        &self.pools
    }

    /// The pools that answer for an account: isolated in a market, or cross.
    pub fn answering(&self, market: Option<MarketId>) -> std::ops::Range<usize> {
        match market {
            Some(market) if self.pools.len() > 1 => market.index()..market.index() + 1,
            _ => 0..self.pools.len(),
        }
    }

    /// Pays an account's negative balance as far as its pools go; the amount paid.
    pub fn pay(
        &mut self,
        ledger: &mut Ledger,
        account: AccountId,
        market: Option<MarketId>,
    ) -> Cash {
        let mut paid = Cash::ZERO;
        for pool in self.answering(market) {
            let deficit = -ledger.account(account).cash;
            let part = deficit.min(self.pools[pool]);
            if part > Cash::ZERO {
                ledger.transfer(AccountId::FUND, account, part);
                self.pools[pool] -= part;
                paid += part;
            }
        }
        paid
    }

    /// Pays somebody for a service in a market, as far as its pools go; the amount paid.
    pub fn spend(
        &mut self,
        ledger: &mut Ledger,
        to: AccountId,
        market: MarketId,
        amount: Cash,
    ) -> Cash {
        let mut paid = Cash::ZERO;
        for pool in self.answering(Some(market)) {
            let part = (amount - paid).min(self.pools[pool]);
            if part > Cash::ZERO {
                ledger.transfer(AccountId::FUND, to, part);
                self.pools[pool] -= part;
                paid += part;
            }
        }
        paid
    }

    /// Takes money of an account in.
    pub fn receive(
        &mut self,
        ledger: &mut Ledger,
        account: AccountId,
        market: Option<MarketId>,
        amount: Cash,
    ) {
        ledger.transfer(account, AccountId::FUND, amount);
        self.credit(self.answering(market), amount);
    }

    /// The venue adds money of its own.
    pub fn top_up(&mut self, ledger: &mut Ledger, amount: Cash) {
        ledger.deposit(AccountId::FUND, amount);
        self.credit(0..self.pools.len(), amount);
    }

    /// Every pool loses a share, to the outside world: a fault.
    pub fn lose(&mut self, ledger: &mut Ledger, share: f64) {
        for pool in &mut self.pools {
            let lost = Cash((pool.as_f64() * share) as i64).min(*pool);
            if lost > Cash::ZERO {
                ledger.transfer(AccountId::FUND, AccountId::OUTSIDE, lost);
                *pool -= lost;
            }
        }
    }

    fn credit(&mut self, pools: std::ops::Range<usize>, amount: Cash) {
        let count = pools.len() as i64;
        for (k, pool) in pools.enumerate() {
            // The first get a quantum more where it doesn't divide.
            let part = amount.0 / count + i64::from((k as i64) < amount.0 % count);
            self.pools[pool] += Cash(part);
        }
    }

    /// Sees the balances at the end of a step; whether each pool has fallen by `share` or more from its highest of
    /// the last `window` steps is written to `fallen`.
    pub fn watch(&mut self, step: u32, window: u32, share: Rate, fallen: &mut Vec<bool>) {
        fallen.clear();
        for (pool, highs) in self.pools.iter().zip(&mut self.highs) {
            while highs.back().is_some_and(|(_, high)| high <= pool) {
                highs.pop_back();
            }
            highs.push_back((step, *pool));
            while highs.front().is_some_and(|(at, _)| at + window < step) {
                highs.pop_front();
            }
            let high = highs.front().map_or(*pool, |(_, high)| *high);
            fallen.push(high > Cash::ZERO && high - *pool >= share.mul_up(high));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Contract;
    use crate::unit::CohortId;

    fn ledger(fund: i64) -> (Ledger, [AccountId; 3]) {
        let mut ledger = Ledger::new(vec![Contract::linear(1); 2]);
        let accounts =
            [Some(MarketId(0)), Some(MarketId(1)), None].map(|m| ledger.open(m, CohortId(0)));
        ledger.deposit(AccountId::FUND, Cash(fund));
        (ledger, accounts)
    }

    #[test]
    fn the_fund_never_owes() {
        let (mut ledger, [a, ..]) = ledger(70);
        let mut fund = Fund::new(vec![Cash(70)]);
        ledger.transfer(a, AccountId::FEES, Cash(100));
        assert_eq!(fund.pay(&mut ledger, a, Some(MarketId(0))), Cash(70));
        assert_eq!(fund.pay(&mut ledger, a, Some(MarketId(0))), Cash(0));
        assert_eq!(ledger.account(a).cash, Cash(-30));
        ledger.check().unwrap();
    }

    #[test]
    fn pools_add_up_to_the_fund() {
        let (mut ledger, [a, b, cross]) = ledger(100);
        let mut fund = Fund::new(vec![Cash(40), Cash(60)]);
        for id in [a, b, cross] {
            ledger.transfer(id, AccountId::FEES, Cash(50));
        }
        // A market's own pool, and no other.
        assert_eq!(fund.pay(&mut ledger, a, Some(MarketId(0))), Cash(40));
        assert_eq!(fund.pay(&mut ledger, b, Some(MarketId(1))), Cash(50));
        // A service is paid for by the market's own pool.
        assert_eq!(fund.spend(&mut ledger, a, MarketId(0), Cash(5)), Cash(0));
        assert_eq!(fund.spend(&mut ledger, b, MarketId(1), Cash(3)), Cash(3));
        fund.receive(&mut ledger, b, Some(MarketId(1)), Cash(3));
        // A cross account has what is left anywhere.
        assert_eq!(fund.pay(&mut ledger, cross, None), Cash(10));
        assert_eq!(fund.pools(), [Cash(0), Cash(0)]);
        fund.receive(&mut ledger, AccountId::FEES, None, Cash(7));
        fund.receive(&mut ledger, AccountId::FEES, Some(MarketId(1)), Cash(5));
        fund.top_up(&mut ledger, Cash(20));
        assert_eq!(fund.pools(), [Cash(14), Cash(18)]);
        assert_eq!(ledger.account(AccountId::FUND).cash, Cash(32));
        fund.lose(&mut ledger, 0.5);
        assert_eq!(fund.pools(), [Cash(7), Cash(9)]);
        assert_eq!(ledger.account(AccountId::FUND).cash, Cash(16));
        ledger.audit().unwrap();
    }

    #[test]
    fn a_drawdown_is_measured_from_the_highest_of_its_window() {
        let (mut ledger, _) = ledger(0);
        let mut fund = Fund::new(vec![Cash(0)]);
        let mut fallen = Vec::new();
        let mut seen = Vec::new();
        for (step, balance) in [0, 100, 80, 70, 70, 69, 0, 0, 0, 0].into_iter().enumerate() {
            let change = Cash(balance) - fund.pools()[0];
            fund.top_up(&mut ledger, change);
            fund.watch(step as u32, 3, Rate::from_f64(0.3), &mut fallen);
            seen.push(fallen[0]);
        }
        // What there was before the first step counts.
        let mut begun = Fund::new(vec![Cash(100)]);
        begun.lose(&mut ledger, 0.5);
        begun.watch(0, 3, Rate::from_f64(0.3), &mut fallen);
        assert!(fallen[0]);
        // 30 % of 100 until step 4; then 69 against 80, nothing against 70, and nothing against nothing.
        assert_eq!(
            seen,
            [
                false, false, false, true, true, false, true, true, true, false
            ]
        );
    }
}
