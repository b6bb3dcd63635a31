//! Each fact as a function of bars, with the range in which markets lie.
//!
//! Ranges tagged *read* were read in their source; those tagged *practice* are what is commonly reported, without one
//! number to point at. A fact says how much it needs, and isn't measured from less.

use super::{Fact, Tape};
use crate::math::ops;
use crate::math::series::{autocorrelation, correlation, hill, kurtosis, mean, slope, variance};

/// Every fact.
pub static FACTS: &[Fact] = &[
    Fact {
        name: "return_autocorrelation",
        what: "largest |autocorrelation| of returns a minute, lags 2 to 20",
        low: 0.0,
        high: 0.05,
        source: "Cont 2001, practice",
        forced: false,
        measure: return_autocorrelation,
    },
    Fact {
        name: "tail_index_losses",
        what: "tail index of losses, largest 2.5 %",
        low: 2.0,
        high: 4.5,
        source: "Takaishi 2020 (2 early, 3 recent), Cont 2001 (3), read",
        forced: false,
        measure: |tape| tail(tape, -1.0),
    },
    Fact {
        name: "tail_index_gains",
        what: "tail index of gains, largest 2.5 %",
        low: 2.0,
        high: 4.5,
        source: "Takaishi 2020 (2 early, 3 recent), Cont 2001 (3), read",
        forced: false,
        measure: |tape| tail(tape, 1.0),
    },
    Fact {
        name: "kurtosis_minute",
        what: "kurtosis of returns a minute",
        low: 10.0,
        high: 100.0,
        source: "practice, bitcoin",
        forced: false,
        measure: |tape| horizon_kurtosis(tape, 60.0),
    },
    Fact {
        name: "kurtosis_hour",
        what: "kurtosis of returns an hour",
        low: 5.0,
        high: 20.0,
        source: "practice, bitcoin",
        forced: false,
        measure: |tape| horizon_kurtosis(tape, 3_600.0),
    },
    Fact {
        name: "aggregational_normality",
        what: "excess kurtosis an hour over that a minute",
        low: 0.0,
        high: 0.8,
        source: "Cont 2001: falls with the horizon",
        forced: false,
        measure: |tape| {
            let (hour, minute) = (
                horizon_kurtosis(tape, 3_600.0)?,
                horizon_kurtosis(tape, 60.0)?,
            );
            if minute <= 3.3 {
                return Err("returns a minute are nearly normal already".to_owned());
            }
            Ok((hour - 3.0) / (minute - 3.0))
        },
    },
    Fact {
        name: "clustering",
        what: "autocorrelation of |returns| a minute, lag 1",
        low: 0.1,
        high: 0.6,
        source: "Cont 2001, practice",
        forced: false,
        measure: |tape| Ok(sizes(tape, 200)?[0]),
    },
    Fact {
        name: "clustering_memory",
        what: "lags over which |returns| stay positively correlated",
        low: 100.0,
        high: f64::INFINITY,
        source: "Cont 2001, practice",
        forced: false,
        measure: |tape| {
            // In means over ten lags, since one lag alone is noise.
            let acf = sizes(tape, 500)?;
            let last = acf
                .chunks(10)
                .position(|ten| ten.iter().sum::<f64>() <= 0.0);
            Ok(last.map_or(500.0, |tens| 10.0 * tens as f64))
        },
    },
    Fact {
        name: "clustering_exponent",
        what: "exponent of the decay of |returns|' autocorrelation, lags 1 to 500",
        low: 0.2,
        high: 0.4,
        source: "Cont 2001",
        forced: false,
        measure: decay,
    },
    Fact {
        name: "hurst",
        what: "Hurst exponent of the mid, from variances at 1 to 32 minutes",
        low: 0.42,
        high: 0.55,
        source: "Tang et al. 2024 (0.42 to 0.49), read",
        forced: false,
        measure: hurst,
    },
    Fact {
        name: "volume_volatility",
        what: "correlation of volume and |return| a minute",
        low: 0.3,
        high: 0.7,
        source: "Vyetrenko et al. 2020, practice",
        forced: false,
        measure: |tape| {
            enough(tape.bars.len(), 1_000, "bars")?;
            let volume: Vec<f64> = tape.bars.iter().map(|bar| bar.volume).collect();
            let size: Vec<f64> = tape.bars.iter().map(|bar| bar.log_return.abs()).collect();
            if still(&volume) {
                return Err("volume never changes".to_owned());
            }
            Ok(correlation(&volume, &size))
        },
    },
    Fact {
        name: "spread_volatility",
        what: "correlation of quoted spread and volatility, half an hour",
        low: 0.3,
        high: 1.0,
        source: "Wyart et al. 2008: in proportion",
        forced: false,
        measure: spread_volatility,
    },
    Fact {
        name: "leverage_effect",
        what: "mean correlation of a return with |returns| in the ten minutes after",
        low: -0.1,
        high: 0.1,
        source: "practice: weak or inverted in crypto",
        forced: false,
        measure: |tape| {
            enough(tape.bars.len(), 2_000, "bars")?;
            let returns = tape.returns(1);
            let size: Vec<f64> = returns.iter().map(|r| r.abs()).collect();
            let n = returns.len();
            let lags = (1..=10).map(|lag| correlation(&returns[..n - lag], &size[lag..]));
            Ok(lags.sum::<f64>() / 10.0)
        },
    },
    Fact {
        name: "impact_exponent",
        what: "exponent of mean |return| over volume, among minutes by volume",
        low: 0.3,
        high: 0.7,
        source: "Bouchaud, Farmer and Lillo 2009; metaorders 0.5, Sato and Kanazawa 2024, read",
        forced: false,
        measure: impact,
    },
    Fact {
        name: "position_tail",
        what: "tail index of positions as their liquidation begins, largest 10 %",
        low: 0.49,
        high: 0.83,
        source: "Hyperliquid, October 2025, read",
        forced: true,
        measure: |tape| {
            enough(tape.positions.len(), 200, "liquidated positions")?;
            hill(&tape.positions, tape.positions.len() / 10).ok_or_else(|| "no tail".to_owned())
        },
    },
    Fact {
        name: "liquidation_tail",
        what: "tail index of forced volume a minute, largest 10 % of minutes",
        low: 0.3,
        high: 1.5,
        source: "practice: a few minutes hold most",
        forced: true,
        measure: |tape| {
            let minutes = by_minute(tape)?;
            let busy = minutes.iter().filter(|v| **v > 0.0).count();
            enough(busy, 50, "minutes with forced trades")?;
            hill(&minutes, busy / 10).ok_or_else(|| "no tail".to_owned())
        },
    },
    Fact {
        name: "long_share",
        what: "share of longs in what is liquidated",
        low: 0.8,
        high: 0.9,
        source: "10 October 2025: 84 to 87 %, read",
        forced: true,
        measure: |tape| {
            enough(tape.forced.len(), 100, "forced trades")?;
            let long: f64 = tape.forced.iter().map(|fill| fill.value.max(0.0)).sum();
            let all: f64 = tape.forced.iter().map(|fill| fill.value.abs()).sum();
            Ok(long / all)
        },
    },
    Fact {
        name: "burstiness",
        what: "burstiness of forced trades: (σ − μ) / (σ + μ) of the waits between",
        low: 0.2,
        high: 1.0,
        source: "Goh and Barabási 2008; 0 is a Poisson process",
        forced: true,
        measure: |tape| {
            enough(tape.forced.len(), 100, "forced trades")?;
            let waits: Vec<f64> = tape
                .forced
                .windows(2)
                .map(|pair| pair[1].seconds - pair[0].seconds)
                .collect();
            let mean = waits.iter().sum::<f64>() / waits.len() as f64;
            let sd = variance(&waits).sqrt();
            Ok((sd - mean) / (sd + mean))
        },
    },
    Fact {
        name: "peak_minute",
        what: "share of the busiest minute in forced volume",
        low: 0.15,
        high: 0.35,
        source: "10 October 2025, read",
        forced: true,
        measure: |tape| {
            enough(tape.forced.len(), 100, "forced trades")?;
            let minutes = by_minute(tape)?;
            let most = minutes.iter().copied().fold(0.0, f64::max);
            Ok(most / minutes.iter().sum::<f64>())
        },
    },
    Fact {
        name: "forty_minutes",
        what: "share of forced volume in its busiest forty minutes",
        low: 0.5,
        high: 1.0,
        source: "10 October 2025, read",
        forced: true,
        measure: |tape| {
            enough(tape.forced.len(), 100, "forced trades")?;
            let minutes = by_minute(tape)?;
            let all: f64 = minutes.iter().sum();
            if minutes.len() <= 40 {
                return Err("forced trades span less than forty minutes".to_owned());
            }
            let windows = minutes.windows(40).map(|w| w.iter().sum::<f64>());
            Ok(windows.fold(0.0, f64::max) / all)
        },
    },
    Fact {
        name: "order_sign_memory",
        what: "decay of order signs' autocorrelation",
        low: 0.3,
        high: 0.8,
        source: "Lillo and Farmer 2004, practice",
        forced: false,
        measure: |_| Err("the tables hold no sides of organic trades".to_owned()),
    },
    Fact {
        name: "book_shape",
        what: "distance of the book's hump from the best price",
        low: 0.0,
        high: 1.0,
        source: "Bouchaud, Mézard and Potters 2002",
        forced: false,
        measure: |_| Err("the tables hold depth at one distance only".to_owned()),
    },
    Fact {
        name: "event_branching",
        what: "branching ratio of mid moves, 1 − 1/√Fano",
        low: 0.6,
        high: 1.0,
        source: "Hardiman, Bercot and Bouchaud 2013, read",
        forced: false,
        measure: |_| {
            Err("a step holds many moves of the mid, and the tables one value a step".to_owned())
        },
    },
];

