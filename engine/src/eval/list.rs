//! Functions over the elements of an array.

use std::collections::HashSet;

use crate::builtins::TEXT_BYTES_MAX;
use crate::convert;
use crate::decimal::Decimal;
use crate::eval::{Machine, arithmetic};
use crate::plan::{Arithmetic, ExprId, Fold, ScopeId, Slot};
use crate::project::json::Elements;
use crate::types::Type;
use crate::value::{Fault, Value};

/// What stands in the place of an array.
pub(crate) enum Array<'a> {
    /// Nothing.
    Missing,
    /// An array.
    Elements(Elements<'a>),
    /// Something else: its text.
    Other(&'a str),
    /// The record that it is a field of cannot be made.
    Invalid(&'a Fault<'a>),
}

impl<'a> Machine<'a, '_> {
    /// The elements of the array in a slot.
    pub(crate) fn array(&mut self, slot: Slot) -> Array<'a> {
        if let Some(scope) = self.scope_of(slot)
            && let Err(fault) = self.derive(scope)
        {
            return Array::Invalid(fault);
        }
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
        let Some(elements) = self.elements(array)? else { return Ok(None) };
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

    /// The elements that a list function goes through; none if the array is missing.
    pub(super) fn elements(&mut self, array: Slot) -> Result<Option<Elements<'a>>, &'a Fault<'a>> {
        match self.array(array) {
            Array::Missing => Ok(None),
            Array::Elements(elements) => Ok(Some(elements)),
            Array::Invalid(fault) => Err(fault),
            Array::Other(text) => match convert::fault(self.arena, "a list", text) {
                Value::Invalid(fault) => Err(fault),
                _ => Ok(None),
            },
        }
    }

    /// `sum(L)`, `join(L, sep)`, `take(L, n)`, `distinct(L, n)`
    pub(super) fn fold(
        &mut self,
        fold: &'a Fold,
        array: Slot,
        scope: ScopeId,
        value: ExprId,
    ) -> Value<'a> {
        let folded = match fold {
            Fold::Sum(ty) => self.sum(array, scope, value, *ty),
            Fold::Join(separator) => self.join(array, scope, value, separator),
            Fold::Take(max) => self.take(array, scope, value, *max, |_| true),
            Fold::Distinct(max) => {
                let (arena, mut seen) = (self.arena, HashSet::new());
                self.take(array, scope, value, *max, |value| {
                    // Values of one type are equal if their texts are.
                    match convert::text_of(value, arena) {
                        Value::Text(text) => seen.insert(text),
                        _ => true,
                    }
                })
            }
        };
        folded.unwrap_or_else(Value::Invalid)
    }

    fn sum(&mut self, array: Slot, scope: ScopeId, value: ExprId, ty: Type) -> Folded<'a> {
        let mut sum = match ty {
            Type::Decimal => Value::Decimal(Decimal::ZERO),
            _ => Value::Int(0),
        };
        self.each_value(array, scope, value, |machine, value| {
            sum = arithmetic::compute(Arithmetic::Add, sum, value, machine.arena);
            match sum {
                Value::Invalid(fault) => Err(fault),
                _ => Ok(true),
            }
        })?;
        Ok(sum)
    }

    fn join(&mut self, array: Slot, scope: ScopeId, value: ExprId, separator: &str) -> Folded<'a> {
        let mut joined = bumpalo::collections::String::new_in(self.arena);
        let mut is_first = true;
        self.each_value(array, scope, value, |machine, value| {
            let Value::Text(text) = convert::text_of(value, machine.arena) else { return Ok(true) };
            let separator = if std::mem::take(&mut is_first) { "" } else { separator };
            if joined.len() + separator.len() + text.len() > TEXT_BYTES_MAX {
                return machine.too_long().map(|()| false);
            }
            joined.push_str(separator);
            joined.push_str(text);
            Ok(true)
        })?;
        Ok(if is_first { Value::Missing } else { self.non_empty(joined.into_bump_str()) })
    }

    fn too_long(&self) -> Result<(), &'a Fault<'a>> {
        match convert::failed(self.arena, "the text would be longer than 16 MiB") {
            Value::Invalid(fault) => Err(fault),
            _ => Ok(()),
        }
    }

    /// The first `max` values that are wanted.
    fn take(
        &mut self,
        array: Slot,
        scope: ScopeId,
        value: ExprId,
        max: u32,
        mut is_wanted: impl FnMut(Value<'a>) -> bool,
    ) -> Folded<'a> {
        let mut taken = bumpalo::collections::Vec::new_in(self.arena);
        self.each_value(array, scope, value, |_, value| {
            if is_wanted(value) {
                taken.push(value);
            }
            Ok(taken.len() < max as usize)
        })?;
        Ok(if taken.is_empty() { Value::Missing } else { Value::List(taken.into_bump_slice()) })
    }

    /// Gives the value of element after element that is not missing to `see`, until it says false.
    fn each_value(
        &mut self,
        array: Slot,
        scope: ScopeId,
        value: ExprId,
        mut see: impl FnMut(&Self, Value<'a>) -> Result<bool, &'a Fault<'a>>,
    ) -> Result<(), &'a Fault<'a>> {
        let Some(elements) = self.elements(array)? else { return Ok(()) };
        for (index, element) in (0..).zip(elements) {
            self.enter(scope, element, index);
            let go_on = match self.eval(value) {
                Value::Missing => true,
                Value::Invalid(fault) => return Err(fault),
                value => see(self, value)?,
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}

/// What came of the elements; or the first value that is invalid.
type Folded<'a> = Result<Value<'a>, &'a Fault<'a>>;
