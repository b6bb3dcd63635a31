//! The moves of prices within which an account surely meets its requirement, curvature allowed for.
//!
//! For a relative move x of the price, an option is worth at least `v + d x` (its tangent: it is convex) and at most
//! `v + d x + ½ g x²`, with g the largest gamma anywhere within the reach; the first taken at the least deviation `σ√T` that volatility
//! and time may come to within their headroom, the second at the largest. So the equity less the requirement of every scenario
//! is at least a parabola `a + b x − ½ c x² − e |x|` with c and e not negative, and the least of them all stays at zero or above on an
//! interval around the present price, which is what is answered.
//!
//! The claim holds while every volatility stays within its share of headroom of the one it was worked out with, no more than its time
//! passes, forwards keep their distance from the price, what widens the scan stays, and the account holds what it held.
//!
//! # Invariants
//!
//! - `a_safe_range_is_safe`: no state within it fails under full revaluation.

use super::board::{Board, Book};
use super::rule::{Part, ScanRule};
use super::shock::{deviation, log_moneyness};
use super::table::{Scenario, Together, VolatilityMove, moved};
use crate::market::option::{Right, black};
use crate::math::ops;
use crate::unit::MarketId;

/// How far a claim reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headroom {
    /// The largest relative move of the price.
    pub reach: f64,
    /// Share by which volatilities may rise or fall.
    pub volatility: f64,
    /// Years that may pass.
    pub years: f64,
}

impl Default for Headroom {
    fn default() -> Self {
        Self {
            reach: 0.1,
            volatility: 0.1,
            years: 1.0 / 365.0 / 24.0,
        }
    }
}

/// Relative moves `[down, up]` of every market's price: down is not positive, up not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SafeRange {
    /// The lowest move.
    pub down: f64,
    /// The highest move.
    pub up: f64,
}

/// What one contract is worth at least and at most, in quanta, as functions of the relative move of the price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Line {
    low: f64,
    low_slope: f64,
    high: f64,
    high_slope: f64,
    bend: f64,
}

/// Bounds of every series, as it is and in every scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    headroom: Option<Headroom>,
    columns: usize,
    lines: Vec<Line>,
    turns: Vec<f64>,
}

impl Bounds {
    pub(super) fn clear(&mut self) {
        self.headroom = None;
        self.lines.clear();
        self.turns.clear();
    }
    fn line(&self, series: usize, column: usize) -> &Line {
        &self.lines[self.columns * series + column]
    }

