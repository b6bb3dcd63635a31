//! Which estimator a rule uses, as it stands in a scenario or a rule file.

use super::{Estimator, Ewma, Garch, Historical};
use crate::math::ops;
use crate::unit::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model of returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelSettings {
    /// Exponentially weighted variance, normal tails.
    Ewma(EwmaModel),
    /// GARCH(1,1), fitted by quasi-maximum likelihood, normal tails.
    Garch(GarchModel),
    /// Filtered historical simulation.
    Fhs(FhsModel),
}

/// Settings of the exponentially weighted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EwmaModel {
    /// Share of the variance that a period leaves, e.g. `0.97`.
    pub decay: f64,
}

/// Settings of the GARCH model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GarchModel {
    /// Weight of the last squared return before the first fit.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// Weight of the last variance before the first fit.
    #[serde(default = "default_beta")]
    pub beta: f64,
    /// How far back the fit looks.
    pub lookback: Span,
    /// Time between fits; `"never"` keeps alpha and beta.
    pub refit: Span,
}

/// Settings of filtered historical simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FhsModel {
    /// Share of the variance that a period leaves in the filter; 1 is plain historical simulation.
    pub decay: f64,
    /// How far back returns are drawn from.
    pub lookback: Span,
}

const fn default_alpha() -> f64 {
    0.05
}
const fn default_beta() -> f64 {
    0.94
}

/// Most returns that a model remembers.
const MOST: f64 = 1_000_000.0;

impl ModelSettings {
    /// What is wrong with the settings, given the period of returns: (key within the model, sentence).
    pub fn problems(&self, period: Span) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: &str, text: String| {
            if !ok {
                problems.push((key.to_owned(), text));
            }
        };
        let periods = |span: Span| span.as_seconds() / period.as_seconds();
        let length =
            |span: Span| format!("must be from 100 to 1,000,000 periods of {period}, found {span}");
        let fits = |span: Span| (100.0..=MOST).contains(&periods(span));
        match self {
            Self::Ewma(ewma) => check(
                ewma.decay > 0.0 && ewma.decay < 1.0,
                "ewma.decay",
                format!("must lie between 0 and 1, found {}", ewma.decay),
            ),
            Self::Garch(garch) => {
                check(
                    garch.alpha >= 0.0 && garch.beta >= 0.0 && garch.alpha + garch.beta < 1.0,
                    "garch.alpha",
                    format!(
                        "alpha and beta must not be negative and their sum must be below 1, found {} and {}",
                        garch.alpha, garch.beta
                    ),
                );
                check(
                    fits(garch.lookback),
                    "garch.lookback",
                    length(garch.lookback),
                );
                check(
                    periods(garch.refit) >= 1.0,
                    "garch.refit",
                    format!(
                        "must not be shorter than the period ({period}), found {}",
                        garch.refit
                    ),
                );
            }
            Self::Fhs(fhs) => {
                check(
                    fhs.decay > 0.0 && fhs.decay <= 1.0,
                    "fhs.decay",
                    format!("must be greater than 0 and at most 1, found {}", fhs.decay),
                );
                check(fits(fhs.lookback), "fhs.lookback", length(fhs.lookback));
            }
        }
        problems
    }

    /// The estimator, for returns of `period` seconds, a horizon of so many periods, and a volatility per
    /// √second to start from. Decays are those of a `nominal` period.
    pub fn build(
        &self,
        nominal: Span,
        period: f64,
        horizon: f64,
        sigma: f64,
    ) -> Box<dyn Estimator> {
        let kept = |decay: f64| {
            let periods = period / nominal.as_seconds();
            if periods == 1.0 {
                decay
            } else {
                ops::pow(decay, periods)
            }
        };
        let count = |span: Span| (span.as_seconds() / period).clamp(1.0, MOST).round() as usize;
        let sigma = sigma * period.sqrt();
        match self {
            Self::Ewma(ewma) => Box::new(Ewma::new(kept(ewma.decay), sigma)),
            Self::Garch(garch) => {
                let refit = (garch.refit != Span::NEVER).then(|| count(garch.refit));
                Box::new(Garch::new(
                    garch.alpha,
                    garch.beta,
                    sigma,
                    count(garch.lookback),
                    refit,
                ))
            }
            Self::Fhs(fhs) => Box::new(Historical::new(
                kept(fhs.decay),
                sigma,
                count(fhs.lookback),
                horizon.round().clamp(1.0, MOST) as usize,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_key() {
        let keys = |text: &str| -> Vec<String> {
            let model: ModelSettings = toml::from_str(text).unwrap();
            model
                .problems(Span::seconds(60.0))
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        };
        assert_eq!(keys("ewma = { decay = 1.0 }"), ["ewma.decay"]);
        assert_eq!(
            keys("garch = { alpha = 0.5, beta = 0.5, lookback = \"1h\", refit = \"1s\" }"),
            ["garch.alpha", "garch.lookback", "garch.refit"]
        );
        assert!(keys("fhs = { decay = 1.0, lookback = \"1d\" }").is_empty());
    }

    #[test]
    fn a_built_model_has_the_volatility_it_was_given() {
        let model = ModelSettings::Ewma(EwmaModel { decay: 0.97 });
        let sigma = model.build(Span::seconds(60.0), 60.0, 10.0, 0.001).sigma();
        assert!((sigma - 0.001 * 60f64.sqrt()).abs() < 1e-15);
        // Ten minutes at once leave what ten single minutes leave.
        let mut slow = model.build(Span::seconds(60.0), 600.0, 1.0, 0.001);
        slow.see(0.0);
        let left = slow.sigma() / (0.001 * 600f64.sqrt());
        assert!((left * left - ops::pow(0.97, 10.0)).abs() < 1e-12);
    }
}
