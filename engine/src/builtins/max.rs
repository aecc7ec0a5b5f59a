//! `max`: one of two numbers.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::same_number_type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "max",
    params: &[Param::new("a", ParamKind::Number), Param::new("b", ParamKind::Number)],
    result: ResultType::Number,
    takes_missing: false,
    doc: "The larger of two numbers. They may be of different types; the result is of the \
          wider one.",
    examples: &[
        Example::gives(r#"3 |> max(5)"#, r#"5"#),
        Example::gives(r#"0.5 |> max(1)"#, r#"1"#),
        Example::gives(r#""1.5" |> float |> max(2.5)"#, r#"2.5"#),
    ],
    prepare: |_, _| {
        bind("max", (), |(), args, _| {
            let (a, b, order) = same_number_type(args[0], args[1]);
            if order.is_ge() { a } else { b }
        })
    },
};
