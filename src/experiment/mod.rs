//! Runs of scenarios: one run, alone or beside its twin.

pub mod run;

pub use run::{Finished, LadderShot, Run, RunError};
