//! A long array of which little is ever touched: cells by tick, with the marked ones in order.
//!
//! Cells live in pages of 64 that are made when first written, so a ladder of millions of ticks
//! costs twelve bytes for 64 ticks until then, and a clone copies what was touched and little else.
//! Marks form a hierarchy of bitmaps: the next marked cell is found in a handful of word operations
//! however far away it is. Where it is one of the next 64, which it nearly always is in a book, the
//! lowest level alone tells.
//!
//! # Invariants
//!
//! - `marks_are_found_in_order`: [`Sparse::next`] and [`Sparse::pass`] give what a sorted set of the
//!   marked indices would give.

const NOBODY: u32 = 0;

/// Cells of `T` by index, all `T::default()` at first.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T> {
    /// Page of each 64 cells; page 0 is the empty page, which is never written.
    table: Vec<u32>,
    pages: Vec<[T; 64]>,
    /// One bit a cell, and a word more than there are pages.
    marks: Vec<u64>,
    /// Every word of `marks` with a mark has its bit in `groups`, every word of `groups` that isn't
    /// zero its bit in `tops`. A word without a mark may keep its bit until a search comes by in vain:
    /// words at the touch empty and fill all the time, and that shall cost nothing further up.
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
            pages: vec![[T::default(); 64]],
            marks: vec![0; pages + 1],
            groups: vec![0; groups],
            tops: vec![0; groups.div_ceil(64)],
        }
    }

    /// A cell to read.
    #[inline]
    pub(super) fn cell(&self, index: u32) -> &T {
        let page = self.table[(index >> 6) as usize];
        &self.pages[page as usize][(index & 63) as usize]
    }

    /// A cell to write.
    #[inline]
    pub(super) fn cell_mut(&mut self, index: u32) -> &mut T {
        let place = (index >> 6) as usize;
        let mut page = self.table[place];
        if page == NOBODY {
            page = self.grow(place);
        }
        &mut self.pages[page as usize][(index & 63) as usize]
    }

    /// Makes a page.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, place: usize) -> u32 {
        let page = self.pages.len() as u32;
        self.pages.push([T::default(); 64]);
        self.table[place] = page;
        page
    }

    /// Marks a cell.
    #[inline]
    pub(super) fn mark(&mut self, index: u32) {
        let place = (index >> 6) as usize;
        self.marks[place] |= 1 << (index & 63);
        if self.groups[place >> 6] >> (place & 63) & 1 == 0 {
            self.regroup(place);
        }
    }

    /// Takes a cell's mark off, unless it stays. No branch: whether a level stays occupied is
    /// anybody's guess.
    #[inline]
    pub(super) fn unmark(&mut self, index: u32, stays: bool) {
        self.marks[(index >> 6) as usize] &= !(u64::from(!stays) << (index & 63));
    }

    /// Takes a cell's mark off; the next marked one.
    // In the innermost loop of every trade.
    #[inline(always)]
    pub(super) fn pass(&mut self, index: u32) -> Option<u32> {
        self.unmark(index, false);
        let near = self.near(index + 1);
        if near != 0 {
            return Some(index + 1 + near.trailing_zeros());
        }
        self.pass_far(index + 1)
    }

    /// The first marked cell at `from` or after it.
    #[inline]
    pub(super) fn next(&self, from: u32) -> Option<u32> {
        let near = self.near(from);
        if near != 0 {
            return Some(from + near.trailing_zeros());
        }
        self.next_far(from)
    }

    /// The marks of 64 cells from `from`.
    #[inline]
    fn near(&self, from: u32) -> u64 {
        let bit = from & 63;
        match self.marks[(from >> 6) as usize..] {
            [low, high, ..] => low >> bit | high << 1 << (63 - bit),
            _ => 0,
        }
    }

    #[inline(never)]
    fn next_far(&self, from: u32) -> Option<u32> {
        let mut place = (from >> 6) as usize + 1;
        loop {
            place = self.candidate(place)?;
            if self.marks[place] != 0 {
                return Some(self.first(place));
            }
            place += 1;
        }
    }

    /// As [`Sparse::next_far`], and forgets what it looked at in vain.
    #[cold]
    #[inline(never)]
    fn pass_far(&mut self, from: u32) -> Option<u32> {
        let mut place = (from >> 6) as usize + 1;
        loop {
            place = self.candidate(place)?;
            if self.marks[place] != 0 {
                return Some(self.first(place));
            }
            self.groups[place >> 6] &= !(1 << (place & 63));
            if self.groups[place >> 6] == 0 {
                self.tops[place >> 12] &= !(1 << (place >> 6 & 63));
            }
            place += 1;
        }
    }

    /// The first mark of a word.
    fn first(&self, place: usize) -> u32 {
        (place as u32) << 6 | self.marks[place].trailing_zeros()
    }

    /// Notes that a word has a mark.
    #[cold]
    #[inline(never)]
    fn regroup(&mut self, place: usize) {
        self.groups[place >> 6] |= 1 << (place & 63);
        self.tops[place >> 12] |= 1 << (place >> 6 & 63);
    }

    /// The first word at `from` or after it that may have a mark.
    fn candidate(&self, from: usize) -> Option<usize> {
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
                sparse.mark(index);
                sorted.insert(index);
                if !stays {
                    let next = sorted.range(index + 1..).next().copied();
                    if index % 2 == 0 {
                        prop_assert_eq!(sparse.pass(index), next);
                    } else {
                        sparse.unmark(index, false);
                    }
                    sorted.remove(&index);
                }
            }
            for &from in asked.iter().chain(&near) {
                prop_assert_eq!(sparse.next(from), sorted.range(from..).next().copied());
            }
        }
    }
}
