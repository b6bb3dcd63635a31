//! Small rounds, so many a second, until the requirement is met.
//!
//! Each round closes a fixed notional of each position at market; between steps the account is measured again, so
//! that no more is closed than restores it. Hedges can be kept: of an account that is long on balance only longs are
//! closed, which moves it toward neutral as a hedge would.
//!
//! # Units
//!
//! Notional in settlement currency; rounds a second. Rounds of one step are sent as one order.
//!
//! # Invariants
//!
//! - `rounds_add_up_over_a_step_and_stop_where_the_requirement_is_met`.
//! - `hedges_are_kept_until_the_account_is_neutral`.
//!
//! # Reference
//!
//! Deribit, "Liquidations": one round a second on the present page (compiled 2026-11-22); the page before it
//! had twenty of 200 contracts ($2,000) each, which are the defaults. Deribit may hedge a portfolio-margined
//! account with new futures; no rule here nets a new position, so that is done by keeping the hedges there are.

use super::{Case, Forced, LiquidationPolicy, PolicyView, sizing};
use crate::market::Order;
use crate::unit::{Cash, Grid, Lots, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IncrementalSettings {
    /// Notional that a round closes of each position.
    pub notional: Decimal,
    /// Rounds a second.
    pub rounds_per_second: f64,
    /// Whether positions that hedge the rest of the account are left alone as long as they do.
    pub keep_hedges: bool,
}

impl Default for IncrementalSettings {
    fn default() -> Self {
        Self {
            notional: 2_000.into(),
            rounds_per_second: 20.0,
            keep_hedges: false,
        }
    }
}

impl IncrementalSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.notional <= Decimal::ZERO {
            problems.push((
                "notional".to_owned(),
                format!("must be greater than 0, found {}", self.notional),
            ));
        }
        let rounds = self.rounds_per_second;
        if !(rounds > 0.0 && rounds <= 1e6) {
            problems.push((
                "rounds_per_second".to_owned(),
                format!("must be greater than 0 and at most 1,000,000, found {rounds}"),
            ));
        }
        problems
    }
}

/// Closes by small rounds.
#[derive(Clone)]
pub struct Incremental {
    /// What one step closes of a position.
    notional: Cash,
    /// Steps from one order to the next.
    wait: u32,
    keep_hedges: bool,
}

impl Incremental {
    /// The policy with amounts on `grid` and steps of `dt` seconds.
    pub fn new(settings: &IncrementalSettings, grid: &Grid, dt: f64) -> Self {
        let each = grid.cash(settings.notional).unwrap_or(Cash::MAX);
        let rounds = (settings.rounds_per_second * dt).floor().max(1.0) as i64;
        let wait = (1.0 / (settings.rounds_per_second * dt) - 1e-9).ceil();
        Self {
            notional: Cash::clamped(i128::from(each.0) * i128::from(rounds)),
            wait: wait.max(1.0) as u32,
            keep_hedges: settings.keep_hedges,
        }
    }
}

impl LiquidationPolicy for Incremental {
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        for case in cases {
            if self.keep_hedges && case.net.signum() * case.quantity.signum() < 0 {
                continue;
            }
            // A position that is closed in place of its hedges frees the account's whole shortage.
            let alone = if self.keep_hedges {
                Lots::MAX
            } else {
                sizing::least(view, case, Rate::ONE)
            };
            let quantity = sizing::worth(case, self.notional).min(alone);
            if quantity > Lots::ZERO {
                let order = Order::market(case.account, case.closing_side(), quantity);
                out.push(Forced::book(case.market, order, self.wait));
            }
        }
    }
    fn name(&self) -> &'static str {
        "incremental"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, sent, view};
    use super::*;

    fn policy(rounds_per_second: f64, dt: f64, keep_hedges: bool) -> Incremental {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let settings = IncrementalSettings {
            rounds_per_second,
            keep_hedges,
            ..IncrementalSettings::default()
        };
        Incremental::new(&settings, &grid, dt)
    }

    #[test]
    fn rounds_add_up_over_a_step_and_stop_where_the_requirement_is_met() {
        // 10,000 lots at 100 and 5 %: a shortage of 4,000 is 800 lots.
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let cases = [case(&schedule, 10_000, 46_000)];
        let closed = |policy: &mut Incremental| sent(policy, &view(&schedule), &cases);
        // One round a second: 20 lots, and the next a second later.
        assert_eq!(closed(&mut policy(1.0, 1.0, false)), [(20, 1)]);
        assert_eq!(closed(&mut policy(1.0, 0.25, false)), [(20, 4)]);
        assert_eq!(closed(&mut policy(20.0, 1.0, false)), [(400, 1)]);
        // Sixty rounds would be 1,200 lots.
        assert_eq!(closed(&mut policy(20.0, 3.0, false)), [(800, 1)]);
    }

    #[test]
    fn hedges_are_kept_until_the_account_is_neutral() {
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let with_net = |quantity, net| Case {
            net: Cash(net),
            ..case(&schedule, quantity, 10)
        };
        let closed = |net| {
            let cases = [with_net(100, net), with_net(-50, net)];
            sent(&mut policy(1.0, 1.0, true), &view(&schedule), &cases)
        };
        assert_eq!(closed(5_000), [(20, 1)]);
        assert_eq!(closed(-5_000), [(20, 1)]);
        assert_eq!(closed(0), [(20, 1), (20, 1)]);
    }
}
