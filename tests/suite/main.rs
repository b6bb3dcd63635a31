//! The integration tests, in one binary: one module a theme.

mod analytic;
mod book;
mod cli;
mod commands;
mod configs;
mod conservation;
mod determinism;
mod index;
mod measure;
mod output;
mod population;
mod real_data;
mod sample;
mod scenario;
mod support;
mod worlds;
