//! Rule files: the content of a `[margin]` table on its own, built into the program or a user's.
//!
//! A scenario takes one up with `margin.extends = "ewma-var"`, or a file relative to its own folder. A rule
//! file's base takes the place of the bases that the scenario's own `extends` brought along, those of
//! single markets included, and so do its adjustments; what the scenario itself says wins over both.

use super::problem::{Problem, Problems, Source, listed, nearest};
use super::read;
use super::tree::{self, Node, Place};
use crate::margin::MarginSettings;
use std::path::{Path, PathBuf};

const RULES: [(&str, &str); 12] = [
    (
        "binance-tiered",
        include_str!("../../configs/rules/binance-tiered.toml"),
    ),
    (
        "depth-aware",
        include_str!("../../configs/rules/depth-aware.toml"),
    ),
    (
        "dydx-oi-scaled",
        include_str!("../../configs/rules/dydx-oi-scaled.toml"),
    ),
    (
        "emir-buffered",
        include_str!("../../configs/rules/emir-buffered.toml"),
    ),
    (
        "ewma-var",
        include_str!("../../configs/rules/ewma-var.toml"),
    ),
    ("fhs", include_str!("../../configs/rules/fhs.toml")),
    ("fixed", include_str!("../../configs/rules/fixed.toml")),
    (
        "garch-es",
        include_str!("../../configs/rules/garch-es.toml"),
    ),
    (
        "hyperliquid-tiered",
        include_str!("../../configs/rules/hyperliquid-tiered.toml"),
    ),
    (
        "r-target",
        include_str!("../../configs/rules/r-target.toml"),
    ),
    (
        "speed-limited",
        include_str!("../../configs/rules/speed-limited.toml"),
    ),
    (
        "volatility-scaled",
        include_str!("../../configs/rules/volatility-scaled.toml"),
    ),
];

/// The names of the rules that are built in.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, _)| *name)
}

/// The text of a rule: a file where there is one, else a rule that is built in.
pub(super) fn source(folder: Option<&Path>, name: &str) -> Result<Source, Problem> {
    let path = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
    if !(path.is_file() || name.ends_with(".toml") || name.contains('/')) {
        return RULES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| Source {
                name: format!("rule {name}"),
                text: (*text).to_owned(),
                folder: None,
            })
            .ok_or_else(|| {
                let all: Vec<&str> = names().collect();
                Problem::new(
                    "margin.extends",
                    format!(
                        "there is neither a rule nor a file \"{name}\"; the rules are {}",
                        listed(&all)
                    ),
                )
                .help(nearest(name, all))
            });
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Source {
            name: path.display().to_string(),
            text,
            folder: path.parent().map(Path::to_path_buf),
        }),
        Err(error) => Err(Problem::new(
            "margin.extends",
            format!("cannot read {}: {error}", path.display()),
        )),
    }
}

/// Takes what a rule replaces out of a scenario's tree.
pub(super) fn make_room(base: &mut Node, rule: &Node) {
    let Some(margin) = base.get_mut("margin") else {
        return;
    };
    for key in ["base", "adjust"] {
        if rule.get(key).is_none() {
            continue;
        }
        margin.remove(key);
        if let Some(markets) = margin.get_mut("market").and_then(Node::table_mut) {
            for entry in markets.values_mut() {
                entry.node.remove(key);
            }
        }
    }
}

/// The settings of a rule file, or of a rule that is built in: without a scenario, for a backtest.
///
/// # Errors
///
/// All [`Problems`] of the file.
pub fn read(name: &str) -> Result<MarginSettings, Problems> {
    source(None, name)
        .map_err(|problem| Problems::new(vec![problem], Vec::new()))
        .and_then(settings)
}

/// The settings of a rule's text, which is called `name` where something is wrong with it.
///
/// # Errors
///
/// All [`Problems`] of the text.
pub fn parse(name: &str, text: &str) -> Result<MarginSettings, Problems> {
    settings(Source {
        name: name.to_owned(),
        text: text.to_owned(),
        folder: None,
    })
}

fn settings(source: Source) -> Result<MarginSettings, Problems> {
    let mut problems = Vec::new();
    let root = tree::parse(&source.text, 0, &mut problems);
    let mut outcome = read::read::<MarginSettings>(root.clone(), |_| None);
    problems.append(&mut outcome.problems);
    if let Some(settings) = &outcome.settings {
        if settings.base.is_none() && settings.market.is_empty() {
            problems.push(Problem::new("base", "is missing: a rule begins with one"));
        }
        problems.extend(
            settings
                .problems()
                .into_iter()
                .map(|(key, text)| Problem::new(key, text)),
        );
    }
    for problem in &mut problems {
        problem.place = problem.place.or_else(|| root.place_of(&problem.key));
    }
    match outcome.settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(Problems::new(problems, vec![source])),
    }
}

/// Says of a list of problems where the rule was named, for those that have no place.
pub(super) fn placed(problem: Problem, place: Place) -> Problem {
    if problem.place.is_some() {
        problem
    } else {
        problem.at(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::base::BaseSettings;
    use crate::scenario::{Document, Mode};

    const REST: &str = r#"
        length = "1m"
        extends = "binance-usdm"
        markets = ["BTC"]
        [market.BTC]
        price = 100000
        path.gbm.volatility = 0.6
        venue.book = { depth.flat.lots_per_tick = 10, resilience = "30s" }
        [cohort.retail]
        count = 50
        capital = 1000
        leverage = 2
    "#;

    #[test]
    fn every_rule_reads_and_runs_in_a_scenario() {
        for name in names() {
            let rule = read(name).unwrap_or_else(|problems| panic!("{name}: {problems}"));
            let text = format!("{REST}\n[margin]\nextends = \"{name}\"");
            let scenario = Document::parse(text)
                .read()
                .unwrap_or_else(|problems| panic!("{name}: {problems}"));
            assert_eq!(
                scenario.margin.rule_of("BTC").unwrap().0,
                &rule.base.unwrap()
            );
            assert_eq!(scenario.margin.adjust, rule.adjust);
            let (setup, _) = scenario.setup(0, Mode::Run).unwrap();
            let mut world = crate::engine::World::new(setup);
            for _ in 0..30 {
                world.step(&mut ()).unwrap();
            }
        }
    }

    #[test]
    fn the_scenario_s_own_words_win_and_a_patch_wins_over_those() {
        let text =
            format!("{REST}\n[margin]\nextends = \"fixed\"\nwarn = 0.5\nbase.fixed.initial = 0.2");
        let mut document = Document::parse(text);
        let scenario = document.clone().read().unwrap();
        assert_eq!(scenario.margin.warn, 0.5);
        match scenario.margin.rule_of("BTC").unwrap().0 {
            BaseSettings::Fixed(fixed) => {
                assert_eq!(fixed.initial.to_string(), "0.2");
                assert_eq!(fixed.maintenance.to_string(), "0.025");
            }
            other => panic!("{other:?}"),
        }
        document.patch("margin.extends=ewma-var");
        let scenario = document.read().unwrap();
        assert_eq!(
            scenario.margin.rule_of("BTC").unwrap().0.name(),
            "value_at_risk"
        );
        assert_eq!(scenario.margin.warn, 0.5);
    }

    #[test]
    fn an_unknown_rule_is_named_with_the_nearest() {
        let text = format!("{REST}\n[margin]\nextends = \"ewma-vra\"");
        let said = Document::parse(text).read().unwrap_err().to_string();
        assert!(
            said.contains("neither a rule nor a file") && said.contains("ewma-var"),
            "{said}"
        );
    }
}
