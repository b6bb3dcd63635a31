//! The typed scenario.

use super::ensemble::EnsembleSettings;
use super::option::OptionsSettings;
use crate::engine::Rounds;
use crate::liquidation::LiquidationSettings;
use crate::margin::option::OptionMarginSettings;
use crate::margin::{CrossSettings, HaircutSettings, MarginRule, MarginSettings};
use crate::market::anchor::{AnchorSettings, FlightSettings};
use crate::market::funding::FundingSettings;
use crate::market::mark::MarkSettings;
use crate::market::oracle::OracleSettings;
use crate::market::{BookSettings, ImpactSettings};
use crate::math::Draws;
use crate::math::linear::Matrix;
use crate::measure::{ExpectSettings, MeasureSettings};
use crate::path::{Moment, PathSettings, ShockSettings, StressSettings, TimeGrid};
use crate::safety::{FaultSettings, SafetySettings};
use crate::trader::{CohortSettings, ResponseSettings};
use crate::unit::grid::GridError;
use crate::unit::{Grid, Span};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketSettings {
    /// Price of one tick, in settlement currency per unit of the base.
    pub tick: Decimal,
    /// Quantity of one lot, in units of the base; of an inverse contract, in the quote currency.
    pub lot: Decimal,
    /// What is traded: a perpetual future, or an asset that accounts hold as collateral.
    #[serde(default, skip_serializing_if = "KindSettings::is_perpetual")]
    pub kind: KindSettings,
    /// Whether a position is worth quantity × price, or quantity ÷ price in the coin that it is settled in.
    #[serde(default, skip_serializing_if = "ContractSettings::is_linear")]
    pub contract: ContractSettings,
    /// The currency that positions are settled in, where markets of both contracts share it. A world has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<String>,
    /// Price at the start; left out where the path says it (a waypoint at the start, or a replay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// How the outside world's price moves.
    pub path: PathSettings,
    /// Where price is made.
    pub venue: VenueSettings,
    /// How the venue's trades move the outside price.
    #[serde(default)]
    pub anchor: AnchorSettings,
    /// How liquidity providers react to volatility.
    #[serde(default)]
    pub flight: FlightSettings,
    /// How the index is observed.
    #[serde(default)]
    pub oracle: OracleSettings,
    /// Which price marks positions.
    #[serde(default)]
    pub mark: MarkSettings,
    /// What longs pay shorts.
    #[serde(default)]
    pub funding: FundingSettings,
    /// Fee of whoever takes, over notional.
    #[serde(default)]
    pub taker_fee: Decimal,
    /// Fee of whoever gives, over notional; negative for a rebate.
    #[serde(default)]
    pub maker_fee: Decimal,
}

/// What a market trades.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KindSettings {
    /// A perpetual future, held on margin.
    #[default]
    Perpetual,
    /// An asset that cross accounts hold as collateral, after a haircut: bought and sold for cash, never short, without
    /// funding.
    Spot(HaircutSettings),
}

impl KindSettings {
    /// Whether what is held here is collateral.
    pub const fn is_spot(&self) -> bool {
        matches!(self, Self::Spot(_))
    }
    const fn is_perpetual(&self) -> bool {
        matches!(self, Self::Perpetual)
    }
}

/// How a contract's value follows from its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractSettings {
    /// Quantity times price, in the quote currency.
    #[default]
    Linear,
    /// Coin-margined: quantity (in the quote currency) over price, in the coin.
    Inverse,
}

impl ContractSettings {
    const fn is_linear(&self) -> bool {
        matches!(self, Self::Linear)
    }
}

/// Where price is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VenueSettings {
    /// A limit order book with ambient depth.
    Book(BookSettings),
    /// A closed-form impact law.
    Impact(ImpactSettings),
}

