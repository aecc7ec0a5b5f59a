//! `min`: one of two numbers.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::same_number_type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "min",
    params: &[Param::new("a", ParamKind::Number), Param::new("b", ParamKind::Number)],
    result: ResultType::Number,
    takes_missing: false,
    doc: "The smaller of two numbers. They may be of different types; the result is of the \
          wider one.",
    examples: &[
        Example::gives(r#"3 |> min(5)"#, r#"3"#),
        Example::gives(r#"0.5 |> min(1)"#, r#"0.5"#),
        Example::gives(r#""1.5" |> float |> min(2.5)"#, r#"1.5"#),
    ],
    prepare: |_, _| {
        bind("min", (), |(), args, _| {
            let (a, b, order) = same_number_type(args[0], args[1]);
            if order.is_le() { a } else { b }
        })
    },
};
