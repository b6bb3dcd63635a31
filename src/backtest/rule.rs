//! Rule files: the content of a scenario's `[margin]` table in a file of its own, read as scenarios read it.
//!
//! A base with a model of returns has a close-out and a confidence of its own. A backtest asks such a rule for the
//! close-out that it judges, and a value-at-risk for its confidence; an expected shortfall keeps its own, which
//! is chosen to be about as high as another confidence's quantile. What was changed is told.

use crate::margin::adjust::AdjustSettings;
use crate::margin::base::BaseSettings;
use crate::margin::{MarginRule, MarginSettings};
use crate::scenario::rule;
use crate::unit::{Grid, Span};
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
    /// Reads a rule file, or takes a rule that is built in by its name.
    ///
    /// # Errors
    ///
    /// The file, and all that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, String> {
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let shown = path.display().to_string();
        let settings = rule::read(&shown).map_err(|problems| problems.to_string())?;
        Self::new(name, settings).map_err(|wrong| format!("{shown}: {wrong}"))
    }

    /// Takes a rule's text.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Self, String> {
        let name = name.into();
        let settings = rule::parse(&name, text).map_err(|problems| problems.to_string())?;
        Self::new(name, settings)
    }

    fn new(name: String, settings: MarginSettings) -> Result<Self, String> {
        if settings.rule_of(MARKET).is_none() {
            return Err(
                "base: no base is named for every market, e.g. [base.fixed] with maintenance and initial"
                    .to_owned(),
            );
        }
        Ok(Self { name, settings })
    }

    /// The rule, new, as it would meet the first bar.
    pub fn build(&self) -> Option<Box<dyn MarginRule>> {
        self.settings.build(MARKET, &grid())
    }

    /// The rule asked for what it is judged by, and what of its own was left for that.
    pub fn judged(&self, confidence: f64, horizon: Span) -> (Self, Option<String>) {
        let mut asked = self.clone();
        let mut left = Vec::new();
        if let Some(BaseSettings::ValueAtRisk(base) | BaseSettings::ExpectedShortfall(base)) =
            &mut asked.settings.base
            && base.horizon != horizon
        {
            left.push(format!("its own close-out of {}", base.horizon));
            base.horizon = horizon;
        }
        if let Some(BaseSettings::ValueAtRisk(base)) = &mut asked.settings.base
            && base.confidence != confidence
        {
            left.push(format!("its own {} %", percent(base.confidence)));
            base.confidence = confidence;
        }
        let note = (!left.is_empty()).then(|| {
            format!(
                "{} is judged over {horizon} at {} % and asked for that in place of {}; --as-written leaves it",
                self.name,
                percent(confidence),
                left.join(" and ")
            )
        });
        (asked, note)
    }

    /// The same rule stating the expected shortfall at a confidence, where its base has a model of returns.
    pub fn shortfall(&self, confidence: f64) -> Option<Box<dyn MarginRule>> {
        let mut stating = self.settings.clone();
        let Some(BaseSettings::ValueAtRisk(base) | BaseSettings::ExpectedShortfall(base)) =
            stating.base
        else {
            return None;
        };
        stating.base = Some(BaseSettings::ExpectedShortfall(
            crate::margin::base::StatisticalSettings { confidence, ..base },
        ));
        stating.build(MARKET, &grid())
    }

    /// The parts that have nothing to say of a history, which has neither a book nor positions.
    pub fn silent(&self) -> Vec<&'static str> {
        let (base, adjust) = match self.settings.rule_of(MARKET) {
            Some(rule) => rule,
            None => return Vec::new(),
        };
        let base = matches!(base, BaseSettings::OpenInterest(_)).then(|| base.name());
        let adjust = adjust.iter().filter(|one| {
            matches!(
                one,
                AdjustSettings::Depth(_)
                    | AdjustSettings::Concentration(_)
                    | AdjustSettings::Volume(_)
                    | AdjustSettings::OpenInterest(_)
                    | AdjustSettings::Funding(_)
                    | AdjustSettings::RTarget(_)
            )
        });
        base.into_iter()
            .chain(adjust.map(AdjustSettings::key))
            .collect()
    }
}

fn percent(share: f64) -> f64 {
    (share * 1e4).round() / 1e2
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
        assert_eq!(file.judged(0.9, Span::seconds(60.0)), (file.clone(), None));
        assert!(file.shortfall(0.99).is_none());
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
        let elsewhere = "[market.BTC.base.fixed]\nmaintenance = 0.05\ninitial = 0.1";
        let wrong = RuleFile::parse("x", elsewhere).unwrap_err();
        assert!(wrong.contains("for every market"), "{wrong}");
        let unknown = RuleFile::parse("x", "bse = 1").unwrap_err();
        assert!(
            unknown.contains("bse") && unknown.contains("base"),
            "{unknown}"
        );
        let absent = RuleFile::load(Path::new("no/such.toml")).unwrap_err();
        assert!(absent.contains("cannot read no/such.toml"), "{absent}");
    }

    #[test]
    fn a_model_of_returns_is_asked_for_the_close_out_that_is_judged() {
        let day = Span::seconds(86_400.0);
        let own = RuleFile::load(Path::new("ewma-var")).unwrap();
        let (asked, note) = own.judged(0.95, day);
        let note = note.unwrap();
        assert!(
            note.contains("over 1d at 95 %") && note.contains("1h"),
            "{note}"
        );
        assert_eq!(asked.judged(0.95, day), (asked.clone(), None));
        assert!(asked.shortfall(0.95).is_some());
        // An expected shortfall keeps its confidence.
        let shortfall = RuleFile::load(Path::new("garch-es")).unwrap();
        match shortfall.judged(0.99, day).0.settings.base {
            Some(BaseSettings::ExpectedShortfall(base)) => {
                assert_eq!((base.confidence, base.horizon), (0.975, day));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_needs_a_book_or_positions_is_named() {
        let depth = RuleFile::load(Path::new("depth-aware")).unwrap();
        assert_eq!(depth.silent(), ["depth", "concentration"]);
    }
}
