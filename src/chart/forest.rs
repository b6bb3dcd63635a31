//! Differences to a baseline with their intervals: a row for each number, a panel for each variant.
//!
//! Differences are shares of the baseline's mean. Small ones and large ones stand on one axis: it is linear to a tenth and
//! logarithmic beyond.

#![expect(
    clippy::disallowed_methods,
    reason = "where a line is drawn, not a result"
)]

use super::canvas::{Anchor, Canvas, Finish};
use super::layout::{self, AXIS_TITLE_ROOM, TICK_ROOM, TITLE_ROOM};
use super::{Chart, ChartError, Options, font, same_length, theme};
use plotters::style::RGBColor;

/// What a difference is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaning {
    /// Better than the baseline.
    Better,
    /// Worse.
    Worse,
    /// Different, and neither better nor worse.
    Neither,
    /// It can't be told.
    #[default]
    Unclear,
}

/// One difference as a share of the baseline's mean; an end that isn't known is undefined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectData {
    /// The difference; undefined where there is none to show.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What it is.
    pub leaning: Leaning,
}

/// Differences of several numbers under several variants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForestData {
    /// Name of the baseline.
    pub baseline: String,
    /// What the numbers are, a row each.
    pub rows: Vec<String>,
    /// Names of the variants, a panel each.
    pub variants: Vec<String>,
    /// Differences by variant and row.
    pub effects: Vec<Vec<EffectData>>,
}

/// Below this share the axis is linear.
const BEND: f64 = 0.1;
/// Shares at which there may be a line.
const MARKS: [f64; 13] = [
    -1.0, -0.5, -0.2, -0.05, 0.0, 0.05, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0,
];
const BETWEEN: f64 = 22.0;

/// Where a share stands, in equal steps.
fn bent(share: f64) -> f64 {
    share.signum() * (share.abs() / BEND).ln_1p()
}

/// Draws the rows and the panels.
pub fn forest(data: &ForestData, options: &Options) -> Result<Chart, ChartError> {
    same_length("effects", data.effects.len(), data.variants.len())?;
    for effects in &data.effects {
        same_length("effects of a variant", effects.len(), data.rows.len())?;
    }
    let mut canvas = options.sheet()?;
    let own_title = format!("Mean difference to {}", data.baseline);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())? + TITLE_ROOM;
    let bottom = canvas.height - TICK_ROOM - AXIS_TITLE_ROOM - 0.5 * theme::MARGIN;
    let widest = data
        .rows
        .iter()
        .map(|row| font::width(row, theme::LABEL, false))
        .fold(0.0, f64::max);
    let left = theme::MARGIN + widest.min(0.4 * canvas.width) + 14.0;
    let right = canvas.width - theme::MARGIN;
    let count = data.variants.len().max(1) as f64;
    let width = ((right - left) - BETWEEN * (count - 1.0)) / count;
    let height = (bottom - top) / data.rows.len().max(1) as f64;
    let y = |row: usize| top + (row as f64 + 0.5) * height;
    labels(&mut canvas, data, left, &y)?;
    let (low, high) = reach(data);
    for (place, name) in data.variants.iter().enumerate() {
        let from = left + place as f64 * (width + BETWEEN);
        let x = |share: f64| {
            let part = (bent(share) - bent(low)) / (bent(high) - bent(low));
            from + part.clamp(0.0, 1.0) * width
        };
        let room = Side {
            from,
            to: from + width,
            top,
            bottom,
        };
        frame(&mut canvas, name, &room, &x, (low, high))?;
        canvas.layer("effects", name, Finish::Plain, |pen| {
            for (row, effect) in data.effects[place].iter().enumerate() {
                if !effect.value.is_finite() {
                    continue;
                }
                let color = hue(effect.leaning);
                let end = |value: f64, edge: f64| if value.is_nan() { edge } else { x(value) };
                if !(effect.low.is_nan() && effect.high.is_nan()) {
                    let line = [
                        (end(effect.low, room.from), y(row)),
                        (end(effect.high, room.to), y(row)),
                    ];
                    pen.line(&line, color, 1.5 * theme::MAIN_LINE)?;
                }
                pen.dot((x(effect.value), y(row)), 4.0, color)?;
            }
            Ok(())
        })?;
    }
    key(&mut canvas)?;
    if data.rows.is_empty() || data.variants.is_empty() {
        canvas.layer("note", "no differences", Finish::Rimmed, |pen| {
            let at = (0.5 * (left + right), 0.5 * (top + bottom));
            pen.text(
                "no differences",
                at,
                Anchor::Middle,
                theme::LABEL,
                false,
                theme::QUIET,
            )
        })?;
    }
    Ok(Chart::of(canvas, options, title))
}

struct Side {
    from: f64,
    to: f64,
    top: f64,
    bottom: f64,
}

