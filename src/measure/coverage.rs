//! Does a margin cover as often as it promises: tests on the sequence of its breaches.
//!
//! A margin set at confidence c promises that the loss exceeds it with probability p = 1 − c, and
//! that breaches tell nothing of one another. The tests take the breaches as they came, one for each of T
//! windows that do not overlap: with overlapping windows one loss counts several times, and every
//! test here rejects what is right.
//!
//! # Units
//!
//! Probabilities as shares. A [`Test`] has its statistic and the probability of one at least as
//! large under the promise.
//!
//! # Invariants
//!
//! - `an_empty_cell_is_one`: 0⁰ = 1 in every likelihood, so no count makes a statistic undefined.
//! - `a_constant_margin_adds_no_degree`: the dynamic quantile test counts independent regressors only.
//!
//! # Reference
//!
//! Kupiec, P. (1995), "Techniques for verifying the accuracy of risk measurement models", J.
//! Derivatives 3(2). Christoffersen, P. (1998), "Evaluating interval forecasts", International
//! Economic Review 39(4); as there, unconditional coverage uses all T points and independence the T − 1 transitions,
//! so that their sum mixes the two samples. Haas, M. (2001), "New methods in backtesting", caesar: mixed Kupiec.
//! Engle, R., Manganelli, S. (2004), "CAViaR", J. Business & Economic Statistics 22(4).
//! Basel Committee (1996), "Supervisory framework for the use of backtesting": zones by the
//! cumulative probability of the count, 95 % and 99.99 %.
//!
//! Tails of χ² and the binomial distribution come from `statrs`; they decide no simulated event.

use crate::math::ops;
use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

/// A statistic that is χ²-distributed where the promise holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Its value.
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees: u32,
    /// Probability of a value at least as large.
    pub p_value: f64,
}

impl Test {
    /// The test of a statistic with so many degrees of freedom; without any, nothing is rejected.
    pub fn chi_squared(statistic: f64, degrees: u32) -> Self {
        let statistic = statistic.max(0.0);
        let p_value = ChiSquared::new(f64::from(degrees))
            .map_or(1.0, |distribution| distribution.sf(statistic));
        Self {
            statistic,
            degrees,
            p_value,
        }
    }
    /// Whether the promise is rejected at a size, say 0.05.
    pub fn rejects(&self, size: f64) -> bool {
        self.p_value < size
    }
}

/// k · ln q with 0 · ln 0 = 0, that is 0⁰ = 1.
fn times_ln(k: f64, q: f64) -> f64 {
    if k == 0.0 { 0.0 } else { k * ops::ln(q) }
}

/// ln of the likelihood of `hits` out of `n` at probability q.
fn likelihood(hits: f64, n: f64, q: f64) -> f64 {
    times_ln(n - hits, 1.0 - q) + times_ln(hits, q)
}

/// Proportion of failures: are `breaches` out of `n` as many as probability p makes them?
/// Nothing is known of no windows.
pub fn kupiec(breaches: u64, n: u64, p: f64) -> Option<Test> {
    if n == 0 {
        return None;
    }
    let (x, n) = (breaches as f64, n as f64);
    let ratio = 2.0 * (likelihood(x, n, x / n) - likelihood(x, n, p));
    Some(Test::chi_squared(ratio, 1))
}

/// Christoffersen's tests, and the transitions that they count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Christoffersen {
    /// How often a breach (second index 1) or none followed on a breach (first index 1) or none.
    pub transitions: [[u64; 2]; 2],
    /// Is a breach as likely after a breach as after none?
    pub independence: Test,
    /// Both at once: as many as promised, and independent.
    pub conditional: Test,
}

/// Independence and conditional coverage of a sequence of breaches; `None` of fewer than two windows.
pub fn christoffersen(breaches: &[bool], p: f64) -> Option<Christoffersen> {
    if breaches.len() < 2 {
        return None;
    }
    let mut transitions = [[0; 2]; 2];
    for pair in breaches.windows(2) {
        transitions[usize::from(pair[0])][usize::from(pair[1])] += 1;
    }
    let own = |row: [u64; 2]| {
        let (hits, n) = (row[1] as f64, (row[0] + row[1]) as f64);
        if n == 0.0 {
            0.0
        } else {
            likelihood(hits, n, hits / n)
        }
    };
    let [after_none, after_breach] = transitions;
    let together = [
        after_none[0] + after_breach[0],
        after_none[1] + after_breach[1],
    ];
    let ratio = 2.0 * (own(after_none) + own(after_breach) - own(together));
    let count = breaches.iter().filter(|breach| **breach).count() as u64;
    let coverage = kupiec(count, breaches.len() as u64, p)?;
    let independence = Test::chi_squared(ratio, 1);
    Some(Christoffersen {
        transitions,
        independence,
        conditional: Test::chi_squared(coverage.statistic + independence.statistic, 2),
    })
}

