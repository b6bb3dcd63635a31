//! Index, mark and last price over time, with the liquidated notional below.

use super::canvas::{Canvas, Finish};
use super::layout;
use super::number::{price_label, tick_labels};
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, Tick, extent};
use super::{Chart, ChartError, Options, clock, same_length, theme};

/// Prices of one market and what was liquidated in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceData {
    /// The market's name.
    pub market: String,
    /// Unit of prices and notionals.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// Index price at each time; empty where there's none.
    pub index: Vec<f64>,
    /// Mark price at each time; empty where there's none.
    pub mark: Vec<f64>,
    /// Last traded price at each time; empty where there's none.
    pub last: Vec<f64>,
    /// Liquidations, on a time grid of their own.
    pub liquidations: Liquidations,
}

/// Liquidated notional per step or per event; the chart gathers it into bars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Liquidations {
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// Notional of long positions liquidated.
    pub long: Vec<f64>,
    /// Notional of short positions liquidated.
    pub short: Vec<f64>,
}

/// One bar of liquidations.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bar {
    from: f64,
    long: f64,
    short: f64,
}

/// Draws prices over time and, below them, bars of liquidated notional: shorts up, longs down.
pub fn price(data: &PriceData, options: &Options) -> Result<Chart, ChartError> {
    // Last below the others: it jumps between bid and ask and would hide them.
    let columns = [
        ("last", &data.last, theme::LAST),
        ("index", &data.index, theme::INDEX),
        ("mark", &data.mark, theme::MARK),
    ];
    for (name, column, _) in columns {
        if !column.is_empty() {
            same_length(name, column.len(), data.time.len())?;
        }
    }
    let liquidated = &data.liquidations;
    same_length("long", liquidated.long.len(), liquidated.time.len())?;
    same_length("short", liquidated.short.len(), liquidated.time.len())?;

    let mut canvas = options.sheet()?;
    canvas.clock(data.start);
    let own_title = format!("{}: price and liquidations", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;

    let x = layout::time_scale(if data.time.is_empty() {
        &liquidated.time
    } else {
        &data.time
    });
    let (Scale::Linear { low, high } | Scale::Log { low, high }) = x;
    let width = clock::round_span((high - low) / 120.0);
    let bars = gather(liquidated, width, data.start);
    let weights = if bars.is_empty() {
        [0.9, 0.1]
    } else {
        [0.66, 0.34]
    };
    let rows = layout::stack(canvas.width, top, canvas.height, &weights);
    let y = Scale::around(extent(columns.map(|(_, column, _)| column.as_slice())));
    let y_ticks = y.ticks(layout::lines_for(rows[0].1 - rows[0].0, 55.0), false);
    let (flow, flow_ticks) = flow_scale(&bars, rows[1].1 - rows[1].0);

    let ends: Vec<EndLabel> = columns
        .iter()
        .map(|(name, column, color)| {
            let value = layout::last_defined(column);
            EndLabel {
                text: match layout::is_narrow(canvas.width) {
                    true => (*name).to_owned(),
                    false => format!("{name} {}", price_label(value)),
                },
                value,
                color: *color,
            }
        })
        .filter(|label| !label.value.is_nan())
        .collect();
    let left = layout::tick_room(y_ticks.iter().chain(&flow_ticks));
    let right = canvas.width - layout::label_room(ends.iter().map(|l| l.text.as_str()));
    let room = |(top, bottom): (f64, f64)| Room {
        left,
        right,
        top,
        bottom,
    };
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);

    let prices = Panel {
        room: room(rows[0]),
        x,
        y,
    };
    let heading = format!("Price ({})", data.currency);
    prices.axes(&mut canvas, &heading, &[], &x_ticks, &y_ticks, None)?;
    if ends.is_empty() {
        prices.say(&mut canvas, "no prices")?;
    }
    for (name, column, color) in columns {
        prices.line(
            &mut canvas,
            &Line {
                name,
                x: &data.time,
                y: column,
                color,
                weight: theme::THIN_LINE,
                finish: if name == "index" {
                    Finish::Dashed(theme::DASHES)
                } else {
                    Finish::Plain
                },
            },
        )?;
    }
    prices.end_labels(&mut canvas, &ends)?;

    let flows = Panel {
        room: room(rows[1]),
        x,
        y: flow,
    };
    let heading = format!(
        "Liquidated notional per {} ({})",
        clock::span_words(width),
        data.currency
    );
    let legend = [
        ("shorts", theme::SHORT_LIQUIDATION),
        ("longs", theme::LONG_LIQUIDATION),
    ];
    let legend = if bars.is_empty() { &[] } else { &legend[..] };
    flows.axes(
        &mut canvas,
        &heading,
        legend,
        &x_ticks,
        &flow_ticks,
        Some(&x_title),
    )?;
    draw_bars(&mut canvas, &flows, &bars, width)?;
    Ok(Chart::of(canvas, options, title))
}

