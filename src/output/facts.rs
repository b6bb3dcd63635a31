//! The scorecard of a run: read from its tables, shown on the terminal or as JSON.

use super::frame::{Frame, FrameError, Wanted};
use super::terminal::Style;
use crate::measure::facts::{Fill, Scored, Tape, Verdict, inside};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// What a run left of each of its markets, by name.
///
/// # Errors
///
/// [`FrameError`] where the directory holds no tables of a run.
pub fn tapes(directory: &Path) -> Result<Vec<(String, Tape)>, FrameError> {
    let steps = Frame::read(
        directory,
        "steps",
        Wanted {
            words: &["market"],
            numbers: &["seconds", "mid_price", "bid_price", "ask_price", "volume"],
        },
    )?;
    let events = Frame::read(
        directory,
        "events",
        Wanted {
            words: &["kind", "market"],
            numbers: &["seconds", "quantity", "price", "amount"],
        },
    )?;
    let kinds = events.words("kind")?;
    let [seconds, quantity, price, amount] =
        ["seconds", "quantity", "price", "amount"].map(|name| events.numbers(name));
    let (seconds, quantity, price, amount) = (seconds?, quantity?, price?, amount?);
    let mut tapes = Vec::new();
    for name in steps.words("market")?.names() {
        let rows = steps.rows_of("market", name)?;
        let of = |column| steps.picked(column, &rows);
        let mut tape = Tape::of(
            &of("seconds")?,
            &of("mid_price")?,
            &of("bid_price")?,
            &of("ask_price")?,
            &of("volume")?,
        );
        for row in events.rows_of("market", name)? {
            match kinds.get(row) {
                Some("forced_trade") => tape.forced.push(Fill {
                    seconds: seconds[row],
                    // What is sold was long.
                    value: -quantity[row].signum() * amount[row].abs(),
                }),
                Some("liquidation_began") => {
                    tape.positions.push((quantity[row] * price[row]).abs());
                }
                _ => {}
            }
        }
        tapes.push((name.clone(), tape));
    }
    Ok(tapes)
}

const NAME: usize = 24;

/// The scorecard as a table.
pub fn table(market: &str, tape: &Tape, scored: &[Scored], style: &Style) -> String {
    let mut text = String::new();
    let head = format!(
        "{market}: {} bars of {} s, {} forced trades",
        tape.bars.len(),
        tape.length,
        tape.forced.len()
    );
    let _ = writeln!(text, "{}", style.dress("1", &head));
    let _ = writeln!(
        text,
        "{:<NAME$}{:>9}  {:<19}{:<14}",
        "", "value", "nine in ten", "markets"
    );
    for s in scored {
        let range = match (s.fact.low, s.fact.high) {
            (low, f64::INFINITY) => format!("≥ {}", number(low)),
            (low, high) => format!("{} to {}", number(low), number(high)),
        };
        let interval = s.interval.map_or_else(String::new, |[low, high]| {
            format!("{} to {}", number(low), number(high))
        });
        let (value, verdict) = match &s.verdict {
            Verdict::Inside => (number(s.value), style.dress("32", "inside")),
            Verdict::Outside => (number(s.value), style.dress("1;31", "outside")),
            Verdict::NotMeasurable(why) => (
                String::new(),
                style.dress("2", &format!("not measurable: {why}")),
            ),
        };
        let _ = writeln!(
            text,
            "{:<NAME$}{value:>9}  {interval:<19}{range:<14}{verdict}",
            s.fact.name
        );
    }
    let (within, measured) = inside(scored);
    let _ = writeln!(
        text,
        "{within} of {measured} facts inside; {} of {} not measurable here",
        scored.len() - measured,
        scored.len()
    );
    text
}

/// What is measured, and where each range is from.
pub fn legend(scored: &[Scored]) -> String {
    let mut text = String::new();
    for s in scored {
        let _ = writeln!(
            text,
            "{:<NAME$}{} ({})",
            s.fact.name, s.fact.what, s.fact.source
        );
    }
    text
}

fn number(value: f64) -> String {
    if !value.is_finite() {
        "∞".to_owned()
    } else if value.abs() >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The scorecard as JSON.
pub fn json(market: &str, scored: &[Scored]) -> Value {
    let facts: Vec<Value> = scored
        .iter()
        .map(|s| {
            let (verdict, why) = match &s.verdict {
                Verdict::Inside => ("inside", None),
                Verdict::Outside => ("outside", None),
                Verdict::NotMeasurable(why) => ("not_measurable", Some(why.as_str())),
            };
            let edge = |value: f64| value.is_finite().then_some(value);
            json!({
                "name": s.fact.name,
                "what": s.fact.what,
                "value": edge(s.value),
                "interval": s.interval,
                "low": edge(s.fact.low),
                "high": edge(s.fact.high),
                "source": s.fact.source,
                "verdict": verdict,
                "why": why,
            })
        })
        .collect();
    let (within, measured) = inside(scored);
    json!({ "market": market, "inside": within, "measured": measured, "facts": facts })
}
