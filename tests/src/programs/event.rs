//! `emit` blocks: attributes of a class chosen at random, each with a value of its type.

use weir_dsl::ocsf::{
    Attribute, AttributeType, Attributes, Base, Class, Constraint, ConstraintKind, Requirement,
};

use super::expr::Kind;
use super::{Code, Format, Writer};

/// How deep objects nest that need not be there.
const DEPTH_MAX: usize = 4;

/// A required object may need itself; the compiler refuses what is cut off here.
const REQUIRED_DEPTH_MAX: usize = 10;

/// What the schema says of an object.
#[derive(Clone, Copy)]
struct Of<'s> {
    attributes: &'s Attributes,
    constraints: &'s [Constraint],
    /// Of what the compiler sets by itself, that depends on the object.
    derived: &'static [&'static str],
}

const DERIVED_OF_CLASS: [&str; 9] = [
    "class_uid",
    "class_name",
    "category_uid",
    "category_name",
    "type_uid",
    "type_name",
    "time",
    "raw_data",
    "raw_data_hash",
];

const DERIVED_OF_METADATA: [&str; 7] =
    ["version", "product", "profiles", "log_name", "original_time", "uid", "event_code"];

/// What is there without a line; a line may set it all the same.
const OWN_OF_CLASS: [&str; 5] = ["metadata", "severity_id", "actor", "api", "src_endpoint"];

impl Writer {
    pub(super) fn emit(&mut self, class: &'static Class) -> Code {
        let indexes = if self.scopes.len() > 1 { "{index}" } else { "" };
        self.emit_with_id(class, indexes)
    }

    /// An `emit` whose id ends so.
    pub(super) fn emit_with_id(&mut self, class: &'static Class, indexes: &str) -> Code {
        self.emits += 1;
        let mut event = vec![Code::line(format!("id = \"{{.id}}:{}:{indexes}\"", self.emits))];
        if self.percent(40) {
            let action = self.text(&Kind::Text, 0);
            event.push(Code::line(format!("action = {action} on missing \"act\"")));
        }
        self.counted_columns(&mut event);
        self.lines_left = match self.random.below(3) {
            0 => 4,
            1 => 12,
            _ => 30,
        };
        let of = Of {
            attributes: &class.attributes,
            constraints: &class.constraints,
            derived: &DERIVED_OF_CLASS,
        };
        let mut lines = vec![Code::block("event", event)];
        lines.extend(self.object(of, true, 0, &[]));
        if self.percent(40) {
            lines.push(self.free("unmapped", 0));
        }
        Code::block(format!("emit {}", class.name), lines)
    }

    /// Cost and tokens: those of the element inside a loop, or they would be counted again and again.
    fn counted_columns(&mut self, event: &mut Vec<Code>) {
        let innermost = self.scopes.len() - 1;
        if innermost > 1 || !self.percent(40) {
            return;
        }
        let columns = [
            ("tokens_input", Kind::Int(0, 5_000)),
            ("tokens_output", Kind::Int(0, i64::MAX)),
            ("cost_usd", Kind::Decimal),
        ];
        for (column, kind) in columns {
            if self.percent(70) {
                let name = self.fresh("n");
                self.scopes[innermost].shape.insert_value(&name, kind, false);
                let variable = &self.scopes[innermost].variable;
                event.push(Code::line(format!("{column} = {variable}.{name}")));
            }
        }
    }

    /// The lines of an object: what it must have, one way to meet each constraint, and some more. `wanted` are members
    /// that the constraint of an object around it asks for.
    fn object(&mut self, of: Of<'_>, required: bool, depth: usize, wanted: &[&str]) -> Vec<Code> {
        let chosen = self.choose(of, depth, wanted);
        let mut lines = Vec::new();
        for attribute in chosen {
            let below: Vec<&str> = wanted
                .iter()
                .chain(of.constraints.iter().flat_map(|constraint| &constraint.members))
                .filter_map(|way| way.strip_prefix(attribute.name)?.strip_prefix('.'))
                .collect();
            let is_required = attribute.requirement == Requirement::Required;
            lines.extend(self.attribute(attribute, required && is_required, depth, &below));
        }
        lines
    }

