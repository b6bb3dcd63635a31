//! The charts of a run's genealogy: which columns of its tables go on which chart.

use super::directory::failed;
use super::frame::{Frame, FrameError, Wanted};
use super::genealogy::{self, REGIMES};
use super::pictures::{PictureError, RunTables};
use crate::cascade::reproduction::{CLASSES, windows};
use crate::cascade::{Outer, tail as law};
use crate::chart::{
    self, CalibrationData, Chart, FamilyData, LawData, Look, Member, Options, PhaseData, TailData,
    WaitingData,
};
use crate::experiment::Finished;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Seconds over which the phase plane's rates are taken.
const RATES: f64 = 60.0;

/// What a genealogy's charts are drawn from.
#[derive(Clone, Debug)]
pub struct WhyTables {
    liquidations: Frame,
    windows: Frame,
    digest: Value,
}

/// The columns of `liquidations` that charts need.
const LIQUIDATIONS: Wanted<'static> = Wanted {
    words: &["market", "side"],
    numbers: &["liquidation", "seconds", "notional", "parent", "root"],
};

/// Those of `windows`.
const WINDOWS: Wanted<'static> = Wanted {
    words: &["market", "regime"],
    numbers: &["foreseen", "realised", "quantity"],
};

/// Those of `waiting`.
pub(super) const WAITING: Wanted<'static> = Wanted {
    words: &["market"],
    numbers: &[
        "seconds",
        "mark_price",
        "distance",
        "forced_sells",
        "forced_buys",
    ],
};

impl WhyTables {
    /// From a run in memory; nothing where there is no genealogy.
    pub(super) fn of(finished: &Finished) -> Option<Self> {
        let run = &finished.run;
        let found = finished.genealogy.as_ref()?;
        let seen = windows(run, found);
        let liquidations = genealogy::nodes(run, found);
        let windows = genealogy::windows_table(run, &seen);
        Some(Self {
            liquidations: Frame::of("liquidations", &liquidations, LIQUIDATIONS),
            windows: Frame::of("windows", &windows, WINDOWS),
            digest: genealogy::digest(finished, found),
        })
    }

    /// From a directory that a run was written to; nothing where there is no genealogy.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, PictureError> {
        let path = directory.join(genealogy::DIGEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error).into()),
        };
        let digest = serde_json::from_str(&text)
            .map_err(|source| PictureError::Genealogy { path, source })?;
        let liquidations = Frame::read_if_there(directory, "liquidations", LIQUIDATIONS)?;
        let windows = Frame::read_if_there(directory, "windows", WINDOWS)?;
        Ok(liquidations
            .zip(windows)
            .map(|(liquidations, windows)| Self {
                liquidations,
                windows,
                digest,
            }))
    }

    /// The largest tree: its first liquidation, and what began it, in words.
    fn largest(&self) -> Option<(f64, &'static str)> {
        let tree = self.digest["largest_trees"].get(0)?;
        let first = tree["first_cause"].as_str()?;
        let first = Outer::ALL.into_iter().find(|outer| outer.name() == first)?;
        Some((tree["root"].as_f64()?, words(first)))
    }

    /// What is said of a market.
    fn market(&self, name: &str) -> &Value {
        let markets = self.digest["markets"].as_array();
        let found = markets
            .into_iter()
            .flatten()
            .find(|market| market["market"] == name);
        found.unwrap_or(&Value::Null)
    }
}

/// The tables of a genealogy, which a kind of chart that is offered has.
fn why(run: &RunTables) -> Result<&WhyTables, FrameError> {
    run.why.as_ref().ok_or_else(|| FrameError::NoColumn {
        table: "liquidations".to_owned(),
        column: "root".to_owned(),
    })
}

pub(super) fn cascade(run: &RunTables, _: &str, options: &Options) -> Result<Chart, PictureError> {
    let why = why(run)?;
    let table = &why.liquidations;
    let [number, seconds, notional, parent, root] =
        ["liquidation", "seconds", "notional", "parent", "root"].map(|name| table.numbers(name));
    let (number, seconds, notional, parent, root) = (number?, seconds?, notional?, parent?, root?);
    let (markets, sides) = (table.words("market")?, table.words("side")?);
    let largest = why.largest();
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut members = Vec::new();
    let rows =
        (0..number.len()).filter(|row| largest.is_some_and(|(first, _)| root[*row] == first));
    for row in rows {
        places.insert(number[row] as u64, members.len());
        let market = markets.get(row).unwrap_or_default();
        let side = sides.get(row).unwrap_or_default();
        members.push(Member {
            time: seconds[row],
            parent: Some(parent[row])
                .filter(|parent| parent.is_finite())
                .and_then(|parent| places.get(&(parent as u64)).copied()),
            notional: notional[row],
            long: side == "long",
            label: format!("{market} {side} {}", chart::compact(notional[row])),
        });
    }
    let data = FamilyData {
        currency: run.currency.clone(),
        start: run.start,
        first: largest.map_or("", |(_, first)| first).to_owned(),
        members,
    };
    let options = run.options(options, &format!("seed {}", run.seed));
    Ok(chart::family(&data, &options)?)
}