/// Time between failures: is every wait for the next breach geometric with mean 1/p?
///
/// The statistic is the sum over waits, the first one counted from the beginning, of the
/// likelihood ratio of Kupiec's time until first failure; `None` where there is no breach.
pub fn time_between_failures(breaches: &[bool], p: f64) -> Option<Test> {
    let mut wait = 0.0;
    let mut waits = 0;
    let mut ratio = 0.0;
    for breach in breaches {
        wait += 1.0;
        if *breach {
            ratio += 2.0 * (likelihood(1.0, wait, 1.0 / wait) - likelihood(1.0, wait, p));
            waits += 1;
            wait = 0.0;
        }
    }
    (waits > 0).then(|| Test::chi_squared(ratio, waits))
}

/// How many lagged breaches the dynamic quantile test looks at.
pub const LAGS: usize = 4;

/// Dynamic quantile test: can breaches be foretold by the last [`LAGS`] breaches or by the margin
/// itself?
///
/// With H = breach − p regressed on a constant, its own lags and the margin,
/// DQ = H′P H / (p (1 − p)), where P projects on the regressors; regressors that depend on others are
/// left out of the degrees of freedom. `None` of fewer than twenty windows after the lags.
pub fn dynamic_quantile(breaches: &[bool], margins: &[f64], p: f64) -> Option<Test> {
    let rows = breaches.len().min(margins.len()).checked_sub(LAGS)?;
    if rows < 20 {
        return None;
    }
    let hit = |at: usize| f64::from(u8::from(breaches[at])) - p;
    let explained: Vec<f64> = (LAGS..LAGS + rows).map(hit).collect();
    let regressors = std::iter::once(vec![1.0; rows])
        .chain((1..=LAGS).map(|lag| (LAGS..LAGS + rows).map(|at| hit(at - lag)).collect()))
        .chain(std::iter::once(margins[LAGS..LAGS + rows].to_vec()));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // Gram and Schmidt: the projection's length is the sum over an orthonormal basis.
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for mut column in regressors {
        let length = dot(&column, &column);
        // Twice, because once loses digits where a column nearly depends on the others.
        for _ in 0..2 {
            for direction in &basis {
                let share = dot(&column, direction);
                for (value, along) in column.iter_mut().zip(direction) {
                    *value -= share * along;
                }
            }
        }
        let left = dot(&column, &column);
        if left > 1e-10 * length {
            let norm = left.sqrt();
            column.iter_mut().for_each(|value| *value /= norm);
            basis.push(column);
        }
    }
    let length: f64 = basis
        .iter()
        .map(|direction| dot(direction, &explained))
        .map(|share| share * share)
        .sum();
    Some(Test::chi_squared(
        length / (p * (1.0 - p)),
        basis.len() as u32,
    ))
}

/// A zone of the traffic light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// A right margin breaches as often in at least one sample in twenty.
    Green,
    /// Doubtful.
    Yellow,
    /// A right margin breaches as often in less than one sample in ten thousand.
    Red,
}

