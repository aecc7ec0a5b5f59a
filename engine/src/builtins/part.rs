//! `part`: one piece of several.

use bumpalo::Bump;

use super::{
    Builtin, Constant, Example, Param, ParamKind, ResultType, bind, constant_count,
    constant_nonempty, text_arg,
};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "part",
    params: &[
        Param::TEXT,
        Param::new("separator", ParamKind::ConstantText),
        Param::new("position", ParamKind::ConstantIntOrLast),
    ],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Cuts a text at every separator and gives the piece at a position, counted from 0, or \
          the `last`. Beyond the end there is none: missing.",
    examples: &[
        Example::gives(r#""project.archived" |> part(".", 0)"#, r#"project"#),
        Example::gives(r#""project.archived" |> part(".", last)"#, r#"archived"#),
        Example::gives(r#""a::b::c" |> part("::", 1)"#, r#"b"#),
        Example::gives(r#""alone" |> part(".", last)"#, r#"alone"#),
        Example::missing(r#""a.b" |> part(".", 2)"#),
    ],
    prepare: |constants, _| {
        let separator = constant_nonempty(constants, 0)?;
        let position = match constants.get(1) {
            Some(Constant::Last) => None,
            _ => Some(constant_count(constants, 1, 0)?),
        };
        bind("part", (separator, position), run)
    },
};

fn run<'a>(
    (separator, position): &(String, Option<usize>),
    args: &[Value<'a>],
    _: &'a Bump,
) -> Value<'a> {
    let text = text_arg(args, 0);
    let part = match position {
        Some(position) => text.split(separator.as_str()).nth(*position),
        None => text.rsplit(separator.as_str()).next(),
    };
    part.map_or(Value::Missing, Value::Text)
}
