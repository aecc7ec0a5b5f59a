//! What the compiler knows about OCSF.
//!
//! The Open Cybersecurity Schema Framework names event classes (`api_activity`), objects (`user`), their attributes and
//! data types. The facts of each version that weir can pin lie in `dsl/ocsf/VERSION.facts`, made from the compiled
//! schema by `dsl/ocsf/make_facts.py`, which describes the format. Each file is part of the binary and is read once,
//! when a program first asks for its version; everything found in it lives as long as the process.
//!
//! How the facts are meant:
//!
//! - An attribute with [`profiles`](Attribute::profiles) exists only in an event that declares one of them in
//!   `metadata.profiles`. Without, it is as unknown as a misspelled one, and its requirement does not count: `cloud` is
//!   *required* of every class, which means "where the profile `cloud` is declared".
//! - Profiles reach into objects: whether `user.uid` of an event exists depends on the profiles of the event.
//! - The members of a [`Constraint`] are names of attributes of the same class or object. A few name an attribute that
//!   does not exist, or are paths (`patch_state`; `evidence_info` in 1.5.0), which JSON Schema cannot satisfy.

use std::sync::LazyLock;

mod read;
mod view;

pub use view::Shape;

/// The versions of OCSF that a program can pin, oldest first.
pub const VERSIONS: [&str; 3] = ["1.1.0", "1.5.0", "1.8.0"];

/// The facts of each of [`VERSIONS`], as they are committed.
const FACTS: [&str; VERSIONS.len()] = [
    include_str!("../ocsf/1.1.0.facts"),
    include_str!("../ocsf/1.5.0.facts"),
    include_str!("../ocsf/1.8.0.facts"),
];

/// One schema for each of [`VERSIONS`].
static SCHEMAS: [LazyLock<Schema>; VERSIONS.len()] = [
    LazyLock::new(|| load(FACTS[0])),
    LazyLock::new(|| load(FACTS[1])),
    LazyLock::new(|| load(FACTS[2])),
];

/// The schema of a version, or `None` where `version` is none of [`VERSIONS`].
pub fn schema(version: &str) -> Option<&'static Schema> {
    let index = VERSIONS.iter().position(|known| *known == version)?;
    Some(&SCHEMAS[index])
}

/// The class that was meant by its number, its caption, or its name in another spelling; of the newest version.
pub(crate) fn class_called(written: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let schema = schema(VERSIONS[VERSIONS.len() - 1])?;
    let meant = |class: &&Class| {
        written.parse() == Ok(class.uid)
            || plain(class.name) == plain(written)
            || plain(class.caption) == plain(written)
    };
    schema.classes.iter().find(meant).map(|class| class.name)
}

/// The text of a version's facts, which a plan's hash covers; empty where `version` is none of [`VERSIONS`].
pub fn facts(version: &str) -> &'static str {
    VERSIONS.iter().position(|known| *known == version).map_or("", |index| FACTS[index])
}

/// The most characters that `raw_data` may have in a version; none if it sets no limit.
pub fn raw_data_chars_max(version: &str) -> Option<u32> {
    let raw_data = schema(version)?.class("base_event")?.attributes.get("raw_data")?;
    match raw_data.ty {
        AttributeType::Scalar(data_type) => data_type.max_len,
        AttributeType::Object(_) => None,
    }
}

fn load(facts: &'static str) -> Schema {
    read::read(facts)
        .expect("the facts are part of the binary, and every file of them is read by a test")
}

/// One version of OCSF.
#[derive(Debug)]
pub struct Schema {
    /// As in `metadata.version`.
    pub version: &'static str,
    /// By name. The base event is one of them, with the number 0.
    pub classes: Vec<Class>,
    /// By name.
    pub objects: Vec<Object>,
    /// By name.
    pub types: Vec<&'static DataType>,
    /// Every profile that a class, an object or an attribute speaks of, by name.
    pub profiles: Vec<&'static str>,
}

impl Schema {
    /// The class of a name such as `api_activity`; those of extensions go without the extension's name.
    pub fn class(&self, name: &str) -> Option<&Class> {
        find(&self.classes, |class| class.name, name)
    }

    /// The object of a name such as `user`; those of extensions go without the extension's name.
    pub fn object(&self, name: &str) -> Option<&Object> {
        find(&self.objects, |object| object.name, name)
    }

    /// The data type of a name such as `email_t`.
    pub fn data_type(&self, name: &str) -> Option<&'static DataType> {
        find(&self.types, |data_type| data_type.name, name).copied()
    }
}

/// Looks a name up in a list that is sorted by name.
fn find<'a, T>(sorted: &'a [T], name_of: impl Fn(&T) -> &'static str, name: &str) -> Option<&'a T> {
    sorted.binary_search_by(|item| name_of(item).cmp(name)).ok().map(|index| &sorted[index])
}

/// An event class.
#[derive(Debug)]
pub struct Class {
    /// `class_uid` of its events.
    pub uid: u32,
    /// As programs write it, `api_activity`.
    pub name: &'static str,
    /// `class_name` of its events, `API Activity`.
    pub caption: &'static str,
    /// `category_uid` of its events.
    pub category_uid: u32,
    /// `category_name` of its events, `Application Activity`.
    pub category_name: &'static str,
    /// The profiles that its events may declare, by name.
    pub profiles: Vec<&'static str>,
    /// The attributes of its events.
    pub attributes: Attributes,
    /// What must hold between the attributes.
    pub constraints: Vec<Constraint>,
    /// The version that deprecated it.
    pub deprecated: Option<&'static str>,
}

