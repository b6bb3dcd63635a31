//! Market makers: quote both sides around a price that leans against their inventory.
//!
//! With mid `s`, inventory `x` in settlement currency (signed), limit `L`, volatility `σ` per
//! √second and `v = max(1, σ / σ_calm)`, a member at its turn (once every `requote`, and in the
//! first step):
//!
//! 1. withdraws its quotes, and posts none while `σ / σ_calm > withdraw_above`;
//! 2. centres on the reservation price `r = s · exp(−risk_aversion · (x / L) · σ² · horizon)`, the
//!    exponent within ±1;
//! 3. posts `levels` bids at `r − s · v^widening · (spread/2 + k · step)`, `k = 0, 1, …`, and asks
//!    likewise above, the innermost at least half a tick from `r`, each of notional `size ·
//!    v^−thinning`; never at or beyond the best price of the other side;
//! 4. leaves out what would, if filled, take the inventory past the limit: at the limit it only
//!    quotes the side that reduces.
//!
//! A cross member splits size and limit over its markets by weight.
//!
//! # Invariants
//!
//! - `quotes_never_cross`: a member's highest bid lies below its lowest ask.
//!
//! # Reference
//!
//! Avellaneda, M. and Stoikov, S. (2008), "High-frequency trading in a limit order book",
//! Quantitative Finance 8, the reservation price `r = s − q γ σ² (T − t)`. Here the shift is
//! relative (equal to first order, and no price is negative), the horizon stays constant, and `γ`
//! is stated for a full inventory: `risk_aversion = γ · L`, with `γ` per unit of currency. Their
//! optimal spread needs the decay of fill rates with distance, which this market makes itself; so
//! the spread is a setting, and grows with volatility by a power. In the stationary solution of
//! Guéant, O., Lehalle, C.-A. and Fernandez-Tapia, J. (2013), "Dealing with the inventory risk",
//! Mathematics and Financial Economics 7, it is a constant plus a term proportional to `σ`, which
//! a widening between 0 and 1 stands for; their quotes too are linear in the inventory and stop at a limit.

use super::arrival::passive;
use super::finding::Findings;
use super::{Sizer, acts, turns};
use crate::market::Order;
use crate::math::{Draws, ops};
use crate::trader::{Behaviour, Intent, Members, Published, View};
use crate::unit::span::YEAR;
use crate::unit::{AccountId, Grid, Lots, MarketId, Side, Span, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of market makers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketMakerSettings {
    /// Notional of one quote in calm, in settlement currency.
    pub size: f64,
    /// Quotes per side.
    #[serde(default = "one_level")]
    pub levels: u32,
    /// Distance between the innermost bid and ask in calm, in basis points of the mid.
    pub spread_bps: f64,
    /// Distance between two quotes of one side in calm, in basis points of the mid.
    #[serde(default)]
    pub step_bps: f64,
    /// Largest inventory, as notional in settlement currency, long or short.
    pub inventory_limit: f64,
    /// Absolute risk aversion times the inventory limit: at the limit, quotes are shifted by `risk_aversion · σ² ·
    /// horizon` of the price.
    #[serde(default)]
    pub risk_aversion: f64,
    /// Time for which the maker expects to carry its inventory.
    #[serde(default = "hour")]
    pub horizon: Span,
    /// Volatility at which quotes are as stated, annualised (365 days), e.g. `0.6`; below it
    /// nothing changes.
    pub calm_volatility: f64,
    /// Power with which distances grow with volatility over calm volatility.
    #[serde(default = "one")]
    pub widening: f64,
    /// Power with which sizes shrink with volatility over calm volatility.
    #[serde(default)]
    pub thinning: f64,
    /// Multiple of the calm volatility above which nothing is quoted; never where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraw_above: Option<f64>,
    /// Time between two requotes of a member; at least a step.
    #[serde(default)]
    pub requote: Span,
}

const fn one_level() -> u32 {
    1
}
const fn one() -> f64 {
    1.0
}
fn hour() -> Span {
    Span::seconds(3_600.0)
}

/// More quotes than this on a side say that something else was meant.
const MOST_LEVELS: u32 = 100;

impl MarketMakerSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Findings::default();
        found.positive("size", self.size);
        found.check((1..=MOST_LEVELS).contains(&self.levels), "levels", || {
            format!(
                "must lie between 1 and {MOST_LEVELS}, found {}",
                self.levels
            )
        });
        found.positive("spread_bps", self.spread_bps);
        found.not_negative("step_bps", self.step_bps);
        found.positive("inventory_limit", self.inventory_limit);
        found.not_negative("risk_aversion", self.risk_aversion);
        found.lasting("horizon", self.horizon);
        found.positive("calm_volatility", self.calm_volatility);
        found.not_negative("widening", self.widening);
        found.not_negative("thinning", self.thinning);
        if let Some(multiple) = self.withdraw_above {
            found.at_least_one("withdraw_above", multiple);
        }
        found.check(self.requote.as_seconds().is_finite(), "requote", || {
            "must not be \"never\"".to_owned()
        });
        found.list()
    }
}

