//! What a move of the price would force, against what stands in its way: reproduction numbers, their matrix over markets, ladders.
//!
//! # Invariants
//!
//! - `the_forced_quantity_is_that_of_a_full_scan`, of isolated accounts; cross accounts count at the price of their last visit.

use super::world::World;
use crate::unit::{Lots, MarketId, Side, Ticks};

/// What a move of the price would force, and what stands in its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Quantity that the move would newly force.
    pub forced: Lots,
    /// Quantity that must trade to make the move.
    pub depth: Lots,
}

impl Reach {
    /// The reproduction number: 0 where nothing is forced, infinite where nothing stands in the way.
    pub fn ratio(self) -> f64 {
        if self.forced.is_zero() {
            0.0
        } else {
            self.forced.as_f64() / self.depth.as_f64()
        }
    }
}

/// Depth and forced quantity at one distance from the mid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    /// Distance from the mid, relative.
    pub distance: f64,
    /// Bids down to there.
    pub bids: Lots,
    /// Longs that would be liquidated down to there.
    pub forced_sells: Lots,
    /// Asks up to there.
    pub asks: Lots,
    /// Shorts that would be liquidated up to there.
    pub forced_buys: Lots,
}

/// The side that must take to move a mid by w, and how far.
pub(super) fn limit_of_move(mid: f64, down: bool, w: f64) -> (Side, Ticks) {
    let (side, limit) = if down {
        (Side::Sell, (mid * (1.0 - w)).ceil())
    } else {
        (Side::Buy, (mid * (1.0 + w)).floor())
    };
    (side, Ticks((limit as i64).max(1)))
}

impl World {
    /// Quantity that would be forced with the mark moved to `mark`, all else equal: longs for
    /// `longs`, else shorts.
    pub fn forced_at(&self, market: MarketId, longs: bool, mark: Ticks) -> Lots {
        let m = &self.markets[market.index()];
        let price = mark.as_f64();
        self.index.forced(
            market,
            longs,
            m.contract.level(price),
            self.funding_level(market),
            |size| m.effective(size, price),
            |slot| {
                let held = self.ledger.slot(slot);
                let account = self.ledger.owner(slot);
                let equity = i128::from(self.ledger.account(account).cash.0)
                    + m.contract.wide(held.quantity, mark)
                    - i128::from(held.cost.0)
                    - i128::from(
                        crate::account::ledger::funding_due(held, self.funding[market.index()]).0,
                    );
                let required = m
                    .schedule
                    .maintenance(m.contract.notional(held.quantity, mark));
                if equity < i128::from(required.0) {
                    held.quantity.abs()
                } else {
                    Lots::ZERO
                }
            },
        )
    }

    /// Reproduction number of a move w: forced quantity that it would trigger, over the book
    /// quantity that must trade to make it. Zero where nothing is triggered, infinite where nothing
    /// stands in the way.
    pub fn reproduction(&self, market: MarketId, down: bool, w: f64) -> f64 {
        self.reach(market, down, w).ratio()
    }

    /// What a reproduction number is made of.
    pub fn reach(&self, market: MarketId, down: bool, w: f64) -> Reach {
        let venue = &self.markets[market.index()].venue;
        let (side, limit) = limit_of_move(venue.mid(), down, w);
        Reach {
            forced: self.forced_by(market, down, w),
            depth: venue.depth(side, limit),
        }
    }

    /// The same for three moves at once, smallest first.
    pub(super) fn reaches(&self, market: MarketId, down: bool, moves: [f64; 3]) -> [Reach; 3] {
        let venue = &self.markets[market.index()].venue;
        let limits = moves.map(|w| limit_of_move(venue.mid(), down, w));
        let mut depths = [Lots::ZERO; 3];
        venue.depths(limits[0].0, &limits.map(|(_, limit)| limit), &mut depths);
        std::array::from_fn(|place| Reach {
            forced: self.forced_by(market, down, moves[place]),
            depth: depths[place],
        })
    }

    fn forced_by(&self, market: MarketId, down: bool, w: f64) -> Lots {
        let sign = if down { -1.0 } else { 1.0 };
        let mark = self.marks[market.index()].as_f64() * (1.0 + sign * w);
        self.forced_at(market, down, Ticks((mark.round_ties_even() as i64).max(1)))
    }

    /// Forced sales in each market (row) that a fall of each market's mark by w (column) would trigger, over the bids that the
    /// row's market has within w. On the diagonal the reproduction number; beside it cross accounts alone, each with the
    /// requirement of its positions added up as they stand.
    pub fn reproduction_matrix(&self, w: f64) -> Vec<Vec<f64>> {
        let count = self.markets.len();
        let mut forced = vec![vec![0i64; count]; count];
        for id in &self.cross {
            let held = |market: MarketId| {
                let slot = self.ledger.position(*id, market);
                slot.map_or(Lots::ZERO, |slot| slot.quantity)
            };
            let equity = self.equity(*id);
            let requirement = i128::from(self.requirement(*id).0);
            if count < 2 || equity < requirement {
                continue;
            }
            for (j, market) in self.markets.iter().enumerate() {
                let quantity = held(MarketId(j as u16));
                if quantity.is_zero() {
                    continue;
                }
                let now = self.marks[j];
                let then = Ticks(((now.as_f64() * (1.0 - w)).round_ties_even() as i64).max(1));
                let asked = |mark| {
                    let notional = market.contract.notional(quantity, mark);
                    i128::from(market.schedule.maintenance(notional).0)
                };
                let gain =
                    market.contract.wide(quantity, then) - market.contract.wide(quantity, now);
                if equity + gain < requirement + asked(then) - asked(now) {
                    for (i, row) in forced.iter_mut().enumerate() {
                        if i != j {
                            row[j] += held(MarketId(i as u16)).0.max(0);
                        }
                    }
                }
            }
        }
        (0..count)
            .map(|i| {
                let id = MarketId(i as u16);
                let venue = &self.markets[i].venue;
                let (side, limit) = limit_of_move(venue.mid(), true, w);
                let depth = venue.depth(side, limit).as_f64();
                (0..count)
                    .map(|j| match forced[i][j] {
                        _ if i == j => self.reproduction(id, true, w),
                        0 => 0.0,
                        lots => lots as f64 / depth,
                    })
                    .collect()
            })
            .collect()
    }

    /// Cumulative depth and cumulative forced quantity by distance from the mid: for each of the
    /// distances (relative, positive, ascending), bids and forced sells below, asks and forced buys above.
    pub fn ladder(&self, market: MarketId, distances: &[f64]) -> Vec<Rung> {
        let m = &self.markets[market.index()];
        let (mid, mark) = (m.venue.mid(), self.marks[market.index()].as_f64());
        let at = |price: f64| Ticks((price.round_ties_even() as i64).max(1));
        let [bids, asks] = [(Side::Sell, -1.0), (Side::Buy, 1.0)].map(|(taker, sign)| {
            let limits: Vec<Ticks> = (distances.iter())
                .map(|distance| at(mid * (1.0 + sign * distance)))
                .collect();
            let mut depths = vec![Lots::ZERO; limits.len()];
            m.venue.depths(taker, &limits, &mut depths);
            depths
        });
        distances
            .iter()
            .zip(bids.into_iter().zip(asks))
            .map(|(distance, (bids, asks))| Rung {
                distance: *distance,
                bids,
                forced_sells: self.forced_at(market, true, at(mark * (1.0 - distance))),
                asks,
                forced_buys: self.forced_at(market, false, at(mark * (1.0 + distance))),
            })
            .collect()
    }
}
