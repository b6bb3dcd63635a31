//! The order book against a slow and obvious one, and against what its documentation promises.

use deleverage::market::book::{Curve, Depth};
use deleverage::market::{
    Book, BookSettings, Conditions, Contract, Execution, Fill, Frame, Order, OrderId, Refusal,
    Standing, Venue,
};
use deleverage::math::ops::exp2;
use deleverage::unit::{AccountId, Cash, Lots, Side, Span, Ticks};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

const CONTRACT: Contract = Contract::linear(3);
const CEILING: i64 = 300;

fn frame(start: f64) -> Frame {
    Frame {
        contract: CONTRACT,
        ceiling: Ticks(CEILING),
        lot: 0.5,
        dt: 1.0,
        start,
    }
}

fn settings(depth: Depth, spread_bps: f64, resilience: Span) -> BookSettings {
    let settings = BookSettings {
        spread_bps,
        depth,
        resilience,
    };
    assert_eq!(settings.problems(), Vec::<String>::new());
    settings
}

fn flat(lots_per_tick: f64, resilience: Span) -> Book {
    let settings = settings(Depth::Flat { lots_per_tick }, 0.0, resilience);
    Book::new(&settings, &frame(150.0))
}

fn open(book: &mut Book, step: u32, anchor: f64, depth: f64) -> Vec<Fill> {
    let mut fills = Vec::new();
    let conditions = Conditions {
        step,
        anchor,
        depth,
    };
    book.open(&conditions, &mut fills);
    fills
}

fn market(book: &mut Book, side: Side, lots: i64) -> (Execution, Vec<Fill>) {
    let mut fills = Vec::new();
    let order = Order::market(AccountId(99), side, Lots(lots));
    (book.submit(&order, &mut fills), fills)
}

fn limit(book: &mut Book, owner: u32, side: Side, lots: i64, price: i64) -> Execution {
    let order = Order::limit(AccountId(owner), side, Lots(lots), Ticks(price));
    book.submit(&order, &mut Vec::new())
}

/// A book that does everything by looking at everything.
#[derive(Clone)]
struct Slow {
    settings: BookSettings,
    now: Conditions,
    /// In order of arrival: handle, owner, side, quantity left, price.
    orders: Vec<(usize, AccountId, Side, i64, i64)>,
    /// Holes by side and price: size in 2⁻²⁰ lots, step.
    holes: [BTreeMap<i64, (i64, u32)>; 2],
    next: usize,
    cancelled: i64,
}

impl Slow {
    fn new(settings: &BookSettings, start: f64) -> Self {
        Self {
            settings: settings.clone(),
            now: Conditions {
                step: 0,
                anchor: start,
                depth: 1.0,
            },
            orders: Vec::new(),
            holes: [BTreeMap::new(), BTreeMap::new()],
            next: 0,
            cancelled: 0,
        }
    }

    /// First quoted price of a full book.
    fn first(&self, maker: Side) -> i64 {
        let half = self.now.anchor * (self.settings.spread_bps / 20_000.0);
        let bid = (self.now.anchor - half).floor() as i64;
        let ask = (self.now.anchor + half).ceil() as i64;
        match maker {
            Side::Buy => bid - i64::from(bid == ask),
            Side::Sell => ask + i64::from(bid == ask),
        }
    }

    fn cumulative(&self, maker: Side, price: i64) -> i64 {
        let steps = match maker {
            Side::Buy => self.first(maker) - price,
            Side::Sell => price - self.first(maker),
        };
        if steps < 0 {
            return 0;
        }
        let lots = match &self.settings.depth {
            Depth::None {} => 0.0,
            Depth::Flat { lots_per_tick } => lots_per_tick * (steps + 1) as f64,
            Depth::Curve(curve) => {
                let own = match maker {
                    Side::Buy => &curve.bid,
                    Side::Sell => &curve.ask,
                };
                let points = own.as_ref().unwrap_or(&curve.points);
                let away = (price as f64 - self.now.anchor).abs() / self.now.anchor * 10_000.0;
                let away = away.min(curve.reach_bps);
                let (mut from, mut before) = (0.0, 0.0);
                let mut lots = 0.0;
                for (place, point) in points.iter().enumerate() {
                    let slope = (point[1] / 0.5 - before) / (point[0] - from);
                    if away < point[0] || place + 1 == points.len() {
                        lots = if away < point[0] {
                            (before + (away - from) * slope).min(point[1] / 0.5)
                        } else {
                            point[1] / 0.5 + (away - point[0]) * slope
                        };
                        break;
                    }
                    (from, before) = (point[0], point[1] / 0.5);
                }
                lots
            }
        };
        (lots * self.now.depth).floor() as i64
    }

