//! The ledger: the only place where cash, cost and quantity change.
//!
//! # Units
//!
//! Cash and cost in quanta, quantities in lots, the funding index in 10⁻⁶ quanta per lot.
//!
//! # Invariants
//!
//! - `every_entry_has_a_counter_entry`: per market Σ quantity = 0, and Σ (cash − cost) over all
//!   accounts = net deposits. Kept as running sums that every entry updates on its own side, so a
//!   one-sided entry shows at once; [`Ledger::audit`] adds everything up from the records.
//! - `rounding_goes_to_the_venue`: funding rounds up against whoever pays and down against whoever
//!   receives; the remainder stays in the funding account until it is swept to the fees.
//! - Overflow never wraps: the first entry that doesn't fit is refused whole, and kept as a breach
//!   that names the account.

use super::options::Options;
use super::table::{Account, Slot, SlotId, State, Table};
use crate::market::funding::due;
use crate::market::option::SeriesId;
use crate::market::{Contract, Fill};
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Ticks};

/// What an audit found wrong, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Quantities of a market don't add up to zero.
    #[error("quantities of market {market} add up to {sum} lots, not to 0")]
    Quantity {
        /// The market, from 0.
        market: usize,
        /// The sum found.
        sum: i128,
    },
    /// Contracts of a series of options don't add up to zero.
    #[error("contracts of option series {series} add up to {sum}, not to 0")]
    Contracts {
        /// The series, from 0.
        series: usize,
        /// The sum found.
        sum: i128,
    },
    /// Cash less cost doesn't add up to what was paid in.
    #[error("cash less cost adds up to {sum} quanta, but net deposits are {deposits}")]
    Cash {
        /// The sum found.
        sum: i128,
        /// What was paid in, less what was paid out.
        deposits: i128,
    },
    /// The running sums differ from the records.
    #[error("running sums differ from the records: {running} and {records}")]
    Drift {
        /// The running sum.
        running: i128,
        /// The sum of the records.
        records: i128,
    },
    /// An entry didn't fit.
    #[error("an entry of account {account} does not fit 64 bits")]
    Overflow {
        /// The account.
        account: u32,
    },
    /// The insurance fund owes money.
    #[error("the insurance fund stands at {cash} quanta, below zero")]
    Fund {
        /// Its balance.
        cash: i64,
    },
    /// A closed account still holds a position.
    #[error("account {account} is closed but holds a position")]
    ClosedWithPosition {
        /// The account.
        account: u32,
    },
}

/// What a full audit added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Accounts visited.
    pub accounts: usize,
    /// What was paid in, less what was paid out.
    pub deposits: i128,
}

/// At which prices an account is measured.
#[derive(Clone, Copy, Debug)]
pub struct Valuation<'a> {
    /// Marks, by market.
    pub marks: &'a [Ticks],
    /// Cumulative funding indices, by market.
    pub funding: &'a [i64],
}

/// The table of accounts with the running sums that prove it.
#[derive(Clone, Debug)]
pub struct Ledger {
    table: Table,
    contracts: Vec<Contract>,
    quantities: Vec<i128>,
    /// What traders hold, long and short.
    held: Vec<[i64; 2]>,
    net: i128,
    deposits: i128,
    breach: Option<Breach>,
    options: Options,
}

impl std::ops::Deref for Ledger {
    type Target = Table;
    fn deref(&self) -> &Table {
        &self.table
    }
}

impl Ledger {
    /// A ledger over markets with the given contracts, with the accounts that every world has.
    pub fn new(contracts: Vec<Contract>) -> Self {
        let markets = u16::try_from(contracts.len()).expect("fewer than 2^16 markets");
        Self {
            table: Table::new(markets),
            quantities: vec![0; contracts.len()],
            held: vec![[0; 2]; contracts.len()],
            contracts,
            net: 0,
            deposits: 0,
            breach: None,
            options: Options::default(),
        }
    }

