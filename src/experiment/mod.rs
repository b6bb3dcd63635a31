//! Runs of scenarios: one run, alone or beside its twin; many, under several variants of one scenario; and many more, over
//! the values of its settings.

pub mod compare;
pub mod intervene;
pub mod run;
pub mod sweep;

use crate::math::estimate::Moments;
use rayon::prelude::*;

pub use compare::{Compared, Comparison, Judged, Variant, Verdict};
pub use intervene::{Agreement, Intervened, agreement, intervene};
pub use run::{Finished, LadderShot, Look, Run, RunError};
pub use sweep::{Plan, Sweep};

/// Does the same with each of some things, on all threads; what comes of it in their order.
pub fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    things.par_iter().map(work).collect()
}

/// Mean and variance of some values.
fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    for value in values {
        moments.see(*value);
    }
    moments
}
