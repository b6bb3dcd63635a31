//! Funding: what longs pay shorts so that the perpetual stays near its index.
//!
//! The premium is sampled every step: `(max(0, bid − index) − max(0, index − ask)) / index`, with
//! the best quotes as impact prices. At the end of an interval the rate
//! `F = P̄ + clamp(I − P̄, ±c)`, capped, falls due once per lot through one cumulative index, whatever the number of accounts.
//! A `borrow` rate takes the place of all that: what longs owe is lent to them, and they pay interest whatever the premium.
//! It is reckoned on what they hold, not on what they owe, so that one index still does for all: a rate on debt
//! times the usual loan to value.
//!
//! # Units
//!
//! Rates per funding period (8 h at most venues); the index in 10⁻⁶ quanta per lot.
//!
//! # Reference
//!
//! Binance USD-M funding (page of 2025-09-18); Hyperliquid funding: the same, paid hourly at an
//! eighth, capped at 4 % an hour.

use super::contract::Contract;
use super::venue::Quote;
use crate::unit::{Lots, Span, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One unit of the funding index is this part of a quantum per lot.
pub const INDEX_SCALE: i64 = 1_000_000;

/// What a position owes for a move of the funding index, in quanta, rounded up: in favour of whoever is paid.
#[inline]
pub fn due(quantity: Lots, moved: i64) -> i128 {
    if moved == 0 {
        return 0;
    }
    // Nearly all products fit 64 bits, and a division of 128 costs a dozen of theirs.
    let product = moved.checked_neg();
    match product.and_then(|moved| quantity.0.checked_mul(moved)) {
        Some(product) => -i128::from(product.div_euclid(INDEX_SCALE)),
        None => {
            let owed = i128::from(quantity.0) * i128::from(moved);
            -((-owed).div_euclid(i128::from(INDEX_SCALE)))
        }
    }
}

/// When and how much funding is paid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundingSettings {
    /// Time between payments; `"never"` switches funding off.
    #[serde(default = "never")]
    pub interval: Span,
    /// The period that a rate is quoted for.
    #[serde(default = "eight_hours")]
    pub period: Span,
    /// Interest per period.
    #[serde(default = "default_interest")]
    pub interest: f64,
    /// Largest correction of the premium toward the interest, per period.
    #[serde(default = "default_clamp")]
    pub clamp: f64,
    /// Largest rate per payment, either sign.
    #[serde(default = "default_cap")]
    pub cap: f64,
    /// Interest per period that longs pay in place of funding, over the value of what they hold; shorts, and whoever
    /// stands for the lenders, get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrow: Option<f64>,
}

fn never() -> Span {
    Span::NEVER
}
fn eight_hours() -> Span {
    Span::seconds(8.0 * 3_600.0)
}
const fn default_interest() -> f64 {
    0.0001
}
const fn default_clamp() -> f64 {
    0.0005
}
const fn default_cap() -> f64 {
    0.04
}

impl Default for FundingSettings {
    fn default() -> Self {
        Self {
            interval: never(),
            period: eight_hours(),
            interest: default_interest(),
            clamp: default_clamp(),
            cap: default_cap(),
            borrow: None,
        }
    }
}

impl FundingSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (key, length) in [("interval", self.interval), ("period", self.period)] {
            if length.as_seconds() <= 0.0 {
                problems.push((key.to_owned(), "must be longer than 0".to_owned()));
            }
        }
        for (key, number) in [("clamp", self.clamp), ("cap", self.cap)] {
            if !(number.is_finite() && number >= 0.0) {
                problems.push((
                    key.to_owned(),
                    format!("must not be negative, found {number}"),
                ));
            }
        }
        if !self.interest.is_finite() {
            problems.push((
                "interest".to_owned(),
                format!("must be a finite number, found {}", self.interest),
            ));
        }
        if let Some(rate) = self.borrow
            && !(rate.is_finite() && rate >= 0.0)
        {
            problems.push((
                "borrow".to_owned(),
                format!("must not be negative, found {rate}"),
            ));
        } else if self.borrow.is_some() && self.interval == Span::NEVER {
            problems.push((
                "borrow".to_owned(),
                "is never paid: expected an interval, such as \"1h\"".to_owned(),
            ));
        }
        problems
    }
}

/// One market's funding.
#[derive(Clone, Debug)]
pub struct Funding {
    settings: FundingSettings,
    interval: u32,
    premium: f64,
    samples: u32,
    rate: f64,
    index: i64,
}

impl Funding {
    /// Funding that begins with a whole interval ahead, in steps of `dt` seconds.
    pub fn new(settings: &FundingSettings, dt: f64) -> Self {
        Self {
            settings: *settings,
            interval: settings.interval.steps(dt).max(1),
            premium: 0.0,
            samples: 0,
            rate: 0.0,
            index: 0,
        }
    }

