//! Margin by scan: the worst loss over a grid of scenarios, and what is charged on top of it.
//!
//! In each market an account's gains are added up by scenario; the largest loss, damped where its scenario says so, is what the
//! scan asks. Floors come before the factor of the level, add-ons after it, as each venue's order of steps has it
//! ([`Charges`]). Markets are added up, or put together under a correlation matrix by the sign of what they hold.
//!
//! # Units
//!
//! Shares of a notional at the price of the market; dampeners in quanta.
//!
//! # Invariants
//!
//! - `a_book_is_asked_no_more_than_its_parts`: without add-ons that count pairs.
//!
//! # Reference
//!
//! CME, "Standard Portfolio Analysis of Risk"; Deribit, "Portfolio margin"; Derive, `PMRMLib_2`; OKX, "Portfolio margin mode".

use super::board::{Board, Book};
use super::safe::{Bounds, Headroom, SafeRange};
use super::shock::{VolatilityShock, log_moneyness};
use super::table::{ScanTable, Scenario, Together, VolatilityMove};
use super::{Asked, OptionMargin};
use crate::margin::portfolio::{Correlated, Leg, PortfolioRule};
use crate::market::option::greeks;
use crate::unit::{Cash, Lots, MarketId, Rate};

/// The most scenarios of a market.
pub const WIDEST: usize = 48;
/// Markets that a correlation matrix puts together for one account; those of a larger book are added up.
const TOGETHER: usize = 16;

/// What is asked on top of a scan, or at least.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Charges {
    /// At least so much of the notional of every short option (short-option minimum, minimum charge).
    pub short_minimum: f64,
    /// Multiples of that minimum by its size: up to so many quanta, so many times.
    pub minimum_tiers: Vec<(f64, f64)>,
    /// On top: a share of the notional of options sold net of those bought at the same strike and expiry; of each level.
    pub naked: [f64; 2],
    /// On top: a share of the notional of perpetuals; of each level.
    pub perps: [f64; 2],
    /// On top: a share of the delta of each expiry, at least and per year to it.
    pub roll: [f64; 2],
    /// On top: a share of the delta that one expiry holds against another.
    pub calendar: f64,
    /// At least: the loss of each expiry in the worse of the two scenarios named, times `add + multiple · years`.
    pub basis: Option<Basis>,
}

/// A floor from moves of single expiries' forwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basis {
    /// The two scenarios, by their place.
    pub scenarios: [usize; 2],
    /// Share at expiry.
    pub add: f64,
    /// Share per year to it.
    pub multiple: f64,
}

/// One market's scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its scenarios, at most [`WIDEST`].
    pub scenarios: Vec<Scenario>,
    /// What is taken off the loss of each, in quanta; empty for nothing.
    pub dampeners: Vec<f64>,
    /// The moves of volatilities.
    pub volatility: VolatilityShock,
    /// Years by which options are older in the scenarios.
    pub ahead: f64,
    /// What multiplies the scan for each level, before add-ons.
    pub factor: [f64; 2],
    /// What multiplies everything for each level.
    pub whole: [f64; 2],
    /// Floors and add-ons.
    pub charges: Charges,
}

/// Margin by scan.
pub struct ScanRule {
    parts: Vec<Part>,
    width: usize,
    correlation: Option<Correlated>,
}

impl ScanRule {
    /// A rule from every market's part, and a correlation matrix where markets offset.
    ///
    /// # Panics
    ///
    /// Where a part has more than [`WIDEST`] scenarios.
    pub fn new(parts: Vec<Part>, correlation: Option<Correlated>) -> Self {
        let width = parts
            .iter()
            .map(|part| part.scenarios.len())
            .max()
            .unwrap_or(0);
        assert!(width <= WIDEST, "{width} scenarios");
        Self {
            parts,
            width,
            correlation,
        }
    }
    /// A market's part.
    pub fn part(&self, market: MarketId) -> &Part {
        &self.parts[market.index()]
    }