    /// Opens an account, as [`Table::open`].
    pub fn open(&mut self, isolated: Option<MarketId>, cohort: crate::unit::CohortId) -> AccountId {
        self.table.open(isolated, cohort)
    }

    /// Opens an account of the venue's own, as [`Table::open_house`]. No trader is opened after it.
    pub fn open_house(&mut self) -> AccountId {
        self.table.open_house()
    }

    /// States what an owner holds outside the venue for top-ups.
    pub fn set_reserve(&mut self, id: AccountId, reserve: Cash) {
        self.table.account_mut(id).reserve = reserve;
    }

    /// A market's contract.
    #[inline]
    pub fn contract(&self, market: MarketId) -> &Contract {
        &self.contracts[market.index()]
    }

    /// What was paid in, less what was paid out.
    pub const fn deposits(&self) -> i128 {
        self.deposits
    }

    /// Open interest of a market: what traders hold long or short, whichever is more. The background
    /// maker and the other system accounts hold the difference.
    #[inline]
    pub fn open_interest(&self, market: MarketId) -> Lots {
        let [long, short] = self.held[market.index()];
        Lots(long.max(short))
    }

    // --- entries ------------------------------------------------------------------------------

    /// Money comes in from outside (or goes out, where negative).
    pub fn deposit(&mut self, id: AccountId, amount: Cash) {
        if self.add_cash(id, amount) {
            self.deposits += i128::from(amount.0);
        }
    }

    /// Money moves from one account to another.
    pub fn transfer(&mut self, from: AccountId, to: AccountId, amount: Cash) {
        if self.add_cash(from, -amount) && !self.add_cash(to, amount) {
            self.add_cash(from, amount);
        }
    }

    /// Books a trade on both sides, and each side's fee (a negative rate is a rebate). Fees are
    /// rounded up; the background maker and the other system accounts pay none.
    pub fn settle(&mut self, market: MarketId, fill: &Fill, taker_fee: Rate, maker_fee: Rate) {
        let signed = Lots(fill.quantity.0 * fill.side.sign());
        let value = Cash(fill.value.0 * fill.side.sign());
        self.trade(fill.taker, market, signed, value);
        self.trade(fill.maker, market, -signed, -value);
        let notional = fill.value.abs();
        for (id, rate) in [(fill.taker, taker_fee), (fill.maker, maker_fee)] {
            if rate != Rate::ZERO && !self.table.is_house(id) {
                let fee = if rate.0 > 0 {
                    rate.mul_up(notional)
                } else {
                    -Rate(-rate.0).mul_down(notional)
                };
                self.transfer(id, AccountId::FEES, fee);
            }
        }
    }

    /// One side of a trade: a signed quantity for a signed value. The caller books the other side.
    pub fn trade(&mut self, id: AccountId, market: MarketId, quantity: Lots, value: Cash) {
        let Some(place) = self.table.place(id, market) else {
            self.fail(Breach::Overflow { account: id.0 });
            return;
        };
        let Some((slot, realised)) = traded(*self.table.slot(place), quantity, value) else {
            self.fail(Breach::Overflow { account: id.0 });
            return;
        };
        let Some(cash) = self.table.account(id).cash.checked_add(realised) else {
            self.fail(Breach::Overflow { account: id.0 });
            return;
        };
        let before = *self.table.slot(place);
        let m = market.index();
        self.quantities[m] += i128::from(slot.quantity.0 - before.quantity.0);
        if !self.table.is_house(id) {
            let (old, new) = (before.quantity.0, slot.quantity.0);
            self.held[m][0] += new.max(0) - old.max(0);
            self.held[m][1] += (-new).max(0) - (-old).max(0);
        }
        self.net += i128::from(realised.0) - i128::from(slot.cost.0) + i128::from(before.cost.0);
        *self.table.slot_mut(place) = slot;
        self.table.account_mut(id).cash = cash;
    }

