//! The `[liquidation]` section of a scenario.

use super::keeper::KeeperSettings;
use super::policy::PolicySettings;
use super::waterfall::{BackstopSettings, ClosePrice, Ranking, SocialiseSettings};
use crate::unit::Span;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which part of a cross account is closed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollateralOrder {
    /// Derivatives; collateral is sold only once none is left and the account still falls short, or owes.
    #[default]
    Last,
    /// Collateral is sold for cash; derivatives are closed only once none is left.
    First,
    /// Both at once, each by its share of what the account is asked.
    Together,
}

/// Pools and top-ups of the insurance fund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FundSettings {
    /// A pool for each market in place of a common one: balances at the start, by market.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub market: BTreeMap<String, Decimal>,
    /// What the venue adds each time, divided over the pools.
    pub top_up: Decimal,
    /// How often it does.
    pub every: Span,
}

impl Default for FundSettings {
    fn default() -> Self {
        Self {
            market: BTreeMap::new(),
            top_up: Decimal::ZERO,
            every: Span::NEVER,
        }
    }
}

/// How auto-deleveraging goes about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdlSettings {
    /// Against whom.
    pub ranking: Ranking,
    /// At which price.
    pub price: ClosePrice,
    /// Fall of the fund (of the market's pool) from its highest, as a share, at which whoever is in liquidation is
    /// auto-deleveraged and no more forced orders are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown: Option<Decimal>,
    /// Window of that highest.
    pub window: Span,
}

impl Default for AdlSettings {
    fn default() -> Self {
        Self {
            ranking: Ranking::default(),
            price: ClosePrice::default(),
            drawdown: None,
            window: Span::seconds(8.0 * 3_600.0),
        }
    }
}

/// What differs in a market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketLiquidation {
    /// How a position in it is closed.
    pub policy: PolicySettings,
}

/// How breached positions are closed, and who pays what is left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiquidationSettings {
    /// How a position is closed.
    #[serde(default)]
    pub policy: PolicySettings,
    /// Whether a cross account's collateral is sold after its derivatives are closed, before, or together with them.
    #[serde(default)]
    pub collateral: CollateralOrder,
    /// What an account whose derivatives were closed by force may owe in the settlement currency with its collateral behind it;
    /// what it owes beyond has its collateral sold, down to nothing owed. Any amount where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_debt: Option<Decimal>,
    /// How it is closed in single markets, by the market's name, where that differs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub market: BTreeMap<String, MarketLiquidation>,
    /// Fee on what is closed by force, over notional; paid to the insurance fund out of what
    /// equity the account has left.
    #[serde(default)]
    pub fee: Decimal,
    /// Time from the breach to the forced order's arrival at the book.
    #[serde(default)]
    pub latency: Span,
    /// Balance of the insurance fund at the start, in settlement currency.
    #[serde(default)]
    pub insurance_fund: Decimal,
    /// The fund's pools, and what the venue adds.
    #[serde(default)]
    pub fund: FundSettings,
    /// A vault that takes positions over, after the fund; none where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backstop: Option<BackstopSettings>,
    /// Who takes what policies offer outside the book: groups of keepers, by name. Where a policy needs some and none are
    /// named, there are ten of a million each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keepers: BTreeMap<String, KeeperSettings>,
    /// Whether positions that neither fund nor backstop stand behind are closed against other traders.
    #[serde(default)]
    pub auto_deleveraging: bool,
    /// Against whom, at which price, and when else.
    #[serde(default)]
    pub adl: AdlSettings,
    /// Whether deficits that are still unpaid are taken from winners.
    #[serde(default)]
    pub socialise_losses: bool,
    /// From which winners.
    #[serde(default)]
    pub socialisation: SocialiseSettings,
}

/// The name of the keepers that a scenario doesn't name.
const UNNAMED: &str = "keepers";

impl LiquidationSettings {
    /// How positions in a market are closed.
    pub fn policy_of(&self, market: &str) -> &PolicySettings {
        self.market
            .get(market)
            .map_or(&self.policy, |own| &own.policy)
    }

    /// All policies, with the key under which each is stated.
    pub fn policies(&self) -> impl Iterator<Item = (String, &PolicySettings)> {
        let own = self.market.iter();
        let own = own.map(|(name, own)| (format!("market.{name}.policy"), &own.policy));
        std::iter::once(("policy".to_owned(), &self.policy)).chain(own)
    }

