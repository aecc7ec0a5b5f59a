//! `cidr`: a network.

use super::{Builtin, Example, Param, ResultType, bind};
use crate::convert::convert;
use crate::types::{NumberFormat, Type};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "cidr",
    params: &[Param::TEXT],
    result: ResultType::Fixed(Type::Cidr),
    takes_missing: false,
    doc: "Reads a network such as `10.0.0.0/8`; an address alone is a network of one. Bits behind the prefix are \
          cleared, so that equal networks have equal texts.",
    examples: &[
        Example::gives(r#""10.1.2.3/8" |> cidr"#, "10.0.0.0/8"),
        Example::gives(r#""2001:DB8::1/32" |> cidr"#, "2001:db8::/32"),
        Example::gives(r#""192.0.2.7" |> cidr"#, "192.0.2.7/32"),
        Example::invalid(r#""10.0.0.0/33" |> cidr"#),
        Example::invalid(r#""intranet" |> cidr"#),
    ],
    prepare: |_, _| {
        bind("cidr", (), |(), args, arena| {
            convert(args[0], Type::Cidr, NumberFormat::default(), arena)
        })
    },
};
