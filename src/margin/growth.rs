//! What a requirement adds to its brackets as a position grows: the square root, the slope, the least.
//!
//! With N the notional and B the brackets' requirement, the whole is
//!
//! ```text
//! min( cap · N,  max( B(N),  (c + ρ √N) · N,  λ N · N ) + σ N · N )
//! ```
//!
//! Each term is a rate that never falls as N grows, times N; so the effective rate of the whole never
//! falls either, and the requirement is convex up to its cap.
//!
//! # Units
//!
//! Rates per quantum of notional (σ, λ) and per √quantum (ρ) in units of 10⁻²⁷; requirements are integer
//! arithmetic, each term rounded up to a quantum.

use crate::unit::{Cash, Rate};

/// 10²⁷: one, in the units of the terms.
const WHOLE: u128 = 1_000_000_000_000_000_000_000_000_000;
/// 10¹⁸: one, in the units in which a term is multiplied by a notional.
const ATTO: u128 = 1_000_000_000_000_000_000;
const NANO: u128 = 1_000_000_000;

/// The terms that grow with size, of an initial or a maintenance requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// c: the rate to which the square root is added.
    pub constant: Rate,
    /// ρ: what the root of a notional of one quantum adds.
    pub root: u128,
    /// λ: a rate in proportion to the notional that the whole doesn't go below.
    pub least: u128,
    /// σ: a rate in proportion to the notional that is added.
    pub slope: u128,
    /// No notional is asked more than this share of it.
    pub cap: Rate,
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            constant: Rate::ZERO,
            root: 0,
            least: 0,
            slope: 0,
            cap: Rate::ONE,
        }
    }
}

/// The growth per quantum that comes to `rate` at a notional of `at` quanta; nothing where either isn't
/// greater than zero.
pub fn per_quantum(rate: f64, at: f64) -> u128 {
    whole(rate / at)
}
/// The growth per √quantum that comes to `rate` at a notional of `at` quanta.
pub fn per_root_quantum(rate: f64, at: f64) -> u128 {
    whole(rate / at.sqrt())
}
fn whole(rate: f64) -> u128 {
    // A rate of one on the first quantum is as much as can be asked.
    if rate > 0.0 {
        (rate.min(1.0) * WHOLE as f64) as u128
    } else {
        0
    }
}

fn share_up(rate: u128, notional: u128) -> u128 {
    rate.min(ATTO)
        .saturating_mul(notional)
        .div_ceil(ATTO)
        .min(notional)
}

impl Growth {
    /// Whether no term grows: the brackets say everything.
    #[inline]
    pub fn is_flat(&self) -> bool {
        self.root == 0 && self.least == 0 && self.slope == 0 && self.constant == Rate::ZERO
    }

    /// The whole requirement of a notional for which the brackets ask `brackets`.
    #[inline]
    pub fn requirement(&self, notional: Cash, brackets: Cash) -> Cash {
        if self.is_flat() {
            return if self.cap == Rate::ONE {
                brackets
            } else {
                brackets.min(self.cap.mul_up(notional))
            };
        }
        self.grown(notional, brackets)
    }

    fn grown(&self, notional: Cash, brackets: Cash) -> Cash {
        let n = notional.0.max(0) as u128;
        let mut most = brackets.0.max(0) as u128;
        if self.root > 0 || self.constant > Rate::ZERO {
            // √N in units of 10⁻⁹; the product in units of 10⁻³⁶.
            let square_root = (n * ATTO).isqrt() + 1;
            let grown = self
                .root
                .checked_mul(square_root)
                .map_or(ATTO, |product| product.div_ceil(ATTO));
            most = most.max(share_up(
                grown.saturating_add(self.constant.0.max(0) as u128 * NANO),
                n,
            ));
        }
        let linear = |slope: u128| {
            if slope == 0 {
                return 0;
            }
            let rate = slope.checked_mul(n).map_or(ATTO, |r| r.div_ceil(NANO));
            share_up(rate, n)
        };
        most = most.max(linear(self.least)) + linear(self.slope);
        Cash(most.min(self.cap.mul_up(notional).0.max(0) as u128) as i64)
    }

