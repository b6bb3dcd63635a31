//! The integration tests, in one binary: one module a theme.

#![expect(
    clippy::disallowed_methods,
    reason = "what a test works out by hand is worked out without the crate's own functions"
)]

mod analytic;
mod backtest;
mod book;
mod browser;
mod calls;
mod chart;
mod cli;
mod collateral;
mod commands;
mod compare;
mod configs;
mod conservation;
mod determinism;
mod events;
mod floors;
mod genealogy;
mod index;
mod inverse;
mod lending;
mod margin_spiral;
mod measure;
mod output;
mod own_rule;
mod policies;
mod population;
mod reading;
mod readme;
mod real_data;
mod report;
mod rules;
mod safety;
mod sample;
mod scenario;
mod support;
mod sweep;
mod verify;
mod waterfall;
mod worlds;
