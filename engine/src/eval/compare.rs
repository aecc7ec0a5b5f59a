//! Comparisons. A missing operand gives false, and so true for `!=`.

use std::cmp::Ordering;

use regex::Regex;

use crate::decimal::Decimal;
use crate::eval::arithmetic::float;
use crate::eval::constant_value;
use crate::plan::{Comparison, Constant, Patterns};
use crate::value::Value;

pub(crate) fn compare<'a>(comparison: Comparison, left: Value<'a>, right: Value<'a>) -> Value<'a> {
    for side in [left, right] {
        if matches!(side, Value::Invalid(_)) {
            return side;
        }
    }
    if left == Value::Missing || right == Value::Missing {
        return Value::Bool(comparison == Comparison::NotEqual);
    }
    Value::Bool(match comparison {
        Comparison::Equal => is_equal(left, right),
        Comparison::NotEqual => !is_equal(left, right),
        Comparison::Less => order(left, right).is_some_and(Ordering::is_lt),
        Comparison::LessEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right).is_some_and(Ordering::is_gt),
        Comparison::GreaterEqual => order(left, right).is_some_and(Ordering::is_ge),
        Comparison::StartsWith => texts(left, right).is_some_and(|(l, r)| l.starts_with(r)),
        Comparison::EndsWith => texts(left, right).is_some_and(|(l, r)| l.ends_with(r)),
        Comparison::Contains => texts(left, right).is_some_and(|(l, r)| l.contains(r)),
    })
}

pub(crate) fn is_in<'a>(subject: Value<'a>, constants: &[Constant]) -> Value<'a> {
    match subject {
        Value::Invalid(_) => subject,
        Value::Missing => Value::Bool(false),
        _ => Value::Bool(constants.iter().any(|one| is_equal(subject, constant_value(one)))),
    }
}

pub(super) fn is_element<'a>(subject: Value<'a>, list: Value<'a>) -> Value<'a> {
    match (subject, list) {
        (Value::Invalid(_), _) => subject,
        (_, Value::Invalid(_)) => list,
        (Value::Missing, _) => Value::Bool(false),
        (_, Value::List(list)) => Value::Bool(list.iter().any(|one| is_equal(subject, *one))),
        _ => Value::Bool(false),
    }
}

pub(crate) fn is_text_in<'a>(subject: Value<'a>, texts: &Patterns) -> Value<'a> {
    match subject {
        Value::Invalid(_) => subject,
        Value::Text(text) => Value::Bool(texts.get(text).is_some()),
        _ => Value::Bool(false),
    }
}

pub(crate) fn matches<'a>(subject: Value<'a>, pattern: &Regex) -> Value<'a> {
    match subject {
        Value::Invalid(_) => subject,
        Value::Text(text) => Value::Bool(pattern.is_match(text)),
        _ => Value::Bool(false),
    }
}

fn texts<'a>(left: Value<'a>, right: Value<'a>) -> Option<(&'a str, &'a str)> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some((left, right)),
        _ => None,
    }
}

fn is_equal(left: Value<'_>, right: Value<'_>) -> bool {
    match order(left, right) {
        Some(order) => order.is_eq(),
        None => left == right,
    }
}

/// The order of two values of one type, or of two numbers.
fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    Some(match (left, right) {
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(&right),
        (Value::Decimal(left), Value::Decimal(right)) => left.cmp(&right),
        (Value::Int(left), Value::Decimal(right)) => Decimal::from_i64(left).cmp(&right),
        (Value::Decimal(left), Value::Int(right)) => left.cmp(&Decimal::from_i64(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(&right)?,
        (Value::Float(left), right) => left.partial_cmp(&float(right)?)?,
        (left, Value::Float(right)) => float(left)?.partial_cmp(&right)?,
        (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
        (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::Duration(left), Value::Duration(right)) => left.cmp(&right),
        (Value::Ip(left), Value::Ip(right)) => left.cmp(&right),
        (Value::Cidr(left), Value::Cidr(right)) => left.cmp(&right),
        _ => return None,
    })
}
