//! The facts as people are shown them: where a way of attributes leads, and what is found there, in words.

use super::{
    Attribute, AttributeType, Attributes, Class, Constraint, ConstraintKind, Object, Requirement,
    Schema,
};

/// What has attributes.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// An event.
    Class(&'static Class),
    /// What an attribute of an event, or of another object, holds.
    Object(&'static Object),
}

impl Shape {
    /// Its attributes.
    pub fn attributes(self) -> &'static Attributes {
        match self {
            Self::Class(class) => &class.attributes,
            Self::Object(object) => &object.attributes,
        }
    }

    /// What must hold between them.
    pub fn constraints(self) -> &'static [Constraint] {
        match self {
            Self::Class(class) => &class.constraints,
            Self::Object(object) => &object.constraints,
        }
    }
}

impl Schema {
    /// What an attribute leads on to; none if it does not exist, or holds a single value.
    pub fn step(&'static self, shape: Shape, name: &str) -> Option<Shape> {
        match shape.attributes().get(name)?.ty {
            AttributeType::Scalar(_) => None,
            AttributeType::Object(name) => self.object(name).map(Shape::Object),
        }
    }
}

impl Requirement {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Recommended => "recommended",
            Self::Optional => "optional",
        }
    }
}

impl ConstraintKind {
    /// In words, before "of".
    pub const fn words(self) -> &'static str {
        match self {
            Self::AtLeastOne => "at least one",
            Self::JustOne => "just one",
        }
    }
}

impl Attribute {
    /// Its type: `email_t`, `list of user`. `object` stands before the name of an object.
    pub fn type_text(&self, object: &str) -> String {
        let list = if self.is_array { "list of " } else { "" };
        match self.ty {
            AttributeType::Scalar(data_type) => format!("{list}{}", data_type.name),
            AttributeType::Object(name) => format!("{list}{object}{name}"),
        }
    }
}
