//! How a surface moves: what it sticks to, how it responds to the price, and how implied volatility follows realised.
//!
//! 1. *Stickiness.* Sticky to the strike, a strike keeps its volatility whatever the price does; sticky to delta, a moneyness does.
//! 2. *Response.* `x ← 2^(−dt/half-life) x − β r` with r the log return: after a fall the level at the money of the reference tenor
//!    is x higher; of another tenor, `√(reference/T)` as much. All strikes of an expiry move by the factor of its level.
//! 3. *Following.* Variance at the money is taken as the average of a variance that is now what was realised and goes back to what is
//!    usual: `θ + c (v − θ) (1 − e^(−κT))/(κT)`, with v an exponentially weighted mean of squared returns, θ the usual variance and
//!    c the share of the gap that is priced. All strikes of an expiry move by the root of that over θ. So short expiries follow
//!    realised volatility and long ones don't.
//!
//! The factors keep a smile's shape. They are not checked for arbitrage as they move: a response that lifts short expiries far above
//! long ones inverts the term structure, as falls do.
//!
//! # Invariants
//!
//! - `sticky_strikes_keep_their_volatility_and_sticky_deltas_their_moneyness`, `a_fall_lifts_and_time_forgets`,
//!   `short_expiries_follow_realised_volatility`.
//!
//! # Reference
//!
//! Derman, E. (1999), "Regimes of volatility", Risk; Bergomi, L. (2016), "Stochastic Volatility Modeling", ch. 9 (the response
//! of the level at the money); the averaged mean-reverting variance: Heston (1993).

use crate::math::ops;
use crate::unit::Span;
use crate::unit::span::YEAR;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What keeps its volatility when the price moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stickiness {
    /// A moneyness, and so a delta: the smile moves with the price.
    #[default]
    Delta,
    /// A strike: the smile stays where it is.
    Strike,
}

/// The tenor at which a response is stated.
fn reference() -> Span {
    Span::seconds(30.0 * 86_400.0)
}
fn forgotten() -> Span {
    Span::seconds(86_400.0)
}

/// How the level of volatility responds to the price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Rise of the volatility at the money per unit of log return that the price falls: 1.5 lifts it by 15 points in a fall of 10 %.
    pub beta: f64,
    /// Time after which half of a response is gone.
    #[serde(default = "forgotten")]
    pub half_life: Span,
    /// The tenor whose level responds by that; of other tenors, by the root of their ratio to it.
    #[serde(default = "reference")]
    pub tenor: Span,
}

/// How implied volatility follows realised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// Realised volatility per year at which the surface is what it says.
    pub usual: f64,
    /// Half-life of the weights of squared returns.
    #[serde(default = "forgotten")]
    pub half_life: Span,
    /// Time after which half of a gap between realised and usual variance is expected to be gone.
    #[serde(default = "reference")]
    pub reversion: Span,
    /// Share of the gap that is priced: 0 to 1.
    #[serde(default = "whole")]
    pub share: f64,
}

const fn whole() -> f64 {
    1.0
}

impl Response {
    /// What is wrong with it: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !self.beta.is_finite() {
            problems.push((
                "beta".to_owned(),
                format!("found {}, expected a finite number", self.beta),
            ));
        }
        if !(self.tenor > Span::ZERO && self.tenor < Span::NEVER) {
            problems.push((
                "tenor".to_owned(),
                format!("found {}, expected a time such as \"30d\"", self.tenor),
            ));
        }
        problems
    }
}

impl Follow {
    /// What is wrong with it: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.usual > 0.0 && self.usual.is_finite()) {
            problems.push((
                "usual".to_owned(),
                format!("found {}, expected a volatility greater than 0", self.usual),
            ));
        }
        if !(0.0..=1.0).contains(&self.share) {
            problems.push((
                "share".to_owned(),
                format!("found {}, expected a share from 0 to 1", self.share),
            ));
        }
        if self.reversion <= Span::ZERO {
            problems.push(("reversion".to_owned(), "must be longer than 0".to_owned()));
        }
        if !(self.half_life > Span::ZERO && self.half_life < Span::NEVER) {
            problems.push((
                "half_life".to_owned(),
                format!("found {}, expected a time longer than 0", self.half_life),
            ));
        }
        problems
    }
}

/// Where a surface lies and how high.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    start: f64,
    stickiness: Stickiness,
    response: Option<Response>,
    follow: Option<Follow>,
    last: f64,
    /// What the level at the money of the reference tenor has risen by.
    level: f64,
    /// Realised variance a year.
    realised: f64,
}

impl State {
    pub(super) fn new(
        start: f64,
        stickiness: Stickiness,
        response: Option<Response>,
        follow: Option<Follow>,
    ) -> Self {
        Self {
            start,
            stickiness,
            response,
            follow,
            last: start,
            level: 0.0,
            realised: follow.map_or(0.0, |follow| follow.usual * follow.usual),
        }
    }

    pub(super) fn step(&mut self, spot: f64, dt: f64) {
        if self.still() {
            return;
        }
        let ret = ops::ln(spot / self.last);
        self.last = spot;
        let seconds = dt * YEAR;
        if let Some(response) = self.response {
            let kept = ops::halved(seconds, response.half_life.as_seconds());
            self.level = kept * self.level - response.beta * ret;
        }
        if let Some(follow) = self.follow {
            let kept = ops::halved(seconds, follow.half_life.as_seconds());
            self.realised = kept * self.realised + (1.0 - kept) * ret * ret / dt;
        }
    }

    /// Whether nothing but the price moves the surface.
    #[inline]
    pub(super) const fn still(&self) -> bool {
        self.response.is_none() && self.follow.is_none()
    }

