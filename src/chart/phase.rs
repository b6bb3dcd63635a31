//! The spiral in the phase plane: how fast the price moves against how fast positions are liquidated, through time.
//!
//! A shock pushes the point sideways; liquidations lift it; where the two feed each other the path turns outward, where the market
//! absorbs them it returns. Time runs from light to dark.

use super::canvas::{Anchor, Finish};
use super::layout;
use super::panel::{Panel, Room};
use super::scale::{Scale, Tick, extent};
use super::{Chart, ChartError, Options, clock, font, same_length, theme};
use plotters::style::RGBColor;

/// A market's path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseData {
    /// The market's name.
    pub market: String,
    /// Name of the currency.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds of the window over which both rates are taken.
    pub window: f64,
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// Change of the price per minute, as a share.
    pub velocity: Vec<f64>,
    /// Liquidated per minute.
    pub rate: Vec<f64>,
}

/// Time's colours, first to last.
const RAMP: [RGBColor; 3] = [
    RGBColor(0xC9, 0xD3, 0xDE),
    RGBColor(0xC4, 0x7F, 0x00),
    RGBColor(0x7A, 0x2F, 0x00),
];
/// How many moments have their time written beside them.
const NAMED: usize = 6;

/// Draws the path.
pub fn phase(data: &PhaseData, options: &Options) -> Result<Chart, ChartError> {
    let n = data.time.len();
    same_length("velocity", data.velocity.len(), n)?;
    same_length("rate", data.rate.len(), n)?;
    let mut canvas = options.sheet()?;
    let own_title = format!("{}: the spiral in the phase plane", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let percent: Vec<f64> = data.velocity.iter().map(|v| 100.0 * v).collect();
    let x = Scale::around(extent([percent.as_slice(), &[0.0]]));
    let y = Scale::from_zero(extent([data.rate.as_slice()]).map_or(0.0, |(_, high)| high));
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 50.0), true);
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - 2.0 * theme::MARGIN;
    let x_ticks: Vec<Tick> = x.ticks(layout::lines_for(right - left, 90.0), false);
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
    let heading = format!("Liquidated per minute ({})", data.currency);
    let foot = format!(
        "price change per minute (%), both over {}",
        clock::span_words(data.window)
    );
    let legend = [("last", RAMP[2]), ("first", RAMP[0])];
    panel.axes(
        &mut canvas,
        &heading,
        &legend,
        &x_ticks,
        &y_ticks,
        Some(&foot),
    )?;
    if n < 2 {
        panel.say(&mut canvas, "too short for a path")?;
        return Ok(Chart::of(canvas, options, title));
    }
    let points = panel.points(&percent, &data.rate);
    let zero = panel.px(0.0);
    canvas.layer("level", "no move", Finish::Dashed(theme::DOTS), |pen| {
        pen.line(
            &[(zero, top), (zero, bottom)],
            theme::QUIET,
            theme::THIN_LINE,
        )
    })?;
    canvas.layer("series", "path", Finish::Plain, |pen| {
        for (k, pair) in points.windows(2).enumerate() {
            if pair.iter().all(|at| !at.1.is_nan()) {
                pen.line(
                    pair,
                    shade(k as f64 / (n - 1) as f64),
                    1.2 * theme::MAIN_LINE,
                )?;
            }
        }
        Ok(())
    })?;
    canvas.marks(points.iter().enumerate().map(|(k, at)| {
        let text = format!(
            "{} · {:.2} % a minute · {} a minute",
            clock::moment(data.start, data.time[k]),
            percent[k],
            super::compact(data.rate[k])
        );
        (*at, text)
    }));
    // The moments farthest out, some way apart on the sheet.
    let mut order: Vec<usize> = (0..n).filter(|k| data.rate[*k] > 0.0).collect();
    let most = extent([data.rate.as_slice()]).map_or(1.0, |(_, high)| high.max(1e-300));
    let fastest = percent.iter().fold(1e-300f64, |most, v| most.max(v.abs()));
    let out = |k: &usize| data.rate[*k] / most + percent[*k].abs() / fastest;
    order.sort_by(|a, b| out(b).total_cmp(&out(a)).then(a.cmp(b)));
    let mut named: Vec<usize> = Vec::new();
    for k in order {
        let far = |other: &usize| {
            let (dx, dy) = (
                points[k].0 - points[*other].0,
                points[k].1 - points[*other].1,
            );
            dx.abs() > 90.0 || dy.abs() > 26.0
        };
        if named.len() < NAMED && named.iter().all(far) {
            named.push(k);
        }
    }
    canvas.layer("note", "moments", Finish::Rimmed, |pen| {
        for k in &named {
            let (x, y) = points[*k];
            let text = clock::moment(data.start, data.time[*k]);
            let width = font::width(&text, theme::LABEL, false);
            let (at, anchor) = if x + width + 10.0 < right {
                (x + 8.0, Anchor::Start)
            } else {
                (x - 8.0, Anchor::End)
            };
            pen.text(&text, (at, y), anchor, theme::LABEL, false, theme::INK)?;
        }
        Ok(())
    })?;
    canvas.layer("dots", "moments", Finish::Plain, |pen| {
        named
            .iter()
            .try_for_each(|k| pen.dot(points[*k], 3.5, shade(*k as f64 / (n - 1) as f64)))
    })?;
    Ok(Chart::of(canvas, options, title))
}

fn shade(share: f64) -> RGBColor {
    let at = 2.0 * share.clamp(0.0, 1.0);
    let from = (at as usize).min(1);
    let part = at - from as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (RAMP[from], RAMP[from + 1]);
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
