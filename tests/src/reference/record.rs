//! Records that the program makes: made again whenever they are asked for.

use weir_dsl::hir::{DerivedId, DerivedKind, Expr, LoopId, Path, Root};
use weir_engine::builtins::{Call, Constant, Fields, ResultType};
use weir_engine::types::Type;
use weir_engine::value::Value;

use super::eval::{Evaluator, Node};
use super::json;

impl<'a> Evaluator<'a> {
    /// The record of a number.
    pub(super) fn made(&mut self, id: DerivedId) -> Node<'a> {
        let program = self.program;
        match &program.derived[id as usize].kind {
            DerivedKind::Find { array, id: elements, value, condition } => {
                let found = self.find(array, *elements, value, condition);
                self.look_for_duplicates(Root::Derived(id), found);
                found
            }
            DerivedKind::Call { builtin, literals, call, args } => {
                let values = match self.arguments(builtin, args) {
                    Ok(values) => values,
                    Err(Value::Invalid(fault)) => return Node::Invalid(fault),
                    Err(_) => return Node::Absent,
                };
                match builtin.result {
                    ResultType::Record(Fields::Pairs) => self.fields(&**call, &values, None),
                    ResultType::Record(Fields::Named(fields)) => {
                        let names = fields(literals).into_iter().map(|field| field.name).collect();
                        self.fields(&**call, &values, Some(names))
                    }
                    _ => {
                        let node = self.json_of(literals, &values);
                        self.look_for_duplicates(Root::Derived(id), node);
                        node
                    }
                }
            }
        }
    }

    /// What a text holds, by a reader of our own.
    fn json_of(&self, literals: &[Constant], values: &[Value<'a>]) -> Node<'a> {
        let ([], [Value::Text(whole)]) = (literals, values) else { return Node::Absent };
        let text = whole.trim_matches([' ', '\t', '\n', '\r']);
        let depth_max = self.program.input.depth_max as usize;
        if json::depth(text) > depth_max || !json::is_json(text) {
            return match self.invalid(Type::Json.noun(), whole) {
                Value::Invalid(fault) => Node::Invalid(fault),
                _ => Node::Absent,
            };
        }
        Node::Json(text, self.trees.keep(json::tree(text.as_bytes(), 0..text.len())))
    }

    /// What a function gives: texts for `names`, or names and texts by turns.
    fn fields(
        &self,
        call: &dyn Call,
        values: &[Value<'a>],
        names: Option<Vec<String>>,
    ) -> Node<'a> {
        let given = match call.call(values, self.arena) {
            Value::List(given) => given,
            Value::Invalid(fault) => return Node::Invalid(fault),
            _ => return Node::Absent,
        };
        let text = |value: &Value<'a>| match value {
            Value::Text(text) => Some(*text),
            _ => None,
        };
        let pairs: Vec<(&'a str, &'a str)> = match names {
            Some(names) => names
                .iter()
                .zip(given)
                .filter_map(|(name, value)| Some((&*self.arena.alloc_str(name), text(value)?)))
                .collect(),
            None => given
                .chunks(2)
                .filter_map(|pair| Some((text(&pair[0])?, text(pair.get(1)?)?)))
                .collect(),
        };
        Node::Fields(self.arena.alloc_slice_copy(&pairs))
    }

    fn find(&mut self, array: &Path, id: LoopId, value: &Path, condition: &'a Expr) -> Node<'a> {
        let elements = match self.list(array) {
            Ok(elements) => elements,
            Err(Value::Invalid(fault)) => return Node::Invalid(fault),
            Err(_) => return Node::Absent,
        };
        for (index, element) in elements.into_iter().enumerate() {
            self.enter(id, element, index);
            let found = self.resolve(value);
            let holds =
                if self.is_missing(found) { Value::Bool(false) } else { self.eval(condition) };
            self.leave();
            match holds {
                Value::Bool(true) => return found,
                Value::Invalid(fault) => return Node::Invalid(fault),
                _ => {}
            }
        }
        Node::Absent
    }
}
