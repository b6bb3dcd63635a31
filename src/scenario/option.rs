//! The `[options]` section: which options there are, who holds them at the start, and who is on the other side.
//!
//! The series are those that somebody holds: a cohort's `options`, a file of open interest, or open interest by distribution. A file has the
//! header `account,expiry,strike,type,qty`: an account that a positions file names as `cross` holds the signed quantity; rows without an
//! account are open interest of which only the size is known, and `dealers` says which share of it the desk is long or short.

use super::load::interest::{self, InterestRow};
use super::problem::Problem;
use super::settings::{ContractSettings, Scenario};
use crate::engine::surfaces::Surfaces;
use crate::engine::{DeskSpread, OptionLiquidation, OptionsSetup};
use crate::margin::option::settings::{RuleSettings, SpanSettings};
use crate::margin::option::{OptionMargin, OptionMarginSettings};
use crate::market::Fill;
use crate::market::option::{Right, Series, SeriesId, Settlement};
use crate::math::{Draws, Purpose, ops};
use crate::path::{Moment, TimeGrid};
use crate::surface::SurfaceSettings;
use crate::trader::option::Dealt;
use crate::trader::population::{Ground, Population};
use crate::trader::{CohortSettings, Mode};
use crate::unit::{AccountId, Lots, MarketId, Rate, Side, Span, Ticks};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Options of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionsSettings {
    /// What is listed, by market.
    #[serde(default)]
    pub market: BTreeMap<String, ListingSettings>,
    /// The cohort whose first member is on the other side of what others hold and give up; the background where left out, which
    /// hedges nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// What accounts that hold options are asked for all that they hold.
    #[serde(default = "span")]
    pub margin: OptionMarginSettings,
    /// What the desk takes off a price that it pays, and adds to one that it asks, from whoever buys back or is liquidated.
    #[serde(default)]
    pub spread: SpreadSettings,
    /// How options leave an account in liquidation.
    #[serde(default)]
    pub liquidation: UnwindSettings,
}

/// What the desk takes off a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpreadSettings {
    /// Share of the worth, e.g. `0.05`.
    pub share: f64,
    /// Volatility, e.g. `0.02` for two points.
    pub volatility: f64,
}

/// How options leave an account in liquidation, once its positions can make it no more neutral.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnwindSettings {
    /// Share of what is left of each series that goes at a time.
    pub share: f64,
    /// Time between two.
    pub every: Span,
}

impl Default for UnwindSettings {
    fn default() -> Self {
        Self {
            share: 0.25,
            every: Span::seconds(1.0),
        }
    }
}

/// Options on one market's index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListingSettings {
    /// Units of the base that one contract is on.
    #[serde(default = "one")]
    pub multiplier: Decimal,
    /// In what they are quoted and paid.
    #[serde(default)]
    pub settlement: Settlement,
    /// Window over which the index is averaged at settlement; "0s" is the last.
    #[serde(default = "half_an_hour")]
    pub average: Span,
    /// Implied volatilities, and how they move.
    pub surface: SurfaceSettings,
    /// CSV file of open interest: `account,expiry,strike,type,qty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Open interest of nobody in particular, over strikes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interest: Vec<InterestSettings>,
    /// Which share of the open interest of nobody in particular the desk is long (up to 1) or short (down to −1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dealers: Option<DealerSettings>,
}

/// Sides of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealerSettings {
    /// Its share of the calls, + long and − short.
    pub calls: f64,
    /// Its share of the puts.
    pub puts: f64,
}

/// Open interest of one expiry and right, spread over strikes as a bell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterestSettings {
    /// When they expire: so long after the start, or a date.
    pub expiry: Moment,
    /// Call or put.
    pub right: Right,
    /// Contracts in all.
    pub contracts: f64,
    /// Lowest strike, over the price at the start.
    pub from: f64,
    /// Highest strike.
    pub to: f64,
    /// Distance between two strikes.
    pub step: f64,
    /// Where most of it lies.
    pub centre: f64,
    /// Standard deviation of the bell.
    pub width: f64,
}

fn span() -> OptionMarginSettings {
    OptionMarginSettings::of(RuleSettings::Span(SpanSettings::default()))
}
const fn one() -> Decimal {
    Decimal::ONE
}
fn half_an_hour() -> Span {
    Span::seconds(1_800.0)
}

