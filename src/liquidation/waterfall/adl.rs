//! Auto-deleveraging: a bankrupt position is closed against positions of the other side.
//!
//! A queue is built once per market, side and settlement, and only where the fund can't stand behind a bankrupt
//! position. Rankings are used up one after the other; in proportion, all bankrupt positions of a market and side are
//! closed together against everybody in the queue.
//!
//! Nobody is closed for more than the account can bear: a winner whose equity the close would use up is closed in
//! part, so that deleveraging makes no new bankrupt.
//!
//! # Invariants
//!
//! - `the_best_ranked_are_closed_first_and_the_bankrupt_account_ends_at_nothing`.
//! - `a_winner_is_never_made_bankrupt`; nor is one paid that is bankrupt itself (`whoever_is_bankrupt_stands_in_no_queue`).
//!
//! # Reference
//!
//! [`super::ranking`]; prices of the close: bankruptcy price (Binance, BitMEX, Bybit, dYdX), mark (OKX), previous mark
//! (Hyperliquid).

use super::allocate;
use super::ranking::{Ranking, Standing};
use crate::account::{Ledger, TriggerIndex, Valuation};
use crate::margin::Schedule;
use crate::market::Fill;
use crate::math::Stream;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Side, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// At which price a bankrupt position is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosePrice {
    /// At its bankruptcy price: the winners bear the deficit.
    #[default]
    Bankruptcy,
    /// At the mark: the deficit goes on to the fund and whatever comes after.
    Mark,
    /// At the mark of the check before.
    PreviousMark,
}

/// One position in a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Whose it is.
    pub account: AccountId,
    /// Its rank.
    pub rank: f64,
    /// Its profit at the mark, as a weight.
    pub profit: Cash,
}

/// What a queue is built from.
#[derive(Clone, Copy)]
pub struct Books<'a> {
    /// Who owns what.
    pub ledger: &'a Ledger,
    /// Which positions there are.
    pub index: &'a TriggerIndex,
    /// This step's rates of the market.
    pub schedule: &'a Schedule,
    /// At which prices accounts are measured.
    pub at: Valuation<'a>,
}

/// The positions of one side of a market, best ranked first.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    ranked: Vec<Ranked>,
    /// How many of them are in order yet.
    sorted: usize,
    next: usize,
}

/// The fewest that are put in order at once.
const SORTED: usize = 64;

/// Best rank first; of equals the earlier account.
fn before(a: &Ranked, b: &Ranked) -> Ordering {
    b.rank.total_cmp(&a.rank).then(a.account.cmp(&b.account))
}

impl Queue {
    /// Builds the queue anew; `draw` says where a random one starts. Whoever's equity is not positive has no place in it.
    pub fn build(
        &mut self,
        ranking: Ranking,
        books: &Books<'_>,
        market: MarketId,
        longs: bool,
        mut draw: Stream,
    ) {
        let Books {
            ledger,
            index,
            schedule,
            at,
        } = *books;
        self.next = 0;
        self.ranked.clear();
        let mark = at.marks[market.index()];
        index.each(market, longs, |slot_id| {
            let slot = ledger.slot(slot_id);
            let value = ledger.contract(market).value(slot.quantity, mark);
            let profit = value - slot.cost;
            let account = ledger.owner(slot_id);
            let equity = ledger.equity(account, at);
            if equity <= 0 {
                return;
            }
            let standing = Standing {
                profit: profit.as_f64(),
                cost: slot.cost.abs().as_f64(),
                value: value.abs().as_f64(),
                // Of an inverse contract the value falls as the price rises.
                long: longs != ledger.contract(market).is_inverse(),
                collateral: ledger.account(account).cash.as_f64(),
                equity: equity as f64,
                asked: ranking.asks_rates().then(|| {
                    let notional = value.abs();
                    [schedule.maintenance(notional), schedule.initial(notional)].map(Cash::as_f64)
                }),
            };
            if let Some(rank) = ranking.rank(&standing) {
                self.ranked.push(Ranked {
                    account,
                    rank,
                    profit,
                });
            }
        });
        self.sorted = 0;
        // Everybody has a part in these.
        if ranking == Ranking::RandomStart || ranking.is_proportional() {
            self.ranked.sort_unstable_by(before);
            self.sorted = self.ranked.len();
        }
        if ranking == Ranking::RandomStart && !self.ranked.is_empty() {
            let start = draw.below(self.ranked.len() as u64) as usize;
            self.ranked.rotate_left(start);
        }
    }

