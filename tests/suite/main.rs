//! The integration tests, in one binary: one module a theme.

#![expect(
    clippy::disallowed_methods,
    reason = "what a test works out by hand is worked out without the crate's own functions"
)]

mod analytic;
mod backtest;
mod book;
mod calls;
mod cli;
mod commands;
mod compare;
mod configs;
mod conservation;
mod determinism;
mod events;
mod floors;
mod index;
mod margin_spiral;
mod measure;
mod options;
mod output;
mod own_rule;
mod policies;
mod population;
mod readme;
mod real_data;
mod rules;
mod safety;
mod sample;
mod scenario;
mod support;
mod sweep;
mod waterfall;
mod worlds;
