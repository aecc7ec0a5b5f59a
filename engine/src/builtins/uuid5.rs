//! `uuid5`: a UUID made of a name.

use uuid::Uuid;

use super::{
    BadArgument, Builtin, Example, Param, ParamKind, ResultType, bind, constant_text, text_arg,
};
use crate::convert::format_in;
use crate::types::Type;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "uuid5",
    params: &[Param::TEXT, Param::new("namespace", ParamKind::ConstantText)],
    result: ResultType::Fixed(Type::Text),
    takes_missing: false,
    doc: "The name-based UUID (version 5, RFC 9562) of a text in a namespace: `dns`, `url`, \
          `oid`, `x500`, or a UUID of your own.",
    examples: &[
        Example::gives(
            r#""www.example.com" |> uuid5("dns")"#,
            r#"2ed6657d-e927-568b-95e1-2665a8aea6a2"#,
        ),
        Example::gives(
            r#""x" |> uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8")"#,
            r#"05b16a01-46c6-56dd-bd6e-c6dfb4a1427a"#,
        ),
    ],
    prepare: |constants, _| {
        bind("uuid5", namespace(constant_text(constants, 0))?, |namespace, args, arena| {
            let uuid = Uuid::new_v5(namespace, text_arg(args, 0).as_bytes());
            format_in(arena, format_args!("{}", uuid.hyphenated()))
        })
    },
};

fn namespace(name: &str) -> Result<Uuid, BadArgument> {
    match name {
        "dns" => Ok(Uuid::NAMESPACE_DNS),
        "url" => Ok(Uuid::NAMESPACE_URL),
        "oid" => Ok(Uuid::NAMESPACE_OID),
        "x500" => Ok(Uuid::NAMESPACE_X500),
        other => Uuid::try_parse(other).map_err(|_| {
            BadArgument::literal(
                0,
                format!("`{other}` is no namespace"),
                "write `dns`, `url`, `oid`, `x500` or a UUID",
            )
        }),
    }
}
