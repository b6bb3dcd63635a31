//! Rule files: the content of a scenario's `[margin]` table in a file of its own.

use crate::margin::{MarginRule, MarginSettings};
use crate::unit::Grid;
use rust_decimal::Decimal;
use std::path::Path;

/// The market of a history as rules know it: a rule that names markets finds none here.
const MARKET: &str = "history";

/// A rule file, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFile {
    /// The file's name without its ending.
    pub name: String,
    /// What it says.
    pub settings: MarginSettings,
}

/// The grid on which histories are shown to rules: a cent, 10⁻⁴ of the base, 10⁻⁶ of the currency.
///
/// Prices enter as floats, so that the tick bounds no accuracy; it gives brackets their caps.
pub fn grid() -> Grid {
    Grid {
        tick: Decimal::new(1, 2),
        lot: Decimal::new(1, 4),
        quantum: Decimal::new(1, 6),
    }
}

impl RuleFile {
    /// Reads a rule file.
    ///
    /// # Errors
    ///
    /// The file, and all that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {shown}: {error}"))?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        Self::parse(name, &text).map_err(|wrong| format!("{shown}: {wrong}"))
    }

    /// Takes a rule's text.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Self, String> {
        let settings: MarginSettings =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let mut problems: Vec<String> = settings
            .problems()
            .into_iter()
            .map(|(key, sentence)| format!("{key}: {sentence}"))
            .collect();
        if settings.rule_of(MARKET).is_none() {
            problems.push(
                "base: no base is named for every market, e.g. [base.fixed] with maintenance and initial"
                    .to_owned(),
            );
        }
        if problems.is_empty() {
            Ok(Self {
                name: name.into(),
                settings,
            })
        } else {
            Err(problems.join("\n  "))
        }
    }

    /// The rule, new, as it would meet the first bar.
    pub fn build(&self) -> Option<Box<dyn MarginRule>> {
        self.settings.build(MARKET, &grid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_file_is_a_margin_table() {
        let file = RuleFile::parse(
            "fixed",
            "[base.fixed]\nmaintenance = \"0.05\"\ninitial = \"0.1\"\n",
        )
        .unwrap();
        assert_eq!(file.build().unwrap().parts(), ["fixed"]);
        let grid = grid();
        assert!(Grid::new(grid.tick, grid.lot, grid.quantum).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key() {
        let wrong = RuleFile::parse("x", "warn = 2.0").unwrap_err();
        assert!(
            wrong.contains("warn: ") && wrong.contains("base: "),
            "{wrong}"
        );
        let unknown = RuleFile::parse("x", "bse = 1").unwrap_err();
        assert!(unknown.contains("unknown field `bse`"), "{unknown}");
        let absent = RuleFile::load(Path::new("no/such.toml")).unwrap_err();
        assert!(absent.starts_with("cannot read no/such.toml"), "{absent}");
    }
}
