//! What a trader does when warned or called: nothing, top up, reduce, close; and stop-losses.
//!
//! Whether and when a member answers is drawn once per warning or call, keyed by the account and
//! the step, so that two margin rules that call in the same step get the same answer.

use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cohort's answer to stress.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ResponseSettings {
    /// Does nothing.
    Ignore {},
    /// Pays in what restores a target margin ratio, as far as the reserve goes.
    TopUp {
        /// Share of members who answer.
        probability: f64,
        /// Mean time until the money arrives; exponentially distributed.
        delay: Span,
        /// Money held outside the venue, as a multiple of the collateral at the start.
        reserve: f64,
        /// Margin ratio (maintenance over equity) that is restored.
        #[serde(default = "half")]
        target: f64,
        /// What is answered.
        #[serde(default)]
        on: Signal,
    },
    /// Closes as much of the position as restores a target margin ratio.
    Reduce {
        /// Share of members who answer.
        probability: f64,
        /// Mean time until the order is sent; exponentially distributed.
        delay: Span,
        /// Margin ratio that is restored.
        #[serde(default = "half")]
        target: f64,
        /// What is answered.
        #[serde(default)]
        on: Signal,
    },
    /// Moves margin from the cross account of the same owner to an isolated position: what restores a target margin ratio, as far
    /// as it is free there beyond initial margin. For owners of a positions file who have both.
    MoveMargin {
        /// Share of owners who answer.
        probability: f64,
        /// Mean time until the money is moved; exponentially distributed.
        delay: Span,
        /// Margin ratio that is restored.
        #[serde(default = "half")]
        target: f64,
        /// What is answered.
        #[serde(default)]
        on: Signal,
    },
    /// Closes the whole position.
    Close {
        /// Share of members who answer.
        probability: f64,
        /// Mean time until the order is sent; exponentially distributed.
        delay: Span,
        /// What is answered.
        #[serde(default)]
        on: Signal,
    },
    /// Closes at market once the mark has moved against the entry price by a share of it.
    StopLoss {
        /// Share of members who have placed a stop.
        probability: f64,
        /// Adverse move from the entry price, e.g. `0.05`.
        distance: f64,
    },
}

/// Which signal a trader answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A warning.
    Warning,
    /// A margin call.
    #[default]
    Call,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self::Ignore {}
    }
}

const fn half() -> f64 {
    0.5
}

impl ResponseSettings {
    /// What is wrong with the settings: (key within the response, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: &str, text: String| {
            if !ok {
                problems.push((key.to_owned(), text));
            }
        };
        let share = |number: f64| number.is_finite() && (0.0..=1.0).contains(&number);
        let between = |number: f64| format!("must lie between 0 and 1, found {number}");
        match *self {
            Self::Ignore {} => {}
            Self::TopUp {
                probability,
                reserve,
                target,
                ..
            } => {
                check(
                    share(probability),
                    "top_up.probability",
                    between(probability),
                );
                check(
                    share(target) && target > 0.0,
                    "top_up.target",
                    format!("must be greater than 0 and at most 1, found {target}"),
                );
                check(
                    reserve.is_finite() && reserve >= 0.0,
                    "top_up.reserve",
                    format!("must not be negative, found {reserve}"),
                );
            }
            Self::Reduce {
                probability,
                target,
                ..
            } => {
                check(
                    share(probability),
                    "reduce.probability",
                    between(probability),
                );
                check(
                    share(target) && target > 0.0,
                    "reduce.target",
                    format!("must be greater than 0 and at most 1, found {target}"),
                );
            }
            Self::MoveMargin {
                probability,
                target,
                ..
            } => {
                check(
                    share(probability),
                    "move_margin.probability",
                    between(probability),
                );
                check(
                    share(target) && target > 0.0,
                    "move_margin.target",
                    format!("must be greater than 0 and at most 1, found {target}"),
                );
            }
            Self::Close { probability, .. } => {
                check(
                    share(probability),
                    "close.probability",
                    between(probability),
                );
            }
            Self::StopLoss {
                probability,
                distance,
            } => {
                check(
                    share(probability),
                    "stop_loss.probability",
                    between(probability),
                );
                check(
                    distance.is_finite() && distance > 0.0,
                    "stop_loss.distance",
                    format!("must be greater than 0, found {distance}"),
                );
            }
        }
        problems
    }
}
