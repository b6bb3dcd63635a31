//! Dividing an amount: greedily in an order, or in proportion to weights under caps. Exact in integers.
//!
//! What is divided may be lots of a position that must be closed, or quanta of a loss that must be borne.
//!
//! # Invariants
//!
//! - `parts_add_up_and_keep_to_their_caps`: to the unit, whatever the rounding.
//! - `the_order_of_accounts_matters_to_the_queue_alone`: permuted, a proportional division gives everybody the
//!   same to a unit.
//! - `splitting_an_account_changes_nothing_in_proportion`: what its pieces bear is what it would have borne,
//!   to a unit each; a queue is changed by it.
//!
//! # Reference
//!
//! Chitra (2025), "Autodeleveraging: impossibilities and optimization", arXiv 2512.01112: queue, wealth pro rata
//! `h = θD/U`, capped pro rata `h_i = min(η, β_i)` by filling up (proposition iii). Its example is the test below.

/// Fills `parts` with shares of `total` in the order given, each up to its cap; what was divided.
pub fn queue(total: i64, caps: &[i64], parts: &mut Vec<i64>) -> i64 {
    parts.clear();
    let mut left = total.max(0);
    for cap in caps {
        let part = left.min((*cap).max(0));
        left -= part;
        parts.push(part);
    }
    total.max(0) - left
}

