//! Metrics on a page: large numbers, tables by heading, who paid, and how calls ended.

use super::page::{Block, Card, Cell, Head, Table};
use super::{ReportError, read_json};
use crate::measure::catalogue as m;
use crate::measure::{Definition, Direction, Group, Metric, Scope, Summary, Unit};
use crate::output::bearers::Bearers;
use crate::output::directory::SUMMARY;
use crate::output::human;
use serde_json::Value;
use std::path::Path;

/// A summary as it was written: what this version doesn't know is left out.
pub(super) fn read(directory: &Path) -> Result<Summary, ReportError> {
    let entries: Vec<Value> = read_json(&directory.join(SUMMARY))?;
    let metric = |entry: &Value| {
        let definition = m::definition(entry["name"].as_str()?)?;
        let value = match &entry["value"] {
            Value::String(word) => word.parse().ok(),
            value => value.as_f64(),
        };
        Some(Metric::new(definition, entry["market"].as_str(), value))
    };
    Ok(Summary::new(entries.iter().filter_map(metric).collect()))
}

/// A metric's value as a cell that can be found again.
pub(super) fn cell(metric: &Metric, currency: &str) -> Cell {
    let (definition, value) = (metric.definition, metric.value);
    Cell::number(shown(value, definition.unit, currency), value)
        .of_metric(definition.name, metric.market.as_deref())
        .hint(definition.text)
}

/// A value in its unit, or a dash.
pub(super) fn shown(value: Option<f64>, unit: Unit, currency: &str) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| human::number(value, unit, currency),
    )
}

/// A metric's label with its market's name, where there are several.
pub(super) fn label(definition: &Definition, market: Option<&str>, several: bool) -> String {
    match market {
        Some(market) if several => format!("{market} {}", definition.label),
        _ => definition.label.to_owned(),
    }
}

/// What stands large at the top of a run's page.
static HEADLINE: &[&Definition] = &[
    &m::DRAWDOWN,
    &m::ENDOGENOUS_SHARE,
    &m::DOWN_PEAK_1,
    &m::LIQUIDATIONS,
    &m::LIQUIDATED_TOTAL,
    &m::BAD_DEBT,
    &m::PREMATURE_SHARE,
    &m::CALL_PRECISION,
];

/// The headline numbers of a run.
pub(super) fn cards(summary: &Summary, markets: &[String], currency: &str) -> Vec<Card> {
    let mut cards = Vec::new();
    for definition in HEADLINE {
        for metric in summary
            .named(definition.name)
            .filter(|metric| metric.value.is_some())
        {
            let market = metric.market.as_deref();
            cards.push(Card {
                label: label(definition, market, markets.len() > 1),
                cell: cell(metric, currency),
                beside: beside(summary, definition, market, currency),
            });
        }
    }
    cards
}

/// What a headline number is to be compared with.
fn beside(
    summary: &Summary,
    definition: &Definition,
    market: Option<&str>,
    currency: &str,
) -> Option<String> {
    let number = |definition: &Definition, market| {
        let value = summary.value(definition.name, market)?;
        Some(human::number(value, definition.unit, currency))
    };
    if *definition == m::DRAWDOWN {
        let given = number(&m::REFERENCE_DRAWDOWN, market)?;
        return Some(format!("the outside price fell {given}"));
    }
    if *definition == m::DOWN_PEAK_1 {
        return Some("R: from 1.00× on, a move of 1 % finances itself".to_owned());
    }
    if *definition == m::ENDOGENOUS_SHARE {
        let spiral = number(&m::SPIRAL_SHARE, market)?;
        return Some(format!("{spiral} by rising margins"));
    }
    if *definition == m::LIQUIDATIONS {
        let share = number(&m::LIQUIDATED_ACCOUNTS, None)?;
        return Some(format!("{share} of accounts"));
    }
    if *definition == m::BAD_DEBT {
        let drawdown = number(&m::FUND_DRAWDOWN, None)?;
        return Some(format!("the fund fell by {drawdown}"));
    }
    if *definition == m::PREMATURE_SHARE {
        let late = number(&m::LATE_SHARE, None)?;
        return Some(format!("late: {late}"));
    }
    None
}

const fn tone(direction: Direction) -> &'static str {
    match direction {
        Direction::Lower => "less",
        Direction::Higher => "more",
        Direction::Neutral => "–",
    }
}