    /// Who stands at a place. Most queues are asked for few of their thousands, so they are put in order as far as that goes.
    fn at(&mut self, place: usize) -> Option<Ranked> {
        while self.sorted <= place && self.sorted < self.ranked.len() {
            let rest = &mut self.ranked[self.sorted..];
            let more = self.sorted.max(SORTED).min(rest.len());
            if more < rest.len() {
                rest.select_nth_unstable_by(more, before);
            }
            rest[..more].sort_unstable_by(before);
            self.sorted += more;
        }
        self.ranked.get(place).copied()
    }

    /// Those of a proportional ranking who aren't used up yet.
    fn left(&self) -> &[Ranked] {
        &self.ranked[self.next..]
    }
}

/// A bankrupt position and the value at which all of it is to be closed: signed, as the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub account: AccountId,
    /// In which market.
    pub market: MarketId,
    /// What it is to be closed for.
    pub value: Cash,
}

/// Closes all of an account's position against one counterparty, whatever it can bear: the hand-over to a backstop.
pub fn hand_over(
    ledger: &mut Ledger,
    claim: Claim,
    to: AccountId,
    at: Valuation<'_>,
) -> Option<Fill> {
    let held = ledger.position(claim.account, claim.market)?.quantity;
    let mut pieces = Pieces::of(claim, held);
    Some(pieces.next(ledger, (claim.account, to), held.abs(), at))
}

/// What of a winner's position can be closed without using up its equity, each lot costing the winner `loss` over
/// `whole` against the mark.
fn bearable(
    ledger: &Ledger,
    winner: AccountId,
    market: MarketId,
    (loss, whole): (i128, Lots),
    at: Valuation<'_>,
) -> Lots {
    let held = ledger
        .position(winner, market)
        .map_or(Lots::ZERO, |slot| slot.quantity.abs());
    let equity = ledger.equity(winner, at) - 2;
    if equity < 0 {
        Lots::ZERO
    } else if loss <= 0 {
        held
    } else {
        Lots((equity * i128::from(whole.0) / loss).min(i128::from(held.0)) as i64)
    }
}

/// Closes a bankrupt account's position against the queue, as far as that goes. Fills are appended.
pub fn close(
    ledger: &mut Ledger,
    claim: Claim,
    queue: &mut Queue,
    at: Valuation<'_>,
    fills: &mut Vec<Fill>,
) {
    let market = claim.market;
    let Some(held) = ledger
        .position(claim.account, market)
        .map(|slot| slot.quantity)
    else {
        return;
    };
    let whole = held.abs();
    // Against the mark, over the whole position.
    let loss =
        i128::from(claim.value.0) - ledger.contract(market).wide(held, at.marks[market.index()]);
    let mut pieces = Pieces::of(claim, held);
    let mut kept = queue.next;
    while pieces.done < whole {
        let Some(ranked) = queue.at(kept) else {
            break;
        };
        let most = bearable(ledger, ranked.account, market, (loss, whole), at);
        let quantity = most.min(whole - pieces.done);
        if quantity > Lots::ZERO && ranked.account != claim.account {
            let fill = pieces.next(ledger, (claim.account, ranked.account), quantity, at);
            fills.push(fill);
        }
        if quantity == most {
            kept += 1;
        }
    }
    queue.next = kept;
}

