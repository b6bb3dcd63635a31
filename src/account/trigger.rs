//! The index of thresholds: whom a move of price, rate or funding concerns.
//!
//! **Isolated accounts.** A long position of `q` lots with equity per lot `p − F − b` is beyond a
//! threshold when `p·(1 − ρ) − F < b`; a short one when `p·(1 + ρ) − F > b`. Here `b` is the
//! account's bankruptcy price net of the funding index at its last settlement, `F` the cumulative
//! funding index, and `ρ` the effective maintenance rate over the threshold's margin ratio. `b`
//! depends on neither price nor rate, so one order by `b` serves every adaptive rate, every
//! threshold and every range sum. For an inverse contract `p` is its level ([`Contract::level`](crate::market::Contract::level)), which is
//! negative, and the requirement goes with its magnitude: `p − ρ·|p| − F < b` and `p + ρ·|p| − F > b` hold for both. Where the rate grows with size, positions are kept in classes of
//! like size; within a class the rate lies between that of its smallest and its largest position,
//! and those in the band between are looked at whenever the class's threshold moves.
//!
//! **Cross accounts.** Each of its positions waits at the price at which the account's slack could
//! be used up if all its markets moved against it together (its safe radius).
//!
//! The index only says "look here": the caller checks each candidate with integers.
//!
//! # Units
//!
//! Prices in ticks as floats (levels of inverse contracts in quanta per lot), funding in the same per lot.
//!
//! # Invariants
//!
//! - `the_index_misses_nobody`: whoever the full scan finds beyond a threshold is a candidate
//!   in the step in which it went beyond (a property test against the full scan).
//! - `closing_is_linear`: removing a position never rescans.

use super::ledger::Ledger;
use super::sorted::{Entry, Place, Sorted};
use super::table::SlotId;
use crate::market::funding::INDEX_SCALE;
use crate::unit::{AccountId, Lots, MarketId};

/// How many thresholds there can be: warn, call, liquidate, bankrupt.
pub const LEVELS: usize = 4;

const PER_OCTAVE: u32 = 4;
const CLASSES: usize = 64;

/// What a market's accounts are measured against in this step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The level of the contract at the mark: the mark in ticks where it is linear.
    pub mark: f64,
    /// The cumulative funding index, in the same unit per lot.
    pub funding: f64,
    /// The margin ratio (maintenance over equity) of each threshold; infinite for bankruptcy.
    pub ratios: [f64; LEVELS],
    /// How many of the ratios are watched.
    pub levels: usize,
    /// Whether some rate may differ from the last call's. A class's thresholds may then move between
    /// its smallest and its largest position though neither of theirs does.
    pub moved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Band {
    low: f64,
    high: f64,
}

const UNSEEN: Band = Band {
    low: f64::NEG_INFINITY,
    high: f64::INFINITY,
};

#[derive(Clone, Debug)]
struct Class {
    entries: Sorted,
    smallest: i64,
    largest: i64,
    seen: [Band; LEVELS],
}

impl Class {
    fn new() -> Self {
        Self {
            entries: Sorted::default(),
            smallest: i64::MAX,
            largest: 0,
            seen: [UNSEEN; LEVELS],
        }
    }
}

#[derive(Clone, Debug)]
struct Market {
    /// Largest quantity of the first class; beyond it, four classes an octave.
    base: i64,
    /// Quanta that a lot gains as the level rises by one.
    quanta: f64,
    /// Quanta by which rounding can move an account's standing.
    rounding: f64,
    /// Longs, then shorts; by class of size.
    isolated: [Vec<Class>; 2],
    /// Cross accounts: at their safe radius, and at their liquidation price if all else stood still.
    radius: [Class; 2],
    alone: [Sorted; 2],
}

#[derive(Clone, Copy, Debug)]
struct Where {
    class: u16,
    place: Place,
}

const OUT: Where = Where {
    class: u16::MAX,
    place: Place::NOWHERE,
};

/// Every position that is watched, ordered by the price that concerns it.
#[derive(Clone, Debug)]
pub struct TriggerIndex {
    markets: Vec<Market>,
    /// By slot: where the position waits (isolated), or where its radius and its lone price wait.
    places: Vec<Where>,
    alone: Vec<Where>,
    cross_slots: u32,
}

const fn side(quantity: i64) -> usize {
    if quantity > 0 { 0 } else { 1 }
}

