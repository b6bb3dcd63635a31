//! What a run meant: every metric with its unit, its better direction and its formula.
//!
//! The [`catalogue`] is the one list of what is measured; the scenario's expectations, the summary
//! and the documentation all read it.

pub mod block;
pub mod calls;
pub mod catalogue;
pub mod correlation;
pub mod counterfactual;
pub mod coverage;
pub mod evaluate;
pub mod expect;
pub mod facts;
pub mod fall;
pub mod foreseen;
pub mod frame;
pub mod metric;
pub mod optioned;
pub mod parts;
pub mod procyclicality;
pub mod quality;
pub mod recorder;
pub mod safety;
pub mod settings;
pub mod shortfall;
pub mod summary;
pub mod tally;
pub mod traced;
pub mod track;
pub mod twin;

pub use catalogue::{DEFINITIONS, definition};
pub use evaluate::evaluate;
pub use expect::{Comparison, ExpectSettings, Outcome};
pub use foreseen::Foreseen;
pub use frame::{Frame, MarketFrame};
pub use metric::{Definition, Direction, Group, Metric, Scope, Unit};
pub use optioned::OptionTrack;
pub use parts::{Addition, PartChange, PartTally, Parts};
pub use quality::Quality;
pub use recorder::{Recorded, Recorder, Series, gap};
pub use settings::MeasureSettings;
pub use summary::Summary;
pub use traced::Traced;
pub use track::Track;