/// Closes bankrupt positions of one market and side together against everybody in the queue, in proportion to
/// profit; `cap` is the most of its profit that a winner may lose. The venue's own purse stands between both sides,
/// and ends with nothing. Fills are appended: first those of the bankrupt, then those of the winners.
pub fn close_together(
    ledger: &mut Ledger,
    claims: &[Claim],
    queue: &Queue,
    cap: Option<Rate>,
    at: Valuation<'_>,
    fills: &mut Vec<Fill>,
) {
    let Some(market) = claims.first().map(|claim| claim.market) else {
        return;
    };
    let mark = at.marks[market.index()];
    let contract = *ledger.contract(market);
    let held = |ledger: &Ledger, id| {
        ledger
            .position(id, market)
            .map_or(Lots::ZERO, |slot| slot.quantity)
    };
    let whole: i64 = claims
        .iter()
        .map(|claim| held(ledger, claim.account).0)
        .sum();
    let value: i128 = claims.iter().map(|claim| i128::from(claim.value.0)).sum();
    let loss = value - contract.wide(Lots(whole), mark);
    let whole = Lots(whole.abs());
    if whole.is_zero() {
        return;
    }
    let (mut weights, mut caps) = (Vec::new(), Vec::new());
    for ranked in queue.left() {
        let mut most = bearable(ledger, ranked.account, market, (loss, whole), at);
        if let Some(cap) = cap
            && loss > 0
        {
            let lose = i128::from(cap.mul_down(ranked.profit).0);
            most = most.min(Lots(
                (lose * i128::from(whole.0) / loss).min(i128::from(most.0)) as i64,
            ));
        }
        weights.push(ranked.profit.0);
        caps.push(most.0);
    }
    let mut parts = Vec::new();
    let mut left = allocate::proportional(whole.0, &weights, &caps, &mut parts);
    // The bankrupt sell to the purse, one after the other as far as the winners take it.
    let (mut sold, mut paid, mut signed) = (0, 0i64, 0);
    for claim in claims {
        let quantity = held(ledger, claim.account);
        let part = quantity.abs().0.min(left);
        if part == 0 {
            continue;
        }
        let mut pieces = Pieces::of(*claim, quantity);
        let fill = pieces.next(ledger, (claim.account, AccountId::FEES), Lots(part), at);
        paid += fill.value.0;
        signed = quantity.signum();
        sold += part;
        left -= part;
        fills.push(fill);
    }
    // And the purse hands it on, for what it paid.
    let all = Claim {
        account: AccountId::FEES,
        market,
        value: Cash(paid * signed),
    };
    let mut pieces = Pieces::of(all, Lots(sold * signed));
    for (ranked, part) in queue.left().iter().zip(&parts) {
        if *part > 0 {
            let fill = pieces.next(ledger, (AccountId::FEES, ranked.account), Lots(*part), at);
            fills.push(fill);
        }
    }
}

/// A position closed piece by piece, so that the pieces' values add up to the whole's exactly.
struct Pieces {
    value: Cash,
    held: Lots,
    market: MarketId,
    done: Lots,
    booked: Cash,
}

impl Pieces {
    const fn of(claim: Claim, held: Lots) -> Self {
        Self {
            value: claim.value,
            held,
            market: claim.market,
            done: Lots::ZERO,
            booked: Cash::ZERO,
        }
    }

    /// Books the next piece, funding settled on both sides before.
    fn next(
        &mut self,
        ledger: &mut Ledger,
        (taker, maker): (AccountId, AccountId),
        quantity: Lots,
        at: Valuation<'_>,
    ) -> Fill {
        for id in [taker, maker] {
            if let Some(slot) = ledger.place(id, self.market) {
                ledger.settle_funding(id, slot, at.funding[self.market.index()]);
            }
        }
        self.done += quantity;
        let whole = i128::from(self.held.0.abs());
        let upto = Cash::clamped(i128::from(self.value.0) * i128::from(self.done.0) / whole);
        let part = Cash((upto - self.booked).0 * self.held.signum());
        self.booked = upto;
        let price = ledger
            .contract(self.market)
            .price_of(quantity, i128::from(part.0));
        let fill = Fill {
            taker,
            maker,
            side: if self.held.0 > 0 {
                Side::Sell
            } else {
                Side::Buy
            },
            quantity,
            value: part,
            price: Ticks(price.round_ties_even().min(f64::from(u32::MAX)) as i64),
        };
        ledger.settle(self.market, &fill, Rate::ZERO, Rate::ZERO);
        fill
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Contract;
    use crate::math::{Draws, Purpose};
    use crate::unit::CohortId;
    use proptest::prelude::*;

    const X: MarketId = MarketId(0);
    const MARKS: [Ticks; 1] = [Ticks(90)];
    const AT: Valuation<'static> = Valuation {
        marks: &MARKS,
        funding: &[0],
    };

    struct Room(Ledger);

