//! The house keeps to its floors: no file imports a floor above its own, and a package is used only
//! where its floor is. Comments may point upstairs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Rooms of `src/` by floor, lowest first; the floor is the place in the list.
const FLOORS: [&[&str]; 9] = [
    &["unit", "math"],
    &["market", "account"],
    &[
        "trader",
        "margin",
        "liquidation",
        "path",
        "safety",
        "surface",
    ],
    &["engine"],
    &["cascade", "measure"],
    &["scenario"],
    &["experiment", "backtest", "verify"],
    &["output", "chart", "report"],
    &["cli", "main", "guide"],
];

/// Where a package may be used: beginnings of file names below `src/`.
const PACKAGES: [(&str, &[&str]); 32] = [
    // Chance and the functions that the platform doesn't fix have one door.
    ("libm", &["math/"]),
    ("rand", &["math/"]),
    ("rand_distr", &["math/"]),
    // Decimals stand at the edges: the grid, settings beside their part, scenario, output.
    (
        "rust_decimal",
        &[
            "unit/grid.rs",
            "unit/rate.rs",
            "margin/base/",
            "margin/adjust/",
            "liquidation/settings.rs",
            "liquidation/keeper.rs",
            "liquidation/policy/",
            "liquidation/waterfall/",
            "safety/",
            "scenario/",
            "output/",
            "backtest/rule.rs",
        ],
    ),
    // Fits of margin models and of surfaces.
    ("cobyla", &["margin/estimator/", "surface/"]),
    // Tails of distributions that decide no simulated event.
    (
        "statrs",
        &["math/sample.rs", "measure/", "cascade/", "verify/"],
    ),
    // Graphs of what caused what.
    ("petgraph", &["cascade/"]),
    // Parts in boxes are copied with the world that they stand in.
    (
        "dyn_clone",
        &["market/", "margin/", "trader/", "liquidation/"],
    ),
    // Calendar time: waypoints and replays, and whatever shows a date.
    ("jiff", &["path/", "scenario/", "output/", "chart/", "cli/"]),
    // Many threads.
    ("rayon", &["experiment/", "backtest/", "verify/"]),
    // Files that come in.
    ("flate2", &["scenario/load/"]),
    ("zip", &["scenario/load/"]),
    ("csv", &["scenario/load/", "output/"]),
    ("toml", &["scenario/"]),
    ("annotate_snippets", &["scenario/"]),
    ("strsim", &["scenario/"]),
    // Files that go out.
    ("serde_json", &["scenario/", "output/", "report/", "cli/"]),
    ("sha2", &["scenario/", "output/"]),
    ("parquet", &["output/"]),
    ("plotters", &["chart/"]),
    ("png", &["chart/"]),
    ("resvg", &["chart/"]),
    ("base64", &["chart/"]),
    ("minijinja", &["report/"]),
    // A person at a terminal.
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("ctrlc", &["cli/"]),
    ("opener", &["cli/"]),
    // Everywhere: they only describe types.
    ("schemars", &[""]),
    ("serde", &[""]),
    ("thiserror", &[""]),
    ("deleverage", &["main.rs"]),
];

/// A source file: its name below `src/`, and its text without comments.
struct Source {
    name: String,
    code: String,
}

