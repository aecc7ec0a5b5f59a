//! `round`: fewer decimal places.

use bumpalo::Bump;

use super::{Builtin, Example, Param, ParamKind, ResultType, bind, constant_count};
use crate::convert::failed;
use crate::decimal::Decimal;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "round",
    params: &[
        Param::new("number", ParamKind::Number),
        Param::new("places", ParamKind::ConstantInt).optional(),
    ],
    result: ResultType::Number,
    takes_missing: false,
    doc: "Rounds half-even to so many decimal places, to none if it is not said. Whole numbers \
          stay as they are.",
    examples: &[
        Example::gives(r#"1337.892672004 |> round(6)"#, r#"1337.892672"#),
        Example::gives(r#"0.125 |> round(2)"#, r#"0.12"#),
        Example::gives(r#"2.5 |> round"#, r#"2"#),
        Example::gives(r#"7 |> round(2)"#, r#"7"#),
        Example::gives(r#""2.675" |> float |> round(2)"#, r#"2.68"#),
        Example::invalid(r#"170141183460469231731.6 |> round(0)"#),
    ],
    prepare: |constants, _| {
        let places = if constants.is_empty() { 0 } else { constant_count(constants, 0, 0)? };
        bind("round", u32::try_from(places).unwrap_or(Decimal::PLACES), run)
    },
};

fn run<'a>(places: &u32, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    match args[0] {
        Value::Decimal(number) => {
            number.round(*places).map_or_else(|| failed(arena, "overflow"), Value::Decimal)
        }
        // A float that no decimal holds has no places to round.
        Value::Float(number) => {
            let rounded = Decimal::from_f64(number).and_then(|number| number.round(*places));
            Value::Float(rounded.map_or(number, Decimal::to_f64))
        }
        whole => whole,
    }
}
