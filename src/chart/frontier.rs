//! What variants cost and what they buy: capital locked across, and one panel above the other what is lost for it.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout;
use super::panel::{Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, font, same_length, theme};

/// A number of every variant, with its interval: an end that isn't known is undefined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasureData {
    /// What the number is, with its unit.
    pub name: String,
    /// The number, by variant.
    pub value: Vec<f64>,
    /// Lower ends.
    pub low: Vec<f64>,
    /// Upper ends.
    pub high: Vec<f64>,
}

/// Variants between what they ask and what they lose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontierData {
    /// Names of the variants.
    pub names: Vec<String>,
    /// What is asked: across.
    pub across: MeasureData,
    /// What is lost: a panel each.
    pub panels: Vec<MeasureData>,
    /// Variants to which another one is preferable in everything.
    pub dominated: Vec<bool>,
}

/// Radius of a variant's dot.
const DOT: f64 = 5.0;

/// Draws a panel for each loss, with the variants where they stand.
pub fn frontier(data: &FrontierData, options: &Options) -> Result<Chart, ChartError> {
    let n = data.names.len();
    same_length("dominated", data.dominated.len(), n)?;
    for measure in std::iter::once(&data.across).chain(&data.panels) {
        same_length("value", measure.value.len(), n)?;
        same_length("low", measure.low.len(), n)?;
        same_length("high", measure.high.len(), n)?;
    }
    let mut canvas = options.sheet()?;
    let title = options.title_or("What variants cost, and what they buy");
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let rooms = layout::stack(
        canvas.width,
        top,
        canvas.height,
        &vec![1.0; data.panels.len()],
    );
    let x = around(&data.across);
    let scales: Vec<Scale> = data.panels.iter().map(around).collect();
    let ticks: Vec<_> = scales
        .iter()
        .zip(&rooms)
        .map(|(scale, room)| scale.ticks(layout::lines_for(room.1 - room.0, 45.0), true))
        .collect();
    let left = layout::tick_room(ticks.iter().flatten());
    let right = canvas.width - layout::label_room([]);
    let x_ticks = x.ticks(layout::lines_for(right - left, 90.0), false);
    for (place, measure) in data.panels.iter().enumerate() {
        let panel = Panel {
            room: Room {
                left,
                right,
                top: rooms[place].0,
                bottom: rooms[place].1,
            },
            x,
            y: scales[place],
        };
        let last = place + 1 == data.panels.len();
        let foot = last.then_some(data.across.name.as_str());
        panel.axes(
            &mut canvas,
            &measure.name,
            &[],
            &x_ticks,
            &ticks[place],
            foot,
        )?;
        variants(&mut canvas, &panel, data, measure)?;
    }
    Ok(Chart::of(canvas, options, title))
}

/// A scale that holds every interval.
fn around(measure: &MeasureData) -> Scale {
    let seen = extent([
        measure.value.as_slice(),
        measure.low.as_slice(),
        measure.high.as_slice(),
    ]);
    match (Scale::around(seen), seen) {
        // None of these is ever negative: no air below zero.
        (Scale::Linear { low, high }, Some((least, _))) if least >= 0.0 => Scale::Linear {
            low: low.max(-0.03 * high),
            high: high + 0.04 * (high - low),
        },
        (scale, _) => scale,
    }
}

fn variants(
    canvas: &mut Canvas,
    panel: &Panel,
    data: &FrontierData,
    measure: &MeasureData,
) -> Result<(), ChartError> {
    let shown: Vec<usize> = (0..data.names.len())
        .filter(|v| data.across.value[*v].is_finite() && measure.value[*v].is_finite())
        .collect();
    if shown.is_empty() {
        return panel.say(canvas, "no values");
    }
    let at = |v: usize| (panel.px(data.across.value[v]), panel.py(measure.value[v]));
    let room = panel.room;
    // An end that isn't known is drawn to the edge.
    let or = |value: f64, edge: f64, pixel: &dyn Fn(f64) -> f64| {
        if value.is_nan() { edge } else { pixel(value) }
    };
    canvas.layer("intervals", &measure.name, Finish::Plain, |pen| {
        for &v in &shown {
            let (px, py) = at(v);
            let color = theme::variant(v);
            let (low, high) = (measure.low[v], measure.high[v]);
            if !(low.is_nan() && high.is_nan()) {
                let y = |value: f64| panel.py(value);
                let ends = [(px, or(low, room.bottom, &y)), (px, or(high, room.top, &y))];
                pen.line(&ends, color, theme::THIN_LINE)?;
            }
            let (low, high) = (data.across.low[v], data.across.high[v]);
            if !(low.is_nan() && high.is_nan()) {
                let x = |value: f64| panel.px(value);
                let ends = [(or(low, room.left, &x), py), (or(high, room.right, &x), py)];
                pen.line(&ends, color, theme::THIN_LINE)?;
            }
        }
        Ok(())
    })?;
    canvas.layer("dots", &measure.name, Finish::Plain, |pen| {
        for &v in &shown {
            pen.dot(at(v), DOT, theme::variant(v))?;
            if data.dominated[v] {
                pen.dot(at(v), DOT - 2.0, theme::BACKGROUND)?;
            }
        }
        Ok(())
    })?;
    let taken = places(panel, data, &shown, &at);
    canvas.layer("labels", &measure.name, Finish::Rimmed, |pen| {
        for (&v, &(x, y)) in shown.iter().zip(&taken) {
            pen.text(
                &data.names[v],
                (x, y),
                Anchor::Start,
                theme::LABEL,
                v == 0,
                theme::variant(v),
            )?;
        }
        Ok(())
    })
}

/// Where names go: beside the dot where there is room, else above or below it, as far from other names and dots as can be.
fn places(
    panel: &Panel,
    data: &FrontierData,
    shown: &[usize],
    at: &dyn Fn(usize) -> (f64, f64),
) -> Vec<(f64, f64)> {
    let room = panel.room;
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for &v in shown {
        let (px, py) = at(v);
        let width = font::width(&data.names[v], theme::LABEL, v == 0);
        let beside = DOT + 5.0;
        let line = 1.1 * theme::LABEL;
        let wanted = [
            (px + beside, py - 0.7 * line),
            (px - beside - width, py - 0.7 * line),
            (px + beside, py + 0.9 * line),
            (px - beside - width, py + 0.9 * line),
            (px + beside, py - 1.8 * line),
            (px + beside, py + 2.0 * line),
        ];
        let collides = |x: f64, y: f64| {
            let names = taken
                .iter()
                .filter(|(left, other, wide)| {
                    x < left + wide && *left < x + width && (y - other).abs() < line
                })
                .count();
            let dots = shown
                .iter()
                .filter(|other| {
                    let (ox, oy) = at(**other);
                    **other != v && (x..x + width).contains(&ox) && (y - oy).abs() < line
                })
                .count();
            let out = x < room.left || x + width > room.right || y < room.top || y > room.bottom;
            4 * names + dots + 8 * usize::from(out)
        };
        let (x, y) = wanted
            .into_iter()
            .min_by_key(|(x, y)| collides(*x, *y))
            .unwrap_or(wanted[0]);
        let x = x.clamp(room.left, (room.right - width).max(room.left));
        taken.push((x, y, width));
    }
    taken.into_iter().map(|(x, y, _)| (x, y)).collect()
}
