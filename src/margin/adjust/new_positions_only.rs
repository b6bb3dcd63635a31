//! New positions only: a rise binds at once for what is opened, and later or never for what is held.
//!
//! Initial margin follows what is asked; the maintenance rate is the lowest that was asked within the
//! last `existing_after`, so that a rise reaches existing positions only once it has lasted that long, and a
//! fall at once. `"never"` keeps the lowest rate of the whole run.

use super::{Adjustment, Problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the adjustment for new positions only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPositionsSettings {
    /// Time after which a rise that lasts binds for existing positions; `"never"` for not at all.
    #[serde(default = "never")]
    pub existing_after: Span,
}

const fn never() -> Span {
    Span::NEVER
}

impl NewPositionsSettings {
    pub(super) fn problems(&self) -> Problems {
        Problems::new()
    }
    pub(super) fn build(&self) -> NewPositions {
        NewPositions {
            after: self.existing_after.as_seconds(),
            held: None,
            lowest: f64::INFINITY,
            waited: 0.0,
        }
    }
}

/// The adjustment of one market.
#[derive(Clone)]
pub struct NewPositions {
    after: f64,
    held: Option<f64>,
    /// The lowest rate asked since the one in force was last asked.
    lowest: f64,
    waited: f64,
}

impl Adjustment for NewPositions {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        let held = self.held.unwrap_or(asked);
        if asked <= held {
            (self.held, self.lowest, self.waited) = (Some(asked), f64::INFINITY, 0.0);
            return;
        }
        self.lowest = self.lowest.min(asked);
        let held = if self.waited >= self.after {
            let lowest = self.lowest;
            (self.lowest, self.waited) = (f64::INFINITY, 0.0);
            lowest
        } else {
            self.waited += view.dt;
            held
        };
        self.held = Some(held);
        schedule.scale(1.0, held / asked);
    }
    fn name(&self) -> &'static str {
        "new_positions_only"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn held_positions_are_asked_more_only_after_the_time() {
        let asked = [0.01, 0.02, 0.03, 0.02, 0.02, 0.005];
        let never = levels(
            &mut NewPositionsSettings {
                existing_after: never(),
            }
            .build(),
            &asked,
        );
        let later = NewPositionsSettings {
            existing_after: Span::seconds(3.0),
        };
        let later = levels(&mut later.build(), &asked);
        for k in 0..6 {
            assert!((never[k] - asked[k].min(0.01)).abs() < 1e-8);
            assert!((later[k] - [0.01, 0.01, 0.01, 0.01, 0.02, 0.005][k]).abs() < 1e-8);
        }
    }
}
