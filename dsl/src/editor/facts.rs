//! OCSF facts for a reader: what an attribute or a class is, in Markdown.

use std::fmt::Write as _;

use crate::ast::File;
use crate::ocsf::{
    Attribute, AttributeType, Attributes, Class, Constraint, Requirement, Schema, Shape,
};

/// Values of an enum that a description lists.
const VALUES_SHOWN_MAX: usize = 40;

/// The schema that a program pins, with the profiles that it switches on.
#[derive(Debug, Clone)]
pub(super) struct Pin {
    pub(super) schema: &'static Schema,
    pub(super) profiles: Vec<String>,
}

impl Pin {
    /// What the `ocsf` line says; none if it names no version that is shipped.
    pub(super) fn of(file: &File) -> Option<Self> {
        let line = file.ocsf.as_ref()?;
        let schema = crate::ocsf::schema(&line.version.node)?;
        let profiles = line.profiles.iter().map(|profile| profile.node.clone()).collect();
        Some(Self { schema, profiles })
    }

    /// Whether events of this program can have an attribute.
    pub(super) fn has(&self, attribute: &Attribute) -> bool {
        let profiles: Vec<&str> = self.profiles.iter().map(String::as_str).collect();
        attribute.exists_with(&profiles)
    }

    /// What a way from an event's class leads to.
    pub(super) fn shape(&self, class: &str, way: &[String]) -> Option<Shape> {
        let class = Shape::Class(self.schema.class(class)?);
        way.iter().try_fold(class, |shape, key| self.schema.step(shape, key))
    }

    /// The attribute at the end of a way.
    pub(super) fn attribute(&self, class: &str, way: &[String]) -> Option<&'static Attribute> {
        let (last, way) = way.split_last()?;
        self.shape(class, way)?.attributes().get(last)
    }
}

/// What an attribute is.
pub(super) fn describe_attribute(pin: &Pin, attribute: &Attribute) -> String {
    let mut text = format!(
        "**{}** · {} · {}\n\n",
        attribute.name,
        attribute.type_text(""),
        attribute.requirement.word()
    );
    if let AttributeType::Scalar(data_type) = attribute.ty {
        if let Some(most) = data_type.max_len {
            let _ = writeln!(text, "At most {most} characters.\n");
        }
        if let Some((low, high)) = data_type.range {
            let _ = writeln!(text, "From {low} to {high}.\n");
        }
        if let Some(pattern) = data_type.regex {
            let _ = writeln!(text, "Must match `{pattern}`.\n");
        }
    }
    if let Some(enumeration) = attribute.enumeration {
        let values: Vec<String> = enumeration
            .values
            .iter()
            .take(VALUES_SHOWN_MAX)
            .map(|value| match value.number {
                Some(number) => format!("{number} {}", value.caption),
                None => format!("`{}`", value.key),
            })
            .collect();
        let more = enumeration.values.len().saturating_sub(VALUES_SHOWN_MAX);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = writeln!(text, "One of: {}{more}.\n", values.join(", "));
    }
    if let Some(sibling) = attribute.sibling {
        let _ = writeln!(text, "`{sibling}` is set from it.\n");
    }
    if let AttributeType::Object(name) = attribute.ty
        && let Some(object) = pin.schema.object(name)
    {
        text.push_str(&wants(pin, &object.attributes, &object.constraints));
    }
    if !attribute.profiles.is_empty() {
        let _ = writeln!(text, "Comes with the profile {}.\n", attribute.profiles.join(" or "));
    }
    if let Some(since) = attribute.deprecated {
        let _ = writeln!(text, "Deprecated since {since}.\n");
    }
    text.push_str(&format!("OCSF {}", pin.schema.version));
    text
}

/// What a class is.
pub(super) fn describe_class(pin: &Pin, class: &Class) -> String {
    let mut text = format!(
        "**{}** · {} · class {} of {}\n\n",
        class.name, class.caption, class.uid, class.category_name
    );
    text.push_str(&wants(pin, &class.attributes, &class.constraints));
    if !class.profiles.is_empty() {
        let _ = writeln!(text, "Profiles: {}.\n", class.profiles.join(", "));
    }
    if let Some(since) = class.deprecated {
        let _ = writeln!(text, "Deprecated since {since}.\n");
    }
    text.push_str(&format!("OCSF {}", pin.schema.version));
    text
}

/// What must be there.
fn wants(pin: &Pin, attributes: &Attributes, constraints: &[Constraint]) -> String {
    let mut text = String::new();
    let required: Vec<&str> = attributes
        .iter()
        .filter(|attribute| attribute.requirement == Requirement::Required && pin.has(attribute))
        .map(|attribute| attribute.name)
        .collect();
    if !required.is_empty() {
        let _ = writeln!(text, "Needs: {}.\n", required.join(", "));
    }
    for constraint in constraints {
        let how = constraint.kind.words();
        let _ = writeln!(text, "Needs {how} of: {}.\n", constraint.members.join(", "));
    }
    text
}
