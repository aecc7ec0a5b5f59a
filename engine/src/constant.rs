//! Values that are always the same, computed before the first record: by the same code that would compute them for each.

use bumpalo::Bump;

use crate::block::Record;
use crate::convert;
use crate::duration;
use crate::emit::fit::{Fitted, fit};
use crate::emit::json;
use crate::eval::{Layout, Machine, Surroundings, constant_value};
use crate::plan::{Check, Constant, ExprId, ObjectMeta, Plan};
use crate::project;
use crate::read;
use crate::tally::Tally;
use crate::types::Type;
use crate::value::Value;

/// The outcome of an expression all of whose operands are constants. None if it is invalid, or of a type that has no
/// constants: then it stays as it is.
pub fn evaluate(plan: &Plan, expr: ExprId) -> Option<Constant> {
    let (arena, object) = (Bump::new(), ObjectMeta::default());
    let record = Record { start: 0, end: 0, offset: 0, size: 0, index: 0, line: 0, fault: None };
    let layout = Layout::new(plan);
    let around = Surroundings {
        plan,
        layout: &layout,
        record: &record,
        bytes: &[],
        object: &object,
        wrapper: &[],
        wrapper_parts: &[],
        arena: &arena,
    };
    let mut scratch = project::json::Scratch::default();
    constant(Machine::new(around, &mut scratch, &mut Tally::default()).eval(expr))
}

/// The value as a target takes it. None if it is missing or does not fit.
pub fn fitted(check: &Check, value: &Constant) -> Option<Constant> {
    let arena = Bump::new();
    match fit(check, constant_value(value), &arena) {
        Fitted::Value(value) => constant(value),
        Fitted::Missing | Fitted::Invalid(..) => None,
    }
}

/// Can the target take the value? One that is missing leaves it out.
pub fn fits(check: &Check, value: &Constant) -> bool {
    let arena = Bump::new();
    !matches!(fit(check, constant_value(value), &arena), Fitted::Invalid(..))
}

/// The JSON that stands for a value in an event. None if it is missing or does not fit.
pub fn to_json(check: &Check, value: &Constant) -> Option<String> {
    let arena = Bump::new();
    let Fitted::Value(value) = fit(check, constant_value(value), &arena) else { return None };
    let mut text = Vec::new();
    json::write_value(value, check, &mut text);
    String::from_utf8(text).ok()
}

/// A constant that has no literal of its own, from its text. None if the text is none of that type.
pub fn read(text: &str, ty: Type) -> Option<Constant> {
    match ty {
        Type::Timestamp => read::timestamp(text).map(Constant::Timestamp),
        Type::Duration => duration::read(text).map(Constant::Duration),
        Type::Ip => read::ip(text).map(Constant::Ip),
        _ => None,
    }
}

/// The text that a `match` or a table looks for. None of what is missing.
pub fn to_text(value: &Constant) -> Option<String> {
    let arena = Bump::new();
    match convert::text_of(constant_value(value), &arena) {
        Value::Text(text) => Some(text.to_owned()),
        _ => None,
    }
}

fn constant(value: Value<'_>) -> Option<Constant> {
    Some(match value {
        Value::Missing => Constant::Missing,
        Value::Text(text) => Constant::Text(text.to_owned()),
        Value::Int(number) => Constant::Int(number),
        Value::Decimal(number) => Constant::Decimal(number),
        Value::Bool(truth) => Constant::Bool(truth),
        Value::Duration(ns) => Constant::Duration(ns),
        Value::Timestamp(ns) => Constant::Timestamp(ns),
        Value::Ip(address) => Constant::Ip(address),
        _ => return None,
    })
}
