//! A rectangle with two axes, and what every panel needs: grid, ticks, lines, labels at line ends.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout::{self, AXIS_TITLE_ROOM, LEADER, TICK_ROOM, spread};
use super::scale::{Scale, Tick};
use super::{ChartError, decimate, font, theme};
use plotters::style::RGBColor;

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
        let corners = [room.left, room.top, room.right, room.bottom];
        canvas.frame(title, corners, &self.x.told(), &self.y.told());
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
        let canvas_width = canvas.width;
        let right_end = canvas_width - 2.0;
        let narrow = layout::is_narrow(canvas.width);
        let title_room = layout::title_room(canvas.width);
        let legend_left = self.legend(canvas, legend)?;
        // On a narrow sheet the legend has a line of its own, and so the title has all of its.
        let (heading_room, below_title) = if narrow {
            let room = canvas.width - theme::MARGIN - room.left;
            let lifted = if legend.is_empty() {
                13.0
            } else {
                title_room - 13.0
            };
            (room, lifted)
        } else {
            (legend_left - room.left - 12.0, 0.5 * title_room)
        };
        canvas.layer("axis", title, Finish::Plain, |pen| {
            let heading = font::fitted(title, theme::PANEL_TITLE, true, heading_room);
            let at = (room.left, room.top - below_title + 2.0);
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
            let widest = canvas_width - 2.0 * theme::MARGIN;
            let below = font::fitted(x_title, theme::LABEL, false, widest.max(room.width()));
            let half = 0.5 * font::width(&below, theme::LABEL, false) + theme::MARGIN;
            let middle = 0.5 * (room.left + room.right);
            let at = (
                middle.clamp(half, (canvas_width - half).max(half)),
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
        let fitted = font::fitted(note, theme::LABEL, false, room.width() - 8.0);
        let width = font::width(&fitted, theme::LABEL, false) + 12.0;
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
            pen.text(
                &fitted,
                at,
                Anchor::Start,
                theme::LABEL,
                false,
                theme::QUIET,
            )
        })
    }

    /// A row of swatches at the right end of the panel's title; gives its left end.
    fn legend(&self, canvas: &mut Canvas, entries: &[(&str, RGBColor)]) -> Result<f64, ChartError> {
        const SWATCH: f64 = 11.0;
        let narrow = layout::is_narrow(canvas.width);
        let y = self.room.top - 11.0;
        let mut right = self.room.right;
        if narrow {
            // From the left, where the title is above it, as far as it fits.
            let widths = entries
                .iter()
                .map(|(text, _)| font::width(text, theme::LABEL, false) + SWATCH + 24.0);
            let wanted = self.room.left + widths.sum::<f64>() - 18.0;
            right = wanted.min(canvas.width - theme::MARGIN);
        }
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