    fn hole(&self, maker: Side, price: i64) -> (i64, i64) {
        let (size, step) = *self.holes[maker.index()].get(&price).unwrap_or(&(0, 0));
        let half_life = self.settings.resilience.as_seconds();
        let elapsed = f64::from(self.now.step - step);
        let weight = if elapsed == 0.0 || half_life == f64::INFINITY {
            1.0
        } else if half_life == 0.0 {
            0.0
        } else {
            exp2(-elapsed / half_life)
        };
        let left = (size as f64 * weight).round_ties_even() as i64;
        let rounding = (price as u32).wrapping_mul(2_654_435_769) >> 12;
        let whole = (left + i64::from(rounding)) >> 20;
        (if whole == 0 { 0 } else { left }, whole)
    }

    fn available(&self, maker: Side, price: i64) -> i64 {
        let before = match maker {
            Side::Buy => price + 1,
            Side::Sell => price - 1,
        };
        if let Depth::Curve(curve) = &self.settings.depth {
            // A level beyond the reach holds nothing, not even what the curve has up to there.
            let reach = self.now.anchor * curve.reach_bps / 10_000.0;
            let (low, high) = (self.now.anchor - reach, self.now.anchor + reach);
            if (price as f64) < low || price as f64 > high {
                return 0;
            }
        }
        let target = self.cumulative(maker, price) - self.cumulative(maker, before);
        (target - self.hole(maker, price).1).max(0)
    }

    fn ambient(&self, maker: Side) -> Option<i64> {
        let has = |price: &i64| self.available(maker, *price) > 0;
        match maker {
            Side::Buy => (1..CEILING).rev().find(has),
            Side::Sell => (1..CEILING).find(has),
        }
    }

    fn explicit(&self, maker: Side) -> Option<usize> {
        let of_side = |place: &usize| self.orders[*place].2 == maker;
        let places = (0..self.orders.len()).filter(of_side);
        match maker {
            Side::Buy => places.min_by_key(|place| (-self.orders[*place].4, *place)),
            Side::Sell => places.min_by_key(|place| (self.orders[*place].4, *place)),
        }
    }

    fn eat(&mut self, maker: Side, price: i64, lots: i64) {
        let (left, _) = self.hole(maker, price);
        self.holes[maker.index()].insert(price, (left + (lots << 20), self.now.step));
    }

    fn open(&mut self, now: Conditions) -> Vec<Fill> {
        self.now = now;
        let mut fills: Vec<Fill> = Vec::new();
        for maker in [Side::Buy, Side::Sell] {
            let other = maker.opposite();
            while let (Some(place), Some(at)) = (self.explicit(maker), self.ambient(other)) {
                let (_, owner, _, quantity, price) = self.orders[place];
                if (maker == Side::Buy && price < at) || (maker == Side::Sell && price > at) {
                    break;
                }
                let lots = quantity.min(self.available(other, at));
                self.eat(other, at, lots);
                self.orders[place].3 -= lots;
                let fill = trade(AccountId::BACKGROUND, owner, other, lots, price);
                match fills.last_mut() {
                    // One fill per resting order, however many levels it met.
                    Some(before) if before.maker == owner => {
                        before.quantity += fill.quantity;
                        before.value += fill.value;
                    }
                    _ => fills.push(fill),
                }
                if self.orders[place].3 == 0 {
                    self.orders.remove(place);
                    // The next fill belongs to another order, even of the same owner.
                    fills.push(trade(AccountId::FEES, AccountId::FEES, other, 0, 0));
                }
            }
        }
        fills.retain(|fill| fill.quantity > Lots::ZERO);
        fills
    }

