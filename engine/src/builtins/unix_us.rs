//! `unix_us`: an instant, from a count of microseconds.

use super::epoch::bind_epoch;
use super::{Builtin, Example, Param, ParamKind, ResultType};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "unix_us",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "Reads a number of microseconds since 1970, or its text; a fraction may follow. What \
          is finer than a nanosecond is rounded down.",
    examples: &[Example::gives(r#"1762000000000001 |> unix_us"#, r#"2025-11-01T12:26:40.000001Z"#)],
    prepare: |_, environment| {
        bind_epoch("unix_us", 1000, "a number of microseconds since 1970", environment)
    },
};
