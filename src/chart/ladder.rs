//! Depth against forced selling: how far the price may move before forced orders exceed the book.
//!
//! # Units
//! Distances as shares of the mid price, never negative; notionals cumulative from the mid outwards.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout;
use super::panel::{Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, font, number, same_length, theme};

/// Both sides of one market at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LadderData {
    /// The market's name.
    pub market: String,
    /// Unit of notionals.
    pub currency: String,
    /// Greatest distance shown: 0.2 is twenty per cent.
    pub reach: f64,
    /// Bids against forced sells.
    pub down: LadderSide,
    /// Asks against forced buys.
    pub up: LadderSide,
}

/// One side of the book and the orders that a move to that side would force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LadderSide {
    /// Distances from mid, ascending.
    pub distance: Vec<f64>,
    /// Notional resting within each distance.
    pub depth: Vec<f64>,
    /// Notional forced by a move of each distance.
    pub forced: Vec<f64>,
}

impl LadderSide {
    /// The least distance at which forced orders exceed the depth, between samples by straight line.
    pub fn first_crossing(&self) -> Option<Crossing> {
        let samples: Vec<(f64, f64, f64)> = self
            .distance
            .iter()
            .zip(&self.depth)
            .zip(&self.forced)
            .map(|((&distance, &depth), &forced)| (distance, depth, forced))
            .filter(|(d, a, b)| d.is_finite() && a.is_finite() && b.is_finite())
            .collect();
        let at = samples
            .iter()
            .position(|(_, depth, forced)| forced > depth)?;
        let (distance, depth, forced) = samples[at];
        let Some(&(before, depth_before, forced_before)) =
            at.checked_sub(1).and_then(|i| samples.get(i))
        else {
            return Some(Crossing {
                distance,
                notional: depth,
            });
        };
        // The excess goes from at most 0 to above 0, so the denominator is positive.
        let (lack, excess) = (depth_before - forced_before, forced - depth);
        let share = lack / (lack + excess);
        Some(Crossing {
            distance: before + share * (distance - before),
            notional: depth_before + share * (depth - depth_before),
        })
    }

    /// The samples up to a distance.
    fn within(&self, reach: f64) -> Self {
        let keep: Vec<usize> = (0..self.distance.len())
            .filter(|&i| self.distance[i] <= reach * (1.0 + 1e-9))
            .collect();
        let pick = |column: &[f64]| keep.iter().map(|&i| column[i]).collect();
        Self {
            distance: pick(&self.distance),
            depth: pick(&self.depth),
            forced: pick(&self.forced),
        }
    }
}

/// Where forced orders first exceed the depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Distance from mid as a share.
    pub distance: f64,
    /// Cumulative notional there.
    pub notional: f64,
}

/// The words that differ between the sides.
struct Words {
    heading: &'static str,
    depth: &'static str,
    forced: &'static str,
    sign: f64,
}

const DOWN: Words = Words {
    heading: "Below mid",
    depth: "bid depth",
    forced: "forced sells",
    sign: -1.0,
};
const UP: Words = Words {
    heading: "Above mid",
    depth: "ask depth",
    forced: "forced buys",
    sign: 1.0,
};

/// Least width of a sheet on which both sides stand side by side.
const ABREAST: f64 = 600.0;