/// A world to simulate, in a person's terms: what a scenario file says, resolved.
///
/// Nothing is left implicit: presets are merged, defaults filled in, file names resolved. Written
/// out and read again, it is the same scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name, for the output folder; the file's name where left out.
    pub name: String,
    /// What it shows, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Date of the venue's rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Where the venue's rules were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether every figure of the venue's rules was read in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// When the run begins, UTC, for paths with dates; a replay begins with its file where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// Length of one step.
    #[serde(default = "one_second")]
    pub step: Span,
    /// Length of the run: a whole number of steps.
    #[serde(default = "one_hour")]
    pub length: Span,
    /// Seed of all random numbers.
    #[serde(default = "one")]
    pub seed: u64,
    /// Which of the seed's independent repetitions.
    #[serde(default)]
    pub replicate: u64,
    /// How often margin is checked within a step.
    #[serde(default)]
    pub rounds: Rounds,
    /// Smallest amount of money, in settlement currency.
    #[serde(default = "a_millionth")]
    pub quantum: Decimal,
    /// Which markets trade, in this order; all, alphabetically, where left out.
    #[serde(default)]
    pub markets: Vec<String>,
    /// The markets, by name.
    #[serde(default)]
    pub market: BTreeMap<String, MarketSettings>,
    /// Correlation of the markets' diffusions, row by row in the order of `markets`; independent where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Vec<Vec<f64>>>,
    /// Correlation in falls; the same as ever where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stress_correlation: Option<StressSettings>,
    /// Scheduled moves of the outside prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shock: Vec<ShockSettings>,
    /// What accounts must hold.
    #[serde(default)]
    pub margin: MarginSettings,
    /// How breached positions are closed, and who pays.
    #[serde(default)]
    pub liquidation: LiquidationSettings,
    /// The venue's fail-safes.
    #[serde(default, skip_serializing_if = "SafetySettings::is_empty")]
    pub safety: SafetySettings,
    /// What breaks, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<FaultSettings>,
    /// Options on the markets' indices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsSettings>,
    /// The traders, by cohort.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cohort: BTreeMap<String, CohortSettings>,
    /// CSV file of accounts and their positions, beside the cohorts: `account,market,qty,entry_price,collateral,mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<String>,
    /// What replicates draw anew.
    #[serde(default, skip_serializing_if = "EnsembleSettings::is_usual")]
    pub ensemble: EnsembleSettings,
    /// What the owners of the positions file's accounts do when warned or called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions_response: Option<ResponseSettings>,
    /// How calls and liquidations are judged.
    #[serde(default)]
    pub measure: MeasureSettings,
    /// What the run must show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<ExpectSettings>,
    /// Rules of a user's own, which no file can name.
    #[serde(skip)]
    pub(super) rules: Rules,
}

fn one_second() -> Span {
    Span::seconds(1.0)
}
fn one_hour() -> Span {
    Span::seconds(3_600.0)
}
const fn one() -> u64 {
    1
}
fn a_millionth() -> Decimal {
    Decimal::new(1, 6)
}

type Factory = Arc<dyn Fn() -> Box<dyn MarginRule> + Send + Sync>;

/// Makers of rules, by market. Two such lists are equal where they are for the same markets.
#[derive(Clone, Default)]
pub(super) struct Rules(BTreeMap<String, Factory>);

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}
impl Rules {
    pub(super) fn make(&self, market: &str) -> Option<Box<dyn MarginRule>> {
        self.0.get(market).map(|factory| factory())
    }
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

impl MarketSettings {
    /// What the market's integers mean.
    ///
    /// # Errors
    ///
    /// [`GridError`], where a size isn't positive or values would have to be rounded.
    pub fn grid(&self, quantum: Decimal) -> Result<Grid, GridError> {
        match self.contract {
            ContractSettings::Linear => Grid::new(self.tick, self.lot, quantum),
            ContractSettings::Inverse => Grid::inverse(self.tick, self.lot, quantum),
        }
    }
}

impl Scenario {
    /// The matrices by which outside prices move, calm and in stress.
    pub fn correlations(&self) -> [Matrix; 2] {
        let size = self.markets.len();
        let unit = |i: usize| (0..size).map(|j| f64::from(u8::from(i == j))).collect();
        let calm = self.correlation.clone();
        let calm = calm.unwrap_or_else(|| (0..size).map(unit).collect());
        let stress = self.stress_correlation.as_ref();
        let stressed = stress.map_or_else(|| calm.clone(), |stress| stress.mixed(&calm));
        [calm, stressed]
    }

