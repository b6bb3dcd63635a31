//! From the tree to typed settings, without stopping at the first error.
//!
//! A struct's unknown keys are told together and passed over. Any other error names one value; that value is
//! taken out and reading begins again, until it succeeds or nothing is left. Where a table couldn't do without
//! the value, a stand-in takes its place, so that the rest of the table is still read and checked. What is only missing or
//! too short because something was taken out is not told.
//!
//! Of a table that names a variant (`mark = { median = … }`), the variant that was named last counts: a
//! scenario that extends a preset replaces the preset's choice instead of adding a second one.

use super::problem::{Problem, listed, nearest};
use super::tree::{Entry, Node, Place, Segment, Table, Value, join, segments};
use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// What came of reading.
pub(super) struct Outcome<T> {
    /// The settings, where enough of them could be read.
    pub settings: Option<T>,
    pub problems: Vec<Problem>,
    /// Paths of values that were taken out.
    pub removed: BTreeSet<String>,
    /// Those of them that have a stand-in.
    pub replaced: BTreeSet<String>,
}

/// Reads a whole tree. `stand_in` knows what may take the place of a value that is wrong or missing.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    mut root: Node,
    stand_in: impl Fn(&str) -> Option<Node>,
) -> Outcome<T> {
    let found = RefCell::new(Vec::new());
    let mut removed: BTreeSet<String> = BTreeSet::new();
    let mut replaced: BTreeSet<String> = BTreeSet::new();
    loop {
        let reader = Reader {
            node: &root,
            key: root.at,
            path: String::new(),
            found: &found,
        };
        let error = match T::deserialize(reader) {
            Ok(settings) => {
                return Outcome {
                    settings: Some(settings),
                    problems: found.into_inner(),
                    removed,
                    replaced,
                };
            }
            Err(error) => error,
        };
        let consequence = if error.missing {
            removed.contains(&error.path)
        } else {
            removed.iter().any(|path| path.starts_with(&error.path))
        };
        if !consequence {
            found.borrow_mut().push(
                Problem::new(error.path.as_str(), error.message.as_str())
                    .at(error.place.unwrap_or_default())
                    .help(error.help.clone()),
            );
        }
        // A value that is missing stands for itself, else the table that misses it.
        let wrong = if error.missing {
            &error.path
        } else {
            &error.victim
        };
        if !replaced.contains(wrong)
            && let Some(node) = stand_in(wrong)
            && root
                .put(&segments(wrong), Place::default(), usize::MAX, node)
                .is_ok()
        {
            removed.insert(wrong.clone());
            replaced.insert(wrong.clone());
            continue;
        }
        if error.victim.is_empty() || !removed.insert(error.victim.clone()) {
            return Outcome {
                settings: None,
                problems: found.into_inner(),
                removed,
                replaced,
            };
        }
        root.remove(&error.victim);
    }
}

/// One error, and where; boxed, for it travels through every return value.
#[derive(Clone, Debug)]
pub(super) struct Error(Box<Fault>);

#[derive(Clone, Debug)]
pub(super) struct Fault {
    message: String,
    help: Option<String>,
    /// A key to add to the path where the error is located: a missing one.
    field: Option<&'static str>,
    missing: bool,
    located: bool,
    path: String,
    place: Option<Place>,
    /// What to take out before reading again.
    victim: String,
}

impl std::ops::Deref for Error {
    type Target = Fault;
    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Fault {
        &mut self.0
    }
}

impl Error {
    fn new(message: String) -> Self {
        Self(Box::new(Fault {
            message,
            help: None,
            field: None,
            missing: false,
            located: false,
            path: String::new(),
            place: None,
            victim: String::new(),
        }))
    }
    /// Says where an error is that has not been located yet.
    fn locate(mut self, path: &str, place: Place) -> Self {
        if !self.located {
            self.located = true;
            self.victim = path.to_owned();
            self.path = match self.field {
                Some(field) => join(path, field),
                None => path.to_owned(),
            };
            self.place = Some(place);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What was found, in the words of a scenario.
fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Map | Unexpected::StructVariant => "a table".to_owned(),
        Unexpected::Seq | Unexpected::TupleVariant => "a list".to_owned(),
        Unexpected::Str(text) => format!("\"{text}\""),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Bool(truth) => truth.to_string(),
        other => other.to_string(),
    }
}

/// What was expected, in the words of a scenario.
fn expected(what: &dyn Expected) -> String {
    let what = what.to_string();
    match what.as_str() {
        "f64" | "f32" => "a number".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        _ if what.starts_with("struct ") || what.starts_with("enum ") => "a table".to_owned(),
        _ if what.starts_with("a Decimal type") => {
            "a decimal number, such as 0.05 or \"0.05\"".to_owned()
        }
        _ => match what.strip_prefix("a tuple of size ") {
            Some(size) => format!("a list of {size} values"),
            None => what.replace("an array of length", "a list of length"),
        },
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
    fn invalid_type(unexpected: Unexpected<'_>, what: &dyn Expected) -> Self {
        Self::new(format!(
            "found {}, expected {}",
            found(unexpected),
            expected(what)
        ))
    }
    fn invalid_value(unexpected: Unexpected<'_>, what: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, what)
    }
    fn invalid_length(length: usize, what: &dyn Expected) -> Self {
        Self::new(format!(
            "found {length} values, expected {}",
            expected(what)
        ))
    }
    fn unknown_variant(variant: &str, valid: &'static [&'static str]) -> Self {
        let mut error = Self::new(format!("found `{variant}`, expected {}", listed(valid)));
        error.help = nearest(variant, valid.iter().copied());
        error
    }
    fn unknown_field(field: &str, valid: &'static [&'static str]) -> Self {
        let mut error = Self::new(unknown(field, valid));
        error.help = nearest(field, valid.iter().copied());
        error
    }
    fn missing_field(field: &'static str) -> Self {
        let mut error = Self::new("is missing".to_owned());
        error.field = Some(field);
        error.missing = true;
        error.help = Some(format!("add `{field} = …` here"));
        error
    }
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is given twice"))
    }
}

