//! Withdrawals: members take out part of the equity that their positions don't need.
//!
//! A member comes for its money at random, once in so long on average. It may take what exceeds the initial
//! requirement, as far as it is cash; one that stands below the initial requirement is refused. What is taken
//! out joins the reserve from which the member may top up later.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a cohort's members withdraw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalSettings {
    /// Share of the free equity that is taken out at a time.
    pub share: f64,
    /// Mean time between two withdrawals of a member; exponentially distributed.
    pub every: Span,
}

impl WithdrawalSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.share > 0.0 && self.share <= 1.0) {
            problems.push((
                "share".to_owned(),
                format!("must be greater than 0 and at most 1, found {}", self.share),
            ));
        }
        if self.every.as_seconds() <= 0.0 {
            problems.push((
                "every".to_owned(),
                format!("must be longer than 0, found {}", self.every),
            ));
        }
        problems
    }
}
