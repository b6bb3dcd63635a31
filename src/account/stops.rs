//! Standing stop-loss orders, ordered by their price.
//!
//! A stop belongs to an account's position in a market; it is triggered once, when the mark reaches it. A stop
//! whose position is gone by then is dropped by the caller.

use super::sorted::{Place, Sorted};
use crate::unit::{AccountId, MarketId};

/// The stops of all markets.
#[derive(Clone, Debug)]
pub struct Stops {
    /// By market: of longs (triggered from above), of shorts (from below).
    sides: Vec<[Sorted; 2]>,
    owners: Vec<AccountId>,
    places: Vec<Place>,
}

impl Stops {
    /// No stops yet.
    pub fn new(markets: usize) -> Self {
        Self {
            sides: vec![[Sorted::default(), Sorted::default()]; markets],
            owners: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Places a stop at a price in ticks, under a long or a short position.
    pub fn place(&mut self, owner: AccountId, market: MarketId, long: bool, price: f64) {
        let slot = self.owners.len() as u32;
        self.owners.push(owner);
        self.places.push(Place::NOWHERE);
        let places = &mut self.places;
        self.sides[market.index()][usize::from(!long)].insert(
            price,
            slot,
            0,
            &mut |slot, place| places[slot as usize] = place,
        );
    }

    /// Takes out every stop that a mark reaches; appends whose it was.
    pub fn trigger(&mut self, market: MarketId, mark: f64, out: &mut Vec<AccountId>) {
        let (owners, places) = (&self.owners, &mut self.places);
        for (side, stops) in self.sides[market.index()].iter_mut().enumerate() {
            if stops.is_empty() {
                continue;
            }
            let (low, high) = if side == 0 {
                (mark, f64::INFINITY)
            } else {
                (f64::NEG_INFINITY, mark)
            };
            let from = out.len();
            stops.visit(low, high, |entry| out.push(AccountId(entry.slot)));
            for hit in &mut out[from..] {
                let slot = hit.0;
                let place = places[slot as usize];
                stops.remove(slot, place, &mut |slot, place| {
                    places[slot as usize] = place;
                });
                *hit = owners[slot as usize];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_triggered_once_and_from_its_side() {
        let mut stops = Stops::new(1);
        let market = MarketId(0);
        stops.place(AccountId(7), market, true, 95.0);
        stops.place(AccountId(8), market, false, 105.0);
        let mut hit = Vec::new();
        stops.trigger(market, 100.0, &mut hit);
        assert!(hit.is_empty());
        stops.trigger(market, 94.0, &mut hit);
        assert_eq!(hit, [AccountId(7)]);
        hit.clear();
        stops.trigger(market, 94.0, &mut hit);
        assert!(hit.is_empty());
        stops.trigger(market, 105.0, &mut hit);
        assert_eq!(hit, [AccountId(8)]);
    }
}
