//! The loss spiral and the margin spiral of funding liquidity: a model of its own, because its market clears at one price.
//!
//! Customers sell Z and buy back as the price falls below value v: speculators must hold `x(p) = Z − c (v − p)`, with
//! c = 2 / (γ σ²). A position is financed with a margin `m(p) = s + θ |p − p₀|` that rises with the fall, out of wealth
//! `b + x₀ p + η`: `x(p) · m(p) = b + x₀ p + η`. Then
//!
//! ```text
//! dp/dη = 1 / (c m + m' x − x₀),   m' = −θ for p < p₀
//! ```
//!
//! 1 / (c m) without spirals; an inherited position x₀ is the loss spiral, θ the margin spiral, and together they are
//! more than their sum. Where the denominator reaches zero, the market is fragile.
//!
//! The equilibrium is found by bisection with a shock of wealth on either side; the multiplier is the difference of the
//! prices, not the formula.
//!
//! # Reference
//!
//! Brunnermeier, M. and Pedersen, L. (2009), "Market liquidity and funding liquidity", Review of Financial Studies 22;
//! reduced to one binding constraint. Numbers worked out for γ = 0.05, σ² = 100, v = p₀ = 120, Z = 30, s = 10, at which
//! every equilibrium is p = 100, x = 22.

use crate::experiment::RunError;
use crate::verify::line::{Found, Plot, Tolerance};
use crate::verify::{Budget, Family, Ground};

/// Brunnermeier and Pedersen.
pub const FAMILY: Family = Family {
    name: "liquidity-spirals",
    title: "Loss spiral and margin spiral: dp/dη = 1 / (c m + m' x − x₀)",
    source: "Brunnermeier and Pedersen 2009",
    ground: Ground::Model,
    run,
};

const C: f64 = 2.0 / (0.05 * 100.0);
const VALUE: f64 = 120.0;
const Z: f64 = 30.0;
const BASE: f64 = 10.0;

/// What is financed less what can be.
fn excess(p: f64, x0: f64, b: f64, theta: f64, eta: f64) -> f64 {
    let held = Z - C * (VALUE - p);
    let margin = BASE + theta * (VALUE - p).abs();
    held * margin - (b + x0 * p + eta)
}

/// The price near 100 at which all is just financed.
fn price(x0: f64, b: f64, theta: f64, eta: f64) -> f64 {
    let (mut low, mut high) = (98.0, 102.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if excess(middle, x0, b, theta, eta) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

fn run(_: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let mut plot = Plot {
        name: "Price of a unit of wealth, over what it is without spirals".to_owned(),
        x_name: "case: none, loss spiral, margin spiral, both".to_owned(),
        y_name: "multiplier".to_owned(),
        ..Plot::default()
    };
    for (case, (x0, b, theta, slope, multiplier, name)) in [
        (0.0, 220.0, 0.0, 0.25, 1.0, "no spiral"),
        (1.0, 120.0, 0.0, 1.0 / 3.0, 4.0 / 3.0, "loss spiral"),
        (0.0, 264.0, 0.1, 1.0 / 2.6, 4.8 / 2.6, "margin spiral"),
        (1.0, 164.0, 0.1, 0.625, 3.0, "both spirals"),
    ]
    .into_iter()
    .enumerate()
    {
        found.line(
            format!("{name}: price"),
            100.0,
            price(x0, b, theta, 0.0),
            Tolerance::Within(1e-6),
        );
        let eta = 1e-3;
        let got = (price(x0, b, theta, eta) - price(x0, b, theta, -eta)) / (2.0 * eta);
        found.line(
            format!("{name}: dp/dη"),
            slope,
            got,
            Tolerance::Within(1e-6),
        );
        let margin = BASE + theta * 20.0;
        found.line(
            format!("{name}: multiplier over 1 / (c m)"),
            multiplier,
            got * C * margin,
            Tolerance::Within(1e-5),
        );
        let at = case as f64 + 1.0;
        plot.expected.push([at, multiplier]);
        plot.got.push([at, got * C * margin]);
    }
    found.plot = Some(plot);
    Ok(found)
}
