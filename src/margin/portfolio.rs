//! Requirements of whole accounts: the seam at which a rule answers per account instead of per bracket.
//!
//! A market's rule asks something of each position alone. What a cross account is asked for all of them together is their
//! sum, unless a [`PortfolioRule`] says otherwise. The one here is margin under a correlation matrix, `√(m′ C m)`, where m_j is
//! what position j is asked alone, negative for a short one: what moves together offsets where sides differ.
//!
//! # Units
//!
//! Requirements in quanta, by integer arithmetic, rounded up. Amounts of more than 2⁴⁶ quanta are first rounded up to as many
//! leading bits.
//!
//! # Invariants
//!
//! - `correlated_positions_are_asked_no_more_than_their_sum`: what the trigger index relies on; C must be positive
//!   semi-definite, which is checked when it is read.
//!
//! # Reference
//!
//! The square-root aggregation of sensitivities of the standard approaches (Basel Committee, MAR21.4; ISDA SIMM), with one
//! risk factor a market.

use crate::math::linear::{Matrix, NotCorrelation, correlation_factor};
use crate::unit::{Cash, Lots, MarketId, Rate};
use dyn_clone::DynClone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One position of an account, and what it is asked alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The market.
    pub market: MarketId,
    /// What is held, negative for a short position.
    pub quantity: Lots,
    /// Its value at the mark.
    pub notional: Cash,
    /// What its market's rule asks of it.
    pub alone: Cash,
}

/// What a cross account is asked for all its positions together.
///
/// Promise: a function of the positions alone. Called for initial and maintenance requirements alike.
pub trait PortfolioRule: DynClone + Send + Sync {
    /// The requirement.
    fn requirement(&self, legs: &[Leg]) -> Cash;

    /// Whether it never exceeds the sum of what the positions are asked alone. Only then can the trigger index tell when an
    /// account is safe; otherwise every cross account is looked at in every step.
    fn within_sum(&self) -> bool {
        false
    }
}

dyn_clone::clone_trait_object!(PortfolioRule);

/// How the positions of a cross account are margined together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CrossSettings {
    /// Each is asked what it would be alone.
    #[default]
    Sum,
    /// The root of the requirements' quadratic form under a correlation matrix, in the order of `markets`.
    Correlation(Matrix),
    /// The same under the matrix by which the outside prices move: the scenario's `correlation`, and in stress that of
    /// `stress_correlation`. Rules by scan for options take it for their offsets where they name none.
    Path,
}

impl CrossSettings {
    /// What keeps it from being used with so many markets.
    ///
    /// # Errors
    ///
    /// The matrix isn't a correlation matrix of that size.
    pub fn check(&self, markets: usize) -> Result<(), NotCorrelation> {
        match self {
            Self::Sum | Self::Path => Ok(()),
            Self::Correlation(matrix) => correlation_factor(matrix, markets).map(|_| ()),
        }
    }
    /// With the outside's matrix in the place of its name.
    #[must_use]
    pub fn under(&self, matrix: Option<&Matrix>) -> Self {
        match self {
            Self::Path => matrix.map_or(Self::Sum, |matrix| Self::Correlation(matrix.clone())),
            other => other.clone(),
        }
    }
    /// The rule; nothing where requirements are added up, or by a matrix that isn't known yet ([`CrossSettings::under`]).
    pub fn build(&self) -> Option<Box<dyn PortfolioRule>> {
        match self {
            Self::Sum | Self::Path => None,
            Self::Correlation(matrix) => Some(Box::new(Correlated::new(matrix))),
        }
    }
}

/// `√(m′ C m)`.
#[derive(Clone)]
pub struct Correlated {
    /// In 10⁻⁹.
    matrix: Vec<Vec<i64>>,
}

const WHOLE: i64 = Rate::ONE.0;
/// Bits of a requirement that enter the quadratic form.
const BITS: u32 = 46;

impl Correlated {
    /// The rule of a correlation matrix.
    pub fn new(matrix: &Matrix) -> Self {
        let row = |row: &Vec<f64>| row.iter().map(|c| Rate::from_f64(*c).0).collect();
        Self {
            matrix: matrix.iter().map(row).collect(),
        }
    }

    fn correlation(&self, a: MarketId, b: MarketId) -> i64 {
        let same = if a == b { WHOLE } else { 0 };
        self.matrix
            .get(a.index())
            .and_then(|row| row.get(b.index()))
            .copied()
            .unwrap_or(same)
    }
}

