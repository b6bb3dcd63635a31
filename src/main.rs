//! The `deleverage` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    deleverage::cli::main()
}
