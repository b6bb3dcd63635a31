//! Where things go on the sheet: headline, rows of panels, room for labels.

use super::canvas::{Anchor, Canvas, Finish};
use super::scale::{Scale, Tick, extent};
use super::{ChartError, clock, font, theme};

/// Sheets below this width, such as those for telephones, have legends below titles and labels without numbers.
const NARROW: f64 = 560.0;
/// Room above a panel for its title.
pub(super) const TITLE_ROOM: f64 = 26.0;
/// Room for a line of text more.
const LEGEND_ROOM: f64 = 19.0;
/// Room below a panel for its ticks.
pub(super) const TICK_ROOM: f64 = 22.0;
/// Room below the ticks for the axis title.
pub(super) const AXIS_TITLE_ROOM: f64 = 20.0;
/// Whether a sheet of that width is narrow.
pub(super) const fn is_narrow(width: f64) -> bool {
    width < NARROW
}

/// Room above a panel for its title and, on a narrow sheet, the legend below it.
pub(super) const fn title_room(width: f64) -> f64 {
    if is_narrow(width) {
        TITLE_ROOM + LEGEND_ROOM
    } else {
        TITLE_ROOM
    }
}

/// Title and subtitle; gives the y from which panels may use the sheet.
pub(super) fn headline(
    canvas: &mut Canvas,
    title: &str,
    subtitle: Option<&str>,
) -> Result<f64, ChartError> {
    let room = canvas.width - 2.0 * theme::MARGIN;
    let mut y = theme::MARGIN + 0.5 * theme::TITLE;
    // A title in a narrow column has two lines.
    let lines = if is_narrow(canvas.width) { 2 } else { 1 };
    let em = if lines > 1 {
        theme::NARROW_TITLE
    } else {
        theme::TITLE
    };
    let lines = font::wrapped(title, em, true, room, lines);
    let at = y;
    y += 1.25 * em * (lines.len() - 1) as f64;
    canvas.layer("title", "title", Finish::Plain, |pen| {
        lines.iter().enumerate().try_for_each(|(line, text)| {
            let left = (theme::MARGIN, at + 1.25 * em * line as f64);
            pen.text(text, left, Anchor::Start, em, true, theme::INK)
        })
    })?;
    if let Some(subtitle) = subtitle {
        y += 0.5 * theme::TITLE + theme::SUBTITLE;
        canvas.layer("subtitle", "subtitle", Finish::Plain, |pen| {
            let text = font::fitted(subtitle, theme::SUBTITLE, false, room);
            let left = (theme::MARGIN, y);
            pen.text(
                &text,
                left,
                Anchor::Start,
                theme::SUBTITLE,
                false,
                theme::QUIET,
            )
        })?;
        y += 0.5 * theme::SUBTITLE;
    } else {
        y += 0.5 * theme::TITLE;
    }
    Ok(y + 10.0)
}

/// Room that tick labels need on the left.
pub(super) fn tick_room<'a>(ticks: impl IntoIterator<Item = &'a Tick>) -> f64 {
    let widest = ticks
        .into_iter()
        .map(|t| font::width(&t.label, theme::LABEL, false))
        .fold(0.0, f64::max);
    theme::MARGIN + widest + 8.0
}

/// Room that end labels need on the right; enough for half a tick label where there are none.
pub(super) fn label_room<'a>(labels: impl IntoIterator<Item = &'a str>) -> f64 {
    let widest = labels
        .into_iter()
        .map(|t| font::width(t, theme::LABEL, false))
        .fold(0.0, f64::max);
    if widest > 0.0 {
        theme::MARGIN + widest + LEADER
    } else {
        2.0 * theme::MARGIN
    }
}

/// Distance between the end of a line and its label.
pub(super) const LEADER: f64 = 16.0;

