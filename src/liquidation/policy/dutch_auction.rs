//! A falling auction to keepers: the price begins above the oracle's and falls by a factor every few seconds.
//!
//! What is owed, with a penalty, is to be raised (the *tab*); whoever takes gets lots at the price of the moment until it is. Only so much
//! may be under auction at once. Somebody has to begin an auction, and to begin it anew once it has run too long or fallen too
//! far, and is paid for that out of the fund. An account whose collateral is under auction stays in liquidation although the price
//! comes back.
//!
//! # Units
//!
//! Amounts in settlement currency, rates as shares, times as lengths.
//!
//! # Invariants
//!
//! - `the_price_falls_step_by_step_and_a_short_is_sold_as_a_long`.
//! - `what_is_taken_is_what_the_tab_allows`, and leaves no small tab.
//! - `an_auction_that_is_over_is_begun_anew_at_the_price_of_then`.
//! - `no_more_than_the_holes_hold_is_under_auction`.
//!
//! # Reference
//!
//! [`crate::liquidation::auction`]: Maker's Clip. The mark stands for its oracle, whose delay is `oracle.delay`; `chost` is dust with
//! its penalty.

use super::loan::{Loan, within};
use super::{Case, Forced, LiquidationPolicy, PolicyView, rate};
use crate::liquidation::auction::{Clip, Holes};
use crate::liquidation::offer::{Offer, Sale, Service};
use crate::unit::{AccountId, Cash, Grid, Lots, Rate, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the falling auction; Maker's ETH-A of 2026-05-08 unless said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DutchAuctionSettings {
    /// First price over the oracle's.
    pub buf: Decimal,
    /// Factor of each fall.
    pub cut: Decimal,
    /// Time between two falls.
    pub step: Span,
    /// Time after which it must be begun anew.
    pub tail: Span,
    /// Price over the first below which it must be begun anew.
    pub cusp: Decimal,
    /// What whoever begins it gets, over what is to be raised.
    pub chip: Decimal,
    /// What whoever begins it gets besides.
    pub tip: Decimal,
    /// Penalty on what is owed.
    pub chop: Decimal,
    /// Most that may be under auction at once in a market.
    pub hole: Decimal,
    /// Most that may be in all markets.
    pub global_hole: Decimal,
    /// Least debt that an account may be left with, and least room that is used.
    pub dust: Decimal,
}

impl Default for DutchAuctionSettings {
    fn default() -> Self {
        Self {
            buf: Decimal::new(110, 2),
            cut: Decimal::new(99, 2),
            step: Span::seconds(90.0),
            tail: Span::seconds(7_200.0),
            cusp: Decimal::new(45, 2),
            chip: Decimal::new(1, 3),
            tip: 250.into(),
            chop: Decimal::new(13, 2),
            hole: 40_000_000.into(),
            global_hole: 150_000_000.into(),
            dust: 7_500.into(),
        }
    }
}