    fn choose(&mut self, of: Of<'_>, depth: usize, wanted: &[&str]) -> Vec<&'static Attribute> {
        let profiles = self.profiles.clone();
        let usable: Vec<&'static Attribute> = of
            .attributes
            .iter()
            .filter(|attribute| attribute.exists_with(&profiles) && is_written(of, attribute))
            .collect();
        let mut chosen: Vec<&'static Attribute> = Vec::new();
        let mut add = |attribute: &'static Attribute| {
            if !chosen.iter().any(|it| it.name == attribute.name) {
                chosen.push(attribute);
            }
        };
        let named = |name: &str| {
            let first = name.split('.').next().unwrap_or(name);
            usable.iter().copied().find(|attribute| attribute.name == first)
        };
        for attribute in &usable {
            let by_itself = depth == 0 && OWN_OF_CLASS.contains(&attribute.name);
            let is_required = attribute.requirement == Requirement::Required;
            // A few classes leave `activity_id` optional, but `type_uid` follows from it.
            let is_activity = depth == 0 && attribute.name == "activity_id";
            if is_activity || is_required && (!by_itself || self.percent(40)) {
                add(attribute);
            }
        }
        wanted.iter().filter_map(|name| named(name)).for_each(&mut add);
        for constraint in of.constraints {
            let members: Vec<_> =
                constraint.members.iter().filter_map(|member| named(member)).collect();
            if members.is_empty() {
                continue;
            }
            // Of those that exclude each other several, so that some must be left out.
            let most = if constraint.kind == ConstraintKind::JustOne { 3 } else { 2 };
            for _ in 0..1 + self.random.below(most) {
                add(members[self.random.below(members.len() as u64) as usize]);
            }
        }
        let more = if depth < DEPTH_MAX {
            self.random.below(6).min(u64::from(self.lines_left))
        } else {
            0
        };
        for _ in 0..more {
            if let Some(attribute) = (!usable.is_empty()).then(|| *self.random.pick(&usable)) {
                add(attribute);
            }
        }
        if chosen.is_empty()
            && let Some(attribute) = usable.iter().find(|it| !is_object(it))
        {
            chosen.push(attribute);
        }
        let mut shuffled = Vec::with_capacity(chosen.len());
        while !chosen.is_empty() {
            shuffled.push(chosen.swap_remove(self.random.below(chosen.len() as u64) as usize));
        }
        shuffled
    }

    fn attribute(
        &mut self,
        attribute: &'static Attribute,
        required: bool,
        depth: usize,
        below: &[&str],
    ) -> Option<Code> {
        self.lines_left = self.lines_left.saturating_sub(1);
        let name = attribute.name;
        let AttributeType::Object(object) = attribute.ty else {
            return self
                .scalar(attribute, required)
                .map(|value| Code::line(format!("{name} = {value}")));
        };
        let must = attribute.requirement == Requirement::Required || !below.is_empty();
        let is_too_deep = depth >= if must { REQUIRED_DEPTH_MAX } else { DEPTH_MAX };
        if is_too_deep {
            return None;
        }
        if object == "object" {
            return Some(self.free(name, depth));
        }
        let object = self.schema.object(object)?;
        let of = Of {
            attributes: &object.attributes,
            constraints: &object.constraints,
            derived: if depth == 0 && name == "metadata" { &DERIVED_OF_METADATA } else { &[] },
        };
        if !attribute.is_array {
            return Some(Code::block(name, self.object(of, required, depth + 1, below)));
        }
        if self.format != Format::Csv && self.percent(35) {
            let list = self.enter("e");
            let variable = &self.scopes[self.scopes.len() - 1].variable;
            let header = format!("add {name} each {list} as {variable} max 4");
            let lines = self.object(of, false, depth + 1, below);
            let lines = self.leave(lines);
            return Some(Code::block(header, lines));
        }
        Some(Code::block(format!("add {name}"), self.object(of, false, depth + 1, below)))
    }

