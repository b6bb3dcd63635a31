//! The numbers of risk reports: value and liquidations at risk, the frontier, and what is recommended.
//!
//! # Units
//!
//! Settlement currency; shares; counts.
//!
//! # Reference
//!
//! Gauntlet's definitions: value at risk is the 95 % quantile, over the runs, of the insolvent value Σ (debt − collateral) at the
//! end; liquidations at risk that of the amount liquidated. Here insolvent value is `bad_debt`: deficits of bankrupt accounts,
//! whoever bore them. Block Analitica's capital at risk is the mean of the same.

use super::judge::{Cell, Estimate, Judged, cell};
use super::run::Compared;
use crate::math::bootstrap::{Bootstrap, Interval};
use crate::math::ops;
use crate::measure::{Definition, catalogue as m};

/// What risk firms report, of one variant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Risk {
    /// VaR: 95 % quantile of bad debt.
    pub value_at_risk: Option<Estimate>,
    /// 99 % quantile of bad debt.
    pub value_at_risk_99: Option<Estimate>,
    /// Mean of bad debt: capital at risk.
    pub expected_loss: Option<Estimate>,
    /// LaR: 95 % quantile of what is liquidated.
    pub liquidations_at_risk: Option<Estimate>,
    /// 99 % quantile of what is liquidated.
    pub liquidations_at_risk_99: Option<Estimate>,
    /// The insurance fund at the start.
    pub fund: f64,
    /// Share of the runs whose bad debt is larger than the fund.
    pub beyond_fund: Option<Estimate>,
}

/// What a variant costs and what it buys: means over the replicates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontierPoint {
    /// Liquidations that were premature.
    pub premature: Option<Estimate>,
    /// Bad debt.
    pub bad_debt: Option<Estimate>,
    /// Initial margin over notional, mean of the markets: capital locked.
    pub capital: Option<Estimate>,
    /// Variants with no more of any of the three, and less of one.
    pub dominated_by: Vec<usize>,
}

/// What a variant is to the baseline: the columns of a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The baseline.
    Current,
    /// The one that locks most capital, and more than the baseline.
    Conservative,
    /// One between.
    Moderate,
    /// The one that locks least, and less than the baseline.
    Aggressive,
    /// The only one.
    Proposed,
}

impl Role {
    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Conservative => "conservative",
            Self::Moderate => "moderate",
            Self::Aggressive => "aggressive",
            Self::Proposed => "proposed",
        }
    }
}

/// What is recommended: of the variants that keep to a tolerated loss the one that locks least capital; where none does,
/// the one that loses least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recommendation {
    /// The variant.
    pub variant: usize,
    /// The loss that value at risk, up to the end of its interval, must keep to.
    pub tolerance: f64,
    /// Whether it does.
    pub within: bool,
    /// Whether the replicates are enough to say so: the interval of its value at risk has an upper end.
    pub bounded: bool,
}

/// Fills in what follows from the rows.
pub(super) fn fill(
    compared: &Compared,
    judged: &mut Judged,
    bootstrap: &Bootstrap,
    tolerance: Option<f64>,
) {
    let count = compared.variants.len();
    judged.risks = (0..count)
        .map(|variant| risk(compared, judged, variant, bootstrap.confidence()))
        .collect();
    judged.frontier = (0..count)
        .map(|variant| FrontierPoint {
            premature: mean(judged, &m::PREMATURE_COUNT, variant),
            bad_debt: mean(judged, &m::BAD_DEBT, variant),
            capital: capital(compared, judged, variant, bootstrap),
            dominated_by: Vec::new(),
        })
        .collect();
    for variant in 0..count {
        judged.frontier[variant].dominated_by = (0..count)
            .filter(|other| dominates(&judged.frontier[*other], &judged.frontier[variant]))
            .collect();
    }
    judged.roles = roles(&judged.frontier);
    if count > 1 {
        let tolerance =
            tolerance.unwrap_or_else(|| judged.risks.first().map_or(0.0, |risk| risk.fund));
        judged.recommendation = recommend(&judged.risks, &judged.frontier, tolerance);
    }
}

fn mean(judged: &Judged, definition: &Definition, variant: usize) -> Option<Estimate> {
    judged.cell(definition, None, variant)?.mean
}

