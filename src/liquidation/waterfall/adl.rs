//! Auto-deleveraging: a bankrupt position is closed against profitable traders of the other side.
//!
//! The queue ranks by P&L ratio times effective leverage, highest first; each is closed against
//! the bankrupt account at the price that leaves that account with nothing owed. The queue is
//! built once per market and step, and only in steps in which the fund can't stand behind a
//! bankrupt position.
//!
//! # Reference
//!
//! BitMEX, "Auto-deleveraging": rank = P&L % × effective leverage for profitable positions.
//! Binance, "Auto-deleveraging": the same, closed at the bankruptcy price without fee.

use crate::account::{Ledger, TriggerIndex, Valuation};
use crate::market::Fill;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Side, Ticks};

/// One position in the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Whose it is.
    pub account: AccountId,
    /// P&L ratio times effective leverage.
    pub rank: f64,
}

/// Fills `queue` with the profitable positions of one side of a market, best ranked first.
pub fn rank(
    ledger: &Ledger,
    index: &TriggerIndex,
    market: MarketId,
    longs: bool,
    at: Valuation<'_>,
    queue: &mut Vec<Ranked>,
) {
    queue.clear();
    let mark = at.marks[market.index()];
    index.each(market, longs, |slot_id| {
        let slot = ledger.slot(slot_id);
        let value = ledger.contract(market).value(slot.quantity, mark);
        let profit = value - slot.cost;
        if profit <= Cash::ZERO {
            return;
        }
        let account = ledger.owner(slot_id);
        let equity = ledger.equity(account, at);
        if equity <= 0 {
            return;
        }
        let ratio = profit.as_f64() / slot.cost.abs().as_f64().max(1.0);
        let leverage = value.abs().as_f64() / equity as f64;
        queue.push(Ranked {
            account,
            rank: ratio * leverage,
        });
    });
    queue.sort_unstable_by(|a, b| b.rank.total_cmp(&a.rank).then(a.account.cmp(&b.account)));
}

/// Closes a bankrupt account's position against the queue, for `value` in all (the signed value of
/// the whole position at its bankruptcy price), as far as the queue goes. Fills are appended; the
/// quantity closed is returned. Whoever is used up leaves the queue.
pub fn close(
    ledger: &mut Ledger,
    market: MarketId,
    bankrupt: AccountId,
    value: Cash,
    queue: &mut Vec<Ranked>,
    fills: &mut Vec<Fill>,
) -> Lots {
    let Some(held) = ledger.position(bankrupt, market).map(|slot| slot.quantity) else {
        return Lots::ZERO;
    };
    let whole = held.abs();
    let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
    let mut done = Lots::ZERO;
    let mut booked = Cash::ZERO;
    let mut used = 0;
    for ranked in queue.iter() {
        if done == whole {
            break;
        }
        let available = ledger
            .position(ranked.account, market)
            .map_or(Lots::ZERO, |slot| slot.quantity.abs());
        let quantity = available.min(whole - done);
        if quantity > Lots::ZERO && ranked.account != bankrupt {
            done += quantity;
            // Cumulative shares, so that the parts add up to the whole value exactly.
            let upto =
                Cash::clamped(i128::from(value.0) * i128::from(done.0) / i128::from(whole.0));
            let part = upto - booked;
            booked = upto;
            let fill = Fill {
                taker: bankrupt,
                maker: ranked.account,
                side,
                quantity,
                value: Cash(part.0 * held.signum()),
                price: Ticks(
                    ledger
                        .contract(market)
                        .price_of(quantity, i128::from(part.0 * held.signum()))
                        .round_ties_even() as i64,
                ),
            };
            ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
            fills.push(fill);
        }
        if quantity == available {
            used += 1;
        }
    }
    queue.drain(..used);
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Contract;
    use crate::unit::CohortId;

    #[test]
    fn the_best_ranked_are_closed_first_and_the_bankrupt_account_ends_at_nothing() {
        let market = MarketId(0);
        let mut ledger = Ledger::new(vec![Contract::linear(1)]);
        let open = |ledger: &mut Ledger, cash: i64, quantity: i64| {
            let id = ledger.open(Some(market), CohortId(0));
            ledger.deposit(id, Cash(cash));
            let side = if quantity > 0 { Side::Buy } else { Side::Sell };
            let fill = Fill {
                taker: id,
                maker: AccountId::BACKGROUND,
                side,
                quantity: Lots(quantity.abs()),
                value: Cash(quantity.abs() * 100),
                price: Ticks(100),
            };
            ledger.settle(market, &fill, Rate::ZERO, Rate::ZERO);
            id
        };
        let bankrupt = open(&mut ledger, 50, 10);
        let careful = open(&mut ledger, 2_000, -6);
        let eager = open(&mut ledger, 60, -6);
        let index = TriggerIndex::build(&ledger, &[Lots(1_000)]);
        let at = Valuation {
            marks: &[Ticks(90)],
            funding: &[0],
        };
        // 50 − 10·10 = −50: bankrupt since 95.
        assert_eq!(ledger.equity(bankrupt, at), -50);
        let mut queue = Vec::new();
        rank(&ledger, &index, market, false, at, &mut queue);
        assert_eq!(
            queue.iter().map(|r| r.account).collect::<Vec<_>>(),
            [eager, careful]
        );
        let mut fills = Vec::new();
        let done = close(
            &mut ledger,
            market,
            bankrupt,
            Cash(950),
            &mut queue,
            &mut fills,
        );
        assert_eq!(done, Lots(10));
        assert_eq!(ledger.account(bankrupt).cash, Cash(0));
        assert!(ledger.is_flat(bankrupt));
        // The first is used up, the second keeps two lots: a gain of 5 on each lot that was closed.
        assert_eq!(ledger.account(eager).cash, Cash(60 + 30));
        assert_eq!(ledger.account(careful).cash, Cash(2_000 + 20));
        assert_eq!(ledger.position(careful, market).unwrap().quantity, Lots(-2));
        assert_eq!(queue.len(), 1);
        ledger.audit().unwrap();
    }
}
