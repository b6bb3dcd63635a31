//! Liquidation policies by name, as text, or in files of their own: what a scenario's `liquidation.policy` says.

use super::problem::{Problem, Problems, Source};
use super::{read, tree};
use crate::liquidation::policy::PolicySettings;
use std::path::Path;

/// Reads a policy: a name (`partial`), a table (`slices = { fraction = 0.2, … }`), or a file that holds one.
///
/// # Errors
///
/// All [`Problems`] of it.
pub fn load(word: &str) -> Result<PolicySettings, Problems> {
    let path = Path::new(word);
    if !(path.is_file() || word.ends_with(".toml")) {
        return parse("--policy", word);
    }
    match std::fs::read_to_string(path) {
        Ok(text) => parse(word, &text),
        Err(error) => {
            let message = format!("cannot read {word}: {error}");
            Err(Problems::new(
                vec![Problem::new("liquidation.policy", message)],
                Vec::new(),
            ))
        }
    }
}

/// Reads a policy's text, which is called `name` where something is wrong with it.
///
/// # Errors
///
/// All [`Problems`] of the text.
pub fn parse(name: &str, text: &str) -> Result<PolicySettings, Problems> {
    let bare = text.trim();
    // A table is read as a file is; a name, or a table in braces, as a value.
    let text = if (bare.contains('=') || bare.contains('[')) && !bare.starts_with('{') {
        text.to_owned()
    } else if bare.starts_with('{') {
        format!("policy = {bare}")
    } else {
        format!("policy = \"{}\"", bare.trim_matches('"'))
    };
    let source = Source {
        name: name.to_owned(),
        text,
        folder: None,
    };
    let mut problems = Vec::new();
    let mut root = tree::parse(&source.text, 0, &mut problems);
    if let Some(entry) = root.table_mut().and_then(|table| table.remove("policy")) {
        root = entry.node;
    }
    let mut outcome = read::read::<PolicySettings>(root.clone(), |_| None);
    problems.append(&mut outcome.problems);
    if let Some(settings) = &outcome.settings {
        let found = settings.problems().into_iter();
        problems.extend(
            found.map(|(key, text)| Problem::new(format!("{}.{key}", settings.name()), text)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_table_and_a_file_say_the_same() {
        let partial = load("partial").unwrap();
        assert_eq!(partial.name(), "partial");
        assert_eq!(load("{ partial = {} }").unwrap(), partial);
        assert_eq!(load("partial = {}").unwrap(), partial);
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), "[partial]\n").unwrap();
        assert_eq!(load(&file.path().display().to_string()).unwrap(), partial);
        let slices = "slices = { fraction = 0.2, above = 100_000, cooldown = \"5s\" }";
        assert_eq!(load(slices).unwrap().name(), "slices");
    }

    #[test]
    fn what_is_no_policy_is_told() {
        for (word, told) in [
            ("partail", "partial"),
            (
                "slices = { fraction = 2, above = 1, cooldown = 5 }",
                "fraction",
            ),
            ("none/such.toml", "cannot read"),
            ("slices", "fraction"),
        ] {
            let error = load(word).unwrap_err().to_string();
            assert!(error.contains(told), "{word}: {error}");
        }
    }
}
