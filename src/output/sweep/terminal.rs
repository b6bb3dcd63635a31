//! A sweep on the terminal: a line for each point, with what matters most.

use super::pictures::{self, Line, Shown};
use super::store::{Store, StoreError};
use super::tables::Spread;
use crate::experiment::sweep::plan::Layout;
use crate::measure::Definition;
use crate::measure::catalogue as m;
use crate::output::human;
use crate::output::terminal::Style;
use std::fmt::Write as _;

/// What is shown of a point.
pub static SHOWN: &[&Definition] = &[
    &m::DRAWDOWN,
    &m::LIQUIDATED_TOTAL,
    &m::BAD_DEBT,
    &m::ENDOGENOUS_SHARE,
];

/// With more points than this the table is left to its file.
const MOST: u64 = 60;
const VALUE: usize = 13;

/// For each condition that is drawn, how well the line R = 1 tells where it is met.
///
/// # Errors
///
/// A point can't be read.
pub fn agreement(
    store: &Store,
    layout: &Layout<'_>,
    charts: &[Shown],
) -> Result<String, StoreError> {
    let done = store.list()?.done;
    let mut text = String::new();
    for shown in charts {
        let side = |line| pictures::agreement(store, layout, &done, shown, line);
        let (Some((agree, all)), Some((peak, _))) = (side(Line::Start)?, side(Line::Peak)?) else {
            continue;
        };
        let share = |count: usize| 100.0 * count as f64 / all.max(1) as f64;
        let _ = writeln!(
            text,
            "{}: at {agree} of {all} points more than half of the runs do\njust where R at the start, for a move of 1, 2 or 5 % down, is at least 1:\n{:.1} % are on the right side of that line, {:.1} % of the one that the runs'\nown highest R, 1 % down, makes.",
            shown.label(pictures::market(store)),
            share(agree),
            share(peak)
        );
    }
    Ok(text)
}

/// Medians over the replicates, at most 80 columns wide, of the first market where a metric is measured for each;
/// nothing of a sweep with many points.
///
/// # Errors
///
/// A point can't be read.
pub fn table(store: &Store, layout: &Layout<'_>, style: &Style) -> Result<String, StoreError> {
    let done = store.list()?.done;
    let plan = &store.plan().sweep;
    let mut text = String::new();
    if plan.points > MOST {
        return Ok(text);
    }
    let room = (80 - SHOWN.len() * VALUE) / plan.axes.len().clamp(1, 2);
    let mut head = String::new();
    for axis in plan.axes.iter().take(2) {
        // The end of a path says most.
        let skip = axis.path.chars().count().saturating_sub(room - 1);
        let name: String = axis.path.chars().skip(skip).collect();
        let _ = write!(head, "{name:<room$}");
    }
    for definition in SHOWN {
        let label: String = definition.label.chars().take(VALUE - 1).collect();
        let _ = write!(head, "{label:>VALUE$}");
    }
    let _ = writeln!(text, "{}", style.dress("1", head.trim_end()));
    for point in done {
        let mut line = String::new();
        for (_, value) in layout.point(point).settings.iter().take(2) {
            let value: String = value.chars().take(room - 1).collect();
            let _ = write!(line, "{value:<room$}");
        }
        let spreads = Spread::all(&store.read(point, layout)?);
        for definition in SHOWN {
            let found = spreads
                .iter()
                .find(|spread| spread.definition == *definition);
            let shown = found.and_then(|spread| spread.quantiles[1]).map_or_else(
                || "-".to_owned(),
                |value| human::number(value, definition.unit, &style.currency),
            );
            let _ = write!(line, "{shown:>VALUE$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if plan.axes.len() > 2 {
        let _ = writeln!(
            text,
            "Only the first two of {} settings are shown.",
            plan.axes.len()
        );
    }
    let _ = writeln!(
        text,
        "Medians over {} {}; every metric is in the tables.",
        plan.replicates,
        if plan.replicates == 1 {
            "replicate"
        } else {
            "replicates"
        }
    );
    Ok(text)
}
