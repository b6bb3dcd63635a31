//! Charts of runs: plain numbers in, an SVG out, and a PNG of that SVG.
//!
//! One function a chart, one file a chart. The SVG is the master: vectors, selectable text, no
//! script, so that it can stand inside a page or a paper. The PNG is painted from the SVG, so both
//! look the same. Nothing here knows the simulator: a chart takes columns of numbers and strings.
//!
//! | chart | question it answers |
//! |---|---|
//! | [`price()`] | what did prices do, and when was who liquidated |
//! | [`reproduction()`] | would a small move have financed itself |
//! | [`ladder()`] | how far must the price fall until forced sells exceed the bids |
//! | [`waterfall()`] | who paid the losses |
//! | [`twin()`] | how much of the move was the market's own doing |
//! | [`coverage()`] | did a margin cover what came after it |
//! | [`curve()`] | how a number depends on a setting, and how much it scatters |
//! | [`frontier()`] | what variants cost, and what they buy |
//! | [`forest()`] | what a variant makes better and worse, and how sure that is |
//! | [`against()`] | does what came out lie where theory says |
//! | [`heat()`] | where in the plane of two settings a number is large, and where it crosses a level |
//! | [`family()`] | which liquidation brought about which, in the largest cascade |
//! | [`tail()`] | how often cascades are how large |
//! | [`calibration()`] | did liquidations multiply as foreseen |
//! | [`phase()`] | did price and liquidations feed each other |
//! | [`waiting()`] | where positions waited to be liquidated, and when the price came there |
//! | [`lines()`] | how several numbers depend on one: smiles by expiry, equity and requirement by the price's move |
//! | [`gamma()`] | at which prices hedgers sell into falls, and where the path has been |
//!
//! # Units
//! Times in seconds since the run's start, prices and notionals in the quote currency, distances
//! and rates as shares (0.01 is one per cent). An undefined value is NaN and leaves a gap.
//!
//! # Invariants
//! Every text lies on the sheet. A line has at most four points per pixel column. Empty, constant
//! and single-point series draw something sensible.

pub mod against;
pub mod calibration;
mod canvas;
mod clock;
pub mod coverage;
pub mod curve;
mod decimate;
pub mod family;
mod font;
pub mod forest;
pub mod frontier;
pub mod gamma;
pub mod heat;
pub mod ladder;
mod layout;
pub mod lines;
mod number;
mod panel;
pub mod phase;
pub mod price;
pub mod reproduction;
mod scale;
pub mod tail;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod twin;
pub mod waiting;
pub mod waterfall;

pub use against::{AgainstData, against};
pub use calibration::{CalibrationData, calibration};
pub use coverage::{CoverageData, LightData, coverage};
pub use curve::{CurveData, curve};
pub use family::{FamilyData, Member, family};
pub use font::font_face;
pub use forest::{EffectData, ForestData, Leaning, forest};
pub use frontier::{FrontierData, MeasureData, frontier};
pub use gamma::{GammaData, gamma};
pub use heat::{HeatData, LevelData, heat};
pub use ladder::{LadderData, LadderSide, ladder};
pub use lines::{LinesData, NamedLine, lines};
pub use number::compact;
pub use phase::{PhaseData, phase};
pub use price::{Liquidations, PriceData, price};
pub use reproduction::{Move, ReproductionData, reproduction};
pub use tail::{LawData, TailData, tail};
pub use twin::{TwinData, twin};
pub use waiting::{Look, WaitingData, waiting};
pub use waterfall::{WaterfallData, waterfall};

#[cfg(feature = "raster")]
use std::sync::LazyLock;

/// What a chart looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Width in pixels, at least 340.
    pub width: u32,
    /// Height in pixels, at least 300.
    pub height: u32,
    /// Headline; the chart's own words where absent.
    pub title: Option<String>,
    /// The grey line below the headline: market, scenario, seed.
    pub subtitle: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1200,
            height: 720,
            title: None,
            subtitle: None,
        }
    }
}

impl Options {
    const LEAST: (u32, u32) = (340, 300);
    const GREATEST: u32 = 10_000;

    fn sheet(&self) -> Result<canvas::Canvas, ChartError> {
        let (width, height) = (self.width, self.height);
        if width < Self::LEAST.0 || height < Self::LEAST.1 || width.max(height) > Self::GREATEST {
            return Err(ChartError::Size { width, height });
        }
        canvas::Canvas::new(width, height)
    }

    /// Whether the sheet is as narrow as a telephone's: labels are short then, and legends have lines of their own.
    pub fn is_narrow(&self) -> bool {
        layout::is_narrow(f64::from(self.width))
    }

