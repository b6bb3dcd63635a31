//! What would have to hold for a spiral to stop: numbers for whoever sets rules.
//!
//! | | means | from |
//! |---|---|---|
//! | χ* | how much the maintenance rate may rise for a fall of the price, in the same unit, before rises of margin and falls of the price carry each other | A = 1 / (1 − R (1 + χ / (1 − m))) |
//! | 1 − η* | share of each hit that the book must have recovered by the next check of margin | V' = R (V − (1 − η) V₋), critical R = 1 / η for η ≥ ½, else 4 (1 − η) |
//! | π* | share of calls that must be cured | (1 − π) R = 1 |
//! | s* | largest position that the book can close, from its liquidation price, without a deficit | slippage of closing = m · notional |
//!
//! They hold for a uniform density of triggers and a book of constant depth around the price at hand; R is the run's own.

use crate::margin::Schedule;
use crate::unit::Cash;

/// χ*; none where R is 0, for then there is nothing to carry, and none where R alone is enough.
pub fn critical_responsiveness(r: f64, maintenance: f64) -> Option<f64> {
    (r > 0.0 && r < 1.0).then(|| (1.0 - maintenance) * (1.0 / r - 1.0))
}

/// 1 − η*: 0 where nothing is needed; none where no recovery is enough.
pub fn recovery_needed(r: f64) -> Option<f64> {
    if r <= 1.0 {
        Some(0.0)
    } else if r <= 2.0 {
        Some(1.0 - 1.0 / r)
    } else {
        (r <= 4.0).then_some(r / 4.0)
    }
}

/// π*: 0 where nothing is needed.
pub fn cures_needed(r: f64) -> f64 {
    if r <= 1.0 { 0.0 } else { 1.0 - 1.0 / r }
}

/// One side of a book by distance from the mid: cumulative quantity up to each relative distance.
pub type Depth = [(f64, f64)];

/// Largest quantity whose closing costs at most a share of its value, with depth linear between the distances; infinite where the
/// whole book costs less, for then nothing is known of more.
pub fn closable(depth: &Depth, share: f64) -> f64 {
    let (mut quantity, mut cost) = (0.0, 0.0);
    let mut at = 0.0;
    for (distance, total) in depth {
        let more = total - quantity;
        if more > 0.0 {
            let spent = cost + more * (at + distance) / 2.0;
            if spent > share * total {
                // Within this stretch: cost + at·x + slope·x²/2 = share·(quantity + x).
                let slope = (distance - at) / more;
                let (a, b, c) = (slope / 2.0, at - share, cost - share * quantity);
                let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
                return quantity + (root - b) / (2.0 * a);
            }
            cost = spent;
            quantity = *total;
        }
        at = *distance;
    }
    if quantity > 0.0 { f64::INFINITY } else { 0.0 }
}

/// s* of one bracket of positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closable {
    /// The bracket's largest notional, quanta.
    pub cap: Cash,
    /// Its maintenance rate.
    pub maintenance: f64,
    /// s*, in lots.
    pub lots: f64,
}

/// s* of every bracket of a schedule, at the bracket's own rate.
pub fn closable_by_bracket(schedule: &Schedule, depth: &Depth) -> Vec<Closable> {
    schedule
        .brackets()
        .iter()
        .map(|bracket| {
            let maintenance = bracket.maintenance.as_f64();
            Closable {
                cap: bracket.cap,
                maintenance,
                lots: closable(depth, maintenance),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_closed_forms() {
        assert!((critical_responsiveness(0.5, 0.05).unwrap() - 0.95).abs() < 1e-12);
        assert_eq!(critical_responsiveness(0.0, 0.05), None);
        assert_eq!(critical_responsiveness(1.0, 0.05), None);
        assert!((cures_needed(1.25) - 0.2).abs() < 1e-12);
        assert!((cures_needed(2.0) - 0.5).abs() < 1e-12);
        // A book that recovers half of each hit doubles the R that it bears.
        assert_eq!(recovery_needed(2.0), Some(0.5));
        assert!((recovery_needed(1.25).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(recovery_needed(4.5), None);
    }

    #[test]
    fn a_linear_book_closes_twice_depth_times_buffer() {
        // q lots for each unit of distance, buffer B: s* = 2 q B, wherever the rungs are.
        for rungs in [3, 10, 80] {
            let depth: Vec<(f64, f64)> = (1..=rungs)
                .map(|k| f64::from(k) * 0.3 / f64::from(rungs))
                .map(|distance| (distance, 1_000.0 * distance))
                .collect();
            assert!((closable(&depth, 0.05) - 100.0).abs() < 1e-9);
            assert_eq!(closable(&depth, 0.2), f64::INFINITY);
        }
        assert_eq!(closable(&[(0.1, 0.0)], 0.05), 0.0);
    }
}