fn unknown(field: &str, valid: &[&str]) -> String {
    format!("unknown key `{field}`, expected {}", listed(valid))
}

/// One value of the tree, as serde reads it.
struct Reader<'a> {
    node: &'a Node,
    /// The place of its key.
    key: Place,
    path: String,
    found: &'a RefCell<Vec<Problem>>,
}

type Entries<'a> = Vec<(&'a String, &'a Entry)>;

/// The entries that were named last: of a table that names a variant, the variant that counts.
fn newest(table: &Table) -> Entries<'_> {
    let newest = table.values().map(|entry| entry.layer).max();
    table
        .iter()
        .filter(|(_, entry)| Some(entry.layer) == newest)
        .collect()
}

impl<'a> Reader<'a> {
    fn child(&self, key: &str, place: Place, node: &'a Node) -> Self {
        Self {
            node,
            key: place,
            path: join(&self.path, key),
            found: self.found,
        }
    }
    fn place(&self) -> Place {
        match self.node.value {
            Value::Table(_) => self.key,
            _ => self.node.at,
        }
    }
    fn unexpected(&self) -> Unexpected<'a> {
        match &self.node.value {
            Value::Text(text) => Unexpected::Str(text),
            Value::Integer(integer) => match i64::try_from(*integer) {
                Ok(integer) => Unexpected::Signed(integer),
                Err(_) => Unexpected::Unsigned(u64::try_from(*integer).unwrap_or(u64::MAX)),
            },
            Value::Float(float) => Unexpected::Float(*float),
            Value::Bool(truth) => Unexpected::Bool(*truth),
            Value::List(_) => Unexpected::Seq,
            Value::Table(_) => Unexpected::Map,
            Value::Gone => Unexpected::Unit,
        }
    }
    fn map(&self, entries: Entries<'a>) -> Map<'a> {
        Map {
            entries: entries.into_iter(),
            value: None,
            path: self.path.clone(),
            found: self.found,
        }
    }
    fn any<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        let value = match &self.node.value {
            Value::Text(text) => visitor.visit_str(text),
            Value::Integer(integer) => match (i64::try_from(*integer), u64::try_from(*integer)) {
                (Ok(integer), _) => visitor.visit_i64(integer),
                (_, Ok(integer)) => visitor.visit_u64(integer),
                _ => Err(Error::new(format!("found {integer}, which is too large"))),
            },
            Value::Float(float) => visitor.visit_f64(*float),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::List(list) => visitor.visit_seq(List {
                elements: list.iter().enumerate(),
                path: self.path.clone(),
                found: self.found,
            }),
            Value::Table(table) => visitor.visit_map(self.map(newest(table))),
            Value::Gone => Err(Error::new("was taken out".to_owned())),
        };
        value.map_err(|error| error.locate(&self.path, self.place()))
    }
    fn structure<'de, V: Visitor<'de>>(
        &self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::Table(table) = &self.node.value else {
            let error = de::Error::invalid_type(self.unexpected(), &"a table");
            return Err(Error::locate(error, &self.path, self.place()));
        };
        let mut entries = Vec::with_capacity(table.len());
        for (key, entry) in table {
            if fields.contains(&key.as_str()) {
                entries.push((key, entry));
                continue;
            }
            let problem = Problem::new(join(&self.path, key), unknown(key, fields))
                .at(entry.key)
                .help(nearest(key, fields.iter().copied()));
            let mut found = self.found.borrow_mut();
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
        visitor
            .visit_map(self.map(entries))
            .map_err(|error| error.locate(&self.path, self.place()))
    }
}