/// Sums notionals into bars on a grid of round times.
fn gather(liquidated: &Liquidations, width: f64, start: Option<i64>) -> Vec<Bar> {
    // Bars of a dated run begin at round clock times.
    let offset = start.map_or(0.0, |s| (s as f64).rem_euclid(width));
    let clean = |v: f64| if v.is_finite() { v.max(0.0) } else { 0.0 };
    let mut events: Vec<Bar> = liquidated
        .time
        .iter()
        .zip(&liquidated.long)
        .zip(&liquidated.short)
        .filter(|((time, _), _)| time.is_finite())
        .map(|((&time, &long), &short)| Bar {
            from: ((time + offset) / width).floor() * width - offset,
            long: clean(long),
            short: clean(short),
        })
        .filter(|bar| bar.long > 0.0 || bar.short > 0.0)
        .collect();
    events.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut bars: Vec<Bar> = Vec::new();
    for event in events {
        match bars.last_mut() {
            Some(bar) if bar.from == event.from => {
                bar.long += event.long;
                bar.short += event.short;
            }
            _ => bars.push(event),
        }
    }
    bars
}

/// The scale of the bars; labels carry no sign, for a notional has none.
fn flow_scale(bars: &[Bar], height: f64) -> (Scale, Vec<Tick>) {
    let longs = bars.iter().fold(0.0_f64, |m, b| m.max(b.long));
    let shorts = bars.iter().fold(0.0_f64, |m, b| m.max(b.short));
    let most = longs.max(shorts);
    if most == 0.0 {
        return (Scale::from_zero(0.0), Vec::new());
    }
    let scale = Scale::Linear {
        low: -1.06 * longs.max(0.15 * most),
        high: 1.06 * shorts.max(0.15 * most),
    };
    let (values, step) = scale.values(layout::lines_for(height, 38.0));
    let sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    let ticks = values
        .iter()
        .zip(tick_labels(&sizes, step, true))
        .map(|(&value, label)| Tick { value, label })
        .collect();
    (scale, ticks)
}

fn draw_bars(
    canvas: &mut Canvas,
    flows: &Panel,
    bars: &[Bar],
    width: f64,
) -> Result<(), ChartError> {
    if bars.is_empty() {
        return flows.say(canvas, "no liquidations");
    }
    let zero = flows.py(0.0);
    let kinds = [
        ("long liquidations", false, theme::LONG_LIQUIDATION),
        ("short liquidations", true, theme::SHORT_LIQUIDATION),
    ];
    for (name, upwards, color) in kinds {
        let height = |bar: &Bar| if upwards { bar.short } else { -bar.long };
        canvas.layer("series", name, Finish::Plain, |pen| {
            for bar in bars.iter().filter(|bar| height(bar) != 0.0) {
                let (from, to) = (flows.px(bar.from), flows.px(bar.from + width));
                let air = if to - from > 4.0 { 0.5 } else { 0.0 };
                // A small bar beside a huge one keeps half a pixel.
                let tip = flows.py(height(bar));
                let tip = if (tip - zero).abs() < 0.5 {
                    zero - 0.5 * height(bar).signum()
                } else {
                    tip
                };
                let end = (to - air).max(from + air + 0.75);
                pen.rectangle((from + air, zero), (end, tip), color, 1.0)?;
            }
            Ok(())
        })?;
    }
    canvas.layer("level", "zero", Finish::Plain, |pen| {
        let line = [(flows.room.left, zero), (flows.room.right, zero)];
        pen.line(&line, theme::AXIS, theme::HAIRLINE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_conserve_notional_and_start_at_round_times() {
        let events = Liquidations {
            time: vec![0.0, 10.0, 65.0, 3.0, f64::NAN],
            long: vec![1.0, 2.0, 4.0, 8.0, 100.0],
            short: vec![0.0, f64::NAN, 16.0, 0.0, 100.0],
        };
        let bars = gather(&events, 60.0, None);
        assert_eq!(
            bars.iter()
                .map(|b| (b.from, b.long, b.short))
                .collect::<Vec<_>>(),
            [(0.0, 11.0, 0.0), (60.0, 4.0, 16.0)]
        );
        // A run that starts 50 s into a minute has its first bar 50 s before its start.
        assert_eq!(gather(&events, 60.0, Some(110))[0].from, -50.0);
    }
}
