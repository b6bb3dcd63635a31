//! A run's genealogy as files: a table of liquidations with their causes, one of edges, and what they say together.

use super::directory::{Directory, OutputError};
use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Format, Kind, Table, metadata};
use crate::cascade::reproduction::{Window, calibrate, warnings, windows};
use crate::cascade::{Genealogy, Liquidation, Outer, WHOLE, export, summary, tail};
use crate::engine::Channel;
use crate::experiment::Finished;
use crate::measure::Recorded;
use crate::unit::Side;
use serde_json::{Value, json};
use std::io::Write as _;

/// One liquidation as its columns see it.
pub struct NodeView<'a> {
    seconds: f64,
    node: &'a Liquidation,
    market: &'a str,
    factors: Factors,
}

/// One edge as its columns see it.
pub struct EdgeView {
    cause: u32,
    caused: u32,
    share: u32,
}

fn part(parts: u32) -> Cell<'static> {
    Cell::Real(f64::from(parts) / f64::from(WHOLE))
}

fn node_columns<'a>() -> Vec<Column<NodeView<'a>>> {
    use Kind::{Integer, Real, Text};
    type V<'a> = NodeView<'a>;
    let mut columns = vec![
        Column::new(
            "liquidation",
            Integer,
            "number",
            "The liquidation, by the order in which they began.",
            |v: &V<'a>| Cell::Integer(v.node.number.into()),
        ),
        Column::new(
            "seconds",
            Real,
            "seconds",
            "End of the step in which it began, since the start.",
            |v: &V<'a>| Cell::Real(v.seconds),
        ),
        Column::new(
            "step",
            Integer,
            "count",
            "That step, from 0.",
            |v: &V<'a>| Cell::Integer(v.node.step.into()),
        ),
        Column::new(
            "crossed",
            Integer,
            "count",
            "The step in which it crossed its threshold.",
            |v: &V<'a>| Cell::Integer(v.node.crossed.into()),
        ),
        Column::new("account", Integer, "id", "Whose.", |v: &V<'a>| {
            Cell::Integer(v.node.account.0.into())
        }),
        Column::new(
            "market",
            Text,
            "name",
            "The market of its largest position.",
            |v: &V<'a>| Cell::Text(v.market),
        ),
        Column::new(
            "side",
            Text,
            "name",
            "What it held there: long or short.",
            |v: &V<'a>| {
                Cell::Text(match v.node.side {
                    Side::Sell => "long",
                    Side::Buy => "short",
                })
            },
        ),
        Column::new("quantity", Real, "base", "How much.", |v: &V<'a>| {
            Cell::Real(v.factors.lot.of(v.node.quantity.as_f64()))
        }),
        Column::new(
            "notional",
            Real,
            "settlement_currency",
            "Value of all its positions as it began.",
            |v: &V<'a>| Cell::Real(v.factors.quantum.of(v.node.notional.as_f64())),
        ),
        Column::new(
            "trigger",
            Real,
            "settlement_currency",
            "The mark at which it crossed its threshold, about.",
            |v: &V<'a>| Cell::Real(v.factors.tick.of(v.node.trigger)),
        ),
        Column::new(
            "mark",
            Real,
            "settlement_currency",
            "The mark at which it began.",
            |v: &V<'a>| Cell::Real(v.factors.tick.of(v.node.mark.as_f64())),
        ),
        Column::new(
            "forced",
            Real,
            "settlement_currency",
            "Value of what its forced orders traded.",
            |v: &V<'a>| Cell::Real(v.factors.quantum.of(v.node.value().as_f64())),
        ),
        Column::new(
            "loss",
            Real,
            "settlement_currency",
            "The deficit that it left.",
            |v: &V<'a>| Cell::Real(v.factors.quantum.of(v.node.loss.as_f64())),
        ),
        Column::new(
            "parent",
            Integer,
            "number",
            "The liquidation to which it is drawn, where it is none's first.",
            |v: &V<'a>| {
                v.node
                    .parent
                    .map_or(Cell::Absent, |parent| Cell::Integer(parent.into()))
            },
        )
        .optional(),
        Column::new(
            "root",
            Integer,
            "number",
            "The first liquidation of its tree.",
            |v: &V<'a>| Cell::Integer(v.node.root.into()),
        ),
        Column::new(
            "generation",
            Integer,
            "count",
            "How many lie between it and the first, and one.",
            |v: &V<'a>| Cell::Integer(v.node.generation.into()),
        ),
        Column::new(
            "liquidations",
            Real,
            "share",
            "What other liquidations caused of it.",
            |v: &V<'a>| part(v.node.shares.forced()),
        ),
    ];
    for (place, outer) in Outer::ALL.iter().enumerate() {
        columns.push(Column::placed(
            outer.name(),
            Real,
            "share",
            "What this caused of it.",
            place,
            |v: &V<'a>, place| part(v.node.shares.outer[place]),
        ));
    }
    columns
}

