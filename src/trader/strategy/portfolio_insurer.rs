//! Portfolio insurers: replicate a put on stocks that they hold elsewhere, by selling futures as the price falls.
//!
//! A member insures stocks worth `portfolio` times its collateral (which is only the futures' margin), split over its markets by
//! weight: `N` lots of each. The put that it copies has the strike `K = floor · S₀` and ends `horizon` after the start; its delta is
//! `Δ = Φ(d₁) − 1`, `d₁ = (ln(S/K) + ½σ²T) / (σ√T)`, with `S` the mark and `σ` the `volatility` that the programme assumes. At the
//! start the stocks already stand at the programme's share, but for an `overhang` that it has called for and nobody has sold. At its
//! turn, once every `every`, each member:
//!
//! 1. works out the futures that the programme calls for, `h = N · (Δ − Δ₀ − overhang)`;
//! 2. does nothing while what it holds is within `band · N` of them;
//! 3. otherwise trades toward `h` at market, by no more than `limit · N` at a time.
//!
//! What the limit, a thin book or the cohort's latency leaves undone is its backlog: the next turn goes on with it at the price of
//! then. What a member holds at the start counts as futures sold or bought for the programme.
//!
//! # Invariants
//!
//! - `futures_follow_the_delta_of_the_put`
//! - `a_limit_leaves_a_backlog_that_is_worked_off_at_a_standing_price`
//! - `a_fall_is_multiplied_by_the_loop`: with linear impact `λ` ticks a lot, a small fall comes out as
//!   `1 / (1 − λ · N · Γ)`, Γ the put's gamma.
//!
//! # Reference
//!
//! Leland, H. and Rubinstein, M. (1981), "Replicating options with positions in stock and cash", Financial Analysts Journal
//! 37; Presidential Task Force on Market Mechanisms ("Brady report", 1988): programmes that had sold less than a third of what their
//! rules called for by the weekend before 19 October 1987.

use super::finding::Findings;
use super::{acts, turns};
use crate::market::Order;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{AccountId, Lots, Side, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of portfolio insurers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortfolioInsurerSettings {
    /// Value of the insured stocks at the start, over the member's collateral.
    pub portfolio: f64,
    /// Strike of the put that is copied, over the price at the start, e.g. `0.95`.
    pub floor: f64,
    /// Annualised volatility that the programme assumes.
    pub volatility: f64,
    /// Time from the start to the end of the insurance.
    pub horizon: Span,
    /// Share of the portfolio by which the futures may be off before anything is done.
    #[serde(default)]
    pub band: f64,
    /// Time between two looks of a member; never less than its orders take.
    pub every: Span,
    /// Most that is traded at a time, as a share of the portfolio; the rest is backlog.
    #[serde(default = "all")]
    pub limit: f64,
    /// Share of the portfolio that the programme has called for before the start, and that is still unsold.
    #[serde(default)]
    pub overhang: f64,
}

const fn all() -> f64 {
    1.0
}

impl PortfolioInsurerSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.positive("portfolio", self.portfolio);
        found.positive("floor", self.floor);
        found.positive("volatility", self.volatility);
        found.lasting("horizon", self.horizon);
        found.not_negative("band", self.band);
        found.lasting("every", self.every);
        found.positive("limit", self.limit);
        found.check((0.0..=1.0).contains(&self.overhang), "overhang", || {
            format!("must lie between 0 and 1, found {}", self.overhang)
        });
        found.list()
    }

    /// Delta of the put, of a price over the price at the start and the seconds since then.
    fn delta(&self, moneyness: f64, elapsed: f64) -> f64 {
        const YEAR: f64 = 365.0 * 86_400.0;
        let left = self.horizon.as_seconds() - elapsed;
        let over = moneyness / self.floor;
        if left <= 0.0 {
            return if over < 1.0 { -1.0 } else { 0.0 };
        }
        let sd = self.volatility * (left / YEAR).sqrt();
        ops::normal_cdf(ops::ln(over) / sd + 0.5 * sd) - 1.0
    }
}

