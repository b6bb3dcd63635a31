//! Margin from a model of returns: value-at-risk or expected shortfall over the close-out.
//!
//! The maintenance rate is the figure at the confidence, between a floor and a cap; the initial rate a
//! multiple of it. The model sees a return, and the rates move, once per period.
//!
//! # Reference
//!
//! Value-at-risk margin is what clearing houses set (CPMI-IOSCO, Principles for financial market
//! infrastructures, 2012, principle 6: at least 99 % over the close-out); expected shortfall at
//! 97.5 %: Basel Committee, Minimum capital requirements for market risk (2019), MAR33.

use crate::margin::adjust::Watched;
use crate::margin::estimator::{Estimator, ModelSettings, Tail};
use crate::margin::rule::{Base, RiskView};
use crate::margin::schedule::Schedule;
use crate::math::ops;
use crate::unit::span::YEAR;
use crate::unit::{Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a margin from a model of returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatisticalSettings {
    /// Share of losses that the maintenance margin covers, e.g. `0.99`.
    pub confidence: f64,
    /// Close-out period that the loss is taken over, e.g. `"10m"`.
    pub horizon: Span,
    /// Time between the returns that the model sees, e.g. `"1m"`.
    pub period: Span,
    /// Volatility at which the model starts, annualised (365 days), e.g. `0.6`.
    pub volatility: f64,
    /// Initial over maintenance margin.
    #[serde(default = "default_initial")]
    pub initial: f64,
    /// Smallest maintenance rate.
    #[serde(default)]
    pub floor: f64,
    /// Largest maintenance rate.
    #[serde(default = "default_cap")]
    pub cap: f64,
    /// Which price is watched.
    #[serde(default)]
    pub of: Watched,
    /// The model of returns.
    pub model: ModelSettings,
}

const fn default_initial() -> f64 {
    2.0
}
const fn default_cap() -> f64 {
    1.0
}

/// What the maintenance rate is of the distribution of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The quantile.
    ValueAtRisk,
    /// The mean beyond the quantile.
    ExpectedShortfall,
}

impl StatisticalSettings {
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |ok: bool, key: &str, text: String| {
            if !ok {
                problems.push((key.to_owned(), text));
            }
        };
        check(
            (0.5..1.0).contains(&self.confidence),
            "confidence",
            format!(
                "must be at least 0.5 and below 1, found {}",
                self.confidence
            ),
        );
        for (key, span) in [("horizon", self.horizon), ("period", self.period)] {
            check(
                span > Span::ZERO && span < Span::NEVER,
                key,
                format!("must be longer than 0 and not forever, found {span}"),
            );
        }
        check(
            self.volatility.is_finite() && self.volatility > 0.0,
            "volatility",
            format!(
                "an annualised volatility must be greater than 0, found {}",
                self.volatility
            ),
        );
        check(
            self.initial.is_finite() && self.initial >= 1.0,
            "initial",
            format!("must be at least 1, found {}", self.initial),
        );
        check(
            (0.0..=1.0).contains(&self.floor),
            "floor",
            format!("must lie between 0 and 1, found {}", self.floor),
        );
        check(
            self.cap >= self.floor && self.cap <= 1.0 && self.cap > 0.0,
            "cap",
            format!(
                "must lie between floor ({}) and 1, found {}",
                self.floor, self.cap
            ),
        );
        if self.period > Span::ZERO && self.period < Span::NEVER {
            problems.extend(
                self.model
                    .problems(self.period)
                    .into_iter()
                    .map(|(key, text)| (format!("model.{key}"), text)),
            );
        }
        problems
    }

    pub(super) fn schedule(&self) -> Schedule {
        Schedule::flat(Rate::ONE, Rate::from_f64(self.cap))
    }
    pub(super) fn moving(&self, figure: Figure) -> Statistical {
        Statistical {
            settings: self.clone(),
            figure,
            started: None,
        }
    }
}

/// The base of one market.
#[derive(Clone)]
pub struct Statistical {
    settings: StatisticalSettings,
    figure: Figure,
    started: Option<Started>,
}

#[derive(Clone)]
struct Started {
    model: Box<dyn Estimator>,
    /// Steps of a period, and how many of them are left of this one.
    every: u32,
    left: u32,
    /// Close-out in periods.
    horizon: f64,
    /// The price at the end of the last period.
    last: f64,
}

