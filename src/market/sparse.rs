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

#[derive(Clone, Debug)]
struct Page<T> {
    marks: u64,
    cells: [T; 64],
}

/// Cells of `T` by index, all `T::default()` at first.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T> {
    /// Page of each 64 cells; page 0 is the empty page, which is never written.
    table: Vec<u32>,
    pages: Vec<Page<T>>,
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
            pages: vec![Self::blank()],
            groups: vec![0; groups],
            tops: vec![0; groups.div_ceil(64)],
        }
    }

    fn blank() -> Page<T> {
        Page {
            marks: 0,
            cells: [T::default(); 64],
        }
    }

    /// A cell to read.
    #[inline]
    pub(super) fn cell(&self, index: u32) -> &T {
        let page = self.table[(index >> 6) as usize];
        &self.pages[page as usize].cells[(index & 63) as usize]
    }

    /// A cell to write.
    #[inline]
    pub(super) fn cell_mut(&mut self, index: u32) -> &mut T {
        let page = self.page_mut(index);
        &mut page.cells[(index & 63) as usize]
    }

    #[inline]
    fn page_mut(&mut self, index: u32) -> &mut Page<T> {
        let place = (index >> 6) as usize;
        let mut page = self.table[place];
        if page == NOBODY {
            page = self.pages.len() as u32;
            self.pages.push(Self::blank());
            self.table[place] = page;
        }
        &mut self.pages[page as usize]
    }

    /// Marks a cell.
    #[inline]
    pub(super) fn mark(&mut self, index: u32) {
        let page = self.page_mut(index);
        let fresh = page.marks == 0;
        page.marks |= 1 << (index & 63);
        if fresh {
            let place = (index >> 6) as usize;
            self.groups[place >> 6] |= 1 << (place & 63);
            self.tops[place >> 12] |= 1 << ((place >> 6) & 63);
        }
    }

    /// Takes the mark off a cell.
    #[inline]
    pub(super) fn unmark(&mut self, index: u32) {
        let page = self.page_mut(index);
        page.marks &= !(1 << (index & 63));
        if page.marks == 0 {
            let place = (index >> 6) as usize;
            self.groups[place >> 6] &= !(1 << (place & 63));
            if self.groups[place >> 6] == 0 {
                self.tops[place >> 12] &= !(1 << ((place >> 6) & 63));
            }
        }
    }

    #[inline]
    fn marks(&self, place: usize) -> u64 {
        self.pages[self.table[place] as usize].marks
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
        let place = self.next_page(place + 1)?;
        Some(((place as u32) << 6) | self.marks(place).trailing_zeros())
    }

    /// The last marked cell at `from` or before it.
    #[inline]
    pub(super) fn prev(&self, from: u32) -> Option<u32> {
        let place = (from >> 6) as usize;
        let word = self.marks(place) & (!0 >> (63 - (from & 63)));
        if word != 0 {
            return Some(((place as u32) << 6) | (63 - word.leading_zeros()));
        }
        let place = self.prev_page(place.checked_sub(1)?)?;
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
                sparse.mark(index);
                sorted.insert(index);
                if !stays {
                    sparse.unmark(index);
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