impl OptionsSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(
        &self,
        markets: &[String],
        cohorts: &BTreeMap<String, CohortSettings>,
    ) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: String, text: String| {
            if !ok {
                problems.push((key, text));
            }
        };
        for (name, listing) in &self.market {
            let at = format!("market.{name}");
            check(
                markets.contains(name),
                at.clone(),
                format!(
                    "no market `{name}`; the scenario has {}",
                    markets.join(", ")
                ),
            );
            check(
                listing.multiplier > Decimal::ZERO,
                format!("{at}.multiplier"),
                format!("must be greater than 0, found {}", listing.multiplier),
            );
            check(
                listing.settlement == Settlement::Linear,
                format!("{at}.settlement"),
                "coin settlement needs a market whose contract is inverse, and options on those aren't modelled; expected linear".to_owned(),
            );
            check(
                listing.average.as_seconds().is_finite(),
                format!("{at}.average"),
                "must not be \"never\"".to_owned(),
            );
            if let Some(dealers) = listing.dealers {
                for (key, share) in [("calls", dealers.calls), ("puts", dealers.puts)] {
                    check(
                        (-1.0..=1.0).contains(&share),
                        format!("{at}.dealers.{key}"),
                        format!("must lie between -1 and 1, found {share}"),
                    );
                }
            }
            check(
                listing.interest.is_empty() || listing.dealers.is_some(),
                format!("{at}.dealers"),
                "is missing: open interest says how much there is, not who is long; e.g. { calls = -1, puts = -1 } for a desk that has sold it all".to_owned(),
            );
            for (place, interest) in listing.interest.iter().enumerate() {
                let at = format!("{at}.interest[{place}]");
                for (key, number) in [
                    ("contracts", interest.contracts),
                    ("from", interest.from),
                    ("step", interest.step),
                    ("centre", interest.centre),
                    ("width", interest.width),
                ] {
                    check(
                        number.is_finite() && number > 0.0,
                        format!("{at}.{key}"),
                        format!("must be greater than 0, found {number}"),
                    );
                }
                let strikes = (interest.to - interest.from) / interest.step;
                check(
                    (0.0..1_000.0).contains(&strikes),
                    format!("{at}.to"),
                    format!(
                        "expected at most 1000 strikes from {} up, found {}",
                        interest.from, interest.to
                    ),
                );
            }
        }
        if let Some(desk) = &self.desk {
            let known = cohorts.get(desk);
            check(
                known.is_some_and(|cohort| cohort.count > 0 && cohort.mode == Mode::Cross),
                "desk".to_owned(),
                format!("expected a cohort with a member and mode = \"cross\", found `{desk}`"),
            );
        }
        for (key, number) in [
            ("share", self.spread.share),
            ("volatility", self.spread.volatility),
        ] {
            check(
                number.is_finite() && (0.0..=1.0).contains(&number),
                format!("spread.{key}"),
                format!("must lie between 0 and 1, found {number}"),
            );
        }
        let names: Vec<&str> = markets.iter().map(String::as_str).collect();
        for (key, text) in self.margin.problems(&names) {
            check(false, format!("margin.{key}"), text);
        }
        let share = self.liquidation.share;
        check(
            share > 0.0 && share <= 1.0,
            "liquidation.share".to_owned(),
            format!("must be greater than 0 and at most 1, found {share}"),
        );
        check(
            self.liquidation.every.as_seconds().is_finite(),
            "liquidation.every".to_owned(),
            "must not be \"never\"".to_owned(),
        );
        problems
    }
}

/// What is wrong with cohorts' options beside what each says by itself: (key, sentence).
pub(super) fn cohort_problems(scenario: &Scenario) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for (name, market) in &scenario.market {
        let listed = scenario
            .options
            .as_ref()
            .is_some_and(|options| options.market.contains_key(name));
        if listed && market.contract != ContractSettings::Linear {
            problems.push((
                format!("options.market.{name}"),
                "the market's contract is inverse, and options on those aren't modelled; expected a linear one"
                    .to_owned(),
            ));
        }
    }
    for (name, cohort) in &scenario.cohort {
        if cohort.options.is_empty() {
            continue;
        }
        if cohort.mode != Mode::Cross {
            problems.push((
                format!("cohort.{name}.mode"),
                "members who hold options need one collateral for all they hold: expected \"cross\""
                    .to_owned(),
            ));
        }
        for (place, option) in cohort.options.iter().enumerate() {
            let listed = scenario
                .options
                .as_ref()
                .is_some_and(|options| options.market.contains_key(&option.market));
            if !listed {
                problems.push((
                    format!("cohort.{name}.options[{place}].market"),
                    format!(
                        "nothing is listed on {}: expected a section [options.market.{}] with a surface",
                        option.market, option.market
                    ),
                ));
            }
        }
    }
    problems
}