    /// Works them out: one column as things are, and one a scenario.
    pub(super) fn fill<'p>(
        &mut self,
        board: &Board<'_>,
        headroom: Headroom,
        width: usize,
        part: impl Fn(MarketId) -> Option<&'p Part>,
    ) {
        self.clear();
        self.headroom = Some(headroom);
        self.columns = width + 1;
        self.lines
            .resize(self.columns * board.series.len(), Line::default());
        self.turns.resize(board.series.len(), 0.0);
        for (place, listed) in board.series.iter().enumerate() {
            let series = &listed.series;
            let market = board.market(series.market);
            let scale = series.quanta_per_tick(&market.contract);
            let strike = series.strike.as_f64();
            let part = part(series.market);
            let ahead = part.map_or(0.0, |part| part.ahead);
            let corner = |shock: VolatilityMove, up: bool, ahead: f64| {
                let (volatility, years) = match up {
                    true => (
                        listed.volatility * (1.0 + headroom.volatility),
                        listed.years,
                    ),
                    false => (
                        listed.volatility * (1.0 - headroom.volatility),
                        (listed.years - headroom.years).max(0.0),
                    ),
                };
                let volatility = part.map_or(volatility, |part| {
                    part.volatility.moved(volatility, years, shock)
                });
                deviation(volatility, years - ahead)
            };
            let line = |forward: f64, low: f64, high: f64| {
                let at = |s: f64| {
                    let price = black::price(forward, strike, s, series.right);
                    let delta = black::delta(forward, strike, s, series.right);
                    (price * scale, delta * forward * scale)
                };
                let (low, low_slope) = at(low);
                let (high_worth, high_slope) = at(high);
                let edge = |way: f64| forward * (1.0 + way * headroom.reach);
                let bend = match forward > 0.0 {
                    true => {
                        black::largest_gamma(edge(-1.0), edge(1.0), strike, high)
                            * forward
                            * forward
                            * scale
                    }
                    false => 0.0,
                };
                Line {
                    low,
                    low_slope,
                    high: high_worth,
                    high_slope,
                    bend,
                }
            };
            let row = &mut self.lines[self.columns * place..][..self.columns];
            let same = VolatilityMove::Same;
            // As things are, nothing is moved and nobody looks ahead.
            let plain = |up: bool| {
                let (share, years) = match up {
                    true => (1.0 + headroom.volatility, listed.years),
                    false => (
                        1.0 - headroom.volatility,
                        (listed.years - headroom.years).max(0.0),
                    ),
                };
                deviation(listed.volatility * share, years)
            };
            row[0] = line(listed.forward, plain(false), plain(true));
            let Some(part) = part else { continue };
            for (one, scenario) in row[1..].iter_mut().zip(&part.scenarios) {
                if scenario.together == Together::Adverse {
                    continue;
                }
                let forward = listed.forward * moved(scenario.price, market.widening);
                let shock = scenario.volatility;
                *one = line(
                    forward,
                    corner(shock, false, ahead),
                    corner(shock, true, ahead),
                );
            }
            // A turn of the skew by Δs is worth no more than the largest vega of any forward, K φ(0) Δs.
            let k = log_moneyness(strike, listed.forward);
            let reach = -ops::ln(1.0 - headroom.reach);
            let least_years = (listed.years - headroom.years).max(1e-9);
            let turn = part.volatility.largest_turn(k, least_years, reach);
            // The mark at this deviation and the turned one both lie within what time allows.
            let slack = if ahead > 0.0 {
                corner(same, true, 0.0) - corner(same, false, ahead)
            } else {
                0.0
            };
            self.turns[place] = ops::normal_density(0.0)
                * strike
                * (corner(same, true, 0.0) * turn + slack)
                * scale;
        }
    }
}

/// A parabola `a + b x − ½ c x² − e |x|`.
#[derive(Clone, Copy, Default)]
struct Face {
    a: f64,
    b: f64,
    c: f64,
    e: f64,
}

impl Face {
    /// Adds `weight` contracts of a line, at the least that they can be worth.
    #[inline]
    fn add(&mut self, weight: f64, line: &Line) {
        if weight >= 0.0 {
            self.a += weight * line.low;
            self.b += weight * line.low_slope;
        } else {
            self.a += weight * line.high;
            self.b += weight * line.high_slope;
            self.c -= weight * line.bend;
        }
    }
    /// Takes off a charge that is in proportion to the price.
    #[inline]
    fn charge(&mut self, amount: f64) {
        self.a -= amount;
        self.e += amount;
    }
    #[inline]
    fn at(&self, x: f64) -> f64 {
        // Infinite gamma at a strike that is met without time left says nothing at all.
        let bent = if x == 0.0 { 0.0 } else { 0.5 * self.c * x * x };
        self.a + self.b * x - bent - self.e * x.abs()
    }
}

/// What the equity of one market's positions, less `ratio` times their requirement, is at least after a move.
struct Least<'s> {
    rule: &'s ScanRule,
    board: &'s Board<'s>,
    bounds: &'s Bounds,
    book: &'s Book<'s>,
    ratio: f64,
}

const LEVEL: usize = 1;
/// Halvings of a bisection: a part in four thousand of the reach.
const HALVINGS: u32 = 12;