impl PortfolioRule for Correlated {
    fn requirement(&self, legs: &[Leg]) -> Cash {
        let sum = legs.iter().fold(Cash::ZERO, |sum, leg| {
            Cash(sum.0.saturating_add(leg.alone.0))
        });
        let most = legs.iter().map(|leg| leg.alone.0).max().unwrap_or(0);
        // So many bits that the sum over all pairs fits.
        let room = BITS - (usize::BITS - legs.len().leading_zeros());
        let shift = (i64::BITS - most.leading_zeros()).saturating_sub(room);
        let signed = |leg: &Leg| {
            let up = i128::from(leg.alone.0) + ((1i128 << shift) - 1);
            (up >> shift) * i128::from(leg.quantity.signum())
        };
        let mut form = 0i128;
        for a in legs {
            for b in legs {
                form += signed(a) * signed(b) * i128::from(self.correlation(a.market, b.market));
            }
        }
        let square = (form.max(0) as u128).div_ceil(WHOLE as u128);
        let root = square.isqrt();
        let root = root + u128::from(root * root < square);
        Cash(root.saturating_mul(1 << shift).min(sum.0.max(0) as u128) as i64)
    }
    fn within_sum(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn legs(alone: &[i64]) -> Vec<Leg> {
        alone
            .iter()
            .zip(0..)
            .map(|(alone, market)| Leg {
                market: MarketId(market),
                quantity: Lots(alone.signum()),
                notional: Cash(alone.abs()),
                alone: Cash(alone.abs()),
            })
            .collect()
    }

    fn pair(correlation: f64) -> Correlated {
        Correlated::new(&vec![vec![1.0, correlation], vec![correlation, 1.0]])
    }

    #[test]
    fn a_right_triangle_and_both_ends_of_correlation() {
        assert_eq!(pair(0.0).requirement(&legs(&[3_000, 4_000])), Cash(5_000));
        assert_eq!(pair(1.0).requirement(&legs(&[3_000, 4_000])), Cash(7_000));
        assert_eq!(pair(1.0).requirement(&legs(&[3_000, -4_000])), Cash(1_000));
        assert_eq!(pair(-1.0).requirement(&legs(&[3_000, 4_000])), Cash(1_000));
        // √(9 + 16 + 2 · 0.85 · 12) = 6.7379…, rounded up.
        assert_eq!(pair(0.85).requirement(&legs(&[3_000, 4_000])), Cash(6_738));
        assert_eq!(pair(0.85).requirement(&legs(&[3_000])), Cash(3_000));
        assert_eq!(pair(0.85).requirement(&[]), Cash::ZERO);
    }

    #[test]
    fn a_matrix_that_is_none_is_refused() {
        let wrong = CrossSettings::Correlation(vec![
            vec![1.0, 0.9, -0.9],
            vec![0.9, 1.0, 0.9],
            vec![-0.9, 0.9, 1.0],
        ]);
        assert!(matches!(
            wrong.check(3),
            Err(NotCorrelation::NotPositive { .. })
        ));
        assert!(matches!(wrong.check(2), Err(NotCorrelation::Shape { .. })));
        assert!(CrossSettings::Sum.check(9).is_ok() && CrossSettings::Sum.build().is_none());
    }

    proptest! {
        #[test]
        fn correlated_positions_are_asked_no_more_than_their_sum(
            alone in prop::collection::vec(-(1i64 << 60)..(1i64 << 60), 1..4),
            small in prop::collection::vec(-1_000i64..1_000, 1..4),
            x in -1.0f64..1.0, y in -1.0f64..1.0,
        ) {
            // C = B B′ with unit rows is positive semi-definite.
            let rows: Vec<[f64; 2]> = [(1.0, 0.0), (x, (1.0 - x * x).sqrt()), (y, -(1.0 - y * y).sqrt())]
                .map(|(a, b)| [a, b]).to_vec();
            let matrix: Matrix = rows.iter().enumerate().map(|(i, a)| rows.iter().enumerate()
                .map(|(j, b)| if i == j { 1.0 } else { a[0] * b[0] + a[1] * b[1] }).collect()).collect();
            prop_assert!(CrossSettings::Correlation(matrix.clone()).check(3).is_ok());
            let rule = Correlated::new(&matrix);
            for alone in [&alone, &small] {
                let legs = legs(alone);
                let sum: i128 = legs.iter().map(|leg| i128::from(leg.alone.0)).sum();
                let asked = rule.requirement(&legs);
                prop_assert!(asked >= Cash::ZERO && i128::from(asked.0) <= sum);
                // The float's form of the same, to one part in 10⁻⁷ of the sum.
                let mut form = 0.0;
                for (i, a) in alone.iter().enumerate() {
                    for (j, b) in alone.iter().enumerate() {
                        form += *a as f64 * *b as f64 * matrix[i][j];
                    }
                }
                let off = asked.as_f64() - form.max(0.0).sqrt();
                prop_assert!(off.abs() <= 2.0 + 1e-4 * sum as f64, "{off} of {sum}");
            }
        }
    }
}
