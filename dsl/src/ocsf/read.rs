//! Reads a file of facts.
//!
//! The format is line by line and described at the top of `dsl/ocsf/make_facts.py`. Everything is defined before it is
//! used, so one pass does: data types, enumerations and attributes go into tables by their ids, and the objects and
//! classes that follow refer to them.

use std::collections::BTreeMap;

use super::{
    Attribute, AttributeType, Attributes, Base, Class, Constraint, ConstraintKind, DataType,
    Enumeration, EnumerationValue, Object, Requirement, Schema,
};

/// Why a line is wrong.
type Wrong = &'static str;

/// Reads all facts of one version.
///
/// # Errors
///
/// Names the line that is not as the format says.
pub(super) fn read(facts: &'static str) -> Result<Schema, String> {
    let mut reader = Reader::default();
    for (index, line) in facts.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        reader.line(line).map_err(|wrong| format!("line {}: {wrong}: {line}", index + 1))?;
    }
    Ok(reader.finish())
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    version: &'static str,
    profiles: Vec<&'static str>,
    categories: BTreeMap<u32, &'static str>,
    types: BTreeMap<&'static str, &'static DataType>,
    /// The id of the enumeration that the indented lines belong to, and its values.
    open_enumeration: Option<(&'static str, Vec<EnumerationValue>)>,
    enumerations: BTreeMap<&'static str, &'static Enumeration>,
    attributes: BTreeMap<&'static str, &'static Attribute>,
    objects: Vec<Object>,
    classes: Vec<Class>,
}

/// What a `class` and an `object` have in common.
struct Entity<'a> {
    profiles: &'a mut Vec<&'static str>,
    attributes: &'a mut Attributes,
    constraints: &'a mut Vec<Constraint>,
    deprecated: &'a mut Option<&'static str>,
}

impl Reader {
    fn line(&mut self, line: &'static str) -> Result<(), Wrong> {
        if let Some(item) = line.strip_prefix(' ') {
            return match &mut self.open_enumeration {
                Some((_, values)) => {
                    values.push(enumeration_value(item)?);
                    Ok(())
                }
                None => self.attribute_of_entity(item),
            };
        }
        self.close_enumeration();
        let (keyword, rest) = line.split_once(' ').ok_or("a keyword alone")?;
        match keyword {
            "ocsf" => self.version = rest,
            "category" => {
                let (uid, caption) = rest.split_once(' ').ok_or("no caption")?;
                self.categories.insert(number(uid)?, caption);
            }
            "profile" => self.profiles.push(rest),
            "type" => {
                let data_type = data_type(rest)?;
                self.types.insert(data_type.name, leak(data_type));
            }
            "enum" => self.open_enumeration = Some((rest, Vec::new())),
            "attribute" => self.attribute(rest)?,
            "object" => self.objects.push(object(rest)?),
            "class" => self.class(rest)?,
            _ => self.property_of_entity(keyword, rest)?,
        }
        Ok(())
    }

    fn close_enumeration(&mut self) {
        if let Some((id, values)) = self.open_enumeration.take() {
            self.enumerations.insert(id, leak(Enumeration { values }));
        }
    }

    /// `ID TYPE[[]] REQUIREMENT [@PROFILE,PROFILE] [enum=ID] [sibling=NAME] [!VERSION]`
    fn attribute(&mut self, rest: &'static str) -> Result<(), Wrong> {
        let mut words = rest.split(' ');
        let id = words.next().ok_or("no id")?;
        let type_word = words.next().ok_or("no type")?;
        let element = type_word.strip_suffix("[]");
        let mut attribute = Attribute {
            name: id.split_once('.').map_or(id, |(name, _)| name),
            ty: self.attribute_type(element.unwrap_or(type_word))?,
            is_array: element.is_some(),
            requirement: requirement(words.next().ok_or("no requirement")?)?,
            profiles: Vec::new(),
            enumeration: None,
            sibling: None,
            deprecated: None,
        };
        for word in words {
            if let Some(profiles) = word.strip_prefix('@') {
                attribute.profiles = profiles.split(',').collect();
            } else if let Some(id) = word.strip_prefix("enum=") {
                attribute.enumeration = Some(*self.enumerations.get(id).ok_or("no such enum")?);
            } else if let Some(sibling) = word.strip_prefix("sibling=") {
                attribute.sibling = Some(sibling);
            } else {
                attribute.deprecated = Some(word.strip_prefix('!').ok_or("unknown word")?);
            }
        }
        self.attributes.insert(id, leak(attribute));
        Ok(())
    }

