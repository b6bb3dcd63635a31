//! Stylised facts of a market, as a scorecard: each with an estimate, an interval, the range in which markets lie, and
//! whether it is inside, outside, or can't be measured and why.
//!
//! A scorecard, never a score: how many facts are inside says little about which.
//!
//! | room | what |
//! |---|---|
//! | [`tape`] | what a run left of one market, bar by bar |
//! | [`statistic`] | each fact as a function of bars |
//! | [`resample`] | intervals by the stationary bootstrap |
//!
//! # Invariants
//!
//! - `a_generator_with_known_moments_is_measured_right` and `the_tail_index_of_garch_is_found`: the functions that judge
//!   runs meet generators whose answers are known.
//! - `every_fact_is_in_the_scorecard_once`.
//!
//! # Reference
//!
//! Cont, R. (2001), "Empirical properties of asset returns: stylized facts and statistical issues", Quantitative
//! Finance 1; Vyetrenko, S. et al. (2020), "Get real: realism metrics for robust limit order book market simulations".
//! The source of each range stands beside it.

pub mod resample;
pub mod statistic;
pub mod tape;

pub use statistic::FACTS;
pub use tape::{Bar, Fill, Tape};

/// A fact, and the range in which markets lie.
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// What is measured.
    pub what: &'static str,
    /// Lower end of the range; −∞ where there is none.
    pub low: f64,
    /// Upper end; ∞ where there is none.
    pub high: f64,
    /// Where the range is from.
    pub source: &'static str,
    /// Whether it speaks of liquidations.
    pub forced: bool,
    /// Measures it, or says why it can't be.
    pub measure: fn(&Tape) -> Result<f64, String>,
}

/// How a fact stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Within the range.
    Inside,
    /// Not within it.
    Outside,
    /// Not to be measured, and why.
    NotMeasurable(String),
}

/// One line of the scorecard.
#[derive(Clone)]
pub struct Scored {
    /// The fact.
    pub fact: &'static Fact,
    /// What was measured; undefined where nothing was.
    pub value: f64,
    /// Nine in ten resamples lie between.
    pub interval: Option<[f64; 2]>,
    /// How it stands.
    pub verdict: Verdict,
}

/// The scorecard of a market.
pub fn score(tape: &Tape, resamples: usize) -> Vec<Scored> {
    FACTS
        .iter()
        .enumerate()
        .map(|(place, fact)| match (fact.measure)(tape) {
            Ok(value) if value.is_finite() => Scored {
                fact,
                value,
                interval: resample::interval(tape, fact, place as u32, resamples),
                verdict: if (fact.low..=fact.high).contains(&value) {
                    Verdict::Inside
                } else {
                    Verdict::Outside
                },
            },
            other => Scored {
                fact,
                value: f64::NAN,
                interval: None,
                verdict: Verdict::NotMeasurable(
                    other.err().unwrap_or_else(|| "undefined".to_owned()),
                ),
            },
        })
        .collect()
}

