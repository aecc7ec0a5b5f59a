//! `replace`: one text for another.

use bumpalo::Bump;

use super::{
    Builtin, Example, Param, ParamKind, ResultType, TEXT_BYTES_MAX, bind, constant_nonempty,
    constant_text, text_arg,
};
use crate::convert::failed;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "replace",
    params: &[
        Param::TEXT,
        Param::new("from", ParamKind::ConstantText),
        Param::new("to", ParamKind::ConstantText),
    ],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Replaces every occurrence of one literal text by another, from the left, without \
          looking at what it has put in. A result of more than 16 MiB is invalid.",
    examples: &[
        Example::gives(r#""a/b/c" |> replace("/", "::")"#, r#"a::b::c"#),
        Example::gives(r#""aaa" |> replace("aa", "a")"#, r#"aa"#),
        Example::gives(r#""a-b" |> replace("-", "")"#, r#"ab"#),
        Example::gives(r#""abc" |> replace("x", "y")"#, r#"abc"#),
    ],
    prepare: |constants, _| {
        let (from, to) = (constant_nonempty(constants, 0)?, constant_text(constants, 1).to_owned());
        bind("replace", (from, to), run)
    },
};

fn run<'a>((from, to): &(String, String), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let text = text_arg(args, 0);
    let mut pieces = text.split(from.as_str());
    let first = pieces.next().unwrap_or_default();
    if first.len() == text.len() {
        return Value::Text(text);
    }
    let mut result = bumpalo::collections::String::with_capacity_in(text.len(), arena);
    result.push_str(first);
    for piece in pieces {
        if result.len() + to.len() + piece.len() > TEXT_BYTES_MAX {
            return failed(arena, "the text would be longer than 16 MiB");
        }
        result.push_str(to);
        result.push_str(piece);
    }
    Value::Text(result.into_bump_str())
}