/// Everything that the options of a scenario are opened with.
pub(super) struct Opening<'a> {
    pub scenario: &'a Scenario,
    pub settings: &'a OptionsSettings,
    pub cohorts: &'a [(&'a str, &'a CohortSettings)],
    pub clock: &'a TimeGrid,
    pub grounds: &'a [Ground],
    pub draws: &'a Draws,
    pub margin: Arc<dyn OptionMargin>,
}

type Key = (u16, u64, i64, Right);

/// Contracts before their series have a place.
struct Wanted {
    account: AccountId,
    key: Key,
    contracts: i64,
}

fn plain(key: impl Into<String>, message: impl std::fmt::Display) -> Vec<Problem> {
    vec![Problem::new(key, message.to_string())]
}

impl Opening<'_> {
    fn key(
        &self,
        at: &str,
        market: usize,
        expiry: Moment,
        strike: f64,
        right: Right,
    ) -> Result<Key, Vec<Problem>> {
        let seconds = expiry.offset(self.clock.start_ms);
        if !(seconds.is_finite() && seconds > 0.0) {
            return Err(plain(
                format!("{at}.expiry"),
                format!("must lie after the start, found {expiry}"),
            ));
        }
        let ticks = (strike / self.grounds[market].grid.scale().tick).round();
        if !(1.0..1e15).contains(&ticks) {
            return Err(plain(
                format!("{at}.strike"),
                format!("must be at least one tick, found {strike}"),
            ));
        }
        Ok((market as u16, seconds.to_bits(), ticks as i64, right))
    }

    fn start(&self, market: usize) -> f64 {
        let ground = &self.grounds[market];
        ground.start.as_f64() * ground.grid.scale().tick
    }

    fn market(&self, name: &str) -> Option<usize> {
        self.scenario.markets.iter().position(|known| known == name)
    }

    /// What cohorts hold.
    fn dealt(&self, population: &Population, wanted: &mut Vec<Wanted>) -> Result<(), Vec<Problem>> {
        for (place, ((name, cohort), members)) in
            self.cohorts.iter().zip(&population.members).enumerate()
        {
            for (line, option) in cohort.options.iter().enumerate() {
                let at = format!("cohort.{name}.options[{line}]");
                let Some(market) = self.market(&option.market) else {
                    continue;
                };
                let strike = option.strike_at(self.start(market));
                let key = self.key(&at, market, option.expiry, strike, option.right)?;
                for member in 0..members.count {
                    let entity = member + ((line as u32) << 20);
                    let mut stream = self.draws.stream(Purpose::Options, entity, place as u32);
                    let contracts = option.contracts.draw(&mut stream);
                    if contracts.abs() > 1e12 {
                        return Err(plain(
                            format!("{at}.contracts"),
                            format!("{contracts} contracts are too many"),
                        ));
                    }
                    wanted.push(Wanted {
                        account: members.get(member),
                        key,
                        contracts: contracts.round_ties_even() as i64,
                    });
                }
            }
        }
        Ok(())
    }

    /// Open interest of nobody in particular, and a file's accounts.
    fn interest(
        &self,
        population: &Population,
        desk: AccountId,
        wanted: &mut Vec<Wanted>,
    ) -> Result<(), Vec<Problem>> {
        for (name, listing) in &self.settings.market {
            let Some(market) = self.market(name) else {
                continue;
            };
            let at = format!("options.market.{name}");
            let start = self.start(market);
            let unnamed = |key: Key, contracts: f64| -> Result<Wanted, Vec<Problem>> {
                let Some(dealers) = listing.dealers else {
                    return Err(plain(
                        format!("{at}.dealers"),
                        "is missing: a row without an account is open interest, and says not who is long",
                    ));
                };
                let share = match key.3 {
                    Right::Call => dealers.calls,
                    Right::Put => dealers.puts,
                };
                let held = (contracts * share).round_ties_even() as i64;
                Ok(Wanted {
                    account: desk,
                    key,
                    contracts: held,
                })
            };
            for (place, interest) in listing.interest.iter().enumerate() {
                let at = format!("{at}.interest[{place}]");
                let count = ((interest.to - interest.from) / interest.step + 1e-9).floor() as u32;
                let strikes: Vec<f64> = (0..=count)
                    .map(|place| interest.from + f64::from(place) * interest.step)
                    .collect();
                let bell = |strike: f64| {
                    let z = (strike - interest.centre) / interest.width;
                    ops::exp(-0.5 * z * z)
                };
                let total: f64 = strikes.iter().map(|strike| bell(*strike)).sum();
                for strike in strikes {
                    let key =
                        self.key(&at, market, interest.expiry, strike * start, interest.right)?;
                    wanted.push(unnamed(key, interest.contracts * bell(strike) / total)?);
                }
            }
            let Some(file) = &listing.file else { continue };
            let rows = interest::load(Path::new(file))
                .map_err(|error| plain(format!("{at}.file"), error))?;
            for row in &rows {
                let line = format!("{at}.file, line {}", row.line);
                let key = self.key(&line, market, row.expiry, row.strike, row.right)?;
                match &row.account {
                    None => wanted.push(unnamed(key, row.quantity)?),
                    Some(name) => wanted.push(Wanted {
                        account: holder(population, row, name, &format!("{at}.file"))?,
                        key,
                        contracts: row.quantity.round_ties_even() as i64,
                    }),
                }
            }
        }
        Ok(())
    }

    /// Opens rows, books what is held against the desk, and buys the hedge of those who begin hedged.
    pub fn open(&self, population: &mut Population) -> Result<OptionsSetup, Vec<Problem>> {
        let desk = match &self.settings.desk {
            Some(name) => self
                .cohorts
                .iter()
                .position(|(known, _)| known == name)
                .map_or(AccountId::BACKGROUND, |place| {
                    population.members[place].first
                }),
            None => AccountId::BACKGROUND,
        };
        let mut wanted = Vec::new();
        self.dealt(population, &mut wanted)?;
        self.interest(population, desk, &mut wanted)?;
        let mut places: BTreeMap<Key, SeriesId> =
            wanted.iter().map(|one| (one.key, SeriesId(0))).collect();
        if places.len() > usize::from(u16::MAX) {
            return Err(plain(
                "options",
                format!("{} series are too many", places.len()),
            ));
        }
        for (place, id) in places.values_mut().enumerate() {
            *id = SeriesId(place as u16);
        }
        let mut series = Vec::with_capacity(places.len());
        for (market, expiry, strike, right) in places.keys() {
            let m = usize::from(*market);
            let name = &self.scenario.markets[m];
            let listing = &self.settings.market[name];
            let multiplier = self.grounds[m]
                .grid
                .lots(listing.multiplier)
                .map_err(|error| plain(format!("options.market.{name}.multiplier"), error))?;
            series.push(Series {
                market: MarketId(*market),
                expiry: f64::from_bits(*expiry),
                strike: Ticks(*strike),
                right: *right,
                settlement: listing.settlement,
                multiplier,
            });
        }
        let surfaces = self.surfaces()?;
        let dealt: Vec<Dealt> = wanted
            .iter()
            .map(|one| Dealt {
                account: one.account,
                series: places[&one.key],
                contracts: one.contracts,
            })
            .collect();
        self.book(population, desk, &series, &surfaces, &dealt)?;
        self.hedge(population, &series, &surfaces);
        let dt = self.clock.dt;
        Ok(OptionsSetup {
            window: self
                .scenario
                .markets
                .iter()
                .map(|name| {
                    let listing = self.settings.market.get(name);
                    listing.map_or(1, |listing| listing.average.steps(dt).max(1))
                })
                .collect(),
            series,
            surfaces,
            desk,
            margin: Arc::clone(&self.margin),
            spread: DeskSpread {
                share: self.settings.spread.share,
                volatility: self.settings.spread.volatility,
            },
            liquidation: OptionLiquidation {
                share: self.settings.liquidation.share,
                every: self.settings.liquidation.every.steps(dt).max(1),
            },
        })
    }

    fn surfaces(&self) -> Result<Surfaces, Vec<Problem>> {
        let mut problems = Vec::new();
        for (name, listing) in &self.settings.market {
            if let Some(market) = self.market(name) {
                for (key, text) in listing.surface.problems(self.start(market)) {
                    problems.push(Problem::new(
                        format!("options.market.{name}.surface.{key}"),
                        text,
                    ));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let surface = |(name, ground): (&String, &Ground)| {
            let tick = ground.grid.scale().tick;
            let start = ground.start.as_f64();
            let listing = self.settings.market.get(name)?;
            Some(listing.surface.build(start * tick, start))
        };
        let names = self.scenario.markets.iter();
        Ok(Surfaces::new(
            names.zip(self.grounds).map(surface).collect(),
        ))
    }

    fn book(
        &self,
        population: &mut Population,
        desk: AccountId,
        series: &[Series],
        surfaces: &Surfaces,
        dealt: &[Dealt],
    ) -> Result<(), Vec<Problem>> {
        let ledger = &mut population.ledger;
        ledger.list_options(series.len());
        let all = || (0..series.len() as u16).map(SeriesId);
        for house in [AccountId::BACKGROUND, AccountId::OUTSIDE] {
            ledger.open_options(house, all());
        }
        if desk != AccountId::BACKGROUND {
            ledger.open_options(desk, all());
        }
        let mut rows: BTreeMap<AccountId, Vec<SeriesId>> = BTreeMap::new();
        for one in dealt {
            if !ledger.options().has_row(one.account) {
                rows.entry(one.account).or_default().push(one.series);
            }
        }
        for (account, mut held) in rows {
            held.sort_unstable();
            held.dedup();
            ledger.open_options(account, held);
        }
        for (place, one) in series.iter().enumerate() {
            let ground = &self.grounds[one.market.index()];
            let forward = ground.start.as_f64();
            let volatility = surfaces.volatility(one, forward, 0.0);
            let worth = one.worth(
                one.price(forward, one.years(0.0), volatility),
                &ground.contract,
            );
            ledger.publish_worth(SeriesId(place as u16), worth);
        }
        for one in dealt {
            // The outside is on the other side of what the desk holds by itself.
            let other = if one.account == desk {
                AccountId::OUTSIDE
            } else {
                desk
            };
            let worth = ledger.options().worth(one.series);
            let Some(value) = crate::market::option::value(one.contracts, worth) else {
                return Err(plain(
                    "options",
                    format!(
                        "{} contracts are worth more than fits 63 bits",
                        one.contracts
                    ),
                ));
            };
            ledger.trade_options(one.account, other, one.series, one.contracts, value);
        }
        ledger.check().map_err(|breach| plain("options", breach))
    }

    /// Members of cohorts that begin hedged hold the hedge of their options, bought from the background at the start price.
    fn hedge(&self, population: &mut Population, series: &[Series], surfaces: &Surfaces) {
        for ((_, cohort), members) in self.cohorts.iter().zip(&population.members) {
            if !cohort.strategy.begins_hedged() {
                continue;
            }
            for id in members.iter() {
                for (m, ground) in self.grounds.iter().enumerate() {
                    let forward = ground.start.as_f64();
                    let mut delta = 0.0;
                    for held in population.ledger.options().of(id) {
                        let one = &series[held.series.index()];
                        if one.market.index() == m {
                            let volatility = surfaces.volatility(one, forward, 0.0);
                            let greeks = one.greeks(forward, one.years(0.0), volatility);
                            delta += held.contracts as f64 * greeks.delta * one.multiplier.as_f64();
                        }
                    }
                    let lots = (-delta).round_ties_even() as i64;
                    if lots == 0 {
                        continue;
                    }
                    let fill = Fill {
                        taker: id,
                        maker: AccountId::BACKGROUND,
                        side: if lots > 0 { Side::Buy } else { Side::Sell },
                        quantity: Lots(lots).abs(),
                        value: ground.contract.value(Lots(lots).abs(), ground.start),
                        price: ground.start,
                    };
                    population
                        .ledger
                        .settle(MarketId(m as u16), &fill, Rate::ZERO, Rate::ZERO);
                }
            }
        }
    }
}

/// The account that a row names.
fn holder(
    population: &Population,
    row: &InterestRow,
    name: &str,
    at: &str,
) -> Result<AccountId, Vec<Problem>> {
    let known = population
        .names
        .iter()
        .find(|(id, known)| known == name && population.ledger.account(*id).isolated().is_none());
    known.map(|(id, _)| *id).ok_or_else(|| {
        plain(
            at,
            format!(
                "line {}: account {name} is not among the cross accounts of the positions file; expected one of those, or nothing for open interest of nobody in particular",
                row.line
            ),
        )
    })
}