    /// Settles a position's funding up to the market's index.
    pub fn settle_funding(&mut self, id: AccountId, slot: SlotId, index: i64) {
        let due = funding_due(self.table.slot(slot), index);
        if !due.is_zero() {
            self.transfer(id, AccountId::FUNDING, due);
        }
        self.table.slot_mut(slot).funding = index;
    }

    // --- options --------------------------------------------------------------------------------

    /// Who holds which options.
    #[inline]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Lists series of options, before any account may hold them.
    pub fn list_options(&mut self, series: usize) {
        self.options.list(series);
    }

    /// Lets an account hold these series; it must not be able to hold any yet.
    pub fn open_options(&mut self, id: AccountId, series: impl IntoIterator<Item = SeriesId>) {
        self.options.open(id, series);
    }

    /// Says what one contract of a series is worth from now on.
    #[inline]
    pub fn publish_worth(&mut self, series: SeriesId, worth: Cash) {
        self.options.publish(series, worth);
    }

    /// Contracts change hands for a value: + bought by `buyer`, who pays it, − sold. Both must have the series in their rows.
    pub fn trade_options(
        &mut self,
        buyer: AccountId,
        seller: AccountId,
        series: SeriesId,
        contracts: i64,
        value: Cash,
    ) {
        self.trade_option(buyer, series, contracts, value);
        self.trade_option(seller, series, -contracts, -value);
    }

    /// One side of a trade in options. The caller books the other side.
    pub fn trade_option(&mut self, id: AccountId, series: SeriesId, contracts: i64, value: Cash) {
        let overflow = Breach::Overflow { account: id.0 };
        let Some(place) = self.options.place(id, series) else {
            self.fail(overflow);
            return;
        };
        let held = *self.options.at(place);
        let before = Slot {
            quantity: Lots(held.contracts),
            cost: held.cost,
            funding: 0,
        };
        let cash = self.table.account(id).cash;
        let Some((after, cash)) = traded(before, Lots(contracts), value)
            .and_then(|(after, realised)| Some((after, cash.checked_add(realised)?)))
        else {
            self.fail(overflow);
            return;
        };
        self.net += i128::from(cash.0)
            - i128::from(self.table.account(id).cash.0)
            - i128::from(after.cost.0)
            + i128::from(before.cost.0);
        self.options.set(place, after.quantity.0, after.cost);
        self.table.account_mut(id).cash = cash;
    }

    /// Closes a series: everybody's contracts are settled at what one pays. The accounts that held any, in order.
    pub fn settle_options(&mut self, series: SeriesId, pays: Cash, settled: &mut Vec<AccountId>) {
        settled.clear();
        let held = |(owner, held): (AccountId, &super::Holding)| {
            (held.series == series && held.contracts != 0).then_some(owner)
        };
        settled.extend(self.options.all().filter_map(held));
        self.options.publish(series, pays);
        for id in settled.iter() {
            let contracts = self
                .options
                .of(*id)
                .iter()
                .find(|held| held.series == series)
                .map_or(0, |held| held.contracts);
            match contracts.checked_mul(pays.0).and_then(i64::checked_neg) {
                Some(value) => self.trade_option(*id, series, -contracts, Cash(value)),
                None => self.fail(Breach::Overflow { account: id.0 }),
            }
        }
    }

    /// Whether an account holds neither a position nor an option.
    #[inline]
    pub fn is_flat(&self, id: AccountId) -> bool {
        self.table.is_flat(id) && !self.options.holds(id)
    }

    // --- states that carry no money -----------------------------------------------------------

