//! A long array of which little is ever touched: cells by tick, with the marked ones in order.
//!
//! Cells live in pages of 64 that are made when first written, so a ladder of millions of ticks
//! costs four bytes for 64 ticks until then, and a clone copies what was touched and nothing else.
//! Marks form a hierarchy of bitmaps: the next marked cell on either side is found in a handful of
//! word operations however far away it is.
//!
//! # Invariants
//!
//! - `marks_are_found_in_order`: [`Sparse::next`] and [`Sparse::prev`] give what a sorted set of the
//!   marked indices would give.

const NOBODY: u32 = 0;

/// Cells of `T` by index, all `T::default()` at first.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T> {
    /// Page of each 64 cells; page 0 is the empty page, which is never written.
    table: Vec<u32>,
    /// Cells and marks by page.
    cells: Vec<[T; 64]>,
    marks: Vec<u64>,
    /// Which pages have a mark, and which words of `groups` aren't zero.
    groups: Vec<u64>,
    tops: Vec<u64>,
}

impl<T: Copy + Default> Sparse<T> {
    /// So many cells.
    pub(super) fn new(cells: usize) -> Self {
        let pages = cells.div_ceil(64);
        let groups = pages.div_ceil(64);
        Self {
            table: vec![NOBODY; pages],
            cells: vec![[T::default(); 64]],
            marks: vec![0],
            groups: vec![0; groups],
            tops: vec![0; groups.div_ceil(64)],
        }
    }

    /// A cell to read.
    #[inline]
    pub(super) fn cell(&self, index: u32) -> &T {
        let page = self.table[(index >> 6) as usize];
        &self.cells[page as usize][(index & 63) as usize]
    }

    /// A cell to write.
    #[inline]
    pub(super) fn cell_mut(&mut self, index: u32) -> &mut T {
        let page = self.page(index);
        &mut self.cells[page][(index & 63) as usize]
    }

    /// The page of a cell, made where there is none.
    #[inline]
    fn page(&mut self, index: u32) -> usize {
        let place = (index >> 6) as usize;
        let page = self.table[place];
        if page == NOBODY {
            return self.grow(place);
        }
        page as usize
    }

    #[cold]
    fn grow(&mut self, place: usize) -> usize {
        let page = self.cells.len();
        self.cells.push([T::default(); 64]);
        self.marks.push(0);
        self.table[place] = page as u32;
        page
    }

    /// Marks a cell, or takes its mark off.
    #[inline]
    pub(super) fn set(&mut self, index: u32, marked: bool) {
        let page = self.page(index);
        let before = self.marks[page];
        let bit = index & 63;
        let after = before & !(1 << bit) | u64::from(marked) << bit;
        self.marks[page] = after;
        if (before == 0) != (after == 0) {
            self.regroup((index >> 6) as usize, marked);
        }
    }

    /// Notes that a page has got its first mark or lost its last.
    #[cold]
    fn regroup(&mut self, place: usize, marked: bool) {
        let group = place >> 6;
        let (page, word) = (1 << (place & 63), 1 << (group & 63));
        if marked {
            self.groups[group] |= page;
            self.tops[place >> 12] |= word;
        } else {
            self.groups[group] &= !page;
            if self.groups[group] == 0 {
                self.tops[place >> 12] &= !word;
            }
        }
    }

    #[inline]
    fn marks(&self, place: usize) -> u64 {
        self.marks[self.table[place] as usize]
    }

    /// The first marked cell at `from` or after it.
    #[inline]
    pub(super) fn next(&self, from: u32) -> Option<u32> {
        let place = (from >> 6) as usize;
        if place >= self.table.len() {
            return None;
        }
        let word = self.marks(place) & (!0 << (from & 63));
        if word != 0 {
            return Some(((place as u32) << 6) | word.trailing_zeros());
        }
        self.next_far(place + 1)
    }

    /// The last marked cell at `from` or before it.
    #[inline]
    pub(super) fn prev(&self, from: u32) -> Option<u32> {
        let place = (from >> 6) as usize;
        let word = self.marks(place) & (!0 >> (63 - (from & 63)));
        if word != 0 {
            return Some(((place as u32) << 6) | (63 - word.leading_zeros()));
        }
        self.prev_far(place.checked_sub(1)?)
    }

    #[inline(never)]
    fn next_far(&self, from: usize) -> Option<u32> {
        let place = self.next_page(from)?;
        Some(((place as u32) << 6) | self.marks(place).trailing_zeros())
    }

    #[inline(never)]
    fn prev_far(&self, from: usize) -> Option<u32> {
        let place = self.prev_page(from)?;
        Some(((place as u32) << 6) | (63 - self.marks(place).leading_zeros()))
    }

    fn next_page(&self, from: usize) -> Option<usize> {
        let group = from >> 6;
        let word = self.groups.get(group)? & (!0 << (from & 63));
        if word != 0 {
            return Some((group << 6) | word.trailing_zeros() as usize);
        }
        let mut top = (group + 1) >> 6;
        let mut keep = !0 << ((group + 1) & 63);
        while top < self.tops.len() {
            let word = self.tops[top] & keep;
            if word != 0 {
                let group = (top << 6) | word.trailing_zeros() as usize;
                return Some((group << 6) | self.groups[group].trailing_zeros() as usize);
            }
            keep = !0;
            top += 1;
        }
        None
    }

    fn prev_page(&self, from: usize) -> Option<usize> {
        let last = |word: u64| 63 - word.leading_zeros() as usize;
        let group = from >> 6;
        let word = self.groups[group] & (!0 >> (63 - (from & 63)));
        if word != 0 {
            return Some((group << 6) | last(word));
        }
        let group = group.checked_sub(1)?;
        let mut top = group >> 6;
        let mut keep = !0 >> (63 - (group & 63));
        loop {
            let word = self.tops[top] & keep;
            if word != 0 {
                let group = (top << 6) | last(word);
                return Some((group << 6) | last(self.groups[group]));
            }
            keep = !0;
            top = top.checked_sub(1)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn marks_are_found_in_order(
            marks in proptest::collection::vec((0u32..700_000, any::<bool>()), 1..60),
            near in proptest::collection::vec(0u32..200, 0..60),
            asked in proptest::collection::vec(0u32..700_000, 20),
        ) {
            let mut sparse = Sparse::<u8>::new(700_000);
            let mut sorted = BTreeSet::new();
            for &(index, stays) in marks.iter().chain(near.iter().map(|i| (*i, i % 3 != 0)).collect::<Vec<_>>().iter()) {
                sparse.set(index, true);
                sorted.insert(index);
                if !stays {
                    sparse.set(index, false);
                    sorted.remove(&index);
                }
            }
            for &from in asked.iter().chain(&near) {
                prop_assert_eq!(sparse.next(from), sorted.range(from..).next().copied());
                prop_assert_eq!(sparse.prev(from), sorted.range(..=from).next_back().copied());
            }
        }
    }
}