impl TriggerIndex {
    /// An empty index over a ledger's positions. `bases` gives, per market, the quantity up to which
    /// all positions pay the same rate.
    pub fn new(ledger: &Ledger, bases: &[Lots]) -> Self {
        let markets = bases
            .iter()
            .enumerate()
            .map(|(m, base)| Market {
                base: base.0.max(1),
                quanta: ledger.contract(MarketId(m as u16)).slope(),
                rounding: if ledger.contract(MarketId(m as u16)).is_inverse() {
                    8.0
                } else {
                    4.0
                },
                isolated: [vec![Class::new()], vec![Class::new()]],
                radius: [Class::new(), Class::new()],
                alone: [Sorted::default(), Sorted::default()],
            })
            .collect();
        Self {
            markets,
            places: vec![OUT; ledger.slot_count()],
            alone: Vec::new(),
            cross_slots: 0,
        }
    }

    /// The whole index over a ledger's present positions, built at once.
    pub fn build(ledger: &Ledger, bases: &[Lots]) -> Self {
        let mut index = Self::new(ledger, bases);
        let mut entries: Vec<[Vec<Vec<Entry>>; 2]> = vec![[Vec::new(), Vec::new()]; bases.len()];
        for id in ledger.traders() {
            if let Some(market) = ledger.account(id).isolated()
                && let Some(slot) = ledger.place(id, market)
                && let Some((filed, entry)) = index.file(ledger, id, market, slot)
            {
                let classes = &mut entries[market.index()][usize::from(filed % 2)];
                let class = usize::from(filed / 2);
                if classes.len() <= class {
                    classes.resize(class + 1, Vec::new());
                }
                classes[class].push(entry);
            }
        }
        let places = &mut index.places;
        for (market, entries) in index.markets.iter_mut().zip(entries) {
            for (s, (classes, entries)) in market.isolated.iter_mut().zip(entries).enumerate() {
                for (class, entries) in entries.into_iter().enumerate() {
                    let filed = (class * 2 + s) as u16;
                    classes[class].entries.fill(entries, &mut |slot, place| {
                        places[slot as usize] = Where {
                            class: filed,
                            place,
                        };
                    });
                }
            }
        }
        index
    }

    /// Which class a position belongs to, counted in twos for the two sides, and its entry there;
    /// nothing where nothing is held. The class's sizes take it in.
    fn file(
        &mut self,
        ledger: &Ledger,
        id: AccountId,
        market: MarketId,
        slot_id: SlotId,
    ) -> Option<(u16, Entry)> {
        let slot = ledger.slot(slot_id);
        if slot.quantity.is_zero() {
            return None;
        }
        let m = &mut self.markets[market.index()];
        let per_lot = slot.quantity.as_f64() * m.quanta;
        let owed = i128::from(slot.cost.0) - i128::from(ledger.account(id).cash.0);
        let key = owed as f64 / per_lot - slot.funding as f64 / (m.quanta * INDEX_SCALE as f64);
        let weight = slot.quantity.0.abs();
        let class = m.class_of(weight);
        let s = side(slot.quantity.0);
        let classes = &mut m.isolated[s];
        while classes.len() <= class {
            classes.push(Class::new());
        }
        classes[class].smallest = classes[class].smallest.min(weight);
        classes[class].largest = classes[class].largest.max(weight);
        let entry = Entry {
            key,
            weight,
            slot: slot_id.0,
        };
        Some(((class * 2 + s) as u16, entry))
    }

    /// Watches an isolated account at its present position, anew if it was watched before.
    pub fn watch_isolated(&mut self, ledger: &Ledger, id: AccountId) {
        let Some(market) = ledger.account(id).isolated() else {
            return;
        };
        let Some(slot) = ledger.place(id, market) else {
            return;
        };
        self.forget(ledger, slot, market);
        let Some((class, entry)) = self.file(ledger, id, market, slot) else {
            return;
        };
        let places = &mut self.places;
        self.markets[market.index()].isolated[usize::from(class % 2)][usize::from(class / 2)]
            .entries
            .insert(entry.key, entry.slot, entry.weight, &mut |slot, place| {
                places[slot as usize] = Where { class, place };
            });
    }