/// A cause as a person says it.
pub const fn words(outer: Outer) -> &'static str {
    match outer {
        Outer::Reference => "the outside price",
        Outer::Oracle => "the oracle",
        Outer::Organic => "traders' own orders",
        Outer::Quotes => "quotes that left",
        Outer::Backstop => "the backstop",
        Outer::Keepers => "keepers",
        Outer::Rule => "the margin rule",
        Outer::Collateral => "its collateral",
        Outer::Funding => "funding",
        Outer::Withdrawal => "a withdrawal",
        Outer::Own => "its own trade",
    }
}

pub(super) fn tail(run: &RunTables, _: &str, options: &Options) -> Result<Chart, PictureError> {
    let why = why(run)?;
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for root in why.liquidations.numbers("root")? {
        *counts.entry(*root as u64).or_default() += 1;
    }
    let sizes: Vec<u32> = counts.into_values().collect();
    let options = run.options(options, &format!("seed {}", run.seed));
    Ok(chart::tail(&sized(&sizes, &why.digest), &options)?)
}

/// How often trees are how large, with the laws that were fitted.
fn sized(sizes: &[u32], digest: &Value) -> TailData {
    let (size, share): (Vec<f64>, Vec<f64>) = law::ccdf(sizes)
        .into_iter()
        .map(|(size, share)| (f64::from(size), share))
        .unzip();
    let most = sizes.iter().copied().max().unwrap_or(1);
    let mut laws = Vec::new();
    let number = |law: &str, name: &str| digest[law][name].as_f64();
    if let (Some(exponent), Some(error), Some(from), Some(count), Some(p)) = (
        number("power_law", "exponent"),
        number("power_law", "standard_error"),
        number("power_law", "from"),
        number("power_law", "sizes"),
        number("power_law", "p"),
    ) {
        let share = count / sizes.len() as f64;
        let ends = [from, 1.5 * f64::from(most)];
        laws.push(LawData {
            name: format!("power law {exponent:.2} ± {error:.2}, p = {p:.2}"),
            size: ends.to_vec(),
            share: ends
                .iter()
                .map(|size| {
                    share * crate::math::ops::pow((size - 0.5) / (from - 0.5), 1.0 - exponent)
                })
                .collect(),
        });
    }
    if let (Some(r), Some(p)) = (number("branching_law", "r"), number("branching_law", "p")) {
        let mut left = 1.0;
        let shares: Vec<(f64, f64)> = (1..=most.min(100_000))
            .map(|n| {
                let point = (f64::from(n), left);
                left -= law::borel(n, r);
                point
            })
            .filter(|point| point.1 > 1e-9)
            .collect();
        let (size, share) = shares.into_iter().unzip();
        laws.push(LawData {
            name: format!("branching, R = {r:.2}, p = {p:.2}"),
            size,
            share,
        });
    }
    TailData { size, share, laws }
}

