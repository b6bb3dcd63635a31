//! `deleverage new`.

use super::{Failure, print};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// The scenario that a newcomer starts from; `NAME` is replaced.
const TEMPLATE: &str = include_str!("new.toml");

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the scenario; the file is NAME.toml.
    name: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = arguments.name.trim_end_matches(".toml");
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Failure::Input(format!(
            "found the name \"{name}\", expected letters, digits, - and _"
        )));
    }
    let file = format!("{name}.toml");
    let mut created = match OpenOptions::new().write(true).create_new(true).open(&file) {
        Ok(created) => created,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::Input(format!(
                "{file} exists already and is left as it is; choose another name, or move it away"
            )));
        }
        Err(error) => {
            return Err(Failure::Input(format!("cannot write {file}: {error}")));
        }
    };
    created
        .write_all(TEMPLATE.replace("NAME", name).as_bytes())
        .map_err(|error| Failure::Input(format!("cannot write {file}: {error}")))?;
    print(&format!(
        "wrote {file}\n  check it:  deleverage check {file}\n  run it:    deleverage run {file} --twin\n"
    ))
}
