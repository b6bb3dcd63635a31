//! Depth: Binance `bookDepth`, `timestamp,percentage,depth,notional[,...]`.
//!
//! A snapshot says how much rests within so many per cent of a reference (the book's midpoint), cumulative, for each side;
//! a negative percentage is the bid side. Lines of a snapshot needn't stand together.
//!
//! # A side that lies
//!
//! Within the innermost band the average bid (notional / depth) must be below the average ask. Where it isn't, an order that no
//! longer exists sits on top of one side. Its side is told by its stillness: the average price of its innermost band
//! doesn't move while the other's does. From the first to the last such snapshot (spells less than an hour apart are
//! one: the stale order doesn't go away when real quotes join it within the band) that side is *unusable*.
//!
//! The other side's quantities stand, but not their distances: all bands are measured from the midpoint
//! of the stale price `b` and the true best price `a`. The midpoint `r` is found from the outer bands, because what rests between the
//! edges `k` and `k'` has an average price between `r (1 ± k)` and `r (1 ± k')`; the interval that satisfies all of them
//! is narrow (66 basis points in the median of a file with bands of 1 %). Then `a = 2 r − b`, and a band's edge
//! `r (1 ± k)` is measured from `a`. Such a curve carries its uncertainty. Where other orders of the stale side
//! lie beyond `a`, there are more stale orders, on one side or the other, and no curve is given: in the file of 10 October
//! 2025 that holds for 38 of 1,019 snapshots, most of them from 21:13 to 21:24, in the crash itself. The best price that
//! follows in the other 981 is within 84 basis points of the range of the mark price in its minute.
//!
//! # Units
//!
//! Quantities in units of the base; distances in basis points.
//!
//! # Invariants
//!
//! - `a_stale_side_is_never_given`: no curve comes from a side while it is unusable.

mod read;

use super::{LoadError, columns, count, read_text, rows};
use crate::path::moment::show_utc;
use crate::unit::Side;
use read::{EXPECTED, snapshots};
use std::path::{Path, PathBuf};

/// Spells of crossed snapshots that are less apart than this are one.
const SPELL_MS: i64 = 3_600_000;

/// What rests within a distance of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The distance in per cent, positive on both sides.
    pub percent: f64,
    /// Quantity from the best price to there.
    pub quantity: f64,
    /// Its value.
    pub notional: f64,
}

impl Band {
    fn average(&self) -> Option<f64> {
        (self.quantity > 0.0).then(|| self.notional / self.quantity)
    }
}

/// What rests between two distances, in per cent.
struct Shell {
    from: f64,
    to: f64,
    average: f64,
}

/// Both sides at one time, the innermost band first.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When.
    pub time_ms: i64,
    /// The bid side.
    pub bids: Vec<Band>,
    /// The ask side.
    pub asks: Vec<Band>,
}

/// A stretch in which an order that no longer exists sits on top of a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The side that is unusable; none where there is no telling which, and both are.
    pub side: Option<Side>,
    /// The first crossed snapshot.
    pub from_ms: i64,
    /// The last.
    pub to_ms: i64,
    /// How many snapshots are crossed, and how many there are in the stretch.
    pub crossed: (usize, usize),
    /// Price of the stale order.
    pub price: f64,
    /// Its quantity.
    pub quantity: f64,
}

/// Quantity against distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Basis points from the midpoint (from the best price where the curve was measured anew), and the quantity within.
    pub points: Vec<(f64, f64)>,
    /// The first and the last snapshot that it was taken from.
    pub within_ms: (i64, i64),
    /// How many there were.
    pub snapshots: usize,
    /// Half-width in basis points of what is known of the distances, where they were measured anew.
    pub uncertainty: Option<f64>,
}

/// A file of depth.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthHistory {
    /// The file.
    pub path: PathBuf,
    /// The snapshots, in order.
    pub snapshots: Vec<Snapshot>,
    /// Stretches with an unusable side.
    pub faults: Vec<Fault>,
    /// What was noticed and left out.
    pub notes: Vec<String>,
}

