//! Which values meet at which point.
//!
//! A grid has every combination, the last axis fastest. The two others place so many points in the unit cube, and every
//! axis stretches its side to its values. What an axis draws follows from the seed and its path, so that an axis more or less
//! moves nothing along the others.
//!
//! # Reference
//!
//! - McKay, Beckman and Conover (1979), Technometrics 21(2): Latin hypercube; each of the N slices of an axis has
//!   one point, somewhere within it.
//! - Sobol' (1967); Joe and Kuo (2008), SIAM J. Sci. Comput. 30(5): direction numbers, those of the first ten dimensions of
//!   their file `new-joe-kuo-6.21201`. Each axis has a random digital shift (Owen 2020, "On dropping the first Sobol' point":
//!   shifted, the first point stays), and an axis takes its dimension from its place.

use super::axis::Axis;
use crate::math::Draws;
use crate::math::draws::Purpose;
use crate::scenario::digest;
use serde::{Deserialize, Serialize};

/// How points are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Every combination.
    #[default]
    Grid,
    /// A Latin hypercube.
    Lhs,
    /// A Sobol' sequence.
    Sobol,
}

/// How many axes a Sobol' sequence can have.
pub const SOBOL_AXES: usize = 10;

/// Primitive polynomials (degree and inner coefficients) and first direction numbers from the second dimension on.
const DIRECTIONS: [(u32, u32, &[u32]); SOBOL_AXES - 1] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
];

const BITS: usize = 32;

/// A dimension's direction numbers, each as a binary fraction of 32 bits.
fn directions(dimension: usize) -> [u32; BITS] {
    let mut v = [0u32; BITS];
    let Some((degree, inner, first)) = dimension.checked_sub(1).map(|at| DIRECTIONS[at]) else {
        for (bit, v) in v.iter_mut().enumerate() {
            *v = 1 << (BITS - 1 - bit);
        }
        return v;
    };
    let degree = degree as usize;
    for bit in 0..BITS {
        v[bit] = if bit < degree {
            first[bit] << (BITS - 1 - bit)
        } else {
            let mut next = v[bit - degree] ^ (v[bit - degree] >> degree);
            for k in 1..degree {
                if inner >> (degree - 1 - k) & 1 == 1 {
                    next ^= v[bit - k];
                }
            }
            next
        };
    }
    v
}

/// Point `index` of a dimension before its shift, as a binary fraction: in the order of the sequence's definition, not of
/// the Gray code, so that a point follows from its index alone.
fn sobol(v: &[u32; BITS], index: u64) -> u32 {
    (0..BITS)
        .filter(|bit| index >> bit & 1 == 1)
        .fold(0, |sum, bit| sum ^ v[bit])
}

/// Where the points of a design lie along one axis.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// Every `stride` points the next of `count` values.
    Grid { stride: u64, count: u64 },
    /// The slice of every point, out of as many, and the draws of its place within.
    Lhs { slices: Vec<u32>, draws: Draws },
    /// Direction numbers and shift.
    Sobol { directions: [u32; BITS], shift: u32 },
}

impl Side {
    /// The sides of a design of so many points; the axes were checked.
    pub fn all(design: Design, axes: &[Axis], points: u64, seed: u64) -> Vec<Self> {
        let mut stride = points;
        axes.iter()
            .enumerate()
            .map(|(place, axis)| match design {
                Design::Grid => {
                    let count = axis.count().unwrap_or(1);
                    stride /= count;
                    Self::Grid { stride, count }
                }
                Design::Lhs => {
                    let draws = draws(seed, &axis.path);
                    let mut slices: Vec<u32> = (0..points as u32).collect();
                    let mut stream = draws.stream(Purpose::Design, 0, 0);
                    // Fisher and Yates.
                    for last in (1..slices.len()).rev() {
                        let other = stream.below(last as u64 + 1) as usize;
                        slices.swap(last, other);
                    }
                    Self::Lhs { slices, draws }
                }
                Design::Sobol => Self::Sobol {
                    directions: directions(place),
                    shift: (draws(seed, &axis.path).stream(Purpose::Design, 0, 0).bits() >> 32)
                        as u32,
                },
            })
            .collect()
    }

    /// The value of an axis at a point.
    pub fn value(&self, axis: &Axis, point: u64) -> String {
        match self {
            Self::Grid { stride, count } => axis.value(point / stride % count),
            Self::Lhs { slices, draws } => {
                let mut stream = draws.stream(Purpose::Design, 1, point as u32);
                let slice = f64::from(slices[point as usize]);
                axis.value_at((slice + stream.uniform()) / slices.len() as f64)
            }
            Self::Sobol { directions, shift } => {
                let bits = sobol(directions, point) ^ shift;
                axis.value_at((f64::from(bits) + 0.5) / (1u64 << BITS) as f64)
            }
        }
    }
}

/// The draws of an axis.
fn draws(seed: u64, path: &str) -> Draws {
    let digest = digest(&format!("axis\n{path}"));
    let mut word = [0; 8];
    word.copy_from_slice(&digest[..8]);
    Draws::new(seed, u64::from_be_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(count: usize) -> Vec<Axis> {
        (0..count)
            .map(|place| format!("a{place}=0..1").parse().unwrap())
            .collect()
    }

    fn cube(design: Design, axes: &[Axis], points: u64) -> Vec<Vec<f64>> {
        let sides = Side::all(design, axes, points, 7);
        let along = |(side, axis): (&Side, &Axis)| {
            (0..points)
                .map(|point| side.value(axis, point).parse().unwrap())
                .collect()
        };
        sides.iter().zip(axes).map(along).collect()
    }

    #[test]
    fn the_sequence_begins_as_in_the_tables() {
        let first = |dimension| -> Vec<f64> {
            let v = directions(dimension);
            (0..8)
                .map(|index| f64::from(sobol(&v, index)) / (1u64 << 32) as f64)
                .collect()
        };
        assert_eq!(first(0), [0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875]);
        // In the order of the Gray code (0, 1, 3, 2, 6, 7, 5, 4) Joe and Kuo print 0, .5, .25, .75, .375, .875, .125, .625.
        assert_eq!(first(1), [0.0, 0.5, 0.75, 0.25, 0.625, 0.125, 0.375, 0.875]);
        assert_eq!(first(2), [0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]);
    }

    #[test]
    fn every_slice_of_every_axis_has_one_point() {
        for design in [Design::Lhs, Design::Sobol] {
            for side in cube(design, &axes(SOBOL_AXES), 64) {
                let mut slices: Vec<usize> = side.iter().map(|u| (u * 64.0) as usize).collect();
                slices.sort_unstable();
                assert_eq!(slices, (0..64).collect::<Vec<_>>(), "{design:?}");
            }
        }
    }

    #[test]
    fn sixty_four_points_fill_every_eighth_by_eighth_of_the_first_two_axes() {
        let sides = cube(Design::Sobol, &axes(2), 64);
        let mut cells: Vec<(usize, usize)> = sides[0]
            .iter()
            .zip(&sides[1])
            .map(|(x, y)| ((x * 8.0) as usize, (y * 8.0) as usize))
            .collect();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), 64);
    }

    #[test]
    fn an_axis_more_moves_nothing_along_the_others() {
        for design in [Design::Lhs, Design::Sobol] {
            assert_eq!(
                cube(design, &axes(2), 16)[..2],
                cube(design, &axes(3), 16)[..2]
            );
        }
    }
}
