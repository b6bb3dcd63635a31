//! The reproduction number before and after: what was foreseen from triggers and book, and what liquidations then did.
//!
//! Before: R_w, forced quantity within a move of w over the book quantity that makes it, both added up over the steps of a window:
//! a book that is empty for a moment has no R of that moment, but a window with it has. After: R̂ of a window, the quantity that the liquidations of the window brought about in their own market and direction, by the
//! genealogy, over their own.
//!
//! A *warning* is a time of R₁% ≥ 1; such times less than the horizon of calls apart are one. A *cascade* is a tree of at least
//! [`CASCADE`] liquidations. A warning that no cascade of its market and direction follows by the end of the horizon after
//! it was a false alarm; a cascade that begins in no warning's time or horizon was missed.

use super::cause::WHOLE;
use super::graph::Genealogy;
use crate::measure::Recorded;
pub use crate::measure::foreseen::{LEAST_STEPS, WINDOW};
use crate::unit::{MarketId, Side};
use petgraph::visit::EdgeRef;

/// The fewest liquidations of a tree that is called a cascade.
pub const CASCADE: u32 = 10;
/// Classes of foreseen R, each up to this.
pub const CLASSES: [f64; 6] = [0.25, 0.5, 0.75, 1.0, 2.0, f64::INFINITY];

/// One window of one market and direction in which liquidations began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Its market.
    pub market: usize,
    /// Whether longs are sold.
    pub down: bool,
    /// Its first step.
    pub step: u32,
    /// R₁% as foreseen: what was forced over what stood in the way, summed over its steps; infinite where nothing stood.
    pub foreseen: f64,
    /// R̂: quantity brought about over quantity liquidated.
    pub realised: f64,
    /// Quantity liquidated, lots.
    pub lots: f64,
    /// Whether volatility is above its median over the run.
    pub stressed: bool,
}

/// Windows of like foreseen R.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Class {
    /// R foreseen, from and to.
    pub range: [f64; 2],
    /// How many windows: calm, stressed.
    pub windows: [u32; 2],
    /// Mean R foreseen, weighted by lots: calm, stressed.
    pub foreseen: [f64; 2],
    /// Mean R̂, weighted by lots: calm, stressed.
    pub realised: [f64; 2],
}

/// How a market's warnings did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Warnings {
    /// Warnings, down and up.
    pub warnings: u32,
    /// Those that no cascade followed.
    pub false_alarms: u32,
    /// Cascades.
    pub cascades: u32,
    /// Those that no warning came before.
    pub missed: u32,
    /// Time from a warning's beginning to the cascade's, for each that was warned of; seconds.
    pub leads: Vec<f64>,
}

/// Every window in which liquidations began.
pub fn windows(recorded: &Recorded, genealogy: &Genealogy) -> Vec<Window> {
    let frame = &recorded.frame;
    let length = ((WINDOW / frame.dt).round() as u32).max(LEAST_STEPS);
    let steps = recorded.tally.steps;
    let count = steps.div_ceil(length) as usize;
    let place = |market: MarketId, side: Side, step: u32| {
        (2 * market.index() + usize::from(side == Side::Buy)) * count + (step / length) as usize
    };
    let mut own = vec![0.0; 2 * frame.markets.len() * count];
    let mut brought = own.clone();
    let graph = &genealogy.graph;
    for node in graph.node_indices() {
        let cause = &graph[node];
        let at = place(cause.market, cause.side, cause.step);
        own[at] += cause.quantity.as_f64();
        for edge in graph.edges(node) {
            let child = &graph[edge.target()];
            if child.market == cause.market && child.side == cause.side {
                let share = f64::from(*edge.weight()) / f64::from(WHOLE);
                brought[at] += share * child.quantity.as_f64();
            }
        }
    }
    let mut found = Vec::new();
    for market in 0..frame.markets.len() {
        let rows = recorded.series.market(market);
        let mut volatilities: Vec<f64> = rows.iter().map(|row| row.volatility).collect();
        volatilities.sort_by(f64::total_cmp);
        let median = volatilities.get(rows.len() / 2).copied().unwrap_or(0.0);
        for side in [Side::Sell, Side::Buy] {
            for window in 0..count as u32 {
                let at = place(MarketId(market as u16), side, window * length);
                if own[at] == 0.0 {
                    continue;
                }
                let from = (window * length / recorded.every) as usize;
                let to =
                    (((window + 1) * length).div_ceil(recorded.every) as usize).min(rows.len());
                let rows = &rows[from.min(to)..to];
                let many = rows.len() as f64;
                let (mut forced, mut depth) = (0.0, 0.0);
                for row in rows {
                    let reach = match side {
                        Side::Sell => row.down_reach[0],
                        Side::Buy => row.up_reach[0],
                    };
                    forced += reach.forced.as_f64();
                    depth += reach.depth.as_f64();
                }
                found.push(Window {
                    market,
                    down: side == Side::Sell,
                    step: window * length,
                    foreseen: if forced > 0.0 { forced / depth } else { 0.0 },
                    realised: brought[at] / own[at],
                    lots: own[at],
                    stressed: rows.iter().map(|row| row.volatility).sum::<f64>() / many > median,
                });
            }
        }
    }
    found
}

