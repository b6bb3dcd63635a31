//! The integration tests, in one binary: one module a theme.

mod backtest;
mod book;
mod conservation;
mod index;
mod measure;
mod output;
mod sample;
mod worlds;