impl Least<'_> {
    /// The face of a scenario of a market, by its column; the column 0 asks nothing.
    fn face(
        &self,
        market: MarketId,
        part: &Part,
        column: usize,
        scenario: Option<&Scenario>,
    ) -> Face {
        let factor = part.factor[LEVEL] * part.whole[LEVEL];
        let share = scenario.map_or(0.0, |one| one.share.as_f64() * factor * self.ratio);
        let adverse = scenario.is_some_and(|one| one.together == Together::Adverse);
        let mut face = Face::default();
        let state = self.board.market(market);
        let notional = state.notional();
        for leg in self.book.perps.iter().filter(|leg| leg.market == market) {
            let worth = leg.quantity.as_f64() * notional;
            let change = scenario.map_or(0.0, |one| moved(one.price, state.widening) - 1.0);
            let loss = if adverse { 0.0 } else { share * change * worth };
            face.a += worth + loss;
            face.b += worth + loss;
        }
        for leg in self.book.options_in(self.board, market) {
            let place = leg.series.index();
            let contracts = leg.contracts as f64;
            let now = self.bounds.line(place, 0);
            if adverse {
                face.add(contracts, now);
                face.a -= share * contracts.abs() * self.bounds.turns[place];
            } else if scenario.is_some() {
                face.add(contracts * (1.0 - share), now);
                face.add(contracts * share, self.bounds.line(place, column));
            } else {
                face.add(contracts, now);
            }
        }
        face
    }

    /// The largest that add-ons and floors can be, per move: in quanta at the present price, in proportion to it.
    fn charges(&self, market: MarketId, part: &Part) -> (f64, f64) {
        let charges = &part.charges;
        let state = self.board.market(market);
        let notional = state.notional();
        let perps: f64 = self
            .book
            .perps
            .iter()
            .filter(|leg| leg.market == market)
            .map(|leg| leg.quantity.as_f64().abs())
            .sum();
        let (mut gross, mut short, mut rolled) = (0.0, 0.0, charges.roll[0] * perps);
        for leg in self.book.options_in(self.board, market) {
            let listed = self.board.listed(leg.series);
            let lots = (leg.contracts as f64).abs() * listed.series.multiplier.as_f64();
            gross += lots;
            if leg.contracts < 0 {
                short += lots;
            }
            rolled += charges.roll[0].max(charges.roll[1] * listed.years) * lots;
        }
        let added = charges.naked[LEVEL] * short
            + charges.perps[LEVEL] * perps
            + rolled
            + charges.calendar * 0.5 * (gross + perps);
        // The tier that the minimum may come to within the reach.
        let reach = self.bounds.headroom.map_or(0.0, |headroom| headroom.reach);
        let raw = charges.short_minimum * short * notional * (1.0 + reach);
        let tier = charges.minimum_tiers.iter().find(|(most, _)| raw <= *most);
        let times = tier.map_or(1.0, |(_, times)| *times);
        let floor = charges.short_minimum * short * times * part.factor[LEVEL];
        let whole = part.whole[LEVEL] * self.ratio * notional;
        (added * whole, floor * whole)
    }
}

impl ScanRule {
    pub(super) fn safe_range(
        &self,
        board: &Board<'_>,
        bounds: &Bounds,
        book: &Book<'_>,
        equity: i128,
        ratio: f64,
    ) -> Option<SafeRange> {
        let headroom = bounds.headroom?;
        let least = Least {
            rule: self,
            board,
            bounds,
            book,
            ratio,
        };
        // All markets' faces, one after the other, and where each market's end.
        let mut faces: Vec<Face> = Vec::new();
        let mut ends: Vec<usize> = Vec::new();
        // What the equity holds beside the positions that move; and a hair for rounding, of worths and of floats.
        let mut cash = equity as f64;
        let mut slack = equity.abs() as f64 * 1e-12;
        for market in (0..board.markets.len()).map(|place| MarketId(place as u16)) {
            if !book.holds(board, market) {
                continue;
            }
            let part = least.rule.part(market);
            if board.market(market).contract.is_inverse() {
                // Its positions bend of themselves.
                return None;
            }
            let state = board.market(market);
            for leg in book.perps.iter().filter(|leg| leg.market == market) {
                let worth = leg.quantity.as_f64() * state.notional();
                cash -= worth;
                slack += (worth.abs() * 1e-12 + leg.quantity.as_f64().abs() * 1e-3) * (1.0 + ratio);
            }
            for leg in book.options_in(board, market) {
                let listed = board.listed(leg.series);
                cash -= leg.contracts as f64 * listed.worth.as_f64();
                let strike = listed.series.strike.as_f64() + listed.forward;
                let largest = strike * listed.series.quanta_per_tick(&state.contract);
                slack += leg.contracts.abs() as f64 * (2.0 + largest * 1e-12) * (1.0 + ratio);
            }
            slack += 8.0 * (1.0 + ratio);
            let (added, floor) = least.charges(market, part);
            let mut put = |mut face: Face, floor: f64| {
                face.charge(added + floor);
                faces.push(face);
            };
            put(least.face(market, part, 0, None), floor);
            for (place, scenario) in part.scenarios.iter().enumerate() {
                put(least.face(market, part, place + 1, Some(scenario)), 0.0);
            }
            if let Some(basis) = part.charges.basis {
                put(least.basis(market, part, basis), 0.0);
            }
            ends.push(faces.len());
        }
        let total = |move_of: &dyn Fn(&[Face]) -> f64| {
            let mut from = 0;
            let mut sum = cash - slack;
            for &end in &ends {
                sum += move_of(&faces[from..end]);
                from = end;
            }
            sum
        };
        let worst = |faces: &[Face], x: f64| {
            faces
                .iter()
                .map(|face| face.at(x))
                .fold(f64::INFINITY, f64::min)
        };
        // One market moves one way; several may each move either way.
        let after = |x: f64| match ends.len() {
            0 | 1 => total(&|faces| worst(faces, x)),
            _ => total(&|faces| worst(faces, x).min(worst(faces, -x))),
        };
        within(headroom.reach, ends.len(), after)
    }
}

