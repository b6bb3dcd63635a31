//! Black's formula: the price of a European option on a forward, undiscounted, and its derivatives.
//!
//! `C = F Φ(d₁) − K Φ(d₂)`, `P = K Φ(−d₂) − F Φ(−d₁)`, `d₁ = ln(F/K)/s + s/2`, `d₂ = d₁ − s`, `s = σ√T`.
//! An option in the money is its intrinsic value and the price of the other right, so that put–call parity holds to the last
//! bits and the time value of an option far in the money isn't lost.
//!
//! # Units
//!
//! Price and strike in one unit; delta and gamma per unit of the forward; vega, vanna and volga per 1.00 of volatility;
//! theta per year that passes.
//!
//! # Invariants
//!
//! - `puts_and_calls_are_at_parity`, `prices_are_monotone_and_convex`, `greeks_are_the_derivatives_of_the_price`.
//!
//! # Reference
//!
//! Black, F. (1976), "The pricing of commodity contracts", Journal of Financial Economics 3.

use super::Right;
use crate::math::ops;

/// A price and its derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Greeks {
    /// The price.
    pub price: f64,
    /// ∂price/∂forward.
    pub delta: f64,
    /// ∂²price/∂forward².
    pub gamma: f64,
    /// ∂price/∂volatility.
    pub vega: f64,
    /// Change of the price per year that passes, at an unchanged forward and volatility: never positive.
    pub theta: f64,
    /// ∂delta/∂volatility.
    pub vanna: f64,
    /// ∂vega/∂volatility.
    pub volga: f64,
}

/// Price of an option out of the money or at it, for `s = σ√T > 0`.
#[inline]
fn outside(forward: f64, strike: f64, s: f64, right: Right) -> f64 {
    let d1 = ops::ln(forward / strike) / s + 0.5 * s;
    let sign = right.sign();
    let price =
        sign * (forward * ops::normal_cdf(sign * d1) - strike * ops::normal_cdf(sign * (d1 - s)));
    price.max(0.0)
}

/// Black's price, undiscounted; the intrinsic value at expiry or without volatility.
#[inline]
pub fn black76(forward: f64, strike: f64, years: f64, volatility: f64, right: Right) -> f64 {
    price(forward, strike, volatility * years.max(0.0).sqrt(), right)
}

/// Black's price for a deviation `s = σ√T`.
pub fn price(forward: f64, strike: f64, s: f64, right: Right) -> f64 {
    let intrinsic = right.intrinsic(forward, strike);
    if !(s > 0.0 && forward > 0.0 && strike > 0.0) {
        return intrinsic;
    }
    let out = match forward < strike {
        true => Right::Call,
        false => Right::Put,
    };
    intrinsic + outside(forward, strike, s, out)
}

/// Gamma for a deviation `s = σ√T > 0`: the density of the forward at the strike, per unit of the forward.
#[inline]
pub fn gamma(forward: f64, strike: f64, s: f64) -> f64 {
    let d1 = ops::ln(forward / strike) / s + 0.5 * s;
    ops::normal_density(d1) / (forward * s)
}

/// Delta for a deviation `s = σ√T`; without any, a slope of the intrinsic value, one half at the strike. Always a slope that
/// touches the price from below.
pub fn delta(forward: f64, strike: f64, s: f64, right: Right) -> f64 {
    let sign = right.sign();
    if s > 0.0 && forward > 0.0 && strike > 0.0 {
        let d1 = ops::ln(forward / strike) / s + 0.5 * s;
        return sign * ops::normal_cdf(sign * d1);
    }
    let share = match sign * (forward - strike) {
        x if x > 0.0 => 1.0,
        x if x < 0.0 => 0.0,
        _ => 0.5,
    };
    sign * share
}

/// The largest gamma while the forward is between two prices. As a function of the forward it has one peak, at
/// `K e^(−3s²/2)`, where d₁ = −s.
pub fn largest_gamma(low: f64, high: f64, strike: f64, s: f64) -> f64 {
    if s <= 0.0 {
        return if low <= strike && strike <= high {
            f64::INFINITY
        } else {
            0.0
        };
    }
    let peak = strike * ops::exp(-1.5 * s * s);
    gamma(peak.clamp(low, high), strike, s)
}

