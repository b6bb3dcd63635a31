//! What a policy offers to keepers in place of forced orders.
//!
//! A keeper takes a position over, or a part of it, from whoever is liquidated, outside the book, and sells it there later for its own
//! account. Policies say at which price; the engine finds the keepers and moves the money.
//!
//! # Units
//!
//! Prices as rates below the mark: a discount `d` on a notional `N` lets a keeper take a long over for `N · (1 − d)`, and a short so
//! that it is worth `N · d` at the mark. Of a short, what is said of collateral and debt is said of a position of the same size
//! whose equity is the account's: both sides are closed alike.
//!
//! # Invariants
//!
//! - `what_is_left_is_nothing_or_enough`.
//! - `a_keeper_pays_less_for_a_discount_and_more_for_a_premium`.

use crate::market::Contract;
use crate::unit::{AccountId, Cash, Lots, MarketId, Rate, Side, Ticks};

/// What keepers are offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offer {
    /// A position at a price: whoever comes first.
    Sale(Sale),
    /// A position to the highest bidder.
    Lot(Lot),
    /// Something that somebody has to do, and is paid for.
    Service(Service),
    /// A whole account to the venue's reserves, at once.
    Absorb(Absorb),
}

impl Offer {
    /// Whose position it is about, and where.
    pub const fn key(&self) -> (AccountId, MarketId) {
        match self {
            Self::Sale(sale) => (sale.account, sale.market),
            Self::Lot(lot) => (lot.account, lot.market),
            Self::Service(service) => (service.account, service.market),
            Self::Absorb(absorb) => (absorb.account, absorb.market),
        }
    }
}

/// A position, or a part of it, at a price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sale {
    /// Whose it is.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// All that is for sale.
    pub whole: Lots,
    /// Most that may be taken where not all is.
    pub part: Lots,
    /// How much better than the mark for whoever takes it; negative where it is worse.
    pub discount: Rate,
    /// What whoever takes it pays to the fund, over notional.
    pub fee: Rate,
    /// What of the proceeds goes to the fund, as far as the account's equity goes.
    pub penalty: Rate,
}

impl Sale {
    /// The most that may be taken by whoever wants so much.
    pub fn admits(&self, wanted: Lots) -> Lots {
        if wanted >= self.whole {
            self.whole
        } else {
            wanted.min(self.part).max(Lots::ZERO)
        }
    }
}

/// What a discount on a notional leaves to be paid for a position that is closed by an order of `closing`: for a long less than the
/// notional, for a short (which is bought back) more. Never less than nothing.
pub fn paid(
    contract: &Contract,
    closing: Side,
    quantity: Lots,
    mark: Ticks,
    discount: Rate,
) -> Cash {
    let notional = contract.notional(quantity, mark);
    let rate = i128::from(Rate::ONE.0) + i128::from(closing.sign()) * i128::from(discount.0);
    let wide = i128::from(notional.0) * rate;
    // Rounded against whoever is liquidated.
    let one = i128::from(Rate::ONE.0);
    let value = match closing {
        Side::Sell => wide.div_euclid(one),
        Side::Buy => -(-wide).div_euclid(one),
    };
    Cash::clamped(value.max(0))
}

/// A position for whoever bids the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lot {
    /// Whose it is.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// How much of it.
    pub quantity: Lots,
    /// What is to be raised; whoever bids that bids for a smaller part from then on.
    pub tab: Cash,
    /// By how much a bid must be better than the one before.
    pub increment: Rate,
    /// Steps after the last bid at which it is the last.
    pub bid_life: u32,
    /// Steps after the beginning at which it ends whatever is bid.
    pub length: u32,
    /// What of the proceeds goes to the fund, as far as the account's equity goes.
    pub penalty: Rate,
}

/// Something that somebody has to do: to begin an auction, or to begin it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whose position is sold.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// How much of it.
    pub quantity: Lots,
    /// What is paid for it, out of the fund.
    pub reward: Cash,
    /// What the auction is to raise; for the record.
    pub tab: Cash,
    /// Whether the auction runs already, and is begun anew.
    pub again: bool,
}

/// A whole account for the venue's reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absorb {
    /// Whose it is.
    pub account: AccountId,
    /// The market that it is told from; all its positions go.
    pub market: MarketId,
    /// What is credited for them, over notional.
    pub credit: Rate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_nothing_or_enough() {
        let sale = Sale {
            account: AccountId(9),
            market: MarketId(0),
            whole: Lots(100),
            part: Lots(80),
            discount: Rate::ZERO,
            fee: Rate::ZERO,
            penalty: Rate::ZERO,
        };
        let admitted = [50, 80, 81, 99, 100, 500].map(|wanted| sale.admits(Lots(wanted)).0);
        assert_eq!(admitted, [50, 80, 80, 80, 100, 100]);
        let whole = Sale {
            part: Lots(-20),
            ..sale
        };
        assert_eq!(whole.admits(Lots(99)), Lots::ZERO);
    }

    #[test]
    fn a_keeper_pays_less_for_a_discount_and_more_for_a_premium() {
        let pays = |closing, rate: f64| {
            let contract = Contract::linear(1);
            paid(
                &contract,
                closing,
                Lots(10),
                Ticks(100),
                Rate::from_f64(rate),
            )
            .0
        };
        assert_eq!(pays(Side::Sell, 0.05), 950);
        assert_eq!(pays(Side::Sell, -0.1), 1_100);
        assert_eq!(pays(Side::Sell, 1.5), 0);
        // A short is bought back dearer than the mark.
        assert_eq!(pays(Side::Buy, 0.05), 1_050);
        assert_eq!(pays(Side::Buy, -0.1), 900);
        // Rounded in the keeper's favour.
        assert_eq!(pays(Side::Sell, 0.000_1), 999);
        assert_eq!(pays(Side::Buy, 0.000_1), 1_001);
    }
}