    fn attribute_type(&self, word: &'static str) -> Result<AttributeType, Wrong> {
        match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(object) => Ok(AttributeType::Object(object)),
            None => Ok(AttributeType::Scalar(self.types.get(word).ok_or("no such type")?)),
        }
    }

    /// `UID NAME CATEGORY_UID CAPTION`
    fn class(&mut self, rest: &'static str) -> Result<(), Wrong> {
        let mut words = rest.splitn(4, ' ');
        let uid = number(words.next().ok_or("no uid")?)?;
        let name = words.next().ok_or("no name")?;
        let category_uid = number(words.next().ok_or("no category")?)?;
        self.classes.push(Class {
            uid,
            name,
            caption: words.next().ok_or("no caption")?,
            category_uid,
            category_name: self.categories.get(&category_uid).ok_or("no such category")?,
            profiles: Vec::new(),
            attributes: Attributes::default(),
            constraints: Vec::new(),
            deprecated: None,
        });
        Ok(())
    }

    /// The class or object that lines belong to: classes come after all objects.
    fn entity(&mut self) -> Result<Entity<'_>, Wrong> {
        if let Some(Class { profiles, attributes, constraints, deprecated, .. }) =
            self.classes.last_mut()
        {
            return Ok(Entity { profiles, attributes, constraints, deprecated });
        }
        let Object { profiles, attributes, constraints, deprecated, .. } =
            self.objects.last_mut().ok_or("belongs to nothing")?;
        Ok(Entity { profiles, attributes, constraints, deprecated })
    }

    fn attribute_of_entity(&mut self, id: &'static str) -> Result<(), Wrong> {
        let attribute = *self.attributes.get(id).ok_or("no such attribute")?;
        self.entity()?.attributes.0.push(attribute);
        Ok(())
    }

    fn property_of_entity(&mut self, keyword: &str, rest: &'static str) -> Result<(), Wrong> {
        let entity = self.entity()?;
        let members = || rest.split(' ').collect();
        match keyword {
            "profiles" => *entity.profiles = members(),
            "deprecated" => *entity.deprecated = Some(rest),
            "at_least_one" => entity
                .constraints
                .push(Constraint { kind: ConstraintKind::AtLeastOne, members: members() }),
            "just_one" => entity
                .constraints
                .push(Constraint { kind: ConstraintKind::JustOne, members: members() }),
            _ => return Err("unknown keyword"),
        }
        Ok(())
    }

    fn finish(self) -> Schema {
        Schema {
            version: self.version,
            classes: self.classes,
            objects: self.objects,
            types: self.types.into_values().collect(),
            profiles: self.profiles,
        }
    }
}

/// `KEY[!VERSION]<TAB>CAPTION`
fn enumeration_value(item: &'static str) -> Result<EnumerationValue, Wrong> {
    let (key, caption) = item.split_once('\t').ok_or("no caption")?;
    let (key, deprecated) = match key.split_once('!') {
        Some((key, since)) => (key, Some(since)),
        None => (key, None),
    };
    Ok(EnumerationValue { key, number: key.parse().ok(), caption, deprecated })
}

/// `NAME BASE [max_len=N] [range=FROM..TO] [values=A,B] [regex=REST OF THE LINE]`
fn data_type(rest: &'static str) -> Result<DataType, Wrong> {
    // A pattern may contain blanks, so it is last and cut off first.
    let (words, regex) = match rest.split_once(" regex=") {
        Some((words, regex)) => (words, Some(regex)),
        None => (rest, None),
    };
    let mut words = words.split(' ');
    let name = words.next().ok_or("no name")?;
    let base = base(words.next().ok_or("no base")?)?;
    let mut data_type =
        DataType { name, base, regex, max_len: None, range: None, values: Vec::new() };
    for word in words {
        match word.split_once('=').ok_or("unknown word")? {
            ("max_len", limit) => data_type.max_len = Some(number(limit)?),
            ("range", range) => {
                let (from, to) = range.split_once("..").ok_or("no range")?;
                data_type.range = Some((number(from)?, number(to)?));
            }
            ("values", values) => data_type.values = values.split(',').collect(),
            _ => return Err("unknown word"),
        }
    }
    Ok(data_type)
}

/// `NAME CAPTION`
fn object(rest: &'static str) -> Result<Object, Wrong> {
    let (name, caption) = rest.split_once(' ').ok_or("no caption")?;
    Ok(Object {
        name,
        caption,
        profiles: Vec::new(),
        attributes: Attributes::default(),
        constraints: Vec::new(),
        deprecated: None,
    })
}

fn base(word: &str) -> Result<Base, Wrong> {
    Ok(match word {
        "boolean" => Base::Boolean,
        "float" => Base::Float,
        "integer" => Base::Integer,
        "json" => Base::Json,
        "long" => Base::Long,
        "string" => Base::String,
        _ => return Err("unknown base"),
    })
}

fn requirement(word: &str) -> Result<Requirement, Wrong> {
    Ok(match word {
        "required" => Requirement::Required,
        "recommended" => Requirement::Recommended,
        "optional" => Requirement::Optional,
        _ => return Err("unknown requirement"),
    })
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, Wrong> {
    word.parse().map_err(|_| "not a number that fits")
}

/// Facts refer to each other and are read once per process, so they may as well stay.
fn leak<T>(fact: T) -> &'static T {
    Box::leak(Box::new(fact))
}