/// How many facts are inside their range, of how many that could be measured.
pub fn inside(scored: &[Scored]) -> (usize, usize) {
    let count = |of: fn(&Verdict) -> bool| scored.iter().filter(|s| of(&s.verdict)).count();
    (
        count(|verdict| *verdict == Verdict::Inside),
        count(|verdict| !matches!(verdict, Verdict::NotMeasurable(_))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::series::{autocorrelation, hill, kurtosis, variance};
    use crate::math::{Draws, Purpose, Stream, ops};

    /// Franke and Westerhoff's market of fundamentalists and chartists, whose moments were worked out at length.
    fn franke_westerhoff(stream: &mut Stream, steps: usize) -> Vec<f64> {
        let (mut p, mut before, mut difference) = (0.0_f64, 0.0_f64, 0.0_f64);
        let mut returns = Vec::with_capacity(steps);
        for step in 0..steps + 1_000 {
            let attraction = -0.327 + 1.79 * difference + 18.43 * p * p;
            let fundamental = 1.0 / (1.0 + ops::exp(-attraction));
            let chartist = 1.0 - fundamental;
            difference = fundamental - chartist;
            let demand = fundamental * (0.12 * -p + 0.758 * stream.normal())
                + chartist * (1.5 * (p - before) + 2.087 * stream.normal());
            let next = p + 0.01 * demand;
            if step >= 1_000 {
                returns.push(100.0 * (next - p));
            }
            (before, p) = (p, next);
        }
        returns
    }

    #[test]
    fn a_generator_with_known_moments_is_measured_right() {
        let (runs, steps) = (4, 100_000);
        let mut sums = [0.0; 8];
        for run in 0..runs {
            let mut stream = Draws::new(111, run).stream(Purpose::Custom, 0, 0);
            let returns = franke_westerhoff(&mut stream, steps);
            let sizes: Vec<f64> = returns.iter().map(|r| r.abs()).collect();
            let clustering = autocorrelation(&sizes, 100);
            let found = [
                variance(&returns).sqrt(),
                sizes.iter().sum::<f64>() / steps as f64,
                kurtosis(&returns),
                hill(&sizes, steps / 20).unwrap(),
                autocorrelation(&returns, 1)[0],
                clustering[0],
                clustering[24],
                clustering[99],
            ];
            for (sum, value) in sums.iter_mut().zip(found) {
                *sum += value / runs as f64;
            }
        }
        // Four standard deviations between eight runs, as the source has them.
        let expected = [
            ("standard deviation", 0.970, 0.064),
            ("mean size", 0.730, 0.044),
            ("kurtosis", 4.87, 0.36),
            ("tail index, 5 %", 3.78, 0.2),
            ("autocorrelation", 0.006, 0.02),
            ("of sizes, lag 1", 0.159, 0.02),
            ("of sizes, lag 25", 0.122, 0.02),
            ("of sizes, lag 100", 0.056, 0.02),
        ];
        for ((what, value, band), found) in expected.into_iter().zip(sums) {
            assert!(
                (found - value).abs() < band,
                "{what}: {found}, expected {value}"
            );
        }
    }

    /// The tail index 2k of GARCH(1,1): E (a z² + b)^k = 1, by quadrature.
    fn kesten(a: f64, b: f64) -> f64 {
        let moment = |k: f64| -> f64 {
            let (step, mut sum) = (0.001, 0.0);
            for n in -12_000..=12_000_i32 {
                let z = f64::from(n) * step;
                sum += ops::exp(-z * z / 2.0) * ops::pow(a * z * z + b, k);
            }
            sum * step / (2.0 * std::f64::consts::PI).sqrt()
        };
        let (mut low, mut high) = (0.5, 12.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if moment(middle) < 1.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        2.0 * low
    }

    #[test]
    fn the_tail_index_of_garch_is_found() {
        for (a, b, expected) in [
            (0.10, 0.88, 5.610),
            (0.10, 0.89, 3.991),
            (0.08, 0.90, 7.268),
        ] {
            assert!((kesten(a, b) - expected).abs() < 2e-3, "{a} {b}");
        }
        // Hill's estimate comes near slowly: two million points, the largest thousandth, 15 %.
        let (a, b) = (0.10, 0.89);
        let mut stream = Draws::new(112, 0).stream(Purpose::Custom, 0, 0);
        let (mut variance, steps) = (1.0_f64, 2_000_000);
        let sizes: Vec<f64> = (0..steps)
            .map(|_| {
                let z = stream.normal();
                let size = (z * variance.sqrt()).abs();
                variance = (1.0 - a - b) + (a * z * z + b) * variance;
                size
            })
            .collect();
        let found = hill(&sizes, steps / 1_000).unwrap();
        assert!((found / 3.991 - 1.0).abs() < 0.15, "{found}");
    }

    #[test]
    fn every_fact_is_in_the_scorecard_once() {
        let tape = Tape::default();
        let scored = score(&tape, 10);
        let mut names: Vec<_> = scored.iter().map(|s| s.fact.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FACTS.len());
        // Of nothing nothing is known.
        for s in &scored {
            assert!(
                matches!(s.verdict, Verdict::NotMeasurable(_)),
                "{} of nothing",
                s.fact.name
            );
        }
        for fact in FACTS {
            assert!(fact.low < fact.high, "{}", fact.name);
        }
    }
}
