//! A sorted list of keys with weights that serves ranges and range sums, and changes cheaply.
//!
//! Three arrays in key order hold most entries; a removal leaves a gap, an insertion goes to a
//! short sorted list beside them, and the two are merged when that list is full. Sums over a range
//! come from counters per 64 and per 4096 entries. So crossing entries are read contiguously, a
//! removal touches one line of each array, and the cost of a merge is spread over the insertions
//! that caused it.

/// Where an entry is: told to the owner at insertion and at every merge, given back at removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    pub(super) const NOWHERE: Self = Self(u32::MAX);
    const FRESH: Self = Self(u32::MAX - 1);
}

const FINE: usize = 64;
const COARSE: usize = 64 * FINE;
const GAP: u32 = u32::MAX;

/// How many fresh entries stand beside so many others. A merge costs as much as there are others, an insertion as much as there
/// are fresh ones; and accounts near their thresholds, some hundreds of them in a crash, are inserted anew in every step.
fn room(others: usize) -> usize {
    (others / 128).clamp(256, 4096)
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) key: f64,
    pub(super) weight: i64,
    pub(super) slot: u32,
}

/// Keys in ascending order, each with a slot and a weight.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    keys: Vec<f64>,
    slots: Vec<u32>,
    weights: Vec<i64>,
    fine: Vec<i64>,
    coarse: Vec<i64>,
    gaps: usize,
    fresh: Vec<Entry>,
    /// Sum of all weights.
    total: i64,
}

