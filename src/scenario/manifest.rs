//! Scenarios in and out: files, texts, patches, and the resolved form that a manifest keeps.

use super::build::{Mode, Opening, Prepared};
use super::document::Document;
use super::problem::{Problem, Problems};
use super::settings::Scenario;
use crate::engine::Setup;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

impl Scenario {
    /// Reads a scenario file, or the scenario of a manifest.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Problems> {
        Document::open(path.as_ref())?.read()
    }

    /// Reads a scenario's text.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn parse(text: impl Into<String>) -> Result<Self, Problems> {
        Document::parse(text).read()
    }

    /// The scenario with one setting changed: `set("market.BTC.venue.book.spread_bps", "2")`. The value is
    /// read as TOML where it reads as such, else as text.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the scenario as it would be.
    pub fn set(self, path: &str, value: &str) -> Result<Self, Problems> {
        let mut document = Document::of(&self);
        document.patch(&format!("{path}={value}"));
        document.read()
    }

    /// The scenario with several settings changed at once, each as `path=value`: what only holds together is judged
    /// together.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the scenario as it would be.
    pub fn patched(
        &self,
        patches: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Problems> {
        let mut document = Document::of(self);
        for patch in patches {
            document.patch(patch.as_ref());
        }
        document.read()
    }

    /// The whole scenario as JSON, nothing left implicit.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The whole scenario as TOML, nothing left implicit.
    ///
    /// # Errors
    ///
    /// Where a number does not fit TOML: a seed of 2⁶³ or more.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// SHA-256 of the whole scenario, in hexadecimal.
    pub fn hash(&self) -> String {
        digest(&self.to_json().to_string()).iter().fold(
            String::with_capacity(64),
            |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            },
        )
    }

    /// Reads the files that the scenario names, once for many runs.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn prepare(&self) -> Result<Prepared<'_>, Problems> {
        Prepared::new(self).map_err(told)
    }

    /// The world of one replicate, before its first step.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn setup(&self, replicate: u64, mode: Mode) -> Result<(Setup, Opening), Problems> {
        self.prepare()?.setup(replicate, mode).map_err(told)
    }
}

/// SHA-256 of a text.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Problems of a scenario whose text is no longer at hand.
pub(super) fn told(list: Vec<Problem>) -> Problems {
    Problems::new(list, Vec::new())
}