    fn submit(&mut self, order: &Order) -> (Vec<Fill>, Option<usize>, i64, bool) {
        let maker = order.side.opposite();
        let bound = match (order.limit, order.side) {
            (Some(limit), _) => limit.0,
            (None, Side::Buy) => CEILING - 1,
            (None, Side::Sell) => 1,
        };
        let beyond = |price: i64| match order.side {
            Side::Buy => price > bound,
            Side::Sell => price < bound,
        };
        let mut left = order.quantity.0;
        let mut fills: Vec<Fill> = Vec::new();
        let mut run = false;
        while left > 0 {
            let place = self.explicit(maker);
            let explicit = place.map(|place| self.orders[place].4);
            let ambient = self.ambient(maker);
            let best = match order.side {
                Side::Buy => explicit.into_iter().chain(ambient).min(),
                Side::Sell => explicit.into_iter().chain(ambient).max(),
            };
            let Some(best) = best.filter(|best| !beyond(*best)) else {
                break;
            };
            if order.standing == Standing::PostOnly {
                return (fills, None, left, true);
            }
            if let Some(place) = place.filter(|_| explicit == Some(best)) {
                run = false;
                let (_, owner, _, quantity, _) = self.orders[place];
                if owner == order.owner {
                    self.cancelled += quantity;
                    self.orders.remove(place);
                    continue;
                }
                let lots = left.min(quantity);
                fills.push(trade(order.owner, owner, order.side, lots, best));
                left -= lots;
                self.orders[place].3 -= lots;
                if lots == quantity {
                    self.orders.remove(place);
                }
            } else {
                let lots = left.min(self.available(maker, best));
                self.eat(maker, best, lots);
                let fill = trade(order.owner, AccountId::BACKGROUND, order.side, lots, best);
                match fills.last_mut() {
                    Some(before) if run => {
                        before.quantity += fill.quantity;
                        before.value += fill.value;
                        before.price = fill.price;
                    }
                    _ => fills.push(fill),
                }
                left -= lots;
                run = true;
            }
        }
        let mut id = None;
        if left > 0 && order.standing != Standing::Immediate {
            id = Some(self.next);
            self.orders
                .push((self.next, order.owner, order.side, left, bound));
            self.next += 1;
        }
        (fills, id, left, false)
    }

    fn remaining(&self, id: usize) -> i64 {
        self.orders
            .iter()
            .find(|order| order.0 == id)
            .map_or(0, |order| order.3)
    }
}

