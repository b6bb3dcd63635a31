//! What is wrong with a strategy's settings, collected key by key.

use crate::math::sample::Sampled;
use crate::unit::Span;

/// Problems found so far: (key, sentence).
#[derive(Default)]
pub(super) struct Findings(Vec<(String, String)>);

impl Findings {
    pub(super) fn check(&mut self, ok: bool, key: &str, text: impl FnOnce() -> String) {
        if !ok {
            self.0.push((key.to_owned(), text()));
        }
    }
    pub(super) fn positive(&mut self, key: &str, number: f64) {
        self.check(number.is_finite() && number > 0.0, key, || {
            format!("must be greater than 0, found {number}")
        });
    }
    pub(super) fn not_negative(&mut self, key: &str, number: f64) {
        self.check(number.is_finite() && number >= 0.0, key, || {
            format!("must not be negative, found {number}")
        });
    }
    pub(super) fn at_least_one(&mut self, key: &str, number: f64) {
        self.check(number.is_finite() && number >= 1.0, key, || {
            format!("must be at least 1, found {number}")
        });
    }
    /// A length of time that passes within a run.
    pub(super) fn lasting(&mut self, key: &str, span: Span) {
        self.check(
            span > Span::ZERO && span.as_seconds().is_finite(),
            key,
            || format!("must be longer than 0 and not \"never\", found {span}"),
        );
    }
    pub(super) fn drawn(&mut self, key: &str, sampled: &Sampled) {
        if let Some(text) = sampled.problem() {
            self.0.push((key.to_owned(), text));
        } else {
            self.check(sampled.min() >= 0.0, key, || {
                format!("must not be negative, but {} can be drawn", sampled.min())
            });
        }
    }
    pub(super) fn list(self) -> Vec<(String, String)> {
        self.0
    }
}