    /// An account's record, to change anything but money through the fields that are public.
    #[inline]
    pub(crate) fn standing_mut(&mut self, id: AccountId) -> Standing<'_> {
        Standing(self.table.account_mut(id))
    }

    // --- questions ----------------------------------------------------------------------------

    /// Equity of an account: cash + Σ (value − cost) − accrued funding, its options included, in 128 bits.
    #[inline]
    pub fn equity(&self, id: AccountId, at: Valuation<'_>) -> i128 {
        let mut equity = i128::from(self.table.account(id).cash.0);
        for (market, place) in self.table.places(id) {
            let slot = self.table.slot(place);
            if !slot.quantity.is_zero() {
                let m = market.index();
                equity += self.contracts[m].wide(slot.quantity, at.marks[m])
                    - i128::from(slot.cost.0)
                    - i128::from(funding_due(slot, at.funding[m]).0);
            }
        }
        if self.options.series() > 0 {
            equity += self.options.profit(id);
        }
        equity
    }

    /// Checks the running sums: cheap, done after every step.
    ///
    /// # Errors
    ///
    /// The first breach found.
    pub fn check(&self) -> Result<(), Breach> {
        if let Some(breach) = &self.breach {
            return Err(breach.clone());
        }
        if let Some((market, sum)) = self.quantities.iter().enumerate().find(|(_, s)| **s != 0) {
            return Err(Breach::Quantity { market, sum: *sum });
        }
        if let Some((series, sum)) = self.options.unbalanced() {
            return Err(Breach::Contracts { series, sum });
        }
        if self.net != self.deposits {
            return Err(Breach::Cash {
                sum: self.net,
                deposits: self.deposits,
            });
        }
        let fund = self.table.account(AccountId::FUND).cash;
        if fund < Cash::ZERO {
            return Err(Breach::Fund { cash: fund.0 });
        }
        Ok(())
    }

    /// Adds everything up from the records, and compares it with the running sums.
    ///
    /// # Errors
    ///
    /// The first breach found.
    pub fn audit(&self) -> Result<Audit, Breach> {
        self.check()?;
        let mut net = 0i128;
        let mut quantities = vec![0i128; self.contracts.len()];
        for id in self.table.ids() {
            let account = self.table.account(id);
            net += i128::from(account.cash.0);
            for (market, place) in self.table.places(id) {
                let slot = self.table.slot(place);
                net -= i128::from(slot.cost.0);
                quantities[market.index()] += i128::from(slot.quantity.0);
                if account.state == State::Closed && !slot.quantity.is_zero() {
                    return Err(Breach::ClosedWithPosition { account: id.0 });
                }
            }
        }
        for (id, held) in self.options.all() {
            net -= i128::from(held.cost.0);
            if self.table.account(id).state == State::Closed && held.contracts != 0 {
                return Err(Breach::ClosedWithPosition { account: id.0 });
            }
        }
        if let Some((series, sum)) = self.options.recount() {
            return Err(Breach::Contracts { series, sum });
        }
        if let Some((market, sum)) = quantities.into_iter().enumerate().find(|(_, s)| *s != 0) {
            return Err(Breach::Quantity { market, sum });
        }
        if net != self.net {
            return Err(Breach::Drift {
                running: self.net,
                records: net,
            });
        }
        Ok(Audit {
            accounts: self.table.len(),
            deposits: self.deposits,
        })
    }

    fn add_cash(&mut self, id: AccountId, amount: Cash) -> bool {
        match self.table.account(id).cash.checked_add(amount) {
            Some(cash) => {
                self.table.account_mut(id).cash = cash;
                self.net += i128::from(amount.0);
                true
            }
            None => {
                self.fail(Breach::Overflow { account: id.0 });
                false
            }
        }
    }

    fn fail(&mut self, breach: Breach) {
        self.breach.get_or_insert(breach);
    }
}

/// The part of an account's record that carries no money.
pub(crate) struct Standing<'a>(&'a mut Account);

impl Standing<'_> {
    pub(crate) const fn set_state(&mut self, state: State) {
        self.0.state = state;
    }
    pub(crate) const fn set_called_at(&mut self, step: u32) {
        self.0.called_at = step;
    }
    pub(crate) const fn set_ready_at(&mut self, step: u32) {
        self.0.ready_at = step;
    }
    pub(crate) const fn set_answering(&mut self, answering: bool) {
        self.0.answering = answering;
    }
}