    /// Watches one position of a cross account: `radius` is the level up to which its account is
    /// safe, `alone` the level at which it would be liquidated if all else stood still; both net
    /// of the funding index.
    pub fn watch_cross(
        &mut self,
        ledger: &Ledger,
        slot_id: SlotId,
        market: MarketId,
        radius: f64,
        alone: f64,
    ) {
        self.forget(ledger, slot_id, market);
        let quantity = ledger.slot(slot_id).quantity;
        if quantity.is_zero() {
            return;
        }
        if self.alone.is_empty() {
            self.alone = vec![OUT; self.places.len()];
        }
        let m = &mut self.markets[market.index()];
        let s = side(quantity.0);
        let size = quantity.0.abs();
        let (places, lone) = (&mut self.places, &mut self.alone);
        let class = s as u16;
        m.radius[s].smallest = m.radius[s].smallest.min(size);
        m.radius[s]
            .entries
            .insert(radius, slot_id.0, size, &mut |slot, place| {
                places[slot as usize] = Where { class, place };
            });
        m.alone[s].insert(alone, slot_id.0, size, &mut |slot, place| {
            lone[slot as usize] = Where { class, place };
        });
        self.cross_slots += 1;
    }

    /// Stops watching a position.
    pub fn forget(&mut self, ledger: &Ledger, slot: SlotId, market: MarketId) {
        let at = self.places[slot.index()];
        if at.place == Place::NOWHERE {
            return;
        }
        let m = &mut self.markets[market.index()];
        let (s, class) = (usize::from(at.class % 2), usize::from(at.class / 2));
        let places = &mut self.places;
        let cross = ledger.account(ledger.owner(slot)).isolated().is_none();
        let entries = if cross {
            &mut m.radius[s].entries
        } else {
            &mut m.isolated[s][class].entries
        };
        entries.remove(slot.0, at.place, &mut |slot, place| {
            places[slot as usize].place = place;
        });
        if cross {
            let lone = &mut self.alone;
            let place = lone[slot.index()].place;
            m.alone[s].remove(slot.0, place, &mut |slot, place| {
                lone[slot as usize].place = place;
            });
            self.cross_slots -= 1;
        }
    }

    /// Whether a position is watched.
    pub fn watches(&self, slot: SlotId) -> bool {
        self.places[slot.index()].place != Place::NOWHERE
    }

    /// Appends every position that may have crossed a threshold since the last call: `rate` gives the effective
    /// maintenance rate of a quantity at the present mark. What was watched anew since then must be
    /// checked by the caller.
    pub fn crossed(
        &mut self,
        market: MarketId,
        measure: &Measure,
        rate: impl Fn(Lots) -> f64,
        out: &mut Vec<SlotId>,
    ) {
        let m = &mut self.markets[market.index()];
        let (quanta, rounding) = (m.quanta, m.rounding);
        for (s, classes) in m.isolated.iter_mut().enumerate() {
            for class in classes {
                if class.entries.is_empty() {
                    // A band left from when it held something says nothing of what comes next.
                    class.seen = [UNSEEN; LEVELS];
                    continue;
                }
                let low = rate(Lots(class.smallest));
                let high = rate(Lots(class.largest));
                for (level, ratio) in measure.ratios.iter().enumerate().take(measure.levels) {
                    let band = threshold(
                        s,
                        measure.mark,
                        measure.funding,
                        (low / ratio, high / ratio),
                        slack(class.smallest, quanta, rounding, measure.mark),
                    );
                    let still = !measure.moved || low == high;
                    sweep(&class.entries, &mut class.seen[level], band, still, out);
                }
            }
        }
        for (s, class) in m.radius.iter_mut().enumerate() {
            if class.entries.is_empty() {
                class.seen = [UNSEEN; LEVELS];
            } else {
                let band = threshold(
                    s,
                    measure.mark,
                    measure.funding,
                    (0.0, 0.0),
                    slack(class.smallest, quanta, rounding, measure.mark),
                );
                sweep(&class.entries, &mut class.seen[0], band, true, out);
            }
        }
    }

