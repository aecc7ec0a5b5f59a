//! `float`: a floating-point number.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::convert;
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "float",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Float),
    takes_missing: false,
    doc: "Reads a floating-point number, the nearest one of 64 bits.",
    examples: &[
        Example::gives(r#""0.1" |> float"#, r#"0.1"#),
        Example::gives(r#""1e300" |> float"#, r#"1e300"#),
        Example::gives(r#"0.5 |> float"#, r#"0.5"#),
        Example::invalid(r#""1e309" |> float"#),
    ],
    prepare: |_, environment| {
        bind("float", environment.numbers, |numbers, args, arena| {
            convert(args[0], Type::Float, *numbers, arena)
        })
    },
};