/// The market makers of one cohort.
#[derive(Clone)]
pub struct MarketMaker {
    settings: MarketMakerSettings,
    sizer: Sizer,
    /// Calm volatility per √second.
    calm: f64,
}

/// What the members of a cohort quote in one market and step, apart from their inventories.
struct Terms<'a> {
    market: MarketId,
    published: &'a Published,
    /// Relative shift of the reservation price per lot held.
    shift: f64,
    /// Distance of the innermost quote from the reservation price, in ticks.
    half: f64,
    /// Distance between quotes, in ticks.
    step: f64,
    /// Lots of one quote.
    size: Lots,
    /// Lots of inventory at the limit.
    limit: Lots,
}

impl MarketMaker {
    /// The behaviour over markets with the given grids.
    pub fn new(settings: &MarketMakerSettings, grids: &[Grid]) -> Self {
        Self {
            settings: settings.clone(),
            sizer: Sizer::new(grids),
            calm: settings.calm_volatility / YEAR.sqrt(),
        }
    }

    /// A market's terms; nothing while volatility is too high to quote.
    fn terms<'a>(
        &self,
        market: MarketId,
        weight: f64,
        published: &'a Published,
    ) -> Option<Terms<'a>> {
        let settings = &self.settings;
        let multiple = published.volatility / self.calm;
        if settings.withdraw_above.is_some_and(|most| multiple > most) {
            return None;
        }
        let stress = multiple.max(1.0);
        let wide = ops::pow(stress, settings.widening);
        let thin = ops::pow(stress, -settings.thinning);
        let bps = published.mid * wide / 10_000.0;
        let limit = self
            .sizer
            .exact(market, published, settings.inventory_limit * weight)
            .max(1.0);
        let variance = published.volatility * published.volatility * settings.horizon.as_seconds();
        Some(Terms {
            market,
            published,
            shift: settings.risk_aversion * variance / limit,
            half: (settings.spread_bps / 2.0 * bps).max(0.5),
            step: settings.step_bps * bps,
            size: self
                .sizer
                .lots(market, published, settings.size * weight * thin),
            limit: Lots(limit as i64),
        })
    }

    fn quote(
        &self,
        terms: &Terms<'_>,
        held: Lots,
        owner: AccountId,
        side: Side,
        out: &mut Vec<Intent>,
    ) {
        let sign = side.sign();
        // Room in lots until inventory on this side reaches the limit.
        let mut room = terms.limit.0 - held.0 * sign;
        let shift = (terms.shift * held.as_f64()).clamp(-1.0, 1.0);
        let reservation = terms.published.mid * ops::exp(-shift);
        for level in 0..self.settings.levels {
            let quantity = terms.size.0.min(room);
            if quantity <= 0 {
                return;
            }
            let away = terms.half + f64::from(level) * terms.step;
            let price = reservation - sign as f64 * away;
            if side == Side::Buy && price < 1.0 {
                return;
            }
            let wished = passive(side, price);
            let quote = terms.published.quote;
            let limit = match side {
                Side::Buy => quote.ask.map_or(wished, |ask| wished.min(ask - Ticks(1))),
                Side::Sell => quote.bid.map_or(wished, |bid| wished.max(bid + Ticks(1))),
            };
            if limit < Ticks(1) {
                return;
            }
            room -= quantity;
            out.push(Intent::Place {
                market: terms.market,
                order: Order::post(owner, side, Lots(quantity), limit),
                lifetime: u32::MAX,
            });
        }
    }
}