/// Draws bids against forced sells on the left and asks against forced buys on the right.
pub fn ladder(data: &LadderData, options: &Options) -> Result<Chart, ChartError> {
    for side in [&data.down, &data.up] {
        same_length("depth", side.depth.len(), side.distance.len())?;
        same_length("forced", side.forced.len(), side.distance.len())?;
    }
    let reach = if data.reach.is_finite() && data.reach > 0.0 {
        data.reach
    } else {
        0.2
    };
    let mut canvas = options.sheet()?;
    let own_title = format!("{}: depth against forced orders", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;

    let sides = [
        (data.down.within(reach), &DOWN),
        (data.up.within(reach), &UP),
    ];
    let most = extent(
        sides
            .iter()
            .flat_map(|(side, _)| [side.depth.as_slice(), &side.forced]),
    )
    .map_or(0.0, |(_, high)| high);
    let y = Scale::from_zero(most);
    // Side by side; on a narrow sheet one below the other.
    let abreast = canvas.width >= ABREAST;
    let width = canvas.width;
    let foot = |top, foot| layout::stack(width, top, foot, &[1.0])[0];
    let middle = 0.5 * (top + canvas.height);
    let rows = if abreast {
        [foot(top, canvas.height); 2]
    } else {
        [foot(top, middle), foot(middle, canvas.height)]
    };
    let y_ticks = y.ticks(layout::lines_for(rows[0].1 - rows[0].0, 55.0), true);
    let blank: Vec<_> = y_ticks
        .iter()
        .map(|tick| {
            let mut tick = tick.clone();
            tick.label.clear();
            tick
        })
        .collect();
    const BETWEEN: f64 = 36.0;
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room([]);
    let middle = 0.5 * (left + right);
    let columns = if abreast {
        [
            (left, middle - 0.5 * BETWEEN),
            (middle + 0.5 * BETWEEN, right),
        ]
    } else {
        [(left, right); 2]
    };
    let rooms = columns.into_iter().zip(rows);
    for (i, ((side, words), ((left, right), (top, bottom)))) in sides.iter().zip(rooms).enumerate()
    {
        let room = Room {
            left,
            right,
            top,
            bottom,
        };
        let (low, high) = if words.sign < 0.0 {
            (-100.0 * reach, 0.0)
        } else {
            (0.0, 100.0 * reach)
        };
        let x = Scale::Linear { low, high };
        let panel = Panel { room, x, y };
        let x_ticks = x.ticks(layout::lines_for(room.width(), 80.0), false);
        let y_ticks = if i == 0 || !abreast { &y_ticks } else { &blank };
        let heading = format!("{}: cumulative notional ({})", words.heading, data.currency);
        let below = Some("Distance from mid (%)");
        let legend = [(words.depth, theme::DEPTH), (words.forced, theme::FORCED)];
        panel.axes(&mut canvas, &heading, &legend, &x_ticks, y_ticks, below)?;
        draw_side(&mut canvas, &panel, side, words, reach)?;
    }
    Ok(Chart::of(canvas, options, title))
}

fn draw_side(
    canvas: &mut Canvas,
    panel: &Panel,
    side: &LadderSide,
    words: &Words,
    reach: f64,
) -> Result<(), ChartError> {
    if extent([side.depth.as_slice(), &side.forced]).is_none() {
        return panel.say(canvas, "no data");
    }
    let x: Vec<f64> = side
        .distance
        .iter()
        .map(|d| 100.0 * words.sign * d)
        .collect();
    let line = |name, y, color, weight| Line {
        name,
        x: &x,
        y,
        color,
        weight,
        finish: Finish::Plain,
    };
    let depth = line(words.depth, &side.depth, theme::DEPTH, theme::MAIN_LINE);
    let forced = line(
        words.forced,
        &side.forced,
        theme::FORCED,
        theme::MAIN_LINE + 0.5,
    );
    panel.area(canvas, &depth, 0.0, theme::FILL)?;
    panel.line(canvas, &depth)?;
    panel.line(canvas, &forced)?;
    match side.first_crossing() {
        Some(crossing) => mark(canvas, panel, &crossing, words, &[depth, forced]),
        None => {
            let note = format!("no crossing within {}", number::percent(reach, 0));
            let room = panel.room;
            canvas.layer("note", "crossing", Finish::Rimmed, |pen| {
                let at = (0.5 * (room.left + room.right), room.top + 22.0);
                pen.text(&note, at, Anchor::Middle, theme::LABEL, false, theme::QUIET)
            })
        }
    }
}

/// The crossing's point, a line down to the axis, and its words on the side with more room.
fn mark(
    canvas: &mut Canvas,
    panel: &Panel,
    crossing: &Crossing,
    words: &Words,
    lines: &[Line<'_>],
) -> Result<(), ChartError> {
    let room = panel.room;
    let x = panel.px(100.0 * words.sign * crossing.distance);
    let y = panel.py(crossing.notional);
    let dots = Finish::Dashed(theme::DOTS);
    canvas.layer("level", "crossing", dots, |pen| {
        pen.line(
            &[(x, room.top), (x, room.bottom)],
            theme::INK,
            theme::THIN_LINE,
        )
    })?;
    let sign = if words.sign > 0.0 { "+" } else { "" };
    let first = format!(
        "{sign}{}: {} exceed depth",
        number::percent(words.sign * crossing.distance, 1),
        words.forced
    );
    let second = format!("at {} cumulative", number::compact(crossing.notional));
    let widest = font::width(&first, theme::LABEL, true);
    let (anchor, at) = if x + 12.0 + widest <= room.right {
        (Anchor::Start, x + 10.0)
    } else if x - 12.0 - widest >= room.left {
        (Anchor::End, x - 10.0)
    } else {
        (Anchor::Middle, 0.5 * (room.left + room.right))
    };
    let line = 1.35 * theme::LABEL;
    let (from, to) = match anchor {
        Anchor::Start => (at, at + widest),
        Anchor::Middle => (at - 0.5 * widest, at + 0.5 * widest),
        Anchor::End => (at - widest, at),
    };
    let points: Vec<(f64, f64)> = lines
        .iter()
        .flat_map(|line| panel.points(line.x, line.y))
        .filter(|(px, _)| (from..to).contains(px))
        .collect();
    // As high as possible among the heights that the fewest points of the curves cross.
    let crossed = |top: f64| {
        let span = top - line..top + 2.0 * line;
        points.iter().filter(|(_, py)| span.contains(py)).count()
    };
    let rows = ((room.height() - 3.0 * line) / line).max(0.0) as usize;
    let top = (0..=rows)
        .map(|i| room.top + line * (1.0 + i as f64))
        .min_by_key(|&top| crossed(top))
        .unwrap_or(room.top + line);
    canvas.layer("note", "crossing", Finish::Rimmed, |pen| {
        pen.dot((x, y), 6.0, theme::BACKGROUND)?;
        pen.dot((x, y), 4.5, theme::INK)?;
        pen.text(&first, (at, top), anchor, theme::LABEL, true, theme::INK)?;
        pen.text(
            &second,
            (at, top + line),
            anchor,
            theme::LABEL,
            false,
            theme::QUIET,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(depth: &[f64], forced: &[f64]) -> LadderSide {
        LadderSide {
            distance: (0..depth.len()).map(|i| 0.01 * i as f64).collect(),
            depth: depth.to_vec(),
            forced: forced.to_vec(),
        }
    }

    #[test]
    fn the_first_crossing_lies_between_samples() {
        let crossing = side(&[0.0, 10.0, 20.0], &[0.0, 5.0, 35.0])
            .first_crossing()
            .expect("crosses");
        // Excess −5 at 1 % and +15 at 2 %.
        assert!((crossing.distance - 0.0125).abs() < 1e-12);
        assert!((crossing.notional - 12.5).abs() < 1e-12);
    }

    #[test]
    fn equality_is_no_crossing() {
        assert_eq!(side(&[0.0, 1.0], &[0.0, 1.0]).first_crossing(), None);
        assert_eq!(side(&[], &[]).first_crossing(), None);
    }

    #[test]
    fn an_empty_book_is_crossed_at_once() {
        let crossing = side(&[0.0, 0.0], &[1.0, 2.0]).first_crossing();
        assert_eq!(crossing.map(|c| c.distance), Some(0.0));
    }
}
