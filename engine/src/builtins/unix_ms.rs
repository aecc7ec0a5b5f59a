//! `unix_ms`: an instant, from a count of milliseconds.

use super::epoch::bind_epoch;
use super::{Builtin, Example, Param, ParamKind, ResultType};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "unix_ms",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "Reads a number of milliseconds since 1970, or its text; a fraction may follow. What \
          is finer than a nanosecond is rounded down.",
    examples: &[
        Example::gives(r#"1762000000000 |> unix_ms"#, r#"2025-11-01T12:26:40Z"#),
        Example::gives(r#""1762000004200.5" |> unix_ms"#, r#"2025-11-01T12:26:44.2005Z"#),
    ],
    prepare: |_, environment| {
        bind_epoch("unix_ms", 1_000_000, "a number of milliseconds since 1970", environment)
    },
};
