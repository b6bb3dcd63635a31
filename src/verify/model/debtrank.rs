//! DebtRank: losses that travel along a network of exposures. A model of its own: it has no market.
//!
//! `h' = min(1, h + Λ (h − h_before))`: what a party newly lost is passed on to whoever is exposed to it. While no cap
//! binds, the end is h∞ = (I − Λ)⁻¹ h₀; above a largest eigenvalue of one, losses grow until caps bind.
//!
//! # Reference
//!
//! Bardoscia, M., Battiston, S., Caccioli, F. and Caldarelli, G. (2015), "DebtRank: a microscopic foundation for shock
//! propagation", PLoS ONE 10. The example's numbers are worked out.

use crate::experiment::RunError;
use crate::verify::line::{Found, Plot, Tolerance};
use crate::verify::{Budget, Family, Ground};

/// DebtRank.
pub const FAMILY: Family = Family {
    name: "debtrank",
    title: "Losses along a network: h∞ = (I − Λ)⁻¹ h₀",
    source: "Bardoscia, Battiston, Caccioli and Caldarelli 2015",
    ground: Ground::Model,
    run,
};

const LAMBDA: [[f64; 3]; 3] = [[0.0, 0.5, 0.2], [0.3, 0.0, 0.4], [0.0, 0.6, 0.0]];

/// One round: losses, and what was newly lost.
fn round(scale: f64, h: [f64; 3], new: [f64; 3]) -> ([f64; 3], [f64; 3]) {
    let (mut after, mut lost) = (h, [0.0; 3]);
    for (k, row) in LAMBDA.iter().enumerate() {
        let passed: f64 = row.iter().zip(new).map(|(l, n)| scale * l * n).sum();
        lost[k] = passed.min(1.0 - h[k]);
        after[k] += lost[k];
    }
    (after, lost)
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let start = [0.1, 0.0, 0.0];
    let (mut h, mut new) = (start, start);
    let mut ratio = 0.0;
    let mut plot = Plot {
        name: "Losses of the first party, round by round".to_owned(),
        x_name: "round".to_owned(),
        y_name: "share lost".to_owned(),
        ..Plot::default()
    };
    for k in 0..300 {
        let before = new;
        (h, new) = round(1.0, h, new);
        if k < 20 {
            plot.got.push([f64::from(k) + 1.0, h[0]]);
            plot.expected.push([f64::from(k) + 1.0, 0.132_404_18]);
        }
        if k < 150 && before[0] > 0.0 {
            ratio = new[0] / before[0];
        }
    }
    for (k, expected) in [0.132_404_18, 0.052_264_81, 0.031_358_89]
        .iter()
        .enumerate()
    {
        found.line(
            format!("h∞ of party {}", k + 1),
            *expected,
            h[k],
            Tolerance::Within(1e-8),
        );
    }
    found.line(
        "largest eigenvalue: one round's losses over the last's",
        0.666_352,
        ratio,
        Tolerance::Within(1e-5),
    );
    let (mut wild, mut new) = (start, start);
    for _ in 0..300 {
        (wild, new) = round(1.7, wild, new);
    }
    found.line(
        "exposures × 1.7, eigenvalue 1.13: share lost by the least hit",
        1.0,
        wild.iter().copied().fold(1.0, f64::min),
        Tolerance::AtLeast,
    );
    found.plot = Some(plot);
    Ok(found)
}
