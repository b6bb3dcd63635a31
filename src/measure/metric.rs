//! A metric: a number that says what it is called, what it is in, and which way is better.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// What a number is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Settlement currency.
    Currency,
    /// A part of a whole: 0.01 is one per cent.
    Share,
    /// A multiple: 1 is equal.
    Ratio,
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// 10⁻⁴ of a price.
    BasisPoints,
    /// The smallest amounts of money in the ledger.
    Quanta,
}

impl Unit {
    /// The unit's name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Currency => "settlement_currency",
            Self::Share => "share",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::BasisPoints => "basis_points",
            Self::Quanta => "quanta",
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither is.
    Neutral,
}

impl Direction {
    /// The direction's name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower_is_better",
            Self::Higher => "higher_is_better",
            Self::Neutral => "neutral",
        }
    }
}

/// What a metric is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each market.
    Market,
    /// The whole world.
    World,
}

/// Under which heading a metric is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What prices did.
    Price,
    /// What the book did.
    Liquidity,
    /// Who was liquidated.
    Liquidation,
    /// Whether a small move would have financed itself.
    Spiral,
    /// What had to be held.
    Margin,
    /// Who paid.
    Loss,
    /// What keepers took, and what that cost.
    Keepers,
    /// What became of margin calls.
    Calls,
    /// Whether liquidations came too early or too late.
    Quality,
    /// What traders did.
    Traders,
    /// What fail-safes did, and what broke.
    Safety,
    /// What was foreseen of spirals, and what came.
    Warning,
    /// Why liquidations began.
    Genealogy,
    /// What would have to hold for a spiral to stop.
    Design,
    /// Whether the numbers add up.
    Engine,
    /// The run against its twin.
    Feedback,
    /// The run against the same without fail-safes.
    Unguarded,
}

impl Group {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Price => "Price",
            Self::Liquidity => "Liquidity",
            Self::Liquidation => "Liquidations",
            Self::Spiral => "Reproduction number",
            Self::Margin => "Margin",
            Self::Loss => "Losses, and who paid them",
            Self::Keepers => "Keepers and auctions",
            Self::Calls => "Margin calls",
            Self::Quality => "Quality of liquidations",
            Self::Traders => "Traders",
            Self::Safety => "Fail-safes and faults",
            Self::Warning => "Early warning: R foreseen and realised",
            Self::Genealogy => "Why: the genealogy of liquidations",
            Self::Design => "Design: what would stop a spiral",
            Self::Engine => "Engine",
            Self::Feedback => "Feedback: the run over its twin without impact",
            Self::Unguarded => "Fail-safes: the run against the same without them",
        }
    }
}

/// One metric as it is defined, before any run.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name, unique in the catalogue.
    pub name: &'static str,
    /// What it is in.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// What it is measured for.
    pub scope: Scope,
    /// Its heading.
    pub group: Group,
    /// Two or three words to print.
    pub label: &'static str,
    /// Its formula in a sentence.
    pub text: &'static str,
}

impl Definition {
    /// Whether it exists only where the run has a twin.
    pub fn needs_twin(&self) -> bool {
        matches!(self.group, Group::Feedback | Group::Unguarded)
    }
}

/// One metric as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// What it is.
    pub definition: &'static Definition,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// The number; nothing where there is none (a half-life of a fall that never recovered).
    pub value: Option<f64>,
}

impl Metric {
    /// A metric; a value that is not a number counts as none.
    pub fn new(definition: &'static Definition, market: Option<&str>, value: Option<f64>) -> Self {
        Self {
            definition,
            market: market.map(str::to_owned),
            value: value.filter(|value| !value.is_nan()),
        }
    }
}

/// JSON has no infinity: an infinite value is written as the string `"inf"` or `"-inf"` (which
/// most languages parse as a float), an absent one as `null`.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Metric", 5)?;
        fields.serialize_field("name", self.definition.name)?;
        fields.serialize_field("market", &self.market)?;
        match self.value {
            Some(value) if value.is_infinite() => {
                fields.serialize_field("value", if value > 0.0 { "inf" } else { "-inf" })?;
            }
            value => fields.serialize_field("value", &value)?,
        }
        fields.serialize_field("unit", self.definition.unit.name())?;
        fields.serialize_field("direction", self.definition.direction.name())?;
        fields.end()
    }
}
