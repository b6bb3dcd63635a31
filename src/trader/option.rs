//! Options as traders see them: what is published of every series, and what a cohort holds at the start.
//!
//! # Units
//!
//! Sensitivities per contract: delta in lots, gamma in lots per tick, vega in lots · ticks per 1.00 of volatility. Settings in
//! contracts and settlement currency.

use crate::account::Ledger;
use crate::market::option::{Greeks, Right, Series, SeriesId};
use crate::math::sample::Sampled;
use crate::path::Moment;
use crate::unit::{AccountId, MarketId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is published about one series before the step's decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionQuote {
    /// The series.
    pub series: Series,
    /// Years to its expiry; none once it has expired.
    pub years: f64,
    /// Its implied volatility.
    pub volatility: f64,
    /// Its price per unit, in ticks, and that price's derivatives.
    pub greeks: Greeks,
}

impl OptionQuote {
    /// Lots that one contract gains with as the price rises.
    #[inline]
    pub fn delta(&self) -> f64 {
        self.greeks.delta * self.series.multiplier.as_f64()
    }
    /// Lots by which that changes per tick.
    #[inline]
    pub fn gamma(&self) -> f64 {
        self.greeks.gamma * self.series.multiplier.as_f64()
    }
    /// Delta of one contract if the forward stood elsewhere, at the same volatility.
    #[inline]
    pub fn delta_at(&self, forward: f64) -> f64 {
        self.series
            .greeks(forward, self.years, self.volatility)
            .delta
            * self.series.multiplier.as_f64()
    }
}

/// What an account's options of one market amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Delta, in lots.
    pub delta: f64,
    /// Gamma, in lots per tick.
    pub gamma: f64,
}

impl Exposure {
    /// What an account holds in options of a market.
    pub fn of(ledger: &Ledger, quotes: &[OptionQuote], id: AccountId, market: MarketId) -> Self {
        let mut sum = Self::default();
        for held in ledger.options().of(id) {
            let quote = &quotes[held.series.index()];
            if held.contracts != 0 && quote.series.market == market {
                let contracts = held.contracts as f64;
                sum.delta += contracts * quote.delta();
                sum.gamma += contracts * quote.gamma();
            }
        }
        sum
    }
}

/// Options that every member of a cohort holds at the start; the desk is on the other side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionSettings {
    /// The market whose index they settle against.
    pub market: String,
    /// When they expire: so long after the start, or a date.
    pub expiry: Moment,
    /// Strike, in settlement currency per unit of the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// Strike over the price at the start, in place of `strike`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moneyness: Option<f64>,
    /// Call or put.
    pub right: Right,
    /// Contracts a member, + long and − short; a distribution is drawn for each.
    pub contracts: Sampled,
}

impl OptionSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self, markets: &[String]) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: &str, text: String| {
            if !ok {
                problems.push((key.to_owned(), text));
            }
        };
        check(
            markets.contains(&self.market),
            "market",
            format!(
                "no market `{}`; the scenario has {}",
                self.market,
                markets.join(", ")
            ),
        );
        let given = [self.strike, self.moneyness];
        check(
            given.iter().flatten().count() == 1,
            "strike",
            "expected either strike or moneyness".to_owned(),
        );
        for (key, number) in [("strike", self.strike), ("moneyness", self.moneyness)] {
            if let Some(number) = number {
                check(
                    number.is_finite() && number > 0.0,
                    key,
                    format!("must be greater than 0, found {number}"),
                );
            }
        }
        if let Some(text) = self.contracts.problem() {
            check(false, "contracts", text);
        }
        problems
    }

    /// The strike in settlement currency at a price of the start.
    pub fn strike_at(&self, start: f64) -> f64 {
        self.strike
            .unwrap_or_else(|| self.moneyness.unwrap_or(1.0) * start)
    }
}

/// A number of contracts that a cohort's members have been dealt, before it is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dealt {
    /// To whom.
    pub account: AccountId,
    /// The series.
    pub series: SeriesId,
    /// Contracts, + long and − short.
    pub contracts: i64,
}