fn enough(found: usize, needed: usize, what: &str) -> Result<(), String> {
    if found >= needed {
        Ok(())
    } else {
        Err(format!("{found} {what}, needs {needed}"))
    }
}

/// Whether a series keeps its value, but for rounding.
fn still(series: &[f64]) -> bool {
    let level = mean(series);
    variance(series) <= 1e-20 * level * level
}

/// How many bars a horizon has.
fn bars(tape: &Tape, seconds: f64) -> Result<usize, String> {
    if tape.bars.is_empty() {
        return Err("no bars".to_owned());
    }
    if tape.length > 1.01 * seconds {
        return Err(format!("a step of {} s is longer", tape.length));
    }
    Ok((seconds / tape.length).round() as usize)
}

fn return_autocorrelation(tape: &Tape) -> Result<f64, String> {
    // Two standard errors of a white series are then less than the range.
    enough(tape.bars.len(), 6_400, "bars")?;
    let acf = autocorrelation(&tape.returns(bars(tape, 60.0)?), 20);
    Ok(acf[1..].iter().fold(0.0, |most, a| a.abs().max(most)))
}

fn tail(tape: &Tape, sign: f64) -> Result<f64, String> {
    enough(tape.bars.len(), 4_000, "bars")?;
    let side: Vec<f64> = tape.returns(1).iter().map(|r| sign * r).collect();
    hill(&side, side.len() / 40).ok_or_else(|| "fewer moves than the tail needs".to_owned())
}

