//! Socialised loss: what fund, backstop and deleveraging leave unpaid is taken from winners.
//!
//! Deficits of one settlement are taken together, so that every winner bears the same share of each. Shares are
//! whole quanta and add up exactly; nobody pays more than was won, nor than the account's equity.
//!
//! # Invariants
//!
//! - `profits_pay_in_proportion_and_the_parts_add_up`.
//! - `winners_of_a_session_pay_on_what_they_won_since_it_began`.
//!
//! # Reference
//!
//! Haircut of positive profit: Chitra (2025), arXiv 2512.01112, §3. Deribit, "Insurance fund" (over that day's winners: a
//! window of a day). OKX 2018 ("societal loss": a clawback from the profits of the settlement period, a week: on
//! 2018-07-31 about 18 %). A session's loss is taken at once from who is ahead by then; a clawback as the session ends, from who is
//! ahead at its end.

use super::allocate;
use crate::account::{Ledger, TriggerIndex, Valuation};
use crate::unit::{AccountId, Cash, MarketId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose winnings pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SocialiseSettings {
    /// Unrealised profits of the market's positions, in proportion.
    #[default]
    Profit,
    /// What accounts are ahead since the session began, realised or not, in all markets.
    Session(SessionSettings),
    /// The same, as the session ends: until then what is owed stays uncovered.
    Clawback(ClawbackSettings),
}

/// Settings of clawbacks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClawbackSettings {
    /// Length of a session, from one settlement to the next.
    pub length: Span,
}

impl Default for ClawbackSettings {
    fn default() -> Self {
        Self {
            length: Span::seconds(7.0 * 86_400.0),
        }
    }
}

/// Settings of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Length of a session: `"1d"` as at Deribit.
    pub length: Span,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            length: Span::seconds(86_400.0),
        }
    }
}

/// Winners and what each may have to pay.
#[derive(Clone, Debug, Default)]
pub struct Winners {
    accounts: Vec<AccountId>,
    most: Vec<i64>,
    parts: Vec<i64>,
}

impl Winners {
    /// The profitable positions of a market.
    pub fn of_market(
        &mut self,
        ledger: &Ledger,
        index: &TriggerIndex,
        market: MarketId,
        at: Valuation<'_>,
    ) {
        let mut found = Vec::new();
        for longs in [true, false] {
            index.each(market, longs, |slot_id| {
                let slot = ledger.slot(slot_id);
                let profit = ledger
                    .contract(market)
                    .value(slot.quantity, at.marks[market.index()])
                    - slot.cost;
                if profit > Cash::ZERO {
                    let account = ledger.owner(slot_id);
                    found.push((account, profit.0, ledger.equity(account, at)));
                }
            });
        }
        found.sort_unstable();
        self.fill(found);
    }

    /// The accounts that are ahead of what they had as the session began; `opening` has that by account.
    pub fn of_session(&mut self, ledger: &Ledger, opening: &[i128], at: Valuation<'_>) {
        let found = ledger.traders().filter_map(|id| {
            let equity = ledger.equity(id, at);
            let won = equity - opening.get(id.index())?;
            (won > 0).then(|| (id, Cash::clamped(won).0, equity))
        });
        let found = found.collect();
        self.fill(found);
    }

    fn fill(&mut self, found: Vec<(AccountId, i64, i128)>) {
        self.accounts.clear();
        self.most.clear();
        for (account, won, equity) in found {
            if equity > 0 {
                self.accounts.push(account);
                self.most.push(won.min(Cash::clamped(equity).0));
            }
        }
    }

    /// Takes up to `amount` in proportion and gives it to `to`; what was taken.
    pub fn pay(&mut self, ledger: &mut Ledger, to: AccountId, amount: Cash) -> Cash {
        let taken = allocate::proportional(amount.0, &self.most, &self.most, &mut self.parts);
        for (account, part) in self.payers() {
            ledger.transfer(account, to, part);
        }
        Cash(taken)
    }

    /// Who paid, and how much.
    pub fn payers(&self) -> impl Iterator<Item = (AccountId, Cash)> {
        self.accounts
            .iter()
            .zip(&self.parts)
            .filter(|(_, part)| **part > 0)
            .map(|(account, part)| (*account, Cash(*part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Contract, Fill};
    use crate::unit::{CohortId, Lots, Rate, Side, Ticks};

    const X: MarketId = MarketId(0);

    fn room() -> (Ledger, [AccountId; 3], AccountId) {
        let mut ledger = Ledger::new(vec![Contract::linear(1)]);
        let winners = [1, 2, 4].map(|quantity| {
            let id = ledger.open(Some(X), CohortId(0));
            ledger.deposit(id, Cash(1_000));
            let fill = Fill {
                taker: id,
                maker: AccountId::BACKGROUND,
                side: Side::Buy,
                quantity: Lots(quantity),
                value: Cash(quantity * 100),
                price: Ticks(100),
            };
            ledger.settle(X, &fill, Rate::ZERO, Rate::ZERO);
            id
        });
        let broke = ledger.open(Some(X), CohortId(0));
        ledger.transfer(broke, AccountId::FEES, Cash(50));
        (ledger, winners, broke)
    }

    const AT: Valuation<'static> = Valuation {
        marks: &[Ticks(110)],
        funding: &[0],
    };

    #[test]
    fn profits_pay_in_proportion_and_the_parts_add_up() {
        let (mut ledger, _, broke) = room();
        let index = TriggerIndex::build(&ledger, &[Lots(10)]);
        let mut winners = Winners::default();
        winners.of_market(&ledger, &index, X, AT);
        assert_eq!(winners.pay(&mut ledger, broke, Cash(50)), Cash(50));
        let paid: Vec<i64> = winners.payers().map(|(_, part)| part.0).collect();
        assert_eq!(paid, [8, 14, 28]); // 50/7, 100/7, 200/7, the last quantum from the first
        assert_eq!(ledger.account(broke).cash, Cash(0));
        // The pool is 70: no more can be had than that.
        ledger.transfer(broke, AccountId::FEES, Cash(500));
        winners.of_market(&ledger, &index, X, AT);
        assert_eq!(winners.pay(&mut ledger, broke, Cash(500)), Cash(70));
        ledger.audit().unwrap();
    }

    #[test]
    fn winners_of_a_session_pay_on_what_they_won_since_it_began() {
        let (mut ledger, [a, b, c], broke) = room();
        // Opened at 105: the first has won 5 since, the second 10, the third 20 but took a loss of 30 elsewhere.
        let before = Valuation {
            marks: &[Ticks(105)],
            ..AT
        };
        let opening: Vec<i128> = ledger.ids().map(|id| ledger.equity(id, before)).collect();
        ledger.transfer(c, AccountId::FEES, Cash(30));
        let mut winners = Winners::default();
        winners.of_session(&ledger, &opening, AT);
        assert_eq!(winners.pay(&mut ledger, broke, Cash(6)), Cash(6));
        assert_eq!(
            winners.payers().collect::<Vec<_>>(),
            [(a, Cash(2)), (b, Cash(4))]
        );
        winners.of_session(&ledger, &opening, AT);
        assert_eq!(winners.pay(&mut ledger, broke, Cash(44)), Cash(9));
        ledger.audit().unwrap();
    }
}
