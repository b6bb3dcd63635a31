//! The same run with and without feedback: how much of the move was the market's own doing.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, decimate, font, number, same_length, theme};

/// Mid prices of a run and of its twin without liquidations' impact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TwinData {
    /// The market's name.
    pub market: String,
    /// Unit of prices.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// Mid price with feedback.
    pub last: Vec<f64>,
    /// Mid price without feedback.
    pub twin: Vec<f64>,
}

/// The deepest fall from a running maximum.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drawdown {
    trough: usize,
    share: f64,
}

/// The deepest fall of a series; none where it never falls.
fn drawdown(prices: &[f64]) -> Option<Drawdown> {
    let mut peak = f64::NAN;
    let mut deepest: Option<Drawdown> = None;
    for (trough, &price) in prices.iter().enumerate().filter(|(_, p)| p.is_finite()) {
        peak = peak.max(price);
        let share = price / peak - 1.0;
        if share < deepest.map_or(0.0, |d| d.share) {
            deepest = Some(Drawdown { trough, share });
        }
    }
    deepest
}

/// Draws both prices, the gap between them shaded, and each one's deepest drawdown.
pub fn twin(data: &TwinData, options: &Options) -> Result<Chart, ChartError> {
    same_length("last", data.last.len(), data.time.len())?;
    same_length("twin", data.twin.len(), data.time.len())?;
    let mut canvas = options.sheet()?;
    canvas.clock(data.start);
    let own_title = format!("{}: price with and without feedback", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;

    let x = layout::time_scale(&data.time);
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let seen = extent([data.last.as_slice(), &data.twin]);
    // A little more below, for the words at the troughs.
    let y = match Scale::around(seen) {
        Scale::Linear { low, high } => Scale::Linear {
            low: low - 0.04 * (high - low),
            high,
        },
        log => log,
    };
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 55.0), false);
    let lines = [
        (
            "twin",
            "without",
            &data.twin,
            theme::TWIN,
            Finish::Dashed(theme::DASHES),
        ),
        (
            "last",
            "with feedback",
            &data.last,
            theme::LAST,
            Finish::Plain,
        ),
    ];
    let ends: Vec<EndLabel> = lines
        .iter()
        .map(|(_, words, column, color, _)| {
            let value = layout::last_defined(column);
            EndLabel {
                text: match layout::is_narrow(canvas.width) {
                    true => words.split(' ').next().unwrap_or(words).to_owned(),
                    false => format!("{words} {}", number::price_label(value)),
                },
                value,
                color: *color,
            }
        })
        .filter(|label| !label.value.is_nan())
        .collect();
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room(ends.iter().map(|l| l.text.as_str()));
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);
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
    let heading = format!("Mid price ({})", data.currency);
    let legend = [("gap: the market's own doing", theme::GAP)];
    panel.axes(
        &mut canvas,
        &heading,
        &legend,
        &x_ticks,
        &y_ticks,
        Some(&x_title),
    )?;
    if seen.is_none() {
        panel.say(&mut canvas, "no prices")?;
        return Ok(Chart::of(canvas, options, title));
    }
    shade_gap(&mut canvas, &panel, data)?;
    for (name, _, column, color, finish) in lines {
        panel.line(
            &mut canvas,
            &Line {
                name,
                x: &data.time,
                y: column,
                color,
                weight: theme::THIN_LINE + 0.25,
                finish,
            },
        )?;
    }
    note_drawdowns(&mut canvas, &panel, data)?;
    panel.end_labels(&mut canvas, &ends)?;
    Ok(Chart::of(canvas, options, title))
}

/// Fills between the two lines wherever both are defined.
fn shade_gap(canvas: &mut Canvas, panel: &Panel, data: &TwinData) -> Result<(), ChartError> {
    let both = |own: &[f64], other: &[f64]| {
        let column: Vec<f64> = own
            .iter()
            .zip(other)
            .map(|(&a, &b)| if b.is_nan() { f64::NAN } else { a })
            .collect();
        decimate::pieces(panel.points(&data.time, &column))
    };
    let with = both(&data.last, &data.twin);
    let without = both(&data.twin, &data.last);
    canvas.layer("area", "gap", Finish::Plain, |pen| {
        for (there, back) in with.iter().zip(&without) {
            let outline: Vec<_> = there.iter().chain(back.iter().rev()).copied().collect();
            pen.polygon(&outline, theme::FORCED, theme::FILL)?;
        }
        Ok(())
    })
}

/// A dot at each trough and its depth in words below it.
fn note_drawdowns(canvas: &mut Canvas, panel: &Panel, data: &TwinData) -> Result<(), ChartError> {
    let room = panel.room;
    let notes: Vec<(f64, f64, String, _)> = [
        (&data.last, "with feedback", theme::LAST),
        (&data.twin, "without", theme::TWIN),
    ]
    .into_iter()
    .filter_map(|(column, words, color)| {
        let fall = drawdown(column)?;
        let at = (
            panel.px(data.time[fall.trough]),
            panel.py(column[fall.trough]),
        );
        Some((
            at.0,
            at.1,
            format!("{} {words}", number::percent(fall.share, 1)),
            color,
        ))
    })
    .collect();
    let mut order: Vec<usize> = (0..notes.len()).collect();
    order.sort_by(|&a, &b| notes[a].1.total_cmp(&notes[b].1));
    let wanted: Vec<f64> = order.iter().map(|&i| notes[i].1 + 17.0).collect();
    let gap = 1.4 * theme::LABEL;
    let placed = layout::spread(&wanted, gap, room.top + gap, room.bottom - 0.6 * gap);
    canvas.layer("note", "drawdowns", Finish::Rimmed, |pen| {
        for (&i, &y) in order.iter().zip(&placed) {
            let (x, trough, words, color) = &notes[i];
            pen.dot((*x, *trough), 5.0, theme::BACKGROUND)?;
            pen.dot((*x, *trough), 3.5, *color)?;
            let half = 0.5 * font::width(words, theme::LABEL, true) + 4.0;
            let x = x.clamp(room.left + half, (room.right - half).max(room.left + half));
            pen.text(words, (x, y), Anchor::Middle, theme::LABEL, true, *color)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_fall_counts_from_the_running_peak() {
        let fall = drawdown(&[100.0, 120.0, 90.0, f64::NAN, 130.0, 117.0]).expect("falls");
        assert_eq!(fall.trough, 2);
        assert!((fall.share + 0.25).abs() < 1e-12);
        assert_eq!(drawdown(&[1.0, 2.0, 3.0]), None);
        assert_eq!(drawdown(&[]), None);
    }
}
