//! The rules of venues for accounts with options, and their parameters.
//!
//! # Reference
//!
//! | rule | source |
//! |---|---|
//! | `span` | CME, "Standard Portfolio Analysis of Risk": 14 scenarios of thirds of the range, two of twice the range at 35 % |
//! | `deribit` | Deribit, "Portfolio margin" and the model parameters in the answers of `private/pme/simulate` (BTC June 2024, ETH February 2026); the pages of the legacy model (±10 % with 38 points of volatility, ±12.5 % with 40 points) |
//! | `derive` | Derive, `PMRMLib_2` and its configuration of January 2026 |
//! | `okx` | OKX, "Further adjust portfolio margin parameters", 2 January 2025: spot shock, extreme move, basis, minimum charge |
//!
//! Two things no page states, and are assumed here: Deribit's share of a loss in the extended table is the range over the move (the
//! answers of its interface agree, and Derive's dampening factors are that too); OKX's moves of volatility are Deribit's.

use super::OptionMargin;
use super::rule::{Basis, Charges, Part, ScanRule};
use super::sensitivities::{Sensitivities, SensitivitySettings};
use super::shock::VolatilityShock;
use super::standard::{Standard, StandardSettings};
use super::table::{Scenario, Together, VolatilityMove};
use crate::margin::portfolio::Correlated;
use crate::math::linear::{Matrix, correlation_factor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What accounts with options are asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionMarginSettings {
    /// The rule.
    pub rule: RuleSettings,
    /// Rules by scan that differ in single markets, by the market's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub market: BTreeMap<String, RuleSettings>,
    /// How markets offset under a rule by scan: a correlation matrix in their order. Where left out they are added up, or offset by the
    /// matrix of the outside prices where `margin.cross` is `"path"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offsets: Option<Matrix>,
}

/// A rule for accounts with options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RuleSettings {
    /// A scan like CME's SPAN.
    Span(SpanSettings),
    /// Each option alone, as Deribit's standard margin.
    DeribitStandard(StandardSettings),
    /// Deribit's portfolio margin.
    Deribit(DeribitSettings),
    /// Derive's portfolio manager, PMRM 2.
    Derive(DeriveSettings),
    /// OKX's portfolio margin.
    Okx(OkxSettings),
    /// Charges on delta, short gamma and vega.
    Sensitivities(SensitivitySettings),
}

/// A scan like CME's SPAN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpanSettings {
    /// Price scan range, as a share of the price.
    pub range: f64,
    /// Volatility scan range, in points: 0.05 for 5.
    pub volatility: f64,
    /// Extreme move, in multiples of the range.
    pub extreme: f64,
    /// Share of the loss in an extreme move that counts.
    pub extreme_share: f64,
    /// Days by which options are older in the scenarios.
    pub days: f64,
    /// Short-option minimum, as a share of the notional of each.
    pub short_minimum: f64,
    /// Charge on delta held in one expiry against another, as a share of its notional.
    pub calendar: f64,
    /// What multiplies the requirement to open.
    pub initial: f64,
}

impl Default for SpanSettings {
    fn default() -> Self {
        Self {
            range: 0.12,
            volatility: 0.15,
            extreme: 2.0,
            extreme_share: 0.35,
            days: 1.0,
            short_minimum: 0.01,
            calendar: 0.01,
            initial: 1.1,
        }
    }
}

/// Which of Deribit's published parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeribitEdition {
    /// ±16 %, volatility up by 50 % and down by 25 %, of June 2024.
    #[default]
    Btc2024,
    /// ±18 %, volatility up by 40 % and down by 25 %, of February 2026.
    Eth2026,
    /// ±10 %, 38 points by the power 0.30, a hundredth of a coin for each net short option of a strike.
    Legacy10,
    /// ±12.5 %, 40 points by the root of time, 1 % of the notional of options sold.
    Legacy12,
}

