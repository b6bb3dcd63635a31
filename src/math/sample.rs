//! Distributions that a scenario may put in the place of a number.
//!
//! `leverage = 10` and `leverage = { lognormal = { median = 8, sigma = 0.6 } }` are both a
//! [`Sampled`]; every draw comes from a keyed [`Stream`].

use super::{Stream, ops};
use rand_distr::Distribution as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A number, or the distribution that it is drawn from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Sampled {
    /// Always this number.
    Fixed(f64),
    /// Drawn anew for every member.
    From(Distribution),
}

/// A distribution of one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// Uniform between two numbers.
    Uniform {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// The reciprocal is uniform: 1/x is uniform between 1/max and 1/min. With leverage as x,
    /// trigger prices are uniform.
    InverseUniform {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// ln x is normal.
    Lognormal {
        /// Median.
        median: f64,
        /// Standard deviation of ln x.
        sigma: f64,
    },
    /// Pareto: P(X > x) = (min/x)^alpha. A tail index of one or less has no mean.
    Pareto {
        /// Smallest value.
        min: f64,
        /// Tail index.
        alpha: f64,
        /// Largest value; infinite where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Exponential of a given mean.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Beta, stretched over an interval.
    Beta {
        /// First shape.
        alpha: f64,
        /// Second shape.
        beta: f64,
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// One of the listed values, with the listed weights.
    Choice {
        /// Values.
        values: Vec<f64>,
        /// Weights, one a value; they need not add up to one.
        weights: Vec<f64>,
    },
}

impl Default for Sampled {
    fn default() -> Self {
        Self::Fixed(0.0)
    }
}

impl From<f64> for Sampled {
    fn from(number: f64) -> Self {
        Self::Fixed(number)
    }
}

// By hand, because serde's untagged enums forget where in a file an error is.
impl<'de> Deserialize<'de> for Sampled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Sampled;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a distribution such as { lognormal = { median = 8, sigma = 0.6 } }")
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sampled, E> {
                Ok(Sampled::Fixed(number))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sampled, E> {
                Ok(Sampled::Fixed(number as f64))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sampled, E> {
                Ok(Sampled::Fixed(number as f64))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sampled, A::Error> {
                Distribution::deserialize(MapAccessDeserializer::new(map)).map(Sampled::From)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Sampled {
    fn schema_name() -> Cow<'static, str> {
        "Sampled".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let distribution = generator.subschema_for::<Distribution>();
        json_schema!({
            "description": "A number, or the distribution that it is drawn from.",
            "anyOf": [{"type": "number"}, distribution]
        })
    }
}

impl Sampled {
    /// One draw.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Fixed(number) => *number,
            Self::From(distribution) => distribution.draw(stream),
        }
    }

    /// What is wrong with the numbers, in words, or `None`.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Fixed(number) if number.is_finite() => None,
            Self::Fixed(number) => Some(format!("{number} is not a finite number")),
            Self::From(distribution) => distribution.problem(),
        }
    }

    /// The smallest value that can be drawn.
    pub fn min(&self) -> f64 {
        match self {
            Self::Fixed(number) => *number,
            Self::From(distribution) => match distribution {
                Distribution::Uniform { min, .. }
                | Distribution::InverseUniform { min, .. }
                | Distribution::Pareto { min, .. }
                | Distribution::Beta { min, .. } => *min,
                Distribution::Lognormal { .. } | Distribution::Exponential { .. } => 0.0,
                Distribution::Choice { values, .. } => {
                    values.iter().copied().fold(f64::INFINITY, f64::min)
                }
            },
        }
    }
}

/// In words, as in `lognormal, median 1, sigma 0.2`.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform { min, max } => write!(f, "uniform, {min} to {max}"),
            Self::InverseUniform { min, max } => write!(f, "inverse uniform, {min} to {max}"),
            Self::Lognormal { median, sigma } => {
                write!(f, "lognormal, median {median}, sigma {sigma}")
            }
            Self::Pareto { min, alpha, max } => {
                write!(f, "Pareto, from {min}, tail index {alpha}")?;
                max.map_or(Ok(()), |max| write!(f, ", at most {max}"))
            }
            Self::Exponential { mean } => write!(f, "exponential, mean {mean}"),
            Self::Beta {
                alpha,
                beta,
                min,
                max,
            } => write!(f, "beta, shapes {alpha} and {beta}, {min} to {max}"),
            Self::Choice { values, .. } => {
                f.write_str("one of ")?;
                for (place, value) in values.iter().enumerate() {
                    let between = if place > 0 { ", " } else { "" };
                    write!(f, "{between}{value}")?;
                }
                Ok(())
            }
        }
    }
}

