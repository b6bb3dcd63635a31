//! The frontier on the terminal: what each variant costs, and what it buys.

use crate::experiment::Compared;
use crate::experiment::compare::Cell;
use crate::measure::catalogue as m;
use crate::measure::{Definition, Unit};
use crate::output::human;
use crate::output::terminal::Style;
use std::fmt::Write as _;

/// What is shown: premature liquidations against losses against what is asked for, and what the fall was.
pub static FRONTIER: &[&Definition] = &[
    &m::PREMATURE_SHARE,
    &m::PREMATURE_TWIN,
    &m::LATE_SHARE,
    &m::BAD_DEBT,
    &m::INITIAL_MEAN,
    &m::LIQUIDATED_TOTAL,
    &m::DRAWDOWN,
    &m::ENDOGENOUS_SHARE,
    &m::SPIRAL_SHARE,
    &m::PEAK_TO_TROUGH,
    &m::RISE_HOUR,
    &m::CALLED_OVER_EQUITY,
    &m::CALL_PRECISION,
    &m::CALL_RECALL,
];

const LABEL: usize = 32;
const VALUE: usize = 12;
/// Variants side by side: as many as fit in 80 columns. The baseline leads every block.
const ABREAST: usize = (80 - LABEL) / VALUE;

/// The table, at most 80 columns wide: medians, and below them the mean differences to the baseline.
pub fn table(compared: &Compared, style: &Style) -> String {
    let mut text = String::new();
    let others: Vec<usize> = (1..compared.variants.len()).collect();
    for abreast in others.chunks(ABREAST - 1) {
        let shown: Vec<usize> = std::iter::once(0).chain(abreast.iter().copied()).collect();
        block(&mut text, compared, &shown, style);
        text.push('\n');
    }
    let baseline: String = compared.variants[0].chars().take(30).collect();
    let _ = write!(
        text,
        "First lines are medians over {} replicates, second ones mean differences\nwithin a replicate to {baseline}; with ? less than two standard\nerrors from none.\n",
        compared.replicates(),
    );
    if let Some(gain) = pairing(compared) {
        let _ = writeln!(
            text,
            "The same draws under every variant make the error of the drawdown's\ndifferences {gain:.1}× smaller."
        );
    }
    text
}

fn block(text: &mut String, compared: &Compared, shown: &[usize], style: &Style) {
    let heads: Vec<String> = shown
        .iter()
        .map(|variant| {
            compared.variants[*variant]
                .chars()
                .take(VALUE - 1)
                .collect()
        })
        .collect();
    line(text, &style.dress("1", &format!("{:<LABEL$}", "")), &heads);
    for definition in FRONTIER {
        let cells = compared.cells(definition);
        for rows in cells.chunks(compared.variants.len()) {
            let picked: Vec<&Cell> = shown.iter().map(|variant| &rows[*variant]).collect();
            if picked.iter().all(|cell| cell.median.is_none()) {
                continue;
            }
            let label = match &rows[0].market {
                Some(market) => format!("{market} {}", definition.label),
                None => definition.label.to_owned(),
            };
            let label: String = label.chars().take(LABEL - 1).collect();
            let number = |value: Option<f64>| {
                value.map_or_else(
                    || "-".to_owned(),
                    |value| human::number(value, definition.unit, &style.currency),
                )
            };
            let medians: Vec<String> = picked.iter().map(|cell| number(cell.median)).collect();
            line(text, &format!("{label:<LABEL$}"), &medians);
            let changes: Vec<String> = picked
                .iter()
                .map(|cell| difference(cell, definition.unit, style))
                .collect();
            line(text, &" ".repeat(LABEL), &changes);
        }
    }
}

fn difference(cell: &Cell, unit: Unit, style: &Style) -> String {
    let Some(change) = cell.change else {
        return String::new();
    };
    let sign = if change.mean > 0.0 { "+" } else { "" };
    let doubt = if change.is_clear() || change.mean == 0.0 {
        ""
    } else {
        " ?"
    };
    let size = human::number(change.mean, unit, &style.currency);
    format!("{sign}{size}{doubt}")
}

fn line(text: &mut String, label: &str, values: &[String]) {
    let mut row = label.to_owned();
    for value in values {
        let _ = write!(row, "{value:>VALUE$}");
    }
    text.push_str(row.trim_end());
    text.push('\n');
}

/// How many times larger the error of the first market's drawdown would be without pairing: the least over
/// the variants.
fn pairing(compared: &Compared) -> Option<f64> {
    compared
        .cells(&m::DRAWDOWN)
        .iter()
        .take(compared.variants.len())
        .filter_map(|cell| {
            let change = cell.change?;
            let error = change.error.filter(|error| *error > 0.0)?;
            Some(change.unpaired? / error)
        })
        .min_by(f64::total_cmp)
}
