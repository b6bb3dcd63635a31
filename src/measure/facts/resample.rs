//! Intervals by the stationary bootstrap: blocks of random length, so that what clusters stays together.
//!
//! Bars are drawn in blocks whose lengths are geometric, of a mean of the square root of their number or of 250, whichever
//! is more; forced trades and positions one by one. Blocks break what is longer than they: memory over hundreds of
//! lags comes out a little short, and its interval with it.
//!
//! # Reference
//!
//! Politis, D. N. and Romano, J. P. (1994), "The stationary bootstrap", Journal of the American Statistical
//! Association 89.

use super::{Fact, Tape};
use crate::math::quantile::quantile;
use crate::math::{Draws, Purpose, Stream};

/// Seed of every interval.
const SEED: u64 = 3;

/// Between which nine in ten resamples lie; nothing where too few of them can be measured.
pub fn interval(tape: &Tape, fact: &Fact, place: u32, resamples: usize) -> Option<[f64; 2]> {
    let draws = Draws::new(SEED, 0);
    let mut found: Vec<f64> = (0..resamples)
        .filter_map(|k| {
            let mut stream = draws.stream(Purpose::Bootstrap, place, k as u32);
            (fact.measure)(&drawn(tape, fact.forced, &mut stream)).ok()
        })
        .filter(|value| value.is_finite())
        .collect();
    if found.len() < resamples.div_ceil(2) || found.is_empty() {
        return None;
    }
    found.sort_unstable_by(f64::total_cmp);
    Some([quantile(&found, 0.05)?, quantile(&found, 0.95)?])
}

fn drawn(tape: &Tape, forced: bool, stream: &mut Stream) -> Tape {
    if forced {
        let positions = alone(&tape.positions, stream);
        // In the order of time, as they were.
        let mut fills = alone(&tape.forced, stream);
        fills.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        return Tape {
            forced: fills,
            positions,
            bars: Vec::new(),
            ..*tape
        };
    }
    let n = tape.bars.len();
    let mean = (n as f64).sqrt().max(250.0);
    let mut bars = Vec::with_capacity(n);
    let mut at = 0;
    for k in 0..n {
        if k == 0 || stream.chance(1.0 / mean) {
            at = stream.below(n as u64) as usize;
        }
        bars.push(tape.bars[at]);
        at = (at + 1) % n;
    }
    Tape {
        bars,
        forced: Vec::new(),
        positions: Vec::new(),
        ..*tape
    }
}

fn alone<T: Copy>(all: &[T], stream: &mut Stream) -> Vec<T> {
    (0..all.len())
        .map(|_| all[stream.below(all.len() as u64) as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Bar, FACTS};
    use super::*;

    #[test]
    fn the_interval_of_a_kurtosis_holds_it() {
        let mut stream = Draws::new(4, 0).stream(Purpose::Custom, 0, 0);
        let tape = Tape {
            bars: (0..5_000)
                .map(|_| Bar {
                    log_return: stream.normal(),
                    ..Bar::default()
                })
                .collect(),
            length: 60.0,
            steps: 1,
            ..Tape::default()
        };
        let place = FACTS
            .iter()
            .position(|f| f.name == "kurtosis_minute")
            .unwrap();
        let [low, high] = interval(&tape, &FACTS[place], place as u32, 60).unwrap();
        assert!(low < 3.0 && 3.0 < high && high - low < 0.5, "{low} {high}");
        assert_eq!(
            interval(&tape, &FACTS[place], place as u32, 60),
            Some([low, high])
        );
    }
}
