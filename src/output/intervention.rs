//! Attribution against intervention as a table in a terminal, largest liquidation first.

use super::human;
use super::terminal::Style;
use crate::experiment::{Intervened, agreement, intervene};
use crate::measure::{Recorded, Unit};
use crate::unit::Side;
use std::fmt::Write as _;

/// The table, and under it how well the two agree.
pub fn interventions(run: &Recorded, found: &[Intervened], style: &Style) -> String {
    const LABEL: usize = 30;
    let quantum = run.frame.quantum();
    let money = |quanta: f64| human::number(quanta * quantum, Unit::Currency, &style.currency);
    let mut text = style.dress("1", "Attribution against intervention");
    text.push('\n');
    let _ = writeln!(
        text,
        "  {:<LABEL$}{:>10}{:>12}{:>12}{:>10}{:>12}{:>7}",
        "liquidation", "notional", "attributed", "missing", "± noise", "at the end", "fewer"
    );
    for one in found {
        let node = &one.liquidation;
        let market = &run.frame.markets[node.market.index()].name;
        let side = if node.side == Side::Sell {
            "long"
        } else {
            "short"
        };
        let label = format!("{} {market} {side}, step {}", node.number, node.step);
        let _ = writeln!(
            text,
            "  {label:<LABEL$}{:>10}{:>12}{:>12}{:>10}{:>12}{:>7.0}",
            money(node.notional.as_f64()),
            money(one.attributed),
            money(one.effect),
            one.error().map_or_else(|| "-".to_owned(), money),
            money(one.left),
            one.fewer
        );
    }
    let of = found.len();
    if let Some(found) = agreement(found) {
        let rank = found
            .rank
            .map_or_else(|| "-".to_owned(), |rank| format!("{rank:.2}"));
        let share = found.relative.map_or_else(String::new, |share| {
            format!(", {:.0} % of the mean effect", 100.0 * share)
        });
        let error = money(found.error);
        let _ = writeln!(text, "  rank correlation {rank}; mean error {error}{share}");
        if let Some(floor) = found.floor {
            let _ = writeln!(
                text,
                "  noise floor (mean standard error) {}; {} of {of} effects are more than two of their own",
                money(floor),
                found.clear
            );
        }
        let _ = writeln!(
            text,
            "  others' liquidations in its market and direction, each account once, by notional; where most is missing within\n  \
             {:.0} s (at least {} steps), and at the end of that; mean of pairs of worlds that differ by a placebo",
            intervene::HORIZON,
            intervene::LEAST_STEPS
        );
    }
    text
}
