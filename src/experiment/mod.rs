//! Runs of scenarios: one run, alone or beside its twin; many, under several variants of one scenario; and many more, over
//! the values of its settings.

pub mod compare;
pub mod intervene;
pub mod run;
pub mod sweep;

pub use compare::{Compared, Comparison, Variant};
pub use intervene::{Agreement, Intervened, agreement, intervene};
pub use run::{Finished, LadderShot, Run, RunError};
pub use sweep::{Plan, Sweep};
