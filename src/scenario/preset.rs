//! Venue presets: rules as a venue published them at a date, built into the program.
//!
//! A preset states what its source states and nothing else: the price path, the depth and the
//! traders are a scenario's own. A scenario takes a preset's markets up with `extends = "name"` and
//! `markets = [...]`.

use super::problem::Problem;
use super::tree::{self, Node};

/// One preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name under `extends`.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

const PRESETS: [Preset; 18] = [
    Preset {
        name: "aave-v3",
        text: include_str!("../../configs/venues/aave-v3.toml"),
    },
    Preset {
        name: "aave-v4",
        text: include_str!("../../configs/venues/aave-v4.toml"),
    },
    Preset {
        name: "binance-usdm",
        text: include_str!("../../configs/venues/binance-usdm.toml"),
    },
    Preset {
        name: "bitmex-2020",
        text: include_str!("../../configs/venues/bitmex-2020.toml"),
    },
    Preset {
        name: "bybit",
        text: include_str!("../../configs/venues/bybit.toml"),
    },
    Preset {
        name: "cme",
        text: include_str!("../../configs/venues/cme.toml"),
    },
    Preset {
        name: "compound-v3",
        text: include_str!("../../configs/venues/compound-v3.toml"),
    },
    Preset {
        name: "deribit",
        text: include_str!("../../configs/venues/deribit.toml"),
    },
    Preset {
        name: "deribit-coin",
        text: include_str!("../../configs/venues/deribit-coin.toml"),
    },
    Preset {
        name: "derive",
        text: include_str!("../../configs/venues/derive.toml"),
    },
    Preset {
        name: "drift",
        text: include_str!("../../configs/venues/drift.toml"),
    },
    Preset {
        name: "dydx-v4",
        text: include_str!("../../configs/venues/dydx-v4.toml"),
    },
    Preset {
        name: "gmx-v2",
        text: include_str!("../../configs/venues/gmx-v2.toml"),
    },
    Preset {
        name: "hyperliquid",
        text: include_str!("../../configs/venues/hyperliquid.toml"),
    },
    Preset {
        name: "lighter",
        text: include_str!("../../configs/venues/lighter.toml"),
    },
    Preset {
        name: "maker",
        text: include_str!("../../configs/venues/maker.toml"),
    },
    Preset {
        name: "okx",
        text: include_str!("../../configs/venues/okx.toml"),
    },
    Preset {
        name: "okx-coin",
        text: include_str!("../../configs/venues/okx-coin.toml"),
    },
];

/// Every preset, by name.
pub const fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset of a name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// What a table of presets shows of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub title: String,
    /// Its markets.
    pub markets: Vec<String>,
    /// Date of the rules.
    pub as_of: String,
    /// Where they were read.
    pub source: String,
    /// Whether every figure was read there.
    pub verified: bool,
}

impl Preset {
    /// What a table of presets shows.
    pub fn summary(&self) -> Summary {
        let mut problems: Vec<Problem> = Vec::new();
        let tree = tree::parse(self.text, 0, &mut problems);
        let text = |key: &str| {
            tree.get(key)
                .and_then(Node::as_text)
                .unwrap_or_default()
                .to_owned()
        };
        Summary {
            name: self.name,
            title: text("title"),
            markets: tree
                .get("market")
                .into_iter()
                .flat_map(Node::keys)
                .cloned()
                .collect(),
            as_of: text("as_of"),
            source: text("source"),
            verified: matches!(
                tree.get("verified").map(|node| &node.value),
                Some(tree::Value::Bool(true))
            ),
        }
    }
}
