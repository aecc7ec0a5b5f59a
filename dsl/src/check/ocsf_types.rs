//! From an attribute of OCSF to what is wanted of its value.

use regex::Regex;
use weir_engine::plan::{Check, TextLimits};
use weir_engine::types::Type;

use crate::ocsf::{Attribute, AttributeType, Base, DataType};

/// What a scalar attribute wants: the type of the expression, and how it is checked and written.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) ty: Type,
    pub(super) check: Check,
}

/// What an attribute that holds no object wants. `natural` is the type that the expression has by itself:
/// a duration may go where milliseconds are counted.
pub(super) fn wanted(attribute: &Attribute, natural: Option<Type>) -> Option<Wanted> {
    let AttributeType::Scalar(data_type) = attribute.ty else { return None };
    if attribute.is_array {
        let of = scalar(attribute, data_type, None)?;
        return Some(Wanted { ty: of.ty.list(), check: Check::List(Box::new(of.check)) });
    }
    scalar(attribute, data_type, natural)
}

fn scalar(attribute: &Attribute, data_type: &DataType, natural: Option<Type>) -> Option<Wanted> {
    let wanted = |ty, check| Some(Wanted { ty, check });
    match (data_type.name, data_type.base) {
        ("timestamp_t", _) => wanted(Type::Timestamp, Check::EpochMillis),
        ("datetime_t", _) => wanted(Type::Timestamp, Check::Rfc3339),
        ("ip_t", _) => wanted(Type::Ip, Check::Ip),
        (_, Base::Boolean) => wanted(Type::Bool, Check::Bool),
        (_, Base::Float) => wanted(Type::Decimal, Check::Decimal),
        (_, Base::Json) => match natural {
            Some(list @ Type::List(_)) => wanted(list, Check::List(Box::new(Check::Json))),
            _ => wanted(Type::Json, Check::Json),
        },
        (_, base @ (Base::Integer | Base::Long)) => {
            // The schema states no range for integers; readers of the events (Parquet, SIEMs) use 32 bits.
            let (least, most) = data_type.range.unwrap_or(match base {
                Base::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => (i64::MIN, i64::MAX),
            });
            match natural {
                Some(Type::Duration) => wanted(Type::Duration, Check::DurationMillis(least, most)),
                _ => wanted(Type::Int, Check::Int(least, most)),
            }
        }
        (_, Base::String) => wanted(
            Type::Text,
            limits(attribute, data_type)
                .map_or(Check::Text, |limits| Check::LimitedText(Box::new(limits))),
        ),
    }
}

/// The limits of a text; none if every text does.
fn limits(attribute: &Attribute, data_type: &DataType) -> Option<TextLimits> {
    let values: Vec<String> = match attribute.enumeration {
        Some(enumeration) => enumeration.values.iter().map(|value| value.key.to_owned()).collect(),
        None => data_type.values.iter().map(|value| (*value).to_owned()).collect(),
    };
    // Every pattern of the facts compiles: a test of the facts sees to it. `\d` means ASCII digits there.
    let pattern =
        data_type.regex.and_then(|pattern| Regex::new(&pattern.replace("\\d", "[0-9]")).ok());
    let limits =
        TextLimits { pattern, chars_max: data_type.max_len, values, noun: noun(data_type.name) };
    let limited =
        limits.pattern.is_some() || limits.chars_max.is_some() || !limits.values.is_empty();
    limited.then_some(limits)
}

fn noun(data_type: &str) -> &'static str {
    match data_type {
        "email_t" => "an e-mail address",
        "mac_t" => "a MAC address",
        "subnet_t" => "a subnet",
        "uuid_t" => "a UUID",
        "hostname_t" => "a host name",
        "bytestring_t" => "base64 text",
        "string_t" => "one of the texts that OCSF lists",
        _ => "a text of the kind that OCSF asks for",
    }
}
