//! When two rows are the same, whoever made them.
//!
//! A row is the OCSF object of an event. Null, `{}` and `[]` are as good as nothing, keys may stand in any order, and
//! fractions may differ by a billionth: not every tool can leave a member out, and many compute with floating-point
//! numbers. For the same reason a price that is written as text is compared as a number.

use serde_json::{Map, Value};

/// Numbers may differ by so much of themselves.
const TOLERANCE: f64 = 1e-9;
/// The member whose text is a number: `enrichments[].value`.
const NUMERIC_TEXT: &str = "value";

/// How two rows differ.
///
/// # Errors
///
/// The place of the first difference, and both values.
pub fn same(expected: &str, row: &str) -> Result<(), String> {
    if expected == row {
        return Ok(());
    }
    let read = |text: &str, whose: &str| {
        serde_json::from_str::<Value>(text)
            .map_err(|error| format!("{whose} row is no JSON ({error}): {}", short(text)))
    };
    let (expected, row) = (read(expected, "the expected")?, read(row, "the")?);
    compare("", &expected, &row)
}

/// A row without its raw record.
///
/// # Errors
///
/// If it is no JSON object, or holds none.
pub fn without_raw(row: &str) -> Result<String, String> {
    let read = serde_json::from_str::<Value>(row);
    let mut row = read.map_err(|error| format!("the row is no JSON ({error}): {}", short(row)))?;
    match row.as_object_mut().and_then(|members| members.remove("raw_data")) {
        Some(Value::String(raw)) if !raw.is_empty() => Ok(row.to_string()),
        _ => Err("the row has no raw_data".to_owned()),
    }
}

fn compare(path: &str, expected: &Value, value: &Value) -> Result<(), String> {
    let is_same = match (expected, value) {
        (Value::Object(expected), Value::Object(members)) => {
            return compare_objects(path, expected, members);
        }
        (Value::Array(expected), Value::Array(elements)) => {
            let (expected, elements) = (present(expected), present(elements));
            if expected.len() == elements.len() {
                let mut pairs = expected.into_iter().zip(elements).enumerate();
                return pairs
                    .try_for_each(|(index, (a, b))| compare(&format!("{path}[{index}]"), a, b));
            }
            false
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => near(a.as_f64(), b.as_f64()),
        },
        (Value::String(a), Value::String(b)) if path.ends_with(NUMERIC_TEXT) => {
            a == b || near(a.parse().ok(), b.parse().ok())
        }
        (expected, value) => expected == value || (is_absent(expected) && is_absent(value)),
    };
    match is_same {
        true => Ok(()),
        false => {
            let (expected, value) = (short(&expected.to_string()), short(&value.to_string()));
            Err(format!("{} is {value}, expected {expected}", path.trim_start_matches('.')))
        }
    }
}

fn compare_objects(
    path: &str,
    expected: &Map<String, Value>,
    members: &Map<String, Value>,
) -> Result<(), String> {
    for (name, value) in expected {
        let other = members.get(name).unwrap_or(&Value::Null);
        compare(&format!("{path}.{name}"), value, other)?;
    }
    let more = members.iter().filter(|(name, _)| !expected.contains_key(*name));
    for (name, value) in more {
        compare(&format!("{path}.{name}"), &Value::Null, value)?;
    }
    Ok(())
}

fn present(elements: &[Value]) -> Vec<&Value> {
    elements.iter().filter(|element| !is_absent(element)).collect()
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_absent),
        Value::Array(elements) => elements.iter().all(is_absent),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
