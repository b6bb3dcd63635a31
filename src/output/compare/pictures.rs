//! The charts of a comparison: the frontier, and the differences to the baseline with their intervals; and of an ensemble: how
//! far each crash fell.

use super::record::{ComparisonFile, EstimateFile, FrontierFile};
use super::tables;
use super::terminal::FRONTIER;
use crate::chart::{
    self, AgainstData, Chart, EffectData, ForestData, FrontierData, Leaning, MeasureData, Options,
};
use crate::experiment::Compared;
use crate::measure::catalogue as m;
use crate::output::frame::{Frame, Wanted};
use crate::output::pictures::{Picture, PictureError};
use std::collections::BTreeMap;

/// Panels side by side: more variants than this are left to the tables.
const ABREAST: usize = 4;

/// What the charts are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What was found.
    pub file: &'a ComparisonFile,
    /// Every metric of every run that a chart shows.
    pub runs: &'a Frame,
    /// Name of the settlement currency.
    pub currency: &'a str,
}

/// A chart of a comparison or an ensemble.
pub struct Kind {
    /// What it is called on the command line, and as a file.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub caption: &'static str,
    /// Its market, where there is one for each.
    market: String,
    draw: fn(&Told<'_>, &str, &Options) -> Result<Chart, PictureError>,
}

impl Kind {
    /// Draws it; the subtitle is the comparison's.
    ///
    /// # Errors
    ///
    /// What keeps it from being drawn.
    pub fn draw(&self, told: &Told<'_>, options: &Options) -> Result<Chart, PictureError> {
        (self.draw)(told, &self.market, options)
    }
}

/// The columns of `runs` that charts need.
pub const RUNS: Wanted<'static> = Wanted {
    words: &["variant", "metric", "market"],
    numbers: &["replicate", "value"],
};

/// Every kind of chart of a comparison, or of an ensemble, in the order in which they are shown.
pub fn kinds(file: &ComparisonFile) -> Vec<Kind> {
    if file.variants.len() > 1 {
        return vec![
            Kind {
                name: "frontier".to_owned(),
                caption: "What each variant asks for, against what it loses and whom it liquidates too early; bars are intervals.",
                market: String::new(),
                draw: |told, _, options| {
                    let file = told.file;
                    let hollow = file.frontier.iter().any(|p| !p.dominated_by.is_empty());
                    let note = if hollow {
                        "; hollow: dominated by another variant"
                    } else {
                        ""
                    };
                    let options = titled(file, options, note);
                    Ok(chart::frontier(&frontier(file, told.currency), &options)?)
                },
            },
            Kind {
                name: "differences".to_owned(),
                caption: "Mean differences to the baseline within a replicate, over the baseline's mean, with their intervals.",
                market: String::new(),
                draw: |told, _, options| {
                    let note = ", over the baseline's mean; bars are 95 % intervals";
                    let options = titled(told.file, options, note);
                    Ok(chart::forest(&forest(told.file), &options)?)
                },
            },
        ];
    }
    let markets = &file.model.markets;
    markets
        .iter()
        .map(|model| Kind {
            name: if markets.len() > 1 {
                format!("crashes-{}", model.market)
            } else {
                "crashes".to_owned()
            },
            caption: "Every crash: how far the price fell here against how far it fell outside. Above the line the market fell further than the world.",
            market: model.market.clone(),
            draw: crashes,
        })
        .collect()
}

/// How far each crash fell, outside and here.
fn crashes(told: &Told<'_>, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let metrics = told.runs.words("metric")?;
    let column = |metric: &str| -> Result<BTreeMap<u64, f64>, PictureError> {
        let rows = told.runs.rows_of("market", market)?;
        let rows = rows
            .into_iter()
            .filter(|row| metrics.get(*row) == Some(metric));
        let (replicates, values) = (told.runs.numbers("replicate")?, told.runs.numbers("value")?);
        Ok(rows
            .map(|row| (replicates[row] as u64, 100.0 * values[row]))
            .collect())
    };
    let outside = column(m::REFERENCE_DRAWDOWN.name)?;
    let here = column(m::DRAWDOWN.name)?;
    let (x, y): (Vec<f64>, Vec<f64>) = outside
        .iter()
        .filter_map(|(replicate, outside)| Some((*outside, *here.get(replicate)?)))
        .filter(|(outside, here)| outside.is_finite() && here.is_finite())
        .unzip();
    let most = x.iter().copied().fold(0.0, f64::max);
    let ends = if x.is_empty() {
        vec![]
    } else {
        vec![0.0, most]
    };
    let data = AgainstData {
        name: format!("{market}: how far crashes fell, here and outside"),
        x_name: "largest fall of the outside price (%)".to_owned(),
        y_name: "Largest fall of the mid (%)".to_owned(),
        log: [false; 2],
        legend: ["as outside", "a crash"].map(str::to_owned),
        curve_x: ends.clone(),
        curve_y: ends,
        point_x: x,
        point_y: y,
    };
    let varied = format!("; replicates vary: {}", told.file.replicates.varied());
    Ok(chart::against(&data, &titled(told.file, options, &varied))?)
}

fn titled(file: &ComparisonFile, options: &Options, more: &str) -> Options {
    Options {
        subtitle: Some(format!(
            "{} · {} replicates, seed {}{more}",
            file.title, file.replicates.count, file.seed
        )),
        ..options.clone()
    }
}

/// Draws every chart of a comparison or an ensemble.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(
    file: &ComparisonFile,
    compared: &Compared,
    currency: &str,
) -> Result<Vec<Picture>, PictureError> {
    let metrics = tables::metrics(compared);
    let runs = Frame::of("runs", &tables::runs(compared, &metrics), RUNS);
    let told = Told {
        file,
        runs: &runs,
        currency,
    };
    let draw = |kind: &Kind| {
        Ok(Picture {
            name: kind.name.clone(),
            chart: kind.draw(&told, &Options::default())?,
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
