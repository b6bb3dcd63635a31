//! The sheet that a chart is drawn on: named layers of an SVG, in pixels.
//!
//! # Units
//! Pixels from the upper left corner. The drawing library rounds to whole units, so the sheet is
//! drawn [`FINE`] times larger and scaled back by its `viewBox`: lines then move in quarter pixels.
//!
//! # Invariants
//! Every layer is one `<g class="…" data-name="…">`: tests, style sheets and readers of the file
//! can find a series by its name. No `id` is written, so that many charts fit on one page.

use super::{ChartError, font, theme};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle, RGBColor, ShapeStyle};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Units of the drawing library to a pixel.
pub(super) const FINE: f64 = 4.0;

/// Which point of a text its position names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a layer differs from plain strokes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finish {
    Plain,
    /// Lines of so many pixels on and off.
    Dashed((f64, f64)),
    /// Texts with a rim of paper, for notes that cross lines.
    Rimmed,
}

/// A sheet of named layers.
pub(super) struct Canvas {
    pub width: f64,
    pub height: f64,
    /// What the horizontal axis of every panel is, where it is time: seconds since the start, and when that was.
    clock: Option<Option<i64>>,
    /// Names of the places on the horizontal axis, where it isn't a number.
    places: String,
    body: String,
}

/// Draws on one layer.
pub(super) struct Pen<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError::Drawing(error.to_string())
}

/// Text as XML wants it in attributes and content.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A finished document with another headline.
pub(super) fn retitled(svg: &str, title: &str) -> Option<String> {
    let layer = svg.find("<g class=\"title\"")?;
    let from = layer + svg[layer..].find("<text")?;
    let from = from + svg[from..].find('>')? + 1;
    let until = from + svg[from..].find("</text>")?;
    Some(format!(
        "{}\n{}\n{}",
        &svg[..from],
        escaped(title),
        &svg[until..]
    ))
}

impl Canvas {
    pub fn new(width: u32, height: u32) -> Result<Self, ChartError> {
        font::register()?;
        let mut canvas = Self {
            width: f64::from(width),
            height: f64::from(height),
            clock: None,
            places: String::new(),
            body: String::new(),
        };
        canvas.layer("background", "paper", Finish::Plain, |pen| {
            pen.rectangle(
                (0.0, 0.0),
                (f64::from(width), f64::from(height)),
                theme::BACKGROUND,
                1.0,
            )
        })?;
        Ok(canvas)
    }

