//! The charts of a run: which columns go on which chart.

use super::directory::{Directory, OutputError};
use super::manifest::Provenance;
use crate::chart::{
    self, Chart, ChartError, GammaData, LadderData, LadderSide, Liquidations, Move, Options, PriceData,
    ReproductionData, TwinData, WaterfallData,
};
use crate::engine::observer::MOVES;
use crate::experiment::{Finished, LadderShot};
use crate::measure::{MarketFrame, Recorded};
use crate::unit::grid::Scale;
use std::io::Write as _;

/// A chart, and the name of its file without an ending.
pub struct Picture {
    /// Name of the file.
    pub name: String,
    /// The drawing.
    pub chart: Chart,
}

/// Draws every chart of a run.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(
    finished: &Finished,
    provenance: &Provenance,
    title: &str,
    currency: &str,
) -> Result<Vec<Picture>, ChartError> {
    let start = provenance.start.map(|start| start.as_second());
    let run = &finished.run;
    let time: Vec<f64> = run
        .series
        .steps()
        .iter()
        .map(|step| run.frame.seconds(*step))
        .collect();
    let mut pictures = Vec::new();
    let several = run.frame.markets.len() > 1;
    let named = |kind: &str, market: &MarketFrame| {
        if several {
            format!("{kind}-{}", market.name)
        } else {
            kind.to_owned()
        }
    };
    let options = |subtitle: &str| Options {
        subtitle: Some(format!("{title} · {subtitle}")),
        ..Options::default()
    };
    for (m, market) in run.frame.markets.iter().enumerate() {
        let scale = market.grid.scale();
        let add = |kind: &str, chart: Chart| Picture {
            name: named(kind, market),
            chart,
        };
        let seed = format!("seed {}", provenance.seed);
        pictures.push(add(
            "price",
            chart::price(
                &prices(run, m, &time, start, currency),
                &options(&format!("{}, {seed}", market.name)),
            )?,
        ));
        pictures.push(add(
            "reproduction",
            chart::reproduction(
                &reproduction(run, m, &time, start),
                &options(&format!("{}, {seed}", market.name)),
            )?,
        ));
        let [first, worst] = &finished.ladders[m];
        for (kind, shot, when) in [
            ("ladder", worst, "at the highest reproduction number"),
            ("ladder-start", first, "at the start"),
        ] {
            let at = clock(start, f64::from(shot.step) * run.frame.dt);
            pictures.push(add(
                kind,
                chart::ladder(
                    &ladder(shot, market, &scale, currency),
                    &options(&format!("{}, {when} ({at})", market.name)),
                )?,
            ));
        }
        if first.gamma.iter().any(|[_, gamma]| *gamma != 0.0) {
            pictures.push(add(
                "gamma",
                chart::gamma(
                    &gamma(first, run, m, &scale, &time, start),
                    &options(&format!("{}, what is held at the start", market.name)),
                )?,
            ));
        }
        if let Some(twin) = &finished.twin {
            let last = |recorded: &Recorded| -> Vec<f64> {
                recorded
                    .series
                    .market(m)
                    .iter()
                    .map(|row| row.mid * scale.tick)
                    .collect()
            };
            let mut twin = last(twin);
            // A twin that was interrupted a step earlier has no value there.
            twin.resize(time.len(), f64::NAN);
            pictures.push(add(
                "twin",
                chart::twin(
                    &TwinData {
                        market: market.name.clone(),
                        currency: currency.to_owned(),
                        start,
                        time: time.clone(),
                        last: last(run),
                        twin,
                    },
                    &options(&seed),
                )?,
            ));
        }
    }
    let quantum = run.frame.quantum();
    let column = |get: &dyn Fn(&crate::engine::WorldRow) -> f64| -> Vec<f64> {
        run.series
            .world()
            .iter()
            .map(|row| get(row) * quantum)
            .collect()
    };
    pictures.push(Picture {
        name: "waterfall".to_owned(),
        chart: chart::waterfall(
            &WaterfallData {
                name: provenance.name.clone(),
                currency: currency.to_owned(),
                start,
                time: time.clone(),
                fund: column(&|row| row.fund.as_f64()),
                deleveraged: column(&|row| row.deleveraged.as_f64()),
                socialised: column(&|row| row.socialised.as_f64()),
                uncovered: column(&|row| row.uncovered.as_f64()),
            },
            &options("who paid"),
        )?,
    });
    Ok(pictures)
}