    /// What an account is asked in one market, in quanta, and the delta that it holds there, in lots.
    fn in_market(
        &self,
        board: &Board<'_>,
        table: &ScanTable,
        book: &Book<'_>,
        market: MarketId,
        asked: Asked,
    ) -> (i128, f64) {
        let part = self.part(market);
        let count = part.scenarios.len();
        let mut gains = [0i128; WIDEST];
        let gains = &mut gains[..count];
        let mut delta = 0.0;
        for leg in book.perps.iter().filter(|leg| leg.market == market) {
            delta += leg.quantity.as_f64();
            for (gain, one) in gains.iter_mut().zip(table.lots(market)) {
                *gain += i128::from(leg.quantity.0) * i128::from(*one);
            }
        }
        for leg in book.options_in(board, market) {
            delta += leg.contracts as f64 * table.delta(leg.series);
            for (gain, one) in gains.iter_mut().zip(table.series(leg.series)) {
                *gain += i128::from(leg.contracts) * i128::from(*one);
            }
        }
        let mut worst = 0i128;
        for (place, scenario) in part.scenarios.iter().enumerate() {
            let loss = match scenario.together {
                Together::Sum => -gains[place],
                Together::Adverse => adverse(board, table, book, market, place),
            };
            if loss > 0 {
                let mut counted = share_up(loss, scenario.share);
                if let Some(dampener) = part.dampeners.get(place) {
                    counted -= (dampener * ScanTable::UNIT as f64) as i128;
                }
                worst = worst.max(counted);
            }
        }
        // From here in quanta, upward.
        let mut worst = worst.div_euclid(i128::from(ScanTable::UNIT))
            + i128::from(worst.rem_euclid(i128::from(ScanTable::UNIT)) > 0);
        let notional = board.market(market).notional();
        let charges = &part.charges;
        let level = asked.index();
        worst = worst.max(up(minimum(charges, board, book, market, notional)));
        if let Some(basis) = charges.basis {
            worst = worst.max(up(basis_floor(basis, board, table, book, market)));
        }
        let scanned = up(worst as f64 * part.factor[level]);
        let mut added = 0.0;
        if charges.naked[level] > 0.0 {
            added += charges.naked[level] * notional * naked(board, book, market);
        }
        if charges.perps[level] > 0.0 {
            let perps = book.perps.iter().filter(|leg| leg.market == market);
            let lots: f64 = perps.map(|leg| leg.quantity.as_f64().abs()).sum();
            added += charges.perps[level] * notional * lots;
        }
        if charges.roll != [0.0; 2] || charges.calendar > 0.0 {
            added += notional * by_expiry(charges, board, table, book, market);
        }
        let whole = (scanned + up(added)) as f64 * part.whole[level];
        (up(whole), delta)
    }
}

/// Rounded up, from a float that is never negative but for a last bit.
#[inline]
fn up(amount: f64) -> i128 {
    // A hair below, so that 0.8 · 1,000 is 800 and not 801.
    (amount - amount.abs() * 1e-15).ceil().max(0.0) as i128
}

#[inline]
fn share_up(loss: i128, share: Rate) -> i128 {
    if share == Rate::ONE {
        return loss;
    }
    let whole = i128::from(Rate::ONE.0);
    (loss * i128::from(share.0) + whole - 1).div_euclid(whole)
}

/// The sum over expiries of what each gains or loses, as a loss.
fn adverse(
    board: &Board<'_>,
    table: &ScanTable,
    book: &Book<'_>,
    market: MarketId,
    place: usize,
) -> i128 {
    let mut sum = 0i128;
    for (expiry, first) in expiries(board, book, market) {
        let own = book.options[first..].iter().filter(|leg| {
            let series = &board.listed(leg.series).series;
            series.market == market && series.expiry == expiry
        });
        let gain: i128 = own
            .map(|leg| i128::from(leg.contracts) * i128::from(table.series(leg.series)[place]))
            .sum();
        sum += gain.abs();
    }
    sum
}

/// The expiries of a book in a market, each with the place of its first leg.
fn expiries<'b>(
    board: &'b Board<'_>,
    book: &'b Book<'_>,
    market: MarketId,
) -> impl Iterator<Item = (f64, usize)> + 'b {
    let of = move |place: usize| {
        let series = &board.listed(book.options[place].series).series;
        (series.market == market).then_some(series.expiry)
    };
    (0..book.options.len()).filter_map(move |place| {
        let expiry = of(place)?;
        let fresh = (0..place).all(|before| of(before) != Some(expiry));
        fresh.then_some((expiry, place))
    })
}

/// The short-option minimum, with its tiers.
fn minimum(
    charges: &Charges,
    board: &Board<'_>,
    book: &Book<'_>,
    market: MarketId,
    notional: f64,
) -> f64 {
    if charges.short_minimum <= 0.0 {
        return 0.0;
    }
    let short: f64 = book
        .options_in(board, market)
        .filter(|leg| leg.contracts < 0)
        .map(|leg| -leg.contracts as f64 * board.listed(leg.series).series.multiplier.as_f64())
        .sum();
    let raw = charges.short_minimum * short * notional;
    let tier = charges.minimum_tiers.iter().find(|(most, _)| raw <= *most);
    raw * tier.map_or(1.0, |(_, times)| *times)
}

/// Lots of options sold net of those bought at the same strike and expiry.
fn naked(board: &Board<'_>, book: &Book<'_>, market: MarketId) -> f64 {
    let key = |place: usize| {
        let series = &board.listed(book.options[place].series).series;
        (series.market == market).then_some((series.expiry, series.strike))
    };
    let mut sum = 0.0;
    for place in 0..book.options.len() {
        let Some(own) = key(place) else { continue };
        if (0..place).any(|before| key(before) == Some(own)) {
            continue;
        }
        let net: f64 = (place..book.options.len())
            .filter(|other| key(*other) == Some(own))
            .map(|other| {
                let leg = book.options[other];
                leg.contracts as f64 * board.listed(leg.series).series.multiplier.as_f64()
            })
            .sum();
        sum += (-net).max(0.0);
    }
    sum
}