fn trade(taker: AccountId, maker: AccountId, side: Side, lots: i64, price: i64) -> Fill {
    Fill {
        taker,
        maker,
        side,
        quantity: Lots(lots),
        value: CONTRACT.value(Lots(lots), Ticks(price)),
        price: Ticks(price),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Open { anchor: f64, depth: f64, later: u32 },
    Submit(Order),
    Cancel(usize),
    Reduce(usize, i64),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn any_order() -> impl Strategy<Value = Order> {
    let near = prop_oneof![4 => 130i64..170, 1 => 1i64..CEILING];
    (5u32..9, side(), 1i64..60, near, 0..6).prop_map(|(owner, side, lots, price, kind)| {
        let (owner, lots, price) = (AccountId(owner), Lots(lots), Ticks(price));
        match kind {
            0 => Order::market(owner, side, lots),
            1 => Order::immediate(owner, side, lots, price),
            2 => Order::post(owner, side, lots, price),
            _ => Order::limit(owner, side, lots, price),
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let depth = prop_oneof![2 => Just(1.0), 1 => 0.0..1.0f64];
    let anchor = prop_oneof![Just(150.0), 135.0..165.0f64];
    prop_oneof![
        2 => (anchor, depth, 0u32..4).prop_map(|(anchor, depth, later)| Step::Open { anchor, depth, later }),
        6 => any_order().prop_map(Step::Submit),
        2 => (0usize..1_000).prop_map(Step::Cancel),
        1 => (0usize..1_000, 1i64..30).prop_map(|(which, lots)| Step::Reduce(which, lots)),
    ]
}

fn any_settings() -> impl Strategy<Value = BookSettings> {
    let curve = |points: &[[f64; 2]], ask: Option<Vec<[f64; 2]>>, reach_bps| {
        Depth::Curve(Curve {
            points: points.to_vec(),
            bid: None,
            ask,
            reach_bps,
        })
    };
    let depth = prop_oneof![
        Just(Depth::None {}),
        Just(Depth::Flat { lots_per_tick: 4.0 }),
        Just(Depth::Flat { lots_per_tick: 0.3 }),
        Just(curve(&[[100.0, 5.0], [500.0, 40.0]], None, 2_500.0)),
        Just(curve(
            &[[900.0, 7.0]],
            Some(vec![[50.0, 1.0], [60.0, 1.0], [777.0, 61.5]]),
            800.0
        )),
    ];
    let spread = prop_oneof![Just(0.0), Just(150.0), Just(400.0)];
    let resilience = prop_oneof![
        Just(Span::NEVER),
        Just(Span::ZERO),
        Just(Span::seconds(1.0)),
        Just(Span::seconds(3.7)),
    ];
    (depth, spread, resilience).prop_map(|(depth, spread, span)| settings(depth, spread, span))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_book_does_what_an_obvious_book_does(
        settings in any_settings(),
        steps in proptest::collection::vec(any_step(), 1..90),
        probes in proptest::collection::vec((side(), 1i64..CEILING), 90),
    ) {
        let mut book = Book::new(&settings, &frame(150.0));
        let mut slow = Slow::new(&settings, 150.0);
        let mut now = 0;
        let mut ids: Vec<(OrderId, usize)> = Vec::new();
        let (mut submitted, mut traded, mut withdrawn, mut dropped) = (0, 0, 0, 0);
        for (step, (taker, limit)) in steps.into_iter().zip(probes) {
            let mut fills = Vec::new();
            match step {
                Step::Open { anchor, depth, later } => {
                    now += later;
                    let conditions = Conditions { step: now, anchor, depth };
                    book.open(&conditions, &mut fills);
                    prop_assert_eq!(&fills, &slow.open(conditions));
                    traded += fills.iter().map(|fill| fill.quantity.0).sum::<i64>();
                }
                Step::Submit(order) => {
                    let done = book.submit(&order, &mut fills);
                    let (expected, id, left, refused) = slow.submit(&order);
                    prop_assert_eq!(&fills, &expected);
                    prop_assert_eq!(done.refused, refused.then_some(Refusal::WouldTrade));
                    prop_assert_eq!(done.filled, fills.iter().map(|fill| fill.quantity).sum());
                    prop_assert_eq!(done.value, fills.iter().map(|fill| fill.value).sum());
                    prop_assert_eq!(done.prices.map(|prices| prices.1), fills.last().map(|fill| fill.price));
                    prop_assert_eq!(done.resting.is_some(), id.is_some());
                    submitted += order.quantity.0;
                    for fill in &fills {
                        // Two orders meet in a trade between traders, one in a trade with the depth.
                        traded += fill.quantity.0 * if fill.maker == AccountId::BACKGROUND { 1 } else { 2 };
                    }
                    match done.resting.zip(id) {
                        Some(pair) => ids.push(pair),
                        None => dropped += left,
                    }
                }
                Step::Cancel(which) if !ids.is_empty() => {
                    let (id, same) = ids[which % ids.len()];
                    let lots = book.cancel(id);
                    prop_assert_eq!(lots.0, slow.remaining(same));
                    slow.orders.retain(|order| order.0 != same);
                    prop_assert_eq!(book.cancel(id), Lots::ZERO);
                    withdrawn += lots.0;
                }
                Step::Reduce(which, lots) if !ids.is_empty() => {
                    let (id, same) = ids[which % ids.len()];
                    let before = slow.remaining(same);
                    prop_assert_eq!(book.reduce(id, Lots(lots)), lots < before);
                    if lots < before {
                        withdrawn += before - lots;
                        let order = slow.orders.iter_mut().find(|order| order.0 == same);
                        order.unwrap().3 = lots;
                    }
                }
                _ => {}
            }
            // never_crossed
            let quote = book.quote();
            let slow_best = |maker| {
                let explicit = slow.explicit(maker).map(|place| slow.orders[place].4);
                let both = explicit.into_iter().chain(slow.ambient(maker));
                if maker == Side::Buy { both.max() } else { both.min() }
            };
            prop_assert_eq!(quote.bid, slow_best(Side::Buy).map(Ticks));
            prop_assert_eq!(quote.ask, slow_best(Side::Sell).map(Ticks));
            if let (Some(bid), Some(ask)) = (quote.bid, quote.ask) {
                prop_assert!(bid < ask);
            }
            // depth_is_what_a_sweep_takes
            let deep = book.depth(taker, Ticks(limit));
            let sweep = Order::immediate(AccountId(99), taker, Lots(1 << 40), Ticks(limit));
            prop_assert_eq!(deep, book.clone().submit(&sweep, &mut Vec::new()).filled);
            // And as far as several limits at once, that of the sweep among them.
            let outward = if taker == Side::Buy { 1 } else { -1 };
            let limits = [-40, -7, 0, 0, 1, 30].map(|far| Ticks(limit + outward * far));
            let mut several = [Lots(-1); 6];
            book.depths(taker, &limits, &mut several);
            prop_assert_eq!(several, limits.map(|limit| book.depth(taker, limit)));
            // quantity_is_conserved
            let resting: i64 = ids.iter().map(|(id, _)| book.remaining(*id).0).sum();
            prop_assert_eq!(submitted, traded + withdrawn + slow.cancelled + resting + dropped);
            for (id, same) in &ids {
                prop_assert_eq!(book.remaining(*id).0, slow.remaining(*same));
            }
        }
    }
}

#[test]
fn a_flat_book_falls_one_tick_per_its_lots_whatever_happens_in_between() {
    let mut book = flat(10.0, Span::NEVER);
    let (done, fills) = market(&mut book, Side::Sell, 100);
    assert_eq!(done.prices, Some((Ticks(149), Ticks(140))));
    assert_eq!(fills.len(), 1, "one run, one fill");
    let exact: i64 = (140..150).map(|price| 10 * price * 3).sum();
    assert_eq!(fills[0].value, Cash(exact));
    for step in 1..2_000 {
        open(&mut book, step, 150.0, 1.0);
    }
    let own = limit(&mut book, 7, Side::Buy, 5, 120).resting.unwrap();
    book.cancel(own);
    market(&mut book, Side::Buy, 35);
    let (done, _) = market(&mut book, Side::Sell, 100);
    assert_eq!(done.prices, Some((Ticks(139), Ticks(130))));
    assert_eq!(book.last(), Ticks(130));
}

/// Uniform triggers on a uniform book: every tick of fall forces `g` lots, each tick absorbs `q`.
#[test]
fn forced_sales_on_a_lattice_add_up_to_the_geometric_series() {
    for (q, g, first, executed, fall) in [
        (10, 0, 100, 100, 10),
        (10, 5, 100, 200, 20),
        (10, 9, 50, 500, 50),
    ] {
        let mut book = flat(f64::from(q), Span::NEVER);
        let (mut total, mut reached, mut forced) = (0, 150, first);
        while forced > 0 {
            market(&mut book, Side::Sell, forced);
            total += forced;
            forced = g * (reached - book.last().0);
            reached = book.last().0;
        }
        assert_eq!((total, 150 - reached), (executed, fall), "q {q}, g {g}");
    }
}

#[test]
fn half_is_refilled_after_a_half_life() {
    let mut book = flat(10.0, Span::seconds(60.0));
    market(&mut book, Side::Sell, 400);
    assert_eq!(book.depth(Side::Sell, Ticks(110)), Lots::ZERO);
    open(&mut book, 60, 150.0, 1.0);
    assert_eq!(book.depth(Side::Sell, Ticks(110)), Lots(200));
    open(&mut book, 120, 150.0, 1.0);
    assert_eq!(book.depth(Side::Sell, Ticks(110)), Lots(300));
}

#[test]
fn levels_of_one_lot_refill_at_the_rate_of_the_half_life() {
    let mut book = flat(1.0, Span::seconds(50.0));
    market(&mut book, Side::Sell, 128);
    for (step, share) in [(10, 0.1294), (50, 0.5), (100, 0.75), (200, 0.9375)] {
        open(&mut book, step, 150.0, 1.0);
        let back = book.depth(Side::Sell, Ticks(22)).as_f64() / 128.0;
        assert!(
            (back - share).abs() < 0.02,
            "{back} of {share} after {step}"
        );
    }
}

#[test]
fn targets_add_up_to_the_curve() {
    let curve = Curve {
        points: vec![[100.0, 5.0], [500.0, 40.0]],
        bid: None,
        ask: Some(vec![[1_000.0, 10.0]]),
        reach_bps: 2_000.0,
    };
    let settings = settings(Depth::Curve(curve), 0.0, Span::NEVER);
    let mut wide = frame(100_000.0);
    wide.ceiling = Ticks(1 << 22);
    let mut book = Book::new(&settings, &wide);
    for (bps, lots) in [
        (100.0, 10),
        (300.0, 45),
        (500.0, 80),
        (2_000.0, 342),
        (5_000.0, 342),
    ] {
        // Lots of 0.5; 35 units per 400 bps go on from 500 to 2 000 bps.
        assert_eq!(book.ambient_within(Side::Buy, bps), Lots(lots), "{bps} bps");
    }
    assert_eq!(book.depth_within(Side::Sell, 2_000.0), Lots(40));
    open(&mut book, 1, 100_000.0, 0.25);
    assert_eq!(book.ambient_within(Side::Buy, 500.0), Lots(20));
    open(&mut book, 2, 100_000.0, 0.0);
    assert_eq!(book.quote().bid, None);
    assert_eq!(book.mid(), 100_000.0);
}

#[test]
fn holes_stay_at_their_prices_when_the_anchor_moves() {
    let mut book = flat(10.0, Span::NEVER);
    market(&mut book, Side::Sell, 50);
    open(&mut book, 1, 147.0, 1.0);
    assert_eq!(book.quote().bid, Some(Ticks(144)));
    open(&mut book, 2, 160.0, 1.0);
    assert_eq!(book.quote().bid, Some(Ticks(159)));
    assert_eq!(book.depth(Side::Sell, Ticks(140)), Lots(150));
}

#[test]
fn depth_that_moves_through_a_resting_order_trades_with_it_at_its_price() {
    let mut book = flat(10.0, Span::seconds(60.0));
    let deep = limit(&mut book, 7, Side::Buy, 25, 140).resting.unwrap();
    let first = limit(&mut book, 8, Side::Buy, 4, 145).resting.unwrap();
    let fills = open(&mut book, 1, 138.5, 1.0);
    // Asks from 139: seventy lots up to 145, of which four meet the first bid; then at 140 six
    // are left on 139 and ten on 140.
    let made: Vec<_> = fills
        .iter()
        .map(|fill| {
            (
                fill.taker,
                fill.maker.0,
                fill.side,
                fill.quantity.0,
                fill.price.0,
            )
        })
        .collect();
    let taker = AccountId::BACKGROUND;
    assert_eq!(
        made,
        [
            (taker, 8, Side::Sell, 4, 145),
            (taker, 7, Side::Sell, 16, 140)
        ]
    );
    assert_eq!(fills[0].value, CONTRACT.value(Lots(4), Ticks(145)));
    assert_eq!(
        (book.remaining(first), book.remaining(deep)),
        (Lots::ZERO, Lots(9))
    );
    assert_eq!(book.quote().bid, Some(Ticks(140)));
    assert_eq!(book.quote().ask, Some(Ticks(141)));
}

#[test]
fn first_come_first_served_and_reducing_keeps_the_place() {
    let settings = settings(Depth::None {}, 0.0, Span::NEVER);
    let mut book = Book::new(&settings, &frame(150.0));
    let ids: Vec<_> = (10..14)
        .map(|owner| limit(&mut book, owner, Side::Sell, 5, 151).resting.unwrap())
        .collect();
    assert!(book.reduce(ids[0], Lots(2)));
    assert!(!book.reduce(ids[1], Lots(5)) && !book.reduce(ids[1], Lots::ZERO));
    book.cancel(ids[2]);
    let (done, fills) = market(&mut book, Side::Buy, 9);
    let made: Vec<_> = fills
        .iter()
        .map(|fill| (fill.maker.0, fill.quantity.0))
        .collect();
    assert_eq!(made, [(10, 2), (11, 5), (13, 2)]);
    assert_eq!(done.filled, Lots(9));
    assert_eq!(book.resting_at(Ticks(151)), Lots(3));
}

#[test]
fn stale_handles_are_harmless() {
    let mut book = flat(10.0, Span::NEVER);
    let old = limit(&mut book, 7, Side::Buy, 5, 149).resting.unwrap();
    market(&mut book, Side::Sell, 5);
    let new = limit(&mut book, 8, Side::Buy, 6, 149).resting.unwrap();
    assert_eq!(old.slot, new.slot, "the place is used again");
    assert_eq!(book.remaining(old), Lots::ZERO);
    assert_eq!(book.cancel(old), Lots::ZERO);
    assert!(!book.reduce(old, Lots(1)));
    let foreign = OrderId {
        slot: NonZeroU32::new(1 << 30).unwrap(),
        generation: 0,
    };
    assert_eq!(book.cancel(foreign), Lots::ZERO);
    assert_eq!(book.remaining(new), Lots(6));
}

#[test]
fn what_cannot_be_executed_is_refused() {
    let mut book = flat(10.0, Span::NEVER);
    let owner = AccountId(7);
    let mut without_limit = Order::limit(owner, Side::Buy, Lots(1), Ticks(1));
    without_limit.limit = None;
    for (order, refusal) in [
        (
            Order::market(owner, Side::Buy, Lots(0)),
            Refusal::NoQuantity,
        ),
        (
            Order::limit(owner, Side::Buy, Lots(1), Ticks(0)),
            Refusal::OffLadder,
        ),
        (
            Order::limit(owner, Side::Buy, Lots(1), Ticks(CEILING)),
            Refusal::OffLadder,
        ),
        (
            Order::immediate(owner, Side::Buy, Lots(1), Ticks(-5)),
            Refusal::OffLadder,
        ),
        (
            Order::post(owner, Side::Buy, Lots(1), Ticks(151)),
            Refusal::WouldTrade,
        ),
        (without_limit, Refusal::NoLimit),
    ] {
        let done = book.submit(&order, &mut Vec::new());
        assert_eq!(
            done,
            Execution {
                refused: Some(refusal),
                ..Execution::default()
            }
        );
    }
}

#[test]
fn an_order_that_meets_its_owner_cancels_what_it_meets() {
    let settings = settings(Depth::None {}, 0.0, Span::NEVER);
    let mut book = Book::new(&settings, &frame(150.0));
    let own = limit(&mut book, 7, Side::Sell, 5, 151).resting.unwrap();
    limit(&mut book, 8, Side::Sell, 5, 151);
    let done = limit(&mut book, 7, Side::Buy, 8, 152);
    assert_eq!(done.filled, Lots(5));
    assert_eq!(book.remaining(own), Lots::ZERO);
    assert_eq!(book.quote().bid, Some(Ticks(152)));
    assert_eq!(book.quote().ask, None);
}
