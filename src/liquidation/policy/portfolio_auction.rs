//! A falling auction of a share of the whole account, positions and collateral alike.
//!
//! Bids are shares of what the account is worth at the mark: they begin a little below it, fall fast and then slowly to nothing. Whoever
//! takes a share of the account pays the bid for it into the account, and a fee on the bid to the fund. No more may be taken than restores the
//! requirement with a buffer. An account that is worth less than nothing is auctioned the other way: whoever takes it is
//! paid, first what it lacks, then more and more up to its requirement, and the waterfall bears that.
//!
//! In the ledger a share `s` of an account worth `E` taken at a bid `β` is a share `s` of its position at a discount of `E · (1 − β) / N` to the
//! notional `N`. Each position of a cross account is taken with its share of the equity.
//!
//! # Units
//!
//! Rates as shares, times as lengths.
//!
//! # Invariants
//!
//! - `bids_fall_fast_and_then_slowly`.
//! - `the_largest_share_restores_the_buffer`.
//! - `an_insolvent_account_pays_more_and_more`.
//!
//! # Reference
//!
//! derivexyz/v2-core of 2026-01-21, `src/liquidation/DutchAuction.sol` and `scripts/config-mainnet.sol`: 95 % to 70 % in 15 minutes, to 0 in
//! 12 hours, buffer 15 %, fee 10 % of the bid; insolvent: from nothing beyond the deficit to the requirement in an hour.

use super::loan::within;
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::auction::Bids;
use crate::liquidation::offer::{Offer, Sale, Service};
use crate::unit::{AccountId, Cash, Lots, Rate, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the portfolio auction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortfolioAuctionSettings {
    /// First bid over what the account is worth.
    pub start: Decimal,
    /// Bid at the end of the fast fall.
    pub cutoff: Decimal,
    /// Length of the fast fall.
    pub fast: Span,
    /// Length of the slow fall to nothing after that.
    pub slow: Span,
    /// Margin over the requirement that is restored, over the requirement.
    pub buffer: Decimal,
    /// Share of the bid that whoever takes pays to the fund.
    pub fee: Decimal,
    /// Time in which the payment for an insolvent account grows to its requirement.
    pub insolvent: Span,
}

impl Default for PortfolioAuctionSettings {
    fn default() -> Self {
        Self {
            start: Decimal::new(95, 2),
            cutoff: Decimal::new(7, 1),
            fast: Span::seconds(900.0),
            slow: Span::seconds(43_200.0),
            buffer: Decimal::new(15, 2),
            fee: Decimal::new(1, 1),
            insolvent: Span::seconds(3_600.0),
        }
    }
}

impl PortfolioAuctionSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let bounds = (Decimal::ZERO, Decimal::ONE);
        let mut problems = within("start", self.start, bounds, false);
        problems.extend(within("cutoff", self.cutoff, (0.into(), self.start), false));
        problems.extend(within("buffer", self.buffer, (0.into(), 10.into()), false));
        problems.extend(within("fee", self.fee, bounds, true));
        for (key, found) in [
            ("fast", self.fast),
            ("slow", self.slow),
            ("insolvent", self.insolvent),
        ] {
            if found.as_seconds() <= 0.0 {
                problems.push((
                    key.to_owned(),
                    format!("must be longer than 0, found {found}"),
                ));
            }
        }
        problems
    }
}

#[derive(Clone, Copy, Debug)]
struct Running {
    account: AccountId,
    begun: Option<u32>,
    /// When it was found insolvent.
    insolvent: Option<u32>,
    /// What was offered last.
    whole: Lots,
}

/// Sells shares of whole accounts to keepers.
#[derive(Clone)]
pub struct PortfolioAuction {
    bids: Bids,
    buffer: f64,
    fee: f64,
    insolvent: f64,
    running: Vec<Running>,
}

impl PortfolioAuction {
    /// The policy of these settings.
    pub fn new(settings: &PortfolioAuctionSettings) -> Self {
        let float = |decimal| rate(decimal).as_f64();
        Self {
            bids: Bids {
                start: float(settings.start),
                cutoff: float(settings.cutoff),
                fast: settings.fast.as_seconds(),
                slow: settings.slow.as_seconds(),
            },
            buffer: float(settings.buffer),
            fee: float(settings.fee),
            insolvent: settings.insolvent.as_seconds(),
            running: Vec::new(),
        }
    }

    fn find(&self, account: AccountId) -> Result<usize, usize> {
        self.running
            .binary_search_by_key(&account, |running| running.account)
    }

    /// Share of the account that may be taken, discount to the mark, and fee over notional.
    fn terms(&self, case: &Case, elapsed: f64, insolvent: f64) -> (f64, f64, f64) {
        let notional = case.notional.as_f64().max(1.0);
        let equity = case.own_equity() as f64;
        if equity <= 0.0 {
            let grown = (insolvent / self.insolvent).min(1.0);
            return (1.0, grown * case.maintenance.as_f64() / notional, 0.0);
        }
        let bid = self.bids.at(elapsed);
        let wanted = case.maintenance.as_f64() * (1.0 + self.buffer);
        let lost = equity * (1.0 - bid);
        let share = ((wanted - equity) / (wanted - lost).max(1e-9)).clamp(0.0, 1.0);
        (share, lost / notional, self.fee * bid * equity / notional)
    }
}

