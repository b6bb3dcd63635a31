//! `manifest.json`: what was run, under which settings, and what came out of it.
//!
//! The scenario stands in it fully resolved, so that a run can be repeated from the manifest alone.

use super::table::Format;
use crate::engine::Rounds;
use crate::unit::{AccountId, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where data comes from: what every file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// Version of the simulator.
    pub version: String,
    /// The scenario's name.
    pub name: String,
    /// Hash of the resolved scenario.
    pub scenario_sha256: String,
    /// The seed.
    pub seed: u64,
    /// The replicate of the seed.
    pub replicate: u64,
    /// When the scenario starts, where it says so.
    pub start: Option<jiff::Timestamp>,
    /// Names of accounts, where a positions file gave them.
    pub account_names: BTreeMap<AccountId, String>,
}

impl Provenance {
    /// Of a run of this version: a scenario fully resolved, a seed and a replicate.
    pub fn new(name: &str, scenario: &Value, seed: u64, replicate: u64) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
            scenario_sha256: sha256(scenario.to_string().as_bytes()),
            seed,
            replicate,
            start: None,
            account_names: BTreeMap::new(),
        }
    }
}

/// The settings that results hinge on, in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// Seconds a step.
    pub dt: f64,
    /// How many steps.
    pub steps: u32,
    /// How often margin is checked within a step.
    pub rounds: Rounds,
    /// By market.
    pub markets: Vec<MarketModel>,
}

/// The same for one market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketModel {
    /// The market.
    pub market: String,
    /// How trades move the price, in a word: `book`, `linear`, `square_root`.
    pub impact_law: String,
    /// κ: the permanent share of impact.
    pub kappa: f64,
    /// τ: the half-life with which outside capital undoes it.
    pub tau: Span,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All steps were run.
    Complete,
    /// It was stopped from outside; what was written is whole, but shorter.
    Interrupted {
        /// How many steps were run.
        steps_done: u32,
    },
}

/// One file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name within the directory.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// Its hash.
    pub sha256: String,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the simulator.
    pub version: String,
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// The replicate of the seed.
    pub replicate: u64,
    /// Hash of `scenario` as compact JSON.
    pub scenario_sha256: String,
    /// How the run ended.
    pub status: Status,
    /// Whether a twin was run beside it: a rerun from the manifest runs one too.
    #[serde(default)]
    pub twin: bool,
    /// Format of the tables: a rerun from the manifest writes the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What results hinge on.
    pub model: ModelSettings,
    /// The scenario, fully resolved.
    pub scenario: Value,
    /// Every other file, in the order of writing.
    pub files: Vec<FileEntry>,
    /// The unit of every column of the tables.
    pub units: BTreeMap<String, BTreeMap<String, String>>,
}

impl Manifest {
    /// The manifest of a run; its files are filled in when the directory is closed.
    pub fn new(
        provenance: &Provenance,
        scenario: Value,
        model: ModelSettings,
        status: Status,
    ) -> Self {
        let units = [
            ("steps", super::steps::info()),
            ("margin", super::margin::info()),
            ("events", super::events::info()),
            ("ladder", super::ladder::info()),
            ("liquidations", super::genealogy::info()),
            ("causes", super::genealogy::edge_info()),
            ("windows", super::genealogy::window_info()),
            ("waiting", super::waiting::info()),
            ("options", super::options::info()),
        ]
        .into_iter()
        .map(|(table, columns)| {
            let units = columns
                .into_iter()
                .map(|column| (column.name.to_string(), column.unit.to_owned()))
                .collect();
            (table.to_owned(), units)
        })
        .collect();
        Self {
            version: provenance.version.clone(),
            name: provenance.name.clone(),
            seed: provenance.seed,
            replicate: provenance.replicate,
            scenario_sha256: provenance.scenario_sha256.clone(),
            status,
            twin: false,
            format: None,
            model,
            scenario,
            files: Vec::new(),
            units,
        }
    }

    /// The manifest of a run that was made with these options.
    #[must_use]
    pub const fn with_options(mut self, twin: bool, format: Format) -> Self {
        self.twin = twin;
        self.format = Some(format);
        self
    }

    /// Whether this is of the same run: version, scenario, seed and replicate.
    pub fn is_of(&self, provenance: &Provenance) -> bool {
        self.version == provenance.version
            && self.scenario_sha256 == provenance.scenario_sha256
            && self.seed == provenance.seed
            && self.replicate == provenance.replicate
    }
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(super) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
