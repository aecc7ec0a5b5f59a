//! Emits: columns, and the objects of the output with what must hold in them.

use std::collections::HashMap;

use super::Text;
use crate::plan::{
    Check, Column, Echo, Element, Field, Handler, Member, Object, OutputNode, Policy, TextLimits,
};

/// The name of each member by its number in the emit, for constraints to speak of.
type Names = HashMap<u32, String>;

impl Text<'_> {
    pub(super) fn emit(&mut self, index: u16) {
        let emit = &self.plan.emits[usize::from(index)];
        self.line(&format!("emit {} {{    # line {}", emit.class, emit.line));
        self.indented(|text| {
            for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
                text.field(&format!("event.{}", column.name()), field);
            }
            for (name, field) in &emit.extra {
                text.field(&format!("event.extra.{name}"), field);
            }
            let mut names = Names::new();
            name_members(&emit.root, "", &mut names);
            text.object_body(&emit.root, &names);
        });
        self.line("}");
    }

    fn object(&mut self, head: &str, object: &Object, names: &Names) {
        let guard = object.guard.map_or(String::new(), |guard| format!(" if {}", self.expr(guard)));
        self.line(&format!("{head}{guard} {{"));
        self.indented(|text| text.object_body(object, names));
        self.line("}");
    }

    fn object_body(&mut self, object: &Object, names: &Names) {
        if object.is_complete {
            self.line("# always complete");
        }
        for group in &object.at_least_one {
            self.line(&format!("needs one of {}", all(group, names)));
        }
        for member in &object.members {
            self.member(member, names);
        }
    }

    fn member(&mut self, member: &Member, names: &Names) {
        let mut head = member.key.trim_end_matches(':').to_owned();
        if member.required {
            head.push('*');
        }
        if member.filler {
            head.push('?');
        }
        if !member.unless.is_empty() {
            head += &format!(" unless {}", all(&member.unless, names));
        }
        match &member.node {
            // The whole piece as it is written.
            OutputNode::Constant(json) => self.line(&format!("{head}:{json}")),
            OutputNode::Value(field) => self.field(&head, field),
            OutputNode::Enum(field, echoes) => {
                self.field(&head, field);
                self.indented(|text| echoes.iter().for_each(|echo| text.echo(echo)));
            }
            OutputNode::Object(object) => self.object(&head, object, names),
            OutputNode::List(elements) => {
                self.line(&format!("{head} ["));
                self.indented(|text| {
                    elements.iter().for_each(|element| text.element(element, names));
                });
                self.line("]");
            }
        }
    }

    fn element(&mut self, element: &Element, names: &Names) {
        match element {
            Element::One(object) => self.object("one", object, names),
            Element::Each { array, scope, max, object } => {
                let (array, scope) = (self.slot(*array), super::scope_name(*scope));
                self.object(&format!("each {array} as {scope} max {max}"), object, names);
            }
        }
    }

    fn echo(&mut self, echo: &Echo) {
        let key = echo.key.trim_end_matches(':');
        let other =
            echo.other.map_or(String::new(), |other| format!(", 99 => {}", self.expr(other)));
        let texts: Vec<_> =
            echo.texts.iter().map(|(number, text)| format!("{number} => {text}")).collect();
        self.line(&format!("with {key} {}{other}", texts.join(", ")));
    }

    /// A line of the mapping; what is usual is not said.
    fn field(&mut self, head: &str, field: &Field) {
        let mut text = format!("{head} = {}", self.expr(field.value));
        for (on, handler) in [("missing", field.on_missing), ("invalid", field.on_invalid)] {
            if let Some(handler) = handler {
                text += &format!("  on {on} {}", self.handler(handler));
            }
        }
        text += &format!("    # {}", check(&field.check));
        for (on, policy) in [("missing", field.missing), ("invalid", field.invalid)] {
            match policy {
                Policy::Skip => {}
                Policy::Reject => text += &format!(", {on} rejects"),
                Policy::Zero => text += &format!(", {on} is 0"),
            }
        }
        if field.redacted {
            text += ", redacted";
        }
        self.line(&format!("{text}, line {}", field.line));
    }

    fn handler(&self, handler: Handler) -> String {
        match handler {
            Handler::Skip => "skip".into(),
            Handler::Reject => "reject".into(),
            Handler::Value(value) => self.expr(value),
        }
    }
}

fn name_members(object: &Object, way: &str, names: &mut Names) {
    for member in &object.members {
        let name = member.key.trim_end_matches(':').trim_matches('"');
        let way = if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
        match &member.node {
            OutputNode::Object(inner) => name_members(inner, &way, names),
            OutputNode::List(elements) => {
                for element in elements {
                    let (Element::One(inner) | Element::Each { object: inner, .. }) = element;
                    name_members(inner, &way, names);
                }
            }
            OutputNode::Constant(_) | OutputNode::Value(_) | OutputNode::Enum(..) => {}
        }
        names.insert(member.present, way);
    }
}

fn all(numbers: &[u32], names: &Names) -> String {
    let names: Vec<&str> =
        numbers.iter().map(|number| names.get(number).map_or("?", String::as_str)).collect();
    names.join(", ")
}

/// The type of a target, and how it is written.
fn check(of: &Check) -> String {
    match of {
        Check::Text => "text".into(),
        Check::LimitedText(text) => limits(text),
        Check::Int(low, high) => format!("int {low}..={high}"),
        Check::Enum(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
            format!("enum {}", numbers.join(" "))
        }
        Check::Decimal => "decimal".into(),
        Check::Float => "float".into(),
        Check::Bool => "bool".into(),
        Check::EventTime => "time of the event".into(),
        Check::EpochMillis => "epoch milliseconds".into(),
        Check::Rfc3339 => "RFC 3339".into(),
        Check::DurationMillis(i64::MIN, i64::MAX) => "milliseconds".into(),
        Check::DurationMillis(low, high) => format!("milliseconds {low}..{high}"),
        Check::Ip => "ip".into(),
        Check::Json => "json".into(),
        Check::List(each) => format!("list of {}", check(each)),
    }
}

fn limits(limits: &TextLimits) -> String {
    let TextLimits { pattern, chars_max, values, noun } = limits;
    let mut text = format!("text ({noun})");
    if let Some(pattern) = pattern {
        text += &format!(" matching r\"{}\"", pattern.as_str());
    }
    if let Some(max) = chars_max {
        text += &format!(" max {max}");
    }
    if !values.is_empty() {
        text += &format!(" of {values:?}");
    }
    text
}
