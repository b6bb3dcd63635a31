//! Leverage targeters: keep exposure over equity where they want it.
//!
//! A leveraged fund that loses `r` on its assets `A` has lost the same money of a smaller equity,
//! so its leverage `λ` has risen; to restore it, it sells `(λ − 1) · A · r`. It sells as the price
//! falls, with no liquidation at all. At its turn, once every `every`, each member:
//!
//! 1. adds up equity `E` and exposure `X = Σ |quantity · mark|`;
//! 2. takes as target the smaller of `leverage` and, with a risk limit, `limit / (z · σ · √horizon)`,
//!    with `σ` the mean of its markets' volatilities weighted by exposure (as though their
//!    returns were one) and `z` the normal quantile of `confidence`;
//! 3. does nothing while `|X − target · E| ≤ band · target · E`;
//! 4. otherwise sends, in each market that it holds, a market order that scales the position by
//!    `target · E / X`, in whole lots, none where that rounds to nothing.
//!
//! A member without a position has no side to take, and stays out.
//!
//! # Invariants
//!
//! - `losses_are_amplified_as_the_closed_form_says`: with linear impact of depth `D`, a loss comes
//!   out multiplied by `1 / (1 − R)`, `R = (λ − 1) · A / D`.
//!
//! # Reference
//!
//! Adrian, T. and Shin, H. S. (2010), "Liquidity and leverage", Journal of Financial
//! Intermediation 19; Greenwood, R., Landier, A. and Thesmar, D. (2015), "Vulnerable banks",
//! Journal of Financial Economics 115; the risk limit: Aymanns, C. and Farmer, J. D. (2015), "The
//! dynamics of the leverage cycle", Journal of Economic Dynamics and Control 50: `λ ≤ 1/(σ ·
//! Φ⁻¹(a))`.

use super::finding::Findings;
use super::{acts, turns};
use crate::account::ledger::funding_due;
use crate::market::Order;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{AccountId, Lots, Side, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of leverage targeters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetLeverageSettings {
    /// Exposure over equity that is kept; with a risk limit, the most that is taken.
    pub leverage: f64,
    /// Relative distance from the target within which nothing is done, e.g. `0.05`.
    #[serde(default)]
    pub band: f64,
    /// Time between two looks of a member at its leverage; never less than its orders take.
    pub every: Span,
    /// Lets the target fall as volatility rises; constant where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_limit: Option<RiskLimit>,
}

/// A limit on value at risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskLimit {
    /// Share of equity that may be at risk, e.g. `0.2`.
    pub limit: f64,
    /// Probability that the loss stays below it, e.g. `0.99`.
    pub confidence: f64,
    /// Time over which the loss is reckoned.
    pub horizon: Span,
}

impl TargetLeverageSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.positive("leverage", self.leverage);
        found.not_negative("band", self.band);
        found.lasting("every", self.every);
        if let Some(risk) = &self.risk_limit {
            found.positive("risk_limit.limit", risk.limit);
            found.check(
                risk.confidence > 0.5 && risk.confidence < 1.0,
                "risk_limit.confidence",
                || {
                    format!(
                        "must be greater than 0.5 and less than 1, found {}",
                        risk.confidence
                    )
                },
            );
            found.lasting("risk_limit.horizon", risk.horizon);
        }
        found.list()
    }
}

/// The leverage targeters of one cohort.
#[derive(Clone)]
pub struct TargetLeverage {
    settings: TargetLeverageSettings,
    /// `limit / (z · √horizon)`: over a volatility per √second, the leverage that the limit allows.
    allowance: Option<f64>,
}

impl TargetLeverage {
    /// The behaviour.
    pub fn new(settings: &TargetLeverageSettings) -> Self {
        let allowance = settings.risk_limit.map(|risk| {
            let z = ops::normal_quantile(risk.confidence);
            risk.limit / (z * risk.horizon.as_seconds().sqrt())
        });
        Self {
            settings: settings.clone(),
            allowance,
        }
    }

    /// The leverage that is kept at a volatility per √second.
    fn target(&self, volatility: f64) -> f64 {
        let most = self.settings.leverage;
        match self.allowance {
            Some(allowance) if volatility * most > allowance => allowance / volatility,
            _ => most,
        }
    }

