//! Buffer: a quarter more than the rule asks, held in calm and used up as requirements rise.
//!
//! With M the rate asked, the rate charged stays where it is as long as it lies between M and
//! `(1 + size) · M`: a rise of M is first taken out of the buffer, and only what exceeds it is charged. The
//! buffer fills again, from empty to full within `refill`.
//!
//! # Invariants
//!
//! - `the_buffer_exhausts_and_refills`.
//! - `a_rate_is_never_below_what_is_asked`.
//!
//! # Reference
//!
//! Commission Delegated Regulation (EU) No 153/2013, Article 28(1)(a): a margin buffer of at least 25 %,
//! which may be temporarily exhausted when calculated requirements rise significantly.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BufferSettings {
    /// The full buffer, as a share of what is asked.
    #[serde(default = "quarter")]
    pub size: f64,
    /// Time in which an empty buffer fills.
    pub refill: Span,
}

const fn quarter() -> f64 {
    0.25
}

impl BufferSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.size.is_finite() && self.size > 0.0,
                "size",
                "must be greater than 0",
            ),
            (self.refill > Span::ZERO, "refill", "must be longer than 0"),
        ])
    }
    pub(super) fn build(&self) -> Buffer {
        Buffer {
            size: self.size,
            refill: self.refill.as_seconds(),
            charged: None,
        }
    }
}

/// The buffer of one market.
#[derive(Clone)]
pub struct Buffer {
    size: f64,
    refill: f64,
    charged: Option<f64>,
}

impl Adjustment for Buffer {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        if asked <= 0.0 {
            return;
        }
        let full = asked * (1.0 + self.size);
        let before = self.charged.unwrap_or(full);
        let charged = (before + asked * self.size * view.dt / self.refill).clamp(asked, full);
        self.charged = Some(charged);
        let factor = charged / asked;
        schedule.scale(factor, factor);
    }
    fn name(&self) -> &'static str {
        "buffer"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;
    use proptest::prelude::*;

    fn buffer() -> Buffer {
        BufferSettings {
            size: 0.25,
            refill: Span::seconds(1_000.0),
        }
        .build()
    }

    #[test]
    fn the_buffer_exhausts_and_refills() {
        let mut asked = vec![0.02; 10];
        asked.extend(vec![0.0245; 3]); // within the buffer
        asked.extend(vec![0.04; 1_100]); // beyond it
        asked.extend(vec![0.01; 2]);
        let charged = levels(&mut buffer(), &asked);
        assert!((charged[9] - 0.025).abs() < 1e-9);
        assert!(
            (charged[10] - 0.025).abs() < 2e-5,
            "taken out of the buffer"
        );
        assert!((charged[13] - 0.04).abs() < 1e-9, "exhausted");
        assert!(
            (charged[513] - 0.045).abs() < 2e-5,
            "half full after half the time"
        );
        assert!((charged[1_112] - 0.05).abs() < 1e-8, "full");
        assert!(
            (charged[1_114] - 0.0125).abs() < 1e-8,
            "never more than full"
        );
    }

    proptest! {
        #[test]
        fn a_rate_is_never_below_what_is_asked(asked in prop::collection::vec(0.001f64..0.5, 1..200)) {
            for (charged, asked) in levels(&mut buffer(), &asked).iter().zip(&asked) {
                prop_assert!(*charged >= asked - 2e-9 && *charged <= asked * 1.25 + 2e-9);
            }
        }
    }
}