    /// The forward from which moneyness is reckoned.
    #[inline]
    pub(super) const fn center(&self, forward: f64) -> f64 {
        match self.stickiness {
            Stickiness::Delta => forward,
            Stickiness::Strike => self.start,
        }
    }

    /// What multiplies the volatilities of a tenor whose level at the money is `money`.
    pub(super) fn factor(&self, money: f64, years: f64) -> f64 {
        let mut factor = 1.0;
        if let Some(follow) = self.follow {
            let usual = follow.usual * follow.usual;
            let kappa_t = std::f64::consts::LN_2 * years * YEAR / follow.reversion.as_seconds();
            let average = if kappa_t < 1e-8 {
                1.0
            } else {
                (1.0 - ops::exp(-kappa_t)) / kappa_t
            };
            let variance = usual + follow.share * (self.realised - usual) * average;
            factor *= (variance / usual).max(0.0).sqrt();
        }
        if let Some(response) = self.response {
            // A tenor of less than a day moves as a day does.
            let tenor = (years * YEAR).max(86_400.0);
            let level = self.level * (response.tenor.as_seconds() / tenor).sqrt();
            factor *= (1.0 + level / money).max(0.0);
        }
        factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::svi::Svi;
    use crate::surface::{Shape, Slice, Smile, Surface};

    const DAY: f64 = 1.0 / 365.0;

    fn skewed(
        stickiness: Stickiness,
        response: Option<Response>,
        follow: Option<Follow>,
    ) -> Surface {
        let svi = Svi {
            a: 0.01,
            b: 0.08,
            rho: -0.5,
            m: 0.0,
            sigma: 0.15,
        };
        let smile = Smile::Svi(svi);
        let shape = Shape::new(vec![Slice {
            years: 30.0 * DAY,
            smile,
        }]);
        Surface::new(shape, 100.0, stickiness, response, follow)
    }

    #[test]
    fn sticky_strikes_keep_their_volatility_and_sticky_deltas_their_moneyness() {
        let strike = skewed(Stickiness::Strike, None, None);
        let delta = skewed(Stickiness::Delta, None, None);
        let years = 30.0 * DAY;
        for at in [90.0, 100.0, 120.0] {
            assert_eq!(
                strike.volatility(years, at, 100.0),
                strike.volatility(years, at, 80.0)
            );
            let (here, there) = (
                delta.volatility(years, at, 100.0),
                delta.volatility(years, 0.8 * at, 80.0),
            );
            assert!((here - there).abs() < 1e-14);
        }
        // Down the skew the level at the money rises by itself.
        assert!(strike.at_the_money(years, 80.0) > strike.at_the_money(years, 100.0) + 0.02);
        assert!((delta.at_the_money(years, 80.0) - delta.at_the_money(years, 100.0)).abs() < 1e-15);
    }

    #[test]
    fn a_fall_lifts_and_time_forgets() {
        let response = Response {
            beta: 1.5,
            half_life: Span::seconds(3_600.0),
            tenor: Span::seconds(30.0 * 86_400.0),
        };
        let mut surface = skewed(Stickiness::Delta, Some(response), None);
        let (month, quarter) = (30.0 * DAY, 120.0 * DAY);
        let before = (
            surface.at_the_money(month, 100.0),
            surface.at_the_money(quarter, 100.0),
        );
        let fallen = 100.0 * ops::exp(-0.1);
        surface.step(fallen, 0.0);
        let after = (
            surface.at_the_money(month, fallen),
            surface.at_the_money(quarter, fallen),
        );
        assert!((after.0 - before.0 - 0.15).abs() < 1e-12, "{after:?}");
        assert!((after.1 - before.1 - 0.075).abs() < 1e-12, "{after:?}");
        surface.step(fallen, 3_600.0 / YEAR);
        assert!((surface.at_the_money(month, fallen) - before.0 - 0.075).abs() < 1e-12);
        let mut falling = surface.clone();
        falling.step(1e6, 0.0);
        assert_eq!(falling.at_the_money(month, 1e6), crate::surface::LEAST);
    }

    #[test]
    fn short_expiries_follow_realised_volatility() {
        let follow = Follow {
            usual: 0.5,
            half_life: Span::seconds(3_600.0),
            reversion: Span::seconds(7.0 * 86_400.0),
            share: 1.0,
        };
        let mut surface = skewed(Stickiness::Delta, None, Some(follow));
        let ratio = |surface: &Surface, days: f64| {
            let base = skewed(Stickiness::Delta, None, None).at_the_money(days * DAY, 100.0);
            surface.at_the_money(days * DAY, 100.0) / base
        };
        assert!((ratio(&surface, 1.0) - 1.0).abs() < 1e-12);
        // A day of minutes at 150 % a year: the mean is as good as that.
        let dt = 60.0 / YEAR;
        let ret = 1.5 * dt.sqrt();
        let mut price = 100.0;
        for step in 0..1_440 {
            price *= ops::exp(if step % 2 == 0 { ret } else { -ret });
            surface.step(price, dt);
        }
        let kappa_t = std::f64::consts::LN_2 / 7.0;
        let expected = |days: f64| {
            let x = kappa_t * days;
            ((0.25 + 2.0 * (1.0 - ops::exp(-x)) / x) / 0.25).sqrt()
        };
        for days in [1.0, 30.0, 180.0] {
            assert!(
                (ratio(&surface, days) - expected(days)).abs() < 1e-3,
                "{days}"
            );
        }
        assert!(ratio(&surface, 1.0) > 2.8 && ratio(&surface, 180.0) < 1.4);
    }
}
