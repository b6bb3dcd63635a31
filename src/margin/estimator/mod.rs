//! Estimators of how far a price may move: pure structs that are fed returns, one period at a time.
//!
//! They know nothing of markets, clocks or margin: a base feeds them at its own period, a backtest
//! feeds them a history.
//!
//! # Units
//!
//! Log returns of one period; horizons in periods; quantiles and shortfalls as positive losses.
//!
//! # Invariants
//!
//! - `no_model_ever_asks_a_negative_margin`: also of a history that only rises.
//! - `a_shortfall_is_never_below_its_quantile`.

pub mod ewma;
pub mod garch;
pub mod historical;
pub mod model;
pub mod window;

pub use ewma::Ewma;
pub use garch::Garch;
pub use historical::Historical;
pub use model::{EwmaModel, FhsModel, GarchModel, ModelSettings};

use crate::math::ops;
use dyn_clone::DynClone;

/// Whose loss is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// A long position's: the price falls.
    Long,
    /// A short position's: the price rises.
    Short,
    /// The larger of the two.
    Either,
}

/// A model of the returns ahead, from those it has seen.
pub trait Estimator: DynClone + Send {
    /// Sees the log return of one period.
    fn see(&mut self, ret: f64);

    /// Volatility of the coming period.
    fn sigma(&self) -> f64;

    /// The loss over `horizon` periods that isn't exceeded with probability `confidence`.
    fn quantile(&self, confidence: f64, horizon: f64, tail: Tail) -> f64;

    /// The mean loss over `horizon` periods of the cases beyond the quantile.
    fn shortfall(&self, confidence: f64, horizon: f64, tail: Tail) -> f64;

    /// The model's name.
    fn name(&self) -> &'static str;
}

dyn_clone::clone_trait_object!(Estimator);

/// Quantile of a normal loss with a standard deviation.
pub fn normal_quantile(confidence: f64, deviation: f64) -> f64 {
    (ops::normal_quantile(confidence) * deviation).max(0.0)
}

/// Expected shortfall of a normal loss: `φ(z) / (1 − c)` standard deviations.
pub fn normal_shortfall(confidence: f64, deviation: f64) -> f64 {
    let z = ops::normal_quantile(confidence);
    ops::exp(-0.5 * z * z) / (std::f64::consts::TAU.sqrt() * (1.0 - confidence)) * deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    fn all() -> Vec<Box<dyn Estimator>> {
        vec![
            Box::new(Ewma::new(0.94, 0.01)),
            Box::new(Garch::new(0.08, 0.9, 0.01, 500, Some(100))),
            Box::new(Historical::new(0.97, 0.01, 500, 3)),
        ]
    }

    #[test]
    fn normal_figures_agree_with_the_tables() {
        assert!((normal_quantile(0.99, 1.0) - 2.326_348).abs() < 1e-6);
        assert!((normal_quantile(0.995, 1.0) - 2.575_829).abs() < 1e-6);
        assert!((normal_quantile(0.975, 1.0) - 1.959_964).abs() < 1e-6);
        assert!((normal_shortfall(0.975, 1.0) - 2.337_803).abs() < 1e-6);
    }

    #[test]
    fn no_model_ever_asks_a_negative_margin() {
        for mut model in all() {
            for _ in 0..1_000 {
                model.see(0.01);
                for tail in [Tail::Long, Tail::Short, Tail::Either] {
                    assert!(model.quantile(0.99, 3.0, tail) >= 0.0, "{}", model.name());
                    assert!(model.shortfall(0.99, 3.0, tail) >= 0.0, "{}", model.name());
                }
            }
        }
    }

    #[test]
    fn a_shortfall_is_never_below_its_quantile() {
        let mut stream = Draws::new(3, 0).stream(Purpose::Custom, 0, 0);
        for mut model in all() {
            for _ in 0..2_000 {
                model.see(0.01 * stream.normal());
                for confidence in [0.9, 0.975, 0.99, 0.995] {
                    let quantile = model.quantile(confidence, 2.0, Tail::Either);
                    let shortfall = model.shortfall(confidence, 2.0, Tail::Either);
                    assert!(shortfall >= quantile * (1.0 - 1e-12), "{}", model.name());
                }
            }
        }
    }

    #[test]
    fn on_normal_returns_all_models_find_the_normal_quantile() {
        let mut stream = Draws::new(5, 0).stream(Purpose::Custom, 0, 0);
        let mut models: Vec<Box<dyn Estimator>> = vec![
            Box::new(Ewma::new(0.999, 0.02)),
            Box::new(Garch::new(0.05, 0.9, 0.02, 5_000, Some(5_000))),
            Box::new(Historical::new(0.999, 0.02, 5_000, 4)),
        ];
        for _ in 0..20_000 {
            let ret = 0.01 * stream.normal();
            models.iter_mut().for_each(|model| model.see(ret));
        }
        for model in models {
            let found = model.quantile(0.99, 4.0, Tail::Either) / 0.02;
            assert!((found - 2.326).abs() < 0.2, "{}: {found}", model.name());
        }
    }
}