impl Zone {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// Windows of the traffic light: a year of trading days in the supervisor's table.
pub const LIGHT_WINDOWS: usize = 250;

/// The zone of `breaches` out of `n` at probability p, by the cumulative probability of the count.
pub fn traffic_light(breaches: u64, n: u64, p: f64) -> Zone {
    match Binomial::new(p, n) {
        Ok(binomial) if n > 0 => match binomial.cdf(breaches) {
            share if share < 0.95 => Zone::Green,
            share if share < 0.9999 => Zone::Yellow,
            _ => Zone::Red,
        },
        _ => Zone::Green,
    }
}

/// What the supervisor adds to the multiplier of 3 for a year of 250 days at 99 %.
pub const fn capital_add_on(breaches: u64) -> f64 {
    match breaches {
        0..=4 => 0.0,
        5 => 0.40,
        6 => 0.50,
        7 => 0.65,
        8 => 0.75,
        9 => 0.85,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, digits: f64) {
        assert!(
            (found - expected).abs() <= 0.51 * digits,
            "{found} for {expected}"
        );
    }

    /// Worked out from the likelihood ratio, and rows of tables that others printed.
    #[test]
    fn kupiec_reproduces_the_table() {
        for (n, x, p, statistic) in [
            (250, 0, 0.01, 5.025168),
            (250, 2, 0.01, 0.108435),
            (250, 3, 0.01, 0.094940),
            (250, 4, 0.01, 0.769138),
            (250, 5, 0.01, 1.956810),
            (250, 10, 0.01, 12.955491),
            (500, 10, 0.01, 3.913620),
            (250, 12, 0.05, 0.021324),
        ] {
            near(kupiec(x, n, p).unwrap().statistic, statistic, 1e-6);
        }
        for (n, x, p, statistic, p_value) in [
            (1_043, 57, 0.05, 0.461466, 0.496939),
            (1_043, 17, 0.01, 3.511813, 0.060933),
            (224, 5, 0.01, 2.544115, 0.110706),
            (224, 7, 0.01, 6.534991, 0.010577),
        ] {
            let test = kupiec(x, n, p).unwrap();
            near(test.statistic, statistic, 1e-6);
            near(test.p_value, p_value, 1e-6);
        }
        // Decisions as printed: at 10 %, and at 1 % (6.635).
        assert!(kupiec(17, 1_043, 0.01).unwrap().rejects(0.10));
        assert!(!kupiec(7, 224, 0.01).unwrap().rejects(0.01));
        assert!(kupiec(0, 0, 0.01).is_none());
    }

    #[test]
    fn christoffersen_counts_transitions_and_all_points() {
        let mut breaches = vec![false; 250];
        for at in [50, 51, 52, 120, 121, 200] {
            breaches[at] = true;
        }
        let found = christoffersen(&breaches, 0.01).unwrap();
        assert_eq!(found.transitions, [[240, 3], [3, 3]]);
        near(found.independence.statistic, 15.915297, 1e-6);
        near(found.conditional.statistic, 19.470651, 1e-6);
        near(kupiec(6, 250, 0.01).unwrap().statistic, 3.555355, 1e-6);
        assert_eq!(found.conditional.degrees, 2);
        assert!(christoffersen(&[true], 0.01).is_none());
    }

    #[test]
    fn an_empty_cell_is_one() {
        for breaches in [vec![false; 50], vec![true; 50], {
            let mut last = vec![false; 50];
            last[49] = true;
            last
        }] {
            let found = christoffersen(&breaches, 0.01).unwrap();
            assert!(found.independence.statistic.abs() < 1e-9, "{found:?}");
            assert!(found.conditional.statistic.is_finite());
        }
        assert!(kupiec(50, 50, 0.01).unwrap().statistic.is_finite());
    }

    /// The printed sum of the mixed test, and the tails that go with it.
    #[test]
    fn time_between_failures_has_the_printed_tails() {
        near(Test::chi_squared(88.491, 57).p_value, 0.0047473, 1e-7);
        near(Test::chi_squared(88.952, 58).p_value, 0.0055568, 1e-7);
        // Waits of 100 at 1 % fit exactly; a wait of one has the likelihood ratio −2 ln p.
        let regular: Vec<bool> = (1..=500).map(|day| day % 100 == 0).collect();
        let test = time_between_failures(&regular, 0.01).unwrap();
        assert!(test.statistic < 1e-9 && test.degrees == 5, "{test:?}");
        let at_once = time_between_failures(&[true], 0.01).unwrap();
        near(at_once.statistic, -2.0 * ops::ln(0.01), 1e-12);
        assert!(time_between_failures(&[false; 9], 0.01).is_none());
    }

    #[test]
    fn a_constant_margin_adds_no_degree() {
        let breaches: Vec<bool> = (0..400).map(|day| day * day % 97 == 1).collect();
        let constant = dynamic_quantile(&breaches, &[0.1; 400], 0.02).unwrap();
        assert_eq!(constant.degrees as usize, 1 + LAGS);
        let moving: Vec<f64> = (0..400).map(|day| f64::from(day % 13)).collect();
        let with = dynamic_quantile(&breaches, &moving, 0.02).unwrap();
        assert_eq!(with.degrees as usize, 2 + LAGS);
        assert!(with.statistic >= constant.statistic);
        // Without any breach every regressor is constant, and DQ is the binomial z².
        let none = dynamic_quantile(&[false; 104], &[0.1; 104], 0.02).unwrap();
        assert_eq!(none.degrees, 1);
        near(none.statistic, 100.0 * 0.02 / 0.98, 1e-9);
        assert!(dynamic_quantile(&[false; 20], &[0.1; 20], 0.02).is_none());
    }

    #[test]
    fn the_dynamic_quantile_is_that_of_the_normal_equations() {
        // One lag matters and the rest is orthogonal noise: solved by hand for alternating hits.
        // H alternates between a = 1 − p and b = −p; with p = ½ the lag of order 1 is −H, lag 2 is H, and
        // the constant is orthogonal: the projection is H itself, H′H = n/4, DQ = n/4 / (1/4) = n.
        let alternating: Vec<bool> = (0..64).map(|at| at % 2 == 0).collect();
        let test = dynamic_quantile(&alternating, &[1.0; 64], 0.5).unwrap();
        near(test.statistic, 60.0, 1e-9);
        assert_eq!(test.degrees, 2);
    }

    #[test]
    fn the_light_changes_at_five_and_ten() {
        for (breaches, zone) in [
            (0, Zone::Green),
            (4, Zone::Green),
            (5, Zone::Yellow),
            (9, Zone::Yellow),
            (10, Zone::Red),
        ] {
            assert_eq!(traffic_light(breaches, 250, 0.01), zone, "{breaches}");
        }
        let binomial = Binomial::new(0.01, 250).unwrap();
        near(binomial.cdf(4), 0.892188, 1e-6);
        near(binomial.sf(4), 0.107812, 1e-6);
        near(binomial.cdf(9), 0.999750, 1e-6);
        let added: Vec<f64> = (4..=10).map(capital_add_on).collect();
        assert_eq!(added, [0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.0]);
        // Another sample's thresholds follow from the same probabilities.
        assert_eq!(traffic_light(31, 500, 0.05), Zone::Green);
        assert_eq!(traffic_light(60, 500, 0.05), Zone::Red);
    }
}
