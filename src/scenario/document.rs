//! A scenario as it was written: its text, what it extends, and the patches of a command line.
//!
//! `extends` names presets or files, one or a list; they are merged left to right, and the scenario's own
//! keys win. Tables are merged key by key, lists are replaced whole, and of a choice (`mark = { index = {} }`)
//! the last one named stands. `name` and `title` aren't inherited. `margin.extends` names a rule file (see [`super::rule`]).
//!
//! File names in a text are relative to the text's own folder; those of a command line or
//! a manifest are taken as they are.

use super::check;
use super::load::brackets;
use super::preset;
use super::problem::{Problem, Problems, Source, listed, nearest};
use super::read;
use super::rule;
use super::settings::{Rules, Scenario};
use super::tree::{self, Entry, Node, Place, Segment, Value, segments};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A scenario that isn't typed yet.
#[derive(Clone, Debug)]
pub struct Document {
    sources: Vec<Source>,
    root: Node,
    layers: usize,
    problems: Vec<Problem>,
    stem: String,
    rules: Rules,
}

impl Document {
    /// Reads a scenario file (TOML), or a manifest (JSON) with a scenario in it.
    ///
    /// # Errors
    ///
    /// [`Problems`] where the file can't be read as text. What is wrong with the text is told by [`Document::read`].
    pub fn open(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let text = std::fs::read(path)
            .map_err(|error| format!("cannot read {name}: {error}"))
            .and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| {
                    format!("{name} is not text in UTF-8: expected a scenario in TOML, or a manifest in JSON")
                })
            });
        match text {
            Ok(text) => {
                let stem = path
                    .file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned());
                Ok(Self::start(
                    Source {
                        name,
                        text,
                        folder: path.parent().map(Path::to_path_buf),
                    },
                    stem.unwrap_or_default(),
                    std::fs::canonicalize(path).ok(),
                ))
            }
            Err(message) => Err(Problems::new(vec![Problem::new("", message)], Vec::new())),
        }
    }

    /// Takes a scenario's text, TOML or JSON; file names in it are relative to the working directory.
    pub fn parse(text: impl Into<String>) -> Self {
        let source = Source {
            name: "scenario".to_owned(),
            text: text.into(),
            folder: None,
        };
        Self::start(source, "scenario".to_owned(), None)
    }

    fn start(source: Source, stem: String, file: Option<PathBuf>) -> Self {
        let mut document = Self {
            sources: Vec::new(),
            root: Node::empty(Place::default()),
            layers: 0,
            problems: Vec::new(),
            stem,
            rules: Rules::default(),
        };
        let mut chain = vec![match file {
            Some(file) => (file.display().to_string(), source.name.clone()),
            None => (String::new(), source.name.clone()),
        }];
        document.root = document.gather(source, &mut chain);
        document
    }

    /// The tree of a text over everything that it extends. `chain` has the identities and names of
    /// the texts that led here.
    fn gather(&mut self, source: Source, chain: &mut Vec<(String, String)>) -> Node {
        let at = self.sources.len();
        let mut own = if source.text.trim_start().starts_with('{') {
            self.json(source, at)
        } else {
            let own = tree::parse(&source.text, at, &mut self.problems);
            self.sources.push(source);
            self.resolve_files(own, at)
        };
        let parents = own
            .table_mut()
            .and_then(|table| table.remove("extends"))
            .map(|entry| self.parents(entry.node))
            .unwrap_or_default();
        let mut base = Node::empty(own.at);
        for (name, place) in parents {
            let Some((identity, source)) = self.parent(at, &name, place) else {
                continue;
            };
            if let Some(from) = chain.iter().position(|(known, _)| *known == identity) {
                let mut circle: Vec<&str> = chain[from..]
                    .iter()
                    .map(|(_, name)| name.as_str())
                    .collect();
                circle.push(&source.name);
                let problem = Problem::new(
                    "extends",
                    format!("extends itself: {}", circle.join(" extends ")),
                );
                self.problems.push(problem.at(place));
                continue;
            }
            chain.push((identity, source.name.clone()));
            let mut tree = self.gather(source, chain);
            chain.pop();
            if let Some(table) = tree.table_mut() {
                table.remove("name");
                table.remove("title");
            }
            base.overlay(tree);
        }
        if let Some(Node {
            value: Value::Text(name),
            at: place,
        }) = named_rule(&mut own)
        {
            self.lay_rule(&mut base, at, &name, place);
        }
        own.stamp(self.layers);
        self.layers += 1;
        base.overlay(own);
        base
    }

    /// Lays a rule file's `[margin]` over a tree.
    fn lay_rule(&mut self, base: &mut Node, from: usize, name: &str, place: Place) {
        let source = match rule::source(self.sources[from].folder.as_deref(), name) {
            Ok(source) => source,
            Err(problem) => {
                self.problems.push(rule::placed(problem, place));
                return;
            }
        };
        let margin = tree::parse(&source.text, self.sources.len(), &mut self.problems);
        self.sources.push(source);
        rule::make_room(base, &margin);
        let mut tree = Node::empty(place);
        if let Some(table) = tree.table_mut() {
            let entry = Entry {
                key: place,
                layer: 0,
                node: margin,
            };
            table.insert("margin".to_owned(), entry);
        }
        tree.stamp(self.layers);
        self.layers += 1;
        base.overlay(tree);
    }

    fn json(&mut self, mut source: Source, at: usize) -> Node {
        let place = Place::new(at, 0..0);
        let node = match serde_json::from_str::<serde_json::Value>(&source.text) {
            Ok(mut json) => {
                if let Some(scenario) = json.get_mut("scenario") {
                    json = scenario.take();
                }
                tree::from_json(&json, place)
            }
            Err(error) => {
                self.problems
                    .push(Problem::new("", format!("malformed JSON: {error}")).at(place));
                None
            }
        };
        // JSON values don't know their lines: there is nothing to point at.
        source.text.clear();
        self.sources.push(source);
        node.unwrap_or_else(|| Node::empty(place))
    }

    fn parents(&mut self, node: Node) -> Vec<(String, Place)> {
        let nodes = match node.value {
            Value::List(list) => list,
            value => vec![Node { value, at: node.at }],
        };
        let mut parents = Vec::new();
        for node in nodes {
            match node.value {
                Value::Text(name) => parents.push((name, node.at)),
                _ => self.problems.push(
                    Problem::new(
                        "extends",
                        "expected the name of a preset or a file, or a list of them",
                    )
                    .at(node.at),
                ),
            }
        }
        parents
    }

    /// The text that a name in `extends` stands for, and what makes it the same text elsewhere.
    fn parent(&mut self, from: usize, name: &str, place: Place) -> Option<(String, Source)> {
        let path = match &self.sources[from].folder {
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        };
        let is_file = path.is_file() || name.ends_with(".toml") || name.contains('/');
        if !is_file {
            if let Some(preset) = preset::find(name) {
                let source = Source {
                    name: format!("preset {}", preset.name),
                    text: preset.text.to_owned(),
                    folder: None,
                };
                return Some((source.name.clone(), source));
            }
            let names: Vec<&str> = preset::all().iter().map(|preset| preset.name).collect();
            let problem = Problem::new(
                "extends",
                format!(
                    "there is neither a preset nor a file \"{name}\"; the presets are {}",
                    listed(&names)
                ),
            );
            self.problems
                .push(problem.at(place).help(nearest(name, names)));
            return None;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let identity = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                let source = Source {
                    name: path.display().to_string(),
                    text,
                    folder: path.parent().map(Path::to_path_buf),
                };
                Some((identity.display().to_string(), source))
            }
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                self.problems
                    .push(Problem::new("extends", message).at(place));
                None
            }
        }
    }

    /// Makes the file names of a text relative to the working directory.
    fn resolve_files(&self, mut own: Node, at: usize) -> Node {
        let Some(folder) = self.sources[at].folder.clone() else {
            return own;
        };
        let resolve = |node: Option<&mut Node>| {
            if let Some(Node {
                value: Value::Text(name),
                ..
            }) = node
                && !name.is_empty()
            {
                *name = folder.join(&*name).display().to_string();
            }
        };
        resolve(own.get_mut("positions"));
        for path in tables(&own) {
            resolve(own.at_mut(&path).and_then(|table| table.get_mut("file")));
        }
        if let Some(markets) = own.get_mut("market").and_then(Node::table_mut) {
            for entry in markets.values_mut() {
                resolve(
                    entry
                        .node
                        .get_mut("path")
                        .and_then(|path| path.get_mut("replay"))
                        .and_then(|replay| replay.get_mut("file")),
                );
            }
        }
        own
    }

    /// Changes one setting: `path.to.key=value`, with lists counted from 0 (`shock.0.size=-0.2`). The
    /// value is read as TOML where it reads as such, else as text.
    pub fn patch(&mut self, patch: &str) {
        let at = self.sources.len();
        self.sources.push(Source {
            name: "--set".to_owned(),
            text: patch.to_owned(),
            folder: None,
        });
        let Some((path, value)) = patch.split_once('=') else {
            let problem = Problem::new("", "expected path.to.key=value, found no \"=\"");
            self.problems
                .push(problem.at(Place::new(at, 0..patch.len())));
            return;
        };
        let keys = Place::new(at, 0..path.trim_end().len());
        let steps = segments(path);
        let value_at = Place::new(at, path.len() + 1..patch.len());
        let layer = self.layers;
        self.layers += 1;
        if steps.is_empty() {
            let problem = Problem::new("", "found no key before \"=\", expected path.to.key=value");
            self.problems.push(problem.at(keys));
            return;
        }
        if steps == [Segment::Key("margin"), Segment::Key("extends")] {
            let name = value.trim().trim_matches(['"', '\'']);
            let mut root = std::mem::replace(&mut self.root, Node::empty(keys));
            self.lay_rule(&mut root, at, name, value_at);
            self.root = root;
            return;
        }
        // Markets and cohorts aren't made by a patch: a name that isn't there is a slip.
        if let [
            Segment::Key(section @ ("market" | "cohort")),
            Segment::Key(name),
            ..,
        ] = &steps[..]
        {
            let section_node = self.root.get(section);
            let known: Vec<&str> = section_node
                .into_iter()
                .flat_map(Node::keys)
                .map(String::as_str)
                .collect();
            if !known.contains(name) {
                let expected = if known.is_empty() {
                    "the scenario has none".to_owned()
                } else {
                    format!("expected {}", listed(&known))
                };
                let problem =
                    Problem::new(path.trim(), format!("no {section} `{name}`: {expected}"));
                self.problems
                    .push(problem.at(keys).help(nearest(name, known)));
                return;
            }
        }
        let result = tree::parse_value(value.trim(), value_at).and_then(|value| {
            let mut value = value;
            value.stamp(layer);
            self.root.put(&steps, keys, layer, value)
        });
        if let Err(message) = result {
            self.problems
                .push(Problem::new(path.trim(), message).at(Place::new(at, 0..patch.len())));
        }
    }

    /// The typed scenario, checked: everything that is wrong is told at once.
    ///
    /// Files that the scenario names are opened, and the world is built once, so that a scenario which
    /// passes can be run.
    ///
    /// # Errors
    ///
    /// All [`Problems`].
    pub fn read(mut self) -> Result<Scenario, Problems> {
        let names = self.select();
        self.load_brackets();
        let mut outcome = read::read::<Scenario>(self.root.clone(), stand_in);
        let mut problems = self.problems;
        let sound = problems.is_empty() && outcome.problems.is_empty();
        problems.append(&mut outcome.problems);
        let root = &self.root;
        let place = |mut problem: Problem| {
            problem.place = problem.place.or_else(|| root.place_of(&problem.key));
            problem
        };
        let mut scenario = outcome.settings.take();
        if let Some(mut read) = scenario.take() {
            read.rules = self.rules;
            read.liquidation.supply_keepers();
            let local = check::parts(&read, &names);
            problems.extend(
                local
                    .into_iter()
                    .filter(|problem| !outcome.doubtful(&problem.key))
                    .map(place),
            );
            if sound {
                problems.extend(check::whole(&read).into_iter().map(place));
            }
            if problems.is_empty()
                && let Err(list) = check::files(&read)
            {
                problems.extend(list.into_iter().map(place));
            }
            scenario = Some(read);
        }
        match scenario {
            Some(scenario) if problems.is_empty() => Ok(scenario),
            _ => Err(Problems::new(problems, self.sources)),
        }
    }

    /// Puts the brackets of a file (`tiered = { file = "…", symbol = "…" }`) where the file is named, so that nothing but the
    /// brackets is left of it.
    fn load_brackets(&mut self) {
        for path in tables(&self.root) {
            let key = path.join(".");
            let Some(table) = self.root.at_mut(&path).and_then(Node::table_mut) else {
                continue;
            };
            let Some(file) = table.remove("file") else {
                continue;
            };
            let at = file.node.at;
            let symbol = table.remove("symbol");
            let symbol = symbol.as_ref().and_then(|entry| entry.node.as_text());
            let Entry {
                key: named, layer, ..
            } = file;
            // Whatever is wrong, a bracket stands there, so that none is missed as well.
            let stand_in = || {
                let json = serde_json::json!([{ "maintenance": 0.01, "initial": 0.02 }]);
                tree::from_json(&json, at)
            };
            let mut wrong = |key: String, message: String| {
                self.problems.push(Problem::new(key, message).at(at));
                stand_in()
            };
            let key = format!("{key}.file");
            let node = match (file.node.as_text(), symbol) {
                _ if table.contains_key("brackets") => wrong(
                    key,
                    "stands in the place of `brackets`: expected one of them".to_owned(),
                ),
                (Some(name), Some(symbol)) => match brackets::load(Path::new(name), symbol) {
                    Ok(tiers) => {
                        let json = serde_json::to_value(tiers).unwrap_or_default();
                        tree::from_json(&json, at)
                    }
                    Err(message) => wrong(key, message),
                },
                _ => wrong(
                    key,
                    "expected the name of a file, and beside it `symbol`, the symbol in it"
                        .to_owned(),
                ),
            };
            if let Some(node) = node {
                let entry = Entry {
                    key: named,
                    layer,
                    node,
                };
                table.insert("brackets".to_owned(), entry);
            }
        }
    }

    /// Fills in the name and the list of markets, and drops the markets that don't trade. The names of all
    /// that do, well-formed or not.
    fn select(&mut self) -> Vec<String> {
        let at = Place::default();
        let stem = std::mem::take(&mut self.stem);
        let all: BTreeSet<String> = self
            .root
            .get("market")
            .into_iter()
            .flat_map(Node::keys)
            .cloned()
            .collect();
        let Some(table) = self.root.table_mut() else {
            return Vec::new();
        };
        let entry = |node| Entry {
            key: at,
            layer: 0,
            node,
        };
        table
            .entry("name".to_owned())
            .or_insert_with(|| entry(Node::text(stem, at)));
        table.entry("markets".to_owned()).or_insert_with(|| {
            let names = all.iter().map(|name| Node::text(name, at)).collect();
            entry(Node {
                at,
                value: Value::List(names),
            })
        });
        let mut traded: Vec<String> = Vec::new();
        if let Some(Value::List(list)) = self.root.get("markets").map(|node| &node.value) {
            for (place, node) in list.iter().enumerate() {
                let Some(name) = node.as_text() else { continue };
                let key = format!("markets[{place}]");
                if !all.contains(name) {
                    let names: Vec<&str> = all.iter().map(String::as_str).collect();
                    let problem = Problem::new(
                        key,
                        format!("there is no [market.{name}]; expected {}", listed(&names)),
                    );
                    self.problems
                        .push(problem.at(node.at).help(nearest(name, names)));
                } else if traded.iter().any(|known| known == name) {
                    let problem = Problem::new(key, format!("`{name}` is listed twice"));
                    self.problems.push(problem.at(node.at));
                } else {
                    traded.push(name.to_owned());
                }
            }
        }
        let drop_others = |node: Option<&mut Node>| {
            if let Some(table) = node.and_then(Node::table_mut) {
                table.retain(|name, _| traded.contains(name) || !all.contains(name));
            }
        };
        drop_others(self.root.get_mut("market"));
        drop_others(
            self.root
                .get_mut("margin")
                .and_then(|margin| margin.get_mut("market")),
        );
        traded
    }

    /// The tree of a scenario that is typed already.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let json = scenario.to_json();
        let text = serde_json::json!({ "scenario": json }).to_string();
        let mut document = Self::parse(text);
        document.rules.clone_from(&scenario.rules);
        document
    }
}

