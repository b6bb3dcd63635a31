//! Margin of each option alone, as Deribit's standard margin: no position offsets another.
//!
//! Per coin, U the price and M the option's mark: a short call is asked `max(0.15 U − out of the money, 0.1 U)` to open and `0.075 U` to keep; a
//! short put the same to open, but no less than to keep, `max(0.075 U, 0.075 M)`; both on top of M, by which the equity here
//! is already short. A long option is no collateral: it is asked its worth. Perpetuals are asked what their market's rule asks.
//!
//! # Reference
//!
//! Deribit, "Options margin" (legacy page); the same formulas with 0.1 to keep are Aevo's.

use super::board::{Board, Book, Listed};
use super::safe::{Bounds, Headroom, SafeRange};
use super::table::ScanTable;
use super::{Asked, OptionMargin};
use crate::market::option::Right;
use crate::unit::{Cash, MarketId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shares of the price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StandardSettings {
    /// To open a short option at the money.
    pub initial: f64,
    /// To open one far out of it.
    pub least_initial: f64,
    /// To keep a short option.
    pub maintenance: f64,
}

impl Default for StandardSettings {
    fn default() -> Self {
        Self {
            initial: 0.15,
            least_initial: 0.10,
            maintenance: 0.075,
        }
    }
}

impl StandardSettings {
    /// What is wrong with it: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let ordered = 0.0 < self.maintenance
            && self.maintenance <= self.least_initial
            && self.least_initial <= self.initial;
        if ordered && self.initial <= 1.0 {
            return Vec::new();
        }
        let found = format!(
            "{}, {}, {}",
            self.maintenance, self.least_initial, self.initial
        );
        vec![(
            "maintenance".to_owned(),
            format!(
                "found {found}, expected maintenance <= least_initial <= initial, shares between 0 and 1"
            ),
        )]
    }
}

/// Margin of each option alone.
pub struct Standard {
    shares: StandardSettings,
}

impl Standard {
    /// The rule with these shares.
    pub const fn new(shares: StandardSettings) -> Self {
        Self { shares }
    }

    /// What one unit sold short is asked beside its mark, in ticks.
    fn short(&self, listed: &Listed, spot: f64, asked: Asked) -> f64 {
        let series = &listed.series;
        let maintenance = match series.right {
            Right::Call => self.shares.maintenance * spot,
            Right::Put => self.shares.maintenance * spot.max(listed.price),
        };
        if asked == Asked::Maintenance {
            return maintenance;
        }
        let out = series
            .right
            .intrinsic(2.0 * series.strike.as_f64() - spot, series.strike.as_f64());
        let initial = (self.shares.initial * spot - out).max(self.shares.least_initial * spot);
        match series.right {
            Right::Call => initial,
            Right::Put => initial.max(maintenance),
        }
    }
}

impl OptionMargin for Standard {
    fn tabulate(&self, board: &Board<'_>, table: &mut ScanTable) {
        table.fill(board, 0, |_| &[], |_, _| 0.0);
    }

    fn requirement(&self, board: &Board<'_>, _: &ScanTable, book: &Book<'_>, asked: Asked) -> Cash {
        let mut sum: i128 = book.perps.iter().map(|leg| i128::from(leg.alone.0)).sum();
        for leg in book.options {
            let listed = board.listed(leg.series);
            if leg.contracts > 0 {
                sum += i128::from(leg.contracts) * i128::from(listed.worth.0);
            } else {
                let market = board.market(listed.series.market);
                let each = self.short(listed, market.spot, asked)
                    * listed.series.quanta_per_tick(&market.contract);
                sum += i128::from(-leg.contracts) * (each - each * 1e-15).ceil() as i128;
            }
        }
        Cash::clamped(sum)
    }

    fn bound(&self, board: &Board<'_>, headroom: Headroom, bounds: &mut Bounds) {
        bounds.fill(board, headroom, 0, |_| None);
    }

    fn safe(
        &self,
        board: &Board<'_>,
        bounds: &Bounds,
        book: &Book<'_>,
        equity: i128,
        ratio: f64,
    ) -> Option<SafeRange> {
        let charge = |market: MarketId| {
            let state = board.market(market);
            // A requirement of a perpetual grows by no more than its notional does.
            let perps = book.perps.iter().filter(|leg| leg.market == market);
            let (alone, notional) = perps.fold((0.0, 0.0), |(alone, notional), leg| {
                (
                    alone + leg.alone.as_f64(),
                    notional + leg.notional.as_f64().abs(),
                )
            });
            let short: f64 = book
                .options_in(board, market)
                .filter(|leg| leg.contracts < 0)
                .map(|leg| {
                    -leg.contracts as f64 * board.listed(leg.series).series.multiplier.as_f64()
                })
                .sum();
            let shorts = self.shares.maintenance * short * state.notional();
            (ratio * (alone + shorts), ratio * (notional + shorts))
        };
        // A long option counts for nothing in equity less requirement, or against it where more than all is asked; a short put may be
        // asked its mark's share beside the price's.
        let weight = |contracts: f64, right: Right| match (contracts > 0.0, right) {
            (true, _) => 1.0 - ratio,
            (false, Right::Put) => 1.0 + ratio * self.shares.maintenance,
            (false, Right::Call) => 1.0,
        };
        bounds.alone(board, book, equity, ratio, charge, weight)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Place;
    use super::*;

    #[test]
    fn deribits_formulas_by_hand() {
        // U = 100; a call struck at 110 with a mark of 2, a put struck at 90 with a mark of 3, a put deep in the money.
        let place = Place::new(100.0).marked(&[
            (110, Right::Call, 2.0),
            (90, Right::Put, 3.0),
            (300, Right::Put, 200.0),
        ]);
        let rule = Standard::new(StandardSettings::default());
        let asked = |legs: &[(u16, i64)], asked| place.asked(&rule, &[], legs, asked);
        // 15 − 10 out of the money is 5, less than 10: 10. Per contract of one unit, in quanta of 10⁻⁶.
        assert_eq!(asked(&[(0, -1)], Asked::Initial), 10_000_000);
        assert_eq!(asked(&[(0, -1)], Asked::Maintenance), 7_500_000);
        assert_eq!(asked(&[(1, -2)], Asked::Initial), 20_000_000);
        // The put in the money: nothing out, 15; to keep it, 0.075 of its mark of 200 is 15.
        assert_eq!(asked(&[(2, -1)], Asked::Initial), 15_000_000);
        assert_eq!(asked(&[(2, -1)], Asked::Maintenance), 15_000_000);
        // Long options are no collateral, and offset nothing.
        assert_eq!(asked(&[(0, 3)], Asked::Maintenance), 6_000_000);
        assert_eq!(
            asked(&[(0, -1), (1, 1)], Asked::Maintenance),
            7_500_000 + 3_000_000
        );
    }
}
