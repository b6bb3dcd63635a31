//! Margin rules: what an account must hold, and who moved the requirement.
//!
//! A rule is a *base* and an ordered list of *adjustments*. Once per step and market the rule
//! turns what is published into a [`Schedule`] of rates, as plain data; the ledger is measured
//! against the schedule, and each adjustment names itself in the output.
//!
//! | room | what |
//! |---|---|
//! | [`schedule`] | brackets of rates, requirements of a notional |
//! | [`growth`] | what a requirement adds to its brackets as a position grows |
//! | [`rule`] | the [`MarginRule`] seam, and the rule made of a base and adjustments |
//! | [`base`] | one base a file |
//! | [`adjust`] | one adjustment a file |
//! | [`estimator`] | models of returns: quantiles and shortfalls |
//! | [`portfolio`] | the seam of requirements per account; margin under a correlation matrix |
//! | [`option`] | requirements of accounts that hold options |
//! | [`threshold`] | warn, call, liquidate, bankrupt |

pub mod adjust;
pub mod base;
pub mod estimator;
pub mod growth;
pub mod option;
pub mod portfolio;
pub mod rule;
pub mod schedule;
pub mod settings;
pub mod threshold;

pub use base::{HaircutSettings, HaircutTier};
pub use growth::Growth;
pub use portfolio::{CrossSettings, Leg, PortfolioRule};
pub use rule::{Base, Composed, Frozen, MarginRule, RiskView};
pub use schedule::{Bracket, Level, Schedule};
pub use settings::{MarginSettings, RuleSettings};
pub use threshold::{Standing, Thresholds};
