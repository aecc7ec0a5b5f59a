//! `timestamp`: an instant, from text.

use bumpalo::Bump;

use super::{
    BadArgument, Builtin, CODE_NO_ZONE, CODE_UNKNOWN_ZONE_OR_DIRECTIVE, Call, Constant, Example,
    Param, ParamKind, Prepared, ResultType, bind, constant_text, text_arg,
};
use crate::convert::fault;
use crate::read;
use crate::time_format::{FormatError, TimeFormat, Zone};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "timestamp",
    params: &[
        Param::TEXT,
        Param::new("format", ParamKind::ConstantText).optional(),
        Param::new("zone", ParamKind::ConstantText).optional(),
    ],
    result: ResultType::Fixed(Type::Timestamp),
    takes_missing: false,
    doc: "Reads a timestamp: RFC 3339 with an offset, or by a format of %Y %y %m %b %d %e %j \
          %H %I %p %M %S %.f %z. A format without %z needs a zone. Of a local time that there \
          was twice it takes the earlier instant; one that there never was is invalid.",
    examples: &[
        Example::gives(
            r#""2026-04-10T10:09:10.50+02:00" |> timestamp"#,
            r#"2026-04-10T08:09:10.5Z"#,
        ),
        Example::gives(
            r#""01.11.2026 09:15:00" |> timestamp("%d.%m.%Y %H:%M:%S", "Europe/Berlin")"#,
            r#"2026-11-01T08:15:00Z"#,
        ),
        Example::gives(
            r#""25.10.2026 02:30" |> timestamp("%d.%m.%Y %H:%M", "Europe/Berlin")"#,
            r#"2026-10-25T00:30:00Z"#,
        ),
        Example::invalid(r#""29.03.2026 02:30" |> timestamp("%d.%m.%Y %H:%M", "Europe/Berlin")"#),
        Example::gives(
            r#""10/Oct/2000:13:55:36 -0700" |> timestamp("%d/%b/%Y:%H:%M:%S %z")"#,
            r#"2000-10-10T20:55:36Z"#,
        ),
        Example::invalid(r#""yesterday" |> timestamp"#),
        Example::invalid(r#"1722461446 |> timestamp"#),
    ],
    prepare,
};

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    if constants.is_empty() {
        return bind("timestamp", (), |(), args, arena| {
            let text = text_arg(args, 0);
            read::timestamp(text).map_or_else(|| invalid(arena, text), Value::Timestamp)
        });
    }
    let format = constant_text(constants, 0);
    let compiled = TimeFormat::for_reading(format).map_err(|error| bad_format(&error))?;
    let zone = match (compiled.has_offset(), constants.len()) {
        (true, 1) => None,
        (true, _) => return Err(needless_zone()),
        (false, 1) => return Err(no_zone(format)),
        (false, _) => {
            let name = constant_text(constants, 1);
            Some(Zone::find(name).ok_or_else(|| unknown_zone(name))?)
        }
    };
    Ok(Box::new(ByFormat { format: compiled, zone }))
}

/// A format, and the zone of its times if they do not tell their offset.
#[derive(Debug)]
struct ByFormat {
    format: TimeFormat,
    zone: Option<Zone>,
}

impl Call for ByFormat {
    fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
        self.call_noting_time(args, arena).0
    }

    fn call_noting_time<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> (Value<'a>, bool) {
        let text = text_arg(args, 0);
        match self.format.read_noting(text, self.zone.as_ref()) {
            Some((ns, twice)) => (Value::Timestamp(ns), twice),
            None => (invalid(arena, text), false),
        }
    }
}

fn invalid<'a>(arena: &'a Bump, text: &str) -> Value<'a> {
    fault(arena, Type::Timestamp.noun(), text)
}

/// A format that is none.
pub(super) fn bad_format(error: &FormatError) -> BadArgument {
    BadArgument {
        index: 0,
        code: CODE_UNKNOWN_ZONE_OR_DIRECTIVE,
        message: error.to_string(),
        help: Some(error.help()),
        ..BadArgument::default()
    }
}

fn no_zone(format: &str) -> BadArgument {
    BadArgument {
        index: 0,
        code: CODE_NO_ZONE,
        message: "the format has no `%z`, so it is not known which zone the time is in".to_owned(),
        help: Some(format!(
            "name the zone: `timestamp(\"{format}\", \"Europe/Berlin\")`, or \"UTC\""
        )),
        ..BadArgument::default()
    }
}

fn needless_zone() -> BadArgument {
    BadArgument::literal(
        1,
        "the text tells its own offset by `%z`, so the zone is never used",
        "leave the zone out",
    )
}

fn unknown_zone(name: &str) -> BadArgument {
    let help = match Zone::near(name).as_slice() {
        [] => "zones have names like `Europe/Berlin`, `America/New_York`, `UTC`".to_owned(),
        near => format!(
            "did you mean {}?",
            near.iter().map(|zone| format!("`{zone}`")).collect::<Vec<_>>().join(" or ")
        ),
    };
    BadArgument {
        index: 1,
        code: CODE_UNKNOWN_ZONE_OR_DIRECTIVE,
        message: format!("there is no time zone `{name}`"),
        help: Some(help),
        ..BadArgument::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::Environment;

    #[track_caller]
    fn check(constants: &[&str], code: &str, index: usize, help: &str) {
        let constants: Vec<_> =
            constants.iter().map(|text| Constant::Text((*text).into())).collect();
        let error = prepare(&constants, &Environment::default()).expect_err("a bad argument");
        assert_eq!((error.code, error.index), (code, index));
        assert!(error.help.as_ref().is_some_and(|found| found.contains(help)), "{:?}", error.help);
    }

    #[test]
    fn bad_arguments() {
        check(&["%d.%m.%Y"], "W0402", 0, "timestamp(\"%d.%m.%Y\", \"Europe/Berlin\")");
        check(&["%d.%m.%Q", "UTC"], "W0404", 0, "%Y");
        check(&["%H:%M", "UTC"], "W0404", 0, "a date is");
        check(&["%d.%m.%Y", "Europe/Berln"], "W0404", 1, "`Europe/Berlin`");
        check(&["%d.%m.%Y", "Mars"], "W0404", 1, "zones have names like");
        check(&["%d.%m.%Y %z", "UTC"], "W0405", 1, "leave the zone out");
    }
}
