//! A capped part of one position per account and block, at no worse than the fillable price.
//!
//! Of an account in liquidation one position is chosen pseudo-randomly in each block, and of that a capped
//! quantity is sent as an immediate order. Which accounts come first is drawn as well, and only so many are tried in a
//! block. The limit lets a fill be worse than the zero price: the insurance fund pays the difference, up to a cap of
//! its own.
//!
//! # Units
//!
//! A block is a step. Amounts in settlement currency, the fraction over what is held.
//!
//! # Invariants
//!
//! - `each_cap_binds_alone`.
//! - `one_position_of_an_account_a_block`, drawn by (account, step): the policies of all markets agree on which.
//!
//! # Reference
//!
//! dydxprotocol/v4-chain of 2026-03-04, `protocol/x/clob/keeper/liquidations.go`, `protocol/x/clob/flags/flags.go` and
//! the liquidations configuration of its genesis: at least $1,000 and at most a tenth of a position, at most
//! $100,000 of notional and $1,000,000 of insurance a subaccount and block, 50 attempts. Its attempts are counted
//! over all markets, here in each.

use super::{Case, Forced, LiquidationPolicy, PolicyView, price, rate, share, sizing};
use crate::market::Order;
use crate::math::Purpose;
use crate::unit::{Cash, Grid, Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the caps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CappedSettings {
    /// Most of a position that a block closes, over what is held.
    pub fraction: Decimal,
    /// Least notional of an order, where so much is held.
    pub least: Decimal,
    /// Most notional of an account and block.
    pub notional: Decimal,
    /// Most that the insurance fund may lose by an order.
    pub insurance: Decimal,
    /// Accounts tried in a block.
    pub attempts: u32,
    /// BA of the fillable price: how fast it leaves the mark as health falls.
    pub adjustment: f64,
    /// SMMR of the fillable price: how far it may go, in maintenance rates.
    pub spread: f64,
}

impl Default for CappedSettings {
    fn default() -> Self {
        Self {
            fraction: Decimal::new(1, 1),
            least: 1_000.into(),
            notional: 100_000.into(),
            insurance: 1_000_000.into(),
            attempts: 50,
            adjustment: 1.0,
            spread: 1.5,
        }
    }
}

impl CappedSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = share("fraction", self.fraction);
        for (key, amount) in [
            ("least", self.least),
            ("notional", self.notional),
            ("insurance", self.insurance),
        ] {
            if amount < Decimal::ZERO {
                problems.push((
                    key.to_owned(),
                    format!("must not be negative, found {amount}"),
                ));
            }
        }
        if self.attempts == 0 {
            problems.push((
                "attempts".to_owned(),
                "must be at least 1, found 0".to_owned(),
            ));
        }
        for (key, factor) in [("adjustment", self.adjustment), ("spread", self.spread)] {
            if !(factor > 0.0 && factor.is_finite()) {
                problems.push((
                    key.to_owned(),
                    format!("must be greater than 0, found {factor}"),
                ));
            }
        }
        problems
    }
}

/// Closes a capped part of a drawn position.
#[derive(Clone)]
pub struct Capped {
    fraction: Rate,
    least: Cash,
    notional: Cash,
    insurance: Cash,
    attempts: u32,
    adjustment: f64,
    spread: f64,
    /// The step, and how many accounts were tried in it.
    tried: (u32, u32),
    order: Vec<(u64, usize)>,
}

impl Capped {
    /// The policy with amounts on `grid`.
    pub fn new(settings: &CappedSettings, grid: &Grid) -> Self {
        let cash = |amount| grid.cash(amount).unwrap_or(Cash::MAX);
        Self {
            fraction: rate(settings.fraction),
            least: cash(settings.least),
            notional: cash(settings.notional),
            insurance: cash(settings.insurance),
            attempts: settings.attempts,
            adjustment: settings.adjustment,
            spread: settings.spread,
            tried: (0, 0),
            order: Vec::new(),
        }
    }

    fn order(&self, case: &Case) -> Forced {
        let side = case.closing_side();
        let held = case.quantity.abs();
        let health = case.equity.as_f64() / case.requirement.as_f64().max(1.0);
        let own = case.maintenance.as_f64() / case.notional.as_f64().max(1.0);
        let fill = price::fillable(
            case.mark.as_f64(),
            side,
            own,
            health,
            self.spread,
            self.adjustment,
        );
        let part = Lots(self.fraction.mul_up(Cash(held.0)).0.max(1));
        let mut quantity = part.max(sizing::worth(case, self.least));
        quantity = quantity.min(sizing::worth(case, self.notional)).min(held);
        // How much worse than the zero price a fill may be is what the fund would pay for each lot.
        let levels = case.contract.level(fill) - case.contract.level(case.zero_price);
        let beyond = levels * side.sign() as f64 * case.contract.slope();
        if beyond > 0.0 {
            let insured = (self.insurance.as_f64() / beyond).clamp(1.0, quantity.as_f64());
            quantity = Lots(insured as i64);
        }
        let order = Order::immediate(case.account, side, quantity, price::limit(side, fill));
        // Nothing more of this account in this block.
        Forced::book(case.market, order, 1)
    }
}

