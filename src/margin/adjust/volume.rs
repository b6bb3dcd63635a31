//! Volume: initial margin that rises as the time it would take the market to trade its open interest grows.
//!
//! With V the traded notional per hour, smoothed, the factor is `clamp(OI / (hours · V), 1, cap)`: an open
//! interest that usual trading turns over within `hours` asks nothing more. Maintenance stays.

use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::estimate::Ewma;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the volume adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeSettings {
    /// Time within which usual trading should be able to turn the open interest over, e.g. `"1d"`.
    pub turnover: Span,
    /// Largest factor of the initial margin.
    pub cap: f64,
    /// Half-life of the traded volume.
    pub half_life: Span,
}

impl VolumeSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([
            (
                self.turnover > Span::ZERO && self.turnover < Span::NEVER,
                "turnover",
                "must be longer than 0 and not forever",
            ),
            (
                self.cap.is_finite() && self.cap >= 1.0,
                "cap",
                "must be at least 1",
            ),
        ])
    }
    pub(super) fn build(&self) -> Volume {
        Volume {
            turnover: self.turnover.as_seconds(),
            cap: self.cap,
            seen: Ewma::new(self.half_life.as_seconds()),
        }
    }
}

/// The volume adjustment of one market.
#[derive(Clone)]
pub struct Volume {
    turnover: f64,
    cap: f64,
    /// Lots traded per second.
    seen: Ewma,
}

impl Adjustment for Volume {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        self.seen.see(view.volume.as_f64() / view.dt, view.dt);
        let turned = self.seen.mean() * self.turnover;
        let open = view.open_interest.as_f64();
        let factor = if open > turned {
            (open / turned.max(1.0)).min(self.cap)
        } else {
            1.0
        };
        schedule.scale(factor.max(1.0), 1.0);
    }
    fn name(&self) -> &'static str {
        "volume"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Lots, Rate};

    #[test]
    fn an_open_interest_of_twice_the_turnover_doubles_the_initial_margin() {
        let mut volume = VolumeSettings {
            turnover: Span::seconds(100.0),
            cap: 3.0,
            half_life: Span::ZERO,
        }
        .build();
        for (open, initial) in [(500, 0.02), (2_000, 0.04), (9_000, 0.06)] {
            let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
            let view = RiskView {
                dt: 1.0,
                volume: Lots(10),
                open_interest: Lots(open),
                ..RiskView::default()
            };
            volume.adjust(&view, &mut schedule);
            assert_eq!(schedule.initial_level(), Rate::from_f64(initial));
            assert_eq!(schedule.level(), Rate::from_f64(0.01));
        }
    }
}