/// Funding that a position owes up to an index (negative: is owed), rounded against it.
#[inline]
pub fn funding_due(slot: &Slot, index: i64) -> Cash {
    Cash::clamped(due(slot.quantity, index - slot.funding))
}

/// A position after a trade, and the profit that the trade realised.
///
/// What is added keeps its cost; what is closed takes its share of the cost along, rounded toward
/// zero, and realises the difference. Cash less cost always moves by exactly −value.
fn traded(slot: Slot, quantity: Lots, value: Cash) -> Option<(Slot, Cash)> {
    let (held, change) = (slot.quantity.0, quantity.0);
    let after = held.checked_add(change)?;
    if held == 0 || (held > 0) == (change > 0) {
        let grown = Slot {
            quantity: Lots(after),
            cost: slot.cost.checked_add(value)?,
            ..slot
        };
        return Some((grown, Cash::ZERO));
    }
    let share = |whole: i64, part: i64, of: i64| {
        Cash::from_wide(i128::from(whole) * i128::from(part) / i128::from(of))
    };
    if change.abs() <= held.abs() {
        let cost_closed = share(slot.cost.0, change.checked_neg()?, held)?;
        let realised = Cash(value.0.checked_neg()?.checked_sub(cost_closed.0)?);
        let left = Slot {
            quantity: Lots(after),
            cost: slot.cost - cost_closed,
            ..slot
        };
        Some((left, realised))
    } else {
        // Through zero: the first part closes all, the rest opens the other way.
        let value_closing = share(value.0, held.checked_neg()?, change)?;
        let realised = Cash(value_closing.0.checked_neg()?.checked_sub(slot.cost.0)?);
        let turned = Slot {
            quantity: Lots(after),
            cost: value - value_closing,
            ..slot
        };
        Some((turned, realised))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{CohortId, Side};

    fn ledger() -> (Ledger, AccountId, AccountId) {
        let mut ledger = Ledger::new(vec![Contract::linear(1)]);
        let a = ledger.open(Some(MarketId(0)), CohortId(0));
        let b = ledger.open(None, CohortId(0));
        ledger.deposit(a, Cash(1_000));
        ledger.deposit(b, Cash(1_000));
        (ledger, a, b)
    }

    fn fill(taker: AccountId, maker: AccountId, side: Side, quantity: i64, price: i64) -> Fill {
        Fill {
            taker,
            maker,
            side,
            quantity: Lots(quantity),
            value: Cash(quantity * price),
            price: Ticks(price),
        }
    }

    #[test]
    fn every_entry_has_a_counter_entry() {
        let (mut ledger, a, b) = ledger();
        let m = MarketId(0);
        ledger.settle(
            m,
            &fill(a, b, Side::Buy, 10, 100),
            Rate(1_000_000),
            Rate::ZERO,
        );
        ledger.settle(
            m,
            &fill(a, b, Side::Sell, 3, 110),
            Rate::ZERO,
            Rate(-1_000_000),
        );
        ledger.settle(m, &fill(b, a, Side::Buy, 20, 90), Rate::ZERO, Rate::ZERO);
        assert_eq!(ledger.audit().unwrap().deposits, 2_000);
        // a: long 10@100, sold 3@110 (+30), then sold 20@90: closes 7 (−70), short 13@90.
        let slot = ledger.position(a, m).unwrap();
        assert_eq!((slot.quantity, slot.cost), (Lots(-13), Cash(-1_170)));
        assert_eq!(ledger.account(a).cash, Cash(1_000 + 30 - 70 - 1));
        assert_eq!(ledger.open_interest(m), Lots(13));
    }

    #[test]
    fn equity_is_the_same_just_before_and_after_a_trade_at_the_mark() {
        let (mut ledger, a, b) = ledger();
        let m = MarketId(0);
        ledger.settle(m, &fill(a, b, Side::Buy, 7, 100), Rate::ZERO, Rate::ZERO);
        let at = Valuation {
            marks: &[Ticks(93)],
            funding: &[0],
        };
        let before = ledger.equity(a, at);
        ledger.settle(m, &fill(a, b, Side::Sell, 3, 93), Rate::ZERO, Rate::ZERO);
        assert_eq!(ledger.equity(a, at), before);
    }

    #[test]
    fn rounding_goes_to_the_venue() {
        let (mut ledger, a, b) = ledger();
        let m = MarketId(0);
        ledger.settle(m, &fill(a, b, Side::Buy, 3, 100), Rate::ZERO, Rate::ZERO);
        let index = 500_000; // half a quantum per lot: 1.5 quanta due
        for id in [a, b] {
            let slot = ledger.place(id, m).unwrap();
            ledger.settle_funding(id, slot, index);
        }
        assert_eq!(ledger.account(a).cash, Cash(998));
        assert_eq!(ledger.account(b).cash, Cash(1_001));
        assert_eq!(ledger.account(AccountId::FUNDING).cash, Cash(1));
        ledger.audit().unwrap();
    }

    #[test]
    fn an_entry_that_does_not_fit_is_a_breach_that_names_the_account() {
        let (mut ledger, a, _) = ledger();
        ledger.deposit(a, Cash(i64::MAX));
        assert_eq!(ledger.check(), Err(Breach::Overflow { account: a.0 }));
        assert_eq!(ledger.account(a).cash, Cash(1_000));
    }

    #[test]
    fn a_one_sided_entry_shows_at_once() {
        let (mut ledger, a, _) = ledger();
        ledger.trade(a, MarketId(0), Lots(1), Cash(100));
        assert!(matches!(ledger.check(), Err(Breach::Quantity { .. })));
    }

    #[test]
    fn contracts_add_up_to_zero() {
        let (mut ledger, a, b) = ledger();
        ledger.list_options(2);
        ledger.open_options(a, [SeriesId(1)]);
        ledger.open_options(b, [SeriesId(0), SeriesId(1)]);
        // a buys three at 50 from b, sells one at 70, and the rest settles at 20.
        ledger.trade_options(a, b, SeriesId(1), 3, Cash(150));
        assert_eq!(ledger.options().open_interest(SeriesId(1)), 3);
        ledger.publish_worth(SeriesId(1), Cash(60));
        let at = Valuation {
            marks: &[Ticks(1)],
            funding: &[0],
        };
        assert_eq!((ledger.equity(a, at), ledger.equity(b, at)), (1_030, 970));
        ledger.trade_options(a, b, SeriesId(1), -1, Cash(-70));
        assert_eq!(ledger.account(a).cash, Cash(1_020));
        assert!(ledger.audit().is_ok() && !ledger.is_flat(a) && ledger.is_flat(AccountId::FUND));
        let mut settled = Vec::new();
        ledger.settle_options(SeriesId(1), Cash(20), &mut settled);
        assert_eq!(settled, [a, b]);
        assert_eq!(ledger.account(a).cash, Cash(1_000 + 20 - 60));
        assert!(ledger.audit().is_ok() && ledger.is_flat(a) && ledger.is_flat(b));
        // Money for contracts from nowhere shows, and so does a side without another.
        ledger.trade_option(a, SeriesId(1), 1, Cash(10));
        assert_eq!(ledger.check(), Err(Breach::Contracts { series: 1, sum: 1 }));
        // A series that an account can't hold is refused whole.
        let (mut ledger, a, b) = self::ledger();
        ledger.list_options(1);
        ledger.open_options(a, [SeriesId(0)]);
        ledger.trade_options(a, b, SeriesId(0), 1, Cash(10));
        assert!(ledger.check().is_err());
    }
}
