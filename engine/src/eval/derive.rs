//! Records that the program makes: what `json`, `extract` or `find` give.
//!
//! Such a record is a scope like that of a loop's element, but for what fills its slots: the first expression that reads
//! it. It is made at most once for each instance of the scope around it, however many of its fields are read. A missing
//! record has empty slots; an invalid one keeps its fault, which is then the outcome of every field.

use crate::eval::Machine;
use crate::plan::{CallMissing, ExprId, Origin, ScopeId, Shape, Slot};
use crate::value::{Fault, Value};

/// What stands for a record that is there and has no text: only whether it is there is ever asked.
const PRESENT: &str = "{}";

impl<'a> Machine<'a, '_> {
    /// Makes the record of a scope, unless it stands there already. Nothing is done for other scopes.
    pub(super) fn derive(&mut self, scope: ScopeId) -> Result<(), &'a Fault<'a>> {
        let plan = self.plan;
        let of = &plan.scopes[usize::from(scope)];
        if matches!(of.origin, Origin::Given) {
            return Ok(());
        }
        let now = self.scopes[usize::from(of.parent.unwrap_or_default())].number;
        if self.scopes[usize::from(scope)].number != now {
            let made = self.make(scope, &of.origin);
            let instance = &mut self.scopes[usize::from(scope)];
            instance.number = now;
            instance.fault = made.err();
        }
        self.scopes[usize::from(scope)].fault.map_or(Ok(()), Err)
    }

    fn make(&mut self, scope: ScopeId, origin: &'a Origin) -> Result<(), &'a Fault<'a>> {
        let made = match origin {
            Origin::Given => return Ok(()),
            Origin::Call { callee, args, shape } => {
                match self.call(&*callee.code, args, CallMissing::Propagate) {
                    Value::Invalid(fault) => Err(fault),
                    Value::Json(text) => {
                        self.project(scope, text);
                        return Ok(());
                    }
                    Value::List(values) => {
                        self.fill(scope, values, shape);
                        return Ok(());
                    }
                    _ => Ok(None),
                }
            }
            Origin::Find { array, scope: elements, value, condition } => {
                self.find(*array, *elements, *value, *condition)
            }
        };
        match made {
            Ok(Some(text)) => self.project(scope, text),
            Ok(None) | Err(_) => self.slots_of(scope).fill(None),
        }
        made.map(|_| ())
    }

    /// The slots of a scope.
    fn slots_of(&mut self, scope: ScopeId) -> &mut [Option<&'a str>] {
        let first = self.around.layout.first_slot[usize::from(scope)];
        let count = self.plan.scopes[usize::from(scope)].projection.slots;
        &mut self.slots[first..first + usize::from(count)]
    }

    /// The texts that a function gave to the slots that want them.
    fn fill(&mut self, scope: ScopeId, values: &'a [Value<'a>], shape: &Shape) {
        let nodes = &self.plan.scopes[usize::from(scope)].projection.nodes;
        let slots = self.slots_of(scope);
        slots.fill(None);
        if let Some(whole) = nodes[0].slot {
            slots[usize::from(whole)] = Some(PRESENT);
        }
        match shape {
            Shape::Json => {}
            Shape::Fields(wanted) => {
                for (value, slot) in values.iter().zip(wanted) {
                    if let (Value::Text(text), Some(slot)) = (value, slot) {
                        slots[usize::from(*slot)] = Some(text);
                    }
                }
            }
            Shape::Pairs => {
                for pair in values.chunks_exact(2) {
                    let [Value::Text(name), Value::Text(text)] = pair else { continue };
                    let wanted = nodes[0].members.iter().find(|(wanted, _)| wanted == name);
                    let slot = wanted.and_then(|(_, node)| nodes[usize::from(*node)].slot);
                    if let Some(slot) = slot {
                        slots[usize::from(slot)].get_or_insert(text);
                    }
                }
            }
        }
    }

    /// The text of the first element that is there and for which a condition holds.
    fn find(
        &mut self,
        array: Slot,
        scope: ScopeId,
        value: Slot,
        condition: ExprId,
    ) -> Result<Option<&'a str>, &'a Fault<'a>> {
        let Some(elements) = self.elements(array)? else { return Ok(None) };
        for (index, element) in (0..).zip(elements) {
            self.enter(scope, element, index);
            let Some(text) = self.slot(value) else { continue };
            if self.truth(condition)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bumpalo::Bump;

    use crate::builtins::Call;
    use crate::plan::{Callee, Expr, ExprId, Origin, ScopeId, Shape, Stmt};
    use crate::testing::Builder;
    use crate::types::Type;
    use crate::value::{Fault, Value};

    /// Gives pairs, counts its calls, and refuses the text `bad`.
    #[derive(Debug, Default)]
    struct Counted(AtomicUsize);

    impl Call for Counted {
        fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
            self.0.fetch_add(1, Ordering::Relaxed);
            match args {
                [Value::Text("bad")] => {
                    Value::Invalid(arena.alloc(Fault { wanted: "refused", text: None }))
                }
                [text] => Value::List(arena.alloc_slice_copy(&[
                    Value::Text("name"),
                    *text,
                    Value::Text("name"),
                    Value::Text("second"),
                ])),
                _ => Value::Missing,
            }
        }
    }

    /// A record that is made from a text of its parent, and an expression that reads a field of it twice.
    fn derived(builder: &mut Builder, parent: ScopeId, code: &Arc<Counted>) -> ExprId {
        let arg = builder.read_in(parent, "text", Type::Text);
        let scope = builder.scope(parent);
        let callee = Callee { name: "counted", literals: Vec::new(), code: code.clone() };
        builder.plan.scopes[usize::from(scope)].origin =
            Origin::Call { callee, args: vec![arg], shape: Shape::Pairs };
        let fields = ["name", "name", "other"].map(|name| {
            let read = builder.read_in(scope, name, Type::Text);
            builder.expr(Expr::Derived(scope, read))
        });
        let other = builder.text("-");
        let last = builder.expr(Expr::Coalesce(fields[2], other));
        builder.expr(Expr::Concat(vec![fields[0], fields[1], last]))
    }

    #[test]
    fn a_record_is_made_once_for_each_instance_of_its_parent() {
        let (of_record, of_step) = (Arc::new(Counted::default()), Arc::new(Counted::default()));
        let mut builder = Builder::ndjson();
        let outer = derived(&mut builder, 0, &of_record);
        let (array, scope) = (builder.slot(0, "steps"), builder.scope(0));
        let inner = derived(&mut builder, scope, &of_step);
        let id = builder.expr(Expr::Concat(vec![outer, inner]));
        let emit = builder.emit_with_id(id, vec![]);
        let each = Stmt::Each { array, scope, max: 9, body: vec![Stmt::Emit(emit)], line: 1 };
        builder.plan.body.push(each);
        let ran = builder.run(&[
            r#"{"text":"a","steps":[{"text":"x"},{"text":"y"}]}"#,
            r#"{"text":"b","steps":[]}"#,
            r#"{"text":"c","steps":[{"text":"z"}]}"#,
            r#"{"text":"d","steps":[{"text":"bad"}]}"#,
            r#"{"text":"e","steps":[{}]}"#,
        ]);
        assert_eq!(ran.ids(), ["aa-xx-", "aa-yy-", "cc-zz-"]);
        let messages: Vec<_> =
            ran.batch.rejects.iter().map(|reject| reject.message.as_str()).collect();
        assert_eq!(messages, ["refused", "event.id is missing"]);
        // A record that nobody reads is not made, and neither is one of a missing text.
        assert_eq!(of_record.0.load(Ordering::Relaxed), 4);
        assert_eq!(of_step.0.load(Ordering::Relaxed), 4);
    }
}