/// Deribit's portfolio margin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeribitSettings {
    /// Which parameters: `"btc2024"`, `"eth2026"`, `"legacy10"`, `"legacy12"`.
    pub edition: DeribitEdition,
    /// The price range, where it differs from the edition's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<f64>,
    /// The moves of volatility, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volatility: Option<VolatilityShock>,
    /// The dampener of the extended table in settlement currency, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dampener: Option<f64>,
}

/// Derive's portfolio manager.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeriveSettings {
    /// The price range: nine prices from −range to +range.
    pub range: f64,
    /// The moves of volatility.
    pub volatility: VolatilityShock,
    /// What the dampening of a tail is over its move: 0.1386 counts 21 % of the loss in a fall of 66 %.
    pub damping: f64,
    /// What multiplies the scan to open and to keep.
    pub factor: [f64; 2],
    /// Share of the notional of perpetuals on top: beyond what is asked to keep, and to keep.
    pub perps: [f64; 2],
    /// The same of options sold net.
    pub options: [f64; 2],
    /// Move of the basis scenarios.
    pub basis: f64,
    /// Share of their loss that is asked at least, at expiry and more per year to it.
    pub basis_share: [f64; 2],
}

impl Default for DeriveSettings {
    fn default() -> Self {
        Self {
            range: 0.18,
            volatility: VolatilityShock {
                up: 0.5,
                down: 0.3,
                least_up: 0.4,
                least_days: 1.0,
                skew: 0.3,
                smile: 0.3,
                ..VolatilityShock::default()
            },
            damping: 0.1386,
            factor: [1.0, 0.8],
            perps: [0.01, 0.03],
            options: [0.002, 0.003],
            basis: 0.045,
            basis_share: [0.5, 2.0],
        }
    }
}

/// Which of OKX's classes of underlyings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OkxClass {
    /// BTC and ETH.
    #[default]
    Major,
    /// SOL, XRP, DOGE, LTC, ADA and such.
    Middle,
    /// Others.
    Other,
}

/// OKX's portfolio margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OkxSettings {
    /// The class of the underlying: `"major"`, `"middle"`, `"other"`.
    pub class: OkxClass,
    /// The parameters in force before 6 January 2025 instead of those since.
    pub before: bool,
    /// The moves of volatility.
    pub volatility: VolatilityShock,
    /// Share of the loss in an extreme move that counts.
    pub extreme_share: f64,
    /// The minimum charge before its tiers, as a share of the notional of every short option.
    pub minimum: f64,
    /// What multiplies the requirement to open.
    pub initial: f64,
}

impl Default for OkxSettings {
    fn default() -> Self {
        Self {
            class: OkxClass::Major,
            before: false,
            volatility: VolatilityShock::default(),
            extreme_share: 0.5,
            minimum: 0.005,
            initial: 1.3,
        }
    }
}

const EVERY: [VolatilityMove; 3] = [
    VolatilityMove::Up,
    VolatilityMove::Same,
    VolatilityMove::Down,
];
/// Moves of the extended tables.
const TAILS: [f64; 8] = [-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0];

fn plain(scenarios: Vec<Scenario>, volatility: VolatilityShock) -> Part {
    Part {
        scenarios,
        dampeners: Vec::new(),
        volatility,
        ahead: 0.0,
        factor: [1.0; 2],
        whole: [1.0; 2],
        charges: Charges::default(),
    }
}

impl SpanSettings {
    fn part(&self) -> Part {
        let mut scenarios = Vec::new();
        for third in [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0] {
            for shock in [VolatilityMove::Up, VolatilityMove::Down] {
                scenarios.push(Scenario::new(third / 3.0 * self.range, shock));
            }
        }
        for way in [1.0, -1.0] {
            let far = way * self.extreme * self.range;
            scenarios.push(Scenario::damped(
                far,
                VolatilityMove::Same,
                self.extreme_share,
            ));
        }
        let volatility = VolatilityShock {
            up: self.volatility,
            down: self.volatility,
            points: true,
            short_power: 0.0,
            long_power: 0.0,
            least_up: 0.0,
            ..VolatilityShock::default()
        };
        Part {
            ahead: self.days / 365.0,
            whole: [self.initial, 1.0],
            charges: Charges {
                short_minimum: self.short_minimum,
                calendar: self.calendar,
                ..Charges::default()
            },
            ..plain(scenarios, volatility)
        }
    }
}

