//! The liquidation heat map: price against time, the colour what waits there to be liquidated, the price itself on top.
//!
//! Longs wait below the price, shorts above it. A cell's colour is notional for one per cent of price, on a scale of square roots:
//! a few large accounts would leave everything else pale otherwise.

use super::canvas::{Anchor, Finish};
use super::heat::{BAR, color, color_bar};
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, Tick};
use super::{Chart, ChartError, Options, number, same_length, theme};
use plotters::style::RGBColor;
use std::collections::BTreeMap;

/// The least width of a look's column, in pixels.
const LEAST_COLUMN: f64 = 3.0;
/// How many different shades there are.
const SHADES: f64 = 32.0;

/// What waits in a market, from time to time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaitingData {
    /// The market's name.
    pub market: String,
    /// Name of the currency.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since the start, by row of the price.
    pub time: Vec<f64>,
    /// The mark.
    pub mark: Vec<f64>,
    /// Looks at what waits, in order of time.
    pub looks: Vec<Look>,
}

/// One look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Seconds since the start.
    pub time: f64,
    /// Prices from, to, and the notional that waits between them.
    pub cells: Vec<[f64; 3]>,
}

/// Draws the map.
pub fn waiting(data: &WaitingData, options: &Options) -> Result<Chart, ChartError> {
    same_length("mark", data.mark.len(), data.time.len())?;
    let mut canvas = options.sheet()?;
    let own_title = format!("{}: what waits to be liquidated", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let x = layout::time_scale(&data.time);
    // Some way beyond where the price went, for that is where it might have gone.
    let y = match super::scale::extent([data.mark.as_slice()]) {
        Some((low, high)) => {
            let air = (0.3 * (high - low)).max(0.03 * high);
            Scale::Linear {
                low: (low - air).max(0.0),
                high: high + air,
            }
        }
        None => Scale::around(None),
    };
    let Scale::Linear { low, high } = y else {
        return Ok(Chart::of(canvas, options, title));
    };
    let density = |cell: &[f64; 3]| {
        let percent = 100.0 * (cell[1] - cell[0]).abs() / (0.5 * (cell[0] + cell[1]));
        if percent > 0.0 {
            cell[2] / percent
        } else {
            0.0
        }
    };
    let mut densities: Vec<f64> = data
        .looks
        .iter()
        .flat_map(|look| &look.cells)
        .filter(|cell| cell[1] > low && cell[0] < high)
        .map(density)
        .filter(|density| *density > 0.0)
        .collect();
    densities.sort_by(f64::total_cmp);
    // The last hundredth share the darkest colour.
    let most = densities
        .get((densities.len() as f64 * 0.99) as usize)
        .or(densities.last())
        .copied()
        .unwrap_or(1.0);
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 55.0), false);
    let ends = [EndLabel {
        text: format!(
            "mark {}",
            number::price_label(layout::last_defined(&data.mark))
        ),
        value: layout::last_defined(&data.mark),
        color: theme::LAST,
    }];
    let bar = Scale::Linear {
        low: 0.0,
        high: most,
    };
    let bar_ticks: Vec<Tick> = bar.ticks(layout::lines_for(bottom - top, 60.0), true);
    let left = layout::tick_room(&y_ticks);
    // On a narrow sheet the map needs the room that the last price's label would take.
    let ends = &ends[usize::from(options.is_narrow())..];
    let room_right = match ends {
        [] => theme::MARGIN,
        ends => layout::label_room(ends.iter().map(|end| end.text.as_str())),
    };
    let bar_room = layout::label_room(bar_ticks.iter().map(|tick| tick.label.as_str()));
    let right = canvas.width - room_right - bar_room - 2.0 * BAR;
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
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);
    let heading = format!("Price ({})", data.currency);
    panel.axes(
        &mut canvas,
        &heading,
        &[],
        &x_ticks,
        &y_ticks,
        Some(&x_title),
    )?;
    if densities.is_empty() {
        panel.say(&mut canvas, "nothing waits")?;
    }
    let last = data.time.last().copied().unwrap_or(0.0);
    // Columns of a few pixels: of more looks than that some are left out.
    let every = (LEAST_COLUMN * data.looks.len() as f64 / (right - left).max(1.0)).ceil();
    let shown: Vec<&Look> = data.looks.iter().step_by((every as usize).max(1)).collect();
    let mut tiles: BTreeMap<[u8; 3], Vec<[f64; 4]>> = BTreeMap::new();
    for (at, look) in shown.iter().enumerate() {
        let until = shown.get(at + 1).map_or(last, |next| next.time);
        let (from, to) = (panel.px(look.time), panel.px(until));
        // From below to above; neighbours of one shade are one tile.
        let mut cells: Vec<&[f64; 3]> = look.cells.iter().collect();
        cells.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut open: Option<([u8; 3], f64, f64)> = None;
        let mut close = |open: Option<([u8; 3], f64, f64)>| {
            if let Some((shade, low, high)) = open {
                let corners = [from, panel.py(high), to, panel.py(low)];
                tiles.entry(shade).or_default().push(corners);
            }
        };
        for cell in cells {
            let found = density(cell);
            if !(found > 0.0 && cell[1] > low && cell[0] < high) {
                continue;
            }
            let share = (found / most).min(1.0).sqrt();
            let RGBColor(red, green, blue) = color((share * SHADES).ceil() / SHADES);
            let (shade, bottom, top) = ([red, green, blue], cell[0].max(low), cell[1].min(high));
            open = match open {
                Some((before, from, to)) if before == shade && bottom <= to * (1.0 + 1e-9) => {
                    Some((shade, from, top.max(to)))
                }
                other => {
                    close(other);
                    Some((shade, bottom, top))
                }
            };
        }
        close(open);
    }
    canvas.tiles("cells", "waiting", &tiles);
    let line = Line {
        name: "mark",
        x: &data.time,
        y: &data.mark,
        color: theme::LAST,
        weight: theme::MAIN_LINE,
        finish: Finish::Plain,
    };
    panel.line(&mut canvas, &line)?;
    panel.end_labels(&mut canvas, ends)?;
    let at = canvas.width - bar_room - BAR;
    let canvas_edge = canvas.width - theme::MARGIN;
    let shade = |share: f64| color(share.sqrt());
    color_bar(&mut canvas, (at, top, bottom), bar, &bar_ticks, shade)?;
    canvas.layer("legend", "what the colours are", Finish::Plain, |pen| {
        let at = (canvas_edge, top - 0.5 * layout::TITLE_ROOM + 2.0);
        pen.text(
            "notional per 1 %",
            at,
            Anchor::End,
            theme::LABEL,
            true,
            theme::INK,
        )
    })?;
    Ok(Chart::of(canvas, options, title))
}
