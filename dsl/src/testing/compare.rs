//! Compares an event with the checks of an `expect`.

use simd_json::OwnedValue;
use simd_json::prelude::*;
use weir_engine::decimal::Decimal;
use weir_engine::plan::{Column, Element, Field, Object, OutputNode, Plan};
use weir_engine::read;

use super::event::Made;
use crate::ast::{Check, FieldStep, Literal, Want};
use crate::ocsf::{Attribute, AttributeType, Schema};

/// Checks the listed fields; `exactly` allows no others.
pub(super) fn compare(
    checks: &[Check],
    exactly: bool,
    made: &Made,
    plan: &Plan,
    schema: &Schema,
) -> Result<(), String> {
    let mut comparison =
        Comparison { made, plan, schema, problems: Vec::new(), checked: Vec::new() };
    let class = schema.class(&made.class);
    for check in checks {
        if let [FieldStep::Key(name)] = &check.field[..]
            && name.node == "event"
        {
            comparison.columns(check);
            continue;
        }
        if let [FieldStep::Key(name), column @ ..] = &check.field[..]
            && name.node == "event"
        {
            let column = Check { field: column.to_vec(), ..check.clone() };
            comparison.column_check(&column);
            continue;
        }
        let shape = class.map(|class| Shape::Attributes(&class.attributes));
        comparison.check(check, "", Some(&made.ocsf), shape);
    }
    if exactly {
        comparison.no_others(&made.ocsf, "");
    }
    if comparison.problems.is_empty() {
        return Ok(());
    }
    Err(format!("{} with id \"{}\"\n{}", made.class, made.id, comparison.problems.join("\n")))
}

#[derive(Clone, Copy)]
enum Shape<'s> {
    Attributes(&'s crate::ocsf::Attributes),
    Attribute(&'static Attribute),
}

struct Comparison<'c> {
    made: &'c Made,
    plan: &'c Plan,
    schema: &'c Schema,
    problems: Vec<String>,
    /// The ways that were checked.
    checked: Vec<String>,
}

impl<'c> Comparison<'c> {
    /// `event { id = "x" }`
    fn columns(&mut self, check: &Check) {
        let Want::Checks(checks) = &check.want else {
            self.problems.push("  `event` is checked as `event { ... }`".into());
            return;
        };
        checks.iter().for_each(|check| self.column_check(check));
    }

    /// `id = "x"`, `extra.team = "y"`
    fn column_check(&mut self, check: &Check) {
        let made = self.made;
        match (&check.field[..], &check.want) {
            ([FieldStep::Key(extra)], Want::Checks(inner)) if extra.node == "extra" => {
                inner
                    .iter()
                    .for_each(|check| self.check(check, "event.extra", Some(&made.extra), None));
            }
            ([FieldStep::Key(extra), rest @ ..], _) if extra.node == "extra" => {
                let inner = Check { field: rest.to_vec(), ..check.clone() };
                self.check(&inner, "event.extra", Some(&made.extra), None);
            }
            ([FieldStep::Key(name)], want) => self.column(&name.node, want),
            _ => self.problems.push("  a column of `event` is one word".into()),
        }
    }

    fn column(&mut self, name: &str, want: &Want) {
        let way = format!("event.{name}");
        let Some((_, found)) = self.made.columns.iter().find(|(known, _)| *known == name) else {
            let known = Column::ALL.map(Column::name).join(", ");
            self.problems.push(format!("  `event` has no column `{name}`; it has {known}"));
            return;
        };
        let Want::Literal(literal) = want else {
            self.problems.push(format!("  a column is compared with a value: `{name} = ...`"));
            return;
        };
        let equal = match (&literal.node, name) {
            (Literal::Text(text), "time") => read::timestamp(text) == read::timestamp(found),
            (Literal::Number(number), "time") => {
                let ms = read::timestamp(found).map(|ns| ns.div_euclid(1_000_000));
                number.parse().ok() == ms
            }
            (Literal::Number(number), "cost_usd" | "tokens_input" | "tokens_output") => {
                decimal(number) == decimal(found)
            }
            (Literal::Text(text) | Literal::Number(text), _) => text == found,
            (Literal::Bool(value), _) => value.to_string() == *found,
        };
        if !equal {
            self.differs(&way, &shown(&literal.node), &format!("{found:?}"));
        }
    }

    fn check(
        &mut self,
        check: &Check,
        before: &str,
        value: Option<&'c OwnedValue>,
        shape: Option<Shape<'c>>,
    ) {
        let (mut value, mut shape, mut way) = (value, shape, before.to_owned());
        for step in &check.field {
            match step {
                FieldStep::Key(name) => {
                    if !way.is_empty() {
                        way.push('.');
                    }
                    way.push_str(&name.node);
                    shape = match self.member(shape, &name.node) {
                        Ok(shape) => shape,
                        Err(problem) => return self.problems.push(format!("  {way}: {problem}")),
                    };
                    value = value.and_then(|value| value.get(name.node.as_str()));
                }
                FieldStep::Index(index) => {
                    way.push_str(&format!("[{}]", index.node));
                    let index = index.node.parse::<usize>().ok();
                    value = value.zip(index).and_then(|(value, index)| value.get_idx(index));
                }
            }
        }
        match &check.want {
            Want::Checks(checks) => {
                for check in checks {
                    self.check(check, &way, value, shape);
                }
            }
            Want::Missing(_) => {
                if let Some(found) = value {
                    self.differs(&way, "missing", &found.encode());
                }
                self.checked.push(way);
            }
            Want::Literal(literal) => {
                let found = value.map_or("missing".to_owned(), Writable::encode);
                if !value.is_some_and(|value| equal(value, &literal.node, shape)) {
                    self.differs(&way, &shown(&literal.node), &found);
                }
                self.checked.push(way);
            }
        }
    }

