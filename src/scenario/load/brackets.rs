//! Brackets of many symbols in one file, as Binance's interface has them and `ccxt` and `freqtrade` write them: JSON, an object
//! by symbol (`"BTC/USDT:USDT"`) of lists of `{ maxNotional, maintenanceMarginRate, maxLeverage, … }`.
//!
//! The initial rate is the reciprocal of the largest leverage, to nine places. Deductions follow from the brackets, and what else
//! a file says is passed over.

use super::super::problem::nearest;
use super::read_text;
use crate::margin::base::Tier;
use rust_decimal::Decimal;
use serde_json::Value;
use std::path::Path;

/// Reads the brackets of a symbol, in the file's own spelling (`BTC/USDT:USDT`) or as one word (`BTCUSDT`).
///
/// # Errors
///
/// A sentence: the file can't be read, isn't of this form, or has no such symbol.
pub fn load(path: &Path, symbol: &str) -> Result<Vec<Tier>, String> {
    let text = read_text(path).map_err(|error| error.to_string())?;
    let name = path.display();
    let json: Value = serde_json::from_slice(&text)
        .map_err(|error| format!("{name}: malformed JSON: {error}"))?;
    let symbols = json.as_object().ok_or_else(|| {
        format!("{name}: found no object of symbols, expected {{ \"BTC/USDT:USDT\": [ … ] }}")
    })?;
    let found = symbols.get(symbol).or_else(|| {
        let alike = symbols.iter().find(|(key, _)| word(key) == word(symbol));
        alike.map(|(_, brackets)| brackets)
    });
    let Some(brackets) = found else {
        let words: Vec<String> = symbols.keys().map(|key| word(key)).collect();
        let wanted = word(symbol);
        let help = nearest(&wanted, words.iter().map(String::as_str));
        return Err(format!(
            "{name}: no symbol {symbol} among {}{}",
            super::count(symbols.len() as u64, "symbol"),
            help.map_or_else(String::new, |help| format!("; {help}"))
        ));
    };
    let rows = brackets.as_array().filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| format!("{name}: {symbol} has no list of brackets"))?;
    rows.iter()
        .enumerate()
        .map(|(place, row)| {
            let number = |key: &str| {
                let read = decimal(&row[key]).filter(|number| *number > Decimal::ZERO);
                read.ok_or_else(|| {
                    format!(
                        "{name}: bracket {} of {symbol}: found {key} {}, expected a number above 0",
                        place + 1,
                        row[key]
                    )
                })
            };
            let initial = Decimal::ONE / number("maxLeverage")?;
            Ok(Tier {
                cap: Some(number("maxNotional")?),
                maintenance: number("maintenanceMarginRate")?,
                initial: initial.round_dp(9),
            })
        })
        .collect()
}

/// A symbol as one word: `BTC/USDT:USDT` is `BTCUSDT`.
fn word(symbol: &str) -> String {
    let pair = symbol.split(':').next().unwrap_or(symbol);
    pair.replace(['/', '-', '_'], "").to_uppercase()
}

fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let read = text.parse().or_else(|_| Decimal::from_scientific(&text));
    read.ok().map(|number: Decimal| number.normalize())
}

#[cfg(test)]
mod tests {
    use super::super::testing::file;
    use super::*;

    const SAMPLE: &str = r#"{ "ABC/USDT:USDT": [
        { "tier": 1.0, "minNotional": 0.0, "maxNotional": 5000.0, "maintenanceMarginRate": 0.015, "maxLeverage": 50.0, "info": { "cum": "0.0" } },
        { "tier": 2.0, "minNotional": 5000.0, "maxNotional": 25000.0, "maintenanceMarginRate": 0.025, "maxLeverage": 15.0 } ] }"#;

    #[test]
    fn brackets_are_read_by_either_spelling() {
        let (_folder, path) = file("tiers.json", SAMPLE.as_bytes());
        for symbol in ["ABC/USDT:USDT", "ABCUSDT", "abc-usdt"] {
            let tiers = load(&path, symbol).unwrap();
            assert_eq!(tiers[0].cap, Some(5_000.into()));
            assert_eq!(tiers[0].initial, "0.02".parse().unwrap());
            assert_eq!(tiers[1].maintenance, "0.025".parse().unwrap());
            assert_eq!(tiers[1].initial, "0.066666667".parse().unwrap());
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let (_folder, path) = file("tiers.json", SAMPLE.as_bytes());
        let said = load(&path, "ABDUSDT").unwrap_err();
        assert!(said.contains("no symbol ABDUSDT among 1 symbol"), "{said}");
        assert!(said.contains("ABCUSDT"), "{said}");
        for (text, expected) in [
            ("[]", "found no object of symbols"),
            ("{", "malformed JSON"),
            ("{ \"ABC\": [] }", "has no list of brackets"),
            (
                "{ \"ABC\": [{ \"maxNotional\": -1 }] }",
                "bracket 1 of ABC: found maxLeverage null",
            ),
        ] {
            let (_folder, path) = file("tiers.json", text.as_bytes());
            let said = load(&path, "ABC").unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
