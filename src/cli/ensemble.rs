//! `deleverage ensemble`: one scenario, many times: how its crashes scatter.

use super::{Config, Failure, crashes};
use crate::experiment::Variant;
use std::process::ExitCode;

/// What is typed after `ensemble`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    options: crashes::Options,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut scenario = arguments.config.load()?;
    if let Some(seed) = arguments.options.seed {
        scenario = scenario.with_seed(seed);
    }
    crashes::run(vec![Variant::new("scenario", scenario)], &arguments.options)
}
