//! The attributes of a class or an object of OCSF: `weir explain --class api_activity actor.user`.

use std::fmt::Write as _;

use crate::ocsf::{Attribute, AttributeType, Constraint, Requirement, Shape, VERSIONS, schema};
use weir_engine::suggest::nearest;

/// A class or object, or an attribute on the way to it, that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

/// What a class, or the object or attribute at a way such as `actor.user` in it, is made of.
///
/// # Errors
///
/// If the version, the class or a step of the way does not exist: says so, with what was probably meant.
pub fn class(version: &str, class: &str, way: &str) -> Result<String, Unknown> {
    let schema = schema(version).ok_or_else(|| {
        Unknown(format!("weir does not know OCSF {version}; it knows {}", VERSIONS.join(", ")))
    })?;
    let Some(of_class) = schema.class(class) else {
        let known = schema.classes.iter().map(|class| class.name);
        return Err(unknown(&format!("OCSF {version} has no class `{class}`"), class, known));
    };
    let mut out = String::new();
    let mut shape = Shape::Class(of_class);
    let mut title = format!("{class}, {} ({})", of_class.caption, of_class.uid);
    let steps: Vec<&str> = way.split('.').filter(|name| !name.is_empty()).collect();
    for (index, name) in steps.iter().enumerate() {
        let Some(attribute) = shape.attributes().get(name) else {
            let known = shape.attributes().iter().map(|attribute| attribute.name);
            let above = std::iter::once(class).chain(steps[..index].iter().copied());
            let above = above.collect::<Vec<_>>().join(".");
            return Err(unknown(&format!("{above} has no attribute `{name}`"), name, known));
        };
        match attribute.ty {
            AttributeType::Object(object) => {
                let object = schema.object(object).ok_or_else(|| {
                    Unknown(format!("OCSF {version} says nothing about the object `{object}`"))
                })?;
                shape = Shape::Object(object);
                title = format!("{class}.{way}, {} (object {})", object.caption, object.name);
            }
            AttributeType::Scalar(_) if index + 1 < steps.len() => {
                let way = steps[..=index].join(".");
                return Err(Unknown(format!(
                    "{class}.{way} is a single value and has no attributes"
                )));
            }
            AttributeType::Scalar(_) => {
                let _ = writeln!(out, "OCSF {version}, {class}.{way}\n");
                list(&mut out, [attribute].into_iter(), true);
                return Ok(out);
            }
        }
    }
    let _ = writeln!(out, "OCSF {version}, {title}\n");
    describe(&mut out, shape);
    Ok(out)
}

fn unknown(what: &str, name: &str, known: impl Iterator<Item = &'static str>) -> Unknown {
    let near =
        nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Unknown(format!("{what}{near}"))
}

fn describe(out: &mut String, shape: Shape) {
    let attributes = shape.attributes();
    if attributes.is_empty() {
        out.push_str("  any attribute is allowed\n");
    }
    for requirement in [Requirement::Required, Requirement::Recommended, Requirement::Optional] {
        let of = attributes.iter().filter(|attribute| attribute.requirement == requirement);
        if of.clone().next().is_some() {
            let _ = writeln!(out, "{}", requirement.word());
            list(out, of, false);
            out.push('\n');
        }
    }
    for Constraint { kind, members } in shape.constraints() {
        let _ = writeln!(out, "{} of {}", kind.words(), members.join(", "));
    }
}

/// One line for each attribute, and one for the values that it may have.
fn list<'a>(
    out: &mut String,
    attributes: impl Iterator<Item = &'a Attribute> + Clone,
    with_requirement: bool,
) {
    let width = attributes.clone().map(|attribute| attribute.name.len()).max().unwrap_or(0);
    for attribute in attributes {
        let requirement = match with_requirement {
            true => format!(", {}", attribute.requirement.word()),
            false => String::new(),
        };
        let _ = writeln!(
            out,
            "  {:width$}  {}{requirement}{}",
            attribute.name,
            attribute.type_text("object "),
            notes(attribute)
        );
        let values: Vec<String> = attribute
            .enumeration
            .iter()
            .flat_map(|enumeration| &enumeration.values)
            .map(|value| match value.number {
                Some(number) => format!("{} ({number})", value.caption),
                None => value.key.to_owned(),
            })
            .collect();
        for line in wrapped(&values, 96 - width) {
            let _ = writeln!(out, "  {:width$}    {line}", "");
        }
    }
}

fn notes(attribute: &Attribute) -> String {
    let mut notes = String::new();
    if !attribute.profiles.is_empty() {
        let _ = write!(notes, ", with {}", attribute.profiles.join(" or "));
    }
    if let Some(sibling) = attribute.sibling {
        let _ = write!(notes, ", {sibling} follows from it");
    }
    if let Some(version) = attribute.deprecated {
        let _ = write!(notes, ", deprecated since {version}");
    }
    notes
}

/// Words with commas, broken into lines of at most `chars` where that is possible.
fn wrapped(words: &[String], chars: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let word = if index + 1 < words.len() { format!("{word},") } else { word.clone() };
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < chars => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::class;

    #[test]
    fn an_object_is_listed() {
        expect_file!["schema/api_activity.actor.user.txt"]
            .assert_eq(&class("1.8.0", "api_activity", "actor.user").unwrap());
    }

    #[test]
    fn a_class_is_listed() {
        expect_file!["schema/authentication.txt"]
            .assert_eq(&class("1.1.0", "authentication", "").unwrap());
    }

    #[test]
    fn an_attribute_is_listed() {
        let listed = class("1.8.0", "api_activity", "severity_id").unwrap();
        expect_file!["schema/severity_id.txt"].assert_eq(&listed);
    }

    #[test]
    fn what_does_not_exist_is_said_with_what_was_meant() {
        let said = |version, name, way| class(version, name, way).unwrap_err().0;
        assert_eq!(
            said("1.2.0", "api_activity", ""),
            "weir does not know OCSF 1.2.0; it knows 1.1.0, 1.5.0, 1.8.0"
        );
        assert_eq!(
            said("1.8.0", "api_activty", ""),
            "OCSF 1.8.0 has no class `api_activty`; did you mean `api_activity`?"
        );
        let meant = said("1.8.0", "api_activity", "actor.usr");
        assert!(meant.ends_with("has no attribute `usr`; did you mean `user`?"), "{meant}");
        let below = said("1.8.0", "api_activity", "severity_id.x");
        assert!(below.contains("severity_id"), "{below}");
    }
}
