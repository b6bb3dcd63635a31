//! A margin against what it had to cover: the move after each margin, the margin on both sides, and a dot
//! wherever it wasn't enough.

use super::canvas::{Canvas, Finish};
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, number, same_length, theme};

/// Margins of one rule, and the losses that followed, a value for each window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoverageData {
    /// The market's name.
    pub market: String,
    /// The rule's name.
    pub rule: String,
    /// Length of a window in words: `1d`.
    pub horizon: String,
    /// When the first window begins, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since then at which each window begins.
    pub time: Vec<f64>,
    /// The margin, as a share of the notional.
    pub margin: Vec<f64>,
    /// Loss of a long position within the window; a gain is negative.
    pub long: Vec<f64>,
    /// Loss of a short position.
    pub short: Vec<f64>,
    /// Breaches counted over the last so many windows, where there are enough of them.
    pub light: Option<LightData>,
}

/// Breaches over the last windows, and the zones of the traffic light.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LightData {
    /// Over how many windows breaches are counted.
    pub windows: usize,
    /// How many are expected.
    pub expected: f64,
    /// From how many on the light is red.
    pub red: f64,
    /// Of long positions; undefined until there are so many windows.
    pub long: Vec<f64>,
    /// Of short positions.
    pub short: Vec<f64>,
}

/// Draws margins, moves and breaches, and below them the breaches of the last windows.
pub fn coverage(data: &CoverageData, options: &Options) -> Result<Chart, ChartError> {
    let n = data.time.len();
    same_length("margin", data.margin.len(), n)?;
    same_length("long", data.long.len(), n)?;
    same_length("short", data.short.len(), n)?;
    if let Some(light) = &data.light {
        same_length("breaches of long positions", light.long.len(), n)?;
        same_length("breaches of short positions", light.short.len(), n)?;
    }
    let mut canvas = options.sheet()?;
    canvas.clock(data.start);
    let own_title = format!("{}: margin of {} against losses", data.market, data.rule);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let weights: &[f64] = if data.light.is_some() {
        &[3.0, 1.0]
    } else {
        &[1.0]
    };
    let rooms = layout::stack(canvas.width, top, canvas.height, weights);
    let x = layout::time_scale(&data.time);

    let percent = |column: &[f64], sign: f64| -> Vec<f64> {
        column.iter().map(|share| 100.0 * sign * share).collect()
    };
    let above = percent(&data.margin, 1.0);
    let below = percent(&data.margin, -1.0);
    let rise = percent(&data.short, 1.0);
    let fall = percent(&data.long, -1.0);
    let seen = extent([above.as_slice(), &below, &rise, &fall]);
    let y = Scale::around(seen);
    let y_ticks = y.ticks(layout::lines_for(rooms[0].1 - rooms[0].0, 45.0), true);
    let margin_now = layout::last_defined(&data.margin);
    let mut ends = Vec::new();
    if !margin_now.is_nan() {
        ends.push(EndLabel {
            text: format!("margin {}", number::percent(margin_now, 1)),
            value: 100.0 * margin_now,
            color: theme::REQUIREMENT,
        });
    }
    let counted = data.light.as_ref().map(|light| {
        let most = extent([light.long.as_slice(), &light.short]).map_or(0.0, |(_, high)| high);
        // Air above the red level for its words.
        let scale = Scale::from_zero(1.35 * most.max(light.red));
        let ticks = scale.ticks(3, false);
        let ends = counts(light);
        (light, scale, ticks, ends)
    });
    let light_ticks = counted.iter().flat_map(|(_, _, ticks, _)| ticks);
    let light_ends = counted.iter().flat_map(|(_, _, _, ends)| ends);
    let left = layout::tick_room(y_ticks.iter().chain(light_ticks));
    let right = canvas.width
        - layout::label_room(ends.iter().chain(light_ends).map(|end| end.text.as_str()));
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);
    let room = |(top, bottom): (f64, f64)| Room {
        left,
        right,
        top,
        bottom,
    };
    let panel = Panel {
        room: room(rooms[0]),
        x,
        y,
    };
    let missed = |side: &[f64]| breaches(side, &data.margin).count();
    let long_key = format!("breach, long ({})", missed(&data.long));
    let short_key = format!("breach, short ({})", missed(&data.short));
    let legend = [
        (long_key.as_str(), theme::LONG_LIQUIDATION),
        (short_key.as_str(), theme::SHORT_LIQUIDATION),
    ];
    let heading = format!("Move within {} and margin (%)", data.horizon);
    let foot = data.light.is_none().then_some(x_title.as_str());
    panel.axes(&mut canvas, &heading, &legend, &x_ticks, &y_ticks, foot)?;
    if seen.is_none() {
        panel.say(&mut canvas, "no windows")?;
    } else {
        moves(&mut canvas, &panel, &data.time, &fall, &rise)?;
        for (name, column) in [("margin", &above), ("margin of falls", &below)] {
            panel.line(
                &mut canvas,
                &Line {
                    name,
                    x: &data.time,
                    y: column,
                    color: theme::REQUIREMENT,
                    weight: theme::THIN_LINE,
                    finish: Finish::Plain,
                },
            )?;
        }
        let margins = &data.margin;
        for (name, side, drawn, color) in [
            ("breaches, long", &data.long, &fall, theme::LONG_LIQUIDATION),
            (
                "breaches, short",
                &data.short,
                &rise,
                theme::SHORT_LIQUIDATION,
            ),
        ] {
            // One dot in two pixels, the furthest out, is all that can be seen.
            let mut dots: Vec<(f64, f64)> = Vec::new();
            let zero = panel.py(0.0);
            for at in breaches(side, margins) {
                let dot = (panel.px(data.time[at]), panel.py(drawn[at]));
                match dots.last_mut() {
                    Some(last) if dot.0 - last.0 < 2.0 => {
                        if (dot.1 - zero).abs() > (last.1 - zero).abs() {
                            last.1 = dot.1;
                        }
                    }
                    _ => dots.push(dot),
                }
            }
            canvas.layer("series", name, Finish::Plain, |pen| {
                dots.iter().try_for_each(|dot| pen.dot(*dot, 2.75, color))
            })?;
        }
        panel.end_labels(&mut canvas, &ends)?;
    }
    if let Some((light, scale, ticks, ends)) = counted {
        let panel = Panel {
            room: room(rooms[1]),
            x,
            y: scale,
        };
        let heading = format!("Breaches in the last {} windows", light.windows);
        panel.axes(&mut canvas, &heading, &[], &x_ticks, &ticks, Some(&x_title))?;
        count_lines(&mut canvas, &panel, &data.time, light)?;
        panel.end_labels(&mut canvas, &ends)?;
    }
    Ok(Chart::of(canvas, options, title))
}