    /// Names the usual keepers where the policy needs some and none are named.
    pub fn supply_keepers(&mut self) {
        if self.keepers.is_empty() && self.policies().any(|(_, policy)| policy.needs_keepers()) {
            self.keepers
                .insert(UNNAMED.to_owned(), KeeperSettings::default());
        }
    }

    /// The insurance fund at the start, all pools together, in settlement currency.
    pub fn opening_fund(&self) -> f64 {
        let pools: Decimal = self.fund.market.values().copied().sum();
        (self.insurance_fund + pools)
            .to_f64()
            .unwrap_or(f64::INFINITY)
    }

    /// What is wrong with the settings, in a world of these markets: (key within the section, sentence).
    pub fn problems(&self, markets: &[String]) -> Vec<(String, String)> {
        let mut problems: Vec<(String, String)> = Vec::new();
        for (at, policy) in self.policies() {
            let found = policy.problems().into_iter();
            let name = policy.name();
            problems.extend(found.map(|(key, text)| (format!("{at}.{name}.{key}"), text)));
        }
        for name in self.market.keys().filter(|name| !markets.contains(name)) {
            problems.push((format!("market.{name}"), format!("no market `{name}`")));
        }
        if self.fee < Decimal::ZERO || self.fee >= Decimal::ONE {
            problems.push((
                "fee".to_owned(),
                format!("must be at least 0 and below 1, found {}", self.fee),
            ));
        }
        if let Some(debt) = self.largest_debt
            && debt < Decimal::ZERO
        {
            problems.push((
                "largest_debt".to_owned(),
                format!("must not be negative, found {debt}"),
            ));
        }
        if self.insurance_fund < Decimal::ZERO {
            problems.push((
                "insurance_fund".to_owned(),
                format!("must not be negative, found {}", self.insurance_fund),
            ));
        }
        problems.extend(self.fund_problems(markets));
        if let Some(backstop) = &self.backstop {
            let found = backstop.problems().into_iter();
            problems.extend(found.map(|(key, text)| (format!("backstop.{key}"), text)));
        }
        for (name, keepers) in &self.keepers {
            let found = keepers.problems().into_iter();
            problems.extend(found.map(|(key, text)| (format!("keepers.{name}.{key}"), text)));
        }
        let ranking = self.adl.ranking.problems().into_iter();
        problems.extend(ranking.map(|(key, text)| (format!("adl.ranking.{key}"), text)));
        if let Some(share) = self.adl.drawdown
            && (share <= Decimal::ZERO || share > Decimal::ONE)
        {
            problems.push((
                "adl.drawdown".to_owned(),
                format!("must be greater than 0 and at most 1, found {share}"),
            ));
        }
        let session = match self.socialisation {
            SocialiseSettings::Profit => None,
            SocialiseSettings::Session(session) => Some(("session", session.length)),
            SocialiseSettings::Clawback(clawback) => Some(("clawback", clawback.length)),
        };
        if let Some((kind, length)) = session.filter(|(_, length)| length.as_seconds() <= 0.0) {
            problems.push((
                format!("socialisation.{kind}.length"),
                format!("must be longer than 0, found {length}"),
            ));
        }
        problems
    }

    fn fund_problems(&self, markets: &[String]) -> Vec<(String, String)> {
        let fund = &self.fund;
        let mut problems = Vec::new();
        for (market, balance) in &fund.market {
            let key = format!("fund.market.{market}");
            if !markets.contains(market) {
                problems.push((key, format!("no market `{market}`")));
            } else if *balance < Decimal::ZERO {
                problems.push((key, format!("must not be negative, found {balance}")));
            }
        }
        if !fund.market.is_empty() && !self.insurance_fund.is_zero() {
            problems.push((
                "insurance_fund".to_owned(),
                "is one pool for all markets: expected it to be 0 beside `fund.market`".to_owned(),
            ));
        }
        if fund.top_up < Decimal::ZERO {
            problems.push((
                "fund.top_up".to_owned(),
                format!("must not be negative, found {}", fund.top_up),
            ));
        }
        if fund.every.as_seconds() <= 0.0 {
            problems.push((
                "fund.every".to_owned(),
                format!("must be longer than 0, found {}", fund.every),
            ));
        }
        problems
    }
}