fn horizon_kurtosis(tape: &Tape, seconds: f64) -> Result<f64, String> {
    let returns = tape.returns(bars(tape, seconds)?);
    enough(returns.len(), 200, "returns of that length")?;
    if variance(&returns) == 0.0 {
        return Err("the price never moves".to_owned());
    }
    Ok(kurtosis(&returns))
}

fn sizes(tape: &Tape, lags: usize) -> Result<Vec<f64>, String> {
    enough(tape.bars.len(), 10 * lags, "bars")?;
    let sizes: Vec<f64> = tape.returns(1).iter().map(|r| r.abs()).collect();
    if variance(&sizes) == 0.0 {
        return Err("the price never moves".to_owned());
    }
    Ok(autocorrelation(&sizes, lags))
}

/// A line through the logarithms, with as many points in each octave: means over lags 1, 2–3, 4–7, …
fn decay(tape: &Tape) -> Result<f64, String> {
    let acf = sizes(tape, 500)?;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut from = 1;
    while from <= 500 {
        let to = (2 * from - 1).min(500);
        let octave = &acf[from - 1..to];
        let mean = octave.iter().sum::<f64>() / octave.len() as f64;
        if mean <= 0.0 {
            break;
        }
        x.push(ops::ln((from as f64 * to as f64).sqrt()));
        y.push(ops::ln(mean));
        from *= 2;
    }
    if x.len() < 6 {
        return Err("the autocorrelation is gone within sixty lags".to_owned());
    }
    Ok(-slope(&x, &y))
}

fn hurst(tape: &Tape) -> Result<f64, String> {
    enough(tape.bars.len(), 3_200, "bars")?;
    bars(tape, 60.0)?;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for power in 0..6 {
        let bars = 1_usize << power;
        let variance = variance(&tape.returns(bars));
        if variance == 0.0 {
            return Err("the price never moves".to_owned());
        }
        x.push(ops::ln(bars as f64));
        y.push(ops::ln(variance));
    }
    Ok(slope(&x, &y) / 2.0)
}

fn spread_volatility(tape: &Tape) -> Result<f64, String> {
    let bars = bars(tape, 1_800.0)?;
    let (mut spread, mut volatility) = (Vec::new(), Vec::new());
    for chunk in tape.bars.chunks_exact(bars) {
        let n = chunk.len() as f64;
        let mean = chunk.iter().map(|bar| bar.spread).sum::<f64>() / n;
        let squares: f64 = chunk
            .iter()
            .map(|bar| bar.volatility * bar.volatility)
            .sum();
        if mean.is_finite() {
            spread.push(mean);
            volatility.push((squares / n).sqrt());
        }
    }
    enough(spread.len(), 100, "half hours with both quotes")?;
    if still(&spread) {
        return Err("the spread never changes".to_owned());
    }
    Ok(correlation(&spread, &volatility))
}