impl Source {
    /// The module path: `["market", "book", "ladder"]`.
    fn modules(&self) -> Vec<&str> {
        let stem = self.name.trim_end_matches(".rs").trim_end_matches("/mod");
        stem.split('/').collect()
    }
    fn floor(&self) -> Option<usize> {
        floor_of(self.modules()[0])
    }
    /// The code before the unit tests, which may use what the part itself may not.
    fn untested(&self) -> &str {
        if self.name.ends_with("tests.rs") {
            return "";
        }
        self.code.split("#[cfg(test)]\nmod tests {").next().unwrap()
    }
    /// The rooms that this file imports from, each with the path as it is written.
    fn imports(&self) -> Vec<(&str, String)> {
        let mut found = Vec::new();
        for rest in occurrences(&self.code, "crate::") {
            let rest = &rest["crate::".len()..];
            if rest.starts_with('{') {
                for room in listed(rest) {
                    found.push((room, format!("crate::{room}")));
                }
            } else {
                let path: String = rest.chars().take_while(|c| in_path(*c)).collect();
                found.push((word(rest), format!("crate::{path}")));
            }
        }
        // `super::super::room` climbs out of a room without naming the crate.
        let depth = self.modules().len();
        for rest in occurrences(&self.code, "super::") {
            let climbs = rest.split("::").take_while(|part| *part == "super").count();
            let room = word(&rest[climbs * "super::".len()..]);
            if climbs >= depth && floor_of(room).is_some() {
                found.push((room, rest.chars().take_while(|c| in_path(*c)).collect()));
            }
        }
        found
    }
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

const fn in_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// The identifier at the beginning.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The first names in a list in braces, `{market::{Book, Venue}, unit::Cash}`: market and unit.
fn listed(text: &str) -> Vec<&str> {
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '{' => (depth, fresh) = (depth + 1, depth == 0),
            '}' => depth -= 1,
            ',' => fresh = depth == 1,
            _ if fresh && !c.is_whitespace() => {
                names.push(word(&text[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// The text from each place where a path begins with `what`.
fn occurrences<'a>(code: &'a str, what: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(what)
        .filter(|(at, _)| {
            let before = &code[..*at];
            // `::parquet` is the package where a module has its name.
            !before
                .strip_suffix("::")
                .unwrap_or(before)
                .ends_with(in_path)
        })
        .map(|(at, _)| &code[at..])
}

fn sources() -> Vec<Source> {
    fn gather(directory: &Path, root: &Path, out: &mut Vec<Source>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, root, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap();
                out.push(Source {
                    name: name.to_str().unwrap().replace('\\', "/"),
                    code: fs::read_to_string(&path)
                        .unwrap()
                        .lines()
                        .map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n")
                        .collect(),
                });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    gather(&root, &root, &mut found);
    found.retain(|source| source.name != "lib.rs");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 100, "the sources were not found");
    found
}

#[test]
fn no_file_imports_a_floor_above_its_own() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for source in sources() {
        let Some(own) = source.floor() else {
            wrong.push(format!("src/{} stands on no floor", source.name));
            continue;
        };
        for (room, path) in source.imports() {
            seen += 1;
            match floor_of(room) {
                Some(floor) if floor <= own => {}
                Some(floor) => wrong.push(format!(
                    "src/{} (floor {own}) imports {path} (floor {floor})",
                    source.name
                )),
                None => wrong.push(format!("src/{}: {path} is on no floor", source.name)),
            }
        }
    }
    assert!(seen > 200, "only {seen} imports were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_package_is_used_only_on_its_floor() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources() {
        for (package, places) in PACKAGES {
            if occurrences(source.untested(), &format!("{package}::"))
                .next()
                .is_none()
            {
                continue;
            }
            used.insert(package);
            if !places.iter().any(|place| source.name.starts_with(place)) {
                wrong.push(format!(
                    "src/{} uses {package}, which belongs to {}",
                    source.name,
                    places.join(", ")
                ));
            }
        }
    }
    let idle = |(package, _): &(&'static str, _)| !used.contains(package);
    for (package, _) in PACKAGES.into_iter().filter(idle) {
        wrong.push(format!("{package} is used nowhere"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_package_has_a_floor() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let named: BTreeSet<String> = manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .map(|name| name.replace('-', "_"))
        .collect();
    let placed: BTreeSet<String> = PACKAGES
        .iter()
        .map(|(package, _)| (*package).to_owned())
        .filter(|package| package != "deleverage")
        .collect();
    assert_eq!(named, placed, "packages in Cargo.toml, and in this test");
}

#[test]
fn lists_in_braces_name_their_rooms() {
    assert_eq!(
        listed("{market::{Book, Venue}, unit::Cash,\n    cli}; {path}"),
        ["market", "unit", "cli"]
    );
    let climbing = Source {
        name: "unit/rate.rs".to_owned(),
        code: "use super::super::engine::World;\nuse super::Cash;\n".to_owned(),
    };
    let imports = climbing.imports();
    assert_eq!(imports.len(), 1);
    assert_eq!(imports[0].0, "engine");
}