impl DeribitSettings {
    fn part(&self, quantum: f64) -> Part {
        let points = |points: f64, power: f64| VolatilityShock {
            up: points,
            down: points,
            points: true,
            short_power: power,
            long_power: power,
            least_up: 0.0,
            ..VolatilityShock::default()
        };
        let share = |up: f64| VolatilityShock {
            up,
            ..VolatilityShock::default()
        };
        // Range, volatility, dampener, maintenance of initial, add-ons.
        let charges = Charges::default();
        let (range, volatility, dampener, whole, charges) = match self.edition {
            DeribitEdition::Btc2024 => (
                0.16,
                share(0.5),
                100_000.0,
                [1.0, 0.8],
                Charges {
                    roll: [0.01, 0.075],
                    ..charges
                },
            ),
            DeribitEdition::Eth2026 => (
                0.18,
                share(0.4),
                200_000.0,
                [1.0, 0.8],
                Charges {
                    roll: [0.005, 0.05],
                    ..charges
                },
            ),
            DeribitEdition::Legacy10 => (
                0.10,
                points(0.38, 0.30),
                0.0,
                [1.3, 1.0],
                Charges {
                    naked: [0.01; 2],
                    ..charges
                },
            ),
            DeribitEdition::Legacy12 => (
                0.125,
                points(0.40, 0.50),
                0.0,
                [1.3, 1.0],
                Charges {
                    naked: [0.01; 2],
                    ..charges
                },
            ),
        };
        let range = self.range.unwrap_or(range);
        let dampener = self.dampener.unwrap_or(dampener) / quantum;
        let mut scenarios = Vec::new();
        for bucket in -4..=4 {
            let price = range * f64::from(bucket) / 4.0;
            scenarios.extend(EVERY.map(|shock| Scenario::new(price, shock)));
        }
        let mut dampeners = vec![0.0; scenarios.len()];
        if matches!(
            self.edition,
            DeribitEdition::Btc2024 | DeribitEdition::Eth2026
        ) {
            for price in TAILS {
                let share = (range / price.abs()).min(1.0);
                scenarios.push(Scenario::damped(price, VolatilityMove::Up, share));
                dampeners.push((price.abs() / range - 1.0).max(0.0) * dampener);
            }
        }
        Part {
            dampeners,
            whole,
            charges,
            ..plain(scenarios, self.volatility.unwrap_or(volatility))
        }
    }
}

impl DeriveSettings {
    fn part(&self) -> Part {
        let mut scenarios = Vec::new();
        for bucket in -4i32..=4 {
            let price = self.range * f64::from(bucket) / 4.0;
            match bucket.abs() {
                4 => scenarios.push(Scenario::new(price, VolatilityMove::Up)),
                _ => scenarios.extend(EVERY.map(|shock| Scenario::new(price, shock))),
            }
        }
        for price in TAILS {
            scenarios.push(Scenario::damped(
                price,
                VolatilityMove::Up,
                self.damping / price.abs(),
            ));
        }
        for shock in [VolatilityMove::Skew, VolatilityMove::Smile] {
            scenarios.push(Scenario {
                together: Together::Adverse,
                ..Scenario::new(0.0, shock)
            });
        }
        // The two scenarios of the basis are those of the range, where it is in four parts of theirs.
        let same = |price: f64| {
            scenarios.iter().position(|one| {
                one.volatility == VolatilityMove::Same && (one.price - price).abs() < 1e-9
            })
        };
        let found = (same(-self.basis), same(self.basis));
        let (low, high) = match found {
            (Some(low), Some(high)) => (low, high),
            _ => {
                let from = scenarios.len();
                let quiet = |price| Scenario::damped(price, VolatilityMove::Same, 0.0);
                scenarios.extend([quiet(-self.basis), quiet(self.basis)]);
                (from, from + 1)
            }
        };
        let both = |pair: [f64; 2]| [pair[0] + pair[1], pair[1]];
        Part {
            factor: self.factor,
            charges: Charges {
                perps: both(self.perps),
                naked: both(self.options),
                basis: Some(Basis {
                    scenarios: [low, high],
                    add: self.basis_share[0],
                    multiple: self.basis_share[1],
                }),
                ..Charges::default()
            },
            ..plain(scenarios, self.volatility)
        }
    }
}

