//! What a run must show: the claims that a scenario's name makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One claim: `{ metric = "liquidations", is = ">=", value = 1 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The metric, by its name in the summary.
    pub metric: String,
    /// How it compares with the value.
    pub is: Comparison,
    /// The value.
    pub value: f64,
    /// The market, for a metric that each market has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
}

/// How a metric compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Comparison {
    /// Smaller.
    #[serde(rename = "<")]
    Below,
    /// Smaller or the same.
    #[serde(rename = "<=")]
    AtMost,
    /// The same.
    #[serde(rename = "=")]
    Equal,
    /// Another.
    #[serde(rename = "!=")]
    Unequal,
    /// Larger or the same.
    #[serde(rename = ">=")]
    AtLeast,
    /// Larger.
    #[serde(rename = ">")]
    Above,
}

impl Comparison {
    /// Whether a number compares so with another; never for one that isn't a number.
    pub fn holds(self, found: f64, value: f64) -> bool {
        match self {
            Self::Below => found < value,
            Self::AtMost => found <= value,
            Self::Equal => found == value,
            Self::Unequal => found < value || found > value,
            Self::AtLeast => found >= value,
            Self::Above => found > value,
        }
    }
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

impl Expectation {
    /// Whether a run that shows this number of the metric keeps the claim.
    pub fn holds(&self, found: f64) -> bool {
        self.is.holds(found, self.value)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if let Some(market) = &self.market {
            write!(f, " of {market}")?;
        }
        write!(f, " {} {}", self.is.sign(), self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undefined_number_keeps_no_claim() {
        for is in [
            Comparison::Below,
            Comparison::AtMost,
            Comparison::Equal,
            Comparison::Unequal,
            Comparison::AtLeast,
            Comparison::Above,
        ] {
            assert!(!is.holds(f64::NAN, 1.0), "{is:?}");
        }
        assert!(Comparison::Unequal.holds(2.0, 1.0));
        assert!(!Comparison::Above.holds(1.0, 1.0));
        assert!(Comparison::AtLeast.holds(1.0, 1.0));
    }
}
