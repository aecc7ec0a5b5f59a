//! `unix_ns`: an instant, from a count of nanoseconds.

use super::epoch::bind_epoch;
use super::{Builtin, Example, Param, ParamKind, ResultType};
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "unix_ns",
    params: &[Param::new("value", ParamKind::Scalar)],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "Reads a number of nanoseconds since 1970, or its text. A fraction is rounded down.",
    examples: &[
        Example::gives(r#"1762000000000000001 |> unix_ns"#, r#"2025-11-01T12:26:40.000000001Z"#),
        Example::invalid(r#"9223372036854775808.0 |> unix_ns"#),
    ],
    prepare: |_, environment| {
        bind_epoch("unix_ns", 1, "a number of nanoseconds since 1970", environment)
    },
};