/// A composite value.
#[derive(Debug)]
pub struct Object {
    /// As attributes refer to it, `network_endpoint`.
    pub name: &'static str,
    /// For people, `Network Endpoint`.
    pub caption: &'static str,
    /// The profiles that it is said to support, by name. Its attributes speak of more in places, and they decide.
    pub profiles: Vec<&'static str>,
    /// None means that any attribute is allowed (`object`, the type of `unmapped`).
    pub attributes: Attributes,
    /// What must hold between the attributes.
    pub constraints: Vec<Constraint>,
    /// The version that deprecated it.
    pub deprecated: Option<&'static str>,
}

/// The attributes of a class or an object, sorted by name.
#[derive(Debug, Default)]
pub struct Attributes(Vec<&'static Attribute>);

impl Attributes {
    /// The attribute of a name.
    pub fn get(&self, name: &str) -> Option<&'static Attribute> {
        find(&self.0, |attribute| attribute.name, name).copied()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static Attribute> + Clone + '_ {
        self.0.iter().copied()
    }

    /// How many there are, whatever their profiles.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: then any is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An attribute as one or more classes or objects define it.
#[derive(Debug)]
pub struct Attribute {
    /// As in events, `src_endpoint`.
    pub name: &'static str,
    /// The type, or the type of the elements if it is an array.
    pub ty: AttributeType,
    /// Whether it holds a list of values.
    pub is_array: bool,
    /// Counts only where the attribute [exists](Self::exists_with).
    pub requirement: Requirement,
    /// It exists where an event declares one of these; if there are none, always. More than one is rare.
    pub profiles: Vec<&'static str>,
    /// The values that it may have, if they are listed. Of an array, those of each element.
    pub enumeration: Option<&'static Enumeration>,
    /// The attribute beside it that says the same in words: `activity_name` of `activity_id`. It has the same
    /// profiles, and is text but for `priority` of `incident_finding` in 1.1.0.
    pub sibling: Option<&'static str>,
    /// The version that deprecated it.
    pub deprecated: Option<&'static str>,
}

impl Attribute {
    /// Whether an event that declares `profiles` can have it.
    pub fn exists_with(&self, profiles: &[&str]) -> bool {
        self.profiles.is_empty() || self.profiles.iter().any(|profile| profiles.contains(profile))
    }
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy)]
pub enum AttributeType {
    /// One value of a data type.
    Scalar(&'static DataType),
    /// The name of an [`Object`] of the same schema.
    Object(&'static str),
}

/// How badly an attribute is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// An event or object without it is invalid.
    Required,
    /// Better with it.
    Recommended,
    /// Welcome.
    Optional,
}

/// The listed values of an attribute.
#[derive(Debug)]
pub struct Enumeration {
    /// Numbers from low to high; texts by name.
    pub values: Vec<EnumerationValue>,
}

impl Enumeration {
    /// The value with this caption, letter for letter.
    pub fn by_caption(&self, caption: &str) -> Option<&EnumerationValue> {
        self.values.iter().find(|value| value.caption == caption)
    }

    /// The value with this number.
    pub fn by_number(&self, number: i64) -> Option<&EnumerationValue> {
        self.values.iter().find(|value| value.number == Some(number))
    }

    /// The value with this text, `GET`, or this number as text.
    pub fn by_key(&self, key: &str) -> Option<&EnumerationValue> {
        self.values.iter().find(|value| value.key == key)
    }
}

/// One listed value.
#[derive(Debug)]
pub struct EnumerationValue {
    /// As the schema writes it: `3`, `GET`. Of an attribute of a text type, it is the value itself.
    pub key: &'static str,
    /// The key, if it is a number.
    pub number: Option<i64>,
    /// In words, `Delete`.
    pub caption: &'static str,
    /// The version that deprecated it.
    pub deprecated: Option<&'static str>,
}

/// A scalar type and what restricts its values.
#[derive(Debug)]
pub struct DataType {
    /// `email_t`.
    pub name: &'static str,
    /// What JSON it is.
    pub base: Base,
    /// A pattern that must occur in the text (ECMA-262); most are anchored.
    pub regex: Option<&'static str>,
    /// Of the text, in characters.
    pub max_len: Option<u32>,
    /// Lowest and highest value.
    pub range: Option<(i64, i64)>,
    /// All the values, if there are few: `false` and `true`.
    pub values: Vec<&'static str>,
}

/// The primitive type behind a data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Float,
    /// A whole number. OCSF states no range; what stores events gives it 32 bits.
    Integer,
    /// Any JSON value.
    Json,
    /// A whole number of 64 bits.
    Long,
    /// Text.
    String,
}

/// What must hold between attributes of one class or object.
#[derive(Debug)]
pub struct Constraint {
    /// How many of the members.
    pub kind: ConstraintKind,
    /// Names of attributes; see the module for those that are not.
    pub members: Vec<&'static str>,
}

/// How many members of a [`Constraint`] must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// One or more.
    AtLeastOne,
    /// One, and no other.
    JustOne,
}

#[cfg(test)]
mod tests;
