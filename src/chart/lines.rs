//! Several numbers over one: smiles by expiry, or what an account has and is asked as the price moves.

use super::canvas::{Anchor, Finish};
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, extent};
use super::{Chart, ChartError, Options, same_length, theme};
use plotters::style::RGBColor;

/// Several numbers over one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinesData {
    /// What the numbers are: `implied volatility`, `equity and requirement`.
    pub name: String,
    /// Whether they are shares, to be written in per cent.
    pub share: bool,
    /// What stands along the foot: `strike over forward`, `move of the price`.
    pub x_name: String,
    /// Whether it is a share, to be written in per cent.
    pub x_share: bool,
    /// Its values, rising.
    pub x: Vec<f64>,
    /// The numbers.
    pub lines: Vec<NamedLine>,
    /// Places along the foot that are worth a line of their own, with a word for each.
    pub marks: Vec<(f64, String)>,
}

/// One of the numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedLine {
    /// Its name.
    pub name: String,
    /// Its values; undefined where there is none.
    pub values: Vec<f64>,
}

/// Colours of lines that have no meaning of their own, apart in lightness.
const COLORS: [RGBColor; 6] = [
    theme::LAST,
    theme::LONG_LIQUIDATION,
    theme::SHORT_LIQUIDATION,
    theme::DEPTH,
    theme::MARK,
    theme::TWIN,
];

/// Draws the lines, and the marks across them.
pub fn lines(data: &LinesData, options: &Options) -> Result<Chart, ChartError> {
    for line in &data.lines {
        same_length("line", line.values.len(), data.x.len())?;
    }
    let mut canvas = options.sheet()?;
    let own_title = format!("{} over {}", data.name, data.x_name);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let factor = |share: bool| if share { 100.0 } else { 1.0 };
    let scaled = |column: &[f64], share: bool| -> Vec<f64> {
        column.iter().map(|value| factor(share) * value).collect()
    };
    let x = scaled(&data.x, data.x_share);
    let values: Vec<Vec<f64>> = data
        .lines
        .iter()
        .map(|line| scaled(&line.values, data.share))
        .collect();
    let seen = extent(values.iter().map(Vec::as_slice));
    let y = Scale::around(seen);
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 45.0), true);
    let (low, high) = extent([x.as_slice()]).unwrap_or((0.0, 1.0));
    let x_scale = Scale::Linear {
        low,
        high: if high > low { high } else { low + 1.0 },
    };
    let ends: Vec<EndLabel> = data
        .lines
        .iter()
        .zip(&values)
        .enumerate()
        .map(|(place, (line, values))| EndLabel {
            text: line.name.clone(),
            value: layout::last_defined(values),
            color: COLORS[place % COLORS.len()],
        })
        .collect();
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room(ends.iter().map(|end| end.text.as_str()));
    let room = Room {
        left,
        right,
        top,
        bottom,
    };
    let panel = Panel {
        room,
        x: x_scale,
        y,
    };
    let unit = |name: &str, share: bool| match share {
        true => format!("{name} (%)"),
        false => name.to_owned(),
    };
    let x_ticks = x_scale.ticks(layout::lines_for(right - left, 90.0), false);
    let below = unit(&data.x_name, data.x_share);
    panel.axes(
        &mut canvas,
        &unit(&data.name, data.share),
        &[],
        &x_ticks,
        &y_ticks,
        Some(&below),
    )?;
    if seen.is_none() {
        panel.say(&mut canvas, "no points")?;
        return Ok(Chart::of(canvas, options, title));
    }
    for (place, (line, values)) in data.lines.iter().zip(&values).enumerate() {
        panel.line(
            &mut canvas,
            &Line {
                name: &line.name,
                x: &x,
                y: values,
                color: COLORS[place % COLORS.len()],
                weight: theme::MAIN_LINE,
                // A second turn through the colours is dashed.
                finish: match place < COLORS.len() {
                    true => Finish::Plain,
                    false => Finish::Dashed(theme::DASHES),
                },
            },
        )?;
    }
    for (place, (at, words)) in data.marks.iter().enumerate() {
        let at = factor(data.x_share) * at;
        if !(low..=high).contains(&at) {
            continue;
        }
        let px = panel.px(at);
        canvas.layer("level", words, Finish::Dashed(theme::DOTS), |pen| {
            pen.line(&[(px, top), (px, bottom)], theme::QUIET, theme::THIN_LINE)
        })?;
        let (anchor, beside) = match px < 0.5 * (left + right) {
            true => (Anchor::Start, px + 6.0),
            false => (Anchor::End, px - 6.0),
        };
        let down = top + (0.9 + 1.5 * place as f64) * theme::LABEL;
        canvas.layer("note", words, Finish::Rimmed, |pen| {
            pen.text(
                words,
                (beside, down),
                anchor,
                theme::LABEL,
                false,
                theme::QUIET,
            )
        })?;
    }
    panel.end_labels(&mut canvas, &ends)?;
    Ok(Chart::of(canvas, options, title))
}
