//! Renders every chart from made-up but plausible numbers: `cargo run --example charts -- DIRECTORY`.
//!
//! The market falls by itself, liquidations push it further, the fund pays, and it recovers.

#![expect(clippy::disallowed_methods, reason = "made-up curves to draw")]

use deleverage::chart::{
    Chart, LadderData, LadderSide, Liquidations, Move, Options, PriceData, ReproductionData,
    TwinData, WaterfallData, ladder, price, reproduction, twin, waterfall,
};
use std::error::Error;
use std::path::Path;

/// 2025-10-10T20:40:00Z.
const START: i64 = 1_760_128_800;
const SECONDS: usize = 7_200;

/// A plain congruential generator: enough for a picture.
struct Noise(u64);

impl Noise {
    /// Uniform between −1 and 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A bump that rises quickly after `at` and decays with a half-life.
fn pulse(t: f64, at: f64, rise: f64, half_life: f64) -> f64 {
    if t < at {
        return 0.0;
    }
    let since = t - at;
    (1.0 - (-since / rise).exp()) * 0.5_f64.powf(since / half_life)
}

struct Story {
    time: Vec<f64>,
    index: Vec<f64>,
    mark: Vec<f64>,
    last: Vec<f64>,
    twin: Vec<f64>,
    long: Vec<f64>,
    short: Vec<f64>,
}

fn story() -> Story {
    let mut noise = Noise(20_251_010);
    let mut walk = 0.0;
    let mut smooth = 121_500.0;
    let mut s = Story {
        time: Vec::new(),
        index: Vec::new(),
        mark: Vec::new(),
        last: Vec::new(),
        twin: Vec::new(),
        long: Vec::new(),
        short: Vec::new(),
    };
    for i in 0..SECONDS {
        let t = i as f64;
        walk += 6.0 * noise.next();
        let own = 121_500.0 + walk - 7_500.0 * (1.0 - (-(t - 1_500.0).max(0.0) / 900.0).exp());
        let push = 9_800.0 * pulse(t, 2_350.0, 160.0, 700.0);
        let index = own - 0.85 * push;
        let last = own - push + 60.0 * noise.next() * (1.0 + push / 900.0);
        smooth += (index + 0.4 * (last - index) - smooth) / 20.0;
        let heat = pulse(t, 2_300.0, 120.0, 260.0);
        s.time.push(t);
        s.index.push(index);
        s.mark.push(smooth);
        s.last.push(last);
        s.twin.push(own + 25.0 * noise.next());
        s.long.push(if noise.next() > 0.2 {
            2.6e6 * heat * (1.0 + noise.next())
        } else {
            0.0
        });
        s.short.push(if noise.next() > 0.93 {
            5.0e5 * (1.0 + noise.next()) * pulse(t, 3_200.0, 200.0, 900.0)
        } else {
            0.0
        });
    }
    s
}

fn ladder_side(slope: f64, forced: f64, centre: f64) -> LadderSide {
    let distance: Vec<f64> = (0..=400).map(|i| f64::from(i) * 0.0005).collect();
    LadderSide {
        depth: distance.iter().map(|d| slope * d.powf(0.8)).collect(),
        forced: distance
            .iter()
            .map(|d| {
                forced
                    * ((1.0 + ((centre - d) / 0.012).exp()).recip()
                        - (1.0 + (centre / 0.012).exp()).recip())
            })
            .collect(),
        distance,
    }
}

fn ratios(time: &[f64], peak: f64) -> ReproductionData {
    let mut noise = Noise(7);
    let moves = [0.01, 0.02, 0.05]
        .into_iter()
        .map(|size: f64| {
            let factor = (size / 0.02).powf(0.6);
            let calm = 0.16 * factor;
            Move {
                size,
                down: time
                    .iter()
                    .map(|&t| {
                        let heat = pulse(t, 1_400.0, 500.0, 700.0);
                        let spent = if t > 4_800.0 && size < 0.02 { 0.0 } else { 1.0 };
                        (calm + peak * factor * heat) * (1.0 + 0.12 * noise.next()) * spent
                    })
                    .collect(),
                up: time
                    .iter()
                    .map(|&t| {
                        calm * (0.6 + 1.4 * pulse(t, 3_000.0, 600.0, 2_000.0))
                            * (1.0 + 0.1 * noise.next())
                    })
                    .collect(),
            }
        })
        .collect();
    ReproductionData {
        market: "BTC-USDT".into(),
        start: Some(START),
        time: time.to_vec(),
        moves,
    }
}

fn write(directory: &Path, name: &str, chart: &Chart) -> Result<(), Box<dyn Error>> {
    std::fs::write(directory.join(format!("{name}.svg")), &chart.svg)?;
    let png = chart.png()?;
    println!(
        "{name}: svg {} kB, png {} kB",
        chart.svg.len() / 1_000,
        png.len() / 1_000
    );
    std::fs::write(directory.join(format!("{name}.png")), png)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: charts DIRECTORY")?;
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory)?;
    let s = story();
    let options = Options {
        subtitle: Some("Made-up example · 4,000 accounts · seed 42".into()),
        ..Options::default()
    };

