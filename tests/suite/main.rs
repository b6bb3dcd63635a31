//! Tests of the library from outside, one module a theme.

mod measure;
mod output;
mod sample;
