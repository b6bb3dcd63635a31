//! SVI of one expiry, `w(k) = a + b (ρ (k − m) + √((k − m)² + σ²))`, and SSVI, one surface of them:
//! `w(k, θ) = θ/2 (1 + ρ φ k + √((φ k + ρ)² + 1 − ρ²))` with θ the total variance at the money and `φ = η θ^(−γ)`.
//!
//! # Invariants
//!
//! - `ssvi_slices_are_svi`.
//!
//! # Reference
//!
//! Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces", sections 3 and 4.

use crate::math::ops;

/// The raw parameters of one expiry, of its total variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Svi {
    /// Level.
    pub a: f64,
    /// Slope of the wings together; 0 or more.
    pub b: f64,
    /// Turn: −1 to 1; negative where low strikes are dearer.
    pub rho: f64,
    /// Log-moneyness of the turning point.
    pub m: f64,
    /// Width of the turn; positive.
    pub sigma: f64,
}

impl Svi {
    /// Total variance at a log-moneyness.
    #[inline]
    pub fn variance(&self, k: f64) -> f64 {
        let x = k - self.m;
        self.a + self.b * (self.rho * x + (x * x + self.sigma * self.sigma).sqrt())
    }
    /// Total variance and its first two derivatives by log-moneyness.
    pub fn derivatives(&self, k: f64) -> [f64; 3] {
        let x = k - self.m;
        let root = (x * x + self.sigma * self.sigma).sqrt();
        [
            self.a + self.b * (self.rho * x + root),
            self.b * (self.rho + x / root),
            self.b * self.sigma * self.sigma / (root * root * root),
        ]
    }
    /// The least total variance of any strike.
    pub fn least(&self) -> f64 {
        self.a + self.b * self.sigma * (1.0 - self.rho * self.rho).max(0.0).sqrt()
    }
    /// What is wrong with the parameters alone: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut refuse = |bad: bool, key: &str, text: String| {
            if bad {
                problems.push((key.to_owned(), text));
            }
        };
        for (key, found) in [("a", self.a), ("m", self.m)] {
            refuse(
                !found.is_finite(),
                key,
                format!("found {found}, expected a finite number"),
            );
        }
        refuse(
            !(self.b >= 0.0 && self.b.is_finite()),
            "b",
            format!("found {}, expected a number of 0 or more", self.b),
        );
        refuse(
            !(-1.0 < self.rho && self.rho < 1.0),
            "rho",
            format!("found {}, expected a number between -1 and 1", self.rho),
        );
        refuse(
            !(self.sigma > 0.0 && self.sigma.is_finite()),
            "sigma",
            format!("found {}, expected a number greater than 0", self.sigma),
        );
        if problems.is_empty() {
            let least = self.least();
            if least < 0.0 {
                problems.push((
                    "a".to_owned(),
                    format!(
                        "the least total variance, a + b sigma sqrt(1 - rho^2), is {least:.6}: raise a to at least {:.6}",
                        self.a - least
                    ),
                ));
            }
            let steepest = self.b * (1.0 + self.rho.abs());
            if steepest > 2.0 {
                problems.push((
                    "b".to_owned(),
                    format!(
                        "the steeper wing, b (1 + |rho|), is {steepest:.4}: beyond 2 far strikes would be free money (Lee 2004)"
                    ),
                ));
            }
        }
        problems
    }
}

/// A whole surface by three numbers and the volatilities at the money.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ssvi {
    /// Turn: −1 to 1.
    pub rho: f64,
    /// Steepness.
    pub eta: f64,
    /// How steepness fades with variance: 0 to 1.
    pub gamma: f64,
}

impl Ssvi {
    /// The slice whose total variance at the money is `theta`.
    pub fn slice(&self, theta: f64) -> Svi {
        let phi = self.eta * ops::pow(theta, -self.gamma);
        let width = (1.0 - self.rho * self.rho).sqrt();
        Svi {
            a: 0.5 * theta * (1.0 - self.rho * self.rho),
            b: 0.5 * theta * phi,
            rho: self.rho,
            m: -self.rho / phi,
            sigma: width / phi,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssvi_slices_are_svi() {
        let ssvi = Ssvi {
            rho: -0.4,
            eta: 1.1,
            gamma: 0.45,
        };
        let theta = 0.05;
        let (slice, phi) = (ssvi.slice(theta), ssvi.eta * ops::pow(theta, -ssvi.gamma));
        for k in [-0.8, -0.1, 0.0, 0.3, 1.2] {
            let x = phi * k + ssvi.rho;
            let w = 0.5
                * theta
                * (1.0 + ssvi.rho * phi * k + (x * x + 1.0 - ssvi.rho * ssvi.rho).sqrt());
            assert!((slice.variance(k) - w).abs() < 1e-15, "{k}");
        }
        assert!((slice.variance(0.0) - theta).abs() < 1e-15);
    }

    #[test]
    fn derivatives_are_those_of_the_variance() {
        let svi = Svi {
            a: 0.02,
            b: 0.3,
            rho: -0.5,
            m: 0.1,
            sigma: 0.2,
        };
        for k in [-1.0, 0.0, 0.1, 0.7] {
            let h = 1e-4;
            let [w, first, second] = svi.derivatives(k);
            let (up, down) = (svi.variance(k + h), svi.variance(k - h));
            assert_eq!(w, svi.variance(k));
            assert!((first - (up - down) / (2.0 * h)).abs() < 1e-6);
            assert!((second - (up - 2.0 * w + down) / (h * h)).abs() < 1e-5);
        }
    }

    #[test]
    fn parameters_that_are_no_variance_are_refused() {
        let good = Svi {
            a: 0.04,
            b: 0.1,
            rho: -0.3,
            m: 0.0,
            sigma: 0.1,
        };
        assert!(good.problems().is_empty());
        let key = |svi: Svi| svi.problems().first().map(|(key, _)| key.clone());
        assert_eq!(key(Svi { a: -0.1, ..good }).as_deref(), Some("a"));
        assert_eq!(key(Svi { b: 1.9, ..good }).as_deref(), Some("b"));
        assert_eq!(key(Svi { rho: 1.0, ..good }).as_deref(), Some("rho"));
        assert_eq!(key(Svi { sigma: 0.0, ..good }).as_deref(), Some("sigma"));
    }
}
