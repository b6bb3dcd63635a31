//! How far losses go beyond a margin: Acerbi and Szekely's Z₂, and the pinball loss.
//!
//! # Units
//!
//! Losses, margins and shortfalls as shares of a notional; a loss is positive, a gain negative.
//!
//! # Reference
//!
//! Acerbi, C., Szekely, B. (2014), "Back-testing expected shortfall", Risk: test 2. Its critical
//! values at 2.5 % and T = 250 are −0.70 (5 %) and −1.8 (0.01 %), nearly the same for all but the heaviest tails.
//! Koenker, R., Bassett, G. (1978), "Regression quantiles", Econometrica 46(1): the pinball loss
//! is least in expectation where the margin is the quantile, so it ranks margins that pass every test.

use crate::math::{Stream, ops};

/// One window: the loss, the margin that was held against it, and the expected shortfall that was stated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// The loss.
    pub loss: f64,
    /// The margin: a quantile of the loss.
    pub margin: f64,
    /// The mean loss beyond the quantile, as it was stated.
    pub expected: f64,
}

/// Z₂ = 1 − Σ loss · breach / (T α ES): 0 in expectation where quantile and shortfall are right,
/// negative where losses beyond the margin are too many or too large. `None` of no windows.
pub fn z2(exposures: impl IntoIterator<Item = Exposure>, alpha: f64) -> Option<f64> {
    let mut n = 0.0;
    let mut sum = 0.0;
    for Exposure {
        loss,
        margin,
        expected,
    } in exposures
    {
        n += 1.0;
        if loss > margin {
            sum += loss / expected;
        }
    }
    (n > 0.0).then(|| 1.0 - sum / (n * alpha))
}

/// Draws of Z₂ where the model is right: T windows, tail probability α; `excess` gives loss over
/// expected shortfall for a uniform number in (0, α), the tail's probability.
///
/// Only breaches are drawn: the waits between them are geometric.
pub fn z2_draws(
    windows: u64,
    alpha: f64,
    trials: usize,
    stream: &mut Stream,
    excess: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let never = ops::ln(1.0 - alpha);
    let n = windows as f64;
    let mut draws: Vec<f64> = (0..trials)
        .map(|_| {
            let mut at = 0.0;
            let mut sum = 0.0;
            loop {
                // −exponential / ln(1 − α), rounded up, is geometric from 1.
                at += (-stream.exponential() / never).ceil().max(1.0);
                if at > n {
                    return 1.0 - sum / (n * alpha);
                }
                sum += excess(alpha * stream.uniform());
            }
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    draws
}

/// Loss over expected shortfall at a probability of the tail, for normal losses.
pub fn normal_excess(alpha: f64) -> impl Fn(f64) -> f64 {
    let expected = normal_shortfall(alpha);
    move |u| -ops::normal_quantile(u) / expected
}

/// Expected shortfall of a standard normal loss: φ(z)/α.
pub fn normal_shortfall(alpha: f64) -> f64 {
    let z = ops::normal_quantile(alpha);
    ops::exp(-0.5 * z * z) / ((2.0 * std::f64::consts::PI).sqrt() * alpha)
}

/// Share of ordered draws at or below a value.
pub fn share_below(draws: &[f64], value: f64) -> f64 {
    draws.partition_point(|draw| *draw <= value) as f64 / draws.len().max(1) as f64
}

/// (1{l > m} − (1 − c)) (l − m): c times what is missing, or 1 − c times what lies idle.
pub fn pinball(loss: f64, margin: f64, confidence: f64) -> f64 {
    let over = loss - margin;
    if over > 0.0 {
        confidence * over
    } else {
        (confidence - 1.0) * over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};
    use statrs::distribution::{ContinuousCDF, StudentsT};

    const ALPHA: f64 = 0.025;

    fn stream(entity: u32) -> Stream {
        Draws::new(5, 0).stream(Purpose::Bootstrap, entity, 0)
    }

    /// Critical values, by simulation, at 2.5 % and T = 250.
    fn critical(excess: impl Fn(f64) -> f64, trials: usize, shares: &[f64]) -> Vec<f64> {
        let draws = z2_draws(250, ALPHA, trials, &mut stream(0), excess);
        shares
            .iter()
            .map(|share| draws[(share * trials as f64) as usize])
            .collect()
    }

    #[test]
    fn normal_criticals_are_those_of_the_table() {
        let found = critical(normal_excess(ALPHA), 400_000, &[0.05, 0.0001]);
        assert!((found[0] + 0.701).abs() < 0.012, "{found:?}");
        assert!((found[1] + 1.787).abs() < 0.09, "{found:?}");
    }

    #[test]
    fn criticals_of_student_tails_are_those_of_the_table() {
        for (freedom, quantile, shortfall, expected) in [
            (3.0, 3.182446, 5.039583, -0.812),
            (10.0, 2.228139, 2.818998, -0.711),
        ] {
            let student = StudentsT::new(0.0, 1.0, freedom).unwrap();
            // A table of 4,096 quantiles: inverting anew for every draw would take a minute.
            let cells = 4_096;
            let table: Vec<f64> = (0..cells)
                .map(|k| -student.inverse_cdf(ALPHA * (f64::from(k) + 0.5) / f64::from(cells)))
                .collect();
            assert!((-student.inverse_cdf(ALPHA) - quantile).abs() < 1e-6);
            let excess = |u: f64| {
                let cell = (u / ALPHA * f64::from(cells)) as usize;
                table[cell.min(table.len() - 1)] / shortfall
            };
            let found = critical(excess, 100_000, &[0.05]);
            assert!(
                (found[0] - expected).abs() < 0.02,
                "t{freedom}: {found:?} for {expected}"
            );
        }
    }

    #[test]
    fn z2_is_zero_where_the_shortfall_is_as_stated() {
        assert!((normal_shortfall(ALPHA) - 2.337803).abs() < 1e-6);
        let window = |loss| Exposure {
            loss,
            margin: 2.0,
            expected: 2.5,
        };
        // Four windows at α = ¼: one breach of exactly the expected shortfall.
        let right = [2.5, 0.1, -3.0, 2.0].map(window);
        assert_eq!(z2(right, 0.25), Some(0.0));
        let doubled = [2.5, 2.5, -3.0, 2.0].map(window);
        assert_eq!(z2(doubled, 0.25), Some(-1.0));
        assert_eq!(z2([], 0.25), None);
    }

    #[test]
    fn the_tail_probability_counts_draws_at_or_below() {
        assert_eq!(share_below(&[-2.0, -1.0, 0.0, 1.0], -1.0), 0.5);
        assert_eq!(share_below(&[], 0.0), 0.0);
    }

    #[test]
    fn the_pinball_loss_is_least_at_the_quantile() {
        let losses: Vec<f64> = (0..1_000).map(|k| f64::from(k) / 1_000.0).collect();
        let mean = |margin: f64| losses.iter().map(|l| pinball(*l, margin, 0.9)).sum::<f64>();
        let best = mean(0.9);
        assert!(best < mean(0.88) && best < mean(0.92));
        assert!((pinball(3.0, 1.0, 0.99) - 1.98).abs() < 1e-12);
        assert!((pinball(0.0, 1.0, 0.99) - 0.01).abs() < 1e-12);
    }
}