impl DepthHistory {
    /// Reads a file of depth.
    ///
    /// # Errors
    ///
    /// [`LoadError`], with all lines that are wrong.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let text = read_text(path)?;
        let rows = rows(path, &text)?;
        let empty = LoadError::Empty {
            path: path.to_owned(),
            expected: "snapshots of depth (timestamp,percentage,depth,notional)",
        };
        let Some(((_, header), rows)) = rows.split_first() else {
            return Err(empty);
        };
        if rows.is_empty() {
            return Err(empty);
        }
        let wanted: [&[&str]; 4] = [&["timestamp"], &["percentage"], &["depth"], &["notional"]];
        let places = columns(path, header, wanted, EXPECTED)?;
        let mut notes = Vec::new();
        let snapshots = snapshots(path, rows, places, &mut notes)?;
        let faults = faults(&snapshots);
        Ok(Self {
            path: path.to_owned(),
            snapshots,
            faults,
            notes,
        })
    }

    /// The fault in whose stretch a time lies.
    fn fault_at(&self, ms: i64) -> Option<&Fault> {
        self.faults
            .iter()
            .find(|fault| (fault.from_ms..=fault.to_ms).contains(&ms))
    }

    /// Whether a side can be used at a time (bids are [`Side::Buy`]).
    pub fn usable(&self, side: Side, ms: i64) -> bool {
        self.fault_at(ms)
            .is_none_or(|fault| fault.side.is_some_and(|bad| bad != side))
    }

    /// The curve of a side from the last snapshot at or before a time; nothing before the first snapshot, or while the
    /// side is unusable.
    pub fn curve_at(&self, side: Side, ms: i64) -> Option<Curve> {
        let after = self.snapshots.partition_point(|s| s.time_ms <= ms);
        self.curve(side, &self.snapshots[after.checked_sub(1)?])
    }

    /// Median distance and median quantity of each band over the snapshots from one time to another, both included.
    /// Where some of them have a true reference and some had to be measured anew, only the former count.
    pub fn median_curve(&self, side: Side, from_ms: i64, to_ms: i64) -> Option<Curve> {
        let first = self.snapshots.partition_point(|s| s.time_ms < from_ms);
        let end = self.snapshots.partition_point(|s| s.time_ms <= to_ms);
        let mut curves: Vec<_> = self
            .snapshots
            .get(first..end)?
            .iter()
            .filter_map(|snapshot| self.curve(side, snapshot))
            .collect();
        if curves.iter().any(|curve| curve.uncertainty.is_none()) {
            curves.retain(|curve| curve.uncertainty.is_none());
        }
        let last = curves.last()?;
        let points = (0..last.points.len())
            .map(|band| {
                (
                    median(curves.iter().map(|curve| curve.points[band].0)),
                    median(curves.iter().map(|curve| curve.points[band].1)),
                )
            })
            .collect();
        Some(Curve {
            points,
            within_ms: (curves[0].within_ms.0, last.within_ms.1),
            snapshots: curves.len(),
            uncertainty: last
                .uncertainty
                .map(|_| median(curves.iter().filter_map(|curve| curve.uncertainty))),
        })
    }

    fn curve(&self, side: Side, snapshot: &Snapshot) -> Option<Curve> {
        let bands = snapshot.side(side);
        let (points, uncertainty) = match self.fault_at(snapshot.time_ms) {
            None => {
                let stated = bands.iter().map(|b| (b.percent * 100.0, b.quantity));
                (stated.collect(), None)
            }
            Some(fault) if fault.side == Some(side.opposite()) => {
                let (low, high) = snapshot.reference()?;
                let reference = 0.5 * (low + high);
                let best = 2.0 * reference - fault.price;
                let away = -side.sign() as f64;
                // What rests beyond the stale order must be on its own side of the best price.
                let slack = high - low;
                if snapshot
                    .shells(side.opposite())
                    .any(|shell| (shell.average - best) * away > slack)
                {
                    return None;
                }
                let points = bands
                    .iter()
                    .map(|band| {
                        let edge = reference * (1.0 + away * band.percent / 100.0);
                        (away * (edge / best - 1.0) * 1e4, band.quantity)
                    })
                    .collect();
                // An error in the reference moves the best price by twice as much.
                (points, Some((high - low) / best * 1e4))
            }
            Some(_) => return None,
        };
        Some(Curve {
            points,
            within_ms: (snapshot.time_ms, snapshot.time_ms),
            snapshots: 1,
            uncertainty,
        })
    }

    /// What a person should know of this file, a line each.
    pub fn report(&self) -> Vec<String> {
        let (Some(first), Some(last)) = (self.snapshots.first(), self.snapshots.last()) else {
            return self.notes.clone();
        };
        let percents: Vec<_> = first.bids.iter().map(|b| b.percent.to_string()).collect();
        let mut report = vec![format!(
            "{} from {} to {} UTC, bands of {} %",
            count(self.snapshots.len() as u64, "snapshot"),
            show_utc(first.time_ms),
            show_utc(last.time_ms),
            percents.join(", ")
        )];
        for fault in &self.faults {
            let until = if fault.to_ms == last.time_ms {
                "the end of the file".to_owned()
            } else {
                format!("{} UTC", show_utc(fault.to_ms))
            };
            let since = format!("from {} UTC to {until}", show_utc(fault.from_ms));
            let (crossed, all) = fault.crossed;
            let seen = format!(
                "the average bid of the innermost band is above the average ask in {crossed} of {}",
                count(all as u64, "snapshot")
            );
            let Some(side) = fault.side else {
                report.push(format!("both sides unusable {since}: {seen}"));
                continue;
            };
            report.push(format!(
                "{} side unusable {since}: {seen}, and an order of {} at {:.2} stays on top while the other side moves",
                name(side),
                fault.quantity,
                fault.price
            ));
            report.push(self.displaced(fault, side));
        }
        report.extend(self.notes.iter().cloned());
        report
    }

    /// How far off the distances of the sound side are in a fault's stretch.
    fn displaced(&self, fault: &Fault, side: Side) -> String {
        let sound = name(side.opposite());
        let curves: Vec<_> = self
            .snapshots
            .iter()
            .filter(|s| (fault.from_ms..=fault.to_ms).contains(&s.time_ms))
            .filter_map(|s| self.curve(side.opposite(), s))
            .collect();
        let stated = self.snapshots[0].asks[0].percent;
        let reach = curves.iter().map(|curve| curve.points[0].0 / 100.0);
        let lost = match fault.crossed.1 - curves.len() {
            0 => String::new(),
            lost => format!(
                ", but for {} in which the sides contradict each other",
                count(lost as u64, "snapshot")
            ),
        };
        format!(
            "{sound} side in that time: its quantities stand, but its bands are measured from the midpoint with the stale order; \
             the band called {stated} % reaches {:.1} % from the best {sound} in the median and {:.1} % at most; \
             distances are measured anew, to within {:.0} basis points in the median{lost}",
            median(reach.clone()),
            reach.fold(0.0, f64::max),
            median(curves.iter().filter_map(|curve| curve.uncertainty)),
        )
    }
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Buy => "bid",
        Side::Sell => "ask",
    }
}

