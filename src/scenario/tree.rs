//! A scenario before it is typed: a tree of values, each of which knows where it was written.
//!
//! Files that extend one another and patches of the command line are merged here, so that a problem
//! found later still points at the line that caused it, in whichever file that is.

use super::problem::Problem;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeArray, DeTable, DeValue};

/// Where something was written: a source, and a range of its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The source, by its place in the document.
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Place {
    pub(super) fn new(source: usize, span: Range<usize>) -> Self {
        Self {
            source,
            start: span.start,
            end: span.end,
        }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub at: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
    /// An element of a list that was wrong and has been told of.
    Gone,
}

pub(super) type Table = BTreeMap<String, Entry>;

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Place,
    /// Which of the merged sources named this key last, counted from the first that was merged.
    pub layer: usize,
    pub node: Node,
}

/// One step of a path: a key, or a place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

/// The steps of `a.b[2].c` or `a.b.2.c`.
pub(super) fn segments(path: &str) -> Vec<Segment<'_>> {
    path.split(['.', '['])
        .map(|part| part.trim_end_matches(']').trim())
        .filter(|part| !part.is_empty())
        .map(|part| match part.parse() {
            Ok(index) => Segment::Index(index),
            Err(_) => Segment::Key(part),
        })
        .collect()
}

/// The path of a key within a table's path.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else if key.starts_with('[') {
        format!("{path}{key}")
    } else {
        format!("{path}.{key}")
    }
}

impl Node {
    pub fn text(text: impl Into<String>, at: Place) -> Self {
        Self {
            at,
            value: Value::Text(text.into()),
        }
    }
    pub fn empty(at: Place) -> Self {
        Self {
            at,
            value: Value::Table(Table::new()),
        }
    }

    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
    pub fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
    /// The value of a key, where this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.table()?.get(key).map(|entry| &entry.node)
    }
    /// As [`Node::get`], to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.table_mut()?.get_mut(key).map(|entry| &mut entry.node)
    }
    /// The value at the end of a path of keys, to change it.
    pub fn at_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| node.get_mut(key))
    }
    /// The keys of a table; none of anything else.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.table().into_iter().flat_map(BTreeMap::keys)
    }

    /// Where a path was written, as far as it goes: a value's own place, a table's key.
    pub fn place_of(&self, path: &str) -> Option<Place> {
        let mut place = None;
        let mut node = self;
        for segment in segments(path) {
            let (at, next) = match (&node.value, segment) {
                (Value::Table(table), Segment::Key(key)) => match table.get(key) {
                    Some(entry) => (entry.key, &entry.node),
                    None => break,
                },
                (Value::List(list), Segment::Index(index)) => match list.get(index) {
                    Some(element) => (element.at, element),
                    None => break,
                },
                _ => break,
            };
            place = Some(match next.value {
                Value::Table(_) => at,
                _ => next.at,
            });
            node = next;
        }
        place
    }

    /// Takes out what stands at a path; an element of a list leaves its place behind.
    pub fn remove(&mut self, path: &str) {
        let steps = segments(path);
        let Some((last, first)) = steps.split_last() else {
            return;
        };
        let mut node = self;
        for segment in first {
            let next = match (&mut node.value, segment) {
                (Value::Table(table), Segment::Key(key)) => {
                    table.get_mut(*key).map(|entry| &mut entry.node)
                }
                (Value::List(list), Segment::Index(index)) => list.get_mut(*index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return,
            }
        }
        match (&mut node.value, last) {
            (Value::Table(table), Segment::Key(key)) => {
                table.remove(*key);
            }
            (Value::List(list), Segment::Index(index)) => {
                if let Some(element) = list.get_mut(*index) {
                    element.value = Value::Gone;
                }
            }
            _ => {}
        }
    }

    /// Lays another tree over this one: tables are merged, everything else is replaced.
    pub fn overlay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(base), Value::Table(table)) => {
                self.at = over.at;
                for (key, entry) in table {
                    match base.get_mut(&key) {
                        Some(under) => {
                            under.key = entry.key;
                            under.layer = entry.layer;
                            under.node.overlay(entry.node);
                        }
                        None => {
                            base.insert(key, entry);
                        }
                    }
                }
            }
            (_, value) => {
                *self = Self { at: over.at, value };
            }
        }
    }

    /// Says which layer a tree belongs to.
    pub fn stamp(&mut self, layer: usize) {
        match &mut self.value {
            Value::Table(table) => {
                for entry in table.values_mut() {
                    entry.layer = layer;
                    entry.node.stamp(layer);
                }
            }
            Value::List(list) => list.iter_mut().for_each(|node| node.stamp(layer)),
            _ => {}
        }
    }

    /// Puts a value at a path, with the tables that lead there. `keys` says where the path was
    /// written.
    ///
    /// # Errors
    ///
    /// A sentence where the path goes through something that is no table, or beyond a list's end.
    pub fn put(
        &mut self,
        path: &[Segment<'_>],
        keys: Place,
        layer: usize,
        value: Self,
    ) -> Result<(), String> {
        let Some((segment, rest)) = path.split_first() else {
            *self = value;
            return Ok(());
        };
        match (&mut self.value, segment) {
            (Value::List(list), Segment::Index(index)) => {
                let length = list.len();
                match list.get_mut(*index) {
                    Some(element) => element.put(rest, keys, layer, value),
                    None => Err(format!(
                        "found place {index} of a list of {length}, expected one below {length} (the first is 0)"
                    )),
                }
            }
            (Value::List(list), Segment::Key(key)) => Err(format!(
                "found \"{key}\", expected a place in a list of {}, such as 0",
                list.len()
            )),
            (Value::Table(table), segment) => {
                let name = match segment {
                    Segment::Key(key) => (*key).to_owned(),
                    Segment::Index(index) => index.to_string(),
                };
                let entry = table.entry(name).or_insert_with(|| Entry {
                    key: keys,
                    layer,
                    node: Self::empty(keys),
                });
                entry.key = keys;
                entry.layer = layer;
                entry.node.put(rest, keys, layer, value)
            }
            (_, segment) => {
                let mut table = Self::empty(keys);
                table.put(
                    std::slice::from_ref(segment),
                    keys,
                    layer,
                    Self::empty(keys),
                )?;
                *self = table;
                self.put(path, keys, layer, value)
            }
        }
    }
}

