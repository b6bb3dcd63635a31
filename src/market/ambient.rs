//! Ambient depth: anonymous liquidity that stands around the anchor, is eaten, and grows back.
//!
//! Nothing is stored for a level that nobody has traded at. What stands at a level is its target
//! less its hole: `max(0, target(level) − hole(level) · 2^(−elapsed / resilience))`. The target is a
//! closed form of the anchor and the flight of liquidity, so moving either costs nothing; the hole
//! is what was consumed there, and stays at its price when the anchor moves.
//!
//! # Units
//!
//! Lots and ticks. Holes are kept to 2⁻²⁰ of a lot. What is left of a hole becomes whole lots by
//! `floor(hole + u)`, where `u` in [0, 1) is a fixed sequence over the levels (multiples of the golden
//! ratio): a level of one lot refills at once or not at all, and the sequence makes a run of
//! such levels refill at the rate of the half-life all the same.
//!
//! # Invariants
//!
//! - `targets_add_up_to_the_curve`: the target of a level is the difference of the floored cumulative
//!   curve at its two edges, so the targets up to any price add up to the floored curve there.
//! - `depth_is_what_a_sweep_takes`: [`Ambient::depth`] in closed form equals the walk
//!   (asserted after every operation of the random sequences in `tests/suite/book.rs`).

use super::book::settings::{BookSettings, Depth};
use super::contract::Contract;
use super::frame::Frame;
use super::sparse::Sparse;
use super::venue::Conditions;
use crate::math::ops;
use crate::unit::{Lots, Side, Ticks};

/// Fractional bits of a hole.
const FRACTION: u32 = 20;
/// Weights that are kept ready; older holes ask for their own.
const READY: usize = 1_024;
/// Holes that are looked at per step to forget those that have healed.
const SWEPT: usize = 16;

/// Where between two whole lots a level rounds: the fractional part of tick · golden ratio.
#[inline]
fn rounding(tick: u32) -> i64 {
    i64::from(tick.wrapping_mul(2_654_435_769) >> (32 - FRACTION))
}

#[derive(Clone, Copy, Debug, Default)]
struct Hole {
    /// Lots in units of 2⁻²⁰.
    size: i64,
    /// The step in which that was its size.
    step: u32,
}

/// The share of a hole that is left after so many steps.
#[derive(Clone, Debug)]
struct Healing {
    ready: Vec<f64>,
    dt: f64,
    half_life: f64,
}

impl Healing {
    fn new(dt: f64, half_life: f64) -> Self {
        let mut healing = Self {
            ready: Vec::new(),
            dt,
            half_life,
        };
        healing.ready = (0..READY as u32)
            .map(|steps| healing.exact(steps))
            .collect();
        healing
    }
    fn exact(&self, steps: u32) -> f64 {
        if steps == 0 {
            1.0
        } else {
            ops::halved(f64::from(steps) * self.dt, self.half_life)
        }
    }
    #[inline]
    fn left(&self, hole: Hole, now: u32) -> i64 {
        if hole.size == 0 || hole.step == now {
            return hole.size;
        }
        let steps = now.saturating_sub(hole.step);
        let weight = match self.ready.get(steps as usize) {
            Some(weight) => *weight,
            None => self.exact(steps),
        };
        (hole.size as f64 * weight).round_ties_even() as i64
    }
}

/// Cumulative depth on one side, in lots.
#[derive(Clone, Debug)]
enum Shape {
    Nothing,
    Flat {
        lots_per_tick: f64,
    },
    Curve {
        /// From so many bps, with so many lots before, so many lots per bps, and at most so many.
        pieces: Vec<[f64; 4]>,
        reach: f64,
    },
}

impl Shape {
    fn new(depth: &Depth, maker: Side, lot: f64) -> Self {
        match depth {
            Depth::None {} => Self::Nothing,
            Depth::Flat { lots_per_tick } => Self::Flat {
                lots_per_tick: *lots_per_tick,
            },
            Depth::Curve(curve) => {
                let own = match maker {
                    Side::Buy => curve.bid.as_ref(),
                    Side::Sell => curve.ask.as_ref(),
                };
                let mut pieces = Vec::new();
                let (mut from, mut before, mut slope) = (0.0, 0.0, 0.0);
                for [bps, quantity] in curve.side(own) {
                    let lots = quantity / lot;
                    slope = (lots - before) / (bps - from);
                    pieces.push([from, before, slope, lots]);
                    (from, before) = (bps, lots);
                }
                pieces.push([from, before, slope, f64::INFINITY]);
                Self::Curve {
                    pieces,
                    reach: curve.reach_bps,
                }
            }
        }
    }
}

