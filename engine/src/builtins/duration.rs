//! `duration`: a length of time, from text or a count.

use bumpalo::Bump;

use super::{Builtin, Constant, Example, Param, ParamKind, Prepared, ResultType, bind, unit};
use crate::convert::{fault, text_of};
use crate::decimal::Decimal;
use crate::types::{NumberFormat, Type};
use crate::value::Value;
use crate::{duration, read};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "duration",
    params: &[
        Param::new("value", ParamKind::Scalar),
        Param::new("unit", ParamKind::ConstantWord).optional(),
    ],
    result: ResultType::Fixed(Type::Duration),
    takes_missing: false,
    doc: "Reads a duration: a text such as `1m32.5s` or `PT1M32S`, or with a unit (`ns us ms s m h d`) a number \
          of it, or its text. Years and months have no length of their own. What is finer than a nanosecond is \
          cut off. Its own text is its milliseconds.",
    examples: &[
        Example::gives(r#""1m32.5s" |> duration"#, "92500"),
        Example::gives(r#""PT1M32S" |> duration"#, "92000"),
        Example::gives(r#""-250ms" |> duration"#, "-250"),
        Example::gives(r#"1.5 |> duration("s")"#, "1500"),
        Example::gives(r#""90" |> duration("m")"#, "5400000"),
        Example::invalid(r#"90 |> duration"#),
        Example::invalid(r#""P1M" |> duration"#),
        Example::invalid(r#""1.5s" |> duration("s")"#),
    ],
    prepare,
};

fn prepare(constants: &[Constant], environment: &super::Environment) -> Prepared {
    if constants.is_empty() {
        return bind("duration", (), |(), args, arena| match text_of(args[0], arena) {
            _ if matches!(args[0], Value::Duration(_)) => args[0],
            Value::Text(text) => match duration::read(text) {
                Some(ns) => Value::Duration(ns),
                None => fault(arena, Type::Duration.noun(), text),
            },
            other => other,
        });
    }
    let unit_ns = unit::of_duration(constants, 0)?;
    bind("duration", (unit_ns, environment.numbers), run)
}

fn run<'a>(
    &(unit_ns, numbers): &(i64, NumberFormat),
    args: &[Value<'a>],
    arena: &'a Bump,
) -> Value<'a> {
    let number = match args[0] {
        Value::Int(number) => Some(number.into()),
        Value::Decimal(number) => Some(number),
        Value::Float(number) => Decimal::from_f64(number),
        Value::Text(text) => read::decimal(text, numbers),
        _ => None,
    };
    match number.and_then(|number| in_ns(number, unit_ns)) {
        Some(ns) => Value::Duration(ns),
        None => match text_of(args[0], arena) {
            Value::Text(text) => fault(arena, Type::Duration.noun(), text),
            other => other,
        },
    }
}

/// Cut off behind the nanosecond.
fn in_ns(number: Decimal, unit_ns: i64) -> Option<i64> {
    let scaled = ethnum::I256::from(number.0) * ethnum::I256::from(unit_ns);
    i64::try_from(scaled / ethnum::I256::from(Decimal::from_i64(1).0)).ok()
}
