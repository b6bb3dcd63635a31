//! The settings that results hinge on, in words: from the resolved scenario that a manifest keeps.

use super::page::{Block, Cell, Head, Table};
use crate::engine::Rounds;
use crate::measure::Unit;
use crate::output::{ModelSettings, human};
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
        // Pairs and tables within a list are told apart by semicolons.
        Value::Array(values) => {
            let nested = values.iter().any(|v| v.is_array() || v.is_object());
            let inner = |value: &Value| match value {
                Value::Array(pair) => pair.iter().map(words).collect::<Vec<_>>().join(" "),
                value => words(value),
            };
            let values: Vec<String> = values.iter().map(inner).collect();
            values.join(if nested { "; " } else { ", " })
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
    let mut blocks = vec![Block::Table(hinge), Block::Table(markets(scenario, model))];
    blocks.extend(traders(scenario).map(Block::Table));
    blocks
}

/// What each market's prices are made of, the markets side by side.
fn markets(scenario: &Value, model: &ModelSettings) -> Table {
    type Find = Box<dyn Fn(&Value) -> Value>;
    let key = |name: &'static str| -> Find { Box::new(move |market| market[name].clone()) };
    let venue = |name: &'static str| -> Find {
        Box::new(move |market| {
            let venue = market["venue"]
                .as_object()
                .and_then(|venue| venue.values().next());
            venue.map_or(Value::Null, |venue| venue[name].clone())
        })
    };
    let rows: [(&str, Find); 8] = [
        (
            "resilience: half of consumed depth is back after",
            venue("resilience"),
        ),
        ("depth", venue("depth")),
        ("law of a closed form", venue("law")),
        ("flight of liquidity", key("flight")),
        ("outside price", key("path")),
        ("mark", key("mark")),
        ("oracle", key("oracle")),
        ("funding", key("funding")),
    ];
    let mut table = Table {
        caption: "Where prices come from".into(),
        head: vec![Head::words("Setting")],
        ..Table::default()
    };
    let mut told: Vec<Vec<String>> = vec![
        vec!["impact law".into()],
        vec!["κ, the share of impact that stays".into()],
        vec!["τ, the half-life with which it is undone".into()],
    ];
    for market in &model.markets {
        table.head.push(Head::words(&market.market));
        told[0].push(market.impact_law.replace('_', " "));
        told[1].push(market.kappa.to_string());
        told[2].push(market.tau.to_string());
    }
    let of = |market: &str| &scenario["market"][market];
    for (what, find) in &rows {
        let values: Vec<Value> = model.markets.iter().map(|m| find(of(&m.market))).collect();
        if values.iter().any(|value| !value.is_null()) {
            told.push(
                std::iter::once((*what).to_owned())
                    .chain(values.iter().map(words))
                    .collect(),
            );
        }
    }
    let margins = model
        .markets
        .iter()
        .map(|m| &scenario["margin"]["market"][&m.market]["base"]);
    told.push(
        std::iter::once("margin".to_owned())
            .chain(margins.map(words))
            .collect(),
    );
    table.rows = told
        .into_iter()
        .map(|row| row.into_iter().map(Cell::words).collect())
        .collect();
    table
}

/// Who trades: what the prices at which accounts are liquidated follow from.
fn traders(scenario: &Value) -> Option<Table> {
    let cohorts = scenario["cohort"].as_object().filter(|c| !c.is_empty())?;
    const COLUMNS: [(&str, &str); 7] = [
        ("Capital", "capital"),
        ("Leverage", "leverage"),
        ("Long share", "long_share"),
        ("Entry over price", "entry"),
        ("Mode", "mode"),
        ("Strategy", "strategy"),
        ("Under stress", "response"),
    ];
    let row = |(name, cohort): (&String, &Value)| {
        let count = cohort["count"].as_f64();
        let shown = count.map_or_else(
            || words(&cohort["count"]),
            |n| human::number(n, Unit::Count, ""),
        );
        let mut row = vec![Cell::words(name), Cell::number(shown, count)];
        row.extend(COLUMNS.iter().map(|(_, key)| {
            let value = &cohort[*key];
            let all = words(value);
            // What a strategy does in detail is told on asking: its settings are many.
            match value
                .as_object()
                .filter(|_| ["strategy", "response"].contains(key))
            {
                Some(kind) => {
                    let kind = kind.keys().next().map_or("", String::as_str);
                    Cell::words(kind.replace('_', " ")).hint(all)
                }
                None => Cell::words(all),
            }
        }));
        row
    };
    let mut head = vec![Head::words("Cohort"), Head::numbers("Accounts")];
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
            (json!([[10.0, 20.0], ["20m", 0.5]]), "10 20; 20m 0.5"),
            (json!([1.0, 2.5]), "1, 2.5"),
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
