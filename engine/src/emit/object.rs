//! Objects: what is empty or incomplete is left out, and so on up.
//!
//! An object is complete when its required members are there and one of each list of `at_least_one` is. Whether a
//! member was written is remembered by its number in the emit, so that a constraint can name members of members.

use bumpalo::Bump;

use crate::batch::TextRange;
use crate::convert;
use crate::emit::fit::{Fitted, fit};
use crate::emit::{Maker, json};
use crate::eval::list::Array;
use crate::plan::{Echo, Element, Field, Member, Object, OutputNode};
use crate::value::Value;

/// The number that means *Other* in every enum.
const OTHER: i64 = 99;

impl<'a> Maker<'_, 'a, '_> {
    /// Writes the event's object; says too what it lacks to be complete.
    pub(super) fn root(&mut self, root: &'a Object) -> (TextRange, Option<String>) {
        let start = self.out.len();
        self.members(root);
        let lacking = (!self.is_complete(root)).then(|| self.lacking(root));
        (self.range_from(start), lacking)
    }

    /// Writes the object of a member, or an element of its list, unless it is empty or incomplete.
    fn object(&mut self, member: u32, object: &'a Object) -> bool {
        if let Some(guard) = object.guard
            && self.machine.truth(guard) != Ok(true)
        {
            return false;
        }
        let start = self.out.len();
        let held = self.members(object);
        let written = held && self.is_complete(object);
        self.counts(member).incomplete += u64::from(held && !written);
        if !written {
            self.out.truncate(start);
            self.forget(object);
        }
        written
    }

    /// Writes all members that are there, in braces; false if there are none.
    fn members(&mut self, object: &'a Object) -> bool {
        self.out.push(b'{');
        let empty = self.out.len();
        for member in &object.members {
            if member.filler && self.out.len() == empty {
                continue;
            }
            let start = self.out.len();
            if start > empty {
                self.out.push(b',');
            }
            self.out.extend_from_slice(member.key.as_bytes());
            let written = self.node(member.present, &member.node);
            // Of several that exclude each other the first stays; the others are evaluated all the same.
            let excluded = member.unless.iter().any(|other| self.present[*other as usize]);
            if written && !excluded {
                self.present[member.present as usize] = true;
            } else {
                self.counts(member.present).skipped += u64::from(written);
                self.out.truncate(start);
                self.forget_below(member);
            }
        }
        self.out.push(b'}');
        self.out.len() > empty + 1
    }

    /// Writes what a member holds; false if there is nothing.
    fn node(&mut self, member: u32, node: &'a OutputNode) -> bool {
        match node {
            OutputNode::Constant(text) => {
                self.out.extend_from_slice(text.as_bytes());
                true
            }
            OutputNode::Value(field) => self.value(member, field).is_some(),
            OutputNode::Enum(field, echoes) => {
                let value = self.value(member, field);
                match value {
                    Some(Value::Int(number)) => {
                        echoes.iter().for_each(|echo| self.echo(echo, number));
                    }
                    Some(Value::List(numbers)) => {
                        echoes.iter().for_each(|echo| self.echoes(echo, numbers));
                    }
                    _ => {}
                }
                value.is_some()
            }
            OutputNode::Object(object) => self.object(member, object),
            OutputNode::List(elements) => self.list(member, elements),
        }
    }

    fn value(&mut self, member: u32, field: &'a Field) -> Option<Value<'a>> {
        let line = self.first_member + member as usize;
        let value = self.field(field, line, false, Value::Int(0))?;
        json::write_value(value, &field.check, self.out);
        Some(value)
    }

    fn echo(&mut self, echo: &'a Echo, number: i64) {
        let word = match echo.other {
            Some(other) if number == OTHER => self.machine.eval(other),
            _ => Value::Missing,
        };
        let start = self.out.len();
        self.out.push(b',');
        self.out.extend_from_slice(echo.key.as_bytes());
        if !self.caption(echo, number, word) {
            self.out.truncate(start);
        }
    }

    /// The captions of a list of numbers, as a list.
    fn echoes(&mut self, echo: &'a Echo, numbers: &[Value<'a>]) {
        let words = match echo.other {
            Some(other) if numbers.contains(&Value::Int(OTHER)) => self.machine.eval(other),
            _ => Value::Missing,
        };
        let words = match words {
            Value::List(words) if words.len() == numbers.len() => words,
            _ => &[],
        };
        let start = self.out.len();
        self.out.push(b',');
        self.out.extend_from_slice(echo.key.as_bytes());
        let mut separator = b'[';
        for (index, number) in numbers.iter().enumerate() {
            self.out.push(separator);
            separator = b',';
            let Value::Int(number) = *number else { continue };
            let word = if number == OTHER { words.get(index).copied() } else { None };
            if !self.caption(echo, number, word.unwrap_or(Value::Missing)) {
                self.out.truncate(start);
                return;
            }
        }
        self.out.push(b']');
    }

