//! `truncate_time`: the beginning of the hour, the day, the month.

use bumpalo::Bump;

use super::{
    BadArgument, Builtin, Constant, Example, Param, ParamKind, Prepared, ResultType, bind,
    constant_text,
};
use crate::civil::DateTime;
use crate::convert::failed;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "truncate_time",
    params: &[
        Param::new("time", ParamKind::Value(Type::Timestamp)),
        Param::new("unit", ParamKind::ConstantWord),
    ],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "The beginning, in UTC, of the `second`, `minute`, `hour`, `day`, `month` or `year` that a time is in.",
    examples: &[
        Example::gives(
            r#""2026-04-10T08:09:10.5Z" |> truncate_time("hour")"#,
            "2026-04-10T08:00:00Z",
        ),
        Example::gives(r#""2026-04-10T08:09:10.5Z" |> truncate_time(day)"#, "2026-04-10T00:00:00Z"),
        Example::gives(
            r#""1969-12-31T23:59:59.5Z" |> truncate_time("second")"#,
            "1969-12-31T23:59:59Z",
        ),
        Example::gives(
            r#""2026-04-10T08:09:10Z" |> truncate_time("month")"#,
            "2026-04-01T00:00:00Z",
        ),
        Example::gives(
            r#""2026-04-10T08:09:10Z" |> truncate_time("year")"#,
            "2026-01-01T00:00:00Z",
        ),
        Example::invalid(r#""today" |> truncate_time("day")"#),
    ],
    prepare,
};

/// How much of a time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Of so many nanoseconds, counted from 1970: days have 24 hours in UTC.
    Fixed(i64),
    Month,
    Year,
}

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let unit = match constant_text(constants, 0) {
        "second" | "s" => Unit::Fixed(1_000_000_000),
        "minute" | "m" => Unit::Fixed(60_000_000_000),
        "hour" | "h" => Unit::Fixed(3_600_000_000_000),
        "day" | "d" => Unit::Fixed(86_400_000_000_000),
        "month" => Unit::Month,
        "year" => Unit::Year,
        other => {
            return Err(BadArgument::literal(
                0,
                format!("there is no unit `{other}`"),
                "the units are second, minute, hour, day, month and year",
            ));
        }
    };
    bind("truncate_time", unit, run)
}

fn run<'a>(unit: &Unit, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
    let Value::Timestamp(ns) = args[0] else { return args[0] };
    let begin = match unit {
        Unit::Fixed(unit_ns) => ns.checked_sub(ns.rem_euclid(*unit_ns)),
        Unit::Month | Unit::Year => {
            let DateTime { year, month, .. } = DateTime::from_ns(ns);
            let month = if *unit == Unit::Year { 1 } else { month };
            let begin =
                DateTime { year, month, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0 };
            begin.to_ns(0)
        }
    };
    // The first instants that can be counted are in the middle of everything.
    begin.map_or_else(|| failed(arena, "the result is too large"), Value::Timestamp)
}
