//! Policies: how a breached position is closed. One policy a file.

pub mod absorb;
pub mod bankruptcy_limit;
pub mod capped;
pub mod close_factor;
pub mod dutch_auction;
pub mod english_auction;
pub mod incremental;
pub mod loan;
pub mod market_close;
pub mod partial;
pub mod portfolio_auction;
pub mod price;
pub mod ramp;
pub mod sizing;
pub mod slices;
pub mod step_down;
pub mod target_health;
pub mod zero_price;

pub use absorb::{Absorb, AbsorbSettings};
pub use bankruptcy_limit::BankruptcyLimit;
pub use capped::{Capped, CappedSettings};
pub use close_factor::{CloseFactor, CloseFactorSettings, FixedSpreadSettings};
pub use dutch_auction::{DutchAuction, DutchAuctionSettings};
pub use english_auction::{EnglishAuction, EnglishAuctionSettings};
pub use incremental::{Incremental, IncrementalSettings};
pub use loan::Loan;
pub use market_close::MarketClose;
pub use partial::{Partial, PartialSettings};
pub use portfolio_auction::{PortfolioAuction, PortfolioAuctionSettings};
pub use ramp::{Ramp, RampSettings};
pub use slices::{Slices, SlicesSettings};
pub use step_down::{StepDown, StepDownSettings};
pub use target_health::{TargetHealth, TargetHealthSettings};
pub use zero_price::{ZeroPrice, ZeroPriceSettings};

use super::offer::Offer;
use crate::margin::Schedule;
use crate::market::{Contract, Order};
use crate::math::Draws;
use crate::unit::{AccountId, Cash, Grid, Lots, MarketId, Rate, Side, Ticks};
use dyn_clone::DynClone;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A breached position, as the liquidation engine sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// The account.
    pub account: AccountId,
    /// The market.
    pub market: MarketId,
    /// Signed quantity held.
    pub quantity: Lots,
    /// The mark.
    pub mark: Ticks,
    /// Notional at the mark.
    pub notional: Cash,
    /// Equity of the whole account at the mark.
    pub equity: Cash,
    /// Maintenance requirement of the whole account.
    pub requirement: Cash,
    /// What the account's positions ask each alone, added up: the account's requirement, unless a rule answers for all of
    /// them together.
    pub alone: Cash,
    /// This position's part of the account's requirement, as what it asks alone is part of what all do.
    pub maintenance: Cash,
    /// Signed notional of the whole account: + long on balance.
    pub net: Cash,
    /// The position's place among the account's positions, from 0.
    pub place: u16,
    /// How many positions the account holds.
    pub of: u16,
    /// The price at which closing this position leaves the account's equity to maintenance ratio
    /// as it is, and closing all leaves nothing: [`price::zero`], in ticks. For a lone
    /// position this is its bankruptcy price.
    pub zero_price: f64,
    /// The market's contract.
    pub contract: Contract,
}

impl Case {
    /// The side that closes the position.
    pub const fn closing_side(&self) -> Side {
        if self.quantity.0 > 0 {
            Side::Sell
        } else {
            Side::Buy
        }
    }

    /// The part of the account's equity that answers for this position: its share of the requirement, rounded
    /// against the account.
    pub fn own_equity(&self) -> i128 {
        let (equity, own) = (i128::from(self.equity.0), i128::from(self.maintenance.0));
        let requirement = i128::from(self.requirement.0);
        if requirement <= 0 || own == requirement {
            equity
        } else {
            (equity * own).div_euclid(requirement)
        }
    }
}

/// What a policy sees beside its cases: one market in one round.
#[derive(Clone, Copy, Debug)]
pub struct PolicyView<'a> {
    /// The step, from 0.
    pub step: u32,
    /// Seconds a step.
    pub dt: f64,
    /// The index in force, in whole ticks.
    pub index: Ticks,
    /// This step's rates.
    pub schedule: &'a Schedule,
    /// Liquidation fee over notional, which closing costs the account.
    pub fee: Rate,
    /// What the policies of other markets have under auction.
    pub raised_elsewhere: Cash,
    /// Random numbers, keyed.
    pub draws: &'a Draws,
}

/// Where and how a forced order trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Terms {
    /// In the book, as far as it goes.
    #[default]
    Book,
    /// In the book, whole or not at all.
    Whole,
    /// Outside the book, with the outside world, at the order's limit.
    Outside,
}

