//! Random numbers keyed by what they are for, never by the order in which they are asked.
//!
//! A draw is a function of (seed, replicate, purpose, entity, step, index). Nothing is consumed:
//! adding a cohort, switching the feedback off or recording one more series changes no other
//! draw. That is what makes twin runs, common random numbers, shards and threads agree.
//!
//! Purposes fall into parts of a world, and a part may be held: its draws are then those of replicate 0 in every
//! replicate, so that an ensemble can vary prices over one population, or populations over one path of prices.
//!
//! # Reference
//!
//! Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11:
//! Philox4x32-10. The three known-answer vectors of Random123 are a test below.

use super::ops;
use rand::TryRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// What a draw is for. Each purpose is a space of its own: two purposes never share a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Increments of a reference path; the entity is the market.
    Path = 1,
    /// Jumps of a reference path; the entity is the market.
    Jump = 2,
    /// Noise of an oracle; the entity is the market.
    Oracle = 3,
    /// The draw of a population; the entity is the member, the step is the cohort.
    Population = 4,
    /// Arrivals of a cohort's orders; the entity is the cohort.
    Arrival = 5,
    /// Sizes and prices of a cohort's orders; the entity is the cohort.
    Order = 6,
    /// A trader's answer to a warning or call; the entity is the account.
    Response = 7,
    /// The order in which a step's orders reach the book; the entity is the order's place.
    Sequence = 8,
    /// Choices of the liquidation engine; the entity is the account.
    Liquidation = 9,
    /// Random faults; the entity is the fault.
    Fault = 10,
    /// Resampling of results; the entity is the metric.
    Bootstrap = 11,
    /// Withdrawals of a cohort's members; the entity is the cohort.
    Withdrawal = 12,
    /// Places of a sweep's points along an axis; the entity is the question, the step is the point.
    Design = 13,
    /// Arrivals of keepers' transactions; the entity is the account that they are about.
    Keeper = 14,
    /// How severe the crash of a replicate is; the entity and the step are 0.
    Severity = 15,
    /// Options that members hold at the start; the entity is the member and the line, the step the cohort's place.
    Options = 21,
    /// Free for a user's own behaviour or rule.
    Custom = 255,
}

impl Purpose {
    /// The part of a world that it belongs to.
    #[inline]
    pub const fn part(self) -> Part {
        match self {
            Self::Path | Self::Jump | Self::Severity => Part::Path,
            Self::Population => Part::Population,
            Self::Oracle | Self::Fault => Part::Faults,
            _ => Part::Flow,
        }
    }
}

/// A part of a world that may be drawn anew in every replicate, or held.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Outside prices.
    Path,
    /// Who trades: capital, leverage, sides, entries.
    Population,
    /// Orders, answers to calls, withdrawals, the order in which orders arrive, choices of the liquidation engine.
    Flow,
    /// Random faults, and the noise of oracles.
    Faults,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Path, Self::Population, Self::Flow, Self::Faults];

    /// Its name, as a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Population => "population",
            Self::Flow => "flow",
            Self::Faults => "faults",
        }
    }
}

/// The source of every random number of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// By part.
    keys: [[u32; 2]; Part::ALL.len()],
}

impl Draws {
    /// The draws of one replicate of one seed.
    pub fn new(seed: u64, replicate: u64) -> Self {
        Self::varying(seed, replicate, &Part::ALL)
    }

    /// The same with only some parts drawn anew: the others keep the draws of replicate 0.
    pub fn varying(seed: u64, replicate: u64, parts: &[Part]) -> Self {
        let key = |replicate: u64| {
            // Mixed, so that (seed, replicate) and (seed + 1, replicate − 1) are unrelated keys.
            let mixed = mix(seed ^ mix(replicate ^ 0x9e37_79b9_7f4a_7c15));
            [mixed as u32, (mixed >> 32) as u32]
        };
        let own = |part: Part| {
            if parts.contains(&part) {
                key(replicate)
            } else {
                key(0)
            }
        };
        Self {
            keys: Part::ALL.map(own),
        }
    }

    /// The stream for one purpose, entity and step. Streams that differ in any of the three are
    /// independent; the same three give the same stream, however often they are asked.
    #[inline]
    pub const fn stream(&self, purpose: Purpose, entity: u32, step: u32) -> Stream {
        Stream {
            key: self.keys[purpose.part() as usize],
            counter: [0, step, entity, purpose as u32],
            block: [0; 2],
            left: 0,
        }
    }
}

