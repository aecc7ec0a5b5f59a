//! `is_private`: an address that the internet does not route.

use std::net::{IpAddr, Ipv4Addr};

use super::{Builtin, Example, Param, ParamKind, ResultType, bind};
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "is_private",
    params: &[Param::new("address", ParamKind::Value(Type::Ip))],
    result: ResultType::Fixed(Type::Bool),
    takes_missing: false,
    doc: "Is it an address of a private network (RFC 1918, RFC 4193), of the machine itself, \
          of a single link, or of a carrier's shared range (RFC 6598)? An IPv4 address inside \
          an IPv6 one counts as what it is.",
    examples: &[
        Example::gives(r#""10.1.2.3" |> is_private"#, r#"true"#),
        Example::gives(r#""192.168.0.1" |> is_private"#, r#"true"#),
        Example::gives(r#""172.32.0.1" |> is_private"#, r#"false"#),
        Example::gives(r#""100.64.0.1" |> is_private"#, r#"true"#),
        Example::gives(r#""127.0.0.1" |> is_private"#, r#"true"#),
        Example::gives(r#""fe80::1" |> is_private"#, r#"true"#),
        Example::gives(r#""fd00::1" |> is_private"#, r#"true"#),
        Example::gives(r#""::ffff:10.0.0.1" |> is_private"#, r#"true"#),
        Example::gives(r#""2606:4700::1" |> is_private"#, r#"false"#),
    ],
    prepare: |_, _| {
        bind("is_private", (), |(), args, _| match args[0] {
            Value::Ip(address) => Value::Bool(is_private(address)),
            other => other,
        })
    },
};

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || is_shared(address)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// 100.64.0.0/10
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}
