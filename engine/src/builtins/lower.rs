//! `lower`: small letters.

use bumpalo::Bump;

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "lower",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Makes all letters small: Unicode's simple mapping, letter by letter, the same in \
          every language.",
    examples: &[
        Example::gives(r#""Anna@Muster.de" |> lower"#, r#"anna@muster.de"#),
        Example::gives(r#""Größe, Straße" |> lower"#, r#"größe, straße"#),
        Example::gives(r#""İ" |> lower"#, r#"i"#),
        Example::gives(r#""ΟΔΟΣ" |> lower"#, r#"οδοσ"#),
    ],
    prepare: |_, _| bind("lower", (), run),
};

fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    Value::Text(lower(text_arg(args, 0), arena))
}

/// A text in small letters.
pub(crate) fn lower<'a>(text: &'a str, arena: &'a Bump) -> &'a str {
    if !text.is_ascii() {
        let letters = text.chars().map(simple_lower);
        return bumpalo::collections::String::from_iter_in(letters, arena).into_bump_str();
    }
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    let copy = arena.alloc_str(text);
    copy.make_ascii_lowercase();
    copy
}

/// The simple mapping of `UnicodeData.txt`, which the full one of the standard library differs from in a few letters.
fn simple_lower(letter: char) -> char {
    let mut mapped = letter.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        // Of several only the first belongs to the simple mapping: U+0130, the dotted capital I.
        (Some(first), Some(_)) => first,
        (None, _) => letter,
    }
}