/// A sequence of draws for one purpose, entity and step.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u64; 2],
    left: u8,
}

impl Stream {
    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        if self.left == 0 {
            let words = philox(self.counter, self.key);
            self.counter[0] += 1;
            self.block = [
                u64::from(words[0]) | u64::from(words[1]) << 32,
                u64::from(words[2]) | u64::from(words[3]) << 32,
            ];
            self.left = 2;
        }
        self.left -= 1;
        self.block[1 - self.left as usize]
    }

    /// A uniform number strictly between 0 and 1, of 53 bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform integer below `bound` (which must be positive), without bias to 2⁻⁶⁴.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A standard normal number, by inversion: one draw each, monotone in the uniform.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        ops::normal_quantile(self.uniform())
    }

    /// An exponential number of mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -ops::ln(self.uniform())
    }

    /// A Poisson number of the given mean, by inversion; a mean above 30 is drawn as a sum of independent
    /// parts of mean 30 or less, so that no term underflows.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let mut total = 0;
        let mut left = mean;
        while left > 30.0 {
            total += self.poisson_small(30.0);
            left -= 30.0;
        }
        total + self.poisson_small(left)
    }

    fn poisson_small(&mut self, mean: f64) -> u32 {
        if mean <= 0.0 {
            return 0;
        }
        let u = self.uniform();
        let mut term = ops::exp(-mean);
        let mut cumulative = term;
        let mut n = 0;
        while u > cumulative && n < 400 {
            n += 1;
            term *= mean / f64::from(n);
            cumulative += term;
        }
        n
    }
}

/// Streams serve wherever the `rand` crates ask for a generator.
impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.bits() as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.bits().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// The finaliser of SplitMix64: a bijection whose output bits depend on every input bit.
#[inline]
pub const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[inline]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9e37_79b9);
            key[1] = key[1].wrapping_add(0xbb67_ae85);
        }
        let a = u64::from(counter[0]) * 0xd251_1f53;
        let b = u64::from(counter[2]) * 0xcd9e_8d57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_meets_the_known_answers_of_random123() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn a_stream_depends_on_its_key_alone() {
        let draws = Draws::new(7, 0);
        let mut one = draws.stream(Purpose::Arrival, 3, 11);
        let mut other = draws.stream(Purpose::Arrival, 4, 11);
        let first = one.bits();
        other.bits();
        assert_eq!(draws.stream(Purpose::Arrival, 3, 11).bits(), first);
        assert_ne!(draws.stream(Purpose::Order, 3, 11).bits(), first);
        assert_ne!(
            Draws::new(7, 1).stream(Purpose::Arrival, 3, 11).bits(),
            first
        );
    }

    #[test]
    fn a_part_that_is_held_keeps_the_draws_of_replicate_0() {
        let first = Draws::new(7, 0);
        let held = Draws::varying(7, 3, &[Part::Path]);
        let all = Draws::new(7, 3);
        let bits = |draws: &Draws, purpose| draws.stream(purpose, 1, 2).bits();
        for purpose in [Purpose::Path, Purpose::Jump] {
            assert_eq!(bits(&held, purpose), bits(&all, purpose));
        }
        for purpose in [Purpose::Population, Purpose::Order, Purpose::Fault] {
            assert_eq!(bits(&held, purpose), bits(&first, purpose));
            assert_ne!(bits(&held, purpose), bits(&all, purpose));
        }
        assert_eq!(Draws::varying(7, 3, &Part::ALL), all);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let draws = Draws::new(1, 0);
        let n = 40_000;
        let mut stream = draws.stream(Purpose::Custom, 0, 0);
        let (mut normal, mut squared, mut poisson, mut large) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = stream.normal();
            normal += z;
            squared += z * z;
            poisson += f64::from(stream.poisson(2.5));
            large += f64::from(stream.poisson(100.0));
        }
        let n = f64::from(n);
        assert!((normal / n).abs() < 0.02);
        assert!((squared / n - 1.0).abs() < 0.03);
        assert!((poisson / n - 2.5).abs() < 0.04);
        assert!((large / n - 100.0).abs() < 0.3);
    }
}