/// Foreseen against realised, by class of what was foreseen and by regime.
pub fn calibrate<'a>(windows: impl Iterator<Item = &'a Window> + Clone) -> Vec<Class> {
    let mut low = 0.0;
    CLASSES
        .iter()
        .map(|high| {
            let range = [low, *high];
            low = *high;
            let mut class = Class {
                range,
                ..Class::default()
            };
            let mut lots = [0.0; 2];
            for window in windows.clone() {
                if window.foreseen >= range[0] && window.foreseen < range[1] {
                    let regime = usize::from(window.stressed);
                    class.windows[regime] += 1;
                    class.foreseen[regime] += window.lots * window.foreseen;
                    class.realised[regime] += window.lots * window.realised;
                    lots[regime] += window.lots;
                }
            }
            for (regime, lots) in lots.iter().enumerate() {
                class.foreseen[regime] /= lots;
                class.realised[regime] /= lots;
            }
            class
        })
        .collect()
}

/// How the warnings of a market did, in both directions.
pub fn warnings(recorded: &Recorded, genealogy: &Genealogy, market: usize) -> Warnings {
    let horizon = recorded.frame.call_horizon();
    let mut found = Warnings::default();
    for side in [Side::Sell, Side::Buy] {
        let mut alarms: Vec<(u32, u32)> = Vec::new();
        let rows = recorded
            .series
            .steps()
            .iter()
            .zip(recorded.series.market(market));
        for (step, row) in rows {
            let r = match side {
                Side::Sell => row.down[0],
                Side::Buy => row.up[0],
            };
            if r >= 1.0 {
                match alarms.last_mut() {
                    Some(last) if *step <= last.1.saturating_add(horizon) => last.1 = *step,
                    _ => alarms.push((*step, *step)),
                }
            }
        }
        let mut answered = vec![false; alarms.len()];
        for tree in genealogy.trees.iter().filter(|tree| tree.size >= CASCADE) {
            let root = &genealogy.graph[petgraph::graph::NodeIndex::new(tree.root as usize)];
            if root.market.index() != market || root.side != side {
                continue;
            }
            found.cascades += 1;
            // A step's R stands at its end: it warns of what comes after.
            let warned = alarms.iter().position(|alarm| {
                alarm.0 < root.step && root.step <= alarm.1.saturating_add(horizon)
            });
            match warned {
                Some(place) => {
                    answered[place] = true;
                    let lead = f64::from(root.step - alarms[place].0) * recorded.frame.dt;
                    found.leads.push(lead);
                }
                None => found.missed += 1,
            }
        }
        found.warnings += alarms.len() as u32;
        found.false_alarms += answered.iter().filter(|answered| !**answered).count() as u32;
    }
    found.leads.sort_by(f64::total_cmp);
    found
}

/// Spectral radius of a matrix, row by row: the growth of its powers (Gelfand), by repeated squaring.
pub fn spectral_radius(matrix: &[Vec<f64>]) -> f64 {
    let size = matrix.len();
    let norm = |m: &[Vec<f64>]| {
        m.iter()
            .map(|row| row.iter().map(|entry| entry.abs()).sum::<f64>())
            .fold(0.0f64, f64::max)
    };
    let mut power = matrix.to_vec();
    // ln of the norm of the power, per factor.
    let mut logs = 0.0;
    let mut each = 1.0;
    for _ in 0..40 {
        let size_of = norm(&power);
        if !size_of.is_finite() {
            return f64::INFINITY;
        }
        if size_of == 0.0 {
            return 0.0;
        }
        logs += crate::math::ops::ln(size_of) * each;
        each /= 2.0;
        for entry in power.iter_mut().flatten() {
            *entry /= size_of;
        }
        power = (0..size)
            .map(|i| {
                (0..size)
                    .map(|j| (0..size).map(|k| power[i][k] * power[k][j]).sum())
                    .collect()
            })
            .collect();
    }
    crate::math::ops::exp(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spectral_radius_is_the_largest_eigenvalue() {
        let r = spectral_radius(&[vec![0.4, 0.2], vec![0.3, 0.5]]);
        assert!((r - 0.7).abs() < 1e-9, "{r}");
        // A turn by a right angle has no real eigenvalue; its powers keep their size.
        let r = spectral_radius(&[vec![0.0, 2.0], vec![-2.0, 0.0]]);
        assert!((r - 2.0).abs() < 1e-9, "{r}");
        assert_eq!(spectral_radius(&[vec![0.0, 1.0], vec![0.0, 0.0]]), 0.0);
    }
}
