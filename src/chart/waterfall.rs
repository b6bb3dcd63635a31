//! Who paid the losses: the insurance fund, other traders' positions, everybody, or nobody.

use super::canvas::Finish;
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, number, same_length, theme};

/// The layers of the loss waterfall over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaterfallData {
    /// Whose fund it is: a venue or a market.
    pub name: String,
    /// Unit of every column.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// Balance of the insurance fund.
    pub fund: Vec<f64>,
    /// Notional closed by auto-deleveraging so far.
    pub deleveraged: Vec<f64>,
    /// Loss spread over winners so far.
    pub socialised: Vec<f64>,
    /// Loss that no layer has covered, so far.
    pub uncovered: Vec<f64>,
}

/// Height of a panel without anything in it, relative to one with a line.
const QUIET_WEIGHT: f64 = 0.22;

/// Draws the layers one above the other, each with its own scale; a layer that was never touched
/// says "none" and takes little room.
pub fn waterfall(data: &WaterfallData, options: &Options) -> Result<Chart, ChartError> {
    let layers = [
        ("Insurance fund balance", "fund", &data.fund, theme::FUND),
        (
            "Auto-deleveraged notional, cumulative",
            "deleveraged",
            &data.deleveraged,
            theme::DELEVERAGED,
        ),
        (
            "Socialised loss, cumulative",
            "socialised",
            &data.socialised,
            theme::SOCIALISED,
        ),
        (
            "Uncovered loss, cumulative",
            "uncovered",
            &data.uncovered,
            theme::UNCOVERED,
        ),
    ];
    for (_, name, column, _) in layers {
        if !column.is_empty() {
            same_length(name, column.len(), data.time.len())?;
        }
    }
    let mut canvas = options.sheet()?;
    canvas.clock(data.start);
    let own_title = format!("{}: who paid the losses", data.name);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;

    let extents =
        layers.map(|(_, _, column, _)| extent([column.as_slice()]).filter(|&e| e != (0.0, 0.0)));
    let weights = extents.map(|e| if e.is_some() { 1.0 } else { QUIET_WEIGHT });
    let rows = layout::stack(canvas.width, top, canvas.height, &weights);
    let x = layout::time_scale(&data.time);
    let scales = extents.map(|e| {
        let (low, high) = e.unwrap_or((0.0, 1.0));
        let air = 0.08 * (high.max(0.0) - low.min(0.0));
        Scale::Linear {
            low: if low < 0.0 { low - air } else { 0.0 },
            high: if high > 0.0 { high + air } else { air },
        }
    });
    let ticks: Vec<Vec<_>> = (0..layers.len())
        .map(|i| match extents[i] {
            Some(_) => scales[i].ticks(layout::lines_for(rows[i].1 - rows[i].0, 30.0), true),
            None => Vec::new(),
        })
        .collect();
    let ends = layers.map(|(_, _, column, color)| end_label(column, color));
    let left = layout::tick_room(ticks.iter().flatten());
    let texts = (0..layers.len())
        .filter(|&i| extents[i].is_some())
        .map(|i| ends[i].text.as_str());
    let right = canvas.width - layout::label_room(texts);
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);

    for (i, (words, name, column, color)) in layers.into_iter().enumerate() {
        let (top, bottom) = rows[i];
        let panel = Panel {
            room: Room {
                left,
                right,
                top,
                bottom,
            },
            x,
            y: scales[i],
        };
        let heading = format!("{words} ({})", data.currency);
        let below = (i + 1 == layers.len()).then_some(x_title.as_str());
        panel.axes(&mut canvas, &heading, &[], &x_ticks, &ticks[i], below)?;
        if extents[i].is_none() {
            panel.say(&mut canvas, "none")?;
            continue;
        }
        let line = Line {
            name,
            x: &data.time,
            y: column,
            color,
            weight: theme::MAIN_LINE,
            finish: Finish::Plain,
        };
        panel.area(&mut canvas, &line, 0.0, theme::FILL)?;
        panel.line(&mut canvas, &line)?;
        panel.end_labels(&mut canvas, &ends[i..=i])?;
    }
    Ok(Chart::of(canvas, options, title))
}

/// The last amount and, for what did not start from zero, its change.
fn end_label(column: &[f64], color: plotters::style::RGBColor) -> EndLabel {
    let value = layout::last_defined(column);
    let first = column.iter().copied().find(|v| !v.is_nan()).unwrap_or(0.0);
    let change = value - first;
    let mut text = number::compact(value);
    if first != 0.0 && change != 0.0 {
        let sign = if change > 0.0 { "+" } else { "" };
        text.push_str(&format!(" ({sign}{})", number::compact(change)));
    }
    EndLabel { text, value, color }
}