/// Bars in twenty groups by volume: a line through the logarithms of mean size and mean volume.
fn impact(tape: &Tape) -> Result<f64, String> {
    let mut traded: Vec<(f64, f64)> = tape
        .bars
        .iter()
        .filter(|bar| bar.volume > 0.0)
        .map(|bar| (bar.volume, bar.log_return.abs()))
        .collect();
    enough(traded.len(), 2_000, "bars with trades")?;
    traded.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for group in traded.chunks(traded.len() / 20) {
        let n = group.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| group.iter().map(of).sum::<f64>() / n;
        let (volume, size) = (mean(|bar| bar.0), mean(|bar| bar.1));
        if size > 0.0 {
            x.push(ops::ln(volume));
            y.push(ops::ln(size));
        }
    }
    let wide = x
        .last()
        .zip(x.first())
        .map_or(0.0, |(last, first)| last - first);
    if wide < 0.7 {
        return Err("volume hardly varies".to_owned());
    }
    Ok(slope(&x, &y))
}

/// Forced volume by minute, from the first forced trade to the last.
fn by_minute(tape: &Tape) -> Result<Vec<f64>, String> {
    let (Some(first), Some(last)) = (tape.forced.first(), tape.forced.last()) else {
        return Err("no forced trades".to_owned());
    };
    let minute = |seconds: f64| (seconds / 60.0).floor() as usize;
    let from = minute(first.seconds);
    let mut minutes = vec![0.0; minute(last.seconds) - from + 1];
    for fill in &tape.forced {
        minutes[minute(fill.seconds) - from] += fill.value.abs();
    }
    Ok(minutes)
}

#[cfg(test)]
mod tests {
    use super::super::{Bar, Fill};
    use super::*;
    use crate::math::{Draws, Purpose};

    fn fact(name: &str) -> &'static Fact {
        FACTS.iter().find(|fact| fact.name == name).unwrap()
    }

    fn normal(n: usize) -> Tape {
        let mut stream = Draws::new(3, 0).stream(Purpose::Custom, 0, 0);
        Tape {
            bars: (0..n)
                .map(|_| {
                    let z = stream.normal();
                    Bar {
                        log_return: 1e-3 * z,
                        // Size is the square root of volume.
                        volume: z * z,
                        spread: 1e-4,
                        volatility: 1e-3,
                    }
                })
                .collect(),
            length: 60.0,
            steps: 1,
            ..Tape::default()
        }
    }

    #[test]
    fn a_random_walk_has_no_memory_and_no_tails() {
        let tape = normal(30_000);
        let found = |name: &str| (fact(name).measure)(&tape);
        assert!(found("return_autocorrelation").unwrap() < 0.03);
        assert!((found("kurtosis_minute").unwrap() - 3.0).abs() < 0.2);
        assert!((found("hurst").unwrap() - 0.5).abs() < 0.02);
        assert!(found("clustering").unwrap().abs() < 0.03);
        assert!(found("tail_index_losses").unwrap() > 4.5);
        assert!(found("clustering_memory").unwrap() < 100.0);
        assert!((found("impact_exponent").unwrap() - 0.5).abs() < 0.02);
        assert!(found("leverage_effect").unwrap().abs() < 0.02);
        assert!(found("clustering_exponent").is_err());
        assert!(
            found("spread_volatility").is_err(),
            "the spread never changes"
        );
    }

    #[test]
    fn forced_trades_are_counted_by_minute() {
        let mut tape = normal(10);
        // Ninety a minute apart, then sixty at once; two thirds of the value of longs.
        let fills = (0..90).map(|k| (60.0 * f64::from(k), -1.0));
        let burst = (0..60).map(|_| (6_000.0, 3.0));
        tape.forced = fills
            .chain(burst)
            .map(|(seconds, value)| Fill { seconds, value })
            .collect();
        let found = |name: &str| (fact(name).measure)(&tape).unwrap();
        assert!((found("long_share") - 2.0 / 3.0).abs() < 1e-12);
        assert!((found("peak_minute") - 2.0 / 3.0).abs() < 1e-12);
        let late = (180.0 + 29.0) / 270.0;
        assert!(
            (found("forty_minutes") - late).abs() < 1e-12,
            "{}",
            found("forty_minutes")
        );
        assert!(found("burstiness") > 0.1);
    }
}
