//! The charts of a comparison: the frontier, and the differences to the baseline with their intervals.

use super::record::{ComparisonFile, EstimateFile, FrontierFile};
use super::terminal::FRONTIER;
use crate::chart::{
    self, Chart, ChartError, EffectData, ForestData, FrontierData, Leaning, MeasureData, Options,
};
use crate::output::pictures::Picture;

/// Panels side by side: more variants than this are left to the tables.
const ABREAST: usize = 4;

/// A kind of chart that a comparison may have.
pub struct Kind {
    /// What it is called on the command line, and as a file.
    pub name: &'static str,
    /// What it shows, in a sentence or two.
    pub caption: &'static str,
    /// Draws it; the subtitle is the comparison's.
    pub draw: fn(&ComparisonFile, &str, &Options) -> Result<Chart, ChartError>,
}

/// Every kind of chart of a comparison, in the order in which they are shown; an ensemble has none.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "frontier",
        caption: "What each variant asks for, against what it loses and whom it liquidates too early; bars are intervals.",
        draw: |file, currency, options| {
            let hollow = file.frontier.iter().any(|p| !p.dominated_by.is_empty());
            let note = if hollow {
                "; hollow: another variant has no more of anything, and less of something"
            } else {
                ""
            };
            chart::frontier(&frontier(file, currency), &titled(file, options, note))
        },
    },
    Kind {
        name: "differences",
        caption: "Mean differences to the baseline within a replicate, over the baseline's mean, with their intervals.",
        draw: |file, _, options| {
            let note = ", over the baseline's mean; bars are 95 % intervals";
            chart::forest(&forest(file), &titled(file, options, note))
        },
    },
];

fn titled(file: &ComparisonFile, options: &Options, more: &str) -> Options {
    Options {
        subtitle: Some(format!(
            "{} · {} replicates, seed {}{more}",
            file.title, file.replicates.count, file.seed
        )),
        ..options.clone()
    }
}

/// The kinds that there are of it.
pub fn kinds(file: &ComparisonFile) -> &'static [Kind] {
    if file.variants.len() < 2 { &[] } else { KINDS }
}

/// Draws every chart of a comparison; an ensemble has none of its own.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(file: &ComparisonFile, currency: &str) -> Result<Vec<Picture>, ChartError> {
    let draw = |kind: &Kind| {
        Ok(Picture {
            name: kind.name.to_owned(),
            chart: (kind.draw)(file, currency, &Options::default())?,
        })
    };
    kinds(file).iter().map(draw).collect()
}

/// The frontier's data.
pub fn frontier(file: &ComparisonFile, currency: &str) -> FrontierData {
    let measure = |name: String, factor: f64, pick: fn(&FrontierFile) -> Option<EstimateFile>| {
        let found: Vec<Option<EstimateFile>> = file.frontier.iter().map(pick).collect();
        let column = |get: fn(&EstimateFile) -> Option<f64>| -> Vec<f64> {
            found
                .iter()
                .map(|f| f.as_ref().and_then(get).map_or(f64::NAN, |v| factor * v))
                .collect()
        };
        MeasureData {
            name,
            value: column(|found| Some(found.value)),
            low: column(|found| found.low),
            high: column(|found| found.high),
        }
    };
    FrontierData {
        names: file.variants.iter().map(|v| v.name.clone()).collect(),
        across: measure(
            "Initial margin over notional, mean (%): capital locked".to_owned(),
            100.0,
            |point| point.capital,
        ),
        panels: vec![
            measure(format!("Bad debt, mean ({currency})"), 1.0, |point| {
                point.bad_debt
            }),
            measure("Premature liquidations, mean".to_owned(), 1.0, |point| {
                point.premature
            }),
        ],
        dominated: file
            .frontier
            .iter()
            .map(|point| !point.dominated_by.is_empty())
            .collect(),
    }
}

/// The differences' data: of the headline numbers whose mean under the baseline isn't zero.
pub fn forest(file: &ComparisonFile) -> ForestData {
    let mut rows = Vec::new();
    let count = file.variants.len().saturating_sub(1).min(ABREAST);
    let mut effects = vec![Vec::new(); count];
    for definition in FRONTIER {
        let same = file
            .metrics
            .iter()
            .filter(|metric| metric.metric == definition.name);
        for metric in same {
            let base = metric.cells[0].mean.map_or(0.0, |mean| mean.value);
            let moved = |cell: &super::record::CellFile| cell.change.is_some();
            if base == 0.0 || !metric.cells[1..=count].iter().any(moved) {
                continue;
            }
            rows.push(match &metric.market {
                Some(market) => format!("{market} {}", metric.label),
                None => metric.label.clone(),
            });
            for (effects, cell) in effects.iter_mut().zip(&metric.cells[1..]) {
                let share = |value: f64| value / base.abs();
                let end = |value: Option<f64>| value.map_or(f64::NAN, share);
                effects.push(match &cell.change {
                    None => EffectData {
                        value: f64::NAN,
                        low: f64::NAN,
                        high: f64::NAN,
                        leaning: Leaning::Unclear,
                    },
                    Some(change) => EffectData {
                        value: share(change.mean.value),
                        low: end(change.mean.low),
                        high: end(change.mean.high),
                        leaning: match change.verdict.as_str() {
                            "better" => Leaning::Better,
                            "worse" => Leaning::Worse,
                            "higher" | "lower" | "same" => Leaning::Neither,
                            _ => Leaning::Unclear,
                        },
                    },
                });
            }
        }
    }
    ForestData {
        baseline: file.variants[0].name.clone(),
        rows,
        variants: file.variants[1..]
            .iter()
            .take(count)
            .map(|v| v.name.clone())
            .collect(),
        effects,
    }
}