    /// How positions of cross accounts are margined together, calm and in stress.
    pub fn crosses(&self) -> [CrossSettings; 2] {
        self.correlations()
            .map(|matrix| self.margin.cross.under(Some(&matrix)))
    }

    /// What accounts with options are asked, calm and in stress.
    pub fn option_margins(&self) -> Option<[OptionMarginSettings; 2]> {
        let options = self.options.as_ref()?;
        Some(self.crosses().map(|cross| {
            let mut margin = options.margin.clone();
            if let (CrossSettings::Path, CrossSettings::Correlation(matrix)) =
                (&self.margin.cross, cross)
            {
                margin.offsets.get_or_insert(matrix);
            }
            margin
        }))
    }

    /// The scenario with another seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The scenario with another replicate of its seed.
    #[must_use]
    pub const fn with_replicate(mut self, replicate: u64) -> Self {
        self.replicate = replicate;
        self
    }

    /// The scenario with a margin rule of one's own in a market, in place of the file's. The rule is made anew for
    /// every run.
    ///
    /// The rule isn't part of what [`Scenario`] writes out: a manifest alone doesn't reproduce
    /// such a run.
    #[must_use]
    pub fn with_rule(
        mut self,
        market: impl Into<String>,
        make: impl Fn() -> Box<dyn MarginRule> + Send + Sync + 'static,
    ) -> Self {
        self.rules.0.insert(market.into(), Arc::new(make));
        self
    }

    /// The scenario without rules of one's own: those of the file answer in every market.
    #[must_use]
    pub fn without_rules(mut self) -> Self {
        self.rules = Rules::default();
        self
    }

    /// The draws of a replicate.
    pub fn draws(&self, replicate: u64) -> Draws {
        Draws::varying(self.seed, replicate, &self.ensemble.vary)
    }

    /// How severe the crash of a replicate is: the factor on every log move of the outside prices.
    pub fn severity(&self, replicate: u64) -> f64 {
        self.ensemble.severity(self.seed, replicate)
    }

    /// What is known of that, where it is drawn: see [`EnsembleSettings::severity_terms`].
    pub fn severity_terms(&self, replicate: u64) -> Option<[f64; 2]> {
        self.ensemble.severity_terms(self.seed, replicate)
    }

    /// Seconds a step.
    pub const fn dt(&self) -> f64 {
        self.step.as_seconds()
    }

    /// The steps of the run, where they are a whole number.
    pub fn steps(&self) -> Option<u32> {
        let steps = self.length.as_seconds() / self.dt();
        let whole = steps.round();
        (whole >= 1.0
            && whole <= f64::from(super::MOST_STEPS)
            && (steps - whole).abs() <= 1e-9 * whole)
            .then_some(whole as u32)
    }

    /// The clock of the run. A run without a start begins in 1970.
    pub(super) fn grid(&self) -> Option<TimeGrid> {
        let start_ms = match self.start {
            Some(Moment::Utc(ms)) => ms,
            _ => 0,
        };
        Some(TimeGrid {
            start_ms,
            dt: self.dt(),
            steps: self.steps()?,
        })
    }

    /// The settings of the markets that trade, in order, with their names.
    pub fn traded(&self) -> impl Iterator<Item = (&str, &MarketSettings)> {
        self.markets
            .iter()
            .filter_map(|name| Some((name.as_str(), self.market.get(name)?)))
    }
}
