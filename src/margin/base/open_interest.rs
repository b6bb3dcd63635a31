//! Initial margin that rises with open interest, `IM = i + clamp((OI − L) / (U − L), 0, 1) · (1 − i)`, and
//! maintenance margin that doesn't: entry tightens, nobody is liquidated for it.
//!
//! # Reference
//!
//! dYdX v4, protocol/x/perpetuals/types/liquidity_tier.go: small-cap markets from 20 to 50 million, long-tail
//! ones from 5 to 10 million of open notional.

use super::fixed::{rate, rate_problems};
use crate::margin::rule::{Base, RiskView};
use crate::margin::schedule::Schedule;
use crate::unit::{Cash, Grid, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the base that is scaled by open interest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenInterestSettings {
    /// Maintenance margin over notional.
    pub maintenance: Decimal,
    /// Initial margin over notional up to the lower cap.
    pub initial: Decimal,
    /// Open interest, in settlement currency, above which the initial rate rises.
    pub lower: Decimal,
    /// Open interest at which the initial rate is 100 %.
    pub upper: Decimal,
}

impl OpenInterestSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = rate_problems("", self.maintenance, self.initial);
        if self.lower < Decimal::ZERO || self.upper <= self.lower {
            problems.push((
                "upper".to_owned(),
                format!(
                    "must exceed lower, and lower must not be negative, found {} and {}",
                    self.upper, self.lower
                ),
            ));
        }
        problems
    }
    pub(super) fn schedule(&self) -> Schedule {
        Schedule::flat(rate(self.initial), rate(self.maintenance))
    }
    pub(super) fn moving(&self, grid: &Grid) -> OpenInterest {
        let cash = |amount| grid.cash(amount).unwrap_or(Cash::MAX);
        OpenInterest {
            initial: rate(self.initial),
            maintenance: rate(self.maintenance),
            lower: cash(self.lower),
            upper: cash(self.upper),
        }
    }
}

/// The base of one market.
#[derive(Clone)]
pub struct OpenInterest {
    initial: Rate,
    maintenance: Rate,
    lower: Cash,
    upper: Cash,
}

/// The initial rate at an open interest, between its two caps; rounded down to 10⁻⁹.
pub fn scaled_initial(initial: Rate, open: Cash, lower: Cash, upper: Cash) -> Rate {
    if open <= lower {
        return initial;
    }
    if open >= upper {
        return Rate::ONE;
    }
    let (beyond, range) = (i128::from((open - lower).0), i128::from((upper - lower).0));
    let more = i128::from(Rate::ONE.0 - initial.0) * beyond / range;
    Rate(initial.0 + more as i64)
}

impl Base for OpenInterest {
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let open = Cash(view.notional(view.open_interest) as i64);
        let initial = scaled_initial(self.initial, open, self.lower, self.upper);
        if initial != schedule.brackets()[0].initial {
            schedule.set_flat(initial, self.maintenance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_rates_are_those_of_dydx() {
        // protocol/x/perpetuals/types/liquidity_tier_test.go; parts per million, rounded down.
        for (base, lower, upper, open, expected) in [
            (200_000, 1_000_000, 2_000_000, 0, 200_000),
            (200_000, 1_000_000, 2_000_000, 1_500_000, 600_000),
            (200_000, 1_000_000, 2_000_000, 1_234_567, 387_653),
            (200_000, 1_000_000, 2_000_000, 1_000_000, 200_000),
            (200_000, 1_000_000, 2_000_000, 2_000_000, 1_000_000),
            (200_000, 1_000_000, 2_000_000, 2_500_000, 1_000_000),
        ] {
            let found = scaled_initial(Rate(base * 1_000), Cash(open), Cash(lower), Cash(upper));
            assert_eq!(found.0 / 1_000, expected, "open interest {open}");
        }
    }

    #[test]
    fn initial_requirements_are_those_of_dydx() {
        for (notional, base, caps, expected) in [
            (500_000, 200_000, None, 100_000),
            (1_000_000, 500_000, None, 500_000),
            (1, 100_000, None, 1),
            (123_456, 567_243, None, 70_030),
            (
                500_000,
                200_000,
                Some((1_500_000_000_000, 1_000_000_000_000, 2_000_000_000_000)),
                300_000,
            ),
            (
                500_000,
                200_000,
                Some((80_000_000_000_000, 25_000_000_000_000, 50_000_000_000_000)),
                500_000,
            ),
            (
                500_000,
                200_000,
                Some((25_000_000_000_000, 25_000_000_000_000, 50_000_000_000_000)),
                100_000,
            ),
            (
                500_000,
                200_000,
                Some((28_123_456_789_123, 25_000_000_000_000, 60_000_000_000_000)),
                135_697,
            ),
        ] {
            let base = Rate(base * 1_000);
            let initial = caps.map_or(base, |(open, lower, upper)| {
                scaled_initial(base, Cash(open), Cash(lower), Cash(upper))
            });
            let schedule = Schedule::flat(initial, Rate(1_000));
            assert_eq!(schedule.initial(Cash(notional)), Cash(expected));
        }
    }

    #[test]
    fn maintenance_stays_where_it_is() {
        let settings = OpenInterestSettings {
            maintenance: "0.05".parse().unwrap(),
            initial: "0.1".parse().unwrap(),
            lower: 20_000_000.into(),
            upper: 50_000_000.into(),
        };
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let mut schedule = settings.schedule();
        let mut base = settings.moving(&grid);
        for (open, initial) in [(0, 0.1), (350_000, 0.55), (600_000, 1.0), (100_000, 0.1)] {
            let view = RiskView {
                mark: 100.0,
                quanta: 1.0,
                open_interest: crate::unit::Lots(open),
                ..RiskView::default()
            };
            base.rates(&view, &mut schedule);
            assert_eq!(schedule.initial_level(), Rate::from_f64(initial));
            assert_eq!(schedule.level(), Rate::from_f64(0.05));
        }
    }
}
