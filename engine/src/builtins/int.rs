//! `int`: a whole number.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::convert;
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "int",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Int),
    takes_missing: false,
    doc: "Reads a whole number of 64 bits. `1.0` and `1e3` are whole; in a CSV input the signs \
          of its `decimal` and `grouping` count.",
    examples: &[
        Example::gives(r#""42" |> int"#, r#"42"#),
        Example::gives(r#""1e3" |> int"#, r#"1000"#),
        Example::gives(r#"1.0 |> int"#, r#"1"#),
        Example::invalid(r#""1.5" |> int"#),
        Example::invalid(r#""" |> int"#),
        Example::invalid(r#"9223372036854775808.0 |> int"#),
    ],
    prepare: |_, environment| {
        bind("int", environment.numbers, |numbers, args, arena| {
            convert(args[0], Type::Int, *numbers, arena)
        })
    },
};
