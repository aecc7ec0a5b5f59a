//! `truncate`: the beginning.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, constant_count, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "truncate",
    params: &[Param::TEXT, Param::new("length", ParamKind::ConstantInt)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Keeps the first characters (code points), at most so many.",
    examples: &[
        Example::gives(r#""abcdef" |> truncate(3)"#, r#"abc"#),
        Example::gives(r#""Größe" |> truncate(3)"#, r#"Grö"#),
        Example::gives(r#""ab" |> truncate(3)"#, r#"ab"#),
    ],
    prepare: |constants, _| {
        bind("truncate", constant_count(constants, 0, 1)?, |length, args, _| {
            let text = text_arg(args, 0);
            let end = text.char_indices().nth(*length).map_or(text.len(), |(offset, _)| offset);
            Value::Text(&text[..end])
        })
    },
};