macro_rules! any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;
    any! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_seq deserialize_identifier deserialize_ignored_any deserialize_unit
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.any(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Value::List(list) = &self.node.value
            && list.len() > length
        {
            let error = Error::new(format!(
                "found {} values, expected a list of {length} values",
                list.len()
            ));
            return Err(error.locate(&self.path, self.place()));
        }
        self.any(visitor)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Table(table) => visitor
                .visit_map(self.map(table.iter().collect()))
                .map_err(|error| error.locate(&self.path, self.place())),
            _ => self.any(visitor),
        }
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.structure(fields, visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let place = self.place();
        let (variant, content) = match &self.node.value {
            Value::Text(text) => (text, None),
            Value::Table(table) => match newest(table).as_slice() {
                [(variant, entry)] => (*variant, Some(*entry)),
                entries => {
                    let names: Vec<&String> = entries.iter().map(|(name, _)| *name).collect();
                    let error = Error::new(format!(
                        "found {}, expected exactly one of {}",
                        if names.is_empty() {
                            "none".to_owned()
                        } else {
                            listed(&names).replace(" or ", " and ")
                        },
                        listed(variants)
                    ));
                    return Err(error.locate(&self.path, place));
                }
            },
            _ => {
                let what = format!("one of {}", listed(variants));
                let error: Error = de::Error::invalid_type(self.unexpected(), &what.as_str());
                return Err(error.locate(&self.path, place));
            }
        };
        let place = content.map_or(place, |entry| entry.key);
        if !variants.contains(&variant.as_str()) {
            let error: Error = de::Error::unknown_variant(variant, variants);
            return Err(error.locate(&self.path, place));
        }
        let path = self.path.clone();
        visitor
            .visit_enum(Variant {
                name: variant,
                place,
                content: content.map(|entry| &entry.node),
                reader: self,
            })
            .map_err(|error| error.locate(&path, place))
    }
}

struct Map<'a> {
    entries: std::vec::IntoIter<(&'a String, &'a Entry)>,
    value: Option<(&'a String, &'a Entry)>,
    path: String,
    found: &'a RefCell<Vec<Problem>>,
}

impl<'de> MapAccess<'de> for Map<'_> {
    type Error = Error;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, entry)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((key, entry));
        let text: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(text)
            .map(Some)
            .map_err(|error| error.locate(&join(&self.path, key), entry.key))
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, entry)) = self.value.take() else {
            return Err(Error::new(
                "a value was asked for before its key".to_owned(),
            ));
        };
        seed.deserialize(Reader {
            node: &entry.node,
            key: entry.key,
            path: join(&self.path, key),
            found: self.found,
        })
    }
}

struct List<'a> {
    elements: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    path: String,
    found: &'a RefCell<Vec<Problem>>,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        for (index, node) in self.elements.by_ref() {
            if matches!(node.value, Value::Gone) {
                continue;
            }
            let reader = Reader {
                node,
                key: node.at,
                path: join(&self.path, &format!("[{index}]")),
                found: self.found,
            };
            return seed.deserialize(reader).map(Some);
        }
        Ok(None)
    }
}

struct Variant<'a> {
    name: &'a str,
    place: Place,
    content: Option<&'a Node>,
    reader: Reader<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Variant<'_> {
    /// Reads the variant's content; a bare name stands for an empty table.
    fn inside<T>(&self, read: impl FnOnce(Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let empty = Node::empty(self.place);
        let reader = Reader {
            node: self.content.unwrap_or(&empty),
            key: self.place,
            path: join(&self.reader.path, self.name),
            found: self.reader.found,
        };
        read(reader).map_err(|mut error| {
            // There is no content to take out where the variant is a bare name.
            if self.content.is_none() {
                error.victim = self.reader.path.clone();
            }
            error
        })
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;
    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            Some(Node {
                value: Value::Table(table),
                ..
            }) if table.is_empty() => Ok(()),
            None => Ok(()),
            Some(node) => {
                let reader = self.reader.child(self.name, self.place, node);
                let error: Error = de::Error::invalid_type(reader.unexpected(), &"an empty table");
                Err(error.locate(&reader.path, reader.place()))
            }
        }
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.inside(|reader| seed.deserialize(reader))
    }
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.inside(|reader| reader.deserialize_tuple(length, visitor))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.inside(|reader| reader.structure(fields, visitor))
    }
}

impl<T> Outcome<T> {
    /// Whether a problem of range may only be there because something at or beside it was taken out.
    pub fn doubtful(&self, key: &str) -> bool {
        let steps = |path: &str| {
            let steps = segments(path).into_iter();
            steps
                .map(|segment| match segment {
                    Segment::Key(key) => key.to_owned(),
                    Segment::Index(index) => index.to_string(),
                })
                .collect::<Vec<String>>()
        };
        let key = steps(key);
        self.removed.iter().any(|path| {
            let gone = steps(path);
            let beside = !self.replaced.contains(path)
                && gone.split_last().map(|(_, table)| table)
                    == key.split_last().map(|(_, table)| table);
            beside || key.starts_with(&gone)
        })
    }
}