impl Statistical {
    fn asked(&self, started: &Started) -> (Rate, Rate) {
        let settings = &self.settings;
        let (c, h) = (settings.confidence, started.horizon);
        let figure = match self.figure {
            Figure::ValueAtRisk => started.model.quantile(c, h, Tail::Either),
            Figure::ExpectedShortfall => started.model.shortfall(c, h, Tail::Either),
        };
        let maintenance = figure.clamp(settings.floor, settings.cap);
        let initial = (maintenance * settings.initial).min(1.0);
        (Rate::from_f64(initial), Rate::from_f64(maintenance))
    }
}

impl Base for Statistical {
    fn rates(&mut self, view: &RiskView, schedule: &mut Schedule) {
        let price = match self.settings.of {
            Watched::Mark => view.mark,
            Watched::Index => view.index,
        };
        let settings = &self.settings;
        match &mut self.started {
            None => {
                let every = ((settings.period.as_seconds() / view.dt).round() as u32).max(1);
                let period = f64::from(every) * view.dt;
                let horizon = settings.horizon.as_seconds() / period;
                let sigma = settings.volatility / YEAR.sqrt();
                self.started = Some(Started {
                    model: settings
                        .model
                        .build(settings.period, period, horizon, sigma),
                    every,
                    left: every,
                    horizon,
                    last: price,
                });
            }
            Some(started) => {
                started.left -= 1;
                if started.left > 0 {
                    return;
                }
                started.left = started.every;
                started.model.see(ops::ln(price / started.last));
                started.last = price;
            }
        }
        if let Some(started) = &self.started {
            let (initial, maintenance) = self.asked(started);
            schedule.set_flat(initial, maintenance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::estimator::{EwmaModel, FhsModel};

    fn settings() -> StatisticalSettings {
        StatisticalSettings {
            confidence: 0.99,
            horizon: Span::seconds(2.0 * 86_400.0),
            period: Span::seconds(86_400.0),
            volatility: 0.04 * 365f64.sqrt(),
            initial: 1.5,
            floor: 0.0,
            cap: 1.0,
            of: Watched::Index,
            model: ModelSettings::Ewma(EwmaModel { decay: 0.97 }),
        }
    }

    fn run(settings: &StatisticalSettings, figure: Figure, prices: &[f64], dt: f64) -> Vec<f64> {
        let mut base = settings.moving(figure);
        let mut schedule = settings.schedule();
        prices
            .iter()
            .map(|price| {
                let view = RiskView {
                    dt,
                    index: *price,
                    mark: *price,
                    ..RiskView::default()
                };
                base.rates(&view, &mut schedule);
                assert!(schedule.initial_level() >= schedule.level());
                schedule.level().as_f64()
            })
            .collect()
    }

    #[test]
    fn four_percent_a_day_over_two_days_asks_13_16_percent() {
        let asked = run(&settings(), Figure::ValueAtRisk, &[100.0], 86_400.0)[0];
        assert!((asked - 0.131_60).abs() < 1e-5, "{asked}");
        let mut es = settings();
        es.confidence = 0.975;
        let asked = run(&es, Figure::ExpectedShortfall, &[100.0], 86_400.0)[0];
        assert!((asked - 2.337_803 * 0.04 * 2f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn rates_move_once_per_period_and_stay_between_floor_and_cap() {
        let bounded = StatisticalSettings {
            period: Span::seconds(4.0),
            horizon: Span::seconds(4.0),
            volatility: 30.0,
            floor: 0.02,
            cap: 0.05,
            model: ModelSettings::Fhs(FhsModel {
                decay: 0.5,
                lookback: Span::seconds(400.0),
            }),
            ..settings()
        };
        assert!(bounded.problems().is_empty());
        let calm = vec![100.0; 60];
        let crash: Vec<f64> = (0..60)
            .map(|k| 100.0 * ops::pow(0.99, f64::from(k)))
            .collect();
        let levels = run(&bounded, Figure::ValueAtRisk, &[calm, crash].concat(), 1.0);
        let moved = levels.windows(2).enumerate().filter(|(_, w)| w[0] != w[1]);
        assert!(moved.clone().count() >= 2);
        assert!(moved.clone().all(|(k, _)| (k + 1) % 4 == 0));
        assert_eq!(levels[59], 0.02);
        assert_eq!(levels[119], 0.05);
    }

    #[test]
    fn problems_name_their_key() {
        let bad = StatisticalSettings {
            confidence: 1.0,
            floor: 0.3,
            cap: 0.2,
            model: ModelSettings::Ewma(EwmaModel { decay: 2.0 }),
            ..settings()
        };
        let keys: Vec<String> = bad.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["confidence", "cap", "model.ewma.decay"]);
    }
}
