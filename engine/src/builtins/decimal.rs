//! `decimal`: an exact number.

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::convert;
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "decimal",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Decimal),
    takes_missing: false,
    doc: "Reads an exact decimal of 18 places; further places are rounded half-even. In a CSV \
          input the signs of its `decimal` and `grouping` count.",
    examples: &[
        Example::gives(r#""20.10" |> decimal"#, r#"20.1"#),
        Example::gives(r#""2.25e-05" |> decimal"#, r#"0.0000225"#),
        Example::gives(r#"3 |> decimal"#, r#"3"#),
        Example::invalid(r#""1,5" |> decimal"#),
    ],
    prepare: |_, environment| {
        bind("decimal", environment.numbers, |numbers, args, arena| {
            convert(args[0], Type::Decimal, *numbers, arena)
        })
    },
};
