//! The page of a sweep.

use super::page::{Block, Card, Cell, Head, Page, Section, Table};
use super::{ReportError, figures, metrics, run, settings, unmodelled};
use crate::experiment::sweep::{Axis, Design, Plan, Values};
use crate::measure::{Definition, Scope, Unit};
use crate::output::exhibit::{Source, SourceError};
use crate::output::human;
use crate::output::sweep::tables::Spread;
use crate::output::sweep::terminal::SHOWN;
use crate::output::sweep::{Store, pictures};

/// More points than this are left to the table's file.
const MOST: usize = 500;
const CURRENCY: &str = "USD";

/// Puts it together.
pub(super) fn page(source: &Source) -> Result<Page, ReportError> {
    let Some(store) = &source.sweep else {
        return Err(ReportError::Other(source.path().to_owned()));
    };
    let file = store.plan();
    let plan = &file.sweep;
    let listing = store.list().map_err(SourceError::from)?;
    let exhibits = source.exhibits()?;
    let title = file.scenario["title"].as_str().unwrap_or(&file.name);
    let missing = plan.points.saturating_sub(listing.done.len() as u64);
    Ok(Page {
        of: "Sweep".into(),
        title: title.to_owned(),
        lead: format!(
            "{} · {} · seed {}{}",
            counted(plan.points, "point", "points"),
            counted(plan.replicates, "run a point", "runs a point"),
            plan.seed,
            if plan.twin { " · beside twins" } else { " · without twins" }
        ),
        warning: (missing > 0).then(|| {
            format!(
                "{} of {} are missing: what follows is of the others.",
                counted(missing, "point", "points"),
                plan.points
            )
        }),
        sections: vec![
            Section::new("short", "In short")
                .with(Block::Cards(cards(store, &listing.done)?))
                .with(Block::Table(axes(plan))),
            Section::new("charts", "What it depends on")
                .with_all(figures::figures(&exhibits, |_| true)?)
                .with_all(figures::others(source, &exhibits)),
            Section::new("points", "Point by point").with_all(points(store, &listing.done)?),
            Section::new("failures", "What failed").with_all(failures(store, &listing.failed)),
            Section::new("asked", "What was varied around")
                .with_all(settings::blocks(&file.scenario, &file.model)),
            Section::new("not-modelled", "What is not modelled")
                .with(Block::List(unmodelled::points())),
            Section::new("again", "How to make it again")
                .with(Block::Text(
                    "The plan holds the scenario with every default resolved. In the directory of the results:".into(),
                ))
                .with(Block::Code(command(plan)))
                .with_all(run::files(source)),
        ],
        version: file.version.clone(),
    })
}

fn counted(count: u64, one: &str, many: &str) -> String {
    let number = human::number(count as f64, Unit::Count, "");
    format!("{number} {}", if count == 1 { one } else { many })
}

/// The least and the most that a point's median is, for what matters most.
fn cards(store: &Store, done: &[u64]) -> Result<Vec<Card>, ReportError> {
    let layout = store.plan().sweep.layout();
    let market = pictures::market(store).map(str::to_owned);
    let mut medians: Vec<Vec<f64>> = vec![Vec::new(); SHOWN.len()];
    for point in done {
        let read = store.read(*point, &layout).map_err(SourceError::from)?;
        let spreads = Spread::all(&read);
        for (definition, medians) in SHOWN.iter().zip(&mut medians) {
            medians.extend(median(&spreads, definition, market.as_deref()));
        }
    }
    Ok(SHOWN
        .iter()
        .zip(medians)
        .filter_map(|(definition, mut medians)| {
            medians.sort_unstable_by(f64::total_cmp);
            let (least, most) = (*medians.first()?, *medians.last()?);
            let number = |value| human::number(value, definition.unit, CURRENCY);
            Some(Card {
                label: definition.label.to_owned(),
                cell: Cell::number(number(most), Some(most)).hint(definition.text),
                beside: Some(format!(
                    "the most of all points' medians; the least {}",
                    number(least)
                )),
            })
        })
        .collect())
}

fn spread<'a>(
    spreads: &'a [Spread],
    definition: &Definition,
    market: Option<&str>,
) -> Option<&'a Spread> {
    let market = market.filter(|_| definition.scope == Scope::Market);
    spreads
        .iter()
        .find(|s| s.definition.name == definition.name && s.market.as_deref() == market)
}

fn median(spreads: &[Spread], definition: &Definition, market: Option<&str>) -> Option<f64> {
    spread(spreads, definition, market)?.quantiles[1]
}