    /// What the schema says of a member; nothing below `unmapped` and the like.
    fn member(&self, shape: Option<Shape<'c>>, name: &str) -> Result<Option<Shape<'c>>, String> {
        let attributes = match shape {
            None => return Ok(None),
            Some(Shape::Attributes(attributes)) => attributes,
            Some(Shape::Attribute(attribute)) => match attribute.ty {
                AttributeType::Object("object") => return Ok(None),
                AttributeType::Scalar(data_type) if data_type.base == crate::ocsf::Base::Json => {
                    return Ok(None);
                }
                AttributeType::Scalar(_) => return Err("a single value has no attributes".into()),
                AttributeType::Object(object) => match self.schema.object(object) {
                    Some(object) => &object.attributes,
                    None => return Ok(None),
                },
            },
        };
        match attributes.get(name) {
            Some(attribute) => Ok(Some(Shape::Attribute(attribute))),
            None => {
                let near =
                    weir_engine::suggest::nearest(name, attributes.iter().map(|known| known.name));
                let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
                Err(format!("OCSF has no attribute `{name}` here{near}"))
            }
        }
    }

    fn differs(&mut self, way: &str, expected: &str, found: &str) {
        let line = line_of(&self.plan.emits[self.made.emit as usize], way);
        let line = line.map_or(String::new(), |line| format!("   (set in line {line})"));
        self.problems.push(format!("  - {way} = {expected}\n  + {way} = {found}{line}"));
    }

    fn no_others(&mut self, value: &OwnedValue, way: &str) {
        if let Some(object) = value.as_object() {
            let mut names: Vec<&String> = object.keys().collect();
            names.sort_unstable();
            for name in names {
                let inner = if way.is_empty() { name.clone() } else { format!("{way}.{name}") };
                self.no_others(&object[name], &inner);
            }
        } else if let Some(list) = value.as_array() {
            for (index, element) in list.iter().enumerate() {
                self.no_others(element, &format!("{way}[{index}]"));
            }
        } else if !self.checked.iter().any(|checked| checked == way) {
            self.differs(way, "missing", &value.encode());
        }
    }
}

fn equal(found: &OwnedValue, literal: &Literal, shape: Option<Shape<'_>>) -> bool {
    let attribute = match shape {
        Some(Shape::Attribute(attribute)) => Some(attribute),
        _ => None,
    };
    match literal {
        Literal::Bool(value) => found.as_bool() == Some(*value),
        Literal::Number(number) => match found.as_str() {
            Some(text) => text == number,
            None => decimal(number).is_some() && decimal(number) == decimal(&found.encode()),
        },
        Literal::Text(text) => {
            if let Some(found) = found.as_str() {
                return found == text;
            }
            let number = found.as_i64();
            let caption = attribute
                .and_then(|attribute| attribute.enumeration)
                .and_then(|enumeration| enumeration.by_caption(text))
                .and_then(|value| value.number);
            let time = read::timestamp(text).map(|ns| ns.div_euclid(1_000_000));
            number.is_some() && (number == caption || number == time)
        }
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    read::decimal(text, Default::default())
}

fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => format!("{text:?}"),
        Literal::Number(number) => number.clone(),
        Literal::Bool(value) => value.to_string(),
    }
}

/// The line of the mapping that sets a field.
fn line_of(emit: &weir_engine::plan::Emit, way: &str) -> Option<u32> {
    let is_target = |field: &&Field| field.target == way;
    if let Some(field) = emit.columns.iter().find(is_target) {
        return Some(field.line);
    }
    let plain: String =
        way.split('[').next().unwrap_or(way).to_owned() + way.split(']').nth(1).unwrap_or("");
    let constant = || emit.constant_lines.iter().find(|(target, _)| *target == plain);
    line_in(&emit.root, &plain).or_else(|| constant().map(|(_, line)| *line))
}

fn line_in(object: &Object, way: &str) -> Option<u32> {
    object.members.iter().find_map(|member| match &member.node {
        OutputNode::Value(field) | OutputNode::Enum(field, _) => {
            (field.target == way).then_some(field.line)
        }
        OutputNode::Object(inner) => line_in(inner, way),
        OutputNode::List(elements) => elements.iter().find_map(|element| match element {
            Element::One(object) | Element::Each { object, .. } => line_in(object, way),
        }),
        OutputNode::Constant(_) => None,
    })
}
