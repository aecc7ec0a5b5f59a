//! Arithmetic, order and text of values.

use std::cmp::Ordering;

use weir_engine::decimal::Decimal;
use weir_engine::plan::Arithmetic;
use weir_engine::value::Value;

/// What an arithmetic that cannot be done says.
const OVERFLOW: &str = "the result is too large";
const ZERO: &str = "division by zero";

type Computed<'a> = Result<Value<'a>, &'static str>;

/// Computes. Invalid operands come out (the left one first), then missing ones.
pub(super) fn compute<'a>(how: Arithmetic, left: Value<'a>, right: Value<'a>) -> Computed<'a> {
    Ok(match (left, right) {
        (fault @ Value::Invalid(_), _) | (_, fault @ Value::Invalid(_)) => fault,
        (Value::Missing, _) | (_, Value::Missing) => Value::Missing,
        (Value::Float(left), Value::Float(right)) => float(how, left, right)?,
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            Value::Duration(int(how, left, right)?)
        }
        (Value::Timestamp(left), Value::Duration(right)) => {
            Value::Timestamp(int(how, left, right)?)
        }
        (Value::Duration(left), Value::Timestamp(right)) => {
            Value::Timestamp(int(how, left, right)?)
        }
        (Value::Duration(left), Value::Duration(right)) => Value::Duration(int(how, left, right)?),
        (Value::Int(left), Value::Int(right)) if how != Arithmetic::Divide => {
            Value::Int(int(how, left, right)?)
        }
        (left, right) => decimal(how, left, right)?,
    })
}

fn int(how: Arithmetic, left: i64, right: i64) -> Result<i64, &'static str> {
    match how {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => None,
    }
    .ok_or(OVERFLOW)
}

fn decimal<'a>(how: Arithmetic, left: Value<'a>, right: Value<'a>) -> Computed<'a> {
    let (left, right) = (scaled(left).ok_or(OVERFLOW)?, scaled(right).ok_or(OVERFLOW)?);
    if how == Arithmetic::Divide && right == Decimal(0) {
        return Err(ZERO);
    }
    match how {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
    }
    .map(Value::Decimal)
    .ok_or(OVERFLOW)
}

fn float<'a>(how: Arithmetic, left: f64, right: f64) -> Computed<'a> {
    if how == Arithmetic::Divide && right == 0.0 {
        return Err(ZERO);
    }
    let result = match how {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err(OVERFLOW) }
}

/// Minus a value.
pub(super) fn negate(value: Value<'_>) -> Computed<'_> {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int),
        Value::Duration(ns) => ns.checked_neg().map(Value::Duration),
        Value::Decimal(Decimal(scaled)) => {
            scaled.checked_neg().map(|scaled| Value::Decimal(Decimal(scaled)))
        }
        Value::Float(float) => Some(Value::Float(-float)),
        other => Some(other),
    }
    .ok_or(OVERFLOW)
}

/// A whole number as a decimal.
pub(super) fn decimal_of(int: i64) -> Decimal {
    Decimal(i128::from(int) * 1_000_000_000_000_000_000)
}

fn scaled(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Int(int) => Some(decimal_of(int)),
        Value::Decimal(decimal) => Some(decimal),
        _ => None,
    }
}

/// The order of two values of one kind; whole numbers and decimals may mix.
pub(super) fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(&right)),
        (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(&right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(&right),
        (Value::Ip(left), Value::Ip(right)) => Some(left.cmp(&right)),
        (Value::Cidr(left), Value::Cidr(right)) => Some(left.cmp(&right)),
        (left, right) => Some(scaled(left)?.cmp(&scaled(right)?)),
    }
}

/// The one text that a value has.
pub(super) fn text_of(value: Value<'_>) -> String {
    match value {
        Value::Missing | Value::Invalid(_) | Value::List(_) => String::new(),
        Value::Text(text) | Value::Json(text) => text.to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Decimal(decimal) => decimal_text(decimal),
        Value::Float(float) => weir_engine::read::float_text(float),
        Value::Bool(value) => value.to_string(),
        Value::Timestamp(ns) => rfc3339(ns),
        Value::Duration(ns) => ns.div_euclid(1_000_000).to_string(),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(network) => network.to_string(),
    }
}

/// Plain notation without trailing zeros.
pub(super) fn decimal_text(Decimal(scaled): Decimal) -> String {
    let digits = format!("{:019}", scaled.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - 18);
    let sign = if scaled < 0 { "-" } else { "" };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// RFC 3339 in UTC, the fraction only as long as needed.
pub(super) fn rfc3339(ns: i64) -> String {
    let seconds = ns.div_euclid(1_000_000_000);
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let fraction = format!(".{:09}", ns.rem_euclid(1_000_000_000));
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The date of a day, counted from 1970-01-01, by walking the years and months.
fn date(mut days: i64) -> (i64, usize, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let year_days = |year| if leap(year) { 366 } else { 365 };
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += year_days(year);
    }
    while days >= year_days(year) {
        days -= year_days(year);
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    (year, month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_dates() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(rfc3339(951_782_400_500_000_000), "2000-02-29T00:00:00.5Z");
        assert_eq!(rfc3339(4_102_444_799_000_000_000), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn decimals_are_written_plainly() {
        let texts = [(0, "0"), (-1, "-0.000000000000000001"), (1_500_000_000_000_000_000, "1.5")];
        for (scaled, text) in texts {
            assert_eq!(decimal_text(Decimal(scaled)), text);
        }
    }
}