    fn title_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.title.as_deref().unwrap_or(own)
    }
}

/// Why a chart could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// The sheet has no room for axes, or is absurdly large.
    #[error("a chart of {width} x {height} pixels: at least 340 x 300, at most 10000 a side")]
    Size {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// A column is longer or shorter than the one it belongs to.
    #[error("column `{column}` has {found} values where {expected} were expected")]
    Uneven {
        /// The column's name.
        column: &'static str,
        /// Length of the column that it belongs to.
        expected: usize,
        /// Its own length.
        found: usize,
    },
    /// The embedded fonts could not be read.
    #[error("the embedded fonts could not be read")]
    Font,
    /// The drawing library failed.
    #[error("drawing failed: {0}")]
    Drawing(String),
    /// The SVG could not be painted.
    #[error("painting failed: {0}")]
    Painting(String),
    /// This build has no painter.
    #[error("PNG needs the cargo feature `raster`")]
    NoRaster,
}

/// A finished chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The drawing; stands alone or inside a page.
    pub svg: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Chart {
    fn of(canvas: canvas::Canvas, options: &Options, title: &str) -> Self {
        Self {
            svg: canvas.finish(title),
            width: options.width,
            height: options.height,
        }
    }

    /// A drawing that was finished before, of the size and under the headline of the options: all else that is on it is larger or
    /// smaller.
    ///
    /// # Errors
    ///
    /// [`ChartError::Size`] as for any chart; [`ChartError::Painting`] where it is no drawing of this library.
    pub fn scaled(svg: String, options: &Options) -> Result<Self, ChartError> {
        options.sheet()?;
        let own = |name: &str| {
            let (_, rest) = svg.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let (Some(width), Some(height), true) =
            (own("width"), own("height"), svg.starts_with("<svg "))
        else {
            return Err(ChartError::Painting(
                "not a chart of this program".to_owned(),
            ));
        };
        let sized = svg
            .replacen(
                &format!(" width=\"{width}\""),
                &format!(" width=\"{}\"", options.width),
                1,
            )
            .replacen(
                &format!(" height=\"{height}\""),
                &format!(" height=\"{}\"", options.height),
                1,
            );
        let sized = match &options.title {
            Some(title) => canvas::retitled(&sized, title)
                .ok_or_else(|| ChartError::Painting("no headline to replace".to_owned()))?,
            None => sized,
        };
        Ok(Self {
            svg: sized,
            width: options.width,
            height: options.height,
        })
    }

    /// The drawing as a PNG of its own size.
    #[cfg(not(feature = "raster"))]
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        Err(ChartError::NoRaster)
    }

    /// The drawing as a PNG of its own size.
    #[cfg(feature = "raster")]
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        use resvg::{tiny_skia, usvg};
        let failed = |what: &str| ChartError::Painting(what.to_owned());
        let tree = usvg::Tree::from_str(&self.svg, &PAINTING)
            .map_err(|error| ChartError::Painting(error.to_string()))?;
        let mut paper = tiny_skia::Pixmap::new(self.width, self.height)
            .ok_or_else(|| failed("no memory for the picture"))?;
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut paper.as_mut());
        encoded(&paper).map_err(|error| ChartError::Painting(error.to_string()))
    }
}

/// How drawings are painted: with the fonts that come with the program, whatever the machine has.
#[cfg(feature = "raster")]
static PAINTING: LazyLock<resvg::usvg::Options<'static>> = LazyLock::new(|| {
    let mut options = resvg::usvg::Options {
        font_family: font::EMBEDDED_FAMILY.to_owned(),
        ..resvg::usvg::Options::default()
    };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(font::REGULAR.to_vec());
    fonts.load_font_data(font::BOLD.to_vec());
    fonts.set_sans_serif_family(font::EMBEDDED_FAMILY);
    options
});

/// A picture as PNG. Drawings have no transparency and large flat areas: rows as they are, in three colours and packed at a low
/// level, are as small as the usual filters and level make them, in a third of the time.
#[cfg(feature = "raster")]
fn encoded(paper: &resvg::tiny_skia::Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, paper.width(), paper.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(2));
    encoder.set_filter(png::Filter::NoFilter);
    let rows: Vec<u8> = (paper.pixels().iter())
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    encoder.write_header()?.write_image_data(&rows)?;
    Ok(bytes)
}

/// Refuses a column of another length.
fn same_length(column: &'static str, found: usize, expected: usize) -> Result<(), ChartError> {
    if found == expected {
        Ok(())
    } else {
        Err(ChartError::Uneven {
            column,
            expected,
            found,
        })
    }
}
