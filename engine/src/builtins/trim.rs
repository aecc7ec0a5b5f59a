//! `trim`: no white space around it.

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "trim",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Takes white space (of Unicode) off both ends.",
    examples: &[
        Example::gives(r#"" a b\t" |> trim"#, r#"a b"#),
        Example::gives(r#""\u{a0}x" |> trim"#, r#"x"#),
        Example::gives(r#""  " |> trim"#, r#""#),
    ],
    prepare: |_, _| bind("trim", (), |(), args, _| Value::Text(text_arg(args, 0).trim())),
};
