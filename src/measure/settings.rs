//! The `[measure]` section of a scenario: how far calls and liquidations are followed.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How calls and liquidations are judged. Nothing of it changes what happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureSettings {
    /// How long an account is thought to be left alone when its liquidation is asked whether it was premature; a
    /// quarter of the run, at most a day, where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Span>,
    /// Time within which a called account must fall short for its call to have been right; a quarter of the run, at
    /// most an hour, where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_horizon: Option<Span>,
    /// Time by which a call must precede a liquidation to have announced it.
    #[serde(default = "a_minute")]
    pub notice: Span,
    /// Whether the run keeps what moved its prices, so that every liquidation's causes can be told.
    #[serde(default = "yes")]
    pub genealogy: bool,
}

const fn yes() -> bool {
    true
}

fn a_minute() -> Span {
    Span::seconds(60.0)
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self {
            horizon: None,
            call_horizon: None,
            notice: a_minute(),
            genealogy: true,
        }
    }
}

impl MeasureSettings {
    /// The horizon of liquidations in a run of so many steps of `dt` seconds, in steps.
    pub fn horizon(&self, steps: u32, dt: f64) -> u32 {
        within(self.horizon, 86_400.0, steps, dt)
    }
    /// The horizon of calls.
    pub fn call_horizon(&self, steps: u32, dt: f64) -> u32 {
        within(self.call_horizon, 3_600.0, steps, dt)
    }

    /// What is wrong with the settings: (key within the section, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        [
            ("horizon", self.horizon),
            ("call_horizon", self.call_horizon),
        ]
        .into_iter()
        .filter_map(|(key, span)| Some((key, span?)))
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

fn within(asked: Option<Span>, most: f64, steps: u32, dt: f64) -> u32 {
    let most = Span::seconds(most).steps(dt);
    asked.map_or((steps / 4).min(most), |span| span.steps(dt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_left_out_is_a_quarter_of_the_run_within_bounds() {
        let mut settings = MeasureSettings::default();
        assert_eq!(settings.horizon(7_200, 1.0), 1_800);
        assert_eq!(settings.horizon(1_000_000, 1.0), 86_400);
        assert_eq!(settings.call_horizon(1_000_000, 60.0), 60);
        settings.horizon = Some(Span::seconds(90.0));
        assert_eq!(settings.horizon(100, 60.0), 2);
        assert!(settings.problems().is_empty());
        settings.call_horizon = Some(Span::ZERO);
        assert_eq!(settings.problems()[0].0, "call_horizon");
    }
}
