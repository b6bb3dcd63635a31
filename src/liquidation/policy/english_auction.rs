//! A rising auction to keepers: whoever bids the most when the last bid has stood for a while.
//!
//! Bids begin at nothing. Each must be better than the one before by a share, and is the last once nobody has bettered it for so
//! long, or the auction has run its length. A bid of all that is to be raised is bettered by asking for less of the collateral. Where
//! only one keeper bids, it wins for nothing. An auction in which nobody bids is begun anew.
//!
//! # Units
//!
//! Times as lengths, rates as shares.
//!
//! # Invariants
//!
//! - `an_account_is_put_up_once`.
//! - `a_bid_must_be_better_by_the_increment_or_raise_all` ([`Standing`]).
//!
//! # Reference
//!
//! makerdao/dss, `src/flip.sol` (`tend`, `dent`, `deal`, `tick`). On 2020-03-12 a bid lived ten minutes and an auction six hours
//! (compiled 2026-11-22, from memory of the governance record); 13 % penalty, increments of 3 %. Large vaults went in pieces of 50 ETH
//! there, here each goes whole.

use super::loan::{Loan, within};
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::offer::{Lot, Offer};
use crate::unit::{AccountId, Cash, Lots, Rate, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the rising auction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnglishAuctionSettings {
    /// By how much a bid must be better than the one before.
    pub increment: Decimal,
    /// Time after the last bid at which it is the last.
    pub bid_life: Span,
    /// Time after the beginning at which it ends whatever is bid.
    pub length: Span,
    /// Penalty on what is owed.
    pub chop: Decimal,
}

impl Default for EnglishAuctionSettings {
    fn default() -> Self {
        Self {
            increment: Decimal::new(3, 2),
            bid_life: Span::seconds(600.0),
            length: Span::seconds(21_600.0),
            chop: Decimal::new(13, 2),
        }
    }
}

impl EnglishAuctionSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = super::share("increment", self.increment);
        problems.extend(within("chop", self.chop, (0.into(), 1.into()), true));
        for (key, found) in [("bid_life", self.bid_life), ("length", self.length)] {
            if found.as_seconds() <= 0.0 || found == Span::NEVER {
                problems.push((
                    key.to_owned(),
                    format!("must be a finite time longer than 0, found {found}"),
                ));
            }
        }
        problems
    }
}

/// The best bid so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is paid.
    pub paid: Cash,
    /// For how much.
    pub lots: Lots,
}

impl Standing {
    /// The least that betters a bid, or begins (`None`), towards a bidder's limit of `worth` for `lots`: half of the way to the
    /// limit, or the increment if that is more. Nothing where the limit doesn't reach that far.
    pub fn bettered(lot: &Lot, standing: Option<Self>, worth: Cash) -> Option<Self> {
        let limit = worth.min(lot.tab);
        let Some(best) = standing else {
            return (worth > Cash::ZERO).then_some(Self {
                paid: Cash::ZERO,
                lots: lot.quantity,
            });
        };
        if best.paid < lot.tab {
            let least = Cash(
                (best.paid + lot.increment.mul_up(best.paid))
                    .0
                    .max(best.paid.0 + 1),
            )
            .min(lot.tab);
            let half = Cash(best.paid.0 + (limit.0 - best.paid.0) / 2);
            // Close to the limit it is bid outright.
            let near = limit - half <= lot.increment.mul_up(limit);
            let bid = if near { limit } else { half.max(least) };
            return (bid >= least && limit >= least).then_some(Self {
                paid: bid,
                lots: lot.quantity,
            });
        }
        // For all that is asked, a smaller part: the limit is the part that is worth it.
        let enough = (lot.tab.as_f64() / worth.as_f64().max(1.0) * lot.quantity.as_f64()).ceil();
        let one = 1.0 + lot.increment.as_f64();
        let most = (best.lots.as_f64() / one).floor();
        let half = (best.lots.as_f64() + enough) / 2.0;
        let lots = half.floor().min(most).max(enough);
        (lots <= most && lots >= 1.0).then_some(Self {
            paid: lot.tab,
            lots: Lots(lots as i64),
        })
    }

    /// Whether a bid is good enough beside the best so far.
    pub fn beats(&self, lot: &Lot, standing: Option<Self>) -> bool {
        let Some(best) = standing else {
            return true;
        };
        if best.paid < lot.tab {
            let least = Cash(
                (best.paid + lot.increment.mul_up(best.paid))
                    .0
                    .max(best.paid.0 + 1),
            );
            self.paid >= least.min(lot.tab) && self.lots == lot.quantity
        } else {
            self.paid == lot.tab
                && self.lots.as_f64() * (1.0 + lot.increment.as_f64()) <= best.lots.as_f64()
        }
    }
}

/// Puts accounts up for bids.
#[derive(Clone)]
pub struct EnglishAuction {
    increment: Rate,
    bid_life: u32,
    length: u32,
    chop: f64,
    running: Vec<AccountId>,
}

impl EnglishAuction {
    /// The policy with steps of `dt` seconds.
    pub fn new(settings: &EnglishAuctionSettings, dt: f64) -> Self {
        Self {
            increment: rate(settings.increment),
            bid_life: settings.bid_life.steps(dt).max(1),
            length: settings.length.steps(dt).max(1),
            chop: 1.0 + rate(settings.chop).as_f64(),
            running: Vec::new(),
        }
    }
}