impl OkxSettings {
    /// Spot shocks, extreme move, annual move of the basis.
    const fn published(&self) -> ([f64; 3], f64, f64) {
        match (self.class, self.before) {
            (OkxClass::Major, true) => ([0.05, 0.10, 0.15], 0.30, 0.075),
            (OkxClass::Major, false) => ([0.04, 0.08, 0.12], 0.24, 0.05),
            (OkxClass::Middle, true) => ([0.07, 0.14, 0.20], 0.40, 0.225),
            (OkxClass::Middle, false) => ([0.06, 0.12, 0.18], 0.36, 0.15),
            (OkxClass::Other, true) => ([0.08, 0.16, 0.25], 0.50, 0.45),
            (OkxClass::Other, false) => ([0.08, 0.16, 0.25], 0.50, 0.30),
        }
    }
    fn part(&self, quantum: f64) -> Part {
        let (shocks, extreme, basis) = self.published();
        let mut scenarios: Vec<Scenario> = EVERY.map(|shock| Scenario::new(0.0, shock)).into();
        for price in shocks.into_iter().flat_map(|shock| [-shock, shock]) {
            scenarios.extend(EVERY.map(|shock| Scenario::new(price, shock)));
        }
        for price in [-extreme, extreme] {
            scenarios.push(Scenario::damped(
                price,
                VolatilityMove::Same,
                self.extreme_share,
            ));
        }
        let upto: [f64; 6] = match self.before {
            true => [10e3, 70e3, 170e3, 300e3, 470e3, 700e3],
            false => [250e3, 500e3, 1e6, 2e6, 3e6, 4e6],
        };
        let times = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0];
        let mut tiers: Vec<(f64, f64)> =
            upto.iter().map(|most| most / quantum).zip(times).collect();
        tiers.push((f64::INFINITY, 12.0));
        Part {
            whole: [self.initial, 1.0],
            charges: Charges {
                roll: [0.0, basis],
                short_minimum: self.minimum,
                minimum_tiers: tiers,
                ..Charges::default()
            },
            ..plain(scenarios, self.volatility)
        }
    }
}

type Found = Vec<(String, String)>;

