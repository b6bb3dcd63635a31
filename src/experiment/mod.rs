//! Runs of scenarios: one run, alone or beside its twin; and many, under several variants of one scenario.

pub mod compare;
pub mod run;

pub use compare::{Compared, Comparison, Variant};
pub use run::{Finished, LadderShot, Run, RunError};