    /// Quantity that would be beyond the liquidation threshold with the level at `mark`: longs for
    /// `longs`, else shorts. `rate` is the effective maintenance rate of a quantity at that mark, and `beyond`
    /// gives what one isolated position, whose key leaves it open by a rounding, adds: its size, or nothing. Cross
    /// accounts count at the price that would liquidate them alone, as of their last visit.
    pub fn forced(
        &self,
        market: MarketId,
        longs: bool,
        mark: f64,
        funding: f64,
        rate: impl Fn(Lots) -> f64,
        beyond: impl Fn(SlotId) -> Lots,
    ) -> Lots {
        let m = &self.markets[market.index()];
        let s = usize::from(!longs);
        let mut forced = 0;
        for class in &m.isolated[s] {
            if class.entries.is_empty() {
                continue;
            }
            let rates = (rate(Lots(class.smallest)), rate(Lots(class.largest)));
            let band = threshold(
                s,
                mark,
                funding,
                rates,
                slack(class.smallest, m.quanta, m.rounding, mark),
            );
            // The class leaves them open, each one's own size hardly ever does.
            let (below, above) = class.entries.around(band.low, band.high, |entry| {
                let own = rate(Lots(entry.weight));
                let slack = slack(entry.weight, m.quanta, m.rounding, mark);
                let band = threshold(s, mark, funding, (own, own), slack);
                if (band.low..=band.high).contains(&entry.key) {
                    forced += beyond(SlotId(entry.slot)).0;
                } else if (s == 0) == (entry.key > band.high) {
                    forced += entry.weight;
                }
            });
            forced += if s == 0 { above } else { below };
        }
        forced += if s == 0 {
            m.alone[s].sum_above(mark - funding)
        } else {
            m.alone[s].sum_below(mark - funding)
        };
        Lots(forced)
    }

    /// Every position that is watched in a market, longs for `longs`, else shorts; in no stated order.
    pub fn each(&self, market: MarketId, longs: bool, mut visit: impl FnMut(SlotId)) {
        let m = &self.markets[market.index()];
        let s = usize::from(!longs);
        for class in &m.isolated[s] {
            class
                .entries
                .visit(f64::NEG_INFINITY, f64::INFINITY, |entry| {
                    visit(SlotId(entry.slot));
                });
        }
        m.radius[s]
            .entries
            .visit(f64::NEG_INFINITY, f64::INFINITY, |entry| {
                visit(SlotId(entry.slot));
            });
    }

    /// How many positions of cross accounts are watched.
    pub const fn cross_slots(&self) -> u32 {
        self.cross_slots
    }

    /// Bytes that the index takes.
    pub fn bytes(&self) -> usize {
        let classes: usize = self
            .markets
            .iter()
            .flat_map(|m| m.isolated.iter().flatten().chain(&m.radius))
            .map(|class| class.entries.bytes())
            .sum();
        let alone: usize = self
            .markets
            .iter()
            .flat_map(|m| &m.alone)
            .map(Sorted::bytes)
            .sum();
        classes + alone + (self.places.capacity() + self.alone.capacity()) * size_of::<Where>()
    }
}

impl Market {
    fn class_of(&self, size: i64) -> usize {
        if size <= self.base {
            return 0;
        }
        // Octaves above the base, each cut in four by the two bits below the leading one.
        let ratio = size / self.base;
        let octave = 63 - ratio.leading_zeros();
        let within = if octave >= 2 {
            (ratio >> (octave - 2)) & 3
        } else {
            // Below four the quotient has no two bits to spare: use the quotient of four times.
            let finer = (i128::from(size) * 4 / i128::from(self.base)) as i64;
            (finer >> octave) & 3
        };
        (1 + octave * PER_OCTAVE + within as u32).min(CLASSES as u32 - 1) as usize
    }
}

/// How far rounding can move a threshold: requirement and funding round by a quantum each, and so does an inverse value.
fn slack(smallest: i64, quanta: f64, rounding: f64, mark: f64) -> f64 {
    rounding / (smallest as f64 * quanta) + 1e-9 * mark.abs()
}

fn threshold(side: usize, mark: f64, funding: f64, rates: (f64, f64), slack: f64) -> Band {
    // Requirements go with the level's magnitude.
    let rates = (rates.0 * mark.signum(), rates.1 * mark.signum());
    if side == 0 {
        Band {
            low: mark * (1.0 - rates.1) - funding - slack,
            high: mark * (1.0 - rates.0) - funding + slack,
        }
    } else {
        Band {
            low: mark * (1.0 + rates.0) - funding - slack,
            high: mark * (1.0 + rates.1) - funding + slack,
        }
    }
}

fn sweep(entries: &Sorted, seen: &mut Band, band: Band, still: bool, out: &mut Vec<SlotId>) {
    if still && *seen == band {
        return;
    }
    let (low, high) = if *seen == UNSEEN {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else {
        (seen.low.min(band.low), seen.high.max(band.high))
    };
    *seen = band;
    entries.visit(low, high, |entry| out.push(SlotId(entry.slot)));
}
