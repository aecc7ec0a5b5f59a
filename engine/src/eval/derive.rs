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
