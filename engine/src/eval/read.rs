//! Slots to values: what the text of a slot means as a type.

use bumpalo::Bump;

use crate::convert;
use crate::eval::{Content, Machine};
use crate::plan::{ScopeId, Slot};
use crate::project::{strict, string};
use crate::types::Type;
use crate::value::Value;

impl<'a> Machine<'a, '_> {
    /// The text in a slot; none if it is missing.
    pub(super) fn slot(&self, slot: Slot) -> Option<&'a str> {
        let text = match slot {
            Slot::Scope(scope, slot) => {
                let first = self.around.layout.first_slot[usize::from(scope)];
                self.slots[first + usize::from(slot)]?
            }
            Slot::Wrapper(member) => {
                self.around.wrapper.get(usize::from(member)).copied().flatten()?
            }
            Slot::WrapperPart(part, slot) => {
                let slots = self.around.wrapper_parts.get(usize::from(part))?;
                slots.get(usize::from(slot)).copied().flatten()?
            }
            Slot::Choice(choice) => return self.chosen(&self.plan.choices[usize::from(choice)]),
        };
        self.content(slot).present(text).then_some(text)
    }

    /// Reads a slot as a type.
    pub(crate) fn read(&self, slot: Slot, ty: Type) -> Value<'a> {
        match self.slot(slot) {
            Some(text) => self.content(slot).read(text, ty, self.arena),
            None => Value::Missing,
        }
    }

    /// Reads a slot as text, if it is a JSON string or a cell.
    pub(crate) fn read_string(&self, slot: Slot) -> Value<'a> {
        match self.slot(slot) {
            Some(text) => self.content(slot).read_string(text, self.arena),
            None => Value::Missing,
        }
    }

    /// The text behind the first probe that is not missing.
    fn chosen(&self, ways: &[(Slot, Slot)]) -> Option<&'a str> {
        let (_, value) = ways.iter().find(|(probe, _)| self.slot(*probe).is_some())?;
        self.slot(*value)
    }

    /// Is the text in a slot that of a cell, and no JSON?
    pub(super) fn is_cell(&self, slot: Slot) -> bool {
        self.content(slot).cells
    }

    /// What a slot holds.
    fn content(&self, slot: Slot) -> Content {
        let content = |scope| self.around.layout.content[usize::from(scope)];
        self.scope_of(slot).map_or_else(|| Content::of_wrapper(self.plan), content)
    }

    /// The scope that fills a slot, or all those of a choice. None if it is the document around the records.
    pub(super) fn scope_of(&self, slot: Slot) -> Option<ScopeId> {
        match slot {
            Slot::Scope(scope, _) => Some(scope),
            Slot::Wrapper(_) | Slot::WrapperPart(..) => None,
            Slot::Choice(choice) => {
                let (probe, _) = self.plan.choices[usize::from(choice)].first()?;
                self.scope_of(*probe)
            }
        }
    }
}

impl Content {
    /// Is a text that was found a value?
    #[inline(always)]
    pub(crate) fn present(self, text: &str) -> bool {
        let (null, empty) =
            if self.cells { (false, text.is_empty()) } else { (text == "null", text == "\"\"") };
        !(null || (empty && self.empty_is_missing))
    }

    /// Reads a text that is present as a type.
    pub(crate) fn read<'a>(self, text: &'a str, ty: Type, arena: &'a Bump) -> Value<'a> {
        match (ty, self.cells) {
            // A cell is text, whatever it looks like.
            (Type::Json, true) => return Value::Text(text),
            (Type::Json, false) => return read_json(text, arena),
            _ => {}
        }
        let content = if self.cells { Some(text) } else { scalar(text, arena) };
        match content.map(|text| (text, convert::read_text(text, ty, self.numbers))) {
            Some((_, Some(value))) => value,
            Some((text, None)) => convert::fault(arena, ty.noun(), text),
            None => convert::fault(arena, ty.noun(), text),
        }
    }

    /// Reads a text that is present as text, if it is a JSON string or a cell.
    pub(crate) fn read_string<'a>(self, text: &'a str, arena: &'a Bump) -> Value<'a> {
        if self.cells || text.starts_with('"') {
            self.read(text, Type::Text, arena)
        } else {
            Value::Missing
        }
    }
}

/// The text of a JSON string, number or truth value. None of an object or array, and of what is not one JSON value.
fn scalar<'a>(text: &'a str, arena: &'a Bump) -> Option<&'a str> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return strict::is_bare_scalar(bytes).then_some(text);
    }
    string::unescape(text.get(1..text.len() - 1)?, arena)
}

/// Copied as it stands, on one line.
fn read_json<'a>(text: &'a str, arena: &'a Bump) -> Value<'a> {
    if let Err(fault) = strict::check_copy(text) {
        return convert::fault(arena, fault.noun(), text);
    }
    // In a sound record line ends are white space: within strings they would be escaped.
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Value::Json(text);
    }
    let one_line = text.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c });
    let one_line = bumpalo::collections::String::from_iter_in(one_line, arena);
    Value::Json(one_line.into_bump_str())
}
