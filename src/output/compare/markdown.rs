//! `comparison.md`: the comparison as a governance forum takes it.
//!
//! Tables as risk firms post them: what is recommended (current, conservative, moderate, aggressive), what it was worked out from,
//! what came out; then every headline number with its interval, and how to make it again.

use super::record::{ADJUSTED, ChangeFile, ComparisonFile, EstimateFile, MetricFile};
use super::terminal::FRONTIER;
use crate::engine::Rounds;
use crate::experiment::Compared;
use crate::experiment::compare::{Judged, Recommendation};
use crate::measure::{Unit, catalogue as m};
use crate::output::human;
use serde_json::Value;
use std::fmt::Write as _;

/// Roles in the order of a recommendation's columns.
const COLUMNS: [&str; 5] = [
    "current",
    "proposed",
    "conservative",
    "moderate",
    "aggressive",
];
/// The longest value of a setting that a cell of a table takes.
const LONGEST: usize = 72;

/// The recommendation in a sentence.
pub(super) fn recommended(
    compared: &Compared,
    judged: &Judged,
    found: &Recommendation,
    currency: &str,
) -> String {
    let name = &compared.variants[found.variant].name;
    let money = |value| human::number(value, Unit::Currency, currency);
    let at_risk = judged.risks[found.variant]
        .value_at_risk
        .map_or_else(|| "unknown".to_owned(), |estimate| money(estimate.value));
    let mut text = if found.within {
        format!(
            "{name}: it locks least capital among those whose value at risk ({at_risk}) keeps to {}",
            money(found.tolerance)
        )
    } else {
        format!(
            "{name}: no variant's value at risk keeps to {}, and its is the least ({at_risk})",
            money(found.tolerance)
        )
    };
    if found.bounded {
        text.push('.');
    } else {
        text.push_str("; so few replicates bound that quantile only from below.");
    }
    text
}

/// The whole text.
pub fn text(file: &ComparisonFile, currency: &str) -> String {
    let mut text = String::new();
    heading(&mut text, file);
    if file.variants.len() > 1 {
        recommendation(&mut text, file, currency);
    }
    inputs(&mut text, file, currency);
    results(&mut text, file, currency);
    if file.variants.len() > 1 {
        differences(&mut text, file, currency);
    } else {
        spread(&mut text, file, currency);
    }
    worst(&mut text, file, currency);
    let _ = write!(
        text,
        "\n## Reproduce it\n\n```sh\n{}\n```\n\ndeleverage {}, scenario `{}`, seed {}. The same command gives the same bytes. `comparison` and `runs` hold every metric; README says what is not modelled.\n",
        file.command, file.version, file.name, file.seed
    );
    text
}

fn heading(text: &mut String, file: &ComparisonFile) {
    let count = file.replicates.count;
    let _ = writeln!(text, "# {}\n", file.title);
    let crashes = if count == 1 { "crash" } else { "crashes" };
    let _ = if file.variants.len() > 1 {
        writeln!(
            text,
            "{count} {crashes}, each under {} variants with the same draws. From one to the next {} drawn anew.{}",
            file.variants.len(),
            vary(&file.replicates.vary),
            severity(file)
        )
    } else {
        writeln!(
            text,
            "{count} {crashes}. From one to the next {} drawn anew.{}",
            vary(&file.replicates.vary),
            severity(file)
        )
    };
    for market in &file.model.markets {
        let _ = writeln!(
            text,
            "\n{}: impact law {}, permanent share κ = {}, half-life τ = {}.",
            market.market, market.impact_law, market.kappa, market.tau
        );
    }
    let rounds = match file.model.rounds {
        Rounds::Fixed(1) => String::new(),
        Rounds::Fixed(count) => format!(", in {count} rounds"),
        Rounds::UntilQuiet { limit } => format!(", in rounds until quiet, at most {limit}"),
    };
    let _ = writeln!(
        text,
        "\nMargin is checked every {} s{rounds}.",
        file.model.dt
    );
    if let (Some(until), Some(met)) = (&file.replicates.until, file.replicates.until_met) {
        let _ = writeln!(
            text,
            "\nReplicates were added until `{until}`, {}.",
            if met {
                "which was reached"
            } else {
                "which was not reached"
            }
        );
    }
    if file.replicates.stopped {
        let _ = writeln!(
            text,
            "\nIt was interrupted: there are fewer than asked for."
        );
    }
    if !file.failures.is_empty() {
        let _ = writeln!(
            text,
            "\n{} runs failed and are left out; `{}.json` names them.",
            file.failures.len(),
            file.kind
        );
    }
}