impl Behaviour for MarketMaker {
    fn act(&mut self, view: &View<'_>, members: &Members, _: &Draws, out: &mut Vec<Intent>) {
        if members.count == 0 {
            return;
        }
        // To an isolated cohort a weight says how many trade the market, not how much.
        let cross = view.ledger.account(members.first).isolated().is_none();
        let period = if view.step == 0 {
            1
        } else {
            self.settings.requote.steps(view.dt)
        };
        for &(market, weight) in &members.markets {
            let published = &view.markets[market.index()];
            let terms = self.terms(market, if cross { weight } else { 1.0 }, published);
            for place in turns(view.step, period, members.count) {
                let owner = members.get(place);
                let Some(slot) = view.ledger.place(owner, market) else {
                    continue;
                };
                if !acts(view, owner) {
                    continue;
                }
                out.push(Intent::CancelAll { market, owner });
                if let Some(terms) = &terms {
                    let held = view.ledger.slot(slot).quantity;
                    self.quote(terms, held, owner, Side::Buy, out);
                    self.quote(terms, held, owner, Side::Sell, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::World;
    use super::*;
    use crate::account::State;
    use crate::market::Standing;

    fn settings() -> MarketMakerSettings {
        MarketMakerSettings {
            size: 2_000.0,
            levels: 3,
            spread_bps: 20.0,
            step_bps: 5.0,
            inventory_limit: 10_000.0,
            risk_aversion: 0.0,
            horizon: Span::seconds(3_600.0),
            calm_volatility: 1e-4 * YEAR.sqrt(),
            widening: 1.0,
            thinning: 0.5,
            withdraw_above: Some(5.0),
            requote: Span::ZERO,
        }
    }

    /// Prices and lots of one side, as one member quotes them while it holds `held` lots.
    fn quotes(settings: &MarketMakerSettings, held: i64, volatility: f64) -> [Vec<(i64, i64)>; 2] {
        let mut world = World::isolated(1);
        world.trade(world.members.first, MarketId(0), Lots(held), Ticks(10_000));
        world.markets[0].volatility = volatility;
        let mut makers = MarketMaker::new(settings, &world.grids);
        let mut sides = [Vec::new(), Vec::new()];
        let intents = world.intents(&mut makers, 0);
        assert!(matches!(intents[0], Intent::CancelAll { .. }));
        for order in world.orders(&mut makers, 0) {
            assert_eq!(order.standing, Standing::PostOnly);
            sides[order.side.index()].push((order.limit.unwrap().0, order.quantity.0));
        }
        sides
    }

    #[test]
    fn calm_quotes_are_as_stated() {
        let [bids, asks] = quotes(&settings(), 0, 1e-4);
        assert_eq!(bids, [(9_990, 20), (9_985, 20), (9_980, 20)]);
        assert_eq!(asks, [(10_010, 20), (10_015, 20), (10_020, 20)]);
        // Below calm volatility nothing changes.
        assert_eq!(quotes(&settings(), 0, 1e-5), [bids, asks]);
    }

    #[test]
    fn quotes_widen_and_thin_with_volatility_and_vanish() {
        let [bids, _] = quotes(&settings(), 0, 4e-4);
        assert_eq!(bids, [(9_960, 10), (9_940, 10), (9_920, 10)]);
        assert_eq!(quotes(&settings(), 0, 5.01e-4), [vec![], vec![]]);
    }

    #[test]
    fn the_reservation_price_leans_against_the_inventory() {
        let mut averse = settings();
        // σ² · horizon = 1e-8 · 3,600 = 3.6e-5; half the limit: a shift of 18 basis points.
        averse.risk_aversion = 100.0;
        let [bids, asks] = quotes(&averse, 50, 1e-4);
        assert_eq!(
            bids[0].0,
            (10_000.0 * ops::exp(-0.0018) - 10.0).floor() as i64
        );
        // The ask would lie at 9,992, at or below the best bid of 9,999.
        assert_eq!(asks[0].0, 10_000);
        let [bids, asks] = quotes(&averse, -50, 1e-4);
        assert_eq!(bids[0].0, 10_000);
        assert_eq!(
            asks[0].0,
            (10_000.0 * ops::exp(0.0018) + 10.0).ceil() as i64
        );
    }

    #[test]
    fn at_the_limit_only_the_reducing_side_is_quoted() {
        let [bids, asks] = quotes(&settings(), 100, 1e-4);
        assert!(bids.is_empty());
        assert_eq!(asks.len(), 3);
        let [bids, asks] = quotes(&settings(), -120, 1e-4);
        assert!(asks.is_empty());
        assert_eq!(bids.len(), 3);
        // Near it, no more than there is room for.
        let [bids, _] = quotes(&settings(), 70, 1e-4);
        assert_eq!(bids.iter().map(|bid| bid.1).collect::<Vec<_>>(), [20, 10]);
    }

    #[test]
    fn quotes_never_cross() {
        let mut tight = settings();
        (tight.spread_bps, tight.risk_aversion) = (1e-12, 500.0);
        for held in [-100, -55, -1, 0, 1, 55, 100] {
            for volatility in [1e-5, 1e-4, 4.9e-4] {
                let [bids, asks] = quotes(&tight, held, volatility);
                let best_bid = bids.iter().map(|bid| bid.0).max().unwrap_or(0);
                let best_ask = asks.iter().map(|ask| ask.0).min().unwrap_or(i64::MAX);
                assert!(best_bid < best_ask, "{held} at {volatility}");
                assert!(best_bid < 10_001 && best_ask > 9_999);
            }
        }
    }

    #[test]
    fn members_requote_in_turn_after_a_common_start() {
        let world = World::isolated(6);
        let mut slow = settings();
        slow.requote = Span::seconds(3.0);
        let mut makers = MarketMaker::new(&slow, &world.grids);
        let mut cancels = |step| {
            world
                .intents(&mut makers, step)
                .iter()
                .filter(|intent| matches!(intent, Intent::CancelAll { .. }))
                .count()
        };
        assert_eq!((cancels(0), cancels(1), cancels(2)), (6, 2, 2));
    }

    #[test]
    fn a_maker_in_liquidation_quotes_nothing() {
        let mut world = World::isolated(1);
        let mut makers = MarketMaker::new(&settings(), &world.grids);
        assert_eq!(world.intents(&mut makers, 0).len(), 7);
        world
            .ledger
            .standing_mut(world.members.first)
            .set_state(State::Closed);
        assert!(world.intents(&mut makers, 0).is_empty());
    }

    #[test]
    fn a_cross_maker_splits_its_size_by_weight() {
        let world = World::cross(1, &[0.25, 0.75]);
        let mut makers = MarketMaker::new(&settings(), &world.grids);
        for (market, order) in world.placed(&mut makers, 0) {
            assert_eq!(order.quantity.0, [5, 15][market.index()]);
        }
    }

    #[test]
    fn problems_are_named() {
        let bad = MarketMakerSettings {
            size: 0.0,
            levels: 0,
            spread_bps: 0.0,
            inventory_limit: f64::NAN,
            calm_volatility: -1.0,
            withdraw_above: Some(0.5),
            requote: Span::NEVER,
            ..settings()
        };
        let keys: Vec<_> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            [
                "size",
                "levels",
                "spread_bps",
                "inventory_limit",
                "calm_volatility",
                "withdraw_above",
                "requote"
            ]
        );
        assert!(settings().problems().is_empty());
    }
}
