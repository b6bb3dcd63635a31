//! Theory against what came out: a line and points.

use super::canvas::Finish;
use super::layout;
use super::panel::{Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, same_length, theme};

/// A curve, and points that should lie on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgainstData {
    /// What is drawn.
    pub name: String,
    /// What lies along the bottom.
    pub x_name: String,
    /// What goes up.
    pub y_name: String,
    /// Whether equal ratios take equal room, along the bottom and up.
    pub log: [bool; 2],
    /// What the curve and the points are called.
    pub legend: [String; 2],
    /// Places of the curve.
    pub curve_x: Vec<f64>,
    /// Its values.
    pub curve_y: Vec<f64>,
    /// Places of the points.
    pub point_x: Vec<f64>,
    /// Their values.
    pub point_y: Vec<f64>,
}

/// An axis around what it has to show.
fn scale(seen: Option<(f64, f64)>, log: bool, air: bool) -> Scale {
    match seen {
        Some((low, high)) if log && low > 0.0 => {
            let (low, high) = if high > low {
                (low, high)
            } else {
                (low / 2.0, 2.0 * high)
            };
            Scale::Log {
                low: 0.9 * low,
                high: 1.1 * high,
            }
        }
        Some((low, high)) if !air && high > low => Scale::Linear { low, high },
        seen => Scale::around(seen),
    }
}

/// Draws the curve and the points on it.
///
/// # Errors
///
/// [`ChartError::Uneven`] where a column is longer than its fellow, and whatever keeps a sheet from being drawn.
pub fn against(data: &AgainstData, options: &Options) -> Result<Chart, ChartError> {
    same_length("curve_y", data.curve_y.len(), data.curve_x.len())?;
    same_length("point_y", data.point_y.len(), data.point_x.len())?;
    let mut canvas = options.sheet()?;
    let title = options.title_or(&data.name);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let seen_x = extent([data.curve_x.as_slice(), &data.point_x]);
    let seen_y = extent([data.curve_y.as_slice(), &data.point_y]);
    let y = scale(seen_y, data.log[1], true);
    let x = scale(seen_x, data.log[0], true);
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 45.0), true);
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - 24.0;
    let x_ticks = x.ticks(layout::lines_for(right - left, 90.0), true);
    let panel = Panel {
        room: Room {
            left,
            right,
            top,
            bottom,
        },
        x,
        y,
    };
    panel.axes(
        &mut canvas,
        &data.y_name,
        &[
            (&data.legend[0], theme::INDEX),
            (&data.legend[1], theme::LAST),
        ],
        &x_ticks,
        &y_ticks,
        Some(&data.x_name),
    )?;
    if seen_x.is_none() {
        panel.say(&mut canvas, "nothing came out")?;
        return Ok(Chart::of(canvas, options, title));
    }
    panel.line(
        &mut canvas,
        &Line {
            name: &data.legend[0],
            x: &data.curve_x,
            y: &data.curve_y,
            color: theme::INDEX,
            weight: theme::MAIN_LINE,
            finish: Finish::Plain,
        },
    )?;
    let dots = panel.points(&data.point_x, &data.point_y);
    canvas.layer("dots", &data.legend[1], Finish::Plain, |pen| {
        dots.iter()
            .filter(|(_, y)| !y.is_nan())
            .try_for_each(|at| pen.dot(*at, 1.6 * theme::MAIN_LINE, theme::LAST))
    })?;
    Ok(Chart::of(canvas, options, title))
}
