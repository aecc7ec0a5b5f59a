//! `ip`: an address.

use super::{Builtin, Example, Param, ResultType, bind};
use crate::convert::convert;
use crate::types::{NumberFormat, Type};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "ip",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Ip),
    takes_missing: false,
    doc: "Reads an IPv4 or IPv6 address, without port or zone. Its text is the canonical one.",
    examples: &[
        Example::gives(r#""192.0.2.34" |> ip"#, r#"192.0.2.34"#),
        Example::gives(r#""2001:DB8:0::1" |> ip"#, r#"2001:db8::1"#),
        Example::invalid(r#""192.0.2.34:443" |> ip"#),
        Example::invalid(r#""host" |> ip"#),
    ],
    prepare: |_, _| {
        bind("ip", (), |(), args, arena| convert(args[0], Type::Ip, NumberFormat::default(), arena))
    },
};