/// Writes pictures as SVG, and as PNG where the program can.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(pictures: &[Picture], directory: &mut Directory) -> Result<(), OutputError> {
    for picture in pictures {
        let name = format!("charts/{}.svg", picture.name);
        directory.write(&name, |out| out.write_all(picture.chart.svg.as_bytes()))?;
        match picture.chart.png() {
            Ok(png) => {
                let name = format!("charts/{}.png", picture.name);
                directory.write(&name, |out| out.write_all(&png))?;
            }
            Err(ChartError::NoRaster) => {}
            Err(error) => {
                let name = format!("charts/{}.png", picture.name);
                directory.write(&name, |_| Err(std::io::Error::other(error)))?;
            }
        }
    }
    Ok(())
}

fn prices(run: &Recorded, m: usize, time: &[f64], start: Option<i64>, currency: &str) -> PriceData {
    let market = &run.frame.markets[m];
    let scale = market.grid.scale();
    let rows = run.series.market(m);
    let column = |get: &dyn Fn(&crate::engine::MarketRow) -> f64| -> Vec<f64> {
        rows.iter().map(get).collect()
    };
    PriceData {
        market: market.name.clone(),
        currency: currency.to_owned(),
        start,
        time: time.to_vec(),
        index: column(&|row| row.index * scale.tick),
        mark: column(&|row| scale.price(row.mark)),
        last: column(&|row| scale.price(row.last)),
        liquidations: Liquidations {
            time: time.to_vec(),
            long: column(&|row| scale.amount(row.forced_sold_value)),
            short: column(&|row| scale.amount(row.forced_bought_value)),
        },
    }
}

fn reproduction(run: &Recorded, m: usize, time: &[f64], start: Option<i64>) -> ReproductionData {
    let rows = run.series.market(m);
    ReproductionData {
        market: run.frame.markets[m].name.clone(),
        start,
        time: time.to_vec(),
        moves: MOVES
            .iter()
            .enumerate()
            .map(|(k, size)| Move {
                size: *size,
                down: rows.iter().map(|row| row.down[k]).collect(),
                up: rows.iter().map(|row| row.up[k]).collect(),
            })
            .collect(),
    }
}

/// What a rise of 1 % at each price adds to the delta of what hedgers hold.
fn gamma(
    shot: &LadderShot,
    run: &Recorded,
    m: usize,
    scale: &Scale,
    time: &[f64],
    start: Option<i64>,
) -> GammaData {
    let rows = run.series.market(m);
    GammaData {
        market: run.frame.markets[m].name.clone(),
        unit: format!("{} per 1 %", run.frame.markets[m].name),
        price: shot.gamma.iter().map(|[mark, _]| mark * scale.tick).collect(),
        gamma: shot
            .gamma
            .iter()
            .map(|[mark, gamma]| gamma * 0.01 * mark * scale.lot)
            .collect(),
        time: time.to_vec(),
        path: rows.iter().map(|row| row.mid * scale.tick).collect(),
        start,
    }
}

fn ladder(shot: &LadderShot, market: &MarketFrame, scale: &Scale, currency: &str) -> LadderData {
    let price = shot.mid * scale.tick;
    let distance: Vec<f64> = shot.rungs.iter().map(|rung| rung.distance).collect();
    let worth = |lots: crate::unit::Lots| scale.quantity(lots) * price;
    LadderData {
        market: market.name.clone(),
        currency: currency.to_owned(),
        reach: distance.last().copied().unwrap_or_default(),
        down: LadderSide {
            distance: distance.clone(),
            depth: shot.rungs.iter().map(|rung| worth(rung.bids)).collect(),
            forced: shot
                .rungs
                .iter()
                .map(|rung| worth(rung.forced_sells))
                .collect(),
        },
        up: LadderSide {
            distance,
            depth: shot.rungs.iter().map(|rung| worth(rung.asks)).collect(),
            forced: shot
                .rungs
                .iter()
                .map(|rung| worth(rung.forced_buys))
                .collect(),
        },
    }
}

/// A moment of the run as a person reads it.
fn clock(start: Option<i64>, seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let (label, of_day) = match start {
        Some(start) => (" UTC", (start + whole).rem_euclid(86_400)),
        None => (" after the start", whole),
    };
    format!(
        "{:02}:{:02}:{:02}{label}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}
