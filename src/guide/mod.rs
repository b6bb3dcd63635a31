//! Pages for users that are no documentation of code.

#[doc = include_str!("reading.md")]
pub mod reading {}