impl Least<'_> {
    /// The floor from the basis: no more than what every leg alone loses in the worse of its two scenarios, weighted at most by
    /// `add + multiple · years`.
    fn basis(&self, market: MarketId, part: &Part, basis: super::rule::Basis) -> Face {
        let factor = part.factor[LEVEL] * part.whole[LEVEL] * self.ratio;
        let mut face = Face::default();
        let state = self.board.market(market);
        let notional = state.notional();
        for leg in self.book.perps.iter().filter(|leg| leg.market == market) {
            let worth = leg.quantity.as_f64() * notional;
            face.a += worth;
            face.b += worth;
        }
        let most = basis
            .scenarios
            .iter()
            .map(|place| (moved(part.scenarios[*place].price, state.widening) - 1.0).abs())
            .fold(0.0, f64::max);
        for leg in self.book.options_in(self.board, market) {
            let listed = self.board.listed(leg.series);
            face.add(
                leg.contracts as f64,
                self.bounds.line(leg.series.index(), 0),
            );
            // A delta of one at the most.
            let lots = (leg.contracts as f64).abs() * listed.series.multiplier.as_f64();
            let weight = basis.add + basis.multiple * listed.years;
            let forward = listed.forward / state.spot;
            face.charge(factor * weight * lots * notional * forward * most);
        }
        face
    }
}

impl Bounds {
    /// The range under a rule that asks each position alone: `charge` is what a market is asked at most, times the ratio, at the
    /// present price and more per relative move; `weight` is what a contract's worth counts for in equity less requirement.
    pub(super) fn alone(
        &self,
        board: &Board<'_>,
        book: &Book<'_>,
        equity: i128,
        ratio: f64,
        charge: impl Fn(MarketId) -> (f64, f64),
        weight: impl Fn(f64, Right) -> f64,
    ) -> Option<SafeRange> {
        let headroom = self.headroom?;
        let mut markets = Vec::new();
        let mut slack = equity.abs() as f64 * 1e-12;
        for market in (0..board.markets.len()).map(|place| MarketId(place as u16)) {
            if !book.holds(board, market) {
                continue;
            }
            let state = board.market(market);
            if state.contract.is_inverse() {
                return None;
            }
            let mut face = Face::default();
            for leg in book.perps.iter().filter(|leg| leg.market == market) {
                face.b += leg.quantity.as_f64() * state.notional();
            }
            for leg in book.options_in(board, market) {
                let listed = board.listed(leg.series);
                let contracts = leg.contracts as f64;
                face.a -= contracts * listed.worth.as_f64();
                face.add(
                    contracts * weight(contracts, listed.series.right),
                    self.line(leg.series.index(), 0),
                );
                let largest = (listed.series.strike.as_f64() + listed.forward)
                    * listed.series.quanta_per_tick(&state.contract);
                slack += contracts.abs() * (4.0 + largest * 1e-12) * (1.0 + ratio);
            }
            let (asked, more) = charge(market);
            face.a -= asked;
            face.e += more;
            slack += asked * 1e-12 + 8.0 * (1.0 + ratio);
            markets.push(face);
        }
        let after = |x: f64| {
            let each = |face: &Face| match markets.len() {
                1 => face.at(x),
                _ => face.at(x).min(face.at(-x)),
            };
            equity as f64 - slack + markets.iter().map(each).sum::<f64>()
        };
        within(headroom.reach, markets.len(), after)
    }
}

