//! Prices of falling auctions, as curves: Maker's Clip, and Derive's bids for a share of an account.
//!
//! Maker's starts above the oracle price and falls by a factor every few seconds, until somebody takes it, or it
//! has fallen too far or run too long and must be begun anew. Derive's falls evenly, fast at first and then slowly. Who takes
//! is not here.
//!
//! # Units
//!
//! Prices in whatever the oracle price is in, times in seconds, rates as shares.
//!
//! # Invariants
//!
//! - `the_price_crosses_the_oracle_fourteen_minutes_after_the_kick`.
//! - `an_auction_is_begun_anew_after_its_tail_or_below_its_cusp`.
//! - `what_is_barked_keeps_to_both_holes_and_leaves_no_dust`.
//! - `bids_fall_fast_and_then_slowly`.
//!
//! # Reference
//!
//! makerdao/dss, `src/{clip,dog,abaci}.sol` (Liquidations 2.0); parameters of ETH-A from
//! sky-ecosystem/spells-mainnet of 2026-05-08. derivexyz/v2-core, `src/liquidation/DutchAuction.sol`.

use crate::math::ops;

/// The parameters of an auction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// First price over the oracle price (`buf`).
    pub start: f64,
    /// Factor of each fall (`cut`).
    pub cut: f64,
    /// Seconds between two falls (`step`).
    pub step: f64,
    /// Seconds after which it must be begun anew (`tail`).
    pub tail: f64,
    /// Price over the first below which it must be begun anew (`cusp`).
    pub cusp: f64,
    /// What whoever begins it gets, over the debt (`chip`).
    pub chip: f64,
    /// What whoever begins it gets besides (`tip`).
    pub tip: f64,
}

impl Clip {
    /// ETH-A as of 2026-05-08.
    pub const ETH_A: Self = Self {
        start: 1.10,
        cut: 0.99,
        step: 90.0,
        tail: 7_200.0,
        cusp: 0.45,
        chip: 0.001,
        tip: 250.0,
    };

    /// The price at so many seconds after an auction was begun at an oracle price.
    pub fn price(&self, oracle: f64, elapsed: f64) -> f64 {
        oracle * self.start * ops::pow(self.cut, (elapsed / self.step).floor())
    }

    /// Seconds after which the price has fallen to a share of the oracle price, were the falls spread evenly.
    pub fn reaches(&self, share: f64) -> f64 {
        self.step * ops::ln(share / self.start) / ops::ln(self.cut)
    }

    /// Whether an auction of that age must be begun anew before anybody may take it.
    pub fn is_over(&self, elapsed: f64) -> bool {
        elapsed > self.tail || self.price(1.0, elapsed) < self.start * self.cusp
    }

    /// What whoever begins it gets.
    pub fn reward(&self, debt: f64) -> f64 {
        self.tip + self.chip * debt
    }
}

/// How much debt may be under auction at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holes {
    /// Over all collaterals (`Hole`).
    pub all: f64,
    /// Of this collateral (`hole`).
    pub own: f64,
    /// Penalty on what is owed, as a factor (`chop`).
    pub chop: f64,
    /// Least debt that a vault may be left with (`dust`).
    pub dust: f64,
}

impl Holes {
    /// What of a vault's debt goes to auction, with so much under auction already in all and of this collateral: nothing
    /// where there is no room, all of it where the rest would be dust.
    pub fn bark(&self, debt: f64, all: f64, own: f64) -> f64 {
        let room = (self.all - all).min(self.own - own);
        if room <= 0.0 || room < self.dust {
            return 0.0;
        }
        let part = debt.min(room / self.chop);
        if part < debt && debt - part < self.dust {
            debt
        } else {
            part
        }
    }
}

/// Bids for an account, over what it is worth: from a first one fast down to another, and slowly to nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bids {
    /// The first.
    pub start: f64,
    /// The one at the end of the fast fall.
    pub cutoff: f64,
    /// Seconds of the fast fall.
    pub fast: f64,
    /// Seconds of the slow one.
    pub slow: f64,
}

impl Bids {
    /// The bid at so many seconds after the beginning.
    pub fn at(&self, elapsed: f64) -> f64 {
        if elapsed < self.fast {
            self.start - (self.start - self.cutoff) * elapsed / self.fast
        } else {
            self.cutoff * (1.0 - (elapsed - self.fast) / self.slow).max(0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: Clip = Clip::ETH_A;

    #[test]
    fn the_price_crosses_the_oracle_fourteen_minutes_after_the_kick() {
        let minutes = CLIP.reaches(1.0) / 60.0;
        assert!((minutes - 14.2).abs() < 0.05, "{minutes}");
        // In its steps of 90 s the tenth is the first below.
        assert_eq!(CLIP.price(2_000.0, 0.0), 2_200.0);
        assert_eq!(CLIP.price(2_000.0, 89.9), 2_200.0);
        assert!((CLIP.price(2_000.0, 90.0) - 2_178.0).abs() < 1e-9);
        assert!(CLIP.price(2_000.0, 899.9) > 2_000.0);
        assert!(CLIP.price(2_000.0, 900.0) < 2_000.0);
    }

    #[test]
    fn an_auction_is_begun_anew_after_its_tail_or_below_its_cusp() {
        // The cusp is reached after 119 minutes, just before the tail of two hours.
        let minutes = CLIP.reaches(CLIP.start * CLIP.cusp) / 60.0;
        assert!((minutes - 119.0).abs() < 0.5, "{minutes}");
        assert!(!CLIP.is_over(7_199.0));
        assert!(CLIP.is_over(7_200.0));
        let patient = Clip { cusp: 0.1, ..CLIP };
        assert!(!patient.is_over(7_200.0) && patient.is_over(7_200.1));
        // 250 and a tenth of a per cent.
        assert_eq!(CLIP.reward(100_000.0), 350.0);
    }

    #[test]
    fn what_is_barked_keeps_to_both_holes_and_leaves_no_dust() {
        let holes = Holes {
            all: 150e6,
            own: 40e6,
            chop: 1.13,
            dust: 7_500.0,
        };
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found}");
        near(holes.bark(1e6, 0.0, 0.0), 1e6);
        near(holes.bark(50e6, 0.0, 0.0), 40e6 / 1.13);
        near(holes.bark(50e6, 149e6, 0.0), 1e6 / 1.13);
        near(holes.bark(1e6, 150e6, 0.0), 0.0);
        near(holes.bark(1e6, 0.0, 40e6 - 7_000.0), 0.0);
        // A rest of less than 7,500 would be dust.
        near(
            holes.bark(40e6 / 1.13 + 7_000.0, 0.0, 0.0),
            40e6 / 1.13 + 7_000.0,
        );
    }

    #[test]
    fn bids_fall_fast_and_then_slowly() {
        let bids = Bids {
            start: 0.95,
            cutoff: 0.7,
            fast: 900.0,
            slow: 43_200.0,
        };
        let near = |seconds: f64, expected: f64| {
            let found = bids.at(seconds);
            assert!((found - expected).abs() < 1e-12, "{seconds}: {found}");
        };
        near(0.0, 0.95);
        near(450.0, 0.825);
        near(900.0, 0.7);
        near(900.0 + 21_600.0, 0.35);
        near(900.0 + 43_200.0, 0.0);
        near(1e9, 0.0);
    }
}
