//! Margin from greeks: charges on delta, on gamma that is short, and on vega, added up.
//!
//! `whole · (d |Δ| S + ½ max(−Γ, 0) (g S)² + v |ν|)`, with Δ, Γ and ν those of all that an account holds in a market; d and g
//! relative moves of the price, v points of volatility. Markets are added up.
//!
//! # Reference
//!
//! The delta, curvature and vega charges of the standardised approaches (Basel Committee, MAR21), in one step each.

use super::board::{Board, Book};
use super::table::ScanTable;
use super::{Asked, OptionMargin};
use crate::unit::{Cash, MarketId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The charges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SensitivitySettings {
    /// Relative move of the price that delta is charged for.
    pub delta: f64,
    /// Relative move of the price that short gamma is charged for.
    pub gamma: f64,
    /// Points of volatility that vega is charged for: 0.25 for 25.
    pub vega: f64,
    /// What multiplies the charges to open.
    pub initial: f64,
}

impl Default for SensitivitySettings {
    fn default() -> Self {
        Self {
            delta: 0.16,
            gamma: 0.16,
            vega: 0.25,
            initial: 1.25,
        }
    }
}

impl SensitivitySettings {
    /// What is wrong with it: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (key, found) in [
            ("delta", self.delta),
            ("gamma", self.gamma),
            ("vega", self.vega),
        ] {
            if !(found >= 0.0 && found.is_finite()) {
                problems.push((
                    key.to_owned(),
                    format!("found {found}, expected a number of 0 or more"),
                ));
            }
        }
        if !(self.initial >= 1.0 && self.initial.is_finite()) {
            problems.push((
                "initial".to_owned(),
                format!("found {}, expected 1 or more: the initial requirement is no less than what is asked to keep", self.initial),
            ));
        }
        problems
    }
}

/// Margin from greeks.
pub struct Sensitivities {
    charges: SensitivitySettings,
}

impl Sensitivities {
    /// The rule with these charges.
    pub const fn new(charges: SensitivitySettings) -> Self {
        Self { charges }
    }
}

impl OptionMargin for Sensitivities {
    fn tabulate(&self, board: &Board<'_>, table: &mut ScanTable) {
        table.fill(board, 0, |_| &[], |_, _| 0.0);
    }

    fn requirement(&self, board: &Board<'_>, _: &ScanTable, book: &Book<'_>, asked: Asked) -> Cash {
        let mut sum = 0.0;
        for market in (0..board.markets.len()).map(|place| MarketId(place as u16)) {
            let state = board.market(market);
            let perps = book.perps.iter().filter(|leg| leg.market == market);
            let mut delta: f64 = perps.map(|leg| leg.quantity.as_f64()).sum();
            let (mut gamma, mut vega) = (0.0, 0.0);
            for leg in book.options_in(board, market) {
                let listed = board.listed(leg.series);
                let lots = leg.contracts as f64 * listed.series.multiplier.as_f64();
                let greeks = listed
                    .series
                    .greeks(listed.forward, listed.years, listed.volatility);
                delta += lots * greeks.delta;
                gamma += lots * greeks.gamma;
                vega += lots * greeks.vega;
            }
            let (price, wide) = (state.spot, state.widening);
            let charges = &self.charges;
            let bend = charges.gamma * wide * price;
            let ticks = charges.delta * wide * price * delta.abs()
                + 0.5 * f64::max(-gamma, 0.0) * bend * bend
                + charges.vega * vega.abs();
            sum += ticks / price * state.notional();
        }
        let whole = match asked {
            Asked::Initial => self.charges.initial,
            Asked::Maintenance => 1.0,
        };
        Cash::clamped((sum * whole * (1.0 - 1e-15)).ceil() as i128)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Place;
    use super::*;
    use crate::market::option::{Right, greeks};

    #[test]
    fn charges_are_the_greeks_by_hand() {
        let place = Place::new(100.0).listed(&[(100, Right::Call, 30.0, 0.5)]);
        let charges = SensitivitySettings {
            delta: 0.1,
            gamma: 0.2,
            vega: 0.3,
            initial: 1.5,
        };
        let rule = Sensitivities::new(charges);
        let at = greeks(100.0, 100.0, 30.0 / 365.0, 0.5, Right::Call);
        let near = |found: i64, expected: f64| {
            assert!(
                (found as f64 - 1e6 * expected).abs() < 2.0,
                "{found} {expected}"
            )
        };
        let short = place.asked(&rule, &[], &[(0, -10)], Asked::Maintenance);
        near(
            short,
            10.0 * (0.1 * 100.0 * at.delta + 0.5 * at.gamma * 400.0 + 0.3 * at.vega),
        );
        // Long gamma is charged nothing for it; a hedge takes the delta away.
        let long = place.asked(&rule, &[], &[(0, 10)], Asked::Maintenance);
        near(long, 10.0 * (0.1 * 100.0 * at.delta + 0.3 * at.vega));
        let hedged = place.asked(&rule, &[-5], &[(0, 10)], Asked::Maintenance);
        near(
            hedged,
            0.1 * 100.0 * (10.0 * at.delta - 5.0) + 3.0 * at.vega,
        );
        near(
            place.asked(&rule, &[], &[(0, 10)], Asked::Initial),
            1.5 * long as f64 / 1e6,
        );
    }
}