impl RuleSettings {
    /// The rule's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Span(_) => "span",
            Self::DeribitStandard(_) => "deribit_standard",
            Self::Deribit(_) => "deribit",
            Self::Derive(_) => "derive",
            Self::Okx(_) => "okx",
            Self::Sensitivities(_) => "sensitivities",
        }
    }

    /// The scan of a market whose quantum is worth so much; nothing for a rule without one.
    pub fn part(&self, quantum: f64) -> Option<Part> {
        match self {
            Self::Span(span) => Some(span.part()),
            Self::Deribit(deribit) => Some(deribit.part(quantum)),
            Self::Derive(derive) => Some(derive.part()),
            Self::Okx(okx) => Some(okx.part(quantum)),
            Self::DeribitStandard(_) | Self::Sensitivities(_) => None,
        }
    }

    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Found {
        let mut out = Vec::new();
        let mut share = |key: &str, found: f64, low: f64, high: f64| {
            if !(low..=high).contains(&found) {
                out.push((
                    key.to_owned(),
                    format!("found {found}, expected a number from {low} to {high}"),
                ));
            }
        };
        let shock = match self {
            Self::Span(span) => {
                share("range", span.range, 1e-6, 1.0);
                share("volatility", span.volatility, 0.0, 10.0);
                share("extreme", span.extreme, 1.0, 10.0);
                share("extreme_share", span.extreme_share, 0.0, 1.0);
                share("days", span.days, 0.0, 365.0);
                share("short_minimum", span.short_minimum, 0.0, 1.0);
                share("calendar", span.calendar, 0.0, 1.0);
                share("initial", span.initial, 1.0, 10.0);
                None
            }
            Self::Deribit(deribit) => {
                share("range", deribit.range.unwrap_or(0.1), 1e-6, 1.0);
                share("dampener", deribit.dampener.unwrap_or(0.0), 0.0, 1e12);
                deribit.volatility
            }
            Self::Derive(derive) => {
                share("range", derive.range, 1e-6, 1.0);
                share("damping", derive.damping, 0.0, 0.33);
                share("basis", derive.basis, 0.0, 1.0);
                for (key, pair) in [
                    ("factor", derive.factor),
                    ("perps", derive.perps),
                    ("options", derive.options),
                    ("basis_share", derive.basis_share),
                ] {
                    share(key, pair[0], 0.0, 20.0);
                    share(key, pair[1], 0.0, 20.0);
                }
                Some(derive.volatility)
            }
            Self::Okx(okx) => {
                share("extreme_share", okx.extreme_share, 0.0, 1.0);
                share("minimum", okx.minimum, 0.0, 1.0);
                share("initial", okx.initial, 1.0, 10.0);
                Some(okx.volatility)
            }
            Self::DeribitStandard(standard) => return standard.problems(),
            Self::Sensitivities(charges) => return charges.problems(),
        };
        let nested = shock.iter().flat_map(VolatilityShock::problems);
        out.extend(nested.map(|(key, text)| (format!("volatility.{key}"), text)));
        out
    }
}

impl OptionMarginSettings {
    /// One rule in every market.
    pub const fn of(rule: RuleSettings) -> Self {
        Self {
            rule,
            market: BTreeMap::new(),
            offsets: None,
        }
    }

    /// What is wrong with the settings under markets of these names: (key, sentence).
    pub fn problems(&self, markets: &[&str]) -> Found {
        let mut out: Found = Vec::new();
        let under = |prefix: String, list: Found| {
            list.into_iter()
                .map(move |(key, text)| (format!("{prefix}.{key}"), text))
        };
        out.extend(under(
            format!("rule.{}", self.rule.name()),
            self.rule.problems(),
        ));
        let scans = self.rule.part(1.0).is_some();
        for (name, rule) in &self.market {
            let prefix = format!("market.{name}");
            if !markets.contains(&name.as_str()) {
                out.push((
                    prefix.clone(),
                    format!("no market of that name; there are {}", markets.join(", ")),
                ));
            }
            if !scans || rule.part(1.0).is_none() {
                out.push((
                    prefix.clone(),
                    format!("{} under {}: only rules by scan (span, deribit, derive, okx) may differ by market", rule.name(), self.rule.name()),
                ));
            }
            out.extend(under(format!("{prefix}.{}", rule.name()), rule.problems()));
        }
        if let Some(matrix) = &self.offsets {
            if !scans {
                out.push((
                    "offsets".to_owned(),
                    format!("{} adds markets up: leave offsets out", self.rule.name()),
                ));
            }
            if let Err(wrong) = correlation_factor(matrix, markets.len()) {
                out.push(("offsets".to_owned(), wrong.to_string()));
            }
        }
        out
    }

    /// The rule for markets of these names, each with what a quantum is worth in settlement currency. The settings must have no problems.
    pub fn build(&self, markets: &[(&str, f64)]) -> Box<dyn OptionMargin> {
        match &self.rule {
            RuleSettings::DeribitStandard(shares) => return Box::new(Standard::new(*shares)),
            RuleSettings::Sensitivities(charges) => return Box::new(Sensitivities::new(*charges)),
            _ => {}
        }
        let parts = markets
            .iter()
            .filter_map(|(name, quantum)| {
                self.market.get(*name).unwrap_or(&self.rule).part(*quantum)
            })
            .collect();
        Box::new(ScanRule::new(
            parts,
            self.offsets.as_ref().map(Correlated::new),
        ))
    }
}

#[cfg(test)]
mod tests;
