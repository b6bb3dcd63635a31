//! Keepers: who takes over what liquidations offer, on which terms.
//!
//! A keeper has capital of its own, which ends. It takes part where the discount is worth more than what its transactions cost, what
//! the position would lose in the book as it is, and the risk of holding it: of a notional `N` it gains
//! `N · (d − fee − slippage − profit − k · σ · √h) − cost`, with the discount `d` against what the market pays, its half-life `h`
//! of unwinding, the volatility `σ` and its risk aversion `k`. What it holds already counts as slippage, so that
//! keepers that are full ask for more. It sells in the same book as everybody, half of what it holds in a half-life.
//!
//! # Units
//!
//! Shares of notional; money in settlement currency; volatility per root of a second.
//!
//! # Invariants
//!
//! - `a_keeper_takes_part_where_the_discount_beats_cost_slippage_and_risk`.
//! - `slippage_is_read_off_the_book`: the mean distance of what must be traded.
//!
//! # Reference
//!
//! makerdao/dss and the auctions of 2020-03-12: bots whose transactions paid too little to be mined bid nothing, and whoever
//! could bid won for nothing. [`KeeperSettings::most_cost`] is such a bot's limit.

use crate::math::ops;
use crate::unit::{Cash, Lots, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a group of keepers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeeperSettings {
    /// How many there are.
    pub count: u32,
    /// What each has at the start, in settlement currency.
    pub capital: Decimal,
    /// How much a keeper may hold over its equity; 1 pays for all with its own money.
    pub leverage: f64,
    /// Cost of a transaction, in settlement currency; congestion multiplies it.
    pub cost: Decimal,
    /// Most that a transaction may cost; a dearer one is never mined. No limit where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_cost: Option<Decimal>,
    /// Time from the decision to the transaction's effect; congestion adds to it.
    pub delay: Span,
    /// Profit asked for, over notional.
    pub profit: Decimal,
    /// Standard deviations of the price over the half-life that are asked for besides.
    pub risk_aversion: f64,
    /// Time in which half of what is held is sold.
    pub half_life: Span,
}

impl Default for KeeperSettings {
    fn default() -> Self {
        Self {
            count: 10,
            capital: 1_000_000.into(),
            leverage: 1.0,
            cost: 10.into(),
            most_cost: None,
            delay: Span::ZERO,
            profit: Decimal::new(2, 3),
            risk_aversion: 1.0,
            half_life: Span::seconds(60.0),
        }
    }
}

/// Most keepers of a group.
const MOST: u32 = 10_000;

impl KeeperSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut add = |key: &str, text: String| problems.push((key.to_owned(), text));
        if self.count == 0 || self.count > MOST {
            add(
                "count",
                format!(
                    "must be at least 1 and at most {MOST}, found {}",
                    self.count
                ),
            );
        }
        if self.capital <= Decimal::ZERO {
            add(
                "capital",
                format!("must be greater than 0, found {}", self.capital),
            );
        }
        if !(self.leverage >= 1.0 && self.leverage <= 100.0) {
            add(
                "leverage",
                format!(
                    "must be at least 1 and at most 100, found {}",
                    self.leverage
                ),
            );
        }
        for (key, found) in [
            ("cost", self.cost),
            ("most_cost", self.most_cost.unwrap_or_default()),
        ] {
            if found < Decimal::ZERO {
                add(key, format!("must not be negative, found {found}"));
            }
        }
        if self.delay == Span::NEVER {
            add(
                "delay",
                "found never, expected a finite time; keepers that do nothing are a [[fault]] of kind = \"keepers_offline\""
                    .to_owned(),
            );
        }
        if self.half_life == Span::NEVER {
            add(
                "half_life",
                "found never, expected a finite time: whoever never sells asks for no price"
                    .to_owned(),
            );
        }
        if self.profit <= -Decimal::ONE || self.profit >= Decimal::ONE {
            add(
                "profit",
                format!("must lie between -1 and 1, found {}", self.profit),
            );
        }
        if !(self.risk_aversion.is_finite() && self.risk_aversion >= 0.0) {
            add(
                "risk_aversion",
                format!("must not be negative, found {}", self.risk_aversion),
            );
        }
        problems
    }
}

/// A group's terms, in the engine's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// How many keepers have them.
    pub count: u32,
    /// What each has at the start.
    pub capital: Cash,
    /// How much each may hold over its equity.
    pub leverage: f64,
    /// Cost of a transaction.
    pub cost: Cash,
    /// Most that a transaction may cost.
    pub most_cost: Cash,
    /// Steps from the decision to the effect.
    pub delay: f64,
    /// Profit asked for, over notional.
    pub profit: f64,
    /// Standard deviations asked for besides.
    pub risk_aversion: f64,
    /// Steps in which half of what is held is sold.
    pub half_life: f64,
    /// The same in seconds.
    pub seconds: f64,
}

impl Terms {
    /// What a transaction costs under congestion; nothing where it would never be mined.
    pub fn price(&self, congestion: f64) -> Option<Cash> {
        let cost = Cash((self.cost.as_f64() * congestion).min(9e18) as i64);
        (cost <= self.most_cost).then_some(cost)
    }

    /// What is asked for over notional beside slippage: profit, and the risk of holding it at a volatility per √second.
    pub fn margin(&self, volatility: f64) -> f64 {
        self.profit + self.risk_aversion * volatility * self.seconds.max(0.0).sqrt()
    }
}

