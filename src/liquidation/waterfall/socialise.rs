//! Socialised loss: what fund and deleveraging leave unpaid is taken from unrealised profits.
//!
//! Every profitable position of the market pays in proportion to its unrealised profit, never more
//! than that profit nor than its account's equity. Shares are whole quanta and add up exactly: the
//! remainder of rounding is taken a quantum each from the first in order of account.
//!
//! # Reference
//!
//! Deribit, "Insurance fund" (socialised over the day's winners); pro-rata haircut of positive P&L
//! as in Chitra (2025), "Autodeleveraging: impossibilities and optimization", arXiv 2512.01112, §3.

use crate::account::{Ledger, TriggerIndex, Valuation};
use crate::unit::{AccountId, Cash, MarketId};

/// Takes up to `amount` from the profitable positions of a market and gives it to `to`; what was
/// taken. `shares` is room to work in, and holds each payer with what it paid afterwards.
pub fn take(
    ledger: &mut Ledger,
    index: &TriggerIndex,
    market: MarketId,
    to: AccountId,
    amount: Cash,
    at: Valuation<'_>,
    shares: &mut Vec<(AccountId, Cash)>,
) -> Cash {
    shares.clear();
    for longs in [true, false] {
        index.each(market, longs, |slot_id| {
            let slot = ledger.slot(slot_id);
            let account = ledger.owner(slot_id);
            let profit = ledger
                .contract(market)
                .value(slot.quantity, at.marks[market.index()])
                - slot.cost;
            if profit > Cash::ZERO && account != to {
                let equity = Cash::clamped(ledger.equity(account, at));
                if equity > Cash::ZERO {
                    shares.push((account, profit.min(equity)));
                }
            }
        });
    }
    shares.sort_unstable();
    let pool: i128 = shares.iter().map(|(_, profit)| i128::from(profit.0)).sum();
    let taken = i128::from(amount.0.max(0)).min(pool);
    if taken == 0 {
        shares.clear();
        return Cash::ZERO;
    }
    let mut left = taken;
    for (_, share) in shares.iter_mut() {
        let part = taken * i128::from(share.0) / pool;
        left -= part;
        *share = Cash::clamped(part);
    }
    for (account, share) in shares.iter_mut() {
        if left > 0 {
            *share += Cash(1);
            left -= 1;
        }
        ledger.transfer(*account, to, *share);
    }
    Cash::clamped(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Contract, Fill};
    use crate::unit::{CohortId, Lots, Rate, Side, Ticks};

    #[test]
    fn profits_pay_in_proportion_and_the_parts_add_up() {
        let market = MarketId(0);
        let mut ledger = Ledger::new(vec![Contract::linear(1)]);
        let mut winners = Vec::new();
        for quantity in [1, 2, 4] {
            let id = ledger.open(Some(market), CohortId(0));
            ledger.deposit(id, Cash(1_000));
            let fill = Fill {
                taker: id,
                maker: AccountId::BACKGROUND,
                side: Side::Buy,
                quantity: Lots(quantity),
                value: Cash(quantity * 100),
                price: Ticks(100),
            };
            ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
            winners.push(id);
        }
        let broke = ledger.open(Some(market), CohortId(0));
        ledger.transfer(broke, AccountId::FEES, Cash(50));
        let index = TriggerIndex::build(&ledger, &[Lots(10)]);
        let at = Valuation {
            marks: &[Ticks(110)],
            funding: &[0],
        };
        let mut shares = Vec::new();
        let taken = take(
            &mut ledger,
            &index,
            market,
            broke,
            Cash(50),
            at,
            &mut shares,
        );
        assert_eq!(taken, Cash(50));
        let paid: Vec<i64> = shares.iter().map(|(_, share)| share.0).collect();
        assert_eq!(paid, [8, 14, 28]); // 50/7, 100/7, 200/7, the last quantum from the first
        assert_eq!(ledger.account(broke).cash, Cash(0));
        // The pool is 70: no more can be had than that.
        ledger.transfer(broke, AccountId::FEES, Cash(500));
        let rest = take(
            &mut ledger,
            &index,
            market,
            broke,
            Cash(500),
            at,
            &mut shares,
        );
        assert_eq!(rest, Cash(70));
        ledger.audit().unwrap();
    }
}
