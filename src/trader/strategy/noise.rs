//! Noise traders: orders at random times, on random sides, of random size.
//!
//! Orders arrive as a Poisson process of `rate · members` per hour. Each one:
//!
//! 1. picks a member, every one alike, and its market (a cross member's by weight);
//! 2. buys or sells with probability one half;
//! 3. is a limit order with probability `limit_share`, `distance_bps` from the mid on its passive
//!    side (buys below, sells above), withdrawn after `lifetime`; otherwise a market order;
//! 4. has a notional drawn from `size`, in whole lots, at least one.
//!
//! # Invariants
//!
//! - `a_step_depends_on_itself_alone`: what a cohort sends in a step depends on no other step and
//!   no other cohort.
//!
//! # Reference
//!
//! Daniels, Farmer, Gillemot, Iori and Smith (2003), "Quantitative model of price diffusion and
//! market friction based on trading as a mechanistic random process", Physical Review Letters 90:
//! Poisson market and limit orders of random sign. Theirs are placed evenly over all prices and
//! cancelled at a constant rate; here distance is a distribution and lifetime a number.

use super::Sizer;
use super::arrival::{arrivals, passive, pick};
use super::finding::Findings;
use crate::market::Order;
use crate::math::Draws;
use crate::math::sample::Sampled;
use crate::trader::{Behaviour, Intent, Members, View};
use crate::unit::{Grid, Side, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of noise traders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseSettings {
    /// Orders per member and hour.
    pub rate: f64,
    /// Notional of an order, in settlement currency.
    pub size: Sampled,
    /// Share of orders that are limit orders; the rest are market orders.
    #[serde(default = "half")]
    pub limit_share: f64,
    /// Distance of limit orders from the mid, in basis points.
    #[serde(default = "ten")]
    pub distance_bps: Sampled,
    /// Time after which what rests of a limit order is withdrawn; `"never"` for no such time.
    #[serde(default = "five_minutes")]
    pub lifetime: Span,
}

const fn half() -> f64 {
    0.5
}
const fn ten() -> Sampled {
    Sampled::Fixed(10.0)
}
fn five_minutes() -> Span {
    Span::seconds(300.0)
}

impl NoiseSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.not_negative("rate", self.rate);
        found.drawn("size", &self.size);
        found.check(
            (0.0..=1.0).contains(&self.limit_share),
            "limit_share",
            || format!("must lie between 0 and 1, found {}", self.limit_share),
        );
        found.drawn("distance_bps", &self.distance_bps);
        found.check(self.lifetime > Span::ZERO, "lifetime", || {
            "must be longer than 0".to_owned()
        });
        found.list()
    }
}

/// The noise traders of one cohort.
#[derive(Clone)]
pub struct Noise {
    settings: NoiseSettings,
    sizer: Sizer,
}

impl Noise {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &NoiseSettings, grids: &[Grid]) -> Self {
        Self {
            settings: settings.clone(),
            sizer: Sizer::new(grids),
        }
    }
}

