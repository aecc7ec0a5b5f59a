//! Numbers, timestamps and durations. What does not fit is invalid, never wrapped or rounded away.

use bumpalo::Bump;

use crate::convert;
use crate::decimal::Decimal;
use crate::plan::Arithmetic;
use crate::value::Value;

const TOO_LARGE: &str = "the result is too large";

pub(crate) fn negate<'a>(value: Value<'a>, arena: &'a Bump) -> Value<'a> {
    let negative = match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Decimal(number) => number.checked_neg().map(Value::Decimal),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Duration(ns) => ns.checked_neg().map(Value::Duration),
        other => Some(other),
    };
    negative.unwrap_or_else(|| convert::failed(arena, TOO_LARGE))
}

pub(crate) fn compute<'a>(
    operation: Arithmetic,
    left: Value<'a>,
    right: Value<'a>,
    arena: &'a Bump,
) -> Value<'a> {
    for side in [left, right] {
        if matches!(side, Value::Invalid(_)) {
            return side;
        }
    }
    if left == Value::Missing || right == Value::Missing {
        return Value::Missing;
    }
    let result = match (left, right) {
        (Value::Int(left), Value::Int(right)) => of_ints(operation, left, right),
        (Value::Float(left), right) => of_floats(operation, Some(left), float(right)),
        (left, Value::Float(right)) => of_floats(operation, float(left), Some(right)),
        (Value::Timestamp(_) | Value::Duration(_), _) | (_, Value::Duration(_)) => {
            of_times(operation, left, right)
        }
        _ => of_decimals(operation, decimal(left), decimal(right)),
    };
    result.unwrap_or_else(|| {
        let by_zero = operation == Arithmetic::Divide && is_zero(right);
        convert::failed(arena, if by_zero { "division by zero" } else { TOO_LARGE })
    })
}

fn of_ints<'a>(operation: Arithmetic, left: i64, right: i64) -> Option<Value<'a>> {
    match operation {
        Arithmetic::Add => left.checked_add(right).map(Value::Int),
        Arithmetic::Subtract => left.checked_sub(right).map(Value::Int),
        Arithmetic::Multiply => left.checked_mul(right).map(Value::Int),
        // Two whole numbers seldom divide without a rest.
        Arithmetic::Divide => of_decimals(operation, Some(left.into()), Some(right.into())),
    }
}

fn of_decimals<'a>(
    operation: Arithmetic,
    left: Option<Decimal>,
    right: Option<Decimal>,
) -> Option<Value<'a>> {
    let (left, right) = (left?, right?);
    let result = match operation {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
    };
    result.map(Value::Decimal)
}

fn of_floats<'a>(
    operation: Arithmetic,
    left: Option<f64>,
    right: Option<f64>,
) -> Option<Value<'a>> {
    let (left, right) = (left?, right?);
    let result = match operation {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    };
    result.is_finite().then_some(Value::Float(result))
}

fn of_times<'a>(operation: Arithmetic, left: Value<'a>, right: Value<'a>) -> Option<Value<'a>> {
    use Arithmetic::{Add, Subtract};
    use Value::{Duration, Timestamp};
    match (operation, left, right) {
        (Subtract, Timestamp(left), Timestamp(right)) => left.checked_sub(right).map(Duration),
        (Add, Timestamp(at), Duration(by)) | (Add, Duration(by), Timestamp(at)) => {
            at.checked_add(by).map(Timestamp)
        }
        (Subtract, Timestamp(at), Duration(by)) => at.checked_sub(by).map(Timestamp),
        (Add, Duration(left), Duration(right)) => left.checked_add(right).map(Duration),
        (Subtract, Duration(left), Duration(right)) => left.checked_sub(right).map(Duration),
        _ => None,
    }
}

fn decimal(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(number.into()),
        Value::Decimal(number) => Some(number),
        _ => None,
    }
}

/// A number as binary floating point.
pub(super) fn float(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(number as f64),
        Value::Decimal(number) => Some(number.to_f64()),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

fn is_zero(value: Value<'_>) -> bool {
    match value {
        Value::Int(number) => number == 0,
        Value::Decimal(number) => number == Decimal::ZERO,
        Value::Float(number) => number == 0.0,
        _ => false,
    }
}