    /// The effective rate of a notional for which the brackets' effective rate is `brackets`.
    #[inline]
    pub fn effective(&self, notional: f64, brackets: f64) -> f64 {
        if self.is_flat() {
            return brackets.min(self.cap.as_f64());
        }
        let n = notional.max(0.0);
        let rooted = self.constant.as_f64() + ratio(self.root) * n.sqrt();
        let most = brackets.max(rooted).max(ratio(self.least) * n);
        (most + ratio(self.slope) * n).min(self.cap.as_f64())
    }

    /// A bound on what one more quantum costs, for sizes up to a notional, where the brackets' own bound is
    /// `brackets`.
    pub fn marginal(&self, notional: f64, brackets: f64) -> f64 {
        let n = notional.max(0.0);
        let rooted = self.constant.as_f64() + 1.5 * ratio(self.root) * n.sqrt();
        let most = brackets.max(rooted).max(2.0 * ratio(self.least) * n);
        // Where the cap binds the terms rise faster than it does: the bound holds there too.
        most + 2.0 * ratio(self.slope) * n
    }

    /// Multiplies every term; the cap stays.
    pub fn scale(&mut self, factor: f64) {
        let scaled = |term: u128| (term as f64 * factor) as u128;
        self.constant = Rate((self.constant.0 as f64 * factor) as i64);
        if factor != 1.0 {
            self.root = scaled(self.root);
            self.least = scaled(self.least);
            self.slope = scaled(self.slope);
        }
    }

    /// Whether some term is more than `headroom` times another's.
    pub fn outgrows(&self, other: &Self, headroom: f64) -> bool {
        let more = |new: u128, old: u128| new as f64 > headroom * old as f64;
        self.constant.as_f64() > headroom * other.constant.as_f64()
            || more(self.root, other.root)
            || more(self.least, other.least)
            || more(self.slope, other.slope)
            || self.cap.as_f64() > headroom * other.cap.as_f64()
    }

    /// Whether no term is less than another's.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.constant >= other.constant
            && self.root >= other.root
            && self.least >= other.least
            && self.slope >= other.slope
            && self.cap >= other.cap
    }

    /// The notional up to which the rate stays within `1 + more` of `rate`; zero where it grows from the first
    /// quantum on.
    pub fn flat_until(&self, rate: f64, more: f64) -> f64 {
        let (mut until, limit) = (f64::INFINITY, rate * (1.0 + more));
        if rate >= self.cap.as_f64() {
            return until;
        }
        if self.slope > 0 {
            until = until.min(rate * more / ratio(self.slope));
        }
        if self.least > 0 {
            until = until.min(limit / ratio(self.least));
        }
        if self.root > 0 {
            let root = ((limit - self.constant.as_f64()) / ratio(self.root)).max(0.0);
            until = until.min(root * root);
        }
        until
    }
}

/// A term as a float.
fn ratio(term: u128) -> f64 {
    term as f64 / WHOLE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_asks_exactly_its_share() {
        // 1 % at a million: ten thousand there, and four times that at twice the size.
        let growth = Growth {
            slope: per_quantum(0.01, 1e6),
            ..Growth::default()
        };
        let asked = |n| growth.requirement(Cash(n), Cash::ZERO);
        assert_eq!(asked(1_000_000), Cash(10_000));
        assert_eq!(asked(2_000_000), Cash(40_000));
        assert_eq!(asked(1_000_000_000_000), Cash(1_000_000_000_000));
        assert_eq!(asked(i64::MAX), Cash::MAX);
        assert_eq!(asked(0), Cash::ZERO);
    }

    #[test]
    fn integers_and_floats_agree_at_every_size() {
        let growth = Growth {
            constant: Rate::from_f64(0.02),
            root: per_root_quantum(0.003, 3e5),
            least: per_quantum(0.02, 7e8),
            slope: per_quantum(0.001, 4e9),
            cap: Rate::from_f64(0.6),
        };
        let mut n = 1.0;
        let mut before = 0.0;
        while n < 1e18 {
            let notional = Cash(n as i64);
            let exact = growth.requirement(notional, Rate::from_f64(0.025).mul_up(notional));
            let rate = growth.effective(notional.as_f64(), 0.025);
            let off = exact.as_f64() - rate * notional.as_f64();
            assert!(
                off.abs() <= 3.0 + 1e-9 * notional.as_f64(),
                "{n}: {exact:?} and {rate}"
            );
            assert!(rate >= before);
            before = rate;
            n *= 1.37;
        }
    }
}
