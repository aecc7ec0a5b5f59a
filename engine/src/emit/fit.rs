//! Does a value fit its target?

use bumpalo::Bump;

use crate::code::Code;
use crate::convert;
use crate::plan::{Check, TextLimits};
use crate::types::Type;
use crate::value::{Fault, Value};

/// 2000-01-01 and 2100-01-01 as UTC nanoseconds.
pub(crate) const EVENT_TIME_NS: std::ops::Range<i64> =
    946_684_800_000_000_000..4_102_444_800_000_000_000;

/// The outcome of a field.
pub(crate) enum Fitted<'a> {
    /// A value that can be written.
    Value(Value<'a>),
    /// None.
    Missing,
    /// One that cannot be read, or that does not fit.
    Invalid(Code, &'a Fault<'a>),
}

/// Checks a value against its target, and gives it the target's type where that loses nothing.
pub(crate) fn fit<'a>(check: &Check, value: Value<'a>, arena: &'a Bump) -> Fitted<'a> {
    let (code, wanted) = match (value, accept(check, value)) {
        (Value::Missing, _) => return Fitted::Missing,
        (Value::Invalid(fault), _) => return Fitted::Invalid(Code::Invalid, fault),
        (_, Ok(value)) => return Fitted::Value(value),
        (_, Err(refused)) => refused,
    };
    let shown = match value {
        // Of a list the first value that does not fit.
        Value::List(values) => match check {
            Check::List(each) => values.iter().copied().find(|value| accept(each, *value).is_err()),
            _ => None,
        },
        value => Some(value),
    };
    let text = match shown.map(|shown| convert::text_of(shown, arena)) {
        Some(Value::Text(text)) => text,
        _ => "",
    };
    match convert::fault(arena, wanted, text) {
        Value::Invalid(fault) => Fitted::Invalid(code, fault),
        _ => Fitted::Missing,
    }
}

/// The value as it is written; or the code, and what is wanted.
fn accept<'a>(check: &Check, value: Value<'a>) -> Result<Value<'a>, (Code, &'static str)> {
    let fits = match (check, value) {
        (Check::Text, Value::Text(_))
        | (Check::Bool, Value::Bool(_))
        | (Check::Decimal, Value::Decimal(_))
        | (Check::Float, Value::Float(_))
        | (Check::EpochMillis | Check::Rfc3339, Value::Timestamp(_))
        | (Check::Ip, Value::Ip(_))
        | (Check::Json, _) => true,
        (Check::Decimal, Value::Int(number)) => return Ok(Value::Decimal(number.into())),
        (Check::Float, Value::Int(number)) => return Ok(Value::Float(number as f64)),
        (Check::Float, Value::Decimal(number)) => return Ok(Value::Float(number.to_f64())),
        (Check::LimitedText(_), value) => is_text(check, value),
        (Check::List(each), Value::List(values)) => {
            if let Some(refused) = values.iter().find_map(|value| accept(each, *value).err()) {
                return Err(refused);
            }
            true
        }
        (Check::Int(low, high), Value::Int(number)) => (*low..=*high).contains(&number),
        (Check::DurationMillis(low, high), Value::Duration(ns)) => {
            (*low..=*high).contains(&ns.div_euclid(1_000_000))
        }
        (Check::Enum(numbers), Value::Int(number)) => numbers.contains(&number),
        (Check::EventTime, Value::Timestamp(ns)) if EVENT_TIME_NS.contains(&ns) => true,
        (Check::EventTime, Value::Timestamp(_)) => {
            return Err((Code::TimeRange, "a time between 2000 and 2100"));
        }
        _ => false,
    };
    if fits { Ok(value) } else { Err((Code::Invalid, wanted(check))) }
}

/// Is it a text within the limits of its target?
fn is_text(check: &Check, value: Value<'_>) -> bool {
    match (check, value) {
        (Check::LimitedText(limits), Value::Text(text)) => is_within(limits, text),
        _ => false,
    }
}

/// Does a text keep to its limits?
pub(crate) fn is_within(limits: &TextLimits, text: &str) -> bool {
    limits.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        && is_within_but_for_pattern(limits, text)
}

/// The same without what it must match.
#[inline]
pub(crate) fn is_within_but_for_pattern(limits: &TextLimits, text: &str) -> bool {
    let TextLimits { chars_max, values, .. } = limits;
    chars_max.is_none_or(|max| has_chars_max(text, max as usize))
        && (values.is_empty() || values.iter().any(|value| value == text))
}

fn has_chars_max(text: &str, max: usize) -> bool {
    // No text has more characters than bytes.
    text.len() <= max || text.chars().count() <= max
}

/// What messages say that a value has to be.
fn wanted(check: &Check) -> &'static str {
    match check {
        Check::Text => Type::Text.noun(),
        Check::LimitedText(limits) => limits.noun,
        Check::List(each) => wanted(each),
        Check::Int(..) => "a whole number in range",
        Check::Enum(_) => "a number of the enum",
        Check::Decimal => Type::Decimal.noun(),
        Check::Float => Type::Float.noun(),
        Check::Bool => Type::Bool.noun(),
        Check::EventTime | Check::EpochMillis | Check::Rfc3339 => Type::Timestamp.noun(),
        Check::DurationMillis(..) => "a duration in range",
        Check::Ip => Type::Ip.noun(),
        Check::Json => Type::Json.noun(),
    }
}
