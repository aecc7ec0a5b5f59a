//! `mask_email`: an address whose person is not shown.

use super::{Builtin, Example, Param, ResultType, bind, text_arg};
use crate::convert::format_in;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "mask_email",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "Hides the person of an email address: the first character and the domain stay. A \
          text without `@` is hidden whole.",
    examples: &[
        Example::gives(r#""anna@muster.de" |> mask_email"#, r#"a***@muster.de"#),
        Example::gives(r#""Özil@muster.de" |> mask_email"#, r#"Ö***@muster.de"#),
        Example::gives(r#""anna" |> mask_email"#, r#"***"#),
        Example::gives(r#""@muster.de" |> mask_email"#, r#"***@muster.de"#),
    ],
    prepare: |_, _| {
        bind("mask_email", (), |(), args, arena| {
            let Some((person, domain)) = text_arg(args, 0).rsplit_once('@') else {
                return Value::Text("***");
            };
            let first = &person[..person.chars().next().map_or(0, char::len_utf8)];
            format_in(arena, format_args!("{first}***@{domain}"))
        })
    },
};