/// The portfolio insurers of one cohort.
#[derive(Clone)]
pub struct PortfolioInsurer {
    settings: PortfolioInsurerSettings,
    /// Delta of the put at the start.
    before: f64,
    /// Prices at the start, by market; members' collateral then, in quanta.
    starts: Vec<f64>,
    capital: Vec<f64>,
}

impl PortfolioInsurer {
    /// The behaviour.
    pub fn new(settings: &PortfolioInsurerSettings) -> Self {
        Self {
            settings: *settings,
            before: settings.delta(1.0, 0.0),
            starts: Vec::new(),
            capital: Vec::new(),
        }
    }

    fn begin(&mut self, view: &View<'_>, members: &Members) {
        self.starts = view.markets.iter().map(|m| m.mark.as_f64()).collect();
        let cash = |id: AccountId| view.ledger.account(id).cash.as_f64();
        self.capital = members.iter().map(cash).collect();
    }

    fn rebalance(&self, view: &View<'_>, members: &Members, place: u32, out: &mut Vec<Intent>) {
        let owner = members.get(place);
        let isolated = view.ledger.account(owner).isolated();
        let elapsed = f64::from(view.step) * view.dt;
        for (market, slot) in view.ledger.places(owner) {
            let weight = match isolated {
                Some(_) => 1.0,
                None => members
                    .markets
                    .iter()
                    .find(|(other, _)| *other == market)
                    .map_or(0.0, |(_, weight)| *weight),
            };
            let published = &view.markets[market.index()];
            let start = self.starts[market.index()];
            let insured = self.settings.portfolio * self.capital[place as usize] * weight
                / published.contract.lot_notional(start);
            let delta = self
                .settings
                .delta(published.mark.as_f64() / start, elapsed);
            let called = insured * (delta - self.before - self.settings.overhang);
            let gap = called - view.ledger.slot(slot).quantity.as_f64();
            if gap.abs() <= self.settings.band * insured {
                continue;
            }
            let most = self.settings.limit * insured;
            let lots = gap.clamp(-most, most).round_ties_even() as i64;
            if lots != 0 {
                let side = if lots > 0 { Side::Buy } else { Side::Sell };
                out.push(Intent::Place {
                    market,
                    order: Order::market(owner, side, Lots(lots).abs()),
                    lifetime: u32::MAX,
                });
            }
        }
    }
}