impl Snapshot {
    /// The bands of a side: bids for [`Side::Buy`].
    pub fn side(&self, side: Side) -> &[Band] {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Whether the average bid of the innermost band is at or above the average ask.
    fn crossed(&self) -> bool {
        match (self.bids[0].average(), self.asks[0].average()) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        }
    }

    /// What rests between neighbouring bands, but for the innermost.
    fn shells(&self, side: Side) -> impl Iterator<Item = Shell> {
        self.side(side).windows(2).filter_map(|pair| {
            let quantity = pair[1].quantity - pair[0].quantity;
            (quantity > 0.0).then(|| Shell {
                from: pair[0].percent,
                to: pair[1].percent,
                average: (pair[1].notional - pair[0].notional) / quantity,
            })
        })
    }

    /// The interval in which the price lies from which the bands are measured; nothing where the bands contradict one another.
    fn reference(&self) -> Option<(f64, f64)> {
        let (mut low, mut high) = (0.0, f64::INFINITY);
        for (side, away) in [(Side::Buy, -0.01), (Side::Sell, 0.01)] {
            for shell in self.shells(side) {
                let near = shell.average / (1.0 + away * shell.from);
                let far = shell.average / (1.0 + away * shell.to);
                low = f64::max(low, near.min(far));
                high = f64::min(high, near.max(far));
            }
        }
        (low <= high && high.is_finite() && low > 0.0).then_some((low, high))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// Stretches of crossed snapshots, and the side to blame.
fn faults(snapshots: &[Snapshot]) -> Vec<Fault> {
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for (index, snapshot) in snapshots.iter().enumerate() {
        if !snapshot.crossed() {
            continue;
        }
        match stretches.last_mut() {
            Some((_, last)) if snapshot.time_ms - snapshots[*last].time_ms <= SPELL_MS => {
                *last = index;
            }
            _ => stretches.push((index, index)),
        }
    }
    stretches
        .into_iter()
        .map(|(first, last)| {
            let crossed: Vec<_> = snapshots[first..=last]
                .iter()
                .filter(|snapshot| snapshot.crossed())
                .collect();
            let moved = |side: Side| {
                median(crossed.windows(2).map(|pair| {
                    let averages = [pair[0], pair[1]].map(|s| s.side(side)[0].average());
                    match averages {
                        [Some(before), Some(after)] => (after / before - 1.0).abs(),
                        _ => 0.0,
                    }
                }))
            };
            let (bids, asks) = (moved(Side::Buy), moved(Side::Sell));
            let side = if bids < 0.1 * asks {
                Some(Side::Buy)
            } else if asks < 0.1 * bids {
                Some(Side::Sell)
            } else {
                None
            };
            let inner = |value: fn(&Band) -> f64| {
                median(
                    crossed
                        .iter()
                        .map(|s| value(&s.side(side.unwrap_or(Side::Buy))[0])),
                )
            };
            Fault {
                side,
                from_ms: snapshots[first].time_ms,
                to_ms: snapshots[last].time_ms,
                crossed: (crossed.len(), last - first + 1),
                price: inner(|band| band.notional / band.quantity),
                quantity: inner(|band| band.quantity),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