    let prices = PriceData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        start: Some(START),
        time: s.time.clone(),
        index: s.index.clone(),
        mark: s.mark.clone(),
        last: s.last.clone(),
        liquidations: Liquidations {
            time: s.time.clone(),
            long: s.long.clone(),
            short: s.short.clone(),
        },
    };
    write(directory, "price", &price(&prices, &options)?)?;
    let undated = PriceData {
        start: None,
        liquidations: Liquidations::default(),
        ..prices
    };
    write(directory, "price-undated", &price(&undated, &options)?)?;

    write(
        directory,
        "reproduction",
        &reproduction(&ratios(&s.time, 1.8), &options)?,
    )?;
    let mut wild = ratios(&s.time, 40.0);
    wild.moves[2].down[2_900..2_960].fill(f64::INFINITY);
    write(
        directory,
        "reproduction-log",
        &reproduction(&wild, &options)?,
    )?;

    let depth = LadderData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        reach: 0.2,
        down: ladder_side(2.4e9, 4.1e8, 0.055),
        up: ladder_side(2.1e9, 1.2e8, 0.09),
    };
    write(directory, "ladder", &ladder(&depth, &options)?)?;

    let paid = |from: f64, most: f64| -> Vec<f64> {
        s.time
            .iter()
            .map(|&t| most * (1.0 - (-((t - from).max(0.0) / 90.0).floor() * 0.18).exp()))
            .collect()
    };
    let losses = WaterfallData {
        name: "Venue".into(),
        currency: "USDT".into(),
        start: Some(START),
        fund: paid(2_450.0, 88e6)
            .iter()
            .map(|loss| 100e6 - loss)
            .collect(),
        deleveraged: paid(2_700.0, 42.7e6),
        socialised: vec![0.0; s.time.len()],
        uncovered: vec![0.0; s.time.len()],
        time: s.time.clone(),
    };
    write(directory, "waterfall", &waterfall(&losses, &options)?)?;
    let untouched = WaterfallData {
        fund: vec![100e6; s.time.len()],
        deleveraged: vec![0.0; s.time.len()],
        ..losses.clone()
    };
    write(
        directory,
        "waterfall-quiet",
        &waterfall(&untouched, &options)?,
    )?;
    let ruin = WaterfallData {
        fund: paid(2_450.0, 100e6)
            .iter()
            .map(|loss| (98e6 - loss).max(0.0))
            .collect(),
        socialised: paid(3_300.0, 7.9e6),
        uncovered: paid(4_100.0, 310_000.0),
        ..losses
    };
    write(directory, "waterfall-ruin", &waterfall(&ruin, &options)?)?;

    let pair = TwinData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        start: Some(START),
        time: s.time,
        last: s.last,
        twin: s.twin,
    };
    write(directory, "twin", &twin(&pair, &options)?)?;
    Ok(())
}
