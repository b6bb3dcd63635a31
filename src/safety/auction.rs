//! Call auction: one price at which the orders that waited, and the book, trade the most.
//!
//! At the price P the orders that would buy at P or more meet those that would sell at P or less; both sides include
//! what stands in the book. The price that trades the most is taken; of several, the one with the
//! smallest surplus, and of those the nearest to the reference.
//!
//! # Reference
//!
//! The usual rule of opening auctions: Xetra market model, §"Price determination in auctions"; NYSE Rule 7.35.

use crate::unit::{Lots, Side, Ticks};

/// An order that waits for the auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which way.
    pub side: Side,
    /// How much: positive.
    pub quantity: Lots,
    /// The worst price accepted; none for a market order.
    pub limit: Option<Ticks>,
}

impl Waiting {
    /// Whether it trades at a price.
    pub fn accepts(&self, price: Ticks) -> bool {
        self.limit.is_none_or(|limit| match self.side {
            Side::Buy => limit >= price,
            Side::Sell => limit <= price,
        })
    }
}

/// The price of the auction, between `low` and `high`; none where nothing would trade. `depth(side, limit)` is
/// what a taker of `side` finds in the book at prices up to the limit.
pub fn price(
    waiting: &[Waiting],
    depth: impl Fn(Side, Ticks) -> Lots,
    reference: Ticks,
    [low, high]: [Ticks; 2],
) -> Option<Ticks> {
    // A band about a price of few ticks may hold no tick at all.
    if low > high {
        return None;
    }
    let both = |price: Ticks| -> (i64, i64) {
        let of = |side: Side| {
            let waiting: i64 = waiting
                .iter()
                .filter(|order| order.side == side && order.accepts(price))
                .map(|order| order.quantity.0)
                .sum();
            // Who buys meets the book's sellers on the other side, and the other way about.
            waiting.saturating_add(depth(side.opposite(), price).0)
        };
        (of(Side::Buy), of(Side::Sell))
    };
    // Demand falls and supply rises with the price: the highest price with no less demand than supply.
    let crossing = |strictly: bool| {
        let enough = |price: Ticks| {
            let (demand, supply) = both(price);
            demand > supply || !strictly && demand == supply
        };
        let (mut least, mut most) = (low.0 - 1, high.0);
        while least < most {
            let middle = least + (most - least + 1) / 2;
            if enough(Ticks(middle)) {
                least = middle;
            } else {
                most = middle - 1;
            }
        }
        least
    };
    // Around the crossing: the last price with more demand, and the plateau of equal sides after it.
    let (last_above, last_equal) = (crossing(true), crossing(false));
    let near = reference.0.clamp(
        (last_above + 1).min(last_equal),
        last_equal.max(last_above + 1),
    );
    [last_above, near, last_equal, last_equal + 1]
        .into_iter()
        .map(|price| Ticks(price.clamp(low.0, high.0)))
        .map(|price| {
            let (demand, supply) = both(price);
            let surplus = (demand - supply).abs();
            let distance = (price.0 - reference.0).abs();
            (demand.min(supply), -surplus, -distance, price)
        })
        .max()
        .filter(|(volume, ..)| *volume > 0)
        .map(|(.., price)| price)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [Ticks; 2] = [Ticks(1), Ticks(1_000)];

    fn order(side: Side, quantity: i64, limit: Option<i64>) -> Waiting {
        Waiting {
            side,
            quantity: Lots(quantity),
            limit: limit.map(Ticks),
        }
    }

    #[test]
    fn a_band_without_a_tick_has_no_price() {
        let waiting = [order(Side::Buy, 5, None), order(Side::Sell, 5, None)];
        let price = |bounds| price(&waiting, book, Ticks(42), bounds);
        assert_eq!(price([Ticks(43), Ticks(42)]), None);
        assert_eq!(price([Ticks(42), Ticks(42)]), Some(Ticks(42)));
    }

    /// Ten lots on each tick from 95 down and from 105 up.
    fn book(side: Side, limit: Ticks) -> Lots {
        match side {
            Side::Sell => Lots(10 * (96 - limit.0).clamp(0, 90)),
            Side::Buy => Lots(10 * (limit.0 - 104).clamp(0, 90)),
        }
    }

    #[test]
    fn the_price_trades_the_most() {
        let empty = |_: Side, _: Ticks| Lots::ZERO;
        // The textbook's: buys 100@101, 200@100, sells 150@99, 100@100: at 100, 250 against 300.
        let orders = [
            order(Side::Buy, 100, Some(101)),
            order(Side::Buy, 200, Some(100)),
            order(Side::Sell, 150, Some(99)),
            order(Side::Sell, 100, Some(100)),
        ];
        assert_eq!(price(&orders, empty, Ticks(50), BOUNDS), Some(Ticks(100)));
        // A market order against a market order trades at the reference.
        let market = [order(Side::Buy, 5, None), order(Side::Sell, 5, None)];
        assert_eq!(price(&market, empty, Ticks(77), BOUNDS), Some(Ticks(77)));
        assert_eq!(price(&market[..1], empty, Ticks(77), BOUNDS), None);
    }

    #[test]
    fn forced_sales_go_as_far_down_the_book_as_they_must() {
        // 35 lots at market: 10 each at 95, 94, 93 and 5 of those at 92.
        let sale = [order(Side::Sell, 35, None)];
        assert_eq!(price(&sale, book, Ticks(100), BOUNDS), Some(Ticks(92)));
        // A bid that waits takes 20 of them: two levels are enough.
        let met = [sale[0], order(Side::Buy, 20, Some(98))];
        assert_eq!(price(&met, book, Ticks(100), BOUNDS), Some(Ticks(94)));
    }

    #[test]
    fn nothing_trades_where_nothing_crosses() {
        let apart = [
            order(Side::Buy, 5, Some(90)),
            order(Side::Sell, 5, Some(110)),
        ];
        assert_eq!(price(&apart, book, Ticks(100), BOUNDS), None);
    }

    proptest::proptest! {
        #[test]
        fn no_price_trades_more(
            orders in proptest::collection::vec((proptest::bool::ANY, 1i64..50, proptest::option::of(60i64..140)), 0..12),
        ) {
            let waiting: Vec<Waiting> = orders
                .iter()
                .map(|(buy, lots, limit)| order(if *buy { Side::Buy } else { Side::Sell }, *lots, *limit))
                .collect();
            let volume = |at: Ticks| {
                let of = |side: Side| {
                    waiting.iter().filter(|o| o.side == side && o.accepts(at)).map(|o| o.quantity.0).sum::<i64>()
                        + book(side.opposite(), at).0
                };
                of(Side::Buy).min(of(Side::Sell))
            };
            let best = (1..=1_000).map(|at| volume(Ticks(at))).max().unwrap();
            let found = price(&waiting, book, Ticks(100), BOUNDS);
            proptest::prop_assert_eq!(found.map_or(0, volume), best);
        }
    }
}