fn edge_columns() -> Vec<Column<EdgeView>> {
    vec![
        Column::new(
            "cause",
            Kind::Integer,
            "number",
            "The liquidation that caused.",
            |v: &EdgeView| Cell::Integer(v.cause.into()),
        ),
        Column::new(
            "caused",
            Kind::Integer,
            "number",
            "The liquidation that was caused.",
            |v: &EdgeView| Cell::Integer(v.caused.into()),
        ),
        Column::new(
            "share",
            Kind::Real,
            "share",
            "How much of it.",
            |v: &EdgeView| part(v.share),
        ),
    ]
}

/// One window of one market and direction as its columns see it.
pub struct WindowView<'a> {
    seconds: f64,
    market: &'a str,
    factors: Factors,
    window: &'a Window,
}

fn window_columns<'a>() -> Vec<Column<WindowView<'a>>> {
    use Kind::{Real, Text};
    type V<'a> = WindowView<'a>;
    vec![
        Column::new(
            "seconds",
            Real,
            "seconds",
            "When the window begins, since the start.",
            |v: &V<'a>| Cell::Real(v.seconds),
        ),
        Column::new("market", Text, "name", "The market.", |v: &V<'a>| {
            Cell::Text(v.market)
        }),
        Column::new(
            "side",
            Text,
            "name",
            "Whose liquidations: long or short.",
            |v: &V<'a>| Cell::Text(if v.window.down { "long" } else { "short" }),
        ),
        Column::new(
            "foreseen",
            Real,
            "ratio",
            "Mean reproduction number of the window's steps, for a move of 1 %.",
            |v: &V<'a>| Cell::Real(v.window.foreseen),
        ),
        Column::new(
            "realised",
            Real,
            "ratio",
            "Quantity that its liquidations brought about over their own.",
            |v: &V<'a>| Cell::Real(v.window.realised),
        ),
        Column::new(
            "quantity",
            Real,
            "base",
            "Quantity of its liquidations.",
            |v: &V<'a>| Cell::Real(v.factors.lot.of(v.window.lots)),
        ),
        Column::new(
            "regime",
            Text,
            "name",
            "`stressed` where volatility is above its median over the run, else `calm`.",
            |v: &V<'a>| Cell::Text(REGIMES[usize::from(v.window.stressed)]),
        ),
    ]
}

/// What regimes are called.
pub(super) const REGIMES: [&str; 2] = ["calm", "stressed"];

/// Names, units and meanings of the columns of `windows`.
pub fn window_info() -> Vec<ColumnInfo> {
    window_columns().iter().map(Column::info).collect()
}

/// The windows in which liquidations began.
pub(super) fn windows_table<'a>(
    run: &'a Recorded,
    windows: &'a [Window],
) -> Table<'a, WindowView<'a>> {
    Table {
        columns: window_columns(),
        rows: windows.len(),
        row: Box::new(move |row| {
            let window = &windows[row];
            let market = &run.frame.markets[window.market];
            WindowView {
                seconds: f64::from(window.step) * run.frame.dt,
                market: &market.name,
                factors: Factors::new(&market.grid),
                window,
            }
        }),
    }
}

