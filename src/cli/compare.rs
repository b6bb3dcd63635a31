//! `deleverage compare`: the same crashes under several variants of a scenario.

use super::{Config, Failure, crashes};
use crate::backtest::RuleFile;
use crate::experiment::Variant;
use crate::scenario::{Scenario, policy};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is typed after `compare`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
    /// Margin rule: a file with the content of a scenario's `[margin]` table, or the name of a rule that is built in. May be
    /// repeated.
    #[arg(long = "rule", value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Liquidation policy: a name (`partial`), a table (`slices = { … }`), or a file with one; with a name of one's own as
    /// `NAME:POLICY`. May be repeated.
    #[arg(long = "policy", value_name = "[NAME:]POLICY")]
    policies: Vec<String>,
    /// Any other variant: `NAME:path.to.key=value`, several settings with commas between them. May be repeated.
    #[arg(long = "variant", value_name = "NAME:PATH=VALUE[,…]")]
    variants: Vec<String>,
    /// Name of the variant that the others are held against; `scenario` for the scenario as it is. Where left out it is the
    /// first rule if there are several rules and nothing else, else the scenario.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    #[command(flatten)]
    options: crashes::Options,
}

/// Name of the scenario as it is.
const AS_IT_IS: &str = "scenario";

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut scenario = arguments.config.load()?;
    if let Some(seed) = arguments.options.seed {
        scenario = scenario.with_seed(seed);
    }
    crashes::run(variants(&scenario, arguments)?, &arguments.options)
}

/// Every variant, the baseline first; all that is wrong with any is told at once.
fn variants(scenario: &Scenario, arguments: &Arguments) -> Result<Vec<Variant>, Failure> {
    let mut found: Vec<Variant> = Vec::new();
    let mut wrong = Vec::new();
    let mut take = |variant: Result<Variant, String>| match variant {
        Ok(variant) => found.push(variant),
        Err(text) => wrong.push(text),
    };
    for path in &arguments.rules {
        take(
            RuleFile::load(path)
                .and_then(|rule| checked(Variant::ruled(rule.name, scenario, &rule.settings))),
        );
    }
    for word in &arguments.policies {
        take(policed(scenario, word).and_then(checked));
    }
    for word in &arguments.variants {
        take(patched(scenario, word));
    }
    if !wrong.is_empty() {
        return Err(Failure::Input(wrong.join("\n")));
    }
    if found.is_empty() {
        return Err(Failure::Input(
            "nothing to compare with: name variants by --rule, --policy or --variant; deleverage ensemble runs the scenario alone"
                .to_owned(),
        ));
    }
    let own = Variant::new(AS_IT_IS, scenario.clone());
    let rules_alone = found.len() == arguments.rules.len() && found.len() > 1;
    match &arguments.baseline {
        Some(name) => match found.iter().position(|variant| variant.name == *name) {
            Some(place) => {
                let baseline = found.remove(place);
                found.insert(0, baseline);
            }
            None if name == AS_IT_IS => found.insert(0, own),
            None => {
                let names: Vec<&str> = found.iter().map(|v| v.name.as_str()).collect();
                return Err(Failure::Input(format!(
                    "--baseline: no variant is named {name}; there are {}, and {AS_IT_IS} as it is",
                    names.join(", ")
                )));
            }
        },
        None if rules_alone => {}
        None => found.insert(0, own),
    }
    Ok(found)
}

/// Makes sure that a variant's scenario can be run.
fn checked(variant: Variant) -> Result<Variant, String> {
    let nothing: [&str; 0] = [];
    match variant.scenario.patched(nothing) {
        Ok(scenario) => Ok(Variant::new(variant.name, scenario)),
        Err(problems) => Err(format!("{}: {}", variant.name, problems.render(false))),
    }
}

/// A name at the beginning, and what follows its colon.
fn named(word: &str) -> Option<(&str, &str)> {
    let (name, rest) = word.split_once(':')?;
    let plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    (!name.is_empty() && name.chars().all(plain)).then_some((name, rest))
}

fn policed(scenario: &Scenario, word: &str) -> Result<Variant, String> {
    let (name, text) = match named(word) {
        Some((name, text)) => (Some(name), text),
        None => (None, word),
    };
    let settings = policy::load(text).map_err(|problems| problems.render(false))?;
    let own = || {
        let path = Path::new(text);
        match path.file_stem() {
            Some(stem) if path.is_file() => stem.to_string_lossy().into_owned(),
            _ => settings.name().to_owned(),
        }
    };
    let name = name.map_or_else(own, str::to_owned);
    Ok(Variant::policed(name, scenario, settings))
}

fn patched(scenario: &Scenario, word: &str) -> Result<Variant, String> {
    let Some((name, rest)) = named(word) else {
        return Err(format!(
            "--variant: expected NAME:path.to.key=value, found {word}"
        ));
    };
    let patches = divided(rest);
    if let Some(odd) = patches.iter().find(|patch| !patch.contains('=')) {
        return Err(format!(
            "--variant {name}: expected path.to.key=value, found {odd:?}"
        ));
    }
    Variant::patched(name, scenario, patches)
        .map_err(|problems| format!("{name}: {}", problems.render(false)))
}

/// Parts between commas that stand in no bracket and no quotes.
fn divided(text: &str) -> Vec<&str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_values_divide_nothing() {
        assert_eq!(
            divided("a.b=1, c=[1, 2],d={ x = \"p,q\", y = 2 }"),
            ["a.b=1", "c=[1, 2]", "d={ x = \"p,q\", y = 2 }"]
        );
        assert_eq!(divided("a=1"), ["a=1"]);
    }

    #[test]
    fn a_name_ends_at_the_first_colon() {
        assert_eq!(
            named("loose:margin.warn=0.9"),
            Some(("loose", "margin.warn=0.9"))
        );
        assert_eq!(named("slices = { cooldown = \"5s\" }"), None);
        assert_eq!(named(":x=1"), None);
    }
}
