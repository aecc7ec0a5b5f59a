//! `nfc`: one spelling for each character.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "nfc",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Normalises a text (Unicode NFC): a letter and an accent behind it become one character, \
          so that two spellings that look alike compare as equal.",
    examples: &[
        Example::gives("\"Mu\u{308}ller\" |> nfc", "M\u{fc}ller"),
        Example::gives("\"M\u{fc}ller\" |> nfc", "M\u{fc}ller"),
        Example::gives("\"\u{212b}\" |> nfc", "\u{c5}"),
    ],
    prepare: |_, _| {
        bind("nfc", (), |(), args, arena| {
            let text = text_arg(args, 0);
            if is_nfc_quick(text.chars()) == IsNormalized::Yes {
                return Value::Text(text);
            }
            let normal = bumpalo::collections::String::from_iter_in(text.nfc(), arena);
            Value::Text(normal.into_bump_str())
        })
    },
};