    impl Room {
        fn new() -> Self {
            Self(Ledger::new(vec![Contract::linear(1)]))
        }
        /// An account of so much cash with a position entered at 100.
        fn open(&mut self, cash: i64, quantity: i64) -> AccountId {
            let ledger = &mut self.0;
            let id = ledger.open(Some(X), CohortId(0));
            ledger.deposit(id, Cash(cash));
            if quantity != 0 {
                let fill = Fill {
                    taker: id,
                    maker: AccountId::BACKGROUND,
                    side: if quantity > 0 { Side::Buy } else { Side::Sell },
                    quantity: Lots(quantity.abs()),
                    value: Cash(quantity.abs() * 100),
                    price: Ticks(100),
                };
                ledger.settle(X, &fill, Rate::ZERO, Rate::ZERO);
            }
            id
        }
        fn queue(&self, ranking: Ranking, longs: bool) -> Queue {
            let index = TriggerIndex::build(&self.0, &[Lots(1_000)]);
            let schedule = Schedule::flat(Rate::from_f64(0.1), Rate::from_f64(0.05));
            let mut queue = Queue::default();
            let books = Books {
                ledger: &self.0,
                index: &index,
                schedule: &schedule,
                at: AT,
            };
            let draw = Draws::new(1, 0).stream(Purpose::Liquidation, 0, 0);
            queue.build(ranking, &books, X, longs, draw);
            queue
        }
        fn held(&self, id: AccountId) -> i64 {
            self.0.position(id, X).map_or(0, |slot| slot.quantity.0)
        }
        fn cash(&self, id: AccountId) -> i64 {
            self.0.account(id).cash.0
        }
    }

    fn claim(account: AccountId, value: i64) -> Claim {
        Claim {
            account,
            market: X,
            value: Cash(value),
        }
    }

    fn order(queue: &mut Queue) -> Vec<AccountId> {
        let places = 0..queue.ranked.len();
        places
            .filter_map(|place| queue.at(place))
            .map(|ranked| ranked.account)
            .collect()
    }

    #[test]
    fn a_queue_put_in_order_bit_by_bit_is_the_whole_in_order() {
        let mut stream = Draws::new(4, 0).stream(Purpose::Custom, 0, 0);
        for len in [0, 1, 63, 64, 65, 200, 3_000] {
            let mut queue = Queue {
                ranked: (0..len)
                    .map(|id| Ranked {
                        account: AccountId(id),
                        rank: stream.below(500) as f64,
                        profit: Cash(1),
                    })
                    .collect(),
                ..Queue::default()
            };
            let mut whole = queue.ranked.clone();
            whole.sort_by(before);
            let whole: Vec<AccountId> = whole.iter().map(|ranked| ranked.account).collect();
            assert_eq!(order(&mut queue), whole);
        }
    }

    #[test]
    fn the_best_ranked_are_closed_first_and_the_bankrupt_account_ends_at_nothing() {
        let mut room = Room::new();
        let bankrupt = room.open(50, 10);
        let careful = room.open(2_000, -6);
        let eager = room.open(60, -6);
        // 50 − 10·10 = −50: bankrupt since 95.
        assert_eq!(room.0.equity(bankrupt, AT), -50);
        let mut queue = room.queue(Ranking::Bybit, false);
        let order = order(&mut queue);
        assert_eq!(order, [eager, careful]);
        let mut fills = Vec::new();
        close(
            &mut room.0,
            claim(bankrupt, 950),
            &mut queue,
            AT,
            &mut fills,
        );
        assert_eq!(room.cash(bankrupt), 0);
        assert!(room.0.is_flat(bankrupt));
        // The first is used up, the second keeps two lots: a gain of 5 on each lot that was closed.
        assert_eq!(room.cash(eager), 60 + 30);
        assert_eq!(room.cash(careful), 2_000 + 20);
        assert_eq!(room.held(careful), -2);
        assert_eq!(queue.left().len(), 1);
        room.0.audit().unwrap();
    }

    #[test]
    fn a_winner_is_never_made_bankrupt() {
        // Both shorts have a profit of 60 at 90. The close at 120 costs 30 a lot against the mark: the first can bear two
        // lots of it (62 of equity), the second all the rest.
        let mut room = Room::new();
        let bankrupt = room.open(-200, 10);
        let thin = room.open(2, -6);
        let thick = room.open(2_000, -9);
        let mut queue = room.queue(Ranking::Bybit, false);
        assert_eq!(queue.at(0).unwrap().account, thin);
        let mut fills = Vec::new();
        close(
            &mut room.0,
            claim(bankrupt, 1_200),
            &mut queue,
            AT,
            &mut fills,
        );
        assert_eq!((room.held(thin), room.held(thick)), (-4, -1));
        assert!(room.0.equity(thin, AT) >= 0);
        assert_eq!(room.cash(bankrupt), 0);
        room.0.audit().unwrap();
    }

