//! One number over one setting: its median, and a band between two quantiles.

use super::canvas::Finish;
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, Tick, extent};
use super::{Chart, ChartError, Options, number, same_length, theme};

/// A number at every value of a setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveData {
    /// What the number is.
    pub name: String,
    /// Whether it is a share, to be written in per cent.
    pub share: bool,
    /// The setting.
    pub x_name: String,
    /// Its values as they are written.
    pub labels: Vec<String>,
    /// Where they stand; all of them undefined where they are words, which then stand equally far apart.
    pub x: Vec<f64>,
    /// Whether equal ratios take equal room.
    pub log: bool,
    /// What the middle line is: `median`, `share of runs`.
    pub middle_name: String,
    /// The middle line.
    pub middle: Vec<f64>,
    /// What the band is: `5 % to 95 %`.
    pub band_name: String,
    /// The band's lower edge.
    pub low: Vec<f64>,
    /// Its upper edge.
    pub high: Vec<f64>,
}

/// Draws the band and the line within it.
pub fn curve(data: &CurveData, options: &Options) -> Result<Chart, ChartError> {
    let n = data.labels.len();
    for (name, column) in [
        ("x", &data.x),
        ("middle", &data.middle),
        ("low", &data.low),
        ("high", &data.high),
    ] {
        same_length(name, column.len(), n)?;
    }
    let mut canvas = options.sheet()?;
    let own_title = format!("{} over {}", data.name, data.x_name);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let factor = if data.share { 100.0 } else { 1.0 };
    let scaled = |column: &[f64]| -> Vec<f64> { column.iter().map(|v| factor * v).collect() };
    let (middle, low, high) = (scaled(&data.middle), scaled(&data.low), scaled(&data.high));
    let words = data.x.iter().all(|x| x.is_nan());
    let mut order: Vec<usize> = (0..n).collect();
    let place = |at: usize| if words { at as f64 } else { data.x[at] };
    order.sort_by(|a, b| place(*a).total_cmp(&place(*b)));
    let picked = |column: &[f64]| -> Vec<f64> { order.iter().map(|at| column[*at]).collect() };
    let x: Vec<f64> = order.iter().map(|at| place(*at)).collect();
    let (middle, low, high) = (picked(&middle), picked(&low), picked(&high));

    let seen = extent([middle.as_slice(), &low, &high]);
    let y = Scale::around(seen);
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 45.0), true);
    let (first, last) = extent([x.as_slice()]).unwrap_or((0.0, 1.0));
    let last = if last > first { last } else { first + 1.0 };
    let x_scale = if data.log && first > 0.0 {
        Scale::Log {
            low: first,
            high: last,
        }
    } else {
        Scale::Linear {
            low: first,
            high: last,
        }
    };
    let end = layout::last_defined(&middle);
    let ends = [EndLabel {
        text: data.middle_name.clone(),
        value: end,
        color: theme::LAST,
    }];
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room(ends.iter().map(|end| end.text.as_str()));
    if words {
        canvas.places(&data.labels);
    }
    let x_ticks = if words {
        let labels = data.labels.iter().enumerate();
        labels
            .map(|(at, label)| Tick {
                value: at as f64,
                label: label.clone(),
            })
            .collect()
    } else {
        x_scale.ticks(layout::lines_for(right - left, 90.0), false)
    };
    let panel = Panel {
        room: Room {
            left,
            right,
            top,
            bottom,
        },
        x: x_scale,
        y,
    };
    let heading = if data.share {
        format!("{} (%)", data.name)
    } else {
        data.name.clone()
    };
    let legend = [(data.band_name.as_str(), theme::INDEX)];
    panel.axes(
        &mut canvas,
        &heading,
        &legend,
        &x_ticks,
        &y_ticks,
        Some(&data.x_name),
    )?;
    if seen.is_none() {
        panel.say(&mut canvas, "no points")?;
        return Ok(Chart::of(canvas, options, title));
    }
    let whole = |at: &usize| low[*at].is_finite() && high[*at].is_finite();
    let up = (0..n)
        .filter(whole)
        .map(|at| (panel.px(x[at]), panel.py(low[at])));
    let back = (0..n)
        .rev()
        .filter(whole)
        .map(|at| (panel.px(x[at]), panel.py(high[at])));
    let outline: Vec<(f64, f64)> = up.chain(back).collect();
    if outline.len() > 2 {
        canvas.layer("area", &data.band_name, Finish::Plain, |pen| {
            pen.polygon(&outline, theme::INDEX, 1.6 * theme::FILL)
        })?;
    }
    panel.line(
        &mut canvas,
        &Line {
            name: &data.middle_name,
            x: &x,
            y: &middle,
            color: theme::LAST,
            weight: theme::MAIN_LINE,
            finish: Finish::Plain,
        },
    )?;
    let dots = panel.points(&x, &middle);
    canvas.layer("dots", &data.middle_name, Finish::Plain, |pen| {
        dots.iter()
            .filter(|(_, y)| !y.is_nan())
            .try_for_each(|at| pen.dot(*at, 2.0 * theme::MAIN_LINE, theme::LAST))
    })?;
    panel.end_labels(&mut canvas, &ends)?;
    if n == 1 {
        let note = format!("{} at {}", number::compact(end), data.labels[0]);
        panel.say(&mut canvas, &note)?;
    }
    Ok(Chart::of(canvas, options, title))
}