/// Where a tree's tables of brackets are.
fn tables(root: &Node) -> Vec<Vec<String>> {
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    let mut paths: Vec<Vec<String>> = vec![path(&["margin", "base", "tiered"])];
    let markets = root.get("margin").and_then(|margin| margin.get("market"));
    for name in markets.into_iter().flat_map(Node::keys) {
        paths.push(path(&["margin", "market", name, "base", "tiered"]));
    }
    paths
}

/// Takes the name of a rule out of a tree. What isn't a name stays, and is told of as any wrong value.
fn named_rule(own: &mut Node) -> Option<Node> {
    let margin = own.get_mut("margin")?;
    margin.get("extends")?.as_text()?;
    let entry = margin.table_mut()?.remove("extends")?;
    Some(entry.node)
}

/// What takes the place of a value without which the rest of its table could not be read.
fn stand_in(path: &str) -> Option<Node> {
    let text = match segments(path).as_slice() {
        [Segment::Key("market"), _, Segment::Key(key)] => match *key {
            "tick" | "lot" => "1",
            "path" => "\"constant\"",
            "venue" => "{ impact = { law.linear.ticks_per_lot = 0, resilience = 0 } }",
            _ => return None,
        },
        [Segment::Key("cohort"), _, Segment::Key(key)] => match *key {
            "count" => "0",
            "capital" => "1",
            _ => return None,
        },
        _ => return None,
    };
    tree::parse_value(text, Place::default()).ok()
}
