//! Gamma by price beside the path of the price: where hedgers would buy falls, and where they would sell into them.

use super::canvas::Finish;
use super::layout;
use super::panel::{Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, same_length, theme};

/// Gamma by price, and the path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GammaData {
    /// The market's name.
    pub market: String,
    /// What gamma is written in: `BTC per 1 %`.
    pub unit: String,
    /// Prices at which it is known, rising.
    pub price: Vec<f64>,
    /// What hedgers hold at each: negative where they sell into falls.
    pub gamma: Vec<f64>,
    /// Seconds since the start, rising.
    pub time: Vec<f64>,
    /// The price at those times.
    pub path: Vec<f64>,
    /// The start in seconds since 1970, where the run has a date.
    pub start: Option<i64>,
}

/// Share of the sheet's width that the profile takes.
const PROFILE: f64 = 0.3;
const BETWEEN: f64 = 48.0;

/// Draws the path on the left and the profile on the right, over one axis of prices.
pub fn gamma(data: &GammaData, options: &Options) -> Result<Chart, ChartError> {
    same_length("gamma", data.gamma.len(), data.price.len())?;
    same_length("path", data.path.len(), data.time.len())?;
    let mut canvas = options.sheet()?;
    let own_title = format!("{}: gamma of hedgers by price", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];

    let y = Scale::around(extent([data.price.as_slice(), &data.path]));
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 45.0), true);
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room([]);
    let split = right - PROFILE * (right - left);
    let room = |left: f64, right: f64| Room {
        left,
        right,
        top,
        bottom,
    };
    let time = layout::time_scale(&data.time);
    let path = Panel {
        room: room(left, split - 0.5 * BETWEEN),
        x: time,
        y,
    };
    let (time_ticks, below) = layout::time_ticks(time, data.start, path.room.width());
    path.axes(
        &mut canvas,
        "Price",
        &[],
        &time_ticks,
        &y_ticks,
        Some(&below),
    )?;
    if extent([data.path.as_slice()]).is_some() {
        path.line(
            &mut canvas,
            &Line {
                name: "price",
                x: &data.time,
                y: &data.path,
                color: theme::LAST,
                weight: theme::MAIN_LINE,
                finish: Finish::Plain,
            },
        )?;
    } else {
        path.say(&mut canvas, "no path")?;
    }

    let widest = data
        .gamma
        .iter()
        .filter(|gamma| gamma.is_finite())
        .fold(0.0, |most: f64, gamma| most.max(gamma.abs()));
    let reach = if widest > 0.0 { 1.05 * widest } else { 1.0 };
    let x = Scale::Linear {
        low: -reach,
        high: reach,
    };
    let profile = Panel {
        room: room(split + 0.5 * BETWEEN, right),
        x,
        y,
    };
    let blank: Vec<_> = y_ticks
        .iter()
        .map(|tick| {
            let mut tick = tick.clone();
            tick.label.clear();
            tick
        })
        .collect();
    let x_ticks = x.ticks(layout::lines_for(profile.room.width(), 70.0), true);
    profile.axes(
        &mut canvas,
        "Gamma",
        &[],
        &x_ticks,
        &blank,
        Some(&data.unit),
    )?;
    if widest == 0.0 {
        profile.say(&mut canvas, "no gamma")?;
        return Ok(Chart::of(canvas, options, title));
    }
    let edges = edges(&data.price);
    canvas.layer("bars", "gamma by price", Finish::Plain, |pen| {
        for (pair, &gamma) in edges.windows(2).zip(&data.gamma) {
            if !gamma.is_finite() {
                continue;
            }
            let color = if gamma < 0.0 {
                theme::LONG_LIQUIDATION
            } else {
                theme::SHORT_LIQUIDATION
            };
            let corner = (profile.px(gamma.min(0.0)), profile.py(pair[1]).max(top));
            let opposite = (profile.px(gamma.max(0.0)), profile.py(pair[0]).min(bottom));
            pen.rectangle(corner, opposite, color, 0.75)?;
        }
        let zero = profile.px(0.0);
        pen.line(
            &[(zero, top), (zero, bottom)],
            theme::AXIS,
            theme::THIN_LINE,
        )
    })?;
    Ok(Chart::of(canvas, options, title))
}

/// Halfway between the prices, and as far beyond the outermost.
fn edges(prices: &[f64]) -> Vec<f64> {
    let Some((&first, &last)) = prices.first().zip(prices.last()) else {
        return Vec::new();
    };
    let middles: Vec<f64> = prices
        .windows(2)
        .map(|pair| 0.5 * (pair[0] + pair[1]))
        .collect();
    let (low, high) = match (middles.first(), middles.last()) {
        (Some(low), Some(high)) => (2.0 * first - low, 2.0 * last - high),
        _ => (0.99 * first, 1.01 * last),
    };
    let mut edges = vec![low];
    edges.extend(middles);
    edges.push(high);
    edges
}