    /// Writes the word if it does, else the caption that is listed; false if there is neither.
    fn caption(&mut self, echo: &'a Echo, number: i64, word: Value<'a>) -> bool {
        if let Some(word) = self::word(echo, word, self.machine.arena) {
            json::write_string(word, self.out);
            return true;
        }
        let listed = echo.texts.iter().find(|(of, _)| *of == number);
        if let Some((_, text)) = listed {
            self.out.extend_from_slice(text.as_bytes());
        }
        listed.is_some()
    }

    fn list(&mut self, member: u32, elements: &'a [Element]) -> bool {
        self.out.push(b'[');
        let empty = self.out.len();
        for element in elements {
            match element {
                Element::One(object) => self.element(member, empty, object),
                Element::Each { array, scope, max, object } => {
                    let elements = match self.machine.array(*array) {
                        Array::Missing => continue,
                        Array::Elements(elements) => elements,
                        Array::Other(_) | Array::Invalid(_) => {
                            *self.skipped += 1;
                            let counts = self.counts(member);
                            counts.invalid += 1;
                            counts.skipped += 1;
                            continue;
                        }
                    };
                    let mut elements = elements;
                    for (index, text) in (0..*max).zip(elements.by_ref()) {
                        self.machine.enter(*scope, text, index);
                        self.element(member, empty, object);
                    }
                    self.counts(member).beyond_max += elements.count() as u64;
                }
            }
        }
        self.out.push(b']');
        self.out.len() > empty + 1
    }

    fn element(&mut self, member: u32, list: usize, object: &'a Object) {
        let start = self.out.len();
        if start > list {
            self.out.push(b',');
        }
        // The same members were counted as present for the element before.
        self.forget(object);
        if !self.object(member, object) {
            self.out.truncate(start);
        }
    }

    fn is_complete(&self, object: &Object) -> bool {
        if object.is_complete {
            return true;
        }
        let is_present = |number: &u32| self.present[*number as usize];
        object.members.iter().all(|member| !member.required || is_present(&member.present))
            && object.at_least_one.iter().all(|ways| ways.iter().any(is_present))
    }

    /// The first required member that is absent, else the members of the first constraint that is not met.
    fn lacking(&self, object: &Object) -> String {
        let is_absent =
            |member: &&Member| member.required && !self.present[member.present as usize];
        if let Some(absent) = object.members.iter().find(is_absent) {
            return name(absent).to_owned();
        }
        let is_unmet = |ways: &&Vec<u32>| !ways.iter().any(|way| self.present[*way as usize]);
        let unmet = object.at_least_one.iter().find(is_unmet);
        let ways = unmet.into_iter().flatten().filter_map(|number| way(object, *number));
        ways.collect::<Vec<_>>().join(", ")
    }

    /// The members of an object that was left out are not present.
    fn forget(&mut self, object: &Object) {
        for member in &object.members {
            self.present[member.present as usize] = false;
            self.forget_below(member);
        }
    }

    fn forget_below(&mut self, member: &Member) {
        match &member.node {
            OutputNode::Object(object) => self.forget(object),
            OutputNode::List(elements) => {
                for element in elements {
                    let (Element::One(object) | Element::Each { object, .. }) = element;
                    self.forget(object);
                }
            }
            OutputNode::Constant(_) | OutputNode::Value(_) | OutputNode::Enum(..) => {}
        }
    }
}

/// The source's own word, if it fits its place. A blank one names nothing.
pub(crate) fn word<'a>(echo: &Echo, word: Value<'a>, arena: &'a Bump) -> Option<&'a str> {
    let Value::Text(word) = convert::text_of(word, arena) else { return None };
    let is_blank = word.chars().all(|char| char.is_whitespace() || char.is_control());
    let fits = || matches!(fit(&echo.check, Value::Text(word), arena), Fitted::Value(_));
    (!is_blank && fits()).then_some(word)
}

/// The name in `"name":`.
fn name(member: &Member) -> &str {
    member.key.trim_matches(|c| matches!(c, '"' | ':'))
}

/// The way to a member from an object around it: `a.b`.
fn way(object: &Object, number: u32) -> Option<String> {
    object.members.iter().find_map(|member| {
        if member.present == number {
            return Some(name(member).to_owned());
        }
        match &member.node {
            OutputNode::Object(below) => {
                way(below, number).map(|rest| format!("{}.{rest}", name(member)))
            }
            _ => None,
        }
    })
}
