//! One number over two settings: a coloured cell for each pair, and lines where a number crosses a level.
//!
//! Cells are equally wide whatever the settings' distances, so that words and ratios have their place as well; a line runs between the
//! cells' centres, as straight as the data allow.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout;
use super::panel::{Panel, Room};
use super::scale::{Scale, Tick, extent};
use super::{Chart, ChartError, Options, font, same_length, theme};
use plotters::style::RGBColor;

/// A number at every pair of two settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatData {
    /// What the number is.
    pub name: String,
    /// Whether it is a share, to be written in per cent.
    pub share: bool,
    /// The setting along the foot.
    pub x_name: String,
    /// Its values, from left to right.
    pub x: Vec<String>,
    /// The setting along the side.
    pub y_name: String,
    /// Its values, from below to above.
    pub y: Vec<String>,
    /// The numbers, row by row from below; undefined where there is none.
    pub values: Vec<f64>,
    /// Lines over the cells.
    pub levels: Vec<LevelData>,
}

/// A line where a number over the same two settings crosses a level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LevelData {
    /// What it says.
    pub name: String,
    /// The numbers, as those of the cells.
    pub values: Vec<f64>,
    /// The level.
    pub level: f64,
    /// Whether it is theory: dashed.
    pub theory: bool,
}

/// Colours from least to most; lightness falls all the way, so that a grey print keeps the order.
const RAMP: [RGBColor; 4] = [
    RGBColor(0xFB, 0xF4, 0xEC),
    RGBColor(0xF2, 0xB1, 0x7B),
    theme::LONG_LIQUIDATION,
    RGBColor(0x5A, 0x1F, 0x00),
];
/// Room for the scale of colours.
pub(super) const BAR: f64 = 18.0;

pub(super) fn color(share: f64) -> RGBColor {
    let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let below = (place as usize).min(RAMP.len() - 2);
    let part = place - below as f64;
    let (from, to) = (RAMP[below], RAMP[below + 1]);
    let mix = |from: u8, to: u8| {
        (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8
    };
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Draws the cells, the lines, and the scale of colours.
pub fn heat(data: &HeatData, options: &Options) -> Result<Chart, ChartError> {
    let (columns, rows) = (data.x.len(), data.y.len());
    same_length("values", data.values.len(), columns * rows)?;
    for level in &data.levels {
        same_length("level", level.values.len(), columns * rows)?;
    }
    let mut canvas = options.sheet()?;
    // The settings stand at the axes; their paths would leave no room for the name.
    let title = options.title_or(&data.name);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];

    let seen = extent([data.values.as_slice()]);
    let (low, high) = match seen {
        // A share's colours mean the same on every chart, unless it is so small that all would look alike.
        Some((low, high)) if data.share && low >= 0.0 && (0.5..=1.0).contains(&high) => (0.0, 1.0),
        Some((low, high)) if high > low => (low, high),
        Some((low, _)) => (low - 0.5, low + 0.5),
        None => (0.0, 1.0),
    };
    let percent = if data.share { 100.0 } else { 1.0 };
    let bar = Scale::Linear {
        low: percent * low,
        high: percent * high,
    };
    let bar_ticks: Vec<Tick> = bar
        .ticks(layout::lines_for(bottom - top, 60.0), true)
        .into_iter()
        .map(|tick| Tick {
            label: if data.share {
                format!("{} %", tick.label)
            } else {
                tick.label
            },
            ..tick
        })
        .collect();
    let y_ticks = ticks(&data.y, (bottom - top) / (1.5 * theme::LABEL));
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width
        - layout::label_room(bar_ticks.iter().map(|tick| tick.label.as_str()))
        - 2.0 * BAR;
    let widest = data
        .x
        .iter()
        .map(|label| font::width(label, theme::LABEL, false))
        .fold(1.0, f64::max);
    let x_ticks = ticks(&data.x, (right - left) / (widest + 12.0));
    let side = |count: usize| Scale::Linear {
        low: 0.0,
        high: count.max(1) as f64,
    };
    let panel = Panel {
        room: Room {
            left,
            right,
            top,
            bottom,
        },
        x: side(columns),
        y: side(rows),
    };
    panel.axes(
        &mut canvas,
        &data.y_name,
        &[],
        &x_ticks,
        &y_ticks,
        Some(&data.x_name),
    )?;
    let Some(_) = seen else {
        panel.say(&mut canvas, "no points")?;
        return Ok(Chart::of(canvas, options, title));
    };
    canvas.cells(data.share, &data.x, &data.y, &data.values);
    canvas.layer("cells", &data.name, Finish::Plain, |pen| {
        for (place, value) in data.values.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            let (x, y) = ((place % columns) as f64, (place / columns) as f64);
            pen.rectangle(
                (panel.px(x), panel.py(y)),
                (panel.px(x + 1.0), panel.py(y + 1.0)),
                color((value - low) / (high - low)),
                1.0,
            )?;
        }
        Ok(())
    })?;
    let place = (panel.room.right + BAR, panel.room.top, panel.room.bottom);
    color_bar(&mut canvas, place, bar, &bar_ticks, color)?;
    for level in &data.levels {
        line(&mut canvas, &panel, level, columns, rows)?;
    }
    Ok(Chart::of(canvas, options, title))
}

