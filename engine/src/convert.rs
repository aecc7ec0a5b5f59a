//! From one type to another: the one text of every value, and what a text is read as.

use std::cmp::Ordering;

use bumpalo::Bump;

use crate::cidr::Cidr;
use crate::duration;
use crate::read;
use crate::types::{NumberFormat, Type};
use crate::value::{Fault, Value};

/// An invalid value: `text` is not `wanted`. Of a long text the beginning is kept, cut at a character.
pub fn fault<'a>(arena: &'a Bump, wanted: &'static str, text: &str) -> Value<'a> {
    let mut kept = text.len().min(Fault::TEXT_BYTES_MAX);
    while !text.is_char_boundary(kept) {
        kept -= 1;
    }
    Value::Invalid(arena.alloc(Fault { wanted, text: Some(arena.alloc_str(&text[..kept])) }))
}

/// An invalid value whose fault is a clause of its own: `division by zero`.
pub fn failed<'a>(arena: &'a Bump, clause: &'static str) -> Value<'a> {
    Value::Invalid(arena.alloc(Fault { wanted: clause, text: None }))
}

/// The one text of a value: RFC 3339 with `Z`, decimals without trailing zeros, durations in milliseconds.
///
/// The text of JSON is its text. A list has none. Missing and invalid stay so.
pub fn text_of<'a>(value: Value<'a>, arena: &'a Bump) -> Value<'a> {
    match value {
        Value::Missing | Value::Invalid(_) | Value::Text(_) => value,
        Value::Json(text) => Value::Text(text),
        Value::Bool(truth) => Value::Text(if truth { "true" } else { "false" }),
        Value::Int(number) => format_in(arena, format_args!("{number}")),
        Value::Decimal(number) => format_in(arena, format_args!("{number}")),
        Value::Float(number) => Value::Text(arena.alloc_str(&read::float_text(number))),
        Value::Timestamp(ns) => {
            let mut buffer = [0; read::TIMESTAMP_BYTES_MAX];
            Value::Text(arena.alloc_str(read::timestamp_text(ns, &mut buffer)))
        }
        Value::Duration(ns) => format_in(arena, format_args!("{}", read::duration_ms(ns))),
        Value::Ip(address) => format_in(arena, format_args!("{address}")),
        Value::Cidr(network) => format_in(arena, format_args!("{network}")),
        Value::List(_) => failed(arena, "a list has no text"),
    }
}

pub(crate) fn format_in<'a>(arena: &'a Bump, arguments: std::fmt::Arguments<'_>) -> Value<'a> {
    let mut text = bumpalo::collections::String::new_in(arena);
    // Writing to a text in memory does not fail.
    let _ = std::fmt::Write::write_fmt(&mut text, arguments);
    Value::Text(text.into_bump_str())
}

/// Changes a value to a type: whole numbers, decimals and floats into one another, text by its reader, anything to text.
///
/// A value of another type is read by its text, which seldom does; then it is invalid, as is a number that does not fit.
pub fn convert<'a>(
    value: Value<'a>,
    to: Type,
    numbers: NumberFormat,
    arena: &'a Bump,
) -> Value<'a> {
    let converted = match (value, to) {
        (Value::Missing | Value::Invalid(_), _)
        | (Value::Text(_), Type::Text)
        | (Value::Int(_), Type::Int)
        | (Value::Decimal(_), Type::Decimal)
        | (Value::Float(_), Type::Float)
        | (Value::Bool(_), Type::Bool)
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Duration(_), Type::Duration)
        | (Value::Ip(_), Type::Ip)
        | (Value::Cidr(_), Type::Cidr)
        | (Value::Json(_), Type::Json)
        | (Value::List(_), Type::List(_)) => Some(value),
        (_, Type::Text) => Some(text_of(value, arena)),
        (Value::Text(text), _) => read_text(text, to, numbers),
        (Value::Int(number), Type::Decimal) => Some(Value::Decimal(number.into())),
        (Value::Int(number), Type::Float) => Some(Value::Float(number as f64)),
        (Value::Decimal(number), Type::Int) => number.to_i64().map(Value::Int),
        (Value::Decimal(number), Type::Float) => Some(Value::Float(number.to_f64())),
        _ => match text_of(value, arena) {
            Value::Text(text) => read_text(text, to, NumberFormat::default()),
            _ => None,
        },
    };
    converted.unwrap_or_else(|| match text_of(value, arena) {
        Value::Text(text) => fault(arena, to.noun(), text),
        other => other,
    })
}