/// The interval around nothing on which a function holds that is concave, and even where there are several markets.
fn within(reach: f64, markets: usize, after: impl Fn(f64) -> f64) -> Option<SafeRange> {
    let holds = |x: f64| after(x) >= 0.0;
    if !holds(0.0) {
        return None;
    }
    let edge = |way: f64| {
        if holds(way * reach) {
            return reach;
        }
        let (mut low, mut high) = (0.0, reach);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            match holds(way * middle) {
                true => low = middle,
                false => high = middle,
            }
        }
        low
    };
    let up = edge(1.0);
    let down = if markets > 1 { up } else { edge(-1.0) };
    Some(SafeRange { down: -down, up })
}

#[cfg(test)]
mod tests {
    use super::super::Asked;
    use super::super::testing::{Place, rules};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn a_safe_range_is_safe(
            strikes in prop::collection::vec((60i64..160, any::<bool>(), 0.5f64..200.0, 0.3f64..1.5), 1..8),
            contracts in prop::collection::vec(-20i64..20, 8),
            perp in -30i64..30,
            rich in 0.9f64..3.0, ratio in 0.8f64..1.3,
            moves in prop::collection::vec((-1.0f64..1.0, -1.0f64..1.0, 0.0f64..1.0), 24),
        ) {
            let listed: Vec<_> = strikes
                .iter()
                .map(|&(strike, put, days, volatility)| {
                    (1_000 * strike, if put { Right::Put } else { Right::Call }, days, volatility)
                })
                .collect();
            let legs: Vec<(u16, i64)> = (0..).zip(contracts).take(listed.len()).filter(|leg| leg.1 != 0).collect();
            prop_assume!(!legs.is_empty());
            let place = Place::new(100_000.0).listed(&listed);
            let headroom = Headroom { reach: 0.1, volatility: 0.05, years: 0.2 / 365.0 };
            for (name, rule) in rules() {
                let asked = place.asked(&*rule, &[perp], &legs, Asked::Maintenance);
                let equity = (rich * ratio * asked as f64) as i128;
                let Some(range) = place.safe(&*rule, &[perp], &legs, equity, ratio, headroom) else { continue };
                prop_assert!(-0.1 <= range.down && range.down <= 0.0 && 0.0 <= range.up && range.up <= 0.1);
                for &(x, vol, time) in &moves {
                    let x = if x < 0.0 { -x * range.down } else { x * range.up };
                    let then = place.moved(x, 1.0 + vol * headroom.volatility, time * headroom.years * 365.0);
                    let equity = equity + then.gain_since(&place, &[perp], &legs);
                    let asked = then.asked(&*rule, &[perp], &legs, Asked::Maintenance);
                    prop_assert!(
                        equity as f64 >= ratio * asked as f64 - 1.0,
                        "{name}: {range:?} at {x}: equity {equity}, asked {asked}, ratio {ratio}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_range_is_worth_having() {
        // A short straddle, hedged or not, with twice its requirement, on a quiet hour.
        let place = Place::new(100_000.0).listed(&[
            (100_000, Right::Call, 30.0, 0.6),
            (100_000, Right::Put, 30.0, 0.6),
        ]);
        let headroom = Headroom {
            reach: 0.1,
            volatility: 0.02,
            years: 1.0 / 365.0 / 24.0,
        };
        for (name, rule) in rules() {
            let legs = [(0, -10), (1, -10)];
            let asked = place.asked(&*rule, &[0], &legs, Asked::Maintenance);
            let Some(range) = place.safe(&*rule, &[0], &legs, 2 * i128::from(asked), 1.0, headroom)
            else {
                // Greeks say nothing of what they are elsewhere.
                assert_eq!(name, "sensitivities");
                continue;
            };
            assert!(range.up > 0.02 && range.down < -0.02, "{name}: {range:?}");
            // With what it is asked and no more, nothing is safe.
            let none = place.safe(&*rule, &[0], &legs, i128::from(asked), 1.0, headroom);
            assert!(none.is_none_or(|range| range.up < 1e-3), "{name}: {none:?}");
        }
    }
}
