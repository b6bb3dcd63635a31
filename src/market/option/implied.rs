//! Implied volatility: the one at which Black's formula gives a price.
//!
//! The time value is that of the option out of the money, `b(s) = price/√(FK)` with `x = −|ln(F/K)|`. Its logarithm is increasing
//! in s, and Halley's steps on `ln b` from the inflection point `√(2|x|)` converge from below as from above; a bracket that
//! shrinks with every evaluation catches those that leave it, and is bisected then. What the price itself no longer tells (an
//! option so deep in the money, or so dear, that its price doesn't depend on the volatility) isn't there to be found.
//!
//! # Invariants
//!
//! - `volatilities_survive_the_round_trip`: to 10⁻¹⁰, wherever the price determines it so far.
//!
//! # Reference
//!
//! Jäckel, P. (2006), "By implication", Wilmott: the transformed objective and the starting point.

use super::Right;
use super::black;
use crate::math::ops;

const STEPS: u32 = 128;
/// `s = σ√T` beyond which a price is its upper bound to the last bit.
const LARGEST: f64 = 64.0;

/// The volatility at which Black's formula gives this undiscounted price. `Some(0.0)` for the intrinsic value; `None` for
/// anything below it, at the upper bound (the forward for a call, the strike for a put) or above, and without time left.
pub fn implied_volatility(
    price: f64,
    forward: f64,
    strike: f64,
    years: f64,
    right: Right,
) -> Option<f64> {
    if !(forward > 0.0 && strike > 0.0 && years > 0.0 && forward.is_finite() && strike.is_finite())
    {
        return None;
    }
    let value = price - right.intrinsic(forward, strike);
    let out = match forward < strike {
        true => Right::Call,
        false => Right::Put,
    };
    let bound = forward.min(strike);
    if !(value >= 0.0 && value < bound) {
        return None;
    }
    if value == 0.0 {
        return Some(0.0);
    }
    let x = ops::ln(forward / strike);
    let time_value = |s: f64| black::price(forward, strike, s, out);
    let target = ops::ln(value);
    let (mut low, mut high) = (0.0, LARGEST);
    // Where x = 0, b(s) ≈ s/√(2π).
    let mut s = (2.0 * x.abs())
        .sqrt()
        .max(2.5 * value / bound)
        .min(0.5 * LARGEST);
    for _ in 0..STEPS {
        let found = time_value(s);
        if found == value {
            break;
        }
        match found < value {
            true => low = s,
            false => high = s,
        }
        // ∂price/∂s = F φ(d₁); its own logarithm's derivative is d₁ d₂ / s.
        let d1 = x / s + 0.5 * s;
        let slope = forward * ops::normal_density(d1);
        let next = if found > 0.0 && slope > 0.0 {
            let gap = ops::ln(found) - target;
            let first = slope / found;
            let second = first * (d1 * (d1 - s) / s - first);
            let newton = gap / first;
            let halley = newton / (1.0 - 0.5 * newton * second / first).max(0.5);
            s - halley
        } else {
            f64::NAN
        };
        let inside = low < next && next < high;
        let next = if inside { next } else { 0.5 * (low + high) };
        if (next - s).abs() <= 1e-16 * s || next <= low || next >= high {
            s = next.clamp(low, high);
            break;
        }
        s = next;
    }
    Some(s / years.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::option::black76;

    #[test]
    fn volatilities_survive_the_round_trip() {
        let (mut seen, mut worst) = (0, 0.0f64);
        let forward = 60_000.0f64;
        for years in [
            1.0 / 8_760.0,
            1.0 / 365.0,
            7.0 / 365.0,
            30.0 / 365.0,
            0.5,
            2.0,
        ] {
            for volatility in [0.01, 0.05, 0.2, 0.5, 0.8, 1.2, 2.5, 5.0] {
                for deviations in -24..=24 {
                    let s = volatility * f64::sqrt(years);
                    let strike = forward * ops::exp(0.25 * f64::from(deviations) * s);
                    for right in [Right::Call, Right::Put] {
                        let price = black76(forward, strike, years, volatility, right);
                        let vega = black::greeks(forward, strike, years, volatility, right).vega;
                        // A price is known to half its last bit; where that is worth more than 10⁻¹¹ of volatility it can't
                        // tell any more.
                        if price * f64::EPSILON > 1e-11 * vega {
                            continue;
                        }
                        let found =
                            implied_volatility(price, forward, strike, years, right).unwrap();
                        worst = worst.max((found - volatility).abs());
                        seen += 1;
                    }
                }
            }
        }
        assert!(worst < 1e-10, "{worst}");
        assert!(seen > 3_000, "{seen}");
    }

    #[test]
    fn far_out_of_the_money_the_smallest_price_still_tells() {
        for strike in [200.0, 400.0, 1_000.0] {
            let price = black76(100.0, strike, 0.25, 0.3, Right::Call);
            assert!(price < 1e-4);
            let found = implied_volatility(price, 100.0, strike, 0.25, Right::Call).unwrap();
            assert!((found - 0.3).abs() < 1e-10, "{strike}: {price} {found}");
        }
    }

    #[test]
    fn prices_that_no_volatility_gives_have_none() {
        let implied = |price, right| implied_volatility(price, 110.0, 100.0, 0.5, right);
        assert_eq!(implied(9.99, Right::Call), None);
        assert_eq!(implied(10.0, Right::Call), Some(0.0));
        assert_eq!(implied(110.0, Right::Call), None);
        assert_eq!(implied(100.0, Right::Put), None);
        assert_eq!(implied(f64::NAN, Right::Put), None);
        assert_eq!(
            implied_volatility(12.0, 110.0, 100.0, 0.0, Right::Call),
            None
        );
    }
}