/// Every metric, a table a heading; with the markets side by side where they are measured for each.
pub(super) fn tables(summary: &Summary, markets: &[String], currency: &str) -> Vec<Block> {
    let mut groups: Vec<Group> = m::DEFINITIONS.iter().map(|d| d.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut blocks = Vec::new();
    for group in groups {
        for scope in [Scope::Market, Scope::World] {
            let of = |d: &&&'static Definition| d.group == group && d.scope == scope;
            let defined: Vec<&Definition> = m::DEFINITIONS.iter().filter(of).copied().collect();
            let columns: Vec<Option<&str>> = match scope {
                Scope::Market => markets.iter().map(|market| Some(market.as_str())).collect(),
                Scope::World => vec![None],
            };
            let rows: Vec<Vec<Cell>> = defined
                .into_iter()
                .filter_map(|definition| row(summary, definition, &columns, currency))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let mut head = vec![Head::words("Metric")];
            head.extend(
                columns
                    .iter()
                    .map(|market| Head::numbers(market.unwrap_or("Value"))),
            );
            head.extend([Head::words("Better"), Head::words("What it is")]);
            let both = groups_both(summary, group);
            blocks.push(Block::Table(Table {
                caption: match scope {
                    Scope::World if both => format!("{}, all markets", group.title()),
                    _ => group.title().to_owned(),
                },
                head,
                rows,
                sortable: true,
                ..Table::default()
            }));
        }
    }
    blocks
}

/// Whether a heading has metrics of markets and of the world.
fn groups_both(summary: &Summary, group: Group) -> bool {
    let has = |scope| {
        let mut metrics = summary.metrics().iter();
        metrics.any(|metric| metric.definition.group == group && metric.definition.scope == scope)
    };
    has(Scope::Market) && has(Scope::World)
}

fn row(
    summary: &Summary,
    definition: &'static Definition,
    columns: &[Option<&str>],
    currency: &str,
) -> Option<Vec<Cell>> {
    let found: Vec<Option<&Metric>> = columns
        .iter()
        .map(|market| summary.get(definition.name, *market))
        .collect();
    if found.iter().flatten().all(|metric| metric.value.is_none()) {
        return None;
    }
    let mut cells = vec![Cell::words(definition.label).hint(definition.name)];
    cells.extend(found.into_iter().map(|metric| match metric {
        Some(metric) => {
            let mut cell = cell(metric, currency);
            cell.hint = None;
            cell
        }
        None => Cell::number("–", None),
    }));
    cells.push(Cell::words(tone(definition.direction)));
    cells.push(Cell::words(definition.text));
    Some(cells)
}

/// The bad debt and whoever bore it, in figures that add up as they are shown.
pub(super) fn waterfall(summary: &Summary, currency: &str) -> Option<Table> {
    let borne = Bearers::of(|definition| summary.value(definition.name, None))?;
    let row = |label: &str, definition: &Definition, shown: f64, part: f64| {
        vec![
            Cell::words(label).hint(definition.text),
            Cell::number(human::figures(shown, borne.places), Some(part))
                .of_metric(definition.name, None),
            Cell::number(
                human::number(part / borne.total, Unit::Share, currency),
                Some(part / borne.total),
            ),
        ]
    };
    Some(Table {
        caption: "Who paid: the bad debt, and whoever bore it".into(),
        head: vec![
            Head::words("Borne by"),
            Head::numbers(currency),
            Head::numbers("Share"),
        ],
        rows: borne
            .parts
            .iter()
            .map(|part| {
                row(
                    part.definition.label,
                    part.definition,
                    part.shown,
                    part.value,
                )
            })
            .collect(),
        foot: vec![row(
            m::BAD_DEBT.label,
            &m::BAD_DEBT,
            borne.shown,
            borne.total,
        )],
        sortable: true,
    })
}

/// How calls ended; the parts add up to the calls.
static FATES: [&Definition; 5] = [
    &m::CURED_BY_TRADER,
    &m::CURED_BY_MARKET,
    &m::CALLS_LIQUIDATED,
    &m::CALLS_BANKRUPT,
    &m::CALLS_OPEN,
];

/// How every margin call ended.
pub(super) fn fates(summary: &Summary, currency: &str) -> Option<Table> {
    let calls = summary
        .value(m::CALLS.name, None)
        .filter(|calls| *calls > 0.0)?;
    let row = |definition: &'static Definition| {
        let value = summary.value(definition.name, None).unwrap_or_default();
        vec![
            Cell::words(definition.label).hint(definition.text),
            Cell::number(shown(Some(value), Unit::Count, currency), Some(value))
                .of_metric(definition.name, None),
            Cell::number(
                human::number(value / calls, Unit::Share, currency),
                Some(value / calls),
            ),
        ]
    };
    Some(Table {
        caption: "Fates of margin calls".into(),
        head: vec![
            Head::words("Fate"),
            Head::numbers("Calls"),
            Head::numbers("Share"),
        ],
        rows: FATES.iter().map(|fate| row(fate)).collect(),
        foot: vec![row(&m::CALLS)],
        sortable: true,
    })
}
