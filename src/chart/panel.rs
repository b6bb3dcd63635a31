//! A rectangle with two axes, and what every panel needs: grid, ticks, lines, labels at line ends.

use super::canvas::{Anchor, Canvas, Finish};
use super::scale::{Scale, Tick, extent};
use super::{ChartError, clock, decimate, font, theme};
use plotters::style::RGBColor;

/// Room above a panel for its title.
pub(super) const TITLE_ROOM: f64 = 26.0;
/// Room below a panel for its ticks.
pub(super) const TICK_ROOM: f64 = 22.0;
/// Room below the ticks for the axis title.
pub(super) const AXIS_TITLE_ROOM: f64 = 20.0;
/// Least distance between two labels one above the other.
const LINE_HEIGHT: f64 = 1.3 * theme::LABEL;

/// A rectangle of the sheet, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// A rectangle of the sheet with two scales.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub room: Room,
    pub x: Scale,
    pub y: Scale,
}

/// A line to draw.
pub(super) struct Line<'a> {
    pub name: &'a str,
    pub x: &'a [f64],
    pub y: &'a [f64],
    pub color: RGBColor,
    pub weight: f64,
    pub finish: Finish,
}

/// A label beside the right end of a line.
pub(super) struct EndLabel {
    pub text: String,
    /// Where the line ends.
    pub value: f64,
    pub color: RGBColor,
}

