//! `strip_suffix`: without a certain end.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, constant_nonempty, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "strip_suffix",
    params: &[Param::TEXT, Param::new("suffix", ParamKind::ConstantText)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Takes a suffix off, once. A text without it stays as it is.",
    examples: &[
        Example::gives(r#""web.example.com" |> strip_suffix(".example.com")"#, r#"web"#),
        Example::gives(r#""web" |> strip_suffix(".example.com")"#, r#"web"#),
    ],
    prepare: |constants, _| {
        bind("strip_suffix", constant_nonempty(constants, 0)?, |suffix, args, _| {
            let text = text_arg(args, 0);
            Value::Text(text.strip_suffix(suffix.as_str()).unwrap_or(text))
        })
    },
};