/// A run of trades against neighbouring levels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub(super) quantity: i64,
    /// Sum of quantity times price.
    pub(super) moment: i128,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// One side of the ambient depth. Levels are counted outward from the best quote of a full book.
#[derive(Clone, Debug)]
struct Flank {
    maker: Side,
    shape: Shape,
    holes: Sparse<Hole>,
    swept: u32,
    /// Price of level 0, how many levels there are, and which is the first with something left.
    first: i64,
    levels: i64,
    best: i64,
    /// Lots at the best level, and the cumulative target up to and including it.
    there: i64,
    through: i64,
}

/// What the levels of a step are computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Present {
    step: u32,
    anchor: f64,
    depth: f64,
}

/// The ambient depth of one market.
#[derive(Clone, Debug)]
pub(super) struct Ambient {
    flanks: [Flank; 2],
    healing: Healing,
    now: Present,
    half_spread: f64,
    top: i64,
}

impl Flank {
    #[inline]
    fn tick(&self, level: i64) -> i64 {
        match self.maker {
            Side::Buy => self.first - level,
            Side::Sell => self.first + level,
        }
    }
    /// The last level that isn't beyond a price; negative where there is none.
    #[inline]
    fn level(&self, price: i64) -> i64 {
        match self.maker {
            Side::Buy => self.first - price,
            Side::Sell => price - self.first,
        }
    }

    /// Target lots up to and including a level.
    #[inline]
    fn cumulative(&self, level: i64, now: &Present) -> i64 {
        if level < 0 {
            return 0;
        }
        let lots = match &self.shape {
            Shape::Nothing => return 0,
            Shape::Flat { lots_per_tick } => lots_per_tick * (level + 1) as f64,
            Shape::Curve { pieces, reach } => {
                let distance = (self.tick(level) as f64 - now.anchor).abs();
                let bps = (distance / now.anchor * 10_000.0).min(*reach);
                let mut piece = &pieces[0];
                for next in &pieces[1..] {
                    if bps < next[0] {
                        break;
                    }
                    piece = next;
                }
                // Never beyond the piece's end, so that rounding can't make the curve fall.
                (piece[1] + (bps - piece[0]) * piece[2]).min(piece[3])
            }
        };
        (lots * now.depth) as i64
    }

    /// Whole lots missing at a tick.
    #[inline]
    fn missing(&self, tick: u32, healing: &Healing, now: u32) -> i64 {
        (healing.left(*self.holes.cell(tick), now) + rounding(tick)) >> FRACTION
    }

    /// Moves the best level to the first at `level` or beyond with something left; `before` is
    /// the cumulative target before it.
    fn seek(&mut self, level: i64, before: i64, healing: &Healing, now: &Present) {
        let (mut level, mut before) = (level, before);
        self.there = 0;
        while level < self.levels {
            let mut through = self.cumulative(level, now);
            if through == before {
                // Thin depth: most levels hold nothing, so jump to the next that does.
                level = self.first_above(before, level, now);
                if level >= self.levels {
                    break;
                }
                through = self.cumulative(level, now);
            }
            let there = through - before - self.missing(self.tick(level) as u32, healing, now.step);
            if there > 0 {
                (self.there, self.through) = (there, through);
                break;
            }
            (level, before) = (level + 1, through);
        }
        self.best = level.min(self.levels);
    }