/// Title and subtitle; gives the y from which panels may use the sheet.
pub(super) fn headline(
    canvas: &mut Canvas,
    title: &str,
    subtitle: Option<&str>,
) -> Result<f64, ChartError> {
    let room = canvas.width - 2.0 * theme::MARGIN;
    let mut y = theme::MARGIN + 0.5 * theme::TITLE;
    let at = y;
    canvas.layer("title", "title", Finish::Plain, |pen| {
        let text = font::fitted(title, theme::TITLE, true, room);
        let left = (theme::MARGIN, at);
        pen.text(&text, left, Anchor::Start, theme::TITLE, true, theme::INK)
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
const LEADER: f64 = 16.0;

/// Tops and bottoms of panels one above the other, sharing one time axis at the foot; heights are
/// in proportion to the weights.
pub(super) fn stack(top: f64, height: f64, weights: &[f64]) -> Vec<(f64, f64)> {
    const BETWEEN: f64 = 10.0;
    let foot = TICK_ROOM + AXIS_TITLE_ROOM + 0.5 * theme::MARGIN;
    let count = weights.len() as f64;
    let free = height - top - foot - count * TITLE_ROOM - (count - 1.0) * BETWEEN;
    let total: f64 = weights.iter().sum();
    let mut y = top;
    weights
        .iter()
        .map(|weight| {
            let begin = y + TITLE_ROOM;
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

impl Room {
    pub fn width(self) -> f64 {
        self.right - self.left
    }
    pub fn height(self) -> f64 {
        self.bottom - self.top
    }
}

impl Panel {
    pub fn px(&self, x: f64) -> f64 {
        self.room.left + self.x.share(x) * self.room.width()
    }
    pub fn py(&self, y: f64) -> f64 {
        self.room.bottom - self.y.share(y) * self.room.height()
    }

    /// Gridlines, tick labels, the panel's title above with a legend at its right end, and the axis
    /// title below.
    pub fn axes(
        &self,
        canvas: &mut Canvas,
        title: &str,
        legend: &[(&str, RGBColor)],
        x_ticks: &[Tick],
        y_ticks: &[Tick],
        x_title: Option<&str>,
    ) -> Result<(), ChartError> {
        let room = self.room;
        canvas.layer("grid", title, Finish::Plain, |pen| {
            for tick in x_ticks {
                let x = self.px(tick.value);
                pen.line(
                    &[(x, room.top), (x, room.bottom)],
                    theme::GRID,
                    theme::HAIRLINE,
                )?;
            }
            for tick in y_ticks {
                let y = self.py(tick.value);
                pen.line(
                    &[(room.left, y), (room.right, y)],
                    theme::GRID,
                    theme::HAIRLINE,
                )?;
            }
            let base = [(room.left, room.bottom), (room.right, room.bottom)];
            pen.line(&base, theme::AXIS, theme::HAIRLINE)
        })?;
        let right_end = canvas.width - 2.0;
        let legend_left = self.legend(canvas, legend)?;
        canvas.layer("axis", title, Finish::Plain, |pen| {
            let heading = font::fitted(
                title,
                theme::PANEL_TITLE,
                true,
                legend_left - room.left - 12.0,
            );
            let at = (room.left, room.top - 0.5 * TITLE_ROOM + 2.0);
            pen.text(
                &heading,
                at,
                Anchor::Start,
                theme::PANEL_TITLE,
                true,
                theme::INK,
            )?;
            for tick in y_ticks {
                let at = (room.left - 8.0, self.py(tick.value));
                pen.text(
                    &tick.label,
                    at,
                    Anchor::End,
                    theme::LABEL,
                    false,
                    theme::QUIET,
                )?;
            }
            let Some(x_title) = x_title else {
                return Ok(());
            };
            let y = room.bottom + 0.5 * TICK_ROOM + 2.0;
            for tick in x_ticks {
                let half = 0.5 * font::width(&tick.label, theme::LABEL, false) + 2.0;
                let x = self
                    .px(tick.value)
                    .clamp(half, (right_end - half).max(half));
                pen.text(
                    &tick.label,
                    (x, y),
                    Anchor::Middle,
                    theme::LABEL,
                    false,
                    theme::QUIET,
                )?;
            }
            let below = font::fitted(x_title, theme::LABEL, false, room.width());
            let at = (
                0.5 * (room.left + room.right),
                room.bottom + TICK_ROOM + 0.5 * AXIS_TITLE_ROOM,
            );
            pen.text(
                &below,
                at,
                Anchor::Middle,
                theme::LABEL,
                false,
                theme::QUIET,
            )
        })
    }

    /// A line with gaps where it's undefined.
    pub fn line(&self, canvas: &mut Canvas, line: &Line<'_>) -> Result<(), ChartError> {
        let pieces = decimate::pieces(self.points(line.x, line.y));
        canvas.layer("series", line.name, line.finish, |pen| {
            pieces
                .iter()
                .try_for_each(|piece| pen.line(piece, line.color, line.weight))
        })
    }

    /// The region between a line and a level.
    pub fn area(
        &self,
        canvas: &mut Canvas,
        line: &Line<'_>,
        level: f64,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let base = self.py(level);
        let pieces = decimate::pieces(self.points(line.x, line.y));
        canvas.layer("area", line.name, Finish::Plain, |pen| {
            for piece in &pieces {
                let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
                    continue;
                };
                let mut outline = piece.clone();
                outline.extend([(last.0, base), (first.0, base)]);
                pen.polygon(&outline, line.color, opacity)?;
            }
            Ok(())
        })
    }

    /// A line's points in pixels; an infinite value sits on the edge, an undefined one stays so.
    pub fn points(&self, x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
        x.iter()
            .zip(y)
            .map(|(&x, &y)| {
                if x.is_nan() || y.is_nan() {
                    (f64::NAN, f64::NAN)
                } else {
                    (self.px(x), self.py(y))
                }
            })
            .collect()
    }

    /// A level across the panel, with a note just above it.
    ///
    /// The note stands where the fewest of the given lines' points are.
    pub fn level(
        &self,
        canvas: &mut Canvas,
        value: f64,
        note: &str,
        finish: Finish,
        around: &[Line<'_>],
    ) -> Result<(), ChartError> {
        let (room, y) = (self.room, self.py(value));
        canvas.layer("level", note, finish, |pen| {
            pen.line(
                &[(room.left, y), (room.right, y)],
                theme::QUIET,
                theme::THIN_LINE,
            )
        })?;
        let width = font::width(note, theme::LABEL, false) + 12.0;
        let last = ((room.width() - width) / width).max(0.0) as usize;
        let lefts: Vec<f64> = (0..=last).map(|i| room.left + i as f64 * width).collect();
        let crossed = |left: f64| {
            around
                .iter()
                .flat_map(|line| self.points(line.x, line.y))
                .filter(|&(px, py)| {
                    (left..left + width).contains(&px)
                        && (y - 1.6 * theme::LABEL..y + 3.0).contains(&py)
                })
                .count()
        };
        // The first of equals: the left end where nothing is in the way.
        let left = lefts
            .into_iter()
            .min_by_key(|&left| crossed(left))
            .unwrap_or(room.left);
        canvas.layer("note", note, Finish::Rimmed, |pen| {
            let at = (left + 6.0, y - 0.7 * theme::LABEL);
            pen.text(note, at, Anchor::Start, theme::LABEL, false, theme::QUIET)
        })
    }

    /// A row of swatches at the right end of the panel's title; gives its left end.
    fn legend(&self, canvas: &mut Canvas, entries: &[(&str, RGBColor)]) -> Result<f64, ChartError> {
        const SWATCH: f64 = 11.0;
        let y = self.room.top - 0.5 * TITLE_ROOM + 2.0;
        let mut right = self.room.right;
        if entries.is_empty() {
            return Ok(right);
        }
        canvas.layer("legend", "legend", Finish::Plain, |pen| {
            for (text, color) in entries.iter().rev() {
                let left = right - font::width(text, theme::LABEL, false);
                let at = (left, y);
                pen.text(text, at, Anchor::Start, theme::LABEL, false, theme::INK)?;
                let corner = (left - 6.0 - SWATCH, y - 0.5 * SWATCH);
                let opposite = (left - 6.0, y + 0.5 * SWATCH);
                pen.rectangle(corner, opposite, *color, 1.0)?;
                right = left - SWATCH - 24.0;
            }
            Ok(())
        })?;
        Ok(right)
    }

    /// A few words in the middle of the panel, for what isn't there.
    pub fn say(&self, canvas: &mut Canvas, words: &str) -> Result<(), ChartError> {
        let room = self.room;
        canvas.layer("note", words, Finish::Rimmed, |pen| {
            let at = (
                0.5 * (room.left + room.right),
                0.5 * (room.top + room.bottom),
            );
            pen.text(words, at, Anchor::Middle, theme::LABEL, false, theme::QUIET)
        })
    }

    /// Names of lines beside their ends, moved apart where they would touch.
    pub fn end_labels(&self, canvas: &mut Canvas, labels: &[EndLabel]) -> Result<(), ChartError> {
        let room = self.room;
        let mut order: Vec<usize> = (0..labels.len())
            .filter(|&i| !labels[i].value.is_nan())
            .collect();
        order.sort_by(|&a, &b| {
            self.py(labels[a].value)
                .total_cmp(&self.py(labels[b].value))
        });
        let wanted: Vec<f64> = order.iter().map(|&i| self.py(labels[i].value)).collect();
        let placed = spread(&wanted, LINE_HEIGHT, room.top, room.bottom);
        canvas.layer("labels", "line ends", Finish::Plain, |pen| {
            for ((&i, &from), &to) in order.iter().zip(&wanted).zip(&placed) {
                let label = &labels[i];
                if (from - to).abs() > 2.0 {
                    let leader = [(room.right + 2.0, from), (room.right + LEADER - 4.0, to)];
                    pen.line(&leader, label.color, theme::HAIRLINE)?;
                }
                let at = (room.right + LEADER - 2.0, to);
                pen.text(
                    &label.text,
                    at,
                    Anchor::Start,
                    theme::LABEL,
                    false,
                    label.color,
                )?;
            }
            Ok(())
        })
    }
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
