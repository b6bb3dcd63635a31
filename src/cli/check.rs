//! `deleverage check`.

use super::{Config, Failure, print};
use crate::scenario::{Mode, load::count};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let scenario = arguments.config.load()?;
    let (setup, opening) = scenario.setup(scenario.replicate, Mode::Run)?;
    let accounts = setup.ledger.traders().count();
    let mut text = format!(
        "no problems: {}, {}, {}\n",
        count(setup.markets.len() as u64, "market"),
        count(accounts as u64, "account"),
        count(setup.steps.into(), "step")
    );
    for note in opening.notes {
        text.push_str("  ");
        text.push_str(&note);
        text.push('\n');
    }
    print(&text)
}