/// Places of windows whose loss exceeded the margin.
fn breaches<'a>(side: &'a [f64], margin: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
    (0..side.len()).filter(|at| side[*at] > margin[*at])
}

/// A stroke from the fall to the rise of every pixel column; each starts or ends at zero.
fn moves(
    canvas: &mut Canvas,
    panel: &Panel,
    time: &[f64],
    fall: &[f64],
    rise: &[f64],
) -> Result<(), ChartError> {
    let mut strokes: Vec<(f64, f64, f64)> = Vec::new();
    for ((time, fall), rise) in time.iter().zip(fall).zip(rise) {
        if !(time.is_finite() && fall.is_finite() && rise.is_finite()) {
            continue;
        }
        let x = panel.px(*time).floor();
        let (low, high) = (fall.min(0.0), rise.max(0.0));
        match strokes.last_mut() {
            Some(last) if last.0 == x => {
                last.1 = last.1.min(low);
                last.2 = last.2.max(high);
            }
            _ => strokes.push((x, low, high)),
        }
    }
    // Neighbouring strokes make one path, down and up by turns.
    let mut paths: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before = f64::NEG_INFINITY;
    for (x, low, high) in strokes {
        if x - before > 1.5 {
            paths.push(Vec::new());
        }
        before = x;
        let (x, low, high) = (x + 0.5, panel.py(low), panel.py(high));
        if let Some(path) = paths.last_mut() {
            if path.len() % 4 == 0 {
                path.extend([(x, low), (x, high)]);
            } else {
                path.extend([(x, high), (x, low)]);
            }
        }
    }
    canvas.layer("series", "moves", Finish::Plain, |pen| {
        paths
            .iter()
            .try_for_each(|path| pen.line(path, theme::AXIS, theme::HAIRLINE))
    })
}

/// Names and last values of the lines of counts.
fn counts(light: &LightData) -> Vec<EndLabel> {
    [
        ("long", &light.long, theme::LONG_LIQUIDATION),
        ("short", &light.short, theme::SHORT_LIQUIDATION),
    ]
    .into_iter()
    .map(|(side, column, color)| {
        let value = layout::last_defined(column);
        EndLabel {
            text: format!("{side} {}", number::grouped(value, 0)),
            value,
            color,
        }
    })
    .filter(|label| !label.value.is_nan())
    .collect()
}

fn count_lines(
    canvas: &mut Canvas,
    panel: &Panel,
    time: &[f64],
    light: &LightData,
) -> Result<(), ChartError> {
    let room = panel.room;
    canvas.layer("area", "red zone", Finish::Plain, |pen| {
        pen.rectangle(
            (room.left, panel.py(light.red)),
            (room.right, room.top),
            theme::FORCED,
            theme::FAINT,
        )
    })?;
    let lines = [
        (
            "breaches counted, long",
            &light.long,
            theme::LONG_LIQUIDATION,
            Finish::Plain,
        ),
        (
            "breaches counted, short",
            &light.short,
            theme::SHORT_LIQUIDATION,
            Finish::Dashed(theme::DASHES),
        ),
    ]
    .map(|(name, y, color, finish)| Line {
        name,
        x: time,
        y,
        color,
        weight: theme::THIN_LINE,
        finish,
    });
    for line in &lines {
        panel.line(canvas, line)?;
    }
    let note = format!("expected {}", number::grouped(light.expected, 1));
    panel.level(
        canvas,
        light.expected,
        &note,
        Finish::Dashed(theme::DOTS),
        &lines,
    )?;
    // Where there is no room between the two, the shade alone says red.
    if panel.py(light.expected) - panel.py(light.red) < 1.4 * theme::LABEL {
        return Ok(());
    }
    let red = format!("red from {} on", number::grouped(light.red, 0));
    panel.level(canvas, light.red, &red, Finish::Dashed(theme::DOTS), &lines)
}