    /// The cumulative index, in 10⁻⁶ quanta per lot.
    pub const fn index(&self) -> i64 {
        self.index
    }
    /// The rate of the last payment, per period.
    pub const fn rate(&self) -> f64 {
        self.rate
    }
    /// Seconds of the period that rates are quoted for.
    pub const fn period(&self) -> f64 {
        self.settings.period.as_seconds()
    }
    /// The rate as it would be paid now, per period.
    pub fn predicted(&self) -> f64 {
        if let Some(rate) = self.settings.borrow {
            return rate;
        }
        if self.samples == 0 {
            return self.rate;
        }
        let average = self.premium / f64::from(self.samples);
        average
            + (self.settings.interest - average).clamp(-self.settings.clamp, self.settings.clamp)
    }
    /// The predicted rate times the share of the interval that is left before it is paid.
    pub fn basis(&self, step: u32) -> f64 {
        if self.interval == u32::MAX {
            return 0.0;
        }
        let left = f64::from(self.interval - step % self.interval) / f64::from(self.interval);
        self.predicted() * left * self.settings.interval.as_seconds()
            / self.settings.period.as_seconds()
    }

    /// Samples the premium, and at the end of an interval moves the index; whether it moved.
    pub fn accrue(&mut self, step: u32, quote: Quote, index: f64, contract: &Contract) -> bool {
        let bid = quote.bid.map_or(index, Ticks::as_f64);
        let ask = quote.ask.map_or(index, Ticks::as_f64);
        self.premium += ((bid - index).max(0.0) - (index - ask).max(0.0)) / index;
        self.samples += 1;
        if !(step + 1).is_multiple_of(self.interval) {
            return false;
        }
        self.rate = self.predicted();
        self.premium = 0.0;
        self.samples = 0;
        let share = self.settings.interval.as_seconds() / self.settings.period.as_seconds();
        let paid = (self.rate * share).clamp(-self.settings.cap, self.settings.cap);
        let per_lot = contract.lot_notional(index.round_ties_even());
        let moved = paid * per_lot * INDEX_SCALE as f64;
        self.index += moved.round_ties_even() as i64;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(bid: i64, ask: i64) -> Quote {
        Quote {
            bid: Some(Ticks(bid)),
            ask: Some(Ticks(ask)),
        }
    }

    #[test]
    fn what_is_due_is_rounded_up_however_large() {
        for (lots, moved, owed) in [
            (1, 1, 1),
            (1, -1, 0),
            (-1, 1, 0),
            (-1, -1, 1),
            (3, 1_000_000, 3),
            (-3, 1_500_000, -4),
            (i64::MAX, -1_000_000, -i128::from(i64::MAX)),
            // Six digits off 2¹²⁶, rounded up.
            (i64::MIN, i64::MIN, ((1_i128 << 126) + 999_999) / 1_000_000),
        ] {
            assert_eq!(due(Lots(lots), moved), owed, "{lots} {moved}");
        }
    }

    #[test]
    fn a_premium_beyond_the_clamp_is_paid_by_longs() {
        let settings = FundingSettings {
            interval: Span::seconds(4.0),
            period: Span::seconds(8.0),
            ..FundingSettings::default()
        };
        let mut funding = Funding::new(&settings, 1.0);
        let contract = Contract::linear(1);
        for step in 0..3 {
            assert!(!funding.accrue(step, quote(1_010, 1_012), 1_000.0, &contract));
        }
        assert!(funding.accrue(3, quote(1_010, 1_012), 1_000.0, &contract));
        // P = 1 %, corrected by 0.05 % toward 0.01 %: 0.95 % per period, half of it paid.
        assert!((funding.rate() - 0.0095).abs() < 1e-12);
        assert_eq!(funding.index(), 4_750_000);
    }

    #[test]
    fn interest_on_what_is_borrowed_ignores_the_premium() {
        let settings = FundingSettings {
            interval: Span::seconds(2.0),
            period: Span::seconds(8.0),
            borrow: Some(0.08),
            ..FundingSettings::default()
        };
        assert_eq!(settings.problems(), []);
        let mut funding = Funding::new(&settings, 1.0);
        let contract = Contract::linear(1);
        funding.accrue(0, quote(700, 710), 1_000.0, &contract);
        assert!(funding.accrue(1, quote(1_300, 1_310), 1_000.0, &contract));
        // A quarter of 8 % of 1,000 a lot.
        assert_eq!((funding.rate(), funding.index()), (0.08, 20_000_000));
        let unpaid = FundingSettings {
            borrow: Some(0.08),
            ..FundingSettings::default()
        };
        assert_eq!(unpaid.problems()[0].0, "borrow");
    }

    #[test]
    fn inside_the_clamp_the_rate_is_the_interest() {
        let settings = FundingSettings {
            interval: Span::seconds(1.0),
            period: Span::seconds(1.0),
            ..FundingSettings::default()
        };
        let mut funding = Funding::new(&settings, 1.0);
        funding.accrue(0, quote(9_999, 10_001), 10_000.0, &Contract::linear(1));
        assert!((funding.rate() - 0.0001).abs() < 1e-15);
    }
}
