//! Who bore the bad debt: figures that add up as they are shown.

use crate::measure::Definition;
use crate::measure::catalogue as m;

/// Who may bear bad debt: the parts that add up to it.
pub static BEARERS: [&Definition; 5] = [
    &m::FUND_PAID,
    &m::BACKSTOP_PAID,
    &m::ADL_DEFICIT,
    &m::SOCIALISED,
    &m::UNCOVERED,
];

/// What one of them bore.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Who.
    pub definition: &'static Definition,
    /// How much.
    pub value: f64,
    /// The same as it is shown: the parts as they are shown add up to the whole as it is shown.
    pub shown: f64,
}

/// The bad debt, part by part.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearers {
    /// The parts.
    pub parts: Vec<Part>,
    /// The bad debt.
    pub total: f64,
    /// The same as it is shown.
    pub shown: f64,
    /// Places after the point of what is shown.
    pub places: usize,
}

impl Bearers {
    /// The bad debt in whole units, or in hundredths where it is below a thousand; nothing where there is none. What rounding takes
    /// from a part goes to the parts with the largest remainders.
    pub fn of(value: impl Fn(&Definition) -> Option<f64>) -> Option<Self> {
        let total = value(&m::BAD_DEBT).filter(|total| *total > 0.0)?;
        let places = if total < 1_000.0 { 2 } else { 0 };
        let units = if places == 2 { 100.0 } else { 1.0 };
        let whole = (total * units).round();
        let values: Vec<f64> = BEARERS
            .iter()
            .map(|part| value(part).unwrap_or_default())
            .collect();
        let mut shown: Vec<f64> = values.iter().map(|value| (value * units).floor()).collect();
        let mut order: Vec<usize> = (0..values.len()).collect();
        let rest = |part: usize| values[part] * units - (values[part] * units).floor();
        order.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)));
        let missing = (whole - shown.iter().sum::<f64>()).max(0.0) as usize;
        for part in order.into_iter().take(missing) {
            shown[part] += 1.0;
        }
        let parts = BEARERS.iter().zip(values).zip(shown);
        Some(Self {
            parts: parts
                .map(|((definition, value), shown)| Part {
                    definition,
                    value,
                    shown: shown / units,
                })
                .collect(),
            total,
            shown: whole / units,
            places,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_adds_up() {
        let thirds = |definition: &Definition| {
            if *definition == m::BAD_DEBT {
                Some(10_000.0)
            } else if *definition == m::BACKSTOP_PAID || *definition == m::UNCOVERED {
                None
            } else {
                Some(10_000.0 / 3.0)
            }
        };
        let borne = Bearers::of(thirds).unwrap();
        let shown: f64 = borne.parts.iter().map(|part| part.shown).sum();
        assert_eq!((shown, borne.shown, borne.places), (10_000.0, 10_000.0, 0));
        let small = Bearers::of(|d| Some(if *d == m::BAD_DEBT { 1.0 } else { 0.2 })).unwrap();
        assert_eq!((small.places, small.shown), (2, 1.0));
        assert_eq!(Bearers::of(|_| Some(0.0)), None);
    }
}
