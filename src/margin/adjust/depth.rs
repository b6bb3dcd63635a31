//! Depth: maintenance margin no smaller than the expected slippage of closing the position into the book.
//!
//! A book with depth D within 1 % of the mid is met on average halfway: closing a notional N moves the fill by
//! `½ · 1 % · N / D` of the price. The thinner side counts. Depth is smoothed upward and downward alike with
//! a half-life, so that one thin moment isn't a margin call. It acts before volatility has moved.
//!
//! # Reference
//!
//! Linear impact of a block book: zero bad debt needs `m ≥ s / (2 q p)`; the depth-based design of
//! dYdX's margin portal (Considered.finance).

use super::{Adjustment, Problems, problems};
use crate::margin::growth::per_quantum;
use crate::margin::rule::RiskView;
use crate::margin::schedule::Schedule;
use crate::math::estimate::Ewma;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the depth adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepthSettings {
    /// Margin asked per expected slippage; 1 asks the slippage itself.
    pub multiple: f64,
    /// Half-life of the depth that is reckoned with.
    pub half_life: Span,
}

impl DepthSettings {
    pub(super) fn problems(&self) -> Problems {
        problems([(
            self.multiple.is_finite() && self.multiple > 0.0,
            "multiple",
            "must be greater than 0",
        )])
    }
    pub(super) fn build(&self) -> Depth {
        Depth {
            multiple: self.multiple,
            seen: Ewma::new(self.half_life.as_seconds()),
        }
    }
}

/// The depth adjustment of one market.
#[derive(Clone)]
pub struct Depth {
    multiple: f64,
    seen: Ewma,
}

impl Adjustment for Depth {
    fn adjust(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let thinner = view.notional(view.bid_depth.min(view.ask_depth));
        if thinner == 0.0 && self.seen.mean() == 0.0 {
            // No book was ever seen: a history has none.
            return;
        }
        self.seen.see(thinner, view.dt);
        // Half a percent per depth: twice the depth costs a whole one.
        let least = per_quantum(self.multiple * 0.005, self.seen.mean().max(1.0));
        let (initial, maintenance) = schedule.growth_mut();
        initial.least = initial.least.max(least);
        maintenance.least = maintenance.least.max(least);
    }
    fn name(&self) -> &'static str {
        "depth"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Cash, Lots, Rate};

    #[test]
    fn a_position_of_twice_m_times_the_book_is_asked_m() {
        // A position of s sold into a book of q lots a tick loses s / (2 q p) of its worth: no bad debt needs m no smaller, so
        // that s* = 2 m p q. A book of 50 lots a tick at 1,000 ticks holds 500 lots within 1 %.
        let (price, per_tick) = (1_000.0, 50.0);
        let mut depth = DepthSettings {
            multiple: 1.0,
            half_life: Span::ZERO,
        }
        .build();
        let mut schedule = Schedule::flat(Rate::from_f64(0.002), Rate::from_f64(0.001));
        let view = RiskView {
            dt: 1.0,
            mark: price,
            quanta: 1.0,
            bid_depth: Lots(500),
            ask_depth: Lots(500),
            ..RiskView::default()
        };
        depth.adjust(&view, &mut schedule);
        for m in [0.005, 0.01, 0.025, 0.05] {
            let worth = 2.0 * m * price * per_tick * price;
            let asked = schedule.maintenance(Cash(worth as i64)).as_f64() / worth;
            assert!((asked - m).abs() < 1e-6, "{asked} for {m}");
        }
    }

    #[test]
    fn where_no_book_was_ever_seen_nothing_is_asked() {
        let mut depth = DepthSettings {
            multiple: 1.0,
            half_life: Span::seconds(30.0),
        }
        .build();
        let mut view = RiskView {
            dt: 1.0,
            mark: 1_000.0,
            quanta: 1.0,
            ..RiskView::default()
        };
        let mut asked = |depth: &mut Depth, bids: i64| {
            (view.bid_depth, view.ask_depth) = (Lots(bids), Lots(bids));
            let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
            depth.adjust(&view, &mut schedule);
            schedule.maintenance(Cash(1_000_000))
        };
        assert_eq!(asked(&mut depth, 0), Cash(10_000));
        assert_eq!(asked(&mut depth, 500), Cash(10_000));
        for _ in 0..3_000 {
            asked(&mut depth, 0);
        }
        // Everybody has left: closing costs everything.
        assert!(asked(&mut depth, 0) > Cash(900_000));
    }

    #[test]
    fn half_the_depth_doubles_what_a_large_position_is_asked() {
        let settings = DepthSettings {
            multiple: 1.0,
            half_life: Span::ZERO,
        };
        let asked = |depth: i64| {
            let mut schedule = Schedule::flat(Rate::from_f64(0.02), Rate::from_f64(0.01));
            let view = RiskView {
                dt: 1.0,
                mark: 100.0,
                quanta: 1.0,
                bid_depth: Lots(depth),
                ask_depth: Lots(10 * depth),
                ..RiskView::default()
            };
            settings.build().adjust(&view, &mut schedule);
            // A notional of five times the larger depth.
            (
                schedule.maintenance(Cash(50_000_000)),
                schedule.maintenance(Cash(1_000)),
            )
        };
        for (depth, expected) in [(100_000, 1_250_000), (50_000, 2_500_000)] {
            let (large, small) = asked(depth);
            assert!((large.0 - expected).abs() <= 1, "{large:?}");
            assert_eq!(small, Cash(10));
        }
    }
}