/// What is known of an offer when a keeper looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Appraisal<'a> {
    /// Notional of a lot at the mark, in quanta.
    pub per_lot: f64,
    /// What the market pays over the mark, signed in the keeper's favour.
    pub above: f64,
    /// The discount less the fee.
    pub discount: f64,
    /// What the keeper holds already of the same side.
    pub held: Lots,
    /// What is asked for over notional beside slippage ([`Terms::margin`]).
    pub margin: f64,
    /// Cost of the transaction, in quanta.
    pub cost: f64,
    /// The side of the book in which it would be sold.
    pub curve: &'a Curve,
}

impl Appraisal<'_> {
    /// What taking a quantity is worth beyond what is asked for, in quanta.
    pub fn gain(&self, quantity: Lots) -> f64 {
        let (held, taken) = (self.held.as_f64().abs(), quantity.as_f64());
        let slippage = self.curve.cost(held + taken) - self.curve.cost(held);
        let rate = self.above + self.discount - self.margin;
        self.per_lot * (rate * taken - slippage) - self.cost
    }

    /// What a quantity is worth to the keeper altogether, were it to be had for nothing: its limit in an auction.
    pub fn worth(&self, quantity: Lots) -> f64 {
        let free = Self {
            discount: 1.0,
            ..*self
        };
        free.gain(quantity)
    }
}

/// Relative distances from the mid at which a book is read.
const DISTANCES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];

/// Depth of one side of a book by distance from the mid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Curve {
    lots: [f64; DISTANCES.len()],
}

impl Curve {
    /// The curve of a book; `depth` says what can be traded up to a relative distance.
    pub fn read(mut depth: impl FnMut(f64) -> Lots) -> Self {
        Self {
            lots: DISTANCES.map(|distance| depth(distance).as_f64()),
        }
    }

    /// What so many lots lose against the mid, in lots: each at its distance. What the book doesn't hold is lost whole.
    pub fn cost(&self, lots: f64) -> f64 {
        let (mut from, mut at, mut cost) = (0.0, 0.0, 0.0);
        for (distance, depth) in DISTANCES.into_iter().zip(self.lots) {
            let upto = lots.min(depth);
            if upto > from {
                // Within a segment the depth is taken as even.
                let width = (distance - at) * (upto - from) / (depth - from);
                cost += (upto - from) * (at + width / 2.0);
                from = upto;
            }
            at = distance;
        }
        cost + (lots - from).max(0.0)
    }
}

/// What a step sells of a quantity that is halved in so many steps: at least a lot.
pub fn unwinds(held: Lots, half_life: f64) -> Lots {
    let share = 1.0 - ops::halved(1.0, half_life);
    Lots((held.abs().as_f64() * share).ceil() as i64).min(held.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand lots on every per cent.
    fn even() -> Curve {
        Curve::read(|distance| Lots((distance * 100_000.0).round() as i64))
    }

    #[test]
    fn slippage_is_read_off_the_book() {
        // The n-th lot is at n / 100,000 of the mid: n² / 200,000 in all.
        for lots in [10.0, 100.0, 1_000.0, 7_000.0] {
            let found = even().cost(lots);
            let exact = lots * lots / 200_000.0;
            assert!(
                (found / exact - 1.0).abs() < 1e-9,
                "{lots}: {found} {exact}"
            );
        }
        // 40,000 lots are all there is: a lot more is lost whole.
        assert!((even().cost(40_001.0) - even().cost(40_000.0) - 1.0).abs() < 1e-9);
        assert_eq!(Curve::default().cost(5.0), 5.0);
    }

    #[test]
    fn a_keeper_takes_part_where_the_discount_beats_cost_slippage_and_risk() {
        let terms = Terms {
            count: 1,
            capital: Cash(1_000_000),
            leverage: 1.0,
            cost: Cash(50),
            most_cost: Cash(200),
            delay: 0.0,
            profit: 0.01,
            risk_aversion: 2.0,
            half_life: 100.0,
            seconds: 100.0,
        };
        // 2 · 0.1 % · √100 = 2 % for the risk.
        assert!((terms.margin(0.001) - 0.03).abs() < 1e-12);
        let curve = even();
        let at = |discount, held| Appraisal {
            per_lot: 100.0,
            above: 0.0,
            discount,
            held: Lots(held),
            margin: terms.margin(0.001),
            cost: 50.0,
            curve: &curve,
        };
        // 1,000 lots slip half a per cent: of 5 % are left 1.5 % of 100,000, less 50.
        assert!((at(0.05, 0).gain(Lots(1_000)) - 1_450.0).abs() < 1e-6);
        assert!(at(0.035, 0).gain(Lots(1_000)) < 0.0);
        // One that holds 4,000 already sells these at four and a half per cent.
        assert!((at(0.05, 4_000).gain(Lots(1_000)) - -2_550.0).abs() < 1e-6);
        // For nothing it would take them at 96.5 % of their value.
        assert!((at(0.0, 0).worth(Lots(1_000)) - 96_450.0).abs() < 1e-6);
        assert_eq!(terms.price(4.0), Some(Cash(200)));
        assert_eq!(terms.price(6.0), None);
    }

    #[test]
    fn settings_say_what_is_wrong() {
        assert_eq!(KeeperSettings::default().problems(), []);
        let wrong = KeeperSettings {
            count: 0,
            capital: Decimal::ZERO,
            leverage: 0.5,
            cost: (-1).into(),
            delay: Span::NEVER,
            profit: Decimal::ONE,
            risk_aversion: f64::NAN,
            ..KeeperSettings::default()
        };
        let keys: Vec<String> = wrong.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "count",
                "capital",
                "leverage",
                "cost",
                "delay",
                "profit",
                "risk_aversion"
            ]
        );
    }
}
