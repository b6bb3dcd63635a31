//! The least quantity whose closing brings an account back to a margin ratio.
//!
//! Every position of an account answers for its own share of the equity (its share of the requirement), so
//! that positions sized apart from each other restore the account together and none closes too much. Of a
//! position `q` the least `x` is sought with `MM(q − x) ≤ r · (e − fee(x))`: closing at the mark moves no
//! equity but by the fee.
//!
//! # Units
//!
//! Quantities in lots; money in quanta, compared in integers.
//!
//! # Invariants
//!
//! - `the_least_quantity_restores_the_ratio_and_a_lot_less_does_not`.
//! - `where_the_fee_outweighs_the_relief_all_is_closed`: the condition need not be monotone in `x`, so it is
//!   never searched as if it were. Between two edges of brackets it is; the first interval that ends well is searched.
//!
//! # Reference
//!
//! A binary search over a non-monotone health predicate that closed 10,000 where 981 was enough:
//! aeyakovenko/percolator, pull request 92.

use super::{Case, PolicyView};
use crate::unit::{Cash, Lots, Rate};

/// The least quantity of a case to be closed at the mark so that its part of the requirement is at most `ratio` of its
/// part of the equity; all of it where no part is enough.
pub fn least(view: &PolicyView<'_>, case: &Case, ratio: Rate) -> Lots {
    let whole = case.quantity.abs().0;
    let equity = case.own_equity();
    let meets = |closed: i64| {
        let left = case.contract.notional(Lots(whole - closed), case.mark);
        let fee = view
            .fee
            .mul_up(case.contract.notional(Lots(closed), case.mark));
        let allowed = (equity - i128::from(fee.0)) * i128::from(ratio.0);
        let asked = i128::from(view.schedule.maintenance(left).0);
        // Held together with others it asks as much less, or more, as they all do now.
        let asked = if case.requirement == case.alone {
            asked
        } else {
            asked * i128::from(case.requirement.0) / i128::from(case.alone.0.max(1)) + 1
        };
        asked * i128::from(Rate::ONE.0) <= allowed
    };
    if meets(0) {
        return Lots::ZERO;
    }
    let mut from = 0;
    let edges = view.schedule.brackets().iter().rev().map(|b| b.cap);
    for cap in edges.chain([Cash::ZERO]) {
        let to = whole - case.contract.lots_within(cap, case.mark).min(whole);
        if to > from && meets(to) {
            // Here the condition is linear in the quantity: it fails at `from` and holds at `to`.
            let (mut fails, mut holds) = (from, to);
            while holds - fails > 1 {
                let middle = fails + (holds - fails) / 2;
                if meets(middle) {
                    holds = middle;
                } else {
                    fails = middle;
                }
            }
            return Lots(holds);
        }
        from = from.max(to);
    }
    Lots(whole)
}

/// The quantity whose notional at the mark is at most `amount`, and at least one lot.
pub fn worth(case: &Case, amount: Cash) -> Lots {
    let most = case.contract.lots_within(amount, case.mark);
    Lots(most.clamp(1, case.quantity.abs().0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, schedule, view};
    use super::*;

    #[test]
    fn the_least_quantity_restores_the_ratio_and_a_lot_less_does_not() {
        // 10 % up to 5,000, 20 % above (deduction 500). 100 lots at 100: requirement 1,500, equity 1,200.
        let schedule = schedule(&[(5_000, 0.1), (i64::MAX, 0.2)]);
        let view = view(&schedule);
        let sized = |equity: i64, ratio: f64| {
            least(&view, &case(&schedule, 100, equity), Rate::from_f64(ratio)).0
        };
        // 20 % of N less 500 is 1,200 at N = 8,500.
        assert_eq!(sized(1_200, 1.0), 15);
        // 0.8 · 1,200 = 960 at N = 7,300.
        assert_eq!(sized(1_200, 0.8), 27);
        // 300 is 10 % of 3,000: in the lower bracket.
        assert_eq!(sized(300, 1.0), 70);
        assert_eq!(sized(1_500, 1.0), 0);
        assert_eq!(sized(-1, 1.0), 100);
        // Shorts as longs.
        let short = case(&schedule, -100, 1_200);
        assert_eq!(least(&view, &short, Rate::ONE), Lots(15));
    }

    #[test]
    fn fees_are_part_of_the_relief() {
        // At 10 % flat and a fee of 1 %: N(x) · (0.1 − 0.01) = 1,000 − 910.
        let schedule = schedule(&[(i64::MAX, 0.1)]);
        let mut view = view(&schedule);
        view.fee = Rate::from_f64(0.01);
        let found = least(&view, &case(&schedule, 100, 910), Rate::ONE);
        assert_eq!(found, Lots(10));
    }

    #[test]
    fn where_the_fee_outweighs_the_relief_all_is_closed() {
        // The fee of 15 % takes more than the 10 % that closing frees; in the upper bracket 20 % are freed.
        let schedule = schedule(&[(5_000, 0.1), (i64::MAX, 0.2)]);
        let mut view = view(&schedule);
        view.fee = Rate::from_f64(0.15);
        // Down to N = 5,000 the gap of 250 closes to nothing: 1,500 − 1,250 = 5,000 · (0.2 − 0.15).
        assert_eq!(
            least(&view, &case(&schedule, 100, 1_250), Rate::ONE),
            Lots(50)
        );
        // A quantum less, and no part is enough: not even all but one lot.
        assert_eq!(
            least(&view, &case(&schedule, 100, 1_249), Rate::ONE),
            Lots(100)
        );
    }

    #[test]
    fn positions_of_one_account_share_what_is_missing() {
        // Two equal positions, requirement 2,000, equity 1,800: each closes a tenth, not a fifth.
        let schedule = schedule(&[(i64::MAX, 0.1)]);
        let view = view(&schedule);
        let mut half = case(&schedule, 100, 1_800);
        (half.requirement, half.alone) = (Cash(2_000), Cash(2_000));
        assert_eq!(least(&view, &half, Rate::ONE), Lots(10));
        // Netted to half of that, an equity of 900 asks for the same tenth, but for a quantum of rounding.
        half.requirement = Cash(1_000);
        (half.maintenance, half.equity) = (Cash(500), Cash(900));
        assert_eq!(least(&view, &half, Rate::ONE), Lots(11));
    }

    #[test]
    fn a_quantity_of_an_amount_is_at_least_a_lot_and_at_most_all() {
        let schedule = schedule(&[(i64::MAX, 0.1)]);
        let case = case(&schedule, -100, 1);
        assert_eq!(worth(&case, Cash(450)), Lots(4));
        assert_eq!(worth(&case, Cash(1)), Lots(1));
        assert_eq!(worth(&case, Cash::MAX), Lots(100));
    }
}