    fn rebalance(&self, view: &View<'_>, owner: AccountId, out: &mut Vec<Intent>) {
        let mut equity = i128::from(view.ledger.account(owner).cash.0);
        let (mut exposure, mut risk) = (0.0, 0.0);
        for (market, place) in view.ledger.places(owner) {
            let slot = view.ledger.slot(place);
            if slot.quantity.is_zero() {
                continue;
            }
            let published = &view.markets[market.index()];
            let value = published.contract.wide(slot.quantity, published.mark);
            equity += value
                - i128::from(slot.cost.0)
                - i128::from(funding_due(slot, published.funding).0);
            if published.spot {
                continue;
            }
            let notional = value.unsigned_abs() as f64;
            exposure += notional;
            risk += notional * published.volatility;
        }
        if exposure == 0.0 {
            return;
        }
        let wanted = self.target(risk / exposure) * (equity as f64).max(0.0);
        if (exposure - wanted).abs() <= self.settings.band * wanted {
            return;
        }
        let change = wanted / exposure - 1.0;
        for (market, place) in view.ledger.places(owner) {
            if view.markets[market.index()].spot {
                continue;
            }
            let held = view.ledger.slot(place).quantity;
            let lots = (held.as_f64() * change).round_ties_even() as i64;
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

impl Behaviour for TargetLeverage {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        // An order that is still on its way would be sent twice.
        let arrival = (members.latency.floor() as u32).saturating_add(1);
        let period = self.settings.every.steps(view.dt).max(arrival);
        for place in turns(view.step, period, members.count) {
            let owner = members.get(place);
            if acts(view, owner) {
                self.rebalance(view, owner, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::unit::{Cash, MarketId, Ticks};

    fn settings(leverage: f64) -> TargetLeverageSettings {
        TargetLeverageSettings {
            leverage,
            band: 0.0,
            every: Span::seconds(1.0),
            risk_limit: None,
        }
    }

    /// A world whose one member holds `lots` at 10,000 ticks, with the equity for a leverage.
    fn fund(lots: i64, leverage: i64) -> (World, AccountId) {
        let mut world = World::isolated(1);
        let id = world.members.first;
        let notional = world.markets[0]
            .contract
            .notional(Lots(lots), Ticks(10_000));
        let cash = world.ledger.account(id).cash;
        world.ledger.deposit(id, Cash(notional.0 / leverage) - cash);
        world.trade(id, MarketId(0), Lots(lots), Ticks(10_000));
        (world, id)
    }

    #[test]
    fn losses_are_amplified_as_the_closed_form_says() {
        // Prices are so fine and lots so many that rounding doesn't show.
        for (leverage, share, amplified) in [(5, 0.1, 1.0 / 0.6), (10, 0.05, 1.0 / 0.55)] {
            let mut world = World::with_prices(1, 100_000_000);
            let id = world.members.first;
            let (start, lots) = (100_000_000_i64, 1_000_000_i64);
            let notional = world.markets[0].contract.notional(Lots(lots), Ticks(start));
            let cash = world.ledger.account(id).cash;
            world.ledger.deposit(id, Cash(notional.0 / leverage) - cash);
            world.trade(id, MarketId(0), Lots(lots), Ticks(start));
            // A notional of D moves the price by 100 %: D = A / share.
            let per_lot = start as f64 * share / lots as f64;
            let mut funds = TargetLeverage::new(&settings(leverage as f64));
            let shock = 10_000.0; // one in ten thousand
            let mut price = start as f64 - shock;
            for step in 0..200 {
                world.price(0, price.round() as i64);
                let orders = world.orders(&mut funds, step);
                let Some(order) = orders.first() else { break };
                let signed = order.quantity.0 * order.side.sign();
                world.trade(id, MarketId(0), Lots(signed), world.markets[0].mark);
                if step == 0 {
                    let sold = 1e-4 * (leverage - 1) as f64 * lots as f64;
                    assert_eq!(order.side, Side::Sell);
                    assert!((order.quantity.as_f64() / sold - 1.0).abs() < 0.01);
                }
                price += signed as f64 * per_lot;
            }
            let found = (start as f64 - price) / shock;
            assert!(
                (found / amplified - 1.0).abs() < 0.01,
                "{leverage}: {found}"
            );
        }
    }

    #[test]
    fn shorts_buy_back_as_the_price_rises() {
        let (mut world, _) = fund(-1_000, 4);
        let mut funds = TargetLeverage::new(&settings(4.0));
        assert!(world.orders(&mut funds, 0).is_empty());
        world.price(0, 10_100);
        // Of the notional N at the start, X = 1.01 N and E = 0.24 N: the target of 0.96 N is 4.95 % less.
        let orders = world.orders(&mut funds, 1);
        assert_eq!((orders[0].side, orders[0].quantity), (Side::Buy, Lots(50)));
    }

    #[test]
    fn nothing_is_done_within_the_band_or_without_a_position() {
        let (mut world, _) = fund(1_000, 4);
        let mut wide = settings(4.0);
        wide.band = 0.05;
        world.price(0, 9_900); // leverage 0.99/0.24 = 4.125, 3.1 % off
        assert!(world.orders(&mut TargetLeverage::new(&wide), 0).is_empty());
        assert!(
            !world
                .orders(&mut TargetLeverage::new(&settings(4.0)), 0)
                .is_empty()
        );
        let flat = World::isolated(5);
        assert!(
            flat.orders(&mut TargetLeverage::new(&settings(4.0)), 0)
                .is_empty()
        );
    }

    #[test]
    fn a_risk_limit_lowers_the_target_as_volatility_rises() {
        let limited = TargetLeverageSettings {
            risk_limit: Some(RiskLimit {
                limit: 0.2,
                confidence: 0.99,
                horizon: Span::seconds(3_600.0),
            }),
            ..settings(10.0)
        };
        let funds = TargetLeverage::new(&limited);
        let at = |hourly: f64| funds.target(hourly / 60.0);
        assert_eq!(at(0.001), 10.0);
        assert!((at(0.02) - 0.2 / (2.326_347_874 * 0.02)).abs() < 1e-6);
        assert!((at(0.04) / at(0.02) - 0.5).abs() < 1e-12);
        assert_eq!(at(0.0), 10.0);
    }

    #[test]
    fn a_member_waits_until_its_order_has_arrived() {
        let (mut world, _) = fund(1_000, 4);
        world.price(0, 9_900);
        world.members.latency = 2.5;
        let mut funds = TargetLeverage::new(&settings(4.0));
        let acted: Vec<u32> = (0..7)
            .filter(|step| !world.orders(&mut funds, *step).is_empty())
            .collect();
        assert_eq!(acted, [0, 3, 6]);
    }

    #[test]
    fn a_cross_member_scales_all_positions_alike() {
        let mut world = World::cross(1, &[0.5, 0.5]);
        let id = world.members.first;
        let cash = world.ledger.account(id).cash;
        let one = world.markets[0]
            .contract
            .notional(Lots(1_000), Ticks(10_000));
        world.ledger.deposit(id, one - cash);
        world.trade(id, MarketId(0), Lots(1_000), Ticks(10_000));
        world.trade(id, MarketId(1), Lots(-3_000), Ticks(10_000));
        let placed = world.placed(&mut TargetLeverage::new(&settings(2.0)), 0);
        let found: Vec<_> = placed
            .iter()
            .map(|(market, order)| (market.0, order.side, order.quantity.0))
            .collect();
        assert_eq!(found, [(0, Side::Sell, 500), (1, Side::Buy, 1_500)]);
    }

    #[test]
    fn problems_are_named() {
        let bad = TargetLeverageSettings {
            leverage: 0.0,
            band: -0.1,
            every: Span::ZERO,
            risk_limit: Some(RiskLimit {
                limit: 0.0,
                confidence: 0.5,
                horizon: Span::NEVER,
            }),
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "leverage",
                "band",
                "every",
                "risk_limit.limit",
                "risk_limit.confidence",
                "risk_limit.horizon"
            ]
        );
        assert!(settings(3.0).problems().is_empty());
    }
}
