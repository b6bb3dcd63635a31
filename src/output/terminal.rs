//! The table at the end of a run: what matters, aligned, at most 80 columns wide.
//!
//! Everything else is in `summary.json`.

use super::bearers::{BEARERS, Bearers};
use super::human;
use crate::measure::catalogue as m;
use crate::measure::{Definition, Group, Metric, Outcome, Recorded, Scope, Summary};
use std::fmt::Write as _;
use std::io::IsTerminal;

/// Metrics that the summary file has and the table leaves out.
pub static DETAILS: &[&Definition] = &[
    &m::RUN_UP,
    &m::LIQUIDATED_TOTAL,
    &m::TRADED_TOTAL,
    &m::DOWN_PEAK_2,
    &m::DOWN_PEAK_5,
    &m::DOWN_START_1,
    &m::DOWN_START_2,
    &m::DOWN_START_5,
    &m::UP_PEAK_2,
    &m::UP_PEAK_5,
    &m::UP_FIRST,
    &m::INITIAL_MEAN,
    &m::CURED_CALLS,
    &m::LEAD_TIME_P5,
    &m::LEAD_TIME_P95,
    &m::CALL_LEAD_P5,
    &m::CALL_LEAD_P95,
    &m::PREMATURE_COUNT,
    &m::LATE_COUNT,
    &m::LOSS_SHARE,
    &m::BACKSTOP_NOTIONAL,
    &m::BACKSTOP_EQUITY,
    &m::KEEPER_TRANSACTIONS,
    &m::KEEPER_REVERTED,
    &m::STOPS,
    &m::WITHDRAWALS_REFUSED,
    &m::ORDERS_WITHDRAWN,
    &m::AMPLIFICATION_LIQUIDATED_TOTAL,
];

/// How text is dressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether headings are bold and verdicts coloured.
    pub colour: bool,
    /// Name of the settlement currency.
    pub currency: String,
}

