//! A share of the missing margin that grows with time, closed at the oracle price by liquidators outside the book.
//!
//! The longer an account is in liquidation, the more of its shortage may be freed; whoever takes the position
//! pays the index less a fee, and carries it elsewhere. No order meets the book, so nothing feeds back into the
//! price: what a ramp trades for that is the time in which the account goes on losing.
//!
//! # Units
//!
//! Rates over notional, times as lengths; amounts in settlement currency.
//!
//! # Invariants
//!
//! - `the_ramp_frees_a_growing_share_of_the_shortage`, measured over what was missing at the beginning: what was
//!   freed before counts.
//! - `the_fee_is_part_of_the_size`: freeing `S` needs `S / (P · (m − fee) − P · fund fee)`.
//!
//! # Reference
//!
//! drift-labs/protocol-v2 of 2026-04-01, `programs/drift/src/math/liquidation.rs`: share = elapsed / duration +
//! initial; a shortage below $50 at once; buffer of 2 %; a liquidator fee that rises by 0.01 bp a slot (0.4 s) after 1,500 slots, up
//! to the lesser of three fees and the maintenance rate. Drift's initial share and fee differ by market and are not
//! in its repository: the defaults here are assumptions. Its liquidators are the outside world here.

use super::{Case, Forced, LiquidationPolicy, PolicyView, Terms, rate, share};
use crate::market::Order;
use crate::unit::{AccountId, Cash, Grid, Lots, Side, Span, Ticks};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the ramp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RampSettings {
    /// Share of the shortage that may be freed at once.
    pub initial: Decimal,
    /// Time over which the share grows by the whole.
    pub duration: Span,
    /// Margin over the requirement that is restored, over notional.
    pub buffer: Decimal,
    /// A shortage below this is freed at once.
    pub small: Decimal,
    /// What liquidators get below the index (above it, for shorts).
    pub fee: Decimal,
    /// Time after which the fee rises.
    pub grace: Span,
    /// Rise of the fee a second after that.
    pub growth: Decimal,
}

impl Default for RampSettings {
    fn default() -> Self {
        Self {
            initial: Decimal::new(1, 1),
            duration: Span::seconds(10.0),
            buffer: Decimal::new(2, 2),
            small: 50.into(),
            fee: Decimal::new(1, 2),
            grace: Span::seconds(600.0),
            growth: Decimal::new(25, 7),
        }
    }
}

impl RampSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = share("initial", self.initial);
        for (key, number) in [
            ("buffer", self.buffer),
            ("small", self.small),
            ("fee", self.fee),
            ("growth", self.growth),
        ] {
            let most = if key == "small" {
                Decimal::MAX
            } else {
                Decimal::ONE
            };
            if number < Decimal::ZERO || number >= most {
                problems.push((
                    key.to_owned(),
                    format!(
                        "must be at least 0 and below {}, found {number}",
                        most.normalize()
                    ),
                ));
            }
        }
        if self.duration.as_seconds() <= 0.0 {
            problems.push((
                "duration".to_owned(),
                format!("must be longer than 0, found {}", self.duration),
            ));
        }
        problems
    }
}

/// An account in liquidation.
#[derive(Clone, Copy, Debug)]
struct Begun {
    account: AccountId,
    since: u32,
    /// Margin freed so far, in quanta.
    freed: f64,
}

/// Frees a growing share of the shortage at the oracle price.
#[derive(Clone)]
pub struct Ramp {
    initial: f64,
    duration: f64,
    buffer: f64,
    small: Cash,
    fee: f64,
    grace: f64,
    growth: f64,
    begun: Vec<Begun>,
}

impl Ramp {
    /// The policy with amounts on `grid`.
    pub fn new(settings: &RampSettings, grid: &Grid) -> Self {
        let float = |decimal| rate(decimal).as_f64();
        Self {
            initial: float(settings.initial),
            duration: settings.duration.as_seconds(),
            buffer: float(settings.buffer),
            small: grid.cash(settings.small).unwrap_or(Cash::MAX),
            fee: float(settings.fee),
            grace: settings.grace.as_seconds(),
            growth: float(settings.growth),
            begun: Vec::new(),
        }
    }

    fn fee_after(&self, elapsed: f64, maintenance: f64) -> f64 {
        let risen = self.fee + self.growth * (elapsed - self.grace).max(0.0);
        risen.min((3.0 * self.fee).min(maintenance).max(self.fee))
    }
}

