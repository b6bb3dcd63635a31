//! The settings that results hinge on, in words: from the resolved scenario that a manifest keeps.

use super::page::{Block, Cell, Head, Table};
use crate::engine::Rounds;
use crate::output::ModelSettings;
use serde_json::Value;

/// Longest text of a setting; the rest is in the scenario at the page's end.
const LONGEST: usize = 160;

/// A setting in words: `uniform (min 2, max 25)`.
pub(super) fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(words).collect();
            values.join(", ")
        }
        // A kind with nothing to say of it, or with its settings.
        Value::Object(map) if map.len() == 1 => {
            let (key, value) = map.iter().next().unwrap_or((&EMPTY, &Value::Null));
            let key = key.replace('_', " ");
            match value {
                Value::Object(inner) if inner.is_empty() => key,
                Value::Object(_) => format!("{key} ({})", words_of_map(value)),
                _ => format!("{key} {}", words(value)),
            }
        }
        Value::Object(_) => words_of_map(value),
    };
    if text.chars().count() > LONGEST {
        let cut: String = text.chars().take(LONGEST).collect();
        return format!("{cut}…");
    }
    text
}

static EMPTY: String = String::new();

fn words_of_map(value: &Value) -> String {
    let parts = value.as_object().into_iter().flatten();
    let parts = parts.filter(|(_, value)| !value.is_null());
    let parts: Vec<String> = parts
        .map(|(key, value)| format!("{} {}", key.replace('_', " "), words(value)))
        .collect();
    parts.join(", ")
}

/// A length of time in the scenario's own words, or in seconds.
fn step(scenario: &Value, model: &ModelSettings) -> String {
    match scenario.get("step") {
        Some(Value::String(step)) => step.clone(),
        _ => format!("{} s", model.dt),
    }
}

fn rounds(rounds: Rounds) -> String {
    match rounds {
        Rounds::Fixed(1) => {
            "once a step: a cascade takes at least a step for each generation".to_owned()
        }
        Rounds::Fixed(n) => format!("{n} times a step"),
        Rounds::UntilQuiet { limit } => {
            format!("until nobody is left to liquidate, at most {limit} times a step")
        }
    }
}

/// Step, rounds, impact law, κ, τ, resilience, marks, margin, liquidation, and who trades.
pub(super) fn blocks(scenario: &Value, model: &ModelSettings) -> Vec<Block> {
    let mut rows: Vec<[String; 2]> = vec![
        ["step".into(), step(scenario, model)],
        [
            "length".into(),
            format!("{} ({} steps)", words(&scenario["length"]), model.steps),
        ],
        ["margin is checked (rounds)".into(), rounds(model.rounds)],
    ];
    let several = model.markets.len() > 1;
    for market in &model.markets {
        let of = |what: &str| match several {
            true => format!("{}: {what}", market.market),
            false => what.to_owned(),
        };
        let settings = &scenario["market"][&market.market];
        rows.push([of("impact law"), market.impact_law.replace('_', " ")]);
        rows.push([
            of("κ, the share of impact that stays"),
            market.kappa.to_string(),
        ]);
        rows.push([
            of("τ, the half-life with which it is undone"),
            market.tau.to_string(),
        ]);
        let venue = settings["venue"]
            .as_object()
            .and_then(|venue| venue.values().next());
        let venue = venue.unwrap_or(&Value::Null);
        let more = [
            (
                "resilience: half of consumed depth is back after",
                &venue["resilience"],
            ),
            ("depth", &venue["depth"]),
            ("flight of liquidity", &settings["flight"]),
            ("outside price", &settings["path"]),
            ("mark", &settings["mark"]),
            ("oracle", &settings["oracle"]),
            (
                "margin",
                &scenario["margin"]["market"][&market.market]["base"],
            ),
        ];
        for (what, value) in more {
            if !value.is_null() {
                rows.push([of(what), words(value)]);
            }
        }
    }
    for (what, value) in [
        ("margin adjustments", &scenario["margin"]["adjust"]),
        ("cross margin", &scenario["margin"]["cross"]),
        ("liquidation policy", &scenario["liquidation"]["policy"]),
        (
            "latency of liquidations",
            &scenario["liquidation"]["latency"],
        ),
        ("insurance fund", &scenario["liquidation"]["insurance_fund"]),
        (
            "auto-deleveraging",
            &scenario["liquidation"]["auto_deleveraging"],
        ),
        ("fail-safes", &scenario["safety"]),
        ("shocks", &scenario["shock"]),
        ("faults", &scenario["fault"]),
        ("accounts from a file", &scenario["positions"]),
    ] {
        let silent = matches!(value, Value::Array(list) if list.is_empty())
            || matches!(value, Value::Object(map) if map.is_empty());
        if !value.is_null() && !silent {
            rows.push([what.to_owned(), words(value)]);
        }
    }
    let hinge = Table {
        caption: "Settings that the results hinge on".into(),
        head: vec![Head::words("Setting"), Head::words("Value")],
        rows: rows
            .into_iter()
            .map(|row| row.map(Cell::words).into())
            .collect(),
        ..Table::default()
    };
    let mut blocks = vec![Block::Table(hinge)];
    blocks.extend(traders(scenario).map(Block::Table));
    blocks
}