/// Lots charged by expiry: the roll of each expiry's delta (a perpetual's is at hand), and what is held against another expiry.
fn by_expiry(
    charges: &Charges,
    board: &Board<'_>,
    table: &ScanTable,
    book: &Book<'_>,
    market: MarketId,
) -> f64 {
    let perps: f64 = book
        .perps
        .iter()
        .filter(|leg| leg.market == market)
        .map(|leg| leg.quantity.as_f64())
        .sum();
    let mut rolled = charges.roll[0] * perps.abs();
    let (mut long, mut short) = (perps.max(0.0), (-perps).max(0.0));
    for (expiry, first) in expiries(board, book, market) {
        let mut years = 0.0;
        let mut delta = 0.0;
        for leg in &book.options[first..] {
            let listed = board.listed(leg.series);
            if listed.series.market == market && listed.series.expiry == expiry {
                years = listed.years;
                delta += leg.contracts as f64 * table.delta(leg.series);
            }
        }
        rolled += charges.roll[0].max(charges.roll[1] * years) * f64::abs(delta);
        long += delta.max(0.0);
        short += (-delta).max(0.0);
    }
    rolled + charges.calendar * long.min(short)
}

/// Derive's floor from the basis, in quanta.
fn basis_floor(
    basis: Basis,
    board: &Board<'_>,
    table: &ScanTable,
    book: &Book<'_>,
    market: MarketId,
) -> f64 {
    let mut sum = 0.0;
    for (expiry, first) in expiries(board, book, market) {
        let mut gains = [0i128; 2];
        let mut years = 0.0;
        for leg in &book.options[first..] {
            let listed = board.listed(leg.series);
            if listed.series.market == market && listed.series.expiry == expiry {
                years = listed.years;
                for (gain, place) in gains.iter_mut().zip(basis.scenarios) {
                    *gain +=
                        i128::from(leg.contracts) * i128::from(table.series(leg.series)[place]);
                }
            }
        }
        let loss = -gains[0].min(gains[1]).min(0);
        sum += loss as f64 / ScanTable::UNIT as f64 * (basis.add + basis.multiple * years);
    }
    sum
}

impl OptionMargin for ScanRule {
    fn tabulate(&self, board: &Board<'_>, table: &mut ScanTable) {
        let moved = |place: usize, shock: VolatilityMove| {
            let listed = &board.series[place];
            let part = self.part(listed.series.market);
            let shocked = part
                .volatility
                .moved(listed.volatility, listed.years, shock);
            let turned = match shock {
                VolatilityMove::Skew | VolatilityMove::Smile => {
                    let k = log_moneyness(listed.series.strike.as_f64(), listed.forward);
                    part.volatility.turn(k, listed.years, shock)
                }
                _ => 1.0,
            };
            let older = if part.ahead > 0.0 && listed.years > 0.0 {
                ((listed.years - part.ahead).max(0.0) / listed.years).sqrt()
            } else {
                1.0
            };
            shocked * turned * older
        };
        table.fill(
            board,
            self.width,
            |market| &self.part(market).scenarios,
            moved,
        );
    }

    fn bound(&self, board: &Board<'_>, headroom: Headroom, bounds: &mut Bounds) {
        bounds.fill(board, headroom, self.width, |market| {
            Some(self.part(market))
        });
    }

    fn safe(
        &self,
        board: &Board<'_>,
        bounds: &Bounds,
        book: &Book<'_>,
        equity: i128,
        ratio: f64,
    ) -> Option<SafeRange> {
        self.safe_range(board, bounds, book, equity, ratio)
    }

    fn requirement(
        &self,
        board: &Board<'_>,
        table: &ScanTable,
        book: &Book<'_>,
        asked: Asked,
    ) -> Cash {
        let mut legs = [Leg {
            market: MarketId(0),
            quantity: Lots::ZERO,
            notional: Cash::ZERO,
            alone: Cash::ZERO,
        }; TOGETHER];
        let (mut held, mut sum) = (0, 0i128);
        for market in (0..board.markets.len()).map(|place| MarketId(place as u16)) {
            if !book.holds(board, market) {
                continue;
            }
            let (alone, delta) = self.in_market(board, table, book, market, asked);
            sum += alone;
            if let Some(leg) = legs.get_mut(held) {
                *leg = Leg {
                    market,
                    quantity: Lots(if delta < 0.0 { -1 } else { 1 }),
                    notional: Cash::ZERO,
                    alone: Cash::clamped(alone),
                };
            }
            held += 1;
        }
        match &self.correlation {
            Some(correlated) if (2..=TOGETHER).contains(&held) => {
                correlated.requirement(&legs[..held])
            }
            _ => Cash::clamped(sum),
        }
    }
}

/// Delta of one contract, in lots of its market.
pub(super) fn delta_of(board: &Board<'_>, place: usize) -> f64 {
    let listed = &board.series[place];
    let series = &listed.series;
    let delta = greeks(
        listed.forward,
        series.strike.as_f64(),
        listed.years,
        listed.volatility,
        series.right,
    )
    .delta;
    delta * series.multiplier.as_f64()
}