/// A forced order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forced {
    /// Where.
    pub market: MarketId,
    /// What.
    pub order: Order,
    /// Steps before the engine may act on this account again.
    pub cooldown: u32,
    /// On which terms.
    pub terms: Terms,
}

impl Forced {
    /// An order that meets the book.
    pub const fn book(market: MarketId, order: Order, cooldown: u32) -> Self {
        Self {
            market,
            order,
            cooldown,
            terms: Terms::Book,
        }
    }
}

/// Answers which orders are forced for breached positions. Called once per market and round with all cases in
/// ascending order of account.
///
/// Promise: never touches the ledger, and never forces more than is held.
pub trait LiquidationPolicy: DynClone + Send {
    /// Appends the forced orders for the cases.
    fn release(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Forced>);
    /// Its name in the output.
    fn name(&self) -> &'static str;
    /// Is told that an account meets its requirement again, or holds nothing any more.
    fn recovered(&mut self, account: AccountId) {
        let _ = account;
    }
    /// Whether what is left of the collateral goes to the insurance fund once all is closed.
    fn forfeits(&self) -> bool {
        false
    }
    /// Where the fee is taken only from what a fill is better than its limit: at most this rate over its value.
    fn surplus_fee(&self) -> Option<Rate> {
        None
    }
    /// Whether it sells to keepers, so that there must be some.
    fn needs_keepers(&self) -> bool {
        false
    }
    /// Appends what is offered to keepers for the cases; once a step, where [`LiquidationPolicy::needs_keepers`].
    fn offer(&mut self, view: &PolicyView<'_>, cases: &[Case], out: &mut Vec<Offer>) {
        let _ = (view, cases, out);
    }
    /// Is told that somebody began an auction that it offered.
    fn begun(&mut self, account: AccountId, step: u32) {
        let _ = (account, step);
    }
    /// Is told that a keeper took so much of a position and what that raised; whether an auction is over by that.
    fn taken(&mut self, account: AccountId, quantity: Lots, raised: Cash) -> bool {
        let _ = (account, quantity, raised);
        false
    }
    /// Whether an account stays in liquidation although it meets its requirement again, for its position is under auction.
    fn binds(&self, account: AccountId) -> bool {
        let _ = account;
        false
    }
    /// What its auctions are still to raise.
    fn raising(&self) -> Cash {
        Cash::ZERO
    }
    /// The bonus at which a loan is liquidated, where there is one: above `1 / (1 + bonus)` of debt over collateral
    /// a liquidation worsens what is left.
    fn bonus(&self, loan: &Loan) -> Option<f64> {
        let _ = loan;
        None
    }
}

dyn_clone::clone_trait_object!(LiquidationPolicy);

/// Which policy closes breached positions. Each but `slices` has defaults, so that its name alone is enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicySettings {
    /// The whole position at market, at once.
    MarketClose {},
    /// An immediate limit at the bankruptcy price; what does not fill is taken over by the insurance
    /// fund once the account is bankrupt, and the collateral that is left goes to the fund.
    BankruptcyLimit {},
    /// Large positions a fraction at a time, with a cooldown (Hyperliquid).
    Slices(SlicesSettings),
    /// As much as restores a margin ratio.
    Partial(PartialSettings),
    /// Down to a lower bracket, else taken over at the bankruptcy price (OKX, Binance, Bybit).
    StepDown(StepDownSettings),
    /// A capped part of one position a block, at no worse than the fillable price (dYdX v4).
    Capped(CappedSettings),
    /// A share of the shortage that grows with time, at the oracle price, outside the book (Drift).
    Ramp(RampSettings),
    /// An immediate order at the zero price of each position (Lighter).
    ZeroPrice(ZeroPriceSettings),
    /// Small rounds, so many a second (Deribit).
    Incremental(IncrementalSettings),
    /// To keepers: a share of the debt at a bonus, with cases for small and far gone accounts (Aave v3).
    CloseFactor(CloseFactorSettings),
    /// To keepers: a share of the debt at a bonus (Compound v2, Aave v2).
    FixedSpread(FixedSpreadSettings),
    /// To keepers: what restores a target health factor, at a bonus that rises as health falls (Aave v4).
    TargetHealth(TargetHealthSettings),
    /// To the venue's reserves, which sell to keepers (Compound v3).
    Absorb(AbsorbSettings),
    /// To keepers: at a falling price (Maker since 2021).
    DutchAuction(DutchAuctionSettings),
    /// To keepers: to the highest bidder (Maker in 2020).
    EnglishAuction(EnglishAuctionSettings),
    /// To keepers: a share of the whole account, at a falling bid (Derive).
    PortfolioAuction(PortfolioAuctionSettings),
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self::MarketClose {}
    }
}