impl Sorted {
    /// How many entries there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.gaps + self.fresh.len()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.slots.len() == self.gaps && self.fresh.is_empty()
    }

    /// Adds an entry; `moved(slot, place)` is told where it went, and where others went if it
    /// caused a merge.
    pub(super) fn insert(
        &mut self,
        key: f64,
        slot: u32,
        weight: i64,
        moved: &mut impl FnMut(u32, Place),
    ) {
        let at = self.fresh.partition_point(|entry| entry.key < key);
        self.fresh.insert(at, Entry { key, weight, slot });
        self.total += weight;
        moved(slot, Place::FRESH);
        if self.fresh.len() > room(self.slots.len()) {
            self.merge(moved);
        }
    }

    /// Removes the entry of a slot.
    pub(super) fn remove(&mut self, slot: u32, place: Place, moved: &mut impl FnMut(u32, Place)) {
        if place == Place::FRESH {
            if let Some(at) = self.fresh.iter().position(|entry| entry.slot == slot) {
                self.total -= self.fresh.remove(at).weight;
            }
        } else {
            let at = place.0 as usize;
            debug_assert_eq!(self.slots[at], slot);
            self.fine[at / FINE] -= self.weights[at];
            self.coarse[at / COARSE] -= self.weights[at];
            self.total -= self.weights[at];
            // Sums needn't ask which entries are gaps.
            self.weights[at] = 0;
            self.slots[at] = GAP;
            self.gaps += 1;
            if self.gaps > 1024 && 2 * self.gaps > self.slots.len() {
                self.merge(moved);
            }
        }
        moved(slot, Place::NOWHERE);
    }

    /// Takes in many entries at once: those of an empty list in the order of their keys, and no merge
    /// on the way.
    pub(super) fn fill(&mut self, mut entries: Vec<Entry>, moved: &mut impl FnMut(u32, Place)) {
        debug_assert!(self.is_empty());
        entries.sort_by(|a, b| a.key.total_cmp(&b.key));
        self.reserve(entries.len());
        for entry in entries {
            self.keys.push(entry.key);
            self.slots.push(entry.slot);
            self.weights.push(entry.weight);
        }
        self.count(moved);
    }

    /// Where the first key that isn't below `bound` stands. Most bounds lie beyond either end, and the two
    /// ends are at hand where the middle of a search isn't.
    fn first_at(&self, bound: f64) -> usize {
        match (self.keys.first(), self.keys.last()) {
            (Some(first), _) if *first >= bound => 0,
            (_, Some(last)) if *last < bound => self.keys.len(),
            _ => self.keys.partition_point(|key| *key < bound),
        }
    }

    /// Every entry with a key in `[low, high]`.
    pub(super) fn visit(&self, low: f64, high: f64, visit: impl FnMut(Entry)) {
        self.walk(self.first_at(low), low, high, visit);
    }

    /// As [`Sorted::visit`]; gives the sums of the weights below `low` and above `high`.
    pub(super) fn around(&self, low: f64, high: f64, mut visit: impl FnMut(Entry)) -> (i64, i64) {
        let from = self.first_at(low);
        let mut inside = 0;
        self.walk(from, low, high, |entry| {
            inside += entry.weight;
            visit(entry);
        });
        let below = self.sum_before(from, low);
        (below, self.total - below - inside)
    }

    fn walk(&self, from: usize, low: f64, high: f64, mut visit: impl FnMut(Entry)) {
        for at in from..self.keys.len() {
            if self.keys[at] > high {
                break;
            }
            if self.slots[at] != GAP {
                visit(Entry {
                    key: self.keys[at],
                    weight: self.weights[at],
                    slot: self.slots[at],
                });
            }
        }
        let from = self.fresh.partition_point(|entry| entry.key < low);
        for entry in &self.fresh[from..] {
            if entry.key > high {
                break;
            }
            visit(*entry);
        }
    }

    /// Sum of the weights of all keys below `bound`.
    pub(super) fn sum_below(&self, bound: f64) -> i64 {
        self.sum_before(self.first_at(bound), bound)
    }

    /// Sum of the weights of the keys before place `end`, and of fresh ones below `bound`.
    fn sum_before(&self, end: usize, bound: f64) -> i64 {
        let coarse = end / COARSE;
        let fine = end / FINE;
        let mut sum: i64 = self.coarse[..coarse].iter().sum();
        sum += self.fine[coarse * (COARSE / FINE)..fine]
            .iter()
            .sum::<i64>();
        sum += self.weights[fine * FINE..end].iter().sum::<i64>();
        let fresh = self.fresh.partition_point(|entry| entry.key < bound);
        sum + self.fresh[..fresh]
            .iter()
            .map(|entry| entry.weight)
            .sum::<i64>()
    }

    /// Sum of the weights of all keys above `bound`.
    pub(super) fn sum_above(&self, bound: f64) -> i64 {
        // The least float above the bound turns "not below" into "above".
        self.total - self.sum_below(bound.next_up())
    }

    /// Reserves room for so many entries, so that a run need not allocate.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.keys.reserve(entries);
        self.slots.reserve(entries);
        self.weights.reserve(entries);
        self.fine.reserve(entries / FINE + 1);
        self.coarse.reserve(entries / COARSE + 1);
        self.fresh.reserve(room(entries) + 2);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.keys.capacity() * 8
            + self.slots.capacity() * 4
            + self.weights.capacity() * 8
            + (self.fine.capacity() + self.coarse.capacity()) * 8
            + self.fresh.capacity() * size_of::<Entry>()
    }

    /// Closes the gaps and merges the fresh entries in, in place and from the back.
    pub(super) fn merge(&mut self, moved: &mut impl FnMut(u32, Place)) {
        let mut live = 0;
        for at in 0..self.slots.len() {
            if self.slots[at] != GAP {
                if live != at {
                    self.keys[live] = self.keys[at];
                    self.slots[live] = self.slots[at];
                    self.weights[live] = self.weights[at];
                }
                live += 1;
            }
        }
        let total = live + self.fresh.len();
        self.keys.resize(total, 0.0);
        self.slots.resize(total, GAP);
        self.weights.resize(total, 0);
        let (mut old, mut new) = (live, self.fresh.len());
        for at in (0..total).rev() {
            if new == 0 {
                break;
            }
            let entry = self.fresh[new - 1];
            if old > 0 && self.keys[old - 1] > entry.key {
                old -= 1;
                self.keys[at] = self.keys[old];
                self.slots[at] = self.slots[old];
                self.weights[at] = self.weights[old];
            } else {
                new -= 1;
                self.keys[at] = entry.key;
                self.slots[at] = entry.slot;
                self.weights[at] = entry.weight;
            }
        }
        self.fresh.clear();
        self.count(moved);
    }

    /// Adds up the counters of a list without gaps, and tells everybody where they are.
    fn count(&mut self, moved: &mut impl FnMut(u32, Place)) {
        let total = self.keys.len();
        self.gaps = 0;
        self.fine.clear();
        self.fine.resize(total.div_ceil(FINE), 0);
        self.coarse.clear();
        self.coarse.resize(total.div_ceil(COARSE), 0);
        for at in 0..total {
            self.fine[at / FINE] += self.weights[at];
            self.coarse[at / COARSE] += self.weights[at];
            moved(self.slots[at], Place(at as u32));
        }
        self.total = self.coarse.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    #[test]
    fn ranges_and_sums_agree_with_a_plain_list() {
        let draws = Draws::new(5, 0);
        let mut stream = draws.stream(Purpose::Custom, 0, 0);
        let mut sorted = Sorted::default();
        let mut plain: Vec<(f64, u32, i64)> = Vec::new();
        let mut places = vec![Place::NOWHERE; 20_000];
        let mut next = 0u32;
        for round in 0..20_000 {
            if plain.is_empty() || stream.chance(0.6) {
                let key = stream.below(500) as f64;
                let weight = stream.below(9) as i64 + 1;
                sorted.insert(key, next, weight, &mut |slot, place| {
                    places[slot as usize] = place;
                });
                plain.push((key, next, weight));
                next += 1;
            } else {
                let (_, slot, _) = plain.swap_remove(stream.below(plain.len() as u64) as usize);
                sorted.remove(slot, places[slot as usize], &mut |slot, place| {
                    places[slot as usize] = place;
                });
            }
            if round % 97 == 0 {
                let low = stream.below(500) as f64;
                let high = low + stream.below(50) as f64;
                let mut found = Vec::new();
                sorted.visit(low, high, |entry| found.push(entry.slot));
                found.sort_unstable();
                let mut expected: Vec<u32> = plain
                    .iter()
                    .filter(|(key, ..)| (low..=high).contains(key))
                    .map(|(_, slot, _)| *slot)
                    .collect();
                expected.sort_unstable();
                assert_eq!(found, expected);
                let sum = |keep: &dyn Fn(f64) -> bool| -> i64 {
                    plain.iter().filter(|(k, ..)| keep(*k)).map(|e| e.2).sum()
                };
                assert_eq!(
                    sorted.around(low, high, |_| {}),
                    (sum(&|key| key < low), sum(&|key| key > high))
                );
                assert_eq!(sorted.sum_below(low), sum(&|key| key < low));
                assert_eq!(sorted.sum_above(low), sum(&|key| key > low));
                assert_eq!(sorted.len(), plain.len());
            }
        }
    }
    #[test]
    fn filled_at_once_it_is_the_same_list() {
        let draws = Draws::new(6, 0);
        let mut stream = draws.stream(Purpose::Custom, 0, 0);
        let entries: Vec<Entry> = (0..10_000)
            .map(|slot| Entry {
                key: stream.below(3_000) as f64,
                weight: stream.below(9) as i64 + 1,
                slot,
            })
            .collect();
        let mut places = vec![Place::NOWHERE; entries.len()];
        let (mut filled, mut grown) = (Sorted::default(), Sorted::default());
        for entry in &entries {
            grown.insert(entry.key, entry.slot, entry.weight, &mut |_, _| {});
        }
        filled.fill(entries.clone(), &mut |slot, place| {
            places[slot as usize] = place;
        });
        for slot in (0..10_000).step_by(3) {
            filled.remove(slot, places[slot as usize], &mut |slot, place| {
                places[slot as usize] = place;
            });
        }
        let kept = |low: f64, high: f64| {
            entries
                .iter()
                .filter(move |entry| entry.slot % 3 != 0 && entry.key >= low && entry.key <= high)
        };
        assert_eq!(grown.len(), 10_000);
        assert_eq!(filled.len(), kept(0.0, 3_000.0).count());
        let sum: i64 = kept(0.0, 1_000.0).map(|entry| entry.weight).sum();
        assert_eq!(filled.sum_below(1_000.0f64.next_up()), sum);
        let mut found = 0;
        filled.visit(100.0, 200.0, |_| found += 1);
        assert_eq!(found, kept(100.0, 200.0).count());
    }
}
