//! In which settings two scenarios differ.

use super::settings::Scenario;
use serde_json::{Map, Value};

/// A setting that is another in one scenario than in the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its path; lists count from 0.
    pub path: String,
    /// What it is in the first; nothing where it isn't there.
    pub from: Option<Value>,
    /// What it is in the second.
    pub to: Option<Value>,
}

impl Scenario {
    /// Every setting in which `other` differs, in the order of the paths. Tables with the same keys, and lists as long as each
    /// other, are compared entry by entry; others as a whole.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        compare(
            String::new(),
            Some(&self.to_json()),
            Some(&other.to_json()),
            &mut found,
        );
        found
    }
}

fn compare(path: String, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    if from == to {
        return;
    }
    let at = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match (from, to) {
        (Some(Value::Object(one)), Some(Value::Object(other)))
            if path.is_empty() || shares_a_key(one, other) =>
        {
            for key in one
                .keys()
                .chain(other.keys().filter(|k| !one.contains_key(*k)))
            {
                compare(at(key), one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (place, (one, other)) in one.iter().zip(other).enumerate() {
                compare(at(&place.to_string()), Some(one), Some(other), found);
            }
        }
        _ => found.push(Difference {
            path,
            from: from.cloned(),
            to: to.cloned(),
        }),
    }
}

/// Two choices of one setting (`{"fixed": …}` and `{"tiered": …}`) have no key in common, and are told whole.
fn shares_a_key(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    one.keys().any(|key| other.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "length = \"1m\"\nextends = \"binance-usdm\"\nmarkets = [\"BTC\"]\n[market.BTC]\nprice = 100000\npath.gbm.volatility = 0.6\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }\n[margin.base.fixed]\nmaintenance = 0.02\ninitial = 0.04\n[[shock]]\nat = \"10s\"\nsize = -0.1\nduration = \"10s\"\n";

    fn told(patches: &[&str]) -> Vec<(String, Option<Value>, Option<Value>)> {
        let base = Scenario::parse(TEXT).unwrap();
        let other = base.patched(patches).unwrap();
        base.differences(&other)
            .into_iter()
            .map(|d| (d.path, d.from, d.to))
            .collect()
    }

    #[test]
    fn what_differs_is_told_by_its_path() {
        assert_eq!(told(&[]), []);
        assert_eq!(
            told(&["shock.0.size=-0.2", "margin.warn=0.7"]),
            [
                (
                    "shock.0.size".to_owned(),
                    Some(json!(-0.1)),
                    Some(json!(-0.2))
                ),
                ("margin.warn".to_owned(), Some(json!(0.8)), Some(json!(0.7))),
            ]
        );
    }

    #[test]
    fn another_choice_is_told_whole() {
        let found = told(&["market.BTC.path={ constant = {} }"]);
        assert_eq!(found.len(), 1);
        let (path, from, to) = &found[0];
        assert_eq!(path, "market.BTC.path");
        assert!(from.as_ref().is_some_and(|v| v.get("gbm").is_some()));
        assert_eq!(to, &Some(json!({ "constant": {} })));
    }
}