/// What varies, in words.
/// What a severity means, where each crash draws its own.
fn severity(file: &ComparisonFile) -> String {
    file.replicates.severity.as_ref().map_or_else(String::new, |drawn| {
        format!(" Severity is the factor on every log move of the outside prices: {drawn}; in replicate 0 it is 1.")
    })
}

pub(super) fn vary(parts: &[String]) -> String {
    let word = |part: &String| match part.as_str() {
        "path" => "outside prices",
        "population" => "populations",
        "flow" => "orders and answers",
        "faults" => "faults",
        "severity" => "the severity of the crash",
        _ => "other draws",
    };
    let words: Vec<&str> = parts.iter().map(word).collect();
    match words.split_last() {
        None => "nothing is".to_owned(),
        Some((last, [])) => format!("{last} are"),
        Some((last, rest)) => format!("{} and {last} are", rest.join(", ")),
    }
}

fn recommendation(text: &mut String, file: &ComparisonFile, currency: &str) {
    let _ = writeln!(text, "\n## Recommendation\n");
    if let Some(found) = &file.recommendation {
        let _ = writeln!(text, "**{}**\n", found.text);
    }
    let mut shown: Vec<usize> = Vec::new();
    for role in COLUMNS {
        shown.extend((0..file.variants.len()).filter(|v| file.variants[*v].role == role));
    }
    let heads: Vec<String> = shown
        .iter()
        .map(|v| {
            let variant = &file.variants[*v];
            let star = file.recommendation.as_ref();
            let star = star.is_some_and(|found| found.variant == variant.name);
            format!(
                "{}{}<br>{}",
                variant.role,
                if star { " ★" } else { "" },
                cell(&variant.name)
            )
        })
        .collect();
    row(text, "Setting", &heads);
    rule(text, heads.len());
    let mut paths: Vec<&str> = Vec::new();
    for change in file.variants.iter().flat_map(|variant| &variant.changes) {
        if !paths.contains(&change.path.as_str()) {
            paths.push(&change.path);
        }
    }
    for path in paths {
        let own = |variant: usize| {
            file.variants[variant]
                .changes
                .iter()
                .find(|change| change.path == path)
        };
        let before = (0..file.variants.len()).find_map(|v| own(v).map(|change| &change.from));
        let values: Vec<String> = shown
            .iter()
            .map(|v| match own(*v) {
                Some(change) => setting(change.to.as_ref()),
                None => setting(before.and_then(Option::as_ref)),
            })
            .collect();
        row(text, &format!("`{path}`"), &values);
    }
    let number = |found: Option<EstimateFile>, unit| {
        found.map_or_else(
            || "–".to_owned(),
            |found| human::number(found.value, unit, currency),
        )
    };
    let capital: Vec<String> = shown
        .iter()
        .map(|v| number(file.frontier[*v].capital, Unit::Share))
        .collect();
    row(text, "initial margin, mean", &capital);
    let at_risk: Vec<String> = shown
        .iter()
        .map(|v| number(file.risks[*v].value_at_risk, Unit::Currency))
        .collect();
    row(text, "value at risk, 95 %", &at_risk);
}

fn inputs(text: &mut String, file: &ComparisonFile, currency: &str) {
    let _ = writeln!(text, "\n## Inputs\n");
    let heads = [
        "Price",
        "Volatility of the mid, a year",
        "Fall outside",
        "Open interest",
        "Bids / asks within 1 %",
        "Insurance fund",
    ];
    row(text, "Market", &heads.map(str::to_owned));
    rule(text, heads.len());
    let fund = file.risks.first().map_or(0.0, |risk| risk.fund);
    for input in &file.inputs {
        let money = |value| human::number(value, Unit::Currency, currency);
        let share = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| human::number(value, Unit::Share, currency),
            )
        };
        row(
            text,
            &cell(&input.market),
            &[
                human::figures(input.price, if input.price < 100.0 { 4 } else { 2 }),
                share(input.volatility),
                share(input.outside_fall),
                money(input.open_interest),
                format!("{} / {}", money(input.bid_depth), money(input.ask_depth)),
                money(fund),
            ],
        );
    }
    let _ = writeln!(
        text,
        "\nVolatility and fall are medians over the replicates of `{}`; the rest is how its first replicate starts.",
        file.variants[0].name
    );
}

