//! A reference price that never moves: what is left is the market's own doing, and the shocks.

use super::{Frame, PricePath};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `constant = {}`: the price stays at its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl PricePath for Constant {
    fn fill(&self, frame: &Frame<'_>, out: &mut [f64]) {
        out.fill(frame.start);
    }
}
