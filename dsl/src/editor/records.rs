//! The records that functions make of texts, and `find` of a list: which fields they have.
//!
//! Fields of `grok`, `extract` and `url` follow from the program. Those of `json` and `kv` only a text can show: the one
//! that the samples have in its place is read.

use bumpalo::Bump;
use simd_json::OwnedValue;
use weir_engine::builtins::{Builtin, Constant, Environment, Fields, ResultType};
use weir_engine::value::Value;

use super::Document;
use super::sample::Node;
use crate::ast::{Expr, ExprKind, PathRoot};

/// `let`s that lead to another `let` are followed so often.
const NAMES_FOLLOWED_MAX: usize = 16;

/// A field, and a few words about it.
pub(super) type Field = (String, String);

/// What a record has.
pub(super) enum Record {
    /// Fields that have no parts.
    Fields(Vec<Field>),
    /// Members, as a record of the log has them.
    Shape(Node),
}

impl Document {
    /// The shape of what a loop variable or a `let` stands for, if it is a part of the log's records.
    pub(super) fn shape_of_name(&self, name: &str, offset: u32) -> Option<&Node> {
        self.shape(self.value_of_name(name, offset)?, 0)
    }

    /// What a `let` stands for, or the list of a loop.
    fn value_of_name(&self, name: &str, offset: u32) -> Option<&Expr> {
        let named = self.names.iter().find(|named| {
            named.name == name && named.scope.start <= offset && offset <= named.scope.end
        })?;
        named.value.as_ref()
    }

    fn shape(&self, expr: &Expr, followed: usize) -> Option<&Node> {
        if followed >= NAMES_FOLLOWED_MAX {
            return None;
        }
        let named =
            |name: &str| self.shape(self.value_of_name(name, expr.span.start)?, followed + 1);
        match &expr.node {
            ExprKind::Name(name) => named(name),
            ExprKind::Path { root, steps } => {
                let start = match root {
                    PathRoot::Record => &self.sample.record,
                    PathRoot::Wrapper => &self.sample.wrapper,
                    PathRoot::Name(name) => named(&name.node)?,
                    PathRoot::Expr(inner) => self.shape(inner, followed + 1)?,
                };
                steps.iter().try_fold(start, |node, step| node.step(step))
            }
            // The element that is found.
            ExprKind::Call { name, args } if name.node == "find" => {
                self.shape(args.first()?, followed + 1)
            }
            ExprKind::Pipe { subject, name, .. } if name.node == "find" => {
                self.shape(subject, followed + 1)
            }
            _ => None,
        }
    }

    /// The record that a name stands for, if a function makes it of a text.
    pub(super) fn record_of_name(&self, name: &str, offset: u32) -> Option<Record> {
        let mut value = self.value_of_name(name, offset)?;
        for _ in 0..NAMES_FOLLOWED_MAX {
            let ExprKind::Name(other) = &value.node else { break };
            value = self.value_of_name(other, value.span.start)?;
        }
        let (function, text, literals) = match &value.node {
            ExprKind::Call { name, args } => (name, args.first()?, args.get(1..)?),
            ExprKind::Pipe { subject, name, args } => (name, &**subject, args.as_slice()),
            _ => return None,
        };
        let builtin = weir_engine::builtins::ALL.iter().find(|it| it.name == function.node)?;
        let ResultType::Record(fields) = builtin.result else { return None };
        let literals: Vec<Constant> = literals.iter().filter_map(literal).collect();
        let example = || self.shape(text, 0)?.text.as_deref();
        match fields {
            Fields::Named(fields) => {
                let detail = |ty: Option<weir_engine::types::Type>| ty.map_or("", |ty| ty.noun());
                let fields = fields(&literals).into_iter();
                Some(Record::Fields(fields.map(|it| (it.name, detail(it.ty).to_owned())).collect()))
            }
            Fields::Pairs => Some(Record::Fields(pairs(builtin, &literals, example()?))),
            Fields::Json => Some(Record::Shape(Node::of(&json(example()?)?))),
        }
    }
}

fn literal(argument: &Expr) -> Option<Constant> {
    match &argument.node {
        ExprKind::Text(text) | ExprKind::Raw(text) => Some(Constant::Text(text.clone())),
        _ => None,
    }
}

/// The names and values that stand in a text.
fn pairs(builtin: &Builtin, literals: &[Constant], text: &str) -> Vec<Field> {
    let Ok(call) = (builtin.prepare)(literals, &Environment::default()) else { return Vec::new() };
    let arena = Bump::new();
    let Value::List(found) = call.call(&[Value::Text(text)], &arena) else { return Vec::new() };
    let mut fields: Vec<Field> = Vec::new();
    for pair in found.chunks_exact(2) {
        if let [Value::Text(name), Value::Text(value)] = pair
            && !fields.iter().any(|(known, _)| known == name)
        {
            fields.push(((*name).to_owned(), super::sample::shorten(value)));
        }
    }
    fields
}

fn json(text: &str) -> Option<OwnedValue> {
    simd_json::to_owned_value(&mut text.as_bytes().to_vec()).ok()
}
