//! Notice: a rise binds only a given time after it was announced; a fall at once, if so wished.

use super::delay::Delay;
use super::{Adjustment, Problems, problems};
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the notice period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeSettings {
    /// Time between the announcement of a rate and the moment it binds.
    pub period: Span,
    /// Whether a fall binds at once.
    #[serde(default)]
    pub falls_at_once: bool,
}

impl NoticeSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([(self.period < Span::NEVER, "period", "must not be forever")])
    }
    pub(super) fn build(&self) -> Notice {
        Notice {
            line: Delay::new(self.period.as_seconds()),
            falls_at_once: self.falls_at_once,
        }
    }
}

/// The notice period of one market.
#[derive(Clone)]
pub struct Notice {
    line: Delay,
    falls_at_once: bool,
}

impl Adjustment for Notice {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let asked = schedule.level().as_f64();
        let announced = self.line.pass(asked, view.dt);
        let binds = if self.falls_at_once {
            announced.min(asked)
        } else {
            announced
        };
        if asked > 0.0 {
            schedule.scale(binds / asked, binds / asked);
        }
    }
    fn name(&self) -> &'static str {
        "notice"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn a_rise_waits_and_a_fall_may_not() {
        let asked = [0.01, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01];
        for (falls_at_once, expected) in [
            (false, [0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.01]),
            (true, [0.01, 0.01, 0.01, 0.02, 0.01, 0.01, 0.01]),
        ] {
            let mut notice = NoticeSettings {
                period: Span::seconds(2.0),
                falls_at_once,
            }
            .build();
            for (found, expected) in levels(&mut notice, &asked).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-8);
            }
        }
    }
}