pub(super) fn calibration(
    run: &RunTables,
    market: &str,
    options: &Options,
) -> Result<Chart, PictureError> {
    let why = why(run)?;
    let rows = why.windows.rows_of("market", market)?;
    let column = |name| why.windows.picked(name, &rows);
    let (foreseen, realised, weight) = (
        column("foreseen")?,
        column("realised")?,
        column("quantity")?,
    );
    let regimes = why.windows.words("regime")?;
    let mut low = 0.0;
    let classes = CLASSES.iter().filter_map(|high| {
        let range = low..*high;
        low = *high;
        // Both regimes together, by what was liquidated in each.
        let (mut lots, mut sums) = (0.0, [0.0; 2]);
        for row in (0..rows.len()).filter(|row| range.contains(&foreseen[*row])) {
            lots += weight[row];
            sums[0] += weight[row] * foreseen[row];
            sums[1] += weight[row] * realised[row];
        }
        (lots > 0.0).then(|| (sums[0] / lots, sums[1] / lots))
    });
    let means = classes.collect();
    let told = why.market(market);
    let count = |name: &str| told[name].as_u64().unwrap_or_default();
    let leads = told["lead_seconds"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let lead = leads
        .get(leads.len() / 2)
        .and_then(Value::as_f64)
        .map_or_else(String::new, |lead| format!(", median lead {lead:.0} s"));
    let data = CalibrationData {
        market: market.to_owned(),
        stressed: rows
            .iter()
            .map(|row| regimes.get(*row) == Some(REGIMES[1]))
            .collect(),
        foreseen,
        realised,
        weight,
        means,
        note: format!(
            "warnings R ≥ 1: {}, of which false alarms {}\ncascades of ten or more: {}, of which warned of {}{lead}",
            count("warnings"),
            count("false_alarms"),
            count("cascades"),
            count("cascades").saturating_sub(count("missed"))
        ),
    };
    let options = run.options(options, &format!("{market}, seed {}", run.seed));
    Ok(chart::calibration(&data, &options)?)
}

pub(super) fn phase(
    run: &RunTables,
    market: &str,
    options: &Options,
) -> Result<Chart, PictureError> {
    let rows = run.steps.rows_of("market", market)?;
    let column = |name| run.steps.picked(name, &rows);
    let (time, mid) = (column("seconds")?, column("mid_price")?);
    let (sold, bought) = (
        column("forced_sold_notional")?,
        column("forced_bought_notional")?,
    );
    let apart = match time[..] {
        [first, second, ..] => second - first,
        _ => RATES,
    };
    let length = (RATES / apart).round().max(1.0) as usize;
    let seconds = length as f64 * apart;
    let mut data = PhaseData {
        market: market.to_owned(),
        currency: run.currency.clone(),
        start: run.start,
        window: seconds,
        ..PhaseData::default()
    };
    // A quarter of the window apart, so that the path is smooth and not drawn sixty times over.
    for last in (length..time.len()).step_by((length / 4).max(1)) {
        let first = last - length;
        let within = first + 1..=last;
        let liquidated: f64 = sold[within.clone()]
            .iter()
            .zip(&bought[within])
            .map(|(sold, bought)| sold + bought)
            .sum();
        data.time.push(time[last]);
        data.velocity
            .push((mid[last] / mid[first] - 1.0) * 60.0 / seconds);
        data.rate.push(liquidated * 60.0 / seconds);
    }
    let options = run.options(options, &format!("{market}, seed {}", run.seed));
    Ok(chart::phase(&data, &options)?)
}

pub(super) fn waiting(
    run: &RunTables,
    market: &str,
    options: &Options,
) -> Result<Chart, PictureError> {
    let rows = run.steps.rows_of("market", market)?;
    let empty = Frame::default();
    let table = run.waiting.as_ref().unwrap_or(&empty);
    let of_looks = table.rows_of("market", market)?;
    let column = |name| table.picked(name, &of_looks);
    let (seconds, marks, distance) = (
        column("seconds")?,
        column("mark_price")?,
        column("distance")?,
    );
    let (longs, shorts) = (column("forced_sells")?, column("forced_buys")?);
    let mut looks: Vec<Look> = Vec::new();
    let (mut at, mut sells, mut buys) = (0.0, 0.0, 0.0);
    for row in 0..of_looks.len() {
        if looks.last().is_none_or(|look| look.time != seconds[row]) {
            looks.push(Look {
                time: seconds[row],
                cells: Vec::new(),
            });
            (at, sells, buys) = (0.0, 0.0, 0.0);
        }
        let (mark, to) = (marks[row], distance[row]);
        // What waits between one distance and the next, at the middle of the two.
        let cell = |low: f64, high: f64, quantity: f64| {
            [low, high, quantity.max(0.0) * 0.5 * (low + high)]
        };
        if let Some(look) = looks.last_mut() {
            look.cells.push(cell(
                mark * (1.0 - to),
                mark * (1.0 - at),
                longs[row] - sells,
            ));
            look.cells.push(cell(
                mark * (1.0 + at),
                mark * (1.0 + to),
                shorts[row] - buys,
            ));
        }
        (at, sells, buys) = (to, longs[row], shorts[row]);
    }
    let data = WaitingData {
        market: market.to_owned(),
        currency: run.currency.clone(),
        start: run.start,
        time: run.steps.picked("seconds", &rows)?,
        mark: run.steps.picked("mark_price", &rows)?,
        looks,
    };
    let options = run.options(options, &format!("{market}, seed {}", run.seed));
    Ok(chart::waiting(&data, &options)?)
}
