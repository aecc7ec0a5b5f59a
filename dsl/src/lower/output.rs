//! Objects of the output: names become numbers.

use std::collections::HashMap;

use weir_engine::plan::{Echo, Element, Field, Handler, Member, Object, OutputNode};

use super::Lowering;
use crate::hir;

/// The numbers of an object's members, and of the objects in it: constraints may name `a.b`.
#[derive(Default)]
struct Numbers {
    of_member: HashMap<String, (u32, Option<Box<Numbers>>)>,
}

impl Numbers {
    fn get(&self, way: &str) -> Option<u32> {
        match way.split_once('.') {
            None => self.of_member.get(way).map(|(number, _)| *number),
            Some((first, rest)) => self.of_member.get(first)?.1.as_ref()?.get(rest),
        }
    }
}

impl Lowering<'_> {
    /// Lowers an object; `members` counts the members of the emit so far.
    pub(super) fn object(&mut self, object: &hir::Object, members: &mut u32) -> Object {
        self.numbered(object, members).0
    }

    fn numbered(&mut self, object: &hir::Object, count: &mut u32) -> (Object, Numbers) {
        let mut numbers = Numbers::default();
        let mut members = Vec::with_capacity(object.members.len());
        for member in &object.members {
            let present = *count;
            *count += 1;
            let (node, inner) = self.node(&member.node, count);
            numbers.of_member.insert(member.name.clone(), (present, inner.map(Box::new)));
            let unless = object
                .just_one
                .iter()
                .filter(|group| group.contains(&member.name))
                .flat_map(|group| group.iter().filter_map(|name| numbers.get(name)))
                .filter(|number| *number < present)
                .collect();
            members.push(Member {
                present,
                key: key(&member.name),
                required: member.required,
                unless,
                filler: member.filler,
                node,
            });
        }
        let at_least_one = object
            .at_least_one
            .iter()
            .map(|group| group.iter().filter_map(|way| numbers.get(way)).collect())
            .collect();
        let guard = object.guard.as_ref().map(|guard| self.expr(guard));
        (Object { members, at_least_one, guard, is_complete: false }, numbers)
    }

    fn node(&mut self, node: &hir::OutputNode, count: &mut u32) -> (OutputNode, Option<Numbers>) {
        let node = match node {
            hir::OutputNode::Constant(json) => OutputNode::Constant(json.clone()),
            hir::OutputNode::Value(field) => OutputNode::Value(self.field(field)),
            hir::OutputNode::Enum(field, echoes) => {
                let echoes = echoes.iter().map(|echo| self.echo(echo)).collect();
                OutputNode::Enum(self.field(field), echoes)
            }
            hir::OutputNode::Object(object) => {
                let (object, numbers) = self.numbered(object, count);
                return (OutputNode::Object(object), Some(numbers));
            }
            hir::OutputNode::List(elements) => {
                let elements = elements.iter().map(|element| self.element(element, count));
                OutputNode::List(elements.collect())
            }
        };
        (node, None)
    }

    fn element(&mut self, element: &hir::Element, count: &mut u32) -> Element {
        match element {
            hir::Element::One(object) => Element::One(self.object(object, count)),
            hir::Element::Each { array, id, max, object } => {
                let (array, scope) = self.scopes.enter(array, *id);
                Element::Each { array, scope, max: *max, object: self.object(object, count) }
            }
        }
    }

    fn echo(&mut self, echo: &hir::Echo) -> Echo {
        Echo {
            key: key(&echo.name),
            texts: echo.texts.clone(),
            other: echo.other.as_ref().map(|other| self.expr(other)),
            check: echo.check.clone(),
        }
    }

    /// Lowers a line of the mapping.
    pub(super) fn field(&mut self, field: &hir::Field) -> Field {
        Field {
            value: self.expr(&field.value),
            on_missing: field.on_missing.as_ref().map(|handler| self.handler(handler)),
            on_invalid: field.on_invalid.as_ref().map(|handler| self.handler(handler)),
            missing: field.missing,
            invalid: field.invalid,
            check: field.check.clone(),
            target: field.target.clone(),
            line: self.source.line(field.span.start),
            position: field.span.start,
            redacted: field.redacted,
        }
    }

    fn handler(&mut self, handler: &hir::Handler) -> Handler {
        match handler {
            hir::Handler::Skip => Handler::Skip,
            hir::Handler::Reject => Handler::Reject,
            hir::Handler::Value(value) => Handler::Value(self.expr(value)),
        }
    }
}

/// `"name":`, as it is written. Names are words or were quoted in the program.
fn key(name: &str) -> String {
    format!("{}:", crate::check::json_text(name))
}