    /// Adds a layer above the others.
    pub fn layer(
        &mut self,
        class: &str,
        name: &str,
        finish: Finish,
        draw: impl FnOnce(&Pen<'_>) -> Result<(), ChartError>,
    ) -> Result<(), ChartError> {
        let size = ((self.width * FINE) as u32, (self.height * FINE) as u32);
        let mut sheet = String::new();
        {
            let area = SVGBackend::with_string(&mut sheet, size).into_drawing_area();
            let pen = Pen { area };
            draw(&pen)?;
            pen.area.present().map_err(failed)?;
        }
        // A layer is the inside of the library's own <svg>.
        let start = sheet.find(">\n").map_or(0, |at| at + 2);
        let end = sheet.rfind("</svg>").unwrap_or(sheet.len());
        let attributes = match finish {
            Finish::Plain => String::new(),
            Finish::Dashed((on, off)) => {
                format!(" stroke-dasharray=\"{} {}\"", on * FINE, off * FINE)
            }
            Finish::Rimmed => format!(
                " stroke=\"#FFFFFF\" stroke-width=\"{}\" paint-order=\"stroke\"",
                3.5 * FINE
            ),
        };
        let _ = writeln!(
            self.body,
            "<g class=\"{class}\" data-name=\"{}\"{attributes}>",
            escaped(name)
        );
        self.body.push_str(&sheet[start..end]);
        self.body.push_str("</g>\n");
        Ok(())
    }

    /// Says that the horizontal axes are time since a start.
    pub const fn clock(&mut self, start: Option<i64>) {
        self.clock = Some(start);
    }

    /// An empty layer that tells where a panel is and which numbers its edges stand for, so that a reader of the drawing
    /// can turn a point back into numbers. The layers of a panel follow its own.
    pub fn frame(&mut self, name: &str, room: [f64; 4], x: &str, y: &str) {
        let [left, top, right, bottom] = room.map(fine);
        let _ = writeln!(
            self.body,
            "<g class=\"panel\" data-name=\"{}\" data-room=\"{left} {top} {right} {bottom}\" data-x=\"{x}\" data-y=\"{y}\"></g>",
            escaped(name),
        );
    }

    /// A layer of many filled rectangles (left, top, right, bottom), by colour: one outline a colour, for a drawing of thousands
    /// would be large otherwise.
    pub fn tiles(&mut self, class: &str, name: &str, tiles: &BTreeMap<[u8; 3], Vec<[f64; 4]>>) {
        let name = escaped(name);
        let _ = writeln!(self.body, "<g class=\"{class}\" data-name=\"{name}\">");
        for ([red, green, blue], corners) in tiles {
            let mut outline = String::new();
            for corners in corners {
                let [left, top, right, bottom] = corners.map(fine);
                let (width, height) = (right - left, bottom - top);
                let _ = write!(outline, "M{left} {top}h{width}v{height}h{}z", -width);
            }
            let _ = writeln!(
                self.body,
                "<path fill=\"#{red:02X}{green:02X}{blue:02X}\" d=\"{outline}\"/>"
            );
        }
        self.body.push_str("</g>\n");
    }

    /// An empty layer with what is said of single places on a sheet, for readers of the drawing.
    pub fn marks(&mut self, marks: impl IntoIterator<Item = ((f64, f64), String)>) {
        let (mut places, mut texts) = (String::new(), Vec::new());
        for (at, text) in marks {
            if at.0.is_finite() && at.1.is_finite() {
                let (x, y) = point(at);
                let _ = write!(places, "{x} {y} ");
                texts.push(text.replace('|', "/"));
            }
        }
        if !texts.is_empty() {
            let _ = writeln!(
                self.body,
                "<g class=\"marks\" data-places=\"{}\" data-texts=\"{}\"></g>",
                places.trim_end(),
                escaped(&texts.join("|")),
            );
        }
    }

    /// An empty layer with the numbers of a table of cells, for readers of the drawing.
    pub fn cells(&mut self, share: bool, x: &[String], y: &[String], values: &[f64]) {
        let numbers: Vec<String> = values.iter().map(f64::to_string).collect();
        let _ = writeln!(
            self.body,
            "<g class=\"values\" data-share=\"{share}\" data-x=\"{}\" data-y=\"{}\" data-values=\"{}\"></g>",
            escaped(&x.join("|")),
            escaped(&y.join("|")),
            numbers.join(" ").replace("NaN", "-"),
        );
    }

    /// Names the places 0, 1, 2 … of the horizontal axis.
    pub fn places(&mut self, names: &[String]) {
        self.places = names.join("|");
    }

    /// The finished document; the title is what a screen reader says.
    pub fn finish(self, title: &str) -> String {
        let clock = match self.clock {
            Some(Some(start)) => format!(" data-clock=\"{start}\""),
            Some(None) => " data-clock=\"elapsed\"".to_owned(),
            None if !self.places.is_empty() => {
                format!(" data-places=\"{}\"", escaped(&self.places))
            }
            None => String::new(),
        };
        format!(
            "<svg width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {fw} {fh}\" \
             xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\"{clock}>\n\
             <title>{title}</title>\n\
             <g stroke-linejoin=\"round\">\n{body}</g>\n</svg>\n",
            w = self.width,
            h = self.height,
            fw = self.width * FINE,
            fh = self.height * FINE,
            title = escaped(title),
            body = self.body,
        )
    }
}

fn fine(pixels: f64) -> i32 {
    // Saturates: nothing drawn lies further out than this.
    (pixels * FINE).round().clamp(-1e7, 1e7) as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

impl Pen<'_> {
    /// A line through the points; a single point becomes a dot.
    pub fn line(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        weight: f64,
    ) -> Result<(), ChartError> {
        if let [(x, y)] = *points {
            return self.dot((x, y), 1.5 * weight, color);
        }
        let style = ShapeStyle {
            color: color.to_rgba(),
            filled: false,
            stroke_width: (weight * FINE).round() as u32,
        };
        let points: Vec<_> = points.iter().copied().map(point).collect();
        self.area
            .draw(&PathElement::new(points, style))
            .map_err(failed)
    }

    /// A filled outline.
    pub fn polygon(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        self.area
            .draw(&Polygon::new(points, color.mix(opacity)))
            .map_err(failed)
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(
        &self,
        one: (f64, f64),
        other: (f64, f64),
        color: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let corners = [
            point((one.0.min(other.0), one.1.min(other.1))),
            point((one.0.max(other.0), one.1.max(other.1))),
        ];
        self.area
            .draw(&Rectangle::new(corners, color.mix(opacity).filled()))
            .map_err(failed)
    }

    /// A filled dot.
    pub fn dot(&self, at: (f64, f64), radius: f64, color: RGBColor) -> Result<(), ChartError> {
        let radius = (radius * FINE).round() as i32;
        self.area
            .draw(&Circle::new(point(at), radius, color.filled()))
            .map_err(failed)
    }

    /// A text whose vertical middle is at the position.
    pub fn text(
        &self,
        text: &str,
        at: (f64, f64),
        anchor: Anchor,
        em: f64,
        bold: bool,
        color: RGBColor,
    ) -> Result<(), ChartError> {
        // A heading shortened to nothing on a narrow sheet leaves no mark in the file either.
        if text.is_empty() {
            return Ok(());
        }
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = font::of_size(em * FINE, bold)
            .color(&color)
            .into_text_style(&self.area)
            .pos(Pos::new(h_pos, VPos::Center));
        // The library centres small letters; digits and capitals stand a little higher.
        let at = point((at.0, at.1 + 0.09 * em));
        self.area
            .draw(&Text::new(text.to_owned(), at, style))
            .map_err(failed)
    }
}
