//! Margin rules against history: no traders, no feedback, only what a rule asked for and what the
//! price did next.
//!
//! Every rule lives through the history bar by bar and sees nothing but the past, so all of it is
//! out of sample; a stretch at the beginning, in which estimators fill up, isn't judged. The margin that stands at
//! a bar's close is held against the loss over the horizon that follows, for a long and for a short position.
//!
//! Windows that are judged lie side by side: with windows that overlap one crash is counted in
//! as many as the horizon has bars, and a test of coverage rejects the right rule. The breach rate of the overlapping
//! windows is told beside it, for it depends on no time of day.
//!
//! | room | what |
//! |---|---|
//! | [`series`] | bars without holes, losses, realised volatility |
//! | [`rule`] | rule files |
//! | [`regime`] | volatility terciles, crashes by name, stretches in a row |
//! | [`mod@run`] | settings, windows, margins |
//! | [`report`] | what each rule did in each part of the history |
//!
//! # Reference
//!
//! The tests are those of [`crate::measure::coverage`], [`crate::measure::shortfall`] and
//! [`crate::measure::procyclicality`].

pub mod regime;
pub mod report;
pub mod rule;
pub mod run;
pub mod series;

pub use regime::{Kind, NamedWindow, Part};
pub use report::{Cycle, Judgement, Light, Report, RuleReport, Side, Slice};
pub use rule::RuleFile;
pub use run::{BacktestError, Named, Requirement, Settings, Windows, run};
pub use series::{Loss, Losses, Series};
