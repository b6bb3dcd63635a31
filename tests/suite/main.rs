//! The integration tests, in one binary: one module a theme.

#![expect(
    clippy::disallowed_methods,
    reason = "what a test works out by hand is worked out without the crate's own functions"
)]

mod analytic;
mod book;
mod commands;
mod conservation;
mod floors;
mod index;
mod measure;
mod output;
mod own_rule;
mod population;
mod readme;
mod sample;
mod scenario;
mod worlds;