/// Who trades: what the prices at which accounts are liquidated follow from.
fn traders(scenario: &Value) -> Option<Table> {
    let cohorts = scenario["cohort"].as_object().filter(|c| !c.is_empty())?;
    const COLUMNS: [(&str, &str); 8] = [
        ("Accounts", "count"),
        ("Capital", "capital"),
        ("Leverage", "leverage"),
        ("Long share", "long_share"),
        ("Entry over price", "entry"),
        ("Mode", "mode"),
        ("Strategy", "strategy"),
        ("Under stress", "response"),
    ];
    let row = |(name, cohort): (&String, &Value)| {
        let mut row = vec![Cell::words(name)];
        row.extend(COLUMNS.iter().map(|(_, key)| {
            let value = &cohort[*key];
            match value.as_f64() {
                Some(number) => Cell::number(words(value), Some(number)),
                None => Cell::words(words(value)),
            }
        }));
        row
    };
    let mut head = vec![Head::words("Cohort")];
    head.extend(COLUMNS.iter().map(|(title, _)| Head::words(title)));
    Some(Table {
        caption: "Who trades: the distribution of the prices at which accounts are liquidated follows from this".into(),
        head,
        rows: cohorts.iter().map(row).collect(),
        sortable: true,
        ..Table::default()
    })
}

/// How many accounts the cohorts have, where that is a number.
pub(super) fn accounts(scenario: &Value) -> Option<u64> {
    let cohorts = scenario["cohort"].as_object()?;
    cohorts
        .values()
        .map(|cohort| cohort["count"].as_u64())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_read_as_words() {
        for (value, text) in [
            (
                json!({"uniform": {"min": 2.0, "max": 25.5}}),
                "uniform (min 2, max 25.5)",
            ),
            (json!({"holder": {}}), "holder"),
            (json!("isolated"), "isolated"),
            (json!({"linear": 0.5}), "linear 0.5"),
            (json!([[10.0, 20.0], [100.0, 150.0]]), "10, 20, 100, 150"),
            (
                json!({"at": "5m", "size": -0.1, "recovery": null}),
                "at 5m, size -0.1",
            ),
            (json!(true), "yes"),
        ] {
            assert_eq!(words(&value), text);
        }
        assert_eq!(words(&json!("x".repeat(500))).chars().count(), LONGEST + 1);
        assert_eq!(
            accounts(&json!({"cohort": {"a": {"count": 3}, "b": {"count": 4}}})),
            Some(7)
        );
    }
}