/// Tops and bottoms of panels one above the other, sharing one time axis at the foot; heights are
/// in proportion to the weights.
pub(super) fn stack(width: f64, top: f64, height: f64, weights: &[f64]) -> Vec<(f64, f64)> {
    const BETWEEN: f64 = 10.0;
    let foot = TICK_ROOM + AXIS_TITLE_ROOM + 0.5 * theme::MARGIN;
    let count = weights.len() as f64;
    let free = height - top - foot - count * title_room(width) - (count - 1.0) * BETWEEN;
    let total: f64 = weights.iter().sum();
    let mut y = top;
    weights
        .iter()
        .map(|weight| {
            let begin = y + title_room(width);
            let end = begin + (free * weight / total).max(8.0);
            y = end + BETWEEN;
            (begin, end)
        })
        .collect()
}

/// How many gridlines suit a length in pixels.
pub(super) fn lines_for(length: f64, apart: f64) -> usize {
    (length / apart).clamp(1.0, 14.0) as usize
}

/// From the first time to the last.
pub(super) fn time_scale(time: &[f64]) -> Scale {
    let (low, high) = extent([time]).unwrap_or((0.0, 1.0));
    Scale::Linear {
        low,
        high: if high > low { high } else { low + 1.0 },
    }
}

/// Ticks and title of the time axis of a panel.
pub(super) fn time_ticks(scale: Scale, start: Option<i64>, width: f64) -> (Vec<Tick>, String) {
    let (Scale::Linear { low, high } | Scale::Log { low, high }) = scale;
    clock::axis(low, high, start, lines_for(width, 90.0))
}

/// The last value that's defined.
pub(super) fn last_defined(values: &[f64]) -> f64 {
    values
        .iter()
        .rev()
        .copied()
        .find(|v| !v.is_nan())
        .unwrap_or(f64::NAN)
}

/// Positions at least `gap` apart, in the same order and as near to the wanted ones as a push down
/// and a push back up allow, within a range if they fit there.
pub(super) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Neighbours that touch form a block centred on the mean of what they want.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for &at in wanted {
        let mut block = (at, 1_usize);
        while let Some(&(mean, size)) = blocks.last() {
            let needed = 0.5 * gap * (size + block.1) as f64;
            if block.0 - mean >= needed {
                break;
            }
            blocks.pop();
            let total = size + block.1;
            block = (
                (mean * size as f64 + block.0 * block.1 as f64) / total as f64,
                total,
            );
        }
        blocks.push(block);
    }
    let mut placed = Vec::with_capacity(wanted.len());
    for (mean, size) in blocks {
        let half = 0.5 * gap * (size - 1) as f64;
        let centre = mean.clamp(low + half, (high - half).max(low + half));
        placed.extend((0..size).map(|i| centre - half + gap * i as f64));
    }
    // Clamping may have brought blocks together again.
    for i in 1..placed.len() {
        placed[i] = placed[i].max(placed[i - 1] + gap);
    }
    for i in (0..placed.len()).rev() {
        let ceiling = if i + 1 < placed.len() {
            placed[i + 1] - gap
        } else {
            high.max(low + gap * (placed.len() - 1) as f64)
        };
        placed[i] = placed[i].min(ceiling);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 15.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(
            spread(&[50.0, 50.0, 50.0], 10.0, 0.0, 100.0),
            [40.0, 50.0, 60.0]
        );
        for wanted in [vec![98.0, 99.0, 100.0], vec![0.0, 1.0, 2.0, 30.0, 31.0]] {
            let placed = spread(&wanted, 16.0, 0.0, 100.0);
            assert!(placed.windows(2).all(|w| w[1] - w[0] >= 16.0 - 1e-9));
            assert!(placed.iter().all(|&p| (-1e-9..=100.0 + 1e-9).contains(&p)));
        }
        assert!(spread(&[], 10.0, 0.0, 1.0).is_empty());
    }

    #[test]
    fn ends_skip_the_undefined() {
        assert_eq!(last_defined(&[1.0, 2.0, f64::NAN]), 2.0);
        assert!(last_defined(&[]).is_nan());
    }
}
