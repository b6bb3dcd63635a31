//! What a run meant: every metric with its unit, its better direction and its formula.
//!
//! The [`catalogue`] is the one list of what is measured; the scenario's expectations, the summary
//! and the documentation all read it.

pub mod catalogue;
pub mod expect;
pub mod metric;
pub mod summary;

pub use catalogue::{DEFINITIONS, definition};
pub use expect::{Comparison, ExpectSettings, Outcome};
pub use metric::{Definition, Direction, Group, Metric, Scope, Unit};
pub use summary::Summary;
