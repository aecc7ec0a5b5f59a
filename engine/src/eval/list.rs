//! Functions over the elements of an array.

use crate::convert;
use crate::eval::Machine;
use crate::plan::{ExprId, ScopeId, Slot};
use crate::project::json::Elements;
use crate::value::{Fault, Value};

/// What stands in the place of an array.
pub(crate) enum Array<'a> {
    /// Nothing.
    Missing,
    /// An array.
    Elements(Elements<'a>),
    /// Something else: its text.
    Other(&'a str),
}

impl<'a> Machine<'a, '_> {
    /// The elements of the array in a slot.
    pub(crate) fn array(&self, slot: Slot) -> Array<'a> {
        let Some(text) = self.slot(slot) else { return Array::Missing };
        match Elements::of(text) {
            Some(elements) if !self.is_cell(slot) => Array::Elements(elements),
            _ => Array::Other(text),
        }
    }

    /// `count(L)`, `count(L, c)`
    pub(super) fn count(
        &mut self,
        array: Slot,
        scope: ScopeId,
        condition: Option<ExprId>,
    ) -> Value<'a> {
        let mut count = 0;
        let counted = self.each_truth(array, scope, condition, |truth| {
            count += i64::from(truth);
            None
        });
        counted.map_or_else(Value::Invalid, |_| Value::Int(count))
    }

    /// `any(L, c)`
    pub(super) fn any(&mut self, array: Slot, scope: ScopeId, condition: ExprId) -> Value<'a> {
        let found = self.each_truth(array, scope, Some(condition), |truth| truth.then_some(true));
        found.map_or_else(Value::Invalid, |found| Value::Bool(found.unwrap_or(false)))
    }

    /// `all(L, c)`
    pub(super) fn all(&mut self, array: Slot, scope: ScopeId, condition: ExprId) -> Value<'a> {
        let found =
            self.each_truth(array, scope, Some(condition), |truth| (!truth).then_some(false));
        found.map_or_else(Value::Invalid, |found| Value::Bool(found.unwrap_or(true)))
    }

    /// Decides a condition for element after element, until `decide` says what the answer is.
    fn each_truth(
        &mut self,
        array: Slot,
        scope: ScopeId,
        condition: Option<ExprId>,
        mut decide: impl FnMut(bool) -> Option<bool>,
    ) -> Result<Option<bool>, &'a Fault<'a>> {
        let elements = match self.array(array) {
            Array::Missing => return Ok(None),
            Array::Elements(elements) => elements,
            Array::Other(text) => match convert::fault(self.arena, "a list", text) {
                Value::Invalid(fault) => return Err(fault),
                _ => return Ok(None),
            },
        };
        for (index, element) in (0..).zip(elements) {
            let truth = match condition {
                None => true,
                Some(condition) => {
                    self.enter(scope, element, index);
                    self.truth(condition)?
                }
            };
            if let Some(answer) = decide(truth) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}
