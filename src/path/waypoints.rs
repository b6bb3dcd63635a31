//! Given prices at given times, joined by Brownian bridges in log price.
//!
//! Between pinned log prices `x_a` and `x_b` the path steps by
//! `X' = X + (x_b − X)/n + σ √(dt (n − 1)/n) · z` with `n` steps left: a discrete Brownian bridge, whose
//! variance is `σ² (t − a)(b − t)/(b − a)`. A waypoint belongs to the step nearest to its time, and
//! the path is exactly at its price there. The first bridge starts at step 0 at the start price;
//! after the last waypoint the path is a driftless geometric Brownian motion of the same volatility.
//!
//! # Reference
//!
//! Glasserman, P. (2003), "Monte Carlo Methods in Financial Engineering", §3.1, equation (3.6).

use super::{Frame, Moment, PricePath, Problem, TimeGrid, not_negative};
use crate::math::ops;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `waypoints = { points = [["20:50:00", 117000.0], …], volatility }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waypoints {
    /// Times and prices, in order.
    pub points: Vec<(Moment, f64)>,
    /// Volatility per year of the bridges; 0 joins the points by straight lines in log price.
    pub volatility: f64,
}

impl Waypoints {
    /// Everything that keeps these settings from being run.
    pub fn problems(&self, grid: &TimeGrid, start: f64) -> Vec<Problem> {
        let mut problems: Vec<_> = not_negative("volatility", self.volatility)
            .into_iter()
            .collect();
        if self.points.is_empty() {
            problems.push(Problem::new(
                "points",
                "found none, expected at least one [time, price]",
            ));
        }
        let mut before: Option<(u32, Moment)> = None;
        for (index, &(moment, price)) in self.points.iter().enumerate() {
            let field = format!("points[{index}]");
            if !(price.is_finite() && price > 0.0) {
                problems.push(Problem::new(
                    &field,
                    format!("found price {price}, expected a number above 0"),
                ));
            }
            let Some(step) = grid.nearest_step(moment.offset(grid.start_ms)) else {
                problems.push(Problem::new(
                    &field,
                    format!(
                        "{moment} lies before the start of the run ({}) or is no finite time; expected a time within the run",
                        super::moment::show_utc(grid.start_ms)
                    ),
                ));
                continue;
            };
            if let Some((last, earlier)) = before
                && step <= last
            {
                problems.push(Problem::new(
                    &field,
                    format!(
                        "{moment} isn't at least one step of {} s after {earlier}; expected times in increasing order",
                        grid.dt
                    ),
                ));
            }
            if step == 0 && (price / start - 1.0).abs() > 1e-9 {
                problems.push(Problem::new(
                    &field,
                    format!("found {price} at step 0, expected the start price {start}"),
                ));
            }
            before = Some((step, moment));
        }
        problems
    }

    /// The price of a waypoint at step 0.
    pub fn natural_start(&self, grid: &TimeGrid) -> Option<f64> {
        let (moment, price) = *self.points.first()?;
        (grid.nearest_step(moment.offset(grid.start_ms)) == Some(0)).then_some(price)
    }
}

impl PricePath for Waypoints {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        let years = frame.grid.years();
        let sigma = self.volatility * years.sqrt();
        let steps = frame.grid.steps;
        let start_ms = frame.grid.start_ms;
        out[0] = frame.start;
        let (mut step, mut log) = (0, ops::ln(frame.start));
        for &(moment, price) in &self.points {
            let Some(pinned) = frame.grid.nearest_step(moment.offset(start_ms)) else {
                continue;
            };
            let target = ops::ln(price);
            while step < pinned.min(steps) {
                let left = f64::from(pinned - step);
                step += 1;
                if step == pinned {
                    log = target;
                    out[step as usize] = price;
                } else {
                    log += (target - log) / left
                        + sigma * ((left - 1.0) / left).sqrt() * frame.normal(step);
                    out[step as usize] = ops::exp(log);
                }
            }
        }
        let drift = -0.5 * sigma * sigma;
        while step < steps {
            step += 1;
            log += drift + sigma * frame.normal(step);
            out[step as usize] = ops::exp(log);
        }
    }
}
