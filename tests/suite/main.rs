//! The integration tests, in one binary: one module a theme.

mod analytic;
mod book;
mod commands;
mod conservation;
mod index;
mod measure;
mod output;
mod population;
mod sample;
mod scenario;
mod worlds;
