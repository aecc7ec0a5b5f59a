//! `abs`: without its sign.

use bumpalo::Bump;

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::convert::failed;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "abs",
    params: &[Param::new("number", ParamKind::Number)],
    result: ResultType::Number,
    takes_missing: false,
    doc: "Takes the sign off a number.",
    examples: &[
        Example::gives(r#"-7 |> abs"#, r#"7"#),
        Example::gives(r#"-0.5 |> abs"#, r#"0.5"#),
        Example::invalid(r#"-9223372036854775808 |> abs"#),
    ],
    prepare: |_, _| bind("abs", (), run),
};

fn run<'a>((): &(), args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let abs = match args[0] {
        Value::Int(number) => number.checked_abs().map(Value::Int),
        Value::Decimal(number) => number.checked_abs().map(Value::Decimal),
        Value::Float(number) => Some(Value::Float(number.abs())),
        other => Some(other),
    };
    abs.unwrap_or_else(|| failed(arena, "overflow"))
}