/// The tree of a TOML text; problems of form are told, and what can be read is read.
pub(super) fn parse(text: &str, source: usize, problems: &mut Vec<Problem>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(
            Problem::new("", format!("malformed TOML: {}", sentence(error.message())))
                .at(Place::new(source, span)),
        );
    }
    let at = Place::new(source, table.span());
    Node {
        at,
        value: Value::Table(table_of(table.get_ref(), source, problems)),
    }
}

/// The value of a patch: TOML where it reads as such, else the text itself.
pub(super) fn parse_value(text: &str, at: Place) -> Result<Node, String> {
    match DeValue::parse(text) {
        Ok(value) => {
            let mut problems = Vec::new();
            let mut node = node_of(value.get_ref(), at, at.source, &mut problems);
            node.relocate(at);
            match problems.first() {
                Some(problem) => Err(problem.message.clone()),
                None => Ok(node),
            }
        }
        Err(error) if text.starts_with(['[', '{', '"', '\'']) => Err(format!(
            "malformed TOML value: {}",
            sentence(error.message())
        )),
        Err(_) => Ok(Node::text(text, at)),
    }
}

fn sentence(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

impl Node {
    /// Says that a whole tree was written at one place.
    fn relocate(&mut self, at: Place) {
        self.at = at;
        match &mut self.value {
            Value::Table(table) => {
                for entry in table.values_mut() {
                    entry.key = at;
                    entry.node.relocate(at);
                }
            }
            Value::List(list) => list.iter_mut().for_each(|node| node.relocate(at)),
            _ => {}
        }
    }
}

fn table_of(table: &DeTable<'_>, source: usize, problems: &mut Vec<Problem>) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let entry = Entry {
                key: Place::new(source, key.span()),
                layer: 0,
                node: node_of(
                    value.get_ref(),
                    Place::new(source, value.span()),
                    source,
                    problems,
                ),
            };
            (key.get_ref().to_string(), entry)
        })
        .collect()
}

fn list_of(list: &DeArray<'_>, source: usize, problems: &mut Vec<Problem>) -> Vec<Node> {
    list.iter()
        .map(|value| {
            let at = Place::new(source, value.span());
            node_of(value.get_ref(), at, source, problems)
        })
        .collect()
}

fn node_of(value: &DeValue<'_>, at: Place, source: usize, problems: &mut Vec<Problem>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            match i128::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(integer) => Value::Integer(integer),
                Err(_) => {
                    problems.push(
                        Problem::new(
                            "",
                            format!("found {}, which is too large", integer.as_str()),
                        )
                        .at(at),
                    );
                    Value::Gone
                }
            }
        }
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(list) => Value::List(list_of(list, source, problems)),
        DeValue::Table(table) => Value::Table(table_of(table, source, problems)),
    };
    Node { at, value }
}

/// The tree of a JSON value; what is null is left out.
pub(super) fn from_json(json: &serde_json::Value, at: Place) -> Option<Node> {
    let value = match json {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                Value::Integer(integer.into())
            } else if let Some(integer) = number.as_u64() {
                Value::Integer(integer.into())
            } else {
                Value::Float(number.as_f64().unwrap_or(f64::NAN))
            }
        }
        serde_json::Value::Array(list) => {
            Value::List(list.iter().filter_map(|json| from_json(json, at)).collect())
        }
        serde_json::Value::Object(object) => Value::Table(
            object
                .iter()
                .filter_map(|(key, json)| {
                    let node = from_json(json, at)?;
                    let entry = Entry {
                        key: at,
                        layer: 0,
                        node,
                    };
                    Some((key.clone(), entry))
                })
                .collect(),
        ),
    };
    Some(Node { at, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        let mut problems = Vec::new();
        let node = parse(text, 0, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        node
    }

    #[test]
    fn tables_merge_and_lists_are_replaced() {
        let mut base = tree("a = 1\nlist = [1, 2]\n[t]\nx = 1\ny = 2\n");
        base.overlay(tree("list = [3]\nt.y = 5\n"));
        assert!(matches!(base.get("a").unwrap().value, Value::Integer(1)));
        assert!(matches!(&base.get("list").unwrap().value, Value::List(l) if l.len() == 1));
        let t = base.get("t").unwrap();
        assert!(matches!(t.get("x").unwrap().value, Value::Integer(1)));
        assert!(matches!(t.get("y").unwrap().value, Value::Integer(5)));
    }

    #[test]
    fn a_path_finds_where_it_was_written() {
        let text = "[[shock]]\nsize = 1\n[[shock]]\nsize = -2\n";
        let place = tree(text).place_of("shock[1].size").unwrap();
        assert_eq!(&text[place.start..place.end], "-2");
        let missing = tree(text).place_of("shock[1].at.hour").unwrap();
        assert!(missing.start > 9);
        assert_eq!(tree(text).place_of("nothing"), None);
    }

    #[test]
    fn a_list_keeps_its_places_when_an_element_goes() {
        let mut node = tree("list = [1, 2, 3]\n");
        node.remove("list[1]");
        assert!(matches!(
            &node.get("list").unwrap().value,
            Value::List(l) if l.len() == 3 && matches!(l[1].value, Value::Gone)
        ));
    }
}
