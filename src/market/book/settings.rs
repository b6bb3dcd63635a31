//! What a scenario says about a market's order book.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit order book with ambient depth behind the traders' own orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookSettings {
    /// Quoted spread of the ambient depth, in basis points of the anchor: half of it lies on each
    /// side. Zero quotes the nearest ticks on both sides of the anchor.
    #[serde(default)]
    pub spread_bps: f64,
    /// How much anonymous liquidity stands where.
    pub depth: Depth,
    /// Half-life with which consumed ambient depth refills; "never" leaves it consumed.
    pub resilience: Span,
}

/// How much anonymous liquidity stands where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Depth {
    /// A measured depth curve.
    Curve(Curve),
    /// The same quantity on every tick from the best quote to the end of the ladder.
    Flat {
        /// Lots on each tick.
        lots_per_tick: f64,
    },
    /// No ambient depth: only the traders' own orders.
    None {},
}

/// Cumulative depth by distance from the anchor.
///
/// A curve is a list of `[bps, quantity]`: the quantity, in units of the base, within so many basis
/// points of the anchor on one side. Density is constant between points, from the anchor to the first
/// point, and beyond the last point (as before it) up to the reach; there it ends. What the curve
/// puts inside the spread stands at the best quote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// The curve of both sides, `[[bps, quantity], …]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f64; 2]>,
    /// The bids' own curve, in place of `points`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Vec<[f64; 2]>>,
    /// The asks' own curve, in place of `points`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Vec<[f64; 2]>>,
    /// Distance from the anchor, in basis points, beyond which nothing stands.
    pub reach_bps: f64,
}

impl BookSettings {
    /// What is wrong with these settings, a sentence each; nothing where they can be used.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(0.0..10_000.0).contains(&self.spread_bps) {
            problems.push(format!(
                "spread_bps must be at least 0 and less than 10000, found {}",
                self.spread_bps
            ));
        }
        match &self.depth {
            Depth::None {} => {}
            Depth::Flat { lots_per_tick } => {
                if !(lots_per_tick.is_finite() && *lots_per_tick > 0.0) {
                    problems.push(format!(
                        "depth.flat.lots_per_tick must be greater than 0, found {lots_per_tick}; for no ambient depth write depth = {{ none = {{}} }}"
                    ));
                }
            }
            Depth::Curve(curve) => curve.problems(self.spread_bps, &mut problems),
        }
        problems
    }
}

impl Curve {
    /// The points of one side.
    pub(in crate::market) fn side(&self, own: Option<&Vec<[f64; 2]>>) -> Vec<[f64; 2]> {
        own.unwrap_or(&self.points).clone()
    }

    fn problems(&self, spread_bps: f64, problems: &mut Vec<String>) {
        let reach = self.reach_bps;
        if !(reach > 0.0 && reach <= 10_000.0) {
            problems.push(format!(
                "depth.curve.reach_bps must be greater than 0 and at most 10000, found {reach}"
            ));
        } else if reach <= spread_bps / 2.0 {
            problems.push(format!(
                "depth.curve.reach_bps ({reach}) must be greater than half of spread_bps ({spread_bps}), or no depth is ever quoted"
            ));
        }
        if self.points.is_empty() && (self.bid.is_none() || self.ask.is_none()) {
            problems.push(
                "depth.curve needs points for both sides, or bid and ask of their own".to_owned(),
            );
        }
        if !self.points.is_empty() && self.bid.is_some() && self.ask.is_some() {
            problems.push(
                "depth.curve.points is never used where bid and ask have their own".to_owned(),
            );
        }
        let own = |side: &'static str, points: &Option<Vec<[f64; 2]>>| {
            points.as_ref().map(|points| (side, points.clone()))
        };
        let shared = (!self.points.is_empty()).then(|| ("points", self.points.clone()));
        for (name, points) in [shared, own("bid", &self.bid), own("ask", &self.ask)]
            .into_iter()
            .flatten()
        {
            if points.is_empty() {
                problems.push(format!("depth.curve.{name} has no points"));
            }
            let mut before = [0.0, 0.0];
            for (place, &[bps, quantity]) in points.iter().enumerate() {
                if !(bps.is_finite() && bps > before[0]) {
                    problems.push(format!(
                        "depth.curve.{name}[{place}]: distances must be greater than 0 and increase, found {bps} bps after {}",
                        before[0]
                    ));
                }
                if !(quantity.is_finite() && quantity >= before[1]) {
                    problems.push(format!(
                        "depth.curve.{name}[{place}]: quantities are cumulative and never fall, found {quantity} after {}",
                        before[1]
                    ));
                }
                before = [bps, quantity];
            }
            if !points.is_empty() && before[1] <= 0.0 {
                problems.push(format!(
                    "depth.curve.{name} has no quantity at all; for no ambient depth write depth = {{ none = {{}} }}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BookSettings, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn settings_read_as_written() {
        let book = read(
            "spread_bps = 1\nresilience = \"30s\"\ndepth.curve = { points = [[10, 5.0], [50, 40]], reach_bps = 500 }",
        )
        .unwrap();
        assert_eq!(book.problems(), Vec::<String>::new());
        let flat = read("resilience = \"never\"\ndepth.flat.lots_per_tick = 10").unwrap();
        assert_eq!(
            flat.depth,
            Depth::Flat {
                lots_per_tick: 10.0
            }
        );
        assert_eq!(
            read("resilience = 0\ndepth.none = {}").unwrap().depth,
            Depth::None {}
        );
        assert!(read("resilience = 0\ndepth.none = { lots = 1 }").is_err());
        assert!(read("resilience = 0\ndepth.flat = { lots_per_tick = 1, lots = 1 }").is_err());
        assert!(read("resilience = 0\nspread = 3\ndepth.none = {}").is_err());
    }

    #[test]
    fn every_problem_is_said() {
        for (text, words) in [
            ("depth.flat.lots_per_tick = 0", "greater than 0"),
            ("depth.flat.lots_per_tick = nan", "greater than 0"),
            ("spread_bps = -1\ndepth.none = {}", "spread_bps"),
            ("depth.curve = { reach_bps = 5 }", "both sides"),
            (
                "depth.curve = { bid = [[1, 1]], reach_bps = 5 }",
                "both sides",
            ),
            (
                "depth.curve = { points = [[1, 1]], bid = [], reach_bps = 5 }",
                "no points",
            ),
            (
                "depth.curve = { points = [[5, 1], [5, 2]], reach_bps = 5 }",
                "increase",
            ),
            (
                "depth.curve = { points = [[5, 2], [6, 1]], reach_bps = 5 }",
                "never fall",
            ),
            (
                "depth.curve = { points = [[5, 0]], reach_bps = 5 }",
                "no quantity",
            ),
            (
                "depth.curve = { points = [[5, inf]], reach_bps = 5 }",
                "never fall",
            ),
            (
                "depth.curve = { points = [[5, 1]], reach_bps = 0 }",
                "reach_bps",
            ),
            (
                "spread_bps = 9\ndepth.curve = { points = [[5, 1]], reach_bps = 4 }",
                "half of",
            ),
            (
                "depth.curve = { points = [[5, 1]], bid = [[5, 1]], ask = [[5, 1]], reach_bps = 4 }",
                "never used",
            ),
        ] {
            let problems = read(&format!("resilience = 60\n{text}"))
                .unwrap()
                .problems();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(words), "{text}: {problems:?}");
        }
    }
}