/// Black's price and its derivatives; without time or volatility left, those of the intrinsic value, with a delta of one half
/// at the strike.
pub fn greeks(forward: f64, strike: f64, years: f64, volatility: f64, right: Right) -> Greeks {
    let years = years.max(0.0);
    let root = years.sqrt();
    let s = volatility * root;
    let sign = right.sign();
    if !(s > 0.0 && forward > 0.0 && strike > 0.0) {
        return Greeks {
            price: right.intrinsic(forward, strike),
            delta: delta(forward, strike, s, right),
            ..Greeks::default()
        };
    }
    let d1 = ops::ln(forward / strike) / s + 0.5 * s;
    let d2 = d1 - s;
    let density = ops::normal_density(d1);
    let vega = forward * density * root;
    Greeks {
        price: price(forward, strike, s, right),
        delta: sign * ops::normal_cdf(sign * d1),
        gamma: density / (forward * s),
        vega,
        theta: -0.5 * forward * density * volatility / root,
        vanna: -density * d2 / volatility,
        volga: vega * d1 * d2 / volatility,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Right; 2] = [Right::Call, Right::Put];

    #[test]
    fn the_hedgers_golden_to_the_last_printed_digit() {
        // facts of the delta-hedger feedback: S = K = 100, σ = 0.5, 30 days.
        let at = greeks(100.0, 100.0, 30.0 / 365.0, 0.5, Right::Call);
        assert!((at.gamma - 0.027_759_419_8).abs() < 5e-11, "{}", at.gamma);
        assert!((at.delta - 0.528_568_8).abs() < 5e-8, "{}", at.delta);
    }

    #[test]
    fn examples_of_the_textbook() {
        // Hull, Options, Futures and Other Derivatives: a European put on crude oil futures (Black's model), F = K = 20, four
        // months, 9 %, 25 %: 1.12; undiscounted that is e^(rT) as much.
        let put = black76(20.0, 20.0, 4.0 / 12.0, 0.25, Right::Put) * ops::exp(-0.09 * 4.0 / 12.0);
        assert!((put - 1.12).abs() < 0.005, "{put}");
        // The same book's stock: S = 42, K = 40, r = 10 %, σ = 20 %, half a year: call 4.76, put 0.81.
        let (growth, discount) = (ops::exp(0.05), ops::exp(-0.05));
        let call = discount * black76(42.0 * growth, 40.0, 0.5, 0.2, Right::Call);
        let put = discount * black76(42.0 * growth, 40.0, 0.5, 0.2, Right::Put);
        assert!(
            (call - 4.76).abs() < 0.005 && (put - 0.81).abs() < 0.005,
            "{call} {put}"
        );
        // And its chapter on greeks: S = 49, K = 50, r = 5 %, σ = 20 %, 20 weeks: delta 0.522, gamma 0.066, vega 12.1.
        let years = 0.3846;
        let forward = 49.0 * ops::exp(0.05 * years);
        let at = greeks(forward, 50.0, years, 0.2, Right::Call);
        assert!((at.delta - 0.522).abs() < 5e-4, "{}", at.delta);
        // d²/dS² = e^(rT) d²/dF², after discounting.
        assert!(
            (at.gamma * ops::exp(0.05 * years) - 0.066).abs() < 5e-4,
            "{}",
            at.gamma
        );
        assert!(
            (at.vega * ops::exp(-0.05 * years) - 12.1).abs() < 0.05,
            "{}",
            at.vega
        );
    }

    #[test]
    fn without_time_or_volatility_only_the_intrinsic_value_is_left() {
        for (years, volatility) in [(0.0, 0.5), (0.1, 0.0), (-1.0, 0.5)] {
            assert_eq!(black76(110.0, 100.0, years, volatility, Right::Call), 10.0);
            assert_eq!(black76(110.0, 100.0, years, volatility, Right::Put), 0.0);
            let at = greeks(90.0, 100.0, years, volatility, Right::Put);
            assert_eq!((at.price, at.delta, at.gamma), (10.0, -1.0, 0.0));
            assert_eq!(
                greeks(100.0, 100.0, years, volatility, Right::Call).delta,
                0.5
            );
        }
        assert_eq!(largest_gamma(90.0, 99.0, 100.0, 0.0), 0.0);
        assert_eq!(largest_gamma(90.0, 101.0, 100.0, 0.0), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn puts_and_calls_are_at_parity(
            strike in 1.0f64..1e6, money in -1.5f64..1.5, years in 1e-4f64..3.0, volatility in 0.01f64..4.0,
        ) {
            let forward = strike * ops::exp(money);
            let [call, put] = BOTH.map(|right| black76(forward, strike, years, volatility, right));
            prop_assert!((call - put - (forward - strike)).abs() <= 1e-12 * forward.max(strike));
            for (right, price) in BOTH.into_iter().zip([call, put]) {
                prop_assert!(price >= right.intrinsic(forward, strike));
            }
            prop_assert!(call <= forward && put <= strike);
        }

        #[test]
        fn prices_are_monotone_and_convex(
            money in -0.8f64..0.8, years in 1e-3f64..2.0, volatility in 0.05f64..3.0, step in 0.001f64..0.2,
        ) {
            let strike = 100.0;
            let forward = strike * ops::exp(money);
            let slack = 1e-11;
            for right in BOTH {
                let at = |f: f64, t: f64, v: f64| black76(f, strike, t, v, right);
                let base = at(forward, years, volatility);
                prop_assert!(at(forward, years * (1.0 + step), volatility) >= base - slack);
                prop_assert!(at(forward, years, volatility * (1.0 + step)) >= base - slack);
                let (down, up) = (at(forward * (1.0 - step), years, volatility), at(forward * (1.0 + step), years, volatility));
                prop_assert!(right.sign() * (up - base) >= -slack && right.sign() * (base - down) >= -slack);
                prop_assert!(up + down - 2.0 * base >= -slack);
                let over_strikes = |k: f64| black76(forward, k, years, volatility, right);
                let wings = over_strikes(strike * (1.0 + step)) + over_strikes(strike * (1.0 - step));
                prop_assert!(wings - 2.0 * base >= -slack);
            }
        }

        #[test]
        fn greeks_are_the_derivatives_of_the_price(
            money in -1.0f64..1.0, years in 0.01f64..2.0, volatility in 0.1f64..2.0, put in any::<bool>(),
        ) {
            let (strike, right) = (100.0, BOTH[usize::from(put)]);
            let forward = strike * ops::exp(money * volatility * years.sqrt() * 2.0);
            let at = |f: f64, t: f64, v: f64| greeks(f, strike, t, v, right);
            let here = at(forward, years, volatility);
            prop_assert_eq!(here.price, black76(forward, strike, years, volatility, right));
            let (df, dt, dv) = (1e-5 * forward, 1e-5 * years, 1e-5 * volatility);
            let (f1, f0) = (at(forward + df, years, volatility), at(forward - df, years, volatility));
            let (t1, t0) = (at(forward, years + dt, volatility), at(forward, years - dt, volatility));
            let (v1, v0) = (at(forward, years, volatility + dv), at(forward, years, volatility - dv));
            let near = |name: &str, found: f64, expected: f64, scale: f64| {
                prop_assert!((found - expected).abs() <= 1e-6 * scale, "{name}: {found}, by differences {expected}");
                Ok(())
            };
            near("delta", here.delta, (f1.price - f0.price) / (2.0 * df), 1.0)?;
            near("gamma", here.gamma, (f1.delta - f0.delta) / (2.0 * df), 1.0 / (forward * volatility * years.sqrt()))?;
            near("theta", here.theta, -(t1.price - t0.price) / (2.0 * dt), forward / years)?;
            near("vega", here.vega, (v1.price - v0.price) / (2.0 * dv), forward / volatility)?;
            near("vanna", here.vanna, (v1.delta - v0.delta) / (2.0 * dv), 1.0 / volatility)?;
            near("volga", here.volga, (v1.vega - v0.vega) / (2.0 * dv), forward / (volatility * volatility))?;
        }

        #[test]
        fn no_gamma_exceeds_the_largest(
            low in 20.0f64..150.0, width in 0.0f64..100.0, share in 0.0f64..1.0, s in 0.005f64..2.0,
        ) {
            let most = largest_gamma(low, low + width, 100.0, s);
            prop_assert!(gamma(low + share * width, 100.0, s) <= most * (1.0 + 1e-12));
        }
    }
}
