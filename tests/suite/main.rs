//! The integration tests, in one binary: one module a theme.

mod analytic;
mod book;
mod conservation;
mod index;
mod measure;
mod output;
mod sample;
mod worlds;
