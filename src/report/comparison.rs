//! The page of a comparison.

use super::ReportError;
use super::page::Page;
use crate::output::exhibit::Source;

/// Puts it together.
pub(super) fn page(source: &Source) -> Result<Page, ReportError> {
    Err(ReportError::Other(source.path().to_owned()))
}