    #[test]
    fn whoever_is_bankrupt_stands_in_no_queue() {
        // A profit of 60, and a debt of 100 all the same: it is about to be erased, and isn't paid first.
        let mut room = Room::new();
        let doomed = room.open(-100, -6);
        let sound = room.open(500, -6);
        for ranking in [
            Ranking::Bybit,
            Ranking::Okx,
            Ranking::RandomStart,
            Ranking::ProRata,
        ] {
            let mut queue = room.queue(ranking, false);
            let order = order(&mut queue);
            assert_eq!(order, [sound], "{ranking:?}");
        }
        // Nor is one that became bankrupt after the queue was built.
        let bankrupt = room.open(50, 10);
        let mut queue = room.queue(Ranking::Bybit, false);
        room.0.transfer(sound, AccountId::FEES, Cash(600));
        let mut fills = Vec::new();
        close(
            &mut room.0,
            claim(bankrupt, 950),
            &mut queue,
            AT,
            &mut fills,
        );
        assert!(fills.is_empty());
        assert_eq!(room.held(doomed), -6);
    }

    #[test]
    fn a_random_start_takes_accounts_in_their_order_profitable_or_not() {
        let mut room = Room::new();
        let all: Vec<AccountId> = (0..5).map(|_| room.open(1_000, 4)).collect();
        // Longs lose at 90.
        assert!(room.queue(Ranking::Bybit, true).ranked.is_empty());
        let mut queue = room.queue(Ranking::RandomStart, true);
        let order = order(&mut queue);
        let start = all.iter().position(|id| *id == order[0]).unwrap();
        for (k, id) in order.iter().enumerate() {
            assert_eq!(*id, all[(start + k) % 5]);
        }
    }

    #[test]
    fn in_proportion_everybody_bears_the_same_share_of_profit() {
        // Profits of 60, 30 and 10 lose 5 a lot: 10 lots are 6, 3 and 1.
        let mut room = Room::new();
        let bankrupt = [room.open(20, 4), room.open(30, 6)];
        let winners = [room.open(500, -6), room.open(500, -3), room.open(500, -1)];
        let queue = room.queue(Ranking::ProRata, false);
        let claims = [claim(bankrupt[0], 380), claim(bankrupt[1], 570)];
        let mut fills = Vec::new();
        close_together(&mut room.0, &claims, &queue, None, AT, &mut fills);
        assert_eq!(winners.map(|id| room.held(id)), [0, 0, 0]);
        assert_eq!(winners.map(|id| room.cash(id)), [530, 515, 505]);
        assert_eq!(bankrupt.map(|id| room.cash(id)), [0, 0]);
        assert_eq!(room.cash(AccountId::FEES), 0);
        room.0.audit().unwrap();
    }

    #[test]
    fn capped_nobody_loses_more_than_the_share_of_the_profit() {
        // A lot costs 5 and has 10 of profit: with a cap of a half all can be closed, with a fifth two lots of five.
        let lots = |share: f64| {
            let mut room = Room::new();
            let bankrupt = room.open(50, 10);
            let winner = room.open(500, -10);
            let queue = room.queue(Ranking::ProRata, false);
            let cap = Some(Rate::from_f64(share));
            close_together(
                &mut room.0,
                &[claim(bankrupt, 950)],
                &queue,
                cap,
                AT,
                &mut Vec::new(),
            );
            room.0.audit().unwrap();
            (room.held(bankrupt), room.held(winner))
        };
        assert_eq!(lots(0.5), (0, 0));
        assert_eq!(lots(0.2), (6, -6));
    }

    proptest! {
        /// Whatever is closed, on either way, conserves, bankrupts no winner and leaves the purse empty.
        #[test]
        fn closing_conserves(
            winners in proptest::collection::vec((1i64..3_000, 1i64..40), 1..8),
            lots in 1i64..120, value in 60i64..140, together: bool,
        ) {
            let mut room = Room::new();
            let bankrupt = room.open(0, lots);
            let winners: Vec<AccountId> = winners.into_iter().map(|(cash, q)| room.open(cash, -q)).collect();
            let claims = [claim(bankrupt, lots * value)];
            let mut fills = Vec::new();
            if together {
                let queue = room.queue(Ranking::ProRata, false);
                close_together(&mut room.0, &claims, &queue, None, AT, &mut fills);
            } else {
                let mut queue = room.queue(Ranking::Bitmex, false);
                close(&mut room.0, claims[0], &mut queue, AT, &mut fills);
            }
            prop_assert!(room.0.audit().is_ok());
            prop_assert_eq!(room.cash(AccountId::FEES), 0);
            for id in winners {
                prop_assert!(room.0.equity(id, AT) >= 0);
            }
        }
    }
}