/// Two numbers as ones of the wider type (int, decimal, float), and which is the larger.
///
/// Values that are no numbers stay as they are, and count as equal.
pub fn same_number_type<'a>(a: Value<'a>, b: Value<'a>) -> (Value<'a>, Value<'a>, Ordering) {
    match (a, b) {
        (Value::Int(left), Value::Int(right)) => (a, b, left.cmp(&right)),
        (Value::Decimal(left), Value::Decimal(right)) => (a, b, left.cmp(&right)),
        // There is no NaN.
        (Value::Float(left), Value::Float(right)) => (a, b, left.total_cmp(&right)),
        (Value::Int(left), Value::Decimal(_)) => same_number_type(Value::Decimal(left.into()), b),
        (Value::Decimal(_), Value::Int(right)) => same_number_type(a, Value::Decimal(right.into())),
        (Value::Float(_), Value::Int(right)) => same_number_type(a, Value::Float(right as f64)),
        (Value::Float(_), Value::Decimal(right)) => {
            same_number_type(a, Value::Float(right.to_f64()))
        }
        (Value::Int(left), Value::Float(_)) => same_number_type(Value::Float(left as f64), b),
        (Value::Decimal(left), Value::Float(_)) => same_number_type(Value::Float(left.to_f64()), b),
        _ => (a, b, Ordering::Equal),
    }
}

/// Reads a text as a type that texts are read as.
pub fn read_text(text: &str, to: Type, numbers: NumberFormat) -> Option<Value<'_>> {
    match to {
        Type::Text => Some(Value::Text(text)),
        Type::Int => read::int(text, numbers).map(Value::Int),
        Type::Decimal => read::decimal(text, numbers).map(Value::Decimal),
        Type::Float => read::float(text, numbers).map(Value::Float),
        Type::Bool => read::boolean(text).map(Value::Bool),
        Type::Timestamp => read::timestamp(text).map(Value::Timestamp),
        Type::Ip => read::ip(text).map(Value::Ip),
        Type::Cidr => Cidr::parse(text).map(Value::Cidr),
        Type::Duration => duration::read(text).map(Value::Duration),
        Type::Json | Type::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;

    const GERMAN: NumberFormat = NumberFormat { decimal: b',', grouping: Some(b'.') };

    #[test]
    fn every_scalar_has_one_text() {
        let arena = Bump::new();
        for (value, text) in [
            (Value::Text("x"), "x"),
            (Value::Int(-7), "-7"),
            (Value::Decimal(Decimal::parse("20.10").unwrap()), "20.1"),
            (Value::Float(1e300), "1e300"),
            (Value::Bool(true), "true"),
            (Value::Timestamp(1_500_000_000), "1970-01-01T00:00:01.5Z"),
            (Value::Duration(-1), "-1"),
            (Value::Ip("2001:DB8::1".parse().unwrap()), "2001:db8::1"),
            (Value::Json("[1]"), "[1]"),
        ] {
            assert_eq!(text_of(value, &arena), Value::Text(text));
        }
        assert_eq!(text_of(Value::Missing, &arena), Value::Missing);
        assert!(matches!(text_of(Value::List(&[]), &arena), Value::Invalid(_)));
    }

    #[test]
    fn conversions() {
        let arena = Bump::new();
        let convert = |value, to| convert(value, to, GERMAN, &arena);
        let half = Decimal::parse("0.5").unwrap();
        assert_eq!(convert(Value::Text("0,5"), Type::Decimal), Value::Decimal(half));
        assert_eq!(convert(Value::Text("1.200"), Type::Int), Value::Int(1200));
        assert_eq!(convert(Value::Int(2), Type::Decimal), Value::Decimal(Decimal::from_i64(2)));
        assert_eq!(convert(Value::Decimal(Decimal::from_i64(2)), Type::Int), Value::Int(2));
        assert_eq!(convert(Value::Decimal(half), Type::Float), Value::Float(0.5));
        // A float's own text has a point, whatever the input's numbers look like.
        assert_eq!(convert(Value::Float(0.5), Type::Decimal), Value::Decimal(half));
        assert_eq!(convert(Value::Text("true"), Type::Bool), Value::Bool(true));
        assert_eq!(convert(Value::Missing, Type::Int), Value::Missing);
        for (value, to, wanted, text) in [
            (Value::Decimal(half), Type::Int, "a whole number", "0.5"),
            (Value::Text("0.5"), Type::Decimal, "a number", "0.5"),
            (Value::Int(1), Type::Timestamp, "a timestamp", "1"),
            (Value::Bool(true), Type::Ip, "an IP address", "true"),
            (Value::Text("{}"), Type::Json, "JSON", "{}"),
            (Value::Text("5"), Type::Duration, "a duration", "5"),
        ] {
            assert_eq!(convert(value, to), Value::Invalid(&Fault { wanted, text: Some(text) }));
        }
    }

    #[test]
    fn faults_keep_the_beginning() {
        let arena = Bump::new();
        let text = format!("{}\u{e9}", "x".repeat(63));
        let Value::Invalid(fault) = fault(&arena, "text", &text) else { panic!("no fault") };
        assert_eq!(fault.text, Some("x".repeat(63).as_str()));
    }
}