impl Distribution {
    /// One draw.
    ///
    /// Beta goes through `rand_distr`, whose tails use the platform's mathematics library; all
    /// others have the same bits everywhere.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Uniform { min, max } => min + (max - min) * stream.uniform(),
            Self::InverseUniform { min, max } => {
                1.0 / (1.0 / max + (1.0 / min - 1.0 / max) * stream.uniform())
            }
            Self::Lognormal { median, sigma } => median * ops::exp(sigma * stream.normal()),
            Self::Pareto { min, alpha, max } => {
                // Inverted on the truncated interval, so that the bound is no atom.
                let above = max.map_or(0.0, |max| ops::pow(min / max, *alpha));
                let u = above + (1.0 - above) * stream.uniform();
                min * ops::pow(u, -1.0 / alpha)
            }
            Self::Exponential { mean } => mean * stream.exponential(),
            Self::Beta {
                alpha,
                beta,
                min,
                max,
            } => match rand_distr::Beta::new(*alpha, *beta) {
                Ok(unit) => min + (max - min) * unit.sample(stream),
                Err(_) => *min,
            },
            Self::Choice { values, weights } => {
                let total: f64 = weights.iter().sum();
                let mut left = stream.uniform() * total;
                for (value, weight) in values.iter().zip(weights) {
                    left -= weight;
                    if left < 0.0 {
                        return *value;
                    }
                }
                values.last().copied().unwrap_or_default()
            }
        }
    }

    /// The share of all draws that are smaller than a value, with half of those that are equal: over draws its mean is 1/2, and
    /// its variance is [`grade_variance`](Self::grade_variance), whatever the distribution is.
    pub fn grade(&self, value: f64) -> f64 {
        if self.is_one_value() {
            return 0.5;
        }
        let grade = match self {
            Self::Uniform { min, max } => (value - min) / (max - min),
            Self::InverseUniform { min, max } => {
                (1.0 / min - 1.0 / value) / (1.0 / min - 1.0 / max)
            }
            Self::Lognormal { median, sigma } => ops::normal_cdf(ops::ln(value / median) / sigma),
            Self::Pareto { min, alpha, max } => {
                let above = |value: f64| ops::pow(min / value, *alpha);
                (1.0 - above(value)) / (1.0 - max.map_or(0.0, above))
            }
            Self::Exponential { mean } => 1.0 - ops::exp(-value / mean),
            Self::Beta {
                alpha,
                beta,
                min,
                max,
            } => {
                let place = ((value - min) / (max - min)).clamp(0.0, 1.0);
                // By `statrs`, which decides no simulated event here either: grades only adjust means over runs.
                statrs::function::beta::beta_reg(*alpha, *beta, place)
            }
            Self::Choice { values, weights } => {
                let total: f64 = weights.iter().sum();
                let share = |(own, weight): (&f64, &f64)| match own.total_cmp(&value) {
                    Ordering::Less => weight / total,
                    Ordering::Equal => 0.5 * weight / total,
                    Ordering::Greater => 0.0,
                };
                values.iter().zip(weights).map(share).sum()
            }
        };
        grade.clamp(0.0, 1.0)
    }

    /// Variance of [`grade`](Self::grade) over draws: 1/12, less where draws may be equal.
    pub fn grade_variance(&self) -> f64 {
        let equal = match self {
            Self::Choice { values, weights } => {
                let total: f64 = weights.iter().sum();
                let pairs = || values.iter().zip(weights);
                // Each value's probability cubed; one that is listed twice counts as one.
                let cube = |(value, weight): (&f64, &f64)| {
                    let equal = pairs().filter(|(own, _)| *own == value);
                    let share = equal.map(|(_, weight)| weight / total).sum::<f64>();
                    weight / total * share * share
                };
                pairs().map(cube).sum()
            }
            _ if self.is_one_value() => 1.0,
            _ => 0.0,
        };
        (1.0 - equal) / 12.0
    }

    fn is_one_value(&self) -> bool {
        match self {
            Self::Uniform { min, max }
            | Self::InverseUniform { min, max }
            | Self::Beta { min, max, .. }
            | Self::Pareto {
                min,
                max: Some(max),
                ..
            } => min >= max,
            Self::Lognormal { sigma, .. } => *sigma <= 0.0,
            _ => false,
        }
    }

    fn problem(&self) -> Option<String> {
        let positive = |pairs: &[(&str, f64)]| {
            pairs
                .iter()
                .find(|(_, number)| !(number.is_finite() && *number > 0.0))
                .map(|(name, number)| format!("{name} must be greater than zero, found {number}"))
        };
        let ordered = |min: f64, max: f64| {
            (!(min.is_finite() && max.is_finite() && min <= max))
                .then(|| format!("min must not exceed max, found {min} and {max}"))
        };
        match self {
            Self::Uniform { min, max } => ordered(*min, *max),
            Self::InverseUniform { min, max } => {
                positive(&[("min", *min), ("max", *max)]).or_else(|| ordered(*min, *max))
            }
            Self::Lognormal { median, sigma } => positive(&[("median", *median)]).or_else(|| {
                (!(sigma.is_finite() && *sigma >= 0.0))
                    .then(|| format!("sigma must not be negative, found {sigma}"))
            }),
            Self::Pareto { min, alpha, max } => positive(&[("min", *min), ("alpha", *alpha)])
                .or_else(|| max.and_then(|max| ordered(*min, max))),
            Self::Exponential { mean } => positive(&[("mean", *mean)]),
            Self::Beta {
                alpha,
                beta,
                min,
                max,
            } => positive(&[("alpha", *alpha), ("beta", *beta)]).or_else(|| ordered(*min, *max)),
            Self::Choice { values, weights } => {
                if values.is_empty() || values.len() != weights.len() {
                    Some(format!(
                        "values and weights must be lists of the same length, found {} and {}",
                        values.len(),
                        weights.len()
                    ))
                } else if values.iter().any(|v| !v.is_finite())
                    || weights.iter().any(|w| !w.is_finite() || *w < 0.0)
                    || weights.iter().sum::<f64>() <= 0.0
                {
                    Some("weights must not be negative and must not all be zero".to_owned())
                } else {
                    None
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    fn mean(distribution: &Distribution) -> f64 {
        let draws = Draws::new(3, 0);
        let mut stream = draws.stream(Purpose::Custom, 0, 0);
        (0..20_000)
            .map(|_| distribution.draw(&mut stream))
            .sum::<f64>()
            / 20_000.0
    }

    #[test]
    fn means_are_those_of_the_textbook() {
        let near = |d: &Distribution, m: f64| {
            let found = mean(d);
            assert!((found / m - 1.0).abs() < 0.03, "{d:?}: {found} for {m}");
        };
        near(&Distribution::Uniform { min: 1.0, max: 3.0 }, 2.0);
        near(
            &Distribution::InverseUniform { min: 1.0, max: 2.0 },
            2.0 * ops::ln(2.0),
        );
        near(
            &Distribution::Pareto {
                min: 1.0,
                alpha: 3.0,
                max: None,
            },
            1.5,
        );
        near(&Distribution::Exponential { mean: 4.0 }, 4.0);
        near(
            &Distribution::Beta {
                alpha: 2.0,
                beta: 6.0,
                min: 0.0,
                max: 4.0,
            },
            1.0,
        );
        near(
            &Distribution::Choice {
                values: vec![1.0, 5.0],
                weights: vec![3.0, 1.0],
            },
            2.0,
        );
    }

    #[test]
    fn bad_numbers_are_named() {
        let bad = Distribution::Pareto {
            min: 0.0,
            alpha: 1.0,
            max: None,
        };
        assert!(bad.problem().unwrap().contains("min"));
        assert!(Sampled::Fixed(f64::NAN).problem().is_some());
        assert!(Sampled::Fixed(2.0).problem().is_none());
    }
}
