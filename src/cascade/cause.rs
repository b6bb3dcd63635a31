//! Causes of a liquidation, and shares that add up to exactly one.
//!
//! # Invariants
//!
//! - `shares_sum_to_one`: whatever the weights, the shares of a liquidation are 10⁹ parts together.

use serde::{Deserialize, Serialize};

/// Parts in a whole.
pub const WHOLE: u32 = 1_000_000_000;

/// What may push an account over its threshold, other liquidations aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outer {
    /// The outside price moved: path and shocks.
    Reference,
    /// What the oracle showed and the outside price differ: noise, factors of faults.
    Oracle,
    /// Orders of traders' own.
    Organic,
    /// Quotes left, expired or came back elsewhere.
    Quotes,
    /// The backstop sold what it took over.
    Backstop,
    /// Keepers sold what they took.
    Keepers,
    /// The requirement moved, not the price: the margin spiral proper.
    Rule,
    /// The collateral lost value.
    Collateral,
    /// Funding was paid.
    Funding,
    /// Money was taken out.
    Withdrawal,
    /// The account's own trade put it there, or it was short from the beginning.
    Own,
}

impl Outer {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Reference,
        Self::Oracle,
        Self::Organic,
        Self::Quotes,
        Self::Backstop,
        Self::Keepers,
        Self::Rule,
        Self::Collateral,
        Self::Funding,
        Self::Withdrawal,
        Self::Own,
    ];
    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Oracle => "oracle",
            Self::Organic => "organic",
            Self::Quotes => "quotes",
            Self::Backstop => "backstop",
            Self::Keepers => "keepers",
            Self::Rule => "rule",
            Self::Collateral => "collateral",
            Self::Funding => "funding",
            Self::Withdrawal => "withdrawal",
            Self::Own => "own",
        }
    }
    /// Its place in [`Outer::ALL`].
    pub const fn place(self) -> usize {
        self as usize
    }
}

/// Why one liquidation began: parts of [`WHOLE`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// By [`Outer::place`].
    pub outer: [u32; Outer::ALL.len()],
    /// Other liquidations, by their number; ascending.
    pub parents: Vec<(u32, u32)>,
}

impl Shares {
    /// Shares in proportion to weights, none of which is negative; the account's own doing where all are zero.
    pub fn of(outer: &[f64; Outer::ALL.len()], parents: &[(u32, f64)]) -> Self {
        let total: f64 = outer.iter().sum::<f64>() + parents.iter().map(|p| p.1).sum::<f64>();
        let mut shares = Self::default();
        if !(total.is_finite() && total > 0.0) {
            shares.outer[Outer::Own.place()] = WHOLE;
            return shares;
        }
        let mut rests: Vec<(f64, usize)> = Vec::with_capacity(outer.len() + parents.len());
        let mut left = WHOLE;
        let mut parts = Vec::with_capacity(outer.len() + parents.len());
        let weights = outer.iter().copied().chain(parents.iter().map(|p| p.1));
        for (place, weight) in weights.enumerate() {
            let exact = weight / total * f64::from(WHOLE);
            let part = (exact as u32).min(left);
            left -= part;
            parts.push(part);
            rests.push((exact - f64::from(part), place));
        }
        // Whoever lost most by rounding down is given the parts that are left.
        rests.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, place) in rests.iter().cycle().take(left as usize) {
            parts[*place] += 1;
        }
        shares.outer.copy_from_slice(&parts[..outer.len()]);
        shares.parents = parents
            .iter()
            .zip(&parts[outer.len()..])
            .filter(|(_, part)| **part > 0)
            .map(|(parent, part)| (parent.0, *part))
            .collect();
        shares.parents.sort_unstable();
        shares
    }

    /// What other liquidations caused, together.
    pub fn forced(&self) -> u32 {
        self.parents.iter().map(|parent| parent.1).sum()
    }
    /// One outer cause's share, as a number between 0 and 1.
    pub fn share(&self, outer: Outer) -> f64 {
        f64::from(self.outer[outer.place()]) / f64::from(WHOLE)
    }
    /// The largest outer cause.
    pub fn first(&self) -> Outer {
        let mut largest = Outer::Reference;
        for outer in Outer::ALL {
            if self.outer[outer.place()] > self.outer[largest.place()] {
                largest = outer;
            }
        }
        largest
    }
    /// All parts added up.
    pub fn sum(&self) -> u64 {
        self.outer.iter().map(|part| u64::from(*part)).sum::<u64>()
            + self.parents.iter().map(|p| u64::from(p.1)).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_sum_to_one(
            outer in proptest::array::uniform11(0.0f64..1e6),
            parents in proptest::collection::vec(0.0f64..1e3, 0..60),
        ) {
            let parents: Vec<(u32, f64)> = (0..).zip(parents).collect();
            let shares = Shares::of(&outer, &parents);
            prop_assert_eq!(shares.sum(), u64::from(WHOLE));
            let total: f64 = outer.iter().sum::<f64>() + parents.iter().map(|p| p.1).sum::<f64>();
            for (part, weight) in shares.outer.iter().zip(outer) {
                prop_assert!((f64::from(*part) / 1e9 - weight / total).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn nothing_at_all_is_its_own_doing() {
        let shares = Shares::of(&[0.0; 11], &[]);
        assert_eq!((shares.first(), shares.sum()), (Outer::Own, 1_000_000_000));
    }
}
