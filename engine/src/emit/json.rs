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
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(plain) = rest.iter().position(|byte| ESCAPED[usize::from(*byte)]) {
        out.extend_from_slice(&rest[..plain]);
        write_escape(rest[plain], out);
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
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
