//! `deleverage chart`: one chart of a directory of results, drawn anew from its tables.

use super::run::CURRENCY;
use super::{Failure, print};
use crate::chart::{ChartError, Options};
use crate::output::exhibit::{Source, SourceError};
use crate::output::pictures::PictureError;
use crate::output::replace_file;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

/// What is typed after `chart`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory that a run, a comparison or a sweep was written to.
    dir: PathBuf,
    /// Which chart; the list of those that there are where left out. Of a sweep also any metric, or a condition on one
    /// (`endogenous_share>=0.5`).
    #[arg(long, value_name = "NAME", requires = "out")]
    kind: Option<String>,
    /// File to write: .svg or .png.
    #[arg(long, value_name = "FILE", requires = "kind")]
    out: Option<PathBuf>,
    /// Size in pixels.
    #[arg(long, value_name = "WxH", default_value = "1200x720")]
    size: Size,
    /// Headline, in place of the chart's own.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a size such as 1200x720, found {text}");
        let (width, height) = text.split_once(['x', '×']).ok_or_else(wrong)?;
        Ok(Self {
            width: width.trim().parse().map_err(|_| wrong())?,
            height: height.trim().parse().map_err(|_| wrong())?,
        })
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let message = error.to_string();
        match error {
            SourceError::Store(store) => store.into(),
            SourceError::Chart(error) | SourceError::Picture(PictureError::Chart(error))
                if !matches!(error, ChartError::Size { .. } | ChartError::NoRaster) =>
            {
                Self::Ours(message)
            }
            _ => Self::Input(message),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let source = Source::open(&arguments.dir, CURRENCY)?;
    let (Some(kind), Some(out)) = (&arguments.kind, &arguments.out) else {
        return list(&source);
    };
    let ending = out.extension().and_then(|ending| ending.to_str());
    let exhibit = source.exhibit(kind)?;
    let chart = exhibit.draw(&Options {
        width: arguments.size.width,
        height: arguments.size.height,
        title: arguments.title.clone(),
        subtitle: None,
    })?;
    let bytes = match ending {
        Some("svg") => chart.svg.into_bytes(),
        Some("png") => chart.png().map_err(SourceError::from)?,
        _ => {
            return Err(Failure::Input(format!(
                "{}: expected a file that ends with .svg or .png",
                out.display()
            )));
        }
    };
    write(out, &bytes)?;
    Ok(ExitCode::SUCCESS)
}

/// Names the charts that there are.
fn list(source: &Source) -> Result<ExitCode, Failure> {
    let mut exhibits = source.exhibits()?;
    exhibits.extend(source.kept()?);
    let mut text = String::new();
    let widest = exhibits.iter().map(|exhibit| exhibit.name.chars().count());
    let width = widest.max().unwrap_or_default();
    for exhibit in &exhibits {
        let _ = writeln!(text, "{:<width$}  {}", exhibit.name, exhibit.caption);
    }
    if exhibits.is_empty() {
        let _ = writeln!(text, "{} has no charts.", source.path().display());
    }
    print(&text)
}

/// Writes a file whole, or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace_file(path, |out| out.write_all(bytes))
        .map_err(|error| Failure::Outside(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let size = |width, height| Ok(Size { width, height });
        assert_eq!("800x600".parse(), size(800, 600));
        assert_eq!("800×600".parse(), size(800, 600));
        assert!("800".parse::<Size>().is_err());
        assert!("-1x3".parse::<Size>().is_err());
    }
}