impl PolicySettings {
    /// Its name, as a scenario writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MarketClose {} => "market_close",
            Self::BankruptcyLimit {} => "bankruptcy_limit",
            Self::Slices(_) => "slices",
            Self::Partial(_) => "partial",
            Self::StepDown(_) => "step_down",
            Self::Capped(_) => "capped",
            Self::Ramp(_) => "ramp",
            Self::ZeroPrice(_) => "zero_price",
            Self::Incremental(_) => "incremental",
            Self::CloseFactor(_) => "close_factor",
            Self::FixedSpread(_) => "fixed_spread",
            Self::TargetHealth(_) => "target_health",
            Self::Absorb(_) => "absorb",
            Self::DutchAuction(_) => "dutch_auction",
            Self::EnglishAuction(_) => "english_auction",
            Self::PortfolioAuction(_) => "portfolio_auction",
        }
    }
    /// What is wrong with the settings: (key within the policy, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        match self {
            Self::MarketClose {} | Self::BankruptcyLimit {} => Vec::new(),
            Self::Slices(settings) => settings.problems(),
            Self::Partial(settings) => settings.problems(),
            Self::StepDown(settings) => settings.problems(),
            Self::Capped(settings) => settings.problems(),
            Self::Ramp(settings) => settings.problems(),
            Self::ZeroPrice(settings) => settings.problems(),
            Self::Incremental(settings) => settings.problems(),
            Self::CloseFactor(settings) => settings.problems(),
            Self::FixedSpread(settings) => settings.plain().problems(),
            Self::TargetHealth(settings) => settings.problems(),
            Self::Absorb(settings) => settings.problems(),
            Self::DutchAuction(settings) => settings.problems(),
            Self::EnglishAuction(settings) => settings.problems(),
            Self::PortfolioAuction(settings) => settings.problems(),
        }
    }
    /// Whether it sells to keepers.
    pub const fn needs_keepers(&self) -> bool {
        matches!(
            self,
            Self::CloseFactor(_)
                | Self::FixedSpread(_)
                | Self::TargetHealth(_)
                | Self::Absorb(_)
                | Self::DutchAuction(_)
                | Self::EnglishAuction(_)
                | Self::PortfolioAuction(_)
        )
    }
    /// The bonus, or the haircut as a bonus, that is stated; with the key under which it is.
    pub fn stated_bonus(&self) -> Option<(&'static str, Decimal)> {
        match self {
            Self::CloseFactor(settings) => settings.bonus.map(|bonus| ("bonus", bonus)),
            Self::FixedSpread(settings) => settings.bonus.map(|bonus| ("bonus", bonus)),
            Self::TargetHealth(settings) => settings.bonus.map(|bonus| ("bonus", bonus)),
            Self::Absorb(settings) => settings
                .credit
                .filter(|credit| *credit > Decimal::ZERO)
                .map(|credit| ("credit", Decimal::ONE / credit - Decimal::ONE)),
            _ => None,
        }
    }
    /// The policy, with steps of `dt` seconds and cash on `grid`.
    pub fn build(&self, grid: &Grid, dt: f64) -> Box<dyn LiquidationPolicy> {
        match self {
            Self::MarketClose {} => Box::new(MarketClose),
            Self::BankruptcyLimit {} => Box::new(BankruptcyLimit),
            Self::Slices(settings) => Box::new(Slices::new(settings, grid, dt)),
            Self::Partial(settings) => Box::new(Partial::new(settings)),
            Self::StepDown(settings) => Box::new(StepDown::new(settings.clone())),
            Self::Capped(settings) => Box::new(Capped::new(settings, grid)),
            Self::Ramp(settings) => Box::new(Ramp::new(settings, grid)),
            Self::ZeroPrice(settings) => Box::new(ZeroPrice::new(settings)),
            Self::Incremental(settings) => Box::new(Incremental::new(settings, grid, dt)),
            Self::CloseFactor(settings) => Box::new(CloseFactor::new(settings, grid)),
            Self::FixedSpread(settings) => Box::new(CloseFactor::spread(settings, grid)),
            Self::TargetHealth(settings) => Box::new(TargetHealth::new(settings, grid)),
            Self::Absorb(settings) => Box::new(Absorb::new(settings)),
            Self::DutchAuction(settings) => Box::new(DutchAuction::new(settings, grid)),
            Self::EnglishAuction(settings) => Box::new(EnglishAuction::new(settings, dt)),
            Self::PortfolioAuction(settings) => Box::new(PortfolioAuction::new(settings)),
        }
    }
}