impl LiquidationPolicy for Capped {
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        if self.tried.0 != view.step {
            self.tried = (view.step, 0);
        }
        self.order.clear();
        for (place, case) in cases.iter().enumerate() {
            let mut draw = view
                .draws
                .stream(Purpose::Liquidation, case.account.0, view.step);
            let rank = draw.bits();
            if draw.below(u64::from(case.of.max(1))) == u64::from(case.place) {
                self.order.push((rank, place));
            }
        }
        self.order.sort_unstable();
        let left = self.attempts.saturating_sub(self.tried.1) as usize;
        self.order.truncate(left);
        self.tried.1 += self.order.len() as u32;
        let forced = self
            .order
            .iter()
            .map(|(_, place)| self.order(&cases[*place]));
        out.extend(forced);
    }
    fn name(&self) -> &'static str {
        "capped"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, sent, view};
    use super::*;
    use crate::unit::{AccountId, Ticks};

    fn policy(change: impl FnOnce(&mut CappedSettings)) -> Capped {
        let mut settings = CappedSettings::default();
        change(&mut settings);
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        Capped::new(&settings, &grid)
    }

    #[test]
    fn each_cap_binds_alone() {
        let schedule = schedule(&[(i64::MAX, 0.02)]);
        let view = view(&schedule);
        let closed = |policy: &mut Capped, quantity, equity| {
            sent(policy, &view, &[case(&schedule, quantity, equity)])
        };
        // A tenth of 5,000 lots at 100 is 50,000.
        assert_eq!(closed(&mut policy(|_| ()), 5_000, 9_000), [(500, 1)]);
        // At least 1,000, at most all.
        assert_eq!(closed(&mut policy(|_| ()), 50, 90), [(10, 1)]);
        assert_eq!(closed(&mut policy(|_| ()), -7, 9), [(7, 1)]);
        // At most 100,000.
        assert_eq!(closed(&mut policy(|_| ()), 50_000, 90_000), [(1_000, 1)]);
        // Bankrupt by 1 a lot: fillable at 97, zero at 101, so the fund pays 4 a lot.
        let mut insured = policy(|settings| settings.insurance = 100.into());
        assert_eq!(closed(&mut insured, 5_000, -5_000), [(25, 1)]);
    }

    #[test]
    fn the_limit_is_the_fillable_price() {
        // Half of the requirement is left: 100 · (1 − 0.02 · 1.5 · 0.5) = 98.5, rounded up.
        let schedule = schedule(&[(i64::MAX, 0.02)]);
        let mut out = Vec::new();
        policy(|_| ()).release(&view(&schedule), &[case(&schedule, 1_000, 1_000)], &mut out);
        assert_eq!(out[0].order.limit, Some(Ticks(99)));
    }

    #[test]
    fn one_position_of_an_account_a_block() {
        let schedule = schedule(&[(i64::MAX, 0.02)]);
        let mut view = view(&schedule);
        let mut chosen = [0; 3];
        for step in 0..300 {
            view.step = step;
            let mut sent = 0;
            // The policies of three markets, each asked for its own position of the same account.
            for (place, chosen) in chosen.iter_mut().enumerate() {
                let mut position = case(&schedule, 100, 90);
                (position.place, position.of) = (place as u16, 3);
                let mut out = Vec::new();
                policy(|_| ()).release(&view, &[position], &mut out);
                *chosen += out.len();
                sent += out.len();
            }
            assert_eq!(sent, 1);
        }
        assert!(
            chosen.iter().all(|count| (70..130).contains(count)),
            "{chosen:?}"
        );
    }

    #[test]
    fn attempts_are_counted_over_the_rounds_of_a_block() {
        let schedule = schedule(&[(i64::MAX, 0.02)]);
        let mut view = view(&schedule);
        let cases: Vec<Case> = (0..8)
            .map(|id| Case {
                account: AccountId(5 + id),
                ..case(&schedule, 100, 90)
            })
            .collect();
        let mut policy = policy(|settings| settings.attempts = 5);
        let mut first = Vec::new();
        policy.release(&view, &cases, &mut first);
        assert_eq!(first.len(), 5);
        assert_eq!(sent(&mut policy, &view, &cases).len(), 0);
        view.step += 1;
        let mut second = Vec::new();
        policy.release(&view, &cases, &mut second);
        let who = |forced: &[Forced]| forced.iter().map(|f| f.order.owner).collect::<Vec<_>>();
        assert_eq!(second.len(), 5);
        assert_ne!(who(&first), who(&second));
    }
}
