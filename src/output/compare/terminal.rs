//! A comparison on the terminal: what each variant costs, and what it buys.

use super::record::{ChangeFile, ComparisonFile, EstimateFile, MetricFile, RiskFile};
use crate::measure::catalogue as m;
use crate::measure::{Definition, Unit};
use crate::output::human;
use crate::output::terminal::Style;
use std::fmt::Write as _;

/// What is shown: premature liquidations against losses against what is asked for, and what the fall was.
pub static FRONTIER: &[&Definition] = &[
    &m::PREMATURE_SHARE,
    &m::PREMATURE_TWIN,
    &m::PREMATURE_COUNT,
    &m::LATE_SHARE,
    &m::BAD_DEBT,
    &m::INITIAL_MEAN,
    &m::OPTION_MARGIN_MEAN,
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
/// Columns side by side: as many as fit in 80.
const ABREAST: usize = (80 - LABEL) / VALUE;

/// The table, at most 80 columns wide: medians, and below them the mean differences to the baseline; then what is at risk, and
/// what can't be told.
pub fn table(file: &ComparisonFile, style: &Style) -> String {
    let mut text = String::new();
    let others: Vec<usize> = (1..file.variants.len()).collect();
    if others.is_empty() {
        spread(&mut text, file, style);
        at_risk(&mut text, file, style);
        return text;
    }
    for abreast in others.chunks(ABREAST - 1) {
        let shown: Vec<usize> = std::iter::once(0).chain(abreast.iter().copied()).collect();
        block(&mut text, file, &shown, style);
        text.push('\n');
    }
    let baseline: String = file.variants[0].name.chars().take(30).collect();
    let _ = write!(
        text,
        "First lines are medians over {} replicates, second ones mean differences\nwithin a replicate to {baseline}, marked + where better,\n- where worse, ? where so few replicates can't tell.\n",
        file.replicates.count,
    );
    unclear(&mut text, file);
    at_risk(&mut text, file, style);
    pairing(&mut text, file, style);
    if let Some(found) = &file.recommendation {
        wrapped(&mut text, &format!("Recommended: {}", found.text));
    }
    text
}

fn label(metric: &MetricFile) -> String {
    let label = match &metric.market {
        Some(market) => format!("{market} {}", metric.label),
        None => metric.label.clone(),
    };
    label.chars().take(LABEL - 1).collect()
}

fn headline(file: &ComparisonFile) -> impl Iterator<Item = (&MetricFile, Unit)> {
    FRONTIER.iter().flat_map(|definition| {
        file.metrics
            .iter()
            .filter(|metric| metric.metric == definition.name)
            .map(|metric| (metric, definition.unit))
    })
}

fn names(file: &ComparisonFile, shown: &[usize]) -> Vec<String> {
    shown
        .iter()
        .map(|variant| {
            file.variants[*variant]
                .name
                .chars()
                .take(VALUE - 1)
                .collect()
        })
        .collect()
}

fn block(text: &mut String, file: &ComparisonFile, shown: &[usize], style: &Style) {
    let heads = names(file, shown);
    line(text, &style.dress("1", &format!("{:<LABEL$}", "")), &heads);
    for (metric, unit) in headline(file) {
        let picked: Vec<_> = shown.iter().map(|v| &metric.cells[*v]).collect();
        if picked.iter().all(|cell| cell.p50.is_none()) {
            continue;
        }
        let medians: Vec<String> = picked
            .iter()
            .map(|cell| number(cell.p50, unit, style))
            .collect();
        line(text, &format!("{:<LABEL$}", label(metric)), &medians);
        let changes: Vec<String> = picked
            .iter()
            .map(|cell| {
                cell.change
                    .as_ref()
                    .map_or_else(String::new, |change| difference(change, unit, style))
            })
            .collect();
        line(text, &" ".repeat(LABEL), &changes);
    }
}

/// One variant alone: what its crashes are like.
fn spread(text: &mut String, file: &ComparisonFile, style: &Style) {
    let heads = ["mean", "median", "p95", "p99"].map(str::to_owned);
    line(text, &style.dress("1", &format!("{:<LABEL$}", "")), &heads);
    for (metric, unit) in headline(file) {
        let cell = &metric.cells[0];
        if cell.p50.is_none() {
            continue;
        }
        let found = [cell.mean, cell.p50, cell.p95, cell.p99];
        let values = found.map(|found| number(found, unit, style));
        line(text, &format!("{:<LABEL$}", label(metric)), &values);
        let halves = found.map(|found| half(found, unit, style));
        if halves.iter().any(|half| !half.is_empty()) {
            line(text, &" ".repeat(LABEL), &halves);
        }
    }
    let _ = writeln!(
        text,
        "\nOver {} replicates; below each number half the width of its {:.0} % interval,\nwhere there are replicates enough to give both ends.",
        file.replicates.count,
        100.0 * file.confidence
    );
}

fn half(found: Option<EstimateFile>, unit: Unit, style: &Style) -> String {
    let width = found.and_then(|found| Some(found.high? - found.low?));
    width
        .filter(|width| *width > 0.0)
        .map_or_else(String::new, |width| {
            format!("±{}", human::number(0.5 * width, unit, &style.currency))
        })
}

fn number(found: Option<EstimateFile>, unit: Unit, style: &Style) -> String {
    found.map_or_else(
        || "-".to_owned(),
        |found| human::number(found.value, unit, &style.currency),
    )
}

fn difference(change: &ChangeFile, unit: Unit, style: &Style) -> String {
    let value = change.mean.value;
    let sign = if value > 0.0 { "+" } else { "" };
    let size = human::number(value, unit, &style.currency);
    let mark = match change.verdict.as_str() {
        "better" => " +",
        "worse" => " -",
        "unclear" if value != 0.0 => " ?",
        _ => "",
    };
    format!("{sign}{size}{mark}")
}

/// What is at risk, in the terms of risk reports.
fn at_risk(text: &mut String, file: &ComparisonFile, style: &Style) {
    type Pick = fn(&RiskFile) -> Option<EstimateFile>;
    let rows: [(&str, Unit, Pick); 4] = [
        ("VaR, bad debt at 95 %", Unit::Currency, |risk| {
            risk.value_at_risk
        }),
        ("bad debt, mean", Unit::Currency, |risk| risk.expected_loss),
        ("LaR, liquidated at 95 %", Unit::Currency, |risk| {
            risk.liquidations_at_risk
        }),
        ("runs that use up the fund", Unit::Share, |risk| {
            risk.beyond_fund
        }),
    ];
    let all: Vec<usize> = (0..file.variants.len()).collect();
    for shown in all.chunks(ABREAST) {
        text.push('\n');
        let heads = names(file, shown);
        line(
            text,
            &style.dress("1", &format!("{:<LABEL$}", "At risk")),
            &heads,
        );
        for (label, unit, pick) in rows {
            let values: Vec<String> = shown
                .iter()
                .map(|v| number(pick(&file.risks[*v]), unit, style))
                .collect();
            line(text, &format!("{label:<LABEL$}"), &values);
        }
    }
}

/// How many replicates would tell what these can't.
fn unclear(text: &mut String, file: &ComparisonFile) {
    for (place, variant) in file.variants.iter().enumerate().skip(1) {
        let mut parts: Vec<String> = headline(file)
            .filter_map(|(metric, _)| {
                let change = metric.cells[place].change.as_ref()?;
                let needed = change.needed.filter(|_| change.verdict == "unclear")?;
                let name = match &metric.market {
                    Some(market) => format!("{market} {}", metric.label),
                    None => metric.label.clone(),
                };
                Some(format!("{name} {}", human::figures(needed as f64, 0)))
            })
            .collect();
        if parts.len() > 6 {
            let more = parts.len() - 6;
            parts.truncate(6);
            parts.push(format!("{more} more in the tables"));
        }
        if !parts.is_empty() {
            let sentence = format!(
                "Replicates that would tell of {}: {}.",
                variant.name,
                parts.join(", ")
            );
            text.push('\n');
            wrapped(text, &sentence);
        }
    }
}

/// What the same draws under every variant gain, for each market's drawdown: of the mid, and of the mark, which decides about
/// margin and isn't lost in a book that is empty for a moment.
fn pairing(text: &mut String, file: &ComparisonFile, style: &Style) {
    let drawdown = file.metrics.iter().filter(|metric| {
        [m::DRAWDOWN.name, m::MARK_DRAWDOWN.name].contains(&metric.metric.as_str())
    });
    let adjusted = file.is_adjusted();
    let share = |width| human::number(width, Unit::Share, &style.currency);
    let width = |found: EstimateFile| Some(found.high? - found.low?);
    let mut lines = Vec::new();
    for metric in drawdown {
        for (place, variant) in file.variants.iter().enumerate().skip(1) {
            let Some(change) = &metric.cells[place].change else {
                continue;
            };
            let gained = |found: EstimateFile, gain: Option<f64>| {
                Some(format!(
                    "{:>9} {:>7}",
                    share(width(found)?),
                    format!("({:.1}×)", gain?)
                ))
            };
            let paired = gained(change.plain.unwrap_or(change.mean), change.pairing);
            let (Some(unpaired), Some(paired)) = (width(change.unpaired), paired) else {
                continue;
            };
            let market = metric.market.as_deref().unwrap_or_default();
            let of = if metric.metric == m::DRAWDOWN.name {
                "mid"
            } else {
                "mark"
            };
            let name: String = format!("{market} {of}, {}", variant.name)
                .chars()
                .take(27)
                .collect();
            let mean = adjusted.then(|| gained(change.mean, change.narrowing));
            lines.push(format!(
                "  {name:<28}{:>9}{paired}{}",
                share(unpaired),
                mean.flatten().unwrap_or_default()
            ));
        }
    }
    if !lines.is_empty() {
        let (also, column) = if adjusted {
            (", and so does adjusting for their severity", "adjusted  ")
        } else {
            ("", "")
        };
        let head = format!(
            "  {:<28}{:>9}{:>17}{column:>17}",
            "", "unpaired", "paired  "
        );
        let _ = writeln!(
            text,
            "\nThe same draws under every variant narrow the interval of the drawdown's mean\ndifference{also}. How wide it is:\n{}",
            head.trim_end()
        );
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
}

/// A sentence in lines of at most 80 columns.
fn wrapped(text: &mut String, sentence: &str) {
    let mut width = 0;
    for word in sentence.split(' ') {
        let size = word.chars().count();
        if width > 0 && width + 1 + size > 79 {
            text.push('\n');
            width = 0;
        }
        if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += size;
    }
    text.push('\n');
}

fn line(text: &mut String, label: &str, values: &[String]) {
    let mut row = label.to_owned();
    for value in values {
        let _ = write!(row, "{value:>VALUE$}");
    }
    text.push_str(row.trim_end());
    text.push('\n');
}