impl LiquidationPolicy for Ramp {
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>) {
        for case in cases {
            let at = self
                .begun
                .binary_search_by_key(&case.account, |begun| begun.account);
            let at = at.unwrap_or_else(|at| {
                let begun = Begun {
                    account: case.account,
                    since: view.step,
                    freed: 0.0,
                };
                self.begun.insert(at, begun);
                at
            });
            let Begun { since, freed, .. } = self.begun[at];
            let elapsed = f64::from(view.step - since) * view.dt;
            let notional = case.notional.as_f64();
            let rate = case.maintenance.as_f64() / notional.max(1.0);
            let wanted = case.maintenance.as_f64() + self.buffer * notional;
            let missing = wanted - case.own_equity() as f64;
            let ramped = (elapsed / self.duration + self.initial).min(1.0);
            let free = if missing <= self.small.as_f64() {
                missing
            } else {
                ((missing + freed) * ramped - freed).clamp(0.0, missing)
            };
            let fee = self.fee_after(elapsed, rate);
            // Closing frees the buffer along with the requirement.
            let relief = rate + self.buffer - fee - view.fee.as_f64();
            let per_lot = notional / case.quantity.abs().as_f64();
            let held = case.quantity.abs();
            let quantity = if relief > 0.0 {
                Lots(((free / (relief * per_lot)).ceil() as i64).clamp(0, held.0))
            } else {
                Lots((free / missing * held.as_f64()).ceil() as i64).min(held)
            };
            if quantity.is_zero() {
                continue;
            }
            self.begun[at].freed += quantity.as_f64() * per_lot * relief.max(0.0);
            let side = case.closing_side();
            let oracle = view.index.as_f64();
            // Rounded in the liquidators' favour: that is who decides whether to take it.
            let paid = match side {
                Side::Sell => (oracle * (1.0 - fee)).floor(),
                Side::Buy => (oracle * (1.0 + fee)).ceil(),
            };
            let paid = Ticks((paid as i64).max(1));
            out.push(Forced {
                market: case.market,
                order: Order::immediate(case.account, side, quantity, paid),
                cooldown: 1,
                terms: Terms::Outside,
            });
        }
    }
    fn name(&self) -> &'static str {
        "ramp"
    }
    fn recovered(&mut self, account: AccountId) {
        if let Ok(at) = self
            .begun
            .binary_search_by_key(&account, |begun| begun.account)
        {
            self.begun.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;
    use crate::unit::Rate;

    fn ramp() -> Ramp {
        let settings = RampSettings {
            small: 0.into(),
            fee: Decimal::new(1, 2),
            ..RampSettings::default()
        };
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        Ramp::new(&settings, &grid)
    }

    #[test]
    fn the_ramp_frees_a_growing_share_of_the_shortage() {
        // 10,000 lots at 100, 5 % and 2 %: 70,000 wanted, 46,000 there, 24,000 missing. A lot frees
        // 100 · (0.07 − 0.01) = 6.
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let mut view = view(&schedule);
        let mut policy = ramp();
        let mut step = |step, quantity, equity| {
            view.step = step;
            let mut out = Vec::new();
            policy.release(&view, &[case(&schedule, quantity, equity)], &mut out);
            out.first().map(|forced| {
                (
                    forced.order.quantity.0,
                    forced.order.limit.unwrap().0,
                    forced.terms,
                )
            })
        };
        // A tenth at once: 2,400 / 6. The liquidator pays 99.
        assert_eq!(step(0, 10_000, 46_000), Some((400, 99, Terms::Outside)));
        // After that 9,600 lots want 67,200, equity is 45,600: 21,600 missing, 2,400 freed of 24,000. After
        // three of ten seconds 40 % may be freed: 7,200 more.
        assert_eq!(step(3, 9_600, 45_600), Some((1_200, 99, Terms::Outside)));
        // All of it at the end: 14,400 of 24,000 are missing then.
        assert_eq!(step(9, 8_400, 44_400), Some((2_400, 99, Terms::Outside)));
    }

    #[test]
    fn the_fee_is_part_of_the_size() {
        // A fee of 1 % to the fund on top: a lot frees 5 instead of 6.
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let mut view = view(&schedule);
        view.fee = Rate::from_f64(0.01);
        let mut out = Vec::new();
        ramp().release(&view, &[case(&schedule, 10_000, 46_000)], &mut out);
        assert_eq!(out[0].order.quantity, Lots(480));
        // Shorts are bought back above the index.
        ramp().release(&view, &[case(&schedule, -10_000, 46_000)], &mut out);
        assert_eq!(
            (out[1].order.quantity, out[1].order.limit),
            (Lots(480), Some(Ticks(101)))
        );
    }

    #[test]
    fn the_fee_rises_after_the_grace_and_stops() {
        let policy = ramp();
        assert_eq!(policy.fee_after(600.0, 0.05), 0.01);
        assert!((policy.fee_after(1_600.0, 0.05) - 0.0125).abs() < 1e-12);
        assert_eq!(policy.fee_after(1e9, 0.05), 0.03);
        assert_eq!(policy.fee_after(1e9, 0.02), 0.02);
        assert_eq!(policy.fee_after(1e9, 0.005), 0.01);
    }

    #[test]
    fn a_small_shortage_is_freed_at_once() {
        let schedule = schedule(&[(i64::MAX, 0.05)]);
        let mut policy = ramp();
        policy.small = Cash(24_000);
        let mut out = Vec::new();
        policy.release(
            &view(&schedule),
            &[case(&schedule, 10_000, 46_000)],
            &mut out,
        );
        assert_eq!(out[0].order.quantity, Lots(4_000));
    }
}