impl Style {
    /// Coloured on a terminal, unless `NO_COLOR` is set; plain when piped.
    pub fn for_stdout(currency: &str) -> Self {
        Self {
            colour: std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
            currency: currency.to_owned(),
        }
    }
    pub(super) fn dress(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

const LABEL: usize = 28;
const VALUE: usize = 13;
/// Markets side by side: as many as fit in 80 columns.
const ABREAST: usize = (80 - LABEL) / VALUE;

const GROUPS: [Group; 17] = [
    Group::Price,
    Group::Liquidity,
    Group::Liquidation,
    Group::Spiral,
    Group::Margin,
    Group::Loss,
    Group::Keepers,
    Group::Calls,
    Group::Quality,
    Group::Traders,
    Group::Genealogy,
    Group::Warning,
    Group::Design,
    Group::Safety,
    Group::Engine,
    Group::Feedback,
    Group::Unguarded,
];

/// The metrics as a table, one column for each market; metrics without any value are left out.
pub fn summary(summary: &Summary, style: &Style) -> String {
    let mut text = String::new();
    for group in GROUPS {
        let of = |scope: Scope| -> Vec<&Metric> {
            summary
                .metrics()
                .iter()
                .filter(|metric| {
                    let definition = metric.definition;
                    definition.group == group
                        && definition.scope == scope
                        && DETAILS.iter().all(|detail| detail.name != definition.name)
                })
                .collect()
        };
        let (by_market, of_world) = (of(Scope::Market), of(Scope::World));
        let silent = |metrics: &[&Metric]| metrics.iter().all(|metric| metric.value.is_none());
        if silent(&by_market) && silent(&of_world) {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        section(&mut text, group, &by_market, &of_world, style);
    }
    text
}

/// The bad debt and whoever bore it, in figures that add up as they are shown.
fn bearers(text: &mut String, summary: &[&Metric], style: &Style) -> bool {
    let value = |definition: &Definition| {
        let metric = summary
            .iter()
            .find(|m| m.definition.name == definition.name);
        metric.and_then(|metric| metric.value)
    };
    let Some(borne) = Bearers::of(value) else {
        return false;
    };
    let mut figures = |label: &str, shown: f64, share: f64| {
        let amount = human::figures(shown, borne.places);
        let share = human::number(share, m::LIQUIDATED_SHARE.unit, &style.currency);
        let cells = format!("{amount:>width$}{share:>VALUE$}", width = 2 * VALUE);
        line(
            text,
            &format!("  {label:<width$}", width = LABEL - 2),
            &cells,
        );
    };
    for part in &borne.parts {
        figures(part.definition.label, part.shown, part.value / borne.total);
    }
    figures(m::BAD_DEBT.label, borne.shown, 1.0);
    true
}

fn section(
    text: &mut String,
    group: Group,
    by_market: &[&Metric],
    of_world: &[&Metric],
    style: &Style,
) {
    let mut markets: Vec<&str> = Vec::new();
    for market in by_market
        .iter()
        .filter_map(|metric| metric.market.as_deref())
    {
        if !markets.contains(&market) {
            markets.push(market);
        }
    }
    if markets.is_empty() {
        line(text, &style.dress("1", group.title()), "");
    }
    let told = group == Group::Loss && bearers(text, of_world, style);
    for (block, abreast) in markets.chunks(ABREAST).enumerate() {
        let title = if block == 0 { group.title() } else { "" };
        heading(text, title, abreast, style);
        for definition in m::DEFINITIONS {
            let values: Vec<Option<f64>> = abreast
                .iter()
                .filter_map(|market| {
                    by_market.iter().find(|metric| {
                        metric.definition.name == definition.name
                            && metric.market.as_deref() == Some(market)
                    })
                })
                .map(|metric| metric.value)
                .collect();
            row(text, definition, &values, style);
        }
    }
    for metric in of_world {
        let name = metric.definition.name;
        if told && (name == m::BAD_DEBT.name || BEARERS.iter().any(|part| part.name == name)) {
            continue;
        }
        row(text, metric.definition, &[metric.value], style);
    }
}

/// The group's title with the markets' names above their columns. A title too long to stand
/// beside them has a line of its own.
fn heading(text: &mut String, title: &str, markets: &[&str], style: &Style) {
    let mut names = String::new();
    for market in markets {
        let short: String = market.chars().take(VALUE - 1).collect();
        let _ = write!(names, "{short:>VALUE$}");
    }
    let width = title.chars().count();
    if width > LABEL {
        line(text, &style.dress("1", title), "");
        line(text, &" ".repeat(LABEL), &names);
    } else {
        let padded = format!("{}{}", style.dress("1", title), " ".repeat(LABEL - width));
        line(text, &padded, &names);
    }
}

fn row(text: &mut String, definition: &Definition, values: &[Option<f64>], style: &Style) {
    if values.iter().all(Option::is_none) {
        return;
    }
    let mut cells = String::new();
    for value in values {
        let cell = value.map_or_else(
            || "-".to_owned(),
            |value| human::number(value, definition.unit, &style.currency),
        );
        let _ = write!(cells, "{cell:>VALUE$}");
    }
    line(
        text,
        &format!("  {:<width$}", definition.label, width = LABEL - 2),
        &cells,
    );
}

fn line(text: &mut String, label: &str, cells: &str) {
    text.push_str(format!("{label}{cells}").trim_end());
    text.push('\n');
}

/// Who moved the margin: what each part of a rule added to the maintenance rates of small and of large positions and to the
/// initial rate, on average and at most, by market. Nothing where no rule has more than one part.
pub fn parts(run: &Recorded, style: &Style) -> String {
    const LABEL: usize = 26;
    const VALUE: usize = 9;
    let mut text = String::new();
    let steps = f64::from(run.tally.steps);
    for (place, market) in run.frame.markets.iter().enumerate() {
        let tallies = run.parts.market(place);
        if tallies.len() < 2 || steps <= 0.0 {
            continue;
        }
        if text.is_empty() {
            let title = "Who moved the margin";
            let padded = format!(
                "{}{}",
                style.dress("1", title),
                " ".repeat(LABEL - title.len())
            );
            let mut heads = String::new();
            let mut columns = String::new();
            for head in ["maintenance", "of large ones", "initial"] {
                let _ = write!(heads, "{head:>width$}", width = 2 * VALUE);
                let _ = write!(columns, "{:>VALUE$}{:>VALUE$}", "mean", "most");
            }
            line(&mut text, &padded, &heads);
            line(
                &mut text,
                &format!("{:LABEL$}", "  points added by"),
                &columns,
            );
        }
        for (part, tally) in market.parts.iter().zip(tallies) {
            let mut cells = String::new();
            for added in [tally.maintenance, tally.large, tally.initial] {
                for share in [added.sum / steps, added.largest] {
                    let points = 100.0 * share;
                    let cell = if points == 0.0 {
                        "-".to_owned()
                    } else {
                        format!("{points:+.3}")
                    };
                    let _ = write!(cells, "{cell:>VALUE$}");
                }
            }
            let label = format!("  {} {part}", market.name);
            let label: String = label.chars().take(LABEL - 1).collect();
            line(&mut text, &format!("{label:<LABEL$}"), &cells);
        }
    }
    text
}

/// What became of the expectations, a line each.
pub fn expectations(outcomes: &[Outcome], style: &Style) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let verdict = if outcome.ok {
            style.dress("32", "ok    ")
        } else {
            style.dress("31", "FAILED")
        };
        let found = match (outcome.found, m::definition(&outcome.expectation.metric)) {
            (Some(found), Some(definition)) => {
                human::number(found, definition.unit, &style.currency)
            }
            _ => "no value".to_owned(),
        };
        let _ = writeln!(text, "{verdict}  {}: {found}", outcome.expectation);
    }
    text
}
