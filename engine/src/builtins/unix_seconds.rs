//! `unix_seconds`: an instant, from a count of seconds.

use super::epoch::bind_epoch;
use super::{Builtin, Example, Param, ParamKind, ResultType};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "unix_seconds",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "Reads a number of seconds since 1970, or its text; a fraction may follow. What is \
          finer than a nanosecond is rounded down.",
    examples: &[
        Example::gives(r#"1722461446 |> unix_seconds"#, r#"2024-07-31T21:30:46Z"#),
        Example::gives(r#""1722461446.25" |> unix_seconds"#, r#"2024-07-31T21:30:46.25Z"#),
        Example::gives(r#"-0.5 |> unix_seconds"#, r#"1969-12-31T23:59:59.5Z"#),
        Example::invalid(r#""2024-07-31T21:30:46Z" |> unix_seconds"#),
        Example::invalid(r#"99999999999 |> unix_seconds"#),
    ],
    prepare: |_, environment| {
        bind_epoch("unix_seconds", 1_000_000_000, "a number of seconds since 1970", environment)
    },
};