/// From the least to the greatest that is shown, zero among them.
fn reach(data: &ForestData) -> (f64, f64) {
    let (mut low, mut high) = (-BEND, BEND);
    for effect in data.effects.iter().flatten() {
        for value in [effect.value, effect.low, effect.high] {
            if value.is_finite() {
                low = low.min(value);
                high = high.max(value);
            }
        }
    }
    (1.08 * low, 1.08 * high)
}

const fn hue(leaning: Leaning) -> RGBColor {
    match leaning {
        Leaning::Better => theme::DEPTH,
        Leaning::Worse => theme::FORCED,
        Leaning::Neither => theme::SHORT_LIQUIDATION,
        Leaning::Unclear => theme::INDEX,
    }
}

fn labels(
    canvas: &mut Canvas,
    data: &ForestData,
    left: f64,
    y: &dyn Fn(usize) -> f64,
) -> Result<(), ChartError> {
    canvas.layer("axis", "rows", Finish::Plain, |pen| {
        for (row, label) in data.rows.iter().enumerate() {
            let room = left - theme::MARGIN - 12.0;
            let label = font::fitted(label, theme::LABEL, false, room);
            let at = (left - 12.0, y(row));
            pen.text(&label, at, Anchor::End, theme::LABEL, false, theme::INK)?;
        }
        Ok(())
    })
}

/// A panel's name, gridlines and ticks.
fn frame(
    canvas: &mut Canvas,
    name: &str,
    room: &Side,
    x: &dyn Fn(f64) -> f64,
    (low, high): (f64, f64),
) -> Result<(), ChartError> {
    // Labels that would touch the one before them are left out; zero never is.
    let mut marks: Vec<(f64, String)> = Vec::new();
    let label = |mark: f64| {
        if mark == 0.0 {
            "0".to_owned()
        } else {
            let sign = if mark > 0.0 { "+" } else { "−" };
            format!("{sign}{:.0} %", 100.0 * mark.abs())
        }
    };
    let half = |mark: f64| 0.5 * font::width(&label(mark), theme::LABEL, false);
    // Labels stay within their panel.
    let spot = |mark: f64| {
        let half = half(mark);
        x(mark).clamp(room.from + half, (room.to - half).max(room.from + half))
    };
    let apart =
        |one: f64, other: f64| (spot(one) - spot(other)).abs() > half(one) + half(other) + 8.0;
    let inside = MARKS.iter().copied().filter(|m| (low..=high).contains(m));
    for mark in inside.filter(|m| *m == 0.0 || apart(*m, 0.0)) {
        if marks.last().is_none_or(|(before, _)| apart(mark, *before)) {
            marks.push((mark, label(mark)));
        }
    }
    canvas.layer("grid", name, Finish::Plain, |pen| {
        for (mark, _) in &marks {
            let (color, weight) = if *mark == 0.0 {
                (theme::AXIS, theme::THIN_LINE)
            } else {
                (theme::GRID, theme::HAIRLINE)
            };
            pen.line(
                &[(x(*mark), room.top), (x(*mark), room.bottom)],
                color,
                weight,
            )?;
        }
        pen.line(
            &[(room.from, room.bottom), (room.to, room.bottom)],
            theme::AXIS,
            theme::HAIRLINE,
        )
    })?;
    canvas.layer("axis", name, Finish::Plain, |pen| {
        let heading = font::fitted(name, theme::PANEL_TITLE, true, room.to - room.from);
        let at = (room.from, room.top - 0.5 * TITLE_ROOM + 2.0);
        pen.text(
            &heading,
            at,
            Anchor::Start,
            theme::PANEL_TITLE,
            true,
            theme::INK,
        )?;
        for (mark, label) in &marks {
            let y = room.bottom + 0.5 * TICK_ROOM + 2.0;
            pen.text(
                label,
                (spot(*mark), y),
                Anchor::Middle,
                theme::LABEL,
                false,
                theme::QUIET,
            )?;
        }
        Ok(())
    })
}

/// What the colours mean, at the foot.
fn key(canvas: &mut Canvas) -> Result<(), ChartError> {
    const SWATCH: f64 = 11.0;
    let y = canvas.height - 0.5 * AXIS_TITLE_ROOM - 0.25 * theme::MARGIN;
    let entries = [
        ("better", Leaning::Better),
        ("worse", Leaning::Worse),
        ("neither", Leaning::Neither),
        ("can't tell", Leaning::Unclear),
    ];
    canvas.layer("legend", "legend", Finish::Plain, |pen| {
        let mut x = theme::MARGIN;
        for (word, leaning) in entries {
            let corners = ((x, y - 0.5 * SWATCH), (x + SWATCH, y + 0.5 * SWATCH));
            pen.rectangle(corners.0, corners.1, hue(leaning), 1.0)?;
            x += SWATCH + 6.0;
            pen.text(word, (x, y), Anchor::Start, theme::LABEL, false, theme::INK)?;
            x += font::width(word, theme::LABEL, false) + 18.0;
        }
        Ok(())
    })
}
