//! Concentration: an add-on to both margins that grows with the position over the depth of the book.
//!
//! `rate + a · N / D`, with D the thinner side's depth within 1 % of the mid, smoothed.

use super::{Adjustment, Problems, problems};
use crate::margin::growth::per_quantum;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::estimate::Ewma;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the concentration adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcentrationSettings {
    /// What a position as large as the depth within 1 % adds to its rates.
    pub rate: f64,
    /// Half-life of the depth that is reckoned with.
    pub half_life: Span,
    /// Whether only the initial margin grows.
    #[serde(default)]
    pub initial_only: bool,
}

impl ConcentrationSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([(
            self.rate.is_finite() && self.rate > 0.0,
            "rate",
            "must be greater than 0",
        )])
    }
    pub(super) fn build(&self) -> Concentration {
        Concentration {
            rate: self.rate,
            initial_only: self.initial_only,
            seen: Ewma::new(self.half_life.as_seconds()),
        }
    }
}

/// The concentration adjustment of one market.
#[derive(Clone)]
pub struct Concentration {
    rate: f64,
    initial_only: bool,
    seen: Ewma,
}

impl Adjustment for Concentration {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let thinner = view.notional(view.bid_depth.min(view.ask_depth));
        if thinner == 0.0 && self.seen.mean() == 0.0 {
            // No book was ever seen: a history has none.
            return;
        }
        self.seen.see(thinner, view.dt);
        let slope = per_quantum(self.rate, self.seen.mean().max(1.0));
        let (initial, maintenance) = schedule.growth_mut();
        initial.slope = initial.slope.saturating_add(slope);
        if !self.initial_only {
            maintenance.slope = maintenance.slope.saturating_add(slope);
        }
    }
    fn name(&self) -> &'static str {
        "concentration"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Cash, Lots, Rate};

    #[test]
    fn a_position_as_large_as_the_depth_pays_the_rate_on_top() {
        let settings = ConcentrationSettings {
            rate: 0.03,
            half_life: Span::ZERO,
            initial_only: true,
        };
        let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
        let view = RiskView {
            dt: 1.0,
            mark: 100.0,
            quanta: 1.0,
            bid_depth: Lots(10_000),
            ask_depth: Lots(20_000),
            ..RiskView::default()
        };
        settings.build().adjust(&view, &mut schedule);
        let depth = Cash(1_000_000);
        assert!((schedule.initial(depth).0 - 50_000).abs() <= 1);
        assert_eq!(schedule.maintenance(depth), Cash(10_000));
    }
}
