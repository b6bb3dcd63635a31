//! What bounds whole blocks of a recorded path, so that whoever walks along it need not look at every moment.
//!
//! A path is what accounts of a market were measured by, moment by moment (a step, or a check of margin): mark, index of funding,
//! and the place of the schedule in force.
//!
//! # Invariants
//!
//! - `a_block_bounds_its_moments`: no moment of a block lies outside what the block says.

use crate::margin::Schedule;
use crate::unit::Ticks;

/// Moments in a block.
pub const BLOCK: usize = 64;

/// Extremes within a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Lowest and highest mark.
    pub marks: [Ticks; 2],
    /// Lowest and highest index of funding.
    pub funding: [i64; 2],
    /// Places of the schedules that ask least and most, whatever the size, to a quantum a bracket; nothing where there aren't such.
    pub rates: Option<[u32; 2]>,
}

/// The place of the schedule in force at each of some steps, in ascending order; schedules say from which step on they are.
pub fn in_force(schedules: &[(u32, Schedule)], steps: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut place = 0;
    steps
        .map(|step| {
            while (schedules.get(place + 1)).is_some_and(|(from, _)| *from <= step) {
                place += 1;
            }
            place as u32
        })
        .collect()
}

/// The blocks of a path.
pub fn blocks(
    schedules: &[(u32, Schedule)],
    marks: &[Ticks],
    funding: &[i64],
    rates: &[u32],
) -> Vec<Block> {
    (0..marks.len())
        .step_by(BLOCK)
        .map(|start| {
            let moments = start..(start + BLOCK).min(marks.len());
            Block {
                marks: extremes(&marks[moments.clone()]),
                funding: extremes(&funding[moments.clone()]),
                rates: outermost(schedules, &rates[moments]),
            }
        })
        .collect()
}

/// Quanta by which a schedule may ask more than one that covers it: every bracket's edge is rounded by itself.
pub fn rounding(covered: &Schedule, covering: &Schedule) -> i64 {
    if std::ptr::eq(covered, covering) {
        0
    } else {
        (covered.brackets().len() + covering.brackets().len()) as i64 + 2
    }
}

fn extremes<T: Copy + Ord>(values: &[T]) -> [T; 2] {
    values[1..]
        .iter()
        .fold([values[0]; 2], |[low, high], value| {
            [low.min(*value), high.max(*value)]
        })
}

/// Those of the schedules in force that ask least and most at every size.
fn outermost(schedules: &[(u32, Schedule)], rates: &[u32]) -> Option<[u32; 2]> {
    let [mut least, mut most] = [*rates.first()?; 2];
    let mut seen = least;
    for place in rates {
        if *place == seen {
            continue;
        }
        seen = *place;
        let [new, low, high] = [*place, least, most].map(|place| &schedules[place as usize].1);
        if new.covers(high) {
            most = *place;
        } else if !high.covers(new) {
            return None;
        }
        if low.covers(new) {
            least = *place;
        } else if !new.covers(low) {
            return None;
        }
    }
    Some([least, most])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};
    use crate::unit::{Cash, Rate};

    #[test]
    fn a_block_bounds_its_moments() {
        let draws = Draws::new(11, 0);
        let [mut bounded, mut open] = [0; 2];
        for trial in 0..200 {
            let mut s = draws.stream(Purpose::Custom, trial, 0);
            let schedules: Vec<(u32, Schedule)> = (0..20)
                .map(|place| {
                    // Rates that rise and fall together, and now and then ones that cross.
                    let scale = 0.5 + s.uniform();
                    let tilt = if s.below(40) == 0 { 2.0 } else { 1.0 };
                    let rates = [(1_000, 0.01), (50_000, 0.03), (0, 0.1 * tilt)];
                    let rates = rates.map(|(cap, rate)| {
                        let rate = Rate::from_f64(rate * scale / tilt);
                        (Cash(cap), rate, rate)
                    });
                    (15 * place, Schedule::from_rates(rates))
                })
                .collect();
            let rates = in_force(&schedules, 0..300);
            assert!(
                rates
                    .iter()
                    .zip(0..)
                    .all(|(place, step)| *place == step / 15)
            );
            let marks: Vec<Ticks> = (0..300).map(|_| Ticks(50 + s.below(100) as i64)).collect();
            let funding: Vec<i64> = (0..300).map(|_| s.below(9) as i64 - 4).collect();
            let blocks = blocks(&schedules, &marks, &funding, &rates);
            for moment in 0..300 {
                let block = &blocks[moment / BLOCK];
                assert!((block.marks[0]..=block.marks[1]).contains(&marks[moment]));
                assert!((block.funding[0]..=block.funding[1]).contains(&funding[moment]));
                let Some([least, most]) = block.rates else {
                    open += 1;
                    continue;
                };
                bounded += 1;
                for notional in [1, 999, 1_000, 7_000, 50_001, 1_000_000].map(Cash) {
                    let [least, asked, most] = [least, rates[moment], most]
                        .map(|place| schedules[place as usize].1.maintenance(notional).0);
                    assert!(least <= asked + 3 && asked <= most + 3);
                }
            }
        }
        assert!(bounded > 1_000 && open > 1_000, "{bounded} {open}");
    }
}