    /// The first level beyond `level` whose cumulative target is more than `lots`.
    fn first_above(&self, lots: i64, level: i64, now: &Present) -> i64 {
        let mut stride = 1;
        let mut low = level;
        let mut high = level + 1;
        while high < self.levels && self.cumulative(high, now) <= lots {
            low = high;
            stride *= 2;
            high = low + stride;
        }
        high = high.min(self.levels);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.cumulative(middle, now) <= lots {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

impl Ambient {
    pub(super) fn new(settings: &BookSettings, frame: &Frame) -> Self {
        let flank = |maker| Flank {
            maker,
            shape: Shape::new(&settings.depth, maker, frame.lot),
            holes: Sparse::new(frame.ceiling.0 as usize),
            swept: 0,
            first: 0,
            levels: 0,
            best: 0,
            there: 0,
            through: 0,
        };
        let mut ambient = Self {
            flanks: [flank(Side::Buy), flank(Side::Sell)],
            healing: Healing::new(frame.dt, settings.resilience.as_seconds()),
            now: Present {
                step: 0,
                anchor: f64::NAN,
                depth: 1.0,
            },
            half_spread: settings.spread_bps / 20_000.0,
            top: frame.top(),
        };
        ambient.open(&Conditions {
            step: 0,
            anchor: frame.start,
            depth: 1.0,
        });
        ambient
    }

    /// Moves the depth to a new anchor and size, and lets its holes heal.
    pub(super) fn open(&mut self, conditions: &Conditions) {
        let now = Present {
            step: conditions.step,
            anchor: conditions.anchor.max(1.0),
            depth: conditions.depth.max(0.0),
        };
        let heals = self.healing.half_life != f64::INFINITY;
        let still = now
            == Present {
                step: now.step,
                ..self.now
            };
        self.now = now;
        if still && !heals {
            return;
        }
        let (bid, ask) = {
            let half = now.anchor * self.half_spread;
            let (bid, ask) = ((now.anchor - half).floor(), (now.anchor + half).ceil());
            // A whole anchor without a spread: quote around it rather than lock the market.
            if bid < ask {
                (bid, ask)
            } else {
                (bid - 1.0, ask + 1.0)
            }
        };
        for flank in &mut self.flanks {
            let reach = match &flank.shape {
                Shape::Nothing => continue,
                Shape::Flat { .. } => f64::INFINITY,
                Shape::Curve { reach, .. } => now.anchor * reach / 10_000.0,
            };
            let end;
            (flank.first, end) = match flank.maker {
                Side::Buy => (
                    (bid as i64).min(self.top),
                    ((now.anchor - reach).ceil() as i64).max(1),
                ),
                Side::Sell => (
                    ask as i64,
                    ((now.anchor + reach).floor() as i64).min(self.top),
                ),
            };
            flank.levels = (flank.level(end) + 1).max(0);
            if heals {
                flank.forget(&self.healing, now.step);
            }
            flank.seek(0, 0, &self.healing, &now);
        }
    }

    /// The best price of a side.
    #[inline]
    pub(super) fn best(&self, maker: Side) -> Option<u32> {
        let flank = &self.flanks[maker.index()];
        (flank.there > 0).then(|| flank.tick(flank.best) as u32)
    }

    /// Takes up to so many lots from one side at prices up to and including `limit`.
    pub(super) fn take(
        &mut self,
        maker: Side,
        wanted: i64,
        limit: u32,
        contract: &Contract,
    ) -> Run {
        let flank = &mut self.flanks[maker.index()];
        let last = flank.level(i64::from(limit));
        let mut run = Run::default();
        while run.quantity < wanted && flank.there > 0 && flank.best <= last {
            let tick = flank.tick(flank.best) as u32;
            let lots = flank.there.min(wanted - run.quantity);
            flank.dig(tick, lots, &self.healing, self.now.step);
            if run.quantity == 0 {
                run.first = tick;
            }
            run.last = tick;
            run.quantity += lots;
            run.moment += if contract.is_inverse() {
                contract.wide(Lots(lots), Ticks(i64::from(tick)))
            } else {
                i128::from(lots) * i128::from(tick)
            };
            if lots == flank.there {
                flank.seek(flank.best + 1, flank.through, &self.healing, &self.now);
            } else {
                flank.there -= lots;
            }
        }
        run
    }

    /// What [`Ambient::take`] could take at most.
    pub(super) fn depth(&self, maker: Side, limit: u32) -> i64 {
        let mut lots = [Lots::ZERO];
        self.subtract_holes(maker, &[limit], |limit| *limit, &mut lots);
        lots[0].0 + self.curve_to(maker, limit)
    }

    /// What the curve has from the best level to a limit, holes aside.
    pub(super) fn curve_to(&self, maker: Side, limit: u32) -> i64 {
        let flank = &self.flanks[maker.index()];
        let last = flank.level(i64::from(limit)).min(flank.levels - 1);
        if flank.there == 0 || last < flank.best {
            return 0;
        }
        // All before the best level is gone.
        flank.cumulative(last, &self.now) - flank.cumulative(flank.best - 1, &self.now)
    }

    /// Takes the holes from the best level on off `lots`, each where the first of the limits is that reaches it; they go
    /// outward. So the holes are gone through once, however many limits there are, and a running sum does the rest.
    pub(super) fn subtract_holes<T>(
        &self,
        maker: Side,
        limits: &[T],
        tick_of: impl Fn(&T) -> u32,
        lots: &mut [Lots],
    ) {
        let flank = &self.flanks[maker.index()];
        let level_of = |limit: &T| flank.level(i64::from(tick_of(limit)));
        let last = limits.last().map_or(-1, level_of).min(flank.levels - 1);
        if flank.there == 0 || last < flank.best {
            return;
        }
        let (from, to) = (flank.tick(flank.best) as u32, flank.tick(last) as u32);
        let (low, high) = (from.min(to), from.max(to));
        // Holes stand side by side where orders have swept: neighbours share the point of the curve between them.
        let mut known = (i64::MIN, 0);
        let mut at = flank.holes.next(low);
        while let Some(tick) = at.filter(|tick| *tick <= high) {
            at = flank.holes.next(tick + 1);
            let missing = flank.missing(tick, &self.healing, self.now.step);
            if missing == 0 {
                continue;
            }
            let level = flank.level(i64::from(tick));
            let through = |level| {
                if known.0 == level {
                    known.1
                } else {
                    flank.cumulative(level, &self.now)
                }
            };
            let (inner, outer) = (through(level - 1), through(level));
            known = match flank.maker {
                Side::Buy => (level - 1, inner),
                Side::Sell => (level, outer),
            };
            let place = limits.partition_point(|limit| level_of(limit) < level);
            lots[place] -= Lots((outer - inner).min(missing));
        }
    }

    /// What stands within so many basis points of the anchor on one side.
    pub(super) fn within(&self, maker: Side, bps: f64) -> Lots {
        let away = self.now.anchor * bps / 10_000.0;
        let limit = match maker {
            Side::Buy => (self.now.anchor - away).ceil().max(1.0) as i64,
            Side::Sell => (self.now.anchor + away).floor() as i64,
        };
        Lots(self.depth(maker, limit.min(self.top) as u32))
    }

    /// The anchor of the step.
    pub(super) fn anchor(&self) -> f64 {
        self.now.anchor
    }

    /// The tick nearest to the anchor.
    pub(super) fn centre(&self) -> Ticks {
        Ticks((self.now.anchor.round() as i64).clamp(1, self.top))
    }
}

impl Flank {
    /// Consumes lots at a tick. What is left of an older hole counts only while it is missing a
    /// whole lot, so that it doesn't matter whether a healed hole has been forgotten yet.
    #[inline]
    fn dig(&mut self, tick: u32, lots: i64, healing: &Healing, step: u32) {
        let hole = self.holes.cell_mut(tick);
        let fresh = hole.size == 0;
        let left = healing.left(*hole, step);
        let kept = if left + rounding(tick) >= 1 << FRACTION {
            left
        } else {
            0
        };
        *hole = Hole {
            size: kept + (lots << FRACTION),
            step,
        };
        if fresh {
            self.holes.mark(tick);
        }
    }

    /// Forgets a few of the holes that have healed, a different few each step.
    fn forget(&mut self, healing: &Healing, now: u32) {
        for _ in 0..SWEPT {
            let Some(tick) = self.holes.next(self.swept) else {
                self.swept = 0;
                return;
            };
            self.swept = tick + 1;
            if self.missing(tick, healing, now) == 0 {
                *self.holes.cell_mut(tick) = Hole::default();
                self.holes.pass(tick);
            }
        }
    }
}
