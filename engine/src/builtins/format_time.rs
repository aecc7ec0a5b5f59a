//! `format_time`: an instant as text.

use bumpalo::Bump;

use super::{
    Builtin, Example, Param, ParamKind, ResultType, bind, constant_text, timestamp::bad_format,
};
use crate::time_format::TimeFormat;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "format_time",
    params: &[
        Param::new("time", ParamKind::Value(Type::Timestamp)),
        Param::new("format", ParamKind::ConstantText),
    ],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Writes a timestamp in UTC by a format of the directives that `timestamp` reads.",
    examples: &[
        Example::gives(r#""2026-04-10T08:09:10Z" |> format_time("%Y-%m-%d")"#, r#"2026-04-10"#),
        Example::gives(
            r#""2026-04-10T18:09:10.5Z" |> format_time("%e %b %Y, %I:%M %p (day %j)%.f %z")"#,
            r#"10 Apr 2026, 06:09 PM (day 100).5 +0000"#,
        ),
    ],
    prepare: |constants, _| {
        let format = TimeFormat::for_writing(constant_text(constants, 0));
        bind("format_time", format.map_err(|error| bad_format(&error))?, run)
    },
};

fn run<'a>(format: &TimeFormat, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let Value::Timestamp(ns) = args[0] else { return args[0] };
    let mut text = bumpalo::collections::String::new_in(arena);
    // Writing to a text in memory does not fail.
    let _ = format.write(ns, &mut text);
    Value::Text(text.into_bump_str())
}