fn results(text: &mut String, file: &ComparisonFile, currency: &str) {
    let _ = writeln!(text, "\n## Results\n");
    let heads = [
        "Liquidated, median",
        "LaR (95 %)",
        "Bad debt, mean",
        "VaR (95 %)",
        "VaR of the fund",
        "Runs beyond the fund",
        "Premature, mean",
        "Initial margin, mean",
        "Leverage offered Δ",
    ];
    row(text, "Variant", &heads.map(str::to_owned));
    rule(text, heads.len());
    let show = |found: Option<EstimateFile>, unit| shown(found, unit, currency);
    let offered = |variant: usize| {
        file.frontier[variant]
            .capital
            .map(|found| 1.0 / found.value)
    };
    for (place, variant) in file.variants.iter().enumerate() {
        let (risk, frontier) = (&file.risks[place], &file.frontier[place]);
        let liquidated = file
            .metric(&m::LIQUIDATED_TOTAL, None)
            .and_then(|metric| metric.cells[place].p50);
        let of_fund = risk
            .value_at_risk
            .filter(|_| risk.fund > 0.0)
            .map(|found| human::number(found.value / risk.fund, Unit::Share, currency));
        let leverage = match (offered(0), offered(place)) {
            (Some(from), Some(to)) if place > 0 => {
                let change = to / from - 1.0;
                let sign = if change > 0.0 { "+" } else { "" };
                format!("{sign}{}", human::number(change, Unit::Share, currency))
            }
            _ => "–".to_owned(),
        };
        row(
            text,
            &cell(&variant.name),
            &[
                show(liquidated, Unit::Currency),
                show(risk.liquidations_at_risk, Unit::Currency),
                show(risk.expected_loss, Unit::Currency),
                show(risk.value_at_risk, Unit::Currency),
                of_fund.unwrap_or_else(|| "–".to_owned()),
                show(risk.beyond_fund, Unit::Share),
                show(frontier.premature, Unit::Count),
                show(frontier.capital, Unit::Share),
                leverage,
            ],
        );
    }
    let _ = writeln!(
        text,
        "\nVaR is the 95 % quantile over the runs of bad debt (deficits of bankrupt accounts, whoever bore them), LaR that of what was liquidated. In brackets: {:.0} % intervals; an open end (…) is one that {} replicates are too few to give.",
        100.0 * file.confidence,
        file.replicates.count
    );
}

/// A number with its interval.
fn shown(found: Option<EstimateFile>, unit: Unit, currency: &str) -> String {
    let number = |value| human::number(value, unit, currency);
    let end = |value: Option<f64>| value.map_or_else(|| "…".to_owned(), number);
    match found {
        None => "–".to_owned(),
        Some(found) if found.low.is_none() && found.high.is_none() => number(found.value),
        Some(found) => format!(
            "{} [{}, {}]",
            number(found.value),
            end(found.low),
            end(found.high)
        ),
    }
}

/// The metrics of the frontier, each for its markets.
fn headline(file: &ComparisonFile) -> impl Iterator<Item = (&MetricFile, Unit)> {
    FRONTIER.iter().flat_map(|definition| {
        file.metrics
            .iter()
            .filter(|metric| metric.metric == definition.name)
            .map(|metric| (metric, definition.unit))
    })
}

fn label(metric: &MetricFile) -> String {
    match &metric.market {
        Some(market) => format!("{} {}", cell(market), metric.label),
        None => metric.label.clone(),
    }
}