impl LiquidationPolicy for EnglishAuction {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, _: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases {
            if self.running.binary_search(&case.account).is_ok() {
                continue;
            }
            let loan = Loan::of(case);
            out.push(Offer::Lot(Lot {
                account: case.account,
                market: case.market,
                quantity: case.quantity.abs(),
                tab: Cash((loan.debt * self.chop).round_ties_even().max(1.0) as i64),
                increment: self.increment,
                bid_life: self.bid_life,
                length: self.length,
                penalty: Rate::from_f64(1.0 - 1.0 / self.chop),
            }));
        }
    }
    fn begun(&mut self, account: AccountId, _: u32) {
        if let Err(at) = self.running.binary_search(&account) {
            self.running.insert(at, account);
        }
    }
    fn taken(&mut self, account: AccountId, _: Lots, _: Cash) -> bool {
        self.recovered(account);
        true
    }
    fn binds(&self, account: AccountId) -> bool {
        self.running.binary_search(&account).is_ok()
    }
    fn recovered(&mut self, account: AccountId) {
        if let Ok(at) = self.running.binary_search(&account) {
            self.running.remove(at);
        }
    }
    fn name(&self) -> &'static str {
        "english_auction"
    }
    fn needs_keepers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;
    use crate::unit::MarketId;

    #[test]
    fn an_account_is_put_up_once() {
        let mut policy = EnglishAuction::new(&EnglishAuctionSettings::default(), 1.0);
        let schedule = schedule(&[(i64::MAX, 0.2)]);
        let cases = [case(&schedule, 1_000, 18_000)];
        let offered = |policy: &mut EnglishAuction| {
            let mut out = Vec::new();
            policy.offer(&view(&schedule), &cases, &mut out);
            out
        };
        let first = offered(&mut policy);
        let [Offer::Lot(lot)] = first[..] else {
            panic!("{first:?}");
        };
        assert_eq!((lot.quantity, lot.tab), (Lots(1_000), Cash(92_660)));
        assert_eq!((lot.bid_life, lot.length), (600, 21_600));
        policy.begun(AccountId(7), 0);
        assert!(policy.binds(AccountId(7)));
        assert_eq!(offered(&mut policy), []);
        assert!(policy.taken(AccountId(7), Lots(1_000), Cash(5)));
        assert!(!policy.binds(AccountId(7)));
    }

    fn lot() -> Lot {
        Lot {
            account: AccountId(7),
            market: MarketId(0),
            quantity: Lots(1_000),
            tab: Cash(90_000),
            increment: Rate::from_f64(0.03),
            bid_life: 1,
            length: 1,
            penalty: Rate::ZERO,
        }
    }

    fn bid(paid: i64, lots: i64) -> Standing {
        Standing {
            paid: Cash(paid),
            lots: Lots(lots),
        }
    }

    #[test]
    fn a_bid_must_be_better_by_the_increment_or_raise_all() {
        let next = |standing, worth| Standing::bettered(&lot(), standing, Cash(worth));
        // The first is for nothing, and the second half of the way to its own limit.
        assert_eq!(next(None, 80_000), Some(bid(0, 1_000)));
        assert_eq!(next(None, 0), None);
        assert_eq!(next(Some(bid(0, 1_000)), 80_000), Some(bid(40_000, 1_000)));
        // Near the limit it is the limit; beyond it nothing is.
        assert_eq!(
            next(Some(bid(76_000, 1_000)), 80_000),
            Some(bid(80_000, 1_000))
        );
        assert_eq!(next(Some(bid(78_000, 1_000)), 80_000), None);
        // Worth more than is asked: all is raised, then less is taken for it.
        assert_eq!(
            next(Some(bid(88_000, 1_000)), 100_000),
            Some(bid(90_000, 1_000))
        );
        assert_eq!(
            next(Some(bid(90_000, 1_000)), 100_000),
            Some(bid(90_000, 950))
        );
        assert_eq!(next(Some(bid(90_000, 920)), 100_000), None);
        for (standing, good, better) in [
            (bid(0, 1_000), bid(1, 1_000), true),
            (bid(1_000, 1_000), bid(1_029, 1_000), false),
            (bid(1_000, 1_000), bid(1_030, 1_000), true),
            (bid(89_000, 1_000), bid(90_000, 1_000), true),
            (bid(90_000, 1_000), bid(90_000, 971), false),
            (bid(90_000, 1_000), bid(90_000, 970), true),
        ] {
            assert_eq!(
                good.beats(&lot(), Some(standing)),
                better,
                "{good:?} over {standing:?}"
            );
        }
        // Whatever is bid beats what it bettered.
        let mut standing = None;
        for worth in [70_000, 95_000, 99_000, 85_000, 120_000, 99_000, 130_000] {
            if let Some(bid) = next(standing, worth) {
                assert!(bid.beats(&lot(), standing), "{bid:?} over {standing:?}");
                assert!(bid.paid.0 <= worth);
                standing = Some(bid);
            }
        }
    }
}
