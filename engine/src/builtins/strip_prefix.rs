//! `strip_prefix`: without a certain beginning.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, constant_nonempty, text_arg};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "strip_prefix",
    params: &[Param::TEXT, Param::new("prefix", ParamKind::ConstantText)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Takes a prefix off, once. A text without it stays as it is.",
    examples: &[
        Example::gives(r#""AWS::S3" |> strip_prefix("AWS::")"#, r#"S3"#),
        Example::gives(r#""S3" |> strip_prefix("AWS::")"#, r#"S3"#),
        Example::gives(r#""aab" |> strip_prefix("a")"#, r#"ab"#),
    ],
    prepare: |constants, _| {
        bind("strip_prefix", constant_nonempty(constants, 0)?, |prefix, args, _| {
            let text = text_arg(args, 0);
            Value::Text(text.strip_prefix(prefix.as_str()).unwrap_or(text))
        })
    },
};
