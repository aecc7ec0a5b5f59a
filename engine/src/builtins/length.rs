//! `length`: how long it is.

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "length",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Int),
    takes_missing: false,
    doc: "Counts the characters (code points) of a text.",
    examples: &[Example::gives(r#""Größe" |> length"#, r#"5"#)],
    prepare: |_, _| {
        bind("length", (), |(), args, _| {
            let count = text_arg(args, 0).chars().count();
            Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
        })
    },
};
