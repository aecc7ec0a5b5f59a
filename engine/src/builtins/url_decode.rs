//! `url_decode`: percent-encoding resolved.

use bumpalo::Bump;

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::convert::fault;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "url_decode",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Resolves percent-encoding (RFC 3986). A `%` without two hexadecimal digits, or bytes \
          that are no UTF-8, are invalid. A `+` stays a `+`.",
    examples: &[
        Example::gives(r#""a%20b%2Fc" |> url_decode"#, r#"a b/c"#),
        Example::gives(r#""Gr%C3%B6%C3%9fe" |> url_decode"#, r#"Größe"#),
        Example::gives(r#""a+b" |> url_decode"#, r#"a+b"#),
        Example::invalid(r#""100%" |> url_decode"#),
        Example::invalid(r#""%+1" |> url_decode"#),
        Example::invalid(r#""%ff" |> url_decode"#),
    ],
    prepare: |_, _| bind("url_decode", (), run),
};

fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let text = text_arg(args, 0);
    if !text.contains('%') {
        return Value::Text(text);
    }
    decode(text.as_bytes(), arena)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .map_or_else(|| fault(arena, "percent-encoded text", text), Value::Text)
}

fn decode<'a>(mut text: &[u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let mut bytes = bumpalo::collections::Vec::with_capacity_in(text.len(), arena);
    while let [first, rest @ ..] = text {
        text = rest;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, rest @ ..] = rest else { return None };
        bytes.push(nibble(*high)? << 4 | nibble(*low)?);
        text = rest;
    }
    Some(bytes.into_bump_slice())
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
