//! The reproduction number before against after: what was foreseen along the foot, what came along the side.
//!
//! A dot is a window, its area the quantity that was liquidated in it; on the diagonal what came was foreseen. Beyond the ends of the
//! axes values sit on their edges.

use super::canvas::{Anchor, Finish};
use super::layout;
use super::panel::{Line, Panel, Room};
use super::scale::{Scale, Tick};
use super::{Chart, ChartError, Options, font, number, same_length, theme};

/// Windows of a market.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CalibrationData {
    /// The market's name.
    pub market: String,
    /// R as foreseen.
    pub foreseen: Vec<f64>,
    /// R̂ as it came.
    pub realised: Vec<f64>,
    /// Weight of each window.
    pub weight: Vec<f64>,
    /// Whether the market was stressed in it.
    pub stressed: Vec<bool>,
    /// Means by class: foreseen, realised.
    pub means: Vec<(f64, f64)>,
    /// How the warnings did, in words.
    pub note: String,
}

/// Both axes begin here; less sits on the edge.
const LOW: f64 = 0.01;
/// Radius of the largest dot.
const LARGEST: f64 = 13.0;

/// Draws windows, means and the diagonal.
pub fn calibration(data: &CalibrationData, options: &Options) -> Result<Chart, ChartError> {
    let n = data.foreseen.len();
    same_length("realised", data.realised.len(), n)?;
    same_length("weight", data.weight.len(), n)?;
    same_length("stressed", data.stressed.len(), n)?;
    let mut canvas = options.sheet()?;
    let own_title = format!("{}: did liquidations multiply as foreseen?", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let most = |column: &[f64]| {
        column
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .fold(2.0, f64::max)
    };
    let scale = |column: &[f64]| Scale::Log {
        low: LOW,
        high: 1.5 * most(column),
    };
    let floored = |mut ticks: Vec<Tick>| {
        for tick in &mut ticks {
            if tick.value <= 1.001 * LOW {
                tick.label = format!("≤ {}", tick.label);
            }
        }
        ticks
    };
    let (x, y) = (scale(&data.foreseen), scale(&data.realised));
    let y_ticks = floored(y.ticks(8, false));
    let (left, right) = (
        layout::tick_room(&y_ticks),
        canvas.width - 2.0 * theme::MARGIN,
    );
    let x_ticks = floored(x.ticks(layout::lines_for(right - left, 90.0), false));
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
    let names = if options.is_narrow() {
        ["means", "stressed", "calm"]
    } else {
        ["means by class", "stressed minute", "calm minute"]
    };
    let legend = [
        (names[0], theme::LAST),
        (names[1], theme::LONG_LIQUIDATION),
        (names[2], theme::SHORT_LIQUIDATION),
    ];
    panel.axes(
        &mut canvas,
        "R realised: quantity brought about over quantity liquidated",
        &legend,
        &x_ticks,
        &y_ticks,
        Some("R foreseen: forced orders over depth within 1 %, mean of the minute"),
    )?;
    if n == 0 {
        panel.say(&mut canvas, "no liquidations")?;
        return Ok(Chart::of(canvas, options, title));
    }
    let heaviest = data.weight.iter().copied().fold(0.0, f64::max);
    let dots = panel.points(&data.foreseen, &data.realised);
    canvas.marks(dots.iter().enumerate().map(|(k, at)| {
        let regime = if data.stressed[k] { names[1] } else { names[2] };
        let (foreseen, realised) = (data.foreseen[k], data.realised[k]);
        let text = format!("{regime} · R foreseen {foreseen:.2} · realised {realised:.2}");
        (*at, text)
    }));
    for (name, stressed, color) in [
        ("calm", false, theme::SHORT_LIQUIDATION),
        ("stressed", true, theme::LONG_LIQUIDATION),
    ] {
        canvas.layer("dots", name, Finish::Plain, |pen| {
            for (k, at) in dots.iter().enumerate() {
                if data.stressed[k] == stressed && !at.1.is_nan() {
                    let radius = LARGEST * (data.weight[k] / heaviest).sqrt();
                    pen.dot(*at, radius.max(1.6) + 0.8, theme::BACKGROUND)?;
                    pen.dot(*at, radius.max(1.6), color)?;
                }
            }
            Ok(())
        })?;
    }
    let ends = [LOW, most(&data.foreseen).min(most(&data.realised))];
    let diagonal = Line {
        name: "as foreseen",
        x: &ends,
        y: &ends,
        color: theme::QUIET,
        weight: theme::THIN_LINE,
        finish: Finish::Dashed(theme::DASHES),
    };
    panel.line(&mut canvas, &diagonal)?;
    let (mean_x, mean_y): (Vec<f64>, Vec<f64>) = data
        .means
        .iter()
        .filter(|mean| !mean.0.is_nan() && !mean.1.is_nan())
        .copied()
        .unzip();
    panel.line(
        &mut canvas,
        &Line {
            name: "means by class",
            x: &mean_x,
            y: &mean_y,
            color: theme::LAST,
            weight: 1.4 * theme::MAIN_LINE,
            finish: Finish::Plain,
        },
    )?;
    let one = panel.px(1.0);
    let canvas_width = canvas.width;
    canvas.layer("level", "R = 1", Finish::Dashed(theme::DOTS), |pen| {
        pen.line(
            &[(one, panel.room.top), (one, panel.room.bottom)],
            theme::QUIET,
            theme::THIN_LINE,
        )
    })?;
    canvas.layer("note", "warnings", Finish::Rimmed, |pen| {
        let (room, line) = (panel.room, 1.4 * theme::LABEL);
        for (k, part) in wrapped(&data.note, room.width() - 20.0).iter().enumerate() {
            let at = (room.left + 10.0, room.top + 12.0 + k as f64 * line);
            pen.text(part, at, Anchor::Start, theme::LABEL, false, theme::INK)?;
        }
        let note = format!("warning: R ≥ {}", number::compact(1.0));
        let right = one + 6.0 + font::width(&note, theme::LABEL, false) < canvas_width;
        let (x, anchor) = if right {
            (one + 6.0, Anchor::Start)
        } else {
            (one - 6.0, Anchor::End)
        };
        let at = (x, room.bottom - 12.0);
        pen.text(&note, at, anchor, theme::LABEL, false, theme::QUIET)
    })?;
    Ok(Chart::of(canvas, options, title))
}

/// The lines of a note, broken after commas where they would not fit.
fn wrapped(note: &str, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    for line in note.split('\n') {
        let mut open = String::new();
        for part in line.split_inclusive(", ") {
            let longer = format!("{open}{part}");
            if !open.is_empty() && font::width(longer.trim_end(), theme::LABEL, false) > room {
                lines.push(std::mem::take(&mut open).trim_end().to_owned());
                open = part.to_owned();
            } else {
                open = longer;
            }
        }
        lines.push(open.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_breaks_after_commas_where_it_has_to() {
        let note = "warnings: 1, of which false alarms 0\nshort";
        assert_eq!(
            wrapped(note, 1_000.0),
            ["warnings: 1, of which false alarms 0", "short"]
        );
        assert_eq!(
            wrapped(note, 150.0),
            ["warnings: 1,", "of which false alarms 0", "short"]
        );
    }
}
