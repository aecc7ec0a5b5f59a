//! Values to JSON.

use std::io::Write;

use crate::decimal::Decimal;
use crate::plan::Check;
use crate::read;
use crate::value::Value;

/// Writes a value that fits its target.
pub(crate) fn write_value(value: Value<'_>, check: &Check, out: &mut Vec<u8>) {
    match value {
        // What has no value is left out before.
        Value::Missing | Value::Invalid(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => write_string(text, out),
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Int(number) => write_int(number, out),
        Value::Decimal(number) => write_decimal(number, out),
        Value::Float(number) => read::write_float(number, out),
        Value::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        Value::Timestamp(ns) => match check {
            // Rounded down, as durations are.
            Check::EventTime | Check::EpochMillis => read::write_duration_ms(ns, out),
            _ => write_time(ns, out),
        },
        Value::Duration(ns) => read::write_duration_ms(ns, out),
        Value::Ip(address) => write_displayed(format_args!("\"{address}\""), out),
        Value::Cidr(network) => write_displayed(format_args!("\"{network}\""), out),
        Value::List(values) => {
            let check = if let Check::List(each) = check { each } else { check };
            let mut separator = b'[';
            for value in values {
                out.push(separator);
                separator = b',';
                write_value(*value, check, out);
            }
            out.extend_from_slice(if values.is_empty() { b"[]" } else { b"]" });
        }
    }
}

/// Writes an instant as RFC 3339 text.
pub(crate) fn write_time(ns: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    read::write_timestamp(ns, out);
    out.push(b'"');
}

/// Writes a whole number.
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    write_displayed(format_args!("{number}"), out);
}

/// Writes a decimal as a number.
pub(crate) fn write_decimal(number: Decimal, out: &mut Vec<u8>) {
    write_displayed(format_args!("{number}"), out);
}

/// Writes what needs no escapes.
pub(crate) fn write_displayed(arguments: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    out.write_fmt(arguments).expect("writing to memory does not fail");
}

/// Writes a JSON string.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(eight) = rest.first_chunk::<8>() {
        let plain = plain_bytes(*eight);
        // All eight are written, and those from the first on that has to be escaped are taken back: that
        // costs less than to write a number of bytes that is not known before.
        out.extend_from_slice(eight);
        if plain == 8 {
            rest = &rest[8..];
        } else {
            out.truncate(out.len() - (8 - plain));
            write_escape(eight[plain], out);
            rest = &rest[plain + 1..];
        }
    }
    for &byte in rest {
        if ESCAPED[usize::from(byte)] { write_escape(byte, out) } else { out.push(byte) }
    }
    out.push(b'"');
}

/// How many of the first bytes need not be escaped.
///
/// The bytes are compared all at once, as lanes of one number. A comparison may also mark lanes behind the
/// first that it holds for, but never one before.
///
/// Source: Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
fn plain_bytes(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(bytes);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let marks = (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (ONES << 7);
    marks.trailing_zeros() as usize / 8
}

/// Which bytes may not stand in a JSON string as they are.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        escaped[control] = true;
        control += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => return write_displayed(format_args!("\\u{byte:04x}"), out),
    };
    out.extend_from_slice(&[b'\\', letter]);
}