fn differences(text: &mut String, file: &ComparisonFile, currency: &str) {
    for (place, variant) in file.variants.iter().enumerate().skip(1) {
        let _ = writeln!(
            text,
            "\n## {} against {}\n",
            variant.name, file.variants[0].name
        );
        let heads = [
            "p50 / p95 / p99 before",
            "p50 / p95 / p99 after",
            "Mean difference",
            "Verdict",
            "Less / more",
        ];
        row(text, "Metric", &heads.map(str::to_owned));
        rule(text, heads.len());
        for (metric, unit) in headline(file) {
            let Some(change) = &metric.cells[place].change else {
                continue;
            };
            let three = |variant: usize| {
                let cell = &metric.cells[variant];
                let number = |found: Option<EstimateFile>| {
                    found.map_or_else(
                        || "–".to_owned(),
                        |found| human::number(found.value, unit, currency),
                    )
                };
                format!(
                    "{} / {} / {}",
                    number(cell.p50),
                    number(cell.p95),
                    number(cell.p99)
                )
            };
            row(
                text,
                &label(metric),
                &[
                    three(0),
                    three(place),
                    shown(Some(change.mean), unit, currency),
                    verdict(change),
                    format!("{} / {}", change.lower, change.higher),
                ],
            );
        }
        if let Some(found) = variant.verdicts {
            let _ = writeln!(
                text,
                "\nOf all metrics {} are better, {} worse, {} neither but different, {} the same; of {} this many replicates can't tell. Each verdict is at {:.0} % by itself: of many about one in twenty is chance.",
                found.better,
                found.worse,
                found.higher + found.lower,
                found.same,
                found.unclear,
                100.0 * file.confidence
            );
        }
        let gains: Vec<String> = file
            .metrics
            .iter()
            .filter(|metric| metric.metric == m::DRAWDOWN.name)
            .filter_map(|metric| {
                let change = metric.cells[place].change.as_ref()?;
                let gain = change.narrowing.or(change.pairing)?;
                let market = cell(metric.market.as_deref().unwrap_or_default());
                Some(format!("{gain:.1}× as wide ({market})"))
            })
            .collect();
        if !gains.is_empty() {
            let _ = writeln!(
                text,
                "\nWithout {} the interval of the drawdown's mean difference would be {}.",
                if file.is_adjusted() {
                    "the same draws, and unadjusted for severity,"
                } else {
                    "the same draws"
                },
                gains.join(", ")
            );
        }
    }
    if file.is_adjusted() {
        let _ = writeln!(text, "\n{ADJUSTED}");
    }
}

/// A verdict in words, with how many replicates would tell where these can't.
pub(super) fn verdict(change: &ChangeFile) -> String {
    match (change.verdict.as_str(), change.needed) {
        ("unclear", Some(needed)) => {
            format!(
                "can't tell; about {} would",
                human::figures(needed as f64, 0)
            )
        }
        ("unclear", None) => "can't tell".to_owned(),
        (verdict, _) => verdict.to_owned(),
    }
}

fn spread(text: &mut String, file: &ComparisonFile, currency: &str) {
    let _ = writeln!(text, "\n## Over the replicates\n");
    let heads = ["Mean", "Median", "p95", "p99"];
    row(text, "Metric", &heads.map(str::to_owned));
    rule(text, heads.len());
    for (metric, unit) in headline(file) {
        let cell = &metric.cells[0];
        let found = [cell.mean, cell.p50, cell.p95, cell.p99];
        row(
            text,
            &label(metric),
            &found.map(|found| shown(found, unit, currency)),
        );
    }
}

fn worst(text: &mut String, file: &ComparisonFile, currency: &str) {
    if file.worst.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n## Worst runs\n");
    row(
        text,
        "Variant",
        &["Replicate", "Value", "Run again"].map(str::to_owned),
    );
    rule(text, 3);
    for found in &file.worst {
        let definition = crate::measure::catalogue::definition(&found.metric);
        let unit = definition.map_or(Unit::Ratio, |definition| definition.unit);
        let kept = found.kept.as_ref();
        row(
            text,
            &cell(&found.variant),
            &[
                found.replicate.to_string(),
                format!(
                    "{} {}",
                    definition.map_or("", |definition| definition.label),
                    human::number(found.value, unit, currency)
                ),
                format!(
                    "`{}`{}",
                    found.replay,
                    kept.map_or_else(String::new, |folder| format!(", kept in `{folder}`"))
                ),
            ],
        );
    }
}

/// A setting's value, short enough for a table.
fn setting(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    let whole = plain(value);
    if whole.chars().count() <= LONGEST {
        return cell(&whole);
    }
    let short: String = whole.chars().take(LONGEST - 1).collect();
    cell(&format!("{short}…"))
}

/// A value as a person writes it: `fixed: maintenance 0.02, initial 0.04`.
fn plain(value: &Value) -> String {
    match value {
        Value::Object(table) => table
            .iter()
            .map(|(key, value)| match value {
                Value::Object(inner) if inner.is_empty() => key.clone(),
                Value::Object(_) => format!("{key}: {}", plain(value)),
                value => format!("{key} {}", plain(value)),
            })
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

/// Text that breaks no table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn row(text: &mut String, first: &str, cells: &[String]) {
    let _ = writeln!(text, "| {first} | {} |", cells.join(" | "));
}

fn rule(text: &mut String, cells: usize) {
    let _ = writeln!(text, "|---|{}", "---:|".repeat(cells));
}