fn risk(compared: &Compared, judged: &Judged, variant: usize, confidence: f64) -> Risk {
    let of = |definition, pick: fn(&Cell) -> Option<Estimate>| {
        judged.cell(definition, None, variant).and_then(pick)
    };
    let fund = compared.variants[variant]
        .scenario
        .liquidation
        .opening_fund();
    let losses: Vec<f64> = compared
        .values(variant, &m::BAD_DEBT, None)
        .into_iter()
        .flatten()
        .collect();
    let beyond = losses.iter().filter(|loss| **loss > fund).count();
    Risk {
        value_at_risk: of(&m::BAD_DEBT, Cell::p95),
        value_at_risk_99: of(&m::BAD_DEBT, Cell::p99),
        expected_loss: of(&m::BAD_DEBT, |cell| cell.mean),
        liquidations_at_risk: of(&m::LIQUIDATED_TOTAL, Cell::p95),
        liquidations_at_risk_99: of(&m::LIQUIDATED_TOTAL, Cell::p99),
        fund,
        beyond_fund: share(beyond, losses.len(), confidence),
    }
}

/// A share with Wilson's interval, which has sensible ends at 0 and 1 too.
fn share(count: usize, of: usize, confidence: f64) -> Option<Estimate> {
    if of == 0 {
        return None;
    }
    let n = of as f64;
    let z = ops::normal_quantile(0.5 * (1.0 + confidence));
    let value = count as f64 / n;
    let middle = (value + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
    // At the ends the formula is exact but for rounding.
    let low = if count == 0 { 0.0 } else { middle - half };
    let high = if count == of { 1.0 } else { middle + half };
    Some(Estimate {
        value,
        interval: Interval::closed(low, high),
    })
}

/// Initial margin over notional, in each replicate the mean of the markets.
fn capital(
    compared: &Compared,
    judged: &Judged,
    variant: usize,
    bootstrap: &Bootstrap,
) -> Option<Estimate> {
    let markets: Vec<Vec<Option<f64>>> = judged
        .of(&m::INITIAL_MEAN)
        .map(|row| compared.values(variant, &m::INITIAL_MEAN, row.market.as_deref()))
        .collect();
    let values: Vec<Option<f64>> = (0..compared.replicates())
        .map(|replicate| {
            let sum: Option<f64> = markets.iter().map(|values| values[replicate]).sum();
            sum.filter(|_| !markets.is_empty())
                .map(|sum| sum / markets.len() as f64)
        })
        .collect();
    cell(&values, bootstrap).mean
}

fn costs(point: &FrontierPoint) -> Option<[f64; 3]> {
    Some([
        point.premature?.value,
        point.bad_debt?.value,
        point.capital?.value,
    ])
}

fn dominates(one: &FrontierPoint, other: &FrontierPoint) -> bool {
    match (costs(one), costs(other)) {
        (Some(one), Some(other)) => {
            one.iter().zip(&other).all(|(a, b)| a <= b)
                && one.iter().zip(&other).any(|(a, b)| a < b)
        }
        _ => false,
    }
}

/// The first is current; of several others the one that locks most capital is conservative if that is more than now, the one
/// that locks least aggressive if that is less than now.
fn roles(frontier: &[FrontierPoint]) -> Vec<Role> {
    let mut roles = vec![Role::Moderate; frontier.len()];
    if let Some(first) = roles.first_mut() {
        *first = Role::Current;
    }
    let capital = |variant: usize| frontier[variant].capital.map_or(0.0, |c| c.value);
    let mut order: Vec<usize> = (1..frontier.len()).collect();
    // Stable: of equals the one named first is the more conservative.
    order.sort_by(|one, other| capital(*other).total_cmp(&capital(*one)));
    match order.as_slice() {
        [] => {}
        [only] => roles[*only] = Role::Proposed,
        [most, .., least] => {
            if capital(*most) > capital(0) {
                roles[*most] = Role::Conservative;
            }
            if capital(*least) < capital(0) {
                roles[*least] = Role::Aggressive;
            }
        }
    }
    roles
}

fn recommend(risks: &[Risk], frontier: &[FrontierPoint], tolerance: f64) -> Option<Recommendation> {
    let at_risk = |variant: &usize| {
        let estimate = risks[*variant].value_at_risk?;
        // A sample too small to bound the quantile is taken at the quantile itself, and that is said.
        Some(estimate.interval.high.unwrap_or(estimate.value))
    };
    let known: Vec<usize> = (0..risks.len())
        .filter(|variant| at_risk(variant).is_some())
        .collect();
    let within: Vec<usize> = known
        .iter()
        .copied()
        .filter(|variant| at_risk(variant).is_some_and(|loss| loss <= tolerance))
        .collect();
    let capital = |variant: &usize| {
        frontier[*variant]
            .capital
            .map_or(f64::INFINITY, |c| c.value)
    };
    let premature = |variant: &usize| {
        frontier[*variant]
            .premature
            .map_or(f64::INFINITY, |c| c.value)
    };
    let loss = |variant: &usize| at_risk(variant).unwrap_or(f64::INFINITY);
    let best = if within.is_empty() {
        known
            .into_iter()
            .min_by(|a, b| loss(a).total_cmp(&loss(b)))?
    } else {
        within.iter().copied().min_by(|a, b| {
            capital(a)
                .total_cmp(&capital(b))
                .then(premature(a).total_cmp(&premature(b)))
        })?
    };
    Some(Recommendation {
        variant: best,
        tolerance,
        within: !within.is_empty(),
        bounded: risks[best]
            .value_at_risk
            .is_some_and(|estimate| estimate.interval.high.is_some()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64) -> Estimate {
        Estimate {
            value,
            interval: Interval::closed(value, value),
        }
    }

    fn point(premature: f64, bad_debt: f64, capital: f64) -> FrontierPoint {
        FrontierPoint {
            premature: Some(estimate(premature)),
            bad_debt: Some(estimate(bad_debt)),
            capital: Some(estimate(capital)),
            dominated_by: Vec::new(),
        }
    }

    fn at_risk(loss: f64) -> Risk {
        Risk {
            value_at_risk: Some(estimate(loss)),
            ..Risk::default()
        }
    }

    #[test]
    fn whoever_has_no_more_of_anything_and_less_of_one_dominates() {
        let (one, other) = (point(10.0, 5.0, 0.1), point(10.0, 5.0, 0.2));
        assert!(dominates(&one, &other) && !dominates(&other, &one));
        assert!(!dominates(&one, &one));
        assert!(!dominates(&point(9.0, 6.0, 0.1), &one));
    }

    #[test]
    fn roles_follow_from_the_capital_that_is_locked() {
        let points = [0.1, 0.05, 0.3, 0.2].map(|capital| point(1.0, 1.0, capital));
        assert_eq!(
            roles(&points),
            [
                Role::Current,
                Role::Aggressive,
                Role::Conservative,
                Role::Moderate
            ]
        );
        assert_eq!(roles(&points[..2]), [Role::Current, Role::Proposed]);
        // Both lock more than now: neither is aggressive.
        let dear = [0.1, 0.2, 0.3].map(|capital| point(1.0, 1.0, capital));
        let expected = [Role::Current, Role::Moderate, Role::Conservative];
        assert_eq!(roles(&dear), expected);
        assert_eq!(roles(&points[..1]), [Role::Current]);
    }

    #[test]
    fn the_cheapest_that_keeps_to_the_tolerated_loss_is_recommended() {
        let points = [0.1, 0.05, 0.3].map(|capital| point(1.0, 1.0, capital));
        let risks = [at_risk(80.0), at_risk(120.0), at_risk(10.0)];
        let within = recommend(&risks, &points, 100.0).unwrap();
        assert_eq!((within.variant, within.within), (0, true));
        let all = recommend(&risks, &points, 1_000.0).unwrap();
        assert_eq!(all.variant, 1);
        let none = recommend(&risks, &points, 5.0).unwrap();
        assert_eq!((none.variant, none.within), (2, false));
    }

    #[test]
    fn a_share_s_interval_is_wilson_s() {
        // Newcombe (1998), table I: 81 of 263, and 0 of 20.
        let found = share(81, 263, 0.95).unwrap();
        assert!((found.interval.low.unwrap() - 0.2553).abs() < 5e-5);
        assert!((found.interval.high.unwrap() - 0.3662).abs() < 5e-5);
        let none = share(0, 20, 0.95).unwrap();
        assert_eq!(none.interval.low, Some(0.0));
        assert!((none.interval.high.unwrap() - 0.1611).abs() < 5e-5);
        assert_eq!(share(0, 0, 0.95), None);
    }
}
