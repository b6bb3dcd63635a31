//! Open interest: initial margin scaled toward 100 % between two caps, on top of any base; maintenance stays.
//!
//! # Reference
//!
//! dYdX v4, protocol/x/perpetuals/types/liquidity_tier.go.

use super::{Adjustment, Problems, problems};
use crate::margin::base::open_interest::scaled_initial;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::{Cash, Grid};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the open-interest adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrowdingSettings {
    /// Open interest, in settlement currency, above which initial rates rise.
    pub lower: Decimal,
    /// Open interest at which initial rates are 100 %.
    pub upper: Decimal,
}

impl CrowdingSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([(
            self.lower >= Decimal::ZERO && self.upper > self.lower,
            "upper",
            "must exceed lower, and lower must not be negative",
        )])
    }
    pub(super) fn build(&self, grid: &Grid) -> Crowding {
        let cash = |amount| grid.cash(amount).unwrap_or(Cash::MAX);
        Crowding {
            lower: cash(self.lower),
            upper: cash(self.upper),
        }
    }
}

/// The open-interest adjustment of one market.
#[derive(Clone)]
pub struct Crowding {
    lower: Cash,
    upper: Cash,
}

impl Adjustment for Crowding {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let open = Cash(view.notional(view.open_interest) as i64);
        if open > self.lower {
            schedule.map_rates(|initial, maintenance| {
                (
                    scaled_initial(initial, open, self.lower, self.upper),
                    maintenance,
                )
            });
        }
    }
    fn name(&self) -> &'static str {
        "open_interest"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Lots, Rate};

    #[test]
    fn halfway_between_the_caps_every_initial_rate_is_halfway_to_one() {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        let mut adjust = CrowdingSettings {
            lower: 1_000.into(),
            upper: 2_000.into(),
        }
        .build(&grid);
        let mut schedule = Schedule::flat(Rate::from_f64(0.2), Rate::from_f64(0.1));
        let view = RiskView {
            mark: 15.0,
            quanta: 1.0,
            open_interest: Lots(100),
            ..RiskView::default()
        };
        adjust.adjust(&view, &mut schedule);
        assert_eq!(schedule.initial_level(), Rate::from_f64(0.6));
        assert_eq!(schedule.level(), Rate::from_f64(0.1));
    }
}