fn axes(plan: &Plan) -> Table {
    let row = |axis: &Axis| {
        vec![
            Cell::words(&axis.path),
            Cell::words(values(axis).replace(',', ", ")),
        ]
    };
    Table {
        caption: match plan.design {
            Design::Grid => "What was varied: every combination".into(),
            Design::Lhs => format!(
                "What was varied: a Latin hypercube of {} points",
                plan.points
            ),
            Design::Sobol => format!(
                "What was varied: a Sobol' sequence of {} points",
                plan.points
            ),
        },
        head: vec![Head::words("Setting"), Head::words("Values")],
        rows: plan.axes.iter().map(row).collect(),
        ..Table::default()
    }
}

/// An axis' values as they are typed.
fn values(axis: &Axis) -> String {
    match &axis.values {
        Values::List(list) => list.join(","),
        Values::Range(range) => {
            let count = range.count.map_or_else(String::new, |n| format!(":{n}"));
            let log = if range.log { ":log" } else { "" };
            format!("{}..{}{count}{log}", range.from, range.to)
        }
    }
}

/// A row for each point: its settings, and the median of each number with the band that nine runs in ten lie in.
fn points(store: &Store, done: &[u64]) -> Result<Vec<Block>, ReportError> {
    let plan = &store.plan().sweep;
    let layout = plan.layout();
    let market = pictures::market(store);
    let mut head = vec![Head::words("Point")];
    head.extend(plan.axes.iter().map(|axis| Head {
        text: axis.path.clone(),
        number: axis.is_numeric(),
    }));
    for definition in SHOWN {
        head.push(Head::numbers(definition.label));
        head.push(Head::numbers("5 % to 95 %"));
    }
    let mut rows = Vec::new();
    for point in done.iter().take(MOST) {
        let read = store.read(*point, &layout).map_err(SourceError::from)?;
        let spreads = Spread::all(&read);
        let mut row = vec![Cell::number(point.to_string(), Some(*point as f64))];
        for (axis, (_, value)) in plan.axes.iter().zip(layout.point(*point).settings) {
            row.push(match value.parse::<f64>() {
                Ok(number) if axis.is_numeric() => Cell::number(value, Some(number)),
                _ => Cell::words(value),
            });
        }
        for definition in SHOWN {
            let found = spread(&spreads, definition, market);
            let [low, middle, high] = found.map_or([None; 3], |found| found.quantiles);
            let shown = |value| metrics::shown(value, definition.unit, CURRENCY);
            row.push(
                Cell::number(shown(middle), middle)
                    .of_metric(definition.name, found.and_then(|f| f.market.as_deref()))
                    .of(point.to_string()),
            );
            row.push(Cell::line(match low.zip(high) {
                Some(_) => format!("{} to {}", shown(low), shown(high)),
                None => "–".to_owned(),
            }));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = Vec::new();
    if done.len() > MOST {
        blocks.push(Block::Text(format!(
            "The first {MOST} of {} points; the table `sweep` has all of them.",
            done.len()
        )));
    }
    blocks.push(Block::Table(Table {
        caption: format!("Medians over {}", counted(plan.replicates, "run", "runs")),
        head,
        rows,
        sortable: true,
        ..Table::default()
    }));
    Ok(blocks)
}

fn failures(store: &Store, failed: &[u64]) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = failed
        .iter()
        .filter_map(|point| {
            let failed = store.read_failed(*point)?;
            Some(vec![
                Cell::number(point.to_string(), Some(*point as f64)),
                Cell::words(failed.message),
                Cell::words(failed.replay),
            ])
        })
        .collect();
    (!rows.is_empty()).then(|| {
        Block::Table(Table {
            caption: "Points that failed, and the command that replays each".into(),
            head: vec![
                Head::words("Point"),
                Head::words("Why"),
                Head::words("Replay"),
            ],
            rows,
            sortable: true,
            ..Table::default()
        })
    })
}

/// The command that makes the sweep again.
fn command(plan: &Plan) -> String {
    let mut text = "deleverage sweep plan.json".to_owned();
    for axis in &plan.axes {
        text += &format!(" --vary '{}={}'", axis.path, values(axis));
    }
    match plan.design {
        Design::Grid => {}
        Design::Lhs => text += &format!(" --design lhs --points {}", plan.points),
        Design::Sobol => text += &format!(" --design sobol --points {}", plan.points),
    }
    text += &format!(" --replicates {} --seed {}", plan.replicates, plan.seed);
    if plan.common {
        text += " --common";
    }
    if !plan.twin {
        text += " --no-twin";
    }
    text + " --out again"
}
