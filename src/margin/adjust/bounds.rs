//! Floor and cap: no rate below the one, none above the other.
//!
//! # Invariants
//!
//! - `no_rate_leaves_its_bounds`: at any size.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::Rate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a floor or a cap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundSettings {
    /// The bound of maintenance rates.
    pub maintenance: f64,
    /// The bound of initial rates.
    pub initial: f64,
}

impl BoundSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.maintenance > 0.0 && self.maintenance <= 1.0,
                "maintenance",
                "must be greater than 0 and at most 1",
            ),
            (
                self.initial >= self.maintenance && self.initial <= 1.0,
                "initial",
                "must lie between maintenance and 1",
            ),
        ])
    }
    pub(super) fn floor(&self) -> Floor {
        Floor(
            Rate::from_f64(self.initial),
            Rate::from_f64(self.maintenance),
        )
    }
    pub(super) fn cap(&self) -> Cap {
        Cap(
            Rate::from_f64(self.initial),
            Rate::from_f64(self.maintenance),
        )
    }
}

/// Rates no smaller than these: initial, maintenance.
#[derive(Clone)]
pub struct Floor(Rate, Rate);
/// Rates no larger than these: initial, maintenance.
#[derive(Clone)]
pub struct Cap(Rate, Rate);

impl Adjustment for Floor {
    fn adjust(&mut self, _: &RiskView, schedule: &mut Schedule) {
        schedule.map_rates(|initial, maintenance| (initial.max(self.0), maintenance.max(self.1)));
        // A cap that stood below gives way: what comes later in the list decides.
        let (initial, maintenance) = schedule.growth_mut();
        initial.cap = initial.cap.max(self.0);
        maintenance.cap = maintenance.cap.max(self.1);
    }
    fn name(&self) -> &'static str {
        "floor"
    }
}

impl Adjustment for Cap {
    fn adjust(&mut self, _: &RiskView, schedule: &mut Schedule) {
        schedule.map_rates(|initial, maintenance| (initial.min(self.0), maintenance.min(self.1)));
        let (initial, maintenance) = schedule.growth_mut();
        initial.cap = initial.cap.min(self.0);
        maintenance.cap = maintenance.cap.min(self.1);
    }
    fn name(&self) -> &'static str {
        "cap"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::growth::per_quantum;
    use crate::unit::Cash;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_rate_leaves_its_bounds(rate in 0.0f64..1.0, slope in 0.0f64..1.0, n in 1_000_000i64..1_000_000_000) {
            let (low, high) = (BoundSettings { maintenance: 0.02, initial: 0.04 }, BoundSettings { maintenance: 0.2, initial: 0.3 });
            let mut schedule = Schedule::flat(Rate::from_f64(rate), Rate::from_f64(rate / 2.0));
            schedule.growth_mut().1.slope = per_quantum(slope, 1e8);
            low.floor().adjust(&RiskView::default(), &mut schedule);
            high.cap().adjust(&RiskView::default(), &mut schedule);
            let asked = schedule.maintenance(Cash(n)).as_f64() / n as f64;
            prop_assert!((0.02..=0.2 + 1e-6).contains(&asked), "{asked}");
            let asked = schedule.initial(Cash(n)).as_f64() / n as f64;
            prop_assert!((0.04..=0.3 + 1e-6).contains(&asked), "{asked}");
        }
    }
}
