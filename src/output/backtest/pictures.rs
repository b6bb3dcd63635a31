//! The charts of a backtest.

use crate::backtest::{Report, RuleReport};
use crate::chart::{self, ChartError, CoverageData, LightData, Options};
use crate::measure::coverage::{LIGHT_WINDOWS, Zone, traffic_light};
use crate::output::pictures::Picture;

/// Fewest windows for a count over the last 250 to be a line.
const LEAST: usize = 2 * LIGHT_WINDOWS;

/// Draws a chart for each history and rule.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(reports: &[Report]) -> Result<Vec<Picture>, ChartError> {
    let mut pictures = Vec::new();
    for report in reports {
        for rule in &report.rules {
            let settings = &report.settings;
            let options = Options {
                subtitle: Some(format!(
                    "{} margin, {} % over {}, {}; {} windows side by side",
                    settings.requirement.name(),
                    100.0 * settings.confidence,
                    settings.horizon,
                    settings.loss.name(),
                    report.windows.begins.len()
                )),
                ..Options::default()
            };
            let name = match reports {
                [_] => format!("coverage-{}", rule.rule),
                _ => format!("coverage-{}-{}", report.market, rule.rule),
            };
            pictures.push(Picture {
                name,
                chart: chart::coverage(&data(report, rule), &options)?,
            });
        }
    }
    Ok(pictures)
}

fn data(report: &Report, rule: &RuleReport) -> CoverageData {
    let windows = &report.windows;
    let start_ms = windows.begins_ms[0];
    let pick =
        |column: &[f64]| -> Vec<f64> { windows.begins.iter().map(|at| column[*at]).collect() };
    let margin = pick(&rule.rates);
    let (long, short) = (pick(&report.losses.long), pick(&report.losses.short));
    let alpha = 1.0 - report.settings.confidence;
    let red = (0..=LIGHT_WINDOWS as u64)
        .find(|count| traffic_light(*count, LIGHT_WINDOWS as u64, alpha) == Zone::Red);
    let light = red
        .filter(|_| windows.begins.len() >= LEAST)
        .map(|red| LightData {
            windows: LIGHT_WINDOWS,
            expected: alpha * LIGHT_WINDOWS as f64,
            red: red as f64,
            long: counts(&long, &margin),
            short: counts(&short, &margin),
        });
    CoverageData {
        market: report.market.clone(),
        rule: rule.rule.clone(),
        horizon: report.settings.horizon.to_string(),
        start: Some(start_ms.div_euclid(1_000)),
        time: windows
            .begins_ms
            .iter()
            .map(|ms| (ms - start_ms) as f64 / 1e3)
            .collect(),
        margin,
        long,
        short,
        light,
    }
}

/// Breaches among the last 250 windows; undefined before there are so many.
fn counts(losses: &[f64], margin: &[f64]) -> Vec<f64> {
    let breach = |at: usize| f64::from(u8::from(losses[at] > margin[at]));
    let mut count = 0.0;
    (0..losses.len())
        .map(|at| {
            count += breach(at);
            if at >= LIGHT_WINDOWS {
                count -= breach(at - LIGHT_WINDOWS);
            }
            if at + 1 >= LIGHT_WINDOWS {
                count
            } else {
                f64::NAN
            }
        })
        .collect()
}