impl DutchAuctionSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let (zero, one) = (Decimal::ZERO, Decimal::ONE);
        let mut problems = within("buf", self.buf, (Decimal::new(5, 1), 2.into()), false);
        for (key, found) in [
            ("cut", self.cut),
            ("cusp", self.cusp),
            ("chip", self.chip),
            ("chop", self.chop),
        ] {
            problems.extend(within(key, found, (zero, one), true));
        }
        if self.cut.is_zero() {
            problems.push((
                "cut".to_owned(),
                "must be greater than 0, found 0".to_owned(),
            ));
        }
        for (key, found) in [("tip", self.tip), ("dust", self.dust)] {
            problems.extend(within(key, found, (zero, Decimal::MAX), true));
        }
        for (key, found) in [("hole", self.hole), ("global_hole", self.global_hole)] {
            if found <= zero {
                problems.push((
                    key.to_owned(),
                    format!("must be greater than 0, found {found}"),
                ));
            }
        }
        for (key, found) in [("step", self.step), ("tail", self.tail)] {
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

/// An auction, or one that somebody has yet to begin.
#[derive(Clone, Copy, Debug)]
struct Running {
    account: AccountId,
    begun: Option<u32>,
    /// The mark at its beginning, in ticks.
    oracle: f64,
    /// The mark of the last look.
    mark: f64,
    /// What is still to be raised.
    tab: f64,
    /// What of the position is still for sale.
    lots: Lots,
}

/// Sells to keepers at a falling price.
#[derive(Clone)]
pub struct DutchAuction {
    clip: Clip,
    holes: Holes,
    running: Vec<Running>,
}

impl DutchAuction {
    /// The policy with amounts on `grid`.
    pub fn new(settings: &DutchAuctionSettings, grid: &Grid) -> Self {
        let float = |decimal| rate(decimal).as_f64();
        let money = |decimal| grid.cash(decimal).unwrap_or(Cash::MAX).as_f64();
        Self {
            clip: Clip {
                start: float(settings.buf),
                cut: float(settings.cut),
                step: settings.step.as_seconds(),
                tail: settings.tail.as_seconds(),
                cusp: float(settings.cusp),
                chip: float(settings.chip),
                tip: money(settings.tip),
            },
            holes: Holes {
                all: money(settings.global_hole),
                own: money(settings.hole),
                chop: 1.0 + float(settings.chop),
                dust: money(settings.dust),
            },
            running: Vec::new(),
        }
    }

    fn find(&self, account: AccountId) -> Result<usize, usize> {
        self.running
            .binary_search_by_key(&account, |running| running.account)
    }

    /// What is under auction, with what nobody has begun yet.
    fn under_auction(&self) -> f64 {
        self.running.iter().map(|running| running.tab).sum()
    }

    /// Takes a breached position up as far as there is room.
    fn bark(&mut self, at: usize, case: &Case, elsewhere: Cash) {
        let loan = Loan::of(case);
        let own = self.under_auction();
        let debt = self.holes.bark(loan.debt, elsewhere.as_f64() + own, own);
        if debt <= 0.0 {
            return;
        }
        let running = Running {
            account: case.account,
            begun: None,
            oracle: 0.0,
            mark: case.mark.as_f64(),
            tab: debt * self.holes.chop,
            lots: loan.lots(debt / loan.debt * loan.collateral * (1.0 + 1e-12)),
        };
        if running.lots > Lots::ZERO {
            self.running.insert(at, running);
        }
    }

    /// The discount to the present mark. The price of a short rises as that of a long falls.
    fn discount(&self, running: &Running, mark: f64, sign: f64, elapsed: f64) -> f64 {
        let begun = 1.0 - self.clip.price(1.0, elapsed);
        let price = running.oracle * (1.0 - sign * begun);
        sign * (1.0 - price / mark)
    }

    fn sale(&self, running: &Running, case: &Case, elapsed: f64) -> Option<Sale> {
        let held = case.quantity.abs();
        let sign = case.quantity.signum() as f64;
        let discount = self.discount(running, case.mark.as_f64(), sign, elapsed);
        let per_lot = case.notional.as_f64() / held.as_f64() * (1.0 - discount);
        let lots = running.lots.min(held);
        let upto = |amount: f64| {
            if per_lot * lots.as_f64() <= amount {
                lots
            } else {
                Lots((amount / per_lot).max(0.0) as i64)
            }
        };
        // A tab of less than a lot's price is raised by a lot.
        let whole = upto(running.tab).max(Lots(1)).min(lots);
        let least = self.holes.dust * self.holes.chop;
        let part = upto(running.tab - least).min(whole);
        let (chop, one) = (self.holes.chop, Rate::ONE.as_f64());
        (whole > Lots::ZERO).then(|| Sale {
            account: case.account,
            market: case.market,
            whole,
            part,
            discount: Rate::from_f64(discount.clamp(-8.0, 8.0)),
            fee: Rate::ZERO,
            penalty: Rate::from_f64(one - 1.0 / chop),
        })
    }
}

impl LiquidationPolicy for DutchAuction {
    fn release(&mut self, _: &PolicyView<'_>, _: &[Case], _: &mut Vec<Forced>) {}

    fn offer(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        for case in cases {
            let at = match self.find(case.account) {
                Ok(at) => at,
                Err(at) => {
                    self.bark(at, case, view.raised_elsewhere);
                    match self.find(case.account) {
                        Ok(at) => at,
                        Err(_) => continue,
                    }
                }
            };
            self.running[at].mark = case.mark.as_f64();
            let running = self.running[at];
            let elapsed = running
                .begun
                .map(|since| f64::from(view.step - since) * view.dt)
                .filter(|elapsed| !self.clip.is_over(*elapsed));
            match elapsed {
                Some(elapsed) => out.extend(self.sale(&running, case, elapsed).map(Offer::Sale)),
                None => out.push(Offer::Service(Service {
                    account: case.account,
                    market: case.market,
                    quantity: running.lots.min(case.quantity.abs()),
                    reward: Cash(self.clip.reward(running.tab) as i64),
                    tab: Cash(running.tab as i64),
                    again: running.begun.is_some(),
                })),
            }
        }
    }
    fn begun(&mut self, account: AccountId, step: u32) {
        if let Ok(at) = self.find(account) {
            let running = &mut self.running[at];
            running.begun = Some(step);
            running.oracle = running.mark;
        }
    }
    fn taken(&mut self, account: AccountId, quantity: Lots, raised: Cash) -> bool {
        let Ok(at) = self.find(account) else {
            return false;
        };
        let running = &mut self.running[at];
        let price = raised.as_f64() / quantity.as_f64().max(1.0);
        running.lots -= quantity;
        running.tab -= raised.as_f64();
        // Less than a lot's price is what rounding left.
        let over = running.lots <= Lots::ZERO || running.tab < price;
        if over {
            self.running.remove(at);
        }
        over
    }
    fn binds(&self, account: AccountId) -> bool {
        self.find(account)
            .is_ok_and(|at| self.running[at].begun.is_some())
    }
    fn recovered(&mut self, account: AccountId) {
        if let Ok(at) = self.find(account) {
            self.running.remove(at);
        }
    }
    fn raising(&self) -> Cash {
        Cash(self.under_auction() as i64)
    }
    fn name(&self) -> &'static str {
        "dutch_auction"
    }
    fn needs_keepers(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;

    fn policy(hole: i64, dust: i64) -> DutchAuction {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let settings = DutchAuctionSettings {
            hole: hole.into(),
            dust: dust.into(),
            ..DutchAuctionSettings::default()
        };
        assert_eq!(settings.problems(), []);
        DutchAuction::new(&settings, &grid)
    }

    /// Offers for positions of one account each at 100 with a threshold of 80 %, at a step of one second.
    fn offers(policy: &mut DutchAuction, step: u32, positions: &[(i64, i64)]) -> Vec<Offer> {
        let schedule = schedule(&[(i64::MAX, 0.2)]);
        let mut at = view(&schedule);
        at.step = step;
        let cases: Vec<Case> = (7..)
            .zip(positions)
            .map(|(account, (quantity, equity))| Case {
                account: AccountId(account),
                ..case(&schedule, *quantity, *equity)
            })
            .collect();
        let mut out = Vec::new();
        policy.offer(&at, &cases, &mut out);
        out
    }

    fn sale(offers: &[Offer]) -> Sale {
        match offers {
            [Offer::Sale(sale)] => *sale,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_price_falls_step_by_step_and_a_short_is_sold_as_a_long() {
        for quantity in [1_000, -1_000] {
            let mut policy = policy(1_000_000, 0);
            // Nothing is for sale before somebody begins it: 250 and a tenth of a per cent of 82,000 · 1.13.
            let first = offers(&mut policy, 0, &[(quantity, 18_000)]);
            assert!(
                matches!(
                    first[..],
                    [Offer::Service(Service {
                        reward: Cash(342),
                        again: false,
                        ..
                    })]
                ),
                "{first:?}"
            );
            assert!(!policy.binds(AccountId(7)));
            policy.begun(AccountId(7), 0);
            assert!(policy.binds(AccountId(7)));
            let mut discount = |step| {
                sale(&offers(&mut policy, step, &[(quantity, 18_000)]))
                    .discount
                    .as_f64()
            };
            assert!((discount(89) - -0.1).abs() < 1e-9);
            assert!((discount(90) - -0.089).abs() < 1e-9);
            // It crosses the oracle's price in the tenth step: 14.2 minutes, were it even.
            assert!(discount(899) < 0.0 && discount(900) > 0.0);
        }
    }

    #[test]
    fn what_is_taken_is_what_the_tab_allows() {
        let mut policy = policy(1_000_000, 10_000);
        offers(&mut policy, 0, &[(1_000, 18_000)]);
        policy.begun(AccountId(7), 0);
        // 92,660 at 110 are 842 lots; a tab of 11,300 must be left where not all is taken: 739.
        let found = sale(&offers(&mut policy, 0, &[(1_000, 18_000)]));
        assert_eq!((found.whole, found.part), (Lots(842), Lots(739)));
        assert_eq!(found.penalty, Rate::from_f64(1.0 - 1.0 / 1.13));
        assert!(!policy.taken(AccountId(7), Lots(739), Cash(81_290)));
        let rest = sale(&offers(&mut policy, 0, &[(261, 18_000)]));
        assert_eq!((rest.whole, rest.part), (Lots(103), Lots(0)));
        // What is left after that is less than a lot's price.
        assert!(policy.taken(AccountId(7), Lots(103), Cash(11_330)));
        assert!(!policy.binds(AccountId(7)));
        // At a price at which all raises less than the tab, all is sold.
        offers(&mut policy, 0, &[(100, 100)]);
        policy.begun(AccountId(7), 0);
        let low = sale(&offers(&mut policy, 1_800, &[(100, 100)]));
        assert_eq!(low.whole, Lots(100));
        assert!(policy.taken(AccountId(7), Lots(100), Cash(9_000)));
    }

    #[test]
    fn an_auction_that_is_over_is_begun_anew_at_the_price_of_then() {
        let mut policy = policy(1_000_000, 0);
        let position = [(1_000, 18_000)];
        offers(&mut policy, 0, &position);
        policy.begun(AccountId(7), 0);
        sale(&offers(&mut policy, 7_100, &position));
        let over = offers(&mut policy, 7_200, &position);
        assert!(matches!(
            over[..],
            [Offer::Service(Service { again: true, .. })]
        ));
        policy.begun(AccountId(7), 7_200);
        let found = sale(&offers(&mut policy, 7_200, &position));
        assert!((found.discount.as_f64() - -0.1).abs() < 1e-9);
        policy.recovered(AccountId(7));
        assert_eq!(policy.raising(), Cash::ZERO);
    }

    #[test]
    fn no_more_than_the_holes_hold_is_under_auction() {
        // Room for one and a half of them: the second's rest would not be dust.
        let mut policy = policy(140_000, 1_000);
        let found = offers(
            &mut policy,
            0,
            &[(1_000, 18_000), (1_000, 18_000), (1_000, 18_000)],
        );
        let lots: Vec<i64> = found
            .iter()
            .map(|offer| match offer {
                Offer::Service(service) => service.quantity.0,
                _ => 0,
            })
            .collect();
        // (140,000 − 92,660) / 1.13 of 82,000 owed.
        assert_eq!(lots, [1_000, 510]);
        assert!((policy.raising().0 - 140_000).abs() <= 1);
    }
}
