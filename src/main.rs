//! The `deleverage` command.
fn main() {}
