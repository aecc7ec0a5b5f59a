//! `in_cidr`: is an address in one of some networks?

use super::{
    BadArgument, Builtin, Constant, Example, Param, ParamKind, Prepared, ResultType, bind,
};
use crate::cidr::Cidr;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "in_cidr",
    params: &[
        Param::new("address", ParamKind::Value(Type::Ip)),
        Param::new("networks", ParamKind::ConstantTexts),
    ],
    result: ResultType::Fixed(Type::Bool),
    takes_missing: false,
    doc: "Is the address in one of these networks? An IPv4 address inside an IPv6 one counts as what it is.",
    examples: &[
        Example::gives(r#""10.1.2.3" |> in_cidr(["10.0.0.0/8", "fd00::/8"])"#, "true"),
        Example::gives(r#""fd12::1" |> in_cidr(["10.0.0.0/8", "fd00::/8"])"#, "true"),
        Example::gives(r#""::ffff:10.1.2.3" |> in_cidr(["10.0.0.0/8"])"#, "true"),
        Example::gives(r#""192.0.2.7" |> in_cidr(["10.0.0.0/8"])"#, "false"),
        Example::invalid(r#""host" |> in_cidr(["10.0.0.0/8"])"#),
    ],
    prepare,
};

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let [Constant::Texts(texts)] = constants else {
        panic!("the constant is a list of texts by the signature, not {constants:?}")
    };
    let networks: Result<Vec<_>, _> = texts
        .iter()
        .map(|text| {
            Cidr::parse(text).ok_or_else(|| {
                BadArgument::literal(
                    0,
                    format!("`{text}` is no network"),
                    "write networks as `10.0.0.0/8` or `fd00::/8`",
                )
            })
        })
        .collect();
    bind("in_cidr", networks?, |networks, args, _| match args[0] {
        Value::Ip(address) => Value::Bool(networks.iter().any(|network| network.contains(address))),
        other => other,
    })
}
