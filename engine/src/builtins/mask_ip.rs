//! `mask_ip`: an address of which only the network is shown.

use super::{
    BadArgument, Builtin, Constant, Example, Param, ParamKind, Prepared, ResultType, bind,
    constant_count,
};
use crate::cidr::keep_bits;
use crate::types::Type;
use crate::value::Value;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "mask_ip",
    params: &[
        Param::new("address", ParamKind::Value(Type::Ip)),
        Param::new("bits", ParamKind::ConstantInt),
        Param::new("bits_of_v6", ParamKind::ConstantInt).optional(),
    ],
    result: ResultType::Fixed(Type::Ip),
    takes_missing: false,
    doc: "Keeps the first bits of an address and clears the others. Of an IPv6 address twice as many are kept, \
          unless a second number says otherwise: a site has 24 bits of the one kind and 48 of the other. \
          An IPv4 address inside an IPv6 one counts as what it is.",
    examples: &[
        Example::gives(r#""192.0.2.34" |> mask_ip(24)"#, "192.0.2.0"),
        Example::gives(r#""2001:db8:1:2:3::4" |> mask_ip(24)"#, "2001:db8:1::"),
        Example::gives(r#""2001:db8:1:2:3::4" |> mask_ip(24, 64)"#, "2001:db8:1:2::"),
        Example::gives(r#""::ffff:192.0.2.34" |> mask_ip(24)"#, "192.0.2.0"),
        Example::gives(r#""192.0.2.34" |> mask_ip(0)"#, "0.0.0.0"),
        Example::invalid(r#""host" |> mask_ip(24)"#),
    ],
    prepare,
};

fn prepare(constants: &[Constant], _: &super::Environment) -> Prepared {
    let bits = bits(constants, 0, 32)?;
    let bits_of_v6 = if constants.len() > 1 { self::bits(constants, 1, 128)? } else { bits * 2 };
    bind("mask_ip", (bits, bits_of_v6), |(bits, bits_of_v6), args, _| match args[0] {
        Value::Ip(address) => {
            let address = address.to_canonical();
            let bits = if address.is_ipv4() { bits } else { bits_of_v6 };
            Value::Ip(keep_bits(address, *bits))
        }
        other => other,
    })
}

fn bits(constants: &[Constant], place: usize, max: u8) -> Result<u8, BadArgument> {
    let count = constant_count(constants, place, 0)?;
    u8::try_from(count).ok().filter(|bits| *bits <= max).ok_or_else(|| {
        BadArgument::literal(
            place,
            format!("such an address has {max} bits"),
            format!("write a number from 0 to {max}"),
        )
    })
}