impl LiquidationPolicy for PortfolioAuction {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases {
            let at = self.find(case.account).unwrap_or_else(|at| {
                let running = Running {
                    account: case.account,
                    begun: None,
                    insolvent: None,
                    whole: Lots::ZERO,
                };
                self.running.insert(at, running);
                at
            });
            let held = case.quantity.abs();
            let Some(since) = self.running[at].begun else {
                out.push(Offer::Service(Service {
                    account: case.account,
                    market: case.market,
                    quantity: held,
                    reward: Cash::ZERO,
                    tab: case.equity.max(Cash::ZERO),
                    again: false,
                }));
                continue;
            };
            if case.own_equity() <= 0 {
                self.running[at].insolvent.get_or_insert(view.step);
            } else {
                self.running[at].insolvent = None;
            }
            let seconds = |step: u32| f64::from(view.step - step) * view.dt;
            let insolvent = self.running[at].insolvent.map_or(0.0, seconds);
            let (share, discount, fee) = self.terms(case, seconds(since), insolvent);
            let whole = Lots((share * held.as_f64()).ceil() as i64).min(held);
            self.running[at].whole = whole;
            if whole > Lots::ZERO {
                out.push(Offer::Sale(Sale {
                    account: case.account,
                    market: case.market,
                    whole,
                    part: whole,
                    discount: Rate::from_f64(discount),
                    fee: Rate::from_f64(fee),
                    penalty: Rate::ZERO,
                }));
            }
        }
    }
    fn begun(&mut self, account: AccountId, step: u32) {
        if let Ok(at) = self.find(account) {
            self.running[at].begun = Some(step);
        }
    }
    fn taken(&mut self, account: AccountId, quantity: Lots, _: Cash) -> bool {
        let Ok(at) = self.find(account) else {
            return false;
        };
        let over = quantity >= self.running[at].whole;
        if over {
            self.running.remove(at);
        }
        over
    }
    fn recovered(&mut self, account: AccountId) {
        if let Ok(at) = self.find(account) {
            self.running.remove(at);
        }
    }
    fn name(&self) -> &'static str {
        "portfolio_auction"
    }
    fn needs_keepers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;

    fn policy() -> PortfolioAuction {
        let settings = PortfolioAuctionSettings::default();
        assert_eq!(settings.problems(), []);
        PortfolioAuction::new(&settings)
    }

    #[test]
    fn the_largest_share_restores_the_buffer() {
        // 10 lots at 100 with a requirement of 6.5 % and an equity of 60.
        let schedule = schedule(&[(i64::MAX, 0.065)]);
        let case = case(&schedule, 10_000, 60_000);
        let (share, discount, fee) = policy().terms(&case, 0.0, 0.0);
        // A bid of 95 % leaves 5 % of the equity to the keeper.
        assert!((discount - 0.003).abs() < 1e-12);
        assert!((fee - 0.1 * 0.95 * 0.06).abs() < 1e-12);
        let left = 60_000.0 - share * 1_000_000.0 * discount;
        let wanted = 1.15 * 65_000.0 * (1.0 - share);
        assert!((left - wanted).abs() < 1e-6, "{left} {wanted}");
        assert!(share > 0.2 && share < 0.21, "{share}");
    }

    #[test]
    fn an_insolvent_account_pays_more_and_more() {
        let schedule = schedule(&[(i64::MAX, 0.065)]);
        let case = case(&schedule, 10_000, -5_000);
        let at = |seconds| policy().terms(&case, 0.0, seconds);
        assert_eq!(at(0.0), (1.0, 0.0, 0.0));
        assert!((at(1_800.0).1 - 0.032_5).abs() < 1e-12);
        assert!((at(9_999.0).1 - 0.065).abs() < 1e-12);
    }

    #[test]
    fn it_is_over_when_all_that_may_be_taken_is() {
        let schedule = schedule(&[(i64::MAX, 0.065)]);
        let cases = [case(&schedule, 10_000, 60_000)];
        let mut policy = policy();
        let mut out = Vec::new();
        policy.offer(&view(&schedule), &cases, &mut out);
        assert!(matches!(out[..], [Offer::Service(_)]));
        policy.begun(AccountId(7), 0);
        out.clear();
        policy.offer(&view(&schedule), &cases, &mut out);
        let [Offer::Sale(sale)] = out[..] else {
            panic!("{out:?}");
        };
        assert!(!policy.taken(AccountId(7), sale.whole - Lots(1), Cash::ZERO));
        policy.offer(&view(&schedule), &cases, &mut out);
        assert!(policy.taken(AccountId(7), sale.whole, Cash::ZERO));
    }
}