/// A decimal as a rate, to its nine places.
fn rate(decimal: Decimal) -> Rate {
    Rate::from_decimal(decimal.round_dp(9)).unwrap_or(Rate::ONE)
}

/// What is wrong with a share that must be greater than 0 and at most 1.
fn share(key: &str, found: Decimal) -> Vec<(String, String)> {
    if found > Decimal::ZERO && found <= Decimal::ONE {
        Vec::new()
    } else {
        vec![(
            key.to_owned(),
            format!("must be greater than 0 and at most 1, found {found}"),
        )]
    }
}

/// What the policies' tests share: positions at a mark of 100 ticks, a quantum a lot and tick, no fee.
#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static DRAWS: LazyLock<Draws> = LazyLock::new(|| Draws::new(1, 0));

    /// Brackets of (cap, rate).
    pub(super) fn schedule(brackets: &[(i64, f64)]) -> Schedule {
        Schedule::from_rates(
            brackets
                .iter()
                .map(|(cap, rate)| (Cash(*cap), Rate::from_f64(*rate), Rate::from_f64(*rate))),
        )
    }

    pub(super) fn view(schedule: &Schedule) -> PolicyView<'_> {
        PolicyView {
            step: 0,
            dt: 1.0,
            index: Ticks(100),
            schedule,
            fee: Rate::ZERO,
            raised_elsewhere: Cash::ZERO,
            draws: &DRAWS,
        }
    }

    /// A lone position.
    pub(super) fn case(schedule: &Schedule, quantity: i64, equity: i64) -> Case {
        let contract = Contract::linear(1);
        let notional = contract.notional(Lots(quantity), Ticks(100));
        let maintenance = schedule.maintenance(notional);
        Case {
            account: AccountId(7),
            market: MarketId(0),
            quantity: Lots(quantity),
            mark: Ticks(100),
            notional,
            equity: Cash(equity),
            requirement: maintenance,
            alone: maintenance,
            maintenance,
            net: Cash(quantity * 100),
            place: 0,
            of: 1,
            zero_price: price::zero(100.0, equity as f64, 1.0, quantity as f64),
            contract,
        }
    }

    /// Quantities and cooldowns of what a policy sends.
    pub(super) fn sent(
        policy: &mut impl LiquidationPolicy,
        view: &PolicyView<'_>,
        cases: &[Case],
    ) -> Vec<(i64, u32)> {
        let mut out = Vec::new();
        policy.release(view, cases, &mut out);
        out.iter()
            .map(|forced| (forced.order.quantity.0, forced.cooldown))
            .collect()
    }

    #[test]
    fn own_equity_is_the_share_of_the_requirement() {
        let schedule = schedule(&[(i64::MAX, 0.1)]);
        let mut case = case(&schedule, 100, 1_000);
        assert_eq!(case.own_equity(), 1_000);
        case.requirement = Cash(3_000);
        assert_eq!(case.own_equity(), 333);
        case.equity = Cash(-1_000);
        assert_eq!(case.own_equity(), -334);
    }

    #[test]
    fn a_name_is_what_a_scenario_writes() {
        for text in [
            "market_close",
            "bankruptcy_limit",
            "partial",
            "step_down",
            "capped",
            "ramp",
            "zero_price",
            "incremental",
            "close_factor",
            "fixed_spread",
            "target_health",
            "absorb",
            "dutch_auction",
            "english_auction",
            "portfolio_auction",
        ] {
            let settings: PolicySettings = toml::from_str::<toml::Table>(&format!("{text} = {{}}"))
                .unwrap()
                .try_into()
                .unwrap();
            assert_eq!(settings.name(), text);
            assert_eq!(settings.problems(), []);
            let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
            assert_eq!(settings.build(&grid, 1.0).name(), text);
        }
    }
}