impl Behaviour for Noise {
    fn act(&mut self, view: &View<'_>, members: &Members, draws: &Draws, out: &mut Vec<Intent>) {
        if members.count == 0 {
            return;
        }
        let settings = &self.settings;
        let lifetime = settings.lifetime.steps(view.dt);
        for mut stream in arrivals(settings.rate, view, members, draws) {
            let Some((owner, market)) = pick(&mut stream, view, members) else {
                continue;
            };
            let published = &view.markets[market.index()];
            let side = if stream.chance(0.5) {
                Side::Buy
            } else {
                Side::Sell
            };
            let limited = stream.chance(settings.limit_share);
            let notional = settings.size.draw(&mut stream);
            let quantity = self.sizer.lots(market, published, notional);
            let (order, lifetime) = if limited {
                let away = settings.distance_bps.draw(&mut stream) / 10_000.0;
                let price = published.mid * (1.0 - side.sign() as f64 * away);
                let limit = passive(side, price);
                (Order::limit(owner, side, quantity, limit), lifetime)
            } else {
                (Order::market(owner, side, quantity), u32::MAX)
            };
            out.push(Intent::Place {
                market,
                order,
                lifetime,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::account::State;
    use crate::market::Standing;
    use crate::unit::Lots;

    fn settings() -> NoiseSettings {
        NoiseSettings {
            rate: 6.0,
            size: Sampled::Fixed(5_000.0),
            limit_share: 0.25,
            distance_bps: Sampled::Fixed(20.0),
            lifetime: Span::seconds(60.0),
        }
    }

    #[test]
    fn orders_arrive_at_the_stated_rate_on_both_sides() {
        let world = World::isolated(100);
        let mut noise = Noise::new(&settings(), &world.grids);
        let (mut orders, mut buys, mut limits) = (0, 0, 0);
        let steps = 20_000;
        for step in 0..steps {
            for order in world.orders(&mut noise, step) {
                orders += 1;
                buys += i32::from(order.side == Side::Buy);
                limits += i32::from(order.standing == Standing::UntilCancelled);
                if let Some(limit) = order.limit {
                    assert_eq!(limit.0, 10_000 - 20 * order.side.sign());
                }
                // 5,000 over 100 a lot.
                assert_eq!(order.quantity, Lots(50));
            }
        }
        // 6 an hour · 100 members over 20,000 s: 3,333, with a standard deviation of 58.
        let mean = 6.0 * 100.0 * f64::from(steps) / 3_600.0;
        assert!((f64::from(orders) - mean).abs() < 200.0, "{orders}");
        let share = |n: i32| f64::from(n) / f64::from(orders);
        assert!((share(buys) - 0.5).abs() < 0.035);
        assert!((share(limits) - 0.25).abs() < 0.03);
    }

    #[test]
    fn a_step_depends_on_itself_alone() {
        let world = World::isolated(2_000);
        let mut fresh = Noise::new(&settings(), &world.grids);
        let mut used = Noise::new(&settings(), &world.grids);
        for step in 0..50 {
            world.orders(&mut used, step);
        }
        let expected = world.orders(&mut fresh, 50);
        assert!(!expected.is_empty());
        assert_eq!(world.orders(&mut used, 50), expected);
        assert_ne!(world.orders(&mut used, 49), expected);
        let mut other = World::isolated(2_000);
        other.members.cohort.0 = 7;
        assert_ne!(other.orders(&mut fresh, 50), expected);
        assert_eq!(world.orders(&mut fresh, 50), expected);
    }

    #[test]
    fn draws_of_one_order_never_shift_those_of_another() {
        let world = World::isolated(5_000);
        let mut fixed = Noise::new(&settings(), &world.grids);
        let mut drawn = settings();
        drawn.size = Sampled::From(crate::math::sample::Distribution::Beta {
            alpha: 0.4,
            beta: 0.7,
            min: 1.0,
            max: 1e5,
        });
        let mut drawn = Noise::new(&drawn, &world.grids);
        let (a, b) = (world.orders(&mut fixed, 3), world.orders(&mut drawn, 3));
        assert!(a.len() > 3);
        let who = |orders: &[Order]| -> Vec<_> {
            orders
                .iter()
                .map(|o| (o.owner, o.side, o.standing))
                .collect()
        };
        assert_eq!(who(&a), who(&b));
        assert_ne!(a, b);
    }

    #[test]
    fn members_in_liquidation_send_nothing() {
        let mut world = World::isolated(10);
        let mut often = settings();
        often.rate = 36_000.0;
        let mut noise = Noise::new(&often, &world.grids);
        assert!(!world.orders(&mut noise, 0).is_empty());
        for id in world.members.iter() {
            world.ledger.standing_mut(id).set_state(State::Liquidating);
        }
        assert!(world.orders(&mut noise, 0).is_empty());
    }

    #[test]
    fn cross_members_trade_by_weight() {
        let world = World::cross(10, &[0.2, 0.8]);
        let mut often = settings();
        often.rate = 3_600.0;
        let mut noise = Noise::new(&often, &world.grids);
        let (mut second, mut all) = (0, 0);
        for step in 0..500 {
            for (market, _) in world.placed(&mut noise, step) {
                all += 1;
                second += i32::from(market.0 == 1);
            }
        }
        assert!((f64::from(second) / f64::from(all) - 0.8).abs() < 0.03);
    }

    #[test]
    fn a_price_below_one_tick_and_an_endless_size_stay_within_bounds() {
        let world = World::isolated(100);
        let mut wild = settings();
        (wild.rate, wild.limit_share) = (3_600.0, 1.0);
        wild.distance_bps = Sampled::Fixed(20_000.0);
        wild.size = Sampled::Fixed(f64::MAX);
        let mut noise = Noise::new(&wild, &world.grids);
        for order in world.orders(&mut noise, 0) {
            assert!(order.limit.unwrap().0 >= 1);
            let value = world.markets[0]
                .contract
                .wide(order.quantity, world.markets[0].last);
            assert!(value <= 1 << 57);
        }
    }

    #[test]
    fn problems_are_named() {
        let bad = NoiseSettings {
            rate: -1.0,
            size: Sampled::Fixed(-2.0),
            limit_share: 1.5,
            distance_bps: Sampled::Fixed(f64::NAN),
            lifetime: Span::ZERO,
        };
        let problems = bad.problems();
        let keys: Vec<&str> = problems.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            ["rate", "size", "limit_share", "distance_bps", "lifetime"]
        );
        assert_eq!(problems[2].1, "must lie between 0 and 1, found 1.5");
        assert!(settings().problems().is_empty());
    }
}