/// Names, units and meanings of the columns of `liquidations`.
pub fn info() -> Vec<ColumnInfo> {
    node_columns().iter().map(Column::info).collect()
}

/// Names, units and meanings of the columns of `causes`.
pub fn edge_info() -> Vec<ColumnInfo> {
    edge_columns().iter().map(Column::info).collect()
}

pub(super) fn nodes<'a>(run: &'a Recorded, genealogy: &'a Genealogy) -> Table<'a, NodeView<'a>> {
    let markets: Vec<(&str, Factors)> = run
        .frame
        .markets
        .iter()
        .map(|market| (market.name.as_str(), Factors::new(&market.grid)))
        .collect();
    Table {
        columns: node_columns(),
        rows: genealogy.len(),
        row: Box::new(move |row| {
            let node = &genealogy.graph.raw_nodes()[row].weight;
            let (market, factors) = markets[node.market.index()];
            NodeView {
                seconds: run.frame.seconds(node.step),
                node,
                market,
                factors,
            }
        }),
    }
}

fn edges(genealogy: &Genealogy) -> Table<'_, EdgeView> {
    Table {
        columns: edge_columns(),
        rows: genealogy.graph.edge_count(),
        row: Box::new(move |row| {
            let edge = &genealogy.graph.raw_edges()[row];
            EdgeView {
                cause: edge.source().index() as u32,
                caused: edge.target().index() as u32,
                share: edge.weight,
            }
        }),
    }
}

/// Writes `liquidations`, `causes`, `windows` and `genealogy.json`; with `graphs` also the graph in DOT and GraphML. Nothing where there is no genealogy.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    finished: &Finished,
    provenance: &Provenance,
    format: Format,
    graphs: bool,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    let run = &finished.run;
    let Some(genealogy) = &finished.genealogy else {
        return Ok(());
    };
    let about = metadata(run, provenance);
    nodes(run, genealogy).save("liquidations", format, &about, directory)?;
    edges(genealogy).save("causes", format, &about, directory)?;
    let found = windows(run, genealogy);
    windows_table(run, &found).save("windows", format, &about, directory)?;
    directory.write_json(DIGEST, &digest(finished, genealogy))?;
    if graphs {
        let markets: Vec<&str> = run.frame.markets.iter().map(|m| m.name.as_str()).collect();
        directory.write("genealogy.dot", |out| {
            out.write_all(export::dot(genealogy, &markets).as_bytes())
        })?;
        directory.write("genealogy.graphml", |out| {
            out.write_all(export::graphml(genealogy, &markets).as_bytes())
        })?;
    }
    Ok(())
}

/// The file of what a genealogy says as a whole.
pub(super) const DIGEST: &str = "genealogy.json";