/// Fills `parts` with shares of `total` in proportion to the weights, none above its cap: where caps bind, the others
/// take what they leave. What was divided: all of it, or what the caps of those with a weight add up to.
pub fn proportional(total: i64, weights: &[i64], caps: &[i64], parts: &mut Vec<i64>) -> i64 {
    parts.clear();
    parts.resize(weights.len(), 0);
    let cap = |i: usize| if weights[i] > 0 { caps[i].max(0) } else { 0 };
    let room: i128 = (0..weights.len()).map(|i| i128::from(cap(i))).sum();
    let total = i128::from(total.max(0)).min(room);
    // By cap over weight, so that those whose caps bind come first.
    let mut order: Vec<usize> = (0..weights.len()).filter(|i| cap(*i) > 0).collect();
    order.sort_unstable_by(|a, b| {
        let (left, right) = (
            i128::from(cap(*a)) * i128::from(weights[*b]),
            i128::from(cap(*b)) * i128::from(weights[*a]),
        );
        left.cmp(&right).then(a.cmp(b))
    });
    let mut left = total;
    let mut weight: i128 = order.iter().map(|i| i128::from(weights[*i])).sum();
    let mut bound = 0;
    for i in &order {
        let (own, most) = (i128::from(weights[*i]), i128::from(cap(*i)));
        // The cap binds where the level that is left would ask for more.
        if left * own < most * weight {
            break;
        }
        parts[*i] = most as i64;
        left -= most;
        weight -= own;
        bound += 1;
    }
    let free = &order[bound..];
    let level = left;
    for i in free {
        let part = level * i128::from(weights[*i]) / weight.max(1);
        parts[*i] = part as i64;
        left -= part;
    }
    // What rounding left over: a unit each, in order of place.
    let mut places: Vec<usize> = free.to_vec();
    places.sort_unstable();
    while left > 0 {
        let before = left;
        for i in &places {
            if left > 0 && parts[*i] < cap(*i) {
                parts[*i] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    (total - left) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_chitra_2025() {
        // Equities (10, 5, 1, −3, −12) with profits (8, 4, ½, …), a deficit of 15, half of it to be borne: 7.5.
        let profits = [8_000, 4_000, 500];
        let equities = [10_000, 5_000, 1_000];
        let after = |parts: &[i64]| -> Vec<i64> {
            equities
                .iter()
                .zip(parts)
                .map(|(equity, part)| equity - part)
                .collect()
        };
        let mut parts = Vec::new();
        // The queue's order is (2, 1, 3): h = (0.4375, 1, 0).
        assert_eq!(queue(7_500, &[4_000, 8_000, 500], &mut parts), 7_500);
        assert_eq!(
            after(&[parts[1], parts[0], parts[2]]),
            [6_500, 1_000, 1_000]
        );
        assert_eq!(parts[1] as f64 / 8_000.0, 0.4375);
        // Pro rata: h = 0.6.
        assert_eq!(proportional(7_500, &profits, &profits, &mut parts), 7_500);
        assert_eq!(after(&parts), [5_200, 2_600, 700]);
        // No more than there is.
        assert_eq!(proportional(15_000, &profits, &profits, &mut parts), 12_500);
    }

    #[test]
    fn caps_bind_first_and_the_others_fill_up() {
        let mut parts = Vec::new();
        // Level 10 for each unit of weight; the second is capped at 5, so the others rise to 12.5 → 12, 13.
        assert_eq!(proportional(30, &[1, 1, 1], &[100, 5, 100], &mut parts), 30);
        assert_eq!(parts, [13, 5, 12]);
        assert_eq!(proportional(30, &[2, 1, 0], &[8, 9, 100], &mut parts), 17);
        assert_eq!(parts, [8, 9, 0]);
        assert_eq!(proportional(-5, &[1], &[10], &mut parts), 0);
    }

    fn winners() -> impl Strategy<Value = (Vec<(i64, i64)>, i64)> {
        (
            proptest::collection::vec((0i64..1_000_000, 0i64..1_000_000), 1..12),
            0i64..8_000_000,
        )
    }

    proptest! {
        #[test]
        fn parts_add_up_and_keep_to_their_caps((winners, total) in winners()) {
            let (weights, caps): (Vec<i64>, Vec<i64>) = winners.into_iter().unzip();
            let mut parts = Vec::new();
            let room: i64 = weights.iter().zip(&caps).filter(|(w, _)| **w > 0).map(|(_, c)| c).sum();
            let done = proportional(total, &weights, &caps, &mut parts);
            prop_assert_eq!(done, total.min(room));
            prop_assert_eq!(parts.iter().sum::<i64>(), done);
            prop_assert!(parts.iter().zip(&caps).all(|(part, cap)| (0..=*cap).contains(part)));
            let done = queue(total, &caps, &mut parts);
            prop_assert_eq!(done, total.min(caps.iter().sum()));
            prop_assert_eq!(parts.iter().sum::<i64>(), done);
        }

        #[test]
        fn the_order_of_accounts_matters_to_the_queue_alone((winners, total) in winners()) {
            let (weights, caps): (Vec<i64>, Vec<i64>) = winners.iter().copied().unzip();
            let (mut parts, mut turned) = (Vec::new(), Vec::new());
            proportional(total, &weights, &caps, &mut parts);
            let (weights, caps): (Vec<i64>, Vec<i64>) = winners.iter().rev().copied().unzip();
            proportional(total, &weights, &caps, &mut turned);
            for (part, other) in parts.iter().zip(turned.iter().rev()) {
                prop_assert!((part - other).abs() <= 1, "{parts:?} {turned:?}");
            }
        }

        #[test]
        fn splitting_an_account_changes_nothing_in_proportion((winners, total) in winners(), pieces in 2i64..5) {
            // Weights and caps that divide.
            let mut winners: Vec<(i64, i64)> =
                winners.into_iter().map(|(weight, cap)| (weight * pieces, cap * pieces)).collect();
            let (mut parts, mut split) = (Vec::new(), Vec::new());
            let (weights, caps): (Vec<i64>, Vec<i64>) = winners.iter().copied().unzip();
            proportional(total, &weights, &caps, &mut parts);
            let (weight, cap) = winners.remove(0);
            winners.extend((0..pieces).map(|_| (weight / pieces, cap / pieces)));
            let (weights, caps): (Vec<i64>, Vec<i64>) = winners.iter().copied().unzip();
            proportional(total, &weights, &caps, &mut split);
            let whole: i64 = split[split.len() - pieces as usize..].iter().sum();
            prop_assert!((whole - parts[0]).abs() <= pieces, "{whole} {}", parts[0]);
            for (part, other) in parts[1..].iter().zip(&split) {
                prop_assert!((part - other).abs() <= 1);
            }
        }
    }

    #[test]
    fn splitting_an_account_changes_a_queue() {
        // Ranked by size, a piece stands further back than the whole.
        let mut parts = Vec::new();
        queue(60, &[60, 50], &mut parts);
        assert_eq!(parts, [60, 0]);
        queue(60, &[50, 30, 30], &mut parts);
        assert_eq!(parts[1] + parts[2], 10);
    }
}
