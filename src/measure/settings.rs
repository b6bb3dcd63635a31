//! The `[measure]` section of a scenario: how far calls and liquidations are followed.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How calls and liquidations are judged. Nothing of it changes what happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureSettings {
    /// How long an account is thought to be left alone when its liquidation is asked whether it was premature.
    #[serde(default = "an_hour")]
    pub horizon: Span,
    /// Time within which a called account must fall short for its call to have been right.
    #[serde(default = "an_hour")]
    pub call_horizon: Span,
    /// Time by which a call must precede a liquidation to have announced it.
    #[serde(default = "a_minute")]
    pub notice: Span,
}

fn an_hour() -> Span {
    Span::seconds(3_600.0)
}
fn a_minute() -> Span {
    Span::seconds(60.0)
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self {
            horizon: an_hour(),
            call_horizon: an_hour(),
            notice: a_minute(),
        }
    }
}

impl MeasureSettings {
    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        [
            ("horizon", self.horizon),
            ("call_horizon", self.call_horizon),
        ]
        .into_iter()
        .filter(|(_, span)| span.as_seconds() <= 0.0)
        .map(|(key, span)| {
            (
                key.to_owned(),
                format!("must be longer than 0, found {span}"),
            )
        })
        .collect()
    }
}