/// A number as JSON has it; what is none or endless is null.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// What the genealogy says as a whole.
pub(super) fn digest(finished: &Finished, genealogy: &Genealogy) -> Value {
    const TREES: usize = 20;
    let run = &finished.run;
    let quantum = run.frame.quantum();
    let mut trees: Vec<_> = genealogy.trees.iter().collect();
    trees.sort_by(|a, b| b.size.cmp(&a.size).then(a.root.cmp(&b.root)));
    let sizes: Vec<u32> = trees.iter().map(|tree| tree.size).collect();
    let found = windows(run, genealogy);
    let markets: Vec<Value> = run
        .frame
        .markets
        .iter()
        .enumerate()
        .map(|(place, market)| {
            let own = found.iter().filter(|window| window.market == place);
            let classes: Vec<Value> = calibrate(own)
                .iter()
                .flat_map(|class| {
                    let regimes = REGIMES.into_iter().enumerate();
                    regimes.map(move |(k, regime)| {
                        json!({
                            "from": number(class.range[0]),
                            "to": number(class.range[1]),
                            "regime": regime,
                            "windows": class.windows[k],
                            "foreseen": number(class.foreseen[k]),
                            "realised": number(class.realised[k]),
                        })
                    })
                })
                .collect();
            let told = warnings(run, genealogy, place);
            let shots = finished.ladders.get(place);
            let closable: Vec<Value> = shots
                .into_iter()
                .flatten()
                .zip(["start", "highest_r"])
                .flat_map(|(shot, when)| {
                    let scale = market.grid.scale();
                    shot.closable.iter().map(move |bracket| {
                        let price = shot.mid * scale.tick;
                        let cap = (bracket.cap < crate::unit::Cash::MAX)
                            .then(|| scale.amount(bracket.cap));
                        json!({
                            "when": when,
                            "bracket_up_to": cap,
                            "maintenance": bracket.maintenance,
                            "closable_notional": number(bracket.lots * scale.lot * price),
                        })
                    })
                })
                .collect();
            json!({
                "market": market.name,
                "calibration": classes,
                "warnings": told.warnings,
                "false_alarms": told.false_alarms,
                "cascades": told.cascades,
                "missed": told.missed,
                "lead_seconds": told.leads,
                "closable": closable,
            })
        })
        .collect();
    let largest: Vec<Value> = trees
        .iter()
        .take(TREES)
        .map(|tree| {
            json!({
                "root": tree.root,
                "liquidations": tree.size,
                "generations": tree.depth,
                "notional": tree.notional.as_f64() * quantum,
                "seconds": f64::from(tree.steps) * run.frame.dt,
                "first_cause": tree.first.name(),
            })
        })
        .collect();
    let power = tail::power_tail(&sizes).map(|fit| {
        json!({
            "exponent": fit.exponent, "standard_error": fit.error, "from": fit.least,
            "sizes": fit.count, "distance": fit.distance, "p": fit.p,
        })
    });
    let branching = tail::test_borel(&sizes).map(|(r, test)| {
        json!({ "r": r, "chi_square": test.statistic, "freedom": test.freedom, "p": test.p })
    });
    let channels: Vec<Value> = finished
        .ladders
        .iter()
        .zip(&run.frame.markets)
        .flat_map(|(shots, market)| {
            shots
                .iter()
                .zip(["start", "highest_r"])
                .flat_map(move |(shot, when)| {
                    shot.channels.iter().map(move |(channel, r)| {
                        json!({
                            "market": market.name, "when": when,
                            "channel": channel_name(run, *channel), "r": number(*r),
                        })
                    })
                })
        })
        .collect();
    let matrices: Vec<Value> = finished
        .ladders
        .iter()
        .zip(&run.frame.markets)
        .flat_map(|(shots, market)| {
            shots.iter().zip(["start", "highest_r"]).map(move |(shot, when)| {
                let rows: Vec<Vec<Value>> = shot
                    .matrix
                    .iter()
                    .map(|row| row.iter().map(|r| number(*r)).collect())
                    .collect();
                json!({ "market": market.name, "when": when, "step": shot.step, "matrix": rows })
            })
        })
        .collect();
    json!({
        "liquidations": genealogy.len(),
        "branching_ratio": summary::branching(genealogy).map(|found| {
            json!({ "value": found[0], "low": found[1], "high": found[2] })
        }),
        "trees": genealogy.trees.len(),
        "largest_trees": largest,
        "power_law": power,
        "branching_law": branching,
        "markets": markets,
        "reproduction_matrices": matrices,
        "channels": channels,
    })
}

/// A channel by name.
pub fn channel_name(run: &Recorded, channel: Channel) -> String {
    match channel {
        Channel::Longs => "longs".to_owned(),
        Channel::Shorts => "shorts".to_owned(),
        Channel::Cohort(cohort) => {
            let name = run.frame.cohorts.get(cohort.index());
            format!("cohort {}", name.map_or("?", String::as_str))
        }
    }
}
