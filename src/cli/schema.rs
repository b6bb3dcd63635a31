//! `deleverage schema`.

use super::{Failure, print};
use crate::scenario::schema::schema;
use std::process::ExitCode;

pub(super) fn run() -> Result<ExitCode, Failure> {
    print(&format!("{:#}\n", schema()))
}
