//! Down to the top of a lower bracket, and takeover where there is none.
//!
//! A position in the n-th bracket or above is reduced until it fits the bracket `tiers` below, where the
//! rate is lower; then it is looked at again. One that has not that many brackets below it is closed at its
//! bankruptcy price or better, as in [`super::bankruptcy_limit`]. With `fill_or_kill` the step is done whole
//! or not at all, and where it can't be done the position is taken over as well.
//!
//! # Units
//!
//! Brackets are those of this step's schedule; a bracket's top is its cap in notional at the mark.
//!
//! # Invariants
//!
//! - `a_step_ends_inside_the_lower_bracket`: the quantity that remains is worth at most its cap.
//!
//! # Reference
//!
//! OKX, "Partial liquidation" (tier ≥ 3 and above the first tier's requirement: two tiers at a time, else full
//! takeover at the bankruptcy price; `tiers = 2, above_first = true`). Binance, "Liquidation protocols": one large
//! immediate order first (`tiers = 1`). Bybit and BitMEX, liquidation process: fill-or-kill for the
//! difference to the next risk limit (`tiers = 1, fill_or_kill = true`). Pages compiled 2026-11-22.

use super::{Case, Forced, LiquidationPolicy, PolicyView, Terms, bankruptcy_limit, price};
use crate::market::Order;
use crate::unit::{AccountId, Lots};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the step-down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepDownSettings {
    /// Brackets in one step.
    pub tiers: u8,
    /// Whether the order for a step fills whole or not at all.
    pub fill_or_kill: bool,
    /// Whether only an account that would meet the first bracket's rate on all it holds is stepped down.
    pub above_first: bool,
}

impl Default for StepDownSettings {
    fn default() -> Self {
        Self {
            tiers: 1,
            fill_or_kill: false,
            above_first: false,
        }
    }
}

impl StepDownSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        if self.tiers == 0 {
            vec![("tiers".to_owned(), "must be at least 1, found 0".to_owned())]
        } else {
            Vec::new()
        }
    }
}

/// Steps large positions down by brackets.
#[derive(Clone)]
pub struct StepDown {
    settings: StepDownSettings,
    /// Positions whose fill-or-kill order was sent, with what was held then, in ascending order.
    tried: Vec<(AccountId, Lots)>,
}

impl StepDown {
    /// The policy of these settings.
    pub const fn new(settings: StepDownSettings) -> Self {
        Self {
            settings,
            tried: Vec::new(),
        }
    }

    /// What is to be closed for the next step; nothing where the position is to be taken over.
    fn step(&self, view: &PolicyView<'_>, case: &Case) -> Option<Lots> {
        let brackets = view.schedule.brackets();
        let now = brackets
            .iter()
            .position(|bracket| case.notional <= bracket.cap)
            .unwrap_or(brackets.len() - 1);
        let lower = now.checked_sub(self.settings.tiers.into())?;
        let equity = case.own_equity();
        let first = brackets[0].maintenance.mul_up(case.notional);
        if equity < 0 || (self.settings.above_first && equity < i128::from(first.0)) {
            return None;
        }
        let most = case.contract.lots_within(brackets[lower].cap, case.mark);
        let keep = most.min(case.quantity.abs().0);
        Some(Lots(case.quantity.abs().0 - keep)).filter(|lots| *lots > Lots::ZERO)
    }
}

impl LiquidationPolicy for StepDown {
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        for case in cases {
            let side = case.closing_side();
            let tried = self
                .tried
                .binary_search_by_key(&case.account, |(id, _)| *id);
            let killed = tried.is_ok_and(|at| self.tried[at].1 == case.quantity);
            let Some(quantity) = self.step(view, case).filter(|_| !killed) else {
                out.push(bankruptcy_limit::take_over(case));
                continue;
            };
            let limit = price::limit(side, case.zero_price);
            let order = Order::immediate(case.account, side, quantity, limit);
            let terms = if self.settings.fill_or_kill {
                match tried {
                    Ok(at) => self.tried[at].1 = case.quantity,
                    Err(at) => self.tried.insert(at, (case.account, case.quantity)),
                }
                Terms::Whole
            } else {
                Terms::Book
            };
            out.push(Forced {
                market: case.market,
                order,
                cooldown: 0,
                terms,
            });
        }
    }
    fn name(&self) -> &'static str {
        "step_down"
    }
    fn recovered(&mut self, account: AccountId) {
        if let Ok(at) = self.tried.binary_search_by_key(&account, |(id, _)| *id) {
            self.tried.remove(at);
        }
    }
    fn forfeits(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;
    use crate::margin::Schedule;

    fn tiers() -> Schedule {
        schedule(&[
            (1_000, 0.01),
            (5_000, 0.02),
            (20_000, 0.05),
            (i64::MAX, 0.1),
        ])
    }

    fn release(settings: StepDownSettings, quantity: i64, equity: i64) -> Forced {
        let schedule = tiers();
        let mut out = Vec::new();
        StepDown::new(settings).release(
            &view(&schedule),
            &[case(&schedule, quantity, equity)],
            &mut out,
        );
        out[0]
    }

    #[test]
    fn a_step_ends_inside_the_lower_bracket() {
        // 150 lots at 100: 15,000 in the third bracket.
        let one = StepDownSettings::default();
        let two = StepDownSettings {
            tiers: 2,
            above_first: true,
            ..one
        };
        assert_eq!(release(one.clone(), 150, 300).order.quantity, Lots(100));
        assert_eq!(release(two.clone(), 150, 300).order.quantity, Lots(140));
        assert_eq!(release(one.clone(), -150, 300).order.quantity, Lots(100));
        // In the second bracket two steps are too many: all, at the bankruptcy price.
        let taken = release(two.clone(), 30, 40);
        assert_eq!(taken.order.quantity, Lots(30));
        assert_eq!(taken.order.limit.unwrap().0, 99);
        // Below the first bracket's 1 % of 15,000 OKX takes over, Binance still steps down.
        assert_eq!(release(two, 150, 149).order.quantity, Lots(150));
        assert_eq!(release(one.clone(), 150, 149).order.quantity, Lots(100));
        // Bankrupt: at market, for the fund.
        let bankrupt = release(one, 150, -1);
        assert_eq!(
            (bankrupt.order.quantity, bankrupt.order.limit),
            (Lots(150), None)
        );
    }

    #[test]
    fn a_killed_step_is_followed_by_takeover() {
        let schedule = tiers();
        let mut policy = StepDown::new(StepDownSettings {
            fill_or_kill: true,
            ..StepDownSettings::default()
        });
        let mut once = |quantity| {
            let mut out = Vec::new();
            policy.release(
                &view(&schedule),
                &[case(&schedule, quantity, 300)],
                &mut out,
            );
            (out[0].order.quantity.0, out[0].terms)
        };
        assert_eq!(once(150), (100, Terms::Whole));
        // Nothing was filled: all of it.
        assert_eq!(once(150), (150, Terms::Book));
        // Filled, and one bracket further down.
        assert_eq!(once(50), (40, Terms::Whole));
    }
}