/// A label in the middle of each cell, or of every so many where there is no room for all.
fn ticks(labels: &[String], room: f64) -> Vec<Tick> {
    let every = (labels.len() as f64 / room.max(1.0)).ceil().max(1.0) as usize;
    labels
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(place, label)| Tick {
            value: place as f64 + 0.5,
            label: label.clone(),
        })
        .collect()
}

/// The scale of colours at a place (left, top, bottom), with the colour of each share of it.
pub(super) fn color_bar(
    canvas: &mut Canvas,
    (left, top, bottom): (f64, f64, f64),
    scale: Scale,
    ticks: &[Tick],
    shade: impl Fn(f64) -> RGBColor,
) -> Result<(), ChartError> {
    const STEPS: usize = 64;
    let right = left + BAR;
    let y = |share: f64| bottom - share * (bottom - top);
    canvas.layer("scale", "scale of colours", Finish::Plain, |pen| {
        for step in 0..STEPS {
            let (from, to) = (step as f64 / STEPS as f64, (step + 1) as f64 / STEPS as f64);
            let middle = shade(0.5 * (from + to));
            // Up to the top, where the next lies over it: no hairline shows between two.
            pen.rectangle((left, y(from)), (right, y(1.0)), middle, 1.0)?;
        }
        Ok(())
    })?;
    canvas.layer("legend", "numbers of the scale", Finish::Plain, |pen| {
        for tick in ticks {
            let at = (right + 8.0, y(scale.share(tick.value)));
            pen.text(
                &tick.label,
                at,
                Anchor::Start,
                theme::LABEL,
                false,
                theme::QUIET,
            )?;
        }
        Ok(())
    })
}

/// Where a field crosses a level between the cells' centres, as strokes from one side of a square of four to another.
fn crossings(values: &[f64], level: f64, columns: usize, rows: usize) -> Vec<[(f64, f64); 2]> {
    let mut strokes = Vec::new();
    for row in 0..rows.saturating_sub(1) {
        for column in 0..columns.saturating_sub(1) {
            // Around the square, so that neighbours share a side.
            let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(dx, dy)| {
                let (x, y) = (column + dx, row + dy);
                (x as f64 + 0.5, y as f64 + 0.5, values[y * columns + x])
            });
            if corners.iter().any(|corner| !corner.2.is_finite()) {
                continue;
            }
            let mut ends = Vec::new();
            for side in 0..4 {
                let (one, other) = (corners[side], corners[(side + 1) % 4]);
                if (one.2 >= level) != (other.2 >= level) {
                    let part = (level - one.2) / (other.2 - one.2);
                    ends.push((
                        one.0 + part * (other.0 - one.0),
                        one.1 + part * (other.1 - one.1),
                    ));
                }
            }
            // Two, or at a saddle four: then neighbours along the way round are joined.
            strokes.extend(ends.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        }
    }
    strokes
}

fn line(
    canvas: &mut Canvas,
    panel: &Panel,
    level: &LevelData,
    columns: usize,
    rows: usize,
) -> Result<(), ChartError> {
    let strokes = crossings(&level.values, level.level, columns, rows);
    let at = |(x, y): (f64, f64)| (panel.px(x), panel.py(y));
    let finish = if level.theory {
        Finish::Dashed(theme::DASHES)
    } else {
        Finish::Plain
    };
    canvas.layer("level", &level.name, finish, |pen| {
        strokes
            .iter()
            .try_for_each(|stroke| pen.line(&stroke.map(at), theme::INK, 1.4 * theme::MAIN_LINE))
    })?;
    // The note stands at the upper end of a measured line, and at the lower end of theory, where the two are easily told apart.
    let ends = strokes.iter().flatten().copied().map(at);
    let end = if level.theory {
        ends.max_by(|a, b| a.1.total_cmp(&b.1))
    } else {
        ends.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let Some((x, y)) = end else {
        return Ok(());
    };
    let half = 0.5 * font::width(&level.name, theme::LABEL, false) + 4.0;
    let room = panel.room;
    let x = x.clamp(room.left + half, (room.right - half).max(room.left + half));
    let y = if level.theory {
        y + theme::LABEL
    } else {
        y - theme::LABEL
    };
    canvas.layer("note", &level.name, Finish::Rimmed, |pen| {
        pen.text(
            &level.name,
            (x, y),
            Anchor::Middle,
            theme::LABEL,
            true,
            theme::INK,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_runs_where_the_field_has_the_level() {
        // A plane that rises to the right: 0, 1, 2 in each of three rows.
        let plane: Vec<f64> = (0..9).map(|place| f64::from(place % 3)).collect();
        let strokes = crossings(&plane, 0.5, 3, 3);
        assert_eq!(strokes.len(), 2);
        for [one, other] in strokes {
            assert_eq!((one.0, other.0), (1.0, 1.0));
            assert!((one.1 - other.1).abs() == 1.0);
        }
        assert!(crossings(&plane, 5.0, 3, 3).is_empty());
        assert_eq!(crossings(&[1.0, 0.0, 0.0, 1.0], 0.5, 2, 2).len(), 2);
        assert!(crossings(&[1.0, 0.0, f64::NAN, 1.0], 0.5, 2, 2).is_empty());
    }

    #[test]
    fn darker_means_more() {
        let lightness = |share| {
            let RGBColor(r, g, b) = color(share);
            0.3 * f64::from(r) + 0.59 * f64::from(g) + 0.11 * f64::from(b)
        };
        let steps: Vec<f64> = (0..=20).map(|k| lightness(f64::from(k) / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] > pair[1]), "{steps:?}");
    }
}