impl Behaviour for PortfolioInsurer {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        if self.starts.is_empty() {
            self.begin(view, members);
        }
        // An order that is still on its way would be sent twice.
        let arrival = (members.latency.floor() as u32).saturating_add(1);
        let period = self.settings.every.steps(view.dt).max(arrival);
        for place in turns(view.step, period, members.count) {
            if acts(view, members.get(place)) {
                self.rebalance(view, members, place, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::unit::{Cash, MarketId, Ticks};

    const YEAR: f64 = 365.0 * 86_400.0;

    fn settings() -> PortfolioInsurerSettings {
        PortfolioInsurerSettings {
            portfolio: 10.0,
            floor: 1.0,
            volatility: 0.2,
            horizon: Span::seconds(YEAR),
            band: 0.0,
            every: Span::seconds(1.0),
            limit: 1.0,
            overhang: 0.0,
        }
    }

    /// One member whose stocks are worth 1,000 lots at 10,000 ticks.
    fn world() -> World {
        let mut world = World::isolated(1);
        let id = world.members.first;
        let worth = world.markets[0]
            .contract
            .notional(Lots(1_000), Ticks(10_000));
        let cash = world.ledger.account(id).cash;
        world.ledger.deposit(id, Cash(worth.0 / 10) - cash);
        world
    }

    fn signed(world: &World, insurers: &mut PortfolioInsurer, step: u32) -> i64 {
        world
            .orders(insurers, step)
            .first()
            .map_or(0, |order| order.quantity.0 * order.side.sign())
    }

    #[test]
    fn futures_follow_the_delta_of_the_put() {
        let mut world = world();
        let mut insurers = PortfolioInsurer::new(&settings());
        assert_eq!(signed(&world, &mut insurers, 0), 0);
        // Φ(0.1) = 0.539828; at 0.9 of the strike d₁ = ln 0.9 / 0.2 + 0.1 = −0.426803, Φ = 0.334760.
        world.price(0, 9_000);
        assert_eq!(signed(&world, &mut insurers, 1), -205);
        let id = world.members.first;
        world.trade(id, MarketId(0), Lots(-205), Ticks(9_000));
        assert_eq!(signed(&world, &mut insurers, 2), 0);
        // Back at the start, all is bought back.
        world.price(0, 10_000);
        assert_eq!(signed(&world, &mut insurers, 3), 205);
        // After the horizon a put in the money is all short, and one out of it nothing.
        let late = settings().delta(0.9, YEAR + 1.0);
        assert_eq!((late, settings().delta(1.1, YEAR + 1.0)), (-1.0, 0.0));
    }

    #[test]
    fn a_limit_leaves_a_backlog_that_is_worked_off_at_a_standing_price() {
        let mut world = world();
        let id = world.members.first;
        let mut insurers = PortfolioInsurer::new(&PortfolioInsurerSettings {
            limit: 0.1,
            overhang: 0.25,
            band: 0.02,
            ..settings()
        });
        let mut sold = Vec::new();
        for step in 0..5 {
            let order = signed(&world, &mut insurers, step);
            if order != 0 {
                world.trade(id, MarketId(0), Lots(order), Ticks(10_000));
            }
            sold.push(order);
        }
        assert_eq!(sold, [-100, -100, -50, 0, 0]);
        // A gap of less than the band is left.
        world.price(0, 9_960);
        assert_eq!(signed(&world, &mut insurers, 5), 0);
    }

    #[test]
    fn a_member_waits_until_its_order_has_arrived() {
        let mut world = world();
        world.members.latency = 2.5;
        let mut insurers = PortfolioInsurer::new(&PortfolioInsurerSettings {
            overhang: 0.1,
            ..settings()
        });
        let acted: Vec<u32> = (0..7)
            .filter(|step| signed(&world, &mut insurers, *step) != 0)
            .collect();
        assert_eq!(acted, [0, 3, 6]);
    }

    #[test]
    fn a_fall_is_multiplied_by_the_loop() {
        // Prices so fine and lots so many that rounding doesn't show.
        let (start, lots) = (100_000_000_i64, 1_000_000_i64);
        let mut world = World::with_prices(1, start);
        let id = world.members.first;
        let worth = world.markets[0].contract.notional(Lots(lots), Ticks(start));
        let cash = world.ledger.account(id).cash;
        world.ledger.deposit(id, Cash(worth.0 / 10) - cash);
        let mut insurers = PortfolioInsurer::new(&settings());
        assert_eq!(signed(&world, &mut insurers, 0), 0);
        // Γ·S = φ(0.1) / σ = 0.396953 / 0.2; λ is such that λ · N · Γ = ½.
        let gamma = 0.396_952_547_477_012_f64 / 0.2 / start as f64;
        let impact = 0.5 / (gamma * lots as f64);
        let shock = start as f64 * 1e-4;
        let mut price = start as f64 - shock;
        for step in 1..60 {
            world.price(0, price.round() as i64);
            let order = signed(&world, &mut insurers, step);
            if order == 0 {
                break;
            }
            world.trade(id, MarketId(0), Lots(order), world.markets[0].mark);
            price += order as f64 * impact;
        }
        let found = (start as f64 - price) / shock;
        assert!((found / 2.0 - 1.0).abs() < 0.01, "{found}");
    }

    #[test]
    fn problems_are_named() {
        let bad = PortfolioInsurerSettings {
            portfolio: 0.0,
            floor: -1.0,
            volatility: 0.0,
            horizon: Span::NEVER,
            band: -0.1,
            every: Span::ZERO,
            limit: 0.0,
            overhang: 1.5,
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "portfolio",
                "floor",
                "volatility",
                "horizon",
                "band",
                "every",
                "limit",
                "overhang"
            ]
        );
        assert!(settings().problems().is_empty());
    }
}