    /// Lines of an object that may hold anything.
    fn free(&mut self, name: &str, depth: usize) -> Code {
        let mut lines = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            let key = self.fresh("u");
            let value = match self.random.below(8) {
                0 => self.text(&Kind::Text, 1),
                1 => self.int(i64::MIN, i64::MAX, 1),
                2 => self.decimal(1),
                3 => self.time(1),
                4 => self.list(&Kind::Text),
                5 if depth < DEPTH_MAX => {
                    lines.push(self.free(&key, depth + 1));
                    continue;
                }
                6 => format!("{} |> float", self.path(&Kind::Decimal, false)),
                _ => self.path(&Kind::Json, false),
            };
            lines.push(Code::line(format!("{key} = {value}")));
        }
        Code::block(name, lines)
    }

    /// A value for an attribute that holds no object, with its handlers.
    fn scalar(&mut self, attribute: &'static Attribute, required: bool) -> Option<String> {
        let AttributeType::Scalar(data_type) = attribute.ty else { return None };
        let depth = usize::from(!required);
        if let Some(enumeration) = attribute.enumeration
            && data_type.base != Base::String
        {
            return Some(match attribute.is_array {
                true => self.enumerated_list(enumeration),
                false => self.enumerated(enumeration),
            });
        }
        let text_kind = match attribute.enumeration {
            Some(of) if self.percent(25) => return Some(self.listed_text(of, attribute.is_array)),
            Some(of) => Kind::Words(of.values.iter().map(|value| value.key.to_owned()).collect()),
            None if data_type.name == "string_t" => Kind::Text,
            None => Kind::Of(data_type.name),
        };
        if attribute.is_array {
            let kind = match (data_type.name, data_type.base) {
                ("timestamp_t" | "datetime_t", _) => Kind::Time,
                ("ip_t", _) => Kind::Ip,
                (_, Base::Boolean) => Kind::Bool,
                (_, Base::Float) => Kind::Decimal,
                (_, Base::Integer | Base::Long) => Kind::Int(0, 100),
                (_, Base::Json | Base::String) => text_kind,
            };
            return Some(self.list(&kind));
        }
        let (value, kind) = match (data_type.name, data_type.base) {
            ("timestamp_t" | "datetime_t", _) => (self.time(depth), None),
            ("ip_t", _) => (self.ip(), None),
            (_, Base::Boolean) => (self.boolean(), Some(Kind::Bool)),
            (_, Base::Float) => (self.decimal(depth), Some(Kind::Decimal)),
            (_, Base::Json) => (self.json(depth), Some(Kind::Text)),
            (_, base @ (Base::Integer | Base::Long)) => {
                let bits_32 = (i64::from(i32::MIN), i64::from(i32::MAX));
                let (low, high) = data_type.range.unwrap_or(match base {
                    Base::Integer => bits_32,
                    _ => (i64::MIN, i64::MAX),
                });
                (self.int(low, high, depth), Some(Kind::Int(0, 9)))
            }
            (_, Base::String) => (self.text(&text_kind, depth), Some(text_kind)),
        };
        let handlers = self.handlers(kind.as_ref(), required);
        Some(format!("{value}{handlers}"))
    }
}

/// Is the attribute set by a line, if at all?
fn is_written(of: Of<'_>, attribute: &Attribute) -> bool {
    let is_sibling = of.attributes.iter().any(|other| {
        other.sibling == Some(attribute.name)
            && other.enumeration.is_some()
            && matches!(other.ty, AttributeType::Scalar(data_type) if data_type.base != Base::String)
    });
    !is_sibling && !of.derived.contains(&attribute.name)
}

fn is_object(attribute: &Attribute) -> bool {
    matches!(attribute.ty, AttributeType::Object(_))
}
