//! `upper`: capital letters.

use bumpalo::Bump;

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "upper",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Makes all letters capital: Unicode's simple mapping, letter by letter, the same in \
          every language.",
    examples: &[
        Example::gives(r#""Anna@Muster.de" |> upper"#, r#"ANNA@MUSTER.DE"#),
        Example::gives(r#""Größe, Straße" |> upper"#, r#"GRÖßE, STRAßE"#),
        Example::gives(r#""İ" |> upper"#, r#"İ"#),
        Example::gives(r#""ᾳ ŉ ǆ" |> upper"#, r#"ᾼ ŉ Ǆ"#),
    ],
    prepare: |_, _| bind("upper", (), run),
};

fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let text = text_arg(args, 0);
    if !text.is_ascii() {
        let letters = text.chars().map(simple_upper);
        return Value::Text(
            bumpalo::collections::String::from_iter_in(letters, arena).into_bump_str(),
        );
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Value::Text(text);
    }
    let copy = arena.alloc_str(text);
    copy.make_ascii_uppercase();
    Value::Text(copy)
}

/// The simple mapping of `UnicodeData.txt`, which the full one of the standard library differs from in a few letters.
fn simple_upper(letter: char) -> char {
    let mut mapped = letter.to_uppercase();
    if let (Some(only), None) = (mapped.next(), mapped.next()) {
        return only;
    }
    // Greek letters with an iota below map to those with an iota beside; others of several letters have no mapping.
    let offset = match letter {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(letter) + offset).unwrap_or(letter)
}
